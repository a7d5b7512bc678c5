//! A hand-made fleet: every state of a node and every kind of verdict, at a fixed time.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::json;
use stakeout::checks::check::{
    Check, Judge, Maps, Remediation, by_hand, comparing, fail, not_applicable, offence, on_node,
    pass, pass_note,
};
use stakeout::engine::Judged;
use stakeout::model::Timestamp;
use stakeout::model::fact::{Fact, FaultClass, Gap, Locator, Need, Source};
use stakeout::model::link::{HostState, Level, LogLine};
use stakeout::model::name::{CheckId, Digest, NodeName};
use stakeout::model::node::{Identity, NodeFacts, NodeObject, WayIn};
use stakeout::model::objects::Labels;
use stakeout::model::pod::{Manifest, Mirror, Parsed, Pod};
use stakeout::model::snapshot::Snapshot;
use stakeout::model::text::Text;
use stakeout::model::tree::Tree;
use stakeout::model::unix::{FileKind, Gid, Hop, Mode, Mount, Stat, Uid, Walk, WalkEnd};
use stakeout::model::verdict::{Comparison, Severity, Side3, Subject, SubjectKind, Verdict};
use stakeout::tui::world::Registry;

const MANIFEST: &str = "apiVersion: v1
kind: Pod
metadata:
  name: kube-apiserver
  namespace: kube-system
spec:
  containers:
  - name: kube-apiserver
    image: registry.k8s.io/kube-apiserver:v1.34.2
    command:
    - kube-apiserver
    - --authorization-mode=Node,RBAC
    - --audit-log-path=/var/log/kube/audit.log
    - --profiling=false
";

const fn check(id: &'static str, title: &'static str, severity: Severity) -> Check {
    Check {
        id: CheckId(id),
        title,
        why: "",
        severity,
        since: "0.1.0",
        needs: &[],
        helps: &[],
        maps: &[],
        fix: Remediation {
            steps: &[],
            restarts: "",
            undo: &[],
        },
        examples: &[],
        judge: Judge::Node(|_, _| Err(Gap::NotAsked)),
        file: file!(),
    }
}

static DRIFT: Check = Check {
    why: "Whoever can stop the kubelet from applying a manifest decides what runs: a change that looks made is not.",
    maps: &[Maps::Cis("1.2.16"), Maps::Attack("T1562.008")],
    fix: Remediation {
        steps: &[
            by_hand("compare {path} with the running pod {pod}"),
            on_node("touch {path}"),
            on_node("systemctl restart kubelet"),
        ],
        restarts: "kube-apiserver, about 30 s",
        undo: &[on_node("mv /root/kube-apiserver.yaml {path}")],
    },
    ..check(
        "SP-MRG-003",
        "What runs is what the manifest says",
        Severity::Critical,
    )
};
static MODE: Check = Check {
    why: "A user who can write the manifest is root on the node.",
    fix: Remediation {
        steps: &[on_node("chmod 600 {path}")],
        restarts: "",
        undo: &[on_node("chmod 644 {path}")],
    },
    ..check(
        "SP-FILE-003",
        "Only root can write static pod manifests",
        Severity::High,
    )
};
static ANONYMOUS: Check = check(
    "SP-KUB-001",
    "Kubelet refuses anonymous requests",
    Severity::Critical,
);
static TAINT: Check = check(
    "SP-ISO-001",
    "Control-plane nodes keep other pods away",
    Severity::Medium,
);
static SECRETS: Check = check(
    "SP-KUB-014",
    "No unknown pods run on the node",
    Severity::High,
);

pub fn registry() -> Registry {
    Registry {
        node: vec![&MODE, &TAINT, &ANONYMOUS, &SECRETS, &DRIFT],
        cluster: Vec::new(),
    }
}

pub fn now() -> Timestamp {
    "2026-03-01T14:02:07Z".parse().expect("a time")
}

