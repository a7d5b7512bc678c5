//! Why a static pod has no mirror: from the symptom to its cause, each link with its evidence.
//!
//! Lives here: the chain. Never lives here: whether the pod has a mirror (SP-MRG-001), or how a chain is drawn.

use super::api_references::told;
use super::blockers::{Asked, Cause, CauseKind, Standing, from_files};
use super::pairs::{Declared, declared, is_unnamed};
use super::references::{Fate, fate, references};
use super::refused_mirror::pod_security;
use crate::checks::check::{View, few};
use crate::model::fact::{Gap, Locator, Need};
use crate::model::files::LogLine;
use crate::model::node::NodeFacts;
use crate::model::text::Text;

/// A line of the log speaks of now for so long: the kubelet tries again about every minute.
const FRESH: i64 = 600;
/// Characters of a line that are told.
const SAID: usize = 240;

/// What keeps the mirror of a static pod away, or could: first what the kubelet says, then cause by cause in the order
/// of [`CauseKind`]. Every kind is there at least once, be it as ruled out or not known; what the kubelet's log names
/// is proven.
pub fn why(node: &NodeFacts, view: &View<'_>, pod: &Declared<'_>) -> Vec<Cause> {
    let (log, said) = log(node, pod);
    let mut causes = vec![namespace(view, pod), reference(node, pod)];
    match Asked::of(node, view, pod) {
        Ok(Some(asked)) => {
            causes.push(pod_security(node, view, pod, asked.namespace));
            causes.extend(asked.causes());
            causes.push(from_files(view));
        }
        // Without its namespace nothing else is asked.
        Ok(None) => {}
        Err(gap) => {
            let kinds = [
                CauseKind::PodSecurity,
                CauseKind::Webhook,
                CauseKind::Policy,
                CauseKind::Quota,
                CauseKind::Limits,
                CauseKind::Priority,
            ];
            causes.extend(kinds.map(|kind| Cause::unknown(kind, gap.clone())));
        }
    }
    if let Some(said) = said {
        for cause in &mut causes {
            let named = cause
                .token
                .as_ref()
                .is_some_and(|token| said.contains(token));
            if named && cause.standing != Standing::RuledOut {
                cause.standing = Standing::Proven;
                cause.evidence.extend(log.evidence.iter().copied());
            }
        }
    }
    causes.insert(0, log);
    causes.sort_by_key(|cause| cause.kind);
    causes
}

/// A static pod without a mirror, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hidden {
    /// `namespace/name` that its mirror would have.
    pub names: String,
    pub file: Text,
    /// That it is declared, and that no mirror is there.
    pub evidence: [Locator; 2],
    /// Live processes on the node have its name or uid; none where that is not known.
    pub runs: Option<bool>,
    pub causes: Vec<Cause>,
}

/// Every static pod of a node that has no mirror, in the order of the manifests.
///
/// # Errors
/// The gap where manifests or mirrors are not known.
pub fn of_node(node: &NodeFacts, view: &View<'_>) -> Result<Vec<Hidden>, Gap> {
    let declared = declared(node)?;
    let mirrors = node.api.mirrors.get()?;
    if let Some(gap) = &node.api.unread {
        return Err(gap.clone());
    }
    let runtime = node.host.runtime_pods.get().ok();
    let without = declared.pods.iter().filter(|pod| {
        let mut all = mirrors.value.iter();
        !all.any(|mirror| pod.is_mirrored_by(mirror))
    });
    let hidden = without.map(|pod| Hidden {
        names: pod.names(),
        file: pod.manifest.file.clone(),
        evidence: [pod.at, mirrors.at],
        runs: runtime.and_then(|seen| {
            let runs = !pod.running(&seen.value).is_empty();
            let is_whole =
                !seen.value.hidepid && !seen.value.pods.iter().any(|one| is_unnamed(node, one));
            (runs || is_whole).then_some(runs)
        }),
        causes: why(node, view, pod),
    });
    Ok(hidden.collect())
}

/// What a finding says behind the symptom: `; cause: ...`, `; possible: ...`, or nothing.
pub fn in_short(causes: &[Cause]) -> String {
    let with = |standing: &Standing, log: bool| -> Vec<&str> {
        let found = causes.iter().filter(|cause| {
            cause.standing == *standing && (log == (cause.kind == CauseKind::KubeletLog))
        });
        found.map(|cause| cause.words.as_str()).collect()
    };
    let (proven, said) = (
        with(&Standing::Proven, false),
        with(&Standing::Proven, true),
    );
    let possible = with(&Standing::Possible, false);
    let (head, words) = match (proven.is_empty(), said.is_empty()) {
        (false, _) => ("cause", proven),
        (true, false) => ("cause", said),
        (true, true) => ("possible", possible),
    };
    if words.is_empty() {
        return String::new();
    }
    format!("; {head}: {}", few(&words))
}

