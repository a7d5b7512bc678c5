//! Static pods of a node three ways: what the manifest declares, what the API server mirrors, what really runs.

use super::sheet::{Cell, Column, Hole, Line, Row, Sheet, Standing, fixed, share, wide};
use crate::checks::merge::compare::{compare, differing};
use crate::checks::merge::pairs::{self, Declared};
use crate::model::fact::Fact;
use crate::model::node::{NodeFacts, RuntimePod, RuntimePods};
use crate::model::pod::Mirror;
use crate::model::text::Text;
use crate::model::verdict::{Comparison, Side3};
use crate::tui::theme::Token;

pub const COLUMNS: &[Column] = &[
    share("POD", 5),
    fixed("MANIFEST", 8),
    fixed("MIRROR", 8),
    fixed("RUNTIME", 8),
    fixed("STATE", 8),
    share("FIRST DIFFERENCE", 4),
    wide(share("FILE", 3), 140),
];

/// Rows that agree, shown behind those that differ.
const AGREEING: usize = 40;

pub fn sheet(facts: &NodeFacts) -> Sheet {
    let mut out = Sheet::default();
    let node = &facts.name;
    let mirrors = match &facts.api.mirrors {
        Fact::Seen(seen) => Some(&seen.value),
        Fact::Gap(gap) => {
            out.holes.push(Hole::of("mirror pods", gap, node));
            None
        }
    };
    if let Some(gap) = &facts.api.unread {
        out.holes.push(Hole::of("mirror pods", gap, node));
    }
    let runtime = match &facts.host.runtime_pods {
        Fact::Seen(seen) => {
            if seen.value.hidepid {
                let gap = pairs::hidden_processes();
                out.holes.push(Hole::of("what runs", &gap, node));
            }
            Some(&seen.value)
        }
        Fact::Gap(gap) => {
            out.holes.push(Hole::of("what runs", gap, node));
            None
        }
    };
    let declared = match pairs::declared(facts) {
        Ok(declared) => {
            let gaps = declared.gaps.iter();
            out.holes
                .extend(gaps.map(|gap| Hole::of("a manifest", gap, node)));
            Some(declared.pods)
        }
        Err(gap) => {
            out.holes.push(Hole::of("manifests", &gap, node));
            None
        }
    };
    let pods = declared.as_deref().unwrap_or_default();
    for pod in pods {
        out.rows.push(of_manifest(pod, mirrors, runtime, facts));
    }
    let unclaimed = mirrors.into_iter().flatten();
    let unclaimed = unclaimed.filter(|it| !pods.iter().any(|pod| pod.is_mirrored_by(it)));
    let is_known = declared.is_some();
    out.rows
        .extend(unclaimed.map(|mirror| of_mirror(mirror, is_known, runtime)));
    out.about = format!(
        "{} declared, {} mirrored; !! where they differ",
        declared
            .as_ref()
            .map_or_else(|| "?".to_owned(), |pods| pods.len().to_string()),
        mirrors.map_or_else(|| "?".to_owned(), |mirrors| mirrors.len().to_string())
    );
    out
}

/// What one source has of a pod.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Has {
    Yes,
    No,
    Unknown,
}

impl Has {
    /// `known`: what is not seen is not there.
    fn of(found: usize, known: bool) -> Self {
        match found {
            0 if known => Self::No,
            0 => Self::Unknown,
            _ => Self::Yes,
        }
    }
}

/// What a row is made of, beside its name.
struct Seen {
    has: [Has; 3],
    words: [String; 3],
    compared: Vec<Comparison>,
    /// The kubelet may not have come to it yet, or cannot show it.
    notes: Vec<Line>,
    file: String,
}

fn of_manifest(
    pod: &Declared<'_>,
    mirrors: Option<&Vec<Mirror>>,
    runtime: Option<&RuntimePods>,
    facts: &NodeFacts,
) -> Row {
    let mirror = mirrors
        .into_iter()
        .flatten()
        .find(|mirror| pod.is_mirrored_by(mirror));
    let running = runtime.map(|runtime| pod.running(runtime));
    let runs = running.as_ref().map_or(0, Vec::len);
    let hidden = runtime.is_some_and(|runtime| runtime.hidepid);
    let compared = mirror.map_or_else(Vec::new, |mirror| {
        compare(pod.pod, &mirror.pod, facts.name.as_str())
    });
    let has = [
        Has::Yes,
        Has::of(
            usize::from(mirror.is_some()),
            mirrors.is_some() && facts.api.unread.is_none(),
        ),
        Has::of(runs, runtime.is_some() && !hidden),
    ];
    let mut notes = vec![Line::Named("FILE", pod.manifest.file.to_string())];
    if let Some(mirror) = mirror {
        notes.push(Line::Named("MIRROR", about_mirror(mirror)));
    }
    for process in running.iter().flatten() {
        notes.push(Line::Named("RUNS", about_running(process)));
    }
    let key = format!("{} {}", pod.names(), pod.manifest.file);
    row(
        key,
        short(&pod.pod.namespace, pod.pod.name.as_str()),
        Seen {
            words: [
                "declared".to_owned(),
                mirror.map_or_else(String::new, |mirror| mirror.phase.to_string()),
                running.map_or_else(String::new, |running| pids(&running)),
            ],
            has,
            compared,
            notes,
            file: pod.manifest.file.to_string(),
        },
    )
}

