//! When this process's connections have sent and received last, as Linux tells it to everybody
//! (<https://man7.org/linux/man-pages/man7/sock_diag.7.html>).

use std::collections::HashSet;
use std::fs;
use std::time::Duration;

use rustix::io::{Errno, Result};
use rustix::net::netlink::{SOCK_DIAG, SocketAddrNetlink};
use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, recv, sendto, socket_with,
};

use super::Late;

/// How a connection was used last.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Use {
    /// The socket's number.
    pub(super) number: u32,
    /// The peer's port.
    pub(super) port: u16,
    /// Bytes that its peer has not acknowledged.
    pub(super) unacknowledged: u32,
    /// Bytes that it has, since the beginning.
    pub(super) acknowledged: u64,
    pub(super) since_sent: Duration,
    pub(super) since_received: Duration,
}

/// How exactly the age of a request has to match that of what a connection has sent.
pub(super) const TOLERANCE: Duration = Duration::from_secs(2);

/// Which connection carries a request is not known, but that it was not used for anything else meanwhile.
pub(super) fn why_late(port: u16, age: Duration, limit: Duration) -> Late {
    judge(&uses_of(port), age, limit)
}

/// How this process's connections to a port were used, as far as the machine tells; all of them where there is none to
/// that port, since there is a proxy.
pub(super) fn uses_of(port: u16) -> Vec<Use> {
    let own = own_sockets();
    let families = [AddressFamily::INET, AddressFamily::INET6];
    let uses = families.map(|family| uses(family, &own).unwrap_or_default());
    let mut uses = uses.concat();
    if uses.iter().any(|one| one.port == port) {
        uses.retain(|one| one.port == port);
    }
    uses
}

/// Whether the machine tells. It is asked for connections in no state, which are none, however many there are.
pub(super) fn is_told() -> bool {
    ask(AddressFamily::INET, 0, &HashSet::new()).is_ok()
}

fn judge(uses: &[Use], age: Duration, limit: Duration) -> Late {
    if uses.iter().any(|one| one.has_begun(age)) {
        Late::Begun
    } else if uses.is_empty() || uses.iter().any(|one| one.is_silent(limit)) {
        Late::Silent
    } else {
        Late::Unsent
    }
}

impl Use {
    /// Whether something came after the last was sent, which was `age` ago.
    fn has_begun(self, age: Duration) -> bool {
        self.since_sent.abs_diff(age) <= TOLERANCE
            && self.since_received + TOLERANCE / 2 < self.since_sent
    }

    /// Whether the last has arrived, which was sent `limit` ago, and nothing came since.
    fn is_silent(self, limit: Duration) -> bool {
        self.unacknowledged == 0
            && self.since_sent + TOLERANCE >= limit
            && self.since_received >= self.since_sent
    }
}

/// The numbers of this process's sockets.
fn own_sockets() -> HashSet<u32> {
    let Ok(entries) = fs::read_dir("/proc/self/fd") else {
        return HashSet::new();
    };
    let targets = entries.filter_map(|entry| fs::read_link(entry.ok()?.path()).ok());
    targets
        .filter_map(|target| {
            let number = target
                .to_str()?
                .strip_prefix("socket:[")?
                .strip_suffix(']')?;
            number.parse().ok()
        })
        .collect()
}

/// Asks for the established TCP connections of one family.
fn uses(family: AddressFamily, own: &HashSet<u32>) -> Result<Vec<Use>> {
    ask(family, OPEN, own)
}

/// Asks for the TCP connections of one family that are in one of these states.
fn ask(family: AddressFamily, states: u32, own: &HashSet<u32>) -> Result<Vec<Use>> {
    let socket = socket_with(
        AddressFamily::NETLINK,
        SocketType::DGRAM,
        SocketFlags::CLOEXEC,
        Some(SOCK_DIAG),
    )?;
    let kernel = SocketAddrNetlink::new(0, 0);
    sendto(
        &socket,
        &question(family, states),
        SendFlags::empty(),
        &kernel,
    )?;
    let mut uses = Vec::new();
    let mut buffer = vec![0_u8; 64 * 1024];
    // The answers are there when they are asked for. Whoever has so many connections is not told.
    for _ in 0..MOST_MESSAGES {
        let (_, length) = recv(&socket, &mut buffer[..], RecvFlags::DONTWAIT)?;
        if !read(&buffer[..length], own, &mut uses)? {
            break;
        }
    }
    Ok(uses)
}

/// Messages of up to 64 KB.
const MOST_MESSAGES: usize = 10_000;

