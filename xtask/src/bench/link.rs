//! A slow link to measure over: two network namespaces, each with a TUN device, and threads that carry the packets
//! from one to the other as late, as slowly and as unreliably as a shape says.
//!
//! TCP is the kernel's own from end to end, with its slow start and its recovery from losses, which a proxy that ends
//! connections would hide. It needs root and `/dev/net/tun`; the kernel's own netem, where there is one, is not needed.

use std::fs::File;
use std::io;
use std::os::fd::AsFd as _;
use std::process::Command;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use tappers::{Interface, Tun};

use super::pipe::{Pipe, Shape};

/// The server's address, in a network of two.
pub(super) const SERVER: &str = "10.77.0.2";

/// The client's.
const CLIENT: &str = "10.77.0.1";

/// Larger than any packet of a TUN device, whose MTU is 1,500 bytes.
const LARGEST_PACKET: usize = 2048;

/// How TCP is to send at both ends, the first of these that the machine lets a namespace choose. Almost every machine
/// sends with cubic; another one here would measure what its users do not have.
const CONGESTION_CONTROLS: [&str; 2] = ["cubic", "reno"];

/// A link between two namespaces; both end when it is dropped.
pub(super) struct Link {
    client: Namespace,
    server: Namespace,
}

/// A packet, and when it is due.
type Due = (Duration, Vec<u8>);

impl Link {
    /// Why there can be none here, `None` if there can.
    pub(super) fn obstacle() -> Option<String> {
        if !rustix::process::geteuid().is_root() {
            return Some("it needs root".to_owned());
        }
        if let Err(error) = File::options().read(true).write(true).open("/dev/net/tun") {
            return Some(format!("/dev/net/tun: {error}"));
        }
        (!crate::run::have("ip")).then(|| "ip (iproute2) is not installed".to_owned())
    }

    /// Makes one.
    pub(super) fn new(shape: Shape) -> Result<Self, String> {
        let client = Namespace::new("client")?;
        let server = Namespace::new("server")?;
        let near = Arc::new(client.device(CLIENT)?);
        let far = Arc::new(server.device(SERVER)?);
        let start = Instant::now();
        carry(start, shape.up(), &near, &far);
        carry(start, shape.down(), &far, &near);
        Ok(Self { client, server })
    }

    /// Does something on the client's side.
    pub(super) fn as_client<T: Send>(&self, work: impl FnOnce() -> T + Send) -> io::Result<T> {
        self.client.within(work)
    }

    /// Does something on the server's side.
    pub(super) fn as_server<T: Send>(&self, work: impl FnOnce() -> T + Send) -> io::Result<T> {
        self.server.within(work)
    }
}

/// Carries packets in one direction, until a device is gone.
fn carry(start: Instant, mut pipe: Pipe, from: &Arc<Tun>, to: &Arc<Tun>) {
    let (sender, receiver): (Sender<Due>, Receiver<Due>) = channel();
    let from = Arc::clone(from);
    let to = Arc::clone(to);
    thread::spawn(move || {
        let mut buffer = [0; LARGEST_PACKET];
        while let Ok(length) = from.recv(&mut buffer) {
            let packet = &buffer[..length];
            let due = pipe.admit(start.elapsed(), length);
            if due.is_some_and(|due| sender.send((due, packet.to_vec())).is_err()) {
                break;
            }
        }
    });
    thread::spawn(move || {
        while let Ok((due, packet)) = receiver.recv() {
            // Packets that are late already go at once.
            thread::sleep(due.saturating_sub(start.elapsed()));
            if to.send(&packet).is_err() {
                break;
            }
        }
    });
}

/// A network namespace with a name.
struct Namespace {
    name: String,
}

impl Namespace {
    fn new(side: &str) -> Result<Self, String> {
        let name = format!("ghcr-push-bench-{}-{side}", std::process::id());
        ip(&["netns", "add", &name])?;
        let namespace = Self { name };
        let set = |name: &str, value: &str| {
            namespace
                .within(|| std::fs::write(format!("/proc/sys/net/ipv4/{name}"), value))
                .and_then(|result| result)
                .map_err(|error| format!("{name} cannot be set to {value}: {error}"))
        };
        // What one run learns about the path must not help the next one.
        set("tcp_no_metrics_save", "1")?;
        let [usual, else_this] = CONGESTION_CONTROLS;
        set("tcp_congestion_control", usual)
            .or_else(|_| set("tcp_congestion_control", else_this))?;
        ip(&["-n", &namespace.name, "link", "set", "lo", "up"])?;
        Ok(namespace)
    }

    /// Makes a TUN device with an address.
    fn device(&self, address: &str) -> Result<Tun, String> {
        let tun = self
            .within(|| Tun::new_named(Interface::from_cstr(c"bench0")?))
            .and_then(|result| result)
            .map_err(|error| format!("no TUN device: {error}"))?;
        let inside = ["-n", &self.name];
        let network = format!("{address}/30");
        let add = ["address", "add", &network, "dev", "bench0"];
        ip(&[&inside[..], &add].concat())?;
        // The queue is the pipe's; the device's must never be what drops.
        let set = ["link", "set", "bench0", "txqueuelen", "10000", "up"];
        ip(&[&inside[..], &set].concat())?;
        Ok(tun)
    }

    /// Runs something on a thread inside; programs started by it are inside too.
    fn within<T: Send>(&self, work: impl FnOnce() -> T + Send) -> io::Result<T> {
        let place = File::open(format!("/run/netns/{}", self.name))?;
        thread::scope(|scope| {
            let inside = scope.spawn(move || {
                move_into_link_name_space(place.as_fd(), Some(LinkNameSpaceType::Network))?;
                Ok(work())
            });
            inside
                .join()
                .unwrap_or_else(|_| Err(io::Error::other("a thread in the namespace panicked")))
        })
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        // The device goes first: that ends the threads which carry packets. What is gone already is no failure.
        let _ = ip(&["-n", &self.name, "link", "delete", "bench0"]);
        let _ = ip(&["netns", "delete", &self.name]);
    }
}

fn ip(arguments: &[&str]) -> Result<(), String> {
    let output = Command::new("ip")
        .args(arguments)
        .output()
        .map_err(|error| format!("ip cannot be run: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let words = String::from_utf8_lossy(&output.stderr).into_owned();
    Err(format!("ip {} failed: {words}", arguments.join(" ")))
}
