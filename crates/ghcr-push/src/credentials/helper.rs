//! Credential helpers: programs called `docker-credential-NAME`, which answer `get` and a host on standard input
//! with a JSON object (<https://github.com/docker/docker-credential-helpers#development>).

use std::process::Command;
use std::time::Duration;

use secrecy::SecretString;
use serde_json::Value;

use super::json::Wiped;
use super::program;

/// What a helper said.
#[derive(Debug, Clone)]
pub(crate) enum Answer {
    Found {
        username: String,
        password: SecretString,
    },
    /// It has nothing for the host.
    Absent,
    /// A sentence that says what went wrong.
    Failed(String),
}

/// What every helper says on standard output when it has nothing
/// (<https://github.com/docker/docker-credential-helpers/blob/master/credentials/error.go>).
const NOT_FOUND: &str = "credentials not found in native keychain";

/// Asks the helper `name` for the credential of `server`.
pub(crate) fn get(
    name: &str,
    server: &str,
    directories: &[std::path::PathBuf],
    patience: Duration,
) -> Answer {
    if !is_name(name) {
        return Answer::Failed("that is no name of a program".to_owned());
    }
    let name = format!("docker-credential-{name}");
    let Some(path) = program::find(directories, &name) else {
        return Answer::Failed(format!("{name} is not on the search path (PATH)"));
    };
    let mut command = Command::new(path);
    command.arg("get");
    match program::run(command, server, patience) {
        Ok(output) => read(&output),
        Err(problem) => Answer::Failed(problem.to_string()),
    }
}

/// Whether a file may name this helper. What has a path or is more than a word is not run
/// (<https://github.com/docker/cli/security/advisories/GHSA-99pg-grm5-qq3v> tells what helpers can do).
fn is_name(name: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    !name.is_empty() && name.bytes().all(is_part)
}

fn read(output: &program::Output) -> Answer {
    if !output.succeeded {
        let said = String::from_utf8_lossy(&output.answer);
        if said.contains(NOT_FOUND)
            || String::from_utf8_lossy(&output.complaint).contains(NOT_FOUND)
        {
            return Answer::Absent;
        }
        let complaint = output.complaint();
        return Answer::Failed(match complaint {
            Some(complaint) => format!("it said: {complaint}"),
            None => "it failed without a word".to_owned(),
        });
    }
    login(&output.answer).unwrap_or_else(|| {
        Answer::Failed("its answer is not the JSON object that helpers give".to_owned())
    })
}

/// Reads an answer, whose keys docker's own decoder takes in any case.
fn login(answer: &[u8]) -> Option<Answer> {
    let answer = Wiped::read(answer).ok()?;
    let fields = answer.value().as_object()?;
    let field = |name: &str| {
        let mut fields = fields.iter();
        match fields.find(|(key, _)| key.eq_ignore_ascii_case(name)) {
            None | Some((_, Value::Null)) => Some(""),
            Some((_, value)) => value.as_str(),
        }
    };
    let (username, secret) = (field("Username")?, field("Secret")?);
    Some(if secret.is_empty() {
        Answer::Absent
    } else {
        Answer::Found {
            username: username.to_owned(),
            password: SecretString::from(secret),
        }
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use secrecy::ExposeSecret as _;

    use super::*;

    #[test]
    fn answers() {
        for (answer, expected) in [
            (r#"{"ServerURL":"h","Username":"u","Secret":"p"}"#, "u:p"),
            (r#"{"username":"u","SECRET":"p"}"#, "u:p"),
            (r#"{"Secret":"p"}"#, ":p"),
            (r#"{"Username":null,"Secret":"p"}"#, ":p"),
            (r#"{"Username":"u","Secret":""}"#, "absent"),
            ("{}", "absent"),
            (r#"{"Username":1,"Secret":"p"}"#, "nonsense"),
            ("[]", "nonsense"),
            ("", "nonsense"),
        ] {
            let said = match login(answer.as_bytes()) {
                Some(Answer::Found { username, password }) => {
                    format!("{username}:{}", password.expose_secret())
                }
                Some(_) => "absent".to_owned(),
                None => "nonsense".to_owned(),
            };
            assert_eq!(said, expected, "{answer}");
        }
    }

    proptest! {
        /// Whatever a helper prints, there is an answer, which quotes nothing of it.
        #[test]
        fn any_answer_is_read(text in "[{\\[\"]?\\PC{12,60}", succeeded in any::<bool>()) {
            let output = program::Output {
                succeeded,
                answer: text.clone().into_bytes().into(),
                complaint: b"no".to_vec(),
            };
            if let Answer::Failed(problem) = read(&output) {
                prop_assert!(!problem.contains(&text), "{problem}");
            }
        }
    }

    #[test]
    fn names() {
        for (name, expected) in [
            ("desktop", true),
            ("ecr-login", true),
            ("my_helper.v2", true),
            ("", false),
            ("../evil", false),
            ("a/b", false),
            ("a\\b", false),
            ("a;b", false),
            ("a b", false),
            ("$(id)", false),
            ("ä", false),
            ("a\0", false),
        ] {
            assert_eq!(is_name(name), expected, "{name:?}");
        }
    }
}
