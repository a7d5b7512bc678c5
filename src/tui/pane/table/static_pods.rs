//! Static pods of a node three ways: what the manifest declares, what the API server mirrors, what really runs.

use super::sheet::{Cell, Column, Hole, Line, Row, Sheet, Standing, fixed, share, wide};
use crate::checks::check::View;
use crate::checks::merge::blockers::{Cause, Standing as Proven};
use crate::checks::merge::compare::{compare, differing, mirror_name};
use crate::checks::merge::pairs;
use crate::checks::merge::rows::{self, State};
use crate::checks::merge::why::{self, Hidden};
use crate::model::fact::Fact;
use crate::model::node::{NodeFacts, RuntimePod};
use crate::model::pod::Mirror;
use crate::model::verdict::{Comparison, Side3};
use crate::tui::theme::Token;
use crate::tui::world::{Scope, World};

pub const COLUMNS: &[Column] = &[
    share("POD", 5),
    fixed("MANIFEST", 8),
    fixed("MIRROR", 8),
    fixed("RUNTIME", 8),
    fixed("STATE", 10),
    share("FIRST DIFFERENCE", 4),
    wide(share("FILE", 3), 140),
];

/// Rows that agree, shown behind those that differ.
const AGREEING: usize = 40;

pub fn sheet(facts: &NodeFacts, world: &World) -> Sheet {
    let missing = missing(facts);
    let scope = Scope::Node(facts.name.clone());
    let verdicts = world.verdicts(&scope);
    let verdict = |id: &str| {
        let mut checks = world.registry.node.iter();
        verdicts.get(checks.position(|check| check.id.0 == id)?)
    };
    let hidden = world.judged().map_or_else(Vec::new, |judged| {
        let view = View::new(&judged.snapshot, &judged.policy, judged.snapshot.taken);
        why::of_node(facts, &view).unwrap_or_default()
    });
    let rows: Vec<Row> = rows::rows(facts, verdict)
        .iter()
        .map(|told| {
            let names = format!("{}/{}", told.namespace, told.name);
            let why = hidden.iter().find(|hidden| hidden.names == names);
            row(names, told, (facts, missing), why)
        })
        .collect();
    Sheet {
        about: "one row per static pod; !! where something is missing or differs".to_owned(),
        rows,
        holes: holes(facts),
    }
}

/// What is not known of any pod.
fn holes(facts: &NodeFacts) -> Vec<Hole> {
    let node = &facts.name;
    let mut out = Vec::new();
    if let Fact::Gap(gap) = &facts.api.mirrors {
        out.push(Hole::of("mirror pods", gap, node));
    }
    if let Some(gap) = &facts.api.unread {
        out.push(Hole::of("mirror pods", gap, node));
    }
    match &facts.host.runtime_pods {
        Fact::Gap(gap) => out.push(Hole::of("what runs", gap, node)),
        Fact::Seen(seen) if seen.value.hidepid => {
            out.push(Hole::of("what runs", &pairs::hidden_processes(), node));
        }
        Fact::Seen(_) => {}
    }
    match pairs::declared(facts) {
        Err(gap) => out.push(Hole::of("manifests", &gap, node)),
        Ok(declared) => {
            let gaps = declared.gaps.iter();
            out.extend(gaps.map(|gap| Hole::of("a manifest", gap, node)));
        }
    }
    out
}

/// What is said of a pod that manifests, mirrors and processes do not show: only where a source is known as a whole is
/// missing what is not seen.
fn missing(facts: &NodeFacts) -> [&'static str; 3] {
    let runtime = facts.host.runtime_pods.get().ok();
    let manifests = pairs::declared(facts).is_ok_and(|declared| declared.gaps.is_empty());
    let mirrors = facts.api.mirrors.is_seen() && facts.api.unread.is_none();
    let runs = runtime.is_some_and(|seen| !seen.value.hidepid);
    [(manifests, "!! none"), (mirrors, "!! none"), (runs, "none")]
        .map(|(known, word)| if known { word } else { "unknown" })
}

