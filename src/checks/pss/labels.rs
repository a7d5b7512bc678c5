//! Labels of Pod Security Admission, read as the API server reads them (api/helpers.go of
//! k8s.io/pod-security-admission): what is no level is not ignored.

use crate::checks::standard::{Level, Standard, Version};
use crate::model::text::Text;

/// In front of every label.
pub const PREFIX: &str = "pod-security.kubernetes.io/";

/// What holds in a namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Levels {
    pub enforce: Standard,
    pub audit: Standard,
    pub warn: Standard,
}

impl Default for Levels {
    /// What the API server takes where neither a label nor its configuration says anything.
    fn default() -> Self {
        let privileged = Standard::latest(Level::Privileged);
        Self {
            enforce: privileged,
            audit: privileged,
            warn: privileged,
        }
    }
}

/// A label whose value is not understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    /// Without the prefix: `enforce`, `audit-version`.
    pub mode: &'static str,
    pub value: Text,
    pub want: &'static str,
}

/// Reads the labels of a namespace; what they leave out is taken from `defaults`.
pub fn read<'l>(
    label: impl Fn(&str) -> Option<&'l Text>,
    defaults: Levels,
) -> (Levels, Vec<Wrong>) {
    let mut out = defaults;
    let mut wrong = Vec::new();
    let find = |mode: &str| label(&format!("{PREFIX}{mode}")).map(Text::as_str);
    let level = |mode: &'static str, fallback, into: &mut Level, wrong: &mut Vec<Wrong>| {
        let value = find(mode)?;
        let parsed = value.parse::<Level>();
        if let Err(want) = parsed {
            wrong.push(Wrong {
                mode,
                value: Text::new(value),
                want,
            });
        }
        *into = parsed.unwrap_or(fallback);
        Some(parsed.is_ok())
    };
    let version = |mode: &'static str, into: &mut Version, wrong: &mut Vec<Wrong>| {
        let value = find(mode)?;
        let parsed = value.parse::<Version>();
        if let Err(want) = parsed {
            wrong.push(Wrong {
                mode,
                value: Text::new(value),
                want,
            });
        }
        *into = parsed.unwrap_or(Version::Latest);
        Some(())
    };
    // Enforcing fails closed, the others fail open.
    let enforced = level(
        "enforce",
        Level::Restricted,
        &mut out.enforce.level,
        &mut wrong,
    );
    version("enforce-version", &mut out.enforce.version, &mut wrong);
    level("audit", Level::Privileged, &mut out.audit.level, &mut wrong);
    version("audit-version", &mut out.audit.version, &mut wrong);
    let warned = level("warn", Level::Privileged, &mut out.warn.level, &mut wrong);
    let warned_at = version("warn-version", &mut out.warn.version, &mut wrong);
    // Warnings follow a stricter level that is enforced on purpose.
    if warned.is_none() && enforced == Some(true) && out.enforce.level > out.warn.level {
        out.warn.level = out.enforce.level;
        if warned_at.is_none() {
            out.warn.version = out.enforce.version;
        }
    }
    (out, wrong)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn levels(text: &str) -> (String, usize) {
        let labels: BTreeMap<String, Text> = text
            .split_whitespace()
            .filter_map(|pair| pair.split_once('='))
            .map(|(mode, value)| (format!("{PREFIX}{mode}"), Text::new(value)))
            .collect();
        let (found, wrong) = read(|key| labels.get(key), Levels::default());
        let Levels {
            enforce,
            audit,
            warn,
        } = found;
        (format!("{enforce} {audit} {warn}"), wrong.len())
    }

    const NONE: &str = "privileged:latest";

    /// Labels, then what is enforced, audited and warned of, and how many are wrong: the cases of upstream's own
    /// test, and the versions.
    const CASES: &[(&str, &str, &str, &str, usize)] = &[
        ("", NONE, NONE, NONE, 0),
        (
            "enforce=baseline",
            "baseline:latest",
            NONE,
            "baseline:latest",
            0,
        ),
        ("warn=restricted", NONE, NONE, "restricted:latest", 0),
        ("audit=baseline", NONE, "baseline:latest", NONE, 0),
        (
            "enforce=baseline warn=restricted",
            "baseline:latest",
            NONE,
            "restricted:latest",
            0,
        ),
        (
            "enforce=baseline enforce-version=v1.22",
            "baseline:v1.22",
            NONE,
            "baseline:v1.22",
            0,
        ),
        (
            "enforce=baseline enforce-version=v1.22 warn-version=latest",
            "baseline:v1.22",
            NONE,
            "baseline:latest",
            0,
        ),
        (
            "enforce=baseline warn-version=v1.23",
            "baseline:latest",
            NONE,
            "baseline:v1.23",
            0,
        ),
        (
            "enforce=baseline enforce-version=v1.20 warn=restricted warn-version=v1.21 audit=restricted audit-version=v1.22",
            "baseline:v1.20",
            "restricted:v1.22",
            "restricted:v1.21",
            0,
        ),
        (
            "enforce=baseline warn=privileged",
            "baseline:latest",
            NONE,
            NONE,
            0,
        ),
        (
            "enforce=baseline warn=foo",
            "baseline:latest",
            NONE,
            NONE,
            1,
        ),
        ("enforce=foo", "restricted:latest", NONE, NONE, 1),
        ("audit=foo", NONE, NONE, NONE, 1),
        (
            "enforce=Baseline audit=foo warn= ",
            "restricted:latest",
            NONE,
            NONE,
            3,
        ),
        (
            "enforce=baseline enforce-version=1.22",
            "baseline:latest",
            NONE,
            "baseline:latest",
            1,
        ),
    ];

    #[test]
    fn as_upstream() {
        for (labels, enforce, audit, warn, wrong) in CASES {
            let want = format!("{enforce} {audit} {warn}");
            assert_eq!(levels(labels), (want, *wrong), "{labels}");
        }
    }

    #[test]
    fn defaults_hold_where_no_label_is() {
        let defaults = Levels {
            enforce: Standard::latest(Level::Baseline),
            ..Levels::default()
        };
        assert_eq!(read(|_| None, defaults), (defaults, Vec::new()));
        let privileged = Text::new("privileged");
        let label = |key: &str| (key == format!("{PREFIX}enforce")).then_some(&privileged);
        assert_eq!(read(label, defaults).0, Levels::default());
    }
}
