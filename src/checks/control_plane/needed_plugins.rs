use crate::checks::check::{Check, Judge, Maps, View, by_hand};
use crate::checks::component::mend::{KEEP_API_SERVER, api_server};
use crate::checks::component::{self, Component, Given, HELPS, NEEDS, Said, bad, good};
use crate::model::fact::Gap;
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::verdict::{Severity, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-CPL-007"),
    title: "Plugins that the cluster rests on are on",
    why: "Without NamespaceLifecycle objects appear in namespaces that are going away, and without ServiceAccount pods are not tied to one, odd mirrors among them.",
    severity: Severity::High,
    since: "0.2.0",
    needs: NEEDS,
    helps: HELPS,
    maps: &[Maps::Cis("1.2.12"), Maps::Cis("1.2.13")],
    fix: api_server(&[
        KEEP_API_SERVER,
        by_hand("take ServiceAccount and NamespaceLifecycle out of --disable-admission-plugins"),
    ]),
    examples: &[
        (
            "components: {kube-apiserver: '--disable-admission-plugins=DefaultStorageClass'}",
            "PASS",
        ),
        ("components: {kube-apiserver: ''}", "PASS"),
        (
            "components: {kube-apiserver: '--disable-admission-plugins=ServiceAccount,NamespaceLifecycle'}",
            "FAIL high: the plugins ServiceAccount, NamespaceLifecycle are off",
        ),
        (
            "components: {kube-apiserver: '--disable-admission-plugins=NamespaceLifecycle'}",
            "FAIL high: the plugin NamespaceLifecycle is off",
        ),
        (
            "components: {kube-apiserver: '--admission-control=NamespaceLifecycle,NodeRestriction'}",
            "FAIL high: the plugin ServiceAccount is off",
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
    let (mut flag, mut off) = ("", Vec::new());
    for plugin in ["ServiceAccount", "NamespaceLifecycle"] {
        if let Some(by) = given.turned_off(plugin)? {
            flag = by;
            off.push(plugin);
        }
    }
    let (words, are) = match off.len() {
        0 => return Ok(good()),
        1 => ("plugin", "is"),
        _ => ("plugins", "are"),
    };
    let message = format!("the {words} {} {are} off", off.join(", "));
    Ok(bad(flag, Severity::High, message))
}
