//! Docker's `config.json`, as `docker login` writes it
//! (<https://docs.docker.com/reference/cli/docker/login/>).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use secrecy::SecretString;
use serde_json::{Map, Value};

/// What the file holds for a host.
#[derive(Debug)]
pub(crate) enum Entry {
    /// A user name and a password.
    Found {
        username: String,
        password: SecretString,
    },
    /// A helper program has it.
    Helper(String),
    /// Nothing.
    Absent,
}

/// The entry for `host` in the file's `text`.
///
/// Only what concerns the host is looked at: whatever is odd about the rest of the file is not this
/// push's business.
///
/// # Errors
///
/// A sentence that says what is wrong with the file; never its contents.
pub(crate) fn credentials(text: &[u8], host: &str) -> Result<Entry, String> {
    /// What editors on Windows begin a file with.
    const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
    let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
    let config: Value = serde_json::from_slice(text)
        // Only the position: the message itself may quote a secret.
        .map_err(|error| format!("it is no valid JSON (line {})", error.line()))?;
    let config = config
        .as_object()
        .ok_or_else(|| "it is no JSON object".to_owned())?;
    let helper = named(table(config, "credHelpers")?, host)
        .map(|helper| string(helper, "the host's credential helper"))
        .transpose()?
        .flatten();
    if let Some(helper) = helper {
        return Ok(Entry::Helper(helper.to_owned()));
    }
    let auth = named(table(config, "auths")?, host);
    if let Some((username, password)) = auth.map(pair).transpose()?.flatten() {
        return Ok(Entry::Found {
            username,
            password: SecretString::from(password),
        });
    }
    // An empty entry marks a host whose credential is in the store.
    let store = config.get("credsStore").unwrap_or(&Value::Null);
    Ok(match string(store, "\"credsStore\"")? {
        Some(store) => Entry::Helper(store.to_owned()),
        None => Entry::Absent,
    })
}

/// A table of the file; `null`, as some tools write it, is an empty one.
fn table<'a>(
    config: &'a Map<String, Value>,
    name: &str,
) -> Result<Option<&'a Map<String, Value>>, String> {
    match config.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Object(table)) => Ok(Some(table)),
        Some(_) => Err(format!("{name:?} is no JSON object")),
    }
}

/// A string that holds something.
fn string<'a>(value: &'a Value, what: &str) -> Result<Option<&'a str>, String> {
    match value {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text.as_str()).filter(|text| !text.is_empty())),
        _ => Err(format!("{what} is no string")),
    }
}

/// What a table holds for `host`: under its own name, or else under an old client's key for it.
fn named<'a>(table: Option<&'a Map<String, Value>>, host: &str) -> Option<&'a Value> {
    let table = table?;
    let of_rank = |wanted: Rank| {
        let mut entries = table.iter();
        entries.find_map(|(key, value)| (rank(key, host) == Some(wanted)).then_some(value))
    };
    of_rank(Rank::Exact).or_else(|| of_rank(Rank::Legacy))
}

/// How well a key names a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rank {
    /// It is the key that `docker login` uses today.
    Exact,
    /// It is the host's URL, as old clients wrote it (`https://host/v1/`).
    Legacy,
}

/// How well `key` names `host`, `None` if it names something else. A key with a path is not the host's: it
/// holds the credential of a part of the registry, which must not open the rest.
fn rank(key: &str, host: &str) -> Option<Rank> {
    /// What `docker login` to Docker Hub writes, and what that host is called here.
    const DOCKER_HUB: (&str, &str) = ("https://index.docker.io/v1/", "index.docker.io");
    if key == host || (key, host) == DOCKER_HUB {
        return Some(Rank::Exact);
    }
    let address = key
        .strip_prefix("https://")
        .or_else(|| key.strip_prefix("http://"))
        .unwrap_or(key);
    let (name, path) = address.split_once('/').unwrap_or((address, ""));
    let is_host = name == host || (name == "docker.io" && host == DOCKER_HUB.1);
    let is_root = matches!(path.trim_end_matches('/'), "" | "v1" | "v2");
    (is_host && is_root).then_some(Rank::Legacy)
}

