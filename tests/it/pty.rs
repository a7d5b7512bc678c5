//! The dashboard on a real pseudo-terminal: what it shows, and in what state it leaves the terminal.
//!
//! The child is this test program itself, told by `STAKEOUT_PTY` to show the fleet of the frame tests.

mod accept;
mod login;

use std::io::{Read as _, Write};
use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use rustix::process::{Pid, Signal, kill_process};
use stakeout::model::text::Text;
use stakeout::tui::{self, Environment, Options};

use crate::frames::fleet::{self, Fleet};

/// How long anything may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// A program on a terminal of its own.
struct Terminal {
    master: Box<dyn MasterPty + Send>,
    keys: Box<dyn Write + Send>,
    child: Box<dyn Child + Send + Sync>,
    seen: Arc<Mutex<Seen>>,
    flags: u64,
}

struct Seen {
    parser: vt100::Parser,
    bytes: usize,
    raw: Vec<u8>,
}

fn size(width: u16, height: u16) -> PtySize {
    PtySize {
        rows: height,
        cols: width,
        pixel_width: 0,
        pixel_height: 0,
    }
}

impl Terminal {
    fn dashboard(mode: &str) -> Self {
        Self::start(dashboard(mode))
    }

    fn start(command: CommandBuilder) -> Self {
        let pair = native_pty_system()
            .openpty(size(80, 24))
            .expect("a pseudo-terminal");
        let flags = local_flags(&*pair.master);
        let child = pair.slave.spawn_command(command).expect("the child starts");
        drop(pair.slave);
        let seen = Arc::new(Mutex::new(Seen {
            parser: vt100::Parser::new(24, 80, 0),
            bytes: 0,
            raw: Vec::new(),
        }));
        let mut reader = pair.master.try_clone_reader().expect("a reader");
        let feed = seen.clone();
        std::thread::spawn(move || {
            let mut buffer = [0; 8192];
            while let Ok(count) = reader.read(&mut buffer) {
                if count == 0 {
                    return;
                }
                let mut seen = feed.lock().expect("no panic while locked");
                seen.parser.process(&buffer[..count]);
                seen.bytes += count;
                seen.raw.extend_from_slice(&buffer[..count]);
            }
        });
        Self {
            keys: pair.master.take_writer().expect("a writer"),
            master: pair.master,
            child,
            seen,
            flags,
        }
    }

    fn text(&self) -> String {
        self.look(|seen| seen.parser.screen().contents())
    }

    fn look<T>(&self, with: impl FnOnce(&Seen) -> T) -> T {
        with(&self.seen.lock().expect("no panic while locked"))
    }

    /// Waits until the screen holds a text.
    #[track_caller]
    fn wait(&self, wanted: &str) {
        self.until(wanted, |seen| {
            seen.parser.screen().contents().contains(wanted)
        });
    }

