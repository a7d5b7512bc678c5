//! The user's policy file as evidence: the entry that a verdict speaks of, or the file as a whole.

use super::{Exhibit, plain};
use crate::model::Timestamp;
use crate::model::fact::{Locator, Side};
use crate::model::policy::{File, Policy};
use crate::model::text::Text;

/// Lines of an entry that are shown.
const LINES: usize = 8;

/// What a locator of the policy shows: `item` is the line where an entry starts, from 1.
pub(super) fn exhibit(policy: &Policy, at: Locator, now: Timestamp) -> Option<Exhibit> {
    let Some(file) = policy.get() else {
        policy.file.get().ok()?;
        return Some(shown(
            Text::new("no policy file is configured"),
            Text::new("stakeout config: policy"),
            &Text::default(),
            now,
        ));
    };
    let line = usize::try_from(at.item)
        .ok()
        .filter(|_| at != Locator::list(at.need));
    let title = match line {
        Some(line) => Text::from(format!("{}:{line}", file.name)),
        None => file.name.clone(),
    };
    let command = Text::from(format!("read {}", file.name));
    Some(shown(title, command, &excerpt(file, line), now))
}

fn shown(title: Text, command: Text, text: &Text, now: Timestamp) -> Exhibit {
    Exhibit {
        side: Side::Own,
        title,
        command,
        at: Some(now),
        sha256: None,
        remark: Text::default(),
        rows: plain(text),
    }
}

/// The lines of one entry: until the next one that is not deeper.
fn excerpt(file: &File, line: Option<usize>) -> Text {
    let lines = file.text.as_str().lines();
    let Some(line) = line else {
        return Text::block(&lines.take(LINES).collect::<Vec<_>>().join("\n"));
    };
    let deep = |text: &str| text.len() - text.trim_start().len();
    let mut lines = lines.skip(line.saturating_sub(1));
    let Some(first) = lines.next() else {
        return Text::default();
    };
    let rest = lines
        .take_while(|text| text.trim().is_empty() || deep(text) > deep(first))
        .take(LINES - 1);
    let lines = std::iter::once(first).chain(rest);
    Text::block(&lines.collect::<Vec<_>>().join("\n"))
}
