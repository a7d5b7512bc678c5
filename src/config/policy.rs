//! The site's policy file: read, checked, and written from what is there.

use std::path::Path;

use super::unknown;
use crate::error::Failure;
use crate::model::policy::{File, Written};
use crate::model::text::Text;
use crate::probes::parse::yaml;

/// A policy is read up to this size.
const CAP: u64 = 1 << 20;

/// Every key that may stand in the file; `*` is any name or number.
const KNOWN: &[&str] = &[
    "version",
    "static_pods.*.pod",
    "static_pods.*.nodes.names",
    "static_pods.*.nodes.labels.*",
    "static_pods.*.images",
    "static_pods.*.pss",
    "registries",
    "pools.*.name",
    "pools.*.nodes.names",
    "pools.*.nodes.labels.*",
    "pools.*.taint",
    "pools.*.label",
    "pools.*.namespaces",
    "waivers.*.check",
    "waivers.*.node",
    "waivers.*.subject",
    "waivers.*.severity",
    "waivers.*.owner",
    "waivers.*.reason",
    "waivers.*.expires",
];

/// Every key, for the README.
pub fn known() -> &'static [&'static str] {
    KNOWN
}

/// Reads a policy file. Beside it: `FILE:LINE: unknown key x, did you mean y?`, and ids that no check has.
///
/// # Errors
/// A file that cannot be read, is no YAML, or says what cannot be meant; the line is named.
pub fn load(path: &Path) -> Result<(File, Vec<String>), Failure> {
    let name = path.display().to_string();
    let text = crate::disk::read_text(path, CAP).map_err(|error| {
        Failure::new(
            format!("cannot read the policy {name}: {error}"),
            format!("ls -l {}", crate::checks::fix::quote(&name)),
        )
    })?;
    parse(&text, &name)
}

/// Reads the text of a policy; `name` is what messages call it.
///
/// # Errors
/// As [`load`].
pub fn parse(text: &str, name: &str) -> Result<(File, Vec<String>), Failure> {
    let wrong = |line: Option<usize>, error: String| {
        let line = line.map_or_else(String::new, |line| format!(":{line}"));
        Failure::new(
            format!("{name}{line}: {error}"),
            "correct that line; stakeout policy init prints a policy of what is there",
        )
    };
    let written: Option<Written> = serde_yaml::from_str(text)
        .map_err(|error| wrong(error.location().map(|at| at.line()), error.to_string()))?;
    let lines = yaml::parse(text.as_bytes(), &yaml::Limits::default()).map(|parsed| parsed.lines);
    let line = |list: &str, index: usize| {
        let found = lines.as_ref().ok();
        let line = found.and_then(|lines| lines.line(&format!("/{list}/{index}")));
        line.and_then(|line| u32::try_from(line).ok()).unwrap_or(1)
    };
    let mut file = written
        .unwrap_or_default()
        .read(&line)
        .map_err(|(line, error)| wrong(usize::try_from(line).ok(), error))?;
    file.name = Text::new(name);
    file.text = Text::block(text);
    let mut warnings = unknown::keys_of(text, name, KNOWN);
    for waiver in &file.waivers {
        if crate::checks::find(waiver.check.as_str()).is_none() {
            let line = waiver.line;
            warnings.push(format!("{name}:{line}: there is no check {}", waiver.check));
        }
    }
    Ok((file, warnings))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "version: 1
static_pods:
  - pod: kube-system/etcd
    imags: [a]
registries: [registry.k8s.io]
waivers:
  - check: SP-FILE-004
    subject: /etc/kubernetes/manifests/etcd.yaml
    severity: low
    owner: ops
    reason: read by the backup user
    expires: 2030-01-01
  - {check: SP-FILE-999, subject: x, severity: low, owner: o, reason: r, expires: 2030-01-01}
wavers: []
";

    #[test]
    fn entries_know_their_line_and_mistakes_name_it() {
        let (file, warnings) = parse(FILE, "p.yaml").expect("a policy");
        assert_eq!(file.waivers[0].line, 7);
        assert_eq!(file.static_pods.as_ref().map(|list| list[0].line), Some(3));
        assert_eq!(
            warnings,
            [
                "p.yaml:4: unknown key static_pods.0.imags, did you mean images?",
                "p.yaml:14: unknown key wavers, did you mean waivers?",
                "p.yaml:13: there is no check SP-FILE-999",
            ]
        );
    }

    #[test]
    fn a_wrong_file_says_where() {
        for (text, expected) in [
            (
                "waivers:\n  - check: A\n",
                "p.yaml:2: waivers[0]: missing field",
            ),
            ("a: [", "p.yaml:"),
            ("version: 9", "p.yaml:1: version 9"),
            (
                "registries: []\nstatic_pods:\n  - pod: etcd\n",
                "p.yaml:3: static_pods.pod is namespace/name",
            ),
        ] {
            let failure = parse(text, "p.yaml").expect_err(text);
            assert!(failure.message.starts_with(expected), "{failure}");
        }
        let (file, warnings) = parse("", "p.yaml").expect("an empty policy is one");
        assert!(file.static_pods.is_none() && warnings.is_empty());
    }
}
