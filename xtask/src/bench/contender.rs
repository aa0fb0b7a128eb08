//! The ways to push that are compared.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::image::Image;
use super::peers::{PODMAN, peers};
use crate::run::{have, root};

/// One way to push.
pub(super) struct Contender {
    pub(super) name: &'static str,
    pub(super) program: PathBuf,
    /// What asks for plain HTTP; stands where `{plain}` is, unless the registry speaks TLS.
    pub(super) plain: &'static [&'static str],
    /// How an OCI image layout is pushed, where the tool can.
    pub(super) layout: &'static [&'static str],
    /// How a docker-save archive is pushed, where the tool can.
    pub(super) save: &'static [&'static str],
    /// What makes the tool say its version.
    pub(super) version: &'static str,
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

/// GNU time, which tells the processor time and the memory of a program.
pub(super) const TIME: &str = "time";

/// The name of the project's own tool in tables; variants begin with it.
pub(super) const OWN: &str = "ghcr-push";

impl Contender {
    /// Whether it is the project's own tool.
    pub(super) fn is_own(&self) -> bool {
        self.name.starts_with(OWN)
    }

    /// Whether it can push this image at all.
    pub(super) fn takes(&self, image: &Image) -> bool {
        !self.arguments(image).is_empty()
    }

    /// Why it is not measured with this image in this place, `None` if it is.
    pub(super) fn excuse(&self, image: &str, is_near: bool) -> Option<&'static str> {
        if self.name != PODMAN {
            return None;
        }
        match image {
            "index" => Some("it stores one platform of an index"),
            "onebig" => Some("it stores and compresses the layer again, as in `typical`"),
            _ if !is_near => Some("it sends as skopeo does, after what loopback shows"),
            _ => None,
        }
    }

    fn arguments(&self, image: &Image) -> &'static [&'static str] {
        if image.layout.is_some() {
            self.layout
        } else {
            self.save
        }
    }

    /// The command that pushes, with a home of its own, and trust in a certificate if the registry shows one. What
    /// it takes is written to a file, if `time` is there.
    pub(super) fn command(&self, image: &Image, target: &Target) -> Command {
        let archive = image.archive.display().to_string();
        let layout = image.layout.as_ref().unwrap_or(&image.archive);
        let layout = layout.display().to_string();
        let mut command = if have(TIME) {
            let mut command = Command::new(TIME);
            command
                .args(["--format=%U %S %M", "--output"])
                .arg(target.times())
                .arg(&self.program);
            command
        } else {
            Command::new(&self.program)
        };
        command
            .env("HOME", target.home)
            .env("TMPDIR", target.home)
            .env_remove("XDG_CACHE_HOME");
        if let Some(certificate) = target.certificate {
            command.env("SSL_CERT_FILE", certificate);
            command.env("GHCR_PUSH_CA_FILE", certificate);
        }
        let plain = match target.certificate {
            None => self.plain.join(" "),
            Some(_) => String::new(),
        };
        let home = target.home.display().to_string();
        let fill = |word: &str| {
            word.replace("{archive}", &archive)
                .replace("{home}", &home)
                .replace("{plain}", &plain)
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
        let program = if self.is_own() {
            &self.program
        } else {
            Path::new(self.name)
        };
        let output = Command::new(program).arg(self.version).output();
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

/// What another build is called.
const OTHER_BUILD: &str = "ghcr-push, other build";

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

/// Another build of ghcr-push, to see what a change brings.
pub(super) fn other_build(program: &Path) -> Contender {
    Contender {
        program: program.to_owned(),
        ..own(OTHER_BUILD, &["-q", "{plain}", "{archive}", "{reference}"])
    }
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
