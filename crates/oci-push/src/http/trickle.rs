//! What the machine knows of a connection whose answer is late.
//!
//! The HTTP stack passes over interim answers, and shows nothing of a head before its end; what it has written may still
//! be in the machine's buffers. Only the machine knows what has come, and what has left.

#[cfg(target_os = "linux")]
mod deliveries;
#[cfg(not(target_os = "linux"))]
#[path = "trickle/untold.rs"]
mod deliveries;
#[cfg(target_os = "linux")]
mod sock_diag;

use std::time::Duration;

pub(super) use deliveries::Deliveries;

/// Why an answer is late.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(
    not(target_os = "linux"),
    expect(dead_code, reason = "only Linux tells more than silence")
)]
pub(super) enum Late {
    /// It has begun, and trickles.
    Begun,
    /// What it answers is still on its way, or was until a moment ago.
    Unsent,
    /// Nobody says anything, or the machine does not tell, as none but Linux does.
    Silent,
}

/// Why there is no answer after `limit` to what was handed over `age` ago, to a host's `port`.
#[cfg_attr(
    not(target_os = "linux"),
    expect(unused_variables, reason = "nobody is asked there")
)]
pub(super) fn why_late(port: u16, age: Duration, limit: Duration) -> Late {
    #[cfg(target_os = "linux")]
    let late = sock_diag::why_late(port, age, limit);
    #[cfg(not(target_os = "linux"))]
    let late = Late::Silent;
    late
}

/// Whether the machine tells of connections. Asked where a connection could be given a limit in its place.
#[cfg(any(target_os = "android", target_os = "fuchsia", target_os = "linux"))]
pub(super) fn is_told() -> bool {
    #[cfg(target_os = "linux")]
    let is_told = sock_diag::is_told();
    #[cfg(not(target_os = "linux"))]
    let is_told = false;
    is_told
}
