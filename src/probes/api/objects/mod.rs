//! Lists of objects beside nodes, pods and namespaces: how each kind is asked for, and how it is folded.
//!
//! Lives here: the table of kinds, the fold of pages and events into one sorted list, and trimmed shapes with
//! exactly the fields that are kept. Never lives here: a connection, a retry.

mod addons;
mod admission;
mod asks;
mod limits;
mod network;
mod policies;
mod rights;
mod routes;
mod table;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::model::fact::{Fact, Gap, Locator, Need};
use crate::model::objects::{List, Named, Objects};
use crate::model::text::Text;

use super::list::{List as Items, or_default};
use super::{LONGEST_NAME, field, garbled};

pub use asks::PROBES;
pub use table::fold;

/// A server that invents objects for ever is stopped here.
const MOST: usize = 200_000;
/// Parts of one object (ports, rules, subjects) beyond this are not kept.
const PARTS: usize = 256;
/// Labels of one selector beyond this are not kept.
const LABELS: usize = 1000;

/// `metadata` as far as any kind needs it.
#[derive(Debug, Default, Deserialize)]
struct Meta {
    #[serde(default)]
    name: String,
    #[serde(default)]
    namespace: String,
    #[serde(default, rename = "resourceVersion")]
    version: String,
    #[serde(default, deserialize_with = "or_default")]
    labels: BTreeMap<String, String>,
}

/// The JSON of one kind, trimmed.
trait Shape: DeserializeOwned {
    /// What is kept of it.
    type Kept: Named + Clone + PartialEq + Send + Sync + 'static;

    fn meta(&self) -> &Meta;

    /// None where it cannot be kept within bounds.
    fn keep(self) -> Option<Self::Kept>;
}

/// How one kind is asked for.
struct Source<T: 'static> {
    need: Need,
    /// As RBAC names it.
    resource: &'static str,
    /// From the newest version of the API down.
    paths: &'static [&'static str],
    /// Most of these objects is never read: only their metadata is asked for.
    metadata_only: bool,
    place: fn(&mut Objects) -> &mut List<T>,
}

/// One kind while it is listed and watched.
pub trait Fold: Send + Sync {
    fn need(&self) -> Need;

    fn resource(&self) -> &'static str;

    /// From the newest version of the API down; where the server knows none, there are no such objects.
    fn paths(&self) -> &'static [&'static str];

    fn metadata_only(&self) -> bool;

    /// A list begins.
    fn restart(&mut self);

    /// A page of it; its version, and the token for the next one.
    ///
    /// # Errors
    /// [`Gap::Garbled`] where it is no list of this kind, or an endless one.
    fn page(&mut self, body: &[u8]) -> Result<(String, Option<String>), Gap>;

    /// The list is complete.
    fn listed(&mut self);

    /// An object of a watch; its version.
    ///
    /// # Errors
    /// [`Gap::Garbled`] where it is none of this kind.
    fn event(&mut self, object: &str, gone: bool) -> Result<String, Gap>;

    /// The list to tell of, where it changed since it was told last.
    fn changed(&mut self) -> Option<Box<Objects>>;

    /// What to tell of a list that cannot be read.
    fn failed(&self, gap: Gap) -> Box<Objects>;
}

/// The fold of one kind.
struct Many<S: Shape> {
    source: &'static Source<S::Kept>,
    known: BTreeMap<(String, Text), S::Kept>,
    listing: BTreeMap<(String, Text), S::Kept>,
    /// Objects of the list without a usable name, or too large to be kept.
    unread: usize,
    changed: bool,
}

