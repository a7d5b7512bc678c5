//! The API server's half of a described node: the Node object, mirror pods with every default, ordinary pods.

use serde_json::{Map, Value, json};

use super::build::merge;
use super::pods::{StaticPod, Workload};
use super::spec::Twist;
use super::{Clock, Node, hex32, uuid};

/// A time as the API server writes it.
fn time(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds)
        .expect("a time of this century")
        .to_string()
}

fn node_uid(node: &Node) -> String {
    uuid(&["node", &node.name])
}

/// Rises with time, differs from object to object.
fn version(parts: &[&str]) -> String {
    let digits = u64::from_str_radix(&hex32(parts)[..6], 16).unwrap_or_default();
    (8_000_000 + digits % 900_000).to_string()
}

pub fn node(node: &Node) -> Value {
    let mut labels = json!({
        "beta.kubernetes.io/arch": "amd64",
        "beta.kubernetes.io/os": "linux",
        "kubernetes.io/arch": "amd64",
        "kubernetes.io/hostname": node.name,
        "kubernetes.io/os": "linux",
    });
    let mut spec = json!({});
    if node.spec.is_control_plane() {
        labels["node-role.kubernetes.io/control-plane"] = json!("");
        labels["node.kubernetes.io/exclude-from-external-load-balancers"] = json!("");
        spec["taints"] =
            json!([{"effect": "NoSchedule", "key": "node-role.kubernetes.io/control-plane"}]);
    }
    let mut object = json!({
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "annotations": {
                "node.alpha.kubernetes.io/ttl": "0",
                "volumes.kubernetes.io/controller-managed-attach-detach": "true",
            },
            "creationTimestamp": time(node.clock.installed() + 13),
            "labels": labels,
            "name": node.name,
            "resourceVersion": version(&["node", &node.name]),
            "uid": node_uid(node),
        },
        "spec": spec,
        "status": status(node),
    });
    merge(&mut object, &node.spec.object);
    object
}

fn status(node: &Node) -> Value {
    let (now, booted) = (time(node.clock.now), time(node.clock.booted() + 20));
    let condition = |kind: &str, status: &str, reason: &str, message: &str| {
        json!({
            "lastHeartbeatTime": now, "lastTransitionTime": booted,
            "type": kind, "status": status, "reason": reason, "message": message,
        })
    };
    let ready = if node.spec.has(Twist::KubeletDown) {
        condition(
            "Ready",
            "Unknown",
            "NodeStatusUnknown",
            "Kubelet stopped posting node status.",
        )
    } else {
        condition(
            "Ready",
            "True",
            "KubeletReady",
            "kubelet is posting ready status",
        )
    };
    json!({
        "addresses": [
            {"address": node.address, "type": "InternalIP"},
            {"address": node.name, "type": "Hostname"},
        ],
        "allocatable": {"cpu": "4", "memory": "16290816Ki", "pods": "110"},
        "capacity": {"cpu": "4", "memory": "16393216Ki", "pods": "110"},
        "conditions": [
            condition("MemoryPressure", "False", "KubeletHasSufficientMemory",
                "kubelet has sufficient memory available"),
            condition("DiskPressure", "False", "KubeletHasNoDiskPressure",
                "kubelet has no disk pressure"),
            ready,
        ],
        "daemonEndpoints": {"kubeletEndpoint": {"Port": 10250}},
        "nodeInfo": {
            "architecture": "amd64",
            "bootID": uuid(&["boot", &node.name]),
            "containerRuntimeVersion": "containerd://2.1.4",
            "kernelVersion": "6.1.0-41-amd64",
            "kubeProxyVersion": "",
            "kubeletVersion": "v1.37.2",
            "machineID": hex32(&["machine", &node.name]),
            "operatingSystem": "linux",
            "osImage": "Debian GNU/Linux 12 (bookworm)",
            "systemUUID": uuid(&["system", &node.name]),
        },
    })
}

