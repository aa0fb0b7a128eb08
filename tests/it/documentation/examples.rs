//! The example of `oci-push`'s own page is that of the library guide; both are compiled with their crates.

use super::page;

#[test]
fn one_example_in_two_places() {
    let example = |path: &str| {
        let blocks = page(path).blocks;
        let mut rust = blocks
            .into_iter()
            .filter(|block| block.info.starts_with("rust"));
        rust.next()
            .unwrap_or_else(|| panic!("{path} has none"))
            .text
    };
    assert_eq!(
        example("crates/oci-push/README.md"),
        example("docs/library.md")
    );
}
