//! Lists of objects of the API server: the request that brings them, and what is kept of one.

use std::sync::Arc;

use serde_json::Value;

use super::{Exhibit, object};
use crate::model::fact::{Fact, Locator, Need, Side};
use crate::model::name::NodeName;
use crate::model::node::NodeFacts;
use crate::model::snapshot::Snapshot;
use crate::model::text::Text;
use crate::model::tree::Tree;
use crate::probes::api::objects::PROBES;
use crate::probes::probe::Ask;

/// How many names of a list are shown.
const NAMES: usize = 500;

/// One object, or the names of all of them.
pub(super) fn exhibit(snapshot: &Snapshot, at: Locator) -> Option<Exhibit> {
    let cluster = &snapshot.cluster;
    let list = cluster.objects.list(at.need)?;
    if list.gap().is_some() {
        return None;
    }
    let item = usize::try_from(at.item).ok();
    let found = item.and_then(|item| Some((list.names(item)?, list.json(item)?)));
    let what = at.need.name().replace('_', " ");
    let (title, remark, rows) = if let Some((names, json)) = found {
        let kept = Tree::try_from(shown(json)).ok()?;
        let title = format!("{what}: {}", full(names));
        (
            title,
            "the fields that are kept of it",
            object::whole(&kept),
        )
    } else {
        let names = (0..list.len().min(NAMES)).filter_map(|item| list.names(item).map(full));
        let rows = object::lines(names, list.len());
        (what, "", rows)
    };
    Some(Exhibit {
        side: Side::Api,
        title: Text::from(title),
        command: Text::from(format!("GET {}", path(at.need)?)),
        at: cluster.heard.or(Some(snapshot.taken)),
        sha256: None,
        remark: Text::new(remark),
        rows,
    })
}

/// The pods of the whole cluster: how many there are on each node.
pub(super) fn pods(snapshot: &Snapshot) -> Exhibit {
    let count = |(name, facts): (&NodeName, &Arc<NodeFacts>)| match &facts.api.pods {
        Fact::Seen(seen) => format!("{name}: {} pods", seen.value.len()),
        Fact::Gap(gap) => format!("{name}: not known, {gap}"),
    };
    let nodes = snapshot.nodes.len();
    Exhibit {
        side: Side::Api,
        title: Text::new("pods of the cluster"),
        command: Text::new("GET /api/v1/pods"),
        at: snapshot.cluster.heard.or(Some(snapshot.taken)),
        sha256: None,
        remark: Text::default(),
        rows: object::lines(snapshot.nodes.iter().take(NAMES).map(count), nodes),
    }
}

fn full((namespace, name): (&str, &Text)) -> String {
    if namespace.is_empty() {
        name.to_string()
    } else {
        format!("{namespace}/{name}")
    }
}

/// The request that brings the list.
fn path(need: Need) -> Option<&'static str> {
    let probe = PROBES.iter().find(|probe| probe.need == need)?;
    probe.asks.iter().find_map(|ask| match ask {
        Ask::Api { path, .. } => Some(*path),
        Ask::Shell { .. } => None,
    })
}

/// Texts as they are shown; on disk those that were altered are marked.
fn shown(json: Value) -> Value {
    match json {
        Value::Object(mut members) => match members.remove("altered") {
            Some(text) if members.is_empty() => text,
            other => {
                members.extend(other.map(|text| ("altered".to_owned(), text)));
                let members = members.into_iter().map(|(key, value)| (key, shown(value)));
                Value::Object(members.collect())
            }
        },
        Value::Array(items) => items.into_iter().map(shown).collect(),
        other => other,
    }
}
