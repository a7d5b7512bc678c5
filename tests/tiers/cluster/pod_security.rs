//! Static pods in namespaces with an enforced level: the API server hides exactly those that the evaluator forbids,
//! with the same words.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use libtest_mimic::Failed;
use serde_json::{Value, json};
use stakeout::checks::standard::{Level, Shape, Standard, Version, evaluate, refusal};
use stakeout::model::tree::Tree;

use super::scan::{Way, scan};
use super::stage::{self, Stage, pause};

/// For the kubelet to ask the API server for every mirror.
const ASKING: Duration = Duration::from_mins(3);
const NODE: &str = "w-1";

/// A namespace, its level, and pods in it: each does one thing that a control is about. Left out is what the
/// kubelet refuses by itself: unsafe sysctls, and an unmasked /proc outside of a user namespace.
const CASES: &[(&str, Level, &[Edit])] = &[
    (
        "held-baseline",
        Level::Baseline,
        &[
            ("good", "/metadata/labels/a", "\"b\""),
            ("namespaces", "/spec/hostPID", "true"),
            ("ipc", "/spec/hostIPC", "true"),
            (
                "privileged",
                "/spec/containers/0/securityContext/privileged",
                "true",
            ),
            (
                "capability",
                "/spec/containers/0/securityContext/capabilities/add",
                "[\"NET_RAW\", \"CHOWN\"]",
            ),
            (
                "usual",
                "/spec/containers/0/securityContext/capabilities/add",
                "[\"CHOWN\"]",
            ),
            (
                "path",
                "/spec/volumes",
                "[{\"name\": \"v\", \"hostPath\": {\"path\": \"/srv\"}}]",
            ),
            (
                "port",
                "/spec/containers/0/ports",
                "[{\"containerPort\": 80, \"hostPort\": 18099}]",
            ),
            (
                "probe",
                "/spec/containers/0/livenessProbe",
                "{\"tcpSocket\": {\"host\": \"127.0.0.1\", \"port\": 10250}}",
            ),
            (
                "seccomp",
                "/spec/containers/0/securityContext/seccompProfile",
                "{\"type\": \"Unconfined\"}",
            ),
            (
                "apparmor",
                "/spec/securityContext/appArmorProfile",
                "{\"type\": \"Unconfined\"}",
            ),
            (
                "selinux",
                "/spec/containers/0/securityContext/seLinuxOptions",
                "{\"type\": \"spc_t\"}",
            ),
            (
                "engine",
                "/spec/containers/0/securityContext/seLinuxOptions",
                "{\"type\": \"container_engine_t\"}",
            ),
            ("root", "/spec/containers/0/securityContext/runAsUser", "0"),
        ],
    ),
    (
        "held-restricted",
        Level::Restricted,
        &[
            ("good", "/metadata/labels/a", "\"b\""),
            (
                "escalation",
                "/spec/containers/0/securityContext/allowPrivilegeEscalation",
                "null",
            ),
            (
                "kept",
                "/spec/containers/0/securityContext/capabilities",
                "{\"drop\": [\"NET_RAW\"]}",
            ),
            (
                "bind",
                "/spec/containers/0/securityContext/capabilities/add",
                "[\"NET_BIND_SERVICE\"]",
            ),
            ("nonroot", "/spec/securityContext/runAsNonRoot", "null"),
            ("seccomp", "/spec/securityContext/seccompProfile", "null"),
            (
                "volume",
                "/spec/volumes",
                "[{\"name\": \"v\", \"hostPath\": {\"path\": \"/srv\"}}]",
            ),
            ("empty", "/spec/volumes", "[{\"name\": \"v\"}]"),
        ],
    ),
];

