//! What runs on a node, what confines it, and what its network lets in: out of recorded answers.

use std::path::PathBuf;

use stakeout::disk;
use stakeout::evidence;
use stakeout::model::Timestamp;
use stakeout::model::fact::{Fact, Gap, Locator, Need};
use stakeout::model::files::FileRole;
use stakeout::model::name::NodeName;
use stakeout::model::network::{Clock, Journal};
use stakeout::model::node::{HostFacts, NodeFacts};
use stakeout::model::policy::Policy;
use stakeout::model::process::{Caps, Process, UserMap};
use stakeout::model::snapshot::Snapshot;
use stakeout::model::text::Text;
use stakeout::model::unix::Mode;
use stakeout::probes::frame::{Frame, FrameReader, Record};
use stakeout::probes::mask::Masker;
use stakeout::probes::probe::Reading;
use stakeout::probes::{collector, read_host};

fn frame(name: &str) -> Frame {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures/answers")
        .join(name);
    let text = disk::read(&path, 4 << 20).expect("recorded");
    let nonce = "0123456789abcdef0123456789abcdef";
    let mut reader = FrameReader::new(nonce, collector::section_count());
    reader.push(&text);
    reader.finish().expect("a good answer")
}

fn facts(frame: &Frame) -> HostFacts {
    let masker = Masker::new([7; 32]);
    let reading = Reading {
        at: Timestamp::UNIX_EPOCH,
        masker: &masker,
    };
    read_host(frame, &reading)
}

fn records<'f>(frame: &'f mut Frame, section: &str) -> &'f mut Vec<Record> {
    let found = frame.sections.iter_mut().find(|part| part.name == section);
    &mut found.expect("a section").records
}

/// Puts other words in the place of what a command or a file said.
fn say(frame: &mut Frame, section: &str, name: &str, text: &str) {
    let records = records(frame, section);
    records.retain(|record| {
        record
            .fields
            .first()
            .is_none_or(|field| field != name.as_bytes())
    });
    records.push(Record {
        kind: "F".to_owned(),
        fields: vec![name.into(), text.into()],
    });
}

fn value(frame: &mut Frame, section: &str, name: &str, value: &str) {
    let records = records(frame, section);
    records.retain(|record| {
        record
            .fields
            .first()
            .is_none_or(|field| field != name.as_bytes())
    });
    records.push(Record {
        kind: "V".to_owned(),
        fields: vec![name.into(), value.into()],
    });
}

fn process<'f>(facts: &'f HostFacts, comm: &str) -> &'f Process {
    let list = &facts.processes.get().expect("processes").value.list;
    list.iter()
        .find(|process| process.comm == comm)
        .expect("it runs")
}

fn denied(gap: &Gap) -> bool {
    matches!(gap, Gap::Denied { .. })
}

#[test]
fn components_as_they_really_run() {
    let facts = facts(&frame("kubeadm-cp-v2.txt"));
    let all = &facts.processes.get().expect("processes").value;
    assert!(!all.more && !all.hidepid);
    assert_eq!(all.list.len(), 10, "{:?}", all.list);
    let etcd = process(&facts, "etcd");
    let rights = etcd.rights.get().expect("rights").value;
    assert_eq!((rights.uid.effective, rights.gid.real), (0, 0));
    assert_eq!(
        (rights.effective, rights.bounding),
        (Caps::USUAL, Caps::USUAL)
    );
    assert_eq!((rights.no_new_privs, rights.seccomp), (false, Some(2)));
    assert!(!etcd.root_read_only.get().expect("root").value);
    assert_eq!(etcd.users.get().expect("users").value, UserMap::HOST);
    assert_eq!(etcd.label.get().expect("no module labels").value, None);
    assert_eq!(
        etcd.exe.get().expect("root sees it").value,
        "/usr/local/bin/etcd"
    );
    let words = &etcd.command.get().expect("its flags").value;
    assert_eq!(words[0], "etcd");
    assert!(words.iter().any(|word| word == "--data-dir=/var/lib/etcd"));
    let place = etcd.pod.as_ref().expect("in a pod");
    let name = all.container(place.container.as_deref().expect("in a container"));
    let name = name.expect("named by its log");
    assert_eq!(
        (
            name.namespace.as_str(),
            name.pod.as_str(),
            name.container.as_str()
        ),
        ("kube-system", "etcd-cp-1", "etcd")
    );
    let pause = process(&facts, "pause");
    assert!(pause.root_read_only.get().expect("root").value);
    let id = pause
        .pod
        .as_ref()
        .and_then(|place| place.container.as_deref());
    assert!(id.is_some_and(|id| all.container(id).is_none()));
    let kubelet = process(&facts, "kubelet");
    assert_eq!(kubelet.pod, None);
    assert!(kubelet.started.is_some());
}

