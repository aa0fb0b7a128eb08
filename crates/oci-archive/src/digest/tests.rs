use proptest::prelude::*;

use super::*;

const EMPTY: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

#[test]
fn known_digests() {
    assert_eq!(Digest::of(Algorithm::Sha256, b"").to_string(), EMPTY);
    let abc = Digest::of(Algorithm::Sha512, b"abc");
    assert!(
        abc.to_string()
            .starts_with("sha512:ddaf35a193617abacc417349ae204131")
    );
    assert_eq!(abc.short(), "ddaf35a19361");
}

#[test]
fn refused() {
    let upper = EMPTY.to_uppercase().replace("SHA256", "sha256");
    for text in [
        "",
        "e3b0",
        "md5:d41d8cd98f00b204e9800998ecf8427e",
        "sha256:e3b0",
        &upper,
        "sha256:../../../../../../../../../../../../../../../../../../../../etc/passwd",
    ] {
        assert!(text.parse::<Digest>().is_err(), "{text}");
    }
}

proptest! {
    #[test]
    fn any_text_is_taken(text in ".{0,150}") {
        if let Ok(digest) = text.parse::<Digest>() {
            prop_assert_eq!(digest.to_string(), text);
        }
    }

    #[test]
    fn pieces_do_not_matter(bytes in proptest::collection::vec(any::<u8>(), 0..500), at in 0_usize..500) {
        let at = at.min(bytes.len());
        let mut hasher = Hasher::new(Algorithm::Sha256);
        hasher.update(&bytes[..at]);
        hasher.update(&bytes[at..]);
        prop_assert_eq!(hasher.finish(), Digest::of(Algorithm::Sha256, &bytes));
    }
}
