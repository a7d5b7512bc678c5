//! What a person types and nobody may see: wiped when the last holder lets go, and never printed, stored or sent
//! anywhere but to the login that asked for it.

use std::fmt;
use std::sync::Arc;

use zeroize::{Zeroize as _, Zeroizing};

/// A passphrase, a password, a code, or an opened private key. Clones share the one copy.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secret(Arc<Zeroizing<String>>);

impl Secret {
    /// Takes the text over without a copy.
    pub fn new(text: String) -> Self {
        Self(Arc::new(Zeroizing::new(text)))
    }

    /// The text itself, for whoever has to use it.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

/// A secret while it is typed. Its room is taken at once: a text that grows would leave copies behind.
pub struct Typing(Zeroizing<String>);

/// Bytes; longer than any passphrase that a person types.
const ROOM: usize = 1024;

impl Default for Typing {
    fn default() -> Self {
        Self(Zeroizing::new(String::with_capacity(ROOM)))
    }
}

impl Typing {
    /// Appends as far as there is room; control characters are no part of a secret.
    pub fn push(&mut self, text: &str) {
        for c in text.chars().filter(|c| !c.is_control()) {
            if self.0.len() + c.len_utf8() <= ROOM {
                self.0.push(c);
            }
        }
    }

    /// Takes the last character back.
    pub fn pop(&mut self) {
        self.0.pop();
    }

    /// Takes everything back.
    pub fn clear(&mut self) {
        self.0.zeroize();
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// For an answer that may be seen while it is typed.
    pub fn shown(&self) -> &str {
        &self.0
    }

    /// The finished secret; what is typed next starts empty.
    pub fn finish(&mut self) -> Secret {
        let typed = std::mem::take(self);
        Secret(Arc::new(typed.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_it_is_printed() {
        let secret = Secret::new("hunter2".to_owned());
        assert_eq!(
            format!("{secret:?} {:#?}", vec![&secret]),
            "Secret [\n    Secret,\n]"
        );
        assert_eq!(secret.reveal(), "hunter2");
    }

    #[test]
    fn typing_has_bounds_and_takes_text_only() {
        let mut typing = Typing::default();
        typing.push("a\u{1b}b\u{e9}\n");
        typing.pop();
        assert_eq!(typing.shown(), "ab");
        typing.push(&"x".repeat(2 * ROOM));
        assert_eq!(typing.shown().len(), ROOM);
        typing.clear();
        typing.push("c");
        assert_eq!(typing.finish().reveal(), "c");
        assert!(typing.is_empty());
    }
}
