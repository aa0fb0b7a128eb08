//! The checked-out workflow file: which rights it gives the job's token.
//!
//! No interface tells a job what its own token may do, but the file that gives the rights is mostly on the
//! disk beside it (<https://docs.github.com/en/actions/using-jobs/assigning-permissions-to-jobs>).

use ghcr_diagnosis::{Access, Grants, Permissions};

use super::yaml::{self, Entry, Node};

/// What the file says about one job.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct WorkflowFacts {
    pub(super) permissions: Option<Permissions>,
    /// Whether the job stands in a reusable workflow that this file calls.
    pub(super) reusable: Option<bool>,
    /// The reusable workflow, as `uses:` names it.
    pub(super) called: Option<String>,
    /// The job in this file that calls it.
    pub(super) caller: Option<String>,
    /// The line of the job in this file, be it the one that runs or the one that calls.
    pub(super) line: Option<usize>,
    /// What the file says of each job that calls a reusable workflow, where it is open which of them is meant.
    pub(super) callers: Vec<Self>,
}

/// Reads a workflow's file. `job` is the identifier of the job that runs, which in a reusable workflow is one
/// of that workflow's own: the file that calls it does not have it
/// (<https://docs.github.com/en/actions/using-workflows/reusing-workflows>).
pub(super) fn read(text: &str, job: Option<&str>) -> WorkflowFacts {
    let Some(tree) = yaml::read(text) else {
        return WorkflowFacts::default();
    };
    let Some(jobs) = tree.get("jobs").and_then(Node::entries) else {
        return WorkflowFacts::default();
    };
    let Ok(workflow) = grants(tree.get("permissions")) else {
        return WorkflowFacts::default();
    };
    let of_job = |node: &Node| {
        let job = grants(node.get("permissions")).ok()?;
        let workflow = workflow.clone();
        Some(Permissions { workflow, job })
    };
    let uses = |node: &Node| node.get("uses")?.text().map(str::to_owned);
    let own = job.and_then(|job| jobs.iter().find(|entry| entry.key == job));
    if let Some(Entry { key, line, value }) = own {
        let called = uses(value);
        return WorkflowFacts {
            permissions: of_job(value),
            reusable: Some(called.is_some()),
            caller: called.is_some().then(|| key.clone()),
            line: Some(*line),
            called,
            callers: Vec::new(),
        };
    }
    let of_caller = |Entry { key, line, value }: &Entry| WorkflowFacts {
        permissions: of_job(value),
        reusable: Some(true),
        called: uses(value),
        caller: Some(key.clone()),
        line: Some(*line),
        callers: Vec::new(),
    };
    let calling: Vec<_> = jobs
        .iter()
        .filter(|entry| uses(&entry.value).is_some())
        .collect();
    match calling.as_slice() {
        // The file was changed since, or is another one: it says nothing of this job.
        [] => WorkflowFacts::default(),
        _ if job.is_none() => WorkflowFacts::default(),
        [only] => of_caller(only),
        several => WorkflowFacts {
            reusable: Some(true),
            callers: several.iter().map(|entry| of_caller(entry)).collect(),
            ..WorkflowFacts::default()
        },
    }
}

/// A block that says something which is not understood here.
struct Unclear;

/// A `permissions:` block, `None` if there is none.
fn grants(node: Option<&Node>) -> Result<Option<Grants>, Unclear> {
    let Some(node) = node else {
        return Ok(None);
    };
    match node {
        Node::Scalar(text) => match text.as_str() {
            "read-all" => Ok(Some(Grants::All(Access::Read))),
            "write-all" => Ok(Some(Grants::All(Access::Write))),
            "" | "~" | "null" => Ok(None),
            _ => Err(Unclear),
        },
        Node::Sequence => Err(Unclear),
        Node::Mapping(entries) => {
            let mut scopes = Vec::new();
            for Entry { key, value, .. } in entries {
                let access = match value.text() {
                    Some("read") => Access::Read,
                    Some("write") => Access::Write,
                    Some("none") => Access::None,
                    _ => return Err(Unclear),
                };
                scopes.push((key.clone(), access));
            }
            Ok(Some(Grants::Scopes(scopes)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the file gives the job, in a word.
    fn packages(text: &str) -> &'static str {
        match read(text, Some("publish")).permissions {
            None => "not known",
            Some(permissions) => permissions.packages().map_or("default", Access::as_str),
        }
    }

    #[test]
    fn levels() {
        let jobs =
            "jobs:\n  publish:\n    runs-on: ubuntu-latest\n    strategy: {matrix: {os: [a, b]}}\n";
        for (text, expected) in [
            (jobs.to_owned(), "default"),
            (format!("permissions:\n  contents: read\n{jobs}"), "none"),
            (format!("permissions: write-all\n{jobs}"), "write"),
            (
                format!("permissions: read-all\n{jobs}    permissions: {{packages: write}}\n"),
                "write",
            ),
            // The job's block replaces the workflow's altogether.
            (
                format!(
                    "permissions:\n  packages: write\n{jobs}    permissions:\n      contents: read\n"
                ),
                "none",
            ),
            (
                format!(
                    "{jobs}    permissions: &rights\n      packages: read\n  other:\n    permissions: *rights\n"
                ),
                "read",
            ),
            (format!("{jobs}    permissions: {{}}\n"), "none"),
            (format!("{jobs}    permissions:\n"), "default"),
            // What cannot be understood is not known, which is not "no".
            (
                format!("{jobs}    permissions: ${{{{ x }}}}\n"),
                "not known",
            ),
            (
                format!("{jobs}    permissions: {{packages: all}}\n"),
                "not known",
            ),
            (format!("permissions: [packages]\n{jobs}"), "not known"),
            ("jobs: 1\n".to_owned(), "not known"),
            ("no yaml: [".to_owned(), "not known"),
        ] {
            assert_eq!(packages(&text), expected, "{text}");
        }
    }

    #[test]
    fn reusable_workflows() {
        let one = "permissions: read-all\n\
                   jobs:\n  call:\n    uses: ./.github/workflows/push.yml\n    permissions: {packages: write}\n";
        let facts = read(one, Some("publish"));
        assert_eq!(facts.reusable, Some(true));
        assert_eq!(
            facts.called.as_deref(),
            Some("./.github/workflows/push.yml")
        );
        assert_eq!(facts.caller.as_deref(), Some("call"));
        assert_eq!(facts.line, Some(3));
        assert_eq!(
            facts.permissions.and_then(|known| known.packages()),
            Some(Access::Write)
        );
        // The called workflow's job may bear the name of the one that calls.
        assert_eq!(read(one, Some("call")).reusable, Some(true));
        let two = format!("{one}  again:\n    uses: owner/app/.github/workflows/x.yml@v1\n");
        let facts = read(&two, Some("publish"));
        assert_eq!((facts.reusable, facts.called), (Some(true), None));
        assert_eq!(facts.permissions, None);
        // No job calls another workflow: the file is not the run's.
        let none = "jobs:\n  build:\n    runs-on: x\n";
        assert_eq!(read(none, Some("publish")), WorkflowFacts::default());
        let own = read(none, Some("build"));
        assert_eq!((own.reusable, own.line), (Some(false), Some(2)));
        assert_eq!(read(one, None), WorkflowFacts::default());
    }
}
