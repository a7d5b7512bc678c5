//! The terminal: taken once, given back by one routine, whatever ends the program.
//!
//! Quit, panic, SIGTERM, SIGHUP and suspension all leave through [`leave`].

use std::io::{self, IsTerminal as _, Write};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use crossterm::terminal;
use ratatui::backend::{Backend as _, CrosstermBackend};
use ratatui::buffer::Buffer;
use ratatui::layout::{Rect, Size};

/// Whether the terminal is ours. Process-wide, because the terminal is, and because the panic hook has no other way.
static TAKEN: AtomicBool = AtomicBool::new(false);
/// What other threads said while they panicked; shown when the screen is the user's again.
static LAST_WORDS: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Alternate screen, cursor off, bracketed paste on.
const ENTER: &str = "\x1b[?1049h\x1b[?25l\x1b[?2004h";
/// Synchronized update off, mouse modes off, paste off, attributes off, cursor on, main screen.
const LEAVE: &str =
    "\x1b[?2026l\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?2004l\x1b[0m\x1b[?25h\x1b[?1049l";
/// A terminal that knows mode 2026 shows a frame at once; others ignore it.
const SYNC_ON: &[u8] = b"\x1b[?2026h";
const SYNC_OFF: &[u8] = b"\x1b[?2026l";

/// The terminal while it is ours; gives it back when dropped.
pub struct Screen {
    /// What the terminal shows.
    shown: Buffer,
    /// Bytes of the frame under way, written in one go.
    out: Vec<u8>,
    repaint: bool,
}

impl Screen {
    /// Takes the terminal and installs the panic hook.
    ///
    /// # Errors
    /// Where input or output is no terminal, or it refuses raw mode.
    pub fn take() -> io::Result<Self> {
        if !io::stdin().is_terminal() || !io::stdout().is_terminal() {
            return Err(io::Error::new(
                io::ErrorKind::Unsupported,
                "the dashboard needs a terminal on input and output\nnext: stakeout scan",
            ));
        }
        install_hook();
        enter()?;
        Ok(Self {
            shown: Buffer::empty(Rect::default()),
            out: Vec::new(),
            repaint: true,
        })
    }

    /// The size now.
    ///
    /// # Errors
    /// As asking the terminal does.
    pub fn size() -> io::Result<Size> {
        let (width, height) = terminal::size()?;
        Ok(Size::new(width, height))
    }

    /// Takes the terminal again after a suspension; the next frame is painted whole.
    ///
    /// # Errors
    /// As entering does.
    pub fn resume(&mut self) -> io::Result<()> {
        self.repaint = true;
        enter()
    }

    /// Makes the next frame a whole one.
    pub fn repaint(&mut self) {
        self.repaint = true;
    }

    /// Brings the terminal from what it shows to `next`; writes nothing where nothing differs.
    ///
    /// # Errors
    /// As writing does.
    pub fn show(&mut self, next: Buffer) -> io::Result<()> {
        let whole = self.repaint || self.shown.area != next.area;
        self.out.clear();
        if whole {
            self.shown = Buffer::empty(next.area);
        }
        let changes = self.shown.diff(&next);
        if changes.is_empty() && !whole {
            return Ok(());
        }
        self.out.extend_from_slice(SYNC_ON);
        if whole {
            self.out.extend_from_slice(b"\x1b[0m\x1b[2J");
        }
        CrosstermBackend::new(&mut self.out).draw(changes.into_iter())?;
        self.out.extend_from_slice(SYNC_OFF);
        self.write()?;
        self.shown = next;
        self.repaint = false;
        Ok(())
    }

    /// Sends an escape sequence that draws nothing, such as OSC 52.
    ///
    /// # Errors
    /// As writing does.
    pub fn send(&mut self, sequence: &str) -> io::Result<()> {
        self.out.clear();
        self.out.extend_from_slice(sequence.as_bytes());
        self.write()
    }

    fn write(&mut self) -> io::Result<()> {
        let mut stdout = io::stdout().lock();
        stdout.write_all(&self.out)?;
        stdout.flush()
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        leave();
    }
}

fn enter() -> io::Result<()> {
    TAKEN.store(true, Ordering::SeqCst);
    let entered = terminal::enable_raw_mode().and_then(|()| {
        let mut stdout = io::stdout().lock();
        stdout.write_all(ENTER.as_bytes())?;
        stdout.flush()
    });
    if entered.is_err() {
        leave();
    }
    entered
}

/// Gives the terminal back: once, however often it is called. Errors are ignored: it may be gone.
pub fn leave() {
    if !TAKEN.swap(false, Ordering::SeqCst) {
        return;
    }
    let mut stdout = io::stdout().lock();
    let _ = stdout.write_all(LEAVE.as_bytes());
    let _ = stdout.flush();
    let _ = terminal::disable_raw_mode();
    let mut stderr = io::stderr().lock();
    for words in LAST_WORDS
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
        .drain(..)
    {
        let _ = writeln!(stderr, "{words}");
    }
}

/// A panic of the dashboard's own thread gives the terminal back before it is reported; one of another thread is
/// kept until then, so that it does not paint over the screen.
fn install_hook() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    let owner = std::thread::current().id();
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if std::thread::current().id() != owner && TAKEN.load(Ordering::SeqCst) {
                let mut words = LAST_WORDS
                    .lock()
                    .unwrap_or_else(std::sync::PoisonError::into_inner);
                if words.len() < 20 {
                    words.push(panic.to_string());
                }
                return;
            }
            leave();
            before(panic);
        }));
    });
}
