//! What a workflow run tells about itself, and what its file grants.

/// What a workflow run tells about itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ActionsFacts {
    /// `owner/name` of the repository whose workflow runs.
    pub repository: String,
    /// The workflow's file, such as `.github/workflows/release.yml`. In a reusable workflow this is the
    /// caller's.
    pub workflow_file: Option<String>,
    /// The job's identifier.
    pub job: Option<String>,
    /// The line of that file in which the job stands, from 1.
    pub job_line: Option<usize>,
    /// The event that started the run.
    pub event: Option<String>,
    /// Who started it. A run that somebody else repeats keeps its first actor.
    pub actor: Option<String>,
    /// Whether the run is for a pull request from a fork.
    pub fork: Option<bool>,
    /// `owner/name` of the repository that the pull request comes from.
    pub head_repository: Option<String>,
    /// Whether the job is in a reusable workflow, called by `workflow_file`.
    pub reusable: Option<bool>,
    /// The reusable workflow, `owner/repository/.github/workflows/x.yml@ref` or its path.
    pub called_workflow: Option<String>,
    /// The job's identifier in the reusable workflow, where `job` is the one that calls it.
    pub called_job: Option<String>,
    /// How often this run was started, from 1.
    pub attempt: Option<u32>,
    /// Whether the credential is this run's own `GITHUB_TOKEN`.
    pub token_is_own: Option<bool>,
    /// What the workflow's file grants, if the file was read.
    pub permissions: Option<Permissions>,
    /// Whether the file that was read is the one that runs: the commit that is checked out is the workflow's.
    pub file_is_of_run: Option<bool>,
    /// The token's right to packages as the job's log shows it, under "Set up job".
    pub granted: Option<Access>,
    /// The site whose workflow this is, such as `github.com`.
    pub site: Option<String>,
}

impl ActionsFacts {
    /// Whether Dependabot started the run.
    pub(crate) fn is_dependabot(&self) -> bool {
        self.actor.as_deref() == Some("dependabot[bot]")
    }
}

/// The right to packages that a token has or is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Access {
    /// None at all.
    None,
    /// To read.
    Read,
    /// To write, and to read.
    Write,
}

impl Access {
    /// The word in a `permissions:` block.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Read => "read",
            Self::Write => "write",
        }
    }
}

/// The `permissions:` of a workflow's file, at its two levels.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Permissions {
    /// Those of the whole workflow, `None` if it has none.
    pub workflow: Option<Grants>,
    /// Those of the job, `None` if it has none. They replace the workflow's altogether.
    pub job: Option<Grants>,
}

impl Permissions {
    /// The right to packages that the file grants, `None` if it leaves that to the default of the
    /// repository (<https://docs.github.com/en/actions/using-jobs/assigning-permissions-to-jobs>).
    #[must_use]
    pub fn packages(&self) -> Option<Access> {
        let grants = self.job.as_ref().or(self.workflow.as_ref())?;
        Some(grants.packages())
    }
}

/// One `permissions:` block.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Grants {
    /// `read-all` or `write-all`.
    All(Access),
    /// Scopes by name, in the order of the file. Those that are not named are withheld.
    Scopes(Vec<(String, Access)>),
}

/// What `read-all` lets read beside packages
/// (<https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax#permissions>).
const READABLE: [&str; 11] = [
    "actions",
    "checks",
    "contents",
    "deployments",
    "discussions",
    "issues",
    "pages",
    "pull-requests",
    "repository-projects",
    "security-events",
    "statuses",
];

impl Grants {
    /// The right to packages.
    #[must_use]
    pub fn packages(&self) -> Access {
        match self {
            Self::All(access) => *access,
            Self::Scopes(scopes) => scopes
                .iter()
                .find(|(scope, _)| scope == "packages")
                .map_or(Access::None, |(_, access)| *access),
        }
    }

    /// The block's lines with `packages: write` among them, everything else as it was.
    pub(crate) fn with_packages_write(&self) -> Vec<String> {
        let kept = match self {
            // `read-all` cannot be added to, and what a list does not name is withheld.
            Self::All(Access::Read) => READABLE
                .iter()
                .map(|scope| format!("{scope}: read"))
                .collect(),
            Self::All(_) => vec!["contents: read".to_owned()],
            Self::Scopes(scopes) => scopes
                .iter()
                .filter(|(scope, _)| scope != "packages")
                .map(|(scope, access)| format!("{scope}: {}", access.as_str()))
                .collect(),
        };
        let mut lines = kept;
        lines.push("packages: write".to_owned());
        lines
    }
}
