use unicode_width::UnicodeWidthStr as _;

use super::*;
use crate::checks::example;
use crate::model::policy::Policy;

fn paths(yaml: &str) -> AttackPaths {
    let example = example::read(yaml).expect("an example");
    let policy = Policy::default();
    let view = View::new(&example.snapshot, &policy, example.snapshot.taken);
    let node = &example.snapshot.nodes[&example.node];
    of_node(node, &view)
}

/// `from -verb-> to -verb-> to`.
fn told(path: &AttackPath) -> String {
    let mut out = format!("{} {}: {}", path.check, path.severity, path.edges[0].from);
    for edge in &path.edges {
        out.push_str(&format!(" -{}-> {}", edge.verb, edge.to));
    }
    out
}

/// What else the paths of a node are asked of, with nothing in it.
const REST: &str = "manifests: [], host_paths: [], kubeconfigs: [], pki: [], kubelet_files: [], dir: {}, \
     cluster_roles: [], cluster_role_bindings: [], persistent_volumes: []";

#[test]
fn a_clean_node_has_none_and_an_unknown_one_says_so() {
    let clean = paths(&format!(
        "{{{REST}, pods: [{{pod: kube-system/kube-proxy-x, account: kube-proxy, mounts: [/run/xtables.lock]}}]}}"
    ));
    assert_eq!(clean, AttackPaths::default());
    let unknown = paths("{}");
    assert!(unknown.paths.is_empty());
    assert_eq!(unknown.gaps, [Gap::NotAsked]);
}

#[test]
fn a_workload_that_writes_the_folder_is_root_of_the_node() {
    let found = paths(&format!(
        "{{{REST}, pods: [{{pod: shop/a, mounts: [/etc]}}]}}"
    ));
    assert_eq!(
        found.paths.iter().map(told).collect::<Vec<_>>(),
        [
            "SP-MRG-020 critical: pod shop/a -writes by its mount, as root-> /etc of the node -holds-> /etc/kubernetes/manifests -the kubelet starts what lies there, privileged where it says so-> root on cp-1"
        ]
    );
    assert_eq!(found.gaps, []);
}

#[test]
fn a_token_that_reaches_kubelets_is_root_of_the_node() {
    let rest = REST
        .replace("cluster_roles: []", "cluster_roles: [{name: agent, rules: [{apiGroups: [''], resources: [nodes/proxy], verbs: [get]}]}, {name: other, rules: [{apiGroups: [''], resources: [nodes/proxy], resourceNames: [w-9], verbs: [get]}]}]")
        .replace("cluster_role_bindings: []", "cluster_role_bindings: [{name: agents, roleKind: ClusterRole, role: agent, subjects: [{kind: ServiceAccount, namespace: shop, name: agent}]}, {name: others, roleKind: ClusterRole, role: other, subjects: [{kind: Group, name: 'system:serviceaccounts'}]}]");
    let found = paths(&format!(
        "{{{rest}, pods: [{{pod: shop/a, account: agent}}, {{pod: shop/b, account: agent}}, {{pod: shop/c, account: default}}, {{pod: x/d, account: agent}}, {{pod: shop/e}}]}}"
    ));
    assert_eq!(
        found.paths.iter().map(told).collect::<Vec<_>>(),
        [
            "SP-KUB-017 critical: pod shop/a -has the token of-> service account shop/agent -may use nodes/proxy by ClusterRoleBinding agents-> the kubelet's API on cp-1 -runs commands in every pod of it-> root on cp-1"
        ]
    );
}

#[test]
fn a_weak_source_and_a_credential_lead_on_from_static_pods() {
    let pod = "manifests: [{file: a.yaml, pod: {metadata: {name: a, namespace: x}, spec: {containers: [{name: c, volumeMounts: [{name: v}, {name: w}]}], volumes: [{name: v, hostPath: {path: /srv/config}}, {name: w, hostPath: {path: /etc/kubernetes/admin.conf}}]}}}]";
    let rest = REST.replace("manifests: []", pod).replace(
        "host_paths: []",
        "host_paths: [{role: host_path, path: /srv/config, mode: '0777'}]",
    );
    let found = paths(&format!("{{{rest}, pods: []}}"));
    assert_eq!(
        found.paths.iter().map(told).collect::<Vec<_>>(),
        [
            "SP-MRG-018 critical: a login of cp-1 that is not root -mode 0777: everyone can put files into it-> /srv/config -is mounted as /srv/config by-> static pod x/a -takes what it finds there, as root-> root on cp-1",
            "SP-MRG-030 critical: whoever breaks into static pod x/a -has /etc/kubernetes/admin.conf, an administrator's kubeconfig-> /etc/kubernetes/admin.conf of the node -is, or makes, an administrator's credential-> cluster-admin",
        ]
    );
}

#[test]
fn edges_hang_together_and_no_more_are_told_than_can_be_read() {
    let pods: Vec<String> = (0..100)
        .map(|n| format!("{{pod: shop/a{n}, mounts: [/]}}"))
        .collect();
    let found = paths(&format!("{{{REST}, pods: [{}]}}", pods.join(", ")));
    assert_eq!((found.paths.len(), found.more), (MOST, 36));
    for path in &found.paths {
        for pair in path.edges.windows(2) {
            assert_eq!(pair[0].to, pair[1].from);
        }
    }
}

#[test]
fn a_path_is_drawn_within_its_width() {
    let found = paths(&format!(
        "{{{REST}, pods: [{{pod: shop/a, mounts: [/etc/kubernetes]}}]}}"
    ));
    let path = found.paths.first().expect("one path");
    let lines = drawn(path, 40, true);
    assert_eq!(
        lines,
        [
            "+------------+",
            "| pod shop/a |",
            "+------------+",
            "   |  writes by its mount, as root",
            "   v",
            "+-----------------------------+",
            "| /etc/kubernetes of the node |",
            "+-----------------------------+",
            "   |  holds",
            "   v",
            "+---------------------------+",
            "| /etc/kubernetes/manifests |",
            "+---------------------------+",
            "   |  the kubelet starts what lies",
            "   |  there, privileged where it says so",
            "   v",
            "+--------------+",
            "| root on cp-1 |",
            "+--------------+",
        ]
    );
    let wide = "ﾊ漢".repeat(60);
    let mut hostile = path.clone();
    hostile.edges[0].from = wide.as_str().into();
    for width in [0, 20, 33, 200] {
        for line in drawn(&hostile, width, false) {
            assert!(line.width() <= usize::from(width).clamp(20, 76), "{line}");
        }
    }
}
