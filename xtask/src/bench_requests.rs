//! `cargo xtask bench requests`: how many requests a push takes, beside the other tools that are on PATH.
//!
//! The embedded registry counts; no clock is involved.

use std::path::Path;
use std::process::Command;

use test_registry::{Options, Personality, SampleImage, TestRegistry};

use crate::run::{cargo, have, root, say, succeed};

/// Layers of the image; with its configuration it has one blob more.
const LAYERS: usize = 12;

/// One way to push an OCI layout.
struct Contender {
    name: &'static str,
    program: String,
    /// Everything but the layout as tar file and directory, and the reference, which stand where the braces are.
    arguments: &'static [&'static str],
}

/// Requests, and those of them that change something.
struct Count {
    all: usize,
    mutating: usize,
}

/// Counts, and prints the table.
pub(crate) fn bench() -> Result<(), String> {
    let build = ["build", "--release", "--quiet", "--package", "ghcr-push"];
    succeed(&mut cargo(&build))?;
    let directory = tempfile::tempdir().map_err(|error| error.to_string())?;
    let archive = directory.path().join("layout.tar");
    let sizes: Vec<u64> = (1..=LAYERS as u64).map(|number| number * 50_000).collect();
    SampleImage::of_layers(&sizes)
        .write(&archive)
        .map_err(|error| error.to_string())?;
    let layout = directory.path().join("layout");
    std::fs::create_dir(&layout).map_err(|error| error.to_string())?;
    let mut unpack = Command::new("tar");
    succeed(unpack.arg("-xf").arg(&archive).arg("-C").arg(&layout))?;
    say(&format!(
        "an OCI layout with {} blobs and one manifest",
        LAYERS + 1
    ));
    say("");
    say("| tool | new image | of them writing | unchanged | another tag |");
    say("|---|---|---|---|---|");
    for contender in contenders() {
        let mut options = Options::default();
        options.personality = Personality::Ghcr;
        let registry = TestRegistry::start(options);
        let mut counts = Vec::new();
        for tag in ["1", "1", "2"] {
            let reference = format!("{}/bench/app:{tag}", registry.host());
            counts.push(count(&contender, &registry, &archive, &layout, &reference)?);
        }
        let [new, unchanged, other] = counts.as_slice() else {
            continue;
        };
        say(&format!(
            "| {} | {} | {} | {} | {} |",
            contender.name, new.all, new.mutating, unchanged.all, other.all
        ));
    }
    Ok(())
}

fn contenders() -> Vec<Contender> {
    let own = root()
        .join("target/release/ghcr-push")
        .display()
        .to_string();
    let ours = |name, arguments| Contender {
        name,
        program: own.clone(),
        arguments,
    };
    let peer = |name: &'static str, arguments| Contender {
        name,
        program: name.to_owned(),
        arguments,
    };
    let mut contenders = vec![
        ours(
            "ghcr-push",
            &["-q", "--plain-http", "{archive}", "{reference}"][..],
        ),
        ours(
            "ghcr-push, no look afterwards",
            &[
                "-q",
                "--plain-http",
                "--verify",
                "none",
                "{archive}",
                "{reference}",
            ],
        ),
    ];
    let peers = [
        peer(
            "crane",
            &["push", "--insecure", "{layout}", "{reference}"][..],
        ),
        peer(
            "skopeo",
            &[
                "copy",
                "--quiet",
                "--dest-tls-verify=false",
                "oci-archive:{archive}",
                "docker://{reference}",
            ],
        ),
        peer("regctl", &["image", "import", "{reference}", "{archive}"]),
        peer(
            "oras",
            &[
                "cp",
                "--from-oci-layout",
                "--to-plain-http",
                "{layout}",
                "{reference}",
            ],
        ),
    ];
    contenders.extend(peers.into_iter().filter(|peer| have(peer.name)));
    contenders
}

fn count(
    contender: &Contender,
    registry: &TestRegistry,
    archive: &Path,
    layout: &Path,
    reference: &str,
) -> Result<Count, String> {
    registry.clear_journal();
    let home = tempfile::tempdir().map_err(|error| error.to_string())?;
    let mut command = Command::new(&contender.program);
    command
        .env("HOME", home.path())
        .env_remove("XDG_CACHE_HOME");
    for argument in contender.arguments {
        let argument = argument
            .replace("{archive}", &archive.display().to_string())
            .replace("{layout}", &layout.display().to_string())
            .replace("{reference}", reference);
        command.arg(argument);
    }
    let output = command.output().map_err(|error| error.to_string())?;
    if !output.status.success() {
        let words = String::from_utf8_lossy(&output.stderr).into_owned();
        return Err(format!("{} failed: {words}", contender.name));
    }
    let journal = registry.journal();
    Ok(Count {
        all: journal.exchanges.len(),
        mutating: journal.mutating(),
    })
}