/// The user name and the password of an entry, if it holds any.
fn pair(auth: &Value) -> Result<Option<(String, String)>, String> {
    let auth = match auth {
        Value::Null => return Ok(None),
        Value::Object(auth) => auth,
        _ => return Err("the host's entry is no JSON object".to_owned()),
    };
    let field = |name: &str| {
        let value = auth.get(name).unwrap_or(&Value::Null);
        string(value, &format!("the host's {name:?}"))
    };
    let Some(encoded) = field("auth")? else {
        let (username, password) = (field("username")?, field("password")?);
        return Ok(username
            .zip(password)
            .map(|(username, password)| (username.to_owned(), password.to_owned())));
    };
    let wrong = || "the host's \"auth\" is not base64 of \"user:password\"".to_owned();
    let decoded = BASE64.decode(encoded.trim()).map_err(|_| wrong())?;
    let decoded = String::from_utf8(decoded).map_err(|_| wrong())?;
    let (username, password) = decoded.split_once(':').ok_or_else(wrong)?;
    // Old versions of docker padded the password with NUL bytes.
    let password = password.trim_end_matches('\0');
    if password.is_empty() {
        return Ok(None);
    }
    Ok(Some((username.to_owned(), password.to_owned())))
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    fn check(text: &str, host: &str) -> String {
        match credentials(text.as_bytes(), host) {
            Ok(Entry::Found { username, password }) => {
                format!("{username}:{}", password.expose_secret())
            }
            Ok(Entry::Helper(helper)) => format!("helper {helper}"),
            Ok(Entry::Absent) => "absent".to_owned(),
            Err(problem) => format!("problem: {problem}"),
        }
    }

    #[test]
    fn entries() {
        // base64 of "u:p", of "u:p\0\0", and of "u:".
        let (plain, padded, empty) = ("dTpw", "dTpwAAA=", "dTo=");
        for (text, host, expected) in [
            (
                format!(r#"{{"auths":{{"ghcr.io":{{"auth":"{plain}"}}}}}}"#),
                "ghcr.io",
                "u:p",
            ),
            (
                format!(r#"{{"auths":{{"https://ghcr.io/v1/":{{"auth":"{plain}"}}}}}}"#),
                "ghcr.io",
                "u:p",
            ),
            (
                format!(r#"{{"auths":{{"ghcr.io":{{"auth":"{padded}"}}}}}}"#),
                "ghcr.io",
                "u:p",
            ),
            (
                format!(r#"{{"auths":{{"ghcr.io":{{"auth":"{empty}"}}}}}}"#),
                "ghcr.io",
                "absent",
            ),
            (
                r#"{"auths":{"ghcr.io":{"username":"u","password":"p"}}}"#.into(),
                "ghcr.io",
                "u:p",
            ),
            (
                format!(r#"{{"auths":{{"ghcr.io":{{"auth":"{plain}"}}}}}}"#),
                "other.io",
                "absent",
            ),
            (
                format!(r#"{{"auths":{{"ghcr.io.evil.example":{{"auth":"{plain}"}}}}}}"#),
                "ghcr.io",
                "absent",
            ),
            (
                r#"{"auths":{"ghcr.io":{}},"credsStore":"desktop"}"#.into(),
                "ghcr.io",
                "helper desktop",
            ),
            (
                r#"{"credHelpers":{"ghcr.io":"gh"}}"#.into(),
                "ghcr.io",
                "helper gh",
            ),
            (
                r#"{"auths":{"ghcr.io":{"auth":"?"}}}"#.into(),
                "ghcr.io",
                "problem: the host's \"auth\" is not base64 of \"user:password\"",
            ),
            (
                "{".into(),
                "ghcr.io",
                "problem: it is no valid JSON (line 1)",
            ),
        ] {
            assert_eq!(check(&text, host), expected, "{text}");
        }
    }

    /// What docker itself and other tools have been seen to write.
    #[test]
    fn oddities() {
        // base64 of "u:p" and of "x:y".
        let (plain, other) = ("dTpw", "eDp5");
        for (text, expected) in [
            (
                r#"{"auths":null,"credHelpers":null,"credsStore":null}"#.to_owned(),
                "absent",
            ),
            (r#"{"auths":{"ghcr.io":null}}"#.to_owned(), "absent"),
            (
                r#"{"auths":{"ghcr.io":{"auth":null,"username":"u","password":"p"}}}"#.to_owned(),
                "u:p",
            ),
            (
                format!(
                    r#"{{"auths":{{"other.io":{{"auth":5}},"a":[],"ghcr.io":{{"auth":"{plain}"}}}}}}"#
                ),
                "u:p",
            ),
            (
                format!(
                    r#"{{"credHelpers":{{"other.io":7}},"auths":{{"ghcr.io":{{"auth":"{plain}"}}}}}}"#
                ),
                "u:p",
            ),
            (
                format!("\u{feff}{{\"auths\":{{\"ghcr.io\":{{\"auth\":\"{plain}\"}}}}}}"),
                "u:p",
            ),
            (
                format!(
                    r#"{{"auths":{{"https://ghcr.io/v1/":{{"auth":"{other}"}},"ghcr.io":{{"auth":"{plain}"}}}}}}"#
                ),
                "u:p",
            ),
            (
                format!(r#"{{"auths":{{"ghcr.io/other":{{"auth":"{plain}"}}}}}}"#),
                "absent",
            ),
            (
                r#"{"auths":{"ghcr.io":{"auth":5}}}"#.to_owned(),
                "problem: the host's \"auth\" is no string",
            ),
            (
                r#"{"auths":[]}"#.to_owned(),
                "problem: \"auths\" is no JSON object",
            ),
            ("[]".to_owned(), "problem: it is no JSON object"),
        ] {
            assert_eq!(check(&text, "ghcr.io"), expected, "{text}");
        }
    }

    #[test]
    fn keys() {
        use Rank::{Exact, Legacy};
        for (key, host, expected) in [
            ("ghcr.io", "ghcr.io", Some(Exact)),
            ("localhost:5000", "localhost:5000", Some(Exact)),
            (
                "https://index.docker.io/v1/",
                "index.docker.io",
                Some(Exact),
            ),
            ("docker.io", "index.docker.io", Some(Legacy)),
            ("https://ghcr.io", "ghcr.io", Some(Legacy)),
            ("https://ghcr.io/v1/", "ghcr.io", Some(Legacy)),
            ("https://ghcr.io/v2/", "ghcr.io", Some(Legacy)),
            ("http://ghcr.io/v2", "ghcr.io", Some(Legacy)),
            ("ghcr.io/", "ghcr.io", Some(Legacy)),
            ("ghcr.io/owner", "ghcr.io", None),
            ("https://ghcr.io/owner/v1/", "ghcr.io", None),
            ("https://ghcr.io/v3/", "ghcr.io", None),
            ("ghcr.io:443", "ghcr.io", None),
            ("ghcr.io.example", "ghcr.io", None),
            ("docker.io", "ghcr.io", None),
        ] {
            assert_eq!(rank(key, host), expected, "{key}");
        }
    }
}
