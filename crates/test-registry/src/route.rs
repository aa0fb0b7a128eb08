//! What a request is for, told by its method and path. Repository names hold slashes, so the path is
//! read from its tail.

use http::Method;

/// A kind of request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Route {
    /// `GET /v2/`.
    Base,
    /// The token service.
    Token,
    /// HEAD of a blob.
    BlobHead,
    /// GET of a blob.
    BlobGet,
    /// POST that opens an upload session.
    UploadStart,
    /// POST that mounts a blob from another repository.
    UploadMount,
    /// PATCH of a session.
    UploadChunk,
    /// GET of a session.
    UploadStatus,
    /// PUT of a session.
    UploadCommit,
    /// DELETE of a session.
    UploadCancel,
    /// HEAD of a manifest.
    ManifestHead,
    /// GET of a manifest.
    ManifestGet,
    /// PUT of a manifest.
    ManifestPut,
    /// The list of tags.
    TagsList,
    /// A resource that there is, by a method that it does not have.
    WrongMethod,
    /// Anything else.
    Other,
}

impl Route {
    /// Whether the request changes the registry.
    #[must_use]
    pub fn is_mutating(self) -> bool {
        matches!(
            self,
            Self::UploadStart
                | Self::UploadMount
                | Self::UploadChunk
                | Self::UploadCommit
                | Self::UploadCancel
                | Self::ManifestPut
        )
    }

    /// Whether the registry reads a body.
    pub(crate) fn has_body(self) -> bool {
        matches!(
            self,
            Self::UploadChunk | Self::UploadCommit | Self::ManifestPut
        )
    }
}

/// A request's target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) route: Route,
    /// The repository, empty where there is none.
    pub(crate) repository: String,
    /// The digest, session or tag at the path's end, empty where there is none.
    pub(crate) last: String,
    /// The methods that the resource has, as they stand in `Allow`; empty where there is none.
    pub(crate) allowed: &'static str,
}

/// A kind of resource: its methods as they stand in `Allow`, and what each is for.
type Resource = (&'static str, &'static [(Method, Route)]);

const TOKEN: Resource = ("GET", &[(Method::GET, Route::Token)]);

const TAGS: Resource = ("GET", &[(Method::GET, Route::TagsList)]);

const MANIFEST: Resource = (
    "GET, HEAD, PUT",
    &[
        (Method::HEAD, Route::ManifestHead),
        (Method::GET, Route::ManifestGet),
        (Method::PUT, Route::ManifestPut),
    ],
);

const SESSION: Resource = (
    "DELETE, GET, PATCH, PUT",
    &[
        (Method::PATCH, Route::UploadChunk),
        (Method::PUT, Route::UploadCommit),
        (Method::GET, Route::UploadStatus),
        (Method::DELETE, Route::UploadCancel),
    ],
);

const BLOB: Resource = (
    "GET, HEAD",
    &[
        (Method::HEAD, Route::BlobHead),
        (Method::GET, Route::BlobGet),
    ],
);

impl Target {
    /// Reads method, path and query.
    pub(crate) fn of(method: &Method, path: &str, query: &str) -> Self {
        Self::known(method, path, query).unwrap_or_else(|| Self::new(Route::Other, "", ""))
    }

    fn known(method: &Method, path: &str, query: &str) -> Option<Self> {
        if path == "/token" {
            return Some(Self::at(TOKEN, method, "", ""));
        }
        let rest = path.strip_prefix("/v2/")?;
        if rest.is_empty() {
            return Some(Self::new(Route::Base, "", ""));
        }
        let (before, last) = rest.rsplit_once('/')?;
        let (repository, kind) = before.rsplit_once('/')?;
        let target = match (kind, last) {
            ("tags", "list") => Self::at(TAGS, method, repository, ""),
            ("uploads", "") => {
                // A list of sessions is no resource, as with Distribution.
                let route = match *method {
                    Method::POST if query.contains("mount=") => Route::UploadMount,
                    Method::POST => Route::UploadStart,
                    _ => return None,
                };
                Self::new(route, repository.strip_suffix("/blobs")?, "")
            }
            ("uploads" | "upload", session) => {
                let repository = repository.strip_suffix("/blobs")?;
                Self::at(SESSION, method, repository, session)
            }
            ("manifests", reference) => Self::at(MANIFEST, method, repository, reference),
            ("blobs", digest) if digest.contains(':') => Self::at(BLOB, method, repository, digest),
            _ => return None,
        };
        is_name(&target.repository).then_some(target)
    }

    fn new(route: Route, repository: &str, last: &str) -> Self {
        Self {
            route,
            repository: repository.to_owned(),
            last: last.to_owned(),
            allowed: "",
        }
    }

    fn at((allowed, routes): Resource, method: &Method, repository: &str, last: &str) -> Self {
        let route = routes.iter().find(|(known, _)| known == method);
        Self {
            allowed,
            ..Self::new(
                route.map_or(Route::WrongMethod, |(_, route)| *route),
                repository,
                last,
            )
        }
    }
}

/// Whether this is a repository's name: components of lower-case letters and digits, with single
/// separators between them, at most 255 bytes in all as Distribution has it
/// (<https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pulling-manifests>).
fn is_name(text: &str) -> bool {
    text.len() <= 255 && text.split('/').all(is_component)
}

fn is_component(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = text.as_bytes();
    let ends_are_plain = [bytes.first(), bytes.last()]
        .into_iter()
        .all(|byte| byte.is_some_and(|byte| is_plain(*byte)));
    let separators = text.split(|character: char| u8::try_from(character).is_ok_and(is_plain));
    ends_are_plain
        && separators.into_iter().all(|separator| {
            matches!(separator, "" | "." | "_" | "__") || separator.bytes().all(|byte| byte == b'-')
        })
}

#[cfg(test)]
mod tests;
