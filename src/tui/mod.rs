//! The dashboard: shows judged views, gives orders. The loop here is the only place that runs an effect.
//!
//! Never lives here: a judgement, a request to API server or node, a file beyond what is copied.

pub mod app;
pub mod clipboard;
mod dialog;
mod drive;
mod form;
mod frame;
mod history;
pub mod keys;
mod palette;
mod pane;
mod prompt;
mod signals;
pub mod term;
pub mod theme;
mod way;
mod widget;
pub mod world;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender};

pub use pane::Address;

use crate::engine::Judged;
use crate::model::Timestamp;
use crate::model::link::Order;
use crate::model::policy::{File, Waiver};
use crate::model::text::Text;
use clipboard::Multiplexer;
use theme::{Theme, Tier};
use world::Registry;

/// Which colours to use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ColorMode {
    /// By the environment.
    #[default]
    Auto,
    Never,
    Ansi,
    Rgb,
}

/// Writes a waiver into the policy file, and says what that file says then; else why it could not.
pub type Accept = Arc<dyn Fn(&Waiver) -> Result<File, String> + Send + Sync>;

/// What the dashboard is told by command line and configuration.
#[derive(Clone)]
pub struct Options {
    /// Shown as the name of the cluster until it says its own.
    pub context: Text,
    /// What the first view is waited for from: `the API server of prod-eu1`, `snapshot demo.jsonl`.
    pub source: Text,
    /// A built-in theme; by default `terminal`, or `mono` where colours are off.
    pub theme: Option<String>,
    pub color: ColorMode,
    /// At most one frame a second.
    pub slow: bool,
    /// The time of a replay; none for the clock of this machine.
    pub now: Option<Timestamp>,
    /// The view to start with.
    pub start: Option<Address>,
    /// Where copied text is kept beside the clipboard.
    pub copies: Option<PathBuf>,
    /// Where commands are kept from one run to the next.
    pub history: Option<PathBuf>,
    /// None: no policy file is used.
    pub accept: Option<Accept>,
    pub environment: Environment,
    pub registry: Registry,
}

/// What the terminal says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Environment {
    /// `NO_COLOR` is set and not empty.
    pub no_color: bool,
    /// `COLORTERM` promises 24 bits.
    pub rgb: bool,
    pub multiplexer: Multiplexer,
    /// `SSH_TTY` is set: frames are fewer.
    pub remote: Remote,
    /// `TERM` is `dumb` or missing.
    pub dumb: Dumb,
}

/// Whether the terminal is at the end of an SSH connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Remote {
    #[default]
    No,
    Yes,
}

/// Whether the terminal can move its cursor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dumb {
    #[default]
    No,
    Yes,
}

impl Environment {
    /// From variables; `read` is the environment.
    pub fn read(read: &dyn Fn(&str) -> Option<String>) -> Self {
        let set = |name: &str| read(name).is_some_and(|value| !value.is_empty());
        let term = read("TERM").unwrap_or_default();
        Self {
            no_color: set("NO_COLOR"),
            rgb: read("COLORTERM").is_some_and(|value| value == "truecolor" || value == "24bit"),
            multiplexer: if set("TMUX") {
                Multiplexer::Tmux
            } else if set("STY") {
                Multiplexer::Screen
            } else {
                Multiplexer::None
            },
            remote: if set("SSH_TTY") {
                Remote::Yes
            } else {
                Remote::No
            },
            dumb: if term.is_empty() || term == "dumb" {
                Dumb::Yes
            } else {
                Dumb::No
            },
        }
    }
}

impl Options {
    /// The defaults for a cluster of that name.
    pub fn new(context: Text, source: Text) -> Self {
        Self {
            context,
            source,
            theme: None,
            color: ColorMode::Auto,
            slow: false,
            now: None,
            start: None,
            copies: None,
            history: None,
            accept: None,
            environment: Environment::default(),
            registry: Registry::built_in(),
        }
    }

    /// The tier of colours; a flag beats `NO_COLOR`.
    pub fn tier(&self) -> Tier {
        let auto = self.color == ColorMode::Auto;
        let asked_for = self.environment.no_color && self.theme.is_none();
        if self.color == ColorMode::Never || (auto && asked_for) {
            Tier::Mono
        } else if self.color == ColorMode::Rgb || (auto && self.environment.rgb) {
            Tier::Rgb
        } else {
            Tier::Ansi
        }
    }

    /// The theme that these options ask for.
    ///
    /// # Errors
    /// As [`Theme::built_in`].
    pub fn resolved(&self) -> Result<Theme, String> {
        let tier = self.tier();
        let by_default = if tier == Tier::Mono {
            "mono"
        } else {
            "terminal"
        };
        Theme::built_in(self.theme.as_deref().unwrap_or(by_default), tier)
    }
}

/// Shows the dashboard until the user quits; owns the terminal meanwhile.
///
/// The first frame is drawn before any view arrives. `views` may end: the last one stays on screen.
///
/// # Errors
/// Without a terminal, with an unknown theme, on errors of the terminal, and
/// [`io::ErrorKind::Interrupted`] where a signal ended it. The terminal is given back in every case.
pub fn run(
    options: Options,
    views: Receiver<Arc<Judged>>,
    orders: Sender<Order>,
) -> io::Result<()> {
    drive::run(options, views, orders)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(vars: &'static [(&'static str, &'static str)]) -> Options {
        let mut options = Options::new(Text::new("c"), Text::new("s"));
        options.environment = Environment::read(&|name| {
            vars.iter()
                .find(|(known, _)| *known == name)
                .map(|(_, value)| (*value).to_owned())
        });
        options
    }

    #[test]
    fn no_color_gives_mono_and_a_flag_beats_it() {
        let mut quiet = options(&[("NO_COLOR", "1"), ("TERM", "xterm"), ("COLORTERM", "24bit")]);
        assert_eq!(quiet.resolved().map(|theme| theme.name), Ok("mono".into()));
        quiet.theme = Some("terminal".to_owned());
        assert_eq!(quiet.tier(), Tier::Rgb);
        quiet.color = ColorMode::Never;
        assert_eq!(quiet.tier(), Tier::Mono);
        assert_eq!(options(&[("NO_COLOR", "")]).tier(), Tier::Ansi);
    }

    #[test]
    fn the_environment_is_read() {
        let inside = options(&[
            ("TMUX", "/x,1,0"),
            ("SSH_TTY", "/dev/pts/0"),
            ("TERM", "dumb"),
        ]);
        assert_eq!(inside.environment.multiplexer, Multiplexer::Tmux);
        assert_eq!(inside.environment.remote, Remote::Yes);
        assert_eq!(inside.environment.dumb, Dumb::Yes);
    }
}
