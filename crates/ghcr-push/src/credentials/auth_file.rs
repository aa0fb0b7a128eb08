//! The files of `docker login` and `podman login`, which have one format
//! (<https://docs.docker.com/reference/cli/docker/login/>,
//! <https://github.com/containers/image/blob/main/docs/containers-auth.json.5.md>).
//!
//! Podman's keys may name a part of a registry (`ghcr.io/owner`), docker's only hosts. Such a key is honoured
//! in every file, for that part only: docker itself would take it for the whole host.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use oci_push::Credentials;
use secrecy::SecretString;
use secrecy::zeroize::Zeroizing;
use serde_json::{Map, Value};

use super::json::Wiped;

/// As docker reads it, and without insisting on the padding that other writers leave out.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// What a file says of a repository.
#[derive(Debug)]
pub(crate) struct Entry {
    /// The helper program that is to be asked first.
    pub(crate) helper: Option<String>,
    /// What stands in the file itself, or a sentence that says what is wrong with it.
    pub(crate) login: Result<Option<Login>, String>,
}

/// A user name with a password.
#[derive(Debug)]
pub(crate) struct Login {
    pub(crate) username: String,
    pub(crate) password: SecretString,
    /// The key it stands under.
    pub(crate) key: String,
    /// Whether that is the name of a part of the registry.
    pub(crate) is_of_part: bool,
}

/// What the file with this `text` says of `repository` at `host`.
///
/// Only what concerns them is looked at: whatever is odd about the rest of the file is not this
/// push's business.
///
/// # Errors
///
/// A sentence that says what is wrong with the file; never its contents.
pub(crate) fn entry(text: &[u8], host: &str, repository: &str) -> Result<Entry, String> {
    let config = Wiped::read(text).map_err(|line| format!("it is no valid JSON (line {line})"))?;
    let config = config
        .value()
        .as_object()
        .ok_or_else(|| "it is no JSON object".to_owned())?;
    Ok(Entry {
        helper: helper(config, host)?,
        login: login(config, host, repository),
    })
}

/// The helper of the host, else the store for all hosts
/// (<https://docs.docker.com/reference/cli/docker/login/#credential-helpers>).
fn helper(config: &Map<String, Value>, host: &str) -> Result<Option<String>, String> {
    let helper = named(table(config, "credHelpers")?, host)
        .map(|(_, helper)| string(helper, "the host's credential helper"))
        .transpose()?
        .flatten();
    let store = config.get("credsStore").unwrap_or(&Value::Null);
    let helper = match helper {
        Some(helper) => Some(helper),
        None => string(store, "\"credsStore\"")?,
    };
    Ok(helper.map(str::to_owned))
}

/// What stands under the most specific key that has something. An empty entry marks a host whose credential is in
/// the store.
fn login(
    config: &Map<String, Value>,
    host: &str,
    repository: &str,
) -> Result<Option<Login>, String> {
    let auths = table(config, "auths")?;
    for name in namespaces(host, repository) {
        let entry = auths.and_then(|auths| {
            let mut entries = auths.iter();
            entries.find(|(key, _)| key.eq_ignore_ascii_case(&name))
        });
        if let Some(login) = entry.map(read).transpose()?.flatten() {
            let is_of_part = true;
            return Ok(Some(Login {
                is_of_part,
                ..login
            }));
        }
    }
    named(auths, host)
        .map(read)
        .transpose()
        .map(Option::flatten)
}

/// The keys that name a part of the registry with the repository in it, from the longest.
fn namespaces(host: &str, repository: &str) -> Vec<String> {
    let ends = repository.match_indices('/').map(|(at, _)| at);
    let parts: Vec<&str> = ends
        .map(|end| &repository[..end])
        .chain([repository])
        .filter(|part| !part.is_empty())
        .collect();
    let hosts: &[&str] = if host == DOCKER_HUB.1 {
        &["docker.io", DOCKER_HUB.1]
    } else {
        &[host]
    };
    let keys = parts
        .iter()
        .rev()
        .flat_map(|part| hosts.iter().map(move |host| format!("{host}/{part}")));
    keys.collect()
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
fn named<'a>(table: Option<&'a Map<String, Value>>, host: &str) -> Option<(&'a String, &'a Value)> {
    let table = table?;
    let of_rank = |wanted: Rank| {
        let mut entries = table.iter();
        entries.find(|(key, _)| rank(key, host) == Some(wanted))
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

/// What `docker login` to Docker Hub writes, and what that host is called here.
pub(crate) const DOCKER_HUB: (&str, &str) = ("https://index.docker.io/v1/", "index.docker.io");

/// How well `key` names `host`, `None` if it names something else. A key with a path is not the host's: it
/// holds the credential of a part of the registry, which must not open the rest.
fn rank(key: &str, host: &str) -> Option<Rank> {
    if key == host || (key, host) == DOCKER_HUB {
        return Some(Rank::Exact);
    }
    let address = key
        .strip_prefix("https://")
        .or_else(|| key.strip_prefix("http://"))
        .unwrap_or(key);
    let (name, path) = address.split_once('/').unwrap_or((address, ""));
    let is_host = name.eq_ignore_ascii_case(host) || (name == "docker.io" && host == DOCKER_HUB.1);
    let is_root = matches!(path.trim_end_matches('/'), "" | "v1" | "v2");
    (is_host && is_root).then_some(Rank::Legacy)
}

/// What an entry holds, if anything.
fn read((key, auth): (&String, &Value)) -> Result<Option<Login>, String> {
    let auth = match auth {
        Value::Null => return Ok(None),
        Value::Object(auth) => auth,
        _ => return Err("the host's entry is no JSON object".to_owned()),
    };
    let field = |name: &str| {
        let value = auth.get(name).unwrap_or(&Value::Null);
        string(value, &format!("the host's {name:?}"))
    };
    let login = |username: &str, password: &str| Login {
        username: username.to_owned(),
        password: SecretString::from(password),
        key: key.clone(),
        is_of_part: false,
    };
    // What a login left that was given such a token; its "auth" has no password then.
    if let Some(token) = field("identitytoken")? {
        return Ok(Some(login(Credentials::IDENTITY_TOKEN_USER, token)));
    }
    let Some(encoded) = field("auth")? else {
        let (username, password) = (field("username")?, field("password")?);
        if password.is_none() && field("registrytoken")?.is_some() {
            return Err("the host's entry has a \"registrytoken\", which is not used".to_owned());
        }
        return Ok(username
            .zip(password)
            .map(|(username, password)| login(username, password)));
    };
    let decoded = pair(encoded).ok_or("the host's \"auth\" is not base64 of \"user:password\"")?;
    let (username, password) = decoded.split_once(':').unwrap_or_default();
    // Old versions of docker padded the password with NUL bytes.
    let password = password.trim_end_matches('\0');
    Ok((!password.is_empty()).then(|| login(username, password)))
}

/// `user:password` from its base64, which some tools break into lines.
fn pair(encoded: &str) -> Option<Zeroizing<String>> {
    let one_line: Zeroizing<String> = encoded.split_whitespace().collect::<String>().into();
    let decoded = Zeroizing::new(BASE64.decode(one_line.as_bytes()).ok()?);
    let text = std::str::from_utf8(&decoded).ok()?;
    text.contains(':').then(|| text.to_owned().into())
}

#[cfg(test)]
mod tests;
