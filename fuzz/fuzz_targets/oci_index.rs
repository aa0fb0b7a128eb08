//! Fuzzes the readers of OCI indexes and manifests.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    oci_archive_fuzz::oci_index(bytes);
});
