//! Which machine answered, and with whose rights.

use super::answer::{Answer, Content, source};
use super::frame::Frame;
use super::probe::{Ask, Probe, Reading};
use crate::model::fact::{Fact, Gap, Locator, Need};
use crate::model::node::{HostFacts, Identity, WayIn};
use crate::model::text::Text;

/// Machine id, boot id, host name, operating system, clock.
pub static PROBE: Probe = Probe {
    need: Need::Identity,
    what: "which machine answers: machine id, boot id, host name, clock",
    asks: &[Ask::Shell {
        section: "identity",
        since: 1,
        root: None,
        fragment: include_str!("shell/identity.sh"),
        read,
    }],
};

/// Who answered, as far as an answer tells: enough to find the Node object that it belongs to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Who {
    pub hostname: Text,
    pub machine_id: Option<Text>,
    pub boot_id: Option<Text>,
    /// Seconds since the epoch, by the node's clock.
    pub clock: Option<i64>,
}

/// Reads [`Who`] out of an answer.
pub fn who(frame: &Frame) -> Who {
    let values = frame.section("identity").into_iter();
    let values = values.flat_map(|section| &section.records);
    let values: Vec<&[Vec<u8>]> = values
        .filter(|record| record.kind == "V")
        .map(|record| record.fields.as_slice())
        .collect();
    let value = |name: &str| -> Option<Text> {
        values
            .iter()
            .find(|fields| fields.len() == 2 && fields[0] == name.as_bytes())
            .map(|fields| Text::from_bytes(&fields[1]))
    };
    Who {
        hostname: value("/proc/sys/kernel/hostname").unwrap_or_default(),
        machine_id: value("/etc/machine-id")
            .filter(|id| !id.is_empty())
            .or_else(|| value("/var/lib/dbus/machine-id")),
        boot_id: value("/proc/sys/kernel/random/boot_id"),
        clock: value("clock").and_then(|clock| clock.as_str().parse().ok()),
    }
}

fn read(answer: &Answer<'_>, reading: &Reading<'_>, facts: &mut HostFacts) {
    let who = who(answer.frame);
    let Some(clock) = who.clock else {
        facts.identity = Fact::Gap(Gap::Garbled {
            what: Text::new("the node's clock"),
        });
        return;
    };
    let identity = Identity {
        hostname: who.hostname,
        machine_id: who.machine_id,
        boot_id: who.boot_id,
        os: os(answer),
        clock,
        uid: answer.frame.uid,
        way: way(answer),
        collector: Text::from(answer.frame.script.to_string()),
    };
    let lines: Vec<String> = answer
        .records("identity", "V")
        .filter(|fields| fields.len() == 2)
        .map(|fields| {
            format!(
                "{}: {}\n",
                Text::from_bytes(&fields[0]),
                Text::from_bytes(&fields[1])
            )
        })
        .collect();
    facts.sources.push(source(
        (Need::Identity, 0),
        "head /proc/sys/kernel/hostname /etc/machine-id /proc/sys/kernel/random/boot_id; date +%s",
        lines.concat().as_bytes(),
        reading,
    ));
    facts.identity = Fact::seen(identity, Locator::new(Need::Identity, 0));
}

/// A forced command does not run the request that would say so, and nobody does by hand.
fn way(answer: &Answer<'_>) -> WayIn {
    match answer.frame.way {
        _ if answer.frame.by_hand => WayIn::Import,
        Some(way) => way,
        None => WayIn::ForcedCommand,
    }
}

/// `ID` and `PRETTY_NAME` of os-release(5).
fn os(answer: &Answer<'_>) -> Text {
    let text = ["/etc/os-release", "/usr/lib/os-release"]
        .iter()
        .find_map(|name| match answer.content("identity", name, &[0]) {
            Some(Content::Whole(text)) => Some(String::from_utf8_lossy(text)),
            _ => None,
        })
        .unwrap_or_default();
    let field = |key: &str| {
        text.lines()
            .find_map(|line| line.strip_prefix(key)?.strip_prefix('='))
            .unwrap_or_default()
            .trim_matches(['"', '\''])
    };
    Text::new(format!("{} {}", field("ID"), field("PRETTY_NAME")).trim())
}

/// Seconds since the epoch at which the machine started, by its own clock.
pub(super) fn booted(answer: &Answer<'_>) -> Option<i64> {
    let number = |name: &str| -> Option<i64> {
        answer
            .records("identity", "V")
            .find(|fields| fields.len() == 2 && fields[0] == name.as_bytes())
            .and_then(|fields| std::str::from_utf8(&fields[1]).ok()?.parse().ok())
    };
    number("clock")?.checked_sub(number("uptime")?)
}

/// When a process started, out of field 22 of `/proc/PID/stat`: hundredths of a second since the machine started
/// (`USER_HZ` is 100 on every architecture that runs a kubelet).
pub(super) fn started(answer: &Answer<'_>, ticks: &str) -> Option<i64> {
    booted(answer)?.checked_add(ticks.parse::<i64>().ok()? / 100)
}

/// Whether `/proc` shows the processes of others.
pub(super) fn sees_processes(answer: &Answer<'_>) -> bool {
    proc_is(answer, b"open")
}

/// Why nothing is known of processes at all, where no `/proc` is mounted in the root that was read.
pub(super) fn no_processes(answer: &Answer<'_>) -> Option<Gap> {
    proc_is(answer, b"none").then(|| Gap::Garbled {
        what: Text::new("no /proc is mounted in the root that was read"),
    })
}

fn proc_is(answer: &Answer<'_>, word: &[u8]) -> bool {
    answer
        .records("identity", "V")
        .any(|fields| fields.len() == 2 && fields[0] == b"proc" && fields[1] == word)
}
