use super::setting::{effective, switch};
use crate::checks::check::{
    Check, Judge, Maps, Remediation, Tally, View, by_hand, offence, on_node,
};
use crate::checks::version;
use crate::model::fact::{Gap, Need};
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::tree::Branch;
use crate::model::verdict::{Severity, Subject, Verdict};

/// Since when the key alone opens the log query (feature NodeLogQuery).
const ALONE: u32 = 36;
const QUERY: &str = "enableSystemLogQuery";
const CONTENTION: &str = "enableContentionProfiling";

pub static CHECK: Check = Check {
    id: CheckId("SP-KUB-022"),
    title: "The kubelet serves no system logs and no profiles",
    why: "Whoever may call nodes/proxy reads the journal of every service of the node, with the names, tokens and addresses that services log.",
    severity: Severity::Medium,
    since: "0.2.0",
    needs: &[Need::KubeletConfig],
    helps: &[Need::NodeObject],
    maps: &[Maps::Nsa("NSA-LOG"), Maps::Attack("T1005")],
    fix: Remediation {
        steps: &[
            by_hand("remove {flag} from the kubelet's configuration file, or set it to false"),
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
        (
            "{kubelet: {enableSystemLogQuery: true}, object: {}}",
            "FAIL medium: whoever may call nodes/proxy reads the logs of all services, set in /var/lib/kubelet/config.yaml",
        ),
        (
            "{kubelet: {enableSystemLogQuery: true}, object: {version: v1.34.2}}",
            "FAIL low: on, and without effect as long as the feature gate NodeLogQuery is off, set in /var/lib/kubelet/config.yaml",
        ),
        (
            "{kubelet: {enableSystemLogQuery: true, featureGates.NodeLogQuery: true}, object: {version: v1.34.2}}",
            "FAIL medium: whoever may call nodes/proxy reads the logs of all services, set in /var/lib/kubelet/config.yaml",
        ),
        (
            "{kubelet: {enableSystemLogQuery: true}, object: {gap: forbidden}}",
            "FAIL medium: whoever may call nodes/proxy reads the logs of all services, set in /var/lib/kubelet/config.yaml",
        ),
        (
            "kubelet: {enableContentionProfiling: true}",
            "FAIL info: profiles of lock contention are made, which slows the kubelet, set in /var/lib/kubelet/config.yaml",
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
    let mut tally = Tally::new();
    let (on, setting) = switch(kubelet, QUERY)?;
    tally.all_good(&setting.evidence);
    if on {
        let gate = kubelet.value.setting("featureGates.NodeLogQuery")?;
        let gated = gate.is_some_and(|(value, _)| value == Branch::Bool(true));
        let old = version::kubelet(node).is_some_and(|minor| minor < ALONE);
        let (severity, words) = if old && !gated {
            let words = "on, and without effect as long as the feature gate NodeLogQuery is off";
            (Severity::Low, words)
        } else {
            let words = "whoever may call nodes/proxy reads the logs of all services";
            (Severity::Medium, words)
        };
        let message = format!("{words}, {}", setting.origin);
        let subject = Subject::setting(QUERY);
        tally.offence(offence(subject, severity, message, setting.evidence));
    }
    // The only other surface that is not on by default.
    if let Some(setting) = effective(kubelet, CONTENTION)?
        && setting.value == Branch::Bool(true)
    {
        let message = format!(
            "profiles of lock contention are made, which slows the kubelet, {}",
            setting.origin
        );
        let subject = Subject::setting(CONTENTION);
        tally.offence(offence(subject, Severity::Info, message, setting.evidence));
    }
    tally.verdict()
}
