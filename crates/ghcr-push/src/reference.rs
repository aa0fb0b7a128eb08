//! References as people and tools write them, made into what a registry takes.
//!
//! A reference is fully qualified here: unlike `docker push`, nothing is sent to Docker Hub because a
//! host was left out.

mod grammar;
mod tag;

use std::net::Ipv6Addr;

use ghcr_diagnosis::{Diagnosis, Evidence, diagnose, is_lookalike};
use oci_push::{Profile, Reference};

use crate::env::Environment;
use crate::error::CliError;
use crate::explain::situation;
use crate::github;
use crate::operands::is_archive_name;

/// References read from the command line, and what was changed about them.
#[derive(Debug, Default)]
pub(crate) struct References {
    pub(crate) all: Vec<Reference>,
    /// What the user should know, a line each.
    pub(crate) notices: Vec<String>,
    /// The kind that every registry is said to be of.
    profile: Option<Profile>,
    /// The registry that is probably meant where none is named; ghcr.io if nothing is known.
    usual: Option<String>,
}

impl References {
    /// Reads arguments, each of which may be a list, and adds `tags` in every repository. One that is named
    /// without a tag is pushed as `latest` only if there are no `tags`: who names a release candidate does not
    /// mean to move `latest`. `profile` is the kind that every registry is of, `None` to go by the hosts' names. The
    /// environment tells in a workflow's run whose the packages are.
    ///
    /// # Errors
    ///
    /// A usage error that names the reference and what is wrong with it.
    pub(crate) fn read(
        arguments: &[String],
        tags: &[String],
        profile: Option<Profile>,
        environment: &Environment,
    ) -> Result<Self, CliError> {
        Self {
            profile,
            ..Self::default()
        }
        .with(arguments, tags, environment)
    }

    /// Reads names of repositories that should be on the registry `host`, which is what a mistake is answered with.
    ///
    /// # Errors
    ///
    /// As [`Self::read`].
    pub(crate) fn read_beside(
        host: Option<&str>,
        arguments: &[String],
        profile: Option<Profile>,
        environment: &Environment,
    ) -> Result<Self, CliError> {
        Self {
            profile,
            usual: host.map(str::to_owned),
            ..Self::default()
        }
        .with(arguments, &[], environment)
    }

    fn with(
        self,
        arguments: &[String],
        tags: &[String],
        environment: &Environment,
    ) -> Result<Self, CliError> {
        let mut read = self;
        let tags = tags.iter().flat_map(|tags| tags.split([',', '\n']));
        let tags: Vec<&str> = tags.map(str::trim).filter(|tag| !tag.is_empty()).collect();
        let mut repositories: Vec<String> = Vec::new();
        for argument in arguments {
            let shown = shown(argument);
            if shown != *argument {
                return Err(CliError::usage(format!(
                    "{shown:?} is given with a user name or a password"
                ))
                .hint(
                    "a reference holds neither; give them with --username and --password-stdin",
                ));
            }
            // The repository named before, and whether a tag was.
            let mut last: Option<(String, bool)> = None;
            for part in argument
                .split([',', '\n'])
                .map(str::trim)
                .filter(|part| !part.is_empty())
            {
                let (repository, tag) = match &last {
                    Some((repository, is_tagged))
                        if !part.contains('/') || (*is_tagged && is_branch(part)) =>
                    {
                        (repository.clone(), Some(part.to_owned()))
                    }
                    _ => read.split(part, environment)?,
                };
                let reference = checked(part, &repository, tag.as_deref().unwrap_or("latest"))?;
                if tag.is_some() || tags.is_empty() {
                    read.add(reference);
                }
                if !repositories.contains(&repository) {
                    repositories.push(repository.clone());
                }
                last = Some((repository, tag.is_some()));
            }
        }
        for tag in tags {
            for repository in &repositories {
                read.add(checked(tag, repository, tag)?);
            }
        }
        Ok(read)
    }

    fn add(&mut self, reference: Reference) {
        if !self.all.contains(&reference) {
            self.all.push(reference);
        }
    }

