//! The fields of a pod that are read, and how deep.

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::MapAccess;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::model::known::{CONTROL_PLANE_LABEL, MASTER_LABEL};
use crate::model::pod::PodTraits;
use crate::model::text::Text;
use crate::model::uses::PodUse;

use super::field;
use super::or_default;
use super::uses::{Container, Security, Volume, uses};

/// `metadata` as far as any pod needs it.
#[derive(Debug, Deserialize)]
pub(super) struct Meta<'a> {
    #[serde(borrow, default)]
    pub(super) name: Cow<'a, str>,
    #[serde(borrow, default)]
    pub(super) namespace: Cow<'a, str>,
    #[serde(borrow, default)]
    pub(super) uid: Cow<'a, str>,
    #[serde(borrow, default, deserialize_with = "or_default")]
    pub(super) annotations: Annotations<'a>,
    #[serde(
        borrow,
        default,
        rename = "ownerReferences",
        deserialize_with = "or_default"
    )]
    pub(super) owners: Vec<Controller<'a>>,
}

/// The annotations by which a mirror is known (model/known.rs).
#[derive(Debug, Default, Deserialize)]
pub(super) struct Annotations<'a> {
    #[serde(borrow, default, rename = "kubernetes.io/config.mirror")]
    pub(super) mirror: Option<Cow<'a, str>>,
    #[serde(borrow, default, rename = "kubernetes.io/config.hash")]
    pub(super) hash: Option<Cow<'a, str>>,
    #[serde(borrow, default, rename = "kubernetes.io/config.source")]
    pub(super) source: Option<Cow<'a, str>>,
}

impl Meta<'_> {
    /// As the kubelet decides it: the annotation exists, whatever its value (pkg/kubelet/types/pod_update.go).
    pub(super) fn is_mirror(&self) -> bool {
        self.annotations.mirror.is_some()
    }
}

/// `metadata` as far as only a mirror needs it.
#[derive(Debug, Deserialize)]
pub(super) struct MirrorMeta {
    #[serde(default, rename = "ownerReferences", deserialize_with = "or_default")]
    pub(super) owners: Vec<OwnerItem>,
    #[serde(default, rename = "managedFields", deserialize_with = "or_default")]
    pub(super) managed: Vec<Managed>,
    #[serde(default, rename = "resourceVersion")]
    pub(super) version: String,
    #[serde(default, rename = "creationTimestamp", deserialize_with = "or_default")]
    pub(super) created: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct OwnerItem {
    #[serde(default)]
    pub(super) kind: String,
    #[serde(default)]
    pub(super) name: String,
    #[serde(default)]
    pub(super) uid: String,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) controller: bool,
}

#[derive(Debug, Deserialize)]
pub(super) struct Managed {
    #[serde(default)]
    pub(super) manager: String,
    #[serde(default)]
    pub(super) subresource: String,
}

impl MirrorMeta {
    pub(super) fn managers(&self) -> Vec<Text> {
        let mut managers: Vec<_> = self
            .managed
            .iter()
            .filter(|entry| entry.subresource != "status")
            .map(|entry| field(&entry.manager))
            .collect();
        managers.sort();
        managers.dedup();
        managers
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct Versioned {
    pub(super) metadata: VersionedMeta,
}

#[derive(Debug, Deserialize)]
pub(super) struct VersionedMeta {
    #[serde(default, rename = "resourceVersion")]
    pub(super) version: String,
}

/// `spec` as far as a pod that is no mirror needs it.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Bound<'a> {
    #[serde(borrow, rename = "nodeName")]
    pub(super) node: Cow<'a, str>,
    #[serde(deserialize_with = "or_default")]
    host_network: bool,
    #[serde(rename = "hostPID")]
    host_pid: Option<bool>,
    #[serde(rename = "hostIPC")]
    host_ipc: Option<bool>,
    #[serde(borrow, deserialize_with = "or_default")]
    tolerations: Vec<Toleration<'a>>,
    #[serde(borrow)]
    service_account_name: Cow<'a, str>,
    #[serde(deserialize_with = "or_default")]
    security_context: Security,
    host_users: Option<bool>,
    #[serde(borrow, deserialize_with = "or_default")]
    volumes: Vec<Volume<'a>>,
    #[serde(borrow, deserialize_with = "or_default")]
    containers: Vec<Container<'a>>,
    #[serde(borrow, deserialize_with = "or_default")]
    init_containers: Vec<Container<'a>>,
    #[serde(borrow, deserialize_with = "or_default")]
    ephemeral_containers: Vec<Container<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Toleration<'a> {
    #[serde(borrow)]
    key: Cow<'a, str>,
    #[serde(borrow)]
    operator: Cow<'a, str>,
    #[serde(borrow)]
    effect: Cow<'a, str>,
}

impl Bound<'_> {
    fn all(&self) -> Vec<&Container<'_>> {
        let lists = [
            &self.containers,
            &self.init_containers,
            &self.ephemeral_containers,
        ];
        lists.into_iter().flatten().collect()
    }

    /// Where the pod leads to.
    fn uses(&self) -> Option<PodUse> {
        let users = self.host_users != Some(false);
        uses(
            &self.service_account_name,
            &self.volumes,
            &self.all(),
            (self.security_context, users),
        )
    }

    /// What of the spec is asked of every pod.
    pub(super) fn traits(&self) -> PodTraits {
        let mut traits = PodTraits::default();
        traits.set(PodTraits::HOST_NETWORK, self.host_network);
        traits.set(
            PodTraits::HOST_PROCESSES,
            self.host_pid == Some(true) || self.host_ipc == Some(true),
        );
        let on_host = self.volumes.iter().any(Volume::is_on_host);
        traits.set(PodTraits::HOST_PATH, on_host);
        let all = self.all();
        let privileged = all
            .iter()
            .any(|container| container.security_context.privileged);
        traits.set(PodTraits::PRIVILEGED, privileged);
        for toleration in &self.tolerations {
            let role = [CONTROL_PLANE_LABEL, MASTER_LABEL].contains(&&*toleration.key);
            traits.set(PodTraits::TOLERATES_ROLE, role);
            if toleration.key.is_empty() && toleration.operator == "Exists" {
                let any = toleration.effect.is_empty();
                traits.set(PodTraits::TOLERATES_ALL, any);
                // The kubelet evicts by NoExecute; every DaemonSet of a node agent tolerates that alone.
                let places = toleration.effect == "NoSchedule";
                traits.set(PodTraits::TOLERATES_EFFECT, places);
            }
        }
        traits
    }
}