impl<S: Shape> Many<S> {
    fn boxed(source: &'static Source<S::Kept>) -> Box<dyn Fold>
    where
        S: Send + 'static,
    {
        Box::new(Self {
            source,
            known: BTreeMap::new(),
            listing: BTreeMap::new(),
            unread: 0,
            changed: false,
        })
    }

    fn of(&self, list: List<S::Kept>) -> Box<Objects> {
        let mut objects = Box::<Objects>::default();
        *(self.source.place)(&mut objects) = list;
        objects
    }
}

/// Where an object is, also of a kind whose facts leave the namespace out.
fn place(meta: &Meta) -> (String, Text) {
    (field(&meta.namespace).to_string(), field(&meta.name))
}

fn usable(meta: &Meta) -> bool {
    (1..=LONGEST_NAME).contains(&meta.name.len()) && meta.namespace.len() <= LONGEST_NAME
}

impl<S: Shape + Send + 'static> Fold for Many<S> {
    fn need(&self) -> Need {
        self.source.need
    }

    fn resource(&self) -> &'static str {
        self.source.resource
    }

    fn paths(&self) -> &'static [&'static str] {
        self.source.paths
    }

    fn metadata_only(&self) -> bool {
        self.source.metadata_only
    }

    fn restart(&mut self) {
        self.listing.clear();
        self.unread = 0;
    }

    fn page(&mut self, body: &[u8]) -> Result<(String, Option<String>), Gap> {
        let what = || format!("list of {}", self.source.resource);
        let list: Items<S> =
            serde_json::from_slice(body).map_err(|error| garbled(&what(), &error))?;
        for item in list.items {
            let place = place(item.meta());
            let kept = usable(item.meta()).then(|| item.keep()).flatten();
            match kept {
                Some(kept) => {
                    self.listing.insert(place, kept);
                }
                None => self.unread += 1,
            }
        }
        if self.listing.len() > MOST {
            return Err(Gap::Garbled {
                what: format!("{}: more than {MOST}", what()).into(),
            });
        }
        let page = list.metadata.page(Vec::<()>::new(), 0);
        Ok((page.version, page.next))
    }

    fn listed(&mut self) {
        self.known = std::mem::take(&mut self.listing);
        self.changed = true;
    }

    fn event(&mut self, object: &str, gone: bool) -> Result<String, Gap> {
        let read: S =
            serde_json::from_str(object).map_err(|error| garbled(self.source.resource, &error))?;
        let version = read.meta().version.clone();
        if !usable(read.meta()) {
            return Ok(version);
        }
        let place = place(read.meta());
        if gone {
            self.changed |= self.known.remove(&place).is_some();
        } else if let Some(kept) = read.keep() {
            let before = self.known.insert(place, kept.clone());
            self.changed |= before != Some(kept);
        } else {
            self.known.remove(&place);
            self.unread += 1;
            self.changed = true;
        }
        Ok(version)
    }

    fn changed(&mut self) -> Option<Box<Objects>> {
        if !std::mem::take(&mut self.changed) {
            return None;
        }
        let Source { need, resource, .. } = self.source;
        // "There is none" must not be concluded from a list with holes.
        let list = if self.unread > 0 {
            Fact::Gap(Gap::Garbled {
                what: format!(
                    "{} {resource} without a usable name, or too large",
                    self.unread
                )
                .into(),
            })
        } else {
            let all = self.known.values().cloned().collect();
            Fact::seen(Arc::new(all), Locator::list(*need))
        };
        Some(self.of(list))
    }

    fn failed(&self, gap: Gap) -> Box<Objects> {
        self.of(Fact::Gap(gap))
    }
}

/// Texts of a list, as many as are kept.
fn texts(raw: &[String]) -> Box<[Text]> {
    raw.iter().take(PARTS).map(|text| field(text)).collect()
}

/// A number or a name, as it is written.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum IntOrString {
    Int(i64),
    String(String),
}

impl Default for IntOrString {
    fn default() -> Self {
        Self::Int(0)
    }
}

impl IntOrString {
    /// Empty for 0.
    fn text(&self) -> Text {
        match self {
            Self::Int(0) => Text::default(),
            Self::Int(number) => Text::from(number.to_string()),
            Self::String(name) => field(name),
        }
    }
}

#[cfg(test)]
mod tests;
