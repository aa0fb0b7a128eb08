//! The example, as whoever uses the library runs it.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use test_registry::{Options, Refusal, SampleImage, TestRegistry};

const TOKEN: &str = "ghp_16C7e42F292c6912E7710c838347Ae178B4a";

/// The example, which Cargo builds with the tests, but not where a single one of them is asked for.
fn example() -> PathBuf {
    let test = std::env::current_exe().expect("this program has a path");
    let target = test.ancestors().nth(2).expect("a directory of builds");
    let path = target
        .join("examples")
        .join(format!("push_and_explain{}", std::env::consts::EXE_SUFFIX));
    if !path.exists() {
        let status = Command::new(env!("CARGO"))
            .args(["build", "--quiet", "--example", "push_and_explain"])
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .status();
        assert!(status.expect("Cargo starts").success());
    }
    path
}

fn run(registry: &TestRegistry) -> Output {
    let directory = tempfile::tempdir().expect("a directory");
    let image = directory.path().join("image.tar");
    SampleImage::of_layers(&[1000])
        .write(&image)
        .expect("an image");
    let mut child = Command::new(example())
        .arg(image)
        .arg(format!("{}/owner/app:1", registry.host()))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the example starts");
    let mut input = child.stdin.take().expect("its input");
    writeln!(input, "{TOKEN}").expect("it reads");
    drop(input);
    child.wait_with_output().expect("it ends")
}

#[test]
fn pushes() {
    let registry = TestRegistry::start(Options::ghcr("x-access-token", TOKEN));
    let output = run(&registry);
    assert!(output.status.success(), "{output:?}");
    assert!(output.stdout.is_empty(), "{output:?}");
}

#[test]
fn explains() {
    let registry = TestRegistry::start(Options::ghcr("x-access-token", TOKEN));
    let refusal = Refusal::Custom {
        status: 403,
        code: "DENIED".to_owned(),
        message: "permission_denied: write_package".to_owned(),
    };
    registry.deny("owner/app", refusal);
    let output = run(&registry);
    assert!(!output.status.success(), "{output:?}");
    let told = String::from_utf8_lossy(&output.stdout);
    let lines: Vec<&str> = told.lines().collect();
    assert_eq!(
        lines[0],
        "the package owner/app exists, and does not admit this push"
    );
    let cause = "package-denies-user (likely): Ask an administrator of the package";
    assert!(lines[1].starts_with(cause), "{told}");
    assert!(!format!("{output:?}").contains(TOKEN), "{output:?}");
}
