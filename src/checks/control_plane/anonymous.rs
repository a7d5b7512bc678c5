use crate::checks::check::{Check, Judge, Maps, View, by_hand};
use crate::checks::component::mend::{KEEP_API_SERVER, api_server};
use crate::checks::component::{self, Component, Fault, NEEDS, Said, bad, good, good_by};
use crate::model::fact::{Gap, Need};
use crate::model::files::FileRole;
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::tree::{Branch, Items};
use crate::model::verdict::{Severity, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-CPL-001"),
    title: "The API server knows who asks",
    why: "An anonymous request reaches whatever system:anonymous and system:unauthenticated are bound to, and every flaw before the check of rights.",
    severity: Severity::Medium,
    since: "0.2.0",
    needs: NEEDS,
    helps: &[Need::NodeObject, Need::ApiServerFiles],
    maps: &[Maps::Cis("1.2.1"), Maps::Nsa("AUTH")],
    fix: api_server(&[
        KEEP_API_SERVER,
        by_hand(
            "do not set --anonymous-auth=false where the probes of kube-apiserver.yaml carry no credentials (kubeadm): they would fail and the pod restart without end; write an AuthenticationConfiguration (apiserver.config.k8s.io/v1) with anonymous: {enabled: true, conditions: [{path: /livez}, {path: /readyz}, {path: /healthz}]}, mount it, and name it by --authentication-config instead of --anonymous-auth; kubeadm join by token also needs the path of the ConfigMap cluster-info",
        ),
    ]),
    examples: &[
        (
            "components: {kube-apiserver: '--anonymous-auth=false'}",
            "PASS",
        ),
        (
            "{components: {kube-apiserver: '--authentication-config=/etc/kubernetes/authn.yaml'}, authentication: {anonymous: {enabled: true, conditions: [{path: /livez}, {path: /readyz}]}}}",
            "PASS",
        ),
        (
            "{components: {kube-apiserver: '--authentication-config=/etc/kubernetes/authn.yaml'}, authentication: {anonymous: {enabled: false}}}",
            "PASS",
        ),
        (
            "components: {kube-apiserver: '--v=2'}",
            "FAIL medium: whoever gives no name is let in as system:anonymous",
        ),
        (
            "components: {kube-apiserver: '--anonymous-auth'}",
            "FAIL medium: whoever gives no name is let in as system:anonymous",
        ),
        (
            "{declared: {kube-apiserver: '--anonymous-auth=false'}, running: {kube-apiserver: ''}}",
            "FAIL medium: whoever gives no name is let in as system:anonymous; so it runs, its manifest says otherwise",
        ),
        (
            "{components: {kube-apiserver: '--authentication-config=/etc/kubernetes/authn.yaml'}, authentication: {anonymous: {enabled: true, conditions: [{path: /livez}, {path: /api/v1/namespaces/kube-public/configmaps/cluster-info}]}}}",
            "FAIL info: whoever gives no name reads the ConfigMap cluster-info, as kubeadm join by token needs it",
        ),
        (
            "{components: {kube-apiserver: '--authentication-config=/etc/kubernetes/authn.yaml'}, authentication: {anonymous: {enabled: true, conditions: [{path: /metrics}]}}}",
            "FAIL medium: whoever gives no name is let in to /metrics",
        ),
        (
            "{components: {kube-apiserver: '--authentication-config=/etc/kubernetes/authn.yaml'}, authentication: {jwt: []}}",
            "FAIL medium: whoever gives no name is let in as system:anonymous",
        ),
        (
            "{components: {kube-apiserver: '--authentication-config=/etc/kubernetes/authn.yaml'}, authentication: {gap: denied}}",
            "UNKNOWN: the login may not read it",
        ),
        (
            "{declared: {kube-apiserver: '--authentication-config=/a.yaml'}, running: {kube-apiserver: '--authentication-config=/b.yaml'}, api_server_files: [{role: authentication_config, path: /a.yaml}, {role: authentication_config, path: /b.yaml}], authentication: {anonymous: {enabled: false}}}",
            "MANUAL: which of /a.yaml and /b.yaml does kube-apiserver go by? its flags name both",
        ),
        (
            "components: {kube-apiserver: '--external-hostname --anonymous-auth=false'}",
            "MANUAL: is --anonymous-auth=false a flag, or the value of --external-hostname in front of it?",
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

const HEALTH: [&str; 3] = ["/livez", "/readyz", "/healthz"];
const CLUSTER_INFO: &str = "/api/v1/namespaces/kube-public/configmaps/cluster-info";

fn judge(node: &NodeFacts, _: &View<'_>) -> Result<Verdict, Gap> {
    component::judge(node, Component::ApiServer, |given| {
        if given.switch("anonymous-auth")? == Some(false) {
            return Ok(good());
        }
        if given.has("authentication-config")? {
            return limits(node);
        }
        Ok(open())
    })
}

fn open() -> Said {
    bad(
        "anonymous-auth",
        Severity::Medium,
        "whoever gives no name is let in as system:anonymous",
    )
}

/// What an AuthenticationConfiguration lets anonymous requests reach; without a word of it the flag's default holds.
fn limits(node: &NodeFacts) -> Result<Said, Gap> {
    let files = component::only(node, FileRole::AuthenticationConfig)?;
    let seen = files.authentication.get()?;
    let file = seen.value.as_ref().ok_or(Gap::NotAsked)?;
    let Some(anonymous) = file.content.get("anonymous").filter(|it| !it.is_null()) else {
        return Ok(open());
    };
    if anonymous.get("enabled").and_then(Branch::as_bool) == Some(false) {
        return Ok(good_by(seen.at));
    }
    let conditions = anonymous.get("conditions").and_then(Branch::as_array);
    let paths: Vec<&str> = conditions
        .into_iter()
        .flat_map(Items::iter)
        .map(|condition| {
            condition
                .get("path")
                .and_then(Branch::as_str)
                .unwrap_or("?")
        })
        .collect();
    if paths.is_empty() {
        return Ok(open());
    }
    let further: Vec<&str> = paths
        .into_iter()
        .filter(|path| !HEALTH.contains(path))
        .collect();
    Ok(match further[..] {
        [] => good_by(seen.at),
        [CLUSTER_INFO] => Said::Bad(vec![Fault::new(
            "authentication-config",
            Severity::Info,
            "whoever gives no name reads the ConfigMap cluster-info, as kubeadm join by token needs it",
        ).by(seen.at)]),
        _ => Said::Bad(vec![Fault::new(
            "authentication-config",
            Severity::Medium,
            format!("whoever gives no name is let in to {}", further.join(", ")),
        ).by(seen.at)]),
    })
}
