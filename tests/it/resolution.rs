//! A registry whose host name cannot be resolved, as without a network: it is said at once, and tried four times, by
//! whatever asks for it.

use crate::support::{Image, Run, TOKEN, command};

/// No resolver asks anybody for it: a label of a name has at most 63 octets
/// (<https://www.rfc-editor.org/rfc/rfc1035#section-2.3.4>).
fn host() -> String {
    format!("{}.example", "a".repeat(64))
}

#[test]
fn one_budget() {
    let image = Image::small();
    let reference = format!("{}/owner/app:1", host());
    let run = |arguments: &[&str]| {
        let output = command(image.directory.path())
            .env("GHCR_PUSH_TOKEN", TOKEN)
            .args(arguments)
            .args(["--registry-profile", "ghcr", "--no-probe", "--plain-http"])
            .output();
        Run::of(output.expect("the binary starts"))
    };
    let tries = |run: &Run| run.stderr.matches("trying again in").count();
    let pushed = run(&["image.tar", &reference]);
    pushed.assert_code(5);
    assert_eq!(tries(&pushed), 3, "{}", pushed.stderr);
    let told = format!(
        "caused by: the host name cannot be resolved\n  caused by: no address was found for {}: ",
        host()
    );
    assert!(pushed.stderr.contains(&told), "{}", pushed.stderr);
    let checked = run(&["check", &reference, "image.tar"]);
    checked.assert_code(5);
    assert!(tries(&checked) <= 3, "{}", checked.stderr);
}
