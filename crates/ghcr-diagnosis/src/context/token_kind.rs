//! What kind of token a credential is, told by how it begins.

/// A GitHub token's kind, told by its prefix
/// (<https://docs.github.com/en/authentication/keeping-your-account-and-data-secure/about-authentication-to-github#githubs-token-formats>).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum TokenKind {
    /// `ghp_`, or 40 hexadecimal digits before 2021.
    ClassicPersonal,
    /// `github_pat_`.
    FineGrainedPersonal,
    /// `gho_`: an OAuth application's, such as the `gh` command's.
    OAuth,
    /// `ghu_`: a GitHub App's, acting for a user.
    AppUser,
    /// `ghs_`: an installation's. The `GITHUB_TOKEN` of a workflow is one; so are other Apps' tokens.
    Installation,
    /// `ghr_`: good for nothing but getting another token.
    Refresh,
    /// An identity token, which a login got in exchange for the password; no prefix tells it.
    Identity,
    /// A password, or a token of another site.
    Unknown,
}

impl TokenKind {
    /// Tells the kind of `secret` by its prefix. Lengths say nothing: installation tokens grew from 40
    /// to about 520 characters in 2026 (<https://github.com/github/gh-aw/issues/35016>).
    #[must_use]
    pub fn of(secret: &str) -> Self {
        const PREFIXES: [(&str, TokenKind); 6] = [
            ("ghp_", TokenKind::ClassicPersonal),
            ("github_pat_", TokenKind::FineGrainedPersonal),
            ("gho_", TokenKind::OAuth),
            ("ghu_", TokenKind::AppUser),
            ("ghs_", TokenKind::Installation),
            ("ghr_", TokenKind::Refresh),
        ];
        let by_prefix = PREFIXES
            .into_iter()
            .find_map(|(prefix, kind)| secret.starts_with(prefix).then_some(kind));
        let is_old = secret.len() == 40 && secret.bytes().all(|byte| byte.is_ascii_hexdigit());
        by_prefix.unwrap_or(if is_old {
            Self::ClassicPersonal
        } else {
            Self::Unknown
        })
    }

    /// The kind in words, to stand in parentheses.
    #[must_use]
    pub fn describe(self) -> &'static str {
        match self {
            Self::ClassicPersonal => "classic personal access token",
            Self::FineGrainedPersonal => "fine-grained personal access token",
            Self::OAuth => "OAuth token, as gh issues them",
            Self::AppUser => "GitHub App user token",
            Self::Installation => "installation token, as GITHUB_TOKEN is",
            Self::Refresh => "refresh token",
            Self::Identity => "identity token",
            Self::Unknown => "kind not recognised",
        }
    }

    /// Whether the token stands for a person rather than for a workflow or an App.
    pub(crate) fn is_personal(self) -> bool {
        matches!(
            self,
            Self::ClassicPersonal | Self::FineGrainedPersonal | Self::OAuth | Self::AppUser
        )
    }
}