/// The evidence of what is proven.
pub fn proof(causes: &[Cause]) -> impl Iterator<Item = Locator> {
    let proven = causes
        .iter()
        .filter(|cause| cause.standing == Standing::Proven);
    proven.flat_map(|cause| cause.evidence.iter().copied())
}

fn namespace(view: &View<'_>, pod: &Declared<'_>) -> Cause {
    let kind = CauseKind::Namespace;
    let name = &pod.pod.namespace;
    let cluster = &view.snapshot.cluster;
    let found = cluster
        .namespaces
        .get()
        .and_then(|list| Ok((list.at, cluster.namespace(name.as_str())?)));
    match found {
        Err(gap) => Cause::unknown(kind, gap),
        Ok((list, None)) => {
            let words = format!("the namespace {name} does not exist");
            Cause::new(kind, Standing::Proven, words).at([list])
        }
        Ok((_, Some((index, found)))) => {
            let at = Locator::new(Need::Namespaces, index);
            if found.phase == "Terminating" {
                let words = format!("the namespace {name} is being deleted");
                return Cause::new(kind, Standing::Proven, words).at([at]);
            }
            let words = format!("the namespace {name} exists");
            Cause::new(kind, Standing::RuledOut, words).at([at])
        }
    }
}

fn reference(node: &NodeFacts, pod: &Declared<'_>) -> Cause {
    let kind = CauseKind::Reference;
    let found = references(pod.pod);
    let object = node.api.object.get().ok().map(|object| object.at);
    let evidence = [pod.at].into_iter().chain(object);
    if found.is_empty() {
        let words = "it refers to no API object";
        return Cause::new(kind, Standing::RuledOut, words).at(evidence);
    }
    let fate = fate(node, &found);
    let standing = match fate {
        Fate::Hidden | Fate::Refused => Standing::Proven,
        Fate::Shown => Standing::RuledOut,
        Fate::Untold => Standing::Possible,
    };
    let words = format!("it {}", told(node, &found, fate));
    Cause::new(kind, standing, words).at(evidence)
}

/// What the kubelet's log says last of the pod, and its words where they are fresh.
fn log(node: &NodeFacts, pod: &Declared<'_>) -> (Cause, Option<String>) {
    let kind = CauseKind::KubeletLog;
    let log = match node.host.kubelet_log.get() {
        Ok(log) => log,
        Err(gap) => return (Cause::unknown(kind, gap), None),
    };
    let about = log
        .value
        .lines
        .iter()
        .rev()
        .find(|line| is_about(line, pod));
    let Some(line) = about else {
        let words = "of its last day it says nothing of this pod";
        let gap = Gap::NeedsHuman {
            question: Text::new("what does the kubelet do with it? journalctl -u kubelet"),
        };
        let mut cause = Cause::unknown(kind, gap).at([log.at]);
        words.clone_into(&mut cause.words);
        return (cause, None);
    };
    let plain = line.text.as_str().replace('\\', "");
    let clock = node.host.identity.get().ok().map(|own| own.value.clock);
    let age = clock
        .zip(line.at)
        .map(|(clock, at)| clock.saturating_sub(at));
    let said = said(&plain);
    match age {
        Some(age) if age <= FRESH => {
            let words = format!("the kubelet says: {said}");
            (
                Cause::new(kind, Standing::Proven, words).at([log.at]),
                Some(plain),
            )
        }
        age => {
            let when = age.map_or("once".to_owned(), |age| format!("{age} s ago"));
            let words = format!("the kubelet said {when}: {said}");
            (
                Cause::new(kind, Standing::Possible, words).at([log.at]),
                None,
            )
        }
    }
}

/// Whether a line names the pod as a whole word: its mirror, or its file.
fn is_about(line: &LogLine, pod: &Declared<'_>) -> bool {
    let text = line.text.as_str();
    let file = pod.manifest.file.as_str();
    holds(text, &pod.names()) || holds(text, file)
}

fn holds(text: &str, word: &str) -> bool {
    let inside = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_' | '/');
    text.match_indices(word).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + word.len()..].chars().next();
        !before.is_some_and(inside) && !after.is_some_and(inside)
    })
}

