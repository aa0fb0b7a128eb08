//! What stays in a list, what is added, and what is no list.

use bytes::Bytes;
use oci_archive::{Algorithm, Digest};

use super::*;

fn found(media_type: &str, bytes: &str) -> RemoteManifest {
    RemoteManifest {
        media_type: media_type.to_owned(),
        digest: Digest::of(Algorithm::Sha256, bytes.as_bytes()),
        bytes: Bytes::copy_from_slice(bytes.as_bytes()),
    }
}

fn manifest(document: &Value) -> Manifest {
    Manifest::index_of(document.to_string().into())
}

fn read(list: &Manifest) -> Value {
    serde_json::from_slice(list.bytes()).expect("JSON")
}

#[test]
fn a_new_list() {
    let plain = manifest(&json!({ "schemaVersion": 2, "annotations": {} }));
    let typed = manifest(&json!({
        "artifactType": "application/x", "config": { "mediaType": "application/y" },
        "annotations": { "b": "1", "a": "2" },
    }));
    let of_config =
        manifest(&json!({ "artifactType": "", "config": { "mediaType": "application/y" } }));
    let list = extended(None, &[&plain, &typed, &of_config, &plain]);
    let list = list.expect("a list").expect("something was added");
    let named = |manifest: &Manifest| {
        let descriptor = manifest.descriptor();
        json!({
            "mediaType": media_type::OCI_INDEX,
            "digest": descriptor.digest.to_string(),
            "size": descriptor.size,
        })
    };
    let mut second = named(&typed);
    second["artifactType"] = "application/x".into();
    second["annotations"] = json!({ "b": "1", "a": "2" });
    let mut third = named(&of_config);
    third["artifactType"] = "application/y".into();
    let expected = json!({
        "schemaVersion": 2,
        "mediaType": media_type::OCI_INDEX,
        "manifests": [named(&plain), second, third],
    });
    assert_eq!(read(&list), expected);
    assert_eq!(list.descriptor().media_type, media_type::OCI_INDEX);
}

#[test]
fn what_is_listed_stays() {
    let ours = manifest(&json!({ "schemaVersion": 2 }));
    let before = json!({
        "x-unknown": [1, 2.5], "schemaVersion": 2, "mediaType": media_type::OCI_INDEX,
        "manifests": [{ "digest": "sha256:other", "x-unknown": true }, { "size": 1 }],
        "annotations": { "a": "b" },
    });
    let present = found(media_type::OCI_INDEX, &before.to_string());
    let list = extended(Some(&present), &[&ours]).expect("a list");
    let list = list.expect("something was added");
    let mut after = read(&list);
    let entries = after["manifests"].as_array_mut().expect("entries");
    assert_eq!(entries.len(), 3);
    entries.pop();
    assert_eq!(after, before);
    let again = found(media_type::OCI_INDEX, &read(&list).to_string());
    assert!(extended(Some(&again), &[&ours]).expect("a list").is_none());
}

#[test]
fn what_is_no_list() {
    let ours = manifest(&json!({ "schemaVersion": 2 }));
    for (media_type, bytes) in [
        (media_type::OCI_MANIFEST, r#"{"manifests":[]}"#),
        ("", r#"{"manifests":[]}"#),
        (media_type::OCI_INDEX, r#"{"schemaVersion":2}"#),
        (media_type::OCI_INDEX, r#"{"manifests":{}}"#),
        (media_type::OCI_INDEX, "[]"),
        (media_type::OCI_INDEX, r#"{"manifests":[{"#),
        (media_type::OCI_INDEX, ""),
    ] {
        let found = found(media_type, bytes);
        let refused = extended(Some(&found), &[&ours]);
        assert_eq!(refused.err(), Some(NoList), "{media_type} {bytes}");
    }
}
