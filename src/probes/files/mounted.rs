//! Paths of the host that manifests mount into their pods.

use super::{Listing, flags};
use crate::model::fact::{Fact, Locator, Need};
use crate::model::files::FileRole;
use crate::model::node::HostFacts;
use crate::probes::answer::Answer;
use crate::probes::probe::{Ask, Probe, Reading};

/// Who reaches what root's pods read and write.
pub static PROBE: Probe = Probe {
    need: Need::HostPaths,
    what: "paths of the host that manifests mount: kind, mode and owner of every name on the way",
    asks: &[Ask::Shell {
        section: "host_paths",
        since: 2,
        root: Some("manifests, which installers write for root alone"),
        fragment: include_str!("../shell/host_paths.sh"),
        read,
    }],
};

fn read(answer: &Answer<'_>, _: &Reading<'_>, facts: &mut HostFacts) {
    let mut paths = std::mem::take(&mut facts.paths);
    let mut list = Listing::new(answer, "host_paths", Need::HostPaths, &mut paths);
    match &facts.manifests {
        Fact::Gap(gap) => list.out.gaps.push(gap.clone()),
        Fact::Seen(seen) => {
            for manifest in &seen.value {
                let parsed = manifest.get().and_then(|seen| seen.value.pod.get());
                match parsed {
                    Ok(parsed) => {
                        let pod = parsed.value.pod();
                        for (_, path) in pod.into_iter().flat_map(flags::host_paths) {
                            list.add(FileRole::HostPath, path.as_bytes());
                        }
                    }
                    Err(gap) => list.out.gaps.push(gap),
                }
            }
        }
    }
    // What the collector found beside these belongs to no manifest that the kubelet loads.
    let list = list.done();
    facts.paths = paths;
    facts.host_paths = Fact::seen(list, Locator::list(Need::HostPaths));
}
