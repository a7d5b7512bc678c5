use crate::checks::check::{Check, Judge, Maps, Remediation, View, by_hand, on_node};
use crate::checks::component::asks;
use crate::checks::component::{self, Component, Fault, HELPS, NEEDS, Said, good};
use crate::model::fact::Gap;
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::verdict::{Severity, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-CPL-008"),
    title: "Components do not serve profiles",
    why: "Profiles of a running component tell about its memory and cost time: whoever may read them learns and slows.",
    severity: Severity::Low,
    since: "0.2.0",
    needs: NEEDS,
    helps: HELPS,
    maps: &[Maps::Cis("1.2.15"), Maps::Cis("1.3.2"), Maps::Cis("1.4.1")],
    fix: Remediation {
        steps: &[
            on_node(
                "cp -p /etc/kubernetes/manifests/kube-apiserver.yaml /etc/kubernetes/manifests/kube-controller-manager.yaml /etc/kubernetes/manifests/kube-scheduler.yaml /root/",
            ),
            by_hand(
                "set --profiling=false in each of the three; where kube-scheduler has --config, set enableProfiling: false in that file",
            ),
        ],
        restarts: "the three components of this node, each for about 20 s; one control-plane node at a time",
        undo: &[on_node(
            "cp -p /root/kube-apiserver.yaml /root/kube-controller-manager.yaml /root/kube-scheduler.yaml /etc/kubernetes/manifests/",
        )],
    },
    examples: &[
        (
            "components: {kube-apiserver: '--profiling=false', kube-controller-manager: '--profiling=false', kube-scheduler: '--profiling=false'}",
            "PASS",
        ),
        ("components: {kube-scheduler: '--profiling=false'}", "PASS"),
        (
            "components: {kube-apiserver: '', kube-controller-manager: '--profiling', kube-scheduler: '--profiling=false'}",
            "FAIL low: kube-apiserver serves profiles; low: kube-controller-manager serves profiles",
        ),
        (
            "components: {kube-scheduler: '--config=/etc/kubernetes/scheduler.yaml --profiling=false'}",
            "MANUAL: does /etc/kubernetes/scheduler.yaml set enableProfiling: false? kube-scheduler ignores --profiling beside it",
        ),
        (
            "components: {kube-scheduler: '--profiling=no'}",
            "UNKNOWN: the answer cannot be trusted: --profiling is neither true nor false",
        ),
        (
            "components: {}",
            "N/A: neither a manifest nor a process of the node is kube-apiserver, kube-controller-manager or kube-scheduler",
        ),
        (
            "{components: {}, manifests: {gap: denied}}",
            "UNKNOWN: the login may not read it",
        ),
    ],
    judge: Judge::Node(judge),
    file: file!(),
};

const ALL: [Component; 3] = [
    Component::ApiServer,
    Component::ControllerManager,
    Component::Scheduler,
];

fn judge(node: &NodeFacts, _: &View<'_>) -> Result<Verdict, Gap> {
    component::judge_all(node, &ALL, |component, given| {
        let config = given.last("config")?;
        if let Some(file) = config.filter(|_| component == Component::Scheduler) {
            return Err(asks(format!(
                "does {file} set enableProfiling: false? kube-scheduler ignores --profiling beside it"
            )));
        }
        if given.switch("profiling")? == Some(false) {
            return Ok(good());
        }
        let program = component.program();
        let fault = Fault::new(
            "profiling",
            Severity::Low,
            format!("{program} serves profiles"),
        );
        Ok(Said::Bad(vec![fault.of(component)]))
    })
}
