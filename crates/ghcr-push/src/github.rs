//! GitHub around the registry: which site belongs to it, and what the run in which this happens knows.

mod actions;
mod event;
mod workflow;
mod yaml;

pub(crate) use actions::{Run, run};

/// The site that belongs to a registry's host: where packages have their pages.
pub(crate) fn web_host(registry: &str) -> String {
    registry
        .strip_prefix("containers.")
        .unwrap_or("github.com")
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sites() {
        assert_eq!(web_host("ghcr.io"), "github.com");
        assert_eq!(web_host("containers.example.ghe.com"), "example.ghe.com");
        assert_eq!(web_host("127.0.0.1:5000"), "github.com");
    }
}
