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
}

/// A request's target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) route: Route,
    /// The repository, empty where there is none.
    pub(crate) repository: String,
    /// The digest, session or tag at the path's end, empty where there is none.
    pub(crate) last: String,
}

impl Target {
    /// Reads method, path and query.
    pub(crate) fn of(method: &Method, path: &str, query: &str) -> Self {
        let target = |route, repository: &str, last: &str| Self {
            route,
            repository: repository.to_owned(),
            last: last.to_owned(),
        };
        if path == "/token" {
            return target(Route::Token, "", "");
        }
        let Some(rest) = path.strip_prefix("/v2/") else {
            return target(Route::Other, "", "");
        };
        if rest.is_empty() {
            return target(Route::Base, "", "");
        }
        if let Some(repository) = rest.strip_suffix("/tags/list") {
            return target(Route::TagsList, repository, "");
        }
        if let Some(repository) = rest
            .strip_suffix("/blobs/uploads/")
            .or_else(|| rest.strip_suffix("/blobs/uploads"))
        {
            let route = match *method {
                Method::POST if query.contains("mount=") => Route::UploadMount,
                Method::POST => Route::UploadStart,
                _ => Route::Other,
            };
            return target(route, repository, "");
        }
        let Some((before, last)) = rest.rsplit_once('/') else {
            return target(Route::Other, rest, "");
        };
        let (repository, route) = if let Some(repository) = before.strip_suffix("/manifests") {
            (repository, manifest_route(method))
        } else if let Some(repository) = before
            .strip_suffix("/blobs/uploads")
            .or_else(|| before.strip_suffix("/blobs/upload"))
        {
            (repository, session_route(method))
        } else if let Some(repository) = before.strip_suffix("/blobs") {
            (repository, blob_route(method))
        } else {
            (rest, Route::Other)
        };
        target(route, repository, last)
    }
}

fn manifest_route(method: &Method) -> Route {
    match *method {
        Method::HEAD => Route::ManifestHead,
        Method::GET => Route::ManifestGet,
        Method::PUT => Route::ManifestPut,
        _ => Route::Other,
    }
}

fn session_route(method: &Method) -> Route {
    match *method {
        Method::PATCH => Route::UploadChunk,
        Method::PUT => Route::UploadCommit,
        Method::GET => Route::UploadStatus,
        Method::DELETE => Route::UploadCancel,
        _ => Route::Other,
    }
}

fn blob_route(method: &Method) -> Route {
    match *method {
        Method::HEAD => Route::BlobHead,
        Method::GET => Route::BlobGet,
        _ => Route::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets() {
        for (method, path, query, route, repository, last) in [
            (Method::GET, "/v2/", "", Route::Base, "", ""),
            (Method::GET, "/token", "scope=x", Route::Token, "", ""),
            (
                Method::HEAD,
                "/v2/o/a/b/blobs/sha256:1",
                "",
                Route::BlobHead,
                "o/a/b",
                "sha256:1",
            ),
            (
                Method::POST,
                "/v2/o/n/blobs/uploads/",
                "",
                Route::UploadStart,
                "o/n",
                "",
            ),
            (
                Method::POST,
                "/v2/o/n/blobs/uploads/",
                "mount=x&from=y",
                Route::UploadMount,
                "o/n",
                "",
            ),
            (
                Method::PATCH,
                "/v2/o/n/blobs/upload/14.a",
                "",
                Route::UploadChunk,
                "o/n",
                "14.a",
            ),
            (
                Method::PUT,
                "/v2/o/n/blobs/uploads/7",
                "digest=x",
                Route::UploadCommit,
                "o/n",
                "7",
            ),
            (
                Method::PUT,
                "/v2/o/manifests/n/manifests/1",
                "",
                Route::ManifestPut,
                "o/manifests/n",
                "1",
            ),
            (
                Method::GET,
                "/v2/o/n/tags/list",
                "",
                Route::TagsList,
                "o/n",
                "",
            ),
            (Method::GET, "/elsewhere", "", Route::Other, "", ""),
        ] {
            let target = Target::of(&method, path, query);
            assert_eq!(
                (
                    target.route,
                    target.repository.as_str(),
                    target.last.as_str()
                ),
                (route, repository, last),
                "{path}"
            );
        }
    }
}