pub fn pods(node: &Node, namespaces: &[String]) -> Vec<Value> {
    let mut all = Vec::new();
    let mut told: Vec<String> = Vec::new();
    for pod in &node.pods {
        let key = format!("{}/{}", pod.namespace, pod.name);
        let story = node.spec.mirrors.get(&key).unwrap_or(&Value::Null);
        told.push(key);
        // Without its namespace the kubelet cannot make the mirror; the pod runs all the same.
        if !namespaces.contains(&pod.namespace) || story == "absent" {
            continue;
        }
        let mut object = mirror(node, pod);
        merge(&mut object, story);
        all.push(object);
    }
    for (key, story) in &node.spec.mirrors {
        if !told.contains(key) && story != "absent" {
            all.push(forged(node, key, story));
        }
    }
    let place = Place {
        node: &node.name,
        address: &node.address,
        clock: node.clock,
    };
    all.extend(node.workloads.iter().map(|pod| workload(place, pod)));
    all
}

/// The mirror that the kubelet makes of a static pod.
fn mirror(node: &Node, pod: &StaticPod) -> Value {
    let name = format!("{}-{}", pod.name, node.name);
    let meta = &pod.pod["metadata"];
    let mut annotations = meta["annotations"].as_object().cloned().unwrap_or_default();
    let seen = time(node.booted + 12);
    for (key, value) in [
        ("hash", pod.hash.as_str()),
        ("mirror", &pod.hash),
        ("seen", &seen),
        ("source", "file"),
    ] {
        annotations.insert(format!("kubernetes.io/config.{key}"), json!(value));
    }
    let mut spec = pod.pod["spec"].clone();
    defaults(&mut spec);
    spec["nodeName"] = json!(node.name);
    spec["tolerations"] = json!([{"effect": "NoExecute", "operator": "Exists"}]);
    let created = time(node.booted + 40);
    let mut metadata = json!({
        "annotations": annotations,
        "creationTimestamp": created,
        "generation": 1,
        "managedFields": [
            {"apiVersion": "v1", "fieldsType": "FieldsV1", "fieldsV1": {}, "manager": "kubelet",
                "operation": "Update", "time": created},
            {"apiVersion": "v1", "fieldsType": "FieldsV1", "fieldsV1": {}, "manager": "kubelet",
                "operation": "Update", "subresource": "status", "time": created},
        ],
        "name": name,
        "namespace": pod.namespace,
        "ownerReferences": [{
            "apiVersion": "v1", "controller": true, "kind": "Node",
            "name": node.name, "uid": node_uid(node),
        }],
        "resourceVersion": version(&["pod", &node.name, &name]),
        "uid": uuid(&["mirror", &node.name, &pod.namespace, &name]),
    });
    if let Some(labels) = meta.get("labels") {
        metadata["labels"] = labels.clone();
    }
    let status = running(node, &spec, &pod.hash);
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec, "status": status})
}

fn running(node: &Node, spec: &Value, uid: &str) -> Value {
    let started = time(node.booted + 31);
    let containers = spec["containers"].as_array().cloned().unwrap_or_default();
    let statuses: Vec<Value> = containers
        .iter()
        .map(|container| {
            let name = container["name"].as_str().unwrap_or_default();
            let id = hex32(&["container", uid, name]) + &hex32(&["id", uid, name]);
            json!({
                "containerID": format!("containerd://{id}"),
                "image": container["image"],
                "imageID": format!("{}@sha256:{}{}", container["image"].as_str().unwrap_or("")
                    .split(':').next().unwrap_or(""), hex32(&["a", name]), hex32(&["b", name])),
                "lastState": {}, "name": name, "ready": true, "restartCount": 0, "started": true,
                "state": {"running": {"startedAt": started}},
            })
        })
        .collect();
    json!({
        "conditions": [{"lastTransitionTime": started, "status": "True", "type": "Ready"}],
        "containerStatuses": statuses,
        "hostIP": node.address,
        "phase": "Running",
        "podIP": node.address,
        "qosClass": "Burstable",
        "startTime": started,
    })
}

/// A mirror that no kubelet made: the annotation, and what the description adds.
fn forged(node: &Node, key: &str, story: &Value) -> Value {
    let (namespace, name) = key.split_once('/').expect("namespace/name");
    let hash = hex32(&["forged", &node.name, name]);
    let mut spec = json!({"containers": [{"name": name, "image": "registry.example.org/agent:1"}]});
    defaults(&mut spec);
    spec["nodeName"] = json!(node.name);
    let mut object = json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "annotations": {"kubernetes.io/config.mirror": hash},
            "creationTimestamp": time(node.clock.now - 7_200),
            "name": format!("{name}-{}", node.name),
            "namespace": namespace,
            "resourceVersion": version(&["forged", &node.name, name]),
            "uid": uuid(&["forged", &node.name, name]),
        },
        "spec": spec,
        "status": {"phase": "Pending"},
    });
    merge(&mut object, story);
    object
}

