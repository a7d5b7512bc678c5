//! Keys: what is pressed to what is meant. Each pane lists its bindings; key bar, help and documents come from them.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// What a key means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    Up,
    Down,
    PageUp,
    PageDown,
    Top,
    Bottom,
    Open,
    Back,
    Last,
    HistoryBack,
    HistoryForward,
    Filter,
    Palette,
    Help,
    Problems,
    SortName,
    SortAge,
    SortSeverity,
    SortNext,
    Pivot,
    Log,
    Ssh,
    Copy,
    CopyAll,
    Raw,
    NodeOf,
    Next,
    Previous,
    Recollect,
    RecollectAll,
    Zoom,
    Follow,
    Level,
    ReadOnly,
    Redraw,
    Suspend,
    Interrupt,
    /// Ask whether to trust the host key.
    Trust,
    Confirm,
    /// Accept the risk of a finding.
    Accept,
    /// The next view of the same node, the one before.
    NextView,
    PreviousView,
}

/// Keys, their meaning, and what to say of it.
#[derive(Clone, Copy, Debug)]
pub struct Binding {
    /// Separated by spaces: `j Down`, `S-Tab`, `ctrl-z`.
    pub keys: &'static str,
    pub action: Action,
    /// For the key bar; empty where it does not stand there.
    pub bar: &'static str,
    /// For the help page.
    pub help: &'static str,
}

/// A binding without a place in the key bar.
pub const fn quiet(keys: &'static str, action: Action, help: &'static str) -> Binding {
    Binding {
        keys,
        action,
        bar: "",
        help,
    }
}

/// A binding that the key bar shows.
pub const fn shown(
    keys: &'static str,
    action: Action,
    bar: &'static str,
    help: &'static str,
) -> Binding {
    Binding {
        keys,
        action,
        bar,
        help,
    }
}

/// What works in every pane; a pane's own binding of the same key comes first.
pub const EVERYWHERE: &[Binding] = &[
    quiet("j Down", Action::Down, "down"),
    quiet("k Up", Action::Up, "up"),
    quiet("PgDn", Action::PageDown, "page down"),
    quiet("PgUp", Action::PageUp, "page up"),
    quiet("g Home", Action::Top, "first"),
    quiet("G End", Action::Bottom, "last"),
    quiet("Enter Right", Action::Open, "open"),
    quiet("Esc q Left", Action::Back, "back; Esc clears a filter"),
    quiet("-", Action::Last, "last view"),
    quiet("[", Action::HistoryBack, "history back"),
    quiet("]", Action::HistoryForward, "history forward"),
    quiet("?", Action::Help, "keys of this view"),
    quiet(":", Action::Palette, "command"),
    quiet(
        "/",
        Action::Filter,
        "filter: word -word sev>=high role=cp state=failed",
    ),
    quiet("z", Action::Zoom, "zoom without frame"),
    quiet("R", Action::RecollectAll, "collect all nodes again"),
    quiet("ctrl-z", Action::Suspend, "suspend; fg comes back"),
    quiet("ctrl-l", Action::Redraw, "draw again"),
    quiet("ctrl-c", Action::Interrupt, "cancel; twice quits"),
    quiet(
        "ctrl-d ctrl-k",
        Action::ReadOnly,
        "nothing: stakeout is read-only",
    ),
];

/// A key with its modifiers, Shift folded into the letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chord {
    code: KeyCode,
    ctrl: bool,
    alt: bool,
}

impl Chord {
    pub fn of(event: KeyEvent) -> Self {
        let code = match event.code {
            KeyCode::Tab if event.modifiers.contains(KeyModifiers::SHIFT) => KeyCode::BackTab,
            code => code,
        };
        Self {
            code,
            ctrl: event.modifiers.contains(KeyModifiers::CONTROL),
            alt: event.modifiers.contains(KeyModifiers::ALT),
        }
    }

    /// From its name in a binding; `None` for a name that is none.
    pub fn parse(name: &str) -> Option<Self> {
        let (ctrl, rest) = match name.strip_prefix("ctrl-") {
            Some(rest) if !rest.is_empty() => (true, rest),
            _ => (false, name),
        };
        let mut letters = rest.chars();
        let code = match (letters.next(), letters.next()) {
            (Some(letter), None) => KeyCode::Char(letter),
            _ => match rest {
                "Enter" => KeyCode::Enter,
                "Esc" => KeyCode::Esc,
                "Tab" => KeyCode::Tab,
                "S-Tab" => KeyCode::BackTab,
                "Space" => KeyCode::Char(' '),
                "Backspace" => KeyCode::Backspace,
                "Up" => KeyCode::Up,
                "Down" => KeyCode::Down,
                "Left" => KeyCode::Left,
                "Right" => KeyCode::Right,
                "PgUp" => KeyCode::PageUp,
                "PgDn" => KeyCode::PageDown,
                "Home" => KeyCode::Home,
                "End" => KeyCode::End,
                _ => return None,
            },
        };
        Some(Self {
            code,
            ctrl,
            alt: false,
        })
    }

    /// The event that the terminal would send.
    pub fn event(self) -> KeyEvent {
        let modifiers = if self.ctrl {
            KeyModifiers::CONTROL
        } else {
            KeyModifiers::NONE
        };
        KeyEvent::new(self.code, modifiers)
    }
}

/// The meaning of a key in a pane with these bindings.
pub fn resolve(event: KeyEvent, own: &[Binding]) -> Option<Action> {
    let pressed = Chord::of(event);
    own.iter()
        .chain(EVERYWHERE)
        .find(|binding| {
            binding
                .keys
                .split(' ')
                .any(|name| Chord::parse(name) == Some(pressed))
        })
        .map(|binding| binding.action)
}

/// Events from a string such as `jj/perm<Enter><ctrl-z>`, for tests and for `stakeout open`.
///
/// # Errors
/// The name between `<` and `>` that is no key.
pub fn events(typed: &str) -> Result<Vec<KeyEvent>, String> {
    let mut out = Vec::new();
    let mut rest = typed;
    while let Some(letter) = rest.chars().next() {
        let close = rest.find('>').filter(|_| letter == '<');
        let (name, len) = match close {
            Some(close) if close > 1 => (&rest[1..close], close + 1),
            _ => (&rest[..letter.len_utf8()], letter.len_utf8()),
        };
        let chord = if name == " " {
            Chord::parse("Space")
        } else {
            Chord::parse(name)
        };
        out.push(chord.ok_or_else(|| format!("no key {name}"))?.event());
        rest = &rest[len..];
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_a_key() {
        for binding in EVERYWHERE {
            for name in binding.keys.split(' ') {
                assert!(Chord::parse(name).is_some(), "{name}");
            }
        }
    }

    #[test]
    fn shift_is_in_the_letter() {
        let event = KeyEvent::new(KeyCode::Char('G'), KeyModifiers::SHIFT);
        assert_eq!(resolve(event, &[]), Some(Action::Bottom));
        let back = KeyEvent::new(KeyCode::Tab, KeyModifiers::SHIFT);
        assert_eq!(Chord::of(back), Chord::parse("S-Tab").expect("a name"));
    }

    #[test]
    fn strings_become_events() {
        let typed = events("a<Enter><ctrl-c>><").expect("names are right");
        let codes: Vec<_> = typed.iter().map(|event| event.code).collect();
        assert_eq!(
            codes,
            [
                KeyCode::Char('a'),
                KeyCode::Enter,
                KeyCode::Char('c'),
                KeyCode::Char('>'),
                KeyCode::Char('<'),
            ]
        );
    }
}
