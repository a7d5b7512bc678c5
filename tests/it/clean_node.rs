//! A fresh kubeadm 1.37.2 control plane through every check: what it deserves, and what a planted flaw adds.

use std::fmt::Write as _;

use serde_json::Value;
use stakeout::checks;
use stakeout::checks::check::Check;
use stakeout::checks::example::{self, Example};
use stakeout::model::fact::Gap;
use stakeout::model::verdict::Verdict;

const MANIFESTS: [(&str, &str); 4] = [
    ("etcd", include_str!("../fixtures/kubeadm-1.37/etcd.yaml")),
    (
        "kube-apiserver",
        include_str!("../fixtures/kubeadm-1.37/kube-apiserver.yaml"),
    ),
    (
        "kube-controller-manager",
        include_str!("../fixtures/kubeadm-1.37/kube-controller-manager.yaml"),
    ),
    (
        "kube-scheduler",
        include_str!("../fixtures/kubeadm-1.37/kube-scheduler.yaml"),
    ),
];

/// The node as pieces of the example language, so that a test can plant one flaw.
struct Node {
    manifests: Vec<Value>,
    mirrors: Vec<Value>,
    runtime: Vec<Value>,
    pods: Vec<Value>,
    object: Value,
    namespaces: Value,
    kubelet: Value,
    processes: Vec<Value>,
}

fn clean() -> Node {
    let list: Value = serde_json::from_str(include_str!("../fixtures/kubeadm-1.37/pods.json"))
        .expect("a fixture is JSON");
    let items = list["items"].as_array().expect("a list");
    let hash = |pod: &Value| pod["metadata"]["annotations"]["kubernetes.io/config.hash"].clone();
    let names = |pod: &Value| {
        let word = |key: &str| pod["metadata"][key].as_str().unwrap_or_default().to_owned();
        format!("{}/{}", word("namespace"), word("name"))
    };
    let manifest = |(name, text): &(&str, &str)| {
        let pod: Value = serde_yaml::from_str(text).expect("a fixture is YAML");
        serde_json::json!({"file": format!("{name}.yaml"), "pod": pod})
    };
    let owner = items[0]["metadata"]["ownerReferences"][0]["uid"].clone();
    Node {
        manifests: MANIFESTS.iter().map(manifest).collect(),
        mirrors: items
            .iter()
            .map(|pod| {
                let owner = &pod["metadata"]["ownerReferences"][0];
                let owner = serde_json::json!({"kind": owner["kind"], "name": owner["name"], "uid": owner["uid"], "controller": owner["controller"]});
                serde_json::json!({"pod": pod, "hash": hash(pod), "owners": [owner]})
            })
            .collect(),
        runtime: items
            .iter()
            .map(|pod| serde_json::json!({"uid": hash(pod), "pids": 2, "log": names(pod), "exe": "/pause"}))
            .collect(),
        pods: items
            .iter()
            .map(|pod| serde_json::json!({"pod": names(pod), "uid": pod["metadata"]["uid"], "hash": hash(pod)}))
            .collect(),
        object: serde_json::json!({
            "uid": owner,
            "labels": {"node-role.kubernetes.io/control-plane": ""},
            "taints": ["node-role.kubernetes.io/control-plane:NoSchedule"],
            "addresses": {"InternalIP": "198.51.100.11"},
            "allocatable": {"cpu": "2", "memory": "4Gi"},
        }),
        namespaces: serde_json::json!({"default": {}, "kube-system": {}, "kube-public": {}, "kube-node-lease": {}}),
        kubelet: serde_json::json!({
            "staticPodPath": "/etc/kubernetes/manifests",
            "authentication.x509.clientCAFile": "/etc/kubernetes/pki/ca.crt",
            "rotateCertificates": true,
        }),
        processes: MANIFESTS
            .iter()
            .map(|one| {
                let (name, pod) = (one.0, &manifest(one)["pod"]);
                let comm = name.get(..15).unwrap_or(name);
                let command = &pod["spec"]["containers"][0]["command"];
                serde_json::json!({"of": format!("kube-system/{name}/{name}"), "comm": comm, "command": command})
            })
            .chain([serde_json::json!({"comm": "kubelet", "caps": "all", "seccomp": 0, "label": "unconfined"})])
            .collect(),
    }
}

