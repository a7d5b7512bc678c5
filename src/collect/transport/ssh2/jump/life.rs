//! The life of a lane's thread: the login, again where the bastion is only busy, the service, and what its end
//! means for those who wait.

use std::os::fd::OwnedFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::collect::cancel::Woken;
use crate::collect::transport::fault::Fault;
use crate::collect::transport::ssh2::Entered;
use crate::collect::transport::{Ctl, jitter};
use crate::model::fact::FaultClass;

use super::bastion::Bastion;
use super::lane::Lane;
use super::{Shared, Times};

/// Pauses between logins at a bastion that is too busy, each with up to half of it on top.
const PAUSES: [u64; 5] = [200, 400, 800, 1600, 3200];

/// Logs in, serves, and says how it ended.
pub(super) fn live(
    core: &Arc<Shared>,
    bastion: &Arc<Bastion>,
    (id, bell): (u64, &OwnedFd),
    times: Times,
) {
    let moment = bastion.moment(core);
    // libssh2's wrapper unwraps text that servers send: a hostile one must cost only its own lane.
    let life = catch_unwind(AssertUnwindSafe(|| serve(core, bastion, (id, bell), times)));
    let fault = match life {
        Ok(outcome) => outcome.err(),
        Err(_) => Some(
            Fault::new(FaultClass::Internal, "the lane ended with a panic")
                .of(bastion.node.node.as_str()),
        ),
    };
    bastion.left(id, fault.as_ref(), moment, &core.lanes);
    bastion.staff(core, times);
}

/// An error where the lane was of no use to anybody.
fn serve(
    core: &Arc<Shared>,
    bastion: &Arc<Bastion>,
    (id, bell): (u64, &OwnedFd),
    times: Times,
) -> Result<(), Fault> {
    let ctl = Ctl {
        connect: times.connect,
        handshake: times.handshake,
        auth: times.auth,
        script: Duration::ZERO,
        deadline: Instant::now(),
        cap: 0,
        cancel: &core.lanes.quit,
        progress: &|_| {},
    };
    let name = bastion.node.node.as_str();
    let entered = enter(core, bastion, ctl).map_err(|fault| Fault {
        again: false,
        ..fault.of(name)
    })?;
    bastion.entered(id, core.keys.asks_a_person(&bastion.node.node));
    let mut lane = Lane::new(entered, bastion, (id, bell), core.lanes.width.channels);
    let end = loop {
        match lane.turn() {
            Ok(true) => bastion.staff(core, times),
            Ok(false) => break Ok(()),
            Err(fault) => break Err(fault),
        }
    };
    let Err(fault) = end else { return Ok(()) };
    lane.abandon(&fault);
    if lane.has_served() {
        Ok(())
    } else {
        Err(fault)
    }
}

/// The login, again and again where the bastion has only too much to do.
fn enter<'a>(
    core: &Arc<Shared>,
    bastion: &Bastion,
    mut ctl: Ctl<'a>,
) -> Result<Entered<'a>, Fault> {
    let mut pauses = PAUSES.into_iter();
    loop {
        // With room for the way through bastions before this one.
        ctl.deadline = Instant::now() + (ctl.connect + ctl.handshake + ctl.auth) * 2;
        let fault = match core.enter(&bastion.node, &ctl) {
            Err(fault) if fault.again && fault.hop.is_none() => fault,
            outcome => return outcome,
        };
        let Some(pause) = pauses.next() else {
            return Err(fault);
        };
        if ctl.cancel.sleep(jitter(Duration::from_millis(pause))) == Woken::Cancelled {
            return Err(Fault::cancelled());
        }
    }
}
