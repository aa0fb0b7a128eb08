//! What is fuzzed of the engine, run on the seeds from which fuzzing starts (`fuzz/README.md`), and on what comes
//! of cutting and joining them.

#[path = "../../../fuzz/src/answers.rs"]
#[expect(
    unreachable_pub,
    reason = "the fuzz target reaches it, where this file is a module of it"
)]
mod answers;

use std::path::PathBuf;

use proptest::prelude::*;

fn seeds() -> Vec<Vec<u8>> {
    let seeds = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds/answers");
    let mut paths: Vec<PathBuf> = seeds
        .read_dir()
        .expect("seeds")
        .map(|entry| entry.expect("readable").path())
        .collect();
    paths.sort();
    paths
        .iter()
        .map(|path| std::fs::read(path).expect("readable"))
        .collect()
}

#[test]
fn every_seed_is_an_answer() {
    let seeds = seeds();
    assert!(seeds.len() >= 20, "{}", seeds.len());
    for seed in seeds {
        assert!(
            answers::answers(&seed),
            "{}",
            String::from_utf8_lossy(&seed)
        );
    }
}

proptest! {
    #[test]
    fn what_is_made_of_seeds_is_taken(
        one in 0..20_usize,
        other in 0..20_usize,
        cut in any::<prop::sample::Index>(),
        byte in any::<u8>(),
    ) {
        let seeds = seeds();
        let (one, other) = (&seeds[one], &seeds[other]);
        let mut bytes = one[..cut.index(one.len())].to_vec();
        bytes.push(byte);
        bytes.extend_from_slice(&other[cut.index(other.len())..]);
        answers::answers(&bytes);
    }
}
