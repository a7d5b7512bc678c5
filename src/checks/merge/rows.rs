//! The three truths of a node side by side: one row per static pod, for a pane.
//!
//! Lives here: which manifest, mirror and running pod share a row, and the row's state. What is wrong with it is not
//! judged again: it is read from the verdicts of the checks. Never lives here: how a row is drawn.

use std::collections::BTreeMap;

use super::drift::foremost;
use super::pairs::{Declared, declared, is_known, mirrors, same_uid};
use crate::model::fact::{Gap, Locator};
use crate::model::node::{NodeFacts, RuntimePod};
use crate::model::text::Text;
use crate::model::verdict::{Comparison, Offence, Severity, Subject, SubjectKind, Verdict};

/// How the three agree, the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// A mirror that no kubelet made, or that stands for nothing.
    Forged,
    /// A manifest without a mirror.
    Hidden,
    /// It runs, and neither a manifest nor the API server tells of it.
    Orphan,
    /// Several manifests are one pod.
    Duplicated,
    /// Another revision runs than is shown, or an edit is not taken up.
    Stale,
    /// The mirror says something else than the manifest.
    Drifted,
    /// Not known: see the gap.
    Unknown,
    Equal,
}

impl State {
    /// As it is shown.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Forged => "forged",
            Self::Hidden => "hidden",
            Self::Orphan => "orphan",
            Self::Duplicated => "duplicated",
            Self::Stale => "stale",
            Self::Drifted => "drifted",
            Self::Unknown => "unknown",
            Self::Equal => "equal",
        }
    }
}

/// One static pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    pub namespace: Text,
    /// The mirror's name: with the node's behind it.
    pub name: Text,
    /// Manifests that declare it, by path.
    pub files: Vec<(Text, Locator)>,
    /// The hash that its mirror carries.
    pub mirror: Option<(Text, Locator)>,
    /// Uids under which it runs.
    pub runtime: Vec<Text>,
    /// Everything that it is, the worst first; never empty.
    pub states: Vec<State>,
    /// The first field in which its sources differ.
    pub first: Option<Comparison>,
    /// Why it is [`State::Unknown`].
    pub gap: Option<Gap>,
}

impl Row {
    /// The worst of its states.
    pub fn state(&self) -> State {
        self.states.first().copied().unwrap_or(State::Unknown)
    }

    fn is_about(&self, subject: &Subject) -> bool {
        match subject.kind {
            SubjectKind::Path => self.files.iter().any(|(file, _)| *file == subject.key),
            SubjectKind::Pod => {
                let pod = Subject::pod(&self.namespace, &self.name);
                pod.key == subject.key
            }
            _ => false,
        }
    }
}

/// The checks that a row is read from, and what an offence of each makes it.
const TOLD_BY: [(&str, State); 8] = [
    ("SP-MRG-001", State::Hidden),
    ("SP-MRG-002", State::Forged),
    ("SP-MRG-007", State::Drifted),
    ("SP-MRG-008", State::Stale),
    ("SP-MRG-009", State::Stale),
    ("SP-MRG-010", State::Orphan),
    ("SP-MRG-011", State::Duplicated),
    ("SP-MRG-012", State::Forged),
];

/// One row per static pod of a node, by namespace and name. `verdict` tells what a check says of the node, by its id.
///
/// A pod is here if a manifest declares it, if a mirror shows it, or if it runs unknown to the API server. A row is
/// [`State::Equal`] only where all checks behind it have passed.
pub fn rows<'v>(node: &NodeFacts, verdict: impl Fn(&str) -> Option<&'v Verdict>) -> Vec<Row> {
    let mut rows = sides(node);
    let verdicts: Vec<(State, Option<&Verdict>)> = TOLD_BY
        .iter()
        .map(|(id, state)| (*state, verdict(id)))
        .collect();
    let gap = verdicts.iter().find_map(|(_, verdict)| gap(*verdict));
    for row in &mut rows {
        for (state, verdict) in &verdicts {
            let Some(Verdict::Fail { offences, .. }) = verdict else {
                continue;
            };
            let about = offences.iter().filter(|one| row.is_about(&one.subject));
            let about: Vec<&Offence> = about.filter(|one| one.severity > Severity::Info).collect();
            if about.is_empty() {
                continue;
            }
            row.states.push(*state);
            let first = about.iter().find_map(|one| foremost(&one.compare));
            row.first = row.first.take().or_else(|| first.cloned());
        }
        row.states.sort_unstable();
        row.states.dedup();
        if row.states.is_empty() {
            row.states.push(match &gap {
                Some(_) => State::Unknown,
                None => State::Equal,
            });
            row.gap.clone_from(&gap);
        }
    }
    rows
}

