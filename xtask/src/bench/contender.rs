//! The ways to push that are compared.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::image::Image;
use crate::run::{have, root};

/// One way to push.
pub(super) struct Contender {
    pub(super) name: &'static str,
    program: PathBuf,
    /// What asks for plain HTTP; stands where `{plain}` is, unless the registry speaks TLS.
    plain: &'static [&'static str],
    /// How an OCI image layout is pushed, where the tool can.
    layout: &'static [&'static str],
    /// How a docker-save archive is pushed, where the tool can.
    save: &'static [&'static str],
    /// What makes the tool say its version.
    version: &'static str,
}

/// Where a push goes, and what belongs to it.
pub(super) struct Target<'a> {
    /// `ADDRESS:PORT`.
    pub(super) host: &'a str,
    pub(super) tag: &'a str,
    /// A directory that was empty before the first push.
    pub(super) home: &'a Path,
    /// The certificate to trust, if the registry speaks TLS.
    pub(super) certificate: Option<&'a Path>,
}

impl Target<'_> {
    /// What the tag is called.
    fn reference(&self) -> String {
        format!("{}/bench/app:{}", self.host, self.tag)
    }

    /// The file for what a push takes.
    pub(super) fn times(&self) -> PathBuf {
        self.home.join("times")
    }
}

/// What is measured of ghcr-push beside its defaults.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Variants {
    /// Nothing.
    None,
    /// Without the look at the tag afterwards.
    Verify,
    /// Other ways to compress.
    Compression,
}

/// The name of the project's own tool in tables; variants begin with it.
pub(super) const OWN: &str = "ghcr-push";

impl Contender {
    /// Whether it is the project's own tool.
    pub(super) fn is_own(&self) -> bool {
        self.name.starts_with(OWN)
    }

    /// Whether it can push this image.
    pub(super) fn takes(&self, image: &Image) -> bool {
        !self.arguments(image).is_empty()
    }

    fn arguments(&self, image: &Image) -> &'static [&'static str] {
        if image.layout.is_some() {
            self.layout
        } else {
            self.save
        }
    }

    /// The command that pushes, with a home of its own, and trust in a certificate if the registry shows one. What
    /// it takes is written to a file.
    pub(super) fn command(&self, image: &Image, target: &Target) -> Command {
        let archive = image.archive.display().to_string();
        let layout = image.layout.as_ref().unwrap_or(&image.archive);
        let layout = layout.display().to_string();
        let mut command = Command::new("time");
        command
            .args(["--format=%U %S %M", "--output"])
            .arg(target.times())
            .arg(&self.program)
            .env("HOME", target.home)
            .env("TMPDIR", target.home)
            .env_remove("XDG_CACHE_HOME");
        if let Some(certificate) = target.certificate {
            command.env("SSL_CERT_FILE", certificate);
            command.env("GHCR_PUSH_CA_FILE", certificate);
        }
        let fill = |word: &str| {
            word.replace("{archive}", &archive)
                .replace("{layout}", &layout)
                .replace("{reference}", &target.reference())
                .replace("{host}", target.host)
        };
        for word in self.arguments(image) {
            if *word != "{plain}" {
                command.arg(fill(word));
            } else if target.certificate.is_none() {
                command.args(self.plain.iter().map(|word| fill(word)));
            }
        }
        command
    }

    /// What the tool calls its version, for the record.
    pub(super) fn version(&self) -> String {
        let output = Command::new(&self.program).arg(self.version).output();
        let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
        let text = text.unwrap_or_default();
        text.split_whitespace()
            .map(|word| word.trim_start_matches('v'))
            .find(|word| {
                word.contains('.') && word.starts_with(|first: char| first.is_ascii_digit())
            })
            .unwrap_or("built from source")
            .to_owned()
    }
}

/// ghcr-push, and what of the others is on PATH. Each gets the form of the image that it is fastest with.
pub(super) fn contenders(variants: Variants) -> Vec<Contender> {
    let mut contenders = vec![own(OWN, &["-q", "{plain}", "{archive}", "{reference}"])];
    match variants {
        Variants::None => {}
        Variants::Verify => contenders.push(own(
            "ghcr-push, `--verify none`",
            &[
                "-q",
                "{plain}",
                "--verify",
                "none",
                "{archive}",
                "{reference}",
            ],
        )),
        Variants::Compression => contenders.extend([
            own(
                "ghcr-push, gzip 1",
                &[
                    "-q",
                    "{plain}",
                    "--compression-level",
                    "1",
                    "{archive}",
                    "{reference}",
                ],
            ),
            own(
                "ghcr-push, zstd",
                &[
                    "-q",
                    "{plain}",
                    "--compression-format",
                    "zstd",
                    "{archive}",
                    "{reference}",
                ],
            ),
        ]),
    }
    contenders.extend(peers().into_iter().filter(|peer| have(peer.name)));
    contenders
}

fn own(name: &'static str, arguments: &'static [&'static str]) -> Contender {
    Contender {
        name,
        program: target().join("release/ghcr-push"),
        plain: &["--plain-http"],
        layout: arguments,
        save: arguments,
        version: "--version",
    }
}

/// Where cargo builds.
fn target() -> PathBuf {
    #[expect(clippy::disallowed_methods, reason = "a task is no part of the tool")]
    let elsewhere = std::env::var_os("CARGO_TARGET_DIR");
    root().join(elsewhere.unwrap_or_else(|| "target".into()))
}

fn peers() -> [Contender; 4] {
    [
        Contender {
            name: "crane",
            program: "crane".into(),
            plain: &["--insecure"],
            layout: &["push", "{plain}", "{layout}", "{reference}"],
            save: &["push", "{plain}", "{archive}", "{reference}"],
            version: "version",
        },
        Contender {
            name: "oras",
            program: "oras".into(),
            plain: &["--to-plain-http"],
            layout: &[
                "cp",
                "--no-tty",
                "{plain}",
                "--from-oci-layout",
                "{layout}:bench",
                "{reference}",
            ],
            save: &[],
            version: "version",
        },
        Contender {
            name: "regctl",
            program: "regctl".into(),
            plain: &["--host", "reg={host},tls=disabled"],
            layout: &[
                "{plain}",
                "image",
                "copy",
                "ocidir://{layout}:bench",
                "{reference}",
            ],
            save: &["{plain}", "image", "import", "{reference}", "{archive}"],
            version: "version",
        },
        Contender {
            name: "skopeo",
            program: "skopeo".into(),
            plain: &["--dest-tls-verify=false"],
            layout: &[
                "--insecure-policy",
                "copy",
                "--all",
                "--quiet",
                "{plain}",
                "oci:{layout}:bench",
                "docker://{reference}",
            ],
            save: &[
                "--insecure-policy",
                "copy",
                "--quiet",
                "{plain}",
                "docker-archive:{archive}",
                "docker://{reference}",
            ],
            version: "--version",
        },
    ]
}
