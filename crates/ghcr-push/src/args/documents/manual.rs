//! What only the manual page has: the variables that are no option's, and the files.

use std::fmt::Write as _;

/// Variables that are no option's, and what they are for.
const ENVIRONMENT: [(&str, &str); 12] = [
    (
        "GHCR_PUSH_TOKEN",
        "A token or password for this push; where several registries are named, for GitHub's only.",
    ),
    (
        "DOCKER_AUTH_CONFIG",
        "The text of a config.json of docker's.",
    ),
    (
        "REGISTRY_AUTH_FILE",
        "A file of docker login or podman login, where --authfile names none.",
    ),
    (
        "DOCKER_CONFIG, BUILDX_CONFIG",
        "The directories of docker's and of buildx's configuration.",
    ),
    (
        "GH_TOKEN, GITHUB_TOKEN, CR_PAT",
        "A token for ghcr.io and containers.*.ghe.com; in a workflow GITHUB_TOKEN is for the registry of the site \
         that it runs at.",
    ),
    (
        "GH_ENTERPRISE_TOKEN, GITHUB_ENTERPRISE_TOKEN",
        "A token for a GitHub Enterprise Server, which GH_HOST may name.",
    ),
    (
        "GITHUB_ACTIONS, GITHUB_ACTOR, GITHUB_STEP_SUMMARY, GITHUB_OUTPUT, RUNNER_DEBUG",
        "What a GitHub Actions run tells, and where it takes the job's summary and the step's outputs.",
    ),
    (
        "HTTPS_PROXY, HTTP_PROXY, ALL_PROXY, NO_PROXY",
        "The proxies, and the hosts that are reached without one.",
    ),
    (
        "SSL_CERT_FILE",
        "The authorities that are trusted, instead of the machine's.",
    ),
    (
        "NO_COLOR, CLICOLOR, CLICOLOR_FORCE, FORCE_COLOR, TERM",
        "Whether there is colour, where --color says nothing else. Where TERM is dumb, --progress auto prints lines.",
    ),
    (
        "TMPDIR",
        "Where nameless files keep what comes through a pipe, is compressed outside, or is compressed by this tool.",
    ),
    (
        "XDG_CACHE_HOME, XDG_CONFIG_HOME, XDG_RUNTIME_DIR",
        "Where the files below are.",
    ),
];

/// Files that are read or written beside those that are named.
const FILES: [(&str, &str); 5] = [
    (
        "~/.docker/config.json",
        "The logins of docker, and the credential helpers that hold them. It is never written.",
    ),
    (
        "~/.docker/buildx/config",
        "The logins that buildx keeps for single repositories. They are never written.",
    ),
    (
        "$XDG_RUNTIME_DIR/containers/auth.json, ~/.config/containers/auth.json",
        "The logins of podman. They are never written.",
    ),
    (
        "~/.cache/ghcr-push/layers",
        "What became of layers that were compressed. It can be deleted.",
    ),
    (
        "~/.cache/ghcr-push/uploads",
        "Where uploads in chunks that a run has left can go on. No credential is in it, and it can be deleted.",
    ),
];

/// The sections, as `man-pages(7)` calls them.
pub(super) fn sections() -> String {
    let mut text = String::new();
    for (heading, entries) in [("ENVIRONMENT", &ENVIRONMENT[..]), ("FILES", &FILES)] {
        // Writing to a string cannot fail.
        let _ = writeln!(text, ".SH {heading}");
        for (names, meaning) in entries {
            let (names, meaning) = (escaped(names), escaped(meaning));
            let _ = writeln!(text, ".TP\n\\fB{names}\\fR\n{meaning}");
        }
    }
    text
}

/// Text that no character of which is a request of roff's (`groff_char(7)`).
pub(super) fn escaped(text: &str) -> String {
    text.replace('\\', "\\e")
        .replace('-', "\\-")
        .replace('~', "\\(ti")
        .replace('`', "\\(ga")
        .replace('\'', "\\(aq")
}
