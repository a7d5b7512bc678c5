//! What a node's answer tells that does not change from one run to the next, in lines.

use stakeout::model::Timestamp;
use stakeout::model::fact::{Fact, Locator, Need};
use stakeout::model::files::Files;
use stakeout::model::node::HostFacts;
use stakeout::model::pod::Parsed;
use stakeout::model::text::Text;
use stakeout::probes::frame::FrameReader;
use stakeout::probes::mask::Masker;
use stakeout::probes::probe::Reading;
use stakeout::probes::{collector, read_host};

pub const NONCE: &str = "0123456789abcdef0123456789abcdef";

/// Every distribution with a shell, by the name of its script and of its recorded answer.
pub const ALL: [&str; 14] = [
    "aks",
    "bottlerocket",
    "eks",
    "gke",
    "k0s",
    "k3s",
    "kind",
    "kops",
    "kubeadm",
    "kubespray",
    "microk8s",
    "minikube",
    "openshift",
    "rke2",
];

/// Reads an answer, which must be whole.
///
/// # Errors
/// Why it is not.
pub fn facts(answer: &[u8]) -> Result<HostFacts, String> {
    let mut reader = FrameReader::new(NONCE, collector::section_count());
    reader.push(answer);
    let frame = reader.finish().map_err(|gap| gap.to_string())?;
    if !frame.complete {
        return Err(format!("cut: {:?}", frame.cut));
    }
    let masker = Masker::new([7; 32]);
    let reading = Reading {
        at: Timestamp::UNIX_EPOCH,
        masker: &masker,
    };
    Ok(read_host(&frame, &reading))
}

/// Where everything lies: the kubelet, its layers, its static pods, and files with their roles.
pub fn places(host: &HostFacts) -> Vec<String> {
    let mut out = Vec::new();
    if let Fact::Seen(seen) = &host.identity {
        out.push(format!("node {} {}", seen.value.hostname, seen.value.os));
    }
    kubelet(host, &mut out);
    pods(host, &mut out);
    let lists = [
        (
            "kubelet",
            host.kubelet_files.get().map(|seen| &seen.value.list),
        ),
        ("pki", host.pki.get().map(|seen| &seen.value.list)),
        (
            "kubeconfigs",
            host.kubeconfigs.get().map(|seen| &seen.value.list),
        ),
        ("etcd", host.etcd_files.get().map(|seen| &seen.value.list)),
        ("backups", host.backups.get().map(|seen| &seen.value.list)),
        (
            "api server",
            host.api_server_files.get().map(|seen| &seen.value.list),
        ),
    ];
    for (name, list) in lists {
        match list {
            Ok(list) => files(host, name, list, &mut out),
            Err(gap) => out.push(format!("{name} gap {gap}")),
        }
    }
    out
}

fn kubelet(host: &HostFacts, out: &mut Vec<String>) {
    let kubelet = match host.kubelet.get() {
        Ok(seen) => &seen.value,
        Err(gap) => return out.push(format!("kubelet gap {gap}")),
    };
    if let Some(process) = &kubelet.process {
        let words: Vec<&str> = process.command.iter().map(Text::as_str).collect();
        out.push(format!("process {}", words.join(" ")));
    }
    for layer in &kubelet.layers {
        let origin = layer.origin.as_ref().map(Text::as_str);
        let gap = layer.gap.as_ref().map(|gap| format!(" gap {gap}"));
        let gap = gap.unwrap_or_default();
        out.push(format!(
            "layer {:?} {}{gap}",
            layer.kind,
            origin.unwrap_or("-")
        ));
    }
    for key in [
        "staticPodPath",
        "staticPodURL",
        "readOnlyPort",
        "authentication.anonymous.enabled",
        "authorization.mode",
    ] {
        out.push(match kubelet.setting(key) {
            Ok(Some((value, layer))) => {
                format!("{key} {} {:?}", serde_json::Value::from(value), layer.kind)
            }
            Ok(None) => format!("{key} -"),
            Err(gap) => format!("{key} gap {gap}"),
        });
    }
}

fn pods(host: &HostFacts, out: &mut Vec<String>) {
    match host.manifest_dir.get().map(|seen| &seen.value) {
        Ok(Some(dir)) => {
            let found = dir
                .walk
                .object()
                .map(|hop| format!("{} {}:{}", hop.stat.mode, hop.stat.uid, hop.stat.gid));
            let found = found.unwrap_or_else(|| format!("{:?}", dir.walk.end));
            out.push(format!("folder {} {found}", dir.path));
        }
        Ok(None) => out.push("folder none".to_owned()),
        Err(gap) => out.push(format!("folder gap {gap}")),
    }
    for manifest in host
        .manifests
        .get()
        .map(|seen| seen.value.as_slice())
        .unwrap_or_default()
    {
        let Ok(seen) = manifest.get() else { continue };
        let manifest = &seen.value;
        if let Ok(Parsed::Pod { pod, .. }) = manifest.pod.get().map(|seen| &seen.value) {
            let images = pod
                .containers()
                .filter_map(|(_, one)| one.get("image")?.as_str())
                .collect::<Vec<_>>();
            out.push(format!(
                "manifest {} {}/{} {}",
                manifest.file,
                pod.namespace,
                pod.name,
                images.join(" ")
            ));
        } else {
            out.push(format!("manifest {} is no pod", manifest.file));
        }
    }
}

fn files(host: &HostFacts, name: &str, list: &Files, out: &mut Vec<String>) {
    const AT: Locator = Locator::new(Need::Pki, 0);
    for file in &list.files {
        let walk = file.walk(&host.paths, AT);
        let found = match walk.object() {
            Some(hop) => format!("{} {}:{}", hop.stat.mode, hop.stat.uid, hop.stat.gid),
            None => format!("{:?}", walk.end),
        };
        out.push(format!("{name} {:?} {} {found}", file.role, file.path));
    }
    out.extend(list.gaps.iter().map(|gap| format!("{name} gap {gap}")));
}
