//! Text that is safe to draw: the only way by which bytes of a node or of the API reach a screen.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A string without control, bidirectional or invisible characters.
///
/// What was replaced is shown as `\x1b`, `\u{202e}` or (invalid UTF-8) `\xff`, so a reader sees that
/// something was there. [`Text::is_exact`] tells whether the shown text equals the original: only then
/// may it go into a command that is copied.
///
/// ```
/// use stakeout::model::text::Text;
/// assert_eq!(Text::new("a\u{1b}[2Jb").as_str(), r"a\x1b[2Jb");
/// assert!(Text::new("/etc/kubernetes").is_exact());
/// assert!(!Text::new("a\nb").is_exact());
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Text(
    /// What is shown, and [`MARK`] behind it where it was altered: models hold a great many texts. The mark sorts
    /// before every character of a text, so an altered one comes right behind an exact one that looks the same.
    Box<str>,
);

/// Never part of what is shown.
const MARK: char = '\0';

impl Text {
    /// One line: line breaks and tabs are made visible too.
    pub fn new(raw: &str) -> Self {
        Self::clean(raw, |_| false)
    }

    /// Several lines: `\n` stays, a tab becomes two spaces, everything else as in [`Text::new`].
    pub fn block(raw: &str) -> Self {
        let raw = raw.replace("\r\n", "\n").replace('\t', "  ");
        Self::clean(&raw, |c| c == '\n')
    }

    /// One line from bytes that may not be UTF-8; invalid bytes are shown as `\xNN`.
    pub fn from_bytes(raw: &[u8]) -> Self {
        Self::decode(raw, Self::new)
    }

    /// Several lines from bytes that may not be UTF-8.
    pub fn block_from_bytes(raw: &[u8]) -> Self {
        Self::decode(raw, Self::block)
    }

    /// The text, ready for a terminal cell.
    pub fn as_str(&self) -> &str {
        self.0.strip_suffix(MARK).unwrap_or(&self.0)
    }

    /// Whether nothing had to be replaced.
    pub fn is_exact(&self) -> bool {
        !self.0.ends_with(MARK)
    }

    pub fn is_empty(&self) -> bool {
        self.as_str().is_empty()
    }

    /// What was a text before it was stored in another form.
    pub(super) fn restored(shown: &str, altered: bool) -> Self {
        let text = Self::clean(shown, |c| c == '\n');
        if altered { text.marked() } else { text }
    }

    /// The same text as one that was altered.
    fn marked(self) -> Self {
        if !self.is_exact() {
            return self;
        }
        let mut shown = String::from(self.0);
        shown.push(MARK);
        Self(shown.into())
    }

    fn clean(raw: &str, keep: impl Fn(char) -> bool) -> Self {
        if raw.chars().all(|c| keep(c) || !is_hostile(c)) {
            return Self(raw.into());
        }
        let mut shown = String::with_capacity(raw.len() + 8);
        for c in raw.chars() {
            match c {
                c if keep(c) || !is_hostile(c) => shown.push(c),
                '\n' => shown.push_str(r"\n"),
                '\t' => shown.push_str(r"\t"),
                '\r' => shown.push_str(r"\r"),
                c if u32::from(c) < 0x100 => shown.push_str(&format!("\\x{:02x}", u32::from(c))),
                c => shown.push_str(&format!("\\u{{{:x}}}", u32::from(c))),
            }
        }
        shown.push(MARK);
        Self(shown.into())
    }

    fn decode(raw: &[u8], make: impl Fn(&str) -> Self) -> Self {
        if let Ok(text) = std::str::from_utf8(raw) {
            return make(text);
        }
        let mut out = String::with_capacity(raw.len());
        for chunk in raw.utf8_chunks() {
            out.push_str(chunk.valid());
            for byte in chunk.invalid() {
                out.push_str(&format!("\\x{byte:02x}"));
            }
        }
        make(&out).marked()
    }
}

