use serde_json::{Value, json};

use super::*;
use crate::model::objects::Traffic;
use crate::probes::probe::Ask;

fn fold_of(need: Need) -> Box<dyn Fold> {
    fold(need).expect("a list of objects")
}

fn told(need: Need, items: &Value) -> Objects {
    let mut fold = fold_of(need);
    fold.restart();
    let list = json!({"metadata": {"resourceVersion": "7"}, "items": items});
    fold.page(list.to_string().as_bytes()).expect("a list");
    fold.listed();
    *fold.changed().expect("something to tell")
}

/// What is kept of the first object, as evidence shows it.
fn kept(need: Need, item: &Value) -> Value {
    let objects = told(need, &json!([item]));
    let list = objects.list(need).expect("a list of objects");
    assert_eq!(list.gap(), None);
    list.json(0).expect("one object")
}

#[test]
fn every_kind_has_its_probe_and_its_fold() {
    for need in Need::ALL.iter().filter(|need| need.is_object()) {
        let fold = fold_of(*need);
        assert_eq!(fold.need(), *need);
        let probe = PROBES.iter().find(|probe| probe.need == *need);
        let Some(Ask::Api { resource, path, .. }) = probe.and_then(|probe| probe.asks.first())
        else {
            panic!("{need:?} is not asked for");
        };
        assert_eq!((*resource, *path), (fold.resource(), fold.paths()[0]));
        assert!(Objects::default().list(*need).is_some(), "{need:?}");
    }
    assert_eq!(
        PROBES.len(),
        Need::ALL.iter().filter(|need| need.is_object()).count()
    );
    assert!(fold(Need::Manifests).is_none());
}

#[test]
fn an_empty_list_is_an_answer_and_anything_else_is_none() {
    for need in Need::ALL.iter().filter(|need| need.is_object()) {
        let objects = told(*need, &json!([]));
        let list = objects.list(*need).expect("a list of objects");
        assert_eq!((list.len(), list.gap()), (0, None), "{need:?}");
        for body in [
            &b"<html>"[..],
            b"{}",
            b"[]",
            br#"{"kind":"Status","metadata":{}}"#,
            br#"{"items":[5]}"#,
        ] {
            let outcome = fold_of(*need).page(body);
            assert!(
                matches!(outcome, Err(Gap::Garbled { .. })),
                "{need:?} {body:?}"
            );
        }
    }
}

#[test]
fn a_hole_in_a_list_is_no_absence() {
    for need in Need::ALL.iter().filter(|need| need.is_object()) {
        let named = json!({"metadata": {"name": "a"}, "type": "bootstrap.kubernetes.io/token"});
        let objects = told(
            *need,
            &json!([named, {"metadata": {"name": "x".repeat(300)}}]),
        );
        let list = objects.list(*need).expect("a list of objects");
        assert!(matches!(list.gap(), Some(Gap::Garbled { .. })), "{need:?}");
    }
}

