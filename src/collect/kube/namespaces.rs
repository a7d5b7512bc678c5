//! Namespaces: always told as one, since checks ask which ones do not exist.

use std::collections::BTreeMap;

use crate::model::cluster::Namespace;
use crate::model::fact::Gap;
use crate::model::link::{ObjectDelta, Update};
use crate::model::text::Text;
use crate::probes::api::namespaces;

use super::listing::{Kind, Turn};

/// The namespaces of the cluster.
#[derive(Default)]
pub(super) struct Namespaces {
    known: BTreeMap<Text, Namespace>,
    listing: BTreeMap<Text, Namespace>,
    /// Objects of this list without a usable name.
    unread: usize,
    changed: bool,
}

impl Namespaces {
    fn tell(&mut self) -> Vec<Update> {
        self.changed = false;
        let outcome = if self.unread == 0 {
            Ok(self.known.values().cloned().collect())
        } else {
            // "Does not exist" must not be concluded from a list with holes.
            Err(Gap::Garbled {
                what: format!("{} namespaces without a usable name", self.unread).into(),
            })
        };
        vec![Update::Object(ObjectDelta::Namespaces(outcome))]
    }
}

impl Kind for Namespaces {
    fn resource(&self) -> &'static str {
        "namespaces"
    }

    fn path(&self) -> String {
        namespaces::PATH.to_owned()
    }

    fn restart(&mut self) -> Vec<Update> {
        self.listing.clear();
        self.unread = 0;
        Vec::new()
    }

    fn page(&mut self, body: &[u8]) -> Result<Turn, Gap> {
        let page = namespaces::page(body)?;
        self.unread += page.unread;
        let named = page.items.into_iter().map(|item| (item.name.clone(), item));
        self.listing.extend(named);
        Ok(Turn {
            updates: Vec::new(),
            version: page.version,
            next: page.next,
        })
    }

    fn listed(&mut self, _: Option<(Gap, usize)>) -> Vec<Update> {
        self.known = std::mem::take(&mut self.listing);
        self.tell()
    }

    fn failed(&mut self, gap: Gap) -> Vec<Update> {
        vec![Update::Object(ObjectDelta::Namespaces(Err(gap)))]
    }

    fn event(&mut self, object: &str, gone: bool) -> Result<(Vec<Update>, String), Gap> {
        let (namespace, version) = namespaces::one(object)?;
        if let Some(namespace) = namespace {
            self.changed |= if gone {
                self.known.remove(&namespace.name).is_some()
            } else {
                let name = namespace.name.clone();
                self.known.insert(name, namespace.clone()).as_ref() != Some(&namespace)
            };
        }
        Ok((Vec::new(), version))
    }

    fn settled(&mut self) -> Vec<Update> {
        if self.changed {
            self.tell()
        } else {
            Vec::new()
        }
    }
}
