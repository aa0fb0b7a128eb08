//! Which packages this run has created, as far as answers tell.
//!
//! ghcr.io creates a package with its first upload, and the rights to it take a while to be the same everywhere
//! (<https://github.com/orgs/community/discussions/26274>): a refusal within that time is no refusal.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use http::Method;
use tokio::sync::Notify;
use url::Url;

use crate::request::{Request, Response};
use crate::step::Step;

/// What has been written in this run, and what was there before.
#[derive(Debug, Default)]
pub(crate) struct Packages {
    known: Mutex<Known>,
    /// A request that may create a package has been answered.
    answered: Notify,
}

#[derive(Debug, Default)]
struct Known {
    /// Hosts whose rights to a new package take a while to be the same everywhere.
    slow: HashSet<String>,
    /// The repositories that have taken something, as beginnings of addresses.
    written: HashSet<String>,
    /// Those that had something before anything was written.
    old: HashSet<String>,
    /// Requests under way that may create a package, by repository.
    opening: HashMap<String, usize>,
}

/// A request under way that may create a package.
pub(super) struct Opening<'a> {
    packages: &'a Packages,
    repository: String,
}

impl Drop for Opening<'_> {
    fn drop(&mut self) {
        let mut known = self.packages.known();
        if let Some(opening) = known.opening.get_mut(&self.repository) {
            *opening -= 1;
        }
        drop(known);
        self.packages.answered.notify_waiters();
    }
}

impl Packages {
    /// Rights to new packages of `registry` take a while to be the same everywhere. Elsewhere a refusal is one.
    pub(crate) fn expect_delay(&self, registry: &Url) {
        self.known().slow.insert(registry.authority().to_owned());
    }

    /// Whether nothing has been written yet to the repository of `url`.
    pub(super) fn is_untouched(&self, url: &Url) -> bool {
        let known = self.known();
        repository_of(url).is_none_or(|repository| !known.written.contains(&repository))
    }

    /// Takes note of a request that has succeeded, and that was sent when the repository was `untouched` or not.
    pub(super) fn succeeded(&self, request: &Request, response: &Response, untouched: bool) {
        let Some(repository) = repository_of(&request.url) else {
            return;
        };
        let mut known = self.known();
        if !matches!(request.method, Method::GET | Method::HEAD) {
            known.written.insert(repository);
        } else if matches!(request.step, Step::CheckManifest | Step::CheckBlob)
            && response.status == 200
            && untouched
        {
            // What has a tag or a blob is not a package that was just created.
            known.old.insert(repository);
        }
    }

    /// `request` is on its way; `None` if it cannot create a package.
    pub(super) fn opens(&self, request: &Request) -> Option<Opening<'_>> {
        let repository =
            repository_of(&request.url).filter(|_| request.step == Step::StartUpload)?;
        let mut known = self.known();
        if !known.slow.contains(request.url.authority()) {
            return None;
        }
        *known.opening.entry(repository.clone()).or_default() += 1;
        drop(known);
        Some(Opening {
            packages: self,
            repository,
        })
    }

    /// Waits until it is known whether a request that may create the package of `url` has done so: of several that
    /// were sent at once, one creates it, and the others may be refused before that one is answered.
    pub(super) async fn is_new_after_all(&self, url: &Url) -> bool {
        loop {
            let answered = self.answered.notified();
            let is_open = repository_of(url).is_some_and(|repository| {
                let known = self.known();
                let opening = known.opening.get(&repository);
                opening.is_some_and(|opening| *opening > 0)
            });
            if self.is_new(url) || !is_open {
                return self.is_new(url);
            }
            answered.await;
        }
    }

    /// Whether a request to `url` concerns a package that took something from this run, and had nothing before as far
    /// as it was asked.
    pub(crate) fn is_new(&self, url: &Url) -> bool {
        let known = self.known();
        repository_of(url).is_some_and(|repository| {
            known.slow.contains(url.authority())
                && known.written.contains(&repository)
                && !known.old.contains(&repository)
        })
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The repository that an address is about, with its host.
fn repository_of(url: &Url) -> Option<String> {
    let path = url.path();
    let end = path.find("/blobs/").or_else(|| path.find("/manifests/"))?;
    Some(format!("{}{}", url.authority(), &path[..end]))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::{HeaderMap, StatusCode};

    use super::*;

    const POST: (Step, Method, &str) = (Step::StartUpload, Method::POST, "blobs/uploads/");
    const TAG: (Step, Method, &str) = (Step::CheckManifest, Method::HEAD, "manifests/1");
    const BLOB: (Step, Method, &str) = (Step::CheckBlob, Method::HEAD, "blobs/sha256:0");

    fn url(path: &str) -> Url {
        Url::parse(&format!("https://ghcr.io/v2/o/n/{path}")).expect("a test URL is valid")
    }

    #[test]
    fn what_was_there_before_is_not_new() {
        for (name, answers, expected) in [
            ("nothing was written", &[][..], false),
            ("written", &[POST], true),
            ("it had a tag", &[TAG, POST], false),
            ("it had a blob", &[BLOB, POST], false),
            ("what is there now may be this run's", &[POST, BLOB], true),
        ] {
            let packages = Packages::default();
            packages.expect_delay(&url(""));
            for (step, method, path) in answers {
                let request = Request::new(*step, method.clone(), url(path));
                let response = Response {
                    status: StatusCode::OK,
                    headers: HeaderMap::new(),
                    body: Bytes::new(),
                    url: url(path),
                };
                let untouched = packages.is_untouched(&request.url);
                packages.succeeded(&request, &response, untouched);
            }
            assert_eq!(packages.is_new(&url("manifests/2")), expected, "{name}");
            assert!(!packages.is_new(&url("../other/manifests/2")), "{name}");
            let elsewhere = Url::parse("https://registry.example/v2/o/n/manifests/2");
            let elsewhere = elsewhere.expect("a test URL is valid");
            let request = Request::new(Step::StartUpload, Method::POST, elsewhere.clone());
            packages.known().written.extend(repository_of(&elsewhere));
            assert!(!packages.is_new(&elsewhere), "{name}");
            assert!(packages.opens(&request).is_none(), "{name}");
        }
    }

    /// A question that was on its way when the first write succeeded is about the time before.
    #[test]
    fn a_late_answer_is_about_the_time_before() {
        let packages = Packages::default();
        for ((step, method, path), untouched) in [(POST, true), (BLOB, true)] {
            let request = Request::new(step, method, url(path));
            let response = Response {
                status: StatusCode::OK,
                headers: HeaderMap::new(),
                body: Bytes::new(),
                url: url(path),
            };
            packages.succeeded(&request, &response, untouched);
        }
        assert!(!packages.is_new(&url("manifests/2")));
    }
}
