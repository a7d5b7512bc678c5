//! `trivy k8s --format json`: `--report all` (`Resources`), `--report summary` (`Findings`), and the two lists of its
//! first versions (`Vulnerabilities`, `Misconfigurations`).

use super::tree::Node;
use super::trivy::{image, results};
use super::{Format, Gathered, time, word};
use crate::model::reports::{Object, Scanner, Subject};
use crate::model::text::Text;

pub(super) const FORMAT: Format = Format {
    scanner: Scanner::TrivyK8s,
    is_it,
    add,
};

const LISTS: [&str; 4] = [
    "Resources",
    "Findings",
    "Vulnerabilities",
    "Misconfigurations",
];

fn is_it(document: &Node) -> bool {
    document.has("ClusterName") || document.has("Resources") || document.has("Findings")
}

fn add(document: &Node, out: &mut Gathered) {
    let version = word(document.get("Trivy"), "Version");
    out.run(version, time(document, "CreatedAt"));
    for list in LISTS {
        for resource in document.get(list).items() {
            one(resource, out);
        }
    }
}

fn one(resource: &Node, out: &mut Gathered) {
    let part = |key: &str| word(resource, key).unwrap_or_default();
    let object = Object {
        namespace: part("Namespace"),
        kind: part("Kind"),
        name: part("Name"),
    };
    if object.kind.is_empty() || object.name.is_empty() {
        out.left_out();
        return;
    }
    let is_node = matches!(object.kind.as_str(), "Node" | "NodeInfo" | "NodeComponents");
    let node = is_node.then(|| object.name.clone());
    // One object in the first versions, a list since pods with several images are one resource.
    let images = resource.get("Metadata").one_or_more().iter().take(64);
    let images = images
        .map(|metadata| image(metadata, &Text::default()))
        .filter(|image| {
            let is_told = !image.names.is_empty() || !image.digests.is_empty();
            is_told || image.id.is_some()
        })
        .collect();
    let mut subject = Subject {
        name: object.name.clone(),
        node,
        object: Some(object),
        images,
        ..Subject::default()
    };
    results(resource.get("Results"), &mut subject, out);
    // An error of the scan: what was not looked for is not known.
    if resource.text("Error").is_some() {
        subject.looked.clear();
    }
    out.subject(subject);
}
