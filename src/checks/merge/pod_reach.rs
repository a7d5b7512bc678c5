//! Pods of the API server that reach what steers their node: the static pod folder, the kubelet's configuration and
//! folder, the socket of a container runtime.

use super::pairs::unread;
use crate::checks::check::{Tally, View};
use crate::checks::privilege::places::{holds, plain};
use crate::checks::privilege::runtime_socket::{SOCKETS, run};
use crate::model::fact::{Gap, Locator, Need};
use crate::model::files::FileRole;
use crate::model::node::NodeFacts;
use crate::model::objects::of_list;
use crate::model::pod::{PodId, PodTraits};
use crate::model::text::Text;
use crate::model::uses::{MountSource, NodeMount};
use crate::model::verdict::Severity;

/// What a place is to the node, the deadliest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    Manifests,
    Config,
    RootDir,
    Socket,
}

impl Role {
    pub const fn words(self) -> &'static str {
        match self {
            Self::Manifests => "the static pod folder",
            Self::Config => "the kubelet's configuration",
            Self::RootDir => "the kubelet's own folder",
            Self::Socket => "a container runtime's socket",
        }
    }
}

/// A place that steers the node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub role: Role,
    pub path: String,
}

/// A pod that reaches such a place.
pub struct Reach<'n> {
    pub pod: &'n PodId,
    pub at: Locator,
    pub mount: &'n NodeMount,
    /// Of the node, without links where they are known.
    pub path: String,
    /// The PersistentVolume that brings it there.
    pub volume: Option<(Locator, &'n Text)>,
    pub place: Place,
    pub severity: Severity,
}

impl Reach<'_> {
    /// `namespace/name`.
    pub fn name(&self) -> String {
        format!("{}/{}", self.pod.namespace, self.pod.name)
    }

    /// Who it is on the node.
    pub const fn user(&self) -> &'static str {
        if self.mount.root {
            "as root"
        } else {
            "as a user other than root"
        }
    }

    pub fn evidence(&self) -> Vec<Locator> {
        let volume = self.volume.map(|(at, _)| at);
        std::iter::once(self.at).chain(volume).collect()
    }
}

/// Every place of the node that steers it; gaps of what is not known are left in the tally.
///
/// # Errors
/// Where neither the folder nor the kubelet's files are known.
pub fn places(node: &NodeFacts, tally: &mut Tally) -> Result<Vec<Place>, Gap> {
    let dir = node.host.manifest_dir.get()?;
    let files = node.host.kubelet_files.get()?;
    tally.all_good(&[dir.at, files.at]);
    let place = |role, path: &str| Place {
        role,
        path: run(&plain(path)),
    };
    let mut found = Vec::new();
    if let Some(dir) = &dir.value {
        found.push(place(Role::Manifests, dir.path.as_str()));
        let real = dir.walk.object().map(|hop| hop.path.as_str());
        found.extend(real.map(|path| place(Role::Manifests, path)));
    }
    tally.gaps(files.value.list.gaps.iter().cloned());
    for file in &files.value.list.files {
        let role = match file.role {
            FileRole::KubeletConfig | FileRole::KubeletConfigDir | FileRole::KubeletDropIn => {
                Role::Config
            }
            FileRole::RootDir => Role::RootDir,
            FileRole::RuntimeSocket | FileRole::KubeletSocket => Role::Socket,
            _ => continue,
        };
        found.push(place(role, file.path.as_str()));
    }
    found.extend(SOCKETS.iter().map(|path| place(Role::Socket, path)));
    found.sort_by(|left, right| (left.role, &left.path).cmp(&(right.role, &right.path)));
    found.dedup();
    Ok(found)
}

/// Every pod of the node that is no mirror and reaches one of its places. Evidence and gaps are left in the tally.
///
/// # Errors
/// The gap where the pods or the places are not known.
pub fn reaches<'n>(
    node: &'n NodeFacts,
    view: &'n View<'_>,
    tally: &mut Tally,
) -> Result<Vec<Reach<'n>>, Gap> {
    let pods = node.api.pods.get()?;
    let places = places(node, tally)?;
    tally.good(pods.at);
    unread(node, tally);
    let mut found = Vec::new();
    for (item, pod) in (0_u32..).zip(&pods.value) {
        let Some(uses) = &pod.uses else { continue };
        if pod.traits.any(PodTraits::MIRROR.or(PodTraits::ENDED)) {
            continue;
        }
        let at = Locator::new(Need::PodUids, item);
        if uses.cut {
            let what = format!(
                "{}/{} mounts more volumes than are kept",
                pod.namespace, pod.name
            );
            tally.gap(Gap::Garbled { what: what.into() });
        }
        for mount in &uses.mounts {
            let (path, volume) = match place_of(pod, mount, view) {
                Ok(Some(found)) => found,
                Ok(None) => continue,
                Err(gap) => {
                    tally.gap(gap);
                    continue;
                }
            };
            if let Some((place, severity)) = worst(&path, mount, &places) {
                found.push(Reach {
                    pod,
                    at,
                    mount,
                    path,
                    volume,
                    place: place.clone(),
                    severity,
                });
            }
        }
    }
    Ok(found)
}

type OnNode<'n> = (String, Option<(Locator, &'n Text)>);

/// Where a mount lies on the node; none where it lies elsewhere.
fn place_of<'n>(
    pod: &PodId,
    mount: &NodeMount,
    view: &'n View<'_>,
) -> Result<Option<OnNode<'n>>, Gap> {
    let claim = match &mount.source {
        MountSource::Path(path) => return Ok(Some((run(&plain(path)), None))),
        MountSource::Claim(claim) => claim,
    };
    let volumes = view.snapshot.cluster.objects.persistent_volumes.get()?;
    let mut all = of_list(Need::PersistentVolumes, &volumes.value);
    let bound = all.find(|(_, volume)| {
        volume
            .claim
            .as_ref()
            .is_some_and(|(namespace, name)| *namespace == *pod.namespace && *name == **claim)
    });
    Ok(bound
        .filter(|(_, volume)| !volume.path.is_empty())
        .map(|(at, volume)| (run(&plain(volume.path.as_str())), Some((at, &volume.name)))))
}

/// The deadliest place that a mount reaches, and how bad that is.
fn worst<'p>(path: &str, mount: &NodeMount, places: &'p [Place]) -> Option<(&'p Place, Severity)> {
    let rated = places
        .iter()
        .filter_map(|place| Some((place, rate(path, mount, place)?)));
    rated.min_by_key(|(place, severity)| (std::cmp::Reverse(*severity), place.role))
}

fn rate(path: &str, mount: &NodeMount, place: &Place) -> Option<Severity> {
    let above = holds(path, &place.path);
    let within = holds(&place.path, path);
    // Whoever sees a socket may talk to it: a read-only mount does not keep root from that.
    let usable = mount.writable || (place.role == Role::Socket && mount.root);
    if !(above || within) || !usable {
        return None;
    }
    let deadly = above || matches!(place.role, Role::Manifests | Role::Config);
    if !deadly && is_own_plugin(path, &place.path) {
        return None;
    }
    Some(if deadly && mount.root {
        Severity::Critical
    } else {
        Severity::High
    })
}

/// `plugins/NAME` is where a volume driver keeps its own socket, and nothing of anybody else lies there.
fn is_own_plugin(path: &str, root: &str) -> bool {
    let below = path.strip_prefix(root).unwrap_or(path);
    below
        .strip_prefix("/plugins/")
        .is_some_and(|name| !name.is_empty())
}
