use super::scope::each_file;
use crate::checks::access::{Reach, readers};
use crate::checks::check::{
    Check, Judge, Maps, Remediation, Tally, View, by_hand, offence, on_node,
};
use crate::model::fact::{Gap, Locator, Need};
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::pod::{Manifest, Parsed, Pod};
use crate::model::text::Text;
use crate::model::tree::{Branch, Members};
use crate::model::verdict::{Severity, Subject, Verdict};

/// What takes the place of a secret before anything is stored.
const MASKED: &str = "<masked";

pub static CHECK: Check = Check {
    id: CheckId("SP-FILE-013"),
    title: "No secret stands in a manifest",
    why: "A password in a manifest is in every backup of the node, in the mirror pod that every reader of pods sees, and in the process list.",
    severity: Severity::High,
    since: "0.2.0",
    needs: &[Need::ManifestDir, Need::Manifests],
    helps: &[Need::Accounts],
    maps: &[Maps::Cis("5.4.1"), Maps::Attack("T1552.001")],
    fix: Remediation {
        steps: &[
            by_hand(
                "put the secret into a file of root:root 0600, mount that file read-only, and name it in the flag or read it in the program",
            ),
            by_hand("then change the secret itself: the old one is in copies of the manifest"),
            on_node("grep -rl SECRET /etc/kubernetes /var/backups"),
        ],
        restarts: "the pod is made anew by the kubelet when the manifest changes",
        undo: &[by_hand(
            "put the old manifest back: keep a copy outside of the folder before you edit",
        )],
    },
    examples: &[
        (
            "{dir: {}, manifests: [{file: a.yaml, pod: {metadata: {name: a, namespace: x}, spec: {containers: [{name: c, command: [app, --token-file=/etc/t], env: [{name: LEVEL, value: info}]}]}}}]}",
            "PASS",
        ),
        (
            "{dir: {}, manifests: [{file: a.yaml, pod: {metadata: {name: a, namespace: x}, spec: {containers: [{name: c, env: [{name: DB_PASSWORD, value: '<masked 00112233>'}]}]}}}]}",
            "FAIL medium: in plain text: DB_PASSWORD",
        ),
        (
            "{dir: {}, manifests: [{file: a.yaml, mode: '0644', pod: {metadata: {name: a, namespace: x}, spec: {containers: [{name: c, args: ['--token=<masked 00112233>']}]}}}, {gap: denied}]}",
            "FAIL high: in plain text: --token; everyone can read the manifest; gap: the login may not read it",
        ),
        (
            "{dir: {}, manifests: [{file: a.yaml, pod: {metadata: {name: a, namespace: x, annotations: {api-token: '<masked 00112233>', kubectl.kubernetes.io/last-applied-configuration: '<masked 00112233>'}}, spec: {containers: [{name: c, livenessProbe: {exec: {command: [sh, --password, '<masked 00112233>']}}, lifecycle: {preStop: {httpGet: {httpHeaders: [{name: Authorization, value: '<masked 00112233>'}]}}}}]}}}]}",
            "FAIL medium: in plain text: Authorization, --password; medium: in plain text: api-token",
        ),
        (
            "{dir: {}, manifests: [{file: a.yaml, broken: no, text: 'kind: Secret'}]}",
            "PASS",
        ),
        (
            "{dir: {}, manifests: [{file: a.yaml, broken: no, text: 'token: <masked 00112233>'}]}",
            "FAIL medium: in plain text: a secret in what is no pod",
        ),
        (
            "{dir: {}, manifests: [{file: a.yaml, broken: no}]}",
            "MANUAL: does /etc/kubernetes/manifests/a.yaml, which is no pod, hold a secret?",
        ),
        (
            "{dir: {}, manifests: [{file: a.yaml, pod: x/a, ignored: 1}]}",
            "MANUAL: do the further documents of /etc/kubernetes/manifests/a.yaml hold a secret?",
        ),
        (
            "{dir: {}, manifests: [{file: a.yaml, pod: x/a, duplicates: [spec.containers.0.env], text: 'value: <masked 00112233>'}]}",
            "FAIL medium: in plain text: a key that it gives twice",
        ),
        ("dir: none", "N/A: no static pod folder is configured"),
        (
            "{dir: {}, manifests: [{file: a.yaml, unread: denied}]}",
            "UNKNOWN: the login may not read it",
        ),
    ],
    judge: Judge::Node(judge),
    file: file!(),
};

/// What kubectl leaves behind: a copy of the whole, whose secrets are told where they are.
const COPY: &str = "kubectl.kubernetes.io/last-applied-configuration";
/// Nothing legitimate nests deeper.
const DEPTH: u8 = 64;

