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
mod lost_layers;
mod malformed;
mod manifests;
mod mounting;
mod pacing;
mod personalities;
mod probes;
mod raw;
mod referrers;
mod resumption;
mod scale;
mod settling;
mod silence;
mod soak;
mod support;
mod sweep;
mod tls;
mod trust;
mod unread;
mod uploads;
