//! The kubelet's own files: configuration, credentials, units, program, sockets.

use super::Listing;
use crate::model::fact::{Fact, Locator, Need};
use crate::model::files::{FileRole, KubeletFiles, Unit};
use crate::model::kubelet::{Kubelet, LayerKind};
use crate::model::node::HostFacts;
use crate::model::text::Text;
use crate::model::tree::Branch;
use crate::probes::answer::{Answer, Content};
use crate::probes::identity::booted;
use crate::probes::probe::{Ask, Probe, Reading};

/// Who reaches what decides how the kubelet runs.
pub static PROBE: Probe = Probe {
    need: Need::KubeletFiles,
    what: "configuration, credentials, unit, program and sockets of the kubelet: mode and owner of every name on the way",
    asks: &[Ask::Shell {
        section: "kubelet_files",
        since: 2,
        root: Some("files below /var/lib/kubelet, and the program of the running kubelet"),
        fragment: include_str!("../shell/kubelet_files.sh"),
        read,
    }],
};

/// Units that are kept.
const UNITS: usize = 16;

fn read(answer: &Answer<'_>, _: &Reading<'_>, facts: &mut HostFacts) {
    let mut paths = std::mem::take(&mut facts.paths);
    let mut list = Listing::new(answer, "kubelet_files", Need::KubeletFiles, &mut paths);
    match &facts.kubelet {
        Fact::Seen(seen) => configured(&seen.value, &mut list),
        Fact::Gap(gap) => list.out.gaps.push(gap.clone()),
    }
    list.add_named();
    let list = list.done();
    facts.paths = paths;
    let files = KubeletFiles {
        list,
        units: units(answer),
    };
    facts.kubelet_files = Fact::seen(files, Locator::list(Need::KubeletFiles));
}

/// What the effective configuration names.
fn configured(kubelet: &Kubelet, list: &mut Listing<'_, '_>) {
    for layer in &kubelet.layers {
        let role = match layer.kind {
            LayerKind::File => FileRole::KubeletConfig,
            LayerKind::DropIn => FileRole::KubeletDropIn,
            LayerKind::Defaults | LayerKind::LegacyDefaults | LayerKind::Flag => continue,
        };
        if let Some(origin) = layer.origin.as_ref().filter(|path| is_path(path.as_str())) {
            list.add(role, origin.as_str().as_bytes());
        }
    }
    for (key, role) in [
        ("authentication.x509.clientCAFile", FileRole::ClientCa),
        ("tlsCertFile", FileRole::Certificate),
        ("tlsPrivateKeyFile", FileRole::PrivateKey),
        ("containerRuntimeEndpoint", FileRole::RuntimeSocket),
    ] {
        match kubelet.setting(key) {
            Ok(found) => {
                let value = found.and_then(|(value, _)| Branch::as_str(value));
                let value = value.unwrap_or_default();
                let path = value.strip_prefix("unix://").unwrap_or(value);
                if is_path(path) {
                    list.add(role, path.as_bytes());
                }
            }
            Err(gap) if !list.out.gaps.contains(&gap) => list.out.gaps.push(gap),
            Err(_) => {}
        }
    }
}

fn is_path(path: &str) -> bool {
    path.starts_with('/')
}

/// Units that are loaded, as systemd shows them.
fn units(answer: &Answer<'_>) -> Vec<Unit> {
    let Some(Content::Whole(text)) = answer.content("kubelet_files", "systemctl show", &[0]) else {
        return Vec::new();
    };
    let text = String::from_utf8_lossy(text);
    let booted = booted(answer);
    let blocks = text.split("\n\n");
    let units = blocks.filter_map(|block| unit(block, booted));
    units.take(UNITS).collect()
}

fn unit(block: &str, booted: Option<i64>) -> Option<Unit> {
    let value = |key: &str| {
        let mut lines = block.lines();
        lines.find_map(|line| line.strip_prefix(key)?.strip_prefix('='))
    };
    if value("LoadState") != Some("loaded") {
        return None;
    }
    let since = value("ActiveEnterTimestampMonotonic")
        .and_then(|micros| micros.parse::<i64>().ok())
        .filter(|micros| *micros > 0);
    Some(Unit {
        name: Text::new(value("Id")?),
        active: Text::new(value("ActiveState")?),
        since: since.and_then(|micros| booted?.checked_add(micros / 1_000_000)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_out_of_blocks() {
        let block = "Id=kubelet.service\nLoadState=loaded\nActiveState=active\nActiveEnterTimestampMonotonic=61000000\n";
        let found = unit(block, Some(1000)).expect("loaded");
        assert_eq!(
            (found.name.as_str(), found.active.as_str(), found.since),
            ("kubelet.service", "active", Some(1061))
        );
        assert_eq!(unit("Id=k3s.service\nLoadState=not-found\n", None), None);
        assert_eq!(unit("", Some(1)), None);
        let never = block.replace("61000000", "0");
        assert_eq!(unit(&never, Some(1000)).expect("loaded").since, None);
    }
}
