//! What would notice a change: watches on files, the kubelet's log, room on disks.

use crate::model::fact::{Fact, Gap, Locator, Need};
use crate::model::files::{Disk, FileWatches, KubeletLog, LogLine};
use crate::model::node::HostFacts;
use crate::model::text::Text;
use crate::probes::answer::{Answer, Content, not_read};
use crate::probes::probe::{Ask, Probe, Reading};

/// Rules and programs that watch files.
pub static WATCHES: Probe = Probe {
    need: Need::FileWatches,
    what: "rules of the kernel's audit system that speak of Kubernetes, and programs that watch files",
    asks: &[Ask::Shell {
        section: "file_watches",
        since: 2,
        root: Some("the loaded rules of the audit system"),
        fragment: include_str!("../shell/file_watches.sh"),
        read: read_watches,
    }],
};

/// What the kubelet says of static pods.
pub static LOG: Probe = Probe {
    need: Need::KubeletLog,
    what: "lines of the kubelet's log of the last day that speak of static pods",
    asks: &[Ask::Shell {
        section: "kubelet_log",
        since: 2,
        root: Some("the journal, which only root and its group read"),
        fragment: include_str!("../shell/kubelet_log.sh"),
        read: read_log,
    }],
};

/// Room on file systems.
pub static DISKS: Probe = Probe {
    need: Need::Disks,
    what: "room on the disks of etcd, the kubelet and the logs",
    asks: &[Ask::Shell {
        section: "disks",
        since: 2,
        root: None,
        fragment: include_str!("../shell/disks.sh"),
        read: read_disks,
    }],
};

/// As many bytes of the log as are left where the collector cut it, less what the last line adds.
const LOG_CUT: usize = 64_990;
/// Lines that are kept of each.
const LINES: usize = 200;

fn lines(text: &[u8]) -> Vec<Text> {
    let text = String::from_utf8_lossy(text);
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    lines.take(LINES).map(Text::new).collect()
}

fn read_watches(answer: &Answer<'_>, _: &Reading<'_>, facts: &mut HostFacts) {
    const SECTION: &str = "file_watches";
    let mut gaps = Vec::new();
    let loaded = match answer.content(SECTION, "auditctl -l", &[0]) {
        Some(Content::Whole(text)) => {
            let rules = lines(text);
            let denied = rules.iter().any(|line| line.as_str().contains("ermitted"));
            let rules = rules.into_iter();
            let kept = rules.filter(|line| line.as_str().starts_with('-'));
            if denied {
                gaps.push(not_read(b"denied", "the loaded rules of the audit system"));
            }
            (!denied).then(|| kept.collect())
        }
        // A node without the tool has no rules that it would show.
        _ if answer.refusal(SECTION, b"auditctl -l") == Some(b"absent") => None,
        Some(Content::Gap(gap)) => {
            gaps.push(gap);
            None
        }
        None => None,
    };
    let mut watches = FileWatches {
        loaded,
        gaps,
        ..FileWatches::default()
    };
    for fields in answer.records(SECTION, "F") {
        let name = fields.first().map(Vec::as_slice).unwrap_or_default();
        if !name.starts_with(b"/") {
            continue;
        }
        // Status 1: no line speaks of it.
        let shown = Text::from_bytes(name);
        match answer.content(SECTION, shown.as_str(), &[0, 1]) {
            Some(Content::Whole(text)) => {
                let rules = lines(text);
                let room = LINES.saturating_sub(watches.written.len());
                let rules = rules.into_iter().take(room);
                watches
                    .written
                    .extend(rules.filter(|line| line.as_str().trim_start().starts_with('-')));
            }
            Some(Content::Gap(gap)) if watches.gaps.len() < LINES => watches.gaps.push(gap),
            _ => {}
        }
    }
    for fields in answer.records(SECTION, "V").take(LINES) {
        if let (Some(word), Some(name)) = (fields.first(), fields.get(1)) {
            watches
                .tools
                .push((Text::from_bytes(name), Text::from_bytes(word)));
        }
    }
    facts.file_watches = Fact::seen(watches, Locator::new(Need::FileWatches, 0));
}

