//! List, then watch, for as long as the run lasts.
//!
//! A watch that the server ends in good order goes on from the last version, which costs nothing. After
//! anything else (410, an error, a cut connection) the list is read again, so that no event is ever missed.

use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::task::Poll;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use crate::collect::clock::now;
use crate::model::fact::{Fact, Gap};
use crate::model::link::{Level, ObjectDelta, Update};
use crate::probes::api::event::{self, Event};
use crate::probes::mask::Masker;

use super::client::Connection;
use super::fault::Fault;
use super::listing::{self, Failed, Kind, Place};
use super::namespaces::Namespaces;
use super::nodes::Nodes;
use super::objects::{self, Folded};
use super::pace::Pace;
use super::pods::Pods;
use super::sink::{self, Closed, Sink};
use super::wire::{Lines, Wire, escape};
use super::{identity, wire};

/// The server ends a watch after this long; it spreads the load over replicas.
const LASTS: u64 = 290;
/// Bookmarks come every minute: a watch that brings nothing for this long is taken for dead.
const SILENCE: Duration = Duration::from_secs(150);
/// Where watching is not granted, lists are read again after this long.
const POLL: Duration = Duration::from_mins(5);
/// That a watch is alive is told at most this often.
const FRESH: Duration = Duration::from_secs(2);
/// A watch that ends sooner did not do its work.
const BRIEF: Duration = Duration::from_secs(5);

/// How long to stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Everything once, then return.
    Once,
    /// Until nobody listens any more.
    Live,
}

/// What to read.
#[derive(Clone)]
pub struct Options {
    /// Where pods may be listed if not in the whole cluster; kube-system is always tried.
    pub namespaces: Vec<String>,
    /// Of this run: what it masks in mirrors equals what it masks in manifests.
    pub masker: Arc<Masker>,
}

/// Reads nodes, namespaces, pods and identity, each on its own, and sends them to the engine.
///
/// Returns when everything that was read has been taken: [`Mode::Once`] after the lists, [`Mode::Live`]
/// when the receiver of `updates` is gone. A server that cannot be reached makes gaps, never an error.
pub async fn run(
    connection: &Connection,
    options: &Options,
    updates: SyncSender<Update>,
    mode: Mode,
) {
    let Ok((sink, finished)) = sink::open(updates) else {
        return;
    };
    let wire = Wire::new(connection.client.clone(), connection.patience);
    let live = mode == Mode::Live;
    let (count, counted) = watch::channel(Fact::Gap(Gap::Pending));
    let pods = Pods::new(Arc::clone(&options.masker), &options.namespaces);
    let follow = |live| Follower {
        wire: wire.clone(),
        sink: sink.clone(),
        live,
    };
    // The first one to find that nobody listens ends all of them. Boxed: each is some kilobytes of state.
    let others = async {
        let mut running = tokio::task::JoinSet::new();
        for folded in objects::asked() {
            running.spawn(follow(live).run(folded));
        }
        while let Some(ended) = running.join_next().await {
            // A task that panicked has said so through the panic hook.
            if let Ok(Err(closed)) = ended {
                return Err(closed);
            }
        }
        Ok(())
    };
    let work = async {
        let _: Result<_, Closed> = tokio::try_join!(
            others,
            Box::pin(follow(live).run(Nodes::new(count))),
            Box::pin(follow(live).run(Namespaces::default())),
            Box::pin(follow(live).run(pods)),
            Box::pin(identity::tell(&wire, connection, (live, counted), &sink)),
        );
    };
    // Updates that were on their way when the listener went would otherwise end nobody until the next ones come.
    tokio::select! {
        () = work => {}
        () = sink.closed() => {}
    }
    drop(sink);
    // The carrying thread is gone only with the process.
    let _ = finished.await;
}

/// Tells the engine that there is no API server to read from, and why; for a connection that could not be made.
///
/// # Errors
/// Where nobody listens any more.
pub fn unreachable(gap: &Gap, updates: &SyncSender<Update>) -> Result<(), Gap> {
    let (count, _) = watch::channel(Fact::Gap(Gap::Pending));
    let masker = Arc::new(Masker::new([0; 32]));
    let all = [
        Nodes::new(count).failed(gap.clone()),
        Namespaces::default().failed(gap.clone()),
        Pods::new(masker, &[]).failed(gap.clone()),
    ];
    let others = objects::asked().map(|mut folded: Folded| folded.failed(gap.clone()));
    for update in all.into_iter().chain(others).flatten() {
        updates.send(update).map_err(|_| Gap::NotAsked)?;
    }
    Ok(())
}

