//! The engine against a real HTTP server with scripted faults: what was sent is asserted, not only
//! that it worked.

mod ahead;
mod answers;
mod authentication;
mod bombs;
mod bounds;
mod cases;
mod concurrency;
mod credentials;
mod drafts;
mod early;
mod empty;
mod endurance;
mod guards;
mod hidden;
mod looks;
mod lost_layers;
mod lost_manifests;
mod manifests;
mod mounting;
mod pacing;
mod personalities;
mod probes;
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
