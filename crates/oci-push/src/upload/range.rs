//! How much of a blob an upload session says it holds.

/// Reads the `Range` header of an answer to an upload request: the number of bytes the session holds.
///
/// The specification's form is `0-<end of range>`, inclusive (distribution-spec, "Pushing a blob in
/// chunks"); some registries answer `bytes=0-<end>`. `0-0` means one byte or none: Distribution and zot
/// answer it for an empty session too. It is taken as none, since no chunk is that small, and a wrong
/// guess is found at the commit. Anything else is no statement.
#[must_use]
pub fn held(range: &str) -> Option<u64> {
    let range = range.trim();
    let range = range.strip_prefix("bytes=").unwrap_or(range);
    let (start, end) = range.split_once('-')?;
    if start != "0" || !end.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    match end.parse::<u64>().ok()? {
        0 => Some(0),
        end => end.checked_add(1),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::held;

    #[test]
    fn forms() {
        for (range, expected) in [
            ("0-0", Some(0)),
            ("0-4194303", Some(4_194_304)),
            ("bytes=0-99", Some(100)),
            (" 0-99 ", Some(100)),
            ("0--1", None),
            ("0-", None),
            ("1-99", None),
            ("99", None),
            ("0-+5", None),
            ("", None),
            ("0-18446744073709551615", None),
        ] {
            assert_eq!(held(range), expected, "{range}");
        }
    }

    proptest! {
        #[test]
        fn inverse_of_the_specification(bytes in 2_u64..u64::MAX) {
            prop_assert_eq!(held(&format!("0-{}", bytes - 1)), Some(bytes));
        }

        #[test]
        fn any_text_is_taken(text in ".{0,40}") {
            let _ = held(&text);
        }
    }
}
