//! The project's own tasks: `cargo xtask demo`, `cargo xtask test`, `cargo xtask check`.

mod check;
mod debian;
mod demo;
mod licences;
mod run;
mod test;
mod tidy;

use std::process::ExitCode;

const USAGE: &str = "\
cargo xtask demo    push a sample image to an embedded registry, read it back, show an explained 403
cargo xtask test    run all tests; installs Debian's registry and tools where it may
cargo xtask check   format, lints, documentation, house rules, licences";

fn main() -> ExitCode {
    let task = std::env::args().nth(1).unwrap_or_default();
    let result = match task.as_str() {
        "demo" => demo::demo(),
        "test" => test::test(),
        "check" => check::check(),
        _ => Err(USAGE.to_owned()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            run::say(&message);
            ExitCode::FAILURE
        }
    }
}
