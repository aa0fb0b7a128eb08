//! Where client and registry are: on one machine, or at the ends of a slow link.

use std::io;
use std::time::Duration;

#[cfg(target_os = "linux")]
use super::link::{self, Link};
use super::pipe::Shape;

/// The links that are measured: a good line to a registry on the same continent, a thin one to another continent,
/// and the first with losses that hold each connection to a tenth of it.
pub(super) const LINKS: [(&str, Shape); 3] = [
    ("40 ms, 200 Mbit/s", shape(40, 200, 0)),
    ("80 ms, 50 Mbit/s", shape(80, 50, 0)),
    ("40 ms, 200 Mbit/s, 0.05 % lost", shape(40, 200, 500)),
];

const fn shape(milliseconds: u64, megabits_per_second: u64, lost_per_million: u32) -> Shape {
    Shape {
        megabits_per_second,
        round_trip: Duration::from_millis(milliseconds),
        lost_per_million,
    }
}

/// Where the two are.
pub(super) enum Place {
    /// Both on this machine.
    Loopback,
    /// At the ends of a link.
    #[cfg(target_os = "linux")]
    Link(Link),
}

impl Place {
    /// Why there can be no link here, `None` if there can.
    pub(super) fn obstacle() -> Option<String> {
        #[cfg(target_os = "linux")]
        return Link::obstacle();
        #[cfg(not(target_os = "linux"))]
        Some("it needs Linux".to_owned())
    }

    /// The ends of a new link.
    #[cfg(target_os = "linux")]
    pub(super) fn link(shape: Shape) -> Result<Self, String> {
        Link::new(shape).map(Self::Link)
    }

    /// The ends of a new link.
    #[cfg(not(target_os = "linux"))]
    pub(super) fn link(_: Shape) -> Result<Self, String> {
        Err("it needs Linux".to_owned())
    }

    /// Where the registry listens.
    pub(super) fn server_address(&self) -> &'static str {
        match self {
            Self::Loopback => "127.0.0.1",
            #[cfg(target_os = "linux")]
            Self::Link(_) => link::SERVER,
        }
    }

    /// Does something where the client is.
    pub(super) fn as_client<T: Send>(&self, work: impl FnOnce() -> T + Send) -> io::Result<T> {
        match self {
            Self::Loopback => Ok(work()),
            #[cfg(target_os = "linux")]
            Self::Link(link) => link.as_client(work),
        }
    }

    /// Does something where the registry is.
    pub(super) fn as_server<T: Send>(&self, work: impl FnOnce() -> T + Send) -> io::Result<T> {
        match self {
            Self::Loopback => Ok(work()),
            #[cfg(target_os = "linux")]
            Self::Link(link) => link.as_server(work),
        }
    }
}
