//! Which cluster this is: uid, version, number of nodes, and whether the connection is to be trusted.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use crate::model::cluster::ClusterFacts;
use crate::model::fact::{Fact, Gap, Locator, Need};
use crate::model::link::{Level, ObjectDelta, Update};
use crate::model::offset::Offset;
use crate::model::text::Text;
use crate::probes::api::{namespaces, version};

use super::client::Connection;
use super::pace::Pace;
use super::sink::{Closed, Sink};
use super::wire::Wire;

/// These answers are short.
const SHORT: usize = 1 << 20;
/// How often a live run looks whether the server is still the same.
const AGAIN: Duration = Duration::from_mins(1);

/// Asks and tells; a live run asks again for as long as it lasts.
pub(super) async fn tell(
    wire: &Wire,
    connection: &Connection,
    (live, mut count): (bool, watch::Receiver<Fact<u32>>),
    sink: &Sink,
) -> Result<(), Closed> {
    let mut pace = Pace::default();
    let mut told = ClusterFacts {
        context: connection.context.clone(),
        insecure: connection.insecure,
        nodes: Fact::Gap(Gap::Pending),
        ..ClusterFacts::default()
    };
    let mut first = true;
    loop {
        let (version, uid) = tokio::join!(version(wire), uid(wire));
        let answers = version.is_seen() || uid.is_seen();
        let mut next = told.clone();
        // What was once known stays known: only another answer replaces it.
        replace(&mut next.version, version);
        replace(&mut next.uid, uid);
        next.nodes = count.borrow_and_update().clone();
        next.clock = steady(told.clock, wire.clock());
        if first || next != told {
            changed_identity(&told, &next, sink).await?;
            told = next;
            send(&told, sink).await?;
        }
        first = false;
        let wait = if answers {
            pace.reset();
            AGAIN
        } else {
            pace.next()
        };
        // In a single run the end of the list of nodes is the end here too.
        let until = Instant::now() + wait;
        while until_count(&mut count, &told.nodes, live.then_some(until)).await {
            told.nodes = count.borrow_and_update().clone();
            send(&told, sink).await?;
        }
        if !live {
            return Ok(());
        }
    }
}

/// Waits for a change of the count: until a time, or as long as nodes are still being listed.
async fn until_count(
    count: &mut watch::Receiver<Fact<u32>>,
    told: &Fact<u32>,
    until: Option<Instant>,
) -> bool {
    match until {
        Some(until) => match tokio::time::timeout_at(until, count.changed()).await {
            Ok(Ok(())) => true,
            // Nodes are not read any more: the time is still to be waited for.
            Ok(Err(_)) => {
                tokio::time::sleep_until(until).await;
                false
            }
            Err(_) => false,
        },
        // It may have come since it was looked at last.
        None if *count.borrow() != *told => true,
        None => {
            matches!(&*count.borrow(), Fact::Gap(Gap::Pending)) && count.changed().await.is_ok()
        }
    }
}

/// What is known of the server's clock, unless it was measured anew and differs: an answer is dated in whole seconds,
/// and what may be the same is no news.
fn steady(known: Option<Offset>, measured: Option<Offset>) -> Option<Offset> {
    let (Some(old), Some(new)) = (known, measured) else {
        return measured.or(known);
    };
    let overlap = old.least <= new.most && new.least <= old.most;
    let sharper = new.most.saturating_sub(new.least) < old.most.saturating_sub(old.least);
    Some(if overlap && !sharper { old } else { new })
}

fn replace(known: &mut Fact<Text>, answer: Fact<Text>) {
    if answer.is_seen() || !known.is_seen() {
        *known = answer;
    }
}

async fn send(cluster: &ClusterFacts, sink: &Sink) -> Result<(), Closed> {
    let delta = ObjectDelta::Cluster(Box::new(cluster.clone()));
    sink.send(Update::Object(delta)).await
}

/// The same address, another cluster: everything that is on screen is about to be wrong.
async fn changed_identity(
    before: &ClusterFacts,
    now: &ClusterFacts,
    sink: &Sink,
) -> Result<(), Closed> {
    if let (Ok(before), Ok(now)) = (before.uid.get(), now.uid.get())
        && before.value != now.value
    {
        let message = format!(
            "another cluster answers: uid {} was {}",
            now.value, before.value
        );
        sink.log(Level::Error, message).await?;
    }
    Ok(())
}

async fn version(wire: &Wire) -> Fact<Text> {
    let read = match wire.get(version::PATH, SHORT).await {
        Ok(body) => version::read(&body),
        Err(fault) => Err(fault.gap("get", "version")),
    };
    fact(read)
}

async fn uid(wire: &Wire) -> Fact<Text> {
    let target = format!("{}/kube-system", namespaces::PATH);
    let read = match wire.get(&target, SHORT).await {
        Ok(body) => namespaces::uid(&body),
        Err(fault) => Err(fault.gap("get", "namespace kube-system")),
    };
    fact(read)
}

fn fact(read: Result<Text, Gap>) -> Fact<Text> {
    match read {
        Ok(value) => Fact::seen(value, Locator::new(Need::Namespaces, 0)),
        Err(gap) => Fact::Gap(gap),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_the_same_clock_is_no_news() {
        let offset = |least, most| Some(Offset { least, most });
        assert_eq!(steady(None, None), None);
        assert_eq!(steady(offset(0, 2), None), offset(0, 2));
        assert_eq!(steady(None, offset(0, 2)), offset(0, 2));
        assert_eq!(steady(offset(0, 2), offset(1, 3)), offset(0, 2));
        assert_eq!(steady(offset(0, 9), offset(1, 3)), offset(1, 3));
        assert_eq!(steady(offset(0, 2), offset(300, 302)), offset(300, 302));
    }
}
