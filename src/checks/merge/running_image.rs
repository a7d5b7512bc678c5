use super::pairs::{Declared, both, mirrors};
use super::settle::{changed, comparable, settled, window};
use crate::checks::check::{
    Check, Judge, Maps, Remediation, View, by_hand, kubectl, not_applicable, offence, on_node,
};
use crate::checks::images::reference::Reference;
use crate::model::fact::{Gap, Locator, Need};
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::pod::{ContainerKind, Mirror};
use crate::model::text::Text;
use crate::model::tree::{Branch, Items};
use crate::model::verdict::{Offence, Severity, Subject, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-MRG-021"),
    title: "What runs is the image that the manifest pins",
    why: "A container of another image than the manifest pins is code that nobody reviewed, with the rights of a static pod.",
    severity: Severity::High,
    since: "0.3.0",
    needs: &[Need::Manifests, Need::MirrorPods],
    helps: &[Need::Identity, Need::KubeletConfig],
    maps: &[Maps::Attack("T1525")],
    fix: Remediation {
        steps: &[
            kubectl("kubectl get pod -n {ns} -o wide --field-selector spec.nodeName={node}"),
            on_node("crictl images --digests"),
            by_hand(
                "find out who put the other image there; then remove it by crictl rmi, and the kubelet pulls what the manifest pins",
            ),
            on_node("crictl ps --name {container}"),
        ],
        restarts: "the container, when it is started anew: move the manifest out of the folder and back, one node at a time",
        undo: &[by_hand("none needed: the manifest is not changed")],
    },
    examples: &[
        (
            "{manifests: [{file: a.yaml, pod: {metadata: {name: a, namespace: x}, spec: {containers: [{name: c, image: 'r.io/a@sha256:00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff'}]}}}], mirrors: [{pod: {metadata: {name: a-cp-1, namespace: x}, status: {containerStatuses: [{name: c, imageID: 'r.io/a@sha256:00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff'}]}}}]}",
            "PASS",
        ),
        (
            "{clock: 1000, manifests: [{file: a.yaml, pod: {metadata: {name: a, namespace: x}, spec: {containers: [{name: c, image: 'r.io/a@sha256:00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff'}]}}}], mirrors: [{pod: {metadata: {name: a-cp-1, namespace: x}, status: {containerStatuses: [{name: c, imageID: 'r.io/a@sha256:ff112233445566778899aabbccddeeff00112233445566778899aabbccddeeff'}]}}}]}",
            "FAIL high: container c of x/a runs sha256:ff1122334455, the manifest pins sha256:001122334455",
        ),
        (
            "{clock: 1000, manifests: [{file: a.yaml, ctime: 990, pod: {metadata: {name: a, namespace: x}, spec: {initContainers: [{name: i, image: 'r.io/a@sha256:00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff'}]}}}], mirrors: [{pod: {metadata: {name: a-cp-1, namespace: x}, status: {initContainerStatuses: [{name: i, imageID: 'r.io/a@sha256:ff112233445566778899aabbccddeeff00112233445566778899aabbccddeeff'}]}}}]}",
            "UNKNOWN: the kubelet may still act for 30 s",
        ),
        (
            "{manifests: [{file: a.yaml, pod: {metadata: {name: a, namespace: x}, spec: {containers: [{name: c, image: 'r.io/a@sha256:00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff'}]}}}], mirrors: [{pod: {metadata: {name: a-cp-1, namespace: x}, status: {containerStatuses: [{name: c, imageID: 'sha256:ff112233445566778899aabbccddeeff00112233445566778899aabbccddeeff'}]}}}]}",
            "MANUAL: does container c of x/a run the image that its manifest pins? its runtime tells no digest of a registry: crictl inspecti shows it",
        ),
        (
            "{manifests: [{file: a.yaml, pod: {metadata: {name: a, namespace: x}, spec: {containers: [{name: c, image: 'r.io/a@sha256:00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff'}]}}}], mirrors: []}",
            "MANUAL: does container c of x/a run the image that its manifest pins? it has no mirror: crictl inspect shows it",
        ),
        (
            "{manifests: [{file: a.yaml, pod: x/a}], mirrors: []}",
            "N/A: no manifest pins an image by its digest",
        ),
        (
            "{manifests: [{file: a.yaml, unread: denied}], mirrors: []}",
            "UNKNOWN: the login may not read it",
        ),
    ],
    judge: Judge::Node(judge),
    file: file!(),
};

