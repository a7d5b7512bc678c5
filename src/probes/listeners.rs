//! Listening TCP sockets, out of `/proc/net/tcp` and `tcp6`: no tool is needed. Whose they are is told by the inodes
//! behind the open files of all processes: numbers only, so that no process can name itself another.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::answer::{Answer, Content, summary};
use super::parse::cgroup::pod_uid;
use super::probe::{Ask, Probe, Reading};
use crate::model::fact::{Fact, Gap, Locator, Need};
use crate::model::network::SocketOwner;
use crate::model::node::{HostFacts, Listener};
use crate::model::text::Text;

/// TCP sockets in state LISTEN.
pub static PROBE: Probe = Probe {
    need: Need::Listeners,
    what: "TCP ports that are listened on",
    asks: &[Ask::Shell {
        section: "listeners",
        since: 1,
        root: Some("the processes behind the ports"),
        fragment: include_str!("shell/listeners.sh"),
        read,
    }],
};

fn read(answer: &Answer<'_>, reading: &Reading<'_>, facts: &mut HostFacts) {
    let mut all: Vec<(u64, Listener)> = Vec::new();
    let big = big_endian(answer);
    for name in ["/proc/net/tcp", "/proc/net/tcp6"] {
        // A kernel without IPv6 has no tcp6.
        if name.ends_with('6') && answer.refusal("listeners", name.as_bytes()) == Some(b"absent") {
            continue;
        }
        let text = match answer.content("listeners", name, &[0, 1]) {
            Some(Content::Whole(text)) => String::from_utf8_lossy(text),
            Some(Content::Gap(gap)) => return facts.listeners = Fact::Gap(gap),
            None => return facts.listeners = Fact::Gap(garbled(name)),
        };
        for line in text.lines() {
            let state = line.split_ascii_whitespace().nth(3);
            match (state, listener(line, big)) {
                (Some("0A"), Some(found)) => all.push(found),
                (Some(other), _) if other != "0A" => {}
                _ => return facts.listeners = Fact::Gap(garbled(line)),
            }
        }
    }
    all.sort_by_key(|(_, listener)| (listener.port, listener.address));
    let owners = owners(answer);
    let mut all: Vec<Listener> = all
        .into_iter()
        .map(|(inode, mut listener)| {
            listener.owner = match &owners {
                Ok(owners) => owners.of(inode, &listener),
                Err(gap) => Fact::Gap(gap.clone()),
            };
            listener
        })
        .collect();
    // One port of several threads or workers, each with a socket of its own.
    all.dedup_by(|later, first| {
        let same = (later.port, later.address) == (first.port, first.address);
        if same && !first.owner.is_seen() {
            std::mem::swap(&mut later.owner, &mut first.owner);
        }
        same
    });
    let lines: Vec<String> = all.iter().map(line).collect();
    facts.sources.push(summary(
        (Need::Listeners, 0),
        "grep ' 0A ' /proc/net/tcp /proc/net/tcp6",
        &lines.concat(),
        reading,
    ));
    facts.listeners = Fact::seen(all, Locator::new(Need::Listeners, 0));
}

fn garbled(what: &str) -> Gap {
    Gap::Garbled {
        what: Text::from(format!("the list of sockets: {what}")),
    }
}

fn line(listener: &Listener) -> String {
    let owner = match &listener.owner {
        Fact::Seen(owner) => format!(" {} {}", owner.value.pid, owner.value.comm),
        Fact::Gap(_) => String::new(),
    };
    format!("LISTEN {} {}{owner}\n", listener.address, listener.port)
}

/// Whether the machine stores the highest byte first. A collector before version 2 does not say.
fn big_endian(answer: &Answer<'_>) -> bool {
    let machine = answer
        .records("listeners", "V")
        .find(|fields| fields.len() == 2 && fields[0] == b"machine")
        .map_or(&b""[..], |fields| fields[1].as_slice());
    matches!(machine, b"s390x" | b"s390" | b"ppc64" | b"mips" | b"mips64")
}

/// Which process has which socket open.
struct Owners<'a> {
    /// Inode, device, process.
    claims: Vec<(u64, u64, u32)>,
    groups: std::borrow::Cow<'a, str>,
    names: std::borrow::Cow<'a, str>,
    /// Some processes could not be looked into.
    partly: bool,
}

