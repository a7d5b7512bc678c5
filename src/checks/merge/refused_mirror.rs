use super::blockers::{Cause, CauseKind, Standing};
use super::pairs::{Declared, declared};
use crate::checks::check::{
    Check, Judge, Maps, Remediation, Tally, View, by_hand, kubectl, offence, on_node,
};
use crate::checks::pss::admission::Admission;
use crate::checks::pss::judged::{another_forbids, shape};
use crate::checks::pss::labels::{self, Levels};
use crate::checks::standard::{Level, Standard, Violation, evaluate, refusal, warning};
use crate::checks::version;
use crate::model::cluster::Namespace;
use crate::model::fact::{Gap, Locator, Need};
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::verdict::{Severity, Subject, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-MRG-004"),
    title: "Pod Security admits the mirror of every static pod",
    why: "An enforced level does not stop a static pod, it hides it: the mirror is refused, and the containers run where no kubectl sees them.",
    severity: Severity::High,
    since: "0.2.0",
    needs: &[Need::Manifests, Need::Namespaces],
    helps: &[Need::ApiServerFiles, Need::NodeObject],
    maps: &[
        Maps::Pss("baseline"),
        Maps::Attack("T1564"),
        Maps::Source("kubernetes.io: API server bypass risks"),
    ],
    fix: Remediation {
        steps: &[
            kubectl("kubectl get namespace {ns} --show-labels"),
            on_node("grep -rlFe {pod} /etc/kubernetes/manifests"),
            by_hand(
                "mend the fields that the message names in that file, or move the pod to a namespace whose level fits; for a pod that needs what it has, set enforce=privileged with audit and warn at the old level",
            ),
            kubectl("kubectl get pods -n {ns} --field-selector spec.nodeName={node}"),
        ],
        restarts: "the pod, where its file is changed; nothing, where the level is: the kubelet tries to make the mirror again by itself",
        undo: &[by_hand("set the old level again, or put the old file back")],
    },
    examples: &[
        (
            "{manifests: [{file: a.yaml, pod: shop/a}], namespaces: {shop: {enforce: baseline}}}",
            "PASS",
        ),
        (
            "{object: {version: v1.37.2}, manifests: [{file: a.yaml, pod: {metadata: {name: a, namespace: shop}, spec: {hostPID: true}}}, {file: k.yaml, pod: {metadata: {name: k, namespace: kube-system}, spec: {containers: [{name: c, command: [kube-apiserver]}]}}}], namespaces: {shop: {audit: baseline}, kube-system: {}}}",
            "PASS: shop/a would violate PodSecurity \"baseline:latest\": host namespaces (hostPID=true), and is only audited",
        ),
        (
            "{object: {version: v1.37.2}, manifests: [{file: a.yaml, pod: {metadata: {name: a, namespace: shop}, spec: {hostPID: true}}}], namespaces: {shop: {enforce: baseline, labels: {pod-security.kubernetes.io/enforce-version: v1.30}}}}",
            "FAIL high: the next mirror of shop/a is refused: violates PodSecurity \"baseline:v1.30\": host namespaces (hostPID=true); gap: a person has to decide: no API server is seen as a static pod: does its Pod Security configuration set defaults or exemptions?",
        ),
        (
            "{manifests: [{file: a.yaml, pod: {metadata: {name: a, namespace: shop}, spec: {containers: [{name: c}]}}}, {file: k.yaml, pod: {metadata: {name: k, namespace: kube-system}, spec: {containers: [{name: c, command: [kube-apiserver]}]}}}], namespaces: {shop: {enforce: basline}, kube-system: {}}}",
            "FAIL high: the next mirror of shop/a is refused: violates PodSecurity \"restricted:latest\": allowPrivilegeEscalation != false (container \"c\" must set securityContext.allowPrivilegeEscalation=false), unrestricted capabilities (container \"c\" must set securityContext.capabilities.drop=[\"ALL\"]), runAsNonRoot != true (pod or container \"c\" must set securityContext.runAsNonRoot=true), seccompProfile (pod or container \"c\" must set securityContext.seccompProfile.type to \"RuntimeDefault\" or \"Localhost\")",
        ),
        (
            "{manifests: [{file: a.yaml, pod: {metadata: {name: a, namespace: shop}, spec: {hostPID: true}}}, {file: k.yaml, pod: {metadata: {name: k, namespace: kube-system}, spec: {containers: [{name: c, command: [kube-apiserver, --admission-control-config-file=/a]}]}}}], namespaces: {shop: {enforce: baseline}, kube-system: {}}, admission: {kind: PodSecurityConfiguration, exemptions: {namespaces: [shop]}}}",
            "PASS: shop/a is exempt by the namespace shop",
        ),
        (
            "{manifests: [{file: a.yaml, pod: {metadata: {name: a, namespace: shop}, spec: {hostPID: true}}}, {file: k.yaml, pod: {metadata: {name: k, namespace: kube-system}, spec: {containers: [{name: c, command: [kube-apiserver]}]}}}], namespaces: {shop: {}, kube-system: {}}, nodes: {cp-2: {manifests: [{file: k.yaml, pod: {metadata: {name: k, namespace: kube-system}, spec: {containers: [{name: c, command: [kube-apiserver, --admission-control-config-file=/a]}]}}}], admission: {kind: PodSecurityConfiguration, defaults: {enforce: baseline}}}}}",
            "MANUAL: the API servers have different Pod Security configurations: which of them answers the kubelet?",
        ),
        (
            "{manifests: [{file: a.yaml, pod: {metadata: {name: a, namespace: shop}, spec: {hostPID: true}}}, {file: k.yaml, pod: {metadata: {name: k, namespace: kube-system}, spec: {containers: [{name: c, command: [kube-apiserver, --admission-control-config-file=/a]}]}}}], namespaces: {shop: {}, kube-system: {}}, admission: {kind: PodSecurityConfiguration, defaults: {enforce: baseline}}}",
            "FAIL high: the next mirror of shop/a is refused: violates PodSecurity \"baseline:latest\": host namespaces (hostPID=true)",
        ),
        (
            "{manifests: [{file: a.yaml, pod: {metadata: {name: a, namespace: shop}, spec: {hostPID: true}}}], namespaces: {shop: {}}}",
            "MANUAL: no API server is seen as a static pod: does its Pod Security configuration set defaults or exemptions?",
        ),
        (
            "{manifests: [{file: a.yaml, pod: gone/a}], namespaces: {}}",
            "PASS",
        ),
        (
            "{manifests: [{file: a.yaml, unread: denied}], namespaces: {}}",
            "UNKNOWN: the login may not read it",
        ),
        (
            "{manifests: [{file: a.yaml, pod: shop/a}], namespaces: {gap: forbidden}}",
            "UNKNOWN: the API server forbids list pods",
        ),
    ],
    judge: Judge::Peers(judge),
    file: file!(),
};

