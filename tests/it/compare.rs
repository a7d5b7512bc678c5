//! Manifests beside mirrors: a clean kubeadm control plane agrees, and every kind of difference is one row.

use serde_json::{Value, json};
use stakeout::checks::merge::compare::{compare, differing};
use stakeout::model::pod::Pod;
use stakeout::model::text::Text;
use stakeout::model::tree::Tree;
use stakeout::model::verdict::Side3;

fn pod(raw: Value) -> Pod {
    let text = |path: &str| {
        Text::new(
            raw.pointer(path)
                .and_then(Value::as_str)
                .unwrap_or("default"),
        )
    };
    Pod {
        namespace: text("/metadata/namespace"),
        name: text("/metadata/name"),
        raw: Tree::try_from(raw).expect("a small pod"),
    }
}

fn yaml(text: &str) -> Pod {
    pod(serde_yaml::from_str(text).expect("a fixture is YAML"))
}

/// `field: manifest | mirror`, of the rows that differ.
fn rows(manifest: &Pod, mirror: &Pod) -> Vec<String> {
    let all = compare(manifest, mirror, "cp-1");
    let side = |side: &Side3| match side {
        Side3::Absent => "-".to_owned(),
        Side3::Unasked => "?".to_owned(),
        Side3::Value(text) => text.to_string(),
    };
    differing(&all)
        .map(|row| {
            format!(
                "{}: {} | {}",
                row.field,
                side(&row.manifest),
                side(&row.mirror)
            )
        })
        .collect()
}

const MANIFESTS: [&str; 4] = [
    include_str!("../fixtures/kubeadm-1.37/etcd.yaml"),
    include_str!("../fixtures/kubeadm-1.37/kube-apiserver.yaml"),
    include_str!("../fixtures/kubeadm-1.37/kube-controller-manager.yaml"),
    include_str!("../fixtures/kubeadm-1.37/kube-scheduler.yaml"),
];

/// The mirrors of a fresh `kubeadm init` 1.37.2, as the API server gave them.
fn mirrors() -> Vec<Value> {
    let list: Value = serde_json::from_str(include_str!("../fixtures/kubeadm-1.37/pods.json"))
        .expect("a fixture is JSON");
    list["items"].as_array().expect("a list").clone()
}

fn mirror_of(manifest: &Pod) -> Value {
    let name = format!("{}-cp-1", manifest.name);
    mirrors()
        .into_iter()
        .find(|raw| raw["metadata"]["name"] == name.as_str())
        .expect("every manifest has its mirror")
}

#[test]
fn a_fresh_kubeadm_control_plane_agrees() {
    for text in MANIFESTS {
        let manifest = yaml(text);
        let mirror = pod(mirror_of(&manifest));
        assert_eq!(rows(&manifest, &mirror), [""; 0], "{}", manifest.name);
        let all = compare(&manifest, &mirror, "cp-1");
        assert!(all.len() > 30, "{} rows only", all.len());
    }
}

#[test]
fn every_tampering_is_one_row() {
    let manifest = yaml(MANIFESTS[1]);
    let clean = mirror_of(&manifest);
    let container = "/spec/containers/0";
    for (path, value, row) in [
        (
            "/image",
            json!("evil.example.org/kube-apiserver:v1.37.2"),
            "spec.containers[kube-apiserver].image: registry.k8s.io/kube-apiserver:v1.37.2 | evil.example.org/kube-apiserver:v1.37.2",
        ),
        (
            "/command/3",
            json!("--authorization-mode=AlwaysAllow"),
            "spec.containers[kube-apiserver].command[3]: --authorization-mode=Node,RBAC | --authorization-mode=AlwaysAllow",
        ),
        (
            "/volumeMounts/4/readOnly",
            json!(false),
            "spec.containers[kube-apiserver].volumeMounts[/etc/kubernetes/pki].readOnly: true | -",
        ),
        (
            "/securityContext",
            json!({"privileged": true}),
            "spec.containers[kube-apiserver].securityContext.privileged: - | true",
        ),
        (
            "/env",
            json!([{"name": "GODEBUG", "value": "x=1"}]),
            "spec.containers[kube-apiserver].env[GODEBUG].name: - | GODEBUG; spec.containers[kube-apiserver].env[GODEBUG].value: - | x=1",
        ),
        (
            "/livenessProbe/failureThreshold",
            json!(9),
            "spec.containers[kube-apiserver].livenessProbe.failureThreshold: 8 | 9",
        ),
    ] {
        let mut raw = clean.clone();
        let target = raw.pointer_mut(container).expect("a container");
        let (parent, key) = path.rsplit_once('/').expect("a pointer");
        match target.pointer_mut(parent).expect("a parent") {
            Value::Array(list) => list[key.parse::<usize>().expect("an index")] = value,
            parent => parent[key] = value,
        }
        assert_eq!(rows(&manifest, &pod(raw)).join("; "), row);
    }
}

