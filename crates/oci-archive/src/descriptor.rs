//! Descriptors and platforms, as far as a push needs them. What is not here is kept all the same, since
//! manifests are pushed byte for byte.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize};

use crate::digest::Digest;

/// A reference to content (<https://github.com/opencontainers/image-spec/blob/main/descriptor.md>).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Descriptor {
    /// What the content is.
    pub media_type: String,
    /// The content's name.
    pub digest: Digest,
    /// The content's size in bytes. Within `i64`, as the specification has it.
    #[serde(deserialize_with = "size")]
    pub size: u64,
    /// What the image is made for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<Platform>,
    /// Notes on the content.
    #[serde(
        default,
        deserialize_with = "null_is_nothing",
        skip_serializing_if = "BTreeMap::is_empty"
    )]
    pub annotations: BTreeMap<String, String>,
    /// Where else the content may be had. Never fetched.
    #[serde(
        default,
        deserialize_with = "null_is_nothing",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub urls: Vec<String>,
    /// What kind of artifact the manifest describes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<String>,
}

impl Descriptor {
    /// A descriptor that says no more than what every one says.
    #[must_use]
    pub fn new(media_type: impl Into<String>, digest: Digest, size: u64) -> Self {
        Self {
            media_type: media_type.into(),
            digest,
            size,
            platform: None,
            annotations: BTreeMap::new(),
            urls: Vec::new(),
            artifact_type: None,
        }
    }

    /// An annotation's value.
    #[must_use]
    pub fn annotation(&self, key: &str) -> Option<&str> {
        self.annotations.get(key).map(String::as_str)
    }

    /// Its platform, if it says one.
    pub(crate) fn told_platform(&self) -> Option<&Platform> {
        self.platform.as_ref().filter(|one| !one.is_blank())
    }
}

/// Registries and clients keep sizes in an `i64`; what does not fit would mean different things to them.
fn size<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    let size = u64::deserialize(deserializer)?;
    if i64::try_from(size).is_err() {
        return Err(serde::de::Error::custom(format_args!(
            "size {size} is out of range"
        )));
    }
    Ok(size)
}

/// Go writes an absent map or list as `null`, and others an absent text.
fn null_is_nothing<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// A platform (<https://github.com/opencontainers/image-spec/blob/main/image-index.md>).
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize, Serialize)]
#[non_exhaustive]
pub struct Platform {
    /// The operating system, as Go names it.
    #[serde(default, deserialize_with = "null_is_nothing")]
    pub os: String,
    /// The processor architecture, as Go names it.
    #[serde(default, deserialize_with = "null_is_nothing")]
    pub architecture: String,
    /// The architecture's variant.
    #[serde(default, skip_serializing_if = "is_blank")]
    pub variant: Option<String>,
    /// The operating system's version.
    #[serde(default, rename = "os.version", skip_serializing_if = "is_blank")]
    pub os_version: Option<String>,
    /// What the image needs of the operating system.
    #[serde(
        default,
        rename = "os.features",
        deserialize_with = "null_is_nothing",
        skip_serializing_if = "Vec::is_empty"
    )]
    pub os_features: Vec<String>,
}

#[expect(clippy::ref_option, reason = "serde passes a reference to the field")]
fn is_blank(text: &Option<String>) -> bool {
    text.as_deref().unwrap_or_default().is_empty()
}

impl Platform {
    /// Whether this is a real platform. `BuildKit` marks attestations with `unknown/unknown`
    /// (<https://github.com/moby/buildkit/blob/master/docs/attestations/attestation-storage.md>), and an
    /// artifact's configuration names none.
    #[must_use]
    pub fn is_known(&self) -> bool {
        let is_known = |name: &str| !name.is_empty() && name != "unknown";
        is_known(&self.os) && is_known(&self.architecture)
    }

    /// Whether this says nothing. Exporters write a platform without any words where they know none.
    pub(crate) fn is_blank(&self) -> bool {
        self.os.is_empty() || self.architecture.is_empty()
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.os, self.architecture)?;
        match self.variant.as_deref() {
            Some(variant) if !variant.is_empty() => write!(formatter, "/{variant}"),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
