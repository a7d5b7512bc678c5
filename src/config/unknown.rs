//! Keys that nobody reads: each with its line and the nearest name that exists.

use serde_json::Value;

use crate::probes::parse::yaml::{Limits, parse};

/// Every key that may stand in the file; `*` is any name.
const KNOWN: &[&str] = &[
    "version",
    "ssh.user",
    "ssh.port",
    "ssh.config",
    "ssh.known_hosts",
    "ssh.identities",
    "ssh.workers",
    "ssh.timeout",
    "ssh.agent",
    "ssh.transport",
    "ssh.lanes",
    "ssh.channels",
    "hosts.*.address",
    "hosts.*.port",
    "hosts.*.user",
    "hosts.*.known_as",
    "hosts.*.sudo",
    "hosts.*.api_only",
    "hosts.*.transport",
    "hosts.*.root",
    "hosts.*.import",
    "sudo",
    "contexts.*.theme",
    "contexts.*.hosts.*.address",
    "contexts.*.hosts.*.port",
    "contexts.*.hosts.*.user",
    "contexts.*.hosts.*.known_as",
    "contexts.*.hosts.*.sudo",
    "contexts.*.hosts.*.api_only",
    "contexts.*.hosts.*.transport",
    "contexts.*.hosts.*.root",
    "contexts.*.hosts.*.import",
    "contexts.*.ssh.user",
    "contexts.*.ssh.port",
    "contexts.*.ssh.config",
    "contexts.*.ssh.known_hosts",
    "contexts.*.ssh.identities",
    "contexts.*.ssh.workers",
    "contexts.*.ssh.timeout",
    "contexts.*.ssh.agent",
    "contexts.*.ssh.transport",
    "contexts.*.ssh.lanes",
    "contexts.*.ssh.channels",
    "theme",
    "keys.*",
    "policy",
    "import",
];

/// Every key, for the README.
pub fn known() -> &'static [&'static str] {
    KNOWN
}

/// One warning for each unknown key, in the order of the file.
pub fn keys(text: &str, name: &str) -> Vec<String> {
    keys_of(text, name, KNOWN)
}

/// The same for another file of the user, with the keys that it may have.
pub(super) fn keys_of(text: &str, name: &str, known: &'static [&'static str]) -> Vec<String> {
    // A file that the other parser refuses was already refused by the first one.
    let Ok(parsed) = parse(text.as_bytes(), &Limits::default()) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    walk(&parsed.value, known, &mut Vec::new(), &mut found);
    let mut warnings: Vec<(usize, String)> = found
        .iter()
        .map(|path| {
            let pointer: String = path
                .iter()
                .map(|step| format!("/{}", step.replace('~', "~0").replace('/', "~1")))
                .collect();
            let line = parsed.lines.line(&pointer).unwrap_or(1);
            let near = nearest(path, known)
                .map_or_else(String::new, |near| format!(", did you mean {near}?"));
            (
                line,
                format!("{name}:{line}: unknown key {}{near}", path.join(".")),
            )
        })
        .collect();
    warnings.sort();
    warnings.into_iter().map(|(_, warning)| warning).collect()
}

fn walk(
    value: &Value,
    known: &'static [&'static str],
    path: &mut Vec<String>,
    found: &mut Vec<Vec<String>>,
) {
    let members: Vec<(String, &Value)> = match value {
        Value::Object(map) => map
            .iter()
            .map(|(key, below)| (key.clone(), below))
            .collect(),
        Value::Array(list) => list
            .iter()
            .enumerate()
            .map(|(index, below)| (index.to_string(), below))
            .collect(),
        _ => return,
    };
    for (key, below) in members {
        path.push(key);
        match known_depth(path, known) {
            Some(true) => {}
            Some(false) => walk(below, known, path, found),
            None => found.push(path.clone()),
        }
        path.pop();
    }
}

/// Whether a path is a key (true), leads to keys (false), or neither.
fn known_depth(path: &[String], known: &[&str]) -> Option<bool> {
    let mut leads = false;
    for known in known {
        let steps: Vec<&str> = known.split('.').collect();
        let fits = steps.len() >= path.len()
            && steps
                .iter()
                .zip(path)
                .all(|(step, name)| *step == "*" || step == name);
        if fits && steps.len() == path.len() {
            return Some(true);
        }
        leads |= fits;
    }
    leads.then_some(false)
}

/// The nearest name at the same place, at most a third of it away.
fn nearest(path: &[String], known: &'static [&'static str]) -> Option<&'static str> {
    let (last, parents) = path.split_last()?;
    let siblings = known.iter().filter_map(|known| {
        let steps: Vec<&'static str> = known.split('.').collect();
        let fits = steps
            .iter()
            .zip(parents)
            .all(|(step, name)| *step == "*" || step == name);
        (fits && steps.len() > parents.len()).then(|| steps[parents.len()])
    });
    let near = siblings
        .filter(|name| *name != "*")
        .map(|name| (distance(last, name), name))
        .min()?;
    (near.0 * 3 <= last.len().max(3)).then_some(near.1)
}

/// Edit distance with swaps of neighbours as one edit (optimal string alignment).
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) =
        (a.chars().take(64).collect(), b.chars().take(64).collect());
    let mut rows: Vec<Vec<usize>> = vec![(0..=b.len()).collect()];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let change = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut best = change.min(rows[i - 1][j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            row.push(best);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}
