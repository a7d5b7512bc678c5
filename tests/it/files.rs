//! Facts about files beside the manifests, out of answers of a real cluster.

use stakeout::evidence;
use stakeout::model::fact::{Fact, Gap, Locator, Need};
use stakeout::model::files::{FileAt, FileRole, Files};
use stakeout::model::name::NodeName;
use stakeout::model::node::{HostFacts, NodeFacts};
use stakeout::model::policy::Policy;
use stakeout::model::snapshot::Snapshot;
use stakeout::model::unix::WalkEnd;
use stakeout::model::{Timestamp, text::Text};

use crate::collector::recorded;

const AT: Locator = Locator::new(Need::Pki, 0);

/// `role path mode uid:gid`, or how the walk ended.
fn lines(host: &HostFacts, list: &Files) -> Vec<String> {
    let line = |file: &FileAt| {
        let walk = file.walk(&host.paths, AT);
        let found = match (walk.end, walk.object()) {
            (_, Some(hop)) => format!("{} {}:{}", hop.stat.mode, hop.stat.uid, hop.stat.gid),
            (end, None) => format!("{end:?}"),
        };
        format!("{:?} {} {found}", file.role, file.path)
    };
    list.files.iter().map(line).collect()
}

fn texts(list: &[Text]) -> Vec<&str> {
    list.iter().map(Text::as_str).collect()
}

#[test]
fn what_decides_how_the_kubelet_runs() {
    let host = recorded("files-cp");
    let facts = &host.kubelet_files.get().expect("read").value;
    assert_eq!(
        lines(&host, &facts.list),
        [
            "KubeletConfig /var/lib/kubelet/config.yaml 0644 0:0",
            "ClientCa /etc/kubernetes/pki/ca.crt 0644 0:0",
            "RuntimeSocket /run/containerd/containerd.sock 0660 0:0",
            "Program /usr/bin/kubelet 0755 0:0",
            "BootstrapKubeconfig /etc/kubernetes/bootstrap-kubelet.conf Absent",
            "KubeletKubeconfig /etc/kubernetes/kubelet.conf 0600 0:0",
            "RootDir /var/lib/kubelet 0700 0:0",
            "KubeletPki /var/lib/kubelet/pki 0755 0:0",
            "KubeletPki /var/lib/kubelet/pki/kubelet-client-2026-11-24-17-10-28.pem 0600 0:0",
            "KubeletPki /var/lib/kubelet/pki/kubelet-client-2026-11-24-17-10-39.pem 0600 0:0",
            "KubeletPki /var/lib/kubelet/pki/kubelet-client-current.pem 0600 0:0",
            "KubeletPki /var/lib/kubelet/pki/kubelet.crt 0644 0:0",
            "KubeletPki /var/lib/kubelet/pki/kubelet.key 0600 0:0",
            "KubeletConfig /var/lib/kubelet/instance-config.yaml 0644 0:0",
            "KubeletSocket /var/lib/kubelet/pods-api/pods-api.sock 0755 0:0",
        ]
    );
    assert!(facts.list.gaps.is_empty() && facts.units.is_empty());
    let current = facts
        .list
        .files
        .iter()
        .find(|file| file.path.as_str().ends_with("current.pem"));
    let walk = current.expect("listed").walk(&host.paths, AT);
    assert!(walk.entry().expect("the link").target.is_some());
    assert!(walk.hops.iter().all(|hop| {
        let hop = &hop.get().expect("root sees all").value;
        hop.acl.is_seen() && hop.mount.is_seen()
    }));
}