/// The pod's name, a JSON pointer, and the value there.
type Edit = (&'static str, &'static str, &'static str);

/// A pod that is put into the folder.
struct Placed {
    namespace: &'static str,
    name: &'static str,
    manifest: Value,
    /// What the API server should say, where it should refuse the mirror.
    refusal: Option<String>,
}

pub fn pod_security() -> Result<(), Failed> {
    stage::with("pod security", |stage| {
        let placed = placed(stage)?;
        for (namespace, level, _) in CASES {
            stage.at_jump(&format!(
                "kubectl create namespace {namespace} >/dev/null
                kubectl label namespace {namespace} pod-security.kubernetes.io/enforce={level} >/dev/null"
            ))?;
        }
        let outcome = plant(stage, &placed).and_then(|()| hold(stage, &placed));
        for pod in &placed {
            // Half of them may be there.
            stage.on(NODE, &format!("displace {} 2>/dev/null || true", file(pod)))?;
        }
        for (namespace, ..) in CASES {
            stage.at_jump(&format!(
                "kubectl delete namespace {namespace} --wait=true >/dev/null"
            ))?;
        }
        outcome?;
        stage.wait_until_clean(Duration::from_mins(3))?;
        Ok(())
    })
}

fn file(pod: &Placed) -> String {
    format!("{}-{}.yaml", pod.namespace, pod.name)
}

fn placed(stage: &Stage) -> Result<Vec<Placed>, Failed> {
    let mut all = Vec::new();
    for (namespace, level, edits) in CASES {
        for (name, pointer, value) in *edits {
            let manifest = manifest(stage, (namespace, name), (pointer, value))?;
            let tree = Tree::try_from(&manifest)?;
            let standard = Standard::latest(*level);
            // The cluster's own version is the newest that the evaluator knows.
            let known = Standard::new(*level, Version::Minor(37));
            let found = evaluate(known, &Shape::read(tree.root())?.defaulted());
            all.push(Placed {
                namespace,
                name,
                manifest,
                refusal: (!found.is_empty()).then(|| refusal(standard, &found)),
            });
        }
    }
    Ok(all)
}

fn manifest(
    stage: &Stage,
    (namespace, name): (&str, &str),
    (pointer, value): (&str, &str),
) -> Result<Value, Failed> {
    let mut pod = json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace, "labels": {}},
        "spec": {
            "terminationGracePeriodSeconds": 1,
            "securityContext": {"runAsNonRoot": true, "runAsUser": 65534, "seccompProfile": {"type": "RuntimeDefault"}},
            "containers": [{
                "name": "main", "image": stage.fact("IMAGE"), "command": ["sleep", "1000000"],
                "securityContext": {"allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}},
            }],
        },
    });
    let (above, last) = pointer.rsplit_once('/').ok_or("a pointer")?;
    pod.pointer_mut(above).ok_or("the object around it")?[last] = serde_json::from_str(value)?;
    // The API refuses the two together before any level is asked.
    if name == "privileged" {
        pod["spec"]["containers"][0]["securityContext"]["allowPrivilegeEscalation"] = Value::Null;
    }
    Ok(pod)
}

fn plant(stage: &Stage, placed: &[Placed]) -> Result<(), Failed> {
    let mut script = String::new();
    for pod in placed {
        let manifest = &pod.manifest;
        script += &format!("place {} <<'END'\n{manifest}\nEND\n", file(pod));
    }
    stage.on(NODE, &script)?;
    Ok(())
}

/// Every pod is seen or refused, each as it should be; what is refused is told by SP-MRG-004 and nothing else is.
fn hold(stage: &Stage, placed: &[Placed]) -> Result<(), Failed> {
    let since = Instant::now();
    loop {
        let (seen, log) = (mirrors(stage)?, refused(stage)?);
        let open: Vec<String> = placed
            .iter()
            .filter(|pod| !is_settled(pod, &seen, &log))
            .map(|pod| format!("{}/{}: expected {:?}", pod.namespace, pod.name, pod.refusal))
            .collect();
        if open.is_empty() {
            break;
        }
        if since.elapsed() > ASKING {
            let open = open.join("\n");
            return Err(
                format!("not as the evaluator says:\n{open}\nseen: {seen:?}\n{log}").into(),
            );
        }
        pause();
    }
    stage::say("every mirror seen or refused as foretold", since.elapsed());
    let seen = mirrors(stage)?;
    let hidden = placed.iter().filter(|pod| pod.refusal.is_some());
    let lie = hidden.clone().find(|pod| seen.contains(&mirror(pod)));
    if let Some(pod) = lie {
        return Err(format!(
            "{}/{} is seen, and should be refused",
            pod.namespace, pod.name
        )
        .into());
    }
    let told: BTreeSet<String> = scan(
        stage,
        &Way::administrator(stage),
        &["--check", "SP-MRG-004"],
    )?
    .rows
    .iter()
    .filter(|finding| finding.failed())
    .filter_map(|finding| finding.subject.clone())
    .collect();
    let hidden: BTreeSet<String> = hidden
        .map(|pod| format!("{}/{}", pod.namespace, pod.name))
        .collect();
    if told != hidden {
        return Err(format!("SP-MRG-004 tells {told:?}, hidden are {hidden:?}").into());
    }
    Ok(())
}

fn is_settled(pod: &Placed, seen: &BTreeSet<String>, log: &str) -> bool {
    match &pod.refusal {
        None => seen.contains(&mirror(pod)),
        Some(words) => {
            let quoted = serde_json::Value::from(words.as_str()).to_string();
            let words = quoted.trim_matches('"');
            let name = format!("pods \\\"{}-{NODE}\\\" is forbidden: {words}", pod.name);
            log.lines()
                .any(|line| line.contains(pod.namespace) && line.contains(&name))
        }
    }
}

/// `namespace/name` of a pod's mirror.
fn mirror(pod: &Placed) -> String {
    format!("{}/{}-{NODE}", pod.namespace, pod.name)
}

fn mirrors(stage: &Stage) -> Result<BTreeSet<String>, Failed> {
    let list = stage.at_jump(
        "kubectl get pods -A --no-headers -o custom-columns=N:.metadata.namespace,P:.metadata.name",
    )?;
    let names = list
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>().join("/"));
    Ok(names.collect())
}

fn refused(stage: &Stage) -> Result<String, Failed> {
    stage.on(
        NODE,
        "grep -F 'violates PodSecurity' /var/log/kubelet.log || true",
    )
}