fn at(seconds_ago: i64) -> Timestamp {
    Timestamp::from_second(now().as_second() - seconds_ago).expect("a time near now")
}

pub fn name(raw: &str) -> NodeName {
    NodeName::parse(raw).expect("a valid name")
}

fn locator(need: Need) -> Locator {
    Locator::new(need, 0)
}

/// A fleet under construction.
pub struct Fleet {
    snapshot: Snapshot,
    verdicts: BTreeMap<NodeName, Arc<Vec<Verdict>>>,
    hosts: BTreeMap<NodeName, HostState>,
}

impl Fleet {
    pub fn empty() -> Self {
        let mut snapshot = Snapshot::empty(now());
        let cluster = Arc::make_mut(&mut snapshot.cluster);
        cluster.context = Text::new("prod-eu1");
        cluster.version = Fact::seen(Text::new("v1.34.2"), locator(Need::NodeObject));
        Self {
            snapshot,
            verdicts: BTreeMap::new(),
            hosts: BTreeMap::new(),
        }
    }

    /// The fleet of the mock-ups, smaller.
    pub fn mixed() -> Self {
        let mut fleet = Self::empty();
        fleet.add("cp-1", HostState::Ok, worst());
        fleet.add("cp-2", HostState::Ok, clean());
        fleet.add("cp-3", HostState::Ok, mode_only());
        for number in 1..=6 {
            fleet.add(&format!("pool-a-{number:02}"), HostState::Ok, clean());
        }
        let gap = Gap::Node {
            class: FaultClass::AuthDenied,
            detail: Text::new("Permission denied (publickey)"),
        };
        let unknown = vec![Verdict::Unknown { why: gap.clone() }; 5];
        fleet.add("pool-a-07", HostState::Failed(gap.clone()), unknown.clone());
        let pending = vec![Verdict::Unknown { why: Gap::Pending }; 5];
        fleet.add(
            "pool-a-08",
            HostState::Collecting { done: 6, of: 9 },
            pending.clone(),
        );
        fleet.add("pool-a-09", HostState::Connecting, pending.clone());
        fleet.add("pool-a-10", HostState::Queued, pending);
        fleet.add("pool-b-06", HostState::Stale(gap.clone()), mode_only());
        fleet.add("pool-c-09", HostState::ApiOnly(gap), unknown);
        fleet
    }

    pub fn add(&mut self, node: &str, host: HostState, verdicts: Vec<Verdict>) {
        let node = name(node);
        let mut facts = NodeFacts::unknown(node.clone());
        let api = Arc::make_mut(&mut facts.api);
        api.object = Fact::seen(object(&node), locator(Need::NodeObject));
        api.at = Some(at(3));
        let read = matches!(host, HostState::Ok | HostState::Stale(_));
        if read {
            let ago = if host == HostState::Ok { 4 } else { 7260 };
            let host = Arc::make_mut(&mut facts.host);
            host.at = Some(at(ago));
            host.identity = Fact::seen(identity(&node), locator(Need::Identity));
            host.manifests = Fact::seen(
                vec![Fact::seen(manifest(), locator(Need::Manifests))],
                Locator::new(Need::ManifestDir, 0),
            );
            host.sources.push(Source {
                need: Need::Manifests,
                item: 0,
                command: Text::new("cat kube-apiserver.yaml"),
                at: at(ago),
                sha256: Some(Digest::new(&[0x9c; 32])),
                excerpt: Source::excerpt(MANIFEST),
            });
            api.mirrors = Fact::seen(vec![mirror(&node)], locator(Need::MirrorPods));
        }
        self.snapshot.nodes.insert(node.clone(), Arc::new(facts));
        self.verdicts.insert(node.clone(), Arc::new(verdicts));
        self.hosts.insert(node, host);
    }

