use super::pairs::{hidden_processes, mirrors, same_uid, unread};
use super::settle::comparable;
use crate::checks::check::{
    Check, Judge, Maps, Remediation, Tally, View, by_hand, comparing, kubectl, offence,
};
use crate::model::fact::{Gap, Locator, Need, Seen};
use crate::model::name::CheckId;
use crate::model::node::{NodeFacts, NodeObject, RuntimePods};
use crate::model::pod::{Mirror, Owner};
use crate::model::text::Text;
use crate::model::verdict::{Comparison, Offence, Severity, Side3, Subject, Verdict};

/// Programs that hold a kubelet: the field manager is named after the program.
const KUBELETS: [&str; 4] = ["kubelet", "k3s", "kubelite", "hyperkube"];

pub static CHECK: Check = Check {
    id: CheckId("SP-MRG-012"),
    title: "Mirror pods are the kubelet's own",
    why: "Whoever may create or edit pods can dress one up as a mirror, and show a healthy control plane where something else runs.",
    severity: Severity::High,
    since: "0.1.0",
    needs: &[Need::MirrorPods, Need::NodeObject, Need::RuntimePods],
    helps: &[],
    maps: &[
        Maps::Attack("T1036"),
        Maps::Source("kubernetes/enhancements#1314"),
    ],
    fix: Remediation {
        steps: &[
            kubectl("kubectl get pod -n {ns} {pod} -o yaml --show-managed-fields"),
            by_hand(
                "find out who made or edited it: the API server's audit log has the user, managedFields above the program and the time",
            ),
            kubectl("kubectl delete pod -n {ns} {pod}"),
            kubectl("kubectl auth can-i --list -n {ns}"),
        ],
        restarts: "nothing: deleting a mirror stops no container; the kubelet makes a true one within seconds where a static pod stands behind it",
        undo: &[by_hand(
            "none needed: what the kubelet runs, it shows again",
        )],
    },
    examples: &[
        (
            "{mirrors: [{pod: a/a-cp-1, hash: 8e1f}], object: {}, runtime: [{uid: 8e1f}]}",
            "PASS",
        ),
        ("{mirrors: [], object: {}, runtime: []}", "PASS"),
        (
            "{mirrors: [{pod: a/a-cp-1, hash: 8e1f, owners: [{uid: another}]}], object: {}, runtime: [{uid: 8e1f}]}",
            "FAIL high: a/a-cp-1 is owned by another Node object than this one",
        ),
        (
            "{mirrors: [{pod: a/a-cp-1, hash: 8e1f, owners: []}], object: {}, runtime: []}",
            "FAIL high: a/a-cp-1 has no owner, a true mirror has its Node; a/a-cp-1 stands for no pod that the node has",
        ),
        (
            "{mirrors: [{pod: a/a-cp-1, hash: 8e1f, owners: [{}, {kind: ReplicaSet}]}], object: {}, runtime: [{uid: 8e1f}]}",
            "FAIL high: a/a-cp-1 has 2 owners, a true mirror has one",
        ),
        (
            "{mirrors: [{pod: a/a-cp-1, hash: 8e1f, owners: [{controller: false}]}], object: {}, runtime: [{uid: 8e1f}]}",
            "FAIL high: a/a-cp-1 has an owner that is not its controller",
        ),
        (
            "{mirrors: [{pod: a/a-cp-1, hash: 8e1f, owners: [{kind: Job, name: x}]}], object: {}, runtime: [{uid: 8e1f}]}",
            "FAIL high: a/a-cp-1 is owned by Job x, a true mirror by its Node",
        ),
        (
            "{mirrors: [{pod: a/a-cp-1, hash: 8e1f, managers: [kubelet, kubectl-set]}], object: {}, runtime: [{uid: 8e1f}]}",
            "FAIL high: a/a-cp-1 was written by kubectl-set beside the kubelet",
        ),
        (
            "{mirrors: [{pod: a/a-cp-1, hash: 8e1f, mirror_hash: x77}], object: {}, runtime: [{uid: 8e1f}]}",
            "FAIL high: a/a-cp-1 carries two different hashes",
        ),
        (
            "{mirrors: [{pod: a/a-cp-1, hash: 8e1f}], object: {}, runtime: [{uid: other}]}",
            "FAIL high: a/a-cp-1 stands for no pod that the node has",
        ),
        (
            "{mirrors: [{pod: a/a-cp-1, hash: 8e1f, created: 1749999990}], object: {}, runtime: []}",
            "UNKNOWN: the kubelet may still act for 50 s",
        ),
        (
            "{mirrors: [{pod: a/a-cp-1, hash: 8e1f}], object: {}, runtime: {hidepid: true, pods: []}}",
            "UNKNOWN: the login may not read the processes of other users (/proc is mounted with hidepid)",
        ),
        (
            "{mirrors: [{pod: a/a-cp-1, owners: []}], object: {gap: forbidden}, runtime: {gap: denied}}",
            "FAIL high: a/a-cp-1 has no owner, a true mirror has its Node; gap: the API server forbids list pods; gap: the login may not read it",
        ),
        (
            "{mirrors: {gap: forbidden}, object: {}, runtime: []}",
            "UNKNOWN: the API server forbids list pods",
        ),
    ],
    judge: Judge::Node(judge),
    file: file!(),
};

