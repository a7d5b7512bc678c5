use std::collections::BTreeMap;

use super::compare::{compare, differing, shortened};
use super::pairs::{Declared, declared};
use crate::checks::check::{
    Check, Judge, Maps, Remediation, Tally, View, by_hand, comparing, kubectl, offence, on_node,
};
use crate::model::fact::{Gap, Need};
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::pod::Mirror;
use crate::model::text::Text;
use crate::model::verdict::{Offence, Severity, Subject, Verdict};

/// As many rows as a finding carries.
const ROWS: usize = 60;

pub static CHECK: Check = Check {
    id: CheckId("SP-MRG-011"),
    title: "Each static pod is declared by one file",
    why: "Of two files with one pod name the kubelet runs one, and which one is not defined: an old or planted copy can win at any restart.",
    severity: Severity::High,
    since: "0.1.0",
    needs: &[Need::Manifests],
    helps: &[Need::MirrorPods],
    maps: &[
        Maps::Source("kubernetes/kubernetes#136962"),
        Maps::Source("kubernetes/kubernetes#129364"),
        Maps::Attack("T1036"),
    ],
    fix: Remediation {
        steps: &[
            on_node("ls -l --time-style=full-iso {dir}"),
            by_hand(
                "decide which file is right; the finding says which one matches what the API server shows. If it is the other one, copy its content over first",
            ),
            by_hand(
                "taking either file away stops the pod until the kubelet lists the folder again, up to fileCheckFrequency (20 s), whichever had won: on kube-apiserver or etcd that is an outage of this node's control plane, so one node at a time",
            ),
            on_node("mv {path} /root/"),
            kubectl("kubectl get pods -A -w --field-selector spec.nodeName={node}"),
        ],
        restarts: "the pod: away for up to fileCheckFrequency (20 s) plus its start",
        undo: &[on_node("mv /root/{file} {dir}/")],
    },
    examples: &[
        (
            "{manifests: [{file: a.yaml, pod: x/a}, {file: b.yaml, pod: x/b}, {file: c.yaml, pod: y/a}]}",
            "PASS",
        ),
        (
            "{manifests: [{file: etcd.yaml, pod: {metadata: {name: etcd}, spec: {hostPID: true}}}, {file: etcd.yaml.bak, pod: {metadata: {name: etcd}, spec: {}}}], \
             mirrors: [{pod: {metadata: {name: etcd-cp-1}, spec: {}}}]}",
            "FAIL high: etcd.yaml.bak declares default/etcd too, beside etcd.yaml; the mirror matches etcd.yaml.bak",
        ),
        (
            "{manifests: [{file: 0.old, pod: x/a}, {file: a.yaml, pod: x/a}, {file: b.yaml, pod: x/a}], mirrors: [{pod: x/a-cp-1}]}",
            "FAIL high: b.yaml declares x/a too, beside a.yaml; the mirror matches a.yaml, b.yaml, 0.old; high: 0.old declares x/a too, beside a.yaml; the mirror matches a.yaml, b.yaml, 0.old",
        ),
        (
            "{manifests: [{file: a.yaml, pod: x/a}, {file: b.yaml, pod: x/a}, {file: c.yaml, gap: denied}], mirrors: []}",
            "FAIL high: b.yaml declares x/a too, beside a.yaml; there is no mirror; gap: the login may not read it",
        ),
        (
            "{manifests: [{file: a.yaml, pod: x/a}, {file: b.yaml, pod: x/a}]}",
            "FAIL high: b.yaml declares x/a too, beside a.yaml; which one runs is not known",
        ),
        (
            "{manifests: [{file: a.yaml, pod: x/a}, {file: b.yaml, unread: denied}]}",
            "UNKNOWN: the login may not read it",
        ),
    ],
    judge: Judge::Node(judge),
    file: file!(),
};

fn judge(node: &NodeFacts, _: &View<'_>) -> Result<Verdict, Gap> {
    let declared = declared(node)?;
    let mut tally = Tally::new();
    declared.tell(&mut tally);
    let mut groups: BTreeMap<(&Text, &Text), Vec<&Declared<'_>>> = BTreeMap::new();
    for pod in &declared.pods {
        let key = (&pod.pod.namespace, &pod.pod.name);
        groups.entry(key).or_default().push(pod);
    }
    for files in groups.values_mut().filter(|files| files.len() > 1) {
        // The file that is meant: one that is named like a manifest, the first of these. It is named
        // here and is no offence; its choice does not depend on what runs, so that findings keep their identity.
        files.sort_by_key(|pod| (!is_named_well(&pod.manifest.file), &pod.manifest.file));
        let mut rest = files.iter();
        if let Some(meant) = rest.next() {
            for other in rest {
                tally.offence(duplicate(node, files, meant, other));
            }
        }
    }
    tally.verdict()
}

/// Names that a person gives to a manifest on purpose.
fn is_named_well(file: &Text) -> bool {
    let name = file.as_str();
    let ends = [".yaml", ".yml", ".json", ".manifest"];
    ends.iter().any(|end| name.ends_with(end))
}

fn file_name(pod: &Declared<'_>) -> String {
    let file = pod.manifest.file.as_str();
    file.rsplit('/').next().unwrap_or(file).to_owned()
}

fn duplicate(
    node: &NodeFacts,
    files: &[&Declared<'_>],
    meant: &Declared<'_>,
    other: &Declared<'_>,
) -> Offence {
    let list = node.api.mirrors.get().ok();
    let mirror = list.map(|list| {
        let mut mirrors = list.value.iter();
        mirrors.find(|mirror| meant.is_mirrored_by(mirror))
    });
    let rows =
        |file: &Declared<'_>, mirror: &Mirror| compare(file.pod, &mirror.pod, node.name.as_str());
    let (words, compared) = match mirror {
        None => ("which one runs is not known".to_owned(), Vec::new()),
        Some(None) if node.api.unread.is_some() => {
            ("which one runs is not known".to_owned(), Vec::new())
        }
        Some(None) => ("there is no mirror".to_owned(), Vec::new()),
        Some(Some(mirror)) => {
            let matching: Vec<String> = files
                .iter()
                .filter(|file| differing(&rows(file, mirror)).count() == 0)
                .map(|file| file_name(file))
                .collect();
            let words = match matching.as_slice() {
                [] => "the mirror matches neither".to_owned(),
                names => format!("the mirror matches {}", names.join(", ")),
            };
            // What the reader wants to see is how the file that is meant differs from what is shown.
            (words, shortened(rows(meant, mirror), ROWS))
        }
    };
    let message = format!(
        "{} declares {}/{} too, beside {}; {words}",
        file_name(other),
        other.pod.namespace,
        other.pod.name,
        file_name(meant),
    );
    let evidence = [meant.at, other.at]
        .into_iter()
        .chain(list.map(|list| list.at));
    let subject = Subject::path(&other.manifest.file);
    comparing(
        offence(subject, Severity::High, message, evidence),
        compared,
    )
}
