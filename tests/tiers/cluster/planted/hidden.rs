//! What keeps a mirror away, what a file has beside its content, who has the rights of nodes, and what the API and
//! the kubelet no longer agree on.

use stakeout::model::fact::Side::{Api, Node};

use super::{Flaw, Place, claim};

pub const PODS: &[&str] = &[
    "tight/loud",
    "full/quiet",
    "guarded/calm",
    "kube-system/twin",
    "kube-system/twin2",
    "kube-system/pinned",
    "kube-system/copied",
    "kube-system/linked",
    "kube-system/twice",
    "kube-system/over",
    "kube-system/mortal",
    "kube-system/frozen",
];

/// The pipe is the last on w-1: from then on its kubelet takes up nothing.
pub const FLAWS: &[Flaw] = &[
    // No flaw yet: the ground of the next three.
    Flaw {
        name: "namespaces",
        place: Place::Jump,
        plant: r#"
            kubectl create -f - >/dev/null <<END
apiVersion: v1
kind: Namespace
metadata: {name: tight, labels: {pod-security.kubernetes.io/enforce: restricted}}
---
apiVersion: v1
kind: Namespace
metadata: {name: full}
---
apiVersion: v1
kind: Namespace
metadata: {name: guarded}
---
apiVersion: v1
kind: ResourceQuota
metadata: {name: none, namespace: full}
spec: {hard: {pods: "0"}}
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {name: nobody.stakeout.test}
webhooks:
- name: nobody.stakeout.test
  admissionReviewVersions: [v1]
  sideEffects: None
  failurePolicy: Fail
  timeoutSeconds: 1
  clientConfig: {url: "https://127.0.0.1:9/"}
  namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: guarded}}
  rules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [pods]}]