fn row(
    key: String,
    told: &rows::Row,
    (facts, missing): (&NodeFacts, [&str; 3]),
    why: Option<&Hidden>,
) -> Row {
    let mirrors = facts.api.mirrors.get().ok();
    let mut mirrors = mirrors.iter().flat_map(|seen| &seen.value);
    let mirror = mirrors.find(|it| it.pod.namespace == told.namespace && it.pod.name == told.name);
    let running = running(told, facts);
    let manifest = match told.files.len() {
        0 => missing[0].to_owned(),
        1 => "declared".to_owned(),
        files => format!("!! {files}"),
    };
    let shown = match mirror {
        Some(mirror) => mirror.phase.to_string(),
        None => missing[1].to_owned(),
    };
    let runs: u32 = running.iter().map(|pod| pod.pids).sum();
    let runs = match runs {
        0 => missing[2].to_owned(),
        runs => format!("{runs} procs"),
    };
    let cause = why.and_then(|why| {
        let mut causes = why.causes.iter();
        causes.find(|cause| cause.standing == Proven::Proven)
    });
    let first = match (cause, &told.first) {
        (Some(cause), _) => cause.words.clone(),
        (None, Some(first)) => first.field.to_string(),
        (None, None) => "-".to_owned(),
    };
    let state = told.state();
    let standing = match state {
        State::Equal => Standing::Good,
        State::Unknown => Standing::Unknown,
        State::Stale | State::Drifted | State::Duplicated => Standing::Warning,
        State::Forged | State::Hidden | State::Orphan => Standing::Bad,
    };
    let file = told.files.first().map(|(file, _)| file.to_string());
    Row {
        key,
        cells: vec![
            Cell::from(short(told, facts)),
            Cell::from(manifest),
            Cell::from(shown),
            Cell::from(runs),
            Cell::from(state.name()),
            Cell::from(first),
            Cell::from(file.unwrap_or_default()),
        ],
        standing,
        state: state.name(),
        detail: detail(told, (facts, mirror), &running, why),
    }
}

fn running<'n>(told: &rows::Row, facts: &'n NodeFacts) -> Vec<&'n RuntimePod> {
    let Fact::Seen(seen) = &facts.host.runtime_pods else {
        return Vec::new();
    };
    let pods = seen.value.pods.iter();
    pods.filter(|pod| told.runtime.contains(&pod.uid)).collect()
}

fn detail(
    told: &rows::Row,
    (facts, mirror): (&NodeFacts, Option<&Mirror>),
    running: &[&RuntimePod],
    why: Option<&Hidden>,
) -> Vec<Line> {
    let states: Vec<&str> = told.states.iter().map(|state| state.name()).collect();
    let mut out = vec![Line::Named("STATE", states.join(", "))];
    if let Some(gap) = &told.gap {
        out.push(Line::Named("CAUSE", gap.to_string()));
        let next = gap.next_step_on(Some(&facts.name));
        out.push(Line::Named("NEXT", next.to_string()));
    }
    let files = told.files.iter();
    out.extend(files.map(|(file, _)| Line::Named("FILE", file.to_string())));
    out.extend(mirror.map(|mirror| Line::Named("MIRROR", about_mirror(mirror))));
    let runs = running.iter();
    out.extend(runs.map(|pod| Line::Named("RUNS", about_running(pod))));
    if let Some(why) = why {
        out.push(Line::Head("why it has no mirror".to_owned()));
        out.extend(why.causes.iter().map(cause));
    }
    let declared = pairs::declared(facts).ok();
    let declared = declared.iter().flat_map(|declared| &declared.pods);
    for pod in declared.filter(|pod| {
        told.files
            .iter()
            .any(|(file, _)| *file == pod.manifest.file)
    }) {
        let Some(mirror) = mirror.filter(|mirror| pod.is_mirrored_by(mirror)) else {
            continue;
        };
        let compared = compare(pod.pod, &mirror.pod, facts.name.as_str());
        out.extend(fields(pod.manifest.file.as_str(), &compared));
    }
    out
}

/// One link of the chain, with how sure it is.
fn cause(cause: &Cause) -> Line {
    let (token, mark, more) = match &cause.standing {
        Proven::Proven => (Token::StateFailed, "!!", String::new()),
        Proven::Possible => (Token::SrcDisagree, "? ", " (it may)".to_owned()),
        Proven::RuledOut => (Token::Muted, "- ", " (ruled out)".to_owned()),
        Proven::Unknown(gap) => (Token::Text, "U ", format!(": {}", gap.with_next(None))),
    };
    let text = format!("{mark} {}: {}{more}", cause.kind.name(), cause.words);
    Line::Text(token, text)
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

/// Without the node's name behind it, and without kube-system, of which nearly all are.
fn short(told: &rows::Row, facts: &NodeFacts) -> String {
    let suffix = mirror_name("", facts.name.as_str());
    let name = told.name.as_str();
    let name = name.strip_suffix(&suffix).unwrap_or(name);
    match told.namespace.as_str() {
        "kube-system" => name.to_owned(),
        namespace => format!("{namespace}/{name}"),
    }
}

/// Fields that differ, then some of those that do not.
fn fields(file: &str, all: &[Comparison]) -> Vec<Line> {
    let differ: Vec<&Comparison> = differing(all).collect();
    let mut out = vec![Line::Head(format!(
        "{} of {} fields differ: manifest | mirror | runtime",
        differ.len(),
        all.len()
    ))];
    out.push(Line::Text(Token::Muted, format!("   {file}")));
    out.extend(differ.into_iter().map(|row| line(row, true)));
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