/// Where an ordinary pod runs: less than a node, so that many pods can be written without building one.
#[derive(Clone, Copy)]
pub struct Place<'a> {
    pub node: &'a str,
    pub address: &'a str,
    pub clock: Clock,
}

pub fn workload(place: Place<'_>, pod: &Workload) -> Value {
    let (app, _) = pod.name.rsplit_once('-').unwrap_or((&pod.name, ""));
    let mut spec = json!({
        "containers": [{"name": "main", "image": format!("registry.example.org/{app}:1.4.2")}],
        "nodeName": place.node,
    });
    defaults(&mut spec);
    json!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "creationTimestamp": time(place.clock.booted() + 90),
            "labels": {"app": app},
            "name": pod.name,
            "namespace": pod.namespace,
            "resourceVersion": version(&["pod", place.node, &pod.name]),
            "uid": pod.uid,
        },
        "spec": spec,
        "status": {"phase": "Running", "hostIP": place.address},
    })
}

/// Sets a field that is not there.
fn default(object: &mut Map<String, Value>, key: &str, value: Value) {
    object.entry(key.to_owned()).or_insert(value);
}

/// The defaults of v1 and of admission, as far as a pod spec of a manifest shows them (pkg/apis/core/v1/defaults.go).
fn defaults(spec: &mut Value) {
    let Value::Object(fields) = spec else { return };
    let critical = match fields.get("priorityClassName").and_then(Value::as_str) {
        Some("system-node-critical") => 2_000_001_000,
        Some("system-cluster-critical") => 2_000_000_000,
        _ => 0,
    };
    for (key, value) in [
        ("dnsPolicy", json!("ClusterFirst")),
        ("enableServiceLinks", json!(true)),
        ("preemptionPolicy", json!("PreemptLowerPriority")),
        ("priority", json!(critical)),
        ("restartPolicy", json!("Always")),
        ("schedulerName", json!("default-scheduler")),
        ("securityContext", json!({})),
        ("terminationGracePeriodSeconds", json!(30)),
    ] {
        default(fields, key, value);
    }
    let host_network = fields.get("hostNetwork") == Some(&json!(true));
    for list in ["initContainers", "containers"] {
        let containers = fields.get_mut(list).and_then(Value::as_array_mut);
        for container in containers.into_iter().flatten() {
            if let Value::Object(container) = container {
                container_defaults(container, host_network);
            }
        }
    }
    for volume in fields
        .get_mut("volumes")
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
    {
        if let Some(Value::Object(host_path)) = volume.get_mut("hostPath") {
            default(host_path, "type", json!(""));
        }
    }
}

fn container_defaults(container: &mut Map<String, Value>, host_network: bool) {
    let image = container.get("image").and_then(Value::as_str).unwrap_or("");
    let tag = image.rsplit('/').next().unwrap_or("").split_once(':');
    let policy = match tag {
        None | Some((_, "latest")) if !image.contains('@') => "Always",
        _ => "IfNotPresent",
    };
    default(container, "imagePullPolicy", json!(policy));
    default(container, "resources", json!({}));
    default(
        container,
        "terminationMessagePath",
        json!("/dev/termination-log"),
    );
    default(container, "terminationMessagePolicy", json!("File"));
    for port in container
        .get_mut("ports")
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
    {
        if let Value::Object(port) = port {
            default(port, "protocol", json!("TCP"));
            if host_network {
                let inside = port.get("containerPort").cloned().unwrap_or(Value::Null);
                default(port, "hostPort", inside);
            }
        }
    }
    for probe in ["livenessProbe", "readinessProbe", "startupProbe"] {
        let Some(Value::Object(probe)) = container.get_mut(probe) else {
            continue;
        };
        for (key, number) in [
            ("failureThreshold", 3),
            ("periodSeconds", 10),
            ("successThreshold", 1),
            ("timeoutSeconds", 1),
        ] {
            default(probe, key, json!(number));
        }
        if let Some(Value::Object(get)) = probe.get_mut("httpGet") {
            default(get, "scheme", json!("HTTP"));
            default(get, "path", json!("/"));
        }
    }
}
