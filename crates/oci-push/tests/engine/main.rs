//! The engine against a real HTTP server with scripted faults: what was sent is asserted, not only
//! that it worked.

mod answers;
mod authentication;
mod concurrency;
mod drafts;
mod early;
mod endurance;
mod guards;
mod lost_layers;
mod manifests;
mod support;
mod sweep;
mod trust;
mod uploads;
