//! Which image of several is meant, where the platform tells; and for which platforms each of them is, where
//! nothing tells.

use std::collections::{BTreeMap, BTreeSet};

use crate::OpenOptions;
use crate::container::Container;
use crate::descriptor::{Descriptor, Platform};
use crate::digest::Digest;
use crate::document::{self, Written};
use crate::error::OpenError;
use crate::media_type;
use crate::select::{self, Candidate};
use crate::walk::{DEEPEST, configured_platform};

/// As many images as a message lists.
const TOLD: usize = 32;

/// The only image that has all platforms that are asked for, where nothing is selected, and the images' names
/// do not tell them apart.
pub(crate) fn by_platform<'a, T>(
    images: &'a [Candidate<T>],
    options: &OpenOptions,
    mut platforms_of: impl FnMut(&T) -> Result<Vec<Platform>, OpenError>,
) -> Result<Option<&'a Candidate<T>>, OpenError> {
    let is_open = options.select.is_none() && images.len() > 1;
    if !is_open || options.platforms.is_empty() || !are_named_alike(images) {
        return Ok(None);
    }
    let mut suitable = Vec::new();
    for image in images {
        let platforms = platforms_of(&image.target)?;
        let mut wanted = options.platforms.iter();
        if wanted.all(|wanted| platforms.iter().any(|one| wanted.matches(one))) {
            suitable.push(image);
        }
    }
    Ok(match suitable.as_slice() {
        [only] => Some(*only),
        _ => None,
    })
}

/// Chooses as [`select::choose`] does, and by the platform where [`by_platform`] can.
pub(crate) fn choose<'a, T>(
    images: &'a [Candidate<T>],
    others: &'a [Candidate<T>],
    options: &OpenOptions,
    mut platforms_of: impl FnMut(&T) -> Result<Vec<Platform>, OpenError>,
) -> Result<&'a Candidate<T>, OpenError> {
    if let Some(only) = by_platform(images, options, &mut platforms_of)? {
        return Ok(only);
    }
    select::choose(images, others, options.select.as_ref()).map_err(|error| match error {
        OpenError::Selection {
            reason,
            images: mut lines,
        } => {
            for ((position, image), line) in images.iter().enumerate().zip(&mut lines).take(TOLD) {
                let beginning = format!("@{position} {}", image.digest.short());
                let platforms = platforms_of(&image.target).unwrap_or_default();
                // Of what is no image by itself, the list may be another one.
                if line.starts_with(&beginning) && !platforms.is_empty() {
                    *line = format!("{line} ({})", list(&platforms));
                }
            }
            OpenError::Selection {
                reason,
                images: lines,
            }
        }
        other => other,
    })
}

fn are_named_alike<T>(images: &[Candidate<T>]) -> bool {
    let mut names = images.iter().map(|image| {
        let mut names: Vec<&String> = image.names.iter().collect();
        names.sort();
        names
    });
    let first = names.next();
    names.all(|names| Some(&names) == first.as_ref())
}

fn list(platforms: &[Platform]) -> String {
    let all: Vec<String> = platforms.iter().map(ToString::to_string).collect();
    all.join(", ")
}

/// Finds the platforms of what a layout lists.
pub(crate) struct Platforms<'a> {
    container: &'a Container,
    /// Of every manifest that was asked about; many indexes may list one.
    known: BTreeMap<Digest, Vec<Platform>>,
}

impl<'a> Platforms<'a> {
    pub(crate) fn new(container: &'a Container) -> Self {
        Self {
            container,
            known: BTreeMap::new(),
        }
    }

    /// The platforms of an image, or of all images in an index.
    pub(crate) fn of(&mut self, descriptor: &Descriptor) -> Result<Vec<Platform>, OpenError> {
        self.below(descriptor, 0)
    }

    fn below(&mut self, descriptor: &Descriptor, depth: usize) -> Result<Vec<Platform>, OpenError> {
        let is_index = media_type::is_index(&descriptor.media_type);
        if let Some(told) = descriptor.told_platform().filter(|_| !is_index) {
            return Ok(Some(told.clone())
                .filter(Platform::is_known)
                .into_iter()
                .collect());
        }
        if let Some(known) = self.known.get(&descriptor.digest) {
            return Ok(known.clone());
        }
        let nothing = Written::default();
        let mut platforms = Vec::new();
        if !is_index {
            let configured = configured_platform(self.container, &nothing, descriptor)?;
            platforms.extend(configured.filter(Platform::is_known));
        } else if depth < DEEPEST {
            let loaded = document::load(self.container, &nothing, descriptor)?;
            let document = loaded.and_then(|(_, document)| document);
            let mut seen = BTreeSet::new();
            for child in document.iter().flat_map(document::Document::manifests) {
                for platform in self.below(child, depth + 1)? {
                    if seen.insert(platform.clone()) {
                        platforms.push(platform);
                    }
                }
            }
        }
        self.known
            .insert(descriptor.digest.clone(), platforms.clone());
        Ok(platforms)
    }
}
