use ghcr_diagnosis::Code;
use oci_push::{Profile, Reference};

use super::{References, first_of_each_repository, shown};
use crate::env::Environment;

fn read(arguments: &[&str], tags: &[&str]) -> Result<(Vec<String>, Vec<String>), String> {
    read_as(None, arguments, tags)
}

fn read_as(
    profile: Option<Profile>,
    arguments: &[&str],
    tags: &[&str],
) -> Result<(Vec<String>, Vec<String>), String> {
    let own = |texts: &[&str]| {
        texts
            .iter()
            .map(|text| (*text).to_owned())
            .collect::<Vec<_>>()
    };
    References::read(
        &own(arguments),
        &own(tags),
        profile,
        &Environment::default(),
    )
    .map(|read| {
        let references = read.all.iter().map(ToString::to_string).collect();
        (references, read.notices)
    })
    .map_err(|error| format!("{}; {}", error.message, error.hint.unwrap_or_default()))
}

#[test]
fn read_as_meant() {
    for (arguments, tags, expected) in [
        (&["ghcr.io/o/n:1"][..], &[][..], &["ghcr.io/o/n:1"][..]),
        (&["ghcr.io/o/n"], &[], &["ghcr.io/o/n:latest"]),
        (&["ghcr.io/o/a/b/c:x"], &[], &["ghcr.io/o/a/b/c:x"]),
        (
            &["ghcr.io/o/n:a,b"],
            &[],
            &["ghcr.io/o/n:a", "ghcr.io/o/n:b"],
        ),
        (
            &["ghcr.io/o/n:a\nghcr.io/o/m:b\n"],
            &[],
            &["ghcr.io/o/n:a", "ghcr.io/o/m:b"],
        ),
        (&["ghcr.io/o/n:a", "ghcr.io/o/n:a"], &[], &["ghcr.io/o/n:a"]),
        (
            &["ghcr.io/o/n:a"],
            &["b", "c,d"],
            &[
                "ghcr.io/o/n:a",
                "ghcr.io/o/n:b",
                "ghcr.io/o/n:c",
                "ghcr.io/o/n:d",
            ],
        ),
        (&["localhost:5000/n"], &[], &["localhost:5000/n:latest"]),
        (&["127.0.0.1:5000/o/n:1"], &[], &["127.0.0.1:5000/o/n:1"]),
    ] {
        let (references, notices) = read(arguments, tags).expect("readable");
        assert_eq!(references, expected, "{arguments:?}");
        assert!(notices.is_empty(), "{notices:?}");
    }
}

#[test]
fn upper_case_is_lowered_with_a_notice() {
    let (references, notices) = read(&["GHCR.io/Owner/App:Beta"], &[]).expect("readable");
    assert_eq!(references, ["ghcr.io/owner/app:Beta"]);
    assert_eq!(
        notices,
        ["GHCR.io/Owner/App is pushed as ghcr.io/owner/app: a registry takes lower case only"]
    );
}

/// `latest` moves where nothing else is asked for, or where it is asked for, and nowhere else.
#[test]
fn a_tag_beside_a_name_without_one_is_the_only_one() {
    for (arguments, tags, expected) in [
        (
            &["ghcr.io/o/n"][..],
            &["1.4-rc1"][..],
            &["ghcr.io/o/n:1.4-rc1"][..],
        ),
        (
            &["ghcr.io/o/n"],
            &["1.4", "1"],
            &["ghcr.io/o/n:1.4", "ghcr.io/o/n:1"],
        ),
        (
            &["ghcr.io/o/n", "ghcr.io/o/m:x"],
            &["1.4"],
            &["ghcr.io/o/m:x", "ghcr.io/o/n:1.4", "ghcr.io/o/m:1.4"],
        ),
        (
            &["ghcr.io/o/n", "ghcr.io/O/n"],
            &["1.4"],
            &["ghcr.io/o/n:1.4"],
        ),
        (
            &["ghcr.io/o/n", "ghcr.io/o/n:latest"],
            &["1.4"],
            &["ghcr.io/o/n:latest", "ghcr.io/o/n:1.4"],
        ),
        (
            &["ghcr.io/o/n"],
            &["1.4,latest"],
            &["ghcr.io/o/n:1.4", "ghcr.io/o/n:latest"],
        ),
        (
            &["ghcr.io/o/n,1.2"],
            &["1.4"],
            &["ghcr.io/o/n:1.2", "ghcr.io/o/n:1.4"],
        ),
        (&["ghcr.io/o/n"], &["", " , "], &["ghcr.io/o/n:latest"]),
    ] {
        let (references, _) = read(arguments, tags).expect("readable");
        assert_eq!(references, expected, "{arguments:?} {tags:?}");
    }
    let error = read(&["ghcr.io/-o/n"], &["1.4"]).expect_err("no owner is called so");
    assert!(
        error.contains("\"ghcr.io/-o/n\" is no image reference"),
        "{error}"
    );
}

