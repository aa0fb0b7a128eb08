//! Programs that are asked for a credential: found on the search path, run without a shell, given a limited time,
//! and listened to up to a limit.

use std::io::{self, Read, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use secrecy::zeroize::Zeroizing;

/// No credential is longer.
const ANSWER_LIMIT: usize = 64 * 1024;

/// A complaint is shown by its beginning.
const COMPLAINT_LIMIT: usize = 4 * 1024;

/// How often a program that has closed its output is asked whether it has ended.
const GLANCE: Duration = Duration::from_millis(5);

/// What a program did.
pub(crate) struct Output {
    pub(crate) succeeded: bool,
    /// Its standard output, whole.
    pub(crate) answer: Zeroizing<Vec<u8>>,
    /// The beginning of its standard error.
    pub(crate) complaint: Vec<u8>,
}

impl Output {
    /// What it complains of, in a line that can be shown: the first of its standard error, else of its standard
    /// output, where helpers put it. An answer that may hold a secret is not shown.
    pub(crate) fn complaint(&self) -> Option<String> {
        const EXCERPT: usize = 200;
        let first_line = |bytes: &[u8]| {
            let text = String::from_utf8_lossy(bytes).into_owned();
            let line = text.lines().map(str::trim).find(|line| !line.is_empty());
            line.map(|line| line.chars().take(EXCERPT).collect::<String>())
        };
        let answer = || first_line(&self.answer).filter(|line| !line.starts_with(['{', '[', '"']));
        first_line(&self.complaint).or_else(answer)
    }
}

/// Why there is nothing to go by.
#[derive(Debug)]
pub(crate) enum Problem {
    /// The system does not start it.
    Start(io::Error),
    /// It said too little in its time, and was ended.
    TooSlow(Duration),
    /// It said too much, and was ended.
    TooLong,
}

impl std::fmt::Display for Problem {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Start(error) => write!(formatter, "it cannot be started: {error}"),
            Self::TooSlow(patience) => write!(
                formatter,
                "it was ended after {} seconds without an answer",
                patience.as_secs_f32()
            ),
            Self::TooLong => write!(
                formatter,
                "it was ended, since it answered with more than {} KiB",
                ANSWER_LIMIT / 1024
            ),
        }
    }
}

/// The first program of this name in `directories`.
pub(crate) fn find(directories: &[PathBuf], name: &str) -> Option<PathBuf> {
    let file = if cfg!(windows) {
        format!("{name}.exe")
    } else {
        name.to_owned()
    };
    let mut paths = directories.iter().map(|directory| directory.join(&file));
    paths.find(|path| is_program(path))
}

#[cfg(unix)]
fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    let metadata = path.metadata();
    metadata.is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_program(path: &Path) -> bool {
    path.is_file()
}

/// Runs a program that reads `input`, and waits for its answer.
///
/// # Errors
///
/// [`Problem`], after which the program no longer runs.
pub(crate) fn run(
    mut command: Command,
    input: &str,
    patience: Duration,
) -> Result<Output, Problem> {
    let deadline = Instant::now() + patience;
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(Problem::Start)?;
    let outcome = converse(&mut child, input, deadline);
    if outcome.is_err() {
        // It may have ended by itself meanwhile.
        let _ = child.kill();
        let _ = child.wait();
    }
    outcome.map_err(|problem| match problem {
        Problem::TooSlow(_) => Problem::TooSlow(patience),
        problem => problem,
    })
}

fn converse(child: &mut Child, input: &str, deadline: Instant) -> Result<Output, Problem> {
    let answer = child.stdout.take().map(|pipe| listen(pipe, ANSWER_LIMIT));
    let complaint = child
        .stderr
        .take()
        .map(|pipe| listen(pipe, COMPLAINT_LIMIT));
    if let Some(mut pipe) = child.stdin.take() {
        // A host's name fits into any pipe. A program that does not read it may know the answer all the same.
        let _ = pipe.write_all(input.as_bytes());
    }
    let answer = answer.map_or_else(|| Ok(Heard::default()), |answer| hear(&answer, deadline))?;
    if answer.is_cut {
        return Err(Problem::TooLong);
    }
    let status = loop {
        if let Some(status) = child.try_wait().map_err(Problem::Start)? {
            break status;
        }
        if Instant::now() >= deadline {
            return Err(Problem::TooSlow(Duration::ZERO));
        }
        thread::sleep(GLANCE);
    };
    // A daemon that the program left behind may hold standard error open.
    let grace = deadline.min(Instant::now() + Duration::from_millis(200));
    let complaint = complaint.and_then(|complaint| hear(&complaint, grace).ok());
    Ok(Output {
        succeeded: status.success(),
        answer: answer.bytes,
        complaint: complaint.unwrap_or_default().bytes.to_vec(),
    })
}

/// What was read of a pipe.
#[derive(Default)]
struct Heard {
    bytes: Zeroizing<Vec<u8>>,
    /// Whether there was more.
    is_cut: bool,
}

/// Reads a pipe on a thread of its own, which ends with the pipe.
fn listen(mut pipe: impl Read + Send + 'static, limit: usize) -> Receiver<Heard> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        // With room for all of it, no copy is left behind where it grew.
        let mut bytes = Zeroizing::new(Vec::with_capacity(2 * limit));
        let most = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
        // What came before a failure is as good as what came before the end.
        let _ = pipe.by_ref().take(most).read_to_end(&mut bytes);
        let is_cut = bytes.len() > limit;
        bytes.truncate(limit);
        // Nobody listens after the deadline.
        let _ = sender.send(Heard { bytes, is_cut });
        // Keeps the program from waiting for a reader.
        let _ = io::copy(&mut pipe, &mut io::sink());
    });
    receiver
}

fn hear(pipe: &Receiver<Heard>, deadline: Instant) -> Result<Heard, Problem> {
    let left = deadline.saturating_duration_since(Instant::now());
    pipe.recv_timeout(left)
        .map_err(|_| Problem::TooSlow(Duration::ZERO))
}
