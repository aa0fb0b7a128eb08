//! GitHub around the registry: which site and API belong to it, what the run in which this happens knows, and what
//! the API tells.

mod actions;
mod called;
mod checkout;
mod event;
mod hosts;
mod probe;
mod workflow;
mod yaml;

pub(crate) use actions::{Run, repository, run};
pub(crate) use hosts::{api, api_url, web_host};
pub(crate) use probe::{Question, Told, ask};
