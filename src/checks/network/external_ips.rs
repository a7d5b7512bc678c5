use crate::checks::check::{
    Check, Judge, Maps, Remediation, View, by_hand, fail, kubectl, no_control_plane, on_node, pass,
};
use crate::checks::flags;
use crate::checks::merge::pairs::declared;
use crate::checks::program::own_words;
use crate::model::fact::{Gap, Need};
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::objects::Objects;
use crate::model::text::Text;
use crate::model::verdict::{Severity, Subject, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-NET-016"),
    title: "Services cannot claim external addresses",
    why: "Whoever may create a Service can name any address in externalIPs and is sent the traffic meant for it (CVE-2020-8554).",
    severity: Severity::Low,
    since: "0.1.0",
    needs: &[Need::Manifests],
    helps: &[
        Need::ValidatingPolicies,
        Need::ValidatingPolicyBindings,
        Need::Processes,
        Need::NodeObject,
    ],
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
            "{manifests: [{file: a.yaml, pod: {metadata: {namespace: kube-system, name: kube-apiserver}, spec: {containers: [{name: proxy, command: [proxy, --enable-admission-plugins=DenyServiceExternalIPs]}, {name: kube-apiserver, command: [kube-apiserver]}]}}}], validating_policies: [], validating_policy_bindings: []}",
            "FAIL low: kube-apiserver runs without the plugin DenyServiceExternalIPs, and no policy denies externalIPs",
        ),
        (
            "{manifests: [{file: a.yaml, pod: {metadata: {namespace: kube-system, name: kube-apiserver}, spec: {containers: [{name: kube-apiserver, command: [kube-apiserver, --enable-admission-plugins=DenyServiceExternalIPs, '--enable-admission-plugins=NodeRestriction']}]}}}]}",
            "PASS",
        ),
        (
            "{manifests: [{file: a.yaml, pod: {metadata: {namespace: kube-system, name: kube-apiserver}, spec: {containers: [{name: kube-apiserver, command: [kube-apiserver]}]}}}], validating_policies: [{name: no-external, rules: [{apiGroups: [''], resources: [services], operations: [CREATE, UPDATE]}], expressions: ['!has(object.spec.externalIPs)']}], validating_policy_bindings: [{name: b, policy: no-external, actions: [Deny]}]}",
            "MANUAL: does the admission policy no-external deny externalIPs of every Service?",
        ),
        (
            "{manifests: [{file: a.yaml, pod: {metadata: {namespace: kube-system, name: kube-apiserver}, spec: {containers: [{name: kube-apiserver, command: [kube-apiserver], args: [--enable-admission-plugins, NodeRestriction]}]}}}], validating_policies: [], validating_policy_bindings: []}",
            "FAIL low: kube-apiserver runs without the plugin DenyServiceExternalIPs, and no policy denies externalIPs",
        ),
        (
            "{manifests: [{file: a.yaml, pod: {metadata: {namespace: kube-system, name: kube-apiserver}, spec: {containers: [{name: kube-apiserver, command: [kube-apiserver, --admission-control-config-file=/etc/kubernetes/admission.yaml]}]}}}], validating_policies: [], validating_policy_bindings: []}",
            "MANUAL: does a policy of /etc/kubernetes/admission.yaml deny externalIPs of Services?",
        ),
        (
            "manifests: [{file: a.yaml, pod: shop/a}]",
            "N/A: no manifest of the node starts an API server",
        ),
        (
            "{manifests: [], processes: [{comm: k3s-server}]}",
            "N/A: no manifest of the node starts an API server: k3s runs as a process of the node, not as a static pod",
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
    let mut pods = declared.pods.iter();
    let server = pods.find_map(|pod| Some((pod, own_words(pod.pod, "kube-apiserver")?)));
    let Some((pod, words)) = server else {
        if let Some(gap) = declared.gaps.first() {
            return Err(gap.clone());
        }
        let why = "no manifest of the node starts an API server";
        return Ok(no_control_plane(node, declared.at, why));
    };
    if flags::admits_by(&words, PLUGIN)? {
        return Ok(pass([pod.at]));
    }
    // What it says is a program (CEL), and whom it spares is a matter of selectors: nothing here proves it.
    if let Some(name) = policy(&view.snapshot.cluster.objects)? {
        return Err(Gap::NeedsHuman {
            question: Text::from(format!(
                "does the admission policy {name} deny externalIPs of every Service?"
            )),
        });
    }
    // Its folder of policies is no object of the API server (ManifestBasedAdmissionControlConfig, on from 1.37).
    if let Some(file) = flags::last_of(&words, "admission-control-config-file") {
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
///
/// # Errors
/// Why policies are not known.
fn policy(objects: &Objects) -> Result<Option<&Text>, Gap> {
    let policies = objects.validating_policies.get()?;
    let bindings = objects.validating_policy_bindings.get()?;
    let found = policies.value.iter().find(|policy| {
        let mut rules = policy.rules.iter();
        let mut expressions = policy.expressions.iter();
        let mut bindings = bindings.value.iter();
        rules.any(|rule| rule.covers("", "services", "CREATE"))
            && expressions.any(|text| text.as_str().contains("externalIPs"))
            && bindings.any(|binding| {
                let mut actions = binding.actions.iter();
                binding.policy == policy.name && actions.any(|action| *action == "Deny")
            })
    });
    Ok(found.map(|policy| &policy.name))
}