#[test]
fn a_missing_flag_is_one_row() {
    let manifest = yaml(MANIFESTS[1]);
    let mut raw = mirror_of(&manifest);
    let command = raw
        .pointer_mut("/spec/containers/0/command")
        .expect("a command");
    command.as_array_mut().expect("a list").remove(5);
    assert_eq!(
        rows(&manifest, &pod(raw)),
        [
            "spec.containers[kube-apiserver].command[5]: --enable-admission-plugins=NodeRestriction | -"
        ]
    );
}

/// Specs as a manifest has them, and as the API server shows them: no difference.
const SAME: &[(&str, &str)] = &[
    (
        "{containers: [{name: c, image: a}]}",
        r#"{"containers": [{"name": "c", "image": "a", "imagePullPolicy": "Always"}]}"#,
    ),
    (
        "{containers: [{name: c, image: 'r:5/a:1'}]}",
        r#"{"containers": [{"name": "c", "image": "r:5/a:1", "imagePullPolicy": "IfNotPresent", "resources": {}}]}"#,
    ),
    (
        "{containers: [{name: c, image: 'a@sha256:00'}]}",
        r#"{"containers": [{"name": "c", "image": "a@sha256:00", "imagePullPolicy": "IfNotPresent"}]}"#,
    ),
    (
        "{containers: [{name: c, image: 'a:1', resources: {limits: {cpu: 1000m, memory: 1024Mi}}}]}",
        r#"{"containers": [{"name": "c", "image": "a:1", "resources": {"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "1", "memory": "1Gi"}}}]}"#,
    ),
    (
        "{containers: [{name: c, image: 'a:1', resources: {limits: {cpu: 2}, requests: {cpu: 0.5}}}]}",
        r#"{"containers": [{"name": "c", "image": "a:1", "resources": {"limits": {"cpu": "2"}, "requests": {"cpu": "500m"}}}]}"#,
    ),
    (
        "{hostPID: false, containers: [{name: c, image: 'a:1', command: [], tty: false}], volumes: [{name: v}]}",
        r#"{"containers": [{"name": "c", "image": "a:1"}], "volumes": [{"name": "v", "emptyDir": {}}]}"#,
    ),
    (
        "{containers: [{name: c, image: 'a:1', ports: [{containerPort: 80}]}]}",
        r#"{"containers": [{"name": "c", "image": "a:1", "ports": [{"containerPort": 80, "protocol": "TCP"}]}]}"#,
    ),
    (
        "{hostNetwork: true, containers: [{name: c, image: 'a:1', ports: [{containerPort: 80}]}]}",
        r#"{"hostNetwork": true, "containers": [{"name": "c", "image": "a:1", "ports": [{"containerPort": 80, "hostPort": 80, "protocol": "TCP"}]}]}"#,
    ),
    (
        "{containers: [{name: c, image: 'a:1', livenessProbe: {httpGet: {port: 80}}}]}",
        r#"{"containers": [{"name": "c", "image": "a:1", "livenessProbe": {"httpGet": {"port": 80, "path": "/", "scheme": "HTTP"}, "timeoutSeconds": 1, "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3}}]}"#,
    ),
    (
        "{containers: [{name: c, image: 'a:1', env: [{name: E, valueFrom: {fieldRef: {fieldPath: metadata.name}}}]}]}",
        r#"{"containers": [{"name": "c", "image": "a:1", "env": [{"name": "E", "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.name"}}}]}]}"#,
    ),
    (
        "{nodeName: elsewhere, tolerations: [{key: a, operator: Exists}], volumes: [{name: v, hostPath: {path: /x}}], containers: [{name: c, image: 'a:1'}]}",
        r#"{"nodeName": "cp-1", "tolerations": [{"key": "a", "operator": "Exists"}, {"operator": "Exists", "effect": "NoExecute"}], "volumes": [{"name": "v", "hostPath": {"path": "/x", "type": ""}}], "containers": [{"name": "c", "image": "a:1"}]}"#,
    ),
    (
        "{volumes: [{name: v, projected: {sources: [{downwardAPI: {items: [{path: p, fieldRef: {fieldPath: metadata.name}}]}}]}}], containers: [{name: c, image: 'a:1'}]}",
        r#"{"volumes": [{"name": "v", "projected": {"defaultMode": 420, "sources": [{"downwardAPI": {"items": [{"path": "p", "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.name"}}]}}]}}], "containers": [{"name": "c", "image": "a:1"}]}"#,
    ),
];

