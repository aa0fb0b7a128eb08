use super::*;

/// Room is promised to help only where it does.
#[test]
fn scratch_space() {
    for (kind, expected) in [
        (io::ErrorKind::StorageFull, Some("make room there")),
        (io::ErrorKind::QuotaExceeded, Some("make room there")),
        (io::ErrorKind::NotFound, Some("can be written in TMPDIR")),
        (
            io::ErrorKind::PermissionDenied,
            Some("can be written in TMPDIR"),
        ),
        (io::ErrorKind::Interrupted, None),
        (io::ErrorKind::Other, None),
    ] {
        let error = OpenError::Scratch(ScratchError {
            directory: "/tmp".into(),
            source: kind.into(),
        });
        let hint = hint_for_archive(&error, &OpenOptions::default());
        match expected {
            Some(words) => assert!(hint.is_some_and(|hint| hint.contains(words)), "{kind:?}"),
            None => assert_eq!(hint, None, "{kind:?}"),
        }
    }
}

#[test]
#[cfg(target_os = "linux")]
fn what_the_system_says() {
    const TOO_MANY_OPEN_FILES: i32 = 24;
    const NO_SPACE: i32 = 28;
    const OVER_QUOTA: i32 = 122;
    for (number, is_full) in [
        (TOO_MANY_OPEN_FILES, false),
        (NO_SPACE, true),
        (OVER_QUOTA, true),
    ] {
        let error = ScratchError {
            directory: "/tmp".into(),
            source: io::Error::from_raw_os_error(number),
        };
        assert_eq!(hint_for_scratch(&error).is_some(), is_full, "{number}");
    }
}