    /// Repository and tag of one reference, checked and lowered; no tag if none is written.
    fn split(
        &mut self,
        written: &str,
        environment: &Environment,
    ) -> Result<(String, Option<String>), CliError> {
        let refused = |why: &str| CliError::usage(format!("{written:?} {why}"));
        if let Some((_, rest)) = written.split_once("://") {
            return Err(refused("is a URL, not an image reference").hint(format!("write {rest}")));
        }
        let address_end = ipv6_end(written).map_err(|()| {
            refused("begins with a bracket, but with no IPv6 address")
                .hint("write [ADDRESS]:PORT/OWNER/NAME:TAG")
        })?;
        if written.contains('@') {
            return Err(refused("names a digest")
                .hint("an image is pushed to a tag; its digest follows from its contents"));
        }
        let name_start = written.rfind('/').map_or(address_end, |slash| slash + 1);
        let (repository, tag) = match written[name_start..].find(':') {
            Some(colon) => written.split_at(name_start + colon),
            None => (written, ":latest"),
        };
        let is_path = written
            .split('/')
            .next()
            .is_some_and(|first| !is_host(first));
        if is_archive_name(written) && (is_path || !written.contains('/')) {
            return Err(refused("is neither a file nor a reference")
                .hint("a reference is host/owner/name:tag, such as ghcr.io/OWNER/NAME:TAG"));
        }
        let owner = owner(environment);
        if let Some(hint) = registry_only(repository, tag, &owner) {
            let mut error = refused("names a registry, and nothing in it");
            error.diagnosis = without_owner(written, environment).map(Box::new);
            return Err(error.hint(hint));
        }
        let slashed = tag::with_slash(written);
        let Some((host, name)) = repository.split_once('/').filter(|(host, _)| is_host(host))
        else {
            let whole = slashed.map_or_else(
                || written.to_owned(),
                |(repository, tag)| format!("{repository}:{}", tag::without_slashes(tag)),
            );
            return Err(
                refused("does not begin with a registry's host").hint(self.completed(&whole))
            );
        };
        if let Some((repository, tag)) = slashed {
            return Err(tag::refused(tag, written, repository));
        }
        let lowered = repository.to_lowercase();
        let host = host.to_lowercase();
        let is_tagged = repository.len() < written.len();
        let written_tag = if is_tagged { tag } else { "" };
        if is_lookalike(&host) || is_ghcr_elsewhere(&host) {
            return Err(
                refused("names a host that only looks like ghcr.io (lookalike-host)").hint(
                    format!("write ghcr.io/{name}{written_tag}; nothing was sent to {host}"),
                ),
            );
        }
        if host == LEGACY {
            return Err(refused("names GitHub's old registry").hint(format!(
                "it takes images of single repositories only, and no more of them; write ghcr.io/{}{written_tag}",
                name.split('/').next().map_or_else(
                    || name.to_owned(),
                    |owner| format!("{owner}/{}", name.rsplit('/').next().unwrap_or("NAME"))
                )
            )));
        }
        if resembles_ghcr(&host) {
            let notice = format!(
                "{host} is not GitHub's registry, which is ghcr.io; whoever runs {host} is given the credential"
            );
            if !self.notices.contains(&notice) {
                self.notices.push(notice);
            }
        }
        let profile = self.profile.unwrap_or_else(|| Profile::of_host(&host));
        let has_gap = name.starts_with('/');
        if profile == Profile::Ghcr && (has_gap || !name.contains('/')) {
            let name = name.trim_start_matches('/');
            let whole = if name.contains('/') {
                format!("{host}/{name}{tag}")
            } else {
                format!("{host}/{owner}/{name}{tag}")
            };
            let why = if has_gap {
                EMPTY
            } else {
                ", with the user or organization it belongs to"
            };
            let mut error = refused("names no owner (reference-without-owner)");
            error.diagnosis = without_owner(written, environment).map(Box::new);
            return Err(error.hint(format!("write {whole}{why}")));
        }
        if lowered != repository {
            self.notices.push(format!(
                "{repository} is pushed as {lowered}: a registry takes lower case only"
            ));
        }
        Ok((lowered, is_tagged.then(|| tag[1..].to_owned())))
    }

    /// What to write instead of a reference without a host: all that is written, behind the host.
    fn completed(&self, written: &str) -> String {
        let host = self.usual.as_deref().unwrap_or("ghcr.io");
        let profile = self.profile.unwrap_or_else(|| Profile::of_host(host));
        let written = written.trim_matches('/');
        if profile == Profile::Ghcr && !written.contains('/') {
            format!("write {host}/OWNER/{written}")
        } else {
            format!("write {host}/{written}")
        }
    }
}

/// Where the address of version 6 in brackets ends that a reference begins with, its port included if it has one; 0 if
/// it begins with none. An error if what is in the brackets, or follows them, is something else.
fn ipv6_end(written: &str) -> Result<usize, ()> {
    let Some(rest) = written.strip_prefix('[') else {
        return Ok(0);
    };
    let (address, rest) = rest.split_once(']').ok_or(())?;
    address.parse::<Ipv6Addr>().map_err(drop)?;
    let end = 1 + address.len() + 1;
    let Some(port) = rest.strip_prefix(':') else {
        let is_over = rest.is_empty() || rest.starts_with('/');
        return if is_over { Ok(end) } else { Err(()) };
    };
    let port = port.split('/').next().unwrap_or_default();
    port.parse::<u16>().map_err(drop)?;
    Ok(end + 1 + port.len())
}

/// Whether what follows a tag behind a comma is rather a branch's name than a reference: it has a slash, but neither a
/// host nor a tag.
fn is_branch(part: &str) -> bool {
    let first = part.split('/').next();
    !part.contains(':') && first.is_some_and(|first| !is_host(first))
}