fn judge(node: &NodeFacts, view: &View<'_>) -> Result<Verdict, Gap> {
    let list = node.api.mirrors.get()?;
    let mut tally = Tally::new();
    tally.good(list.at);
    unread(node, &mut tally);
    let object = tally.take(&node.api.object);
    let runtime = tally.take(&node.host.runtime_pods);
    let both = [object.map(|seen| seen.at), runtime.map(|seen| seen.at)];
    for at in both.into_iter().flatten() {
        tally.good(at);
    }
    for (at, mirror) in mirrors(list) {
        let case = Case { mirror, at };
        tally.part(at, Ok(case.owner(object)));
        tally.part(at, Ok(case.hashes()));
        tally.part(at, Ok(case.managers()));
        if let Some(runtime) = runtime {
            tally.part(at, case.runs(runtime, node, view));
        }
    }
    tally.verdict()
}

struct Case<'n> {
    mirror: &'n Mirror,
    at: Locator,
}

impl Case<'_> {
    fn names(&self) -> String {
        format!("{}/{}", self.mirror.pod.namespace, self.mirror.pod.name)
    }

    fn offence(&self, words: &str, row: Comparison, other: Option<Locator>) -> Offence {
        let subject = Subject::pod(&self.mirror.pod.namespace, &self.mirror.pod.name);
        let evidence = [self.at].into_iter().chain(other);
        let found = offence(subject, Severity::High, words, evidence);
        comparing(found, vec![row])
    }

    /// Exactly one owner: the Node itself, as the controller (plugin/pkg/admission/noderestriction).
    fn owner(&self, object: Option<&Seen<NodeObject>>) -> Option<Offence> {
        let names = self.names();
        let (words, found) = match self.mirror.owners.as_slice() {
            [] => (
                format!("{names} has no owner, a true mirror has its Node"),
                None,
            ),
            [owner] => (self.wrong_owner(owner, object)?, Some(owner)),
            more => {
                let count = more.len();
                (
                    format!("{names} has {count} owners, a true mirror has one"),
                    None,
                )
            }
        };
        let row = Comparison {
            field: Text::new("metadata.ownerReferences.uid"),
            manifest: Side3::Unasked,
            mirror: found.map_or(Side3::Absent, |owner| Side3::Value(owner.uid.clone())),
            runtime: object.map_or(Side3::Unasked, |object| {
                Side3::Value(object.value.uid.clone())
            }),
        };
        Some(self.offence(&words, row, object.map(|object| object.at)))
    }

    fn wrong_owner(&self, owner: &Owner, object: Option<&Seen<NodeObject>>) -> Option<String> {
        let names = self.names();
        if owner.kind != "Node" {
            let Owner { kind, name, .. } = owner;
            return Some(format!(
                "{names} is owned by {kind} {name}, a true mirror by its Node"
            ));
        }
        if !owner.controller {
            return Some(format!("{names} has an owner that is not its controller"));
        }
        object
            .filter(|object| object.value.uid != owner.uid)
            .map(|_| format!("{names} is owned by another Node object than this one"))
    }

    /// The kubelet writes one hash into both annotations (pkg/kubelet/pod/mirror_client.go).
    fn hashes(&self) -> Option<Offence> {
        let hash = self.mirror.hash.as_ref();
        if hash == Some(&self.mirror.mirror_hash) {
            return None;
        }
        let words = match hash {
            Some(_) => format!("{} carries two different hashes", self.names()),
            None => format!("{} carries no config.hash", self.names()),
        };
        let row = Comparison {
            field: Text::new("metadata.annotations[kubernetes.io/config.hash]"),
            manifest: Side3::Unasked,
            mirror: hash.map_or(Side3::Absent, |hash| Side3::Value(hash.clone())),
            runtime: Side3::Value(self.mirror.mirror_hash.clone()),
        };
        Some(self.offence(&words, row, None))
    }

    /// A write by another program than the kubelet. That there is none proves nothing: the name is the writer's choice.
    fn managers(&self) -> Option<Offence> {
        let managers = self.mirror.managers.iter();
        let mut others: Vec<&str> = managers
            .map(Text::as_str)
            .filter(|name| !KUBELETS.contains(name))
            .collect();
        others.sort_unstable();
        others.dedup();
        if others.is_empty() {
            return None;
        }
        let others = others.join(", ");
        let row = Comparison {
            field: Text::new("metadata.managedFields.manager"),
            manifest: Side3::Unasked,
            mirror: Side3::Value(Text::from(&others)),
            runtime: Side3::Value(Text::new("kubelet")),
        };
        let words = format!(
            "{} was written by {others} beside the kubelet",
            self.names()
        );
        Some(self.offence(&words, row, None))
    }

    /// A true mirror's hash is the uid of a pod on the node.
    fn runs(
        &self,
        runtime: &Seen<RuntimePods>,
        node: &NodeFacts,
        view: &View<'_>,
    ) -> Result<Option<Offence>, Gap> {
        let hash = self
            .mirror
            .hash
            .as_ref()
            .unwrap_or(&self.mirror.mirror_hash);
        let mut pods = runtime.value.pods.iter();
        if pods.any(|pod| same_uid(pod.uid.as_str(), hash.as_str())) {
            return Ok(None);
        }
        comparable(node, view, self.mirror)?;
        if runtime.value.hidepid {
            return Err(hidden_processes());
        }
        let row = Comparison {
            field: Text::new("metadata.annotations[kubernetes.io/config.hash]"),
            manifest: Side3::Unasked,
            mirror: Side3::Value(hash.clone()),
            runtime: Side3::Absent,
        };
        let words = format!("{} stands for no pod that the node has", self.names());
        Ok(Some(self.offence(&words, row, Some(runtime.at))))
    }
}
