//! What a GitHub Actions run tells about itself in its environment
//! (<https://docs.github.com/en/actions/reference/workflows-and-actions/variables>).

use ghcr_diagnosis::ActionsFacts;

use crate::env::Environment;

/// The facts of the run, `None` outside of Actions.
pub(crate) fn actions(environment: &Environment) -> Option<ActionsFacts> {
    if environment.get("GITHUB_ACTIONS") != Some("true") {
        return None;
    }
    Some(ActionsFacts {
        repository: environment.filled("GITHUB_REPOSITORY")?.to_owned(),
        workflow_file: environment
            .filled("GITHUB_WORKFLOW_REF")
            .and_then(workflow_file),
        job: environment.filled("GITHUB_JOB").map(str::to_owned),
        ..ActionsFacts::default()
    })
}

/// `.github/workflows/x.yml` of `owner/repository/.github/workflows/x.yml@refs/heads/main`.
fn workflow_file(reference: &str) -> Option<String> {
    let (path, _) = reference.split_once('@')?;
    let file = path.splitn(3, '/').nth(2)?;
    Some(file.to_owned())
}

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
    fn the_run() {
        let environment = Environment::of(&[
            ("GITHUB_ACTIONS", "true"),
            ("GITHUB_REPOSITORY", "owner/app"),
            (
                "GITHUB_WORKFLOW_REF",
                "owner/app/.github/workflows/release.yml@refs/heads/main",
            ),
            ("GITHUB_JOB", "publish"),
        ]);
        let facts = actions(&environment).expect("a run");
        assert_eq!(
            facts.workflow_file.as_deref(),
            Some(".github/workflows/release.yml")
        );
        assert_eq!(facts.job.as_deref(), Some("publish"));
        assert_eq!(actions(&Environment::default()), None);
    }

    #[test]
    fn sites() {
        assert_eq!(web_host("ghcr.io"), "github.com");
        assert_eq!(web_host("containers.example.ghe.com"), "example.ghe.com");
        assert_eq!(web_host("127.0.0.1:5000"), "github.com");
    }
}
