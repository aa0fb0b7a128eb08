//! A token that ends in the middle of a push: one refresh for all who met its end.

use test_registry::{Action, Fault, Options, Phase, Route, SampleImage, TestRegistry};

use crate::support::{Image, TOKEN, USERNAME, push};

#[test]
fn a_token_that_is_revoked_once_is_fetched_once_more() {
    let registry = TestRegistry::start(Options::ghcr(USERNAME, TOKEN));
    let image = Image::new(&SampleImage::of_layers(&[
        300_000, 200_000, 100_000, 50_000, 20_000,
    ]));
    // After the first blob is stored, while the others are under way.
    registry.fail(
        Fault::new(Action::RevokeTokens)
            .on(Route::UploadCommit)
            .at(Phase::AfterState)
            .once(),
    );
    let reference = format!("{}/owner/app:1", registry.host());
    push(&image, &["image.tar", &reference]).assert_code(0);
    let journal = registry.journal();
    assert_eq!(
        journal.count(Route::Token),
        2,
        "the first token, and one refresh"
    );
    assert!(
        journal
            .exchanges
            .iter()
            .any(|exchange| exchange.status == Some(401))
    );
    let tag = registry.manifest("owner/app", "1").expect("the tag is set");
    assert_eq!(tag.digest, image.sample.digest);
}

#[test]
fn a_refused_refresh_is_told_in_the_token_services_words() {
    let registry = TestRegistry::start(Options::ghcr(USERNAME, TOKEN));
    let image = Image::small();
    registry.fail(
        Fault::new(Action::RevokeTokens)
            .on(Route::UploadStart)
            .at(Phase::AfterState)
            .once(),
    );
    registry.fail(
        Fault::new(Action::error(403, "DENIED", "denied"))
            .on(Route::Token)
            .from_request(2),
    );
    let reference = format!("{}/owner/app:1", registry.host());
    let run = push(
        &image,
        &["--registry-profile", "ghcr", "image.tar", &reference],
    );
    run.assert_code(4);
    assert!(
        run.stderr
            .contains("403 Forbidden to the request to fetch a token"),
        "{}",
        run.stderr
    );
    assert!(run.stderr.contains("credential-rejected"), "{}", run.stderr);
    assert_eq!(registry.tags("owner/app"), [""; 0]);
}
