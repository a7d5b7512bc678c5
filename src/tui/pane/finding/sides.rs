//! The two sources side by side, the lines that differ marked, and the bar that says whether they agree.

use crate::evidence::{self, Exhibit};
use crate::model::fact::{Locator, Side};
use crate::model::name::NodeName;
use crate::model::node::NodeFacts;
use crate::model::verdict::{Comparison, Evidence, Offence, Side3, Verdict};
use crate::tui::theme::{Theme, Token};
use crate::tui::widget::strip::Strip;
use crate::tui::widget::words::{clock, count, fit, middle};
use crate::tui::world::{Finding, Sources, World};

/// Lines above and below a marked one.
const CONTEXT: usize = 1;

/// A line of one column.
#[derive(Clone, Debug)]
struct Cell {
    text: String,
    token: Token,
}

impl Cell {
    fn new(text: impl Into<String>, token: Token) -> Self {
        Self {
            text: text.into(),
            token,
        }
    }
}

/// Header, at most `room` rows of both columns, and the bar.
pub(super) fn sides(
    finding: &Finding,
    world: &World,
    theme: &Theme,
    (width, room): (usize, usize),
) -> Vec<Strip> {
    let left_width = (width.saturating_sub(3)) / 2;
    let right_width = width.saturating_sub(left_width + 3);
    let [left, right] = [Side::Api, Side::Node].map(|side| Column::of(side, finding, world, room));
    if finding.sources == Sources::None && left.title.is_empty() {
        return Vec::new();
    }
    let border = theme.style(Token::Border);
    let last = bar(finding, world, theme, width);
    match finding.sources {
        Sources::ApiOnly => return alone("API", left, (theme, width), last),
        Sources::NodeOnly => return alone("NODE", right, (theme, width), last),
        _ => {}
    }
    let mut out = vec![
        Strip::of(
            format!(
                "-- API  {} ",
                middle(&left.title, left_width.saturating_sub(9))
            ),
            border,
        )
        .fill(left_width, '-', border)
        .put("-+-", border)
        .put(
            format!(
                "- NODE  {} ",
                middle(&right.title, right_width.saturating_sub(10))
            ),
            border,
        )
        .fill(width, '-', border),
    ];
    let rows = left.cells.len().max(right.cells.len()).min(room);
    for row in 0..rows {
        let mut strip = Strip::new();
        let blank = Cell::new("", Token::Text);
        let cell = left.cells.get(row).unwrap_or(&blank);
        strip = strip
            .cell(left_width, &cell.text, theme.style(cell.token))
            .put(" | ", border);
        let cell = right.cells.get(row).unwrap_or(&blank);
        out.push(strip.put(fit(&cell.text, right_width), theme.style(cell.token)));
    }
    out.push(last);
    out
}

/// The only side that there is, over the whole width.
fn alone(name: &str, column: Column, (theme, width): (&Theme, usize), bar: Strip) -> Vec<Strip> {
    let border = theme.style(Token::Border);
    let title = middle(&column.title, width.saturating_sub(name.len() + 8));
    let mut out = vec![Strip::of(format!("-- {name}  {title} "), border).fill(width, '-', border)];
    out.extend(
        column
            .cells
            .into_iter()
            .map(|cell| Strip::of(fit(&cell.text, width), theme.style(cell.token))),
    );
    out.push(bar);
    out
}

/// Whether the sources agree, and on what they do not.
fn bar(finding: &Finding, world: &World, theme: &Theme, width: usize) -> Strip {
    let border = theme.style(Token::Border);
    let compare = world
        .offence(finding)
        .map_or(&[][..], |offence| &offence.compare);
    let differing: Vec<&Comparison> = compare.iter().filter(|field| !field.agrees()).collect();
    let (word, token, text) = match finding.sources {
        Sources::Disagree => {
            let first = differing.first().map_or_else(String::new, |field| {
                let all = count(compare.len(), "field");
                let tally = format!("({} of {all})", differing.len());
                let room = width.saturating_sub(tally.len() + 18);
                format!("{}  {tally}", middle(field.field.as_str(), room))
            });
            ("DISAGREE", Token::SrcDisagree, first)
        }
        Sources::Agree => {
            let fields = count(compare.len(), "field");
            ("AGREE", Token::SrcAgree, format!("{fields} compared"))
        }
        Sources::Both => (
            "API+NODE",
            Token::Muted,
            "both were read, nothing is compared".to_owned(),
        ),
        Sources::ApiOnly => (
            "API only",
            Token::Muted,
            "the node side is no part of this".to_owned(),
        ),
        Sources::NodeOnly => (
            "NODE only",
            Token::Muted,
            "the API side is no part of this".to_owned(),
        ),
        Sources::None => ("NO SOURCE", Token::Muted, String::new()),
    };
    Strip::of("-- ", border)
        .put(word, theme.style(token))
        .put(
            format!(" {} ", fit(&text, width.saturating_sub(word.len() + 8))),
            theme.style(Token::Text),
        )
        .fill(width, '-', border)
}

