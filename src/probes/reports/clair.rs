//! Clair v4's report, as `clairctl report -o json` and the API give it. An image is known by its manifest's digest
//! alone; reports of several images follow each other in one file.

use std::collections::HashMap;

use super::tree::Node;
use super::{Format, Gathered, digest, looked, severity, short, word};
use crate::model::reports::{Image, Kind, ReportFinding, Scanner, Status, Subject};
use crate::model::text::Text;

pub(super) const FORMAT: Format = Format {
    scanner: Scanner::Clair,
    is_it,
    add,
};

fn is_it(document: &Node) -> bool {
    document.has("manifest_hash")
        || document.has("package_vulnerabilities") && document.has("packages")
}

fn add(document: &Node, out: &mut Gathered) {
    let name = word(document, "manifest_hash").unwrap_or_default();
    let mut subject = Subject {
        images: vec![Image {
            digests: digest(name.as_str()).into_iter().collect(),
            ..Image::default()
        }],
        name,
        ..Subject::default()
    };
    let pairs = document.get("package_vulnerabilities");
    if document.is_whole() && matches!(pairs, Node::Object(_) | Node::Null) {
        looked(&mut subject, Kind::Vulnerability);
    }
    let by_id = |key: &str| -> HashMap<&str, &Node> {
        let members = document.get(key).members().iter();
        members.map(|(id, value)| (&**id, value)).collect()
    };
    let (packages, known) = (by_id("packages"), by_id("vulnerabilities"));
    for (package, ids) in pairs.members() {
        let package = packages.get(&**package).copied();
        for id in ids.items() {
            let finding = match id {
                Node::Text(id) => known.get(&**id).and_then(|one| finding(one, package)),
                _ => None,
            };
            out.finding(&mut subject, finding);
        }
    }
    out.subject(subject);
}

fn finding(one: &Node, package: Option<&Node>) -> Option<ReportFinding> {
    if !one.is_whole() {
        return None;
    }
    let part = |key| package.and_then(|package| package.text(key));
    let parts = [part("name"), part("version")];
    let package: Vec<&str> = parts.into_iter().flatten().collect();
    let level = one
        .text("normalized_severity")
        .or_else(|| one.text("severity"));
    Some(ReportFinding {
        kind: Kind::Vulnerability,
        id: word(one, "name")?,
        severity: severity(level),
        status: Status::Fail,
        title: Text::default(),
        package: short(&package.join(" ")),
        fixed: word(one, "fixed_in_version"),
    })
}
