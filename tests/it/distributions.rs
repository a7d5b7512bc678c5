//! A recorded node of each distribution: where everything lies, and the verdicts that hang on it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use stakeout::checks;
use stakeout::checks::check::{Judge, View};
use stakeout::checks::example::verdict_text;
use stakeout::collect::options::Options;
use stakeout::collect::targets::Targets;
use stakeout::disk;
use stakeout::model::Timestamp;
use stakeout::model::fact::{Fact, Locator, Need};
use stakeout::model::name::NodeName;
use stakeout::model::node::{ApiFacts, HostFacts, NodeFacts, NodeObject};
use stakeout::model::objects::Labels;
use stakeout::model::policy::Policy;
use stakeout::model::snapshot::Snapshot;
use stakeout::model::text::Text;
use stakeout::model::verdict::Verdict;
use stakeout::probes::api::nodes;

#[path = "../distributions/places.rs"]
mod places;

fn fixture(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures/distributions")
        .join(name)
}

fn recorded(name: &str) -> HostFacts {
    let answer = disk::read(&fixture(&format!("{name}.txt")), 1 << 20).expect("recorded");
    places::facts(&answer).expect("a whole answer")
}

/// A node of a distribution as the API server would show it, and its verdicts by id.
struct Judged(BTreeMap<&'static str, Verdict>);

impl Judged {
    /// `version`: the kubelet's, which tells providers; `labels`: keys of the node's labels.
    fn new(name: &str, version: &str, labels: &[&str]) -> Self {
        let node = NodeName::parse("node-1").expect("a name");
        let object = NodeObject {
            uid: Text::new("00000000-0000-4000-8000-000000000001"),
            labels: labels
                .iter()
                .map(|label| (Text::new(label), Text::default()))
                .collect(),
            taints: Vec::new(),
            ready: Some(Text::new("True")),
            addresses: Vec::new(),
            machine_id: Text::default(),
            boot_id: Text::default(),
            kubelet_version: Text::new(version),
            os_image: Text::default(),
            resource_version: Text::default(),
            allocatable: Labels::default(),
            provider_id: Text::default(),
        };
        let facts = NodeFacts {
            name: node.clone(),
            host: Arc::new(recorded(name)),
            api: Arc::new(ApiFacts {
                object: Fact::seen(object, Locator::new(Need::NodeObject, 0)),
                mirrors: Fact::seen(Vec::new(), Locator::list(Need::MirrorPods)),
                pods: Fact::seen(Vec::new(), Locator::list(Need::MirrorPods)),
                ..ApiFacts::default()
            }),
        };
        let mut snapshot = Snapshot::empty(Timestamp::UNIX_EPOCH);
        snapshot.nodes.insert(node.clone(), Arc::new(facts));
        let policy = Policy::default();
        let view = View::new(&snapshot, &policy, snapshot.taken);
        let facts = &snapshot.nodes[&node];
        let all = checks::all().filter_map(|check| {
            let Judge::Node(judge) = &check.judge else {
                return None;
            };
            let verdict = judge(facts, &view).unwrap_or_else(|why| Verdict::Unknown { why });
            Some((check.id.0, verdict))
        });
        Self(all.collect())
    }

    fn says(&self, id: &str) -> String {
        verdict_text(&Ok(self.0[id].clone()))
    }

    /// What is not applicable says why and shows what it rests on.
    fn evidence_of_all_that_does_not_apply(&self) {
        for (id, verdict) in &self.0 {
            if let Verdict::NotApplicable { why, evidence, .. } = verdict {
                assert!(!why.is_empty() && !evidence.is_empty(), "{id} {why}");
            }
        }
    }
}

/// The lines of a node that begin with one of these words.
fn lines(name: &str, words: &[&str]) -> Vec<String> {
    let all = places::places(&recorded(name)).into_iter();
    all.filter(|line| words.iter().any(|word| line.starts_with(word)))
        .collect()
}

fn has(name: &str, wanted: &[&str]) {
    let all = places::places(&recorded(name));
    for line in wanted {
        let found = all.iter().any(|found| found == line);
        assert!(found, "{name} lacks {line}\n{}", all.join("\n"));
    }
}

const CONFIGURATION: [&str; 4] = ["layer File", "layer DropIn", "staticPod", "folder"];

/// Distribution, where its kubelet's configuration and its static pods come from, and whose port is closed.
#[test]
fn configuration_and_static_pods() {
    const IN_MANIFESTS: &str = "staticPodPath \"/etc/kubernetes/manifests\" File";
    let rows: [(&str, [&str; 4]); 14] = [
        (
            "aks",
            [
                "-",
                "staticPodPath \"/etc/kubernetes/manifests\" Flag",
                "staticPodURL -",
                "folder /etc/kubernetes/manifests 0755 0:0",
            ],
        ),
        (
            "bottlerocket",
            [
                "layer File /etc/kubernetes/kubelet/config",
                "staticPodPath \"/etc/kubernetes/static-pods/\" File",
                "staticPodURL -",
                "folder /etc/kubernetes/static-pods 0755 0:0",
            ],
        ),
        (
            "eks",
            [
                "layer File /etc/kubernetes/kubelet/config.json|layer DropIn /etc/kubernetes/kubelet/config.json.d/40-nodeadm.conf",
                "staticPodPath -",
                "staticPodURL -",
                "folder none",
            ],
        ),
        (
            "gke",
            [
                "layer File /home/kubernetes/kubelet-config.yaml",
                IN_MANIFESTS,
                "staticPodURL -",
                "folder /etc/kubernetes/manifests 0755 0:0",
            ],
        ),
        (
            "k0s",
            [
                "layer File /run/k0s/kubelet/config.yaml",
                "staticPodPath -",
                "staticPodURL \"http://127.0.0.1:33841/manifests\" File",
                "folder none",
            ],
        ),
        (
            "k3s",
            [
                "layer DropIn /var/lib/rancher/k3s/agent/etc/kubelet.conf.d/00-k3s-defaults.conf",
                "staticPodPath \"/var/lib/rancher/k3s/agent/pod-manifests\" DropIn",
                "staticPodURL -",
                "folder /var/lib/rancher/k3s/agent/pod-manifests 0700 0:0",
            ],
        ),
        (
            "kind",
            [
                "layer File /var/lib/kubelet/config.yaml",
                IN_MANIFESTS,
                "staticPodURL -",
                "folder /etc/kubernetes/manifests 0755 0:0",
            ],
        ),
        (
            "kops",
            [
                "layer File /var/lib/kubelet/kubelet.conf",
                IN_MANIFESTS,
                "staticPodURL -",
                "folder /etc/kubernetes/manifests 0755 0:0",
            ],
        ),
        (
            "kubeadm",
            [
                "layer File /var/lib/kubelet/config.yaml",
                IN_MANIFESTS,
                "staticPodURL -",
                "folder /etc/kubernetes/manifests 0700 0:0",
            ],
        ),
        (
            "kubespray",
            [
                "layer File /etc/kubernetes/kubelet-config.yaml",
                IN_MANIFESTS,
                "staticPodURL -",
                "folder /etc/kubernetes/manifests 0755 992:0",
            ],
        ),
        (
            "microk8s",
            ["-", "staticPodPath -", "staticPodURL -", "folder none"],
        ),
        (
            "minikube",
            [
                "layer File /var/lib/kubelet/config.yaml",
                IN_MANIFESTS,
                "staticPodURL -",
                "folder /etc/kubernetes/manifests 0755 0:0",
            ],
        ),
        (
            "openshift",
            [
                "layer File /etc/kubernetes/kubelet.conf",
                IN_MANIFESTS,
                "staticPodURL -",
                "folder /etc/kubernetes/manifests 0755 0:0",
            ],
        ),
        (
            "rke2",
            [
                "layer DropIn /var/lib/rancher/rke2/agent/etc/kubelet.conf.d/00-rke2-defaults.conf",
                "staticPodPath \"/var/lib/rancher/rke2/agent/pod-manifests\" DropIn",
                "staticPodURL -",
                "folder /var/lib/rancher/rke2/agent/pod-manifests 0700 0:0",
            ],
        ),
    ];
    let names: Vec<&str> = rows.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, places::ALL);
    for (name, [layers, path, url, folder]) in rows {
        let mut want: Vec<&str> = layers.split('|').filter(|layer| *layer != "-").collect();
        want.extend([path, url, folder]);
        assert_eq!(lines(name, &CONFIGURATION), want, "{name}");
        let gaps: Vec<String> = lines(
            name,
            &[
                "kubelet",
                "pki",
                "kubeconfigs",
                "etcd",
                "backups",
                "api server",
            ],
        );
        let gaps: Vec<&String> = gaps.iter().filter(|line| line.contains(" gap ")).collect();
        assert!(gaps.is_empty(), "{name}: {gaps:?}");
    }
}

