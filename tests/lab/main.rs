//! The lab: a made-up cluster of 48 nodes on loopback, and stakeout's own front door opened on it.
//!
//! ```text
//! cargo run --example lab                                the dashboard
//! cargo run --example lab -- scan --output json          any other command
//! cargo run --example lab -- --keep                      servers only, until Enter or the end of the input
//! cargo run --example lab -- --nodes 5000 --pods 150000  more of the same
//! ```

#![expect(
    clippy::disallowed_methods,
    reason = "the lab is no part of the program: it tells the time and clears its folder itself"
)]

#[allow(dead_code, reason = "tests use the rest")]
mod describe;
#[allow(dead_code, reason = "tests use the rest")]
mod farm;
#[allow(dead_code, reason = "tests use the rest")]
mod fleet;
#[path = "api/mod.rs"]
#[allow(dead_code, unused_imports, reason = "tests use the rest")]
mod lab_api;
mod stage;

use std::io::{self, BufRead as _, Write as _};
use std::process::ExitCode;

use describe::Clock;
use fleet::Fleet;
use stage::Stage;

/// What was typed.
#[derive(Default)]
struct Options {
    keep: bool,
    nodes: usize,
    pods: usize,
    /// For stakeout.
    words: Vec<String>,
}

fn main() -> ExitCode {
    let outcome = options(std::env::args().skip(1)).and_then(|options| open(&options));
    match outcome {
        Ok(code) => code,
        Err(error) => {
            // Where standard error is gone there is nobody left to tell.
            let _ = writeln!(io::stderr(), "lab: {error}");
            ExitCode::from(2)
        }
    }
}

fn open(options: &Options) -> io::Result<ExitCode> {
    let clock = Clock {
        now: jiff::Timestamp::now().as_second(),
    };
    let fleet = Fleet::shipped(clock).scaled(options.nodes, options.pods);
    let folder = std::env::temp_dir().join(format!("stakeout-lab-{}", std::process::id()));
    let stage = Stage::start(fleet, &folder)?;
    let words = stage.words();
    if options.keep {
        let mut out = io::stdout().lock();
        writeln!(out, "stakeout {}", words.join(" "))?;
        writeln!(out, "Enter ends the lab.")?;
        out.flush()?;
        io::stdin().lock().read_line(&mut String::new())?;
        return Ok(ExitCode::SUCCESS);
    }
    let all = std::iter::once("stakeout".to_owned())
        .chain(words)
        .chain(options.words.iter().cloned());
    Ok(stakeout::run(all.map(Into::into)))
}

/// Own options first; the first other word begins those of stakeout.
fn options(mut words: impl Iterator<Item = String>) -> io::Result<Options> {
    let mut options = Options::default();
    let wrong = |text: String| io::Error::new(io::ErrorKind::InvalidInput, text);
    while let Some(word) = words.next() {
        let mut number = || {
            let value = words.next().unwrap_or_default();
            value
                .parse()
                .map_err(|_| wrong(format!("{word} wants a number")))
        };
        match word.as_str() {
            "--keep" => options.keep = true,
            "--nodes" => options.nodes = number()?,
            "--pods" => options.pods = number()?,
            _ => {
                options.words.push(word);
                options.words.extend(words);
                break;
            }
        }
    }
    Ok(options)
}
