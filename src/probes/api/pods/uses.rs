//! Where a pod leads to: what of its volumes and containers is read for it.

use std::borrow::Cow;

use serde::Deserialize;

use super::{field, or_default};
use crate::model::uses::{MountSource, NodeMount, PodUse};

/// A volume as far as it may lie on the node or hold a token.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Volume<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow)]
    host_path: Option<HostPath<'a>>,
    #[serde(borrow)]
    persistent_volume_claim: Option<Claim<'a>>,
    projected: Option<Projected>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct HostPath<'a> {
    #[serde(borrow)]
    path: Cow<'a, str>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Claim<'a> {
    #[serde(borrow)]
    claim_name: Cow<'a, str>,
    read_only: Option<bool>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Projected {
    #[serde(deserialize_with = "or_default")]
    sources: Vec<Projection>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Projection {
    service_account_token: Option<Token>,
}

/// A token for the API server names no audience.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Token {
    #[serde(deserialize_with = "or_default")]
    audience: String,
}

impl Volume<'_> {
    pub(super) fn is_on_host(&self) -> bool {
        self.host_path.is_some()
    }

    fn holds_token(&self) -> bool {
        let sources = self.projected.iter().flat_map(|all| &all.sources);
        let mut tokens = sources.filter_map(|source| source.service_account_token.as_ref());
        tokens.any(|token| token.audience.is_empty())
    }
}

/// A container as far as its rights on a volume go.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Container<'a> {
    #[serde(deserialize_with = "or_default")]
    pub(super) security_context: Security,
    #[serde(borrow, deserialize_with = "or_default")]
    volume_mounts: Vec<VolumeMount<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct VolumeMount<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow)]
    sub_path: Cow<'a, str>,
    read_only: Option<bool>,
}

/// A security context, of a container or of the whole pod.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Security {
    #[serde(deserialize_with = "or_default")]
    pub(super) privileged: bool,
    run_as_user: Option<i64>,
    run_as_non_root: Option<bool>,
}

impl Security {
    /// Whether nothing keeps a container from running as root: without a word it runs as its image says.
    fn may_be_root(self, pod: Self) -> bool {
        match self.run_as_user.or(pod.run_as_user) {
            Some(user) => user == 0,
            None => self.run_as_non_root.or(pod.run_as_non_root) != Some(true),
        }
    }
}

/// What leads out of a pod; `users`: whether its root is the node's.
pub(super) fn uses(
    account: &str,
    volumes: &[Volume<'_>],
    containers: &[&Container<'_>],
    (pod, users): (Security, bool),
) -> Option<PodUse> {
    let mut mounts: Vec<NodeMount> = Vec::new();
    for volume in volumes {
        for container in containers {
            let root = users && container.security_context.may_be_root(pod);
            for mount in &container.volume_mounts {
                if mount.name == volume.name {
                    add(&mut mounts, volume, mount, root);
                }
            }
        }
    }
    let cut = mounts.len() > PodUse::MOUNTS;
    mounts.truncate(PodUse::MOUNTS);
    let token = volumes.iter().any(Volume::holds_token);
    let found = PodUse {
        account: clean(if token { account } else { "" }),
        mounts: mounts.into(),
        cut,
    };
    (!found.is_empty()).then_some(found)
}

fn add(mounts: &mut Vec<NodeMount>, volume: &Volume<'_>, mount: &VolumeMount<'_>, root: bool) {
    let (source, locked) = match (&volume.host_path, &volume.persistent_volume_claim) {
        (Some(host), _) if mount.sub_path.is_empty() => {
            (MountSource::Path(clean(&host.path)), false)
        }
        (Some(host), _) => {
            let path = format!("{}/{}", host.path, mount.sub_path);
            (MountSource::Path(clean(&path)), false)
        }
        (None, Some(claim)) => (
            MountSource::Claim(clean(&claim.claim_name)),
            claim.read_only == Some(true),
        ),
        (None, None) => return,
    };
    let writable = !locked && mount.read_only != Some(true);
    let new = NodeMount {
        source,
        writable,
        root,
    };
    let Some(have) = mounts.iter_mut().find(|have| have.source == new.source) else {
        if mounts.len() <= PodUse::MOUNTS {
            mounts.push(new);
        }
        return;
    };
    // The one who can do more speaks: whoever writes before whoever reads, root before others.
    if (new.writable, new.root) > (have.writable, have.root) {
        *have = new;
    }
}

fn clean(raw: &str) -> Box<str> {
    field(raw).as_str().into()
}
