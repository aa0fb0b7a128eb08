//! Whom the engine asks for credentials, for what, and when again.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use oci_push::{Credentials, Failure, Keychain, PushError, PushReport, Pusher, Reference};
use test_registry::{
    Action, Authentication, Fault, Options, Phase, Route, SampleImage, TestRegistry,
};

use crate::support::{Impatient, Listener, PASSWORD, Source, USERNAME, assert_published, options};

/// Gives out one password after the other, the last one for ever, and keeps what it was asked for.
struct Rotating {
    passwords: Mutex<VecDeque<&'static str>>,
    asked: Mutex<Vec<String>>,
}

impl Rotating {
    fn of(passwords: &[&'static str]) -> Arc<Self> {
        Arc::new(Self {
            passwords: Mutex::new(passwords.iter().copied().collect()),
            asked: Mutex::default(),
        })
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("no panic").clone()
    }
}

impl Keychain for Rotating {
    fn credentials<'a>(
        &'a self,
        host: &'a str,
    ) -> Pin<Box<dyn Future<Output = Option<Credentials>> + Send + 'a>> {
        self.credentials_for(host, "")
    }

    fn credentials_for<'a>(
        &'a self,
        host: &'a str,
        repository: &'a str,
    ) -> Pin<Box<dyn Future<Output = Option<Credentials>> + Send + 'a>> {
        let place = format!("{host}/{repository}");
        self.asked.lock().expect("no panic").push(place);
        let mut passwords = self.passwords.lock().expect("no panic");
        let password = match passwords.len() {
            0 => None,
            1 => passwords.front().copied(),
            _ => passwords.pop_front(),
        };
        Box::pin(std::future::ready(password.map(|password| Credentials {
            username: USERNAME.to_owned(),
            password: password.into(),
        })))
    }
}

fn push(
    registry: &TestRegistry,
    names: &[&str],
    source: &Source,
    keychain: &Arc<Rotating>,
) -> Result<PushReport, Box<PushError>> {
    let references: Vec<Reference> = names
        .iter()
        .map(|name| format!("{}/{name}:1", registry.host()).parse())
        .collect::<Result<_, _>>()
        .expect("references");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let keychain = Arc::<Rotating>::clone(keychain);
    let clock = Arc::new(Impatient::default());
    let pusher = Pusher::with_clock(options(), keychain, Arc::new(Listener::default()), clock)
        .expect("a client");
    let result = runtime.block_on(pusher.push(&source.image, &references));
    runtime.shutdown_background();
    result
}

fn bearer() -> TestRegistry {
    TestRegistry::start(Options::ghcr(USERNAME, PASSWORD))
}

fn basic() -> TestRegistry {
    let mut options = Options::default();
    options.authentication = Authentication::Basic {
        username: USERNAME.to_owned(),
        password: PASSWORD.to_owned(),
    };
    TestRegistry::start(options)
}

#[test]
fn each_repository_is_asked_for_by_its_name() {
    let registry = bearer();
    let source = Source::new(&SampleImage::of_layers(&[1000]));
    let keychain = Rotating::of(&[PASSWORD]);
    push(&registry, &["owner/a", "owner/b"], &source, &keychain).expect("it is pushed");
    let host = registry.host();
    assert_eq!(
        keychain.asked(),
        [format!("{host}/owner/a"), format!("{host}/owner/b")]
    );
}

/// A secret may be rotated between its being read and its being used.
#[test]
fn a_refused_credential_is_asked_for_once_more() {
    for registry in [bearer(), basic()] {
        let source = Source::new(&SampleImage::of_layers(&[1000]));
        let keychain = Rotating::of(&["old", PASSWORD]);
        push(&registry, &["owner/app"], &source, &keychain).expect("it is pushed");
        assert_published(&registry, &source);
        assert_eq!(keychain.asked().len(), 2);
    }
}

/// No credential is presented twice, and nothing is tried without one.
#[test]
fn a_credential_that_stays_wrong_is_presented_once() {
    for (registry, route, presented, asked) in [
        (bearer(), Route::Token, 1, 2),
        // Once without, to hear what is wanted, and once with; then a GET for the words of the refusal.
        (basic(), Route::ManifestHead, 2, 3),
    ] {
        let source = Source::new(&SampleImage::of_layers(&[1000]));
        let keychain = Rotating::of(&["old"]);
        let refused = push(&registry, &["owner/app"], &source, &keychain);
        let failure = refused.expect_err("it is refused").failure;
        assert!(matches!(failure, Failure::Rejected(_)), "{failure:?}");
        assert_eq!(keychain.asked().len(), asked);
        let count = registry.journal().count(route);
        assert_eq!(count, presented, "{:?}", registry.journal());
    }
}

/// The second one is refused too: it is not asked for without end.
#[test]
fn one_more_is_not_another() {
    let registry = bearer();
    let source = Source::new(&SampleImage::of_layers(&[1000]));
    let keychain = Rotating::of(&["old", "older", PASSWORD]);
    push(&registry, &["owner/app"], &source, &keychain).expect_err("it is refused");
    assert_eq!(keychain.asked().len(), 2);
    assert_eq!(registry.journal().count(Route::Token), 2);
}

/// A rate limit says nothing about the credential.
#[test]
fn a_rate_limit_asks_for_no_other_credential() {
    let registry = bearer();
    let words = "permission_denied: You have exceeded a secondary rate limit.";
    let limited = Fault::new(Action::error(403, "DENIED", words)).on(Route::Token);
    registry.fail(limited.times(2));
    let source = Source::new(&SampleImage::of_layers(&[1000]));
    let keychain = Rotating::of(&[PASSWORD]);
    push(&registry, &["owner/app"], &source, &keychain).expect("it is waited out");
    assert_eq!(keychain.asked().len(), 1);
}

/// The token ended; the credential that bought it may have been renewed since.
#[test]
fn a_new_token_is_bought_with_the_credential_of_that_time() {
    let registry = bearer();
    let revoked = Fault::new(Action::RevokeTokens).on(Route::UploadStart);
    registry.fail(revoked.at(Phase::AfterState).once());
    let source = Source::new(&SampleImage::of_layers(&[1000]));
    let keychain = Rotating::of(&[PASSWORD, "old", PASSWORD]);
    push(&registry, &["owner/app"], &source, &keychain).expect("it is pushed");
    assert_published(&registry, &source);
    assert_eq!(keychain.asked().len(), 3);
}
