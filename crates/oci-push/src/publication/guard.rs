//! `no_clobber`: no tag that names something else is moved.

use oci_archive::Digest;
use oci_client::Reference;

use super::Publication;
use crate::failure::Failure;
use crate::repository::{Named, tag_of};

impl Publication<'_> {
    /// Holds `no_clobber`: no tag names anything but `root`.
    ///
    /// # Errors
    ///
    /// [`Failure::Exists`] of the first that does; also if the registry does not answer what a tag names.
    pub(crate) async fn spare_others(
        &self,
        before: &[Named],
        root: Option<&Digest>,
    ) -> Result<(), Failure> {
        if !self.options.no_clobber {
            return Ok(());
        }
        for (reference, previous) in self.references.iter().zip(before) {
            let named = self.surely_named(reference, previous).await?;
            if let Some(found) = other_than(&named, root) {
                return Err(exists(reference, found));
            }
        }
        Ok(())
    }

    /// What each tag names, as surely as `no_clobber` has to know it; without the option just what was found before.
    ///
    /// # Errors
    ///
    /// If the registry does not answer what a tag names.
    pub(crate) async fn guarded(&self, before: Vec<Named>) -> Result<Vec<Named>, Failure> {
        if !self.options.no_clobber {
            return Ok(before);
        }
        let mut named = Vec::with_capacity(before.len());
        for (reference, previous) in self.references.iter().zip(&before) {
            named.push(self.surely_named(reference, previous).await?);
        }
        Ok(named)
    }

    /// Why `no_clobber` lets nothing be pushed, by what the tags surely name.
    pub(crate) fn clobbered(&self, named: &[Named], root: Option<&Digest>) -> Option<Failure> {
        if !self.options.no_clobber {
            return None;
        }
        let mut references = self.references.iter().zip(named);
        references.find_map(|(reference, named)| Some(exists(reference, other_than(named, root)?)))
    }

    /// What a tag names. Where the answer to a HEAD was no statement, the tag itself is asked for.
    async fn surely_named(
        &self,
        reference: &Reference,
        previous: &Named,
    ) -> Result<Named, Failure> {
        if previous.digest().is_some() {
            return Ok(previous.clone());
        }
        let tagged = self.repository.tagged(tag_of(reference)).await?;
        Ok(tagged.map_or(Named::Nothing, |manifest| Named::Manifest(manifest.digest)))
    }
}

fn other_than<'a>(named: &'a Named, root: Option<&Digest>) -> Option<&'a Digest> {
    named.digest().filter(|found| Some(*found) != root)
}

fn exists(reference: &Reference, found: &Digest) -> Failure {
    Failure::Exists {
        reference: reference.to_string(),
        found: found.clone(),
    }
}
