//! kube-bench's `--json`: `{Controls, Totals}`, a bare list of controls (`--nototals`), or one such object per target.
//! It names neither host nor time.

use super::tree::Node;
use super::{Format, Gathered, looked, word};
use crate::model::reports::{Kind, ReportFinding, Scanner, Status, Subject};

pub(super) const FORMAT: Format = Format {
    scanner: Scanner::KubeBench,
    is_it,
    add,
};

fn is_it(document: &Node) -> bool {
    let one = |node: &Node| {
        node.has("Controls") || node.has("tests") && (node.has("node_type") || node.has("id"))
    };
    one(document) || document.items().first().is_some_and(one)
}

fn add(document: &Node, out: &mut Gathered) {
    for target in document.one_or_more() {
        if target.has("Controls") {
            for control in target.get("Controls").one_or_more() {
                one(control, out);
            }
        } else {
            one(target, out);
        }
    }
}

fn one(control: &Node, out: &mut Gathered) {
    let version = word(control, "version").or_else(|| word(control, "detected_version"));
    out.run(version, None);
    let mut subject = Subject {
        name: word(control, "text")
            .or_else(|| word(control, "node_type"))
            .unwrap_or_default(),
        ..Subject::default()
    };
    for group in control.get("tests").items() {
        for result in group.get("results").items() {
            let finding = finding(result);
            if finding.is_some() {
                looked(&mut subject, Kind::Rule);
            }
            out.finding(&mut subject, finding);
        }
    }
    out.subject(subject);
}

fn finding(result: &Node) -> Option<ReportFinding> {
    if !result.is_whole() {
        return None;
    }
    Some(ReportFinding {
        kind: Kind::Rule,
        id: word(result, "test_number")?,
        severity: None,
        status: match result.text("status")? {
            "PASS" => Status::Pass,
            "FAIL" => Status::Fail,
            "INFO" => Status::Info,
            // WARN: for a person to judge, or it could not be run.
            _ => Status::Unknown,
        },
        title: word(result, "test_desc").unwrap_or_default(),
        package: crate::model::text::Text::default(),
        fixed: None,
    })
}
