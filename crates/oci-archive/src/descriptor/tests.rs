use super::*;

const DIGEST: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

fn read(size: &str, rest: &str) -> Result<Descriptor, serde_json::Error> {
    serde_json::from_str(&format!(
        r#"{{"mediaType":"text/plain","digest":"{DIGEST}","size":{size}{rest}}}"#
    ))
}

#[test]
fn sizes() {
    assert_eq!(
        read("9223372036854775807", "").expect("the largest").size,
        u64::MAX / 2
    );
    for size in [
        "-1",
        "9223372036854775808",
        "18446744073709551616",
        "1.5",
        "1e3",
        "NaN",
        "null",
        "\"1\"",
    ] {
        assert!(read(size, "").is_err(), "{size}");
    }
}

#[test]
fn null_is_the_same_as_nothing() {
    let null = r#","annotations":null,"urls":null,"platform":null,"artifactType":null"#;
    assert_eq!(
        read("0", null).expect("sound"),
        read("0", "").expect("sound")
    );
}

#[test]
fn platforms() {
    for (text, shown, is_known) in [
        (
            r#"{"os":"linux","architecture":"amd64"}"#,
            "linux/amd64",
            true,
        ),
        (
            r#"{"os":"linux","architecture":"arm","variant":"v7"}"#,
            "linux/arm/v7",
            true,
        ),
        (
            r#"{"os":"linux","architecture":"amd64","variant":""}"#,
            "linux/amd64",
            true,
        ),
        (
            r#"{"os":"unknown","architecture":"unknown"}"#,
            "unknown/unknown",
            false,
        ),
        (r#"{"os":"linux"}"#, "linux/", false),
        ("{}", "/", false),
    ] {
        let platform: Platform = serde_json::from_str(text).expect("a platform");
        assert_eq!(platform.to_string(), shown);
        assert_eq!(platform.is_known(), is_known, "{text}");
    }
}
