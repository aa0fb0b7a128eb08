//! The grammar of references, without the regular expression that oci-client reads them with: compiling that takes
//! longer than all else that a push of an unchanged image does (`docs/benchmarks.md`).
//!
//! The grammar is that of <https://github.com/distribution/reference/blob/main/reference.go>; a test holds it to what
//! oci-client accepts.

use std::net::Ipv6Addr;

use oci_push::Reference;

/// The longest name in a registry, as oci-client has it.
const LONGEST_NAME: usize = 255;

/// Docker Hub, and what it was called.
const DOCKER_HUB: (&str, &str) = ("docker.io", "index.docker.io");

/// Makes a reference of a repository with its registry's host, and a tag that is known to be one.
pub(super) fn reference(repository: &str, tag: &str) -> Option<Reference> {
    let (host, name) = repository.split_once('/')?;
    let (hub, formerly) = DOCKER_HUB;
    let host = if host == formerly { hub } else { host };
    let name = if host == hub && !name.contains('/') {
        format!("library/{name}")
    } else {
        name.to_owned()
    };
    let is_reference = (is_host(host) || is_component(host) || is_address(host))
        && name.len() <= LONGEST_NAME
        && name.split('/').all(is_component);
    is_reference.then(|| Reference::with_tag(host.to_owned(), name, tag.to_owned()))
}

/// Labels with dots between them, and a port perhaps.
fn is_host(host: &str) -> bool {
    let (name, port) = host.split_once(':').unwrap_or((host, "0"));
    let is_port = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    is_port && name.split('.').all(is_label)
}

/// An address of version 6 in brackets, and a port perhaps: what oci-client's grammar lacks.
fn is_address(host: &str) -> bool {
    let address = host.strip_prefix('[').and_then(|rest| rest.split_once(']'));
    address.is_some_and(|(address, port)| {
        let is_port = port.is_empty() || is_host(&format!("localhost{port}"));
        is_port && address.parse::<Ipv6Addr>().is_ok()
    })
}

fn is_label(label: &str) -> bool {
    let within = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    !label.is_empty()
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label.bytes().all(within)
}

/// Runs of lower case letters and digits, with a dot, one or two underscores, or hyphens between them.
fn is_component(component: &str) -> bool {
    let is_of_run = |character: char| character.is_ascii_lowercase() || character.is_ascii_digit();
    let is_separator =
        |text: &str| matches!(text, "" | "." | "_" | "__") || text.bytes().all(|byte| byte == b'-');
    component.starts_with(is_of_run)
        && component.ends_with(is_of_run)
        && component.split(is_of_run).all(is_separator)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{prop_assert_eq, proptest};

    use super::{Reference, reference};

    #[test]
    fn docker_hub_is_what_oci_client_makes_of_it() {
        for repository in [
            "docker.io/app",
            "index.docker.io/app",
            "docker.io/owner/app",
        ] {
            let expected: Reference = format!("{repository}:1").parse().expect("a reference");
            assert_eq!(reference(repository, "1"), Some(expected));
        }
    }

    proptest! {
        #[test]
        fn it_takes_what_oci_client_takes(
            host in "[a-bA._-]{0,4}\\.[a-b._-]{0,3}(:[0-9]{0,2})?",
            name in "[a-bA0._-]{0,5}(/[a-b0._-]{0,5}){0,2}|a{120,130}/a{120,130}",
        ) {
            let repository = format!("{host}/{name}");
            let expected = format!("{repository}:1").parse::<Reference>().ok();
            prop_assert_eq!(reference(&repository, "1"), expected);
        }
    }
}
