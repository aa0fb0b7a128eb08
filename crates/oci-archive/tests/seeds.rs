//! What is fuzzed, run on the seeds from which fuzzing starts (`fuzz/README.md`).

#[path = "../../../fuzz/src/lib.rs"]
#[expect(
    unreachable_pub,
    reason = "the crate of the fuzz targets reaches it, where this file is the library"
)]
mod entry_points;

use std::collections::BTreeSet;
use std::path::PathBuf;

use entry_points::TARGETS;

fn fuzz() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fuzz")
}

#[test]
fn every_seed_is_taken() {
    for (name, target) in TARGETS {
        let seeds = fuzz().join("seeds").join(name);
        let (mut count, mut read) = (0, 0);
        for seed in seeds.read_dir().expect("seeds") {
            let path = seed.expect("readable").path();
            let bytes = std::fs::read(&path).expect("readable");
            let outcome = std::panic::catch_unwind(|| target(&bytes));
            let is_read = outcome.unwrap_or_else(|_| panic!("{} panics", path.display()));
            read += usize::from(is_read);
            count += 1;
        }
        // Seeds that get nowhere would be none.
        assert!(read >= 10, "{name}: {read} of {count} seeds hold an image");
        assert!(count >= 20, "{name} has {count} seeds");
    }
}

/// Each target has its file and its seeds, and nothing else has.
#[test]
fn every_target_is_there() {
    let mut expected: BTreeSet<String> =
        TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    // The engine's, which its own tests hold.
    expected.insert("answers".to_owned());
    for (directory, end) in [("seeds", ""), ("fuzz_targets", ".rs")] {
        let files = fuzz().join(directory).read_dir().expect("a directory");
        let found: BTreeSet<String> = files
            .map(|file| file.expect("readable").file_name())
            .filter_map(|name| Some(name.to_str()?.strip_suffix(end)?.to_owned()))
            .collect();
        assert_eq!(found, expected, "{directory}");
    }
}