/// Credentials, authorities and data, where each distribution has them.
#[test]
fn credentials_authorities_and_data() {
    has(
        "aks",
        &[
            "kubeconfigs KubeletKubeconfig /var/lib/kubelet/kubeconfig 0600 0:0",
            "kubelet Environment /etc/default/kubelet 0600 0:0",
            "pki PkiDir /etc/kubernetes/certs 0755 0:0",
        ],
    );
    has(
        "bottlerocket",
        &[
            "kubeconfigs KubeletKubeconfig /etc/kubernetes/kubelet/kubeconfig 0600 0:0",
            "kubelet UnitDropIn /etc/systemd/system/kubelet.service.d/exec-start.conf 0644 0:0",
            "pki PkiDir /etc/kubernetes/pki 0755 0:0",
        ],
    );
    has(
        "eks",
        &[
            "kubeconfigs KubeletKubeconfig /var/lib/kubelet/kubeconfig 0644 0:0",
            "kubelet KubeletConfigDir /etc/kubernetes/kubelet/config.json.d 0755 0:0",
            "pki Certificate /etc/kubernetes/pki/ca.crt 0644 0:0",
        ],
    );
    has(
        "gke",
        &[
            "kubeconfigs KubeletKubeconfig /var/lib/kubelet/kubeconfig 0600 0:0",
            "kubeconfigs BootstrapKubeconfig /var/lib/kubelet/bootstrap-kubeconfig 0600 0:0",
            "kubeconfigs ComponentKubeconfig /var/lib/kube-proxy/kubeconfig 0600 0:0",
            "pki PkiDir /etc/srv/kubernetes/pki 0755 0:0",
        ],
    );
    has(
        "k0s",
        &[
            "kubeconfigs KubeletKubeconfig /var/lib/k0s/kubelet.conf 0600 0:0",
            "kubeconfigs AdminKubeconfig /var/lib/k0s/pki/admin.conf 0600 0:0",
            "kubelet RootDir /var/lib/k0s/kubelet 0755 0:0",
            "pki PkiDir /var/lib/k0s/pki 0751 0:0",
            "etcd EtcdData /var/lib/k0s/etcd 0700 301:0",
        ],
    );
    has(
        "k3s",
        &[
            "kubeconfigs KubeletKubeconfig /var/lib/rancher/k3s/agent/kubelet.kubeconfig 0600 0:0",
            "kubeconfigs AdminKubeconfig /etc/rancher/k3s/k3s.yaml 0600 0:0",
            "kubelet Environment /etc/default/k3s Absent",
            "pki PkiDir /var/lib/rancher/k3s/server/tls 0755 0:0",
            "etcd EtcdData /var/lib/rancher/k3s/server/db/etcd 0700 0:0",
            "backups SnapshotDir /var/lib/rancher/k3s/server/db/snapshots 0700 0:0",
        ],
    );
    has(
        "kops",
        &[
            "kubeconfigs KubeletKubeconfig /var/lib/kubelet/kubeconfig 0400 0:0",
            "kubeconfigs AdminKubeconfig /var/lib/kubectl/kubeconfig 0400 0:0",
            "kubeconfigs ComponentKubeconfig /var/lib/kube-scheduler/kubeconfig 0400 0:0",
            "pki PkiDir /srv/kubernetes 0755 0:0",
            "pki PkiDir /mnt/master-vol-0123456789abcdef0/pki/abcdefghijklmnopqrstuv/clients 0755 0:0",
            "etcd EtcdData /mnt/master-vol-0123456789abcdef0/data/abcdefghijklmnopqrstuv 0700 0:0",
        ],
    );
    has(
        "kubeadm",
        &[
            "kubeconfigs KubeletKubeconfig /etc/kubernetes/kubelet.conf 0600 0:0",
            "kubelet KubeletConfig /var/lib/kubelet/instance-config.yaml 0644 0:0",
            "kubelet Environment /var/lib/kubelet/kubeadm-flags.env 0644 0:0",
            "pki PkiDir /etc/kubernetes/pki 0755 0:0",
            "etcd EtcdData /var/lib/etcd 0700 0:0",
        ],
    );
    has(
        "kubespray",
        &[
            "kubeconfigs KubeletKubeconfig /etc/kubernetes/kubelet.conf 0600 0:0",
            "kubelet Environment /etc/kubernetes/kubelet.env 0600 0:0",
            "pki PkiDir /etc/kubernetes/ssl 0755 992:994",
            "pki PkiDir /etc/ssl/etcd/ssl 0755 0:0",
            "etcd EtcdData /var/lib/etcd 0700 993:0",
        ],
    );
    has(
        "microk8s",
        &[
            "kubeconfigs KubeletKubeconfig /var/snap/microk8s/current/credentials/kubelet.config 0660 0:1001",
            "kubelet RootDir /var/snap/microk8s/common/var/lib/kubelet 0755 0:0",
            "kubelet RuntimeSocket /var/snap/microk8s/common/run/containerd.sock 0660 0:1001",
            "pki PkiDir /var/snap/microk8s/current/certs 0755 0:0",
            "etcd EtcdData /var/snap/microk8s/current/var/kubernetes/backend 0770 0:1001",
        ],
    );
    has(
        "minikube",
        &[
            "pki PkiDir /var/lib/minikube/certs 0755 0:0",
            "etcd EtcdData /var/lib/minikube/etcd 0700 0:0",
        ],
    );
    has(
        "openshift",
        &[
            "kubeconfigs KubeletKubeconfig /var/lib/kubelet/kubeconfig 0600 0:0",
            "kubelet KubeletConfig /etc/kubernetes/kubelet.conf 0644 0:0",
            "kubeconfigs AdminKubeconfig /etc/kubernetes/static-pod-resources/kube-apiserver-certs/secrets/node-kubeconfigs/localhost.kubeconfig 0600 0:0",
            "backups Snapshot /home/core/assets/backup/snapshot_2026-11-24_120000.db 0600 0:0",
            "etcd EtcdData /var/lib/etcd 0700 0:0",
        ],
    );
    has(
        "rke2",
        &[
            "kubeconfigs KubeletKubeconfig /var/lib/rancher/rke2/agent/kubelet.kubeconfig 0600 0:0",
            "pki PkiDir /var/lib/rancher/rke2/server/tls 0755 0:0",
            "api server EncryptionConfig /var/lib/rancher/rke2/server/cred/encryption-config.json 0600 0:0",
            "etcd EtcdData /var/lib/rancher/rke2/server/db/etcd 0700 0:0",
            "backups Snapshot /var/lib/rancher/rke2/server/db/snapshots/etcd-snapshot-rke2-1-1764000000 0600 0:0",
        ],
    );
    // It is the kubelet's configuration there.
    let kubeconfigs = lines("openshift", &["kubeconfigs", "kubelet KubeletKubeconfig"]);
    assert!(
        kubeconfigs
            .iter()
            .all(|line| !line.contains(" /etc/kubernetes/kubelet.conf "))
    );
}