fn judge(node: &NodeFacts, view: &View<'_>) -> Result<Verdict, Gap> {
    let declared = declared(node)?;
    let cluster = &view.snapshot.cluster;
    let mut tally = Tally::new();
    tally.good(cluster.namespaces.get()?.at);
    declared.tell(&mut tally);
    let admission = view.admission();
    for pod in &declared.pods {
        // Of a namespace that does not exist: SP-MRG-003.
        if let Some((index, namespace)) = cluster.namespace(pod.pod.namespace.as_str())? {
            let at = Locator::new(Need::Namespaces, index);
            let asked = Asked {
                node,
                view,
                admission,
                namespace: (namespace, at),
            };
            if let Err(gap) = asked.one(pod, &mut tally) {
                tally.gap(gap);
            }
        }
    }
    tally.verdict()
}

/// What Pod Security makes of a pod, as a link of a chain of causes.
pub(super) fn pod_security(
    node: &NodeFacts,
    view: &View<'_>,
    pod: &Declared<'_>,
    namespace: &Namespace,
) -> Cause {
    let list = view.snapshot.cluster.namespace(namespace.name.as_str());
    let index = list.ok().flatten().map_or(u32::MAX, |(index, _)| index);
    let asked = Asked {
        node,
        view,
        admission: view.admission(),
        namespace: (namespace, Locator::new(Need::Namespaces, index)),
    };
    let cause = asked.cause(pod);
    cause.unwrap_or_else(|gap| Cause::unknown(CauseKind::PodSecurity, gap))
}

/// What admission knows when it is asked for a mirror.
struct Asked<'a> {
    node: &'a NodeFacts,
    view: &'a View<'a>,
    admission: &'a Result<Admission, Gap>,
    namespace: (&'a Namespace, Locator),
}

