//! Fuzzes the reader of docker-save archives.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    oci_archive_fuzz::docker_manifest(bytes);
});
