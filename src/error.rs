//! Failures at the edge: what was tried, on what, and what to do now. The kind decides the exit code.

use std::fmt;
use std::process::ExitCode;

/// Why a run ends without doing what it was asked for.
#[derive(Debug)]
pub struct Failure {
    /// Lower case: what was tried, on what, and what stood in the way.
    pub message: String,
    /// A command to paste, or what to change.
    pub next: String,
}

/// How a run ended. Codes: 0 ok, 1 findings at or above the threshold, 2 error, 3 incomplete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Ok,
    Findings,
    Error,
    Incomplete,
}

impl Failure {
    pub fn new(message: impl Into<String>, next: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            next: next.into(),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\nnext: {}", self.message, self.next)
    }
}

impl std::error::Error for Failure {}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        Self::from(match outcome {
            Outcome::Ok => 0,
            Outcome::Findings => 1,
            Outcome::Error => 2,
            Outcome::Incomplete => 3,
        })
    }
}
