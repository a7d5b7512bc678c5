//! Checks that need nothing but the manifest, asked of a pod that is on no node.

use std::sync::Arc;

use serde_json::Value;

use crate::checks::check::{Check, View};
use crate::checks::standard::{Standard, Version, newest};
use crate::evaluate;
use crate::model::Timestamp;
use crate::model::cluster::ClusterFacts;
use crate::model::fact::{Fact, Locator, Need};
use crate::model::lines::Lines;
use crate::model::name::NodeName;
use crate::model::node::NodeFacts;
use crate::model::pod::{ContainerKind, Manifest, Parsed, Pod};
use crate::model::policy::Policy;
use crate::model::snapshot::Snapshot;
use crate::model::text::Text;
use crate::model::tree::Branch;
use crate::model::unix::{FileKind, Walk, WalkEnd};
use crate::model::verdict::{Offence, Severity, Subject, SubjectKind, Verdict};
use crate::probes::mask::Masker;
use crate::probes::parse::documents::Document;
use crate::probes::parse::workload::Object;

/// A fail of a check.
#[derive(Clone, Debug)]
pub struct Finding {
    pub check: &'static Check,
    pub severity: Severity,
    pub subject: Subject,
    pub message: Text,
    /// Of the container, or of the pod.
    pub line: usize,
}

/// They say what the violations say, at a level of their own.
const SAID: [&str; 2] = ["SP-PSS-001", "SP-PSS-002"];

/// No check looks at a clock for what it reads in a manifest.
const NOW: Timestamp = Timestamp::constant(0, 0);

/// Fails of the checks that need nothing but the manifest, the worst first.
pub(super) fn of(
    pod: &Pod,
    (file, document, object): (&Text, &Document, &Object),
    (standard, masker): (Standard, &Masker),
) -> Vec<Finding> {
    let Some(node) = node(pod, file, document, masker) else {
        return Vec::new();
    };
    let mut snapshot = Snapshot::empty(NOW);
    let minor = match standard.version {
        Version::Minor(minor) => minor,
        Version::Latest => newest(),
    };
    let version = Text::from(format!("v1.{minor}.0"));
    snapshot.cluster = Arc::new(ClusterFacts {
        version: Fact::seen(version, Locator::list(Need::NodeObject)),
        ..ClusterFacts::default()
    });
    let policy = Policy::default();
    let view = View::new(&snapshot, &policy, NOW);
    let mut all = Vec::new();
    for (check, judge) in evaluate::node_checks() {
        if check.needs != [Need::Manifests] || SAID.contains(&check.id.0) {
            continue;
        }
        // What such a check does not know of a file it knows of no node either: only fails are told.
        if let Ok(Verdict::Fail { offences, .. }) = judge(&node, &view) {
            let line = |offence: &Offence| line(pod, document, object, &offence.subject);
            all.extend(offences.into_iter().map(|offence| Finding {
                check,
                severity: offence.severity,
                line: line(&offence),
                subject: offence.subject,
                message: offence.message,
            }));
        }
    }
    all.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    all
}

/// A node that has this one manifest, of which nobody knows where it lies.
fn node(pod: &Pod, file: &Text, document: &Document, masker: &Masker) -> Option<NodeFacts> {
    let at = Locator::new(Need::Manifests, 0);
    let mut raw = Value::from(&pod.raw);
    let masked = masker.mask_pod(&mut raw);
    let raw = if masked {
        (&raw).try_into().ok()?
    } else {
        pod.raw.clone()
    };
    let repeated = document
        .parsed
        .as_ref()
        .map_or(&[][..], |parsed| &parsed.duplicates);
    let parsed = Parsed::Pod {
        pod: Pod { raw, ..pod.clone() },
        // Each document is judged for itself here.
        ignored_documents: 0,
        duplicates: repeated.iter().map(|key| Text::new(&key.path)).collect(),
        lines: Lines::default(),
    };
    let manifest = Manifest {
        file: file.clone(),
        kind: FileKind::Regular,
        walk: Walk {
            path: file.clone(),
            hops: Vec::new(),
            end: WalkEnd::Blocked,
        },
        text: Text::default(),
        sha256: None,
        pod: Fact::seen(parsed, at),
    };
    let mut node = NodeFacts::unknown(NodeName::parse("none").ok()?);
    let host = Arc::make_mut(&mut node.host);
    host.manifests = Fact::seen(vec![Fact::seen(manifest, at)], at);
    Some(node)
}

/// The line of what an offence is about.
fn line(pod: &Pod, document: &Document, object: &Object, subject: &Subject) -> usize {
    let base = &object.pointer;
    if subject.kind != SubjectKind::Container {
        return document.line(base);
    }
    let mut counts = [0_usize; 3];
    for (kind, container) in pod.containers() {
        let count = match kind {
            ContainerKind::Init => &mut counts[0],
            ContainerKind::Main => &mut counts[1],
            ContainerKind::Ephemeral => &mut counts[2],
        };
        let name = container.get("name").and_then(Branch::as_str).unwrap_or("");
        let this = Subject::container(&pod.namespace, &pod.name, &Text::new(name));
        if this == *subject {
            return document.line(&format!("{base}/spec/{}/{count}", kind.field()));
        }
        *count += 1;
    }
    document.line(base)
}