/// Whether a character can move the cursor, change the direction or hide.
fn is_hostile(c: char) -> bool {
    c.is_control()
        || matches!(u32::from(c),
            0xAD | 0x61C | 0x180E | 0x200B..=0x200F | 0x2028..=0x202E | 0x2060..=0x206F | 0xFEFF
            | 0xFFF9..=0xFFFB | 0x1_D173..=0x1_D17A | 0xE_0000..=0xE_0FFF)
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

impl From<&str> for Text {
    fn from(raw: &str) -> Self {
        Self::new(raw)
    }
}

impl From<String> for Text {
    fn from(raw: String) -> Self {
        Self::new(&raw)
    }
}

impl From<&String> for Text {
    fn from(raw: &String) -> Self {
        Self::new(raw)
    }
}

impl PartialEq<str> for Text {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}

impl PartialEq<&str> for Text {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == *other
    }
}

impl AsRef<str> for Text {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl std::borrow::Borrow<str> for Text {
    /// For look-ups by string in maps keyed by text; sound because an altered text always holds a backslash escape.
    fn borrow(&self) -> &str {
        self.as_str()
    }
}

/// On disk: a string where nothing was altered, `{"altered": "..."}` otherwise.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum OnDisk {
    Exact(String),
    Altered { altered: String },
}

impl Serialize for Text {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.is_exact() {
            serializer.serialize_str(self.as_str())
        } else {
            OnDisk::Altered {
                altered: self.to_string(),
            }
            .serialize(serializer)
        }
    }
}

impl<'de> Deserialize<'de> for Text {
    /// Cleans again: a snapshot file is as hostile as a node.
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(match OnDisk::deserialize(deserializer)? {
            OnDisk::Exact(raw) => Self::restored(&raw, false),
            OnDisk::Altered { altered } => Self::restored(&altered, true),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_characters_are_made_visible() {
        for (raw, shown) in [
            ("\u{1b}]52;c;aGk=\u{7}", r"\x1b]52;c;aGk=\x07"),
            ("\u{202e}evil", r"\u{202e}evil"),
            ("a\tb\nc\rd", r"a\tb\nc\rd"),
            ("\u{9b}31m", r"\x9b31m"),
            ("zero\u{200b}width", r"zero\u{200b}width"),
        ] {
            let text = Text::new(raw);
            assert_eq!(text.as_str(), shown);
            assert!(!text.is_exact());
        }
    }

    #[test]
    fn bytes_survive_as_escapes() {
        let text = Text::from_bytes(b"ok\xff\xfe\x00");
        assert_eq!(text.as_str(), r"ok\xff\xfe\x00");
        assert!(!text.is_exact());
    }

    #[test]
    fn a_block_keeps_its_lines() {
        let text = Text::block("a:\r\n\tb\n");
        assert_eq!(text.as_str(), "a:\n  b\n");
        assert!(text.is_exact());
    }

    #[test]
    fn order_is_that_of_what_is_shown() {
        let altered = |shown: &str| Text::restored(shown, true);
        let sorted = [
            Text::new(""),
            altered(""),
            Text::new("a"),
            Text::block("a\n"),
            Text::new("a!"),
            Text::new(r"a\x1b"),
            Text::new("a\u{1b}"),
            Text::new(r"a\x1bb"),
        ];
        assert!(sorted.is_sorted_by(|a, b| a < b), "{sorted:?}");
        assert!(altered("").is_empty() && !altered("").is_exact());
        assert!(!Text::new("a\0").as_str().contains('\0'));
        assert_eq!(size_of::<Option<Text>>(), 16);
    }

    #[test]
    fn disk_round_trip_keeps_the_mark() {
        for text in [
            Text::new("plain"),
            Text::new("a\u{1b}b"),
            Text::block("a\nb"),
        ] {
            let json = serde_json::to_string(&text).expect("text always serialises");
            assert_eq!(
                serde_json::from_str::<Text>(&json).expect("own output parses"),
                text
            );
        }
    }
}