#[test]
fn listeners_belong_to_processes() {
    let facts = facts(&frame("kubeadm-cp-v2.txt"));
    let listeners = &facts.listeners.get().expect("listeners").value;
    let told: Vec<String> = listeners
        .iter()
        .map(|listener| {
            let owner = &listener.owner.get().expect("root sees them").value;
            let place = if owner.pod.is_some() { "pod" } else { "node" };
            format!(
                "{} {} {} {place}",
                listener.port, listener.address, owner.comm
            )
        })
        .collect();
    assert_eq!(
        told.join("\n"),
        "\
22 0.0.0.0 sshd node
22 :: sshd node
2379 127.0.0.1 etcd pod
2379 198.51.100.11 etcd pod
2380 198.51.100.11 etcd pod
2381 127.0.0.1 etcd pod
6443 :: kube-apiserver pod
10248 127.0.0.1 kubelet node
10250 :: kubelet node
10257 127.0.0.1 kube-controller pod
10259 127.0.0.1 kube-scheduler pod
42737 127.0.0.1 containerd node"
    );
}

/// A file with the number of a socket is on another device: nobody can claim a port so.
#[test]
fn a_claimed_port_is_nobodys() {
    let mut frame = frame("kubeadm-cp-v2.txt");
    say(
        &mut frame,
        "listeners",
        "sockets",
        "2219441 9 /proc/442/fd/5\n2219441 64769 /proc/12/fd/3\nx0\nx0\n",
    );
    let facts = facts(&frame);
    for listener in &facts.listeners.get().expect("listeners").value {
        assert!(
            matches!(listener.owner, Fact::Gap(Gap::Garbled { .. })),
            "{listener:?}"
        );
    }
}

#[test]
fn a_kernel_without_modules_is_known_to_have_none() {
    let facts = facts(&frame("kubeadm-cp-v2.txt"));
    let lsm = &facts.lsm.get().expect("lsm").value;
    assert_eq!(lsm.active.get().expect("seen").value, None);
    assert!(!lsm.apparmor.get().expect("seen").value);
    assert_eq!(lsm.has_selinux(), Ok(false));
    assert_eq!(lsm.selinux.configured.get().expect("seen").value, None);
    assert_eq!(lsm.sysctl("kernel.kptr_restrict"), Some("0"));
    assert!(
        lsm.sysctl("user.max_user_namespaces")
            .is_some_and(|count| count.len() > 2)
    );
    let runtime = &lsm.runtime.get().expect("containerd").value;
    assert_eq!(
        (runtime.name.as_str(), runtime.selinux),
        ("containerd", None)
    );
    assert_eq!(runtime.files, ["/etc/containerd/config.toml"]);
    assert!(lsm.seccomp.get().expect("seen").value.profiles.is_empty());
}

