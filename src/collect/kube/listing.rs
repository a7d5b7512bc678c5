//! Lists, page by page, and what to do when the server loses its place.

use crate::model::fact::{Gap, Need};
use crate::model::link::Update;

use super::fault::Fault;
use super::sink::{Closed, Sink};
use super::wire::{PAGE, Wire, escape};

/// Objects a page; what kubectl asks for.
const LIMIT: u32 = 500;
/// A page of fewer is not tried: then the objects themselves are too large.
const SMALLEST: u32 = 5;
/// A list without pages is the last resort, and is as long as it is.
const UNPAGED: usize = 512 << 20;
/// A server that pages for ever is stopped here: five million objects.
const PAGES: u32 = 10_000;

/// One kind of object: how lists and events of it become updates.
pub(super) trait Kind {
    /// As RBAC names it.
    fn resource(&self) -> &'static str;

    /// Set where the age of what is known of nodes hangs on it.
    fn keeps_fresh(&self) -> Option<Need> {
        None
    }

    /// Most of these objects is never read: only their metadata is asked for.
    fn metadata_only(&self) -> bool {
        false
    }

    /// The server does not know the path: an older version of the API to ask instead.
    fn older(&mut self) -> Older {
        Older::Missing
    }

    /// The request that lists all of them.
    fn path(&self) -> String;

    /// Requests for parts, each with its name, where all of them may not be listed.
    fn parts(&self) -> Vec<(String, String)> {
        Vec::new()
    }

    /// A list begins: what was seen by an earlier one may be gone.
    fn restart(&mut self) -> Vec<Update>;

    /// One page of it.
    fn page(&mut self, body: &[u8]) -> Result<Turn, Gap>;

    /// The list is complete but for `missing`, which leaves so many parts that were read.
    fn listed(&mut self, missing: Option<(Gap, usize)>) -> Vec<Update>;

    /// Nothing could be listed, and nothing ever was.
    fn failed(&mut self, gap: Gap) -> Vec<Update>;

    /// An object of a watch: as it is now, or as it was last.
    fn event(&mut self, object: &str, gone: bool) -> Result<(Vec<Update>, String), Gap>;

    /// The events that came together are through.
    fn settled(&mut self) -> Vec<Update> {
        Vec::new()
    }
}

/// What to do where the server does not serve a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Older {
    /// [`Kind::path`] is another one now.
    Ask,
    /// No version is served: there are no such objects.
    Absent,
    /// It should be there.
    Missing,
}

/// What a page brought.
pub(super) struct Turn {
    pub updates: Vec<Update>,
    pub version: String,
    pub next: Option<String>,
}

/// A place that can be watched from where its list ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub path: String,
    pub version: String,
}

/// Why a list did not come about.
pub(super) enum Failed {
    Closed(Closed),
    Gap(Gap),
}

impl From<Closed> for Failed {
    fn from(closed: Closed) -> Self {
        Self::Closed(closed)
    }
}

/// How one attempt at a list ends early.
enum Stop {
    Closed(Closed),
    Fault(Fault),
}

impl From<Closed> for Stop {
    fn from(closed: Closed) -> Self {
        Self::Closed(closed)
    }
}

