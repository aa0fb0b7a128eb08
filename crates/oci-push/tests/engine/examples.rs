//! The examples do what they say.

use oci_push::{Credentials, ReferenceStatus};
use test_registry::{Options, SampleImage, TestRegistry};

#[path = "../../examples/push.rs"]
#[expect(dead_code, reason = "the program around it is not called")]
mod push;

#[test]
fn the_example_pushes() {
    let registry = TestRegistry::start(Options::ghcr("octocat", "secret"));
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("image.tar");
    let image = SampleImage::of_layers(&[1000, 2000]);
    let sample = image.write(&path).expect("the image can be written");
    let credentials = Credentials {
        username: "octocat".to_owned(),
        password: "secret".to_owned().into(),
    };
    let reference = format!("{}/owner/app:1", registry.host());
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let report = runtime
        .block_on(push::push(&path, &reference, Some(credentials)))
        .expect("it is pushed");
    assert_eq!(report.references[0].status, ReferenceStatus::Pushed);
    let stored = registry.manifest("owner/app", "1").expect("it is there");
    assert_eq!(stored.digest, sample.digest);
    let refused = runtime.block_on(push::push(&path, &reference, None));
    assert!(refused.is_err(), "nobody is let in without a credential");
}
