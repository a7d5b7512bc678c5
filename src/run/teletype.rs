//! Questions of a run without a dashboard: asked on the terminal that the program was started from, with the echo
//! off. Without such a terminal nothing is asked.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Sender;

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::fs::{Mode, OFlags};
use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, Termios};
use rustix::termios::{tcgetattr, tcgetpgrp, tcsetattr};
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};
use signal_hook::{flag, low_level};
use zeroize::Zeroizing;

use crate::engine::Judged;
use crate::model::ask::{Asked, Echo, Field, Question, QuestionId};
use crate::model::link::Order;
use crate::model::secret::Secret;

/// Bytes of a line; no passphrase is longer.
const ROOM: usize = 1024;
/// How often a prompt looks for a signal and for a question that was taken back.
const TICK: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: 100_000_000,
};
/// They end the program, but not before the terminal is as it was.
const ENDING: [i32; 4] = [SIGINT, SIGTERM, SIGHUP, SIGQUIT];

/// Asks what a run wants to know, each question once.
pub struct Teletype {
    orders: Sender<Order>,
    asked: Vec<QuestionId>,
    signals: Option<Signals>,
}

/// How a prompt ended.
enum End {
    Typed(Vec<Secret>),
    Declined,
    /// The question was taken back.
    Over,
    Signal(i32),
}

/// Whether there is somebody to ask: a terminal, and this program in its foreground.
pub fn is_there() -> bool {
    open().is_some()
}

fn open() -> Option<OwnedFd> {
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
    let tty = rustix::fs::open("/dev/tty", flags, Mode::empty()).ok()?;
    let front = tcgetpgrp(&tty).ok()?;
    (front == rustix::process::getpgrp()).then_some(tty)
}

impl Teletype {
    pub fn new(orders: Sender<Order>) -> Self {
        Self {
            orders,
            asked: Vec::new(),
            signals: None,
        }
    }

    /// The first question of the view that was not asked yet.
    pub fn next<'a>(&self, view: &'a Judged) -> Option<&'a Question> {
        let new = |question: &&Question| !self.asked.contains(&question.id);
        view.questions.iter().find(new)
    }

    /// Asks it and passes the answer on. `is_open` is asked now and then whether somebody still waits.
    pub fn ask(&mut self, question: &Question, is_open: &mut dyn FnMut() -> bool) {
        self.asked.push(question.id);
        let end = match (self.signals(), open()) {
            (Ok(signals), Some(tty)) => {
                signals.idle.store(false, Ordering::SeqCst);
                let end =
                    Screen::take(&tty).and_then(|screen| screen.ask(question, signals, is_open));
                signals.idle.store(true, Ordering::SeqCst);
                end.unwrap_or(End::Declined)
            }
            _ => End::Declined,
        };
        let answer = match end {
            End::Typed(lines) => Some(lines),
            End::Declined => None,
            End::Over => return,
            End::Signal(number) => {
                // Ends the program; where it cannot, the question counts as declined.
                let _ = low_level::emulate_default_handler(number);
                None
            }
        };
        // A run that has ended needs no answer.
        let _ = self.orders.send(Order::Answer {
            id: question.id,
            answer,
        });
    }

    fn signals(&mut self) -> io::Result<&Signals> {
        if self.signals.is_none() {
            self.signals = Some(Signals::watch()?);
        }
        self.signals
            .as_ref()
            .ok_or_else(|| io::Error::other("no signals"))
    }
}

/// Signals that would leave the terminal without its echo.
struct Signals {
    /// No prompt is open: they do what they always do.
    idle: Arc<AtomicBool>,
    raised: Vec<(i32, Arc<AtomicBool>)>,
}

impl Signals {
    fn watch() -> io::Result<Self> {
        let idle = Arc::new(AtomicBool::new(true));
        let mut raised = Vec::new();
        for number in ENDING {
            flag::register_conditional_default(number, Arc::clone(&idle))?;
            let flag = Arc::new(AtomicBool::new(false));
            flag::register(number, Arc::clone(&flag))?;
            raised.push((number, flag));
        }
        Ok(Self { idle, raised })
    }

    fn take(&self) -> Option<i32> {
        let mut raised = self.raised.iter();
        let found = raised.find(|(_, flag)| flag.swap(false, Ordering::SeqCst));
        found.map(|(number, _)| *number)
    }
}

/// The terminal without echo; as before when it is dropped.
struct Screen<'a> {
    tty: &'a OwnedFd,
    before: Termios,
}

impl Drop for Screen<'_> {
    fn drop(&mut self) {
        // A terminal that is gone needs no echo.
        let _ = tcsetattr(self.tty, OptionalActions::Flush, &self.before);
    }
}

impl<'a> Screen<'a> {
    /// What was typed ahead was meant for somebody else and is dropped.
    fn take(tty: &'a OwnedFd) -> io::Result<Self> {
        let before = tcgetattr(tty)?;
        let mut quiet = before.clone();
        let off = LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG | LocalModes::IEXTEN;
        quiet.local_modes.remove(off);
        quiet.special_codes[SpecialCodeIndex::VMIN] = 1;
        quiet.special_codes[SpecialCodeIndex::VTIME] = 0;
        tcsetattr(tty, OptionalActions::Flush, &quiet)?;
        Ok(Self { tty, before })
    }

