//! Every archive of the corpus through the binary into a registry. What must come of each is in
//! `tests/fixtures/archives/corpus.json`; what came of it is written into `docs/archives.md`.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use expect_test::expect_file;
use serde_json::Value;
use test_registry::{Options, Route, TestRegistry};

use crate::on_demand;
use crate::support::{Image, Run, TOKEN, USERNAME, push};

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures/archives");

/// What a push of an archive did.
struct Pushed {
    run: Run,
    registry: TestRegistry,
}

impl Pushed {
    /// The digest that the tag names, if it names one.
    fn digest(&self) -> Option<String> {
        let output = self.run.stdout.trim_end();
        Some(output.split_once('@')?.1.to_owned())
    }

    /// The error's causes in one line.
    fn reason(&self) -> String {
        let lines = self.run.stderr.lines();
        let causes: Vec<&str> = lines
            .filter_map(|line| line.trim_start().strip_prefix("caused by: "))
            .collect();
        causes.join(": ")
    }
}

fn pushed(home: &Image, path: &Path) -> Pushed {
    let registry = TestRegistry::start(Options::ghcr(USERNAME, TOKEN));
    let reference = format!("{}/owner/app:1", registry.host());
    let path = path.display().to_string();
    let run = push(
        home,
        &["-q", "--registry-profile", "ghcr", &path, &reference],
    );
    // Ports differ from run to run.
    let mut run = run;
    run.stderr = run.stderr.replace(&registry.host(), "the registry");
    Pushed { run, registry }
}

/// Compares with the corpus; the text says what was got.
fn check(entry: &Value, pushed: &Pushed) -> Result<String, String> {
    harmless(&pushed.run)?;
    if pushed.run.code == Some(0) {
        accepted(entry, pushed)
    } else {
        refused(entry, pushed)
    }
}

fn accepted(entry: &Value, pushed: &Pushed) -> Result<String, String> {
    if !["accept", "either", "reader-accepts"]
        .iter()
        .any(|one| entry["expect"] == *one)
    {
        return Err("it was pushed".to_owned());
    }
    let digest = pushed.digest().ok_or("no digest was printed")?;
    let stored = pushed.registry.manifest("owner/app", "1");
    let stored = stored.ok_or("the tag does not exist")?;
    if entry["root_digest"] == digest {
        return Ok("pushed verbatim".to_owned());
    }
    let manifest: Value =
        serde_json::from_slice(&stored.bytes).map_err(|error| error.to_string())?;
    if manifest["config"]["digest"] != entry["config_digest"] {
        return Err(format!("{digest} is another image"));
    }
    let layers = manifest["layers"].as_array().map_or(0, Vec::len);
    if entry["diff_ids"].as_array().map(Vec::len) != Some(layers) {
        return Err(format!("{layers} layers"));
    }
    Ok("pushed with a manifest of its own".to_owned())
}

fn refused(entry: &Value, pushed: &Pushed) -> Result<String, String> {
    let reason = pushed.reason();
    let code = pushed.run.code;
    // A registry may refuse digests of another algorithm; the archive is not at fault then.
    if entry["expect"] == "accept" || (entry["expect"] == "reader-accepts" && code == Some(3)) {
        return Err(format!("refused: {reason}"));
    }
    if entry["expect"] != "reader-accepts" && code != Some(3) {
        return Err(format!("exit code {code:?}: {reason}"));
    }
    if entry["expect"] == "reader-accepts" {
        return Ok(format!("read, and not accepted by the registry: {reason}"));
    }
    let journal = pushed.registry.journal();
    let is_published = journal
        .of(Route::ManifestPut)
        .any(|one| one.status == Some(201));
    if is_published || !pushed.registry.tags("owner/app").is_empty() {
        return Err("something was published".to_owned());
    }
    if entry["refused_at"] == "before-upload" && journal.count(Route::UploadStart) > 0 {
        return Err("an upload was begun".to_owned());
    }
    let words = entry["reason_any"].as_array().into_iter().flatten();
    let words: BTreeSet<String> = words
        .filter_map(Value::as_str)
        .map(str::to_lowercase)
        .collect();
    let said = reason.to_lowercase();
    if words.is_empty() || words.iter().any(|word| said.contains(word)) {
        Ok(format!("refused: {reason}"))
    } else {
        Err(format!("{reason:?} holds none of {words:?}"))
    }
}

/// Nothing that an archive holds reaches a terminal or a log as a command.
fn harmless(run: &Run) -> Result<(), String> {
    let text = format!("{}\n{}", run.stdout, run.stderr);
    let has_control = text
        .chars()
        .any(|letter| letter.is_control() && letter != '\n');
    let has_command = text
        .lines()
        .any(|line| line.trim_start().starts_with("::") || line.contains("##["));
    if has_control || has_command {
        return Err(format!("harmful output: {text:?}"));
    }
    Ok(())
}