    pub fn judged(&self) -> Arc<Judged> {
        Arc::new(Judged {
            shown: Arc::default(),
            snapshot: Arc::new(self.snapshot.clone()),
            nodes: self.verdicts.clone(),
            cluster: Arc::default(),
            hosts: self.hosts.clone(),
            policy: Arc::default(),
            log: Arc::new(log()),
            questions: Arc::default(),
            generation: 1,
            complete: false,
        })
    }
}

fn log() -> Vec<LogLine> {
    let line = |ago, level, node: Option<&str>, message: &str, next: Option<&str>| LogLine {
        at: at(ago),
        level,
        node: node.map(name),
        message: Text::new(message),
        next: next.map(Text::new),
    };
    vec![
        line(27, Level::Info, None, "15 nodes, 8 at once", None),
        line(
            18,
            Level::Info,
            Some("cp-1"),
            "connected 10.0.0.11:22 via bastion",
            None,
        ),
        line(
            9,
            Level::Error,
            Some("pool-a-07"),
            "auth: Permission denied (publickey)",
            Some("ssh-copy-id audit@10.0.3.7, or set ssh.user"),
        ),
        line(
            4,
            Level::Warn,
            None,
            "list events: forbidden",
            Some("stakeout rbac print | kubectl apply -f -"),
        ),
        line(1, Level::Debug, Some("pool-a-08"), "6 of 9 sections", None),
    ]
}

fn object(node: &NodeName) -> NodeObject {
    let mut labels = BTreeMap::new();
    if node.as_str().starts_with("cp") {
        labels.insert(
            Text::new("node-role.kubernetes.io/control-plane"),
            Text::default(),
        );
    }
    NodeObject {
        uid: Text::new("u"),
        labels,
        taints: Vec::new(),
        ready: Some(Text::new("True")),
        addresses: vec![(Text::new("InternalIP"), Text::new("10.0.0.11"))],
        machine_id: Text::new("m"),
        boot_id: Text::new("b"),
        kubelet_version: Text::new("v1.34.2"),
        os_image: Text::new("Debian GNU/Linux 12"),
        resource_version: Text::new("8812"),
        allocatable: Labels::default(),
        provider_id: Text::default(),
    }
}

fn identity(node: &NodeName) -> Identity {
    Identity {
        hostname: Text::new(node.as_str()),
        machine_id: None,
        boot_id: None,
        os: Text::new("debian"),
        clock: 0,
        uid: 0,
        way: WayIn::ForcedCommand,
        collector: Text::new("1"),
    }
}

fn manifest() -> Manifest {
    let file = "/etc/kubernetes/manifests/kube-apiserver.yaml";
    let hop = Hop {
        path: Text::new(file),
        stat: Stat {
            kind: FileKind::Regular,
            mode: Mode::new(0o644),
            uid: Uid(0),
            gid: Gid(0),
            nlink: 1,
            size: 400,
            mtime: None,
            ctime: None,
        },
        target: None,
        acl: Fact::default(),
        mount: Fact::<Mount>::default(),
    };
    let raw = json!({"spec": {"containers": [{"name": "kube-apiserver", "command": [
        "kube-apiserver", "--authorization-mode=Node,RBAC",
        "--audit-log-path=/var/log/kube/audit.log", "--profiling=false"]}]}});
    let lines = (0..4)
        .map(|index| {
            (
                Text::from(format!("spec.containers[0].command[{index}]")),
                11 + index,
            )
        })
        .collect();
    Manifest {
        file: Text::new(file),
        kind: FileKind::Regular,
        walk: Walk {
            path: Text::new(file),
            hops: vec![Fact::seen(hop, locator(Need::Manifests))],
            end: WalkEnd::Reached,
        },
        text: Text::block(MANIFEST),
        sha256: Some(Digest::new(&[0x9c; 32])),
        pod: Fact::seen(
            Parsed::Pod {
                pod: Pod {
                    namespace: Text::new("kube-system"),
                    name: Text::new("kube-apiserver"),
                    raw: Tree::try_from(raw).expect("a small pod"),
                },
                ignored_documents: 0,
                duplicates: Vec::new(),
                lines,
            },
            locator(Need::Manifests),
        ),
    }
}

