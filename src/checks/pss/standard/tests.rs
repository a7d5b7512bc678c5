use std::ops::{Bound, RangeBounds};

use serde_json::{Value, json};

use super::*;
use crate::model::tree::Tree;

mod pods;

use pods::{good, pods, set};

/// A pod that every version allows at every level, and edits of it.
pub(super) struct Case {
    edits: Vec<(String, Value)>,
    /// Minors that forbid it.
    from: Bound<u32>,
    to: Bound<u32>,
}

impl Case {
    /// A value at a JSON pointer.
    pub(super) fn pod(pointer: &str, json: &str) -> Self {
        let none = Self {
            edits: Vec::new(),
            from: Bound::Included(0),
            to: Bound::Excluded(0),
        };
        none.and(pointer, json)
    }

    /// A field of the pod's security context.
    pub(super) fn context(field: &str, json: &str) -> Self {
        Self::pod(&format!("/spec/securityContext/{field}"), json)
    }

    /// A field of a container's security context.
    pub(super) fn main(field: &str, json: &str) -> Self {
        Self::pod(&format!("/spec/containers/0/securityContext/{field}"), json)
    }

    pub(super) fn init(field: &str, json: &str) -> Self {
        let at = format!("/spec/initContainers/0/securityContext/{field}");
        Self::pod(&at, json)
    }

    pub(super) fn ephemeral(field: &str, json: &str) -> Self {
        let at = format!("/spec/ephemeralContainers/0/securityContext/{field}");
        Self::pod(&at, json)
    }

    /// A field of every container's security context.
    pub(super) fn every(field: &str, json: &str) -> Self {
        Self::main(field, json)
            .and(
                &format!("/spec/initContainers/0/securityContext/{field}"),
                json,
            )
            .and(
                &format!("/spec/ephemeralContainers/0/securityContext/{field}"),
                json,
            )
    }

    pub(super) fn and(mut self, pointer: &str, json: &str) -> Self {
        let value = serde_json::from_str(json).expect("a case is JSON");
        self.edits.push((pointer.to_owned(), value));
        self
    }

    pub(super) fn allowed(self) -> Self {
        self
    }

    pub(super) fn forbidden(mut self, minors: impl RangeBounds<u32>) -> Self {
        self.from = minors.start_bound().cloned();
        self.to = minors.end_bound().cloned();
        self
    }

    fn value(&self) -> Value {
        let mut pod = good();
        for (pointer, value) in &self.edits {
            set(&mut pod, pointer, value.clone());
        }
        pod
    }
}

fn violations(standard: Standard, pod: &Value) -> Vec<Violation> {
    let tree = Tree::try_from(pod).expect("a pod is small");
    evaluate(
        standard,
        &Shape::read(tree.root()).expect("types are right"),
    )
}

/// Holds a control to its cases in every version, at its own level.
pub(super) fn hold(id: &str, cases: &[Case]) {
    let control = CONTROLS.iter().find(|control| control.id == id);
    let level = control.expect("a control").level;
    for case in cases {
        let pod = case.value();
        for minor in 0..=newest() + 2 {
            let standard = Standard::new(level, Version::Minor(minor));
            let found = violations(standard, &pod);
            let forbids = found.iter().any(|violation| violation.id == id);
            let want = (case.from, case.to).contains(&minor);
            assert_eq!(
                forbids, want,
                "{id} at {standard}: {:?}: {found:?}",
                case.edits
            );
            if standard.version == Version::Minor(newest()) {
                assert_eq!(violations(Standard::latest(level), &pod), found);
            }
        }
    }
    let touched = |allows: bool| {
        cases
            .iter()
            .any(|case| (case.from, case.to).contains(&newest()) != allows)
    };
    assert!(
        touched(true) && touched(false),
        "{id} has passing and failing cases"
    );
}

/// The only violation of a case in the newest version.
pub(super) fn says(case: &Case, words: &str) {
    says_at(newest(), case, words);
}

pub(super) fn says_at(minor: u32, case: &Case, words: &str) {
    let found = [Level::Baseline, Level::Restricted]
        .into_iter()
        .flat_map(|level| violations(Standard::new(level, Version::Minor(minor)), &case.value()))
        .map(|violation| violation.to_string());
    let found: Vec<String> = found.collect();
    assert!(found.iter().any(|said| said == words), "{found:#?}");
}

