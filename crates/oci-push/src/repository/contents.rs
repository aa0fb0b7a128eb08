//! Whether there is anything in a repository: in one that does not exist no blob need be looked for.
//!
//! It is an economy and no more. A blob that is there all the same is sent in vain, and mounts are tried in any case.

use std::time::Duration;

use http::{Method, StatusCode};

use super::{Contents, Repository};
use crate::failure::Rejection;
use crate::request::{Request, Response, Transport};
use crate::step::Step;

/// How long the answer is waited for.
const PATIENCE: Duration = Duration::from_secs(5);

impl<T: Transport> Repository<T> {
    /// Asks for the tags, unless it is known already what the repository holds, or the registry is one that does not
    /// say. Whatever goes wrong with it is met again by whoever sends something.
    pub(crate) async fn look_for_contents(&self) {
        if self.learned.contents().is_some() || !self.profile.tells_unknown_names() {
            return;
        }
        let mut url = self.url("tags/list");
        url.set_query(Some("n=1"));
        let request = Request::new(Step::CheckManifest, Method::GET, url)
            .deadline(PATIENCE)
            .sent_once();
        if let Ok(response) = self.transport.send(&request).await {
            self.note_contents(&request, &response);
        }
    }

    /// Takes note of what an answer to a question for a tag, or for all, says of the repository.
    pub(super) fn note_contents(&self, request: &Request, response: &Response) {
        if let Some(contents) = told(request, response)
            && self.profile.tells_unknown_names()
        {
            self.learned.holds(contents);
        }
    }
}

/// What an answer says of the repository. Only a certain word says that there is none (distribution-spec, "Error codes"):
/// an unknown manifest may be one of many, and a 404 without words comes from anybody.
fn told(request: &Request, response: &Response) -> Option<Contents> {
    match response.status {
        StatusCode::OK => Some(Contents::Something),
        StatusCode::NOT_FOUND => {
            let rejection = Rejection::new(request, response);
            rejection.has_code("NAME_UNKNOWN").then_some(Contents::None)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::HeaderMap;
    use url::Url;

    use super::*;

    #[test]
    fn what_answers_say() {
        for (status, body, expected) in [
            (200, "", Some(Contents::Something)),
            (
                404,
                r#"{"errors":[{"code":"NAME_UNKNOWN","message":"repository name not known to registry"}]}"#,
                Some(Contents::None),
            ),
            (
                404,
                r#"{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}"#,
                None,
            ),
            (404, "", None),
            (404, "<html>NAME_UNKNOWN</html>", None),
            (
                403,
                r#"{"errors":[{"code":"NAME_UNKNOWN","message":""}]}"#,
                None,
            ),
        ] {
            let url = Url::parse("https://registry.example/v2/o/n/tags/list");
            let url = url.expect("a test URL is valid");
            let request = Request::new(Step::CheckManifest, Method::GET, url.clone());
            let response = Response {
                status: StatusCode::from_u16(status).expect("a status"),
                headers: HeaderMap::new(),
                body: Bytes::from_static(body.as_bytes()),
                url,
            };
            assert_eq!(told(&request, &response), expected, "{status} {body}");
        }
    }
}
