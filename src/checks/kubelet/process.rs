//! Which process the kubelet is. Never lives here: a check.

use crate::model::fact::{Gap, Seen};
use crate::model::kubelet::Kubelet;
use crate::model::node::NodeFacts;
use crate::model::process::Process;
use crate::model::text::Text;

/// The kubelet among the processes of its node.
///
/// # Errors
/// Where it does not run, and where the processes are not known or it is not among them.
pub fn own<'n>(node: &'n NodeFacts, kubelet: &Seen<Kubelet>) -> Result<&'n Process, Gap> {
    let processes = node.host.processes.get()?;
    let own = kubelet.value.process.as_ref();
    let own = own.ok_or_else(|| Gap::KubeletStopped {
        detail: Text::new("no kubelet process was found"),
    })?;
    let list = &processes.value.list;
    // Any other process may call itself kubelet, but none has its id; a reading apart may have met another one.
    let by_id = list.iter().find(|process| process.pid == own.pid);
    let by_name = || {
        let mut all = list.iter().filter(|process| process.pod.is_none());
        all.find(|process| process.comm == "kubelet")
    };
    by_id.or_else(by_name).ok_or_else(|| Gap::Garbled {
        what: Text::new("the kubelet is not among the processes that were read"),
    })
}
