//! Reports of other scanners: every version that is recorded, files that break off, files that are something else.

use std::path::{Path, PathBuf};

use stakeout::model::reports::{Kind, ReportFinding, Scanner, ScannerReport, Status};
use stakeout::model::text::Text;
use stakeout::model::verdict::Severity;
use stakeout::probes::reports::read;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/reports")
}

fn bytes(name: &str) -> Vec<u8> {
    std::fs::read(folder().join(name)).expect("a recorded report")
}

fn report(name: &str) -> ScannerReport {
    let report = read(&bytes(name)).expect("a report");
    assert!(report.is_whole(), "{name}: {report:?}");
    report
}

fn names() -> Vec<String> {
    let entries = std::fs::read_dir(folder()).expect("the recorded reports");
    let mut names: Vec<String> = entries
        .map(|entry| entry.expect("an entry").file_name())
        .map(|name| name.to_str().expect("a plain name").to_owned())
        .collect();
    names.sort();
    names
}

fn find<'r>(report: &'r ScannerReport, id: &str) -> &'r ReportFinding {
    let found = report.findings().find(|finding| finding.id == id);
    found.unwrap_or_else(|| panic!("{id} in {report:?}"))
}

#[test]
fn every_recorded_report_is_whole() {
    for name in names() {
        let scanner = report(&name).scanner;
        let expected = match name.as_str() {
            name if name.starts_with("kube-bench") => Scanner::KubeBench,
            name if name.starts_with("kube-hunter") => Scanner::KubeHunter,
            name if name.starts_with("trivy-k8s") => Scanner::TrivyK8s,
            name if name.starts_with("trivy") => Scanner::Trivy,
            _ => Scanner::Clair,
        };
        assert_eq!(scanner, expected, "{name}");
    }
}

#[test]
fn kube_bench_of_every_shape_says_the_same() {
    let newest = report("kube-bench-0.14.json");
    assert_eq!(newest.version.as_ref().expect("a version"), "cis-1.12");
    assert_eq!(newest.made, None);
    assert_eq!(newest.subjects.len(), 2);
    assert!(
        newest
            .subjects
            .iter()
            .all(|subject| subject.node.is_none() && subject.looked == [Kind::Rule])
    );
    for (id, status) in [
        ("1.1.1", Status::Fail),
        ("1.1.2", Status::Pass),
        ("1.1.9", Status::Unknown),
        ("4.2.1", Status::Pass),
        ("4.2.14", Status::Info),
    ] {
        assert_eq!(find(&newest, id).status, status, "{id}");
    }
    for same in ["kube-bench-0.10-nototals.json", "kube-bench-targets.json"] {
        assert_eq!(report(same), newest, "{same}");
    }
    for one in ["kube-bench-0.3.json", "kube-bench-job.log"] {
        let one = report(one);
        assert_eq!(one.subjects[0].findings, newest.subjects[0].findings);
    }
}

#[test]
fn kube_hunter_names_hosts() {
    let found = report("kube-hunter-0.6.json");
    let nodes: Vec<_> = found
        .subjects
        .iter()
        .filter_map(|subject| subject.node.as_ref().map(Text::as_str))
        .collect();
    assert_eq!(nodes, ["10.0.0.11", "fd00::11"]);
    assert_eq!(found.subjects[0].findings.len(), 2);
    let anonymous = find(&found, "KHV036");
    assert_eq!(anonymous.severity, Some(Severity::High));
    assert_eq!(anonymous.title, "Anonymous Authentication");
    find(&found, "Denial of Service to Kubernetes API Server");
    find(&report("kube-hunter-0.2.json"), "K8s Version Disclosure");
    let clean = report("kube-hunter-clean.json");
    assert_eq!(clean.subjects[0].looked, [Kind::Exposure]);
    assert!(clean.findings().next().is_none());
}

