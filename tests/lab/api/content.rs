//! What the double serves: a few objects that are held, and many pods that are made as they are asked for.

use std::collections::{BTreeMap, VecDeque};
use std::fmt::Write as _;
use std::sync::Arc;

use serde_json::Value;

use super::Objects;

/// The objects at the start.
#[derive(Default)]
pub struct Content {
    pub nodes: Vec<Value>,
    pub namespaces: Vec<Value>,
    pub pods: Vec<Value>,
    /// Other kinds: the resource as RBAC names it, and an object.
    pub objects: Vec<(String, Value)>,
    /// Further pods, after those.
    pub bulk: Option<Bulk>,
}

/// Writes one pod.
type Write = Arc<dyn Fn(usize, &mut String) + Send + Sync>;

/// Pods that exist only while a page of them is written.
#[derive(Clone)]
pub struct Bulk {
    pub count: usize,
    /// Writes the JSON of pod `i`.
    pub write: Write,
}

impl Bulk {
    /// Pods of about 5 kB as a real cluster has them, spread over nodes `{prefix}{0..nodes}`.
    ///
    /// Every fiftieth is a mirror pod.
    pub fn spread(count: usize, nodes: usize, prefix: &str) -> Self {
        let prefix = prefix.to_owned();
        let filler = filler();
        Self {
            count,
            write: Arc::new(move |index, out| {
                let node = index % nodes.max(1);
                let mirror = index % 50 == 0;
                let namespace = if mirror {
                    "kube-system".to_owned()
                } else {
                    format!("team-{}", index % 120)
                };
                let annotations = if mirror {
                    format!(
                        r#""kubernetes.io/config.hash":"h{index}","kubernetes.io/config.mirror":"h{index}","kubernetes.io/config.source":"file","#
                    )
                } else {
                    String::new()
                };
                // Writing to a String cannot fail.
                let _ = write!(
                    out,
                    r#"{{"metadata":{{"name":"app-{index}-7d4b9c6f5-x2x{index}","generateName":"app-{index}-","namespace":"{namespace}","uid":"00000000-0000-4000-8000-{index:012}","resourceVersion":"{index}","creationTimestamp":"2026-01-02T03:04:05Z","labels":{{"app":"app-{index}","tier":"web"}},"annotations":{{{annotations}"checksum/config":"{index:064}"}},{managed}}},"spec":{{"nodeName":"{prefix}{node}",{spec}}},"status":{status}}}"#,
                    managed = filler.managed,
                    spec = filler.spec,
                    status = filler.status,
                );
            }),
        }
    }
}

struct Filler {
    managed: String,
    spec: String,
    status: String,
}

