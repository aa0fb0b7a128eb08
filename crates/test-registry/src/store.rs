//! What the registry holds.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;

use bytes::Bytes;
use sha2::{Digest as _, Sha256, Sha512};

/// A stored manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredManifest {
    /// Its media type.
    pub media_type: String,
    /// Its digest.
    pub digest: String,
    /// Its bytes.
    pub bytes: Bytes,
}

/// All repositories.
#[derive(Debug, Default)]
pub(crate) struct Store {
    repositories: HashMap<String, Repository>,
    pub(crate) sessions: HashMap<String, Session>,
    next_session: u64,
}

#[derive(Debug, Default)]
struct Repository {
    /// Sizes, and bytes unless they are discarded.
    blobs: HashMap<String, (u64, Option<Bytes>)>,
    manifests: HashMap<String, StoredManifest>,
    tags: BTreeMap<String, String>,
}

/// An open upload session.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) repository: String,
    pub(crate) content: Content,
    /// The length after the first chunk, 0 before it.
    pub(crate) first_chunk: u64,
    /// Changes with every answer where the address carries state.
    pub(crate) state: u64,
    /// The length that was told with the present state.
    pub(crate) acknowledged: u64,
}

/// What a session has received.
#[derive(Debug)]
pub(crate) enum Content {
    Kept(Vec<u8>),
    Discarded { hasher: Box<Sha256>, length: u64 },
}

impl Content {
    pub(crate) fn new(discard: bool) -> Self {
        if discard {
            Self::Discarded {
                hasher: Box::default(),
                length: 0,
            }
        } else {
            Self::Kept(Vec::new())
        }
    }

    pub(crate) fn push(&mut self, bytes: &[u8]) {
        match self {
            Self::Kept(content) => content.extend_from_slice(bytes),
            Self::Discarded { hasher, length } => {
                hasher.update(bytes);
                *length += bytes.len() as u64;
            }
        }
    }

    pub(crate) fn len(&self) -> u64 {
        match self {
            Self::Kept(content) => content.len() as u64,
            Self::Discarded { length, .. } => *length,
        }
    }

    /// Whether the content has this digest. What is discarded is hashed with SHA-256 only.
    pub(crate) fn has_digest(&self, digest: &str) -> bool {
        match self {
            Self::Kept(content) => digest_like(digest, content).as_deref() == Some(digest),
            Self::Discarded { hasher, .. } => {
                format!("sha256:{}", hex(&hasher.clone().finalize())) == digest
            }
        }
    }
}

impl Store {
    /// Opens a session and returns its identifier.
    pub(crate) fn open_session(&mut self, repository: &str, discard: bool) -> String {
        self.next_session += 1;
        let identifier = format!("14.{:08x}-0000-4000-8000-000000000000", self.next_session);
        self.sessions.insert(
            identifier.clone(),
            Session {
                repository: repository.to_owned(),
                content: Content::new(discard),
                first_chunk: 0,
                state: 0,
                acknowledged: 0,
            },
        );
        identifier
    }

    /// Forgets what a session has received.
    pub(crate) fn restart(&mut self, identifier: &str) {
        if let Some(session) = self.sessions.get_mut(identifier) {
            let discards = matches!(session.content, Content::Discarded { .. });
            session.content = Content::new(discards);
        }
    }

    /// Closes a session and keeps its content as a blob.
    pub(crate) fn commit(&mut self, identifier: &str, digest: &str) {
        if let Some(session) = self.sessions.remove(identifier) {
            let length = session.content.len();
            let bytes = match session.content {
                Content::Kept(bytes) => Some(Bytes::from(bytes)),
                Content::Discarded { .. } => None,
            };
            let repository = self.repositories.entry(session.repository).or_default();
            repository.blobs.insert(digest.to_owned(), (length, bytes));
        }
    }

    pub(crate) fn blob_size(&self, repository: &str, digest: &str) -> Option<u64> {
        let (length, _) = self.repositories.get(repository)?.blobs.get(digest)?;
        Some(*length)
    }

    pub(crate) fn blob(&self, repository: &str, digest: &str) -> Option<Bytes> {
        self.repositories
            .get(repository)?
            .blobs
            .get(digest)?
            .1
            .clone()
    }

    pub(crate) fn put_blob(&mut self, repository: &str, bytes: Bytes) -> String {
        let digest = format!("sha256:{}", hex(&Sha256::digest(&bytes)));
        let repository = self.repositories.entry(repository.to_owned()).or_default();
        repository
            .blobs
            .insert(digest.clone(), (bytes.len() as u64, Some(bytes)));
        digest
    }

    /// Makes a blob of one repository a blob of another; `false` if there is no such blob.
    pub(crate) fn mount(&mut self, from: &str, to: &str, digest: &str) -> bool {
        let blob = self
            .repositories
            .get(from)
            .and_then(|from| from.blobs.get(digest))
            .cloned();
        let Some(blob) = blob else { return false };
        let to = self.repositories.entry(to.to_owned()).or_default();
        to.blobs.insert(digest.to_owned(), blob);
        true
    }

    pub(crate) fn manifest(&self, repository: &str, reference: &str) -> Option<StoredManifest> {
        let repository = self.repositories.get(repository)?;
        let digest = repository
            .tags
            .get(reference)
            .map_or(reference, String::as_str);
        repository.manifests.get(digest).cloned()
    }

    pub(crate) fn put_manifest(
        &mut self,
        repository: &str,
        tag: Option<&str>,
        manifest: StoredManifest,
    ) {
        let repository = self.repositories.entry(repository.to_owned()).or_default();
        if let Some(tag) = tag {
            repository
                .tags
                .insert(tag.to_owned(), manifest.digest.clone());
        }
        repository
            .manifests
            .insert(manifest.digest.clone(), manifest);
    }

    pub(crate) fn tags(&self, repository: &str) -> Vec<String> {
        let tags = self
            .repositories
            .get(repository)
            .map(|repository| &repository.tags);
        tags.into_iter()
            .flat_map(|tags| tags.keys().cloned())
            .collect()
    }

    pub(crate) fn has_repository(&self, repository: &str) -> bool {
        self.repositories.contains_key(repository)
    }
}

/// The digest of `bytes` by the algorithm that `like` names, `None` if that is unknown.
pub(crate) fn digest_like(like: &str, bytes: &[u8]) -> Option<String> {
    match like.split_once(':')?.0 {
        "sha256" => Some(format!("sha256:{}", hex(&Sha256::digest(bytes)))),
        "sha512" => Some(format!("sha512:{}", hex(&Sha512::digest(bytes)))),
        _ => None,
    }
}

/// Whether this is a digest in the only form that is accepted.
pub(crate) fn is_digest(text: &str) -> bool {
    let length = match text.split_once(':') {
        Some(("sha256", hex)) => (hex.len() == 64).then_some(hex),
        Some(("sha512", hex)) => (hex.len() == 128).then_some(hex),
        _ => None,
    };
    length.is_some_and(|hex| {
        hex.bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    })
}

/// Bytes in lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
