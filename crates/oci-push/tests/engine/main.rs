//! The engine against a real HTTP server with scripted faults: what was sent is asserted, not only
//! that it worked.

mod ahead;
mod answers;
mod authentication;
mod bombs;
mod bounds;
mod cases;
mod chance;
mod concurrency;
mod credentials;
mod drafts;
mod early;
mod empty;
mod endurance;
mod examples;
mod giants;
mod guards;
mod hidden;
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
mod settling;
mod soak;
mod support;
mod sweep;
mod tls;
mod trust;
mod uploads;
