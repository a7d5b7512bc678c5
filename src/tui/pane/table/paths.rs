//! Attack paths: steps from where somebody may stand to what the node holds.

use super::sheet::{Cell, Column, Hole, Line, Row, Sheet, Standing, fixed, share};
use crate::model::node::NodeFacts;
use crate::model::verdict::Severity;
use crate::tui::theme::Token;
use crate::tui::world::World;

pub const COLUMNS: &[Column] = &[
    share("FROM", 2),
    share("TO", 2),
    fixed("STEPS", 5),
    fixed("SEVERITY", 8),
    share("WEAKEST STEP", 4),
];

/// A way, as the list of ways has it.
pub struct Way {
    pub from: String,
    pub to: String,
    pub severity: Severity,
    /// Each with what proves it.
    pub steps: Vec<(String, String)>,
    /// What cuts it.
    pub cut: String,
}

/// No list of ways is made in this version: that is a gap, and never a clean node.
pub fn sheet(facts: &NodeFacts, _: &World) -> Sheet {
    Sheet {
        about: String::new(),
        rows: ways(facts).iter().map(row).collect(),
        holes: vec![Hole {
            what: "attack paths".to_owned(),
            why: "this version does not put findings together to paths".to_owned(),
            next: format!("look at the findings themselves: :node {}", facts.name),
        }],
    }
}

fn ways(_: &NodeFacts) -> Vec<Way> {
    Vec::new()
}

fn row(way: &Way) -> Row {
    let mut detail = vec![Line::Head(format!("{} to {}", way.from, way.to))];
    for (number, (step, proof)) in way.steps.iter().enumerate() {
        detail.push(Line::Text(Token::Text, format!("{}. {step}", number + 1)));
        detail.push(Line::Text(Token::Muted, format!("   {proof}")));
    }
    detail.push(Line::Named("CUT", way.cut.clone()));
    let standing = if way.severity >= Severity::High {
        Standing::Bad
    } else {
        Standing::Warning
    };
    let rank = i64::try_from(way.steps.len()).unwrap_or(i64::MAX);
    Row {
        key: format!("{} {}", way.from, way.to),
        cells: vec![
            Cell::from(way.from.as_str()),
            Cell::from(way.to.as_str()),
            Cell::number(way.steps.len().to_string(), rank),
            Cell::number(way.severity.to_string(), -i64::from(way.severity as u8)),
            Cell::from(way.cut.as_str()),
        ],
        standing,
        state: "open",
        detail,
    }
}