fn owners<'a>(answer: &Answer<'a>) -> Result<Owners<'a>, Gap> {
    let what = "the processes behind the listening sockets";
    if answer.frame.script < 2 {
        return Err(Gap::CollectorOutdated {
            since: Text::new("2"),
        });
    }
    let part = |name: &str| match answer.content("listeners", name, &[0, 1, 2]) {
        Some(Content::Whole(text)) => Ok(String::from_utf8_lossy(text)),
        Some(Content::Gap(gap)) => Err(gap),
        None if answer.frame.uid != 0 => Err(Gap::Denied {
            what: Text::new(what),
        }),
        None => Err(Gap::ToolMissing {
            tool: Text::new("stat"),
        }),
    };
    let text = part("sockets")?;
    let claim = |line: &str| {
        let mut words = line.splitn(3, ' ');
        let (inode, device) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
        let pid = words.next()?.strip_prefix("/proc/")?.split('/').next()?;
        Some((inode, device, pid.parse().ok()?))
    };
    // Status 1: a file was closed, or a process ended, while it was looked at.
    let good = |line: &str| matches!(line, "x0" | "x1");
    Ok(Owners {
        claims: text.lines().filter_map(claim).collect(),
        partly: text
            .lines()
            .any(|line| line.starts_with('x') && !good(line)),
        groups: part("groups")?,
        names: part("names")?,
    })
}

impl Owners<'_> {
    fn of(&self, inode: u64, listener: &Listener) -> Fact<SocketOwner> {
        let claims = || self.claims.iter().filter(|claim| claim.0 == inode);
        // Numbers of sockets are those of one device; a file with the same number is on another.
        let devices: BTreeSet<u64> = claims().map(|claim| claim.1).collect();
        let pid = claims().map(|claim| claim.2).min();
        match pid {
            Some(pid) if devices.len() == 1 => Fact::seen(
                SocketOwner {
                    pid,
                    comm: Text::new(of_file(&self.names, pid, "comm").unwrap_or("?")),
                    pod: of_file(&self.groups, pid, "cgroup")
                        .and_then(pod_uid)
                        .map(Text::new),
                },
                Locator::new(Need::Listeners, 0),
            ),
            None if !self.partly => Fact::Gap(garbled(&format!(
                "no process was seen that has port {} open: the kernel may, or another container runtime",
                listener.port
            ))),
            _ => Fact::Gap(garbled(&format!(
                "whose port {} is could not be told",
                listener.port
            ))),
        }
    }
}

/// What follows `/proc/PID/FILE:` in the output of grep.
fn of_file<'t>(text: &'t str, pid: u32, file: &str) -> Option<&'t str> {
    let start = format!("/proc/{pid}/{file}:");
    text.lines().find_map(|line| line.strip_prefix(&start))
}

/// One line: `sl local_address rem_address st ...`.
fn listener(line: &str, big: bool) -> Option<(u64, Listener)> {
    let mut words = line.split_ascii_whitespace();
    let (address, port) = words.nth(1)?.split_once(':')?;
    let port = u16::from_str_radix(port, 16).ok()?;
    let mut bytes = Vec::with_capacity(16);
    // Each group of 32 bits is printed as a number of the machine.
    for group in 0..address.len() / 8 {
        let word = u32::from_str_radix(address.get(group * 8..group * 8 + 8)?, 16).ok()?;
        bytes.extend_from_slice(&if big {
            word.to_be_bytes()
        } else {
            word.to_le_bytes()
        });
    }
    let address = match (address.len(), <[u8; 4]>::try_from(bytes.as_slice())) {
        (8, Ok(four)) => IpAddr::V4(Ipv4Addr::from(four)),
        (32, _) => IpAddr::V6(Ipv6Addr::from(<[u8; 16]>::try_from(bytes.as_slice()).ok()?)),
        _ => return None,
    };
    let inode = words.nth(7).and_then(|inode| inode.parse().ok());
    let listener = Listener {
        address,
        port,
        owner: Fact::default(),
    };
    Some((inode.unwrap_or_default(), listener))
}

#[cfg(test)]
mod tests {
    use super::listener;

    /// As s390x prints them.
    #[test]
    fn big_machines_print_their_own_order() {
        let line = "1: 7F000001:2774 00000000:0000 0A 0:0 00:0 0 0 0 4711 1";
        let (inode, found) = listener(line, true).expect("understood");
        assert_eq!(
            (inode, found.address.to_string()),
            (4711, "127.0.0.1".to_owned())
        );
    }

    #[test]
    fn lines_of_proc() {
        for (line, shown) in [
            (
                "   0: 0100007F:2774 00000000:0000 0A 00000000:00000000",
                "127.0.0.1:10100",
            ),
            ("   1: 00000000:280B 00000000:0000 0A 0:0", "0.0.0.0:10251"),
            (
                "   2: 00000000000000000000000001000000:0016 00000000000000000000000000000000:0000 0A 0",
                "::1:22",
            ),
            (
                "   3: 00000000000000000000000000000000:280A 0:0 0A",
                ":::10250",
            ),
        ] {
            let (_, found) = listener(line, false).expect("understood");
            assert_eq!(format!("{}:{}", found.address, found.port), shown);
        }
        for bad in [
            "",
            "x",
            "0: 0100007F 0:0 0A",
            "0: 0100:22 0:0 0A",
            "0: 0100007F:zz 0:0 0A",
        ] {
            assert_eq!(listener(bad, false), None, "{bad}");
        }
    }
}
