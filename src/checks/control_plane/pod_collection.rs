use crate::checks::check::{Check, Judge, Maps, View, by_hand};
use crate::checks::component::mend::{KEEP_CONTROLLER_MANAGER, controller_manager};
use crate::checks::component::{self, Component, Given, HELPS, NEEDS, Said, bad, good};
use crate::model::fact::Gap;
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::verdict::{Severity, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-CPL-012"),
    title: "Ended pods are collected",
    why: "Pods that have ended and are never collected fill etcd until the API server stops.",
    severity: Severity::Info,
    since: "0.2.0",
    needs: NEEDS,
    helps: HELPS,
    maps: &[Maps::Cis("1.3.1")],
    fix: controller_manager(&[
        KEEP_CONTROLLER_MANAGER,
        by_hand("take --terminated-pod-gc-threshold out (then it is 12500), or set it above 0"),
    ]),
    examples: &[
        ("components: {kube-controller-manager: ''}", "PASS"),
        (
            "components: {kube-controller-manager: '--terminated-pod-gc-threshold=1000'}",
            "PASS",
        ),
        (
            "components: {kube-controller-manager: '--terminated-pod-gc-threshold=0'}",
            "FAIL info: pods that have ended are kept for ever",
        ),
        (
            "components: {kube-controller-manager: '--terminated-pod-gc-threshold=many'}",
            "UNKNOWN: the answer cannot be trusted: --terminated-pod-gc-threshold is no decimal number",
        ),
        (
            "components: {}",
            "N/A: neither a manifest nor a process of the node is kube-controller-manager",
        ),
        (
            "{components: {}, manifests: {gap: denied}}",
            "UNKNOWN: the login may not read it",
        ),
    ],
    judge: Judge::Node(judge),
    file: file!(),
};

fn judge(node: &NodeFacts, _: &View<'_>) -> Result<Verdict, Gap> {
    component::judge(node, Component::ControllerManager, rule)
}

fn rule(given: &Given<'_>) -> Result<Said, Gap> {
    const FLAG: &str = "terminated-pod-gc-threshold";
    Ok(match given.number(FLAG)? {
        Some(..=0) => bad(
            FLAG,
            Severity::Info,
            "pods that have ended are kept for ever",
        ),
        _ => good(),
    })
}
