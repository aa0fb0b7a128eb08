//! Where the binary finds its credential, what it says of it, and what it does if there is none.

mod absent;
mod logins;
#[cfg(unix)]
mod programs;

use std::path::Path;
use std::process::Command;

use expect_test::expect;
use test_registry::{Options, TestRegistry};

use crate::support::{Image, Run, TOKEN, USERNAME, check, command};

/// A run from a home directory that is the image's own.
struct Desk {
    image: Image,
    variables: Vec<(String, String)>,
}

impl Desk {
    fn new() -> Self {
        let image = Image::small();
        let mut desk = Self {
            image,
            variables: Vec::new(),
        };
        // Podman's file of the user who runs the test is not to be found.
        let runtime = desk.home().join("run").display().to_string();
        desk.set("XDG_RUNTIME_DIR", &runtime);
        desk
    }

    fn home(&self) -> &Path {
        self.image.directory.path()
    }

    fn set(&mut self, name: &str, value: &str) -> &mut Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    fn unset(&mut self, name: &str) -> &mut Self {
        self.variables.retain(|(set, _)| set != name);
        self
    }

    /// A file that only its owner can read.
    fn write(&mut self, name: &str, text: &str) -> &mut Self {
        let path = self.home().join(name);
        std::fs::create_dir_all(path.parent().expect("a directory")).expect("it can be made");
        std::fs::write(&path, text).expect("it can be written");
        #[cfg(unix)]
        {
            let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
            std::fs::set_permissions(path, mode).expect("it is ours");
        }
        self
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = command(self.home());
        let variables = self.variables.iter();
        command
            .envs(variables.map(|(name, value)| (name, value)))
            .args(arguments);
        command
    }

    fn run(&self, arguments: &[&str]) -> Run {
        let output = self.command(arguments).output();
        self.stable(Run::of(output.expect("the binary starts")))
    }

    /// Output with the home directory's name taken out.
    fn stable(&self, mut run: Run) -> Run {
        run.stderr = run.stderr.replace(&self.home().display().to_string(), "~");
        run
    }

    /// Pushes to a registry on this machine.
    fn push(&self, registry: &TestRegistry, options: &[&str]) -> Run {
        let reference = format!("{}/owner/app:1", registry.host());
        let mut arguments = vec!["--plain-http"];
        arguments.extend(options);
        arguments.extend(["image.tar", &reference]);
        self.run(&arguments)
    }
}

fn registry() -> TestRegistry {
    TestRegistry::start(Options::ghcr(USERNAME, TOKEN))
}

/// A file of logins with one entry.
fn login(key: &str, password: &str) -> String {
    let entry = serde_json::json!({ "username": USERNAME, "password": password });
    serde_json::json!({ "auths": { key: entry } }).to_string()
}

/// The line that tells which credential is used, with the registry's name taken out.
#[track_caller]
fn told(run: &Run, host: &str) -> String {
    let mut lines = run.stderr.lines();
    let line = lines.find(|line| line.starts_with("credential for "));
    let line = line.unwrap_or_else(|| panic!("nothing is told: {}", run.stderr));
    line.replace(host, "HOST")
}