#[test]
fn events_change_the_list_and_say_whether_anything_is_new() {
    let mut fold = fold_of(Need::Services);
    fold.restart();
    fold.page(br#"{"metadata":{"resourceVersion":"1"},"items":[]}"#)
        .expect("a list");
    fold.listed();
    assert!(fold.changed().is_some() && fold.changed().is_none());
    let web = |port: u16, version: &str| {
        json!({"metadata": {"namespace": "shop", "name": "web", "resourceVersion": version},
            "spec": {"type": "ClusterIP", "ports": [{"port": port, "targetPort": "http"}]}})
        .to_string()
    };
    assert_eq!(fold.event(&web(80, "2"), false), Ok("2".into()));
    let objects = fold.changed().expect("a new Service");
    assert_eq!(objects.services.get().expect("known").value.len(), 1);
    assert_eq!(fold.event(&web(80, "3"), false), Ok("3".into()));
    assert!(fold.changed().is_none(), "nothing that is kept is new");
    assert_eq!(fold.event(&web(81, "4"), true), Ok("4".into()));
    let objects = fold.changed().expect("it went away");
    assert!(objects.services.get().expect("known").value.is_empty());
    assert!(fold.event("5", false).is_err());
}

#[test]
fn services_keep_where_they_lead() {
    let service = json!({"metadata": {"namespace": "shop", "name": "web"}, "spec": {
        "type": "LoadBalancer", "selector": {"app": "web"}, "externalIPs": ["198.51.100.9"],
        "clusterIP": "10.96.0.7", "ports": [{"port": 443, "targetPort": 8443, "nodePort": 30443, "protocol": "TCP"}]},
        "status": {"loadBalancer": {"ingress": [{"hostname": "lb\u{1b}[2J.example.org"}]}}});
    assert_eq!(
        kept(Need::Services, &service),
        json!({"namespace": "shop", "name": "web", "type": "LoadBalancer", "selector": {"app": "web"},
            "ports": [{"port": 443, "targetPort": "8443", "nodePort": 30443}],
            "externalIPs": ["198.51.100.9"], "loadBalancer": [{"altered": "lb\\x1b[2J.example.org"}]})
    );
    let slice = json!({"metadata": {"namespace": "default", "name": "s",
            "labels": {"kubernetes.io/service-name": "kubernetes"}},
        "endpoints": [{"addresses": ["198.51.100.11"]},
            {"addresses": ["10.0.0.1"], "targetRef": {"kind": "Pod", "name": "p"}}],
        "ports": [{"port": 6443}, {"port": null}]});
    let slice = kept(Need::EndpointSlices, &slice);
    assert_eq!(slice["service"], "kubernetes");
    assert_eq!(slice["addresses"], json!(["198.51.100.11", "10.0.0.1"]));
    assert_eq!(
        (&slice["pods"], &slice["ports"]),
        (&json!(["p"]), &json!([6443, 0]))
    );
}

fn policy(spec: &Value) -> crate::model::objects::NetworkPolicy {
    let item = json!({"metadata": {"namespace": "shop", "name": "p"}, "spec": spec});
    let objects = told(Need::NetworkPolicies, &json!([item]));
    objects.network_policies.get().expect("known").value[0].clone()
}

#[test]
fn wide_rules_of_network_policies_are_named() {
    let deny = policy(&json!({"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}));
    assert_eq!(deny.ingress, Some(Traffic::default()));
    assert_eq!(deny.egress, Some(Traffic::default()));
    assert_eq!(
        policy(&json!({"podSelector": {}})).egress,
        None,
        "the default is ingress alone"
    );
    let none = policy(&json!({"podSelector": {}, "policyTypes": ["Egress"], "egress": [{}]}));
    assert_eq!(none.ingress, None);
    let egress = none.egress.expect("it speaks of egress");
    assert_eq!((egress.rules, egress.metadata), (1, true));
    assert_eq!(egress.wide[0], "rule 1: no to");
}

#[test]
fn wide_blocks_and_selectors_are_told_from_narrow_ones() {
    for (rule, wide, metadata) in [
        (
            json!({"to": [{"ipBlock": {"cidr": "0.0.0.0/0"}}]}),
            Some("rule 1: 0.0.0.0/0"),
            true,
        ),
        (
            json!({"to": [{"ipBlock": {"cidr": "0.0.0.0/0", "except": ["169.254.0.0/16"]}}]}),
            Some("rule 1: 0.0.0.0/0 except 1 blocks"),
            false,
        ),
        (
            json!({"to": [{"ipBlock": {"cidr": "10.0.0.0/8"}}]}),
            None,
            false,
        ),
        (
            json!({"to": [{"ipBlock": {"cidr": "169.254.169.254/32"}}], "ports": [{"port": 443}]}),
            None,
            false,
        ),
        (
            json!({"to": [{"ipBlock": {"cidr": "169.254.169.254/32"}}], "ports": [{"port": 1, "endPort": 100}]}),
            None,
            true,
        ),
        (
            json!({"to": [{"ipBlock": {"cidr": "169.254.169.254/32"}}], "ports": [{"protocol": "UDP", "port": 80}]}),
            None,
            false,
        ),
        (
            json!({"to": [{"ipBlock": {"cidr": "nonsense"}}]}),
            None,
            true,
        ),
        (
            json!({"to": [{"namespaceSelector": {}}]}),
            Some("rule 1: every pod of every namespace"),
            false,
        ),
        (
            json!({"to": [{"namespaceSelector": {}, "podSelector": {"matchLabels": {"a": "b"}}}]}),
            None,
            false,
        ),
        (json!({"to": [{"podSelector": {}}]}), None, false),
    ] {
        let policy = policy(&json!({"policyTypes": ["Egress"], "egress": [rule]}));
        let egress = policy.egress.expect("it speaks of egress");
        let found = egress.wide.first().map(crate::model::text::Text::as_str);
        assert_eq!((found, egress.metadata), (wide, metadata), "{rule}");
    }
}

#[test]
fn ingresses_and_routes_keep_their_backends() {
    let path = |service: &str| json!({"path": "/x", "backend": {"service": {"name": service, "port": {"number": 80}}}});
    let ingress = json!({"metadata": {"namespace": "shop", "name": "i"}, "spec": {
        "ingressClassName": "nginx", "defaultBackend": {"service": {"name": "d", "port": {"name": "http"}}},
        "rules": [{"host": "a.example.org", "http": {"paths": [path("web"), path("web")]}}]}});
    let ingress = kept(Need::Ingresses, &ingress);
    assert_eq!(
        ingress["backends"],
        json!([{"namespace": "shop", "service": "d", "host": "", "port": "http"},
            {"namespace": "shop", "service": "web", "host": "a.example.org/x", "port": "80"}])
    );
    let route = json!({"metadata": {"namespace": "shop", "name": "r"}, "spec": {
        "parentRefs": [{"name": "gw", "namespace": "edge"}], "hostnames": ["b.example.org"],
        "rules": [{"backendRefs": [{"name": "web", "port": 80}, {"kind": "Bucket", "name": "no"}],
            "filters": [{"type": "RequestMirror", "requestMirror": {"backendRef": {"name": "copy", "namespace": "other", "port": 1}}}]}]}});
    for need in [Need::HttpRoutes, Need::TcpRoutes] {
        let route = kept(need, &route);
        assert_eq!(route["gateways"], json!(["edge/gw"]));
        let names: Vec<_> = route["backends"]
            .as_array()
            .expect("a list")
            .iter()
            .collect();
        assert_eq!(names.len(), 2);
        assert_eq!(names[1]["namespace"], "other");
    }
    let many: Vec<_> = (0..PARTS + 9)
        .map(|index| path(&format!("s{index}")))
        .collect();
    let huge = json!({"metadata": {"namespace": "shop", "name": "i"}, "spec": {"rules": [{"http": {"paths": many}}]}});
    let huge = kept(Need::Ingresses, &huge);
    assert_eq!(huge["cut"], true);
    assert_eq!(huge["backends"].as_array().map(Vec::len), Some(PARTS));
}

#[test]
fn roles_keep_what_opens_something() {
    let rules = json!([
        {"apiGroups": [""], "resources": ["pods", "pods/exec"], "verbs": ["get", "create"]},
        {"apiGroups": ["shop.example.org"], "resources": ["orders"], "verbs": ["*"]},
        {"nonResourceURLs": ["/metrics"], "verbs": ["get"]}]);
    let cluster = json!({"metadata": {"name": "r", "labels": {"kubernetes.io/bootstrapping": "rbac-defaults"}}, "rules": rules});
    let cluster = kept(Need::ClusterRoles, &cluster);
    assert_eq!(cluster["rules"].as_array().map(Vec::len), Some(2));
    assert_eq!(cluster["bootstrap"], true);
    let own = json!({"metadata": {"namespace": "shop", "name": "r"}, "rules": rules});
    let own = kept(Need::Roles, &own);
    assert_eq!(
        own["rules"].as_array().map(Vec::len),
        Some(1),
        "orders are nobody's concern"
    );
    assert_eq!(own["rules"][0]["verbs"], json!(["get", "create"]));
    let many: Vec<_> = (0..3000)
        .map(|index| json!({"kind": "User", "name": format!("u{index}")}))
        .collect();
    let binding = json!({"metadata": {"name": "b"}, "roleRef": {"kind": "ClusterRole", "name": "r"}, "subjects": many});
    let binding = kept(Need::ClusterRoleBindings, &binding);
    assert_eq!(
        (&binding["cut"], &binding["roleKind"]),
        (&json!(true), &json!("ClusterRole"))
    );
}

#[test]
fn of_a_bootstrap_token_no_secret_is_kept() {
    let encoded = |text: &str| openssl::base64::encode_block(text.as_bytes());
    let token = json!({"metadata": {"name": "bootstrap-token-abcdef"}, "type": "bootstrap.kubernetes.io/token", "data": {
        "token-id": encoded("abcdef"), "token-secret": encoded("0123456789abcdef"),
        "expiration": encoded("2026-11-25T00:00:00Z"), "usage-bootstrap-signing": encoded("true"),
        "usage-bootstrap-authentication": encoded("false"), "auth-extra-groups": encoded("system:bootstrappers:kubeadm")}});
    let token = kept(Need::BootstrapTokens, &token);
    assert_eq!(
        token,
        json!({"name": "bootstrap-token-abcdef", "expiration": 1_795_564_800, "usages": ["signing"],
            "groups": ["system:bootstrappers:kubeadm"]})
    );
}

#[test]
fn admission_keeps_what_it_is_asked_about() {
    let webhook = json!({"metadata": {"name": "w"}, "webhooks": [{"name": "a.example.org", "failurePolicy": "Ignore",
        "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"], "operations": ["CREATE"], "scope": "*"}],
        "namespaceSelector": {"matchExpressions": [{"key": "kubernetes.io/metadata.name", "operator": "NotIn", "values": ["kube-system"]}]},
        "matchConditions": [{"name": "x", "expression": "true"}],
        "clientConfig": {"service": {"namespace": "guard", "name": "w"}, "caBundle": "xxx"}}]});
    let webhook = &kept(Need::ValidatingWebhooks, &webhook)["webhooks"][0];
    assert_eq!(webhook["client"], "guard/w");
    assert_eq!(webhook["matchConditions"], true);
    let policy = json!({"metadata": {"name": "p"}, "spec": {"matchConstraints": {"resourceRules": [
        {"apiGroups": [""], "resources": ["services"], "operations": ["CREATE", "UPDATE"]}]},
        "validations": [{"expression": "!has(object.spec.externalIPs)"}]}});
    let policy = kept(Need::ValidatingPolicies, &policy);
    assert_eq!(policy["failurePolicy"], "Fail");
    assert_eq!(
        policy["expressions"],
        json!(["!has(object.spec.externalIPs)"])
    );
    let change = json!({"metadata": {"name": "m"}, "spec": {"mutations": [{"applyConfiguration": {"expression": "Object{}"}}]}});
    assert_eq!(
        kept(Need::MutatingPolicies, &change)["expressions"],
        json!(["Object{}"])
    );
    let binding = json!({"metadata": {"name": "b"}, "spec": {"policyName": "p", "validationActions": ["Deny"]}});
    let binding = kept(Need::ValidatingPolicyBindings, &binding);
    assert_eq!(
        (&binding["policy"], &binding["actions"]),
        (&json!("p"), &json!(["Deny"]))
    );
}

#[test]
fn a_selector_without_end_is_not_kept() {
    let labels: Value = (0..2000)
        .map(|index| (format!("k{index}"), json!("v")))
        .collect::<serde_json::Map<_, _>>()
        .into();
    let item = json!({"metadata": {"namespace": "a", "name": "p"}, "spec": {"podSelector": {"matchLabels": labels}}});
    let objects = told(Need::NetworkPolicies, &json!([item]));
    assert!(matches!(
        objects.network_policies,
        Fact::Gap(Gap::Garbled { .. })
    ));
}

#[test]
fn quotas_limits_and_priorities_are_read() {
    let quota = json!({"metadata": {"namespace": "a", "name": "q"}, "spec": {"hard": {"pods": 4, "limits.cpu": "2"}}, "status": {"used": {"pods": "4"}}});
    let quota = kept(Need::ResourceQuotas, &quota);
    assert_eq!(quota["hard"], json!({"pods": "4", "limits.cpu": "2"}));
    let range = json!({"metadata": {"namespace": "a", "name": "l"}, "spec": {"limits": [{"type": "Container", "default": {"cpu": "1"}}]}});
    assert_eq!(
        kept(Need::LimitRanges, &range)["limits"][0]["default"],
        json!({"cpu": "1"})
    );
    let class = json!({"metadata": {"name": "high"}, "value": 1_000_000, "globalDefault": true});
    assert_eq!(kept(Need::PriorityClasses, &class)["value"], 1_000_000);
    let daemons = json!({"metadata": {"namespace": "kube-system", "name": "d"}, "spec": {"template": {"spec": {"containers": [{"image": "cilium:1"}]}}}});
    assert_eq!(
        kept(Need::DaemonSets, &daemons)["images"],
        json!(["cilium:1"])
    );
    let definition = json!({"metadata": {"name": "x.example.org"}});
    assert_eq!(
        kept(Need::CustomResources, &definition)["name"],
        "x.example.org"
    );
}

#[test]
fn of_volumes_that_lie_elsewhere_the_name_is_kept() {
    let items = json!([
        {"metadata": {"name": "a"}, "spec": {"hostPath": {"path": "/srv"}, "claimRef": {"namespace": "shop", "name": "d"}}},
        {"metadata": {"name": "b"}, "spec": {"local": {"path": "/mnt/disk"}}},
        {"metadata": {"name": "c"}, "spec": {"csi": {"driver": "x"}}},
    ]);
    let objects = told(Need::PersistentVolumes, &items);
    let list = objects
        .list(Need::PersistentVolumes)
        .expect("a list of objects");
    assert_eq!(list.len(), 3);
    assert_eq!(
        list.json(0),
        Some(json!({"name": "a", "path": "/srv", "claim": ["shop", "d"]}))
    );
    assert_eq!(
        list.json(1),
        Some(json!({"name": "b", "path": "/mnt/disk"}))
    );
    assert_eq!(list.json(2), Some(json!({"name": "c"})));
}
