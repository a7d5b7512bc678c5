//! What a probe is: one need, what is asked for it on either side, and how the reply is read.

use crate::model::Timestamp;
use crate::model::fact::Need;
use crate::model::node::HostFacts;

use super::answer::Answer;
use super::mask::Masker;

/// One need and its sources. Plan, collector script, sudoers and ClusterRole are printed from these.
pub struct Probe {
    pub need: Need,
    /// What it is, as a noun phrase for `stakeout plan`.
    pub what: &'static str,
    /// Alternatives are merged here, never in a check.
    pub asks: &'static [Ask],
}

/// One question.
pub enum Ask {
    /// A section of the collector script.
    Shell {
        /// The section's name, `[a-z_]+`.
        section: &'static str,
        /// Version of the script that first brought it.
        since: u32,
        /// What root sees here that another login does not; none where any login suffices.
        root: Option<&'static str>,
        /// The shell function's body; `shell/head.sh` has the words it may use.
        fragment: &'static str,
        /// Reads the reply into the facts of this need. Called only when the section is whole; facts of the
        /// probes before it are there.
        read: fn(&Answer<'_>, &Reading<'_>, &mut HostFacts),
    },
    /// Requests to the API server.
    Api {
        /// As RBAC names it.
        group: &'static str,
        resource: &'static str,
        verbs: &'static [&'static str],
        /// The request as it is made, for `stakeout plan`.
        path: &'static str,
        /// Set where the right is not part of the base role and is asked for by name.
        extra: Option<Extra>,
    },
}

/// Rights beyond the base role, each granted by choice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extra {
    /// What the kubelet itself says: `nodes/configz` and `nodes/pods`, never `nodes/proxy`.
    KubeletApi,
    /// Bootstrap tokens: Secrets of kube-system.
    BootstrapTokens,
}

impl Extra {
    /// As `rbac print --with` spells it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::KubeletApi => "kubelet-api",
            Self::BootstrapTokens => "bootstrap-tokens",
        }
    }
}

/// What a reader may use beside the answer.
pub struct Reading<'a> {
    /// When the answer was complete here.
    pub at: Timestamp,
    pub masker: &'a Masker,
}
