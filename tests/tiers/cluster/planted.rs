//! The flaws: how each is made and unmade by hand, and what it has to be found as.

mod hidden;
mod settings;

use std::sync::OnceLock;

use stakeout::model::fact::Side;

use super::wave::Outcomes;
use Side::{Api, Node};

/// Flaws that are there at the same time.
pub struct Wave {
    /// The group of its trials.
    pub name: &'static str,
    pub flaws: &'static [Flaw],
    /// Pods that are put into the folder for one flaw each. What other checks of pods say of them is held by the
    /// examples of those checks, and not by the wave.
    pub pods: &'static [&'static str],
    /// Findings of a clean cluster that these flaws take away, as check and node.
    pub shadowed: &'static [(&'static str, &'static str)],
    /// What came of it, once it was.
    pub outcome: OnceLock<Result<Outcomes, String>>,
}

impl Wave {
    const fn new(
        name: &'static str,
        flaws: &'static [Flaw],
        pods: &'static [&'static str],
    ) -> Self {
        Self {
            name,
            flaws,
            pods,
            shadowed: &[],
            outcome: OnceLock::new(),
        }
    }

    const fn shadowing(mut self, rows: &'static [(&'static str, &'static str)]) -> Self {
        self.shadowed = rows;
        self
    }
}

/// What is known of a kubelet only while it runs.
const STOPPED: &[(&str, &str)] = &[
    ("SP-KUB-021", "cp-1"),
    ("SP-KUB-023", "cp-1"),
    ("SP-KUB-025", "cp-1"),
];

/// And the webhook is a policy engine of a kind.
const HIDING: &[(&str, &str)] = &[
    ("SP-KUB-021", "cp-1"),
    ("SP-KUB-023", "cp-1"),
    ("SP-KUB-025", "cp-1"),
    ("SP-PSS-009", ""),
];

pub static WAVES: [Wave; 4] = [
    Wave::new("flaw", FLAWS, PODS).shadowing(STOPPED),
    Wave::new("flaw_merge", hidden::FLAWS, hidden::PODS).shadowing(HIDING),
    Wave::new("flaw_moved", settings::MOVED, &[]),
    Wave::new("flaw_bare", settings::BARE, &[]),
];

