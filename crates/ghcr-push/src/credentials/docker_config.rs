//! Docker's `config.json`, as `docker login` writes it
//! (<https://docs.docker.com/reference/cli/docker/login/>).

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use secrecy::SecretString;
use serde::Deserialize;

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

#[derive(Deserialize)]
struct Config {
    #[serde(default)]
    auths: BTreeMap<String, Auth>,
    #[serde(default, rename = "credHelpers")]
    helpers: BTreeMap<String, String>,
    #[serde(default, rename = "credsStore")]
    store: Option<String>,
}

#[derive(Deserialize)]
struct Auth {
    #[serde(default, rename = "auth")]
    encoded: String,
    #[serde(default)]
    username: String,
    #[serde(default)]
    password: String,
}

/// The entry for `host` in the file's `text`.
///
/// # Errors
///
/// A sentence that says what is wrong with the file; never its contents.
pub(crate) fn credentials(text: &[u8], host: &str) -> Result<Entry, String> {
    let config: Config = serde_json::from_slice(text)
        // Only the position: the message itself may quote a secret.
        .map_err(|error| format!("it is no valid JSON of this kind (line {})", error.line()))?;
    if let Some(helper) = config.helpers.get(host) {
        return Ok(Entry::Helper(helper.clone()));
    }
    let auth = config
        .auths
        .iter()
        .find_map(|(key, auth)| (host_of(key) == host).then_some(auth));
    if let Some((username, password)) = auth.map(pair).transpose()?.flatten() {
        return Ok(Entry::Found {
            username,
            password: SecretString::from(password),
        });
    }
    // An empty entry marks a host whose credential is in the store.
    match config.store {
        Some(store) if !store.is_empty() => Ok(Entry::Helper(store)),
        _ => Ok(Entry::Absent),
    }
}

/// The host of a key, which may be a URL in files of old clients (`https://host/v1/`).
fn host_of(key: &str) -> &str {
    let without_scheme = key
        .strip_prefix("https://")
        .or_else(|| key.strip_prefix("http://"))
        .unwrap_or(key);
    let host = without_scheme.split('/').next().unwrap_or(without_scheme);
    // The key that every docker login to Docker Hub uses.
    if host == "docker.io" {
        "index.docker.io"
    } else {
        host
    }
}

fn pair(auth: &Auth) -> Result<Option<(String, String)>, String> {
    if auth.encoded.is_empty() {
        let filled = !auth.username.is_empty() && !auth.password.is_empty();
        return Ok(filled.then(|| (auth.username.clone(), auth.password.clone())));
    }
    let wrong = || "an entry's \"auth\" is not base64 of \"user:password\"".to_owned();
    let decoded = BASE64.decode(auth.encoded.trim()).map_err(|_| wrong())?;
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
                "problem: an entry's \"auth\" is not base64 of \"user:password\"",
            ),
            (
                "{".into(),
                "ghcr.io",
                "problem: it is no valid JSON of this kind (line 1)",
            ),
        ] {
            assert_eq!(check(&text, host), expected, "{text}");
        }
    }
}