/// Files beside the manifests, as they lie on a fresh node.
fn files() -> [(&'static str, Value); 6] {
    let list = |files: &[(&str, &str, &str)]| {
        let file = |(role, path, mode): &(&str, &str, &str)| {
            let mut file = serde_json::json!({"role": role, "path": path, "mode": mode});
            if *role == "host_path" && path.contains('.') {
                file["kind"] = "regular".into();
            }
            file
        };
        files.iter().map(file).collect::<Value>()
    };
    let cni = serde_json::json!({"/etc/cni/net.d": {}});
    [
        ("cni", cni),
        (
            "kubelet_files",
            list(&[
                ("kubelet_config", "/var/lib/kubelet/config.yaml", "0644"),
                (
                    "kubelet_config",
                    "/var/lib/kubelet/instance-config.yaml",
                    "0644",
                ),
                ("client_ca", "/etc/kubernetes/pki/ca.crt", "0644"),
                ("kubelet_kubeconfig", "/etc/kubernetes/kubelet.conf", "0600"),
                ("runtime_socket", "/run/containerd/containerd.sock", "0660"),
                ("program", "/usr/bin/kubelet", "0755"),
                ("root_dir", "/var/lib/kubelet", "0700"),
                ("kubelet_pki", "/var/lib/kubelet/pki/kubelet.key", "0600"),
                ("unit", "/usr/lib/systemd/system/kubelet.service", "0644"),
            ]),
        ),
        (
            "pki",
            list(&[
                ("pki_dir", "/etc/kubernetes/pki", "0755"),
                ("certificate", "/etc/kubernetes/pki/ca.crt", "0644"),
                ("private_key", "/etc/kubernetes/pki/ca.key", "0600"),
                ("public_key", "/etc/kubernetes/pki/sa.pub", "0600"),
            ]),
        ),
        (
            "kubeconfigs",
            list(&[
                ("admin_kubeconfig", "/etc/kubernetes/admin.conf", "0600"),
                (
                    "super_admin_kubeconfig",
                    "/etc/kubernetes/super-admin.conf",
                    "0600",
                ),
                (
                    "component_kubeconfig",
                    "/etc/kubernetes/scheduler.conf",
                    "0600",
                ),
            ]),
        ),
        (
            "etcd_files",
            list(&[("etcd_data", "/var/lib/etcd", "0700")]),
        ),
        (
            "host_paths",
            list(&[
                ("host_path", "/etc/kubernetes/pki", "0755"),
                ("host_path", "/etc/kubernetes/pki/etcd", "0755"),
                ("host_path", "/etc/ssl/certs", "0755"),
                ("host_path", "/etc/ca-certificates", "0755"),
                ("host_path", "/usr/share/ca-certificates", "0755"),
                ("host_path", "/usr/local/share/ca-certificates", "0755"),
                ("host_path", "/var/lib/etcd", "0700"),
                ("host_path", "/var/log/kubernetes/audit", "0700"),
                ("host_path", "/etc/kubernetes/audit/policy.yaml", "0600"),
                (
                    "host_path",
                    "/etc/kubernetes/controller-manager.conf",
                    "0600",
                ),
                ("host_path", "/etc/kubernetes/scheduler.conf", "0600"),
            ]),
        ),
    ]
}

/// Of the authorities and of the API server, as kubeadm makes them.
fn certificates() -> Value {
    let path = |name: &str| format!("/etc/kubernetes/pki/{name}");
    serde_json::json!([
        {"path": path("apiserver.crt"), "subject": "kube-apiserver", "names": ["DNS:cp-1", "IP:198.51.100.11"]},
        {"path": path("ca.crt"), "subject": "kubernetes", "ca": true, "spki": "cluster"},
        {"path": path("etcd/ca.crt"), "subject": "etcd-ca", "ca": true, "spki": "etcd"},
    ])
}

impl Node {
    fn example(&self) -> Example {
        let mut whole = serde_json::json!({
            "clock": 100_000,
            "kubelet": self.kubelet,
            "listeners": ["0.0.0.0:10250", "127.0.0.1:10248", "198.51.100.11:6443"],
            "dir": {"mode": "0700"},
            "manifests": self.manifests,
            "accounts": {"users": ["root:0:0"], "groups": ["root:0:"]},
            "runtime": self.runtime,
            "object": self.object,
            "mirrors": self.mirrors,
            "pods": self.pods,
            "namespaces": self.namespaces,
            "count": 2,
            "policy": "none",
            "processes": self.processes,
            "lsm": {
                "apparmor": true, "selinux": "none", "configured": "none", "profiles": {}, "runtime": {},
                "label": "none", "lockdown": "none", "seccomp": [],
                "sysctls": {"kernel.unprivileged_bpf_disabled": "2"},
            },
            "certificates": certificates(),
            "firewall": [{"family": "ip", "table": "filter", "chain": "INPUT", "drops": true, "opaque": false, "ports": []}],
            "services": [{"namespace": "default", "name": "kubernetes", "type": "ClusterIP"},
                {"namespace": "kube-system", "name": "kube-dns", "type": "ClusterIP", "selector": {"k8s-app": "kube-dns"}}],
            "endpoint_slices": [{"namespace": "default", "name": "kubernetes", "service": "kubernetes",
                "addresses": ["198.51.100.11"], "ports": [6443]}],
            "network_policies": [],
            "ingresses": [],
            "http_routes": [], "grpc_routes": [], "tls_routes": [], "tcp_routes": [], "udp_routes": [],
            "validating_policies": [],
            "validating_policy_bindings": [],
            "daemon_sets": [{"namespace": "calico-system", "name": "calico-node", "images": ["docker.io/calico/node:v3.31.2"]},
                {"namespace": "kube-system", "name": "kube-proxy", "images": ["registry.k8s.io/kube-proxy:v1.37.2"]}],
            "cluster_roles": [{"name": "cluster-admin", "bootstrap": true,
                "rules": [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]}],
            "cluster_role_bindings": [{"name": "cluster-admin", "roleKind": "ClusterRole", "role": "cluster-admin",
                "subjects": [{"kind": "Group", "name": "system:masters"}]}],
        });
        for (fact, files) in files() {
            whole[fact] = files;
        }
        for none in [
            "validating_webhooks",
            "custom_resources",
            "persistent_volumes",
        ] {
            whole[none] = serde_json::json!([]);
        }
        example::read(&whole.to_string()).expect("a node is an example")
    }

    /// `id severity subject` of every offence, sorted; a check that cannot tell shows its gap.
    fn findings(&self) -> Vec<String> {
        let example = self.example();
        let mut out = Vec::new();
        for check in checks::all() {
            match example.judge(&check.judge) {
                Ok(Verdict::Fail { offences, gaps }) => {
                    let told = offences.iter().map(|offence| {
                        format!("{} {} {}", check.id, offence.severity, offence.subject)
                    });
                    out.extend(told);
                    out.extend(gaps.iter().map(|gap| format!("{} gap {gap}", check.id)));
                }
                // A check of facts that this node does not describe has tests of its own.
                Err(Gap::NotAsked) => {}
                Err(gap) | Ok(Verdict::Unknown { why: gap }) => {
                    out.push(format!("{} gap {gap}", check.id));
                }
                Ok(_) => {}
            }
        }
        out.sort();
        out
    }

    /// What is found beyond what a clean node deserves.
    fn beyond_clean(&self) -> String {
        let deserved = clean().findings();
        let mut out = String::new();
        for finding in self.findings() {
            if !deserved.contains(&finding) {
                let _ = writeln!(out, "{finding}");
            }
        }
        out
    }
}

/// What kubeadm leaves out of each container of the control plane.
const OF_EACH: [&str; 7] = [
    "SP-IMG-013 info",
    "SP-PRIV-005 medium",
    "SP-PRIV-006 medium",
    "SP-PRIV-007 medium",
    "SP-PRIV-008 medium",
    "SP-PRIV-014 medium",
    "SP-PRIV-018 info",
];

/// kubeadm hardens no container and sets no Pod Security level. Nothing else of these checks is its due.
#[test]
fn a_clean_control_plane_gets_what_it_deserves() {
    let mut deserved = vec![
        "SP-CPL-001 medium --anonymous-auth".to_owned(),
        "SP-CPL-004 low --enable-admission-plugins".to_owned(),
        "SP-CPL-006 low --enable-admission-plugins".to_owned(),
        "SP-CPL-008 low kube-apiserver --profiling".to_owned(),
        "SP-CPL-008 low kube-controller-manager --profiling".to_owned(),
        "SP-CPL-008 low kube-scheduler --profiling".to_owned(),
        "SP-CPL-011 low --service-account-extend-token-expiration".to_owned(),
        "SP-TLS-004 medium --kubelet-certificate-authority".to_owned(),
        "SP-TLS-016 high --encryption-provider-config".to_owned(),
        "SP-FILE-023 medium /etc/kubernetes/super-admin.conf".to_owned(),
        "SP-KUB-023 low podPidsLimit".to_owned(),
        "SP-KUB-025 info protectKernelDefaults".to_owned(),
        "SP-NET-016 low --enable-admission-plugins".to_owned(),
        "SP-PSS-003 info kube-system".to_owned(),
        "SP-PSS-009 info admission of pods".to_owned(),
    ];
    for component in [
        "etcd",
        "kube-apiserver",
        "kube-controller-manager",
        "kube-scheduler",
    ] {
        let of_each = OF_EACH.iter();
        deserved.extend(of_each.map(|row| format!("{row} kube-system/{component}/{component}")));
        // What a control plane cannot do without, and what it could.
        deserved.push(format!("SP-PSS-001 info kube-system/{component}"));
        deserved.push(format!("SP-PSS-002 medium kube-system/{component}"));
    }
    deserved.sort();
    assert_eq!(clean().findings().join("\n"), deserved.join("\n"));
}

/// A pod in which no check finds anything: what a test adds is all that is found.
fn plain(namespace: &str, name: &str) -> serde_json::Value {
    serde_json::json!({
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "hostUsers": false,
            "securityContext": {"runAsNonRoot": true, "seccompProfile": {"type": "RuntimeDefault"}},
            "containers": [{
                "name": name,
                "resources": {"requests": {"cpu": "1m"}, "limits": {"memory": "1Mi"}},
                "securityContext": {
                    "allowPrivilegeEscalation": false,
                    "capabilities": {"drop": ["ALL"]},
                    "readOnlyRootFilesystem": true,
                },
            }],
        },
    })
}

