//! Whether an archive holds something as a whole. Exporters leave out what they do not have, and some leave
//! an empty file in its place.

use std::collections::BTreeSet;

use crate::container::Container;
use crate::descriptor::Descriptor;
use crate::digest::Digest;
use crate::document::{self, Written};
use crate::error::OpenError;
use crate::source::BlobSource;
use crate::walk::{DEEPEST, may_be_absent};

/// Whether the bytes found can be what `descriptor` describes, and are not just a file without any.
pub(crate) fn is_left_empty(descriptor: &Descriptor, length: u64) -> bool {
    length == 0 && descriptor.size > 0
}

/// A blob, if it is there.
pub(crate) fn blob(
    container: &Container,
    descriptor: &Descriptor,
) -> Result<Option<BlobSource>, OpenError> {
    let source = container.blob(&descriptor.digest)?;
    Ok(source.filter(|source| !is_left_empty(descriptor, source.len())))
}

/// Whether a manifest and everything that it names is in the archive.
pub(crate) fn is_whole(
    container: &Container,
    written: &Written,
    descriptor: &Descriptor,
) -> Result<bool, OpenError> {
    all_of(container, written, descriptor, 0, &mut BTreeSet::new())
}

fn all_of(
    container: &Container,
    written: &Written,
    descriptor: &Descriptor,
    depth: usize,
    seen: &mut BTreeSet<Digest>,
) -> Result<bool, OpenError> {
    // One that is listed again is whole, or nobody would look any further.
    if !seen.insert(descriptor.digest.clone()) {
        return Ok(true);
    }
    let Some((_, document)) = document::load(container, written, descriptor)? else {
        return Ok(false);
    };
    let Some(document) = document else {
        return Ok(true);
    };
    for named in document.config.iter().chain(document.layers()) {
        if blob(container, named)?.is_none() && !may_be_absent(named) {
            return Ok(false);
        }
    }
    // What is nested deeper is refused where it is visited.
    if depth < DEEPEST {
        for child in document.manifests() {
            if !all_of(container, written, child, depth + 1, seen)? {
                return Ok(false);
            }
        }
    }
    Ok(true)
}
