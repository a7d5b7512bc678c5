//! A TCP connection that can be given up at any moment: std's connect cannot be cancelled.

use std::io;
use std::net::{IpAddr, SocketAddr, TcpStream, ToSocketAddrs as _};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use rustix::event::PollFlags;
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType, connect, socket_with, sockopt};

use crate::collect::cancel::{Cancel, Woken};
use crate::collect::transport::fault::Fault;
use crate::model::fact::FaultClass;

/// Resolver calls that may hang at one time: each holds a thread until the C library gives up.
const RESOLVING: usize = 128;
static HUNG: AtomicUsize = AtomicUsize::new(0);

/// Connects to the first address that answers; the time left is shared between the addresses.
pub(super) fn open(
    host: &str,
    port: u16,
    until: Instant,
    cancel: &Cancel,
) -> Result<TcpStream, Fault> {
    let addresses = resolve(host, port, until, cancel)?;
    let mut fault = Fault::new(FaultClass::Unreachable, format!("{host} has no address"));
    for (index, address) in addresses.iter().enumerate() {
        let left = until.saturating_duration_since(Instant::now());
        let share = u32::try_from(addresses.len() - index).unwrap_or(u32::MAX);
        match try_one(*address, Instant::now() + left / share.max(1), cancel) {
            Ok(stream) => return Ok(stream),
            Err(other) if other.class == FaultClass::Cancelled => return Err(other),
            Err(other) => fault = other,
        }
    }
    Err(fault)
}

fn try_one(address: SocketAddr, until: Instant, cancel: &Cancel) -> Result<TcpStream, Fault> {
    let start = Instant::now();
    let family = match address {
        SocketAddr::V4(_) => AddressFamily::INET,
        SocketAddr::V6(_) => AddressFamily::INET6,
    };
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    let socket = socket_with(family, SocketType::STREAM, flags, None)
        .map_err(|error| refused(address, error))?;
    match connect(&socket, &address) {
        Ok(()) => {}
        Err(Errno::INPROGRESS) => {
            match cancel.poll(std::os::fd::AsFd::as_fd(&socket), PollFlags::OUT, until) {
                Woken::Ready => {}
                Woken::Cancelled => return Err(Fault::cancelled()),
                Woken::Deadline => {
                    return Err(Fault::new(
                        FaultClass::ConnectTimeout,
                        format!(
                            "no answer from {address} within {:.1} s",
                            start.elapsed().as_secs_f32()
                        ),
                    ));
                }
            }
        }
        Err(error) => return Err(refused(address, error)),
    }
    sockopt::socket_error(&socket)
        .and_then(|outcome| outcome)
        .map_err(|error| refused(address, error))?;
    // Small requests back and forth: waiting for more of them costs 40 ms each. A refusal costs only that.
    let _ = sockopt::set_tcp_nodelay(&socket, true);
    Ok(TcpStream::from(socket))
}

fn refused(address: SocketAddr, error: Errno) -> Fault {
    let class = match error {
        Errno::CONNREFUSED => FaultClass::ConnectRefused,
        Errno::TIMEDOUT => FaultClass::ConnectTimeout,
        _ => FaultClass::Unreachable,
    };
    let text = io::Error::from(error);
    Fault::new(class, format!("connect to {address}: {text}"))
}

/// An address as it is; a name through the resolver of the C library, on a thread that may be left behind.
fn resolve(
    host: &str,
    port: u16,
    until: Instant,
    cancel: &Cancel,
) -> Result<Vec<SocketAddr>, Fault> {
    if let Ok(address) = host.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(address, port)]);
    }
    let fail = |text: &str| Fault::new(FaultClass::Unreachable, format!("resolve {host}: {text}"));
    if HUNG.fetch_add(1, Ordering::SeqCst) >= RESOLVING {
        HUNG.fetch_sub(1, Ordering::SeqCst);
        return Err(fail("the resolver does not answer"));
    }
    let (sender, receiver) = mpsc::channel();
    let name = host.to_owned();
    let started = std::thread::Builder::new()
        .name("resolve".to_owned())
        .stack_size(256 * 1024)
        .spawn(move || {
            let answer = (name.as_str(), port).to_socket_addrs();
            HUNG.fetch_sub(1, Ordering::SeqCst);
            // Nobody waits any more once the deadline is over.
            let _ = sender.send(answer.map(Iterator::collect::<Vec<_>>));
        });
    if let Err(error) = started {
        HUNG.fetch_sub(1, Ordering::SeqCst);
        return Err(fail(&error.to_string()));
    }
    loop {
        match receiver.recv_timeout(Duration::from_millis(20)) {
            Ok(Ok(addresses)) => return Ok(addresses),
            Ok(Err(error)) => return Err(fail(&error.to_string())),
            Err(mpsc::RecvTimeoutError::Disconnected) => return Err(fail("the resolver failed")),
            Err(mpsc::RecvTimeoutError::Timeout) if cancel.is_cancelled() => {
                return Err(Fault::cancelled());
            }
            Err(mpsc::RecvTimeoutError::Timeout) if Instant::now() >= until => {
                return Err(fail("no answer in time"));
            }
            Err(mpsc::RecvTimeoutError::Timeout) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn class(host: &str, port: u16) -> FaultClass {
        let cancel = Cancel::new().expect("a pipe");
        let until = Instant::now() + Duration::from_secs(5);
        open(host, port, until, &cancel)
            .expect_err("nothing there")
            .class
    }

    #[test]
    fn faults_have_their_class() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("loopback");
        let port = listener.local_addr().expect("bound").port();
        let cancel = Cancel::new().expect("a pipe");
        let until = Instant::now() + Duration::from_secs(5);
        open("127.0.0.1", port, until, &cancel).expect("listening");
        open("localhost", port, until, &cancel).expect("listening");
        drop(listener);
        assert_eq!(class("127.0.0.1", port), FaultClass::ConnectRefused);
        assert_eq!(class("a..b", 22), FaultClass::Unreachable);
        cancel.cancel();
        let fault = open("localhost", port, until, &cancel).expect_err("cancelled");
        assert_eq!(fault.class, FaultClass::Cancelled);
    }
}
