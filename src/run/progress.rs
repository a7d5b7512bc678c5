//! One line on standard error while nodes are read; nothing where standard error is no terminal.

use std::io::{IsTerminal as _, Write as _, stderr};

use crate::engine::Judged;
use crate::model::link::{HostState, Level};

/// The line that is rewritten.
pub struct Progress {
    on: bool,
    shown: String,
}

impl Progress {
    pub fn new() -> Self {
        Self {
            on: stderr().is_terminal(),
            shown: String::new(),
        }
    }

    /// Shows where the collection stands, and what went wrong since the last time.
    pub fn show(&mut self, judged: &Judged) {
        if !self.on {
            return;
        }
        for line in judged.log.iter().filter(|line| line.level >= Level::Warn) {
            let place = line.node.as_ref().map_or("", |node| node.as_str());
            write(&format!("\r\x1b[K{place} {}\n", line.message));
        }
        let text = status(judged);
        if text != self.shown || !judged.log.is_empty() {
            write(&format!("\r\x1b[K{text}"));
            self.shown = text;
        }
    }

    /// Clears the line.
    pub fn end(&mut self) {
        if self.on {
            write("\r\x1b[K");
        }
    }
}

fn write(text: &str) {
    // Progress that nobody can see is not missed.
    let _ = stderr().write_all(text.as_bytes());
}

/// `nodes 41/48 read, 2 failed, 5 under way`.
fn status(judged: &Judged) -> String {
    let count = |wanted: fn(&HostState) -> bool| {
        judged.hosts.values().filter(|state| wanted(state)).count()
    };
    let read = count(|state| *state == HostState::Ok);
    let failed = count(|state| matches!(state, HostState::Failed(_) | HostState::Stale(_)));
    let going = count(|state| {
        matches!(
            state,
            HostState::Queued | HostState::Connecting | HostState::Collecting { .. }
        )
    });
    format!(
        "nodes {read}/{} read, {failed} failed, {going} under way",
        judged.snapshot.nodes.len()
    )
}