fn judge(node: &NodeFacts, view: &View<'_>) -> Result<Verdict, Gap> {
    let (declared, list, mut tally) = both(node)?;
    let mut pins = 0;
    for pod in &declared.pods {
        let mirror = mirrors(list).find(|(_, mirror)| pod.is_mirrored_by(mirror));
        for (kind, container) in pod.pod.containers() {
            let image = container.get("image").and_then(Branch::as_str);
            let reference = image.and_then(Reference::parse);
            let Some(digest) = reference.and_then(|reference| reference.digest) else {
                continue;
            };
            pins += 1;
            let name = container.get("name").and_then(Branch::as_str);
            let pinned = Pinned {
                node,
                view,
                pod,
                kind,
                name: Text::new(name.unwrap_or_default()),
                digest,
            };
            tally.part(pod.at, pinned.holds(mirror));
        }
    }
    if pins == 0 && declared.gaps.is_empty() {
        let evidence = [declared.at, list.at];
        return Ok(not_applicable(
            evidence,
            "no manifest pins an image by its digest",
        ));
    }
    tally.verdict()
}

/// A container whose image is pinned.
struct Pinned<'n> {
    node: &'n NodeFacts,
    view: &'n View<'n>,
    pod: &'n Declared<'n>,
    kind: ContainerKind,
    name: Text,
    digest: &'n str,
}

impl Pinned<'_> {
    fn words(&self) -> String {
        let pod = self.pod.pod;
        format!("container {} of {}/{}", self.name, pod.namespace, pod.name)
    }

    fn holds(&self, mirror: Option<(Locator, &Mirror)>) -> Result<Option<Offence>, Gap> {
        let Some((at, mirror)) = mirror else {
            return Err(self.unknown("it has no mirror: crictl inspect shows it"));
        };
        let Some(id) = image_id(mirror, self.kind, &self.name) else {
            return Err(self.unknown("its mirror has no status of it: crictl inspect shows it"));
        };
        // An image that was imported has the digest of its configuration alone.
        let Some((_, running)) = id.rsplit_once('@') else {
            let why = "its runtime tells no digest of a registry: crictl inspecti shows it";
            return Err(self.unknown(why));
        };
        if running.eq_ignore_ascii_case(self.digest) {
            return Ok(None);
        }
        comparable(self.node, self.view, mirror)?;
        let change = changed(&self.pod.manifest.walk);
        settled(self.node, window(self.node), [change])?;
        let pod = self.pod.pod;
        let message = format!(
            "{} runs {}, the manifest pins {}",
            self.words(),
            short(running),
            short(self.digest)
        );
        let subject = Subject::container(&pod.namespace, &pod.name, &self.name);
        let evidence = [self.pod.at, at];
        Ok(Some(offence(subject, Severity::High, message, evidence)))
    }

    fn unknown(&self, why: &str) -> Gap {
        Gap::NeedsHuman {
            question: Text::from(format!(
                "does {} run the image that its manifest pins? {why}",
                self.words()
            )),
        }
    }
}

/// `imageID` of a container's status, where there is one.
pub fn image_id<'m>(mirror: &'m Mirror, kind: ContainerKind, name: &Text) -> Option<&'m str> {
    let field = match kind {
        ContainerKind::Init => "initContainerStatuses",
        ContainerKind::Main => "containerStatuses",
        ContainerKind::Ephemeral => "ephemeralContainerStatuses",
    };
    let list = mirror.pod.raw.get("status")?.get(field)?.as_array();
    let mut all = list.into_iter().flat_map(Items::iter);
    let own = all.find(|status| status.get("name").and_then(Branch::as_str) == Some(name.as_str()));
    let id = own?.get("imageID")?.as_str()?;
    (!id.is_empty()).then_some(id)
}

/// As many digits as tell digests apart.
pub fn short(digest: &str) -> String {
    digest.chars().take("sha256:".len() + 12).collect()
}
