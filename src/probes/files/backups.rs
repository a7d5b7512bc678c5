//! Copies of what a node cannot do without, and what makes them.

use super::Listing;
use crate::model::fact::{Fact, Gap, Locator, Need};
use crate::model::files::{BackupJob, Backups};
use crate::model::node::HostFacts;
use crate::model::text::Text;
use crate::probes::answer::{Answer, Content, not_read};
use crate::probes::mask::Masker;
use crate::probes::probe::{Ask, Probe, Reading};

/// Folders of snapshots, timers and cron.
pub static PROBE: Probe = Probe {
    need: Need::Backups,
    what: "the newest snapshots of etcd and copies of manifests, and the timers that make them",
    asks: &[Ask::Shell {
        section: "backups",
        since: 2,
        root: Some("folders of snapshots, and the users' own cron"),
        fragment: include_str!("../shell/backups.sh"),
        read,
    }],
};

/// Jobs that are kept.
const JOBS: usize = 60;

fn read(answer: &Answer<'_>, reading: &Reading<'_>, facts: &mut HostFacts) {
    let mut paths = std::mem::take(&mut facts.paths);
    let mut list = Listing::new(answer, "backups", Need::Backups, &mut paths);
    list.add_named();
    let mut list = list.done();
    facts.paths = paths;
    let mut jobs = Vec::new();
    // Status 1: no line speaks of a copy.
    match answer.content("backups", "cron", &[0, 1]) {
        Some(Content::Whole(text)) => {
            for line in String::from_utf8_lossy(text).lines() {
                let (origin, line) = line.split_once(':').unwrap_or(("", line));
                jobs.push(job(origin, line, reading.masker));
            }
        }
        Some(Content::Gap(gap)) => list.gaps.push(gap),
        None => {}
    }
    if answer.refusal("backups", b"cron") == Some(b"denied") {
        list.gaps.push(not_read(b"denied", "the users' own cron"));
    }
    match answer.content("backups", "systemctl list-timers", &[0]) {
        Some(Content::Whole(text)) => {
            for line in String::from_utf8_lossy(text).lines() {
                jobs.push(job("systemd timer", line, reading.masker));
            }
        }
        Some(Content::Gap(gap)) => list.gaps.push(gap),
        None => {}
    }
    if jobs.len() > JOBS {
        jobs.truncate(JOBS);
        list.gaps.push(Gap::Garbled {
            what: Text::from(format!(
                "more than {JOBS} jobs speak of copies: the rest is left out"
            )),
        });
    }
    facts.backups = Fact::seen(Backups { list, jobs }, Locator::list(Need::Backups));
}

fn job(origin: &str, line: &str, masker: &Masker) -> BackupJob {
    // As it stands first: a secret in quotes may have blanks.
    let mut line = line.trim().to_owned();
    masker.mask_words(&mut line);
    let mut words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
    // `--user NAME:PASSWORD` of etcdctl and curl, whatever it looks like.
    for at in 1..words.len() {
        if matches!(words[at - 1].as_str(), "--user" | "-u") && words[at].contains(':') {
            words[at] = masker.mask(&words[at]);
        }
    }
    let line = words.join(" ");
    BackupJob {
        origin: Text::new(origin),
        line: Text::from(line),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_in_a_job_is_masked() {
        let masker = Masker::new([7; 32]);
        let line = "0 1 * * * root etcdctl --user root:secret --password=hidden https://a:b@h snapshot save /x";
        let shown = job("/etc/cron.d/etcd", line, &masker).line.to_string();
        for word in ["secret", "hidden", "a:b@"] {
            assert!(!shown.contains(word), "{shown}");
        }
        assert!(shown.contains("snapshot save /x"));
        let line = "* * * * * root RESTIC_PASSWORD='ge heim' etcdctl --user root:root --password \"ge heim\" snapshot save /x";
        let shown = job("/etc/cron.d/etcd", line, &masker).line.to_string();
        assert!(
            !shown.contains("heim") && !shown.contains("root:root"),
            "{shown}"
        );
    }
}