/// `SOCK_DIAG_BY_FAMILY`, the type of question and answers.
const BY_FAMILY: u16 = 20;

/// `NLMSG_ERROR` and `NLMSG_DONE`: the types of messages that begin with an error's negative number, or 0.
const REFUSAL: u16 = 2;
const END: u16 = 3;

/// `NLM_F_REQUEST` and `NLM_F_DUMP`.
const ALL: u16 = 0x301;

const TCP: u8 = 6;

/// `INET_DIAG_INFO`: the attribute with a `tcp_info`.
const INFO: u16 = 2;

/// The states `TCP_ESTABLISHED` and `TCP_CLOSE_WAIT`, a bit each.
const OPEN: u32 = (1 << 1) | (1 << 8);

/// The length of an `nlmsghdr`.
const HEADER: usize = 16;

/// The length of an `inet_diag_msg`, and where it has the peer's port, the bytes that are not acknowledged, and the
/// socket's number.
const MESSAGE: usize = 72;
const PORT_AT: usize = 6;
const QUEUE_AT: usize = 60;
const NUMBER_AT: usize = 68;

/// Where a `tcp_info` has the milliseconds since data was sent, and received, and the bytes that were acknowledged.
const SENT_AT: usize = 44;
const RECEIVED_AT: usize = 52;
const ACKNOWLEDGED_AT: usize = 120;

/// An `nlmsghdr` and an `inet_diag_req_v2` that asks for every connection in one of these states.
fn question(family: AddressFamily, states: u32) -> Vec<u8> {
    const LENGTH: u32 = 72;
    let mut bytes = Vec::new();
    bytes.extend(LENGTH.to_ne_bytes());
    bytes.extend(BY_FAMILY.to_ne_bytes());
    bytes.extend(ALL.to_ne_bytes());
    bytes.extend([0; 8]);
    bytes.push(u8::try_from(family.as_raw()).unwrap_or_default());
    bytes.extend([TCP, 1 << (INFO - 1), 0]);
    bytes.extend(states.to_ne_bytes());
    bytes.resize(LENGTH as usize, 0);
    bytes
}

/// Reads one datagram of answers; `false` if it is the last. A machine whose kernel leaves this out refuses the
/// question, in a message of its own or with the end of the answers.
fn read(mut bytes: &[u8], own: &HashSet<u32>, uses: &mut Vec<Use>) -> Result<bool> {
    while let (Some(length), Some(kind)) = (number(bytes, 0), half(bytes, 4)) {
        let length = length as usize;
        let message = bytes.get(HEADER..length);
        let Some(message) = message.filter(|_| kind == BY_FAMILY) else {
            let is_end = matches!(kind, REFUSAL | END);
            let code = message.filter(|_| is_end).and_then(|end| number(end, 0));
            // Which error it is, nobody asks.
            return match code.map_or(0, u32::cast_signed) {
                ..0 => Err(Errno::OPNOTSUPP),
                _ => Ok(false),
            };
        };
        if let Some(socket) = number(message, NUMBER_AT).filter(|socket| own.contains(socket)) {
            let queue = number(message, QUEUE_AT).unwrap_or_default();
            let attributes = message.get(MESSAGE..).unwrap_or_default();
            // The one number in the order of the network.
            let port = half(message, PORT_AT).map_or(0, u16::from_be);
            uses.extend(info(attributes).map(|info| Use {
                number: socket,
                port,
                unacknowledged: queue,
                ..info
            }));
        }
        bytes = bytes.get(aligned(length)..).unwrap_or_default();
    }
    Ok(true)
}

/// The one attribute that is of use here.
fn info(mut attributes: &[u8]) -> Option<Use> {
    loop {
        let length = usize::from(half(attributes, 0)?);
        let value = attributes.get(4..length)?;
        if half(attributes, 2)? == INFO {
            let since = |at| Some(Duration::from_millis(number(value, at)?.into()));
            let acknowledged = value.get(ACKNOWLEDGED_AT..ACKNOWLEDGED_AT + 8)?;
            return Some(Use {
                acknowledged: u64::from_ne_bytes(acknowledged.try_into().ok()?),
                since_sent: since(SENT_AT)?,
                since_received: since(RECEIVED_AT)?,
                ..Use::default()
            });
        }
        attributes = attributes.get(aligned(length)..)?;
    }
}

/// Messages and attributes begin at multiples of four.
fn aligned(length: usize) -> usize {
    length.next_multiple_of(4)
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    let bytes = bytes.get(at..at + 4)?;
    Some(u32::from_ne_bytes(bytes.try_into().ok()?))
}

