//! The collector's script to the letter, and what becomes of a node's answer.

use std::path::PathBuf;

use serde_json::Value;
use stakeout::checks::provenance;
use stakeout::disk;
use stakeout::model::Timestamp;
use stakeout::model::fact::{Fact, Gap};
use stakeout::model::node::HostFacts;
use stakeout::model::pod::Parsed;
use stakeout::model::unix::{Mode, Uid, WalkEnd};
use stakeout::probes::frame::FrameReader;
use stakeout::probes::mask::Masker;
use stakeout::probes::probe::Reading;
use stakeout::probes::{collector, read_host};

fn fixture(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(name)
}

/// An installed collector is held to its digest by sudo: a byte that changes without a reason locks nodes out.
#[test]
fn the_script_changes_only_on_purpose() {
    let path = fixture("collector.sh");
    let script = collector::script();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        disk::write(&path, |out| out.write_all(script.as_bytes())).expect("the fixture is written");
    }
    let kept = disk::read_text(&path, 1 << 20).unwrap_or_default();
    assert!(
        kept == script,
        "the collector's script has changed: raise probes::collector::VERSION if it was ever released, \
         then run UPDATE_DOCS=1 cargo test --test it collector"
    );
}

/// The answer of a node of kubeadm 1.37, recorded.
pub fn recorded(name: &str) -> HostFacts {
    let text = disk::read(&fixture(&format!("answers/{name}.txt")), 4 << 20).expect("recorded");
    let mut reader = FrameReader::new(
        "0123456789abcdef0123456789abcdef",
        collector::section_count(),
    );
    reader.push(&text);
    let frame = reader.finish().expect("a good answer");
    assert!(frame.complete);
    let masker = Masker::new([7; 32]);
    let reading = Reading {
        at: Timestamp::UNIX_EPOCH,
        masker: &masker,
    };
    read_host(&frame, &reading)
}

