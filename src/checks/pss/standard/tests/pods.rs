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
    let mut all = Edits::default();
    of_pod(&mut all);
    of_contexts(&mut all);
    of_containers(&mut all);
    all.0
}

#[derive(Default)]
struct Edits(Vec<(String, Value)>);

impl Edits {
    fn add(&mut self, pointer: impl Into<String>, values: Value) {
        let pointer = pointer.into();
        if let Value::Array(values) = values {
            let edits = values.into_iter().map(|value| (pointer.clone(), value));
            self.0.extend(edits);
        }
    }
}

fn of_pod(all: &mut Edits) {
    for name in ["hostNetwork", "hostPID", "hostIPC", "hostUsers"] {
        all.add(format!("/spec/{name}"), json!([true, false, null]));
    }
    all.add(
        "/spec/volumes",
        json!([
            [{"name": "a", "hostPath": {"path": "/"}}], [{"name": "a", "nfs": {}}], [{"name": "a", "emptyDir": {}}]
        ]),
    );
    all.add(
        "/spec/securityContext/sysctls",
        json!([
            [{"name": "kernel.msgmax", "value": "1"}], [{"name": "net.ipv4.tcp_rmem", "value": "1"}, {"name": "x"}]
        ]),
    );
    all.add(
        "/metadata/annotations",
        json!([
            {"container.apparmor.security.beta.kubernetes.io/main": "unconfined"},
            {"seccomp.security.alpha.kubernetes.io/pod": "unconfined",
             "container.seccomp.security.alpha.kubernetes.io/init": "x"}
        ]),
    );
}

fn of_contexts(all: &mut Edits) {
    let profiles = json!([{"type": "Unconfined"}, {"type": "Localhost"}, {}, null]);
    let mut around = vec!["/spec".to_owned()];
    around.extend(LISTS.iter().map(|list| format!("/spec/{list}/0")));
    for at in around {
        let context = format!("{at}/securityContext");
        all.add(format!("{context}/seccompProfile"), profiles.clone());
        all.add(format!("{context}/appArmorProfile"), profiles.clone());
        all.add(
            format!("{context}/runAsNonRoot"),
            json!([true, false, null]),
        );
        all.add(format!("{context}/runAsUser"), json!([0, 1, null]));
        all.add(
            format!("{context}/windowsOptions"),
            json!([{"hostProcess": true}]),
        );
        all.add(
            format!("{context}/seLinuxOptions"),
            json!([
                {"type": "spc_t"}, {"type": "container_engine_t"}, {"user": "u", "role": "r"}
            ]),
        );
    }
}

fn of_containers(all: &mut Edits) {
    for at in LISTS.map(|list| format!("/spec/{list}/0")) {
        let context = format!("{at}/securityContext");
        all.add(format!("{context}/privileged"), json!([true, false]));
        all.add(
            format!("{context}/allowPrivilegeEscalation"),
            json!([true, null]),
        );
        all.add(
            format!("{context}/procMount"),
            json!(["Unmasked", "Default"]),
        );
        all.add(
            format!("{context}/capabilities"),
            json!([
                null, {}, {"add": ["SYS_ADMIN", "CHOWN"]}, {"drop": ["ALL"], "add": ["NET_BIND_SERVICE", "NET_RAW"]}
            ]),
        );
        all.add(format!("{at}/securityContext"), json!([null, {}]));
        all.add(
            format!("{at}/ports"),
            json!([[{"containerPort": 1, "hostPort": 1}]]),
        );
        all.add(
            format!("{at}/livenessProbe"),
            json!([{"httpGet": {"host": "h"}}, {"tcpSocket": {"host": ""}}]),
        );
    }
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
