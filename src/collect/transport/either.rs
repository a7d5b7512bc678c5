//! libssh2 where it can, the system's `ssh` where it has to: the node's configuration says so, or libssh2 does.

use std::sync::Arc;

use crate::collect::asking::Asking;
use crate::collect::options::Options;
use crate::model::ask::QuestionId;
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
    detour: Option<String>,
}

impl Either {
    /// # Errors
    /// Where no thread or no descriptor is left.
    pub fn new(options: &Options, asking: Arc<Asking>) -> std::io::Result<Self> {
        Ok(Self {
            ssh2: Ssh2::bounded(asking, &options.bounds)?,
            openssh: OpenSsh::trusting(&options.place, options.own_known_hosts.as_deref())?,
            detour: None,
        })
    }

    /// What there is to say that belongs to no single node: bad lines of known_hosts files, bastions left alone.
    pub fn complaints(&self) -> Vec<String> {
        self.ssh2.complaints()
    }

    /// The key at which the last way to a node ended, where a person may trust it; asked once. The system's `ssh`
    /// shows none.
    pub fn shown(&self, node: &NodeName) -> Option<Arc<ShownKey>> {
        self.ssh2.shown(node)
    }

    /// The ticket that the last run has to be made again for, where it ended without one, and whether it ended as
    /// others before it, for a reason that was said then. Said once: the next node may be read without this.
    pub fn aftermath(&mut self) -> (Option<QuestionId>, bool) {
        self.ssh2.aftermath()
    }

    /// Why the last run took OpenSSH although the configuration did not ask for it.
    pub fn detour(&mut self) -> Option<String> {
        self.detour.take()
    }
}

impl Transport for Either {
    fn run(&mut self, node: &NodeRef, job: &Collect, ctl: &Ctl<'_>) -> Result<Frame, Gap> {
        self.detour = None;
        if let Client::OpenSsh(_) = node.client {
            let outcome = self.openssh.run(node, job, ctl);
            return outcome.map(|frame| by(frame, node.route()));
        }
        match self.ssh2.run(node, job, ctl) {
            Ok(frame) => Ok(by(frame, node.route())),
            Err(
                Gap::Node {
                    class: FaultClass::NeedsSystemSsh,
                    detail,
                }
                | Gap::Bastion {
                    class: FaultClass::NeedsSystemSsh,
                    detail,
                    ..
                },
            ) if node.client == Client::Libssh2 => {
                // What follows is OpenSSH's to say.
                let _ = self.ssh2.aftermath();
                let why = detail.as_str();
                self.detour = Some(why.to_owned());
                let outcome = self.openssh.run(node, job, ctl);
                if outcome.is_ok() {
                    self.ssh2.leave_to_openssh(node, why);
                }
                outcome
                    .map(|frame| by(frame, Some(format!("system ssh: {why}"))))
                    .map_err(|gap| other(gap, why))
            }
            outcome => outcome,
        }
    }
}

/// The frame with the way that it came.
fn by(frame: Frame, route: Option<String>) -> Frame {
    Frame {
        via: route.map(Into::into),
        ..frame
    }
}

/// Both have failed: the second's fault, with what the first one had to say.
fn other(gap: Gap, first: &str) -> Gap {
    match gap {
        Gap::Node { class, detail } => Gap::Node {
            class,
            detail: format!("{detail}; before that without OpenSSH: {first}").into(),
        },
        Gap::Bastion { hop, class, detail } => Gap::Bastion {
            hop,
            class,
            detail: format!("{detail}; before that without OpenSSH: {first}").into(),
        },
        gap => gap,
    }
}
