//! Time: how long the kubelet may still act before a difference counts.
//!
//! Times are the node's own: its clock against its files and processes. Where the API server's clock meets this
//! machine's (`comparable`), the measured offset is used.

use std::time::Duration;

use crate::checks::check::View;
use crate::checks::kubelet::setting::file_check_frequency;
use crate::model::Timestamp;
use crate::model::fact::Gap;
use crate::model::node::NodeFacts;
use crate::model::pod::Mirror;
use crate::model::text::Text;
use crate::model::tree::Branch;
use crate::model::unix::Walk;

/// What starting a pod and registering its mirror may take beyond the next look into the folder.
const SLACK: Duration = Duration::from_secs(20);

/// How much older than a reading of the node a mirror has to be, in seconds.
const FRESH: i64 = 60;

/// A change that lies further ahead than this was not made by a clock that agrees with the node's.
pub const AHEAD: i64 = 60;

/// How long after a change of the folder the kubelet is given: `fileCheckFrequency` and some slack.
pub fn window(node: &NodeFacts) -> Duration {
    let period = match node.host.kubelet.get() {
        Ok(kubelet) => file_check_frequency(&kubelet.value),
        Err(_) => Duration::from_secs(20),
    };
    period + SLACK
}

/// Whether `limit` has passed since the latest of `changes` (seconds since the epoch, the node's clock).
///
/// # Errors
/// [`Gap::Settling`] with what is left, or the gap where the node's clock is not known.
pub fn settled(
    node: &NodeFacts,
    limit: Duration,
    changes: impl IntoIterator<Item = Option<i64>>,
) -> Result<(), Gap> {
    let clock = node.host.identity.get()?.value.clock;
    // A change dated ahead of the clock cannot keep a verdict open for ever.
    let latest = changes
        .into_iter()
        .flatten()
        .filter(|change| change.saturating_sub(clock) <= AHEAD)
        .max();
    let Some(latest) = latest else {
        return Ok(());
    };
    let age = u64::try_from(clock.saturating_sub(latest)).unwrap_or(0);
    match limit.checked_sub(Duration::from_secs(age)) {
        Some(left) if !left.is_zero() => Err(Gap::Settling { left }),
        _ => Ok(()),
    }
}

/// Whether both sides tell of the same time: what an old file names may have ended since, and be gone from the
/// API server for that reason.
///
/// # Errors
/// [`Gap::Imported`] where the node's side is a file that is older than what the API server said.
pub fn together(node: &NodeFacts) -> Result<(), Gap> {
    let (Some(taken), Some(api)) = (node.host.imported(), node.api.at) else {
        return Ok(());
    };
    if api.as_second().saturating_sub(taken.as_second()) <= FRESH {
        return Ok(());
    }
    Err(node.host.aged().unwrap_or(Gap::NotAsked))
}

/// Whether the node was read late enough to say something of a mirror: what is newer than the reading
/// belongs to a manifest that the reading may not have seen.
///
/// # Errors
/// [`Gap::Settling`] until the node is read again, [`Gap::Imported`] where that takes a new file.
pub fn comparable(node: &NodeFacts, view: &View<'_>, mirror: &Mirror) -> Result<(), Gap> {
    let read = node.host.at.map(Timestamp::as_second);
    let (Some(created), Some(read)) = (mirror.created, read) else {
        return Ok(());
    };
    // The API server's clock against ours, by what they differ as measured. Where it was not, the slack covers it.
    let offset = view.snapshot.cluster.clock;
    let created = offset.map_or(created, |offset| offset.latest(created));
    let left = created.saturating_add(FRESH).saturating_sub(read);
    match u64::try_from(left) {
        Ok(1..) if node.host.imported().is_some() => Err(node.host.aged().unwrap_or(Gap::NotAsked)),
        Ok(left @ 1..) => Err(Gap::Settling {
            left: Duration::from_secs(left),
        }),
        _ => Ok(()),
    }
}

/// When the kubelet started, by the node's clock.
///
/// # Errors
/// [`Gap::KubeletStopped`] where it does not run or no longer reports, or the gap of what is not known.
pub fn kubelet_started(node: &NodeFacts) -> Result<i64, Gap> {
    if let Ok(object) = node.api.object.get()
        && object
            .value
            .ready
            .as_ref()
            .is_some_and(|ready| *ready == "Unknown")
    {
        return Err(Gap::KubeletStopped {
            detail: Text::new("it no longer reports to the API server"),
        });
    }
    let kubelet = node.host.kubelet.get()?;
    let Some(process) = &kubelet.value.process else {
        return Err(Gap::KubeletStopped {
            detail: Text::new("no kubelet process on the node"),
        });
    };
    process.started.ok_or_else(|| Gap::Garbled {
        what: Text::new("when the kubelet started"),
    })
}

/// The last change of what a path leads to, or of the link that leads there: mtime can be set, ctime cannot.
pub fn changed(walk: &Walk) -> Option<i64> {
    let hops = walk.object().into_iter().chain(walk.entry());
    hops.filter_map(|hop| hop.stat.ctime.or(hop.stat.mtime))
        .max()
}

/// How long the old pod may take to end before the kubelet renews the mirror; ten minutes at most.
pub fn grace(mirror: &Mirror) -> Duration {
    let field = mirror.pod.spec().get("terminationGracePeriodSeconds");
    let seconds = field.and_then(Branch::as_u64).unwrap_or(30);
    Duration::from_secs(seconds.min(600))
}
