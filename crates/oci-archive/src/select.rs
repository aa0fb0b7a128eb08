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
    let wanted = normalized(name);
    let local = (!has_host(name)).then(|| normalized(&format!("{LOCAL}{name}")));
    let matches: [&dyn Fn(&str) -> bool; 2] = [&|other| other == name, &|other| {
        let other = normalized(other);
        other == wanted || local.as_ref() == Some(&other)
    }];
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

/// The host that podman and buildah give to what they build under a name without one
/// (<https://github.com/containers/common/blob/main/libimage/normalize.go>).
const LOCAL: &str = "localhost/";

/// Whether a name says where it is from, as Docker tells it
/// (<https://github.com/distribution/reference/blob/main/normalize.go>).
fn has_host(name: &str) -> bool {
    name.split_once('/')
        .is_some_and(|(host, _)| host.contains(['.', ':']) || host == "localhost")
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

    /// A short name is Docker's or podman's, if that is one image only.
    #[test]
    fn names_that_are_not_written_out() {
        let all = candidates(&[
            "localhost/app:latest",
            "localhost/web:1",
            "docker.io/library/web:1",
            "ghcr.io/owner/app:latest",
            "localhost/owner/tool:2",
        ]);
        for (name, expected) in [
            ("app", Some(0)),
            ("app:latest", Some(0)),
            ("localhost/app", Some(0)),
            ("docker.io/app", None),
            ("localhost/web:1", Some(1)),
            ("docker.io/web:1", Some(2)),
            ("library/web:1", Some(2)),
            ("web:1", None),
            ("web", None),
            ("ghcr.io/owner/app", Some(3)),
            ("owner/app", None),
            ("owner/tool:2", Some(4)),
        ] {
            let selection = Selection::Name(name.to_owned());
            let chosen = choose(&all, &[], Some(&selection)).ok();
            let expected = expected.map(|position: usize| &all[position].digest);
            assert_eq!(chosen.map(|one| &one.digest), expected, "{name}");
        }
        let selection = Selection::Name("web:1".to_owned());
        let error = choose(&all, &[], Some(&selection)).expect_err("podman's or Docker's");
        assert!(error.to_string().contains("more than one"), "{error}");
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
