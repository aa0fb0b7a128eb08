//! The project's own tasks: `cargo xtask demo`, `cargo xtask test`, `cargo xtask check`,
//! `cargo xtask docs`, `cargo xtask bench`, and what makes releases: `cargo xtask package`, `cargo xtask dist`,
//! `cargo xtask image`.

mod architecture;
mod arguments;
mod bench;
mod check;
mod debian;
mod demo;
mod dist;
mod docs;
mod image;
mod licences;
mod lint;
mod package;
mod picture;
mod run;
mod test;
mod tidy;

use std::process::ExitCode;

const USAGE: &str = "\
cargo xtask demo    push a sample image to an embedded registry, read it back, show an explained 403
cargo xtask test    run all tests; installs Debian's registry and tools where it may
                    (--large: also a layer of 10 GB)
cargo xtask check   format, lints, documentation, house rules, licences, documents made of the code, packages;
                    workflows and shell scripts with the linters that are on PATH
cargo xtask docs    write the man pages and the reference of all options anew, draw the README's picture
cargo xtask bench   compare with the other tools that are on PATH: time, memory, requests; on this machine and
                    over slow links (which parts: cargo xtask bench --help)
cargo xtask sample MIB FILE
                    write an OCI image layout with one layer of so many MiB, to measure with
cargo xtask package build each crate from what would be published of it
cargo xtask dist --target TARGET --tag vVERSION --output DIRECTORY
                    build the tool for a target, and pack it as a release has it
cargo xtask image --archive FILE --source URL --revision COMMIT --output FILE
                    make a container image of such an archive with a static binary";

fn main() -> ExitCode {
    let task = std::env::args().nth(1).unwrap_or_default();
    let result = match task.as_str() {
        "demo" => demo::demo(),
        "test" => match std::env::args().nth(2).as_deref() {
            None => test::test(false),
            Some("--large") => test::test(true),
            Some(_) => Err(USAGE.to_owned()),
        },
        "bench" => bench::bench(&std::env::args().skip(2).collect::<Vec<_>>()),
        "check" => check::check(),
        "docs" => docs::docs(),
        "sample" => sample(&rest()),
        "package" => package::package(),
        "dist" => dist::dist(&rest()),
        "image" => image::image(&rest()),
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

/// What stands behind the task's name.
fn rest() -> Vec<String> {
    std::env::args().skip(2).collect()
}

/// Writes an image of a given size.
fn sample(arguments: &[String]) -> Result<(), String> {
    let [size, file] = arguments else {
        return Err(USAGE.to_owned());
    };
    let size: u64 = size
        .parse()
        .map_err(|_| format!("{size:?} is no number of MiB"))?;
    let sample = test_registry::SampleImage::of_layers(&[size << 20])
        .write(std::path::Path::new(file))
        .map_err(|error| format!("{file} cannot be written: {error}"))?;
    run::say(&format!("{file}: {}", sample.digest));
    Ok(())
}