/// Why a verdict proves nothing of what it does not name.
fn gap(verdict: Option<&Verdict>) -> Option<Gap> {
    match verdict {
        None => Some(Gap::NotAsked),
        Some(Verdict::Unknown { why }) => Some(why.clone()),
        Some(Verdict::Fail { gaps, .. }) => gaps.first().cloned(),
        Some(Verdict::Pass { .. } | Verdict::NotApplicable { .. }) => None,
    }
}

/// The rows without their states.
fn sides(node: &NodeFacts) -> Vec<Row> {
    let declared = declared(node).map(|all| all.pods).unwrap_or_default();
    let mut sides = Sides(BTreeMap::new());
    for pod in &declared {
        let row = sides.row(&pod.pod.namespace, &pod.mirror_name);
        row.files.push((pod.manifest.file.clone(), pod.at));
    }
    let list = node.api.mirrors.get().ok();
    for (at, mirror) in list.into_iter().flat_map(mirrors) {
        let hash = mirror.hash.as_ref().unwrap_or(&mirror.mirror_hash);
        let row = sides.row(&mirror.pod.namespace, &mirror.pod.name);
        row.mirror = Some((hash.clone(), at));
    }
    let runtime = node.host.runtime_pods.get().ok();
    let runtime = runtime.iter().flat_map(|seen| &seen.value.pods);
    for pod in runtime.filter(|pod| pod.pids > 0) {
        if let Some(row) = sides.of(node, &declared, pod) {
            row.runtime.push(pod.uid.clone());
        }
    }
    sides.0.into_values().collect()
}

struct Sides(BTreeMap<(Text, Text), Row>);

impl Sides {
    fn row(&mut self, namespace: &Text, name: &Text) -> &mut Row {
        let key = (namespace.clone(), name.clone());
        self.0.entry(key).or_insert_with(|| Row {
            namespace: namespace.clone(),
            name: name.clone(),
            files: Vec::new(),
            mirror: None,
            runtime: Vec::new(),
            states: Vec::new(),
            first: None,
            gap: None,
        })
    }