#[test]
fn a_hidden_pod_in_a_missing_namespace_is_found() {
    let mut node = clean();
    node.manifests.push(serde_json::json!({
        "file": "ghost.yaml",
        "pod": plain("nowhere", "ghost"),
    }));
    node.runtime.push(
        serde_json::json!({"uid": "00ff00ff00ff00ff00ff00ff00ff00ff", "log": "nowhere/ghost-cp-1"}),
    );
    assert_eq!(
        node.beyond_clean(),
        "\
SP-MRG-001 critical /etc/kubernetes/manifests/ghost.yaml
SP-MRG-003 critical /etc/kubernetes/manifests/ghost.yaml
SP-MRG-010 critical nowhere/ghost-cp-1
SP-MRG-024 high nowhere/ghost-cp-1
SP-NET-002 medium nowhere
"
    );
}

#[test]
fn a_stale_backup_is_found_and_compared() {
    let mut node = clean();
    let mut backup = node.manifests[0].clone();
    backup["file"] = "etcd.yaml.bak".into();
    backup["pod"]["spec"]["containers"][0]["image"] = "registry.k8s.io/etcd:3.5.0-0".into();
    node.manifests.push(backup);
    let found = node.beyond_clean();
    assert!(
        found.contains("SP-MRG-011 high /etc/kubernetes/manifests/etcd.yaml.bak"),
        "{found}"
    );
    assert!(!found.contains("SP-MRG-007"), "{found}");
}