#[test]
fn defaults_and_spellings_agree() {
    for (manifest, copied) in SAME {
        let spec = |text: &str| -> Value { serde_yaml::from_str(text).expect("YAML") };
        let manifest = pod(json!({"metadata": {"name": "a"}, "spec": spec(manifest)}));
        let metadata = json!({"name": "a-cp-1", "namespace": "default"});
        let mirror = pod(json!({"metadata": metadata, "spec": spec(copied)}));
        assert_eq!(rows(&manifest, &mirror), [""; 0], "{copied}");
    }
}

#[test]
fn what_is_written_is_told_from_what_is_not() {
    let two = |left: &str, right: &str| {
        let spec = |text: &str| -> Value { serde_yaml::from_str(text).expect("YAML") };
        let manifest = pod(json!({"metadata": {"name": "a"}, "spec": spec(left)}));
        let mirror = pod(json!({"metadata": {"name": "a-cp-1"}, "spec": spec(right)}));
        rows(&manifest, &mirror)
    };
    for (left, right, row) in [
        // A pointer that is false is not one that is missing.
        (
            "{automountServiceAccountToken: false}",
            "{}",
            "spec.automountServiceAccountToken: false | -",
        ),
        (
            "{enableServiceLinks: false}",
            "{}",
            "spec.enableServiceLinks: false | true",
        ),
        ("{}", "{hostPID: true}", "spec.hostPID: - | true"),
        (
            "{}",
            "{serviceAccountName: admin}",
            "spec.serviceAccountName: - | admin",
        ),
        (
            "{}",
            "{tolerations: [{operator: Exists}]}",
            "spec.tolerations[Exists].operator: - | Exists",
        ),
        (
            "{initContainers: [{name: a, image: 'x:1'}, {name: b, image: 'x:1'}]}",
            "{initContainers: [{name: b, image: 'x:1'}, {name: a, image: 'x:1'}]}",
            "spec.initContainers (order): a, b | b, a",
        ),
        (
            "{volumes: [{name: v, hostPath: {path: /a}}]}",
            "{volumes: [{name: v, hostPath: {path: /b}}]}",
            "spec.volumes[v].hostPath.path: /a | /b",
        ),
        (
            "{securityContext: {runAsUser: 0}}",
            "{}",
            "spec.securityContext.runAsUser: 0 | -",
        ),
    ] {
        assert_eq!(two(left, right), [row], "{left} {right}");
    }
}

#[test]
fn looks_do_not_decide() {
    let with = |value: &str| {
        pod(json!({"metadata": {"name": "a", "annotations": {"k": value}}, "spec": {}}))
    };
    let mut mirror = Value::from(&with("x\\n\u{1b}").raw);
    mirror["metadata"]["name"] = "a-cp-1".into();
    let rows = rows(&with("x\n\u{1b}"), &pod(mirror));
    assert_eq!(
        rows,
        ["metadata.annotations.k: x\\n\\x1b | x\\n\\x1b (other bytes)"]
    );
}

#[test]
fn hostile_pods_cost_no_more() {
    let mut deep = json!("x");
    for _ in 0..100 {
        deep = json!({"a": [deep]});
    }
    let wide: Vec<Value> = (0..20_000).map(|n| json!(format!("--f{n}"))).collect();
    let other: Vec<Value> = (0..20_000).map(|n| json!(format!("--g{n}"))).collect();
    let hostile = |list: Vec<Value>| {
        pod(json!({
            "metadata": {"name": "a", "labels": [1, 2]},
            "spec": {"containers": [{"name": "c", "args": list}, 7, {"name": "c"}], "x": deep, "volumes": {"a": 1}},
        }))
    };
    let rows = compare(&hostile(wide), &hostile(other), "cp-1");
    assert!(differing(&rows).count() >= 20_000);
    let nothing = pod(json!(null));
    assert!(compare(&nothing, &nothing, "cp-1").len() < 20);
}
