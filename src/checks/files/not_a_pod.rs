use super::scope::each_file;
use crate::checks::check::{
    Check, Judge, Maps, Remediation, Tally, View, by_hand, offence, on_node,
};
use crate::model::fact::{Gap, Locator, Need};
use crate::model::known::CONFIG_MIRROR;
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::pod::{Manifest, Parsed};
use crate::model::verdict::{Severity, Subject, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-FILE-012"),
    title: "Every loaded file is one pod that the kubelet runs",
    why: "A manifest that stops parsing stops its pod at the kubelet's next look, and what stands behind the first document is never run, without a word.",
    severity: Severity::High,
    since: "0.1.0",
    needs: &[Need::ManifestDir, Need::Manifests],
    helps: &[],
    maps: &[Maps::Source("kubernetes pkg/kubelet/config/file.go")],
    fix: Remediation {
        steps: &[
            on_node("cp -p {path} /root/"),
            by_hand(
                "correct {path} as the finding says: one v1 Pod with a name, one document, no annotation kubernetes.io/config.mirror; what is no manifest belongs elsewhere",
            ),
            on_node("kubectl create --dry-run=client -o name -f {path}"),
            on_node("journalctl -u kubelet --since -2min"),
        ],
        restarts: "the pod of the file: it starts, or starts again if its content changed, within fileCheckFrequency (20 s)",
        undo: &[on_node("cp -p /root/{file} {dir}/")],
    },
    examples: &[
        ("{dir: {}, manifests: [{file: a.yaml, pod: x/a}]}", "PASS"),
        (
            "{dir: {}, manifests: [{file: a.yaml, broken: 'line 3: mapping values are not allowed here'}, {file: b.yaml, gap: denied}]}",
            "FAIL high: the kubelet cannot run it: line 3: mapping values are not allowed here; gap: the login may not read it",
        ),
        (
            "{dir: {}, manifests: [{file: a.yaml, pod: x/a, ignored: 2}]}",
            "FAIL medium: only the first document is run, 2 more are ignored",
        ),
        (
            "{dir: {}, manifests: [{file: a.yaml, pod: {metadata: {name: a, annotations: {kubernetes.io/config.mirror: x}}, spec: {}}}]}",
            "FAIL medium: it carries the annotation kubernetes.io/config.mirror, and such a file is never run",
        ),
        (
            "{dir: {}, manifests: [{file: a.yaml, ignored: 1, pod: {metadata: {name: a, annotations: {kubernetes.io/config.mirror: x}}, spec: {}}}]}",
            "FAIL medium: it carries the annotation kubernetes.io/config.mirror, and such a file is never run; only the first document is run, 1 more is ignored",
        ),
        (
            "{dir: {}, manifests: [{file: pipe, kind: fifo, broken: a fifo}]}",
            "PASS",
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

fn judge(node: &NodeFacts, _: &View<'_>) -> Result<Verdict, Gap> {
    each_file(node, one)
}

fn one(manifest: &Manifest, at: Locator, tally: &mut Tally) {
    let Some(parsed) = tally.take(&manifest.pod) else {
        return;
    };
    tally.good(at);
    tally.good(parsed.at);
    let mut say = |severity, message: String| {
        let subject = Subject::path(&manifest.file);
        tally.offence(offence(subject, severity, message, [at, parsed.at]));
    };
    match &parsed.value {
        Parsed::Broken { message } => {
            say(
                Severity::High,
                format!("the kubelet cannot run it: {message}"),
            );
        }
        Parsed::Pod {
            pod,
            ignored_documents,
            ..
        } => {
            if pod.annotation(CONFIG_MIRROR).is_some() {
                let message = format!(
                    "it carries the annotation {CONFIG_MIRROR}, and such a file is never run"
                );
                say(Severity::Medium, message);
            }
            if *ignored_documents > 0 {
                let verb = if *ignored_documents == 1 { "is" } else { "are" };
                let message = format!(
                    "only the first document is run, {ignored_documents} more {verb} ignored"
                );
                say(Severity::Medium, message);
            }
        }
    }
}
