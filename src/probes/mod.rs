//! What to ask for, and how a reply becomes facts. Pure: no clock, no environment, no file, no async.

mod accounts;
pub(crate) mod answer;
pub mod api;
mod cni;
pub mod collector;
mod files;
mod firewall;
pub mod frame;
mod handshakes;
pub mod identity;
mod kubelet;
mod listeners;
mod lsm;
mod manifest_dir;
mod manifests;
pub mod mask;
pub mod parse;
pub mod probe;
mod processes;
pub mod reports;
pub mod rights;
mod runtime_pods;
mod timeline;

use answer::Answer;
use frame::Frame;
pub(crate) use manifest_dir::steps;
use probe::{Ask, Probe, Reading};

use crate::model::fact::{Fact, Gap, Need};
use crate::model::node::HostFacts;
use crate::model::text::Text;

/// Every probe, in the order in which the collector runs them.
pub const ALL: &[&Probe] = &[
    &identity::PROBE,
    &accounts::PROBE,
    &kubelet::PROBE,
    &listeners::PROBE,
    &manifest_dir::PROBE,
    &manifests::PROBE,
    &runtime_pods::PROBE,
    &files::KUBELET_FILES,
    &files::PKI,
    &files::KUBECONFIGS,
    &files::HOST_PATHS,
    &files::ETCD_FILES,
    &files::API_SERVER_FILES,
    &files::FILE_WATCHES,
    &files::KUBELET_LOG,
    &files::BACKUPS,
    &files::DISKS,
    &processes::PROBE,
    &lsm::PROBE,
    &firewall::PROBE,
    &cni::PROBE,
    &timeline::PROBE,
    &handshakes::PROBE,
    &api::NODE_OBJECT,
    &api::MIRROR_PODS,
    &api::POD_UIDS,
    &api::NAMESPACES,
];

/// Every probe, lists of objects last. Those are asked for only where a check reads them.
pub fn all() -> impl Iterator<Item = &'static Probe> {
    ALL.iter().chain(api::objects::PROBES).copied()
}

/// The facts of a node out of its collector's answer. What a whole section would have brought and did not is a gap.
pub fn read_host(frame: &Frame, reading: &Reading<'_>) -> HostFacts {
    let answer = Answer::new(frame);
    let mut facts = HostFacts {
        at: Some(reading.at),
        via: frame.via.clone(),
        ..HostFacts::default()
    };
    for probe in ALL {
        for ask in probe.asks {
            if let Ask::Shell {
                section,
                since,
                read,
                ..
            } = ask
            {
                match frame.section(section) {
                    Some(_) => read(&answer, reading, &mut facts),
                    None => withhold(probe.need, &missing(frame, section, *since), &mut facts),
                }
            }
        }
    }
    facts
}

/// Why a section is not there.
fn missing(frame: &Frame, section: &str, since: u32) -> Gap {
    if frame.script < since {
        return Gap::CollectorOutdated {
            since: Text::from(since.to_string()),
        };
    }
    frame.cut.clone().unwrap_or_else(|| Gap::Garbled {
        what: Text::from(format!("the answer has no section {section}")),
    })
}

fn withhold(need: Need, gap: &Gap, facts: &mut HostFacts) {
    let gap = gap.clone();
    match need {
        Need::Identity => facts.identity = Fact::Gap(gap),
        Need::Accounts => facts.accounts = Fact::Gap(gap),
        Need::KubeletConfig => facts.kubelet = Fact::Gap(gap),
        Need::Listeners => facts.listeners = Fact::Gap(gap),
        Need::ManifestDir => facts.manifest_dir = Fact::Gap(gap),
        Need::Manifests => facts.manifests = Fact::Gap(gap),
        Need::RuntimePods => facts.runtime_pods = Fact::Gap(gap),
        Need::KubeletFiles => facts.kubelet_files = Fact::Gap(gap),
        Need::Pki => facts.pki = Fact::Gap(gap),
        Need::Kubeconfigs => facts.kubeconfigs = Fact::Gap(gap),
        Need::HostPaths => facts.host_paths = Fact::Gap(gap),
        Need::EtcdFiles => facts.etcd_files = Fact::Gap(gap),
        Need::ApiServerFiles => facts.api_server_files = Fact::Gap(gap),
        Need::FileWatches => facts.file_watches = Fact::Gap(gap),
        Need::KubeletLog => facts.kubelet_log = Fact::Gap(gap),
        Need::Backups => facts.backups = Fact::Gap(gap),
        Need::Disks => facts.disks = Fact::Gap(gap),
        Need::Processes => facts.processes = Fact::Gap(gap),
        Need::Lsm => facts.lsm = Fact::Gap(gap),
        Need::Firewall => facts.firewall = Fact::Gap(gap),
        Need::Cni => facts.cni = Fact::Gap(gap),
        Need::Timeline => facts.timeline = Fact::Gap(gap),
        Need::Handshakes => facts.handshakes = Fact::Gap(gap),
        _ => {}
    }
}
