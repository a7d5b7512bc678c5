use super::owner;
use super::scope::{each_file, way};
use crate::checks::access::writers;
use crate::checks::check::{Check, Judge, Maps, Remediation, View, by_hand, offence, on_node};
use crate::model::fact::{Gap, Need};
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::verdict::{Severity, Subject, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-FILE-005"),
    title: "Every loaded manifest belongs to root:root",
    why: "The owner of a manifest can change it, and with it what runs as root on the node.",
    severity: Severity::High,
    since: "0.1.0",
    needs: &[Need::ManifestDir, Need::Manifests],
    helps: &[Need::Accounts],
    maps: &[
        Maps::Cis("1.1.2"),
        Maps::Cis("1.1.4"),
        Maps::Cis("1.1.6"),
        Maps::Cis("1.1.8"),
    ],
    fix: Remediation {
        steps: &[on_node("chown root:root {path}"), on_node("ls -l {path}")],
        restarts: "nothing: the kubelet reads the file again and finds the same pod",
        undo: &[by_hand("chown back to the owner that the evidence shows")],
    },
    examples: &[
        (
            "{dir: {}, manifests: [{file: a.yaml, owner: '0:0', pod: x/a}]}",
            "PASS",
        ),
        (
            "{dir: {}, manifests: [{file: a.yaml, owner: '1000:1000', pod: x/a}, {file: b.yaml, gap: denied}]}",
            "FAIL high: it belongs to 1000:1000, not to root:root; gap: the login may not read it",
        ),
        (
            "{dir: {mode: '0700'}, manifests: [{file: a.yaml, owner: '1000:0', pod: x/a}], \
             accounts: {users: ['alice:1000:1000'], groups: ['root:0:']}}",
            "FAIL low: it belongs to alice:root (1000:0), not to root:root; nobody but root can change it",
        ),
        (
            "{dir: {}, manifests: [{file: a.yaml, mode: '0640', owner: '0:995', pod: x/a}]}",
            "FAIL low: it belongs to 0:995, not to root:root; nobody but root can change it",
        ),
        ("dir: none", "N/A: no static pod folder is configured"),
        (
            "{dir: {}, manifests: {gap: denied}}",
            "UNKNOWN: the login may not read it",
        ),
    ],
    judge: Judge::Node(judge),
    file: file!(),
};

fn judge(node: &NodeFacts, _: &View<'_>) -> Result<Verdict, Gap> {
    each_file(node, |manifest, at, tally| {
        let evidence = way(&manifest.walk, at);
        tally.all_good(&evidence);
        let object = manifest.walk.object();
        let Some(object) = object.filter(|object| !owner::is_roots(&object.stat)) else {
            return;
        };
        let reach = writers(&manifest.walk, &node.host.accounts);
        let severity = owner::severity(&reach);
        let words = owner::words(&object.stat, &node.host.accounts);
        let rest = match severity {
            Severity::Low => "; nobody but root can change it",
            _ => "",
        };
        tally.offence(offence(
            Subject::path(&manifest.file),
            severity,
            format!("it belongs to {words}, not to root:root{rest}"),
            evidence,
        ));
        tally.gaps(reach.gaps);
    })
}