fn mirror(node: &NodeName) -> Mirror {
    let name = format!("kube-apiserver-{node}");
    Mirror {
        pod: Pod {
            namespace: Text::new("kube-system"),
            name: Text::new(&name),
            raw: Tree::try_from(json!({
                "metadata": {"name": name, "annotations": {"kubernetes.io/config.source": "file"}},
                "spec": {"containers": [{"name": "kube-apiserver",
                    "command": ["kube-apiserver", "--authorization-mode=Node,RBAC", "--profiling=false"],
                    "image": "registry.k8s.io/kube-apiserver:v1.34.2"}]}}))
            .expect("a small pod"),
        },
        uid: Text::new("uid"),
        mirror_hash: Text::new("hash"),
        hash: None,
        source: Some(Text::new("file")),
        owners: Vec::new(),
        phase: Text::new("Running"),
        managers: Vec::new(),
        resource_version: Text::new("8812345"),
        created: None,
    }
}

fn wide_open() -> Verdict {
    fail(
        Subject::new(
            SubjectKind::Path,
            "/etc/kubernetes/manifests/kube-apiserver.yaml",
        ),
        Severity::High,
        "mode is 0644, want 0600",
        [locator(Need::Manifests)],
    )
}

fn drift() -> Verdict {
    let field = |index: u32, manifest: Side3, mirror: Side3| Comparison {
        field: Text::from(format!("spec.containers[kube-apiserver].command[{index}]")),
        manifest,
        mirror,
        runtime: Side3::Unasked,
    };
    let value = |text: &str| Side3::Value(Text::new(text));
    let found = offence(
        Subject::new(SubjectKind::Pod, "kube-system/kube-apiserver"),
        Severity::Critical,
        "kube-apiserver runs without the audit log of its manifest",
        [locator(Need::Manifests), locator(Need::MirrorPods)],
    );
    let compare = vec![
        field(
            1,
            value("--authorization-mode=Node,RBAC"),
            value("--authorization-mode=Node,RBAC"),
        ),
        field(
            2,
            value("--audit-log-path=/var/log/kube/audit.log"),
            value("--profiling=false"),
        ),
        field(3, value("--profiling=false"), Side3::Absent),
    ];
    Verdict::Fail {
        offences: vec![comparing(found, compare)],
        gaps: vec![Gap::Denied {
            what: Text::new("/proc/1912/cmdline"),
        }],
    }
}

fn worst() -> Vec<Verdict> {
    vec![
        wide_open(),
        fail(
            Subject::new(SubjectKind::Node, "cp-1"),
            Severity::Medium,
            "no NoSchedule taint on a control-plane node",
            [locator(Need::NodeObject)],
        ),
        pass([locator(Need::KubeletConfig)]),
        Verdict::Unknown {
            why: Gap::Forbidden {
                verb: Text::new("list"),
                resource: Text::new("pods"),
            },
        },
        drift(),
    ]
}

fn clean() -> Vec<Verdict> {
    vec![
        pass([locator(Need::Manifests)]),
        not_applicable(
            [locator(Need::NodeObject)],
            "the node runs no control plane",
        ),
        pass_note([locator(Need::KubeletConfig)], "set by a drop-in"),
        pass([locator(Need::PodUids), locator(Need::RuntimePods)]),
        pass([locator(Need::Manifests), locator(Need::MirrorPods)]),
    ]
}

fn mode_only() -> Vec<Verdict> {
    let mut verdicts = clean();
    verdicts[0] = wide_open();
    verdicts
}

/// Five verdicts that differ from node to node.
pub fn findings(number: usize) -> Vec<Verdict> {
    match number % 3 {
        0 => worst(),
        1 => mode_only(),
        _ => clean(),
    }
}