/// Each key of a fresh node of kubeadm with the line that set it.
#[test]
fn where_each_key_of_the_kubelet_comes_from() {
    let facts = recorded("kubeadm-cp");
    let kubelet = &facts.kubelet.get().expect("the kubelet").value;
    let rows = provenance::rows(kubelet);
    let place = |key: &str| {
        let row = rows.iter().find(|row| row.key == key);
        row.map(provenance::Row::place).unwrap_or_default()
    };
    let places: Vec<String> = [
        "authentication.x509.clientCAFile",
        "staticPodPath",
        "fileCheckFrequency",
        "podPidsLimit",
        "--config",
    ]
    .iter()
    .map(|key| place(key))
    .collect();
    assert_eq!(
        places,
        [
            "/var/lib/kubelet/config.yaml:9",
            "/var/lib/kubelet/config.yaml:47",
            "default",
            "default",
            "--config on the command line",
        ]
    );
    let zero = rows.iter().find(|row| row.key == "fileCheckFrequency");
    let said: Vec<String> = zero
        .into_iter()
        .flat_map(|row| &row.overridden)
        .map(|weaker| format!("{} {}", weaker.value, weaker.place()))
        .collect();
    assert_eq!(said, [r#""0s" /var/lib/kubelet/config.yaml:25"#]);
    assert!(rows.len() > 60, "{}", rows.len());
    assert!(rows.iter().all(|row| !row.is_legacy_trap()));
}

#[test]
fn a_control_plane_node_as_root() {
    let facts = recorded("kubeadm-cp");
    let identity = &facts.identity.get().expect("identity").value;
    assert_eq!(identity.hostname.as_str(), "cp-1");
    assert_eq!(
        identity.os.as_str(),
        "debian Debian GNU/Linux 12 (bookworm)"
    );
    assert_eq!(identity.uid, 0);
    let accounts = &facts.accounts.get().expect("accounts").value;
    assert_eq!(
        accounts.user(Uid::ROOT).expect("root").name.as_str(),
        "root"
    );
    let ports: Vec<u16> = facts
        .listeners
        .get()
        .expect("listeners")
        .value
        .iter()
        .map(|l| l.port)
        .collect();
    assert!(ports.contains(&10250) && ports.contains(&6443) && !ports.contains(&10255));
}

#[test]
fn its_folder_and_its_manifests() {
    let facts = recorded("kubeadm-cp");
    let dir = facts
        .manifest_dir
        .get()
        .expect("folder")
        .value
        .as_ref()
        .expect("configured");
    assert_eq!(dir.path.as_str(), "/etc/kubernetes/manifests");
    assert_eq!(dir.walk.end, WalkEnd::Reached);
    let hop = dir.walk.object().expect("reached");
    assert_eq!((hop.stat.mode, hop.stat.uid), (Mode::new(0o700), Uid::ROOT));
    assert!(hop.acl.is_seen() && hop.mount.is_seen());
    assert_eq!(dir.entries.get().expect("listed").value.len(), 4);
    let manifests = &facts.manifests.get().expect("manifests").value;
    let names: Vec<&str> = manifests
        .iter()
        .map(|fact| {
            let manifest = &fact.get().expect("read").value;
            assert!(manifest.sha256.is_some());
            let Ok(Parsed::Pod { pod, lines, .. }) = manifest.pod.get().map(|pod| &pod.value)
            else {
                panic!("{:?}", manifest.pod)
            };
            assert_eq!(pod.namespace.as_str(), "kube-system");
            assert!(lines.len() > 20);
            pod.name.as_str()
        })
        .collect();
    assert_eq!(
        names,
        [
            "etcd",
            "kube-apiserver",
            "kube-controller-manager",
            "kube-scheduler"
        ]
    );
}

#[test]
fn its_pods_that_really_run() {
    let facts = recorded("kubeadm-cp");
    let runtime = &facts.runtime_pods.get().expect("pods").value;
    assert!(!runtime.hidepid);
    assert_eq!(runtime.pods.len(), 4);
    for pod in &runtime.pods {
        assert_eq!((pod.pids, pod.uid.as_str().len()), (2, 32));
        assert_eq!(pod.exe.as_ref().expect("a program").as_str(), "pause");
        assert!(pod.log.is_some() && pod.started.is_some());
    }
}

/// What the kubelet says of itself is what we make of its files and flags.
#[test]
fn effective_configuration_is_the_kubelets_own() {
    let facts = recorded("kubeadm-cp");
    let kubelet = &facts.kubelet.get().expect("kubelet").value;
    let text =
        disk::read_text(&fixture("answers/kubeadm-cp-configz.json"), 1 << 20).expect("recorded");
    let own: Value = serde_json::from_str(&text).expect("JSON");
    let mut keys = Vec::new();
    leaves(&own, "", &mut keys);
    let mut compared = 0;
    for (key, value) in keys {
        // Written in by the kubelet at start, or made of other keys and gates, which no check reads.
        const OTHER: &[&str] = &[
            "tls",
            "logging",
            "evictionHard",
            "memorySwap",
            "crashLoopBackOff",
            "imagePullCredentials",
            "oomScoreAdj",
            "cpuCFSQuotaPeriod",
            "resolvConf",
            "serializeImagePulls",
            "mergeDefault",
            "iptables",
            "containerLogM",
            "enforceNodeAllocatable",
            "volumePluginDir",
            "memoryReservationPolicy",
            "shutdown",
            "kind",
            "apiVersion",
            "userNamespaces",
        ];
        if OTHER.iter().any(|other| key.starts_with(other)) {
            continue;
        }
        let (found, _) = kubelet
            .setting(&key)
            .expect("every layer was read")
            .unwrap_or_else(|| panic!("{key} has no value here and {value} there"));
        assert_eq!(Value::from(found), value, "{key}");
        compared += 1;
    }
    assert!(compared > 50, "{compared}");
}

fn leaves(value: &Value, prefix: &str, out: &mut Vec<(String, Value)>) {
    match value {
        Value::Object(map) => {
            for (key, item) in map {
                let key = if prefix.is_empty() {
                    key.clone()
                } else {
                    format!("{prefix}.{key}")
                };
                leaves(item, &key, out);
            }
        }
        value => out.push((prefix.to_owned(), value.clone())),
    }
}

#[test]
fn a_worker_has_an_absent_or_empty_folder() {
    let facts = recorded("kubeadm-worker");
    let dir = facts
        .manifest_dir
        .get()
        .expect("folder")
        .value
        .as_ref()
        .expect("configured");
    assert!(dir.entries.get().expect("listed").value.is_empty());
    assert!(facts.manifests.get().expect("manifests").value.is_empty());
}

/// What a login without rights cannot read is a gap that says so, never an absence.
#[test]
fn a_login_without_rights_knows_less_and_says_so() {
    let facts = recorded("kubeadm-cp-nobody");
    let denied = |gap: Gap| matches!(gap, Gap::Denied { .. });
    let kubelet = &facts.kubelet.get().expect("kubelet").value;
    assert!(kubelet.process.is_some());
    assert!(denied(kubelet.setting("readOnlyPort").expect_err("hidden")));
    assert!(denied(facts.manifest_dir.get().expect_err("hidden")));
    assert!(denied(facts.manifests.get().expect_err("hidden")));
    assert!(facts.listeners.is_seen() && facts.accounts.is_seen() && facts.identity.is_seen());
    let pods = &facts
        .runtime_pods
        .get()
        .expect("cgroups are open to all")
        .value
        .pods;
    assert_eq!(pods.len(), 4);
    assert!(pods.iter().all(|pod| pod.log.is_none()));
}

/// A generator without a crate; the seed is fixed so that a failure can be repeated.
fn random(state: &mut u64) -> usize {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    usize::try_from(*state >> 33).unwrap_or(0)
}

/// Answers that no collector gave: any field of any record lost, doubled, or something else.
#[test]
fn hostile_answers_end_as_facts_or_gaps() {
    for name in ["kubeadm-cp", "files-cp"] {
        hostile_answers(name);
    }
}

fn hostile_answers(name: &str) {
    let text = disk::read(&fixture(&format!("answers/{name}.txt")), 4 << 20).expect("recorded");
    let mut reader = FrameReader::new("0123456789abcdef0123456789abcdef", 7);
    reader.push(&text);
    let good = reader.finish().expect("a good answer");
    let masker = Masker::new([7; 32]);
    let reading = Reading {
        at: Timestamp::UNIX_EPOCH,
        masker: &masker,
    };
    let mut state = 0x5eed;
    for _ in 0..100 {
        let mut frame = good.clone();
        for _ in 0..=random(&mut state) % 6 {
            let section = random(&mut state) % frame.sections.len();
            let records = &mut frame.sections[section].records;
            if records.is_empty() {
                continue;
            }
            let index = random(&mut state) % records.len();
            match random(&mut state) % 5 {
                0 => drop(records.remove(index)),
                1 => records[index].fields.truncate(random(&mut state) % 3),
                2 => {
                    let kind = [
                        "S", "X", "E", "D", "F", "G", "P", "N", "V", "Y", "W", "C", "U",
                    ][random(&mut state) % 13];
                    kind.clone_into(&mut records[index].kind);
                }
                3 => {
                    let copy = records[index].clone();
                    records.push(copy);
                }
                _ => {
                    let fields = &mut records[index].fields;
                    if let Some(field) = fields.last_mut() {
                        let at = random(&mut state) % field.len().max(1);
                        field.insert(
                            at.min(field.len()),
                            b"\n/%:{[\0\x1b\xff"[random(&mut state) % 9],
                        );
                    }
                }
            }
        }
        let facts = read_host(&frame, &reading);
        if let Fact::Seen(dir) = &facts.manifest_dir {
            assert!(dir.value.is_none() || facts.kubelet.is_seen());
        }
    }
}
