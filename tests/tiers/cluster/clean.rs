//! A fresh cluster: what kubeadm's defaults deserve and nothing else, and everything known.

use std::collections::BTreeSet;

use libtest_mimic::Failed;

use super::expected;
use super::scan::{Way, scan};
use super::stage::{self, Stage};

pub fn clean() -> Result<(), Failed> {
    stage::with("clean", |stage| {
        let way = Way::administrator(stage);
        let report = scan(stage, &way, &["--all"])?;
        stage::say("one scan", report.took);
        rows_have_sources(stage);
        let strange = expected::strange(&report, &stage.expected);
        assert!(strange.is_empty(), "{}", strange.join("\n"));
        assert_eq!(
            report.code, 1,
            "the defaults have findings of at least low severity"
        );
        for host in &report.nodes {
            let is = (host.collect.as_str(), host.uid, host.way.as_str());
            assert_eq!(is, ("ok", Some(0), "login-only"), "{}", host.name);
        }
        for finding in report
            .rows
            .iter()
            .filter(|row| row.verdict != "not_applicable")
        {
            assert!(!finding.sides.is_empty(), "without evidence: {finding}");
        }
        mirrors_agree(&report.rows);
        // Nothing is open, and no default is as bad as critical.
        assert_eq!(scan(stage, &way, &["--fail-on", "critical"])?.code, 0);
        // As a fix is verified: one node, one check, and nothing open about the rest.
        let verified = scan(
            stage,
            &way,
            &["--all", "--node", "cp-1", "--check", "SP-KUB-001"],
        )?;
        let names: Vec<&str> = verified
            .nodes
            .iter()
            .map(|host| host.name.as_str())
            .collect();
        assert_eq!(
            (verified.code, verified.rows.len(), names),
            (0, 1, vec!["cp-1"])
        );
        Ok(())
    })
}

fn rows_have_sources(stage: &Stage) {
    let rows = &stage.expected;
    let keys: BTreeSet<_> = rows
        .iter()
        .map(|row| (&row.check, &row.node, &row.subject))
        .collect();
    assert_eq!(keys.len(), rows.len(), "two rows for one finding");
    for row in rows {
        assert!(row.source.len() > 10, "{} has no source", row.check);
    }
}

/// Four static pods, seen from both sides, and the same on both.
fn mirrors_agree(rows: &[super::scan::Finding]) {
    for check in [
        "SP-MRG-001",
        "SP-MRG-002",
        "SP-MRG-007",
        "SP-MRG-010",
        "SP-MRG-012",
    ] {
        let row = rows
            .iter()
            .find(|row| row.check == check && row.node.as_deref() == Some("cp-1"));
        let row = row.unwrap_or_else(|| panic!("{check} of cp-1 is missing"));
        assert_eq!(row.verdict, "pass", "{row}");
    }
}
