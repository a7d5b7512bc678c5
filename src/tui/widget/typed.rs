//! A line of text that a person types: the same keys everywhere, clean and of a bounded length. Secrets never come
//! here.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use crate::model::text::Text;

/// Characters that a line takes.
const LIMIT: usize = 200;

/// What was typed so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Typed(String);

impl From<String> for Typed {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl Typed {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Types or takes away; false where the key does neither.
    pub fn key(&mut self, event: KeyEvent) -> bool {
        let ctrl = event.modifiers.contains(KeyModifiers::CONTROL);
        let alt = event.modifiers.contains(KeyModifiers::ALT);
        match event.code {
            KeyCode::Char('u') if ctrl => self.0.clear(),
            KeyCode::Char('w') if ctrl => {
                let kept = self.0.trim_end().rfind(' ').map_or(0, |at| at + 1);
                self.0.truncate(kept);
            }
            KeyCode::Char('h') if ctrl => {
                self.0.pop();
            }
            KeyCode::Backspace => {
                self.0.pop();
            }
            KeyCode::Char(c) if !ctrl && !alt => self.push(c.encode_utf8(&mut [0; 4])),
            _ => return false,
        }
        true
    }

    /// A paste is text, never a command: line breaks become blanks.
    pub fn paste(&mut self, text: &str) {
        self.push(&text.replace(['\n', '\r', '\t'], " "));
    }

    fn push(&mut self, text: &str) {
        let clean = Text::new(text);
        let room = LIMIT.saturating_sub(self.0.chars().count());
        self.0.extend(clean.as_str().chars().take(room));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_edited_cleaned_and_bounded() {
        let mut line = Typed::from("one two ".to_owned());
        let ctrl = |c| KeyEvent::new(KeyCode::Char(c), KeyModifiers::CONTROL);
        assert!(line.key(ctrl('w')));
        assert_eq!(line.as_str(), "one ");
        assert!(line.key(KeyEvent::from(KeyCode::Char('x'))) && line.key(ctrl('h')));
        line.paste("a\nb");
        assert_eq!(line.as_str(), "one a b");
        assert!(!line.key(ctrl('x')) && !line.key(KeyEvent::from(KeyCode::Enter)));
        line.paste(&"y".repeat(2 * LIMIT));
        assert_eq!(line.as_str().chars().count(), LIMIT);
        assert!(line.key(ctrl('u')) && line.as_str().is_empty());
    }
}
