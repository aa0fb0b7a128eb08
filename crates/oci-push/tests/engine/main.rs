//! The engine against a real HTTP server with scripted faults: what was sent is asserted, not only
//! that it worked.

mod answers;
mod authentication;
mod cases;
mod chance;
mod concurrency;
mod credentials;
mod drafts;
mod early;
mod endurance;
mod guards;
mod lost_layers;
mod manifests;
mod mounting;
mod pacing;
mod personalities;
mod probes;
mod real_time;
mod referrers;
mod resumption;
mod scale;
mod soak;
mod support;
mod sweep;
mod tls;
mod trust;
mod uploads;