#[test]
fn modules_and_profiles_are_read() {
    let mut frame = frame("kubeadm-cp-v2.txt");
    value(
        &mut frame,
        "lsm",
        "/sys/kernel/security/lsm",
        "lockdown,capability,yama,apparmor",
    );
    value(
        &mut frame,
        "lsm",
        "/sys/kernel/security/lockdown",
        "none [integrity] confidentiality",
    );
    value(
        &mut frame,
        "lsm",
        "/sys/module/apparmor/parameters/enabled",
        "Y",
    );
    value(&mut frame, "lsm", "/sys/fs/selinux/enforce", "0");
    let profiles = "/sys/kernel/security/apparmor/profiles";
    say(
        &mut frame,
        "lsm",
        profiles,
        "a b (c) (enforce)\ncri-containerd.apparmor.d (complain)\nx (kill)\nx0\n",
    );
    say(
        &mut frame,
        "lsm",
        "/etc/selinux/config",
        "SELINUX=permissive\nSELINUXTYPE=targeted\nSELINUX=Enforcing \nx0\n",
    );
    let config = "/etc/containerd/config.toml";
    say(
        &mut frame,
        "lsm",
        config,
        "    enable_selinux = true # yes\nx0\n",
    );
    let facts = facts(&frame);
    let lsm = &facts.lsm.get().expect("lsm").value;
    assert_eq!(
        lsm.active.get().expect("seen").value.as_ref().map(Vec::len),
        Some(4)
    );
    assert_eq!(
        lsm.lockdown
            .get()
            .expect("seen")
            .value
            .as_ref()
            .map(ToString::to_string),
        Some("integrity".to_owned())
    );
    assert!(lsm.apparmor.get().expect("seen").value);
    let known = &lsm.profiles.get().expect("seen").value;
    assert_eq!((known.enforce, known.complain, known.other), (1, 1, 1));
    assert_eq!(
        known
            .find("cri-containerd.apparmor.d")
            .expect("a runtime's")
            .mode,
        "complain"
    );
    assert!(known.find("a b (c)").is_none(), "nobody asks for it");
    assert_eq!(lsm.selinux.enforce.get().expect("seen").value, Some(false));
    let configured = &lsm.selinux.configured.get().expect("seen").value;
    assert_eq!(
        configured.as_ref().map(ToString::to_string),
        Some("enforcing".to_owned())
    );
    assert_eq!(
        lsm.runtime.get().expect("containerd").value.selinux,
        Some(true)
    );
}

#[test]
fn network_and_clock() {
    let facts = facts(&frame("kubeadm-cp-v2.txt"));
    let firewall = &facts.firewall.get().expect("root sees it").value;
    assert_eq!(firewall.inputs.len(), 1);
    let input = &firewall.inputs[0];
    assert_eq!(
        (input.family.as_str(), input.drops, input.opaque),
        ("ip", false, false)
    );
    assert!(input.ports.is_empty());
    let cni = &facts.cni.get().expect("seen").value;
    assert_eq!(cni.len(), 1);
    let file = &cni[0].files.get().expect("listed").value[0];
    assert_eq!(file.path, "/etc/cni/net.d/10-bridge.conflist");
    let walk = file.walk(&facts.paths, Locator::new(Need::Cni, 0));
    assert_eq!(walk.object().expect("reached").stat.mode, Mode::new(0o644));
    let types = &file.types.get().expect("read").value;
    assert_eq!(
        types.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["bridge", "host-local"]
    );
    let timeline = &facts.timeline.get().expect("seen").value;
    assert_eq!(
        (timeline.clock, timeline.journal),
        (Clock::Untold, Journal::Absent)
    );
}

/// What a login without rights cannot see is a gap; much of it any login can.
#[test]
fn a_login_without_rights() {
    let facts = facts(&frame("kubeadm-cp-v2-nobody.txt"));
    let etcd = process(&facts, "etcd");
    assert!(etcd.rights.is_seen() && etcd.root_read_only.is_seen());
    assert!(denied(&etcd.exe.get().expect_err("hidden")));
    assert!(denied(&facts.firewall.get().expect_err("hidden")));
    for listener in &facts.listeners.get().expect("ports are seen").value {
        assert!(denied(&listener.owner.get().expect_err("hidden")));
    }
}

/// The answer of a collector of version 1: what it knew is there, the rest says what to install.
#[test]
fn an_older_collector_is_outdated_and_not_wrong() {
    let facts = facts(&frame("kubeadm-cp.txt"));
    let outdated = |gap: Gap| matches!(gap, Gap::CollectorOutdated { .. });
    assert!(outdated(facts.processes.get().expect_err("not asked for")));
    assert!(outdated(facts.lsm.get().expect_err("not asked for")));
    let listeners = &facts.listeners.get().expect("ports are there").value;
    assert!(
        listeners
            .iter()
            .all(|listener| listener.owner.get().is_err_and(outdated))
    );
}