impl Asked<'_> {
    fn one(&self, declared: &Declared<'_>, tally: &mut Tally) -> Result<(), Gap> {
        let (pod, at) = (declared.pod, declared.at);
        let (_, labels_at) = self.namespace;
        tally.good(labels_at);
        let name = format!("{}/{}", pod.namespace, pod.name);
        if let Some(why) = self.exempt(declared) {
            tally.note(format!("{name} is exempt by {why}"));
            return Ok(());
        }
        let shape = shape(pod)?;
        let levels = self.levels();
        let refused = evaluate(self.known(levels.enforce), &shape);
        if !refused.is_empty() {
            let why = refusal(levels.enforce, &refused);
            let message = format!("the next mirror of {name} is refused: {why}");
            let subject = Subject::pod(&pod.namespace, &pod.name);
            tally.offence(offence(subject, Severity::High, message, [at, labels_at]));
            tally.gaps(self.admission.as_ref().err().cloned());
            return Ok(());
        }
        self.uncertain(levels, &shape, tally);
        for (mode, standard) in [("audited", levels.audit), ("warned of", levels.warn)] {
            let found: Vec<Violation> = evaluate(self.known(standard), &shape);
            if !found.is_empty() {
                let said = warning(standard, &found);
                tally.note(format!("{name} {said}, and is only {mode}"));
            }
        }
        Ok(())
    }

    /// Why nobody looks at the pod, where that is known to be so.
    fn exempt(&self, declared: &Declared<'_>) -> Option<String> {
        let admission = self.admission.as_ref().ok()?;
        admission.exempts(declared.pod, self.node.name.as_str())
    }

    fn levels(&self) -> Levels {
        let (namespace, _) = self.namespace;
        let defaults = self
            .admission
            .as_ref()
            .map_or_else(|_| Levels::default(), |known| known.defaults);
        labels::read(|key| namespace.labels.get(key), defaults).0
    }

    /// The same as a link of a chain of causes.
    fn cause(&self, declared: &Declared<'_>) -> Result<Cause, Gap> {
        let kind = CauseKind::PodSecurity;
        let evidence = [declared.at, self.namespace.1];
        if let Some(why) = self.exempt(declared) {
            let words = format!("it is exempt by {why}");
            return Ok(Cause::new(kind, Standing::RuledOut, words).at(evidence));
        }
        let shape = shape(declared.pod)?;
        let levels = self.levels();
        let refused = evaluate(self.known(levels.enforce), &shape);
        if refused.is_empty() {
            let mut tally = Tally::new();
            tally.all_good(&evidence);
            self.uncertain(levels, &shape, &mut tally);
            tally.verdict()?;
            let words = format!("{} admits it", levels.enforce);
            return Ok(Cause::new(kind, Standing::RuledOut, words).at(evidence));
        }
        let standing = match self.admission {
            Ok(_) => Standing::Proven,
            // It may be exempt.
            Err(_) => Standing::Possible,
        };
        let controls: Vec<&str> = refused.iter().map(|violation| violation.id).collect();
        let words = format!(
            "the namespace {} enforces Pod Security {}, and it breaks {}",
            declared.pod.namespace,
            levels.enforce,
            controls.join(", ")
        );
        let mut cause = Cause::new(kind, standing, words).at(evidence);
        cause.token = Some("violates PodSecurity".to_owned());
        Ok(cause)
    }

    fn known(&self, standard: Standard) -> Standard {
        match version::minor(self.node, self.view) {
            Some(server) => standard.as_known_to(server),
            None => standard,
        }
    }

    /// What could refuse the pod after all and is not known: the defaults of the API server, or its version.
    fn uncertain(
        &self,
        levels: Levels,
        shape: &crate::checks::standard::Shape<'_>,
        tally: &mut Tally,
    ) {
        let (namespace, _) = self.namespace;
        let has_label = namespace
            .labels
            .contains_key(crate::model::known::PSA_ENFORCE);
        let strictest = Standard::latest(Level::Restricted);
        if let (Err(gap), false) = (self.admission, has_label)
            && !evaluate(strictest, shape).is_empty()
        {
            tally.gap(gap.clone());
        }
        let is_latest = levels.enforce.version == crate::checks::standard::Version::Latest;
        if is_latest
            && version::minor(self.node, self.view).is_none()
            && another_forbids(levels.enforce.level, shape, &[])
        {
            tally.gap(self.node.api.object.get().err().unwrap_or(Gap::NotAsked));
        }
    }
}
