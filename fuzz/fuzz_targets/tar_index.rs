//! Fuzzes the tar reader.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    oci_archive_fuzz::tar_index(bytes);
});