#[test]
fn levels_contain_each_other() {
    for pod in pods(300) {
        for minor in 0..=newest() {
            let at = |level| violations(Standard::new(level, Version::Minor(minor)), &pod);
            assert!(at(Level::Privileged).is_empty());
            let restricted = at(Level::Restricted);
            for violation in at(Level::Baseline) {
                let id = violation.id;
                let overriding = CONTROLS.iter().filter(|control| {
                    control
                        .revision(minor)
                        .is_some_and(|known| known.overrides == Some(id))
                });
                let mut ids = overriding.map(|control| control.id).chain([id]);
                assert!(
                    ids.any(|id| restricted.iter().any(|other| other.id == id)),
                    "1.{minor}: {id} is asked at baseline alone: {pod}"
                );
            }
        }
    }
}

/// What a violation asks for, all together, is enough, and decisions are all that it leaves.
#[test]
fn the_cost_is_the_whole_cost() {
    for pod in pods(600) {
        for level in [Level::Baseline, Level::Restricted] {
            let standard = Standard::latest(level);
            let mut mended = pod.clone();
            let mut open = Vec::new();
            for violation in violations(standard, &pod) {
                let mut changes = violation.changes.clone();
                // The later entries of a list go first.
                changes.sort_by(|a, b| b.field.cmp(&a.field));
                for change in changes {
                    match change.want {
                        Want::Set(value) | Want::Try(value, _) => {
                            set(&mut mended, &change.field.pointer(), value);
                        }
                        Want::Remove => remove(&mut mended, &change.field),
                        Want::Decide(_) => open.push(violation.id),
                    }
                }
            }
            let left: Vec<&str> = violations(standard, &mended)
                .iter()
                .map(|left| left.id)
                .collect();
            assert_eq!(left, open, "{pod}\n{mended}");
        }
    }
}