#[test]
fn garbled_answers_claim_nothing() {
    let mut broken = frame("kubeadm-cp-v2.txt");
    say(
        &mut broken,
        "processes",
        "status",
        "454 Uid:\t0\t0\t0\t0\n454 CapEff:\tzz\nx0\n",
    );
    say(&mut broken, "processes", "roots", "454 maybe\nx0\n");
    let found = facts(&broken);
    let etcd = process(&found, "etcd");
    assert!(etcd.rights.get().is_err() && etcd.root_read_only.get().is_err());
    for (section, name) in [("processes", "cgroups"), ("processes", "starts")] {
        let mut broken = frame("kubeadm-cp-v2.txt");
        say(&mut broken, section, name, "cut off");
        assert!(facts(&broken).processes.get().is_err());
    }
    let mut broken = frame("kubeadm-cp-v2.txt");
    say(&mut broken, "firewall", "nft ip filter", "x124\n");
    assert!(facts(&broken).firewall.get().is_err());
    value(
        &mut broken,
        "lsm",
        "/sys/module/apparmor/parameters/enabled",
        "perhaps",
    );
    assert!(
        facts(&broken)
            .lsm
            .get()
            .expect("lsm")
            .value
            .apparmor
            .get()
            .is_err()
    );
}

/// What a command or a file said, with the status of its command.
fn said(frame: &mut Frame, section: &str, name: &str) -> String {
    let records = records(frame, section);
    let found = records.iter().find(|record| {
        let name_is = |field: &Vec<u8>| field == name.as_bytes();
        record.fields.first().is_some_and(name_is)
    });
    String::from_utf8_lossy(&found.expect("said").fields[1]).into_owned()
}

fn refuse(frame: &mut Frame, section: &str, name: &str, word: &str) {
    let records = records(frame, section);
    records.retain(|record| {
        let name_is = |field: &Vec<u8>| field == name.as_bytes();
        !record.fields.first().is_some_and(name_is)
    });
    records.push(Record {
        kind: "Y".to_owned(),
        fields: vec![name.into(), word.into()],
    });
}

/// A process of a pod, or of anybody, that has the name of a component is none of the node's.
#[test]
fn a_name_alone_makes_no_component() {
    let whole = frame("kubeadm-cp-v2.txt");
    let runs = |frame: &Frame, comm: &str| {
        let facts = facts(frame);
        let all = &facts.processes.get().expect("processes").value;
        all.list.iter().any(|process| process.comm == comm)
    };
    let pid = process(&facts(&whole), "kubelet").pid;
    assert!(runs(&whole, "kubelet"));
    let mut listed = whole.clone();
    say(&mut listed, "processes", "places", "x1\n");
    assert!(runs(&listed, "kubelet"));
    let place = format!("{pid} 0::/kubepods.slice/kubepods-pod1.slice/a\nx0\n");
    say(&mut listed, "processes", "places", &place);
    assert!(!runs(&listed, "kubelet"));
    let mut anybody = whole.clone();
    let status = said(&mut anybody, "processes", "status");
    let root = format!("{pid} Uid:\t0\t0\t0\t0");
    assert!(status.contains(&root));
    let status = status.replace(&root, &format!("{pid} Uid:\t1000\t1000\t1000\t1000"));
    say(&mut anybody, "processes", "status", &status);
    assert!(!runs(&anybody, "kubelet"));
    let mut many = whole;
    value(&mut many, "processes", "more", "components");
    assert!(facts(&many).processes.get().expect("processes").value.more);
}

#[test]
fn an_absent_list_of_profiles_is_no_empty_one() {
    const ENABLED: &str = "/sys/module/apparmor/parameters/enabled";
    const PROFILES: &str = "/sys/kernel/security/apparmor/profiles";
    let mut frame = frame("kubeadm-cp-v2.txt");
    refuse(&mut frame, "lsm", PROFILES, "absent");
    value(&mut frame, "lsm", ENABLED, "N");
    let profiles = |frame: &Frame| facts(frame).lsm.get().expect("lsm").value.profiles.clone();
    assert!(profiles(&frame).is_seen());
    value(&mut frame, "lsm", ENABLED, "Y");
    assert!(!profiles(&frame).is_seen());
}