#[test]
fn registries_by_ipv6_address() {
    for (argument, expected) in [
        ("[::1]:5000/o/n:t", "[::1]:5000/o/n:t"),
        ("[::1]/o/n:t", "[::1]/o/n:t"),
        ("[2001:DB8::1]:5000/o/n", "[2001:db8::1]:5000/o/n:latest"),
        ("[::ffff:127.0.0.1]:5000/n:t", "[::ffff:127.0.0.1]:5000/n:t"),
    ] {
        let (references, _) = read(&[argument], &[]).expect(argument);
        assert_eq!(references, [expected]);
    }
    let (references, _) = read(&["[::1]:5000/o/n:a,b"], &["c"]).expect("readable");
    let tags = ["a", "b", "c"].map(|tag| format!("[::1]:5000/o/n:{tag}"));
    assert_eq!(references, tags);
}

#[test]
fn refused_with_the_reason() {
    for (argument, expected) in [
        ("owner/name:1", "does not begin with a registry's host"),
        ("owner/name:1", "write ghcr.io/owner/name:1"),
        ("name", "write ghcr.io/OWNER/name"),
        ("name:2024", "write ghcr.io/OWNER/name:2024"),
        ("other.tar", "is neither a file nor a reference"),
        ("dist/other.tar", "is neither a file nor a reference"),
        ("localhost:5971", "names a registry, and nothing in it"),
        ("localhost:5971", "write localhost:5971/OWNER/NAME:TAG"),
        ("localhost:5971/", "write localhost:5971/OWNER/NAME:latest"),
        ("127.0.0.1:5000", "write 127.0.0.1:5000/OWNER/NAME:TAG"),
        ("ghcr.io:latest", "write ghcr.io/OWNER/NAME:latest"),
        ("ghcr.io", "write ghcr.io/OWNER/NAME:latest"),
        ("[::1]", "names a registry, and nothing in it"),
        ("[::1]:5000", "write [::1]:5000/OWNER/NAME:latest"),
        ("[::1/o/n", "with no IPv6 address"),
        ("[::g]:5000/o/n", "with no IPv6 address"),
        ("[::1]:port/o/n", "with no IPv6 address"),
        ("[::1]5000/o/n", "with no IPv6 address"),
        ("[::1]:5000/o//n", "is no image reference"),
        ("ghcr.io/name:1", "reference-without-owner"),
        (
            "ghcr.io//name:1",
            "write ghcr.io/OWNER/name:1; nothing stands",
        ),
        (
            "ghcr.io//owner/name:1",
            "write ghcr.io/owner/name:1; nothing stands",
        ),
        ("ghcr.io/:1", "write ghcr.io/OWNER/NAME:1; nothing stands"),
        ("ghcr.io/name:1", "write ghcr.io/OWNER/name:1"),
        ("ghcr.net/o/n:1", "lookalike-host"),
        ("gcrh.io/o/n:1", "lookalike-host"),
        ("docker.pkg.github.com/o/r/n:1", "old registry"),
        ("ghrc.io/o/n:1", "lookalike-host"),
        ("ghrc.io/o/n:1", "write ghcr.io/o/n:1; nothing"),
        ("ghrc.io/o/n", "write ghcr.io/o/n; nothing"),
        ("docker.pkg.github.com/o/r/n:1", "write ghcr.io/o/n:1"),
        ("https://ghcr.io/o/n:1", "write ghcr.io/o/n:1"),
        ("ghcr.io/o/n@sha256:00", "names a digest"),
        ("ghcr.io/o/n:-x", "is no tag"),
        ("ghcr.io/o/n:", "is no tag"),
        ("ghcr.io/o/n:a b", "is no tag"),
        ("ghcr.io/o//n", "is no image reference"),
        ("ghcr.io/-o/n", "is no image reference"),
    ] {
        let error = read(&[argument], &[]).expect_err(argument);
        assert!(error.contains(expected), "{argument}: {error}");
    }
}

