//! Tokens: one for all, renewed once for all.

use std::time::Duration;

use test_registry::{
    Action, Authentication, Fault, Options, Personality, Phase, Route, SampleImage, TestRegistry,
};

use crate::support::{
    MIB, PASSWORD, Source, USERNAME, assert_published, assert_unpublished, options, push,
};

fn bearer(lifetime: Option<Duration>) -> Options {
    let mut options = Options::default();
    options.authentication = Authentication::Bearer {
        username: USERNAME.to_owned(),
        password: PASSWORD.to_owned(),
        lifetime,
    };
    options
}

#[test]
fn one_token_serves_all_requests() {
    let registry = TestRegistry::start(bearer(None));
    let source = Source::new(&SampleImage::of_layers(
        &[1, 2, 3, 4, 5, 6, 7, 8].map(|n| n * 10_000),
    ));
    push(&registry, &source, options()).report();
    assert_published(&registry, &source);
    let journal = registry.journal();
    assert_eq!(journal.count(Route::Token), 1);
    let scope = &journal
        .of(Route::Token)
        .next()
        .expect("a token request")
        .query;
    assert!(
        scope.contains("pull%2Cpush"),
        "whatever the challenge hinted at: {scope}"
    );
}

/// The life of a token counts from its arrival, and one that is fresh serves those who have waited for it.
#[test]
fn a_token_that_lives_shorter_than_it_takes_to_come_serves_all_who_waited() {
    let registry = TestRegistry::start(bearer(Some(Duration::from_secs(3))));
    registry.fail(
        Fault::new(Action::Delay(Duration::from_secs(3)))
            .on(Route::Token)
            .at(Phase::BeforeState),
    );
    let source = Source::new(&SampleImage::of_layers(&[1, 2, 3, 4, 5, 6, 7, 8]));
    push(&registry, &source, options()).report();
    assert_published(&registry, &source);
    let journal = registry.journal();
    let others = journal.exchanges.len() - journal.count(Route::Token);
    assert!(others >= 20, "{others} requests besides");
    // A busy machine may need a second one.
    assert!(journal.count(Route::Token) <= 3);
}

#[test]
fn basic_authentication() {
    let mut registry_options = Options::default();
    registry_options.authentication = Authentication::Basic {
        username: USERNAME.to_owned(),
        password: PASSWORD.to_owned(),
    };
    let registry = TestRegistry::start(registry_options);
    let source = Source::ten_mib();
    push(&registry, &source, options()).report();
    assert_published(&registry, &source);
    // oci-client would ask for the way to a token service there, and follow wherever it leads.
    assert_eq!(registry.journal().count(Route::Base), 0);
}

/// Wherever the tokens end, one new one is fetched, and the push goes on.
#[test]
fn a_token_that_ends_anywhere_is_renewed_once() {
    for personality in [Personality::Specification, Personality::Ghcr] {
        for route in [
            Route::BlobHead,
            Route::UploadStart,
            Route::UploadCommit,
            Route::ManifestPut,
        ] {
            let mut registry_options = bearer(None);
            registry_options.personality = personality;
            let registry = TestRegistry::start(registry_options);
            let source = Source::new(&SampleImage::of_layers(&[3 * MIB, 2 * MIB, MIB, 1000, 10]));
            registry.fail(
                Fault::new(Action::RevokeTokens)
                    .on(route)
                    .at(Phase::BeforeHead)
                    .once(),
            );
            let pushed = push(&registry, &source, options());
            assert_published(&registry, &source);
            // An answer in the middle of a body may be lost with its connection; nothing else is.
            let early = route == Route::UploadCommit;
            assert!(pushed.retries.is_empty() || early, "{:?}", pushed.retries);
            let journal = registry.journal();
            assert_eq!(journal.count(Route::Token), 2, "{personality:?} {route:?}");
        }
    }
}

#[test]
fn a_token_that_ends_between_chunks_costs_one_chunk() {
    let registry = TestRegistry::start(bearer(None));
    let source = Source::ten_mib();
    registry.fail(
        Fault::new(Action::RevokeTokens)
            .on(Route::UploadChunk)
            .at(Phase::AfterState)
            .from_request(5)
            .once(),
    );
    let mut options = options();
    options.upload_mode = oci_push::UploadMode::Chunked;
    options.chunk_size = Some(MIB);
    push(&registry, &source, options).report();
    assert_published(&registry, &source);
    assert_eq!(registry.journal().count(Route::Token), 2);
    assert_eq!(
        registry.journal().count(Route::UploadStart),
        source.sample.blobs.len()
    );
}