END
            until [ "$(kubectl get quota none -n full -o jsonpath='{.status.hard.pods}')" = 0 ]; do sleep 0.2; done"#,
        undo: r"
            kubectl delete --wait=false validatingwebhookconfiguration/nobody.stakeout.test \
                namespace/tight namespace/full namespace/guarded >/dev/null
            while kubectl get namespaces | grep -q -e '^tight ' -e '^full ' -e '^guarded '; do sleep 0.5; done",
        claims: &[],
        also: &[],
    },
    Flaw {
        name: "hidden_by_level",
        place: Place::Node("w-1"),
        plant: r"modest tight loud | sed 's/, capabilities: {drop: \[ALL\]}//' | place loud.yaml",
        undo: "displace loud.yaml",
        claims: &[
            claim(
                "SP-MRG-004",
                "w-1",
                "tight/loud",
                "high",
                (&[Api, Node], "the next mirror of tight/loud is refused: "),
            ),
            claim(
                "SP-MRG-001",
                "w-1",
                "/etc/kubernetes/manifests/loud.yaml",
                "critical",
                (&[Api, Node], "cause: the namespace tight enforces Pod Security restricted:latest, and it breaks capabilities_restricted"),
            ),
        ],
        also: HIDDEN,
    },
    Flaw {
        name: "hidden_by_quota",
        place: Place::Node("w-1"),
        plant: "modest full quiet | place quiet.yaml",
        undo: "displace quiet.yaml",
        claims: &[
            claim(
                "SP-MRG-006",
                "w-1",
                "full/quiet-w-1",
                "high",
                (&[Api, Node], "has no mirror: the quota none is full"),
            ),
            claim(
                "SP-MRG-001",
                "w-1",
                "/etc/kubernetes/manifests/quiet.yaml",
                "critical",
                (&[Api, Node], "full/quiet-w-1 runs without a mirror pod"),
            ),
        ],
        also: HIDDEN,
    },
    Flaw {
        name: "hidden_by_webhook",
        place: Place::Node("w-1"),
        plant: "modest guarded calm | place calm.yaml",
        undo: "displace calm.yaml",
        claims: &[
            claim(
                "SP-MRG-006",
                "w-1",
                "guarded/calm-w-1",
                "high",
                (&[Api, Node], "nobody.stakeout.test"),
            ),
            claim(
                "SP-MRG-001",
                "w-1",
                "/etc/kubernetes/manifests/calm.yaml",
                "critical",
                (&[Api, Node], "guarded/calm-w-1 runs without a mirror pod"),
            ),
        ],
        also: HIDDEN,
    },
    Flaw {
        name: "second_file",
        place: Place::Node("w-1"),
        plant: "
            modest kube-system twin | place twin.yaml
            modest kube-system twin | sed s/3600/3601/ | place twin2.yaml",
        undo: "
            displace twin.yaml
            displace twin2.yaml",
        claims: &[claim(
            "SP-MRG-011",
            "w-1",
            "/etc/kubernetes/manifests/twin2.yaml",
            "high",
            (&[Node], "kube-system/twin"),
        )],
        also: &[("SP-MRG-009", "w-1"), ("SP-FILE-009", "w-1")],
    },
    Flaw {
        name: "pinned_uid",
        place: Place::Node("w-1"),
        plant: "modest kube-system pinned ', uid: 0b54-stakeout' | place pinned.yaml",
        undo: "displace pinned.yaml",
        claims: &[claim(
            "SP-MRG-013",
            "w-1",
            "/etc/kubernetes/manifests/pinned.yaml",
            "medium",
            (
                &[Node],
                "kube-system/pinned pins the uid 0b54-stakeout: the hash of its mirror",
            ),
        )],
        also: &[],
    },
    Flaw {
        name: "copied_node_name",
        place: Place::Node("w-1"),
        plant: "modest kube-system copied | sed 's/^spec:/&\\n  nodeName: cp-1/' | place copied.yaml",
        undo: "displace copied.yaml",
        claims: &[claim(
            "SP-ISO-008",
            "w-1",
            "/etc/kubernetes/manifests/copied.yaml",
            "medium",
            (&[Node], "it names node cp-1 and runs on w-1 all the same"),
        )],
        also: &[],
    },
    Flaw {
        name: "linked_manifest",
        place: Place::Node("w-1"),
        plant: "
            modest kube-system linked >/srv/linked.yaml
            chmod 0600 /srv/linked.yaml
            chown audit /srv/linked.yaml
            ln -s /srv/linked.yaml /etc/kubernetes/manifests/linked.yaml",
        undo: "
            displace linked.yaml
            rm /srv/linked.yaml",
        claims: &[claim(
            "SP-FILE-007",
            "w-1",
            "/etc/kubernetes/manifests/linked.yaml",
            "high",
            (&[Node], "a link to /srv/linked.yaml, and "),
        )],
        also: &[
            ("SP-FILE-001", "w-1"),
            ("SP-FILE-004", "w-1"),
            ("SP-FILE-005", "w-1"),
        ],
    },
    Flaw {
        name: "second_name",
        place: Place::Node("w-1"),
        plant: "
            modest kube-system twice | place twice.yaml
            ln /etc/kubernetes/manifests/twice.yaml /etc/kubernetes/twice.other",
        undo: "
            displace twice.yaml
            rm /etc/kubernetes/twice.other",
        claims: &[claim(
            "SP-FILE-015",
            "w-1",
            "/etc/kubernetes/manifests/twice.yaml",
            "medium",
            (&[Node], "it has 2 names"),
        )],
        also: &[],
    },
    // A file system of the network needs a server, which the harness does not have; one in memory is as foreign.
    Flaw {
        name: "mounted_manifest",
        place: Place::Node("w-1"),
        plant: "
            modest kube-system over >/run/over.yaml
            chmod 0600 /run/over.yaml
            : | place over.yaml
            mount --bind /run/over.yaml /etc/kubernetes/manifests/over.yaml",
        undo: "
            umount /etc/kubernetes/manifests/over.yaml
            displace over.yaml
            rm /run/over.yaml",
        claims: &[
            claim(
                "SP-FILE-028",
                "w-1",
                "/etc/kubernetes/manifests/over.yaml",
                "high",
                (
                    &[Node],
                    "a file system (tmpfs) is mounted at /etc/kubernetes/manifests/over.yaml",
                ),
            ),
            claim(
                "SP-FILE-014",
                "w-1",
                "/etc/kubernetes/manifests/over.yaml",
                "low",
                (
                    &[Node],
                    "on tmpfs at /etc/kubernetes/manifests/over.yaml",
                ),
            ),
        ],
        also: &[],
    },
    Flaw {
        name: "mortal_pod",
        place: Place::Node("w-1"),
        plant: r#"
            modest kube-system mortal |
                sed -e 's/^spec:/&\n  restartPolicy: Never/' \
                    -e 's/command: .*/command: [sh, -c, "trap \\"exit 0\\" TERM; while :; do sleep 1; done"]/' |
                place mortal.yaml"#,
        undo: "displace mortal.yaml",
        claims: &[claim(
            "SP-MRG-028",
            "w-1",
            "/etc/kubernetes/manifests/mortal.yaml",
            "low",
            (
                &[Node],
                "kube-system/mortal has restartPolicy Never",
            ),
        )],
        also: &[],
    },
    Flaw {
        name: "killed_pod",
        place: Place::Jump,
        plant: "
            until kubectl exec -n kube-system mortal-w-1 -- kill 1 >/dev/null 2>&1; do sleep 0.5; done",
        undo: "true",
        claims: &[claim(
            "SP-MRG-028",
            "w-1",
            "/etc/kubernetes/manifests/mortal.yaml",
            "low",
            (
                &[Api, Node],
                "has ended (Succeeded): it does not come back",
            ),
        )],
        also: &[],
    },
    Flaw {
        name: "rights_of_nodes",
        place: Place::Jump,
        plant: r"
            kubectl create clusterrole stakeout-kubelets --verb=get,create --resource=nodes/proxy >/dev/null
            kubectl create clusterrole stakeout-secrets --verb=list --resource=secrets >/dev/null
            kubectl create clusterrolebinding stakeout-role --clusterrole=system:node --user=mallory >/dev/null
            kubectl create clusterrolebinding stakeout-nodes --clusterrole=stakeout-secrets --group=system:nodes >/dev/null
            kubectl create clusterrolebinding stakeout-kubelets --clusterrole=stakeout-kubelets --user=mallory >/dev/null
            kubectl create clusterrolebinding stakeout-signing --user=mallory \
                --clusterrole=system:controller:certificate-controller >/dev/null",
        undo: "
            kubectl delete clusterrolebinding stakeout-role stakeout-nodes stakeout-kubelets stakeout-signing >/dev/null
            kubectl delete clusterrole stakeout-kubelets stakeout-secrets >/dev/null",
        claims: &[
            claim(
                "SP-KUB-005",
                "",
                "clusterrolebindings//stakeout-role",
                "high",
                (&[Api], "mallory has the rights of all nodes at once"),
            ),
            claim(
                "SP-KUB-006",
                "",
                "clusterrolebindings//stakeout-nodes",
                "high",
                (&[Api], "may read secrets by ClusterRole stakeout-secrets"),
            ),
            claim(
                "SP-KUB-017",
                "",
                "clusterrolebindings//stakeout-kubelets",
                "high",
                (&[Api], "mallory may run commands in every pod of "),
            ),
            claim(
                "SP-KUB-018",
                "",
                "approval by user mallory",
                "high",
                (&[Api], "mallory may approve requests to "),
            ),
        ],
        also: &[("SP-ISO-012", ""), ("SP-CPL-016", "")],
    },
    Flaw {
        name: "edited_and_not_read",
        place: Place::Jump,
        plant: r#"
            "$CLUSTER" stop cp-1 kubelet
            "$CLUSTER" exec cp-1 sh -euc '
                cp -a /etc/kubernetes/manifests/kube-scheduler.yaml /root/scheduler.kept
                sed "s/^    - kube-scheduler$/&\n    - --v=1/" /root/scheduler.kept >/root/scheduler.new
                grep -q v=1 /root/scheduler.new
                chmod 0600 /root/scheduler.new
                mv /root/scheduler.new /etc/kubernetes/manifests/kube-scheduler.yaml'"#,
        undo: r#"
            "$CLUSTER" exec cp-1 mv /root/scheduler.kept /etc/kubernetes/manifests/kube-scheduler.yaml
            "$CLUSTER" start cp-1 kubelet"#,
        claims: &[
            claim(
                "SP-MRG-008",
                "cp-1",
                "/etc/kubernetes/manifests/kube-scheduler.yaml",
                "high",
                (&[Api, Node], "and the edit is not applied: "),
            )
            .after(60),
            claim(
                "SP-MRG-007",
                "cp-1",
                "kube-system/kube-scheduler-cp-1",
                "high",
                (&[Api, Node], "differs from its manifest"),
            )
            .after(60),
        ],
        also: &[("SP-MRG-027", "cp-1")],
    },
    // The kubelet of cp-1 is still stopped: one that lives makes it anew.
    Flaw {
        name: "deleted_mirror",
        place: Place::Jump,
        plant: "kubectl delete pod -n kube-system --force --grace-period=0 etcd-cp-1 >/dev/null 2>&1",
        undo: "true",
        claims: &[claim(
            "SP-MRG-001",
            "cp-1",
            "/etc/kubernetes/manifests/etcd.yaml",
            "critical",
            (&[Api, Node], "kube-system/etcd-cp-1 runs without a mirror pod"),
        )],
        also: &[("SP-MRG-010", "cp-1"), ("SP-MRG-024", "cp-1")],
    },
    Flaw {
        name: "frozen_by_a_pipe",
        place: Place::Node("w-1"),
        plant: r#"
            modest kube-system frozen | place frozen.yaml
            # All that the kubelet has not read by now, it does not read.
            for pod in loud over frozen; do
                until ls /var/log/containers | grep -q "^$pod-w-1_"; do sleep 0.2; done
            done
            mkfifo -m 0600 /etc/kubernetes/manifests/pipe
            sleep 2
            sed s/3600/3601/ /etc/kubernetes/manifests/frozen.yaml | place frozen.yaml"#,
        undo: "
            rm /etc/kubernetes/manifests/pipe
            renew_kubelet
            displace frozen.yaml",
        claims: &[
            claim(
                "SP-FILE-011",
                "w-1",
                "/etc/kubernetes/manifests/pipe",
                "critical",
                (
                    &[Node],
                    "the kubelet's view of the folder is frozen since it appeared, and it has changed since",
                ),
            ),
            claim(
                "SP-MRG-007",
                "w-1",
                "kube-system/frozen-w-1",
                "high",
                (&[Api, Node], "differs from its manifest"),
            )
            .after(60),
        ],
        also: &[("SP-MRG-008", "w-1")],
    },
];

/// What a pod without a mirror deserves besides.
const HIDDEN: &[(&str, &str)] = &[("SP-MRG-010", "w-1"), ("SP-MRG-024", "w-1")];
