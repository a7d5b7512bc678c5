//! A node with one fact less, for the tests that hold `needs` and `helps` of checks to the truth.

use std::sync::Arc;

use super::NodeFacts;
use crate::model::fact::{Fact, Need};

impl NodeFacts {
    /// The same node with one fact taken away, for the tests that hold `needs` and `helps` to the truth.
    #[must_use]
    pub fn withhold(&self, need: Need) -> Self {
        let mut node = self.clone();
        let host = Arc::make_mut(&mut node.host);
        let api = Arc::make_mut(&mut node.api);
        match need {
            Need::Identity => host.identity = Fact::default(),
            Need::Accounts => host.accounts = Fact::default(),
            Need::KubeletConfig => host.kubelet = Fact::default(),
            Need::Listeners => host.listeners = Fact::default(),
            Need::ManifestDir => host.manifest_dir = Fact::default(),
            Need::Manifests => host.manifests = Fact::default(),
            Need::RuntimePods => host.runtime_pods = Fact::default(),
            Need::Processes => host.processes = Fact::default(),
            Need::Lsm => host.lsm = Fact::default(),
            Need::Firewall => host.firewall = Fact::default(),
            Need::Cni => host.cni = Fact::default(),
            Need::Timeline => host.timeline = Fact::default(),
            Need::Handshakes => host.handshakes = Fact::default(),
            Need::NodeObject => api.object = Fact::default(),
            Need::MirrorPods => api.mirrors = Fact::default(),
            Need::PodUids => {
                api.pods = Fact::default();
                api.gone = Vec::new();
            }
            Need::KubeletFiles => host.kubelet_files = Fact::default(),
            Need::Pki => host.pki = Fact::default(),
            Need::Kubeconfigs => host.kubeconfigs = Fact::default(),
            Need::HostPaths => host.host_paths = Fact::default(),
            Need::EtcdFiles => host.etcd_files = Fact::default(),
            Need::ApiServerFiles => host.api_server_files = Fact::default(),
            Need::FileWatches => host.file_watches = Fact::default(),
            Need::KubeletLog => host.kubelet_log = Fact::default(),
            Need::Backups => host.backups = Fact::default(),
            Need::Disks => host.disks = Fact::default(),
            _ => {}
        }
        node
    }
}
