//! Secrets are masked before anything is stored, and cannot be unmasked.

/// Masks with a key that lives as long as one run: equal secrets give equal masks.
pub struct Masker {
    key: [u8; 32],
}

impl Masker {
    /// `key`: random, made once per run, never stored.
    pub fn new(key: [u8; 32]) -> Self {
        Self { key }
    }

    /// First bytes of the key, so that two maskers can be told apart in tests.
    pub fn fingerprint(&self) -> u8 {
        self.key[0]
    }
}
