//! Where a request went: host, owner and package out of a URL or a reference.

/// A repository at a registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) host: String,
    /// All components of the repository's name.
    pub(crate) repository: String,
}

impl Place {
    /// Of a reference, `host/owner/name:tag@digest`. The host must look like one: it has a dot or a
    /// port, or is `localhost`.
    pub(crate) fn of_reference(reference: &str) -> Option<Self> {
        let (host, rest) = reference.split_once('/')?;
        if !(host.contains(['.', ':']) || host == "localhost") {
            return None;
        }
        let name = rest.split('@').next().unwrap_or(rest);
        let start = name.rfind('/').map_or(0, |slash| slash + 1);
        let name = match name[start..].find(':') {
            Some(colon) => &name[..start + colon],
            None => name,
        };
        Some(Self {
            host: host.to_lowercase(),
            repository: name.to_lowercase(),
        })
    }

    /// Of a URL below `/v2/`, or of a token service's with its `scope`.
    pub(crate) fn of_url(url: &str) -> Option<Self> {
        let rest = url.split_once("://")?.1;
        let (host, path) = rest.split_once('/')?;
        let repository = match path.strip_prefix("v2/") {
            Some(path) => repository_of_path(path)?,
            None => repository_of_scope(path)?,
        };
        Some(Self {
            host: host.to_lowercase(),
            repository,
        })
    }

    /// The first component and the rest. A name of one component has no owner.
    pub(crate) fn owner_and_package(&self) -> (&str, &str) {
        self.repository
            .split_once('/')
            .unwrap_or(("", &self.repository))
    }
}

/// The repository in `owner/name/blobs/uploads/`.
pub(crate) fn repository_of_path(path: &str) -> Option<String> {
    let path = path.split(['?', '#']).next().unwrap_or(path);
    let end = ["/blobs/", "/manifests/", "/tags/", "/referrers/"]
        .iter()
        .filter_map(|part| path.rfind(part))
        // The last one: a tag or a digest has no slash, while a repository may be named like one of the parts.
        .max()?;
    let name = path[..end].trim_matches('/');
    (!name.is_empty()).then(|| name.to_lowercase())
}

/// The repository in `token?scope=repository%3Aowner%2Fname%3Apull`. Several scopes may be asked for; the
/// last one that names a repository is the push's.
fn repository_of_scope(path: &str) -> Option<String> {
    scopes(path)
        .filter(|(name, _)| name != PLACEHOLDER)
        .map(|(name, _)| name)
        .last()
}

/// The repository that ghcr.io names in its challenge where none was asked for
/// (<https://github.com/cloudflare/serverless-registry/issues/148>).
const PLACEHOLDER: &str = "user/image";

/// Whether a URL of a token service asks for a right to the repository that only stands for one.
pub(crate) fn asks_for_placeholder(url: &str) -> bool {
    scopes(url).any(|(name, _)| name == PLACEHOLDER)
}

/// Whether a URL of a token service asks for the right to push, if it asks for any.
pub(crate) fn asks_to_push(url: &str) -> Option<bool> {
    let mut actions = scopes(url).map(|(_, actions)| actions).peekable();
    actions.peek()?;
    Some(actions.any(|actions| actions.split(',').any(|action| action == "push")))
}

/// The repositories of a query's scopes, each with the actions that are asked for.
fn scopes(url: &str) -> impl Iterator<Item = (String, String)> {
    let query = url.split_once('?').map_or("", |(_, query)| query);
    let scopes = query
        .split('&')
        .filter_map(|pair| pair.strip_prefix("scope="));
    scopes.filter_map(|scope| {
        let scope = decoded(scope);
        let (name, actions) = scope.strip_prefix("repository:")?.rsplit_once(':')?;
        (!name.is_empty()).then(|| (name.to_lowercase(), actions.to_owned()))
    })
}

/// The percent-encodings that occur in a scope, undone.
fn decoded(text: &str) -> String {
    text.replace("%3A", ":")
        .replace("%3a", ":")
        .replace("%2F", "/")
        .replace("%2f", "/")
        .replace("%2C", ",")
        .replace("%2c", ",")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(place: Option<Place>) -> Option<(String, String)> {
        place.map(|place| (place.host, place.repository))
    }

    #[test]
    fn references() {
        for (reference, expected) in [
            ("ghcr.io/owner/app:1", Some(("ghcr.io", "owner/app"))),
            (
                "ghcr.io/Owner/a/b@sha256:00",
                Some(("ghcr.io", "owner/a/b")),
            ),
            ("localhost:5000/a:b", Some(("localhost:5000", "a"))),
            ("owner/app", None),
            ("ghcr.io", None),
        ] {
            let expected = expected.map(|(a, b)| (a.to_owned(), b.to_owned()));
            assert_eq!(named(Place::of_reference(reference)), expected);
        }
    }

    #[test]
    fn actions() {
        for (url, pushes) in [
            (
                "https://ghcr.io/token?scope=repository%3Aa%2Fb%3Apull&service=ghcr.io",
                Some(false),
            ),
            (
                "https://ghcr.io/token?scope=repository:a/b:pull%2Cpush",
                Some(true),
            ),
            ("https://ghcr.io/token?service=ghcr.io", None),
            ("https://ghcr.io/v2/a/b/manifests/1", None),
        ] {
            assert_eq!(asks_to_push(url), pushes, "{url}");
        }
        assert!(asks_for_placeholder(
            "https://ghcr.io/token?scope=repository%3Auser%2Fimage%3Apull"
        ));
    }

    #[test]
    fn urls() {
        for (url, expected) in [
            (
                "https://ghcr.io/v2/owner/app/blobs/uploads/",
                Some(("ghcr.io", "owner/app")),
            ),
            (
                "https://ghcr.io/v2/tenant/blobs/sha256:00",
                Some(("ghcr.io", "tenant")),
            ),
            (
                "https://ghcr.io/token?scope=repository%3Achainguard-dev%2Fapko%3Apull&service=ghcr.io",
                Some(("ghcr.io", "chainguard-dev/apko")),
            ),
            (
                "https://ghcr.io/token?scope=repository%3Aa%2Fb%3Apull&scope=repository%3Auser%2Fimage%3Apull",
                Some(("ghcr.io", "a/b")),
            ),
            (
                "https://ghcr.io/v2/owner/manifests/app/blobs/sha256:00",
                Some(("ghcr.io", "owner/manifests/app")),
            ),
            ("https://ghcr.io/v2/", None),
            ("https://ghcr.io/", None),
            ("ghcr.io", None),
        ] {
            let expected = expected.map(|(a, b)| (a.to_owned(), b.to_owned()));
            assert_eq!(named(Place::of_url(url)), expected, "{url}");
        }
    }
}
