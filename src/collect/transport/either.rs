//! libssh2 where it can, the system's `ssh` where it has to: the node's configuration says so, or libssh2 does.

use std::sync::Arc;

use crate::collect::options::Place;
use crate::model::fact::{FaultClass, Gap};
use crate::model::hostkey::ShownKey;
use crate::model::name::NodeName;
use crate::probes::frame::Frame;

use super::openssh::OpenSsh;
use super::ssh2::Ssh2;
use super::{Client, Collect, Ctl, NodeRef, Transport};

/// Both clients.
#[derive(Clone)]
pub struct Either {
    ssh2: Ssh2,
    openssh: OpenSsh,
}

impl Either {
    /// # Errors
    /// Where no thread or no descriptor is left.
    pub fn new(place: &Place) -> std::io::Result<Self> {
        Ok(Self {
            ssh2: Ssh2::new()?,
            openssh: OpenSsh::new(place)?,
        })
    }

    /// Lines of known_hosts files that could not be used, each once a reading.
    pub fn complaints(&self) -> Vec<String> {
        self.ssh2.complaints()
    }

    /// The key at which the last way to a node ended, where a person may trust it; asked once. The system's `ssh`
    /// shows none.
    pub fn shown(&self, node: &NodeName) -> Option<Arc<ShownKey>> {
        self.ssh2.shown(node)
    }
}

impl Transport for Either {
    fn run(&mut self, node: &NodeRef, job: &Collect, ctl: &Ctl<'_>) -> Result<Frame, Gap> {
        if let Client::OpenSsh(_) = node.client {
            return self.openssh.run(node, job, ctl);
        }
        match self.ssh2.run(node, job, ctl) {
            Err(Gap::Node {
                class: FaultClass::NeedsSystemSsh,
                detail,
            }) => self
                .openssh
                .run(node, job, ctl)
                .map_err(|gap| other(gap, detail.as_str())),
            outcome => outcome,
        }
    }
}

/// Both have failed: the second's fault, with what the first one had to say.
fn other(gap: Gap, first: &str) -> Gap {
    match gap {
        Gap::Node { class, detail } => Gap::Node {
            class,
            detail: format!("{detail}; before that without OpenSSH: {first}").into(),
        },
        gap => gap,
    }
}
