use crate::checks::check::{Check, Judge, Maps, Remediation, View, by_hand, on_node};
use crate::checks::component::{self, Component, Fault, HELPS, NEEDS, faults};
use crate::model::fact::Gap;
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::verdict::{Severity, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-CPL-017"),
    title: "No flag is given that is unsafe or gone",
    why: "A socket for debugging answers everybody who reaches it, a port without TLS every client, and a flag that is gone stops the component at its next start.",
    severity: Severity::Medium,
    since: "0.2.0",
    needs: NEEDS,
    helps: HELPS,
    maps: &[Maps::Source(
        "kubernetes.io: removed flags of the components",
    )],
    fix: Remediation {
        steps: &[
            on_node("cp -a /etc/kubernetes/manifests /root/manifests-before"),
            by_hand("take the flag of the finding out of the component's manifest"),
        ],
        restarts: "the component of the finding on this node, for about 20 s",
        undo: &[on_node(
            "cp -p /root/manifests-before/. /etc/kubernetes/manifests/ -r",
        )],
    },
    examples: &[
        ("components: {kube-apiserver: '--v=2'}", "PASS"),
        (
            "components: {kube-apiserver: '--debug-socket-path=/run/debug.sock'}",
            "FAIL medium: kube-apiserver serves profiles to everybody who reaches the socket /run/debug.sock",
        ),
        (
            "components: {kube-apiserver: '--insecure-port=0', kube-scheduler: '--port=10251'}",
            "FAIL medium: kube-scheduler serves port 10251 without TLS and without asking who calls",
        ),
        (
            "{declared: {kube-apiserver: '--kubelet-https=true'}, processes: []}",
            "FAIL medium: kube-apiserver does not run, and --kubelet-https is gone from Kubernetes 1.24 on: it may be why",
        ),
        (
            "{declared: {kube-apiserver: '--insecure-port=0'}, running: {kube-apiserver: '--insecure-port=0'}}",
            "PASS",
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
/// Gone from 1.24 on; a component that runs with one is older.
const GONE: [&str; 5] = [
    "insecure-port",
    "insecure-bind-address",
    "kubelet-https",
    "basic-auth-file",
    "port",
];

fn judge(node: &NodeFacts, _: &View<'_>) -> Result<Verdict, Gap> {
    component::judge_all(node, &ALL, |component, given| {
        let program = component.program();
        let mut found = Vec::new();
        let mut tell = |flag: &str, message: String| {
            found.push(Fault::new(flag, Severity::Medium, message).of(component));
        };
        if let Some(socket) = given.last("debug-socket-path")?.filter(|it| !it.is_empty()) {
            tell(
                "debug-socket-path",
                format!("{program} serves profiles to everybody who reaches the socket {socket}"),
            );
        }
        for flag in GONE {
            let Some(value) = given.last(flag)? else {
                continue;
            };
            let plain = flag.ends_with("port") && value != "0";
            if given.is_idle() {
                tell(
                    flag,
                    format!(
                        "{program} does not run, and --{flag} is gone from Kubernetes 1.24 on: it may be why"
                    ),
                );
            } else if plain {
                tell(
                    flag,
                    format!(
                        "{program} serves port {value} without TLS and without asking who calls"
                    ),
                );
            }
        }
        Ok(faults(found))
    })
}
