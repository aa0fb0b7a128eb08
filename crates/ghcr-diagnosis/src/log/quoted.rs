//! Lines that quote: scripts that a runner prints before it runs them, patches, comments, what tests are called.
//!
//! A refusal that is quoted has not happened there. What is code never counts. A citation or a patch counts where a
//! log has no refusal that happened and still tells of a failure: somebody may have put a record of it there.

/// Whether a line shows a text rather than to say it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quotation {
    /// It speaks for itself.
    None,
    /// Of what somebody said or wrote.
    Cited,
    /// Of a program: what it looks for or may print, not what it prints.
    Code,
}

/// For each line whether it only quotes.
pub(super) fn marks(lines: &[&str]) -> Vec<Quotation> {
    let raw: Vec<&str> = lines.iter().map(|line| super::lines::bare(line)).collect();
    let bare: Vec<&str> = raw.iter().map(|line| line.trim()).collect();
    let mut marks = vec![Quotation::None; lines.len()];
    mark_patches(&raw, &mut marks);
    mark_citations(&bare, &mut marks);
    mark_prose(&bare, &mut marks);
    for (line, mark) in bare.iter().zip(&mut marks) {
        if is_code(line) {
            *mark = Quotation::Code;
        }
    }
    mark_scripts(&bare, &mut marks);
    marks
}

/// Whether a line by itself is code, a comment, or the name of a test.
fn is_code(line: &str) -> bool {
    /// What a shell prints before it runs it (`set -x`), and what a runner does.
    const TRACES: [&str; 4] = ["+ ", "++ ", "+++ ", "[command]"];
    /// What only shows or looks for a text.
    const COMMANDS: [&str; 12] = [
        "echo ", "printf ", "grep ", "egrep ", "rg ", "cat ", "sed ", "awk ", "if ", "elif ",
        "case ", "assert",
    ];
    /// How programs report tests that passed.
    const PASSES: [&str; 5] = ["✓ ", "✔ ", "ok ", "PASS", "=== RUN"];
    let starts = |marks: &[&str]| marks.iter().any(|mark| line.starts_with(mark));
    let code = line.strip_prefix("$ ").unwrap_or(line);
    (starts(&TRACES) && !is_assignment(line))
        || COMMANDS.iter().any(|command| code.starts_with(command))
        || starts(&PASSES)
        || line.starts_with("// ")
        || line.strip_prefix("# ").is_some_and(is_comment)
        || line.ends_with(" PASSED")
        || line.contains("|| echo ")
        || line.contains("| grep ")
}

/// Whether a shell's trace shows what a variable was set to: most often what a command has just said.
fn is_assignment(line: &str) -> bool {
    let code = line.trim_start_matches('+').trim_start();
    let name = code.split_once('=').map_or("", |(name, _)| name);
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// Whether what follows `# ` is a comment. A superuser's prompt looks like one.
fn is_comment(rest: &str) -> bool {
    const COMMANDS: [&str; 8] = [
        "docker ", "podman ", "buildah ", "skopeo ", "crane ", "helm ", "oras ", "nerdctl ",
    ];
    !COMMANDS.iter().any(|command| rest.starts_with(command))
}

/// Marks the scripts that GitHub's runner prints before it runs them, between `##[group]Run` and `##[endgroup]`
/// (<https://github.com/actions/runner/blob/main/src/Runner.Worker/Handlers/ScriptHandler.cs>), or as they look when
/// they are copied from the page: from `Run` to `shell:`.
fn mark_scripts(lines: &[&str], marks: &mut [Quotation]) {
    /// No script is longer that somebody prints.
    const LONGEST: usize = 400;
    for (index, line) in lines.iter().enumerate() {
        let is_group = line.starts_with("##[group]Run ");
        if !is_group && !line.starts_with("Run ") {
            continue;
        }
        let mut last = None;
        for (distance, line) in lines[index + 1..].iter().take(LONGEST).enumerate() {
            if line.starts_with("##[group]") || line.starts_with("Run ") {
                break;
            }
            if (is_group && *line == "##[endgroup]") || line.starts_with("shell: ") {
                last = Some(index + 1 + distance);
                break;
            }
        }
        let end = last.unwrap_or(index);
        marks[index..=end].fill(Quotation::Code);
    }
}

/// Marks the lines of patches in the unified format, from `@@` on.
fn mark_patches(lines: &[&str], marks: &mut [Quotation]) {
    let mut is_patch = false;
    for (line, mark) in lines.iter().zip(marks) {
        let is_head = line.starts_with("@@ -") && line[4..].contains(" @@");
        // Blanks in front are those of the context, and may have been cut off.
        let is_part = line.is_empty() || line.starts_with(['+', '-', ' ', '\\', '@']);
        is_patch = is_head || (is_patch && is_part);
        if is_patch {
            *mark = Quotation::Cited;
        }
    }
}

/// Marks what is cited with `>` as mails and Markdown do it, unless most of the text is.
fn mark_citations(lines: &[&str], marks: &mut [Quotation]) {
    // `BuildKit` heads what it repeats of a step with `> `, and a rule above.
    let is_cited = |index: usize| {
        lines[index].starts_with("> ")
            && !index
                .checked_sub(1)
                .is_some_and(|above| lines[above].starts_with("------"))
    };
    let cited: Vec<usize> = (0..lines.len()).filter(|index| is_cited(*index)).collect();
    let filled = lines.iter().filter(|line| !line.trim().is_empty()).count();
    if cited.len() * 2 < filled {
        for index in cited {
            marks[index] = Quotation::Cited;
        }
    }
}

/// Marks what tells of a refusal that may come: documents that a shell shows, to the next prompt, and conditions that
/// quote.
fn mark_prose(lines: &[&str], marks: &mut [Quotation]) {
    /// No document is longer that somebody shows in a log.
    const LONGEST: usize = 400;
    const DOCUMENTS: [&str; 4] = [".md", ".rst", ".adoc", ".html"];
    let is_prompt = |line: &&str| line.starts_with("$ ") || line.starts_with("+ ");
    for (index, line) in lines.iter().enumerate() {
        if line.contains('`') && ["If ", "When "].iter().any(|word| line.starts_with(word)) {
            marks[index] = Quotation::Cited;
        }
        let is_shown = is_prompt(line)
            && line[2..].starts_with("cat ")
            && DOCUMENTS.iter().any(|end| line.ends_with(end));
        let below = &lines[index + 1..(index + 1 + LONGEST).min(lines.len())];
        if is_shown && let Some(count) = below.iter().position(&is_prompt) {
            marks[index..=index + count].fill(Quotation::Cited);
        }
    }
}