/// The error of a line of klog, else the line; bounded.
fn said(plain: &str) -> String {
    let error = plain.split_once("err=\"").map_or(plain, |(_, rest)| rest);
    let end = error.find("\" pod=").or_else(|| error.find("\" path="));
    let error = end.map_or(error, |end| &error[..end]).trim_end_matches('"');
    match error.char_indices().nth(SAID) {
        Some((end, _)) => format!("{}...", &error[..end]),
        None => error.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_whole_words_and_errors_are_cut_out() {
        assert!(holds("pod=\"a/b-cp-1\"", "a/b-cp-1"));
        assert!(!holds("pod=\"aa/b-cp-1\"", "a/b-cp-1"));
        assert!(!holds("pod=\"a/b-cp-10\"", "a/b-cp-1"));
        let line = "E1 kubelet.go:1] \"Failed creating a mirror pod\" err=\"pods \"b\" is forbidden: exceeded quota: q\" pod=\"a/b\"";
        assert_eq!(said(line), "pods \"b\" is forbidden: exceeded quota: q");
        assert_eq!(said("no error"), "no error");
        assert_eq!(said(&"ä".repeat(1000)).chars().count(), SAID + 3);
    }

    /// Kind and standing of each link for the first hidden pod of an example that has shop/a on its node.
    fn chain(more: &str) -> Vec<String> {
        let yaml = format!(
            "{{clock: 1000, kubelet: {{}}, mirrors: [], runtime: [{{uid: u, log: shop/a-cp-1}}], {more}}}"
        );
        let example = crate::checks::example::read(&yaml).expect("an example");
        let view = View::new(&example.snapshot, &example.policy, example.snapshot.taken);
        let node = &example.snapshot.nodes[&example.node];
        let hidden = of_node(node, &view).expect("manifests and mirrors are known");
        assert_eq!((hidden.len(), hidden[0].runs), (1, Some(true)), "{more}");
        let link = |cause: &Cause| format!("{}: {}", cause.kind.name(), cause.standing.name());
        hidden[0].causes.iter().map(link).collect()
    }

    #[test]
    fn a_chain_names_every_kind_and_how_sure_it_is() {
        let pod = "manifests: [{file: a.yaml, pod: shop/a}]";
        let lists = "mutating_webhooks: [], validating_webhooks: [], validating_policies: [{name: no, rules: [{apiGroups: [''], resources: [pods], operations: [CREATE]}]}], validating_policy_bindings: [{name: no, policy: no, actions: [Deny]}], mutating_policies: [], mutating_policy_bindings: [], resource_quotas: [], limit_ranges: [], priority_classes: []";
        assert_eq!(
            chain(&format!("{pod}, namespaces: {{}}")),
            [
                "kubelet's log: unknown",
                "namespace: proven",
                "API objects: ruled out"
            ]
        );
        let tail = [
            "quota: ruled out",
            "LimitRange: ruled out",
            "priority: ruled out",
        ];
        let head = |log: &str, policy: &str| {
            let links = [
                &format!("kubelet's log: {log}"),
                "namespace: ruled out",
                "API objects: ruled out",
                "Pod Security: ruled out",
                "webhook: ruled out",
                &format!("admission policy: {policy}"),
                "admission policy: ruled out",
            ]
            .map(str::to_owned);
            [&links[..], &tail.map(str::to_owned)[..]].concat()
        };
        // No API server is seen: its Pod Security defaults could forbid a pod, here they forbid nothing.
        let shop = "version: v1.36.1, manifests: [{file: a.yaml, pod: {metadata: {name: a, namespace: shop}, spec: {}}}], namespaces: {shop: {enforce: privileged}}";
        // As a kubelet of 1.37.2 writes it.
        let line = r#"E1124 23:07:10.854372     202 kubelet.go:3581] "Failed creating a mirror pod" err="pods \"a-cp-1\" is forbidden: ValidatingAdmissionPolicy 'no' with binding 'no' denied request: never" pod="shop/a-cp-1""#;
        let log = |at: i64| {
            let text = serde_json::to_string(line).expect("JSON");
            format!("{shop}, {lists}, kubelet_log: [{{at: {at}, text: {text}}}]")
        };
        assert_eq!(
            chain(&format!("{shop}, {lists}")),
            head("unknown", "possible")
        );
        assert_eq!(chain(&log(990)), head("proven", "proven"));
        assert_eq!(chain(&log(100)), head("possible", "possible"));
    }
}