    fn ask(
        &self,
        question: &Question,
        signals: &Signals,
        is_open: &mut dyn FnMut() -> bool,
    ) -> io::Result<End> {
        self.say(&format!("stakeout: {}\n", question.subject()))?;
        for note in question.notes() {
            self.say(&format!("  {}\n", note.replace('\n', "\n  ")))?;
        }
        self.say("  ctrl-d: do not answer\n")?;
        let required = !matches!(question.kind, Asked::Interactive { .. });
        let mut lines = Vec::new();
        for field in question.fields() {
            let end = self.line(&field, required, signals, is_open)?;
            self.say("\n")?;
            match end {
                End::Typed(line) => lines.extend(line),
                end => return Ok(end),
            }
        }
        Ok(End::Typed(lines))
    }

    fn line(
        &self,
        field: &Field,
        required: bool,
        signals: &Signals,
        is_open: &mut dyn FnMut() -> bool,
    ) -> io::Result<End> {
        self.say(&format!("{} ", field.prompt))?;
        let mut typed = Line::default();
        loop {
            if let Some(number) = signals.take() {
                return Ok(End::Signal(number));
            }
            if !is_open() {
                self.say("(nobody waits for that answer any more)")?;
                return Ok(End::Over);
            }
            let mut ready = [PollFd::new(self.tty, PollFlags::IN)];
            match rustix::event::poll(&mut ready, Some(&TICK)) {
                Ok(0) | Err(rustix::io::Errno::INTR) => continue,
                Ok(_) => {}
                Err(error) => return Err(error.into()),
            }
            let mut byte = [0];
            if rustix::io::read(self.tty, &mut byte)? == 0 {
                return Ok(End::Declined);
            }
            match byte[0] {
                b'\r' | b'\n' if required && typed.bytes.is_empty() => {}
                b'\r' | b'\n' => return Ok(typed.finish().map_or(End::Declined, End::Typed)),
                3 => return Ok(End::Signal(SIGINT)),
                // ctrl-u
                21 => {
                    typed = Line::default();
                    self.say(&format!("\r\x1b[K{} ", field.prompt))?;
                }
                4 if typed.bytes.is_empty() => return Ok(End::Declined),
                other => {
                    let shown = typed.take(other);
                    if field.echo == Echo::On {
                        self.say(shown)?;
                    }
                }
            }
        }
    }

    fn say(&self, text: &str) -> io::Result<()> {
        let mut rest = text.as_bytes();
        while !rest.is_empty() {
            let count = rustix::io::write(self.tty, rest)?;
            rest = &rest[count..];
        }
        Ok(())
    }
}

/// A line while it is typed; its room is taken at once, so that nothing is left behind elsewhere.
struct Line {
    bytes: Zeroizing<Vec<u8>>,
    escape: Escape,
}

/// Where an arrow key or the like stands: none of it is text.
#[derive(Clone, Copy)]
enum Escape {
    No,
    Started,
    Inside,
}

impl Default for Line {
    fn default() -> Self {
        Self {
            bytes: Zeroizing::new(Vec::with_capacity(ROOM)),
            escape: Escape::No,
        }
    }
}

impl Line {
    /// Takes a byte; what a visible line shows of it. Of letters beyond ASCII nothing is shown.
    fn take(&mut self, byte: u8) -> &'static str {
        let text = matches!(self.escape, Escape::No) && byte != 27;
        self.escape = match (self.escape, byte) {
            (_, 27) => Escape::Started,
            (Escape::Started, b'[' | b'O') | (Escape::Inside, 32..64) => Escape::Inside,
            _ => Escape::No,
        };
        match byte {
            _ if !text => "",
            8 | 0x7f => {
                while let Some(last) = self.bytes.pop() {
                    // The tail of a character goes with its head.
                    if !(0x80..0xc0).contains(&last) {
                        return "\x08 \x08";
                    }
                }
                ""
            }
            0..32 => "",
            byte if self.bytes.len() < ROOM => {
                self.bytes.push(byte);
                shown(byte)
            }
            _ => "",
        }
    }

    /// None: what was typed is no text.
    fn finish(mut self) -> Option<Vec<Secret>> {
        let bytes = std::mem::take(&mut *self.bytes);
        match String::from_utf8(bytes) {
            Ok(text) => Some(vec![Secret::new(text)]),
            Err(error) => {
                drop(Zeroizing::new(error.into_bytes()));
                None
            }
        }
    }
}

/// One ASCII character as a text.
fn shown(byte: u8) -> &'static str {
    const ASCII: &str = " !\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~";
    let at = usize::from(byte).saturating_sub(32);
    ASCII.get(at..=at).unwrap_or("")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(bytes: &[u8]) -> Option<String> {
        let mut line = Line::default();
        for byte in bytes {
            line.take(*byte);
        }
        line.finish()?.first().map(|line| line.reveal().to_owned())
    }

    #[test]
    fn a_line_is_edited_and_has_bounds() {
        assert_eq!(typed(b"abc\x7fd\x01").as_deref(), Some("abd"));
        assert_eq!(typed(b"a\x1b[1;5Ab\x1bOPc\x1bxd").as_deref(), Some("abcd"));
        assert_eq!(typed("a\u{e9}\x08b".as_bytes()).as_deref(), Some("ab"));
        assert_eq!(typed(b"\x7f\x7f").as_deref(), Some(""));
        assert_eq!(typed(&[0xff]), None);
        assert_eq!(typed(&vec![b'x'; 2 * ROOM]).map(|it| it.len()), Some(ROOM));
        assert_eq!((shown(b' '), shown(b'~'), shown(0x80)), (" ", "~", ""));
    }
}
