//! Why a push was refused, told in whole: evidence from the run, from a log, from GitHub's REST API.

mod api;
mod check;
mod explain;
mod logs;
mod probes;
pub(crate) mod run;
mod stories;
mod tokens;
mod whole;