/// What was asked for and did not come is not as if it were not there.
#[test]
fn what_did_not_come_is_said() {
    let mut frame = frame("files-cp.txt");
    say(&mut frame, "disks", "df /var/lib/etcd", "x124\n");
    say(&mut frame, "file_watches", "auditctl -l", "x124\n");
    say(
        &mut frame,
        "file_watches",
        "/etc/audit/rules.d/a.rules",
        "x2\n",
    );
    let long = "1.0 n kubelet[1]: Pod admission denied\n".repeat(1700);
    let long = &long[long.len() - 64_997..];
    say(&mut frame, "kubelet_log", "journal", &format!("{long}x0\n"));
    say(&mut frame, "backups", "systemctl list-timers", "x124\n");
    let cron = "/etc/crontab:0 1 * * * root etcdctl snapshot save /a\n".repeat(61);
    say(&mut frame, "backups", "cron", &format!("{cron}x0\n"));
    let host = facts(&frame);
    let disks = &host.disks.get().expect("others came").value;
    let etcd = disks.iter().find(|disk| disk.path == "/var/lib/etcd");
    assert!(etcd.expect("listed").gap.is_some());
    assert!(disks.iter().any(|disk| disk.gap.is_none()));
    assert_eq!(host.file_watches.get().expect("read").value.gaps.len(), 2);
    // Cut by the collector: the first line has lost its beginning, and 200 are far less than all.
    let log = &host.kubelet_log.get().expect("read").value;
    assert!(log.more && log.lines.iter().all(|line| line.at == Some(1)));
    let backups = &host.backups.get().expect("read").value;
    assert_eq!((backups.jobs.len(), backups.list.gaps.len()), (60, 2));
}

#[test]
fn a_kubeconfig_that_was_read_in_part_is_not_known() {
    for word in ["partly", "key"] {
        let mut frame = frame("files-cp.txt");
        let path = "/etc/kubernetes/kubelet.conf";
        let content = |frame: &Frame| {
            let host = facts(frame);
            let all = &host.kubeconfigs.get().expect("read").value.contents;
            let found = all.iter().find(|found| found.path == path);
            found.expect("listed").content.clone()
        };
        assert!(content(&frame).is_seen());
        records(&mut frame, "kubeconfigs").push(Record {
            kind: "U".to_owned(),
            fields: vec![path.into(), word.into()],
        });
        assert!(!content(&frame).is_seen(), "{word}");
    }
}

#[test]
fn a_file_in_the_image_is_not_the_nodes_of_that_name() {
    let mut frame = frame("files-cp.txt");
    let policy = |frame: &Frame| {
        let host = facts(frame);
        let api = &host.api_server_files.get().expect("read").value;
        api.audit_policy.clone()
    };
    assert!(policy(&frame).get().expect("read").value.is_some());
    let manifest = records(&mut frame, "manifests").iter_mut().find(|record| {
        let name = record.fields.first();
        record.kind == "F" && name.is_some_and(|name| name.ends_with(b"/kube-apiserver.yaml"))
    });
    let text = &mut manifest.expect("recorded").fields[1];
    let moved = String::from_utf8_lossy(text).replace("mountPath: /", "mountPath: /host/");
    *text = moved.into_bytes();
    assert!(!policy(&frame).is_seen());
}

#[test]
fn files_of_the_api_server_are_exhibits_without_their_secrets() {
    let mut frame = frame("files-cp.txt");
    let host = facts(&frame);
    let list = &host.api_server_files.get().expect("read").value.list;
    let policy = list
        .files
        .iter()
        .find(|file| file.role == FileRole::AuditPolicy);
    let path = policy.expect("the flag is set").path.to_string();
    let text = "kind: Policy\npassword: geheim\nrules: []\n";
    say(
        &mut frame,
        "api_server_files",
        &path,
        &format!("{text}x0\n"),
    );
    say(
        &mut frame,
        "kubelet_files",
        "systemctl show",
        "Id=kubelet.service\nLoadState=loaded\nActiveState=active\nx0\n",
    );
    let host = facts(&frame);
    let list = &host.api_server_files.get().expect("read").value.list;
    let at = list
        .files
        .iter()
        .position(|file| file.role == FileRole::AuditPolicy);
    let at = u32::try_from(at.expect("listed")).expect("few");
    let name = NodeName::parse("cp-1").expect("a name");
    let mut node = NodeFacts::unknown(name.clone());
    node.host = host.into();
    let mut snapshot = Snapshot::empty(Timestamp::UNIX_EPOCH);
    snapshot.nodes.insert(name.clone(), node.into());
    let show = |need, item| {
        let policy = Policy::default();
        let found = evidence::source(&snapshot, &policy, Some(&name), Locator::new(need, item));
        found.expect("evidence").excerpt.to_string()
    };
    let shown = show(Need::ApiServerFiles, at);
    assert!(
        shown.contains("kind: Policy") && !shown.contains("geheim"),
        "{shown}"
    );
    let shown = show(Need::KubeletFiles, u32::MAX);
    assert!(shown.contains("unit kubelet.service is active"), "{shown}");
}