#[test]
fn certificates_and_keys() {
    let host = recorded("files-cp");
    let facts = &host.pki.get().expect("read").value;
    assert!(facts.list.gaps.is_empty());
    let keys = facts.list.of(FileRole::PrivateKey).count();
    let public = facts.list.of(FileRole::PublicKey).count();
    let folders = facts.list.of(FileRole::PkiDir).count();
    assert_eq!((keys, public, folders), (11, 1, 2));
    let find = |path: &str| {
        let mut all = facts.certificates.iter();
        let found = all.find(|found| found.path == path).expect("listed");
        let list = &found.content.get().expect("parsed").value;
        (found.flag.as_str(), list.as_slice())
    };
    let (flag, list) = find("/etc/kubernetes/pki/apiserver.crt");
    let found = &list[0];
    assert_eq!((flag, list.len()), ("tls-cert-file", 1));
    assert_eq!(found.common_name, "kube-apiserver");
    assert_eq!(found.issuer, "CN=kubernetes");
    assert_eq!(texts(&found.usages), ["server"]);
    assert!(found.names.iter().any(|name| name == "IP:198.51.100.11"));
    assert!(found.names.iter().any(|name| name == "DNS:kubernetes"));
    assert_eq!((found.key.as_str(), found.key_bits), ("RSA", 2048));
    assert_eq!(found.signature, "sha256WithRSAEncryption");
    assert!(!found.ca && !found.self_signed);
    assert!(found.not_after - found.not_before > 364 * 86_400);
    let (_, list) = find("/etc/kubernetes/pki/ca.crt");
    assert!(list[0].ca && list[0].self_signed);
    let (_, list) = find("/var/lib/kubelet/pki/kubelet-client-current.pem");
    assert_eq!(list[0].common_name, "system:node:cp-1");
    assert_eq!(texts(&list[0].organizations), ["system:nodes"]);
    let (_, list) = find("/var/lib/kubelet/pki/kubelet.crt");
    assert_eq!(list.len(), 2);
    assert_eq!(facts.certificates.len(), 12);
}

#[test]
fn kubeconfigs_without_their_secrets() {
    let host = recorded("files-cp");
    let facts = &host.kubeconfigs.get().expect("read").value;
    let client = |name: &str| {
        let path = format!("/etc/kubernetes/{name}.conf");
        let mut all = facts.contents.iter();
        let found = all.find(|found| found.path == path.as_str());
        let found = &found.expect("listed").content.get().expect("read").value;
        assert_eq!(texts(&found.servers), ["https://198.51.100.11:6443"]);
        assert!(found.has_ca && !found.skips_verification && found.logins.is_empty());
        match found.clients.first() {
            Some(client) => format!("{} {:?}", client.common_name, texts(&client.organizations)),
            None => texts(&found.client_files).concat(),
        }
    };
    assert_eq!(
        client("admin"),
        r#"kubernetes-admin ["kubeadm:cluster-admins"]"#
    );
    assert_eq!(
        client("super-admin"),
        r#"kubernetes-super-admin ["system:masters"]"#
    );
    assert_eq!(client("scheduler"), "system:kube-scheduler []");
    assert_eq!(
        client("kubelet"),
        "/var/lib/kubelet/pki/kubelet-client-current.pem"
    );
    let absent = facts
        .contents
        .iter()
        .filter(|found| !found.content.is_seen());
    assert_eq!(
        absent.count(),
        1,
        "bootstrap-kubelet.conf is gone after the join"
    );
}

#[test]
fn paths_of_the_host_etcd_and_the_api_server() {
    let host = recorded("files-cp");
    let mounted = &host.host_paths.get().expect("read").value;
    assert_eq!((mounted.files.len(), mounted.gaps.len()), (11, 0));
    let etcd = &host.etcd_files.get().expect("read").value;
    assert_eq!(
        lines(&host, &etcd.list)[0],
        "EtcdData /var/lib/etcd 0700 0:0"
    );
    assert_eq!(etcd.size, Some(16_801_792));
    let api = &host.api_server_files.get().expect("read").value;
    let policy = &api.audit_policy.get().expect("read").value;
    let policy = &policy.as_ref().expect("the flag is set").content;
    assert!(policy.pointer("/rules/0/level").is_some());
    let log = api.list.of(FileRole::AuditLog).next().expect("listed");
    let log = log.walk(&host.paths, AT);
    assert!(log.object().expect("there").stat.mtime.is_some());
    assert_eq!(api.encryption.get().expect("known").value, None);
    assert_eq!(api.admission.get().expect("known").value, None);
    let disks = &host.disks.get().expect("read").value;
    assert!(disks.iter().any(|disk| disk.path == "/var/lib/etcd"));
    assert!(disks.iter().all(|disk| disk.free < disk.total));
    assert!(matches!(
        host.kubelet_log.get(),
        Err(Gap::ToolMissing { .. })
    ));
    assert_eq!(host.file_watches.get().expect("read").value.loaded, None);
}