#[test]
fn trivy_names_the_image_by_digest() {
    let found = report("trivy-0.68.json");
    assert_eq!(found.version.as_ref().expect("a version"), "0.68.1");
    let made = found.made.expect("a time").to_string();
    assert_eq!(made, "2026-11-20T09:11:12.123456789Z");
    let image = &found.subjects[0].images[0];
    assert_eq!(image.names, ["registry.k8s.io/etcd:3.6.5-0"]);
    assert_eq!(
        image.digests,
        [Text::from(format!("sha256:{}", "a1".repeat(32)))]
    );
    let id = image.id.as_ref().expect("an id");
    assert_eq!(*id, *format!("sha256:{}", "c3".repeat(32)));
    let worst = find(&found, "CVE-2025-0001");
    assert_eq!(worst.severity, Some(Severity::Critical));
    assert_eq!(worst.fixed.as_ref().expect("a fix"), "3.0.16");
    assert_eq!(worst.package, "openssl 3.0.15");
    assert_eq!(find(&found, "CVE-2025-0002").fixed, None);
    assert_eq!(find(&found, "CVE-2025-0003").severity, None);
    assert_eq!(find(&found, "private-key").kind, Kind::Secret);
    let kept = serde_json::to_string(&found).expect("it is plain data");
    assert!(!kept.contains("very secret"), "the secret itself is kept");
    assert_eq!(
        serde_json::from_str::<ScannerReport>(&kept).expect("own output"),
        found
    );

    let clean = report("trivy-0.30.json");
    assert_eq!(clean.subjects[0].looked, [Kind::Vulnerability]);
    let image = &clean.subjects[0].images[0];
    assert_eq!(
        image.digests,
        [Text::from(format!("sha256:{}", "b2".repeat(32)))]
    );
    let oldest = report("trivy-0.10.json");
    assert_eq!(oldest.subjects[0].name, "registry.k8s.io/etcd:3.4.3-0");
    assert_eq!(oldest.subjects[0].looked, [Kind::Vulnerability]);
    find(&oldest, "CVE-2019-0001");
}

#[test]
fn trivy_without_a_class_has_not_looked() {
    let text = r#"{"SchemaVersion": 2, "ArtifactName": "a:1", "Results": [{"Target": "a:1", "Class": "secret"}]}"#;
    let found = read(text.as_bytes()).expect("a report");
    assert_eq!(found.subjects[0].looked, [Kind::Secret]);
    let text = r#"{"SchemaVersion": 2, "ArtifactName": "a:1"}"#;
    let found = read(text.as_bytes()).expect("a report");
    assert!(found.subjects[0].looked.is_empty());
}

#[test]
fn trivy_k8s_of_every_version_knows_the_static_pod() {
    for name in [
        "trivy-k8s-0.68.json",
        "trivy-k8s-0.40.json",
        "trivy-k8s-summary.json",
        "trivy-k8s-0.28.json",
    ] {
        let found = report(name);
        let object = found.subjects[0].object.as_ref().expect("an object");
        assert_eq!(
            [&object.namespace, &object.kind, &object.name].map(Text::as_str),
            ["kube-system", "Pod", "etcd-cp-1"]
        );
        find(&found, "CVE-2025-0001");
    }
    for name in ["trivy-k8s-0.68.json", "trivy-k8s-0.40.json"] {
        let found = report(name);
        let pod = &found.subjects[0];
        assert_eq!(pod.images[0].digests.len(), 1, "{name}");
        assert_eq!(pod.looked, [Kind::Vulnerability, Kind::Rule], "{name}");
        assert_eq!(find(&found, "KSV-0012").status, Status::Pass);
        assert_eq!(find(&found, "KSV-0014").status, Status::Excepted);
        let node = found.subjects[1].node.as_ref().expect("a node");
        assert_eq!(node, "cp-1");
    }
    let failed = &report("trivy-k8s-0.68.json").subjects[2];
    assert!(failed.looked.is_empty(), "a scan that failed has looked");
}

#[test]
fn clair_knows_images_by_digest_alone() {
    let found = report("clair-4.3-several.json");
    assert_eq!(found.subjects.len(), 2);
    let digests: Vec<_> = found
        .subjects
        .iter()
        .map(|subject| subject.images[0].digests[0].as_str().to_owned())
        .collect();
    assert_eq!(
        digests,
        ["a1", "b2"].map(|pair| format!("sha256:{}", pair.repeat(32)))
    );
    assert_eq!(found.subjects[1].looked, [Kind::Vulnerability]);
    let worst = find(&found, "CVE-2025-0001");
    assert_eq!(worst.severity, Some(Severity::Critical));
    assert_eq!(worst.package, "openssl 3.0.15");
    let least = find(&found, "CVE-2025-0009");
    assert_eq!(least.severity, Some(Severity::Info));
    assert_eq!(least.fixed, None);
    assert_eq!(report("clair-4.8.json").subjects[0], found.subjects[0]);
}