/// A control plane of kubeadm 1.37: who has signed what each port shows is told by the files beside it.
#[test]
fn ports_show_certificates_and_the_files_tell_whose() {
    let facts = facts(&frame("handshakes-cp.txt"));
    let all = &facts.handshakes.get().expect("asked").value;
    let told: Vec<(String, String, Option<&str>)> = all
        .iter()
        .map(|found| {
            let shown = &found.shown.get().expect("shown").value;
            assert_eq!(shown.protocol.as_str(), "TLSv1.3", "{}", found.place());
            assert_eq!(shown.cipher.as_str(), "TLS_AES_128_GCM_SHA256");
            let signer = shown.signer.as_ref().map(Text::as_str);
            let name = shown.certificate.common_name.to_string();
            let name = name.split('@').next().unwrap_or_default().to_owned();
            (found.place(), name, signer)
        })
        .collect();
    let etcd = Some("/etc/kubernetes/pki/etcd/ca.crt");
    let line = |place: &str, name: &str, signer| (place.to_owned(), name.to_owned(), signer);
    let wanted = [
        line(
            "127.0.0.1:6443",
            "kube-apiserver",
            Some("/etc/kubernetes/pki/ca.crt"),
        ),
        line(
            "127.0.0.1:10250",
            "cp-1",
            Some("/var/lib/kubelet/pki/kubelet.crt"),
        ),
        line("127.0.0.1:2379", "cp-1", etcd),
        line("127.0.0.1:10257", "localhost", None),
        line("127.0.0.1:10259", "localhost", None),
        line("198.51.100.11:2379", "cp-1", etcd),
        line("198.51.100.11:2380", "cp-1", etcd),
    ];
    assert_eq!(told, wanted);
    let at = Locator::new(Need::Handshakes, 0);
    let source = facts.source(at).expect("an exhibit");
    assert!(source.command.as_str().contains("127.0.0.1:6443"));
    assert!(source.excerpt.as_str().contains("issuer CN=kubernetes"));
}

/// A peer is whoever listens there: its words end as facts or gaps.
#[test]
fn a_peer_may_say_what_it_likes() {
    let mut frame = frame("handshakes-cp.txt");
    for record in records(&mut frame, "handshakes") {
        match (record.kind.as_str(), record.fields[0].as_slice()) {
            ("T", b"127.0.0.1:6443") => {
                record.fields[1] = b"TLS\x1b[2J \xff\x00".to_vec();
                record.fields.truncate(2);
            }
            ("T", b"127.0.0.1:10250") => record.fields[1] = vec![b'x'; 100_000],
            ("C", b"127.0.0.1:2379") => record.fields[1] = b"AAAA".to_vec(),
            ("T", b"127.0.0.1:10257") => record.fields[1] = b"(NONE) (NONE)".to_vec(),
            _ => {}
        }
    }
    let facts = facts(&frame);
    let all = &facts.handshakes.get().expect("asked").value;
    let shown = |index: usize| all[index].shown.get().map(|seen| &seen.value);
    assert_eq!(shown(0).expect("shown").protocol.as_str(), r"TLS\x1b[2J");
    assert!(shown(1).expect("shown").protocol.as_str().len() < 100);
    assert!(shown(2).is_err());
    assert_eq!(shown(3).expect("shown").cipher.as_str(), "");
    assert!(serde_json::to_string(&facts.handshakes).is_ok());
}
