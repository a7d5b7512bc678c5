//! Listening TCP sockets, out of `/proc/net/tcp` and `tcp6`: no tool is needed.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::answer::{Answer, Content, summary};
use super::probe::{Ask, Probe, Reading};
use crate::model::fact::{Fact, Gap, Locator, Need};
use crate::model::node::{HostFacts, Listener};
use crate::model::text::Text;

/// TCP sockets in state LISTEN.
pub static PROBE: Probe = Probe {
    need: Need::Listeners,
    what: "TCP ports that are listened on",
    asks: &[Ask::Shell {
        section: "listeners",
        since: 1,
        root: None,
        fragment: include_str!("shell/listeners.sh"),
        read,
    }],
};

fn read(answer: &Answer<'_>, reading: &Reading<'_>, facts: &mut HostFacts) {
    let mut all = Vec::new();
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
            match (state, listener(line)) {
                (Some("0A"), Some(found)) => all.push(found),
                (Some(other), _) if other != "0A" => {}
                _ => return facts.listeners = Fact::Gap(garbled(line)),
            }
        }
    }
    all.sort_unstable_by_key(|listener: &Listener| (listener.port, listener.address));
    all.dedup();
    let lines: Vec<String> = all
        .iter()
        .map(|listener| format!("LISTEN {} {}\n", listener.address, listener.port))
        .collect();
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

/// One line: `sl local_address rem_address st ...`.
fn listener(line: &str) -> Option<Listener> {
    let mut words = line.split_ascii_whitespace();
    let (address, port) = words.nth(1)?.split_once(':')?;
    let port = u16::from_str_radix(port, 16).ok()?;
    let mut bytes = Vec::with_capacity(16);
    // Each group of 32 bits is printed as a number of the machine: little-endian wherever a kubelet runs but on s390x.
    for group in 0..address.len() / 8 {
        let word = u32::from_str_radix(address.get(group * 8..group * 8 + 8)?, 16).ok()?;
        bytes.extend_from_slice(&word.to_le_bytes());
    }
    let address = match (address.len(), <[u8; 4]>::try_from(bytes.as_slice())) {
        (8, Ok(four)) => IpAddr::V4(Ipv4Addr::from(four)),
        (32, _) => IpAddr::V6(Ipv6Addr::from(<[u8; 16]>::try_from(bytes.as_slice()).ok()?)),
        _ => return None,
    };
    Some(Listener {
        address,
        port,
        owner: Fact::default(),
    })
}

#[cfg(test)]
mod tests {
    use super::listener;

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
            let found = listener(line).expect("understood");
            assert_eq!(format!("{}:{}", found.address, found.port), shown);
        }
        for bad in [
            "",
            "x",
            "0: 0100007F 0:0 0A",
            "0: 0100:22 0:0 0A",
            "0: 0100007F:zz 0:0 0A",
        ] {
            assert_eq!(listener(bad), None, "{bad}");
        }
    }
}