impl From<Fault> for Stop {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

/// Lists everything that may be listed and sends it on.
pub(super) async fn list<K: Kind>(
    wire: &Wire,
    kind: &mut K,
    sink: &Sink,
) -> Result<Vec<Place>, Failed> {
    // A continue token that grew too old costs one new attempt, then the list is asked for as one.
    for paged in [true, true, false] {
        match attempt(wire, kind, sink, paged).await {
            Err(Stop::Fault(fault)) if fault.is_gone() && paged => {}
            Ok(places) => return Ok(places),
            Err(Stop::Closed(closed)) => return Err(closed.into()),
            Err(Stop::Fault(fault)) => return Err(Failed::Gap(fault.gap("list", kind.resource()))),
        }
    }
    let gone = Fault::Lost("the server lost its place in the list three times".into());
    Err(Failed::Gap(gone.gap("list", kind.resource())))
}

async fn attempt<K: Kind>(
    wire: &Wire,
    kind: &mut K,
    sink: &Sink,
    paged: bool,
) -> Result<Vec<Place>, Stop> {
    let reading = Reading { wire, sink, paged };
    loop {
        sink.send_all(kind.restart()).await?;
        let all = kind.path();
        match reading.pages(kind, &all).await {
            Ok(version) => {
                sink.send_all(kind.listed(None)).await?;
                return Ok(vec![Place { path: all, version }]);
            }
            Err(Stop::Fault(fault)) if fault.is_forbidden() => {
                return reading.parts(kind, fault).await;
            }
            Err(Stop::Fault(fault)) if fault.is_absent() => match kind.older() {
                Older::Ask => {}
                Older::Absent => {
                    sink.send_all(kind.restart()).await?;
                    sink.send_all(kind.listed(None)).await?;
                    return Ok(Vec::new());
                }
                Older::Missing => return Err(fault.into()),
            },
            Err(stop) => return Err(stop),
        }
    }
}

/// How a list or watch of a kind is to be answered.
pub(super) fn form<K: Kind>(kind: &K, watch: bool) -> &'static str {
    match (kind.metadata_only(), watch) {
        (false, _) => "application/json",
        (true, false) => "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1",
        (true, true) => "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1",
    }
}

/// A path that may have a query already, with more of it.
pub(super) fn with_query(path: &str, query: &str) -> String {
    let sign = if path.contains('?') { '&' } else { '?' };
    format!("{path}{sign}{query}")
}

struct Reading<'a> {
    wire: &'a Wire,
    sink: &'a Sink,
    paged: bool,
}

impl Reading<'_> {
    /// The pages of one list; its version.
    async fn pages<K: Kind>(&self, kind: &mut K, path: &str) -> Result<String, Stop> {
        let mut limit = LIMIT;
        let form = form(kind, false);
        let mut next: Option<String> = None;
        for _ in 0..PAGES {
            let target = match (&next, self.paged) {
                (_, false) => path.to_owned(),
                (None, true) => with_query(path, &format!("limit={limit}")),
                (Some(token), true) => {
                    with_query(path, &format!("limit={limit}&continue={}", escape(token)))
                }
            };
            let cap = if self.paged { PAGE } else { UNPAGED };
            let body = match self.wire.get_as(&target, cap, form).await {
                Err(Fault::TooLarge { .. }) if self.paged && limit > SMALLEST => {
                    limit = (limit / 10).max(SMALLEST);
                    continue;
                }
                outcome => outcome?,
            };
            let turn = kind.page(&body).map_err(Fault::Garbled)?;
            drop(body);
            self.sink.send_all(turn.updates).await?;
            match turn.next.filter(|_| self.paged) {
                Some(token) => next = Some(token),
                None => return Ok(turn.version),
            }
        }
        Err(Fault::Lost(format!("the list did not end after {PAGES} pages").into()).into())
    }

    /// Only parts may be read: which ones, and that the rest is missing.
    async fn parts<K: Kind>(&self, kind: &mut K, whole: Fault) -> Result<Vec<Place>, Stop> {
        let mut places = Vec::new();
        let mut read = Vec::new();
        for (name, path) in kind.parts() {
            match self.pages(kind, &path).await {
                Ok(version) => {
                    places.push(Place { path, version });
                    read.push(name);
                }
                Err(Stop::Fault(fault)) if !fault.is_gone() => {
                    let gap = fault.gap("list", &format!("{} in {name}", kind.resource()));
                    self.sink.warn(&gap, "the other parts are read").await?;
                }
                Err(stop) => return Err(stop),
            }
        }
        if places.is_empty() {
            return Err(whole.into());
        }
        let missing = Gap::Forbidden {
            verb: "list".into(),
            resource: format!("{} outside of {}", kind.resource(), read.join(", ")).into(),
        };
        self.sink
            .send_all(kind.listed(Some((missing, places.len()))))
            .await?;
        Ok(places)
    }
}
