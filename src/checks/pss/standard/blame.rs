//! Gathers who is at fault, and what would mend it.

use serde_json::Value;

use super::path::Path;
use super::shape::{Container, Place};
use super::{Violation, words};

/// One field to change so that a control is satisfied.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    pub field: Path,
    pub want: Want,
}

/// What a field has to become.
#[derive(Clone, Debug, PartialEq)]
pub enum Want {
    /// This value, and nothing is lost that the control allows.
    Set(Value),
    /// This value, and a person has to see that the pod still does its work.
    Try(Value, &'static str),
    /// The field has to go.
    Remove,
    /// There is no value that fits every pod.
    Decide(&'static str),
}

/// The parts of a violation while a pod is walked.
#[derive(Default)]
pub(super) struct Blame<'p> {
    pub(super) containers: Vec<&'p str>,
    pub(super) is_pod: bool,
    fields: Vec<Path>,
    changes: Vec<Change>,
}

impl<'p> Blame<'p> {
    /// A container; upstream names it once, however many of its fields are at fault.
    pub(super) fn container(&mut self, container: &Container<'p>) {
        self.containers.push(container.name);
    }

    /// A field at fault, and what it has to become.
    pub(super) fn field(&mut self, field: Path, want: Want) {
        self.fields.push(field.clone());
        self.change(field, want);
    }

    /// A field at fault that is mended elsewhere.
    pub(super) fn missing(&mut self, field: Path) {
        self.fields.push(field);
    }

    pub(super) fn change(&mut self, field: Path, want: Want) {
        self.changes.push(Change { field, want });
    }

    /// The pod or a container by the one field of its security context that is at fault.
    pub(super) fn context(
        &mut self,
        place: Place,
        container: Option<&Container<'p>>,
        tail: &str,
        want: Want,
    ) {
        match container {
            Some(container) => self.container(container),
            None => self.is_pod = true,
        }
        self.field(place.context(tail), want);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// `pod and containers "a", "b"`, as far as they are at fault.
    pub(super) fn setters(&self) -> Vec<String> {
        let pod = self.is_pod.then(|| "pod".to_owned());
        let containers = (!self.containers.is_empty()).then(|| words::containers(&self.containers));
        pod.into_iter().chain(containers).collect()
    }

    /// The violation, unless nothing is at fault.
    pub(super) fn forbidden(
        self,
        reason: &'static str,
        detail: impl FnOnce(&Self) -> String,
    ) -> Option<Violation> {
        if self.is_empty() {
            return None;
        }
        let detail = detail(&self);
        let mut containers: Vec<String> = Vec::new();
        for name in self.containers {
            if !containers.iter().any(|have| have == name) {
                containers.push(name.to_owned());
            }
        }
        Some(Violation {
            id: "",
            reason,
            detail,
            containers,
            fields: self.fields,
            changes: self.changes,
        })
    }
}
