//! Options of other tools that push images, and what to write here instead.
//!
//! What clap finds similar is something else in these cases: `--tls-verify` resembles `--verify`, and means
//! `--insecure`.

use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue, ErrorKind};

const TLS: &str =
    "for a registry without TLS write --plain-http, to trust any certificate --insecure";
const ALL: &str =
    "it is not needed: all platforms of an archive are pushed; --platform chooses among them";
const SECRET: &str = "no option takes a secret, which others could see: give it in GHCR_PUSH_TOKEN, or pipe it to --username NAME \
     --password-stdin";
const CERTIFICATES: &str = "name the files: --ca-file, and --cert-file with --key-file";
const FORMAT: &str = "it is not needed: what is in the archive is pushed as it is; a docker-save archive becomes an OCI image";
const UNNEEDED: &str = "it is not needed";

/// Options of docker, podman, skopeo, crane, oras and regctl, by their own documentation
/// (<https://github.com/containers/skopeo/blob/main/docs/skopeo-copy.1.md>,
/// <https://docs.podman.io/en/latest/markdown/podman-push.1.html>,
/// <https://docs.docker.com/reference/cli/docker/image/push/>,
/// <https://github.com/google/go-containerregistry/blob/main/cmd/crane/doc/crane_push.md>,
/// <https://oras.land/docs/commands/oras_cp>).
const OPTIONS: [(&str, &str); 24] = [
    ("--tls-verify", TLS),
    ("--dest-tls-verify", TLS),
    ("--src-tls-verify", TLS),
    ("--to-insecure", TLS),
    ("--to-plain-http", TLS),
    ("--all", ALL),
    ("-a", ALL),
    ("--multi-arch", ALL),
    (
        "--all-tags",
        "name every tag with --tag, or behind the name: ghcr.io/OWNER/NAME:a,b",
    ),
    ("--token", SECRET),
    ("--password", SECRET),
    ("-p", SECRET),
    ("--creds", SECRET),
    ("--dest-creds", SECRET),
    ("--registry-token", SECRET),
    ("--dest-registry-token", SECRET),
    ("--to-password", SECRET),
    ("--dest-authfile", "write --authfile"),
    ("--registry-config", "write --authfile"),
    ("--cert-dir", CERTIFICATES),
    ("--dest-cert-dir", CERTIFICATES),
    ("--format", FORMAT),
    ("--remove-signatures", UNNEEDED),
    ("--disable-content-trust", UNNEEDED),
];

/// Puts what to write here in the place of what only looks similar.
pub(super) fn translated(mut error: clap::Error) -> clap::Error {
    let Some(tip) = tip(&error) else {
        return error;
    };
    error.remove(ContextKind::SuggestedArg);
    let tips = ContextValue::StyledStrs(vec![StyledStr::from(tip)]);
    error.insert(ContextKind::Suggested, tips);
    error
}

fn tip(error: &clap::Error) -> Option<&'static str> {
    if error.kind() != ErrorKind::UnknownArgument {
        return None;
    }
    let Some(ContextValue::String(argument)) = error.get(ContextKind::InvalidArg) else {
        return None;
    };
    let mut options = OPTIONS.iter();
    let (_, tip) = options.find(|(option, _)| option == argument)?;
    Some(tip)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::OPTIONS;
    use crate::args::CommandLine;
    use crate::env::Environment;

    /// Each is unknown here, and is answered with its own words and nothing else.
    #[test]
    fn options_of_others() {
        for (option, tip) in OPTIONS {
            for form in [option.to_owned(), format!("{option}=hunter22")] {
                let mut environment = Environment::of(&[]);
                let words = ["ghcr-push", &form, "image.tar", "ghcr.io/o/n"];
                environment.arguments = words.iter().map(Into::into).collect();
                let message = crate::args::parse(&environment).expect_err("no option of this tool");
                assert!(message.is_mistake, "{form}");
                let tips: Vec<&str> = message.text.matches("tip: ").collect();
                assert_eq!(tips.len(), 1, "{form}: {}", message.text);
                let told: String = message.text.split_whitespace().collect();
                let expected: String = tip.split_whitespace().collect();
                assert!(told.contains(&expected), "{form}: {}", message.text);
                assert!(
                    !message.text.contains("hunter22"),
                    "{form}: {}",
                    message.text
                );
            }
        }
    }

    /// What a tip says to write can be written.
    #[test]
    fn tips_name_options() {
        let command = CommandLine::command();
        let known: Vec<&str> = command
            .get_arguments()
            .filter_map(clap::Arg::get_long)
            .collect();
        for (option, tip) in OPTIONS {
            for word in tip
                .split([' ', ',', ':', ';'])
                .filter_map(|word| word.strip_prefix("--"))
            {
                assert!(known.contains(&word), "{option}: --{word}");
            }
        }
    }
}
