//! `trivy image --format json`: schema 2, and the bare list of results of schema 1.

use super::tree::Node;
use super::{Format, Gathered, digest, looked, severity, short, time, word};
use crate::model::reports::{Image, Kind, ReportFinding, Scanner, Status, Subject};
use crate::model::text::Text;

pub(super) const FORMAT: Format = Format {
    scanner: Scanner::Trivy,
    is_it,
    add,
};

fn is_it(document: &Node) -> bool {
    let by_list = document.items().first().is_some_and(|first| {
        first.has("Target") && (first.has("Vulnerabilities") || first.has("Type"))
    });
    by_list || document.has("ArtifactName") || document.has("SchemaVersion")
}

fn add(document: &Node, out: &mut Gathered) {
    let version = word(document.get("Trivy"), "Version");
    let version = version.or_else(|| match document {
        Node::List(_) => Some(Text::new("schema 1")),
        _ => None,
    });
    out.run(version, time(document, "CreatedAt"));
    let name = match document {
        // `image:tag (alpine 3.10.2)`: nothing else says which image it was.
        Node::List(items) => items.first().and_then(|first| {
            let target = first.text("Target")?;
            Some(short(target.split(" (").next().unwrap_or_default()))
        }),
        _ => word(document, "ArtifactName"),
    };
    let name = name.unwrap_or_default();
    let mut subject = Subject {
        images: vec![image(document.get("Metadata"), &name)],
        name,
        ..Subject::default()
    };
    let results_list = match document {
        Node::List(_) => document,
        _ => document.get("Results"),
    };
    results(results_list, &mut subject, out);
    out.subject(subject);
}

/// An image by its metadata and what it was asked for by.
pub(super) fn image(metadata: &Node, name: &Text) -> Image {
    let all = |key: &str| -> Vec<&str> {
        let items = metadata.get(key).one_or_more().iter();
        let words = items.filter_map(|item| match item {
            Node::Text(text) => Some(&**text),
            _ => None,
        });
        words.take(16).collect()
    };
    let mut names: Vec<Text> = Vec::new();
    let asked = metadata.text("Reference").map(short);
    for one in std::iter::once(name.clone())
        .chain(asked)
        .chain(all("RepoTags").into_iter().map(short))
    {
        if !one.is_empty() && !names.contains(&one) {
            names.push(one);
        }
    }
    let mut digests: Vec<Text> = all("RepoDigests").into_iter().filter_map(digest).collect();
    // An image that was named by its digest has it there, whatever the registry said.
    if name.as_str().contains('@') {
        digests.extend(digest(name.as_str()));
    }
    digests.sort_unstable();
    digests.dedup();
    Image {
        names,
        digests,
        id: metadata.text("ImageID").and_then(digest),
    }
}

/// What every list of results holds: each class of it says what was looked for.
pub(super) fn results(list: &Node, subject: &mut Subject, out: &mut Gathered) {
    for result in list.items() {
        // Half a result that holds no finding yet is no proof that there is none.
        if result.is_whole() {
            let kind = match result.text("Class") {
                Some("os-pkgs" | "lang-pkgs") => Some(Kind::Vulnerability),
                Some("config") => Some(Kind::Rule),
                Some("secret") => Some(Kind::Secret),
                Some(_) => None,
                // Schema 1 has no classes, and writes `null` where nothing was found.
                None => result.has("Vulnerabilities").then_some(Kind::Vulnerability),
            };
            if let Some(kind) = kind {
                looked(subject, kind);
            }
        }
        for one in result.get("Vulnerabilities").items() {
            let finding = vulnerability(one);
            out.finding(subject, finding);
        }
        for one in result.get("Misconfigurations").items() {
            let finding = rule(one);
            out.finding(subject, finding);
        }
        for one in result.get("Secrets").items() {
            let finding = secret(one, result);
            out.finding(subject, finding);
        }
    }
}

fn vulnerability(one: &Node) -> Option<ReportFinding> {
    if !one.is_whole() {
        return None;
    }
    let name = one.text("PkgName").unwrap_or_default();
    let version = one.text("InstalledVersion").unwrap_or_default();
    Some(ReportFinding {
        kind: Kind::Vulnerability,
        id: word(one, "VulnerabilityID")?,
        severity: severity(one.text("Severity")),
        status: Status::Fail,
        title: word(one, "Title").unwrap_or_default(),
        package: short(format!("{name} {version}").trim()),
        fixed: word(one, "FixedVersion"),
    })
}

fn rule(one: &Node) -> Option<ReportFinding> {
    if !one.is_whole() {
        return None;
    }
    Some(ReportFinding {
        kind: Kind::Rule,
        id: word(one, "ID").or_else(|| word(one, "AVDID"))?,
        severity: severity(one.text("Severity")),
        status: match one.text("Status") {
            Some("PASS") => Status::Pass,
            // Until statuses came only failures were written.
            Some("FAIL") | None => Status::Fail,
            Some("EXCEPTION") => Status::Excepted,
            Some(_) => Status::Unknown,
        },
        title: word(one, "Title").unwrap_or_default(),
        package: Text::default(),
        fixed: None,
    })
}

fn secret(one: &Node, result: &Node) -> Option<ReportFinding> {
    if !one.is_whole() {
        return None;
    }
    Some(ReportFinding {
        kind: Kind::Secret,
        id: word(one, "RuleID")?,
        severity: severity(one.text("Severity")),
        status: Status::Fail,
        title: word(one, "Title").unwrap_or_default(),
        // The file that holds it.
        package: word(result, "Target").unwrap_or_default(),
        fixed: None,
    })
}
