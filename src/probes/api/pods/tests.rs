//! Pods as servers and attackers write them.

use super::*;
use crate::model::tree::Branch;

const MIRROR: &str = r#"{"metadata":{"name":"etcd-cp-1","namespace":"kube-system","uid":"u-m","resourceVersion":"12",
  "creationTimestamp":"2026-01-02T03:04:05Z","labels":{"tier":"control-plane"},
  "annotations":{"kubernetes.io/config.hash":"h1","kubernetes.io/config.mirror":"h1","kubernetes.io/config.seen":"x","kubernetes.io/config.source":"file"},
  "ownerReferences":[{"apiVersion":"v1","kind":"Node","name":"cp-1","uid":"n-1","controller":true}],
  "managedFields":[{"manager":"kubelet","operation":"Update","fieldsV1":{"f:x":{}}},{"manager":"kubectl-edit","operation":"Update"},
    {"manager":"status-writer","operation":"Update","subresource":"status"}]},
 "spec":{"nodeName":"cp-1","containers":[{"name":"etcd","image":"etcd:3"}]},
 "status":{"phase":"Running"}}"#;

const PLAIN: &str = r#"{"metadata":{"name":"web-1","namespace":"shop","uid":"u-p","annotations":{"kubernetes.io/config.hash":"no"}},
 "spec":{"containers":[{"name":"c","command":["sh","-c","a\nb"]}],"nodeName":"w-1"},"status":{"phase":"Running"}}"#;

fn fold() -> PodFold {
    PodFold::new(Arc::new(Masker::new([7; 32])))
}

fn read(items: &[&str]) -> Page<ListedPod> {
    let body = format!(
        r#"{{"kind":"PodList","apiVersion":"v1","metadata":{{"resourceVersion":"99","continue":"next","remainingItemCount":3}},"items":[{}]}}"#,
        items.join(",")
    );
    fold().page(body.as_bytes()).expect("a list")
}

#[test]
fn a_mirror_is_kept_whole_and_any_other_pod_by_its_names() {
    let page = read(&[MIRROR, PLAIN]);
    assert_eq!(
        (page.version.as_str(), page.next.as_deref()),
        ("99", Some("next"))
    );
    let [mirror, plain] = &page.items[..] else {
        panic!("two pods");
    };
    assert_eq!(&*mirror.node, "cp-1");
    assert_eq!(mirror.id.hash.as_deref(), Some("h1"));
    let whole = mirror.mirror.as_deref().expect("a mirror");
    assert_eq!(
        whole.pod.raw.pointer("/spec/containers/0/image"),
        Some(Branch::String("etcd:3"))
    );
    assert_eq!(whole.phase, "Running");
    assert_eq!(whole.managers, ["kubectl-edit", "kubelet"]);
    assert_eq!(whole.owners[0].kind, "Node");
    assert!(whole.owners[0].controller);
    assert_eq!(whole.created, Some(1_767_323_045));
    assert_eq!(whole.source, Some("file".into()));
    assert!(whole.pod.metadata().get("managedFields").is_none());
    assert_eq!(
        (
            &*plain.node,
            &*plain.id.namespace,
            &*plain.id.name,
            &*plain.id.uid
        ),
        ("w-1", "shop", "web-1", "u-p")
    );
    assert!(plain.mirror.is_none());
    assert_eq!(
        plain.id.hash, None,
        "a hash without the mirror annotation is not the node's uid"
    );
}

#[test]
fn the_order_of_keys_does_not_matter() {
    let late = r#"{"status":{"phase":"Pending"},"spec":{"nodeName":"cp-1","containers":[]},
      "metadata":{"name":"m","namespace":"ns","uid":"u","annotations":{"kubernetes.io/config.mirror":""}}}"#;
    let page = read(&[late]);
    let mirror = page.items[0]
        .mirror
        .as_deref()
        .expect("the annotation exists, whatever its value");
    assert_eq!(mirror.phase, "Pending");
    assert_eq!(
        mirror.pod.spec().get("nodeName"),
        Some(Branch::String("cp-1"))
    );
    assert_eq!(&*page.items[0].node, "cp-1");
}

#[test]
fn names_are_stored_once() {
    let page = read(&[PLAIN, PLAIN]);
    assert!(Arc::ptr_eq(&page.items[0].node, &page.items[1].node));
    assert!(Arc::ptr_eq(
        &page.items[0].id.namespace,
        &page.items[1].id.namespace
    ));
}

#[test]
fn hostile_strings_are_cleaned_and_nameless_pods_counted() {
    let hostile = r#"{"metadata":{"name":"a\u001b]0;x\u0007","namespace":"n\u202e","uid":"u"},"spec":{"nodeName":"w\n1"}}"#;
    let long = format!(
        r#"{{"metadata":{{"name":"{}","namespace":"n","uid":"u"}}}}"#,
        "x".repeat(254)
    );
    let page = read(&[hostile, "{}", &long]);
    assert_eq!((page.items.len(), page.unread), (1, 2));
    assert_eq!(&*page.items[0].id.name, r"a\x1b]0;x\x07");
    assert_eq!(&*page.items[0].id.namespace, r"n\u{202e}");
    assert_eq!(&*page.items[0].node, r"w\n1");
}

