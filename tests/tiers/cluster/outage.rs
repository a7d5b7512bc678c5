//! The API server's own manifest: a backup beside it that wins, and then a broken file and nobody to ask.

use std::time::{Duration, Instant};

use libtest_mimic::Failed;

use super::scan::{Finding, Report, Way, scan};
use super::stage::{self, Stage, pause};

const FILE: &str = "/etc/kubernetes/manifests/kube-apiserver.yaml";
const BACKUP: &str = "/etc/kubernetes/manifests/kube-apiserver.yaml.bak";

/// For the kubelet to do what a change of the folder asks for, and for the API server to come up.
const ACTING: Duration = Duration::from_mins(2);
/// From the start of stakeout to the name of what broke.
const TELLING: Duration = Duration::from_secs(20);

pub fn backup_and_outage() -> Result<(), Failed> {
    stage::with("backup and outage", |stage| {
        let way = Way {
            state: stage.folder().join("outage"),
            ..Way::administrator(stage)
        };
        // What the run before leaves: names and addresses.
        scan(stage, &way, &[])?;
        stage.on("cp-1", &format!("cp -a {FILE} /root/apiserver.kept"))?;
        let outcome = backup_wins(stage, &way).and_then(|()| dead(stage, &way));
        // Over the broken file in one step: the kubelet acts on it at once.
        stage.on(
            "cp-1",
            &format!("rm -f {BACKUP}; mv /root/apiserver.kept {FILE}"),
        )?;
        let since = Instant::now();
        outcome?;
        whole_again(&scan(stage, &way, &["--node", "cp-1"])?)?;
        stage::say(
            "backup and broken file gone from the findings",
            since.elapsed(),
        );
        while !stage.answers() {
            if since.elapsed() > ACTING {
                return Err("the API server does not come back".into());
            }
            pause();
        }
        stage::say("the API server answers", since.elapsed());
        stage.wait_until_clean(Duration::from_mins(3))?;
        stage::say("all is clean", since.elapsed());
        Ok(())
    })
}

/// The kubelet runs what the backup says, and the API shows it.
fn backup_wins(stage: &Stage, way: &Way) -> Result<(), Failed> {
    stage.on(
        "cp-1",
        &format!(
            "sed '/^    - kube-apiserver$/a\\    - --profiling=false' {FILE} >/root/backup
            grep -q profiling /root/backup
            chmod 0600 /root/backup
            mv /root/backup {BACKUP}"
        ),
    )?;
    let since = Instant::now();
    let report = scan(stage, way, &["--node", "cp-1"])?;
    let leftover = the(&report, "SP-FILE-009", BACKUP)?;
    stage::say("backup found as SP-FILE-009", since.elapsed());
    assert_eq!(leftover.severity.as_deref(), Some("critical"), "{leftover}");
    let words = "declares kube-system/kube-apiserver as kube-apiserver.yaml does";
    assert!(leftover.message.contains(words), "{leftover}");
    the(&report, "SP-MRG-011", BACKUP)?;
    loop {
        let report = scan(stage, way, &[])?;
        let twice = the(&report, "SP-MRG-011", BACKUP)?;
        if twice
            .message
            .ends_with("the mirror matches kube-apiserver.yaml.bak")
        {
            stage::say("backup seen to win by SP-MRG-011", since.elapsed());
            return Ok(());
        }
        if since.elapsed() > ACTING {
            return Err(format!("the backup does not win: {twice}").into());
        }
        pause();
    }
}

/// With the API server gone, file, node and the parser's words are there all the same.
fn dead(stage: &Stage, way: &Way) -> Result<(), Failed> {
    stage.on(
        "cp-1",
        &format!(
            "sed 's/^  hostNetwork: true$/  hostNetwork: [true/' {FILE} >/root/broken
            chmod 0600 /root/broken
            mv /root/broken {FILE}
            rm {BACKUP}"
        ),
    )?;
    let since = Instant::now();
    while stage.answers() {
        if since.elapsed() > ACTING {
            return Err("the API server does not stop".into());
        }
        pause();
    }
    stage::say("the API server is gone", since.elapsed());
    let report = scan(stage, way, &["--all"])?;
    names_what_broke(&report)?;
    stage::say("with the last run's inventory", report.took);
    let names: Vec<&str> = report.nodes.iter().map(|host| host.name.as_str()).collect();
    assert_eq!(names, ["cp-1", "w-1"]);

    let fresh = Way {
        state: stage.folder().join("nothing"),
        ..way.clone()
    };
    let report = scan(stage, &fresh, &["--node", "cp-1", "--all"])?;
    names_what_broke(&report)?;
    stage::say("with --node alone", report.took);

    let told = scan(stage, &fresh, &[])
        .err()
        .ok_or("a scan of nothing has a report")?;
    let words = told.message().unwrap_or_default();
    assert!(
        words.contains("exit status: 2") && words.contains("--node"),
        "{words}"
    );
    Ok(())
}

fn names_what_broke(report: &Report) -> Result<(), Failed> {
    assert!(report.took < TELLING, "{:?}", report.took);
    assert_eq!(report.code, 1);
    let broken = the(report, "SP-FILE-012", FILE)?;
    assert_eq!(broken.severity.as_deref(), Some("high"), "{broken}");
    assert!(
        broken.message.contains("did not find expected ',' or ']'"),
        "{broken}"
    );
    assert!(!broken.sides.is_empty(), "{broken}");
    // What only the API server knows is not known, and nothing of it passes.
    for check in ["SP-MRG-001", "SP-MRG-003", "SP-MRG-010", "SP-ISO-001"] {
        for row in report.of(check, Some("cp-1")) {
            assert_eq!(row.verdict, "unknown", "{row}");
            assert!(row.gaps.iter().all(|gap| !gap.next.is_empty()), "{row}");
            assert!(row.gaps.iter().any(|gap| gap.kind == "api"), "{row}");
        }
    }
    Ok(())
}

/// With or without an API server, yet: what is known from the node alone is mended at once.
fn whole_again(report: &Report) -> Result<(), Failed> {
    for check in ["SP-FILE-009", "SP-FILE-012", "SP-MRG-011"] {
        let row = report.of(check, Some("cp-1")).find(|row| row.failed());
        if let Some(row) = row {
            return Err(format!("still there after it was undone: {row}").into());
        }
    }
    Ok(())
}

fn the<'a>(report: &'a Report, check: &str, path: &str) -> Result<&'a Finding, Failed> {
    let found = report
        .of(check, Some("cp-1"))
        .find(|row| row.failed() && row.subject.as_deref() == Some(path));
    found.ok_or_else(|| {
        let rows: Vec<String> = report
            .of(check, Some("cp-1"))
            .map(ToString::to_string)
            .collect();
        format!("{check} does not name {path}: {}", rows.join("; ")).into()
    })
}
