//! Looks at what a server says first, without taking it: libssh2 loses the text of what is not SSH, and a
//! flood without a line break makes it spin.

use std::os::fd::{AsFd as _, OwnedFd};
use std::time::{Duration, Instant};

use rustix::event::PollFlags;
use rustix::io::Errno;
use rustix::net::{RecvFlags, recv};

use crate::collect::cancel::{Cancel, Woken};
use crate::collect::transport::fault::Fault;
use crate::model::fact::FaultClass;
use crate::model::text::Text;

use super::drive::Phase;

/// Lines before the version line are allowed (RFC 4253 4.2), but not more than this.
const PREAMBLE: usize = 16 * 1024;
/// The version line is at most 255 bytes long; some room for the sloppy.
const VERSION: usize = 512;
/// How much of a foreign greeting is shown.
const SHOWN: usize = 200;
/// After this much silence the client speaks first: some services wait for that.
pub(super) const SILENCE: Duration = Duration::from_secs(3);
/// Pause between two looks at a greeting that comes in drops.
const DRIP: Duration = Duration::from_millis(20);

/// What is in the receive buffer.
#[derive(Debug, PartialEq, Eq)]
enum Greeting {
    /// The version line of SSH 2 is there.
    Ssh,
    /// Could still become one.
    More,
    /// The server is there and turns us away for now.
    Busy,
    /// Something else.
    Other(String),
}

/// Waits for the version line. `Ok(false)`: nothing at all came until `silence`.
pub(super) fn version_line(
    socket: &OwnedFd,
    silence: Instant,
    until: Instant,
    cancel: &Cancel,
) -> Result<bool, Fault> {
    let mut seen = 0;
    let mut buffer = vec![0; PREAMBLE];
    loop {
        let deadline = if seen == 0 { silence } else { until };
        match cancel.poll(socket.as_fd(), PollFlags::IN, deadline) {
            Woken::Ready => {}
            Woken::Deadline if seen == 0 => return Ok(false),
            Woken::Deadline => return Err(Phase::Banner.late()),
            Woken::Cancelled => return Err(Fault::cancelled()),
        }
        let count = match recv(socket, &mut buffer[..], RecvFlags::PEEK) {
            Ok((count, _)) => count,
            Err(Errno::AGAIN | Errno::INTR) => continue,
            Err(error) => {
                return Err(Fault::again(
                    FaultClass::Throttled,
                    format!("the host hung up before its greeting: {error}"),
                ));
            }
        };
        match judge(&buffer[..count]) {
            Greeting::Ssh => return Ok(true),
            Greeting::Other(text) => return Err(Fault::new(FaultClass::NotSsh, text)),
            Greeting::Busy => {
                return Err(Fault::again(
                    FaultClass::Throttled,
                    format!("the host says: {}", shown(&buffer[..count])),
                ));
            }
            Greeting::More if count == 0 || count == seen && hung_up(socket) => {
                return Err(ended(&buffer[..count]));
            }
            Greeting::More if cancel.sleep(DRIP) == Woken::Cancelled => {
                return Err(Fault::cancelled());
            }
            Greeting::More => seen = count,
        }
    }
}

/// The other side has sent all it will: what is in the buffer stays as it is.
fn hung_up(socket: &OwnedFd) -> bool {
    shows(socket, PollFlags::RDHUP | PollFlags::HUP | PollFlags::ERR)
}

/// Nothing is left to read and nothing more will come, or the connection was reset.
pub(super) fn at_end(socket: &OwnedFd) -> bool {
    let flags = RecvFlags::PEEK | RecvFlags::DONTWAIT;
    let read_all = matches!(recv(socket, &mut [0][..], flags), Ok((0, _)));
    read_all || shows(socket, PollFlags::HUP | PollFlags::ERR)
}

fn shows(socket: &OwnedFd, flags: PollFlags) -> bool {
    let mut fds = [rustix::event::PollFd::new(socket, PollFlags::RDHUP)];
    let now = rustix::event::Timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    rustix::event::poll(&mut fds, Some(&now)).is_ok() && fds[0].revents().intersects(flags)
}

