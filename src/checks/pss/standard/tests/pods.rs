//! Pods that do this and that against the standards, the same in every run. Also for tests outside of the crate.

use serde_json::{Value, json};

const LISTS: [&str; 3] = ["initContainers", "containers", "ephemeralContainers"];

/// Allowed by every version at every level.
pub fn good() -> Value {
    let mut pod = json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "good"},
        "spec": {"securityContext": {"runAsNonRoot": true, "seccompProfile": {"type": "RuntimeDefault"}}}
    });
    for (list, name) in LISTS.into_iter().zip(["init", "main", "debug"]) {
        pod["spec"][list] = json!([{
            "name": name, "image": "registry.k8s.io/pause",
            "securityContext": {"allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}}
        }]);
    }
    pod
}

/// Sets a value, with the objects on the way to it.
pub fn set(pod: &mut Value, pointer: &str, value: Value) {
    let mut here = pod;
    for step in pointer.split('/').skip(1) {
        here = match here {
            Value::Array(items) => &mut items[step.parse::<usize>().expect("an index")],
            other => &mut other[step.replace("~1", "/").replace("~0", "~")],
        };
    }
    *here = value;
}

/// What can be done to a pod, as pointers below the pod or a container, and values.
fn edits() -> Vec<(String, Value)> {
    let mut all: Vec<(String, Value)> = Vec::new();
    let mut add = |pointer: String, values: Value| {
        let values = values.as_array().cloned().unwrap_or_default();
        all.extend(values.into_iter().map(|value| (pointer.clone(), value)));
    };
    for name in ["hostNetwork", "hostPID", "hostIPC", "hostUsers"] {
        add(format!("/spec/{name}"), json!([true, false, null]));
    }
    add(
        "/spec/volumes".into(),
        json!([
            [{"name": "a", "hostPath": {"path": "/"}}], [{"name": "a", "nfs": {}}], [{"name": "a", "emptyDir": {}}]
        ]),
    );
    add(
        "/spec/securityContext/sysctls".into(),
        json!([
            [{"name": "kernel.msgmax", "value": "1"}], [{"name": "net.ipv4.tcp_rmem", "value": "1"}, {"name": "x"}]
        ]),
    );
    add(
        "/metadata/annotations".into(),
        json!([
            {"container.apparmor.security.beta.kubernetes.io/main": "unconfined"},
            {"seccomp.security.alpha.kubernetes.io/pod": "unconfined",
             "container.seccomp.security.alpha.kubernetes.io/init": "x"}
        ]),
    );
    let profiles = json!([{"type": "Unconfined"}, {"type": "Localhost"}, {}, null]);
    let mut around = vec!["/spec".to_owned()];
    around.extend(LISTS.iter().map(|list| format!("/spec/{list}/0")));
    for at in &around {
        let context = format!("{at}/securityContext");
        add(format!("{context}/seccompProfile"), profiles.clone());
        add(format!("{context}/appArmorProfile"), profiles.clone());
        add(
            format!("{context}/runAsNonRoot"),
            json!([true, false, null]),
        );
        add(format!("{context}/runAsUser"), json!([0, 1, null]));
        add(
            format!("{context}/windowsOptions"),
            json!([{"hostProcess": true}]),
        );
        add(
            format!("{context}/seLinuxOptions"),
            json!([
                {"type": "spc_t"}, {"type": "container_engine_t"}, {"user": "u", "role": "r"}
            ]),
        );
    }
    for at in &around[1..] {
        let context = format!("{at}/securityContext");
        add(format!("{context}/privileged"), json!([true, false]));
        add(
            format!("{context}/allowPrivilegeEscalation"),
            json!([true, null]),
        );
        add(
            format!("{context}/procMount"),
            json!(["Unmasked", "Default"]),
        );
        add(
            format!("{context}/capabilities"),
            json!([
                null, {}, {"add": ["SYS_ADMIN", "CHOWN"]}, {"drop": ["ALL"], "add": ["NET_BIND_SERVICE", "NET_RAW"]}
            ]),
        );
        add(format!("{at}/securityContext"), json!([null, {}]));
        add(
            format!("{at}/ports"),
            json!([[{"containerPort": 1, "hostPort": 1}]]),
        );
        add(
            format!("{at}/livenessProbe"),
            json!([{"httpGet": {"host": "h"}}, {"tcpSocket": {"host": ""}}]),
        );
    }
    all
}

/// Pods with up to eight edits, the same in every run.
pub fn pods(count: usize) -> impl Iterator<Item = Value> {
    let edits = edits();
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut draw = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % below as u64).expect("below usize")
    };
    (0..count).map(move |_| {
        let mut pod = good();
        for _ in 0..draw(9) {
            let (pointer, value) = edits[draw(edits.len())].clone();
            set(&mut pod, &pointer, value);
        }
        pod
    })
}
