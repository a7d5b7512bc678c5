use super::program::runs;
use crate::checks::check::{
    Check, Judge, Maps, Remediation, View, by_hand, fail, kubectl, not_applicable, on_node, pass,
    pass_note,
};
use crate::checks::flags;
use crate::checks::merge::pairs::declared;
use crate::model::fact::{Gap, Locator, Need};
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::objects::{Objects, of_list};
use crate::model::text::Text;
use crate::model::verdict::{Severity, Subject, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-NET-016"),
    title: "Services cannot claim external addresses",
    why: "Whoever may create a Service can name any address in externalIPs and is sent the traffic meant for it (CVE-2020-8554).",
    severity: Severity::Low,
    since: "0.1.0",
    needs: &[Need::Manifests],
    helps: &[Need::ValidatingPolicies, Need::ValidatingPolicyBindings],
    maps: &[Maps::Cis("1.2.3"), Maps::Source("CVE-2020-8554")],
    fix: Remediation {
        steps: &[
            kubectl(
                "kubectl get services -A -o custom-columns=NS:.metadata.namespace,NAME:.metadata.name,EXTERNAL:.spec.externalIPs",
            ),
            on_node("cp -p /etc/kubernetes/manifests/kube-apiserver.yaml /root/"),
            by_hand(
                "where nothing of that list is needed, add DenyServiceExternalIPs to --enable-admission-plugins in kube-apiserver.yaml; else write a ValidatingAdmissionPolicy that names who may use externalIPs",
            ),
        ],
        restarts: "kube-apiserver of this node, for about 20 s; one control-plane node at a time",
        undo: &[on_node(
            "cp -p /root/kube-apiserver.yaml /etc/kubernetes/manifests/",
        )],
    },
    examples: &[
        (
            "manifests: [{file: a.yaml, pod: {metadata: {namespace: kube-system, name: kube-apiserver}, spec: {containers: [{name: kube-apiserver, command: [kube-apiserver, '--enable-admission-plugins=NodeRestriction,DenyServiceExternalIPs']}]}}}]",
            "PASS",
        ),
        (
            "{manifests: [{file: a.yaml, pod: {metadata: {namespace: kube-system, name: kube-apiserver}, spec: {containers: [{name: kube-apiserver, command: [kube-apiserver]}]}}}], validating_policies: [{name: no-external, rules: [{apiGroups: [''], resources: [services], operations: [CREATE, UPDATE]}], expressions: ['!has(object.spec.externalIPs)']}], validating_policy_bindings: [{name: b, policy: no-external, actions: [Deny]}]}",
            "PASS: the admission policy no-external speaks of externalIPs and denies",
        ),
        (
            "manifests: [{file: a.yaml, pod: {metadata: {namespace: kube-system, name: kube-apiserver}, spec: {containers: [{name: kube-apiserver, command: [kube-apiserver], args: [--enable-admission-plugins, NodeRestriction]}]}}}]",
            "FAIL low: kube-apiserver runs without the plugin DenyServiceExternalIPs, and no policy denies externalIPs",
        ),
        (
            "manifests: [{file: a.yaml, pod: {metadata: {namespace: kube-system, name: kube-apiserver}, spec: {containers: [{name: kube-apiserver, command: [kube-apiserver, --admission-control-config-file=/etc/kubernetes/admission.yaml]}]}}}]",
            "MANUAL: does a policy of /etc/kubernetes/admission.yaml deny externalIPs of Services?",
        ),
        (
            "manifests: [{file: a.yaml, pod: shop/a}]",
            "N/A: no manifest of the node starts an API server",
        ),
        (
            "manifests: [{file: a.yaml, gap: denied}]",
            "UNKNOWN: the login may not read it",
        ),
    ],
    judge: Judge::Node(judge),
    file: file!(),
};

const PLUGIN: &str = "DenyServiceExternalIPs";

fn judge(node: &NodeFacts, view: &View<'_>) -> Result<Verdict, Gap> {
    let declared = declared(node)?;
    let mut servers = declared.pods.iter();
    let Some(pod) = servers.find(|declared| runs(declared.pod, "kube-apiserver")) else {
        return match declared.gaps.first() {
            Some(gap) => Err(gap.clone()),
            None => Ok(not_applicable(
                [declared.at],
                "no manifest of the node starts an API server",
            )),
        };
    };
    let plugins = flags::last(pod.pod, "enable-admission-plugins").unwrap_or_default();
    if plugins.split(',').any(|plugin| plugin.trim() == PLUGIN) {
        return Ok(pass([pod.at]));
    }
    if let Some((name, at)) = policy(&view.snapshot.cluster.objects) {
        let note = format!("the admission policy {name} speaks of externalIPs and denies");
        return Ok(pass_note([pod.at, at], note));
    }
    // Its folder of policies is no object of the API server (ManifestBasedAdmissionControlConfig, on from 1.37).
    if let Some(file) = flags::last(pod.pod, "admission-control-config-file") {
        return Err(Gap::NeedsHuman {
            question: Text::from(format!(
                "does a policy of {file} deny externalIPs of Services?"
            )),
        });
    }
    Ok(fail(
        Subject::setting("--enable-admission-plugins"),
        Severity::Low,
        format!(
            "kube-apiserver runs without the plugin {PLUGIN}, and no policy denies externalIPs"
        ),
        [pod.at],
    ))
}

/// A policy in force that is asked about Services, speaks of externalIPs and denies.
fn policy(objects: &Objects) -> Option<(&Text, Locator)> {
    let policies = objects.validating_policies.get().ok()?;
    let bindings = objects.validating_policy_bindings.get().ok()?;
    of_list(Need::ValidatingPolicies, &policies.value)
        .find(|(_, policy)| {
            let asked = policy
                .rules
                .iter()
                .any(|rule| rule.covers("", "services", "CREATE"));
            let speaks = policy
                .expressions
                .iter()
                .any(|text| text.as_str().contains("externalIPs"));
            let denies = bindings.value.iter().any(|binding| {
                binding.policy == policy.name
                    && binding.actions.iter().any(|action| *action == "Deny")
            });
            asked && speaks && denies
        })
        .map(|(at, policy)| (&policy.name, at))
}