fn filler() -> Filler {
    let mut fields = String::new();
    for index in 0..24 {
        let _ = write!(
            fields,
            r#""f:key-{index}":{{".":{{}},"f:name":{{}},"f:value":{{}}}},"#
        );
    }
    let env: Vec<_> = (0..12)
        .map(|index| {
            format!(
                r#"{{"name":"SETTING_{index}","value":"value number {index} of this container"}}"#
            )
        })
        .collect();
    Filler {
        managed: format!(
            r#""managedFields":[{{"manager":"kubelet","operation":"Update","apiVersion":"v1","time":"2026-01-02T03:04:05Z","fieldsType":"FieldsV1","fieldsV1":{{"f:spec":{{{fields}"f:z":{{}}}}}}}}]"#
        ),
        spec: format!(
            r#""volumes":[{{"name":"kube-api-access","projected":{{"sources":[{{"serviceAccountToken":{{"expirationSeconds":3607,"path":"token"}}}}],"defaultMode":420}}}}],"containers":[{{"name":"main","image":"registry.example/team/app@sha256:{digest}","command":["/bin/app","--listen=:8080"],"env":[{env}],"ports":[{{"containerPort":8080,"protocol":"TCP"}}],"resources":{{"limits":{{"cpu":"1","memory":"512Mi"}},"requests":{{"cpu":"100m","memory":"128Mi"}}}},"livenessProbe":{{"httpGet":{{"path":"/healthz","port":8080,"scheme":"HTTP"}},"timeoutSeconds":1,"periodSeconds":10}},"terminationMessagePath":"/dev/termination-log","imagePullPolicy":"IfNotPresent","securityContext":{{"allowPrivilegeEscalation":false,"capabilities":{{"drop":["ALL"]}}}}}}],"restartPolicy":"Always","terminationGracePeriodSeconds":30,"dnsPolicy":"ClusterFirst","serviceAccountName":"default","schedulerName":"default-scheduler","tolerations":[{{"key":"node.kubernetes.io/not-ready","operator":"Exists","effect":"NoExecute","tolerationSeconds":300}}],"priority":0,"enableServiceLinks":true"#,
            digest = "0".repeat(64),
            env = env.join(","),
        ),
        status: format!(
            r#"{{"phase":"Running","conditions":[{conditions}],"hostIP":"198.51.100.1","podIP":"10.244.0.9","startTime":"2026-01-02T03:04:05Z","containerStatuses":[{{"name":"main","state":{{"running":{{"startedAt":"2026-01-02T03:04:06Z"}}}},"ready":true,"restartCount":0,"image":"registry.example/team/app:1","imageID":"registry.example/team/app@sha256:{digest}","containerID":"containerd://{digest}"}}],"qosClass":"Burstable"}}"#,
            conditions = ["Initialized", "Ready", "ContainersReady", "PodScheduled"]
                .map(|kind| format!(r#"{{"type":"{kind}","status":"True","lastProbeTime":null,"lastTransitionTime":"2026-01-02T03:04:05Z"}}"#))
                .join(","),
            digest = "1".repeat(64),
        ),
    }
}

/// What every API server serves, whether there is one or not. The Gateway API is not among it: its routes are
/// served only where the content has some.
const SERVED: &[&str] = &[
    "services",
    "endpointslices",
    "networkpolicies",
    "ingresses",
    "priorityclasses",
    "resourcequotas",
    "limitranges",
    "mutatingwebhookconfigurations",
    "validatingwebhookconfigurations",
    "validatingadmissionpolicies",
    "validatingadmissionpolicybindings",
    "mutatingadmissionpolicies",
    "mutatingadmissionpolicybindings",
    "clusterroles",
    "clusterrolebindings",
    "roles",
    "rolebindings",
    "daemonsets",
    "customresourcedefinitions",
    "secrets",
    "persistentvolumes",
];

/// Something that happened, for watches.
#[derive(Clone)]
pub(super) struct Change {
    pub version: u64,
    /// None: a bookmark, for every kind.
    pub resource: Option<String>,
    pub namespace: String,
    pub kind: &'static str,
    pub object: Arc<str>,
}

/// The objects as they are, and what happened to them.
pub(super) struct Store {
    version: u64,
    /// Older versions are gone.
    floor: u64,
    objects: BTreeMap<String, Objects>,
    bulk: Option<Bulk>,
    changes: VecDeque<Change>,
}

/// One page of a list.
pub(super) struct Slice {
    pub body: String,
}

impl Store {
    pub(super) fn new(content: Content) -> Self {
        let mut store = Self {
            version: 100,
            floor: 0,
            objects: BTreeMap::new(),
            bulk: content.bulk,
            changes: VecDeque::new(),
        };
        for (resource, list) in [
            ("nodes", content.nodes),
            ("namespaces", content.namespaces),
            ("pods", content.pods),
        ] {
            store.objects.insert(resource.to_owned(), Objects::new());
            for object in list {
                store.put(resource, object);
            }
        }
        for resource in SERVED {
            store.objects.entry((*resource).to_owned()).or_default();
        }
        for (resource, object) in content.objects {
            store.put(&resource, object);
        }
        store
    }

    pub(super) fn version(&self) -> u64 {
        self.version
    }

    pub(super) fn put(&mut self, resource: &str, mut object: Value) -> u64 {
        self.version += 1;
        object["metadata"]["resourceVersion"] = Value::String(self.version.to_string());
        let field = |name: &str| object["metadata"][name].as_str().unwrap_or("").to_owned();
        let key = (field("namespace"), field("name"));
        // As Go writes it: metadata first.
        let mut text = format!(r#"{{"metadata":{}"#, object["metadata"]);
        for (name, value) in object.as_object().into_iter().flatten() {
            if name != "metadata" {
                let _ = write!(text, r#","{name}":{value}"#);
            }
        }
        text.push('}');
        let text: Arc<str> = text.into();
        let held = self.objects.entry(resource.to_owned()).or_default();
        let before = held.insert(key.clone(), Arc::clone(&text));
        let kind = if before.is_some() {
            "MODIFIED"
        } else {
            "ADDED"
        };
        self.note(Some(resource), key.0, kind, text)
    }

    pub(super) fn remove(&mut self, resource: &str, namespace: &str, name: &str) -> u64 {
        let key = (namespace.to_owned(), name.to_owned());
        let held = self.objects.entry(resource.to_owned()).or_default();
        match held.remove(&key) {
            Some(object) => {
                self.version += 1;
                self.note(Some(resource), key.0, "DELETED", object)
            }
            None => self.version,
        }
    }

    pub(super) fn bookmark(&mut self) -> u64 {
        self.version += 1;
        let text = format!(r#"{{"metadata":{{"resourceVersion":"{}"}}}}"#, self.version);
        self.note(None, String::new(), "BOOKMARK", text.into())
    }

    pub(super) fn compact(&mut self) {
        self.version += 1;
        self.floor = self.version;
        self.changes.clear();
    }

    fn note(
        &mut self,
        resource: Option<&str>,
        namespace: String,
        kind: &'static str,
        object: Arc<str>,
    ) -> u64 {
        self.changes.push_back(Change {
            version: self.version,
            resource: resource.map(str::to_owned),
            namespace,
            kind,
            object,
        });
        self.version
    }

    /// Whether the server knows the kind.
    pub(super) fn serves(&self, resource: &str) -> bool {
        self.objects.contains_key(resource)
    }

    /// One object.
    pub(super) fn get(&self, resource: &str, namespace: &str, name: &str) -> Option<String> {
        let held = self.objects.get(resource)?;
        let key = (namespace.to_owned(), name.to_owned());
        held.get(&key).map(ToString::to_string)
    }

    /// A page that begins after `token`; none where the token is too old or was never given.
    pub(super) fn page(
        &self,
        resource: &str,
        namespace: &str,
        limit: usize,
        token: &str,
    ) -> Option<Slice> {
        let (version, after) = match token.split_once('/') {
            Some((version, after)) => (version.parse().ok()?, after.parse().ok()?),
            None if token.is_empty() => (self.version, 0),
            None => return None,
        };
        if version < self.floor {
            return None;
        }
        let held: Vec<_> = self
            .objects
            .get(resource)?
            .iter()
            .filter(|((ns, _), _)| namespace.is_empty() || ns == namespace)
            .map(|(_, object)| object)
            .collect();
        let bulk = self
            .bulk
            .as_ref()
            .filter(|_| resource == "pods" && namespace.is_empty());
        let total = held.len() + bulk.map_or(0, |bulk| bulk.count);
        let end = total.min(after + limit);
        let mut items = String::new();
        for index in after..end {
            if index > after {
                items.push(',');
            }
            match (held.get(index), bulk) {
                (Some(object), _) => items.push_str(object),
                (None, Some(bulk)) => (bulk.write)(index - held.len(), &mut items),
                (None, None) => {}
            }
        }
        let next = if end < total {
            format!(
                r#","continue":"{version}/{end}","remainingItemCount":{}"#,
                total - end
            )
        } else {
            String::new()
        };
        Some(Slice {
            body: format!(
                r#"{{"kind":"List","apiVersion":"v1","metadata":{{"resourceVersion":"{version}"{next}}},"items":[{items}]}}"#
            ),
        })
    }

    /// What happened after a version; none where that is too long ago.
    pub(super) fn since(
        &self,
        resource: &str,
        namespace: &str,
        version: u64,
    ) -> Option<Vec<Change>> {
        if version < self.floor {
            return None;
        }
        Some(
            self.changes
                .iter()
                .filter(|change| change.version > version)
                .filter(|change| {
                    change
                        .resource
                        .as_deref()
                        .is_none_or(|kind| kind == resource)
                })
                .filter(|change| {
                    namespace.is_empty()
                        || change.resource.is_none()
                        || change.namespace == namespace
                })
                .cloned()
                .collect(),
        )
    }
}
