//! Every other kind of object: listed, watched, and told as one list whenever it changed.

use crate::checks;
use crate::model::fact::{Gap, Need};
use crate::model::link::{ObjectDelta, Update};
use crate::model::objects::Objects;
use crate::probes::api::objects::{Fold, fold};

use super::listing::{Kind, Older, Turn};

/// One kind, whichever it is.
pub(super) struct Folded {
    fold: Box<dyn Fold>,
    /// Which of its paths is asked.
    version: usize,
}

/// The kinds that some check reads.
pub(super) fn asked() -> impl Iterator<Item = Folded> {
    let needs = Need::ALL.iter().filter(|need| checks::read(**need));
    needs.filter_map(|need| Some(Folded::new(fold(*need)?)))
}

impl Folded {
    pub(super) fn new(fold: Box<dyn Fold>) -> Self {
        Self { fold, version: 0 }
    }

    fn update(&self, objects: Box<Objects>) -> Update {
        Update::Object(ObjectDelta::Objects(self.fold.need(), objects))
    }

    fn tell(&mut self) -> Vec<Update> {
        let changed = self.fold.changed();
        changed
            .map(|objects| self.update(objects))
            .into_iter()
            .collect()
    }
}

impl Kind for Folded {
    fn resource(&self) -> &'static str {
        self.fold.resource()
    }

    fn metadata_only(&self) -> bool {
        self.fold.metadata_only()
    }

    fn older(&mut self) -> Older {
        self.version += 1;
        if self.version < self.fold.paths().len() {
            return Older::Ask;
        }
        self.version = 0;
        Older::Absent
    }

    fn path(&self) -> String {
        let paths = self.fold.paths();
        paths.get(self.version).map_or("/", |path| *path).to_owned()
    }

    fn restart(&mut self) -> Vec<Update> {
        self.fold.restart();
        Vec::new()
    }

    fn page(&mut self, body: &[u8]) -> Result<Turn, Gap> {
        let (version, next) = self.fold.page(body)?;
        Ok(Turn {
            updates: Vec::new(),
            version,
            next,
        })
    }

    fn listed(&mut self, _: Option<(Gap, usize)>) -> Vec<Update> {
        self.fold.listed();
        self.tell()
    }

    fn failed(&mut self, gap: Gap) -> Vec<Update> {
        vec![self.update(self.fold.failed(gap))]
    }

    fn event(&mut self, object: &str, gone: bool) -> Result<(Vec<Update>, String), Gap> {
        let version = self.fold.event(object, gone)?;
        Ok((Vec::new(), version))
    }

    fn settled(&mut self) -> Vec<Update> {
        self.tell()
    }
}