#[test]
fn a_wrong_password_is_told_and_not_tried_again() {
    let mut registry_options = Options::ghcr(USERNAME, "another");
    registry_options.personality = Personality::Ghcr;
    let registry = TestRegistry::start(registry_options);
    let source = Source::ten_mib();
    let pushed = push(&registry, &source, options());
    let rejection = pushed.failure().rejection().expect("a rejection");
    assert_eq!(rejection.step, oci_push::Step::FetchToken);
    assert_eq!(
        (rejection.status.as_u16(), rejection.words().as_str()),
        (403, "denied")
    );
    assert_eq!(registry.journal().count(Route::Token), 1);
    assert!(
        registry.journal().of(Route::UploadStart).next().is_none(),
        "nothing anonymous"
    );
    assert_unpublished(&registry);
}

/// A registry that refuses every token is believed after the first renewal.
#[test]
fn a_second_refusal_is_final() {
    let registry = TestRegistry::start(bearer(None));
    let source = Source::ten_mib();
    let refused = Action::Answer {
        status: 401,
        headers: vec![(
            "www-authenticate".to_owned(),
            format!("Bearer realm=\"{}/token\",service=\"x\"", registry.url()),
        )],
        body: r#"{"errors":[{"code":"UNAUTHORIZED","message":"unauthenticated: User cannot be authenticated with the token provided."}]}"#
            .to_owned(),
    };
    registry.fail(Fault::new(refused).on(Route::UploadStart));
    let pushed = push(&registry, &source, options());
    let rejection = pushed.failure().rejection().expect("a rejection");
    assert!(
        rejection.words().starts_with("unauthenticated"),
        "{}",
        rejection.words()
    );
    // Two more for each upload, which one that begins late does not share with the other.
    let most = 1 + 2 * source.sample.blobs.len();
    let tokens = registry.journal().count(Route::Token);
    assert!((3..=most).contains(&tokens), "{tokens}");
}

/// Pushes one layer in small chunks, slowly, while tokens live for four seconds and the push for five.
/// Returns the number of tokens, and of requests that met the end of theirs.
///
/// What takes longer than that, on a busy machine, outlives more than one token, and is done again.
#[track_caller]
fn outlive_a_token(personality: Personality) -> (usize, usize) {
    let mut pushes = std::iter::repeat_with(|| push_for_five_seconds(personality));
    let counts = pushes.by_ref().take(10).find_map(|counts| counts);
    counts.expect("the machine manages ten small requests in two seconds")
}

/// `None` if it took far longer.
#[track_caller]
fn push_for_five_seconds(personality: Personality) -> Option<(usize, usize)> {
    let lifetime = Duration::from_secs(4);
    let mut registry_options = bearer(Some(lifetime));
    registry_options.personality = personality;
    let registry = TestRegistry::start(registry_options);
    let source = Source::new(&SampleImage::of_layers(&[150_000]));
    // After the token has been looked at, so that it is good for as long as the registry says.
    registry.fail(
        Fault::new(Action::Delay(Duration::from_millis(500)))
            .on(Route::UploadChunk)
            .at(Phase::AfterState),
    );
    let mut options = options();
    options.upload_mode = oci_push::UploadMode::Chunked;
    options.chunk_size = Some(16_000);
    let pushed = push(&registry, &source, options);
    pushed.report();
    assert_published(&registry, &source);
    assert!(pushed.retries.is_empty(), "{:?}", pushed.retries);
    let journal = registry.journal();
    let first = journal.of(Route::UploadChunk).next().expect("a chunk").at;
    let last = journal.of(Route::ManifestPut).last().expect("a tag").at;
    assert!(last > first + lifetime, "the push outlived its first token");
    if last > first + Duration::from_secs(7) {
        return None;
    }
    assert_eq!(
        journal.count(Route::UploadStart),
        source.sample.blobs.len(),
        "the sessions outlived it too"
    );
    let met_the_end = journal
        .exchanges
        .iter()
        .filter(|exchange| exchange.token.is_some() && exchange.status == Some(401));
    Some((journal.count(Route::Token), met_the_end.count()))
}

/// A token service that tells how long its tokens live is asked again before one ends.
#[test]
fn a_token_that_is_about_to_expire_is_renewed_beforehand() {
    assert_eq!(outlive_a_token(Personality::Specification), (2, 0));
}

/// ghcr.io does not tell it: one request meets the end, and one refresh serves all that follow.
#[test]
fn a_token_that_expires_unannounced_is_renewed_once() {
    assert_eq!(outlive_a_token(Personality::Ghcr), (2, 1));
}
