//! A reusable workflow whose file is at hand, too: which of the two files withholds the right, or that neither does.
//!
//! A called workflow can keep or lower what its caller passes on, never raise it
//! (<https://docs.github.com/en/actions/using-workflows/reusing-workflows>).

use ghcr_diagnosis::{Access, Permissions};

use super::workflow::WorkflowFacts;

/// The one file that decides.
pub(super) struct Settled {
    pub(super) facts: WorkflowFacts,
    /// Whether that is the called workflow's.
    pub(super) is_in_called: bool,
}

/// Tells which file decides, `None` if that is not known, or if the caller does not pass the right on: then both files
/// may have to be changed.
pub(super) fn settle(calling: &WorkflowFacts, called: WorkflowFacts) -> Option<Settled> {
    let packages = |facts: &WorkflowFacts| facts.permissions.as_ref().map(Permissions::packages);
    // A workflow that calls a third one, or does not have the job, tells nothing of it.
    if packages(calling) != Some(Some(Access::Write)) || called.reusable != Some(false) {
        return None;
    }
    let has_block = packages(&called)?.is_some();
    let facts = if has_block { called } else { calling.clone() };
    Some(Settled {
        facts: WorkflowFacts {
            reusable: Some(false),
            called: None,
            ..facts
        },
        is_in_called: has_block,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::github::workflow;

    const PASSING: &str = "jobs:\n  call:\n    uses: ./x.yml\n    permissions: {packages: write}\n";

    /// Which file and job decide, and what they give.
    fn settled(calling: &str, called: &str) -> Option<(bool, Option<String>, Option<Access>)> {
        let calling = workflow::read(calling, Some("publish"));
        let settled = settle(&calling, workflow::read(called, Some("publish")))?;
        let packages = settled.facts.permissions.and_then(|known| known.packages());
        Some((settled.is_in_called, settled.facts.caller, packages))
    }

    #[test]
    fn whose_block_decides() {
        let job = "jobs:\n  publish:\n    runs-on: x\n";
        for (access, expected) in [("read", Access::Read), ("write", Access::Write)] {
            let called = format!("{job}    permissions: {{packages: {access}}}\n");
            assert_eq!(
                settled(PASSING, &called),
                Some((true, None, Some(expected)))
            );
        }
        let calling = Some("call".to_owned());
        assert_eq!(
            settled(PASSING, job),
            Some((false, calling, Some(Access::Write)))
        );
    }

    #[test]
    fn what_stays_open() {
        let job = "jobs:\n  publish:\n    runs-on: x\n";
        let withholding = PASSING.replace("write", "read");
        let silent = "jobs:\n  call:\n    uses: ./x.yml\n";
        let another = "jobs:\n  build:\n    runs-on: x\n";
        let third = "jobs:\n  publish:\n    uses: ./y.yml\n";
        for (calling, called) in [
            (withholding.as_str(), job),
            (silent, job),
            (PASSING, another),
            (PASSING, third),
            (PASSING, "no yaml: ["),
        ] {
            assert_eq!(settled(calling, called), None, "{calling}{called}");
        }
    }
}
