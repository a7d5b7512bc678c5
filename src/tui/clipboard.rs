//! Copying that works over SSH: tmux buffer, OSC 52, and always a file. The only home of processes in the dashboard.

#![expect(
    clippy::disallowed_methods,
    reason = "tmux is asked to take a buffer: OSC 52 from inside a stock tmux goes nowhere"
)]

use std::io::{self, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::app::{Clip, Toast};
use super::term::Screen;
use super::widget::words::count;
use crate::disk;

/// What terminals take in one OSC 52 at most: tmux and xterm stop near 100 kB of base64.
const OSC52_LIMIT: usize = 74_000;
/// How long tmux may take.
const PATIENCE: Duration = Duration::from_millis(500);
/// Bytes of base64 in one DCS of GNU screen.
const SCREEN_CHUNK: usize = 240;

/// The terminal multiplexer that the dashboard runs in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Multiplexer {
    #[default]
    None,
    Tmux,
    Screen,
}

/// Copies by every way that there is, and says which ones were taken.
pub fn copy(clip: &Clip, inside: Multiplexer, file: Option<&Path>, screen: &mut Screen) -> Toast {
    let mut ways: Vec<String> = Vec::new();
    if inside == Multiplexer::Tmux && tmux(&clip.text).is_ok() {
        ways.push("tmux buffer".to_owned());
    }
    if clip.text.len() <= OSC52_LIMIT && screen.send(&osc52(&clip.text, inside)).is_ok() {
        ways.push("OSC 52".to_owned());
    }
    if let Some(file) = file {
        let written = file
            .parent()
            .map_or(Ok(()), disk::make_folder)
            .and_then(|()| disk::write(file, |out| out.write_all(clip.text.as_bytes())));
        if written.is_ok() {
            ways.push(file.display().to_string());
        }
    }
    if ways.is_empty() {
        return Toast::warn(format!("{} could not be copied", clip.what));
    }
    let shown = if clip.text.len() <= 60 && !clip.text.contains('\n') {
        format!("{}: {}", clip.what, clip.text)
    } else {
        clip.what.clone()
    };
    Toast::plain(format!(
        "copied {shown} ({}): {}",
        count(clip.text.len(), "byte"),
        ways.join(" + ")
    ))
}

/// The sequence that asks the terminal to take the text, wrapped for GNU screen in pieces that it passes on.
pub fn osc52(text: &str, inside: Multiplexer) -> String {
    let coded = openssl::base64::encode_block(text.as_bytes());
    let plain = format!("\x1b]52;c;{coded}\x07");
    if inside != Multiplexer::Screen {
        return plain;
    }
    let mut out = String::new();
    let mut rest = plain.as_str();
    while !rest.is_empty() {
        let (head, tail) = rest.split_at(rest.len().min(SCREEN_CHUNK));
        out.push_str(&format!("\x1bP{head}\x1b\\"));
        rest = tail;
    }
    out
}

/// Gives the text to the tmux server, which passes it on to the terminals that it is attached to.
fn tmux(text: &str) -> io::Result<()> {
    let mut child = Command::new("tmux")
        .args(["load-buffer", "-w", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    if let Some(mut input) = child.stdin.take() {
        input.write_all(text.as_bytes())?;
    }
    let until = Instant::now() + PATIENCE;
    loop {
        if let Some(status) = child.try_wait()? {
            return if status.success() {
                Ok(())
            } else {
                Err(io::Error::other("tmux refused the buffer"))
            };
        }
        if Instant::now() >= until {
            child.kill()?;
            child.wait()?;
            return Err(io::ErrorKind::TimedOut.into());
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_coded_and_cut_for_screen() {
        assert_eq!(
            osc52("hi\x1b[0m", Multiplexer::None),
            "\x1b]52;c;aGkbWzBt\x07"
        );
        let long = osc52(&"x".repeat(1000), Multiplexer::Screen);
        assert!(long.starts_with("\x1bP\x1b]52;c;") && long.ends_with("\x07\x1b\\"));
        assert!(long.matches("\x1bP").count() > 5);
    }
}