fn remove(pod: &mut Value, field: &Path) {
    let parent = field.parent().expect("not the root");
    match (pod.pointer_mut(&parent.pointer()), field.steps().last()) {
        (Some(Value::Array(items)), Some(Step::Index(at))) => drop(items.remove(*at)),
        (Some(Value::Object(map)), Some(Step::Key(key))) => drop(map.remove(key)),
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_is_named_is_there() {
    for pod in pods(600) {
        for violation in violations(Standard::latest(Level::Restricted), &pod) {
            assert!(!violation.fields.is_empty() && !violation.changes.is_empty());
            for field in &violation.fields {
                // The objects around a missing field may be missing too, the container is not.
                let steps = field.steps();
                let container = steps.iter().position(|step| matches!(step, Step::Index(_)));
                if let Some(at) = container {
                    let mut above = field.clone();
                    while above.steps().len() > at + 1 {
                        above = above.parent().expect("longer");
                    }
                    assert!(pod.pointer(&above.pointer()).is_some(), "{field} of {pod}");
                }
            }
        }
    }
}

#[test]
fn controls_are_in_the_order_of_messages() {
    let key = |control: &&&Control| (control.level, control.id);
    assert!(CONTROLS.iter().is_sorted_by_key(|control| key(&control)));
    for control in CONTROLS {
        assert!(control.steps().is_sorted(), "{control:?}");
        assert!(
            control
                .steps()
                .collect::<Vec<_>>()
                .windows(2)
                .all(|pair| pair[0] < pair[1])
        );
    }
    assert_eq!(newest(), 37);
}

#[test]
fn restricted_overrides_by_version() {
    let ids = |level, minor| -> Vec<&str> {
        let asked = controls(Standard::new(level, Version::Minor(minor)));
        asked.map(|control| control.id).collect()
    };
    assert!(ids(Level::Privileged, 37).is_empty());
    assert!(ids(Level::Restricted, 21).contains(&"capabilities_baseline"));
    assert!(!ids(Level::Restricted, 22).contains(&"capabilities_baseline"));
    assert!(!ids(Level::Restricted, 0).contains(&"hostPathVolumes"));
    assert!(ids(Level::Restricted, 18).contains(&"seccompProfile_baseline"));
    assert!(!ids(Level::Restricted, 19).contains(&"seccompProfile_baseline"));
    assert!(ids(Level::Restricted, 34).contains(&"procMount"));
    assert!(!ids(Level::Restricted, 35).contains(&"procMount"));
    assert_eq!(ids(Level::Baseline, 99), ids(Level::Baseline, 37));
    assert_eq!(ids(Level::Restricted, 37).len(), 8 + 7);
}

#[test]
fn versions_are_read_as_labels_are() {
    for (text, version) in [
        ("latest", Ok(Version::Latest)),
        ("v1.0", Ok(Version::Minor(0))),
        ("v1.37", Ok(Version::Minor(37))),
        ("v1.007", Err(())),
        ("v1.", Err(())),
        ("1.24", Err(())),
        ("v2.0", Err(())),
        ("v1.24.3", Err(())),
        ("v1.99999999999", Err(())),
        ("Latest", Err(())),
        ("v1.+1", Err(())),
        ("", Err(())),
    ] {
        assert_eq!(text.parse::<Version>().map_err(drop), version, "{text}");
    }
    let standard = Standard::new(Level::Baseline, Version::Minor(24));
    assert_eq!(standard.to_string(), "baseline:v1.24");
    assert_eq!(
        Standard::latest(Level::Restricted)
            .as_known_to(30)
            .to_string(),
        "restricted:v1.30"
    );
    assert_eq!(standard.as_known_to(30), standard);
}

/// Where, what, and what is said of it.
const WRONG_TYPES: &[(&str, &str, &str)] = &[
    ("/spec", "[]", "spec is not an object"),
    (
        "/spec/hostPID",
        r#""yes""#,
        "spec.hostPID is not true or false",
    ),
    (
        "/spec/hostUsers",
        "0",
        "spec.hostUsers is not true or false",
    ),
    ("/spec/containers", "{}", "spec.containers is not a list"),
    (
        "/spec/containers/0",
        "null",
        "spec.containers[0] is not an object",
    ),
    (
        "/spec/containers/0/securityContext/privileged",
        r#""true""#,
        "spec.containers[0].securityContext.privileged is not true or false",
    ),
    (
        "/spec/containers/0/securityContext",
        "true",
        "spec.containers[0].securityContext is not an object",
    ),
    (
        "/spec/containers/0/securityContext/capabilities/add",
        r#""ALL""#,
        "spec.containers[0].securityContext.capabilities.add is not a list",
    ),
    (
        "/spec/containers/0/securityContext/capabilities/add",
        "[1]",
        "spec.containers[0].securityContext.capabilities.add[0] is not a string",
    ),
    (
        "/spec/containers/0/ports",
        r#"[{"hostPort": 1.5}]"#,
        "spec.containers[0].ports[0].hostPort is not a whole number",
    ),
    (
        "/spec/containers/0/livenessProbe",
        r#""x""#,
        "spec.containers[0].livenessProbe.httpGet.host is not below an object",
    ),
    (
        "/spec/securityContext/runAsUser",
        r#""0""#,
        "spec.securityContext.runAsUser is not a whole number",
    ),
    (
        "/spec/volumes",
        r#"[{"name": "a", "hostPath": "/"}]"#,
        "spec.volumes[0][hostPath] is not an object",
    ),
    (
        "/metadata/annotations",
        r#"{"a": 1}"#,
        "metadata.annotations[a] is not a string",
    ),
];

#[test]
fn wrong_types_are_not_judged() {
    for (pointer, json, field) in WRONG_TYPES {
        let value = serde_json::from_str(json).expect(json);
        let mut pod = good();
        set(&mut pod, pointer, value);
        let tree = Tree::try_from(&pod).expect("small");
        let error = Shape::read(tree.root()).map(drop).expect_err(pointer);
        assert_eq!(error.to_string(), *field);
    }
}

/// The API server fills in host ports before admission looks.
#[test]
fn host_network_takes_every_port() {
    let mut pod = good();
    set(&mut pod, "/spec/hostNetwork", json!(true));
    set(
        &mut pod,
        "/spec/containers/0/ports",
        json!([{"containerPort": 80}]),
    );
    set(&mut pod, "/spec/ephemeralContainers/0/ports", json!([]));
    let tree = Tree::try_from(&pod).expect("small");
    let shape = Shape::read(tree.root()).expect("a pod");
    let ids = |shape: &Shape<'_>| -> Vec<&str> {
        let found = evaluate(Standard::latest(Level::Baseline), shape);
        found.iter().map(|violation| violation.id).collect()
    };
    assert_eq!(ids(&shape), ["hostNamespaces"]);
    assert_eq!(ids(&shape.defaulted()), ["hostNamespaces", "hostPorts"]);
    set(&mut pod, "/spec/hostNetwork", json!(false));
    let tree = Tree::try_from(&pod).expect("small");
    let shape = Shape::read(tree.root()).expect("a pod").defaulted();
    assert!(ids(&shape).is_empty());
}

#[test]
fn the_whole_refusal() {
    let pod = Case::pod("/spec/hostNetwork", "true")
        .and("/spec/containers/0/securityContext/privileged", "true");
    let standard = Standard::latest(Level::Baseline);
    let found = violations(standard, &pod.value());
    assert_eq!(
        refusal(standard, &found),
        "violates PodSecurity \"baseline:latest\": host namespaces (hostNetwork=true), privileged (container \"main\" must not set securityContext.privileged=true)"
    );
    assert!(
        warning(standard, &found)
            .starts_with("would violate PodSecurity \"baseline:latest\": host")
    );
}