fn ended(greeting: &[u8]) -> Fault {
    if greeting.is_empty() {
        Fault::again(
            FaultClass::Throttled,
            "the host hung up before its greeting",
        )
    } else {
        Fault::new(
            FaultClass::NotSsh,
            format!("the port answers: {}", shown(greeting)),
        )
    }
}

fn judge(bytes: &[u8]) -> Greeting {
    let mut rest = bytes;
    loop {
        let (line, whole, after) = match rest.iter().position(|&byte| byte == b'\n') {
            Some(end) => (&rest[..end], true, &rest[end + 1..]),
            None => (rest, false, &rest[rest.len()..]),
        };
        if line.starts_with(b"SSH-") {
            return version(line, whole);
        }
        // OpenSSH: MaxStartups, and since 9.8 PerSourcePenalties.
        let busy = [&b"Exceeded MaxStartups"[..], b"Not allowed at this time"];
        if busy.iter().any(|text| line.starts_with(text)) {
            return Greeting::Busy;
        }
        if !whole {
            break;
        }
        rest = after;
    }
    let foreign = [
        &b"HTTP/"[..],
        b"220 ",
        b"* OK",
        b"+OK",
        b"\x15\x03",
        b"\x16\x03",
    ];
    if bytes.len() >= PREAMBLE || foreign.iter().any(|text| bytes.starts_with(text)) {
        return Greeting::Other(format!("the port answers: {}", shown(bytes)));
    }
    Greeting::More
}

fn version(line: &[u8], whole: bool) -> Greeting {
    let known = [&b"SSH-2.0-"[..], b"SSH-1.99-"];
    if line.len() > VERSION {
        return Greeting::Other(format!("the version line does not end: {}", shown(line)));
    }
    if !whole {
        return Greeting::More;
    }
    if known.iter().any(|text| line.starts_with(text)) {
        return Greeting::Ssh;
    }
    Greeting::Other(format!("the host speaks another protocol: {}", shown(line)))
}

fn shown(bytes: &[u8]) -> String {
    let head = &bytes[..bytes.len().min(SHOWN)];
    let text = Text::from_bytes(head.trim_ascii_end());
    if bytes.len() > SHOWN {
        format!("{text}...")
    } else {
        text.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word(bytes: &[u8]) -> &'static str {
        match judge(bytes) {
            Greeting::Ssh => "ssh",
            Greeting::More => "more",
            Greeting::Busy => "busy",
            Greeting::Other(_) => "other",
        }
    }

    #[test]
    fn greetings() {
        for (bytes, expected) in [
            (&b""[..], "more"),
            (b"SSH-2.0-OpenSSH_9.2\r\n", "ssh"),
            (b"SSH-1.99-x\n", "ssh"),
            (b"SSH-2.0-x", "more"),
            (b"SSH", "more"),
            (b"SSH-1.5-x\n", "other"),
            (b"hello\r\nSSH-2.0-x\r\n", "ssh"),
            (b"hello SSH-2.0-x\r\n", "more"),
            (b"HTTP/1.1 400 Bad Request\r\n", "other"),
            (b"220 mail.example ESMTP\r\n", "other"),
            (b"Exceeded MaxStartups\r\n", "busy"),
            (b"Not allowed at this time\r\n", "busy"),
        ] {
            assert_eq!(word(bytes), expected, "{}", Text::from_bytes(bytes));
        }
        assert_eq!(word(&[b'x'; PREAMBLE]), "other");
        assert_eq!(word(&b"line\n".repeat(PREAMBLE)), "other");
        let endless = [&b"SSH-2.0-"[..], &[b'x'; VERSION]].concat();
        assert_eq!(word(&endless), "other");
    }

    #[test]
    fn a_foreign_greeting_is_shown_escaped() {
        assert_eq!(
            judge(b"HTTP/1.1 \x1b[2J"),
            Greeting::Other(r"the port answers: HTTP/1.1 \x1b[2J".to_owned())
        );
    }
}