fn judge(node: &NodeFacts, _: &View<'_>) -> Result<Verdict, Gap> {
    each_file(node, |manifest, at, tally| {
        let Some(parsed) = tally.take(&manifest.pod) else {
            return;
        };
        tally.good(parsed.at);
        let mut found = Found {
            readers: None,
            node,
            manifest,
            at,
        };
        if let Some(pod) = parsed.value.pod() {
            found.in_pod(pod, tally);
        }
        found.beside(&parsed.value, tally);
    })
}

/// Secrets of one manifest, told with those who can read it.
struct Found<'m> {
    readers: Option<Reach>,
    node: &'m NodeFacts,
    manifest: &'m Manifest,
    at: Locator,
}

impl Found<'_> {
    fn in_pod(&mut self, pod: &Pod, tally: &mut Tally) {
        for (_, container) in pod.containers() {
            let mut names = Vec::new();
            secrets(container, "", DEPTH, &mut names);
            let name = container.get("name").and_then(Branch::as_str);
            let name = Text::new(name.unwrap_or_default());
            let subject = Subject::container(&pod.namespace, &pod.name, &name);
            self.tell(subject, &names, tally);
        }
        let mut names = Vec::new();
        secrets(pod.metadata(), "", DEPTH, &mut names);
        let fields = pod.spec().as_object().into_iter().flat_map(Members::iter);
        for (field, value) in fields {
            if !CONTAINERS.contains(&field) {
                secrets(value, field, DEPTH, &mut names);
            }
        }
        self.tell(Subject::pod(&pod.namespace, &pod.name), &names, tally);
    }

    /// Parts of a file of which the kubelet makes no pod.
    fn beside(&mut self, parsed: &Parsed, tally: &mut Tally) {
        let text = self.manifest.text.as_str();
        let path = &self.manifest.file;
        let question = match parsed {
            Parsed::Pod {
                ignored_documents: more,
                ..
            } if *more > 0 => format!("do the further documents of {path} hold a secret?"),
            Parsed::Pod { duplicates, .. } if duplicates.is_empty() => return,
            Parsed::Pod { pod, .. } => {
                let inside = pod.raw.to_string().matches(MASKED).count();
                if text.matches(MASKED).count() > inside {
                    let names = ["a key that it gives twice".to_owned()];
                    self.tell(Subject::path(path), &names, tally);
                }
                return;
            }
            Parsed::Broken { .. } => {
                if text.contains(MASKED) {
                    let names = ["a secret in what is no pod".to_owned()];
                    return self.tell(Subject::path(path), &names, tally);
                }
                // Without its text, and without the sum of an empty one, it was not kept.
                if !text.is_empty() || self.manifest.sha256.is_some() {
                    return;
                }
                format!("does {path}, which is no pod, hold a secret?")
            }
        };
        tally.gap(Gap::NeedsHuman {
            question: Text::from(question),
        });
    }

    fn tell(&mut self, subject: Subject, names: &[String], tally: &mut Tally) {
        if names.is_empty() {
            return;
        }
        let accounts = &self.node.host.accounts;
        let walk = &self.manifest.walk;
        let reach = self.readers.get_or_insert_with(|| readers(walk, accounts));
        let mut message = format!("in plain text: {}", names.join(", "));
        let mut severity = Severity::Medium;
        if let Some(way) = reach.ways.first() {
            severity = Severity::High;
            message.push_str(&format!("; {} can read the manifest", way.people()));
        }
        tally.offence(offence(subject, severity, message, [self.at]));
        tally.gaps(reach.gaps.iter().cloned());
    }
}

/// Fields of a pod's spec that are lists of containers.
const CONTAINERS: [&str; 3] = ["initContainers", "containers", "ephemeralContainers"];

/// Names of what was masked below a field: variables, headers, flags, keys; never a value.
fn secrets(value: Branch<'_>, key: &str, depth: u8, out: &mut Vec<String>) {
    if depth == 0 || key == COPY {
        return;
    }
    if value.as_str().is_some_and(|text| text.contains(MASKED)) {
        return add(key, out);
    }
    if let Some(items) = value.as_array() {
        let mut before = key;
        for item in items.iter() {
            match item.as_str().map(|word| (word, word.split_once(MASKED))) {
                Some((word, None)) => before = word,
                Some((word, Some((head, _)))) => {
                    let flag = head.split('=').next().unwrap_or_default();
                    add(if flag.is_empty() { before } else { flag }, out);
                    before = word;
                }
                None => secrets(item, key, depth - 1, out),
            }
        }
        return;
    }
    let members = value.as_object().into_iter().flat_map(Members::iter);
    // A variable or a header is told by its name.
    let named = value.get("name").and_then(Branch::as_str);
    for (field, value) in members {
        let field = match (field, named) {
            ("value", Some(name)) => name,
            (field, _) => field,
        };
        secrets(value, field, depth - 1, out);
    }
}

fn add(name: &str, out: &mut Vec<String>) {
    let name = Text::new(name).to_string();
    if !out.contains(&name) {
        out.push(name);
    }
}