/// k3s takes its arguments off its command line: its unit and its own file tell the kubelet's share of them, and
/// nothing else.
#[test]
fn flags_of_a_kubelet_inside_another_program() {
    assert_eq!(
        lines("k3s", &["process", "layer Flag"]),
        [
            "process /usr/local/bin/k3s server",
            "layer Flag --max-pods",
            "layer Flag --event-qps",
            "layer Flag --pod-max-pids"
        ]
    );
    let whole = serde_json::to_string(&recorded("k3s")).expect("JSON");
    assert!(!whole.contains("K10secret"));
    let flags = lines("microk8s", &["layer Flag", "authorization"]);
    assert!(
        flags.contains(&"authorization.mode \"Webhook\" Flag".to_owned()),
        "{flags:?}"
    );
}

#[test]
fn verdicts_know_what_a_distribution_does_by_design() {
    let rke2 = Judged::new(
        "rke2",
        "v1.34.1+rke2r1",
        &["node-role.kubernetes.io/control-plane"],
    );
    let says = rke2.says("SP-MRG-013");
    assert!(
        says.starts_with("PASS: kube-system/etcd has the uid that RKE2 gives"),
        "{says}"
    );
    assert_eq!(rke2.says("SP-KUB-004"), "PASS");
    let k3s = Judged::new(
        "k3s",
        "v1.34.1+k3s1",
        &["node-role.kubernetes.io/control-plane"],
    );
    assert_eq!(k3s.says("SP-KUB-004"), "PASS");
    let eks = Judged::new(
        "eks",
        "v1.33.5-eks-113cf36",
        &["eks.amazonaws.com/nodegroup"],
    );
    let says = eks.says("SP-KUB-010");
    assert!(says.starts_with("PASS: readable beyond root, which CIS forbids and which tells no secret: config.json (0644 0:0)"), "{says}");
    assert_eq!(
        eks.says("SP-KUB-009"),
        "FAIL low: mode 0644: everyone can read it"
    );
    let k0s = Judged::new(
        "k0s",
        "v1.34.1+k0s",
        &["node-role.kubernetes.io/control-plane"],
    );
    assert_eq!(
        k0s.says("SP-KUB-014"),
        "PASS: k0s serves its own static pods on 127.0.0.1"
    );
    assert_eq!(k0s.says("SP-FILE-025"), "PASS");
    assert_eq!(
        ["SP-FILE-020", "SP-FILE-021", "SP-FILE-024"].map(|id| k0s.says(id)),
        [
            // No scheduler runs on the recorded node.
            "FAIL high: it belongs to kube-scheduler:root (303:0), not to root:root",
            "FAIL high: mode 0600: user kube-scheduler (303) can change it",
            "FAIL high: mode 0600: user kube-scheduler (303) can change it; mode 0600: user kube-scheduler (303) can read it",
        ],
    );
    let keys = k0s.says("SP-FILE-022");
    let keys = keys.strip_prefix("FAIL ").expect("a finding");
    for key in keys.split("; ") {
        assert!(key.starts_with("low: mode 0640, owner "), "{key}");
    }
    let openshift = Judged::new("openshift", "v1.33.5", &["node-role.kubernetes.io/master"]);
    assert_eq!(openshift.says("SP-KUB-009"), "PASS");
    assert_eq!(
        openshift.says("SP-FILE-024"),
        "FAIL low: mode 0644: everyone can read it"
    );
    let gke = Judged::new("gke", "v1.33.4-gke.1172000", &[]);
    let says = gke.says("SP-KUB-004");
    assert_eq!(
        says,
        "FAIL high: read-only port 10255 is on, set in /home/kubernetes/kubelet-config.yaml"
    );
    // What kubeadm and its like have in common.
    for name in ["kubeadm", "kind", "minikube"] {
        let judged = Judged::new(name, "v1.34.1", &["node-role.kubernetes.io/control-plane"]);
        for id in [
            "SP-KUB-001",
            "SP-KUB-002",
            "SP-KUB-009",
            "SP-FILE-022",
            "SP-FILE-024",
            "SP-FILE-025",
        ] {
            let says = judged.says(id);
            assert!(says.starts_with("PASS"), "{name} {id} {says}");
        }
    }
}

