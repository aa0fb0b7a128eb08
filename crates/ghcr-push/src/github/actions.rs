//! What a GitHub Actions run tells about itself: its environment, the event behind it, its workflow's file
//! (<https://docs.github.com/en/actions/reference/workflows-and-actions/variables>).

use std::fs::File;
use std::io::Read as _;
use std::path::{Component, Path};

use ghcr_diagnosis::{ActionsFacts, OwnerKind};
use serde_json::Value;

use super::workflow::{self, WorkflowFacts};
use super::{called, checkout, event};
use crate::env::Environment;

/// GitHub caps payloads at 25 MB (<https://docs.github.com/en/webhooks/webhook-events-and-payloads#payload-cap>).
const PAYLOAD_LIMIT: u64 = 25 * 1024 * 1024;

/// Longer than any workflow's file that people write.
const WORKFLOW_LIMIT: u64 = 1024 * 1024;

const DEPENDABOT: &str = "dependabot[bot]";

/// `owner/name` of the repository whose workflow runs, `None` outside of Actions.
pub(crate) fn repository(environment: &Environment) -> Option<&str> {
    let is_run = environment.get("GITHUB_ACTIONS") == Some("true");
    environment.filled("GITHUB_REPOSITORY").filter(|_| is_run)
}

/// A run, and whose its repository is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) facts: ActionsFacts,
    /// The kind of the account that owns the run's repository.
    pub(crate) owner_kind: Option<OwnerKind>,
}

/// The run, `None` outside of Actions.
pub(crate) fn run(environment: &Environment) -> Option<Run> {
    let text = |name: &str| environment.filled(name).map(str::to_owned);
    let repository = repository(environment)?.to_owned();
    let event = environment.filled("GITHUB_EVENT_NAME");
    let payload = environment.filled("GITHUB_EVENT_PATH").and_then(|path| {
        let payload = bounded(Path::new(path), PAYLOAD_LIMIT)?;
        serde_json::from_slice::<Value>(&payload).ok()
    });
    let of_event = event::read(event, payload.as_ref(), &repository);
    let mut actor = text("GITHUB_ACTOR");
    // Such runs are started by whoever touched the pull request, and are Dependabot's all the same.
    if event == Some("pull_request_target") && of_event.author.as_deref() == Some(DEPENDABOT) {
        actor = of_event.author;
    }
    let job = text("GITHUB_JOB");
    let named = environment
        .filled("GITHUB_WORKFLOW_REF")
        .and_then(workflow_file);
    let is_own = |workflow: &WorkflowRef| workflow.repository.eq_ignore_ascii_case(&repository);
    let own = named.as_ref().filter(|workflow| is_own(workflow));
    let mut file = own.map(|workflow| workflow.path.clone());
    let read = |path: &str| {
        let workspace = environment.filled("GITHUB_WORKSPACE")?;
        let text = bounded(&Path::new(workspace).join(path), WORKFLOW_LIMIT)?;
        let text = String::from_utf8(text).ok()?;
        Some(workflow::read(&text, job.as_deref()))
    };
    let mut of_file = file.as_deref().and_then(read).unwrap_or_default();
    // Of several jobs that call a workflow, the one is meant whose workflow has the job that runs.
    let has_job = |calling: &&WorkflowFacts| {
        let called = calling.called.as_deref().and_then(local).and_then(read);
        called.is_some_and(|called| called.reusable == Some(false))
    };
    let mut having = of_file.callers.iter().filter(has_job);
    if let (Some(only), None) = (having.next(), having.next()) {
        of_file = only.clone();
    }
    if let Some(path) = of_file.called.as_deref().and_then(local)
        && let Some(settled) = read(path).and_then(|called| called::settle(&of_file, called))
    {
        if settled.is_in_called {
            file = Some(path.to_owned());
        }
        of_file = settled.facts;
    }
    // A workflow of another repository that runs for this one is called by it, or required of it.
    let elsewhere = named.as_ref().filter(|workflow| !is_own(workflow));
    let called = elsewhere.map(|workflow| format!("{}/{}", workflow.repository, workflow.path));
    let called_job = job
        .clone()
        .filter(|job| of_file.caller.as_ref().is_some_and(|caller| caller != job));
    let facts = ActionsFacts {
        workflow_file: file,
        called_job,
        job: of_file.caller.or(job),
        job_line: of_file.line,
        event: event.map(str::to_owned),
        actor,
        fork: of_event.fork,
        head_repository: of_event.head_repository,
        reusable: of_file.reusable.or(elsewhere.map(|_| true)),
        called_workflow: of_file.called.or(called),
        attempt: environment
            .filled("GITHUB_RUN_ATTEMPT")
            .and_then(|attempt| attempt.parse().ok()),
        permissions: of_file.permissions,
        file_is_of_run: checkout::is_of_run(environment),
        site: environment
            .filled("GITHUB_SERVER_URL")
            .map(|url| site(url).to_owned()),
        repository,
        ..ActionsFacts::default()
    };
    Some(Run {
        facts,
        owner_kind: of_event.owner_kind,
    })
}