/// One kind of object, listed and watched.
struct Follower {
    wire: Wire,
    sink: Sink,
    live: bool,
}

/// What was told of a kind.
#[derive(Default)]
struct State {
    /// A list was complete once.
    listed: bool,
    /// What stands in the way now.
    trouble: Option<Gap>,
}

fn is_refused_watch(gap: &Gap) -> bool {
    matches!(gap, Gap::Forbidden { verb, .. } if *verb == "watch")
}

/// A place under watch.
struct Stream {
    place: Place,
    lines: Option<Lines>,
    /// When it was opened, and when it last brought something.
    opened: Instant,
    heard: Instant,
}

impl Follower {
    async fn run<K: Kind>(self, mut kind: K) -> Result<(), Closed> {
        let mut pace = Pace::default();
        let mut state = State::default();
        loop {
            let began = Instant::now();
            let outcome = listing::list(&self.wire, &mut kind, &self.sink).await;
            let cost = began.elapsed();
            let mut wait = Duration::ZERO;
            let gap = match outcome {
                Err(Failed::Closed(closed)) => return Err(closed),
                Err(Failed::Gap(gap)) => Some(gap),
                Ok(places) => {
                    self.recovered(&kind, &mut state).await?;
                    if !self.live {
                        return Ok(());
                    }
                    if places.is_empty() {
                        // Not served: it may be installed later.
                        tokio::time::sleep(POLL).await;
                        continue;
                    }
                    let since = Instant::now();
                    let fault = self.watch(&mut kind, places).await?;
                    if since.elapsed() > SILENCE {
                        pace.reset();
                    }
                    if fault.is_forbidden() {
                        wait = POLL;
                    }
                    (!fault.is_gone()).then(|| fault.gap("watch", kind.resource()))
                }
            };
            if let Some(gap) = gap {
                self.troubled(&mut kind, &mut state, gap).await?;
            }
            if !self.live {
                return Ok(());
            }
            // A list that is expensive for the server is not repeated at the pace of a cheap one.
            tokio::time::sleep(pace.next().max(wait).max(cost * 5)).await;
        }
    }

    async fn recovered<K: Kind>(&self, kind: &K, state: &mut State) -> Result<(), Closed> {
        state.listed = true;
        self.fresh(kind).await?;
        // A watch that is refused troubles until it is granted; a list in between does not mend it.
        if state
            .trouble
            .as_ref()
            .is_some_and(|gap| !is_refused_watch(gap))
        {
            state.trouble = None;
            let message = format!("{} are read again", kind.resource());
            self.sink.log(Level::Info, message).await?;
        }
        Ok(())
    }

    /// Tells that what is known still holds, where the age of nodes hangs on this kind.
    async fn fresh<K: Kind>(&self, kind: &K) -> Result<(), Closed> {
        match kind.keeps_fresh() {
            Some(need) => {
                let fresh = ObjectDelta::Fresh(need, now());
                self.sink.send(Update::Object(fresh)).await
            }
            None => Ok(()),
        }
    }

    /// Tells what is new about a trouble, once.
    async fn troubled<K: Kind>(
        &self,
        kind: &mut K,
        state: &mut State,
        gap: Gap,
    ) -> Result<(), Closed> {
        if state.trouble.as_ref() == Some(&gap) {
            return Ok(());
        }
        if !state.listed {
            self.sink.send_all(kind.failed(gap.clone())).await?;
        }
        let words = match (state.listed, self.live) {
            (true, _) if is_refused_watch(&gap) => "the list is read again every 5 minutes",
            (true, _) => "what was read keeps its age until it answers again",
            (false, true) => "it is asked again",
            (false, false) => "the run goes on without",
        };
        // Whatever the words of the next failure are, it is the same outage until something works.
        if !state.listed || state.trouble.as_ref().is_none_or(is_refused_watch) {
            self.sink.warn(&gap, words).await?;
        }
        state.trouble = Some(gap);
        Ok(())
    }

