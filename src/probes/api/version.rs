//! The server's version.

use serde::Deserialize;

use crate::model::fact::Gap;
use crate::model::text::Text;

use super::{field, garbled};

/// The request.
pub const PATH: &str = "/version";

#[derive(Deserialize)]
struct Version {
    #[serde(rename = "gitVersion")]
    git: String,
}

/// Reads `gitVersion`.
///
/// # Errors
/// [`Gap::Garbled`] where the answer has none.
pub fn read(body: &[u8]) -> Result<Text, Gap> {
    let version: Version =
        serde_json::from_slice(body).map_err(|error| garbled("version", &error))?;
    Ok(field(&version.git))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_git_version_counts() {
        let body = br#"{"major":"1","minor":"37","gitVersion":"v1.37.2"}"#;
        assert_eq!(read(body), Ok("v1.37.2".into()));
        assert!(read(b"{}").is_err());
    }
}