#[test]
fn an_unbound_pod_has_no_node() {
    let page =
        read(&[r#"{"metadata":{"name":"a","namespace":"n","uid":"u"},"spec":{"containers":[]}}"#]);
    assert_eq!(&*page.items[0].node, "");
}

#[test]
fn an_empty_list_is_one_and_a_status_is_none() {
    let empty = fold()
        .page(br#"{"metadata":{"resourceVersion":"1"},"items":null}"#)
        .expect("a list");
    assert!(empty.items.is_empty() && empty.next.is_none());
    for body in [
        &br#"{"kind":"Status","status":"Failure","metadata":{}}"#[..],
        br#"{"items":[{"metadata":"no"}]}"#,
        br#"{"items":[{}"#,
        br#"{"items":[]} trailing"#,
        b"",
    ] {
        assert!(
            matches!(fold().page(body), Err(Gap::Garbled { .. })),
            "{}",
            String::from_utf8_lossy(body)
        );
    }
}

#[test]
fn one_object_of_a_watch_brings_its_version() {
    let (pod, version) = fold().one(MIRROR).expect("a pod");
    assert_eq!(version, "12");
    assert!(pod.expect("a usable name").mirror.is_some());
}

#[test]
fn deep_nesting_ends_in_a_gap() {
    let deep = format!(
        r#"{{"metadata":{{"name":"m","namespace":"n","uid":"u","annotations":{{"kubernetes.io/config.mirror":"x"}}}},"spec":{}1{}}}"#,
        "[".repeat(100_000),
        "]".repeat(100_000)
    );
    assert!(matches!(fold().one(&deep), Err(Gap::Garbled { .. })));
}

#[test]
fn where_a_pod_leads_to_is_kept_once_for_a_template() {
    let agent = |name: &str| {
        format!(
            r#"{{"metadata":{{"name":"{name}","namespace":"shop","uid":"{name}"}},"spec":{{"serviceAccountName":"agent","nodeName":"w-1",
              "volumes":[{{"name":"host","hostPath":{{"path":"/etc"}}}},{{"name":"data","persistentVolumeClaim":{{"claimName":"d","readOnly":true}}}},
                {{"name":"unused","hostPath":{{"path":"/"}}}},
                {{"name":"api","projected":{{"sources":[{{"configMap":{{}}}},{{"serviceAccountToken":{{"path":"token"}}}}]}}}}],
              "initContainers":[{{"name":"i","volumeMounts":[{{"name":"host","readOnly":true}}]}}],
              "containers":[{{"name":"c","securityContext":{{"runAsUser":1000}},"volumeMounts":[{{"name":"host","mountPath":"/h"}},{{"name":"data","mountPath":"/d"}},
                {{"name":"host","subPath":"cron.d","mountPath":"/x"}}]}}]}}}}"#
        )
    };
    let page = read(&[&agent("a"), &agent("b"), PLAIN]);
    let [one, two, plain] = &page.items[..] else {
        panic!("three pods");
    };
    let uses = one.id.uses.as_ref().expect("it leads out");
    assert!(Arc::ptr_eq(uses, two.id.uses.as_ref().expect("the same")));
    assert_eq!(
        serde_json::to_value(&**uses).expect("JSON"),
        serde_json::json!({"account": "agent", "mounts": [
            {"source": {"path": "/etc"}, "writable": true, "root": false},
            {"source": {"path": "/etc/cron.d"}, "writable": true, "root": false},
            {"source": {"claim": "d"}, "writable": false, "root": false},
        ]})
    );
    assert!(plain.id.uses.is_none());
}

#[test]
fn who_is_root_of_the_node_hangs_on_user_and_user_namespace() {
    for (pod, container, root) in [
        ("", "", true),
        (r#""securityContext":{"runAsUser":7},"#, "", false),
        (
            r#""securityContext":{"runAsUser":7},"#,
            r#""securityContext":{"runAsUser":0},"#,
            true,
        ),
        (r#""securityContext":{"runAsNonRoot":true},"#, "", false),
        (r#""hostUsers":false,"#, "", false),
    ] {
        let text = format!(
            r#"{{"metadata":{{"name":"a","namespace":"shop","uid":"u"}},"spec":{{{pod}"volumes":[{{"name":"v","hostPath":{{"path":"/"}}}}],
              "containers":[{{{container}"volumeMounts":[{{"name":"v"}}]}}]}}}}"#
        );
        let page = read(&[&text]);
        let uses = page.items[0].id.uses.as_ref().expect("it leads out");
        assert_eq!(uses.mounts[0].root, root, "{pod} {container}");
    }
}