/// Where a workflow's file is.
#[derive(Debug, PartialEq, Eq)]
struct WorkflowRef {
    repository: String,
    path: String,
}

/// `.github/workflows/x.yml` of `owner/repository/.github/workflows/x.yml@refs/heads/main`.
fn workflow_file(reference: &str) -> Option<WorkflowRef> {
    let (path, _) = reference.split_once('@')?;
    let mut parts = path.splitn(3, '/');
    let (owner, name, path) = (parts.next()?, parts.next()?, parts.next()?);
    is_plain(path).then(|| WorkflowRef {
        repository: format!("{owner}/{name}"),
        path: path.to_owned(),
    })
}

/// The path of a reusable workflow in the same repository, out of `uses: ./.github/workflows/x.yml`.
fn local(uses: &str) -> Option<&str> {
    uses.strip_prefix("./").filter(|path| is_plain(path))
}

/// Whether a path leads nowhere but down.
fn is_plain(path: &str) -> bool {
    let mut components = Path::new(path).components();
    !path.is_empty() && components.all(|component| matches!(component, Component::Normal(_)))
}

/// `github.com` of `https://github.com`.
fn site(url: &str) -> &str {
    let host = url.split_once("://").map_or(url, |(_, host)| host);
    host.trim_end_matches('/')
}

