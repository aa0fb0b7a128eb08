//! Names and images in numbers that no real archive has.

use super::*;

/// Tens of thousands of names or images take no noticeable time: nothing is compared pair by pair.
#[test]
fn many_names_and_images() {
    const MANY: usize = 50_000;
    let listed: Vec<Descriptor> = (0..2 * MANY)
        .map(|number| {
            let image = number.min(MANY);
            let annotations =
                serde_json::json!({ "org.opencontainers.image.ref.name": number.to_string() });
            let descriptor = serde_json::json!({
                "mediaType": "x", "size": 0, "annotations": annotations,
                "digest": format!("sha256:{image:064}"),
            });
            serde_json::from_value(descriptor).expect("a descriptor")
        })
        .collect();
    let candidates = group(listed.iter());
    assert_eq!(candidates.len(), MANY + 1);
    assert_eq!(candidates[MANY].names.len(), MANY);
    let error = crate::select::choose(&candidates, &[], None).expect_err("there are many");
    let error = error.to_string();
    assert!(
        error.ends_with(&format!("and {} more", MANY + 1 - 32)),
        "{error}"
    );
}