const HEAD: &str = "\
# Archives

What `ghcr-push` makes of image archives: those that real tools write, and broken and hostile ones. This
page is written by a test, `tests/it/corpus.rs`, which pushes every file of `tests/fixtures/archives` with
the binary into a registry (`UPDATE_EXPECT=1 cargo test -p ghcr-push --test it corpus` writes it anew). What
each file must give is in `corpus.json` beside the files, with the command that made it. Six archives are too
large to keep. Five of them are made when the test runs (`tests/it/on_demand.rs`), and stand in the table; the sixth,
`outer-gzip-bomb-10-gib.tar.gz`, a sound image beside ten gibibytes of zeros, takes too long for it, and is read by a
test of the reader (`zeros_around_a_sound_image` in `crates/oci-archive/tests/layouts/large.rs`, in debug builds
with one gibibyte): the zeros take no room, and the image is the archive's.

";

#[test]
fn every_archive_gives_what_it_must() {
    let home = Image::small();
    let text = std::fs::read(PathBuf::from(FIXTURES).join("corpus.json")).expect("the corpus");
    let corpus: Value = serde_json::from_slice(&text).expect("JSON");
    let directory = tempfile::tempdir().expect("a temporary directory");
    let mut entries: Vec<(&Value, PathBuf)> = Vec::new();
    let mut not_made = Vec::new();
    for entry in corpus["archives"].as_array().expect("a list") {
        let file = entry["file"].as_str().expect("a name");
        let fixtures = Path::new(FIXTURES);
        if entry["on_demand"] != true {
            entries.push((entry, fixtures.join(file)));
            continue;
        }
        match on_demand::write(fixtures, file, directory.path()).expect("it is made") {
            Some(path) => entries.push((entry, path)),
            None => not_made.push(file),
        }
    }
    assert_eq!(not_made, ["hostile/outer-gzip-bomb-10-gib.tar.gz"]);
    let results = all(&home, &entries);
    let mut page = HEAD.to_owned();
    for (class, title) in [
        ("genuine", "Written by real tools"),
        ("constructed", "Sound, in rare shapes"),
        ("hostile", "Broken or hostile"),
    ] {
        let _ = write!(
            page,
            "## {title}\n\n| file | expected | got |\n|---|---|---|\n"
        );
        let of_class = entries
            .iter()
            .zip(&results)
            .filter(|((entry, _), _)| entry["class"] == class);
        for ((entry, _), result) in of_class {
            let file = entry["file"].as_str().expect("a name");
            let name = file.split_once('/').map_or(file, |(_, name)| name);
            let expected = entry["expect"].as_str().expect("an expectation");
            let got = in_table(result.as_deref().unwrap_or("wrong"));
            let _ = writeln!(page, "| `{name}` | {expected} | {got} |");
        }
        page.push('\n');
    }
    let wrong: Vec<String> = entries
        .iter()
        .zip(&results)
        .filter_map(|((entry, _), result)| {
            Some(format!("{}: {}", entry["file"], result.as_ref().err()?))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let page = format!("{}\n", page.trim_end_matches('\n'));
    expect_file!["../../docs/archives.md"].assert_eq(&page);
    // The page's rows are what README counts.
    let readme = concat!(env!("CARGO_MANIFEST_DIR"), "/../../README.md");
    let readme = std::fs::read_to_string(readme).expect("text");
    let words: Vec<&str> = readme.split_whitespace().collect();
    let counted = format!("[what becomes of {} archives]", entries.len());
    assert!(words.join(" ").contains(&counted), "{counted}");
}

/// Pushes everything, some at a time, since most of each push is waiting.
fn all(home: &Image, entries: &[(&Value, PathBuf)]) -> Vec<Result<String, String>> {
    const AT_A_TIME: usize = 4;
    let push = |(entry, path): &(&Value, PathBuf)| check(entry, &pushed(home, path));
    let part = entries.len().div_ceil(AT_A_TIME);
    std::thread::scope(|scope| {
        let parts: Vec<_> = entries
            .chunks(part)
            .map(|part| scope.spawn(move || part.iter().map(push).collect()))
            .collect();
        let results = parts.into_iter().flat_map(|part| {
            let results: Vec<Result<String, String>> = part.join().expect("no panic");
            results
        });
        results.collect()
    })
}

/// Text in a cell of a table: short, and with nothing that Markdown would take for its own.
fn in_table(text: &str) -> String {
    const SHOWN: usize = 200;
    let mut shown: String = text.chars().take(SHOWN).collect();
    if text.chars().count() > SHOWN {
        shown.push_str(" ...");
    }
    shown.replace('|', "\\|").replace('<', "&lt;")
}