#[test]
fn a_control_plane_elsewhere_is_no_finding_and_has_its_evidence() {
    let rows = [
        (
            "eks",
            "v1.33.5-eks-113cf36",
            "",
            "Amazon EKS runs the control plane on machines of its own",
        ),
        (
            "gke",
            "v1.33.4-gke.1172000",
            "",
            "Google GKE runs the control plane on machines of its own",
        ),
        (
            "aks",
            "v1.33.3",
            "kubernetes.azure.com/cluster",
            "Azure AKS runs the control plane on machines of its own",
        ),
        (
            "bottlerocket",
            "v1.33.4-eks-e386d34",
            "",
            "Amazon EKS runs the control plane on machines of its own",
        ),
    ];
    for (name, version, label, words) in rows {
        let judged = Judged::new(name, version, &[label]);
        judged.evidence_of_all_that_does_not_apply();
        for (id, why) in [
            ("SP-FILE-025", "etcd keeps no data on the node: "),
            (
                "SP-NET-016",
                "no manifest of the node starts an API server: ",
            ),
        ] {
            assert_eq!(judged.says(id), format!("N/A: {why}{words}"), "{name}");
        }
        for id in ["SP-FILE-023", "SP-ISO-001"] {
            let says = judged.says(id);
            assert!(says.starts_with("N/A: "), "{name} {id} {says}");
        }
    }
    for (name, words) in [
        (
            "k0s",
            "kube-apiserver runs as a process of the node, not as a static pod",
        ),
        (
            "k3s",
            "k3s runs as a process of the node, not as a static pod",
        ),
        (
            "microk8s",
            "kubelite of MicroK8s runs as a process of the node, not as a static pod",
        ),
    ] {
        let judged = Judged::new(name, "v1.34.1", &[]);
        judged.evidence_of_all_that_does_not_apply();
        let want = format!("N/A: no manifest of the node starts an API server: {words}");
        assert_eq!(judged.says("SP-NET-016"), want, "{name}");
    }
}

/// Talos and Bottlerocket have no shell of the host: they are known before anybody knocks.
#[test]
fn systems_without_a_shell_are_what_the_api_server_shows() {
    let path = fixture("without-a-shell.json");
    let body = disk::read(&path, 1 << 20).expect("recorded");
    let page = nodes::page(&body).expect("a list of nodes");
    let targets = Targets::new(Arc::new(Options::default()));
    assert_eq!(page.items.len(), 2);
    for (name, object) in page.items {
        let gap = targets.closed(&name, Some(&object)).expect("no ssh");
        assert!(gap.to_string().contains("(no-ssh-os)"), "{gap}");
        let next = gap.next_step();
        assert!(next.as_str().contains("api_only"), "{next}");
    }
}
