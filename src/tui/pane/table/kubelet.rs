//! The kubelet's effective settings, each with the file and the line that set it, and what it overrides.

use super::sheet::{Cell, Column, Hole, Line, Row, Sheet, Standing, fixed, share, wide};
use crate::checks::provenance::{self, Weaker};
use crate::model::kubelet::{Kubelet, LayerKind};
use crate::model::node::NodeFacts;
use crate::model::text::Text;
use crate::model::tree::Branch;

pub const COLUMNS: &[Column] = &[
    share("SETTING", 4),
    share("VALUE", 4),
    fixed("SET BY", 8),
    share("WHERE", 4),
    fixed("STATE", 8),
    wide(share("OVERRIDES", 2), 140),
];

/// Characters of a value in the list.
const SHORT: usize = 160;

pub fn sheet(facts: &NodeFacts) -> Sheet {
    let kubelet = match facts.host.kubelet.get() {
        Ok(kubelet) => &kubelet.value,
        Err(gap) => return Sheet::hole("the kubelet's configuration", &gap, &facts.name),
    };
    let gaps = provenance::unread(kubelet).map(|(layer, gap)| {
        let kind = kind(layer.kind);
        let origin = layer.origin.as_ref();
        let what = origin.map_or_else(|| kind.to_owned(), |origin| format!("{kind} {origin}"));
        Hole::of(what, gap, &facts.name)
    });
    let holes = gaps.collect();
    let rows = provenance::rows(kubelet);
    Sheet {
        about: about(kubelet),
        rows: rows.iter().map(row).collect(),
        holes,
    }
}

fn about(kubelet: &Kubelet) -> String {
    match &kubelet.process {
        None => "no kubelet runs; read from files and units".to_owned(),
        Some(process) => {
            let command: Vec<&str> = process.command.iter().map(Text::as_str).collect();
            format!("pid {}: {}", process.pid, command.join(" "))
        }
    }
}

fn kind(kind: LayerKind) -> &'static str {
    match kind {
        LayerKind::LegacyDefaults => "legacy",
        LayerKind::Defaults => "default",
        LayerKind::File => "file",
        LayerKind::DropIn => "drop-in",
        LayerKind::Flag => "flag",
    }
}

fn row(told: &provenance::Row<'_>) -> Row {
    let value = written(told.value);
    let place = told.place();
    let (standing, state) = if told.unsure.is_some() {
        (Standing::Unknown, "unsure")
    } else if told.is_legacy_trap() {
        (Standing::Warning, "legacy")
    } else if told.overridden.is_empty() {
        (Standing::Neutral, "-")
    } else {
        (Standing::Neutral, "wins")
    };
    let weaker = told.overridden.last();
    let overrides = weaker.map_or_else(|| "-".to_owned(), |one| one.value.to_string());
    let at = if told.is_default() { "-" } else { &place };
    Row {
        key: told.key.to_owned(),
        cells: vec![
            Cell::from(told.key),
            Cell::from(value.chars().take(SHORT).collect::<String>()),
            Cell::from(kind(told.layer.kind)),
            Cell::from(at),
            Cell::from(state),
            Cell::from(overrides),
        ],
        standing,
        state,
        detail: detail(told, value, &place),
    }
}

fn detail(told: &provenance::Row<'_>, value: String, place: &str) -> Vec<Line> {
    let mut out = vec![
        Line::Named("SETTING", told.key.to_owned()),
        Line::Named("VALUE", value),
        Line::Named("SET BY", place.to_owned()),
    ];
    if told.decides_static_pods() {
        let text = "it decides from where static pods come";
        out.push(Line::Named("NOTE", text.to_owned()));
    }
    if told.is_legacy_trap() {
        let text = "open only because no file is given by --config";
        out.push(Line::Named("NOTE", text.to_owned()));
    }
    if let Some(gap) = told.unsure {
        let text = format!("a stronger layer may say something else: {gap}");
        out.push(Line::Named("BUT", text));
        out.push(Line::Named("NEXT", gap.next_step().to_string()));
    }
    if !told.overridden.is_empty() {
        out.push(Line::Head(
            "what weaker layers say, the strongest first".to_owned(),
        ));
        let line = |one: &Weaker<'_>| Line::Named("", format!("{}  {}", one.value, one.place()));
        out.extend(told.overridden.iter().rev().map(line));
    }
    out
}

/// A value on one line; text without its quotes.
fn written(value: Branch<'_>) -> String {
    match value.as_str() {
        Some(text) => Text::new(text).to_string(),
        None => serde_json::to_string(&value)
            .map_or_else(|_| "?".to_owned(), |text| Text::from(text).to_string()),
    }
}