struct Column {
    title: String,
    cells: Vec<Cell>,
}

/// There are two columns: what a file of the user says stands with the API server's side.
fn column(side: Side) -> Side {
    match side {
        Side::Own | Side::Api => Side::Api,
        Side::Node => Side::Node,
    }
}

/// The evidence that the view holds behind some locators.
fn exhibits(world: &World, node: Option<&NodeName>, at: &[Locator]) -> Vec<(Locator, Exhibit)> {
    let Some(judged) = world.judged() else {
        return Vec::new();
    };
    let exhibit = |at: &Locator| {
        let found = evidence::exhibit(&judged.snapshot, &judged.policy, node, *at)?;
        Some((*at, found))
    };
    at.iter().filter_map(exhibit).collect()
}

impl Column {
    fn of(side: Side, finding: &Finding, world: &World, room: usize) -> Self {
        let scope = &finding.id.scope;
        let node = scope.node();
        let offence = world.offence(finding);
        let shown = evidence_of(finding, world);
        let at: Vec<Locator> = shown
            .iter()
            .flat_map(|evidence| evidence.iter())
            .filter(|at| column(at.need.side()) == side)
            .collect();
        let compare = offence.map_or(&[][..], |offence| &offence.compare);
        let exhibits = exhibits(world, node, &at);
        let facts = world.facts(scope);
        let marks: Vec<Vec<(String, String)>> = exhibits
            .iter()
            .map(|(at, _)| {
                facts
                    .map(|facts| fields(side, compare, (facts, *at)))
                    .unwrap_or_default()
            })
            .collect();
        let has_row = |field: &str| {
            exhibits.iter().zip(&marks).any(|((_, exhibit), marks)| {
                marks.iter().any(|(named, row)| {
                    named == field && exhibit.rows.iter().any(|line| line.fields.contains(row))
                })
            })
        };
        let mut cells = missing(side, compare, &has_row);
        let share = room.saturating_sub(cells.len()) / exhibits.len().max(1);
        let words = offence.map(subject_word);
        let sole = exhibits.len() == 1;
        for ((_, exhibit), marks) in exhibits.iter().zip(&marks) {
            let lines = share.saturating_sub(1).max(2);
            cells.extend(head(exhibit, sole));
            cells.extend(excerpt(exhibit, marks, words.as_deref(), lines));
        }
        if cells.is_empty() {
            let text = if at.is_empty() {
                "no evidence from this side"
            } else {
                "evidence is not in this snapshot"
            };
            cells.push(Cell::new(text, Token::Muted));
        }
        let title = match (side, exhibits.first()) {
            (_, Some((_, first))) if exhibits.len() == 1 => first.title.to_string(),
            (_, Some((_, first))) => format!("{} +{}", first.title, exhibits.len() - 1),
            (Side::Api | Side::Own, None) => String::new(),
            (Side::Node, None) => scope.to_string(),
        };
        Self { title, cells }
    }
}

/// The evidence of an offence, or of the verdict where there is none.
fn evidence_of<'w>(finding: &Finding, world: &'w World) -> Option<&'w Evidence> {
    if let Some(offence) = world.offence(finding) {
        return Some(&offence.evidence);
    }
    match world.verdict(finding)? {
        Verdict::Pass { evidence, .. } | Verdict::NotApplicable { evidence, .. } => Some(evidence),
        _ => None,
    }
}

/// When and how it was read, and what else is known of the source.
fn head(exhibit: &Exhibit, sole: bool) -> Vec<Cell> {
    let at = exhibit.at.map_or_else(|| "-".to_owned(), clock);
    let hash = exhibit
        .sha256
        .as_ref()
        .map_or_else(String::new, |digest| format!("  sha256 {}", digest.short()));
    let title = if sole {
        String::new()
    } else {
        format!("{}  ", middle(exhibit.title.as_str(), 24))
    };
    let remark = exhibit.remark.as_str();
    let gap = if remark.is_empty() { "" } else { "  " };
    vec![Cell::new(
        format!("{title}seen {at}  {remark}{gap}{}", exhibit.command),
        Token::Muted,
    )]
    .into_iter()
    .chain((!hash.is_empty()).then(|| Cell::new(hash.trim_start(), Token::Muted)))
    .collect()
}

