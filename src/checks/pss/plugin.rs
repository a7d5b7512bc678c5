use super::admission::each_server;
use crate::checks::check::{Check, Judge, Maps, Remediation, View, by_hand, offence, on_node};
use crate::checks::flags;
use crate::model::fact::{Gap, Need};
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::verdict::{Severity, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-PSS-006"),
    title: "Pod Security admission is not switched off",
    why: "With the plugin disabled every level on every namespace is a promise that nobody keeps.",
    severity: Severity::High,
    since: "0.2.0",
    needs: &[Need::Manifests],
    helps: &[],
    maps: &[Maps::Cis("5.2.1"), Maps::Pss("baseline")],
    fix: Remediation {
        steps: &[
            on_node("grep -rlFe disable-admission-plugins /etc/kubernetes/manifests"),
            by_hand(
                "copy that file out of the folder as a backup; take PodSecurity out of --disable-admission-plugins; look at the levels of all namespaces first, they begin to hold at once",
            ),
        ],
        restarts: "the API server, 10 to 60 s away; one node at a time",
        undo: &[by_hand("put the backup back under its old name")],
    },
    examples: &[
        (
            "manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {containers: [{name: c, command: [kube-apiserver, --disable-admission-plugins=StorageObjectInUseProtection]}]}}}]",
            "PASS",
        ),
        (
            "manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {containers: [{name: c, command: [/usr/bin/kube-apiserver], args: [--disable-admission-plugins, 'PodSecurity, X']}]}}}, {file: b.yaml, unread: denied}]",
            "FAIL high: the API server of default/a runs without Pod Security (--disable-admission-plugins); gap: the login may not read it",
        ),
        (
            "manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {containers: [{name: c, command: [kube-apiserver, --disable-admission-plugins=PodSecurity, --disable-admission-plugins=X]}]}}}]",
            "FAIL high: the API server of default/a runs without Pod Security (--disable-admission-plugins)",
        ),
        (
            "manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {containers: [{name: c, command: [kube-apiserver, --admission-control=NodeRestriction, --admission-control=X]}]}}}]",
            "FAIL high: the API server of default/a runs without Pod Security (--admission-control)",
        ),
        (
            "manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {containers: [{name: c, command: [sh, -c, 'exec kube-apiserver --disable-admission-plugins=\"PodSecurity\"']}, {name: d, command: [proxy, --disable-admission-plugins=X]}]}}}]",
            "FAIL high: the API server of default/a runs without Pod Security (--disable-admission-plugins)",
        ),
        (
            "manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {containers: [{name: c, command: [kube-apiserver, $(MORE)]}]}}}]",
            "MANUAL: what does $(MORE) bring to --disable-admission-plugins?",
        ),
        (
            "manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {containers: [{name: c, command: [watch, kube-apiserver]}]}}}]",
            "N/A: no API server is declared here as a static pod",
        ),
        (
            "manifests: [{file: a.yaml, pod: shop/a}]",
            "N/A: no API server is declared here as a static pod",
        ),
        (
            "manifests: [{file: a.yaml, pod: shop/a}, {file: b.yaml, unread: denied}]",
            "UNKNOWN: the login may not read it",
        ),
        (
            "manifests: {gap: denied}",
            "UNKNOWN: the login may not read it",
        ),
    ],
    judge: Judge::Node(judge),
    file: file!(),
};

fn judge(node: &NodeFacts, _: &View<'_>) -> Result<Verdict, Gap> {
    each_server(node, |around, words, tally| {
        let off = match flags::turned_off(words, "PodSecurity") {
            Ok(off) => off,
            Err(gap) => return tally.gap(gap),
        };
        if let Some(flag) = off {
            let message = format!(
                "the API server of {} runs without Pod Security (--{flag})",
                around.name()
            );
            tally.offence(offence(
                around.subject(),
                Severity::High,
                message,
                [around.at],
            ));
        }
    })
}
