use crate::checks::check::{Check, Judge, Maps, View, by_hand};
use crate::checks::component::mend::{KEEP_CONTROLLER_MANAGER, controller_manager};
use crate::checks::component::{self, Component, Given, HELPS, NEEDS, Said, bad, good};
use crate::model::fact::Gap;
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::verdict::{Severity, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-CPL-014"),
    title: "Kubelets' serving certificates are renewed",
    why: "Where they are not renewed they end, and whoever must go on stops to verify them.",
    severity: Severity::Low,
    since: "0.2.0",
    needs: NEEDS,
    helps: HELPS,
    maps: &[Maps::Cis("1.3.6")],
    fix: controller_manager(&[
        KEEP_CONTROLLER_MANAGER,
        by_hand("take RotateKubeletServerCertificate=false out of --feature-gates"),
    ]),
    examples: &[
        ("components: {kube-controller-manager: ''}", "PASS"),
        (
            "components: {kube-controller-manager: '--feature-gates=RotateKubeletServerCertificate=true'}",
            "PASS",
        ),
        (
            "components: {kube-controller-manager: '--feature-gates=A=true,RotateKubeletServerCertificate=false'}",
            "FAIL low: the gate RotateKubeletServerCertificate is off",
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
    let off = given.gate("RotateKubeletServerCertificate")? == Some(false);
    Ok(if off {
        let message = "the gate RotateKubeletServerCertificate is off";
        bad("feature-gates", Severity::Low, message)
    } else {
        good()
    })
}
