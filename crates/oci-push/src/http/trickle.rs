//! Whether an answer trickles: bytes come, and never make a head.
//!
//! The HTTP stack passes over interim answers, and shows nothing of a head before its end. Only the machine knows whether
//! anything has come.

#[cfg(target_os = "linux")]
mod sock_diag;

use std::time::Duration;

/// Whether something has come on a connection on which the last was sent `age` ago. `false` as well if the machine
/// does not tell, as none but Linux does.
#[cfg_attr(
    not(target_os = "linux"),
    expect(unused_variables, reason = "nobody is asked there")
)]
pub(super) fn has_begun(age: Duration) -> bool {
    #[cfg(target_os = "linux")]
    let has_begun = sock_diag::has_begun(age);
    #[cfg(not(target_os = "linux"))]
    let has_begun = false;
    has_begun
}