    #[track_caller]
    fn until(&self, what: &str, holds: impl Fn(&Seen) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !self.look(&holds) {
            assert!(Instant::now() < deadline, "no {what} on:\n{}", self.text());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn press(&mut self, keys: &str) {
        self.keys
            .write_all(keys.as_bytes())
            .expect("the terminal takes keys");
    }

    fn kill(&self, signal: Signal) {
        let pid = self.child.process_id().expect("a process id");
        let pid = Pid::from_raw(i32::try_from(pid).expect("a small number")).expect("not zero");
        kill_process(pid, signal).expect("the child is ours");
    }

    #[track_caller]
    fn ended(&mut self) {
        let deadline = Instant::now() + PATIENCE;
        while self.child.try_wait().expect("the child is ours").is_none() {
            assert!(Instant::now() < deadline, "still runs:\n{}", self.text());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// The terminal is as it was before.
    #[track_caller]
    fn clean(&self) {
        self.until("clean terminal", |seen| {
            let screen = seen.parser.screen();
            !screen.alternate_screen()
                && !screen.hide_cursor()
                && !screen.bracketed_paste()
                && screen.mouse_protocol_mode() == vt100::MouseProtocolMode::None
        });
        let deadline = Instant::now() + PATIENCE;
        while local_flags(&*self.master) != self.flags {
            assert!(Instant::now() < deadline, "raw mode is still on");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn local_flags(master: &dyn MasterPty) -> u64 {
    let termios = master.get_termios().expect("a terminal has settings");
    u64::from(termios.local_flags.bits())
}

fn arguments() -> [&'static str; 5] {
    [
        "pty::child",
        "--exact",
        "--ignored",
        "--nocapture",
        "--test-threads=1",
    ]
}

/// This program in one of the modes of [`child`].
fn dashboard(mode: &str) -> CommandBuilder {
    let mut command = CommandBuilder::new(std::env::current_exe().expect("a path"));
    command.args(arguments());
    command.env_clear();
    command.env("STAKEOUT_PTY", mode);
    command.env("TERM", "xterm-256color");
    command
}

/// What runs on the other side.
#[test]
#[ignore = "the child of the other tests"]
fn child() {
    let Ok(mode) = std::env::var("STAKEOUT_PTY") else {
        return;
    };
    let mut options = Options::new(Text::new("prod-eu1"), Text::new("the API server"));
    options.registry = fleet::registry();
    options.now = Some(fleet::now());
    options.environment = Environment::read(&|name| std::env::var(name).ok());
    if mode == "panic" {
        let _screen = tui::term::Screen::take().expect("a terminal");
        panic!("on purpose");
    }
    let (views, receiver) = mpsc::channel();
    let (orders, _kept) = mpsc::channel();
    if mode == "show" {
        views
            .send(Fleet::mixed().judged())
            .expect("the dashboard listens");
    }
    if mode == "thread" {
        let views = views.clone();
        std::thread::spawn(move || {
            let fleet = Fleet::mixed().judged();
            let _ = views.send(fleet);
            panic!("in the background");
        });
    }
    let ended = tui::run(options, receiver, orders);
    println!("ended: {ended:?}");
}

#[test]
fn quit_gives_the_terminal_back() {
    let mut terminal = Terminal::dashboard("show");
    terminal.wait("> C cp-1");
    assert!(terminal.look(|seen| seen.parser.screen().alternate_screen()));
    terminal.press("q");
    terminal.wait("q again to quit");
    terminal.press("q");
    terminal.ended();
    terminal.wait("ended: Ok(())");
    terminal.clean();
}

#[test]
fn keys_reach_the_finding_and_copy_a_step() {
    let mut terminal = Terminal::dashboard("show");
    terminal.wait("> C cp-1");
    terminal.press("\rj\r");
    terminal.wait("FAIL HIGH");
    terminal.press("c");
    terminal.wait("copied step 1: chmod 600");
    // OSC 52 with the base64 of `chmod 600 /etc/...`.
    terminal.until("OSC 52", |seen| {
        let wanted = b"\x1b]52;c;Y2htb2QgNjAwIC9ldGMv";
        seen.raw
            .windows(wanted.len())
            .any(|window| window == wanted)
    });
}

#[test]
fn the_first_frame_needs_no_view() {
    let mut terminal = Terminal::dashboard("wait");
    terminal.wait("waiting for the API server");
    terminal.press("\x03");
    terminal.wait("ctrl-c again to quit");
    terminal.press("\x03");
    terminal.ended();
    terminal.clean();
}

#[test]
fn signals_give_the_terminal_back() {
    for (signal, name) in [(Signal::TERM, "SIGTERM"), (Signal::HUP, "SIGHUP")] {
        let mut terminal = Terminal::dashboard("show");
        terminal.wait("> C cp-1");
        terminal.kill(signal);
        terminal.ended();
        terminal.wait(&format!("ended by {name}"));
        terminal.clean();
    }
}

#[test]
fn a_terminal_that_goes_away_ends_it() {
    let pair = native_pty_system()
        .openpty(size(80, 24))
        .expect("a pseudo-terminal");
    let mut child = pair
        .slave
        .spawn_command(dashboard("show"))
        .expect("the child starts");
    drop(pair.slave);
    let mut reader = pair.master.try_clone_reader().expect("a reader");
    let mut parser = vt100::Parser::new(24, 80, 0);
    let mut buffer = [0; 8192];
    while !parser.screen().contents().contains("> C cp-1") {
        let count = reader.read(&mut buffer).expect("the child writes");
        parser.process(&buffer[..count]);
    }
    drop(reader);
    drop(pair.master);
    let deadline = Instant::now() + PATIENCE;
    while child.try_wait().expect("the child is ours").is_none() {
        assert!(Instant::now() < deadline, "it outlives its terminal");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_panic_gives_the_terminal_back() {
    let mut terminal = Terminal::dashboard("panic");
    terminal.ended();
    terminal.wait("on purpose");
    terminal.clean();
}

#[test]
fn a_panic_elsewhere_does_not_paint_over_the_screen() {
    let mut terminal = Terminal::dashboard("thread");
    terminal.wait("> C cp-1");
    terminal.press("j");
    terminal.wait("> h pool-b-06");
    assert!(
        !terminal.text().contains("in the background"),
        "{}",
        terminal.text()
    );
    terminal.press(":q\r");
    terminal.ended();
    terminal.wait("in the background");
    terminal.clean();
}

#[test]
fn a_resize_paints_anew() {
    let terminal = Terminal::dashboard("show");
    terminal.wait("> C cp-1");
    terminal
        .seen
        .lock()
        .expect("no panic while locked")
        .parser
        .screen_mut()
        .set_size(30, 120);
    terminal
        .master
        .resize(size(120, 30))
        .expect("a pseudo-terminal has a size");
    terminal.wait("-- findings of cp-1 ---");
    terminal.until("30 rows", |seen| {
        seen.parser.screen().contents().lines().count() == 30
    });
}

#[test]
fn bytes_keep_to_the_budget() {
    let mut terminal = Terminal::dashboard("show");
    terminal.wait("> C cp-1");
    let whole = |seen: &Seen| seen.raw.ends_with(b"\x1b[?2026l");
    terminal.until("whole frame", whole);
    let painted = terminal.look(|seen| seen.bytes);
    assert!(painted < 10_000, "two full paints took {painted} bytes");
    terminal.press("j");
    terminal.wait("> h pool-b-06");
    terminal.until("whole frame", whole);
    let moved = terminal.look(|seen| seen.bytes) - painted;
    assert!(moved < 900, "a cursor step took {moved} bytes");
    // Time stands still in this run: nothing may be written while nobody presses a key.
    let before = terminal.look(|seen| seen.bytes);
    std::thread::sleep(Duration::from_millis(400));
    assert_eq!(terminal.look(|seen| seen.bytes), before);
}

#[test]
fn no_color_keeps_the_cursor_visible() {
    let mut command = dashboard("show");
    command.env("NO_COLOR", "1");
    let terminal = Terminal::start(command);
    terminal.wait("> C cp-1");
    terminal.look(|seen| {
        let screen = seen.parser.screen();
        let row = (0..24).find(|row| {
            screen
                .cell(*row, 0)
                .is_some_and(|cell| cell.contents() == ">")
        });
        let row = row.expect("a cursor row");
        assert!(screen.cell(row, 10).is_some_and(vt100::Cell::inverse));
        for row in 0..24 {
            for column in 0..80 {
                let cell = screen.cell(row, column).expect("inside");
                assert_eq!(cell.fgcolor(), vt100::Color::Default);
                assert_eq!(cell.bgcolor(), vt100::Color::Default);
            }
        }
    });
}

#[test]
fn the_demo_runs_without_anything() {
    let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_stakeout"));
    command.arg("demo");
    command.env_clear();
    command.env("TERM", "xterm-256color");
    let mut terminal = Terminal::start(command);
    terminal.wait("ssh 40/47");
    terminal.press("\r\r");
    terminal.wait("FAIL CRITICAL");
    terminal.press(":q\r");
    terminal.ended();
    terminal.clean();
}

/// Suspension needs a shell with job control to come back to.
#[test]
fn suspend_gives_the_terminal_to_the_shell_and_takes_it_back() {
    let mut command = CommandBuilder::new("sh");
    command.arg("-i");
    command.env_clear();
    command.env("PS1", "READY> ");
    command.env("TERM", "xterm-256color");
    command.env("PATH", std::env::var("PATH").unwrap_or_default());
    let mut terminal = Terminal::start(command);
    terminal.wait("READY>");
    let program = std::env::current_exe().expect("a path");
    let line = format!(
        "clear; STAKEOUT_PTY=show '{}' {}\n",
        program.display(),
        arguments().join(" ")
    );
    terminal.press(&line);
    terminal.wait("> C cp-1");
    terminal.press("\x1a");
    terminal.wait("READY>");
    terminal.clean();
    terminal.press("fg\n");
    terminal.until("the dashboard again", |seen| {
        let screen = seen.parser.screen();
        screen.alternate_screen() && screen.contents().contains("> C cp-1")
    });
    terminal.press("j");
    terminal.wait("> h pool-b-06");
    terminal.press(":q\r");
    terminal.wait("ended: Ok(())");
    terminal.clean();
    terminal.press("exit\n");
    terminal.ended();
}
