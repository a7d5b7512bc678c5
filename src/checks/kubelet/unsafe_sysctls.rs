use super::setting::{effective, garbled};
use crate::checks::check::{
    Check, Judge, Maps, Remediation, View, by_hand, fail, on_node, pass, pass_note,
};
use crate::model::fact::{Gap, Need};
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::tree::{Branch, Items};
use crate::model::verdict::{Severity, Subject, Verdict};

const KEY: &str = "allowedUnsafeSysctls";
/// Those of the pod's own network, which the load balancer of k3s asks for.
const FORWARDING: [&str; 2] = ["net.ipv4.ip_forward", "net.ipv6.conf.all.forwarding"];

pub static CHECK: Check = Check {
    id: CheckId("SP-KUB-026"),
    title: "Pods may not set unsafe kernel settings",
    why: "A setting that is not the pod's own is the whole node's: a pod that may set it starves its neighbours or weakens the kernel for all of them.",
    severity: Severity::Medium,
    since: "0.2.0",
    needs: &[Need::KubeletConfig],
    helps: &[],
    maps: &[Maps::Pss("baseline/sysctls"), Maps::Attack("T1499")],
    fix: Remediation {
        steps: &[
            by_hand(
                "find the pods that set them: securityContext.sysctls; move what they need into /etc/sysctl.d of the nodes that run them",
            ),
            by_hand(
                "remove {flag} from the kubelet's configuration file, and --allowed-unsafe-sysctls from its flags",
            ),
            on_node("systemctl restart kubelet"),
        ],
        restarts: "the kubelet, for a few seconds; pods keep running",
        undo: &[
            by_hand("put the old value back into the configuration file"),
            on_node("systemctl restart kubelet"),
        ],
    },
    examples: &[
        ("kubelet: {}", "PASS"),
        ("kubelet: {allowedUnsafeSysctls: []}", "PASS"),
        (
            "kubelet: {allowedUnsafeSysctls: [net.ipv4.ip_forward, net.ipv6.conf.all.forwarding]}",
            "PASS: forwarding alone, which the load balancer of k3s needs in its own network",
        ),
        (
            "kubelet: {allowedUnsafeSysctls: ['kernel.msg*', net.core.somaxconn]}",
            "FAIL medium: pods may set kernel.msg*, net.core.somaxconn, set in /var/lib/kubelet/config.yaml",
        ),
        (
            "kubelet: {allowedUnsafeSysctls: x}",
            "UNKNOWN: the answer cannot be trusted: kubelet setting allowedUnsafeSysctls is not a list of names",
        ),
        (
            "kubelet: {gap: denied}",
            "UNKNOWN: the login may not read it",
        ),
    ],
    judge: Judge::Node(judge),
    file: file!(),
};

fn judge(node: &NodeFacts, _: &View<'_>) -> Result<Verdict, Gap> {
    let kubelet = node.host.kubelet.get()?;
    let Some(setting) = effective(kubelet, KEY)? else {
        return Ok(pass([kubelet.at]));
    };
    let list = setting.value.as_array();
    let names: Option<Vec<&str>> =
        list.and_then(|list| Items::iter(list).map(Branch::as_str).collect());
    let names = names.ok_or_else(|| garbled(KEY, "is not a list of names"))?;
    if names.is_empty() {
        return Ok(pass(setting.evidence));
    }
    if names.iter().all(|name| FORWARDING.contains(name)) {
        let note = "forwarding alone, which the load balancer of k3s needs in its own network";
        return Ok(pass_note(setting.evidence, note));
    }
    Ok(fail(
        Subject::setting(KEY),
        Severity::Medium,
        format!("pods may set {}, {}", names.join(", "), setting.origin),
        setting.evidence,
    ))
}
