//! JSON that may hold secrets.

use secrecy::zeroize::Zeroize as _;
use serde_json::Value;

/// A value whose texts are overwritten when it goes.
pub(super) struct Wiped(Value);

impl Wiped {
    /// Reads a text.
    ///
    /// # Errors
    ///
    /// The number of the line that is wrong. No more: the parser's own message may quote a secret.
    pub(super) fn read(text: &[u8]) -> Result<Self, usize> {
        /// What editors on Windows begin a file with.
        const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
        let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
        let value = serde_json::from_slice(text).map_err(|error| error.line())?;
        Ok(Self(value))
    }

    pub(super) fn value(&self) -> &Value {
        &self.0
    }
}

impl Drop for Wiped {
    fn drop(&mut self) {
        wipe(&mut self.0);
    }
}

fn wipe(value: &mut Value) {
    match value {
        Value::String(text) => text.zeroize(),
        Value::Array(items) => items.iter_mut().for_each(wipe),
        Value::Object(fields) => fields.values_mut().for_each(wipe),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
