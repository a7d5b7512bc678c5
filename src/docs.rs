//! Tables of the README, rendered from the registries so that they cannot drift.

use std::fmt::Write as _;

use crate::checks::{self, check::Maps};
use crate::probes::{self, probe::Ask};

/// One generated part of the README: the word in its markers, and its text.
pub struct Part {
    pub name: &'static str,
    pub text: String,
}

/// Every generated part.
pub fn parts() -> Vec<Part> {
    vec![
        Part {
            name: "checks",
            text: check_table(),
        },
        Part {
            name: "reads",
            text: probe_table(),
        },
        Part {
            name: "keys",
            text: key_table(),
        },
        Part {
            name: "config",
            text: key_list(crate::config::known()),
        },
        Part {
            name: "policy",
            text: key_list(crate::config::policy::known()),
        },
        Part {
            name: "rbac",
            text: format!(
                "```yaml\n{}```\n",
                probes::rights::cluster_role_yaml(&checks::read, &[])
            ),
        },
    ]
}

/// Puts every part between its markers, `<!-- name -->` and `<!-- /name -->`.
///
/// # Errors
/// The name of a marker that is missing.
pub fn render(readme: &str) -> Result<String, String> {
    let mut out = readme.to_owned();
    for part in parts() {
        let (open, close) = (
            format!("<!-- {} -->\n", part.name),
            format!("<!-- /{} -->", part.name),
        );
        let start = out
            .find(&open)
            .ok_or_else(|| format!("marker {} is missing", open.trim()))?
            + open.len();
        let end = out[start..]
            .find(&close)
            .ok_or_else(|| format!("marker {close} is missing"))?
            + start;
        out.replace_range(start..end, &format!("\n{}\n", part.text));
    }
    Ok(out)
}

fn check_table() -> String {
    let mut out =
        String::from("| id | good state | at most | also known as |\n|---|---|---|---|\n");
    for check in checks::all() {
        let maps: Vec<String> = check
            .maps
            .iter()
            .filter(|map| !matches!(map, Maps::Source(_)))
            .map(ToString::to_string)
            .collect();
        // Writing to a String cannot fail.
        let _ = writeln!(
            out,
            "| {} | {} | {} | {} |",
            check.id,
            check.title,
            check.severity,
            maps.join(", ")
        );
    }
    out
}

fn probe_table() -> String {
    let mut out =
        String::from("| fact | what is asked | where | sees more as root |\n|---|---|---|---|\n");
    let read = probes::all().filter(|probe| !probe.need.is_object() || checks::read(probe.need));
    for probe in read {
        for ask in probe.asks {
            let (place, what, root) = match ask {
                Ask::Shell { section, root, .. } => {
                    ("node", format!("section `{section}`"), root.unwrap_or("-"))
                }
                Ask::Api { path, verbs, .. } => (
                    "API server",
                    format!("`{path}` ({})", verbs.join(", ")),
                    "-",
                ),
            };
            let _ = writeln!(
                out,
                "| {}: {} | {what} | {place} | {root} |",
                probe.need.name(),
                probe.what
            );
        }
    }
    out
}

/// The keys of a file of the user.
fn key_list(keys: &[&str]) -> String {
    let mut out = String::from("```text\n");
    for key in keys {
        let _ = writeln!(out, "{key}");
    }
    out + "```\n"
}

fn key_table() -> String {
    let mut out = String::from("| where | keys | what |\n|---|---|---|\n");
    for (place, bindings) in crate::tui::app::bindings() {
        for binding in bindings {
            let keys = binding.keys.replace('|', "\\|");
            let _ = writeln!(out, "| {place} | `{keys}` | {} |", binding.help);
        }
    }
    out
}
