//! The binary against real registries: the embedded one, and Distribution from Debian where it is
//! installed. What the engine decides is tested in its own crate; here it is wiring, output, exit codes,
//! and that other tools read back what was pushed.

#[cfg(unix)]
mod action;
mod actions;
mod archive_options;
mod archives;
mod colour;
mod command_line;
mod corpus;
mod credentials;
mod denials;
mod doctor;
mod documentation;
mod expired_token;
mod failures;
mod guards;
mod interoperability;
#[cfg(unix)]
mod interruptions;
#[cfg(unix)]
mod many_files;
#[cfg(target_os = "linux")]
mod memory;
mod modes;
mod on_demand;
mod other_tools;
mod output;
mod progress;
mod resolution;
mod results;
mod running;
mod schema;
mod support;
mod terminal;
mod together;
mod transfer;
mod unreachable;
