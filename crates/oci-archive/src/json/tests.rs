use proptest::prelude::*;
use serde_json::Value;

use super::*;

fn check(text: &str, expected: Option<&str>) {
    let message = parse::<Value>("it", text.as_bytes())
        .err()
        .map(|error| match error {
            OpenError::Json { source, .. } => source.to_string(),
            other => other.to_string(),
        });
    match expected {
        None => assert_eq!(message, None, "{text}"),
        Some(words) => assert!(
            message.as_deref().unwrap_or_default().contains(words),
            "{text}: {message:?}"
        ),
    }
}

#[test]
fn one_reading_only() {
    for sound in [
        r#"{"a":1,"A":2,"b":[null,true,-1,1.5,"x",{}]}"#,
        r#"{"annotations":{"Layers":"1","layers":"2"}}"#,
        r#"{"a":[{"size":1},{"size":2}]}"#,
        r#"{"layers":null,"manifests":[{},null],"config":{"x":{"config":[1],"layers":[[]]}}}"#,
        r#"{"x":{"subject":[]},"urls":["a"],"annotations":{"config":[]}}"#,
        " {} \n",
    ] {
        check(sound, None);
    }
    for (text, words) in [
        (r#"{"a":1,"a":2}"#, "duplicate"),
        (r#"{"a":{"b":[{"c":1,"c":1}]}}"#, "duplicate"),
        (r#"{"a":1,"\u0061":2}"#, "duplicate"),
        (r#"{"annotations":{"x":"1","x":"2"}}"#, "duplicate"),
        ("[]", "a list stands where"),
        (r#"{"config":["x","y",1]}"#, "a list stands where"),
        (r#"{"subject":["x","y",1]}"#, "a list stands where"),
        (r#"{"layers":[{},["x","y",1]]}"#, "a list stands where"),
        (r#"{"manifests":[["x","y",1]]}"#, "a list stands where"),
        (
            r#"{"manifests":[{"platform":["linux"]}]}"#,
            "a list stands where",
        ),
        (r#"{"Layers":[]}"#, "taken for"),
        (r#"{"manife\u017fts":[]}"#, "taken for"),
        (r#"{"subject":{"DIGEST":1}}"#, "taken for"),
        ("{} {}", "trailing"),
        ("{}x", "trailing"),
        ("\u{feff}{}", "expected value"),
        ("", "EOF"),
    ] {
        check(text, Some(words));
    }
}

#[test]
fn depth_is_limited() {
    let brackets = "[".repeat(100_000);
    check(&format!("{{\"a\":{brackets}"), Some("recursion"));
    check(&brackets, Some("a list stands where"));
    check(&r#"{"a":"#.repeat(100_000), Some("recursion"));
}

proptest! {
    #[test]
    fn any_bytes_are_taken(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = parse::<Value>("it", &bytes);
    }

    /// What is accepted is what `serde_json` accepts, less what is ambiguous.
    #[test]
    fn nothing_more_is_accepted(text in "[\\[\\]{}:,\"a-c0-9.\\-]{0,40}") {
        if parse::<Value>("it", text.as_bytes()).is_ok() {
            prop_assert!(serde_json::from_str::<Value>(&text).is_ok());
        }
    }
}