/// Where a script runs.
#[derive(Clone, Copy)]
pub enum Place {
    Jump,
    Node(&'static str),
}

pub struct Flaw {
    pub name: &'static str,
    pub place: Place,
    pub plant: &'static str,
    pub undo: &'static str,
    /// None for what only prepares the ground of the next ones.
    pub claims: &'static [Claim],
    /// Further findings that the same flaw deserves, as check and node; they may be there or not.
    pub also: &'static [(&'static str, &'static str)],
}

/// A finding that a flaw must bring.
pub struct Claim {
    pub check: &'static str,
    /// Empty for a finding of the whole cluster.
    pub node: &'static str,
    pub subject: &'static str,
    pub severity: &'static str,
    /// The sides that its evidence has to come from.
    pub sides: &'static [Side],
    /// What its message has to say.
    pub words: &'static str,
    /// Seconds that the check itself gives the kubelet before it speaks, where that is more than a minute.
    pub grace: u64,
}

const fn claim(
    check: &'static str,
    node: &'static str,
    subject: &'static str,
    severity: &'static str,
    proof: (&'static [Side], &'static str),
) -> Claim {
    Claim {
        check,
        node,
        subject,
        severity,
        sides: proof.0,
        words: proof.1,
        grace: 0,
    }
}

impl Claim {
    const fn after(self, grace: u64) -> Self {
        Self { grace, ..self }
    }
}

const PODS: &[&str] = &["nowhere/ghost", "kube-system/bare", "kube-system/meek"];

/// Planted in this order and unmade in the reverse one, all at once: none stands in the way of another.
/// The kubelet of w-1 lives; that of cp-1 is stopped while the forged mirror is there.
const FLAWS: &[Flaw] = &[
    Flaw {
        name: "static_pod_url",
        place: Place::Node("w-1"),
        plant: r#"
            cp -a /var/lib/kubelet/kubeadm-flags.env /root/flags.kept
            mkdir -m 0700 /etc/kubernetes/kubelet.conf.d
            printf '%s\n' 'apiVersion: kubelet.config.k8s.io/v1beta1' 'kind: KubeletConfiguration' \
                'staticPodURL: http://198.51.100.1:9/pods' >/etc/kubernetes/kubelet.conf.d/10-url.conf
            echo 'KUBELET_KUBEADM_ARGS="--config-dir=/etc/kubernetes/kubelet.conf.d"' \
                >/var/lib/kubelet/kubeadm-flags.env
            old=$(cat /run/keep/kubelet.pid)
            kill "$old"
            until new=$(cat /run/keep/kubelet.pid) && [ "$new" != "$old" ] &&
                busybox wget -q -O /dev/null http://127.0.0.1:10248/healthz; do sleep 0.1; done"#,
        undo: r#"
            mv /root/flags.kept /var/lib/kubelet/kubeadm-flags.env
            rm -r /etc/kubernetes/kubelet.conf.d
            kill "$(cat /run/keep/kubelet.pid)""#,
        claims: &[claim(
            "SP-KUB-014",
            "w-1",
            "staticPodURL",
            "critical",
            (
                &[Node],
                "http://198.51.100.1 without encryption, set in /etc/kubernetes/kubelet.conf.d/10-url.conf",
            ),
        )],
        also: &[],
    },
    Flaw {
        name: "open_kubelet",
        place: Place::Node("w-1"),
        plant: r"
            cp -a /var/lib/kubelet/config.yaml /root/config.kept
            sed -i -e '/^  anonymous:/,/enabled:/s/enabled: false/enabled: yes/' \
                -e '$a readOnlyPort: 10255' /var/lib/kubelet/config.yaml",
        undo: "mv /root/config.kept /var/lib/kubelet/config.yaml",
        claims: &[
            claim(
                "SP-KUB-001",
                "w-1",
                "authentication.anonymous.enabled",
                "critical",
                (&[Node], "/var/lib/kubelet/config.yaml"),
            ),
            claim(
                "SP-KUB-004",
                "w-1",
                "readOnlyPort",
                "high",
                (
                    &[Node],
                    "read-only port 10255 is on, set in /var/lib/kubelet/config.yaml",
                ),
            ),
        ],
        also: &[],
    },
    Flaw {
        name: "hidden_pod",
        place: Place::Node("w-1"),
        plant: r#"
            place ghost.yaml <<END
apiVersion: v1
kind: Pod
metadata: {name: ghost, namespace: nowhere}
spec:
  terminationGracePeriodSeconds: 1
  containers:
  - {name: c, image: "$IMAGE", command: [sleep, "3600"], securityContext: {readOnlyRootFilesystem: true, seccompProfile: {type: RuntimeDefault}}}
END
            "#,
        undo: "displace ghost.yaml",
        claims: &[
            claim(
                "SP-MRG-003",
                "w-1",
                "/etc/kubernetes/manifests/ghost.yaml",
                "critical",
                (
                    &[Api, Node],
                    "namespace nowhere of pod ghost does not exist",
                ),
            ),
            claim(
                "SP-MRG-001",
                "w-1",
                "/etc/kubernetes/manifests/ghost.yaml",
                "critical",
                (&[Api, Node], "nowhere/ghost-w-1 runs without a mirror pod"),
            ),
            claim(
                "SP-MRG-010",
                "w-1",
                "nowhere/ghost-w-1",
                "critical",
                (&[Api, Node], "from /etc/kubernetes/manifests/ghost.yaml"),
            )
            .after(60),
        ],
        also: &[("SP-PSS-003", "w-1"), ("SP-MRG-024", "w-1")],
    },
    Flaw {
        name: "privileged_pod",
        place: Place::Node("w-1"),
        plant: r#"
            place bare.yaml <<END
apiVersion: v1
kind: Pod
metadata: {name: bare, namespace: kube-system}
spec:
  terminationGracePeriodSeconds: 1
  containers:
  - {name: c, image: "$IMAGE", command: [sleep, "3600"], securityContext: {readOnlyRootFilesystem: true, privileged: yes}}
END
            "#,
        undo: "displace bare.yaml",
        claims: &[claim(
            "SP-PRIV-001",
            "w-1",
            "kube-system/bare/c",
            "critical",
            (&[Node], "container c of kube-system/bare is privileged"),
        )],
        also: &[("SP-LSM-009", "w-1")],
    },
    Flaw {
        name: "broken_manifest",
        place: Place::Node("w-1"),
        plant: r"printf 'apiVersion: v1\nkind: Pod\nmetadata: {name: broken\n' | place broken.yaml",
        undo: "displace broken.yaml",
        claims: &[claim(
            "SP-FILE-012",
            "w-1",
            "/etc/kubernetes/manifests/broken.yaml",
            "high",
            (&[Node], "did not find expected ',' or '}'"),
        )],
        also: &[],
    },
    Flaw {
        name: "owned_folder",
        place: Place::Node("w-1"),
        plant: "chown audit /etc/kubernetes/manifests",
        undo: "chown root /etc/kubernetes/manifests",
        claims: &[claim(
            "SP-FILE-003",
            "w-1",
            "/etc/kubernetes/manifests",
            "high",
            (
                &[Node],
                "it belongs to audit:root (1901:0), not to root:root",
            ),
        )],
        also: &[
            ("SP-FILE-001", "w-1"),
            ("SP-FILE-004", "w-1"),
            ("SP-FILE-002", "w-1"),
        ],
    },
    Flaw {
        name: "writable_ancestor",
        place: Place::Node("w-1"),
        plant: "chmod 0777 /etc/kubernetes",
        undo: "chmod 0755 /etc/kubernetes",
        claims: &[claim(
            "SP-FILE-006",
            "w-1",
            "/etc/kubernetes",
            "critical",
            (&[Node], "everyone can replace manifests in it"),
        )],
        also: &[
            ("SP-FILE-001", "w-1"),
            ("SP-FILE-004", "w-1"),
            ("SP-FILE-021", "w-1"),
            ("SP-KUB-003", "w-1"),
            ("SP-KUB-009", "w-1"),
            ("SP-KUB-010", "w-1"),
        ],
    },
    Flaw {
        name: "forged_mirror",
        place: Place::Jump,
        plant: r#"
            "$CLUSTER" stop cp-1 kubelet
            kubectl create -f - >/dev/null <<END
apiVersion: v1
kind: Pod
metadata:
  name: forged-cp-1
  namespace: kube-system
  annotations:
    kubernetes.io/config.mirror: 0123456789abcdef0123456789abcdef
    kubernetes.io/config.hash: 0123456789abcdef0123456789abcdef
    kubernetes.io/config.source: file
spec:
  nodeName: cp-1
  containers:
  - {name: c, image: example.org/forged:1}
END
            "#,
        // A live kubelet deletes it by itself.
        undo: r#""$CLUSTER" start cp-1 kubelet"#,
        claims: &[
            claim(
                "SP-MRG-012",
                "cp-1",
                "kube-system/forged-cp-1",
                "high",
                (&[Api], "kube-system/forged-cp-1 has no owner"),
            ),
            claim(
                "SP-MRG-002",
                "cp-1",
                "kube-system/forged-cp-1",
                "high",
                (
                    &[Api, Node],
                    "kube-system/forged-cp-1 has no manifest on the node",
                ),
            )
            .after(60),
        ],
        also: &[
            ("SP-NET-004", "cp-1"),
            ("SP-NET-006", "cp-1"),
            ("SP-MRG-027", "cp-1"),
        ],
    },
    Flaw {
        name: "edited_modes",
        place: Place::Node("cp-1"),
        plant: r"
            cd /etc/kubernetes/manifests
            chmod 0755 .
            chmod 0666 kube-scheduler.yaml
            chmod 0644 kube-controller-manager.yaml",
        undo: r"
            cd /etc/kubernetes/manifests
            chmod 0600 kube-scheduler.yaml kube-controller-manager.yaml
            chmod 0700 .",
        claims: &[
            claim(
                "SP-FILE-004",
                "cp-1",
                "/etc/kubernetes/manifests/kube-scheduler.yaml",
                "high",
                (&[Node], "mode 0666: everyone can change it"),
            ),
            claim(
                "SP-FILE-004",
                "cp-1",
                "/etc/kubernetes/manifests/kube-controller-manager.yaml",
                "low",
                (&[Node], "mode 0644: everyone can read it"),
            ),
        ],
        also: &[("SP-FILE-002", "cp-1")],
    },
    Flaw {
        name: "owned_manifest",
        place: Place::Node("cp-1"),
        plant: "chown audit /etc/kubernetes/manifests/etcd.yaml",
        undo: "chown root /etc/kubernetes/manifests/etcd.yaml",
        claims: &[claim(
            "SP-FILE-005",
            "cp-1",
            "/etc/kubernetes/manifests/etcd.yaml",
            "high",
            (
                &[Node],
                "it belongs to audit:root (1901:0), not to root:root",
            ),
        )],
        also: &[("SP-FILE-004", "cp-1")],
    },
    Flaw {
        name: "access_list",
        place: Place::Node("cp-1"),
        plant: "setfacl -m u:ops:rw /etc/kubernetes/manifests/kube-apiserver.yaml",
        undo: r"
            setfacl -b /etc/kubernetes/manifests/kube-apiserver.yaml
            chmod 0600 /etc/kubernetes/manifests/kube-apiserver.yaml",
        claims: &[claim(
            "SP-FILE-004",
            "cp-1",
            "/etc/kubernetes/manifests/kube-apiserver.yaml",
            "high",
            (&[Node], "user ops (1902) can change it"),
        )],
        also: &[("SP-FILE-008", "cp-1")],
    },
    Flaw {
        name: "removed_taint",
        place: Place::Jump,
        plant: "kubectl taint node cp-1 node-role.kubernetes.io/control-plane:NoSchedule-",
        undo: "kubectl taint node cp-1 node-role.kubernetes.io/control-plane:NoSchedule",
        claims: &[claim(
            "SP-ISO-001",
            "cp-1",
            "cp-1",
            "high",
            (&[Api], "no taint keeps ordinary pods away"),
        )],
        also: &[],
    },
    // A process of the node's root that hides among those of a container: what no manifest and no API shows.
    Flaw {
        name: "more_than_declared",
        place: Place::Node("w-1"),
        plant: r#"
            place meek.yaml <<END
apiVersion: v1
kind: Pod
metadata: {name: meek, namespace: kube-system}
spec:
  terminationGracePeriodSeconds: 1
  securityContext: {runAsUser: 1000, runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}}
  containers:
  - name: c
    image: "$IMAGE"
    command: [sleep, "3600"]
    securityContext:
      {allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: {drop: [ALL]}}
END
            log='s/^meek-w-1_kube-system_c-\(.*\)\.log$/\1/p'
            until id=$(ls /var/log/containers | sed -n "$log") && [ -n "$id" ] &&
                pid=$(grep -ls "pids:.*$id" /proc/[0-9]*/cgroup | head -n 1) && [ -n "$pid" ]; do sleep 0.1; done
            group=$(sed -n 's/^[0-9]*:pids://p' "$pid")
            setsid sleep 1000 </dev/null >/dev/null 2>&1 &
            echo "$!" >"/sys/fs/cgroup/pids$group/cgroup.procs"
            echo "$!" >/root/guest.pid"#,
        undo: r#"
            kill "$(cat /root/guest.pid)"
            rm /root/guest.pid
            displace meek.yaml"#,
        claims: &[claim(
            "SP-MRG-023",
            "w-1",
            "kube-system/meek/c",
            "high",
            (
                &[Node],
                "it runs as root, its manifest says uid 1000, and 4 more",
            ),
        )],
        also: &[("SP-LSM-009", "w-1"), ("SP-PRIV-008", "w-1")],
    },
];
