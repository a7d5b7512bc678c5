//! One form for both sides: v1 defaulting, what the kubelet adds to a static pod, and what only a copy has.
//!
//! Rules of pkg/apis/core/v1/defaults.go and pkg/kubelet/config/common.go of Kubernetes 1.37.

use serde_json::{Map, Value, json};

use crate::model::pod::Pod;

/// `kubernetes.io/config.hash` and its kin tell of the copy, not of the pod.
const CONFIG: &str = "kubernetes.io/config.";
/// The older spelling of `securityContext.appArmorProfile`; the API server keeps both in step.
const APPARMOR: &str = "container.apparmor.security.beta.kubernetes.io/";

/// Names, labels and annotations, and the spec in full; `name` replaces the pod's own.
pub fn canonical(pod: &Pod, name: Option<&str>) -> Value {
    let mut spec = Value::from(pod.spec());
    let mut metadata = Map::new();
    for field in ["labels", "annotations", "finalizers"] {
        if let Some(value) = pod.metadata().get(field) {
            metadata.insert(field.to_owned(), value.into());
        }
    }
    metadata.insert("namespace".to_owned(), pod.namespace.as_str().into());
    metadata.insert("name".to_owned(), name.unwrap_or(pod.name.as_str()).into());
    if let Some(annotations) = object(metadata.get_mut("annotations")) {
        apparmor(annotations, &mut spec);
        annotations.retain(|key, _| !key.starts_with(CONFIG) && !key.starts_with(APPARMOR));
    }
    if let Some(spec) = spec.as_object_mut() {
        default_spec(spec);
    }
    let mut whole = json!({"metadata": metadata, "spec": spec});
    prune(&mut whole, "");
    // After pruning: a volume without a source is an emptyDir, written or not.
    for volume in list(whole.pointer_mut("/spec/volumes")) {
        default_volume(volume);
    }
    whole
}

fn object(value: Option<&mut Value>) -> Option<&mut Map<String, Value>> {
    value.and_then(Value::as_object_mut)
}

fn list(value: Option<&mut Value>) -> impl Iterator<Item = &mut Map<String, Value>> {
    let items = value.and_then(Value::as_array_mut).into_iter().flatten();
    items.filter_map(Value::as_object_mut)
}

/// Sets a field that is missing, null or zero: Go cannot tell these apart where the field is no pointer.
fn set(map: &mut Map<String, Value>, key: &str, value: impl Into<Value>) {
    let missing = match map.get(key) {
        None | Some(Value::Null) => true,
        Some(Value::String(text)) => text.is_empty(),
        Some(Value::Number(number)) => number.as_i64() == Some(0),
        Some(_) => false,
    };
    if missing {
        map.insert(key.to_owned(), value.into());
    }
}

/// As [`set`] for a pointer: a zero that is written is meant.
fn set_absent(map: &mut Map<String, Value>, key: &str, value: impl Into<Value>) {
    if map.get(key).is_none_or(Value::is_null) {
        map.insert(key.to_owned(), value.into());
    }
}

fn default_spec(spec: &mut Map<String, Value>) {
    set(spec, "dnsPolicy", "ClusterFirst");
    set(spec, "restartPolicy", "Always");
    set(spec, "schedulerName", "default-scheduler");
    set_absent(spec, "enableServiceLinks", true);
    set_absent(spec, "terminationGracePeriodSeconds", 30);
    // The kubelet decides the node, admission the priority and what follows from it.
    for field in ["nodeName", "priority", "preemptionPolicy", "serviceAccount"] {
        spec.remove(field);
    }
    // Written into every static pod, or added by the DefaultTolerationSeconds plugin where the pod has none like it.
    if let Some(Value::Array(tolerations)) = spec.get_mut("tolerations") {
        tolerations.retain(|toleration| !is_added(toleration));
    }
    requests_from_limits(spec.get_mut("resources"));
    let host_network = spec.get("hostNetwork") == Some(&Value::Bool(true));
    for field in ["initContainers", "containers", "ephemeralContainers"] {
        for container in list(spec.get_mut(field)) {
            default_container(container, host_network);
        }
    }
}

fn is_added(toleration: &Value) -> bool {
    let field = |key: &str| toleration.get(key).and_then(Value::as_str).unwrap_or("");
    let everything = field("key").is_empty() && field("value").is_empty();
    let for_a_while = [
        "node.kubernetes.io/not-ready",
        "node.kubernetes.io/unreachable",
    ]
    .contains(&field("key"))
        && toleration.get("tolerationSeconds") == Some(&Value::from(300));
    field("operator") == "Exists" && field("effect") == "NoExecute" && (everything || for_a_while)
}

fn requests_from_limits(resources: Option<&mut Value>) {
    let Some(resources) = object(resources) else {
        return;
    };
    let Some(limits) = resources.get("limits").and_then(Value::as_object).cloned() else {
        return;
    };
    let requests = resources.entry("requests").or_insert_with(|| json!({}));
    if requests.is_null() {
        *requests = json!({});
    }
    if let Some(requests) = requests.as_object_mut() {
        for (name, limit) in limits {
            requests.entry(name).or_insert(limit);
        }
    }
}

