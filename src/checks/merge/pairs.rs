//! Which manifest, mirror and running pod belong together.

use crate::checks::check::Tally;
use crate::model::fact::{Fact, Gap, Locator, Need, Seen};
use crate::model::known::CONFIG_MIRROR;
use crate::model::node::{NodeFacts, RuntimePod, RuntimePods};
use crate::model::pod::{Manifest, Mirror, Pod, PodId};
use crate::model::text::Text;
use crate::model::unix::FileKind;

use super::compare::mirror_name;

/// A static pod that a manifest declares and the kubelet would run.
pub struct Declared<'n> {
    pub manifest: &'n Manifest,
    pub pod: &'n Pod,
    pub at: Locator,
    /// The name that its mirror has.
    pub mirror_name: Text,
}

impl<'n> Declared<'n> {
    /// `namespace/name` of the mirror.
    pub fn names(&self) -> String {
        format!("{}/{}", self.pod.namespace, self.mirror_name)
    }

    pub fn is_mirrored_by(&self, mirror: &Mirror) -> bool {
        mirror.pod.namespace == self.pod.namespace && mirror.pod.name == self.mirror_name
    }

    pub fn is_named(&self, id: &PodId) -> bool {
        *id.namespace == *self.pod.namespace.as_str() && *id.name == *self.mirror_name.as_str()
    }

    /// The uid that the manifest pins; the kubelet uses it as it is.
    pub fn pinned(&self) -> Option<&'n str> {
        let uid = self.pod.metadata().get("uid")?.as_str()?;
        (!uid.is_empty()).then_some(uid)
    }

    /// Whether a pod of the node is this one: by the pinned uid, or by the name of its log folder.
    pub fn is(&self, pod: &RuntimePod) -> bool {
        let pinned = self
            .pinned()
            .is_some_and(|uid| same_uid(uid, pod.uid.as_str()));
        let logged = pod.log.as_ref().is_some_and(|(namespace, name)| {
            *namespace == self.pod.namespace && *name == self.mirror_name
        });
        pinned || logged
    }

    /// Pods of the node that are this one and have a process.
    pub fn running<'r>(&self, runtime: &'r RuntimePods) -> Vec<&'r RuntimePod> {
        let live = runtime.pods.iter().filter(|pod| pod.pids > 0);
        live.filter(|pod| self.is(pod)).collect()
    }
}

/// What the manifests of a node declare, and where that is not known.
pub struct Declarations<'n> {
    pub pods: Vec<Declared<'n>>,
    /// Of manifests that could not be read: any pod may be missing above.
    pub gaps: Vec<Gap>,
    pub at: Locator,
}

impl Declarations<'_> {
    /// Leaves evidence and gaps of all manifests.
    pub fn tell(&self, tally: &mut Tally) {
        tally.good(self.at);
        for declared in &self.pods {
            tally.good(declared.at);
        }
        for gap in &self.gaps {
            tally.gap(gap.clone());
        }
    }
}

/// Reads what is declared. A file that is no pod, that is no regular file, or that carries the mirror
/// annotation is not run by the kubelet, and declares nothing.
///
/// # Errors
/// The gap where the manifests as a whole are not known.
pub fn declared(node: &NodeFacts) -> Result<Declarations<'_>, Gap> {
    let manifests = node.host.manifests.get()?;
    let mut out = Declarations {
        pods: Vec::new(),
        gaps: Vec::new(),
        at: manifests.at,
    };
    for manifest in &manifests.value {
        match declares(node, manifest) {
            Ok(declared) => out.pods.extend(declared),
            Err(gap) => out.gaps.push(gap),
        }
    }
    Ok(out)
}

/// What the manifests declare and the mirrors that are there, with what either leaves untold.
///
/// # Errors
/// The gap where one of the two is not known.
pub fn both(node: &NodeFacts) -> Result<(Declarations<'_>, &Seen<Vec<Mirror>>, Tally), Gap> {
    let declared = declared(node)?;
    let list = node.api.mirrors.get()?;
    let mut tally = Tally::new();
    tally.good(list.at);
    unread(node, &mut tally);
    declared.tell(&mut tally);
    Ok((declared, list, tally))
}

fn declares<'n>(
    node: &NodeFacts,
    manifest: &'n Fact<Manifest>,
) -> Result<Option<Declared<'n>>, Gap> {
    let manifest = manifest.get()?;
    let irregular = [
        FileKind::Directory,
        FileKind::Fifo,
        FileKind::Socket,
        FileKind::Block,
        FileKind::Char,
    ];
    if irregular.contains(&manifest.value.kind) {
        return Ok(None);
    }
    let parsed = manifest.value.pod.get()?;
    let pod = parsed.value.pod();
    Ok(pod
        .filter(|pod| pod.annotation(CONFIG_MIRROR).is_none())
        .map(|pod| Declared {
            manifest: &manifest.value,
            pod,
            at: manifest.at,
            mirror_name: Text::from(mirror_name(pod.name.as_str(), node.name.as_str())),
        }))
}

/// The mirrors of a node with their evidence.
pub fn mirrors(list: &Seen<Vec<Mirror>>) -> impl Iterator<Item = (Locator, &Mirror)> {
    (0_u32..)
        .zip(&list.value)
        .map(|(index, mirror)| (Locator::new(Need::MirrorPods, index), mirror))
}

/// Leaves the gap of namespaces whose pods could not be listed: a mirror may be there that nobody has seen.
pub fn unread(node: &NodeFacts, tally: &mut Tally) {
    if let Some(gap) = &node.api.unread {
        tally.gap(gap.clone());
    }
}

/// Uids as a cgroup, a log folder and the API spell them: the systemd driver writes `_` for `-`.
pub fn same_uid(left: &str, right: &str) -> bool {
    let plain = |uid: &str| uid.replace('_', "-");
    left == right || plain(left) == plain(right)
}

/// The node knows a pod by its uid, a static pod by the hash that its mirror carries.
pub fn is_known(pod: &RuntimePod, id: &PodId) -> bool {
    let uid = pod.uid.as_str();
    same_uid(uid, &id.uid) || id.hash.as_ref().is_some_and(|hash| same_uid(uid, hash))
}

/// Whether a pod runs whose name is not known: without the log folders, which not every login may list, it is
/// named only by what the API server has of its uid. It may be any that is looked for.
pub fn is_unnamed(node: &NodeFacts, pod: &RuntimePod) -> bool {
    let known = node.api.pods.get().ok();
    let mut ids = known.iter().flat_map(|seen| &seen.value);
    pod.pids > 0 && pod.log.is_none() && !ids.any(|id| is_known(pod, id))
}

/// Processes of other users are hidden: what is missing may run all the same.
pub fn hidden_processes() -> Gap {
    Gap::Denied {
        what: Text::new("the processes of other users (/proc is mounted with hidepid)"),
    }
}