fn half(bytes: &[u8], at: usize) -> Option<u16> {
    let bytes = bytes.get(at..at + 2)?;
    Some(u16::from_ne_bytes(bytes.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::net::{TcpListener, TcpStream};

    use super::*;

    #[test]
    fn why_an_answer_is_late() {
        let idle = (0, 40, 39);
        for (uses, expected) in [
            (&[][..], Late::Silent),
            // Half a minute ago all had been sent, and nothing came.
            (&[(0, 30, 50), idle], Late::Silent),
            (&[(0, 29, 29), (4000, 0, 90)], Late::Silent),
            // Something came, but no answer.
            (&[(0, 30, 1), idle], Late::Begun),
            (&[(0, 31, 5)], Late::Begun),
            // What was handed over half a minute ago is still being sent, or was.
            (&[(4000, 0, 50), idle], Late::Unsent),
            (&[(4000, 30, 50)], Late::Unsent),
            (&[(0, 10, 50), idle], Late::Unsent),
        ] {
            let uses: Vec<Use> = uses.iter().copied().map(a_use).collect();
            let age = Duration::from_secs(30);
            assert_eq!(judge(&uses, age, age), expected, "{uses:?}");
        }
    }

    fn a_use((unacknowledged, since_sent, since_received): (u32, u64, u64)) -> Use {
        Use {
            unacknowledged,
            since_sent: Duration::from_secs(since_sent),
            since_received: Duration::from_secs(since_received),
            ..Use::default()
        }
    }

    #[test]
    fn nonsense_is_no_answer() {
        let mut uses = Vec::new();
        let mut read = |bytes: &[u8]| read(bytes, &HashSet::new(), &mut uses);
        assert_eq!(read(&[0; 64]), Ok(false));
        assert_eq!(read(&[255; 64]), Ok(false));
        assert_eq!(read(&[1; 3]), Ok(true));
        let end = |length: u32, kind: u16, code: i32| {
            let parts = [&length.to_ne_bytes()[..], &kind.to_ne_bytes(), &[0; 10]];
            let mut bytes = parts.concat();
            bytes.extend(code.to_ne_bytes());
            bytes
        };
        for kind in [REFUSAL, END] {
            assert_eq!(read(&end(20, kind, 0)), Ok(false));
            assert_eq!(read(&end(20, kind, -2)), Err(Errno::OPNOTSUPP));
            // One that is cut off.
            assert_eq!(read(&end(24, kind, -2)), Ok(false));
            assert_eq!(read(&end(16, kind, -2)), Ok(false));
        }
        assert_eq!(info(&[0; 64]), None);
        assert_eq!(uses, []);
    }

    /// What nobody reads is not acknowledged.
    #[test]
    fn what_is_not_read() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address");
        let mut one = TcpStream::connect(address).expect("a connection");
        let (_other, _) = listener.accept().expect("a connection");
        one.set_nonblocking(true).expect("a socket");
        while one.write(&[0; 8192]).is_ok() {}
        let uses = uses(AddressFamily::INET, &own_sockets()).expect("the machine tells");
        let is_it = |one: &Use| one.unacknowledged > 65_536 && one.port == address.port();
        assert!(uses.iter().any(is_it), "{uses:?}");
    }

    /// The machine's own answer: one side has sent, and received later.
    #[test]
    fn connections_of_this_process() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address");
        let mut one = TcpStream::connect(address).expect("a connection");
        let (mut other, _) = listener.accept().expect("a connection");
        one.write_all(b"x").expect("sent");
        std::thread::sleep(Duration::from_millis(300));
        other.write_all(b"x").expect("sent");
        std::thread::sleep(Duration::from_millis(100));
        assert!(is_told());
        let none = ask(AddressFamily::INET, 0, &own_sockets()).expect("the machine tells");
        assert_eq!(none, []);
        // A refusal is no answer.
        let unknown = AddressFamily::from_raw(u16::from(u8::MAX));
        assert!(ask(unknown, 0, &own_sockets()).is_err());
        let uses = uses(AddressFamily::INET, &own_sockets()).expect("the machine tells");
        let is_asker = |one: &&Use| {
            one.unacknowledged == 0
                && one.since_sent >= one.since_received + Duration::from_millis(200)
                && one.since_sent < Duration::from_mins(1)
        };
        assert!(uses.iter().any(|one| is_asker(&one)), "{uses:?}");
    }
}
