use crate::checks::check::{Check, Judge, Maps, View, by_hand};
use crate::checks::component::mend::{KEEP_CONTROLLER_MANAGER, controller_manager};
use crate::checks::component::{self, Component, Fault, Given, HELPS, NEEDS, Said, faults};
use crate::model::fact::Gap;
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::verdict::{Severity, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-CPL-013"),
    title: "Each controller has an account of its own",
    why: "Controllers that share one account have all rights of all of them: one that is tricked acts for the others.",
    severity: Severity::High,
    since: "0.2.0",
    needs: NEEDS,
    helps: HELPS,
    maps: &[Maps::Cis("1.3.3"), Maps::Cis("1.3.4"), Maps::Cis("1.3.5")],
    fix: controller_manager(&[
        KEEP_CONTROLLER_MANAGER,
        by_hand(
            "set --use-service-account-credentials=true, --service-account-private-key-file and --root-ca-file, as kubeadm does",
        ),
    ]),
    examples: &[
        (
            "components: {kube-controller-manager: '--use-service-account-credentials=true --service-account-private-key-file=/sa.key --root-ca-file=/ca.crt'}",
            "PASS",
        ),
        (
            "components: {kube-controller-manager: '--service-account-private-key-file=/sa.key'}",
            "FAIL high: all controllers share one account; medium: pods are given no authority to know the API server by",
        ),
        (
            "components: {kube-controller-manager: '--use-service-account-credentials --root-ca-file=/ca.crt'}",
            "FAIL medium: no key signs the tokens of service accounts",
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
    let mut found = Vec::new();
    if given.switch("use-service-account-credentials")? != Some(true) {
        let message = "all controllers share one account";
        found.push(Fault::new(
            "use-service-account-credentials",
            Severity::High,
            message,
        ));
    }
    for (flag, message) in [
        (
            "service-account-private-key-file",
            "no key signs the tokens of service accounts",
        ),
        (
            "root-ca-file",
            "pods are given no authority to know the API server by",
        ),
    ] {
        if !given.has(flag)? {
            found.push(Fault::new(flag, Severity::Medium, message));
        }
    }
    Ok(faults(found))
}
