//! Text from servers, logs and files, made fit to stand in a sentence.
//!
//! A diagnosis quotes what others wrote. What could move a cursor, change a line's direction or begin
//! a new line becomes a visible escape before any rule sees it, so that no rule can forget to.

use std::fmt::Write as _;

use crate::context::{
    ActionsFacts, Context, Credential, CredentialFacts, Grants, Link, PackageFacts, TokenFacts,
};
use crate::evidence::{Evidence, Trouble};

/// Longer quotations help nobody; a proxy's page may have 64 `KiB`.
const LONGEST_QUOTE: usize = 600;

/// `text` in one line of harmless characters.
pub(crate) fn harmless(text: &str) -> String {
    let mut harmless = String::with_capacity(text.len());
    for character in text.chars() {
        if is_dangerous(character) {
            // Writing to a string cannot fail.
            let _ = write!(harmless, "\\u{{{:x}}}", u32::from(character));
        } else {
            harmless.push(character);
        }
    }
    harmless
}

/// The beginning of `text`, at most so many characters that a reader takes in.
pub(crate) fn excerpt(text: &str) -> String {
    match text.char_indices().nth(LONGEST_QUOTE) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_owned(),
    }
}

/// C0 and C1 controls, line and paragraph separators, and the characters that change the direction of
/// text (<https://www.unicode.org/reports/tr9/#Directional_Formatting_Characters>).
fn is_dangerous(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
        )
}

/// A value whose texts can be made harmless in place.
pub(crate) trait Neutral {
    /// Makes all texts harmless.
    fn neutralise(&mut self);
}

impl Neutral for String {
    fn neutralise(&mut self) {
        if self.chars().any(is_dangerous) {
            *self = harmless(self);
        }
    }
}

impl<T: Neutral> Neutral for Option<T> {
    fn neutralise(&mut self) {
        if let Some(value) = self {
            value.neutralise();
        }
    }
}

impl<T: Neutral> Neutral for Vec<T> {
    fn neutralise(&mut self) {
        self.iter_mut().for_each(Neutral::neutralise);
    }
}

impl<T> Neutral for (String, T) {
    fn neutralise(&mut self) {
        self.0.neutralise();
    }
}

impl Neutral for Evidence {
    fn neutralise(&mut self) {
        for text in [
            &mut self.method,
            &mut self.host,
            &mut self.url,
            &mut self.reference,
            &mut self.request_id,
            &mut self.body,
        ] {
            text.neutralise();
        }
        for error in &mut self.errors {
            error.code.neutralise();
            error.message.neutralise();
            error.detail.neutralise();
        }
        for (name, value) in &mut self.headers {
            name.neutralise();
            value.neutralise();
        }
        for candidate in &mut self.candidates {
            candidate.neutralise();
        }
        self.pushed_later.neutralise();
        self.pushed_before.neutralise();
        if let Some(Trouble::Elsewhere(place)) = &mut self.trouble {
            place.neutralise();
        }
    }
}

impl Neutral for CredentialFacts {
    fn neutralise(&mut self) {
        self.source.neutralise();
    }
}

impl Neutral for TokenFacts {
    fn neutralise(&mut self) {
        for text in [&mut self.login, &mut self.expires, &mut self.sso_url] {
            text.neutralise();
        }
        self.scopes.neutralise();
        self.repositories.neutralise();
    }
}

impl Neutral for PackageFacts {
    fn neutralise(&mut self) {
        self.visibility.neutralise();
        if let Link::Repository(repository) = &mut self.link {
            repository.neutralise();
        }
    }
}

impl Neutral for Grants {
    fn neutralise(&mut self) {
        if let Self::Scopes(scopes) = self {
            scopes.neutralise();
        }
    }
}

impl Neutral for ActionsFacts {
    fn neutralise(&mut self) {
        self.repository.neutralise();
        for text in [
            &mut self.workflow_file,
            &mut self.job,
            &mut self.event,
            &mut self.actor,
            &mut self.head_repository,
            &mut self.called_workflow,
            &mut self.called_job,
            &mut self.site,
        ] {
            text.neutralise();
        }
        if let Some(permissions) = &mut self.permissions {
            permissions.workflow.neutralise();
            permissions.job.neutralise();
        }
    }
}

impl Neutral for Context {
    fn neutralise(&mut self) {
        for text in [
            &mut self.reference,
            &mut self.owner,
            &mut self.package,
            &mut self.web_host,
        ] {
            text.neutralise();
        }
        if let Credential::Used(facts) = &mut self.credential {
            facts.neutralise();
        }
        self.token.neutralise();
        self.package_facts.neutralise();
        self.shadowed.neutralise();
        self.actions.neutralise();
        self.forced_source.neutralise();
        for texts in [
            &mut self.source_problems,
            &mut self.empty_variables,
            &mut self.searched,
            &mut self.proxy_variables,
            &mut self.probes,
        ] {
            texts.neutralise();
        }
    }
}
