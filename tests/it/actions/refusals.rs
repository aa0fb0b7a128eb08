//! What a run is told of a failure.

use expect_test::{Expect, expect};
use test_registry::Refusal;

use super::Step;
use crate::doctor::run::{Workflow, fed};
use crate::support::{Run, TOKEN, check};

/// A file whose job may not write packages.
const READING: &str = "\
on: push
permissions:
  contents: read
jobs:
  publish:
    runs-on: ubuntu-latest
";

/// What is known to be wrong in the workflow's file is shown there.
#[test]
fn a_refusal() {
    let step = Step::refused(Refusal::InstallationNotAllowedToCreate);
    let workflow = Workflow {
        file: Some(READING),
        ..Workflow::default()
    };
    let run = step.push(&workflow, &["--no-probe"]);
    run.assert_code(4);
    assert_eq!(run.stdout, "");
    expect![[r#"
        credential for HOST: GHCR_PUSH_TOKEN (installation token, as GITHUB_TOKEN is), user name octocat
        ::group::Pushing to HOST/owner/app:1
        ::endgroup::
        error: failed to push HOST/owner/app:1
          caused by: HOST answered 403 Forbidden to the request to start a blob upload
          caused by: DENIED: installation not allowed to Create organization package
          request: POST http://HOST/v2/owner/app/blobs/uploads/
          request id: ID

        diagnosis: the token that was used may not write packages

        1. workflow-lacks-packages-write (proven)
           the workflow's token has no `packages: write` permission. This is the token's own lock: granting access on the package's page does not open it
           evidence:
             - HOST said: installation not allowed to Create organization package
             - the credential came from GHCR_PUSH_TOKEN (installation token, as GITHUB_TOKEN is)
             - "Create": the package owner/app does not exist yet
             - .github/workflows/release.yml gives all its jobs `packages: none` in the workflow's `permissions:`
           what to do:
             In .github/workflows/release.yml, give the job "publish" this block (a scope that is not listed in it is withheld):

                 permissions:
                   contents: read
                   packages: write

             What the token really had stands in the job's log, under "Set up job", "GITHUB_TOKEN Permissions".
             https://github.com/owner/app/settings/actions

        2. organization-policy (possible)
           owner, if it is an organization, does not let its members create packages
           evidence:
             - holds only if what is said above is in place already
           what to do:
             Ask an owner of owner to allow it under "Package creation".
             https://github.com/organizations/owner/settings/packages
        ::error title=failed to push HOST/owner/app%3A1,file=.github/workflows/release.yml,line=5::the token that was used may not write packages%0AIn .github/workflows/release.yml, give the job "publish" this block (a scope that is not listed in it is withheld):%0A%0A    permissions:%0A      contents: read%0A      packages: write
    "#]].assert_eq(&step.stderr(&run));
    expect![[r#"
        ### failed to push HOST/owner/app:1

        **Diagnosis:** the token that was used may not write packages

        #### 1. workflow-lacks-packages-write (proven)

        the workflow's token has no `packages: write` permission. This is the token's own lock: granting access on the package's page does not open it

        What to do:

        In .github/workflows/release.yml, give the job "publish" this block (a scope that is not listed in it is withheld):

        ```yaml
            permissions:
              contents: read
              packages: write
        ```

        What the token really had stands in the job's log, under "Set up job", "GITHUB\_TOKEN Permissions".

        <https://github.com/owner/app/settings/actions>

        Evidence:

        - `HOST said: installation not allowed to Create organization package`
        - `the credential came from GHCR_PUSH_TOKEN (installation token, as GITHUB_TOKEN is)`
        - `"Create": the package owner/app does not exist yet`
        - `` .github/workflows/release.yml gives all its jobs `packages: none` in the workflow's `permissions:` ``

        #### 2. organization-policy (possible)

        owner, if it is an organization, does not let its members create packages

        What to do:

        Ask an owner of owner to allow it under "Package creation".

        <https://github.com/organizations/owner/settings/packages>

        Evidence:

        - `holds only if what is said above is in place already`

        ```
        caused by: HOST answered 403 Forbidden to the request to start a blob upload
        caused by: DENIED: installation not allowed to Create organization package
        request: POST http://HOST/v2/owner/app/blobs/uploads/
        request id: C0DE:12EF34:567890:9ABCDE:ID
        ```

    "#]].assert_eq(&step.written("summary"));
    assert_eq!(step.written("output"), "");
}

/// What is published nevertheless is in the summary, and nothing in the outputs: the step has failed.
#[test]
fn a_refusal_of_one_of_two() {
    let step = Step::refused(Refusal::WritePackage);
    let output = step
        .command(&Workflow::default())
        .args(["--plain-http", "image.tar"])
        .args([
            step.reference("owner/first:1"),
            step.reference("owner/app:1"),
        ])
        .output();
    Run::of(output.expect("the binary starts")).assert_code(4);
    let summary = step.written("summary");
    let (_, table) = summary
        .split_once("Not everything")
        .expect("there is a table");
    expect![[r"
         failed:

        | Reference | Status | Digest |
        | --- | --- | --- |
        | `HOST/owner/first:1` | pushed | `sha256:9bcfd805a4246b908b5be5d97e4b43a4cca79993d873cca11220b2673254a567` |
        | `HOST/owner/app:1` | failed |  |

    "]].assert_eq(table);
    assert_eq!(step.written("output"), "");
}

/// A registry's words start no command, end no code, and set no output.
#[test]
fn hostile_words() {
    let step = Step::refused(Refusal::Custom {
        status: 403,
        code: "##[error]".to_owned(),
        message: "no\n::stop-commands::x\r\n```\n<img src=x> | [a](https://b.example) \u{1b}[31m"
            .to_owned(),
    });
    let run = step.push(&Workflow::default(), &["--no-probe"]);
    run.assert_code(4);
    let stderr = step.stderr(&run);
    let commands: Vec<&str> = stderr
        .split(['\n', '\r'])
        .filter(|line| line.trim_start().starts_with("::"))
        .collect();
    assert_eq!(commands.len(), 3, "group, endgroup, error: {commands:?}");
    assert!(!stderr.contains("##["), "{stderr}");
    expect![[r"
        ### failed to push HOST/owner/app:1

        **Diagnosis:** the registry refused, in words that are not known here

        #### 1. unknown-denial (possible)

        this refusal is not catalogued; it is neither the words for a token without `packages: write` nor those for a package that does not admit the repository, nor those for a scope, single sign-on, an owner or a credential

        What to do:

        Try again once: GitHub's refusals are at times transient. If it stays, ask GitHub Support and give them the request id C0DE:12EF34:567890:9ABCDE:ID.

        <https://www.githubstatus.com>

        Evidence:

        - ```` HOST said: no\u{a}::stop-commands::x\u{d}\u{a}```\u{a}<img src=x> | [a](https://b.example) \u{1b}[31m ````
        - `the credential came from GHCR_PUSH_TOKEN (installation token, as GITHUB_TOKEN is)`
        - `ruled out: a fine-grained token, an owner that does not exist, a pull request from a fork, another owner than the workflow's`

        ````
        caused by: HOST answered 403 Forbidden to the request to start a blob upload
        caused by: ## [error]: no\u{a}::stop-commands::x\u{d}\u{a}```\u{a}<img src=x> | [a](https://b.example) \u{1b}[31m
        request: POST http://HOST/v2/owner/app/blobs/uploads/
        request id: C0DE:12EF34:567890:9ABCDE:ID
        ````

    "]].assert_eq(&step.written("summary"));
}

/// A registry that repeats the credential does not get it into anything that others read.
#[test]
fn secrets_are_hidden_everywhere() {
    let encoded = "b2N0b2NhdDpnaHNf";
    let step = Step::refused(Refusal::Custom {
        status: 403,
        code: "DENIED".to_owned(),
        message: format!("{TOKEN} may not"),
    });
    let run = step.push(&Workflow::default(), &["--no-probe", "-vv"]);
    run.assert_code(4);
    let summary = step.written("summary");
    assert!(summary.contains("[redacted] may not"), "{summary}");
    for text in [&run.stderr, &summary] {
        assert!(!text.contains(TOKEN) && !text.contains(encoded), "{text}");
    }
}

#[track_caller]
fn mistaken(step: &Step, arguments: &[&str], expected: &Expect) {
    let output = step.command(&Workflow::default()).args(arguments).output();
    let run = Run::of(output.expect("the binary starts"));
    check(&run, &step.registry.host(), 2, expected);
}

#[test]
fn a_mistake_in_the_arguments() {
    let step = Step::new();
    mistaken(
        &step,
        &["--no-such-option"],
        &expect![[r"
            error: unexpected argument '--no-such-option' found

              tip: to pass '--no-such-option' as a value, use '-- --no-such-option'

            Usage: ghcr-push [OPTIONS] <IMAGE>... <REFERENCE>...
                   ghcr-push check [OPTIONS] <REFERENCE>... [IMAGE]...
                   ghcr-push inspect [OPTIONS] <IMAGE>...
                   ghcr-push explain [--json] [FILE | -]
                   ghcr-push completions <SHELL>
                   ghcr-push help [COMMAND]

            For more information, try '--help'.
            ::error title=unexpected argument '--no-such-option' found::unexpected argument '--no-such-option' found
        "]],
    );
    mistaken(
        &step,
        &["image.tar", "ghcr.io/app"],
        &expect![[r#"
            error: "ghcr.io/app" names no owner (reference-without-owner)

            hint: write ghcr.io/owner/app:latest, with the user or organization it belongs to
            ::error title="ghcr.io/app" names no owner (reference-without-owner)::write ghcr.io/owner/app:latest, with the user or organization it belongs to
        "#]],
    );
}

/// The annotation stands at the job that has to be given a credential.
#[test]
fn no_credential() {
    let step = Step::new();
    let workflow = Workflow {
        file: Some(READING),
        ..Workflow::default()
    };
    let annotation = |variable: Option<&str>| {
        let mut command = step.command(&workflow);
        command.env_remove("GHCR_PUSH_TOKEN");
        command.envs(variable.map(|name| (name, "")));
        command.args(["image.tar", "ghcr.io/owner/app:1"]);
        let run = Run::of(command.output().expect("the binary starts"));
        run.assert_code(4);
        let mut lines = run.stderr.lines();
        let line = lines.find(|line| line.starts_with("::error"));
        line.expect("there is one").to_owned()
    };
    expect!["::error title=no credential for ghcr.io was found,file=.github/workflows/release.yml,line=5::no credential was found%0AGive the step the job's token:%0A%0A    env:%0A      GITHUB_TOKEN: ${{ secrets.GITHUB_TOKEN }}"].assert_eq(&annotation(None));
    expect!["::error title=no credential for ghcr.io was found,file=.github/workflows/release.yml,line=5::the credential is empty%0ACheck the name of the secret, that it exists for this repository (or its environment), and that the run may have it: runs for pull requests from forks have no secrets, Dependabot's only its own."].assert_eq(&annotation(Some("GITHUB_TOKEN")));
}

#[test]
fn a_check_that_is_refused() {
    let step = Step::refused(Refusal::WritePackage);
    let mut command = step.command(&Workflow::default());
    command
        .args([
            "check",
            "--plain-http",
            "--registry-profile",
            "ghcr",
            "--no-probe",
        ])
        .arg(step.reference("owner/app"));
    let run = Run::of(command.output().expect("the binary starts"));
    run.assert_code(4);
    let stderr = step.stderr(&run);
    let error = stderr.lines().find(|line| line.starts_with("::error"));
    expect![[r#"::error title=a push to HOST/owner/app%3Alatest would fail::the package owner/app exists, and does not admit this push%0AOpen https://github.com/orgs/owner/packages/container/app/settings (if owner is a user: https://github.com/users/owner/packages/container/app/settings), go to "Manage Actions access", choose "Add repository", add owner/app, and set its role to Write."#]].assert_eq(error.expect("there is one"));
    let summary = step.written("summary");
    assert!(summary.starts_with("### a push to"), "{summary}");
}

#[test]
fn another_tools_log() {
    let step = Step::new();
    let mut command = step.command(&Workflow::default());
    command.arg("explain");
    let log = "#9 pushing layers\n#9 ERROR: failed to push ghcr.io/owner/app:1: denied: permission_denied: \
               write_package\n";
    let run = fed(&mut command, log);
    run.assert_code(0);
    expect![[r#"
        ::error title=refused%3A the push of ghcr.io/owner/app%3A1::the package owner/app exists, and does not admit this push%0AOpen https://github.com/orgs/owner/packages/container/app/settings (if owner is a user: https://github.com/users/owner/packages/container/app/settings), go to "Manage Actions access", choose "Add repository", add owner/app, and set its role to Write.
    "#]].assert_eq(&step.stderr(&run));
    expect![[r#"
        ### refused: the push of ghcr.io/owner/app:1

        **Diagnosis:** the package owner/app exists, and does not admit this push

        #### 1. package-denies-repository (likely)

        the package does not give owner/app the role Write. It was probably first pushed by hand, or from another repository. The workflow's `permissions:` are not the matter

        What to do:

        Open <https://github.com/orgs/owner/packages/container/app/settings> (if owner is a user: <https://github.com/users/owner/packages/container/app/settings>), go to "Manage Actions access", choose "Add repository", add owner/app, and set its role to Write. Then run the job again.

        Evidence:

        - `ghcr.io said: permission_denied: write_package`

        #### 2. package-denies-user (possible)

        the package does not give this token's user the role Write

        What to do:

        Ask an administrator of the package to open <https://github.com/orgs/owner/packages/container/app/settings> (if owner is a user: <https://github.com/users/owner/packages/container/app/settings>), go to "Manage access" ("Invite teams or people"), and give your user the role Write.

        Evidence:

        - `ghcr.io said: permission_denied: write_package`
        - `holds if the token is a person's, not a workflow's`

    "#]].assert_eq(&step.written("summary"));
}
