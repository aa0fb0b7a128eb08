//! Fuzzes what the engine reads in a registry's answers.
#![no_main]

#[path = "../src/answers.rs"]
mod answers;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    answers::answers(bytes);
});
