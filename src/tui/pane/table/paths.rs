//! Attack paths: how somebody with a foothold comes to a node's root, or to the administrator of the cluster.

use super::sheet::{Cell, Column, Hole, Line, Row, Sheet, Standing, fixed, share, wide};
use crate::checks::check::View;
use crate::checks::reach::{self, AttackPath, Edge};
use crate::engine::Judged;
use crate::evidence;
use crate::model::fact::Gap;
use crate::model::node::NodeFacts;
use crate::model::verdict::Severity;
use crate::tui::world::World;

pub const COLUMNS: &[Column] = &[
    share("FROM", 3),
    share("TO", 3),
    fixed("STEPS", 5),
    fixed("SEVERITY", 8),
    fixed("BREAKS AT", 12),
    wide(share("FIRST STEP", 3), 120),
];

pub fn sheet(facts: &NodeFacts, world: &World) -> Sheet {
    let Some(judged) = world.judged() else {
        return Sheet::hole("attack paths", &Gap::Pending, &facts.name);
    };
    let view = View::new(&judged.snapshot, &judged.policy, judged.snapshot.taken);
    let found = reach::of_node(facts, &view);
    let gaps = found.gaps.iter();
    let more = match found.more {
        0 => String::new(),
        more => format!("; {more} more are not told"),
    };
    Sheet {
        about: format!(
            "to root of the node or cluster-admin; mending one step breaks a path{more}"
        ),
        rows: found
            .paths
            .iter()
            .map(|path| row(path, facts, judged))
            .collect(),
        holes: gaps
            .map(|gap| Hole::of("further paths", gap, &facts.name))
            .collect(),
    }
}

fn row(path: &AttackPath, facts: &NodeFacts, judged: &Judged) -> Row {
    let first = path.edges.first();
    let from = first.map_or_else(String::new, |edge| edge.from.to_string());
    let to = path
        .edges
        .last()
        .map_or_else(String::new, |edge| edge.to.to_string());
    let steps: Vec<&str> = path.edges.iter().map(|edge| edge.verb.as_str()).collect();
    let rank = i64::try_from(path.edges.len()).unwrap_or(i64::MAX);
    let (standing, state) = if path.severity >= Severity::High {
        (Standing::Bad, "open")
    } else {
        (Standing::Warning, "open")
    };
    Row {
        key: format!("{from} {} {to} {}", steps.join(" "), path.check),
        cells: vec![
            Cell::from(from),
            Cell::from(to),
            Cell::number(path.edges.len().to_string(), rank),
            Cell::number(path.severity.to_string(), -i64::from(path.severity as u8)),
            Cell::from(path.check.0),
            Cell::from(steps.first().copied().unwrap_or_default()),
        ],
        standing,
        state,
        detail: detail(path, facts, judged),
    }
}

/// What is held, the step, what is held after it, and so on to the end; each step with what proves it.
fn detail(path: &AttackPath, facts: &NodeFacts, judged: &Judged) -> Vec<Line> {
    let mut out = Vec::new();
    for (number, edge) in path.edges.iter().enumerate() {
        if number == 0 {
            out.push(Line::Named("FROM", edge.from.to_string()));
        }
        out.push(Line::Named("  |", edge.verb.to_string()));
        if let Some(proof) = proof(edge, facts, judged) {
            out.push(Line::Named("  |", format!("told by {proof}")));
        }
        let name = if number + 1 == path.edges.len() {
            "TO"
        } else {
            "  v"
        };
        out.push(Line::Named(name, edge.to.to_string()));
    }
    out.push(Line::Named(
        "BREAK",
        format!("mend {0}: :check {0}", path.check),
    ));
    out
}

/// Which source tells of the step.
fn proof(edge: &Edge, facts: &NodeFacts, judged: &Judged) -> Option<String> {
    let exhibit = evidence::exhibit(&judged.snapshot, &judged.policy, Some(&facts.name), edge.at)?;
    Some(format!("{}: {}", exhibit.side, exhibit.title))
}
