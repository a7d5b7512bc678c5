//! Pods, folded into the compact store page by page.

use std::sync::Arc;

use crate::collect::clock::now;
use crate::model::fact::{Gap, Need};
use crate::model::link::{PodDelta, Update};
use crate::probes::api::pods::{self, PodFold};
use crate::probes::mask::Masker;

use super::listing::{Kind, Turn};

/// Where the control plane's mirror pods are.
const FIRST: &str = "kube-system";
/// A server that invents pods for ever is stopped here.
const MOST: usize = 2_000_000;

/// The pods of the cluster, or of the namespaces that may be read.
pub(super) struct Pods {
    fold: PodFold,
    namespaces: Vec<String>,
    /// Pods of this list that cannot be told apart.
    unread: usize,
    seen: usize,
}

impl Pods {
    /// `namespaces`: what to fall back to beside kube-system.
    pub(super) fn new(masker: Arc<Masker>, namespaces: &[String]) -> Self {
        let mut all = vec![FIRST.to_owned()];
        for namespace in namespaces {
            if is_label(namespace) && !all.contains(namespace) {
                all.push(namespace.clone());
            }
        }
        Self {
            fold: PodFold::new(masker),
            namespaces: all,
            unread: 0,
            seen: 0,
        }
    }
}

/// The name goes into a path: an RFC 1123 label and nothing else.
fn is_label(name: &str) -> bool {
    (1..=63).contains(&name.len())
        && name
            .bytes()
            .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
}

impl Kind for Pods {
    fn resource(&self) -> &'static str {
        "pods"
    }

    fn keeps_fresh(&self) -> Option<Need> {
        Some(Need::PodUids)
    }

    fn path(&self) -> String {
        pods::PATH.to_owned()
    }

    fn parts(&self) -> Vec<(String, String)> {
        self.namespaces
            .iter()
            .map(|namespace| (namespace.clone(), pods::namespaced(namespace)))
            .collect()
    }

    fn restart(&mut self) -> Vec<Update> {
        self.fold.restart();
        self.unread = 0;
        self.seen = 0;
        vec![Update::Pods(PodDelta::Relist)]
    }

    fn page(&mut self, body: &[u8]) -> Result<Turn, Gap> {
        let page = self.fold.page(body)?;
        self.unread += page.unread;
        self.seen += page.items.len();
        if self.seen > MOST {
            return Err(Gap::Garbled {
                what: format!("list of pods: more than {MOST}").into(),
            });
        }
        Ok(Turn {
            updates: vec![Update::Pods(PodDelta::Upsert(page.items))],
            version: page.version,
            next: page.next,
        })
    }

    fn listed(&mut self, missing: Option<(Gap, usize)>) -> Vec<Update> {
        let (missing, read) = missing.unzip();
        let read = read.and_then(|read| u32::try_from(read).ok());
        let garbled = (self.unread > 0).then(|| Gap::Garbled {
            what: format!("{} pods without a usable name or uid", self.unread).into(),
        });
        let listed = PodDelta::Listed {
            at: now(),
            missing: missing.or(garbled),
        };
        [PodDelta::Read(read), listed].map(Update::Pods).into()
    }

    fn failed(&mut self, gap: Gap) -> Vec<Update> {
        vec![Update::Pods(PodDelta::Failed(gap))]
    }

    fn event(&mut self, object: &str, gone: bool) -> Result<(Vec<Update>, String), Gap> {
        let (pod, version) = self.fold.one(object)?;
        let delta = pod.map(|pod| {
            if gone {
                PodDelta::Remove(pod.id.namespace, pod.id.name)
            } else {
                PodDelta::Upsert(vec![pod])
            }
        });
        Ok((delta.map(Update::Pods).into_iter().collect(), version))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_namespace_that_is_no_label_never_reaches_a_path() {
        let asked = ["shop", "../secrets", "kube-system", "a b", "", "x/../y"].map(str::to_owned);
        let pods = Pods::new(Arc::new(Masker::new([1; 32])), &asked);
        let names: Vec<_> = pods.parts().into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["kube-system", "shop"]);
    }
}
