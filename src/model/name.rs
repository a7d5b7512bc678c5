//! Names that are parsed once at the edge and trusted afterwards.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::text::Text;

/// The name of a Node object, or of a host that only the configuration knows.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct NodeName(Arc<str>);

impl NodeName {
    /// Takes a DNS subdomain as the API server does (RFC 1123, at most 253 characters).
    ///
    /// # Errors
    /// Says which character or length is wrong; the value is shown escaped.
    pub fn parse(raw: &str) -> Result<Self, String> {
        if raw.is_empty() || raw.len() > 253 {
            return Err(format!(
                "node name of {} characters, want 1 to 253",
                raw.len()
            ));
        }
        if raw.starts_with(['-', '.']) {
            return Err(format!(
                "node name {} starts with a dash or a dot",
                Text::new(raw)
            ));
        }
        match raw
            .chars()
            .find(|c| !matches!(c, 'a'..='z' | 'A'..='Z' | '0'..='9' | '-' | '.' | '_'))
        {
            Some(bad) => Err(format!("node name {} holds {:?}", Text::new(raw), bad)),
            None => Ok(Self(raw.into())),
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for NodeName {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = String::deserialize(deserializer)?;
        Self::parse(&raw).map_err(serde::de::Error::custom)
    }
}

impl fmt::Display for NodeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl std::borrow::Borrow<str> for NodeName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

/// The id of a check: `SP-FAMILY-NNN`. Never reused, never renumbered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct CheckId(pub &'static str);

impl fmt::Display for CheckId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.0)
    }
}

/// SHA-256 of raw bytes, lower-case hex.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Digest(Box<str>);

impl Digest {
    /// From the 32 bytes of the digest.
    pub fn new(bytes: &[u8; 32]) -> Self {
        use std::fmt::Write as _;
        let mut hex = String::with_capacity(64);
        for byte in bytes {
            // Writing to a String cannot fail.
            let _ = write!(hex, "{byte:02x}");
        }
        Self(hex.into())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// `9c1f..e07a`, for narrow screens; a shorter value is shown whole.
    pub fn short(&self) -> String {
        match (
            self.0.get(..4),
            self.0
                .len()
                .checked_sub(4)
                .and_then(|from| self.0.get(from..)),
        ) {
            (Some(head), Some(tail)) if self.0.len() > 10 => format!("{head}..{tail}"),
            _ => Text::new(&self.0).to_string(),
        }
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}
