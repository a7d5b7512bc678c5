//! Themes: semantic tokens to styles. Reads `themes/*.yaml`; never looks at the terminal.

mod colour;
mod file;

use ratatui::style::{Color, Modifier, Style};

pub use colour::contrast;
use file::{Parts, ThemeFile};

use crate::model::verdict::{Severity, Verdict};

/// The themes of the binary: name and YAML.
pub const BUILT_IN: &[(&str, &str)] = &[
    ("mono", include_str!("../../../themes/mono.yaml")),
    ("terminal", include_str!("../../../themes/terminal.yaml")),
];

/// What the terminal can show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tier {
    Mono,
    /// The sixteen named colours.
    Ansi,
    Rgb,
}

/// What a cell means. A theme gives each a style; what it leaves out comes from the token before the last dot,
/// at last from `text`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Token {
    Text,
    Muted,
    Accent,
    Border,
    BorderFocus,
    Title,
    Header,
    Cursor,
    Mark,
    Match,
    Link,
    Key,
    Prompt,
    SevCritical,
    SevHigh,
    SevMedium,
    SevLow,
    SevUnknown,
    VerdictPass,
    VerdictFail,
    VerdictManual,
    VerdictAccepted,
    StateQueued,
    StateRunning,
    StateOk,
    StateFailed,
    StateStale,
    SrcAgree,
    SrcDisagree,
    DiffAdd,
    DiffDel,
    ToastInfo,
    ToastWarn,
    ToastError,
}

/// Every token by its name in a theme file, in the order of the enum.
pub const TOKENS: [(Token, &str); 34] = [
    (Token::Text, "text"),
    (Token::Muted, "muted"),
    (Token::Accent, "accent"),
    (Token::Border, "border"),
    (Token::BorderFocus, "border.focus"),
    (Token::Title, "title"),
    (Token::Header, "header"),
    (Token::Cursor, "cursor"),
    (Token::Mark, "mark"),
    (Token::Match, "match"),
    (Token::Link, "link"),
    (Token::Key, "key"),
    (Token::Prompt, "prompt"),
    (Token::SevCritical, "sev.critical"),
    (Token::SevHigh, "sev.high"),
    (Token::SevMedium, "sev.medium"),
    (Token::SevLow, "sev.low"),
    (Token::SevUnknown, "sev.unknown"),
    (Token::VerdictPass, "verdict.pass"),
    (Token::VerdictFail, "verdict.fail"),
    (Token::VerdictManual, "verdict.manual"),
    (Token::VerdictAccepted, "verdict.accepted"),
    (Token::StateQueued, "state.queued"),
    (Token::StateRunning, "state.running"),
    (Token::StateOk, "state.ok"),
    (Token::StateFailed, "state.failed"),
    (Token::StateStale, "state.stale"),
    (Token::SrcAgree, "src.agree"),
    (Token::SrcDisagree, "src.disagree"),
    (Token::DiffAdd, "diff.add"),
    (Token::DiffDel, "diff.del"),
    (Token::ToastInfo, "toast.info"),
    (Token::ToastWarn, "toast.warn"),
    (Token::ToastError, "toast.error"),
];

impl Token {
    /// The chip of a severity.
    pub fn severity(severity: Severity) -> Self {
        match severity {
            Severity::Critical => Self::SevCritical,
            Severity::High => Self::SevHigh,
            Severity::Medium => Self::SevMedium,
            Severity::Low => Self::SevLow,
            Severity::Info => Self::Text,
        }
    }

    /// The badge of a verdict.
    pub fn verdict(verdict: &Verdict) -> Self {
        match verdict.badge() {
            "PASS" => Self::VerdictPass,
            "FAIL" => Self::VerdictFail,
            "MANUAL" => Self::VerdictManual,
            "UNKNOWN" => Self::SevUnknown,
            _ => Self::Muted,
        }
    }
}

/// A theme with every token resolved for one tier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Theme {
    pub name: String,
    styles: [Style; TOKENS.len()],
}