/// Cut anywhere: what was whole before the cut is kept and nothing is made up, the cut is told, silence is no proof.
#[test]
fn a_cut_file_keeps_what_was_whole() {
    for name in names() {
        let whole = bytes(&name);
        let full = report(&name);
        let end = whole.trim_ascii_end().len();
        let mut most = 0;
        for cut in (1..end).step_by(97).chain([end - 1]) {
            let part = match read(&whole[..cut]) {
                Ok(part) => part,
                Err(error) => {
                    let words = error.to_string();
                    assert!(words.starts_with("expected a JSON report"), "{words}");
                    assert!(error.byte <= cut, "{name} at {cut}: {words}");
                    continue;
                }
            };
            for finding in part.findings() {
                assert!(
                    full.findings().any(|have| have == finding),
                    "{name} at {cut}: {finding:?}"
                );
            }
            most = most.max(part.findings().count());
            // Between two documents nothing tells that there was another.
            if let Some(words) = &part.cut {
                let place = format!("byte {cut}");
                assert!(words.as_str().ends_with(&place), "{name} at {cut}: {words}");
                let last = part.subjects.last();
                assert!(last.is_none_or(|last| last.looked.is_empty()));
            } else {
                assert!(part.subjects.len() < full.subjects.len(), "{name} at {cut}");
            }
        }
        assert_eq!(most, full.findings().count(), "{name}");
    }
}

#[test]
fn what_it_is_instead_is_told() {
    for (bytes, words) in [
        (&b""[..], "an empty file at line 1, byte 0"),
        (b"\xff\xfe{\0", "UTF-16; next: iconv"),
        (b"\x1f\x8b\x08", "packed by gzip"),
        (
            b"[INFO] 1 Control Plane\n[PASS] 1.1.1\n",
            "next: kube-bench --json",
        ),
        (b"apiVersion: v1\n", "found text: apiVersion: v1 at line 1"),
        (
            b"x\n{\"a\": 1, \"b\": [2]}",
            "an object with the keys a, b at line 2, byte 2",
        ),
        (b"[]", "found an empty list at line 1"),
        (b"[{\"x\": 1}]", "a list of objects with the keys x"),
        (
            b"{\n\"a\": 1,\n\"b\" 2}",
            "found \"2\" (expected `:`) at line 3, byte 14",
        ),
        (
            b"{\"a\": [1,",
            "found the end of the file at line 1, byte 9",
        ),
    ] {
        let error = read(bytes).expect_err("no report").to_string();
        assert!(error.contains(words), "{error}");
        assert!(
            error.starts_with("expected a JSON report of kube-bench"),
            "{error}"
        );
    }
}

/// A field of another type costs that field, an entry without what it needs costs that entry and is counted.
#[test]
fn fields_of_another_type_cost_themselves() {
    let text = r#"{"Controls": [{"version": 7, "text": {"a": 1}, "tests": [null, 3, {"results": [
        {"test_number": 1.1, "status": "PASS", "test_desc": ["x"]},
        {"test_number": "1.2", "status": "NEW"},
        {"status": "FAIL"}, "x", null]}]}]}"#;
    let found = read(text.as_bytes()).expect("a report");
    assert_eq!(found.version.as_ref().expect("a version"), "7");
    assert_eq!(find(&found, "1.1").status, Status::Pass);
    assert_eq!(find(&found, "1.2").status, Status::Unknown);
    assert_eq!((found.findings().count(), found.left_out), (2, 3));
    assert!(!found.is_whole() && found.cut.is_none());
}

#[test]
fn a_second_scanner_in_one_file_is_told() {
    let both = [bytes("clair-4.8.json"), bytes("trivy-0.30.json")].concat();
    let found = read(&both).expect("a report");
    assert_eq!((found.scanner, found.subjects.len()), (Scanner::Clair, 1));
    let cut = found.cut.expect("it is told");
    assert!(
        cut.as_str().contains("SchemaVersion, ArtifactName"),
        "{cut}"
    );
}

#[test]
fn reports_are_bounded() {
    let result = r#"{"test_number":"1","status":"FAIL"},"#.repeat(ScannerReport::MOST + 5);
    let text = format!(
        r#"[{{"id":"1","tests":[{{"results":[{}]}}]}}]"#,
        result.trim_end_matches(',')
    );
    let found = read(text.as_bytes()).expect("a report");
    assert_eq!(
        (found.findings().count(), found.left_out),
        (ScannerReport::MOST, 5)
    );
    let text = r#"{"manifest_hash":""}"#.repeat(ScannerReport::MOST_SUBJECTS + 5);
    let found = read(text.as_bytes()).expect("a report");
    assert_eq!(
        (found.subjects.len(), found.left_out),
        (ScannerReport::MOST_SUBJECTS, 5)
    );
}