    /// Watches until the list has to be read again, and says why.
    async fn watch<K: Kind>(&self, kind: &mut K, places: Vec<Place>) -> Result<Fault, Closed> {
        let begun = Instant::now();
        let mut streams: Vec<_> = places
            .into_iter()
            .map(|place| Stream {
                place,
                lines: None,
                opened: begun,
                heard: begun,
            })
            .collect();
        let mut brief = Pace::default();
        let mut shortlived = 0;
        let form = listing::form(kind, true);
        let mut told = begun;
        loop {
            for stream in &mut streams {
                if let Err(fault) = stream.reopen(&self.wire, form).await {
                    return Ok(fault);
                }
            }
            let (index, outcome) = tokio::select! {
                some = arrived(&mut streams) => some,
                () = tokio::time::sleep(SILENCE) => {
                    for stream in &mut streams {
                        stream.lines = None;
                    }
                    continue;
                }
            };
            let stream = &mut streams[index];
            match outcome {
                Err(fault) => return Ok(fault),
                Ok(Some(lines)) => {
                    stream.heard = Instant::now();
                    match self.events(kind, &lines, &mut stream.place.version).await? {
                        Ok(()) if told.elapsed() > FRESH => {
                            told = Instant::now();
                            self.fresh(kind).await?;
                        }
                        Ok(()) => {}
                        Err(fault) => return Ok(fault),
                    }
                }
                Ok(None) => {
                    stream.lines = None;
                    if stream.opened.elapsed() < BRIEF {
                        shortlived += 1;
                        if shortlived > 5 {
                            return Ok(Fault::Lost("the watch ends as soon as it begins".into()));
                        }
                        tokio::time::sleep(brief.next()).await;
                    } else {
                        shortlived = 0;
                    }
                }
            }
        }
    }

    /// Events that came together; the outer error is that nobody listens.
    async fn events<K: Kind>(
        &self,
        kind: &mut K,
        lines: &[u8],
        version: &mut String,
    ) -> Result<Result<(), Fault>, Closed> {
        for line in lines.split(|byte| *byte == b'\n') {
            if line.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            let outcome = match event::read(line) {
                Err(gap) => Err(Fault::Garbled(gap)),
                Ok(Event::Set(object)) => kind.event(object, false).map_err(Fault::Garbled),
                Ok(Event::Removed(object)) => kind.event(object, true).map_err(Fault::Garbled),
                Ok(Event::Bookmark(version)) => Ok((Vec::new(), version)),
                Ok(Event::Other) => continue,
                Ok(Event::Failed { code, message }) => Err(Fault::Status {
                    code,
                    message,
                    retry_after: None,
                }),
            };
            let (updates, reached) = match outcome {
                Ok(outcome) => outcome,
                Err(fault) => return Ok(Err(fault)),
            };
            self.sink.send_all(updates).await?;
            if !reached.is_empty() {
                *version = reached;
            }
        }
        self.sink.send_all(kind.settled()).await?;
        Ok(Ok(()))
    }
}

impl Stream {
    /// Opens it where it is not open, or has been silent for too long.
    async fn reopen(&mut self, wire: &wire::Wire, form: &str) -> Result<(), Fault> {
        if self.lines.is_some() && self.heard.elapsed() < SILENCE {
            return Ok(());
        }
        let Place { path, version } = &self.place;
        let version = escape(version);
        let query = format!(
            "watch=1&allowWatchBookmarks=true&resourceVersion={version}&timeoutSeconds={LASTS}"
        );
        let target = listing::with_query(path, &query);
        self.lines = Some(wire.follow(&target, form).await?);
        self.opened = Instant::now();
        self.heard = self.opened;
        Ok(())
    }
}

/// The first stream that brings lines, ends or breaks.
async fn arrived(streams: &mut [Stream]) -> (usize, Result<Option<Vec<u8>>, Fault>) {
    std::future::poll_fn(|context| {
        for (index, stream) in streams.iter_mut().enumerate() {
            if let Some(lines) = &mut stream.lines
                && let Poll::Ready(outcome) = lines.poll(context)
            {
                return Poll::Ready((index, outcome));
            }
        }
        Poll::Pending
    })
    .await
}
