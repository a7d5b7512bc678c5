use super::*;
use crate::checks::standard::Level;

fn lint(text: &str) -> Vec<Entry> {
    let linter = Linter::new(Standard::latest(Level::Restricted), Masker::new([7; 32]));
    linter.file(&Text::new("a.yaml"), text.as_bytes())
}

fn judged(entry: &Entry) -> &Judgement {
    match &entry.what {
        What::Judged(judgement) => judgement,
        other => panic!("{other:?}"),
    }
}

const TWO: &str = "# a comment
apiVersion: v1
kind: Pod
metadata: {name: a, namespace: x}
spec:
  containers:
  - name: c
    image: i
  - name: d
    image: i
    securityContext:
      privileged: yes
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: b}
spec:
  template:
    spec:
      hostNetwork: true
      containers:
      - name: c
        ports: [{containerPort: 80}]
";

#[test]
fn lines_lead_to_the_fields() {
    let entries = lint(TWO);
    assert_eq!(entries.len(), 2);
    let first = judged(&entries[0]);
    assert_eq!((first.pod.as_str(), first.kind.as_str()), ("x/a", "Pod"));
    assert!(!first.allowed());
    let privileged = first
        .violations
        .iter()
        .find(|violation| violation.id == "privileged")
        .expect("d is privileged");
    assert_eq!(privileged.containers, ["d"]);
    let at = "spec.containers[1].securityContext.privileged";
    assert_eq!(privileged.fields, [(Text::new(at), 12)]);
    let escalation = &first.violations[1];
    assert_eq!(escalation.id, "allowPrivilegeEscalation");
    let missing = "spec.containers[0].securityContext.allowPrivilegeEscalation";
    assert_eq!(escalation.fields[0], (Text::new(missing), 7));
    let second = judged(&entries[1]);
    assert_eq!(
        (second.pod.as_str(), second.kind.as_str()),
        ("b", "Deployment")
    );
    // The API server fills in host ports when a pod is made of a template, not before.
    let ids: Vec<&str> = second.violations.iter().map(|found| found.id).collect();
    assert!(
        ids.contains(&"hostNamespaces") && !ids.contains(&"hostPorts"),
        "{ids:?}"
    );
    assert_eq!(second.violations[0].fields[0].1, 20);
}

#[test]
fn checks_that_need_the_manifest_alone_are_asked() {
    let entries = lint(TWO);
    let finding = judged(&entries[0])
        .findings
        .iter()
        .find(|finding| finding.check.id.0 == "SP-PRIV-001")
        .expect("d is privileged");
    assert_eq!((finding.line, finding.subject.key.as_str()), (9, "x/a/d"));
    for entry in &entries {
        let worst_first = judged(entry).findings.iter();
        assert!(worst_first.is_sorted_by(|a, b| a.severity >= b.severity));
    }
}

/// What a check would say of a file's owner or mode is never said of a file that is on no node.
#[test]
fn nothing_is_said_of_a_node() {
    for entry in lint(TWO) {
        for finding in &judged(&entry).findings {
            let id = finding.check.id.0;
            assert!(!id.starts_with("SP-FILE-0"), "{id}: {}", finding.message);
        }
    }
}

#[test]
fn what_is_not_a_pod() {
    for (text, words) in [
        ("", "there is nothing in it"),
        ("# nothing\n---\n", "there is nothing in it"),
        ("a: [", "did not find expected node"),
        ("a: 1", "apiVersion is missing"),
        ("just words", "not an object"),
        (
            "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: [{name: c, securityContext: {privileged: maybe}}]}",
            "Pod a: invalid type",
        ),
        (
            "apiVersion: v1\nkind: Pod\nmetadata: {name: a}",
            "Pod a: invalid pod: spec.containers",
        ),
    ] {
        let entries = lint(text);
        let What::Unreadable(why) = &entries[0].what else {
            panic!("{text}: {entries:?}")
        };
        assert!(why.as_str().contains(words), "{text}: {why}");
    }
    let entries = lint("apiVersion: v1\nkind: Service\nmetadata: {name: s}");
    assert!(matches!(&entries[0].what, What::Skipped(what) if what == "Service s"));
}

#[test]
fn hostile_words_are_cleaned() {
    let entries = lint(
        "apiVersion: v1\nkind: Pod\nmetadata: {name: \"a\\e[2J\"}\nspec: {containers: [{name: \"c\\u202e\", securityContext: {privileged: true}}]}",
    );
    let found = judged(&entries[0]);
    let mut texts = vec![found.pod.clone()];
    for violation in &found.violations {
        texts.push(violation.message.clone());
        texts.extend(violation.containers.clone());
    }
    texts.extend(found.findings.iter().map(|finding| finding.message.clone()));
    assert!(
        texts
            .iter()
            .all(|text| !text.as_str().contains(['\u{1b}', '\u{202e}']))
    );
}
