//! The process's surroundings, read once and passed on as a value.
//!
//! The only place that looks at arguments and environment variables, so that everything else can be tested with
//! invented ones.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{self, IsTerminal as _, Read as _};
use std::path::PathBuf;

use terminal_size::{Height, Width, terminal_size_of};

/// The columns of the terminals that the outputs are; none of what is no terminal.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Widths {
    pub(crate) stderr: Option<usize>,
    pub(crate) stdout: Option<usize>,
}

fn width(size: Option<(Width, Height)>) -> Option<usize> {
    size.map(|(Width(columns), _)| columns.into())
}

/// The command line, environment variables, and what is known of the terminal.
#[derive(Debug, Clone, Default)]
pub(crate) struct Environment {
    /// The command line, the program's own name first.
    pub(crate) arguments: Vec<OsString>,
    variables: BTreeMap<String, String>,
    /// Whether standard error is a terminal.
    pub(crate) stderr_is_terminal: bool,
    /// Whether standard output is a terminal.
    pub(crate) stdout_is_terminal: bool,
    /// Whether standard input is a terminal.
    pub(crate) stdin_is_terminal: bool,
    /// How wide they are.
    pub(crate) widths: Widths,
    /// Where files may be put that are needed for a while only.
    pub(crate) temporary_directory: PathBuf,
    /// The user's number, where the system tells it in a file.
    pub(crate) user: Option<u32>,
}

impl Environment {
    /// The process's own.
    pub(crate) fn of_process() -> Self {
        #[expect(
            clippy::disallowed_methods,
            reason = "the one place where the environment is read"
        )]
        let variables = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        Self {
            arguments: std::env::args_os().collect(),
            variables,
            stderr_is_terminal: io::stderr().is_terminal(),
            stdout_is_terminal: io::stdout().is_terminal(),
            stdin_is_terminal: io::stdin().is_terminal(),
            widths: Widths {
                stderr: width(terminal_size_of(io::stderr())),
                stdout: width(terminal_size_of(io::stdout())),
            },
            temporary_directory: std::env::temp_dir(),
            user: user(),
        }
    }

    /// An invented one, for tests.
    #[cfg(test)]
    pub(crate) fn of(variables: &[(&str, &str)]) -> Self {
        Self {
            arguments: Vec::new(),
            variables: variables
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            stderr_is_terminal: false,
            stdout_is_terminal: false,
            stdin_is_terminal: false,
            widths: Widths::default(),
            temporary_directory: PathBuf::from("/tmp"),
            user: None,
        }
    }

    /// A variable that is set, be it empty.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str)
    }

    /// Whether lines on standard error can be drawn anew: it is a terminal, and none that takes no escape sequences
    /// (`TERM=dumb`, as editors set it for the shells in them).
    pub(crate) fn can_draw(&self) -> bool {
        self.stderr_is_terminal && self.get("TERM") != Some("dumb")
    }

    /// The names of all variables that are set.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.variables.keys().map(String::as_str)
    }

    /// A variable that is set and not empty.
    pub(crate) fn filled(&self, name: &str) -> Option<&str> {
        self.get(name).filter(|value| !value.is_empty())
    }

    /// The directories in which programs are looked up. Relative ones, and the empty one that stands for the
    /// working directory, are left out: what lies in a checked-out repository is not to be run.
    pub(crate) fn search_path(&self) -> Vec<PathBuf> {
        let path = self.get("PATH").or_else(|| self.get("Path"));
        let directories = std::env::split_paths(path.unwrap_or_default());
        directories.filter(|path| path.is_absolute()).collect()
    }

    /// Where the tool may remember things that it can do without
    /// (<https://specifications.freedesktop.org/basedir-spec/latest/>).
    pub(crate) fn cache_directory(&self) -> Option<PathBuf> {
        let parent = if cfg!(windows) {
            self.filled("LOCALAPPDATA").map(PathBuf::from)
        } else if cfg!(target_os = "macos") {
            self.home().map(|home| home.join("Library/Caches"))
        } else {
            let named = self.filled("XDG_CACHE_HOME").map(PathBuf::from);
            // A relative path is invalid, says the specification.
            let named = named.filter(|path| path.is_absolute());
            named.or_else(|| self.home().map(|home| home.join(".cache")))
        };
        parent.map(|parent| parent.join("ghcr-push"))
    }

    /// The user's home directory.
    pub(crate) fn home(&self) -> Option<PathBuf> {
        self.filled("HOME")
            .or_else(|| self.filled("USERPROFILE"))
            .map(PathBuf::from)
    }
}

/// The number of the user that runs this process, from the owner of its own directory under `/proc`.
#[cfg(target_os = "linux")]
fn user() -> Option<u32> {
    use std::os::unix::fs::MetadataExt as _;
    let metadata = std::fs::metadata("/proc/self").ok()?;
    Some(metadata.uid())
}

/// Nothing that is looked for elsewhere depends on it.
#[cfg(not(target_os = "linux"))]
fn user() -> Option<u32> {
    None
}

/// No password is longer; what is, is a file piped in by mistake.
const PASSWORD_LIMIT: u64 = 64 * 1024;

/// Reads a password from standard input, without the line break that `echo` adds.
///
/// # Errors
///
/// If standard input cannot be read, is no text, or is far longer than any password.
pub(crate) fn password_from_stdin() -> io::Result<String> {
    let mut password = String::new();
    io::stdin()
        .lock()
        .take(PASSWORD_LIMIT + 1)
        .read_to_string(&mut password)?;
    if password.len() as u64 > PASSWORD_LIMIT {
        return Err(io::Error::other("it is far too long for a password"));
    }
    Ok(password.trim_end_matches(['\r', '\n']).to_owned())
}
