use crate::checks::check::{Check, Judge, Maps, View, by_hand};
use crate::checks::component::mend::{KEEP_API_SERVER, api_server};
use crate::checks::component::{self, Component, Fault, Given, HELPS, NEEDS, Said, faults};
use crate::model::fact::Gap;
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::verdict::{Severity, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-TLS-004"),
    title: "The API server verifies kubelets and proves itself",
    why: "Logs, exec and port-forward go to whoever answers at the node: an impostor reads what is typed and gives the answers.",
    severity: Severity::High,
    since: "0.2.0",
    needs: NEEDS,
    helps: HELPS,
    maps: &[Maps::Cis("1.2.4"), Maps::Cis("1.2.5")],
    fix: api_server(&[
        KEEP_API_SERVER,
        by_hand(
            "first let every kubelet have a serving certificate of the cluster authority (serverTLSBootstrap: true, approve the requests; SP-KUB-021), then set --kubelet-certificate-authority to its file, beside --kubelet-client-certificate and --kubelet-client-key",
        ),
    ]),
    examples: &[
        (
            "components: {kube-apiserver: '--kubelet-client-certificate=/c.crt --kubelet-client-key=/c.key --kubelet-certificate-authority=/ca.crt'}",
            "PASS",
        ),
        (
            "components: {kube-apiserver: '--kubelet-client-certificate=/c.crt --kubelet-client-key=/c.key'}",
            "FAIL medium: it takes any certificate that answers for a kubelet",
        ),
        (
            "components: {kube-apiserver: ''}",
            "FAIL high: it does not prove itself to kubelets: --kubelet-client-certificate, --kubelet-client-key are not set; medium: it takes any certificate that answers for a kubelet",
        ),
        (
            "components: {}",
            "N/A: neither a manifest nor a process of the node is kube-apiserver",
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
    component::judge(node, Component::ApiServer, rule)
}

fn rule(given: &Given<'_>) -> Result<Said, Gap> {
    let mut found = Vec::new();
    let pair = ["kubelet-client-certificate", "kubelet-client-key"];
    if let Some(missing) = given.missing(&pair)? {
        let message = format!("it does not prove itself to kubelets: {missing}");
        found.push(Fault::new(pair[0], Severity::High, message));
    }
    if !given.has("kubelet-certificate-authority")? {
        let message = "it takes any certificate that answers for a kubelet";
        found.push(Fault::new(
            "kubelet-certificate-authority",
            Severity::Medium,
            message,
        ));
    }
    Ok(faults(found))
}
