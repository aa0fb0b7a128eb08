//! What can be said to `check`: all that can be said to a push, so that the one is the other with a word
//! more. What means nothing to it is taken, and not shown.

use clap::Command;

/// Options that say how bytes are sent and what becomes of the result.
const WITHOUT_MEANING: [&str; 10] = [
    "chunk_size",
    "digestfile",
    "dry_run",
    "image_refs",
    "jobs",
    "metadata_file",
    "progress",
    "stall_timeout",
    "upload_mode",
    "verify",
];

/// The subcommand with the words of its own.
pub(super) fn adapted(command: Command) -> Command {
    let mut command = command
        .override_usage("ghcr-push check [OPTIONS] <REFERENCE>... [IMAGE]...")
        .mut_arg("operands", |operands| {
            operands.value_name("REFERENCE IMAGE").help(
                "Where a push would go: `host/owner/name[:tag]`. Then, if it is to be told what would be sent, the \
                 image",
            )
        });
    // Who asks before a build would rather know of a limit than wait until it is over.
    command = command
        .mut_arg("retry_max_time", |argument| argument.default_value("30s"))
        .mut_arg("retry", |argument| argument.default_value("2"));
    for name in WITHOUT_MEANING {
        command = command.mut_arg(name, |argument| argument.hide(true));
    }
    command
}
