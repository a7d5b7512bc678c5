//! The policy file as a person writes it, and what it comes to.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;

use super::{Declared, File, Nodes, Pool, Waiver};
use crate::model::Timestamp;
use crate::model::name::NodeName;
use crate::model::text::Text;
use crate::model::verdict::Severity;

/// The keys of the file. Unknown ones are named by whoever reads the text, with their line.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Written {
    pub version: Option<u32>,
    static_pods: Option<Vec<DeclaredWritten>>,
    registries: Vec<Text>,
    pools: Vec<PoolWritten>,
    waivers: Vec<WaiverWritten>,
}

#[derive(Clone, Debug, Deserialize)]
struct DeclaredWritten {
    pod: Text,
    #[serde(default)]
    nodes: NodesWritten,
    #[serde(default)]
    images: Vec<Text>,
    #[serde(default)]
    pss: Vec<Text>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct NodesWritten {
    names: Vec<Text>,
    labels: BTreeMap<Text, Option<Text>>,
}

#[derive(Clone, Debug, Deserialize)]
struct PoolWritten {
    name: Text,
    nodes: NodesWritten,
    #[serde(default)]
    taint: Option<Text>,
    #[serde(default)]
    label: Option<Text>,
    #[serde(default)]
    namespaces: Vec<Text>,
}

#[derive(Clone, Debug, Deserialize)]
struct WaiverWritten {
    check: Text,
    #[serde(default)]
    node: Option<NodeName>,
    subject: Text,
    severity: Severity,
    owner: Text,
    reason: Text,
    expires: Text,
}

impl Written {
    /// What the file says. `line` gives where an entry starts: its list and its index, from 0.
    ///
    /// # Errors
    /// An entry that cannot be meant: its list, its index and what is wrong.
    pub fn read(self, line: &dyn Fn(&str, usize) -> u32) -> Result<File, (u32, String)> {
        if let Some(version) = self.version.filter(|version| *version != 1) {
            let text = format!("version {version} is not known, this program reads 1");
            return Err((1, text));
        }
        let declared = |(index, entry): (usize, DeclaredWritten)| {
            let line = line("static_pods", index);
            entry.read(line).map_err(|error| (line, error))
        };
        let pool = |(index, entry): (usize, PoolWritten)| {
            let line = line("pools", index);
            entry.read(line).map_err(|error| (line, error))
        };
        let waiver = |(index, entry): (usize, WaiverWritten)| {
            let line = line("waivers", index);
            entry.read(line).map_err(|error| (line, error))
        };
        Ok(File {
            name: Text::default(),
            text: Text::default(),
            static_pods: self
                .static_pods
                .map(|list| list.into_iter().enumerate().map(declared).collect())
                .transpose()?,
            registries: self.registries,
            pools: collect(self.pools, pool)?,
            waivers: collect(self.waivers, waiver)?,
        })
    }
}

fn collect<W, T, E>(
    list: Vec<W>,
    read: impl FnMut((usize, W)) -> Result<T, E>,
) -> Result<Vec<T>, E> {
    list.into_iter().enumerate().map(read).collect()
}

impl DeclaredWritten {
    fn read(self, line: u32) -> Result<Declared, String> {
        if self.pod.as_str().split('/').count() != 2 {
            return Err(format!(
                "static_pods.pod is namespace/name, not {}",
                self.pod
            ));
        }
        Ok(Declared {
            pod: self.pod,
            nodes: self.nodes.read(),
            images: self.images,
            pss: self.pss,
            line,
        })
    }
}

impl NodesWritten {
    fn read(self) -> Nodes {
        let value = |(key, value): (Text, Option<Text>)| (key, value.unwrap_or_default());
        Nodes {
            names: self.names,
            labels: self.labels.into_iter().map(value).collect(),
        }
    }
}

impl PoolWritten {
    fn read(self, line: u32) -> Result<Pool, String> {
        let nodes = self.nodes.read();
        if nodes == Nodes::default() {
            return Err(format!("the pool {} names no nodes", self.name));
        }
        if let Some(taint) = self.taint.as_ref().filter(|taint| !is_taint(taint)) {
            return Err(format!("a taint is key=value:Effect, not {taint}"));
        }
        if let Some(label) = self.label.as_ref().filter(|it| !it.as_str().contains('=')) {
            return Err(format!("a label is key=value, not {label}"));
        }
        Ok(Pool {
            name: self.name,
            nodes,
            taint: self.taint,
            label: self.label,
            namespaces: self.namespaces,
            line,
        })
    }
}

fn is_taint(text: &Text) -> bool {
    let Some((key, effect)) = text.as_str().rsplit_once(':') else {
        return false;
    };
    !key.is_empty() && ["NoSchedule", "NoExecute", "PreferNoSchedule"].contains(&effect)
}

impl WaiverWritten {
    fn read(self, line: u32) -> Result<Arc<Waiver>, String> {
        for (key, text) in [("owner", &self.owner), ("reason", &self.reason)] {
            if text.as_str().trim().is_empty() {
                return Err(format!("a waiver needs {key}: who answers for it, and why"));
            }
        }
        Ok(Arc::new(Waiver {
            expires: moment(&self.expires)?,
            check: full_id(&self.check),
            node: self.node,
            subject: self.subject,
            severity: self.severity,
            owner: self.owner,
            reason: self.reason,
            line,
        }))
    }
}

/// Ids may be written without `SP-`, as everywhere else.
fn full_id(id: &Text) -> Text {
    let upper = id.as_str().to_ascii_uppercase();
    match upper.strip_prefix("SP-") {
        Some(_) => Text::from(upper),
        None => Text::from(format!("SP-{upper}")),
    }
}

/// A day, which starts at midnight UTC, or a moment as RFC 3339 has it.
fn moment(text: &Text) -> Result<Timestamp, String> {
    let text = text.as_str().trim();
    let day = text.parse::<jiff::civil::Date>();
    let moment = match day {
        Ok(day) => day
            .to_zoned(jiff::tz::TimeZone::UTC)
            .map(|zoned| zoned.timestamp()),
        Err(_) => text.parse::<Timestamp>(),
    };
    moment.map_err(|_| format!("expires is a day, as 2030-12-31, not {}", Text::new(text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(yaml: &str) -> Result<File, String> {
        let written: Written = serde_yaml::from_str(yaml).map_err(|error| error.to_string())?;
        written
            .read(&|_, index| u32::try_from(index).unwrap_or(0) + 10)
            .map_err(|(line, error)| format!("{line}: {error}"))
    }

    #[test]
    fn what_is_written_is_what_holds() {
        let file = read(
            "{version: 1, static_pods: [{pod: 'kube-system/*', nodes: {labels: {a: , b: c}}}], \
             waivers: [{check: file-004, subject: /a, severity: low, owner: o, reason: r, expires: 2030-01-02}]}",
        )
        .expect("a policy");
        let waiver = &file.waivers[0];
        assert_eq!(waiver.check, "SP-FILE-004");
        assert_eq!(waiver.expires.to_string(), "2030-01-02T00:00:00Z");
        assert!(!waiver.is_expired(waiver.expires - jiff::SignedDuration::from_secs(1)));
        assert!(waiver.is_expired(waiver.expires));
        let declared = &file.static_pods.expect("declared")[0];
        assert_eq!(declared.nodes.labels[&Text::new("a")], "");
        assert_eq!(declared.line, 10);
    }

    #[test]
    fn what_cannot_be_meant_is_an_error() {
        for (yaml, expected) in [
            ("{version: 2}", "1: version 2 is not known"),
            (
                "{static_pods: [{pod: etcd}]}",
                "10: static_pods.pod is namespace/name",
            ),
            (
                "{pools: [{name: a, nodes: {}}]}",
                "10: the pool a names no nodes",
            ),
            (
                "{pools: [{name: a, nodes: {names: [x]}, taint: b}]}",
                "10: a taint is",
            ),
            (
                "{waivers: [{check: A, subject: s, severity: low, owner: '', reason: r, expires: 2030-01-01}]}",
                "10: a waiver needs owner",
            ),
            (
                "{waivers: [{check: A, subject: s, severity: low, owner: o, reason: r, expires: soon}]}",
                "10: expires is a day",
            ),
            (
                "{waivers: [{check: A, subject: s, severity: bad, owner: o, reason: r, expires: soon}]}",
                "waivers[0].severity",
            ),
        ] {
            let error = read(yaml).expect_err(yaml);
            assert!(error.starts_with(expected), "{yaml}: {error}");
        }
    }
}