/// A file's bytes, `None` if it cannot be read, is no regular file, or is larger than `limit`.
fn bounded(path: &Path, limit: u64) -> Option<Vec<u8>> {
    let metadata = std::fs::metadata(path).ok()?;
    if !metadata.is_file() || metadata.len() > limit {
        tracing::debug!(path = %path.display(), "passed over: no file, or too large");
        return None;
    }
    let mut bytes = Vec::new();
    let file = File::open(path).ok()?;
    file.take(limit).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use ghcr_diagnosis::Access;

    use super::*;

    const WORKFLOW: &str = "permissions:\n  contents: read\n\
                            jobs:\n  publish:\n    runs-on: x\n  image:\n    uses: ./.github/workflows/call.yml\n";

    /// A run whose workspace and event hold these.
    fn facts_of(job: &str, reference: &str, event: &str, payload: &str) -> ActionsFacts {
        let directory = tempfile::tempdir().expect("a directory");
        let workflows = directory.path().join(".github/workflows");
        std::fs::create_dir_all(&workflows).expect("a directory");
        std::fs::write(workflows.join("release.yml"), WORKFLOW).expect("a file");
        let event_path = directory.path().join("event.json");
        std::fs::write(&event_path, payload).expect("a file");
        let path = |path: &Path| path.to_str().expect("text").to_owned();
        let environment = Environment::of(&[
            ("GITHUB_ACTIONS", "true"),
            ("GITHUB_REPOSITORY", "owner/app"),
            ("GITHUB_WORKFLOW_REF", reference),
            ("GITHUB_JOB", job),
            ("GITHUB_EVENT_NAME", event),
            ("GITHUB_EVENT_PATH", &path(&event_path)),
            ("GITHUB_WORKSPACE", &path(directory.path())),
            ("GITHUB_ACTOR", "somebody"),
            ("GITHUB_RUN_ATTEMPT", "2"),
            ("GITHUB_SERVER_URL", "https://github.com"),
        ]);
        run(&environment).expect("a run").facts
    }

    const RELEASE: &str = "owner/app/.github/workflows/release.yml@refs/heads/main";

    #[test]
    fn the_run() {
        let facts = facts_of("publish", RELEASE, "push", "{}");
        assert_eq!(
            facts.workflow_file.as_deref(),
            Some(".github/workflows/release.yml")
        );
        assert_eq!(facts.job.as_deref(), Some("publish"));
        assert_eq!(facts.job_line, Some(4));
        assert_eq!(facts.fork, Some(false));
        assert_eq!(facts.reusable, Some(false));
        assert_eq!(facts.attempt, Some(2));
        assert_eq!(facts.site.as_deref(), Some("github.com"));
        let packages = facts.permissions.and_then(|known| known.packages());
        assert_eq!(packages, Some(Access::None));
        assert_eq!(run(&Environment::default()), None);
        let bare = Environment::of(&[("GITHUB_ACTIONS", "true"), ("GITHUB_REPOSITORY", "o/a")]);
        let facts = run(&bare).expect("a run").facts;
        assert_eq!((facts.fork, facts.reusable), (None, None));
        assert_eq!(facts.permissions, None);
    }

    #[test]
    fn a_called_workflow() {
        let facts = facts_of("push", RELEASE, "push", "{}");
        assert_eq!(facts.reusable, Some(true));
        assert_eq!(facts.job.as_deref(), Some("image"));
        assert_eq!(
            facts.called_workflow.as_deref(),
            Some("./.github/workflows/call.yml")
        );
        let elsewhere = "shared/flows/.github/workflows/release.yml@v1";
        let facts = facts_of("publish", elsewhere, "push", "{}");
        assert_eq!(facts.reusable, Some(true));
        assert_eq!(facts.workflow_file, None);
        assert_eq!(facts.permissions, None, "the file is another repository's");
        assert_eq!(
            facts.called_workflow.as_deref(),
            Some("shared/flows/.github/workflows/release.yml")
        );
    }

    /// Which of several calling jobs is meant, the called workflow's file tells, if it is at hand.
    #[test]
    fn a_called_workflow_of_several() {
        let directory = tempfile::tempdir().expect("a directory");
        let workflows = directory.path().join(".github/workflows");
        std::fs::create_dir_all(&workflows).expect("a directory");
        let calling = "jobs:\n  far:\n    uses: shared/flows/.github/workflows/x.yml@v1\n  \
                       near:\n    uses: ./.github/workflows/call.yml\n";
        let called = "on: workflow_call\njobs:\n  inner:\n    runs-on: x\n";
        std::fs::write(workflows.join("release.yml"), calling).expect("a file");
        std::fs::write(workflows.join("call.yml"), called).expect("a file");
        let workspace = directory.path().to_str().expect("text").to_owned();
        let facts = |job: &str| {
            let environment = Environment::of(&[
                ("GITHUB_ACTIONS", "true"),
                ("GITHUB_REPOSITORY", "owner/app"),
                ("GITHUB_WORKFLOW_REF", RELEASE),
                ("GITHUB_JOB", job),
                ("GITHUB_WORKSPACE", &workspace),
            ]);
            run(&environment).expect("a run").facts
        };
        let near = facts("inner");
        assert_eq!(near.reusable, Some(true));
        assert_eq!(near.job.as_deref(), Some("near"));
        assert_eq!(near.called_job.as_deref(), Some("inner"));
        assert_eq!(
            near.called_workflow.as_deref(),
            Some("./.github/workflows/call.yml")
        );
        let far = facts("another");
        assert_eq!((far.reusable, far.called_workflow), (Some(true), None));
    }

    #[test]
    fn local_workflows() {
        for (uses, expected) in [
            ("./.github/workflows/x.yml", Some(".github/workflows/x.yml")),
            ("./../x.yml", None),
            (".//etc/passwd", None),
            ("./", None),
            ("owner/app/.github/workflows/x.yml@v1", None),
        ] {
            assert_eq!(local(uses), expected, "{uses}");
        }
    }

    #[test]
    fn a_pull_request() {
        let fork = r#"{"pull_request":{"head":{"repo":{"full_name":"x/app"}},"user":{"login":"dependabot[bot]"}}}"#;
        let facts = facts_of("publish", RELEASE, "pull_request", fork);
        assert_eq!(facts.fork, Some(true));
        assert_eq!(facts.head_repository.as_deref(), Some("x/app"));
        assert_eq!(facts.actor.as_deref(), Some("somebody"));
        let facts = facts_of("publish", RELEASE, "pull_request_target", fork);
        assert_eq!(facts.fork, Some(false));
        assert_eq!(facts.actor.as_deref(), Some(DEPENDABOT));
        assert_eq!(facts_of("publish", RELEASE, "pull_request", "{").fork, None);
    }

    #[test]
    fn references_of_workflows() {
        for reference in [
            "owner/app/../../../etc/passwd@x",
            "owner/app//etc/passwd@x",
            "owner/app@x",
            "owner/app/@x",
            "owner/app/x.yml",
            "",
        ] {
            assert_eq!(workflow_file(reference), None, "{reference}");
        }
    }

    #[test]
    fn bounds() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("file");
        std::fs::write(&path, "12345").expect("a file");
        assert_eq!(bounded(&path, 5).as_deref(), Some(&b"12345"[..]));
        assert_eq!(bounded(&path, 4), None);
        assert_eq!(bounded(directory.path(), 1000), None);
        assert_eq!(bounded(Path::new("/dev/zero"), 1000), None);
    }
}
