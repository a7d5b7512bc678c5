//! The shape of a theme file.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::Tier;

/// One YAML file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ThemeFile {
    pub name: String,
    /// `dark`, `light` or `any`: which one `theme: auto` picks.
    #[serde(default, rename = "appearance")]
    _appearance: Option<String>,
    #[serde(default)]
    pub inherits: Option<String>,
    #[serde(default)]
    pub palette: BTreeMap<String, String>,
    #[serde(default)]
    pub tokens: BTreeMap<String, Spec>,
    /// `ascii` or `box`.
    #[serde(default, rename = "glyphs")]
    _glyphs: Option<String>,
}

/// A token in up to three tiers.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Spec {
    fg: Option<String>,
    bg: Option<String>,
    mods: Vec<String>,
    /// For sixteen colours; the first three otherwise, moved to the nearest of the sixteen.
    ansi: Option<Parts>,
    /// Modifiers without colour; `mods` otherwise.
    mono: Option<Vec<String>>,
}

/// The style words of one tier.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Parts {
    pub fg: Option<String>,
    pub bg: Option<String>,
    pub mods: Vec<String>,
}

impl ThemeFile {
    /// Reads the YAML of theme `name`.
    pub fn parse(name: &str, yaml: &str) -> Result<Self, String> {
        let file: Self =
            serde_yaml::from_str(yaml).map_err(|error| format!("theme {name}: {error}"))?;
        for token in file.tokens.keys() {
            let known = super::TOKENS.iter().any(|(_, known)| {
                known == token
                    || known
                        .strip_prefix(token.as_str())
                        .is_some_and(|rest| rest.starts_with('.'))
            });
            if !known {
                return Err(format!("theme {name}: no token {token}"));
            }
        }
        Ok(file)
    }
}

impl Spec {
    pub fn parts(&self, tier: Tier) -> Parts {
        match tier {
            Tier::Mono => Parts {
                mods: self.mono.clone().unwrap_or_else(|| self.mods.clone()),
                ..Parts::default()
            },
            Tier::Ansi if self.ansi.is_some() => self.ansi.clone().unwrap_or_default(),
            _ => Parts {
                fg: self.fg.clone(),
                bg: self.bg.clone(),
                mods: self.mods.clone(),
            },
        }
    }
}