#[test]
fn an_edited_mirror_is_found_field_by_field() {
    let mut node = clean();
    let container = &mut node.mirrors[1]["pod"]["spec"]["containers"][0];
    container["image"] = "registry.k8s.io/kube-apiserver:v1.0.0".into();
    assert_eq!(
        node.beyond_clean(),
        "SP-MRG-007 high kube-system/kube-apiserver-cp-1\n"
    );
    let check: &Check = checks::find("MRG-007").expect("it is registered");
    let Ok(Verdict::Fail { offences, .. }) = node.example().judge(&check.judge) else {
        panic!("it fails");
    };
    let rows = &offences[0].compare;
    assert_eq!(rows.iter().filter(|row| !row.agrees()).count(), 1);
    assert!(rows.len() > 20 && rows.len() <= 60, "{}", rows.len());
}

#[test]
fn other_plants_are_found() {
    type Plant = fn(&mut Node);
    let plants: [(Plant, &str); 7] = [
        (
            |node| node.object["taints"] = serde_json::json!([]),
            "SP-ISO-001 high cp-1\n",
        ),
        (
            |node| {
                node.manifests.remove(3);
            },
            "SP-MRG-002 high kube-system/kube-scheduler-cp-1\n",
        ),
        (
            |node| node.object["uid"] = "another".into(),
            "SP-MRG-012 high kube-system/etcd-cp-1\nSP-MRG-012 high kube-system/kube-apiserver-cp-1\nSP-MRG-012 high kube-system/kube-controller-manager-cp-1\nSP-MRG-012 high kube-system/kube-scheduler-cp-1\n",
        ),
        (
            |node| node.kubelet["readOnlyPort"] = 10255.into(),
            "SP-KUB-004 high readOnlyPort\n",
        ),
        (
            |node| {
                node.kubelet["layers"] = serde_json::json!([{
                    "kind": "drop_in", "origin": "/etc/kubernetes/kubelet.conf.d/99.conf",
                    "set": {"staticPodPath": "/opt/.pods"},
                }]);
            },
            "SP-KUB-016 high staticPodPath\n",
        ),
        (
            |node| {
                node.kubelet["unit"] = serde_json::json!({"unit": ["--pod-manifest-path"]});
            },
            "SP-KUB-012 medium kubelet.service\n",
        ),
        (
            |node| {
                node.manifests[2] = serde_json::json!({"file": "kube-controller-manager.yaml", "broken": "line 4: mapping values are not allowed"});
            },
            "SP-MRG-002 high kube-system/kube-controller-manager-cp-1\n",
        ),
    ];
    for (plant, wanted) in plants {
        let mut node = clean();
        plant(&mut node);
        let found = node.beyond_clean();
        for line in wanted.lines() {
            assert!(found.contains(line), "want {line}, got {found}");
        }
    }
}
