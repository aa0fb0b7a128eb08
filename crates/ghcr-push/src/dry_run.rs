//! `--dry-run`: what a push would do, told without doing it.

use oci_archive::Content;
use oci_push::{
    PlanError, PlannedReference, PlannedRepository, PlannedStatus, PushPlan, Pusher, Reference,
    Workshop,
};
use serde_json::{Value, json};

use crate::quantity::display_size;

/// Finds out what a push would do.
pub(crate) async fn plan(
    pusher: &Pusher,
    content: &Content,
    workshop: &Workshop,
    references: &[Reference],
) -> Result<PushPlan, Box<PlanError>> {
    match content {
        Content::Draft(draft) => pusher.plan_draft(draft, workshop, references).await,
        Content::Image(image) => pusher.plan(image, references).await,
        _ => unreachable!("there are images and drafts"),
    }
}

/// The plan for people.
pub(crate) fn lines(plan: &PushPlan) -> Vec<String> {
    let mut lines = Vec::new();
    for repository in &plan.repositories {
        lines.push(format!(
            "{}: {} to send, {}; {} there already",
            repository.name,
            blobs(repository.missing),
            display_size(repository.missing_bytes),
            repository.existing
        ));
        lines.extend(untold(repository));
        if repository.referrers > 0 {
            let (them, are) = match repository.referrers {
                1 => ("1 manifest".to_owned(), "is"),
                count => (format!("{count} manifests"), "are"),
            };
            lines.push(format!(
                "{}: {them} that {are} about the image, to be found under tags where the registry has no list",
                repository.name
            ));
        }
        if repository.uncompressed > 0 {
            lines.push(format!(
                "{}: {} to compress first, {}",
                repository.name,
                layers(repository.uncompressed),
                display_size(repository.uncompressed_bytes)
            ));
        }
    }
    let digest = plan.digest.as_ref().map(ToString::to_string);
    let new = digest.as_deref().unwrap_or("the image");
    lines.extend(plan.references.iter().map(|one| fate(one, new)));
    lines
}

/// What would become of a reference; `new` is what it should name.
fn fate(planned: &PlannedReference, new: &str) -> String {
    let reference = &planned.reference;
    match (planned.status, &planned.previous) {
        (PlannedStatus::Unchanged, _) => format!("{reference} stays at {new}"),
        (PlannedStatus::Refused, Some(previous)) => {
            format!("{reference} names {previous}; --no-clobber would refuse to move it to {new}")
        }
        (PlannedStatus::Refused, None) => format!(
            "{reference} would not be set, as --no-clobber refuses another tag of its repository"
        ),
        (PlannedStatus::Undecided, Some(previous)) => format!(
            "{reference} names {previous}; if the image turns out to be another one, --no-clobber would refuse to move it"
        ),
        (PlannedStatus::Undecided, None) => format!(
            "{reference} would name {new}, unless it names something else, which the registry does not tell now; \
             --no-clobber would refuse that"
        ),
        (_, None) if planned.is_untold => {
            format!("{reference} would name {new}; the registry does not tell what it names now")
        }
        (_, None) => format!("{reference} would be set to {new}"),
        (_, Some(previous)) => format!("{reference} would move from {previous} to {new}"),
    }
}

/// Whether a plan says that `--no-clobber` keeps a reference from being pushed.
pub(crate) fn is_refused(plan: &PushPlan, reference: &Reference) -> bool {
    let mut references = plan.references.iter();
    references.any(|one| one.reference == *reference && one.status == PlannedStatus::Refused)
}

/// What could not be found out about a repository.
fn untold(repository: &PlannedRepository) -> Option<String> {
    let name = &repository.name;
    let refusal = match (&repository.refusal, repository.untold) {
        (None, 0) => return None,
        (None, _) => String::new(),
        (Some(refusal), _) => format!(": {refusal}"),
    };
    let may = if repository.refusal.is_some() {
        "; a push may be refused, which ghcr-push check finds out"
    } else {
        ""
    };
    Some(match repository.untold {
        0 => format!("{name}: the registry does not tell what its tags name{refusal}{may}"),
        untold => format!(
            "{name}: the registry does not tell whether it has {untold} of those{refusal}{may}"
        ),
    })
}

/// The plan for programs.
pub(crate) fn json(plan: &PushPlan) -> Value {
    let reference = |one: &PlannedReference| {
        json!({
            "reference": one.reference.to_string(),
            "previousDigest": one.previous.as_ref().map(ToString::to_string),
            "previousKnown": !one.is_untold,
            "status": one.status.as_str(),
        })
    };
    let repository = |one: &PlannedRepository| {
        json!({
            "repository": one.name,
            "referrers": one.referrers,
            "refusal": one.refusal,
            "blobs": {
                "existing": one.existing,
                "missing": one.missing,
                "unknown": one.untold,
                "bytesMissing": one.missing_bytes,
                "uncompressed": one.uncompressed,
                "bytesUncompressed": one.uncompressed_bytes,
            },
        })
    };
    json!({
        "schemaVersion": 1,
        "status": "planned",
        "digest": plan.digest.as_ref().map(ToString::to_string),
        "references": plan.references.iter().map(reference).collect::<Vec<_>>(),
        "repositories": plan.repositories.iter().map(repository).collect::<Vec<_>>(),
    })
}

fn blobs(count: usize) -> String {
    match count {
        1 => "1 blob".to_owned(),
        _ => format!("{count} blobs"),
    }
}

fn layers(count: usize) -> String {
    match count {
        1 => "1 layer".to_owned(),
        _ => format!("{count} layers"),
    }
}