/// The registry takes one token only, which the first source has; those after it have others.
#[test]
fn the_first_source_wins() {
    let registry = registry();
    let host = registry.host();
    let mut desk = Desk::new();
    let key = host.as_str();
    let wrong = login(key, "ghp_wrong");
    let right = login(key, TOKEN);
    let part = login(&format!("{host}/owner"), TOKEN);
    let scoped = format!(".docker/buildx/config/{host}/owner/app@push/config.json");
    let podman = "run/containers/auth.json";
    let mut lines = Vec::new();
    let mut push = |desk: &Desk, options: &[&str]| {
        let run = desk.push(&registry, options);
        run.assert_code(0);
        lines.push(told(&run, key) + "\n");
    };
    desk.write(podman, &part);
    push(&desk, &[]);
    desk.write(podman, &wrong).write(&scoped, &right);
    push(&desk, &[]);
    desk.write(&scoped, &wrong)
        .write(".docker/config.json", &right);
    push(&desk, &[]);
    desk.write(".docker/config.json", &wrong)
        .write("file.json", &right)
        .set("REGISTRY_AUTH_FILE", "file.json");
    push(&desk, &[]);
    desk.set("REGISTRY_AUTH_FILE", "wrong.json")
        .write("wrong.json", &wrong);
    push(&desk, &["--authfile", "file.json"]);
    desk.set("GHCR_PUSH_AUTHFILE", "file.json");
    push(&desk, &[]);
    desk.set("GHCR_PUSH_AUTHFILE", "wrong.json")
        .set("DOCKER_AUTH_CONFIG", &right);
    push(&desk, &[]);
    desk.set("DOCKER_AUTH_CONFIG", &wrong)
        .set("GHCR_PUSH_TOKEN", TOKEN)
        .set("GHCR_PUSH_USERNAME", USERNAME);
    push(&desk, &[]);
    expect![[r#"
        credential for HOST/owner: ~/run/containers/auth.json, entry "HOST/owner" (installation token, as GITHUB_TOKEN is), user name octocat
        credential for HOST: ~/.docker/buildx/config/HOST/owner/app@push/config.json (installation token, as GITHUB_TOKEN is), user name octocat
        credential for HOST: ~/.docker/config.json (installation token, as GITHUB_TOKEN is), user name octocat
        credential for HOST: REGISTRY_AUTH_FILE file.json (installation token, as GITHUB_TOKEN is), user name octocat
        credential for HOST: --authfile file.json (installation token, as GITHUB_TOKEN is), user name octocat
        credential for HOST: --authfile file.json (installation token, as GITHUB_TOKEN is), user name octocat
        credential for HOST: DOCKER_AUTH_CONFIG (installation token, as GITHUB_TOKEN is), user name octocat
        credential for HOST: GHCR_PUSH_TOKEN (installation token, as GITHUB_TOKEN is), user name octocat
    "#]]
    .assert_eq(&lines.concat());
}

#[test]
fn standard_input_goes_before_all() {
    use std::io::Write as _;
    let registry = registry();
    let mut desk = Desk::new();
    desk.set("GHCR_PUSH_TOKEN", "ghp_wrong");
    let reference = format!("{}/owner/app:1", registry.host());
    let mut child = desk
        .command(&["--plain-http", "-u", USERNAME, "--password-stdin"])
        .args(["image.tar", &reference])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .expect("the binary starts");
    let mut pipe = child.stdin.take().expect("a pipe");
    writeln!(pipe, "{TOKEN}").expect("it reads");
    drop(pipe);
    let run = Run::of(child.wait_with_output().expect("it ends"));
    run.assert_code(0);
    assert_eq!(
        told(&run, &registry.host()),
        "credential for HOST: --password-stdin (installation token, as GITHUB_TOKEN is), user name octocat"
    );
}

/// Tokens for GitHub are used for ghcr.io, which no test can reach: a proxy refuses the way there.
#[test]
fn variables_for_github() {
    let nowhere = registry();
    let mut desk = Desk::new();
    desk.set("HTTPS_PROXY", &nowhere.url())
        .set("GITHUB_ACTOR", "octocat")
        .set("CR_PAT", "ghp_cr");
    let mut lines = Vec::new();
    for (variable, value) in [
        ("", ""),
        ("GITHUB_TOKEN", "ghs_workflow"),
        ("GH_TOKEN", "gho_gh"),
    ] {
        desk.set(variable, value);
        let run = desk.run(&["--retry", "1", "image.tar", "ghcr.io/owner/app:1"]);
        run.assert_code(5);
        lines.push(told(&run, "ghcr.io") + "\n");
    }
    expect![[r"
        credential for HOST: CR_PAT (classic personal access token), user name octocat
        credential for HOST: GITHUB_TOKEN (installation token, as GITHUB_TOKEN is), user name octocat
        credential for HOST: GH_TOKEN (OAuth token, as gh issues them), user name octocat
    "]]
    .assert_eq(&lines.concat());
}

/// The stale login that hides a good token is the commonest mistake: the refusal tells both.
#[test]
fn what_was_passed_over_is_evidence() {
    let registry = registry();
    let mut desk = Desk::new();
    let podman = login(&registry.host(), "p-old");
    desk.set("GHCR_PUSH_TOKEN", "ghp_revoked0")
        .write(".docker/config.json", &login(&registry.host(), TOKEN))
        .write(".config/containers/auth.json", &podman);
    let run = desk.push(&registry, &["--registry-profile", "ghcr"]);
    let host = registry.host();
    check(
        &run,
        &host,
        4,
        &expect![[r"
            credential for HOST: GHCR_PUSH_TOKEN (classic personal access token), user name x-access-token
            pushing to HOST/owner/app: 3 blobs, 106.8 kB
            error: failed to push HOST/owner/app:1
              caused by: HOST answered 403 Forbidden to the request to fetch a token
              caused by: DENIED: denied
              request: GET http://HOST/token?service=HOST&scope=repository:owner/app:pull,push
              request id: ID

            diagnosis: the credential was not accepted

            1. credential-rejected (likely)
               the credential is wrong, expired or revoked
               evidence:
                 - HOST said: denied
                 - the credential came from GHCR_PUSH_TOKEN (classic personal access token)
                 - passed over in its favour: the one from ~/.docker/config.json (installation token, as GITHUB_TOKEN is)
                 - passed over in its favour: the one from ~/.config/containers/auth.json (kind not recognised)
               what to do:
                 Replace the credential that comes from GHCR_PUSH_TOKEN. A new classic personal access token needs the scope write:packages. Or take this one away (unset the variable, or log out), so that the one that was passed over is used.
                 https://github.com/settings/tokens/new?scopes=write:packages
        "]],
    );
    let verbose = desk.push(&registry, &["-vvv", "--registry-profile", "ghcr"]);
    let told = "passed over: credential for HOST: ~/.docker/config.json";
    let stderr = verbose.stable_stderr(&host);
    assert!(stderr.contains(told), "{stderr}");
    for secret in ["ghp_revoked0", TOKEN, "p-old"] {
        assert!(!verbose.stderr.contains(secret), "{}", verbose.stderr);
    }
}

/// Two repositories of one registry, with a credential each.
#[test]
fn each_repository_has_its_own() {
    let registry = registry();
    let host = registry.host();
    let mut desk = Desk::new();
    let entry = |password: &str| serde_json::json!({ "username": USERNAME, "password": password });
    let logins = serde_json::json!({ "auths": {
        host.as_str(): entry("wrong"),
        format!("{host}/owner/app"): entry(TOKEN),
        format!("{host}/other"): entry(TOKEN),
    }});
    desk.write(".config/containers/auth.json", &logins.to_string());
    let other = format!("{host}/other/app:1");
    let run = desk.push(&registry, &[]);
    run.assert_code(0);
    let reference = format!("{host}/owner/app:2");
    let run = desk.run(&["--plain-http", "image.tar", &reference, &other]);
    run.assert_code(0);
    let lines = run.stable_stderr(&host);
    let lines = lines.lines().filter(|line| line.starts_with("credential"));
    expect![[r#"
        credential for HOST/owner/app: ~/.config/containers/auth.json, entry "HOST/owner/app" (installation token, as GITHUB_TOKEN is), user name octocat
        credential for HOST/other: ~/.config/containers/auth.json, entry "HOST/other" (installation token, as GITHUB_TOKEN is), user name octocat
    "#]]
    .assert_eq(&(lines.collect::<Vec<_>>().join("\n") + "\n"));
    assert_eq!(registry.tags("other/app"), ["1"]);
}

/// A pipe can be read once; it is for every repository, and for every time the engine asks.
#[cfg(unix)]
#[test]
fn logins_through_a_pipe() {
    use std::io::Write as _;
    let registry = registry();
    let desk = Desk::new();
    let mut arguments = vec!["--plain-http".to_owned(), "--authfile".to_owned()];
    arguments.push("/dev/stdin".to_owned());
    arguments.push("image.tar".to_owned());
    for name in ["a", "b"] {
        arguments.push(format!("{}/owner/{name}:1", registry.host()));
    }
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let mut child = desk
        .command(&arguments)
        .stdin(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .expect("the binary starts");
    let mut pipe = child.stdin.take().expect("a pipe");
    let logins = login(&registry.host(), TOKEN);
    pipe.write_all(logins.as_bytes()).expect("it reads");
    drop(pipe);
    let run = Run::of(child.wait_with_output().expect("it ends"));
    run.assert_code(0);
    assert_eq!(registry.tags("owner/b"), ["1"]);
}

/// A user name that goes with nothing would be believed to.
#[test]
fn a_user_name_that_is_not_used() {
    let registry = registry();
    let host = registry.host();
    let mut desk = Desk::new();
    desk.write(".docker/config.json", &login(&host, TOKEN));
    let unused = |run: &Run| {
        run.assert_code(0);
        let mut lines = run.stderr.lines();
        let line = lines.find(|line| line.contains("--username"));
        line.map(str::to_owned)
    };
    let line = unused(&desk.push(&registry, &["-u", "somebody"])).expect("it is told");
    let expected = "notice: --username somebody is not used: ~/.docker/config.json";
    assert!(line.starts_with(expected), "{line}");
    assert_eq!(unused(&desk.push(&registry, &["-u", USERNAME])), None);
    // A variable is for all runs.
    desk.set("GHCR_PUSH_USERNAME", "somebody");
    assert_eq!(unused(&desk.push(&registry, &[])), None);
    // A token of a variable's has no name.
    desk.set("GHCR_PUSH_TOKEN", TOKEN);
    assert_eq!(unused(&desk.push(&registry, &["-u", USERNAME])), None);
    let open = TestRegistry::start(Options::default());
    let run = Desk::new().push(&open, &["-u", "somebody"]);
    assert_eq!(
        unused(&run).as_deref(),
        Some(
            "notice: --username somebody is not used: it goes with a password or a token, and none is given"
        )
    );
}