/// What this side lacks or says otherwise, where no row of its evidence shows it.
fn missing(side: Side, compare: &[Comparison], has_row: &dyn Fn(&str) -> bool) -> Vec<Cell> {
    let mut out = Vec::new();
    let mut say = |name: &str, field: &Comparison, value: &Side3| {
        let leaf = leaf(field.field.as_str());
        match value {
            Side3::Absent => out.push(Cell::new(format!("!! {name}(no {leaf})"), Token::DiffDel)),
            Side3::Value(_) if name.is_empty() && has_row(field.field.as_str()) => {}
            Side3::Value(value) => {
                out.push(Cell::new(
                    format!("!! {name}{leaf}: {value}"),
                    Token::DiffDel,
                ));
            }
            Side3::Unasked => {}
        }
    };
    for field in compare.iter().filter(|field| !field.agrees()).take(6) {
        match side {
            Side::Api | Side::Own => say("", field, &field.mirror),
            Side::Node => {
                say("", field, &field.manifest);
                say("running ", field, &field.runtime);
            }
        }
    }
    out
}

/// The last part of a field path.
fn leaf(field: &str) -> &str {
    let dot = field.rfind('.').map_or(0, |at| at + 1);
    field
        .get(dot..)
        .filter(|leaf| !leaf.is_empty())
        .unwrap_or(field)
}

/// Fields of this source that differ: as the comparison names them, and with list indexes as the rows have them.
fn fields(
    side: Side,
    compare: &[Comparison],
    (facts, at): (&NodeFacts, Locator),
) -> Vec<(String, String)> {
    let raw = match side {
        Side::Api | Side::Own => evidence::mirror(facts, at).map(|mirror| mirror.pod.raw.clone()),
        Side::Node => evidence::manifest(facts, at).and_then(|manifest| {
            manifest
                .pod
                .get()
                .ok()?
                .value
                .pod()
                .map(|pod| pod.raw.clone())
        }),
    };
    let Some(raw) = raw else {
        return Vec::new();
    };
    compare
        .iter()
        .filter(|field| !field.agrees())
        .filter_map(|field| {
            let row = evidence::resolve(&raw, field.field.as_str())?;
            Some((field.field.to_string(), row))
        })
        .collect()
}

fn subject_word(offence: &Offence) -> String {
    let key = offence.subject.key.as_str();
    key.rsplit('/').next().unwrap_or(key).to_owned()
}

/// The rows around what differs, or around the subject, or the first ones.
fn excerpt(
    exhibit: &Exhibit,
    marks: &[(String, String)],
    word: Option<&str>,
    room: usize,
) -> Vec<Cell> {
    let rows = &exhibit.rows;
    let differs = |index: usize| {
        marks
            .iter()
            .any(|(_, mark)| rows[index].fields.contains(mark))
    };
    let named = |index: usize| {
        word.is_some_and(|word| !word.is_empty() && rows[index].text.as_str().contains(word))
    };
    let mut anchors: Vec<usize> = (0..rows.len()).filter(|index| differs(*index)).collect();
    if anchors.is_empty() {
        anchors = (0..rows.len()).filter(|index| named(*index)).collect();
    }
    if anchors.is_empty() {
        anchors.push(0);
    }
    let mut out = Vec::new();
    let mut next = 0;
    let last_anchor = anchors.len() - 1;
    for (place, anchor) in anchors.into_iter().enumerate() {
        let from = anchor.saturating_sub(CONTEXT).max(next);
        let to = if place == last_anchor {
            rows.len()
        } else {
            (anchor + CONTEXT + 1).min(rows.len())
        };
        if from > next && !out.is_empty() {
            out.push(Cell::new("   ..", Token::Muted));
        }
        for (index, row) in rows.iter().enumerate().take(to).skip(from) {
            if out.len() >= room {
                return out;
            }
            let (lead, token) = if differs(index) {
                ("!! ", Token::DiffDel)
            } else {
                ("   ", Token::Text)
            };
            out.push(Cell::new(format!("{lead}{}", row.text), token));
        }
        next = next.max(to);
    }
    out
}
