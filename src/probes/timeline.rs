//! Whether the node's clock follows a reference, and whether its journal outlives a restart.

use super::answer::{Answer, Content, summary};
use super::probe::{Ask, Probe, Reading};
use crate::model::fact::{Fact, Locator, Need};
use crate::model::network::{Clock, Journal, Timeline};
use crate::model::node::HostFacts;
use crate::model::text::Text;

/// What an investigation can rely on.
pub static PROBE: Probe = Probe {
    need: Need::Timeline,
    what: "whether the clock is synchronised and the journal is kept",
    asks: &[Ask::Shell {
        section: SECTION,
        since: 2,
        root: None,
        fragment: include_str!("shell/timeline.sh"),
        read,
    }],
};

const SECTION: &str = "timeline";

fn read(answer: &Answer<'_>, reading: &Reading<'_>, facts: &mut HostFacts) {
    let (clock, told_by) = clock(answer);
    let timeline = Timeline {
        clock,
        told_by: Text::new(told_by),
        journal: journal(answer),
    };
    facts.sources.push(summary(
        (Need::Timeline, 0),
        "ls -d /run/systemd/timesync/synchronized /var/log/journal; chronyc -n tracking; timedatectl show",
        &format!(
            "clock {:?} ({})\njournal {:?}\n",
            timeline.clock, timeline.told_by, timeline.journal
        ),
        reading,
    ));
    facts.timeline = Fact::seen(timeline, Locator::new(Need::Timeline, 0));
}

fn value<'a>(answer: &Answer<'a>, name: &str) -> Option<&'a [u8]> {
    answer
        .records(SECTION, "V")
        .find(|fields| fields.len() == 2 && fields[0] == name.as_bytes())
        .map(|fields| fields[1].as_slice())
}

fn text<'a>(answer: &Answer<'a>, name: &str) -> Option<std::borrow::Cow<'a, str>> {
    match answer.content(SECTION, name, &[0, 1]) {
        Some(Content::Whole(text)) => Some(String::from_utf8_lossy(text)),
        _ => None,
    }
}

fn clock(answer: &Answer<'_>) -> (Clock, &'static str) {
    if value(answer, "clock") == Some(b"timesync") {
        return (Clock::Synchronised, "/run/systemd/timesync/synchronized");
    }
    let of = |found: Option<bool>| match found {
        Some(true) => Clock::Synchronised,
        Some(false) => Clock::Free,
        None => Clock::Untold,
    };
    if let Some(text) = text(answer, "chronyc") {
        let leap = text.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            (key.trim() == "Leap status").then(|| value.trim() != "Not synchronised")
        });
        return (of(leap), "chronyc");
    }
    if let Some(text) = text(answer, "timedatectl") {
        let told = text
            .lines()
            .find_map(|line| match line.strip_prefix("NTPSynchronized=")? {
                "yes" => Some(true),
                "no" => Some(false),
                _ => None,
            });
        return (of(told), "timedatectl");
    }
    if let Some(text) = text(answer, "ntpq") {
        // leap=3: not synchronised (RFC 5905).
        let leap = text
            .split([',', '\n', ' '])
            .find_map(|word| word.trim().strip_prefix("leap="))
            .map(|leap| leap != "3" && leap != "11");
        return (of(leap), "ntpq");
    }
    (Clock::Untold, "nothing")
}

fn journal(answer: &Answer<'_>) -> Journal {
    let stored = text(answer, "journald.conf").and_then(|text| {
        let line = text
            .lines()
            .last()?
            .split_once('=')?
            .1
            .trim()
            .to_ascii_lowercase();
        Some(line)
    });
    match (
        value(answer, "/var/log/journal"),
        value(answer, "/run/log/journal"),
        stored.as_deref(),
    ) {
        (Some(b"there"), _, stored) if !matches!(stored, Some("volatile" | "none")) => {
            Journal::Persistent
        }
        // journald makes the folder itself where it is told to.
        (Some(b"there"), ..) | (Some(b"absent"), Some(b"there"), _) => Journal::Volatile,
        (Some(b"absent"), Some(b"absent"), _) => Journal::Absent,
        _ => Journal::Untold,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probes::frame::{Frame, Record, Section};

    fn told(records: &[(&str, &str, &str)]) -> (Clock, Journal) {
        let record = |(kind, name, value): &(&str, &str, &str)| Record {
            kind: (*kind).to_owned(),
            fields: vec![(*name).into(), (*value).into()],
        };
        let frame = Frame {
            script: 2,
            sections: vec![Section {
                name: SECTION.to_owned(),
                records: records.iter().map(record).collect(),
            }],
            complete: true,
            ..Frame::default()
        };
        let answer = Answer::new(&frame);
        (clock(&answer).0, journal(&answer))
    }

    #[test]
    fn clocks_and_journals() {
        for (records, wanted) in [
            (&[][..], (Clock::Untold, Journal::Untold)),
            (
                &[
                    ("V", "clock", "timesync"),
                    ("V", "/var/log/journal", "there"),
                ],
                (Clock::Synchronised, Journal::Persistent),
            ),
            (
                &[
                    (
                        "F",
                        "chronyc",
                        "Stratum : 3\nLeap status     : Normal\nx0\n",
                    ),
                    ("V", "/var/log/journal", "absent"),
                    ("V", "/run/log/journal", "there"),
                ],
                (Clock::Synchronised, Journal::Volatile),
            ),
            (
                &[
                    ("F", "chronyc", "Leap status     : Not synchronised\nx0\n"),
                    ("V", "/var/log/journal", "there"),
                    ("F", "journald.conf", "Storage=auto\nStorage=volatile\nx0\n"),
                ],
                (Clock::Free, Journal::Volatile),
            ),
            (
                &[
                    ("F", "timedatectl", "NTP=no\nNTPSynchronized=no\nx0\n"),
                    ("V", "/var/log/journal", "absent"),
                    ("V", "/run/log/journal", "absent"),
                ],
                (Clock::Free, Journal::Absent),
            ),
            // Systemd does not run, or did not answer: nothing was told.
            (
                &[
                    ("F", "timedatectl", "x1\n"),
                    ("V", "/var/log/journal", "absent"),
                ],
                (Clock::Untold, Journal::Untold),
            ),
            (
                &[("F", "ntpq", "leap=00, stratum=2\nx0\n")],
                (Clock::Synchronised, Journal::Untold),
            ),
        ] {
            assert_eq!(told(records), wanted, "{records:?}");
        }
    }
}