fn default_container(container: &mut Map<String, Value>, host_network: bool) {
    set(container, "terminationMessagePath", "/dev/termination-log");
    set(container, "terminationMessagePolicy", "File");
    let image = container.get("image").and_then(Value::as_str);
    let policy = pull_policy(image.unwrap_or_default());
    set(container, "imagePullPolicy", policy);
    requests_from_limits(container.get_mut("resources"));
    for port in list(container.get_mut("ports")) {
        set(port, "protocol", "TCP");
        if let (true, Some(number)) = (host_network, port.get("containerPort").cloned()) {
            set(port, "hostPort", number);
        }
    }
    for probe in ["livenessProbe", "readinessProbe", "startupProbe"] {
        if let Some(probe) = object(container.get_mut(probe)) {
            set(probe, "timeoutSeconds", 1);
            set(probe, "periodSeconds", 10);
            set(probe, "successThreshold", 1);
            set(probe, "failureThreshold", 3);
            default_http(probe);
        }
    }
    for hook in ["postStart", "preStop"] {
        let lifecycle = object(container.get_mut("lifecycle"));
        if let Some(hook) = lifecycle.and_then(|hooks| object(hooks.get_mut(hook))) {
            default_http(hook);
        }
    }
    for variable in list(container.get_mut("env")) {
        if let Some(from) = object(variable.get_mut("valueFrom")) {
            default_field_ref(from);
        }
    }
    if let Some(context) = object(container.get_mut("securityContext"))
        && context.get("procMount") == Some(&Value::from("Default"))
    {
        context.remove("procMount");
    }
}

fn default_http(handler: &mut Map<String, Value>) {
    if let Some(get) = object(handler.get_mut("httpGet")) {
        set(get, "path", "/");
        set(get, "scheme", "HTTP");
    }
}

fn default_field_ref(from: &mut Map<String, Value>) {
    if let Some(field) = object(from.get_mut("fieldRef")) {
        set(field, "apiVersion", "v1");
    }
    if let Some(resource) = object(from.get_mut("resourceFieldRef")) {
        // Unset and zero both mean one.
        if resource
            .get("divisor")
            .is_some_and(|by| by == "0" || by == 0)
        {
            resource.remove("divisor");
        }
    }
}

/// `Always` for the tag `latest`, written or not; a digest pins the image.
fn pull_policy(image: &str) -> &'static str {
    if image.contains('@') {
        return "IfNotPresent";
    }
    let last = image.rsplit('/').next().unwrap_or(image);
    match last.split_once(':') {
        Some((_, tag)) if tag != "latest" => "IfNotPresent",
        _ => "Always",
    }
}

fn default_volume(volume: &mut Map<String, Value>) {
    const MODE: u32 = 0o644;
    for source in ["secret", "configMap", "downwardAPI", "projected"] {
        if let Some(source) = object(volume.get_mut(source)) {
            set_absent(source, "defaultMode", MODE);
            for item in list(source.get_mut("items")) {
                default_field_ref(item);
            }
        }
    }
    let projected = object(volume.get_mut("projected"));
    for source in list(projected.and_then(|projected| projected.get_mut("sources"))) {
        if let Some(token) = object(source.get_mut("serviceAccountToken")) {
            set_absent(token, "expirationSeconds", 3600);
        }
        if let Some(fields) = object(source.get_mut("downwardAPI")) {
            for item in list(fields.get_mut("items")) {
                default_field_ref(item);
            }
        }
    }
    if let Some(image) = object(volume.get_mut("image")) {
        let reference = image.get("reference").and_then(Value::as_str);
        let policy = pull_policy(reference.unwrap_or_default());
        set(image, "pullPolicy", policy);
    }
    if volume.keys().all(|key| key == "name") {
        volume.insert("emptyDir".to_owned(), json!({}));
    }
}

/// The annotation of a container becomes its field, where it has none.
fn apparmor(annotations: &Map<String, Value>, spec: &mut Value) {
    let Some(spec) = spec.as_object_mut() else {
        return;
    };
    for field in ["initContainers", "containers"] {
        for container in list(spec.get_mut(field)) {
            let name = container.get("name").and_then(Value::as_str);
            let key = format!("{APPARMOR}{}", name.unwrap_or_default());
            let Some(profile) = annotations.get(&key).and_then(Value::as_str) else {
                continue;
            };
            let profile = match profile.split_once('/') {
                Some(("localhost", file)) => {
                    json!({"type": "Localhost", "localhostProfile": file})
                }
                Some(("runtime", _)) => json!({"type": "RuntimeDefault"}),
                _ => json!({"type": "Unconfined"}),
            };
            let context = container
                .entry("securityContext")
                .or_insert_with(|| json!({}));
            if let Some(context) = context.as_object_mut() {
                set_absent(context, "appArmorProfile", profile);
            }
        }
    }
}

/// Takes away what Go leaves out when it writes: null, empty, and the zero of fields that are no pointers.
fn prune(value: &mut Value, field: &str) {
    match value {
        Value::Object(map) => {
            // Values of these are the user's words: an empty one is still there.
            let words = ["labels", "annotations", "nodeSelector", "matchLabels"].contains(&field);
            for (key, value) in map.iter_mut() {
                prune(value, key);
            }
            map.retain(|key, value| words || !is_zero(key, value));
        }
        Value::Array(list) => {
            for item in list {
                prune(item, "");
            }
        }
        _ => {}
    }
}

fn is_zero(key: &str, value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Object(map) => map.is_empty(),
        Value::Bool(on) => {
            !on && matches!(
                key,
                "hostNetwork" | "hostPID" | "hostIPC" | "stdin" | "stdinOnce" | "tty" | "readOnly"
            )
        }
        Value::Number(number) => {
            number.as_i64() == Some(0) && matches!(key, "hostPort" | "initialDelaySeconds")
        }
    }
}