/// A branch's name as a tag.
#[test]
fn a_tag_has_no_slash() {
    for (argument, tags, expected) in [
        (
            "ghcr.io/o/n:feature/x",
            &[][..],
            "the tag \"feature/x\" has a slash, which no tag has; write ghcr.io/o/n:feature-x; for a branch's",
        ),
        (
            "localhost:5000/o/n:feature/x",
            &[],
            "write localhost:5000/o/n:feature-x;",
        ),
        (
            "[::1]:5000/o/n:feature/x",
            &[],
            "write [::1]:5000/o/n:feature-x;",
        ),
        (
            "ghcr.io/n:feature/x",
            &[],
            "the tag \"feature/x\" has a slash",
        ),
        (
            "ghcr.io/o/n:refs/heads/main",
            &[],
            "write ghcr.io/o/n:main; for a branch's",
        ),
        ("o/n:feature/x", &[], "write ghcr.io/o/n:feature-x"),
        (
            "ghcr.io/o/n:latest,feature/x",
            &[],
            "write ghcr.io/o/n:feature-x;",
        ),
        // Behind a repository without a tag it is one without a host.
        ("ghcr.io/o/n,o/m", &[], "write ghcr.io/o/m"),
        (
            "ghcr.io/o/n",
            &["feature/x"],
            "the tag \"feature/x\" has a slash, which no tag has; write ghcr.io/o/n:feature-x; for",
        ),
    ] {
        let error = read(&[argument], tags).expect_err(argument);
        assert!(error.contains(expected), "{argument}: {error}");
    }
    let error = read(&["ghcr.io/o/n:feature/x"], &[]).expect_err("a slash");
    assert!(error.contains("${GITHUB_REF_NAME//\\//-}"), "{error}");
}

/// GitHub keeps packages below owners, wherever its registry stands.
#[test]
fn a_registry_of_github_needs_an_owner() {
    let (ghcr, other) = (Some(Profile::Ghcr), Some(Profile::Specification));
    for (profile, argument, expected) in [
        (None, "ghcr.io:443/n:1", Some("write ghcr.io:443/OWNER/n:1")),
        (
            None,
            "containers.example.ghe.com/n",
            Some("write containers.example.ghe.com/OWNER/n:latest"),
        ),
        (
            ghcr,
            "registry.example:5000/n:1",
            Some("write registry.example:5000/OWNER/n:1"),
        ),
        (ghcr, "registry.example:5000/o/n:1", None),
        (None, "registry.example:5000/n:1", None),
        (other, "ghcr.io/n:1", None),
    ] {
        match (read_as(profile, &[argument], &[]), expected) {
            (Ok(_), None) => {}
            (Err(error), Some(expected)) => {
                assert!(error.contains("reference-without-owner"), "{error}");
                assert!(error.contains(expected), "{error}");
            }
            (outcome, expected) => panic!("{argument}: {outcome:?}, not {expected:?}"),
        }
    }
}