    /// The row of a pod that runs: by the name of its log folder, by its manifest, by the hash of a mirror. One that the
    /// API server does not know has its own; an ordinary one has none.
    fn of(
        &mut self,
        node: &NodeFacts,
        declared: &[Declared<'_>],
        pod: &RuntimePod,
    ) -> Option<&mut Row> {
        let named = pod.log.clone().filter(|log| self.0.contains_key(log));
        let manifest = || {
            let found = declared.iter().find(|one| one.is(pod))?;
            Some((found.pod.namespace.clone(), found.mirror_name.clone()))
        };
        let shown = || {
            let mut rows = self.0.iter();
            let found = rows.find(|(_, row)| {
                let hash = row.mirror.as_ref().map(|(hash, _)| hash.as_str());
                hash.is_some_and(|hash| same_uid(hash, pod.uid.as_str()))
            });
            found.map(|(key, _)| key.clone())
        };
        if let Some(key) = named.or_else(manifest).or_else(shown) {
            return self.0.get_mut(&key);
        }
        let known = node.api.pods.get().ok()?;
        let mut ids = known.value.iter().chain(&node.api.gone);
        if ids.any(|id| is_known(pod, id)) {
            return None;
        }
        // Named as SP-MRG-010 names it.
        let (namespace, name) = match &pod.log {
            Some(log) => log.clone(),
            None => (Text::new("?"), pod.uid.clone()),
        };
        Some(self.row(&namespace, &name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::{example, find};

    /// `namespace/name files mirror uids states field`, a line for each row.
    fn told(yaml: &str) -> Vec<String> {
        let example = example::read(yaml).expect("an example");
        let verdicts: Vec<(&str, Verdict)> = TOLD_BY
            .iter()
            .map(|(id, _)| {
                let check = find(id).expect("it is registered");
                let verdict = example.judge(&check.judge);
                let verdict = verdict.unwrap_or_else(|why| Verdict::Unknown { why });
                (*id, verdict)
            })
            .collect();
        let verdict = |wanted: &str| {
            let found = verdicts.iter().find(|(id, _)| *id == wanted);
            found.map(|(_, verdict)| verdict)
        };
        let rows = rows(&example.snapshot.nodes[&example.node], verdict);
        let line = |row: &Row| {
            let hash = row.mirror.as_ref().map_or("-", |(hash, _)| hash.as_str());
            let uids: Vec<&str> = row.runtime.iter().map(Text::as_str).collect();
            let states: Vec<&str> = row.states.iter().map(|state| state.name()).collect();
            let field = row.first.as_ref().map_or("-", |first| first.field.as_str());
            let (namespace, name) = (&row.namespace, &row.name);
            format!(
                "{namespace}/{name} {} {hash} {} {} {field}",
                row.files.len(),
                uids.join(","),
                states.join(",")
            )
        };
        rows.iter().map(line).collect()
    }

    const SEEN: &str = "annotations: {kubernetes.io/config.seen: '1970-01-01T00:05:00Z'}";

    #[test]
    fn every_state_has_its_row() {
        let pod = |name: &str, image: &str| {
            format!(
                "{{metadata: {{namespace: s, name: {name}, {SEEN}}}, spec: {{containers: [{{name: c, image: '{image}'}}]}}}}"
            )
        };
        let manifest = |name: &str, file: &str| {
            format!(
                "{{file: {file}, pod: {{metadata: {{namespace: s, name: {name}}}, spec: {{containers: [{{name: c, image: 'r/a:1'}}]}}}}}}"
            )
        };
        let yaml = format!(
            "{{clock: 1000, object: {{}}, kubelet: {{}}, dir: {{}}, namespaces: {{s: {{}}}}, \
             manifests: [{}, {}, {}, {}, {}, {}], \
             mirrors: [{{pod: {}}}, {{pod: {}}}, {{pod: {}}}, {{pod: {}}}, {{pod: {}}}], \
             pods: [{{pod: s/equal-cp-1, uid: a, hash: equal}}, {{pod: s/drift-cp-1, uid: b, hash: drift}}, {{pod: s/twice-cp-1, uid: c, hash: twice}}, {{pod: s/old-cp-1, uid: d, hash: old}}, {{pod: s/web-1, uid: w}}], \
             runtime: [{{uid: equal, log: s/equal-cp-1}}, {{uid: drift, log: s/drift-cp-1}}, {{uid: twice}}, {{uid: older, log: s/old-cp-1}}, {{uid: h, log: s/hidden-cp-1}}, {{uid: o, log: x/o-1}}, {{uid: w, log: s/web-1}}]}}",
            manifest("equal", "equal.yaml"),
            manifest("drift", "drift.yaml"),
            manifest("twice", "twice.yaml"),
            manifest("twice", "twice.yaml.bak"),
            manifest("old", "old.yaml"),
            manifest("hidden", "hidden.yaml"),
            pod("equal-cp-1", "r/a:1"),
            pod("drift-cp-1", "r/a:2"),
            pod("twice-cp-1", "r/a:1"),
            pod("old-cp-1", "r/a:1"),
            pod("forged-cp-1", "r/a:1"),
        );
        assert_eq!(
            told(&yaml),
            [
                "s/drift-cp-1 1 drift drift drifted spec.containers[c].image".to_owned(),
                "s/equal-cp-1 1 equal equal equal -".to_owned(),
                "s/forged-cp-1 0 forged  forged pod".to_owned(),
                "s/hidden-cp-1 1 - h hidden,orphan pod".to_owned(),
                "s/old-cp-1 1 old older forged,orphan,stale metadata.annotations[kubernetes.io/config.hash]".to_owned(),
                "s/twice-cp-1 2 twice twice duplicated -".to_owned(),
                "x/o-1 0 - o orphan -".to_owned(),
            ]
        );
    }

    #[test]
    fn nothing_is_equal_that_was_not_looked_at() {
        let yaml = "{manifests: [{file: a.yaml, pod: s/a}], mirrors: [{pod: s/a-cp-1}]}";
        assert_eq!(told(yaml), ["s/a-cp-1 1 a  unknown -"]);
        let example = example::read(yaml).expect("an example");
        let rows = rows(&example.snapshot.nodes[&example.node], |_| None);
        assert_eq!(rows[0].gap, Some(Gap::NotAsked));
        assert_eq!(told("{}"), [""; 0]);
    }
}