/// A name that the login cannot look at ends its walk in a gap; a file that it cannot read says so.
#[test]
fn a_login_without_rights() {
    let host = recorded("files-cp-nobody");
    let facts = &host.kubelet_files.get().expect("read").value;
    assert!(
        facts
            .list
            .gaps
            .iter()
            .any(|gap| matches!(gap, Gap::Denied { .. }))
    );
    let pki = facts.list.of(FileRole::KubeletPki).next().expect("listed");
    let walk = pki.walk(&host.paths, AT);
    assert_eq!(walk.end, WalkEnd::Blocked);
    assert!(matches!(
        walk.hops.last(),
        Some(Fact::Gap(Gap::Denied { .. }))
    ));
    let mounted = &host.host_paths.get().expect("read").value;
    assert!(mounted.files.is_empty() && !mounted.gaps.is_empty());
    let kubeconfigs = &host.kubeconfigs.get().expect("read").value;
    let admin = kubeconfigs
        .contents
        .iter()
        .find(|found| found.path == "/etc/kubernetes/admin.conf");
    let admin = &admin.expect("listed").content;
    assert!(matches!(admin.get(), Err(Gap::Denied { .. })));
    let api = &host.api_server_files.get().expect("read").value;
    assert!(!api.audit_policy.is_seen() && !api.encryption.is_seen());
}

#[test]
fn a_worker_has_less_and_nothing_unknown() {
    let host = recorded("files-worker");
    let pki = &host.pki.get().expect("read").value;
    assert!(pki.list.gaps.is_empty());
    assert_eq!(pki.list.of(FileRole::PrivateKey).count(), 0);
    assert_eq!(pki.certificates.len(), 3);
    let etcd = &host.etcd_files.get().expect("read").value;
    assert!(etcd.list.files.is_empty() && etcd.list.gaps.is_empty());
    let api = &host.api_server_files.get().expect("read").value;
    assert_eq!(api.audit_policy.get().expect("known").value, None);
    let kubelet = &host.kubelet_files.get().expect("read").value;
    assert!(kubelet.list.of(FileRole::KubeletKubeconfig).count() == 1);
}

#[test]
fn an_older_collector_is_said_to_be_old() {
    let host = recorded("kubeadm-cp");
    let old = |gap: Gap| matches!(gap, Gap::CollectorOutdated { .. });
    assert!(old(host.kubelet_files.get().expect_err("not there")));
    assert!(old(host.pki.get().expect_err("not there")));
    assert!(old(host.disks.get().expect_err("not there")));
}

#[test]
fn it_can_be_shown_and_stays_small() {
    let host = recorded("files-cp");
    let size = |value: serde_json::Value| value.to_string().len();
    let paths = size(serde_json::to_value(&host.paths).expect("JSON"));
    assert!(paths < 24_000, "{paths}");
    let name = NodeName::parse("cp-1").expect("a name");
    let mut node = NodeFacts::unknown(name.clone());
    node.host = host.into();
    let mut snapshot = Snapshot::empty(Timestamp::UNIX_EPOCH);
    snapshot.nodes.insert(name.clone(), node.into());
    let policy = Policy::default();
    let show = |need, item| {
        let found = evidence::source(&snapshot, &policy, Some(&name), Locator::new(need, item));
        found.expect("evidence").excerpt.to_string()
    };
    for need in [
        Need::KubeletFiles,
        Need::Pki,
        Need::Kubeconfigs,
        Need::HostPaths,
        Need::EtcdFiles,
        Need::ApiServerFiles,
    ] {
        assert!(show(need, u32::MAX).lines().count() > 1, "{need:?}");
        assert!(show(need, 0).contains("folder 0755 0:0 /"), "{need:?}");
    }
    assert!(show(Need::Pki, 0).contains("certificate CN=cp-1 issuer CN=etcd-ca"));
    assert!(show(Need::Disks, 0).contains("kB free"));
}