fn read_log(answer: &Answer<'_>, reading: &Reading<'_>, facts: &mut HostFacts) {
    let text = match answer.content("kubelet_log", "journal", &[0]) {
        Some(Content::Whole(text)) => text,
        _ if answer.refusal("kubelet_log", b"journal") == Some(b"absent") => {
            facts.kubelet_log = Fact::Gap(Gap::ToolMissing {
                tool: Text::new("a journal of systemd"),
            });
            return;
        }
        Some(Content::Gap(gap)) => return facts.kubelet_log = Fact::Gap(gap),
        None => {
            return facts.kubelet_log = Fact::Gap(not_read(b"error", "the kubelet's log"));
        }
    };
    let text = String::from_utf8_lossy(text);
    let all: Vec<&str> = text.lines().collect();
    // Cut by its length, the first line that is left has lost its beginning.
    let cut = text.len() >= LOG_CUT;
    let more = cut || all.len() > LINES;
    let all = all.get(usize::from(cut)..).unwrap_or_default();
    let kept = all.iter().skip(all.len().saturating_sub(LINES));
    let lines = kept.map(|line| {
        let (stamp, rest) = line.split_once(' ').unwrap_or(("", line));
        let seconds = stamp.split('.').next().unwrap_or_default();
        let mut text = rest.to_owned();
        reading.masker.mask_words(&mut text);
        LogLine {
            at: seconds.parse().ok(),
            text: Text::from(text),
        }
    });
    let log = KubeletLog {
        lines: lines.collect(),
        more,
    };
    facts.kubelet_log = Fact::seen(log, Locator::new(Need::KubeletLog, 0));
}

fn read_disks(answer: &Answer<'_>, _: &Reading<'_>, facts: &mut HostFacts) {
    let mut disks = Vec::new();
    let unknown = |path: &str, gap: Gap| Disk {
        path: Text::new(path),
        mount: Text::default(),
        total: 0,
        free: 0,
        gap: Some(gap),
    };
    for fields in answer.records("disks", "D").take(LINES) {
        if let [path, word, ..] = fields {
            let path = Text::from_bytes(path);
            disks.push(unknown(path.as_str(), not_read(word, path.as_str())));
        }
    }
    for fields in answer.records("disks", "F").take(LINES) {
        let name = fields.first().map(Vec::as_slice).unwrap_or_default();
        let name = String::from_utf8_lossy(name);
        let Some(path) = name.strip_prefix("df ") else {
            continue;
        };
        let read = match answer.content("disks", &name, &[0]) {
            Some(Content::Whole(text)) => disk(path, text).ok_or_else(|| not_read(b"error", &name)),
            Some(Content::Gap(gap)) => Err(gap),
            None => Err(not_read(b"error", &name)),
        };
        disks.push(read.unwrap_or_else(|gap| unknown(path, gap)));
    }
    let gap = disks.iter().find_map(|disk| disk.gap.clone());
    facts.disks = if disks.iter().any(|disk| disk.gap.is_none()) {
        Fact::seen(disks, Locator::new(Need::Disks, 0))
    } else {
        Fact::Gap(gap.unwrap_or_else(|| not_read(b"error", "df")))
    };
}

/// The last line of `df -kP`: device, blocks, used, available, percent, mount point.
fn disk(path: &str, text: &[u8]) -> Option<Disk> {
    let text = String::from_utf8_lossy(text);
    let line = text.lines().last()?;
    let at = line.find('%')?;
    let mut before = line[..at].split_whitespace().rev();
    let free = before.nth(1)?.parse().ok()?;
    let total = before.nth(1)?.parse().ok()?;
    Some(Disk {
        path: Text::new(path),
        mount: Text::new(line[at + 1..].trim()),
        total,
        free,
        gap: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_on_a_disk() {
        let text = b"Filesystem 1024-blocks Used Available Capacity Mounted on\n/dev/sda 1 100 40 55 43% /var lib\n";
        let found = disk("/var/lib/etcd", text).expect("understood");
        assert_eq!(
            (found.mount.as_str(), found.total, found.free),
            ("/var lib", 100, 55)
        );
        assert_eq!(disk("/", b""), None);
        assert_eq!(disk("/", b"a b c% /"), None);
    }
}