#[test]
fn a_user_name_and_a_password_are_not_shown() {
    for (written, expected) in [
        ("https://user:pass@ghcr.io/o/n", "https://ghcr.io/o/n"),
        ("user:pass@ghcr.io/o/n:1", "ghcr.io/o/n:1"),
        ("user:pass@localhost:5000", "localhost:5000"),
        ("https://user:p,a/s@s@ghcr.io/o/n", "https://ghcr.io/o/n"),
        (
            "ghcr.io/o/n:a,https://user:pa,ss@ghcr.io/o/n",
            "ghcr.io/o/n:a,https://ghcr.io/o/n",
        ),
        (
            "ghcr.io/o/n:a\nhttps://user:pass@ghcr.io/o/n",
            "ghcr.io/o/n:a\nhttps://ghcr.io/o/n",
        ),
        (
            "https://user:pass@ghcr.io/o/n@sha256:00",
            "https://ghcr.io/o/n@sha256:00",
        ),
        ("ghcr.io/o/n@sha256:00", "ghcr.io/o/n@sha256:00"),
        ("ghcr.io/o/n@1.2", "ghcr.io/o/n@1.2"),
        ("ghcr.io/o/n:a,b", "ghcr.io/o/n:a,b"),
    ] {
        assert_eq!(shown(written), expected);
        if shown(written) != written {
            let error = read(&[written], &[]).expect_err(written);
            assert!(error.contains("--password-stdin"), "{error}");
            assert!(
                !error.contains("user:") && !error.contains("pa,ss"),
                "{error}"
            );
        }
    }
}

/// A mirror may be named so, and is said not to be the registry before it is given a credential.
#[test]
fn names_that_begin_like_the_registrys() {
    for (written, is_told) in [
        ("ghcr.example.com/o/n:1", true),
        ("ghcr.io.example:5000/o/n:1", true),
        ("ghcr.io/o/n:1", false),
        ("registry.example/ghcr.io/n:1", false),
    ] {
        let read = References::read(&[written.to_owned()], &[], None, &Environment::default())
            .expect("a reference");
        let told = read
            .notices
            .iter()
            .any(|notice| notice.contains("is not GitHub's registry"));
        assert_eq!(told, is_told, "{written}: {:?}", read.notices);
    }
}

#[test]
fn repositories() {
    let references: Vec<Reference> = ["ghcr.io/o/n:1", "ghcr.io/o/n:2", "ghcr.io/o/m:1"]
        .iter()
        .map(|one| one.parse().expect("a reference"))
        .collect();
    let first: Vec<String> = first_of_each_repository(&references)
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(first, ["ghcr.io/o/n:1", "ghcr.io/o/m:1"]);
}

/// In a run the owner is known, and the diagnosis names it as well.
#[test]
fn the_owner_of_a_run() {
    let environment = Environment::of(&[
        ("GITHUB_ACTIONS", "true"),
        ("GITHUB_REPOSITORY", "Acme/web"),
    ]);
    for (written, whole) in [
        ("ghcr.io/web:1", "ghcr.io/acme/web:1"),
        ("ghcr.io//web:1", "ghcr.io/acme/web:1"),
        ("ghcr.io/:1", "ghcr.io/acme/NAME:1"),
    ] {
        let read = References::read(&[written.to_owned()], &[], None, &environment);
        let error = read.expect_err("it has no owner");
        let hint = error.hint.unwrap_or_default();
        assert!(hint.starts_with(&format!("write {whole}")), "{hint}");
        let diagnosis = error.diagnosis.expect("a diagnosis");
        let cause = &diagnosis.causes[0];
        assert_eq!(cause.code, Code::ReferenceWithoutOwner);
        assert!(cause.remedy.starts_with("Write ghcr.io/acme/"), "{cause:?}");
    }
}

/// A repository to take blobs over from is on the registry that is pushed to.
#[test]
fn without_a_host_beside_a_registry() {
    for (host, written, expected) in [
        (
            Some("localhost:5610"),
            "o/base",
            "write localhost:5610/o/base",
        ),
        (Some("localhost:5610"), "base", "write localhost:5610/base"),
        (Some("ghcr.io"), "base", "write ghcr.io/OWNER/base"),
        (None, "o/base", "write ghcr.io/o/base"),
    ] {
        let read =
            References::read_beside(host, &[written.to_owned()], None, &Environment::of(&[]));
        let hint = read.expect_err("no host").hint;
        assert_eq!(hint.as_deref(), Some(expected), "{written}");
    }
}
