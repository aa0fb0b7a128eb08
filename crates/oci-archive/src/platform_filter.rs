//! Platforms as people ask for them.

use std::fmt;
use std::str::FromStr;

use crate::descriptor::Platform;

/// A platform that is asked for: `os/architecture[/variant]`. Without a variant it stands for all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlatformFilter {
    os: String,
    architecture: String,
    variant: Option<String>,
}

/// Why a text is no platform.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a platform is written os/architecture[/variant], such as linux/amd64 or linux/arm/v7")]
pub struct PlatformError;

impl PlatformFilter {
    /// Whether `platform` is meant.
    #[must_use]
    pub fn matches(&self, platform: &Platform) -> bool {
        let (architecture, variant) = normalized(
            &platform.architecture,
            platform.variant.as_deref().unwrap_or_default(),
        );
        self.os == platform.os.to_lowercase()
            && self.architecture == architecture
            && self
                .variant
                .as_ref()
                .is_none_or(|wanted| *wanted == variant)
    }
}

impl FromStr for PlatformFilter {
    type Err = PlatformError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut parts = text.trim().split('/');
        let mut part = || parts.next().map(str::to_lowercase);
        let (os, architecture, variant) = (part(), part(), part());
        let (Some(os), Some(architecture), None) = (os, architecture, part()) else {
            return Err(PlatformError);
        };
        let is_word = |text: &String| {
            let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
            !text.is_empty() && text.bytes().all(is_allowed)
        };
        if ![Some(&os), Some(&architecture), variant.as_ref()]
            .into_iter()
            .flatten()
            .all(is_word)
        {
            return Err(PlatformError);
        }
        let (architecture, implied) =
            normalized(&architecture, variant.as_deref().unwrap_or_default());
        Ok(Self {
            os,
            architecture,
            variant: variant.map(|_| implied),
        })
    }
}

/// One spelling for each architecture, with the variant that is meant where none is named
/// (<https://github.com/containerd/platforms/blob/main/database.go>).
fn normalized(architecture: &str, variant: &str) -> (String, String) {
    let (architecture, variant) = (architecture.to_lowercase(), variant.to_lowercase());
    let (architecture, variant) = match (architecture.as_str(), variant.as_str()) {
        ("x86_64" | "x86-64" | "amd64", "" | "v1") => ("amd64", "v1"),
        ("x86_64" | "x86-64", variant) => ("amd64", variant),
        ("aarch64" | "arm64", "" | "8" | "v8" | "v8.0") => ("arm64", "v8"),
        ("aarch64", variant) => ("arm64", variant),
        ("armhf", _) | ("arm", "" | "7") => ("arm", "v7"),
        ("armel", _) | ("arm", "6") => ("arm", "v6"),
        ("arm", "5") => ("arm", "v5"),
        ("i386" | "i486" | "i586" | "i686", _) => ("386", ""),
        (architecture, variant) => (architecture, variant),
    };
    (architecture.to_owned(), variant.to_owned())
}

/// What two platforms are compared by: whether a client would take one for the other.
pub(crate) fn key(platform: &Platform) -> (String, String, String, String, Vec<String>) {
    let (architecture, variant) = normalized(
        &platform.architecture,
        platform.variant.as_deref().unwrap_or_default(),
    );
    let version = platform.os_version.clone().unwrap_or_default();
    let os = platform.os.to_lowercase();
    (
        os,
        architecture,
        variant,
        version,
        platform.os_features.clone(),
    )
}

impl fmt::Display for PlatformFilter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.os, self.architecture)?;
        match &self.variant {
            Some(variant) => write!(formatter, "/{variant}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matching() {
        for (filter, platform, expected) in [
            ("linux/amd64", "linux/amd64", true),
            ("linux/amd64", "linux/amd64/v3", true),
            ("linux/amd64/v1", "linux/amd64", true),
            ("linux/amd64/v3", "linux/amd64", false),
            ("linux/x86_64", "linux/amd64", true),
            ("linux/arm64", "linux/arm64/v8", true),
            ("linux/arm64/v8", "linux/arm64", true),
            ("linux/aarch64", "linux/arm64", true),
            ("linux/arm", "linux/arm/v6", true),
            ("linux/arm/v7", "linux/arm", true),
            ("linux/arm/v7", "linux/arm/v6", false),
            ("Linux/AMD64", "linux/amd64", true),
            ("windows/amd64", "linux/amd64", false),
        ] {
            let (os, rest) = platform.split_once('/').expect("two parts");
            let (architecture, variant) = rest.split_once('/').unwrap_or((rest, ""));
            let platform = Platform {
                os: os.to_owned(),
                architecture: architecture.to_owned(),
                variant: Some(variant.to_owned()),
                ..Platform::default()
            };
            let filter: PlatformFilter = filter.parse().expect("a platform");
            assert_eq!(filter.matches(&platform), expected, "{filter} {platform}");
        }
    }

    #[test]
    fn what_is_no_platform() {
        for text in [
            "",
            "linux",
            "linux/",
            "/amd64",
            "linux/a/b/c",
            "linux/a b",
            "linux/amd64/",
        ] {
            assert_eq!(text.parse::<PlatformFilter>(), Err(PlatformError), "{text}");
        }
    }
}