/// A mirror that no manifest declares. `known`: all manifests could be listed.
fn of_mirror(mirror: &Mirror, known: bool, runtime: Option<&RuntimePods>) -> Row {
    let is_it = |pod: &&RuntimePod| {
        let uid = pod.uid.as_str();
        let hash = mirror.hash.as_ref().unwrap_or(&mirror.mirror_hash);
        pod.pids > 0
            && (pairs::same_uid(uid, hash.as_str()) || pairs::same_uid(uid, mirror.uid.as_str()))
    };
    let running: Vec<&RuntimePod> =
        runtime.map_or_else(Vec::new, |it| it.pods.iter().filter(is_it).collect());
    let hidden = runtime.is_some_and(|runtime| runtime.hidepid);
    let mut notes = vec![Line::Named("MIRROR", about_mirror(mirror))];
    for process in &running {
        notes.push(Line::Named("RUNS", about_running(process)));
    }
    let name = mirror.pod.name.as_str();
    row(
        format!("{}/{name}", mirror.pod.namespace),
        short(&mirror.pod.namespace, name),
        Seen {
            has: [
                Has::of(0, known),
                Has::Yes,
                Has::of(running.len(), runtime.is_some() && !hidden),
            ],
            words: [String::new(), mirror.phase.to_string(), pids(&running)],
            compared: Vec::new(),
            notes,
            file: String::new(),
        },
    )
}

fn pids(running: &[&RuntimePod]) -> String {
    let pids: u32 = running.iter().map(|pod| pod.pids).sum();
    if running.is_empty() {
        String::new()
    } else {
        format!("{pids} procs")
    }
}

fn about_mirror(mirror: &Mirror) -> String {
    let source = mirror.source.as_ref();
    format!(
        "uid {}  phase {}  source {}  rv {}",
        mirror.uid,
        mirror.phase,
        source.map_or("-", |source| source.as_str()),
        mirror.resource_version
    )
}

fn about_running(pod: &RuntimePod) -> String {
    let exe = pod.exe.as_ref();
    format!(
        "{} processes in pod {}, the oldest {}",
        pod.pids,
        pod.uid,
        exe.map_or("-", |exe| exe.as_str())
    )
}

/// Nearly all are of kube-system: its name would only take the room of theirs.
fn short(namespace: &Text, name: &str) -> String {
    match namespace.as_str() {
        "kube-system" => name.to_owned(),
        namespace => format!("{namespace}/{name}"),
    }
}

fn row(key: String, name: String, seen: Seen) -> Row {
    let differ: Vec<&Comparison> = differing(&seen.compared).collect();
    let (standing, state) = if seen.has.contains(&Has::No) || !differ.is_empty() {
        (Standing::Bad, "DISAGREE")
    } else if seen.has.contains(&Has::Unknown) {
        (Standing::Unknown, "unknown")
    } else {
        (Standing::Good, "AGREE")
    };
    let missing = ["manifest", "mirror", "process"].into_iter().zip(seen.has);
    let missing = missing
        .filter(|(_, has)| *has == Has::No)
        .map(|(what, _)| what);
    let missing: Vec<&str> = missing.collect();
    let first = match (missing.as_slice(), differ.first()) {
        ([], None) => "-".to_owned(),
        ([], Some(row)) => row.field.to_string(),
        (missing, _) => format!("no {}", missing.join(", no ")),
    };
    let mut cells = vec![Cell::from(name)];
    cells.extend(seen.has.iter().zip(&seen.words).map(|(has, words)| {
        Cell::from(match has {
            Has::Yes => words.clone(),
            Has::No => "!! none".to_owned(),
            Has::Unknown => "unknown".to_owned(),
        })
    }));
    cells.extend([Cell::from(state), Cell::from(first)]);
    cells.push(Cell::from(seen.file));
    let mut detail = seen.notes;
    detail.extend(fields(&seen.compared, &differ));
    Row {
        key,
        cells,
        standing,
        state,
        detail,
    }
}

/// Fields that differ, then some of those that do not.
fn fields(all: &[Comparison], differ: &[&Comparison]) -> Vec<Line> {
    if all.is_empty() {
        return Vec::new();
    }
    let mut out = vec![Line::Head(format!(
        "{} of {} fields differ: manifest | mirror | runtime",
        differ.len(),
        all.len()
    ))];
    out.extend(differ.iter().map(|row| line(row, true)));
    let agreeing = all.iter().filter(|row| row.agrees());
    out.extend(agreeing.clone().take(AGREEING).map(|row| line(row, false)));
    let more = agreeing.count().saturating_sub(AGREEING);
    if more > 0 {
        let text = format!("and {more} fields more that agree");
        out.push(Line::Text(Token::Muted, text));
    }
    out
}

fn line(row: &Comparison, differs: bool) -> Line {
    let side = |side: &Side3| match side {
        Side3::Unasked => "?".to_owned(),
        Side3::Absent => "-".to_owned(),
        Side3::Value(text) => text.to_string(),
    };
    Line::Sides {
        field: row.field.to_string(),
        sides: [side(&row.manifest), side(&row.mirror), side(&row.runtime)],
        differs,
    }
}
