//! Which image of an archive is meant. Nothing is ever chosen by chance: where two are possible, both are
//! named and none is taken.

use crate::Selection;
use crate::digest::Digest;
use crate::error::OpenError;

/// Something that could be chosen, under all its names.
#[derive(Debug, Clone)]
pub(crate) struct Candidate<T> {
    /// What messages call it by.
    pub(crate) digest: Digest,
    pub(crate) names: Vec<String>,
    pub(crate) target: T,
}

impl<T> Candidate<T> {
    /// The same with another target.
    pub(crate) fn map<U>(self, to: impl FnOnce(T) -> U) -> Candidate<U> {
        Candidate {
            digest: self.digest,
            names: self.names,
            target: to(self.target),
        }
    }
}

/// Adds to the reason why nothing was chosen.
pub(crate) fn remark(error: OpenError, remark: &str) -> OpenError {
    match error {
        OpenError::Selection { reason, images } => OpenError::Selection {
            reason: format!("{reason} ({remark})"),
            images,
        },
        other => other,
    }
}

/// Chooses one of `images`, or, by its name only, one of `others`, which are no images by themselves.
pub(crate) fn choose<'a, T>(
    images: &'a [Candidate<T>],
    others: &'a [Candidate<T>],
    selection: Option<&Selection>,
) -> Result<&'a Candidate<T>, OpenError> {
    let chosen = match selection {
        None => images.first().filter(|_| images.len() == 1),
        Some(Selection::Index(position)) => images.get(*position),
        Some(Selection::Name(name)) => by_name(images, others, name)?,
    };
    chosen.ok_or_else(|| unselected(images, selection))
}

/// The one candidate of this name; if no image has it, what else has it. A name as it is written comes
/// before one that only means the same.
fn by_name<'a, T>(
    images: &'a [Candidate<T>],
    others: &'a [Candidate<T>],
    name: &str,
) -> Result<Option<&'a Candidate<T>>, OpenError> {
    let matches: [&dyn Fn(&str) -> bool; 3] = [
        &|other| other == name,
        &|other| normalized(other) == normalized(name),
        &|other| local(&normalized(other)) == local(&normalized(name)),
    ];
    for is_meant in matches {
        for candidates in [images, others] {
            let mut named = candidates
                .iter()
                .filter(|candidate| candidate.names.iter().any(|other| is_meant(other)));
            let first = named.next();
            if named.next().is_some() {
                return Err(OpenError::Selection {
                    reason: format!("the archive holds more than one image {name:?}"),
                    images: shown(candidates),
                });
            }
            if first.is_some() {
                return Ok(first);
            }
        }
    }
    Ok(None)
}

/// A name without the host that podman and buildah give to what they build under a short name
/// (<https://github.com/containers/common/blob/main/docs/containers-registries.conf.5.md>).
fn local(name: &str) -> &str {
    name.strip_prefix("localhost/").unwrap_or(name)
}

/// A name with what Docker leaves out: `docker.io/library/` and `:latest`
/// (<https://github.com/distribution/reference/blob/main/normalize.go>).
fn normalized(name: &str) -> String {
    let name = ["docker.io/", "index.docker.io/"]
        .iter()
        .find_map(|host| name.strip_prefix(host))
        .unwrap_or(name);
    let name = name.strip_prefix("library/").unwrap_or(name);
    let last = name.rsplit('/').next().unwrap_or(name);
    if last.contains([':', '@']) {
        name.to_owned()
    } else {
        format!("{name}:latest")
    }
}

fn unselected<T>(images: &[Candidate<T>], selection: Option<&Selection>) -> OpenError {
    let reason = match selection {
        None => format!(
            "the archive holds {} images, and one must be selected",
            images.len()
        ),
        Some(Selection::Index(position)) => format!("the archive holds no image @{position}"),
        Some(Selection::Name(name)) => format!("the archive holds no image {name:?}"),
    };
    OpenError::Selection {
        reason,
        images: shown(images),
    }
}

fn shown<T>(candidates: &[Candidate<T>]) -> Vec<String> {
    let lines = candidates.iter().enumerate().map(|(position, candidate)| {
        let names = candidate.names.join(" ");
        format!("@{position} {} {names}", candidate.digest.short())
    });
    lines.map(|line| line.trim_end().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Algorithm;

    fn candidates(names: &[&str]) -> Vec<Candidate<()>> {
        let one = |name: &&str| Candidate {
            digest: Digest::of(Algorithm::Sha256, name.as_bytes()),
            names: vec![(*name).to_owned()],
            target: (),
        };
        names.iter().map(one).collect()
    }

    /// A name as it is written comes first, then what Docker makes of it, then what podman does.
    #[test]
    fn names_that_are_not_written_out() {
        let all = candidates(&[
            "localhost/app:latest",
            "localhost/web:1",
            "docker.io/library/web:1",
            "ghcr.io/owner/app:latest",
        ]);
        for (name, expected) in [
            ("app", Some(0)),
            ("app:latest", Some(0)),
            ("localhost/app", Some(0)),
            ("localhost/web:1", Some(1)),
            ("web:1", Some(2)),
            ("ghcr.io/owner/app", Some(3)),
            ("owner/app", None),
            ("web", None),
        ] {
            let selection = Selection::Name(name.to_owned());
            let chosen = choose(&all, &[], Some(&selection)).ok();
            let expected = expected.map(|position: usize| &all[position].digest);
            assert_eq!(chosen.map(|one| &one.digest), expected, "{name}");
        }
        let twice = candidates(&["localhost/app:latest", "localhost/app"]);
        let selection = Selection::Name("app".to_owned());
        choose(&twice, &[], Some(&selection)).expect_err("which one is not said");
    }

    #[test]
    fn names_that_mean_the_same() {
        for (name, expected) in [
            ("x", "x:latest"),
            ("docker.io/library/x", "x:latest"),
            ("docker.io/library/x:1", "x:1"),
            ("index.docker.io/o/x", "o/x:latest"),
            ("library/x", "x:latest"),
            ("ghcr.io/o/x:1", "ghcr.io/o/x:1"),
            ("localhost:5000/x", "localhost:5000/x:latest"),
            ("x@sha256:00", "x@sha256:00"),
        ] {
            assert_eq!(normalized(name), expected, "{name}");
        }
    }
}
