//! kube-hunter's `--report json`. It names no time; a place is a host, or a host with a port.

use std::collections::BTreeMap;

use super::tree::Node;
use super::{Format, Gathered, severity, short, word};
use crate::model::reports::{Kind, ReportFinding, Scanner, Status, Subject};
use crate::model::text::Text;

pub(super) const FORMAT: Format = Format {
    scanner: Scanner::KubeHunter,
    is_it,
    add,
};

fn is_it(document: &Node) -> bool {
    document.has("vulnerabilities")
        && ["nodes", "services", "hunter_statistics"]
            .iter()
            .any(|key| document.has(key))
}

/// The host of `host`, `host:port`, `[host]:port` or a bare IPv6 address.
fn host(location: &str) -> &str {
    if let Some(rest) = location.strip_prefix('[') {
        return rest.split(']').next().unwrap_or_default();
    }
    match location.split_once(':') {
        Some((host, port)) if !port.contains(':') => host,
        _ => location,
    }
}

fn add(document: &Node, out: &mut Gathered) {
    let mut subjects: BTreeMap<Text, Subject> = BTreeMap::new();
    let places = document.get("nodes").items().iter();
    for place in places.chain(document.get("services").items()) {
        // What runs there was looked at, whatever was found.
        of(&mut subjects, place.text("location"));
    }
    for one in document.get("vulnerabilities").items() {
        let subject = of(&mut subjects, one.text("location"));
        out.finding(subject, finding(one));
    }
    for subject in subjects.into_values() {
        out.subject(subject);
    }
}

/// The subject of a place, which is made where it is not there yet.
fn of<'s>(subjects: &'s mut BTreeMap<Text, Subject>, location: Option<&str>) -> &'s mut Subject {
    // What is true of the cluster as a whole has the word None there.
    let place = location.filter(|place| *place != "None").map(host);
    let name = short(place.unwrap_or("the cluster"));
    subjects.entry(name.clone()).or_insert_with(|| Subject {
        node: place.map(|_| name.clone()),
        name,
        looked: vec![Kind::Exposure],
        ..Subject::default()
    })
}

fn finding(one: &Node) -> Option<ReportFinding> {
    if !one.is_whole() {
        return None;
    }
    let title = word(one, "vulnerability").unwrap_or_default();
    // A vulnerability without an id has the word None there.
    let id = one.text("vid").filter(|id| *id != "None").map(short);
    let id = id.unwrap_or_else(|| title.clone());
    (!id.is_empty()).then(|| ReportFinding {
        kind: Kind::Exposure,
        id,
        severity: severity(one.text("severity")),
        status: Status::Fail,
        title,
        package: Text::default(),
        fixed: None,
    })
}
