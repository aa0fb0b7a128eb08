//! The order of a push of several references: repository by repository.

use oci_client::Reference;

use crate::failure::Failure;

/// The repositories of a push, one after the other. One that fails keeps no other from being tried, unless they
/// are on the same registry and that is out of reach.
#[derive(Default)]
pub(super) struct Walk<'a> {
    /// A reference in each repository that has the image.
    pub(super) done: Vec<&'a Reference>,
    /// The first failure.
    pub(super) failed: Option<Failure>,
    /// Registries that are out of reach.
    lost: Vec<&'a str>,
    /// What is wrong is wrong everywhere.
    is_over: bool,
}

impl<'a> Walk<'a> {
    pub(super) fn may_try(&self, group: &[&'a Reference]) -> bool {
        let registry = group.first().map(|reference| reference.registry());
        !self.is_over && registry.is_none_or(|registry| !self.lost.contains(&registry))
    }

    pub(super) fn take(&mut self, group: &[&'a Reference], outcome: Result<(), Failure>) {
        let Err(failure) = outcome else {
            self.done.extend(group.first().copied());
            return;
        };
        if is_out_of_reach(&failure) {
            self.lost
                .extend(group.first().map(|reference| reference.registry()));
        }
        let is_of_registry = matches!(
            failure.last(),
            Failure::Rejected(_)
                | Failure::Unanswered(_)
                | Failure::Violation(_)
                | Failure::Exists { .. }
                | Failure::NotPublished { .. }
                | Failure::Unverified { .. }
        );
        self.is_over |= !is_of_registry;
        self.failed.get_or_insert(failure);
    }
}

/// Whether a registry that ends a push like that is not asked for another repository: it is no answer, or one that all
/// its repositories would meet.
fn is_out_of_reach(failure: &Failure) -> bool {
    match failure.last() {
        Failure::Rejected(rejection) => {
            !rejection.status.is_client_error() || rejection.is_rate_limit()
        }
        Failure::Exists { .. } | Failure::NotPublished { .. } => false,
        Failure::Unverified { error, .. } => error.downcast_ref().is_none_or(is_out_of_reach),
        _ => true,
    }
}

/// The other repositories of a registry's that are named, each once.
pub(super) fn sources<'a>(
    own: &Reference,
    named: impl Iterator<Item = &'a Reference>,
) -> Vec<String> {
    let mut sources: Vec<String> = Vec::new();
    for source in named {
        let is_other = source.resolve_registry() == own.resolve_registry()
            && source.repository() != own.repository();
        if is_other && !sources.iter().any(|known| known == source.repository()) {
            sources.push(source.repository().to_owned());
        }
    }
    sources
}

/// References grouped by repository, in the order in which the repositories were first named.
pub(super) fn by_repository(references: &[Reference]) -> Vec<Vec<&Reference>> {
    let mut groups: Vec<Vec<&Reference>> = Vec::new();
    for reference in references {
        let same = |group: &&mut Vec<&Reference>| {
            group.first().is_some_and(|first| {
                first.registry() == reference.registry()
                    && first.repository() == reference.repository()
            })
        };
        match groups.iter_mut().find(same) {
            Some(group) if group.contains(&reference) => {}
            Some(group) => group.push(reference),
            None => groups.push(vec![reference]),
        }
    }
    groups
}
