use super::setting::switch;
use crate::checks::check::{
    Check, Judge, Maps, Remediation, Tally, View, by_hand, offence, on_node,
};
use crate::model::fact::{Gap, Need};
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::verdict::{Severity, Subject, Verdict};

const KERNEL: &str = "protectKernelDefaults";
const CHAINS: &str = "makeIPTablesUtilChains";

pub static CHECK: Check = Check {
    id: CheckId("SP-KUB-025"),
    title: "The kubelet leaves kernel settings to the administrator",
    why: "A kubelet that changes settings of the kernel by itself hides that somebody else has changed them before.",
    severity: Severity::Info,
    since: "0.2.0",
    needs: &[Need::KubeletConfig],
    helps: &[],
    maps: &[Maps::Cis("4.2.6")],
    fix: Remediation {
        steps: &[
            by_hand(
                "set vm.overcommit_memory=1, vm.panic_on_oom=0, kernel.panic=10, kernel.panic_on_oops=1, kernel.keys.root_maxkeys=1000000 and kernel.keys.root_maxbytes=25000000 in /etc/sysctl.d first: the kubelet does not start where they differ",
            ),
            by_hand(
                "set protectKernelDefaults: true in the kubelet's configuration file, and remove makeIPTablesUtilChains: false",
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
        ("kubelet: {protectKernelDefaults: true}", "PASS"),
        (
            "kubelet: {}",
            "FAIL info: the kubelet changes kernel settings that it does not like instead of stopping, the default",
        ),
        (
            "kubelet: {protectKernelDefaults: true, makeIPTablesUtilChains: false}",
            "FAIL info: the chain by which other programs know the kubelet's way of filtering is not made, set in /var/lib/kubelet/config.yaml",
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
    for (key, words) in [
        (
            KERNEL,
            "the kubelet changes kernel settings that it does not like instead of stopping",
        ),
        (
            CHAINS,
            "the chain by which other programs know the kubelet's way of filtering is not made",
        ),
    ] {
        let (on, setting) = switch(kubelet, key)?;
        tally.all_good(&setting.evidence);
        if !on {
            let message = format!("{words}, {}", setting.origin);
            let subject = Subject::setting(key);
            tally.offence(offence(subject, Severity::Info, message, setting.evidence));
        }
    }
    tally.verdict()
}