/// `status` as far as a pod that is no mirror needs it.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Phase<'a> {
    #[serde(borrow, default)]
    phase: Cow<'a, str>,
}

impl Phase<'_> {
    /// Nothing of it runs any more.
    pub(super) fn is_ended(&self) -> bool {
        matches!(&*self.phase, "Succeeded" | "Failed")
    }
}

/// The controller that made a pod.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Controller<'a> {
    #[serde(borrow, default)]
    kind: Cow<'a, str>,
    #[serde(default, deserialize_with = "or_default")]
    controller: bool,
}

/// By whom a pod is owned, as bits.
pub(super) fn owned(owners: &[Controller<'_>]) -> PodTraits {
    let mut traits = PodTraits::default();
    if let Some(owner) = owners.iter().find(|owner| owner.controller) {
        let daemon = owner.kind == "DaemonSet";
        traits.set(PodTraits::DAEMON, daemon);
        traits.set(PodTraits::OWNED, !daemon);
    }
    traits
}

/// `spec` or `status`, read as deep as is known to be needed.
#[derive(Debug, Default)]
pub(super) enum Part<'a> {
    #[default]
    Missing,
    /// It came before `metadata`: decided later.
    Raw(&'a RawValue),
    Bound(Bound<'a>),
    Whole(Value),
}

impl<'a> Part<'a> {
    pub(super) fn settle(self, mirror: bool) -> Result<Self, serde_json::Error> {
        Ok(match self {
            Self::Raw(raw) if mirror => Self::Whole(serde_json::from_str(raw.get())?),
            Self::Raw(raw) => {
                Self::Bound(serde_json::from_str::<Option<_>>(raw.get())?.unwrap_or_default())
            }
            other => other,
        })
    }

    /// What of a spec is asked of every pod; the spec of a mirror that cannot be read so far has none.
    pub(super) fn traits(&self) -> PodTraits {
        match self {
            Self::Bound(bound) => bound.traits(),
            Self::Whole(spec) => Bound::deserialize(spec)
                .map(|bound| bound.traits())
                .unwrap_or_default(),
            Self::Missing | Self::Raw(_) => PodTraits::default(),
        }
    }

    /// Where a pod that is no mirror leads to.
    pub(super) fn uses(&self) -> Option<PodUse> {
        match self {
            Self::Bound(bound) => bound.uses(),
            Self::Whole(_) | Self::Missing | Self::Raw(_) => None,
        }
    }

    pub(super) fn node(&self) -> &str {
        match self {
            Self::Bound(bound) => &bound.node,
            Self::Whole(spec) => spec.get("nodeName").and_then(Value::as_str).unwrap_or(""),
            Self::Missing | Self::Raw(_) => "",
        }
    }

    pub(super) fn whole(self) -> Value {
        match self {
            Self::Whole(value) => value,
            _ => Value::Object(Map::new()),
        }
    }

    pub(super) fn read<A: MapAccess<'a>>(
        map: &mut A,
        meta: Option<&Meta<'_>>,
    ) -> Result<Self, A::Error> {
        Ok(match meta {
            Some(meta) if meta.is_mirror() => Self::Whole(map.next_value()?),
            Some(_) => Self::Bound(map.next_value::<Option<_>>()?.unwrap_or_default()),
            None => Self::Raw(map.next_value()?),
        })
    }
}