/// The reference of a tag in a repository, both of which stand in `written`.
fn checked(written: &str, repository: &str, tag: &str) -> Result<Reference, CliError> {
    if !tag::is_tag(tag) {
        return Err(tag::refused(tag, written, repository));
    }
    grammar::reference(repository, tag).ok_or_else(|| {
        CliError::usage(format!("{written:?} is no image reference")).hint(
            "a reference is host/owner/name:tag; owner and name consist of a-z, 0-9 and, between those, \
             single dots or underscores or hyphens",
        )
    })
}

/// The registry before ghcr.io
/// (<https://docs.github.com/en/packages/working-with-a-github-packages-registry/migrating-to-the-container-registry-from-the-docker-registry>).
const LEGACY: &str = "docker.pkg.github.com";

/// The labels of a host's name, without its port.
fn labels(host: &str) -> Vec<&str> {
    host.split(':').next().unwrap_or(host).split('.').collect()
}

/// Whether a host is `ghcr` under another top-level domain.
fn is_ghcr_elsewhere(host: &str) -> bool {
    matches!(labels(host).as_slice(), ["ghcr", top] if *top != "io")
}

/// Whether a host begins as ghcr.io does: a mirror may, and so may whoever collects credentials.
fn resembles_ghcr(host: &str) -> bool {
    matches!(labels(host).as_slice(), ["ghcr", _, _, ..])
}

/// What to write instead of a registry's name alone, `None` if there is more. What looks like its tag is
/// its port, if it is a number.
fn registry_only(repository: &str, tag: &str, owner: &str) -> Option<String> {
    let host = repository.trim_end_matches('/');
    let has_gap = host.len() < repository.len();
    if host.contains('/') || !is_host(host) {
        return None;
    }
    let is_port = !has_gap && tag[1..].bytes().all(|byte| byte.is_ascii_digit());
    Some(if is_port {
        format!("write {host}{tag}/{owner}/NAME:TAG")
    } else {
        let why = if has_gap { EMPTY } else { "" };
        format!("write {host}/{owner}/NAME{tag}{why}")
    })
}

/// Why nothing stands where a name should.
const EMPTY: &str = "; nothing stands after a slash of it, most often since an expression (`${{ ... }}`) or a variable is \
                     empty";

/// The owner of the run's repository as it stands in a reference, or what stands for one.
fn owner(environment: &Environment) -> String {
    let repository = github::repository(environment).and_then(|name| name.split_once('/'));
    repository.map_or_else(|| "OWNER".to_owned(), |(owner, _)| owner.to_lowercase())
}

/// The diagnosis of a reference without an owner, before anybody is asked.
fn without_owner(written: &str, environment: &Environment) -> Option<Diagnosis> {
    let mut evidence = Evidence::default();
    evidence.reference = Some(written.to_owned());
    diagnose(&evidence, &situation::of_log(&evidence, environment))
}

/// References as they may be shown: without a user name and password, as a URL may hold them.
///
/// Those may hold commas, slashes and at signs themselves, so everything before the last at sign of a line goes,
/// even if that is too much.
pub(crate) fn shown(written: &str) -> String {
    let lines: Vec<String> = written.split('\n').map(shown_line).collect();
    lines.join("\n")
}

fn shown_line(line: &str) -> String {
    let (scheme, rest) = match line.find("://") {
        Some(end) => line.split_at(end + "://".len()),
        None => ("", line),
    };
    // From the last at sign on: the first of them may stand before a digest.
    let at_signs = rest.rmatch_indices('@').map(|(position, _)| position);
    let mut ends = at_signs.filter(|position| {
        let (before, after) = (&rest[..*position], &rest[position + 1..]);
        let is_digest = after.starts_with("sha") && after.contains(':') && !after.contains('/');
        let is_authority = !scheme.is_empty() || after.contains('/') || !before.contains('/');
        is_authority && !is_digest
    });
    match ends.next() {
        Some(end) => format!("{scheme}{}", &rest[end + 1..]),
        None => line.to_owned(),
    }
}

/// The first reference of each repository.
pub(crate) fn first_of_each_repository(references: &[Reference]) -> Vec<&Reference> {
    let mut first: Vec<&Reference> = Vec::new();
    for reference in references {
        if !first.iter().any(|one| is_same_repository(one, reference)) {
            first.push(reference);
        }
    }
    first
}

/// Whether two references name the same repository.
pub(crate) fn is_same_repository(one: &Reference, other: &Reference) -> bool {
    one.registry() == other.registry() && one.repository() == other.repository()
}

/// Whether the first component of a reference is a host: it has a dot or a port, or is `localhost`.
pub(crate) fn is_host(component: &str) -> bool {
    component.contains(['.', ':']) || component == "localhost"
}

#[cfg(test)]
mod tests;
