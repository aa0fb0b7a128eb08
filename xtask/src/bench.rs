//! `cargo xtask bench`: what a push of a docker-save archive costs, beside the other tools that are on PATH.
//!
//! Every tool pushes the same archive into a fresh Distribution, in turns, so that what else the machine
//! does falls on all of them. What counts is the ratio; the table says the machine's times as well.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use test_registry::Distribution;

use crate::bench_archive;
use crate::run::{cargo, have, root, say, succeed};

/// Size of the archive, as in the comparison that the project started from.
const MEBIBYTES: u64 = 555;

/// Turns.
const ROUNDS: usize = 3;

/// One way to push.
struct Contender {
    name: &'static str,
    program: PathBuf,
    /// Everything but the archive and the reference, which stand where the braces are.
    arguments: &'static [&'static str],
}

/// What one run took.
struct Cost {
    wall: f64,
    processor: f64,
    kibibytes: u64,
}

/// Measures and prints the table.
pub(crate) fn bench() -> Result<(), String> {
    for program in ["docker-registry", "time"] {
        if !have(program) {
            return Err(format!("{program} is needed to measure"));
        }
    }
    succeed(&mut cargo(&[
        "build",
        "--release",
        "--quiet",
        "--package",
        "ghcr-push",
    ]))?;
    let directory = tempfile::tempdir().map_err(|error| error.to_string())?;
    let archive = directory.path().join("save.tar");
    let size = bench_archive::write(&archive, MEBIBYTES << 20)
        .map_err(|error| format!("the archive cannot be written: {error}"))?;
    say(&format!(
        "a docker-save archive of {} MiB, {ROUNDS} rounds",
        size >> 20
    ));
    let contenders = contenders();
    let mut costs: Vec<Vec<Cost>> = contenders.iter().map(|_| Vec::new()).collect();
    let mut sizes = vec![0; contenders.len()];
    for _ in 0..ROUNDS {
        for (position, contender) in contenders.iter().enumerate() {
            let distribution = Distribution::start().map_err(|error| error.to_string())?;
            let home = tempfile::tempdir().map_err(|error| error.to_string())?;
            let reference = format!("{}/bench/app:1", distribution.host());
            costs[position].push(push(contender, &archive, &reference, home.path())?);
            sizes[position] = pushed_size(&distribution)?;
        }
    }
    say("");
    say("| tool | wall, median (all) | against the last | CPU | peak memory | layers |");
    say("|---|---|---|---|---|---|");
    let last = costs
        .last()
        .map_or(1.0, |costs| median(costs, |cost| cost.wall));
    for ((contender, costs), size) in contenders.iter().zip(&costs).zip(&sizes) {
        let wall = median(costs, |cost| cost.wall);
        let all: Vec<String> = costs
            .iter()
            .map(|cost| format!("{:.2}", cost.wall))
            .collect();
        say(&format!(
            "| {} | {wall:.2} s ({}) | {:.2} | {:.1} s | {} MB | {:.1} MiB |",
            contender.name,
            all.join(" "),
            wall / last,
            median(costs, |cost| cost.processor),
            costs.iter().map(|cost| cost.kibibytes).max().unwrap_or(0) / 1000,
            mebibytes(*size),
        ));
    }
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "a size for a table")]
fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

fn contenders() -> Vec<Contender> {
    let own = root().join("target/release/ghcr-push");
    let ours = |name, arguments| Contender {
        name,
        program: own.clone(),
        arguments,
    };
    let mut contenders = vec![
        ours(
            "ghcr-push",
            &["-q", "--plain-http", "{archive}", "{reference}"][..],
        ),
        ours(
            "ghcr-push, gzip 1",
            &[
                "-q",
                "--plain-http",
                "--compression-level",
                "1",
                "{archive}",
                "{reference}",
            ],
        ),
        ours(
            "ghcr-push, zstd",
            &[
                "-q",
                "--plain-http",
                "--compression-format",
                "zstd",
                "{archive}",
                "{reference}",
            ],
        ),
    ];
    let peers = [
        Contender {
            name: "crane",
            program: "crane".into(),
            arguments: &["push", "--insecure", "{archive}", "{reference}"],
        },
        Contender {
            name: "skopeo",
            program: "skopeo".into(),
            arguments: &[
                "copy",
                "--quiet",
                "--dest-tls-verify=false",
                "docker-archive:{archive}",
                "docker://{reference}",
            ],
        },
    ];
    let found = peers.into_iter().filter(|peer| have(peer.name));
    contenders.extend(found);
    contenders
}

fn push(
    contender: &Contender,
    archive: &Path,
    reference: &str,
    home: &Path,
) -> Result<Cost, String> {
    let times = home.join("times");
    let mut command = Command::new("time");
    command
        .args(["--format=%e %U %S %M", "--output"])
        .arg(&times)
        .arg(&contender.program)
        .env("HOME", home)
        .env_remove("XDG_CACHE_HOME");
    for argument in contender.arguments {
        let archive = archive.display().to_string();
        command.arg(
            argument
                .replace("{archive}", &archive)
                .replace("{reference}", reference),
        );
    }
    let output = command.output().map_err(|error| error.to_string())?;
    if !output.status.success() {
        let words = String::from_utf8_lossy(&output.stderr).into_owned();
        return Err(format!("{} failed: {words}", contender.name));
    }
    let text = std::fs::read_to_string(&times).map_err(|error| error.to_string())?;
    let mut fields = text.split_whitespace().map(str::parse::<f64>);
    let mut field = || {
        fields
            .next()
            .and_then(Result::ok)
            .ok_or("time told nothing")
    };
    let (wall, user, system) = (field()?, field()?, field()?);
    let kibibytes = text
        .split_whitespace()
        .last()
        .and_then(|last| last.parse().ok());
    Ok(Cost {
        wall,
        processor: user + system,
        kibibytes: kibibytes.unwrap_or_default(),
    })
}

/// The size of the layers behind the tag.
fn pushed_size(distribution: &Distribution) -> Result<u64, String> {
    let reference: oci_client::Reference = format!("{}/bench/app:1", distribution.host())
        .parse()
        .map_err(|error| format!("{error}"))?;
    let config = oci_client::client::ClientConfig {
        protocol: oci_client::client::ClientProtocol::Http,
        ..Default::default()
    };
    let runtime = tokio::runtime::Runtime::new().map_err(|error| error.to_string())?;
    let client = oci_client::Client::new(config);
    let auth = oci_client::secrets::RegistryAuth::Anonymous;
    let accepted = [
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.v2+json",
    ];
    let (bytes, _) = runtime
        .block_on(client.pull_manifest_raw(&reference, &auth, &accepted))
        .map_err(|error| error.to_string())?;
    let manifest: Value = serde_json::from_slice(&bytes).map_err(|error| error.to_string())?;
    let layers = manifest["layers"].as_array().into_iter().flatten();
    Ok(layers.filter_map(|layer| layer["size"].as_u64()).sum())
}

fn median(costs: &[Cost], of: impl Fn(&Cost) -> f64) -> f64 {
    let mut values: Vec<f64> = costs.iter().map(of).collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}
