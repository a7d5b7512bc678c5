use crate::checks::check::{
    Check, Judge, Maps, Remediation, Tally, View, by_hand, offence, on_node,
};
use crate::checks::component::{self, Component, Fault, HELPS, faults};
use crate::checks::kubelet::setting::effective;
use crate::model::fact::{Gap, Need};
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::tree::{Branch, Items};
use crate::model::verdict::{Severity, Subject, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-TLS-008"),
    title: "No old version or weak cipher of TLS is offered",
    why: "Whoever sits between client and server talks them down to the weakest that both take, and reads along.",
    severity: Severity::Medium,
    since: "0.2.0",
    needs: &[Need::Manifests, Need::Processes, Need::KubeletConfig],
    helps: HELPS,
    maps: &[Maps::Cis("1.2.29"), Maps::Cis("4.2.12")],
    fix: Remediation {
        steps: &[
            on_node("cp -a /etc/kubernetes/manifests /var/lib/kubelet/config.yaml /root/"),
            by_hand(
                "take the flag out of the component's manifest (tlsMinVersion and tlsCipherSuites out of the kubelet's configuration file): the defaults take nothing older than TLS 1.2 and no weak cipher; or set VersionTLS12 and suites with ECDHE and GCM or CHACHA20",
            ),
        ],
        restarts: "the component of the finding on this node, for about 20 s; the kubelet for a few seconds",
        undo: &[
            on_node("cp -p /root/manifests/. /etc/kubernetes/manifests/ -r"),
            on_node("cp -p /root/config.yaml /var/lib/kubelet/"),
        ],
    },
    examples: &[
        ("{components: {kube-apiserver: ''}, kubelet: {}}", "PASS"),
        (
            "{components: {kube-apiserver: '--tls-min-version=VersionTLS13', etcd: '--cipher-suites=TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256'}, kubelet: {}}",
            "PASS",
        ),
        (
            "{components: {kube-apiserver: '--tls-min-version=VersionTLS10', kube-scheduler: '--tls-cipher-suites=TLS_RSA_WITH_3DES_EDE_CBC_SHA,TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256'}, kubelet: {}}",
            "FAIL medium: kube-apiserver takes VersionTLS10; medium: kube-scheduler offers TLS_RSA_WITH_3DES_EDE_CBC_SHA",
        ),
        (
            "{components: {etcd: '--tls-min-version=TLS1.1 --cipher-suites=TLS_RSA_WITH_RC4_128_SHA'}, kubelet: {}}",
            "FAIL medium: etcd takes TLS1.1; medium: etcd offers TLS_RSA_WITH_RC4_128_SHA",
        ),
        (
            "{components: {}, kubelet: {layers: [{kind: flag, origin: --tls-min-version, set: {tlsMinVersion: VersionTLS11, tlsCipherSuites: [TLS_RSA_WITH_3DES_EDE_CBC_SHA]}}]}}",
            "FAIL medium: the kubelet takes VersionTLS11, set by --tls-min-version; medium: the kubelet offers TLS_RSA_WITH_3DES_EDE_CBC_SHA, set by --tls-min-version",
        ),
        (
            "{components: {kube-apiserver: ''}, kubelet: {gap: denied}}",
            "UNKNOWN: the login may not read it",
        ),
        ("{components: {}, kubelet: {}}", "PASS"),
        (
            "{components: {}, manifests: {gap: denied}, kubelet: {}}",
            "UNKNOWN: the login may not read it",
        ),
    ],
    judge: Judge::Node(judge),
    file: file!(),
};

const ALL: [Component; 4] = [
    Component::ApiServer,
    Component::ControllerManager,
    Component::Scheduler,
    Component::Etcd,
];

fn judge(node: &NodeFacts, _: &View<'_>) -> Result<Verdict, Gap> {
    let components = component::judge_all(node, &ALL, |component, given| {
        let program = component.program();
        let (version, suites) = if component == Component::Etcd {
            let suites = given.etcd("cipher-suites")?.unwrap_or_default();
            let suites = suites.split(',').map(str::to_owned).collect();
            (given.etcd("tls-min-version")?.unwrap_or_default(), suites)
        } else {
            let version = given.last("tls-min-version")?.unwrap_or_default();
            (version, given.list("tls-cipher-suites")?)
        };
        let mut found = Vec::new();
        if is_old(&version) {
            let message = format!("{program} takes {version}");
            found.push(Fault::new("tls-min-version", Severity::Medium, message).of(component));
        }
        if let Some(weak) = weak(suites.iter().map(String::as_str)) {
            let message = format!("{program} offers {weak}");
            found.push(Fault::new("tls-cipher-suites", Severity::Medium, message).of(component));
        }
        Ok(faults(found))
    });
    let mut tally = Tally::new();
    kubelet(node, &mut tally);
    tally.with(components.unwrap_or_else(|why| Verdict::Unknown { why }))
}

fn kubelet(node: &NodeFacts, tally: &mut Tally) {
    let Some(kubelet) = tally.take(&node.host.kubelet) else {
        return;
    };
    tally.good(kubelet.at);
    match effective(kubelet, "tlsMinVersion") {
        Err(gap) => tally.gap(gap),
        Ok(None) => {}
        Ok(Some(set)) => {
            let version = set.value.as_str().unwrap_or("?");
            if is_old(version) {
                let message = format!("the kubelet takes {version}, {}", set.origin);
                let subject = Subject::setting("tlsMinVersion");
                tally.offence(offence(subject, Severity::Medium, message, set.evidence));
            }
        }
    }
    match effective(kubelet, "tlsCipherSuites") {
        Err(gap) => tally.gap(gap),
        Ok(None) => {}
        Ok(Some(set)) => {
            let list = set.value.as_array().into_iter().flat_map(Items::iter);
            if let Some(weak) = weak(list.filter_map(Branch::as_str)) {
                let message = format!("the kubelet offers {weak}, {}", set.origin);
                let subject = Subject::setting("tlsCipherSuites");
                tally.offence(offence(subject, Severity::Medium, message, set.evidence));
            }
        }
    }
}

fn is_old(version: &str) -> bool {
    ["VersionTLS10", "VersionTLS11", "TLS1.0", "TLS1.1"].contains(&version)
}

/// Suites without forward secrecy, with RC4 or 3DES, or with CBC in its weaker form: Go calls them insecure.
fn weak<'s>(suites: impl Iterator<Item = &'s str>) -> Option<String> {
    let parts = ["_RC4_", "_3DES_", "_CBC_SHA256"];
    let is_weak = |suite: &&str| {
        suite.starts_with("TLS_RSA_") || parts.iter().any(|part| suite.contains(part))
    };
    let found: Vec<&str> = suites.filter(is_weak).collect();
    (!found.is_empty()).then(|| found.join(", "))
}