impl Theme {
    /// A built-in theme by name.
    ///
    /// # Errors
    /// Names the themes that exist.
    pub fn built_in(name: &str, tier: Tier) -> Result<Self, String> {
        Self::load(name, tier, &|wanted| {
            BUILT_IN
                .iter()
                .find(|(known, _)| *known == wanted)
                .map(|(_, yaml)| (*yaml).to_owned())
        })
    }

    /// A theme by name, with `read` as the source of the YAML of each name in its `inherits` chain.
    ///
    /// # Errors
    /// An unknown theme, YAML that is not a theme, a chain that comes back to itself, a colour that is none.
    pub fn load(
        name: &str,
        tier: Tier,
        read: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, String> {
        let chain = chain(name, read)?;
        let mut styles = [Style::default(); TOKENS.len()];
        for (slot, (_, token)) in styles.iter_mut().zip(TOKENS) {
            *slot = resolve(&chain, token, tier)?;
        }
        Ok(Self {
            name: name.to_owned(),
            styles,
        })
    }

    pub fn style(&self, token: Token) -> Style {
        self.styles[token as usize]
    }

    /// Tokens whose text cannot be read well enough on their background by the values of xterm, as messages.
    ///
    /// A token without a background of its own is measured on black and on white, as the terminal may be either;
    /// one of the two suffices for a named colour, since its user chose both.
    pub fn illegible(&self) -> Vec<String> {
        let mut out = Vec::new();
        for (token, name) in TOKENS {
            let style = self.style(token);
            let (fg, bg) = (
                style.fg.unwrap_or(Color::Reset),
                style.bg.unwrap_or(Color::Reset),
            );
            let quiet = matches!(token, Token::Muted | Token::Border | Token::StateQueued);
            let found = match (fg, bg) {
                (Color::Reset, Color::Reset) => continue,
                (fg, Color::Reset) => {
                    contrast(fg, Color::Black).max(contrast(fg, Color::Rgb(255, 255, 255)))
                }
                (fg, bg) => contrast(fg, bg),
            };
            let wanted = if quiet { 3.0 } else { 4.5 };
            if found < wanted {
                out.push(format!("{name}: contrast {found:.1}, want {wanted:.1}"));
            }
        }
        out
    }
}

/// The files from `name` to the root of its `inherits`.
fn chain(name: &str, read: &dyn Fn(&str) -> Option<String>) -> Result<Vec<ThemeFile>, String> {
    let mut out: Vec<ThemeFile> = Vec::new();
    let mut seen: Vec<String> = Vec::new();
    let mut next = Some(name.to_owned());
    while let Some(wanted) = next.take() {
        if seen.contains(&wanted) {
            return Err(format!(
                "theme {name} inherits in a circle: {} -> {wanted}",
                seen.join(" -> ")
            ));
        }
        let known = || {
            let names: Vec<_> = BUILT_IN.iter().map(|(name, _)| *name).collect();
            format!("no theme {wanted}; themes are: {}", names.join(", "))
        };
        let file = ThemeFile::parse(&wanted, &read(&wanted).ok_or_else(known)?)?;
        next.clone_from(&file.inherits);
        seen.push(wanted);
        out.push(file);
    }
    Ok(out)
}

/// The style of a token: the longest prefix that any file of the chain has, the nearest file first.
fn resolve(chain: &[ThemeFile], token: &str, tier: Tier) -> Result<Style, String> {
    let mut name = token;
    loop {
        for (depth, file) in chain.iter().enumerate() {
            if let Some(spec) = file.tokens.get(name) {
                let parts = spec.parts(tier);
                return style(&parts, &chain[depth..], tier)
                    .map_err(|error| format!("theme {}, token {name}: {error}", file.name));
            }
        }
        match name.rfind('.') {
            Some(dot) => name = &name[..dot],
            None if name == "text" => return Ok(Style::default()),
            None => name = "text",
        }
    }
}

fn style(parts: &Parts, chain: &[ThemeFile], tier: Tier) -> Result<Style, String> {
    let mut style = Style::default();
    for word in &parts.mods {
        style = style.add_modifier(match word.as_str() {
            "bold" => Modifier::BOLD,
            "reverse" => Modifier::REVERSED,
            "underline" => Modifier::UNDERLINED,
            "italic" => Modifier::ITALIC,
            "dim" => Modifier::DIM,
            other => return Err(format!("no modifier {other}")),
        });
    }
    if tier == Tier::Mono {
        return Ok(style);
    }
    let named = |word: &str| -> Result<Color, String> {
        let found = chain.iter().find_map(|file| file.palette.get(word));
        let colour = colour::parse(found.map_or(word, String::as_str))?;
        Ok(match (tier, colour) {
            (Tier::Ansi, Color::Rgb(..)) => colour::nearest(colour),
            _ => colour,
        })
    };
    let bg = parts.bg.as_deref().map(named).transpose()?;
    if let Some(bg) = bg.filter(|bg| *bg != Color::Reset) {
        style = style.bg(bg);
    }
    match parts.fg.as_deref() {
        Some("auto") => style = style.fg(colour::readable_on(bg.unwrap_or(Color::Reset))),
        Some(word) => style = style.fg(named(word)?),
        None => {}
    }
    Ok(style)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_stand_in_the_order_of_the_enum() {
        for (index, (token, name)) in TOKENS.iter().enumerate() {
            assert_eq!(*token as usize, index, "{name}");
        }
    }

    #[test]
    fn every_built_in_theme_can_be_read() {
        for (name, _) in BUILT_IN {
            for tier in [Tier::Mono, Tier::Ansi, Tier::Rgb] {
                let theme = Theme::built_in(name, tier).expect("a built-in theme loads");
                assert_eq!(theme.illegible(), Vec::<String>::new(), "{name} {tier:?}");
            }
        }
    }

    #[test]
    fn mono_has_no_colour_and_keeps_the_cursor() {
        for name in ["mono", "terminal"] {
            let theme = Theme::built_in(name, Tier::Mono).expect("a built-in theme loads");
            for (token, word) in TOKENS {
                let style = theme.style(token);
                assert_eq!((style.fg, style.bg), (None, None), "{name} {word}");
            }
            let cursor = theme.style(Token::Cursor);
            assert!(cursor.add_modifier.contains(Modifier::REVERSED));
        }
    }

    #[test]
    fn prefixes_inheritance_and_palette() {
        let read = |name: &str| {
            Some(
                match name {
                    "child" => {
                        "{name: child, inherits: base, palette: {red: \"#ff0000\"}, tokens: {sev: {fg: auto, bg: red}}}"
                    }
                    "base" => {
                        "{name: base, palette: {red: \"#800000\"}, tokens: {text: {fg: green}, sev.low: {fg: red}}}"
                    }
                    _ => return None,
                }
                .to_owned(),
            )
        };
        let theme = Theme::load("child", Tier::Rgb, &read).expect("the chain is sound");
        // The longest prefix wins, wherever in the chain it stands; a file sees its own palette first.
        assert_eq!(theme.style(Token::SevLow).fg, Some(Color::Rgb(0x80, 0, 0)));
        assert_eq!(theme.style(Token::SevHigh).bg, Some(Color::Rgb(255, 0, 0)));
        assert_eq!(theme.style(Token::SevHigh).fg, Some(Color::Black));
        assert_eq!(theme.style(Token::Title).fg, Some(Color::Green));
        let ansi = Theme::load("child", Tier::Ansi, &read).expect("the chain is sound");
        assert_eq!(ansi.style(Token::SevHigh).bg, Some(Color::LightRed));
    }

    #[test]
    fn errors_name_theme_and_token() {
        let circle = |name: &str| {
            let other = if name == "a" { "b" } else { "a" };
            Some(format!("{{name: {name}, inherits: {other}, tokens: {{}}}}"))
        };
        for (read, wanted) in [
            (
                &circle as &dyn Fn(&str) -> Option<String>,
                "theme a inherits in a circle: a -> b -> a",
            ),
            (&|_| None, "no theme a; themes are: mono, terminal"),
            (
                &|_| Some("{name: a, tokens: {title: {fg: pinkish}}}".to_owned()),
                "theme a, token title: no colour pinkish",
            ),
        ] {
            assert_eq!(Theme::load("a", Tier::Ansi, read), Err(wanted.to_owned()));
        }
    }
}
