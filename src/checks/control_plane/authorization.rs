use crate::checks::check::{Check, Judge, Maps, View, by_hand};
use crate::checks::component::mend::{KEEP_API_SERVER, api_server};
use crate::checks::component::{self, Component, Fault, NEEDS, Said, good, good_by};
use crate::model::fact::{Gap, Locator, Need};
use crate::model::files::FileRole;
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::tree::{Branch, Items};
use crate::model::verdict::{Severity, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-CPL-003"),
    title: "The API server decides by RBAC",
    why: "With AlwaysAllow everybody who can log in, and with anonymous requests everybody at all, may do everything.",
    severity: Severity::Critical,
    since: "0.2.0",
    needs: NEEDS,
    helps: &[Need::NodeObject, Need::ApiServerFiles],
    maps: &[Maps::Cis("1.2.6"), Maps::Cis("1.2.8"), Maps::Nsa("AUTH")],
    fix: api_server(&[
        KEEP_API_SERVER,
        by_hand(
            "set --authorization-mode=Node,RBAC; where --authorization-config is used, list the types Node and RBAC in its authorizers and no AlwaysAllow; make the roles that are needed before",
        ),
    ]),
    examples: &[
        (
            "components: {kube-apiserver: '--authorization-mode=Node,RBAC'}",
            "PASS",
        ),
        (
            "{components: {kube-apiserver: '--authorization-config=/etc/kubernetes/authz.yaml'}, authorization: {authorizers: [{type: Webhook, name: w}, {type: RBAC, name: r}]}}",
            "PASS",
        ),
        (
            "components: {kube-apiserver: '--v=2'}",
            "FAIL critical: no way to decide is set, and the default lets everybody do everything",
        ),
        (
            "components: {kube-apiserver: '--authorization-mode=RBAC,AlwaysAllow'}",
            "FAIL critical: the mode AlwaysAllow lets everybody do everything",
        ),
        (
            "components: {kube-apiserver: '--authorization-mode=Node,ABAC'}",
            "FAIL high: RBAC is not among the ways to decide: Node, ABAC",
        ),
        (
            "{components: {kube-apiserver: '--authorization-config=/a.yaml'}, authorization: {authorizers: [{type: AlwaysAllow, name: w}]}}",
            "FAIL critical: the mode AlwaysAllow lets everybody do everything",
        ),
        (
            "{components: {kube-apiserver: '--authorization-config=/a.yaml'}, authorization: {gap: denied}}",
            "UNKNOWN: the login may not read it",
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
    component::judge(node, Component::ApiServer, |given| {
        if given.has("authorization-config")? {
            let files = component::only(node, FileRole::AuthorizationConfig)?;
            let seen = files.authorization.get()?;
            let file = seen.value.as_ref().ok_or(Gap::NotAsked)?;
            let list = file.content.get("authorizers").and_then(Branch::as_array);
            let types = list.into_iter().flat_map(Items::iter);
            let types = types.filter_map(|item| item.get("type")?.as_str().map(str::to_owned));
            return Ok(by_modes(
                "authorization-config",
                &types.collect::<Vec<_>>(),
                Some(seen.at),
            ));
        }
        let modes = given.list("authorization-mode")?;
        Ok(by_modes("authorization-mode", &modes, None))
    })
}

fn by_modes(flag: &str, modes: &[String], at: Option<Locator>) -> Said {
    let has = |mode: &str| modes.iter().any(|own| own == mode);
    let (severity, message) = if modes.is_empty() {
        let none = "no way to decide is set, and the default lets everybody do everything";
        (Severity::Critical, none.to_owned())
    } else if has("AlwaysAllow") {
        let open = "the mode AlwaysAllow lets everybody do everything";
        (Severity::Critical, open.to_owned())
    } else if has("RBAC") {
        return at.map_or_else(good, good_by);
    } else {
        let others = modes.join(", ");
        (
            Severity::High,
            format!("RBAC is not among the ways to decide: {others}"),
        )
    };
    let mut fault = Fault::new(flag, severity, message);
    fault.evidence.extend(at);
    Said::Bad(vec![fault])
}
