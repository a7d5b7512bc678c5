//! A snapshot played back as updates: the demo, an opened file and the tests go the way that live data goes.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender};
use std::thread::JoinHandle;
use std::time::Duration;

use super::clock::now;
use crate::engine;
use crate::model::fact::{Fact, Need};
use crate::model::link::{HostState, Level, LogLine, ObjectDelta, Order, Update};
use crate::model::snapshot::Snapshot;
use crate::model::text::Text;

/// Plays `snapshot` with `pause` between two nodes, then waits for the end of `orders`, so that the dashboard stays.
///
/// # Errors
/// Where no thread can be started.
pub fn spawn(
    snapshot: Snapshot,
    pause: Duration,
    updates: SyncSender<Update>,
    orders: Receiver<Order>,
) -> io::Result<JoinHandle<()>> {
    std::thread::Builder::new()
        .name("replay".into())
        .spawn(move || {
            if play(&snapshot, pause, &updates).is_none() {
                return;
            }
            for order in orders {
                let told = match order {
                    Order::Stop => return,
                    // What is accepted is about today, not about the snapshot.
                    Order::Policy(file) => updates.send(Update::Policy(file)).ok(),
                    _ => refuse(&updates),
                };
                if told.is_none() {
                    return;
                }
            }
        })
}

/// `None` when nobody listens any more.
fn play(snapshot: &Snapshot, pause: Duration, updates: &SyncSender<Update>) -> Option<()> {
    let send = |update| updates.send(update).ok();
    let cluster = &snapshot.cluster;
    for name in snapshot.nodes.keys() {
        send(Update::Known(name.clone()))?;
        send(Update::Host(name.clone(), HostState::Queued))?;
    }
    send(Update::Object(ObjectDelta::Cluster(Box::new(
        (**cluster).clone(),
    ))))?;
    send(Update::Object(ObjectDelta::Namespaces(
        match &cluster.namespaces {
            Fact::Seen(seen) => Ok(seen.value.clone()),
            Fact::Gap(gap) => Err(gap.clone()),
        },
    )))?;
    for need in Need::ALL {
        if cluster.objects.list(*need).is_some() {
            let objects = Box::new((*cluster.objects).clone());
            send(Update::Object(ObjectDelta::Objects(*need, objects)))?;
        }
    }
    for (name, facts) in &snapshot.nodes {
        send(Update::Api(name.clone(), Arc::clone(&facts.api)))?;
        send(Update::Host(name.clone(), HostState::Connecting))?;
        std::thread::sleep(pause);
        send(Update::Node(name.clone(), Arc::clone(&facts.host)))?;
        let state = engine::host_state(facts);
        if let HostState::Failed(gap) = &state {
            send(Update::Log(LogLine {
                at: snapshot.taken,
                level: Level::Error,
                node: Some(name.clone()),
                message: Text::from(gap.to_string()),
                next: Some(gap.next_step_on(Some(name))),
            }))?;
        }
        send(Update::Host(name.clone(), state))?;
    }
    Some(())
}

/// A snapshot cannot be collected again, and says so.
fn refuse(updates: &SyncSender<Update>) -> Option<()> {
    let line = LogLine {
        at: now(),
        level: Level::Warn,
        node: None,
        message: Text::new("this is a snapshot: nothing can be read again"),
        next: Some(Text::new("start stakeout without --from")),
    };
    updates.send(Update::Log(line)).ok()
}
