//! Options of the commands that look at snapshots beside each other, or at one for itself.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::Threshold;

/// Options of `verify`.
#[derive(Args, Clone, Debug)]
#[command(after_help = VERIFY)]
pub struct Verify {
    pub file: PathBuf,
    /// Public key that must have signed it
    #[arg(long, value_name = "PUB")]
    pub key: Option<PathBuf>,
}

const VERIFY: &str = "Every byte counts: a file that was altered, cut or added to is an error.
A signature by a key that nobody named proves that the file is whole, not whose it is.

Exit codes: 0 signed by --key, 2 altered, cut, or not signed by --key,
3 whole, but not signed, or no --key to hold the signature against.";

/// Options of `diff`.
#[derive(Args, Clone, Debug)]
#[command(after_help = DIFF)]
pub struct Diff {
    /// The snapshot of earlier
    pub before: PathBuf,
    /// The snapshot of later
    pub after: PathBuf,
    #[arg(long, value_enum, default_value_t)]
    pub output: DiffOutput,
    /// Public key that must have signed both
    #[arg(long, value_name = "PUB")]
    pub key: Option<PathBuf>,
    /// Least severity of something new or worse that makes the exit code 1
    #[arg(long, value_enum, default_value_t = Threshold::Low)]
    pub fail_on: Threshold,
}

const DIFF: &str =
    "Both sides are judged by the checks and the policy of now. What one side did not know
is incomparable, never fixed.

Exit codes: 0 nothing new, 1 something new or worse at or above --fail-on, 2 error,
3 nothing new, but something incomparable.";

/// Format of what `diff` says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum DiffOutput {
    #[default]
    Text,
    Json,
}
