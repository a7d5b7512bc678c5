//! What a login is worth: without root, with the installed collector, and where no login is possible.

use std::collections::BTreeSet;

use libtest_mimic::Failed;
use stakeout::model::fact::Side;

use super::scan::{Finding, Report, Way, scan};
use super::stage::{self, Stage};

const NODES: [&str; 2] = ["cp-1", "w-1"];

/// The login `audit`, which is nothing but a login.
pub fn audit(stage: &Stage) -> Way {
    Way {
        login: "audit",
        ..Way::administrator(stage)
    }
}

pub fn without_root() -> Result<(), Failed> {
    stage::with("login without root", |stage| {
        let root = scan(stage, &Way::administrator(stage), &["--all"])?;
        let login = scan(stage, &audit(stage), &["--all", "--fail-on", "critical"])?;
        for host in &login.nodes {
            assert!(
                host.uid.is_some_and(|uid| uid > 0),
                "{} by {}",
                host.name,
                host.way
            );
            assert_eq!(host.way, "login-only");
        }
        let lies = false_passes(&root, &login);
        assert!(lies.is_empty(), "{}", lies.join("\n"));
        let lost = lost(&root, &login);
        assert!(lost.is_empty(), "{}", lost.join("\n"));
        let denied: Vec<&Finding> = denied(&login).collect();
        assert!(!denied.is_empty(), "the login reads everything");
        for row in denied {
            let told = row
                .gaps
                .iter()
                .any(|gap| gap.next.contains("stakeout sudoers print"));
            assert!(told, "{row}");
        }
        assert_eq!(
            login.code, 3,
            "nothing critical is proven, and much is not known"
        );
        Ok(())
    })
}

fn denied(report: &Report) -> impl Iterator<Item = &Finding> {
    let rows = report.rows.iter();
    rows.filter(|row| row.gaps.iter().any(|gap| gap.kind == "denied"))
}

/// Checks of which a login learns something else than root, and does not say which grant it lacks.
fn lost(root: &Report, login: &Report) -> Vec<String> {
    let rows = |report: &Report, check: &str, node: Option<&str>| -> Vec<String> {
        report.of(check, node).map(ToString::to_string).collect()
    };
    let names_a_grant = |row: &Finding| {
        row.gaps
            .iter()
            .any(|gap| gap.next.contains("stakeout sudoers print"))
    };
    let keys: BTreeSet<_> = root
        .rows
        .iter()
        .map(|row| (row.check.as_str(), row.node.as_deref()))
        .collect();
    keys.into_iter()
        .filter(|(check, node)| rows(root, check, *node) != rows(login, check, *node))
        .filter(|(check, node)| !login.of(check, *node).any(names_a_grant))
        .map(|(check, node)| {
            let (known, learnt) = (rows(root, check, node), rows(login, check, node));
            format!("{known:?}\n  is for the login {learnt:?}")
        })
        .collect()
}

/// Checks that pass for a login and fail for root.
pub fn false_passes(root: &Report, login: &Report) -> Vec<String> {
    let failed = root.rows.iter().filter(|row| row.failed());
    let keys: BTreeSet<_> = failed
        .map(|row| (&row.check, row.node.as_deref()))
        .collect();
    let passed = login.rows.iter().filter(|row| row.verdict == "pass");
    passed
        .filter(|row| keys.contains(&(&row.check, row.node.as_deref())))
        .map(|row| format!("passes without root only: {row}"))
        .collect()
}

pub fn installed_collector() -> Result<(), Failed> {
    stage::with("installed collector", |stage| {
        let root = scan(stage, &Way::administrator(stage), &["--all"])?;
        let outcome = NODES
            .iter()
            .try_for_each(|node| install(stage, node))
            .and_then(|()| scan(stage, &audit(stage), &["--all"]));
        for node in NODES {
            stage.on(
                node,
                "rm -f /usr/local/libexec/stakeout-collect /etc/sudoers.d/stakeout",
            )?;
        }
        let login = outcome?;
        for host in &login.nodes {
            let is = (host.collect.as_str(), host.uid, host.way.as_str());
            assert_eq!(is, ("ok", Some(0), "installed-collector"), "{}", host.name);
        }
        assert_eq!(told(&login), told(&root));
        assert_eq!(login.code, root.code);
        Ok(())
    })
}

/// As a person would with what is printed.
fn install(stage: &Stage, node: &str) -> Result<(), Failed> {
    let collector = stage.printed(&["collector", "print"])?;
    let rule = stage.printed(&["sudoers", "print", "--user", "audit"])?;
    let script = format!(
        "cat >/root/collector <<'END OF COLLECTOR'\n{collector}END OF COLLECTOR
        install -D -o root -g root -m 0755 /root/collector /usr/local/libexec/stakeout-collect
        rm /root/collector
        (umask 0337 && cat >/etc/sudoers.d/stakeout) <<'END OF RULE'\n{rule}END OF RULE
        visudo -cf /etc/sudoers.d/stakeout"
    );
    stage.on(node, &script)?;
    Ok(())
}

pub fn forced_command() -> Result<(), Failed> {
    stage::with("forced command", |stage| {
        let root = scan(stage, &Way::administrator(stage), &["--all"])?;
        let outcome = NODES
            .iter()
            .try_for_each(|node| install(stage, node).and_then(|()| force(stage, node)))
            .and_then(|()| {
                let said = stage.at_jump(&format!(
                    "ssh -F {} -l audit w-1 'id; cat /etc/hostname' </dev/null",
                    stage.fact("SSH_CONFIG")
                ))?;
                Ok((scan(stage, &audit(stage), &["--all"])?, said))
            });
        for node in NODES {
            stage.on(
                node,
                "cd /home/audit/.ssh && [ ! -e kept ] || mv kept authorized_keys
                rm -f /usr/local/libexec/stakeout-collect /etc/sudoers.d/stakeout",
            )?;
        }
        let (login, said) = outcome?;
        for host in &login.nodes {
            let is = (host.collect.as_str(), host.uid, host.way.as_str());
            assert_eq!(is, ("ok", Some(0), "forced-command"), "{}", host.name);
        }
        assert_eq!(told(&login), told(&root));
        assert!(
            said.contains("@STK1 BEGIN 0000") && !said.contains("uid="),
            "{said}"
        );
        Ok(())
    })
}

/// The key of `audit` may run the collector and nothing else.
fn force(stage: &Stage, node: &str) -> Result<(), Failed> {
    let key = format!("{}/ssh/key.pub", stage.fact("DIR"));
    let line = stage.printed(&["authorized-keys", "print", "--user", "audit", "--key", &key])?;
    let script = format!(
        "cd /home/audit/.ssh && cp -p authorized_keys kept && cat >authorized_keys <<'END OF KEY'\n{line}END OF KEY"
    );
    stage.on(node, &script)?;
    Ok(())
}

/// A report in words. The notes of passes are without their numbers: some of them count time, which goes on.
pub fn told(report: &Report) -> Vec<String> {
    let rows = report.rows.iter();
    rows.map(|row| words(row, &numberless(&row.message)))
        .collect()
}

/// A row with what it rests on; `note`: said of a pass, in the place of its own.
fn words(row: &Finding, note: &str) -> String {
    match row.verdict.as_str() {
        "pass" => {
            let (check, node) = (&row.check, row.node.as_deref().unwrap_or("-"));
            format!("{check} {node} passes: {note} from {:?}", row.sides)
        }
        _ => format!("{row} from {:?}", row.sides),
    }
}

fn numberless(note: &str) -> String {
    let parts = note.split(|c: char| c.is_ascii_digit());
    let words: Vec<&str> = parts.filter(|part| !part.is_empty()).collect();
    words.join("#")
}

pub fn unreachable_node() -> Result<(), Failed> {
    stage::with("node without sshd", |stage| {
        let way = Way::administrator(stage);
        let before = scan(stage, &way, &["--all"])?;
        let outcome = stage.service("stop", "w-1", "sshd").and_then(|()| {
            let all = scan(stage, &way, &["--all"])?;
            let code = scan(stage, &way, &["--fail-on", "critical"])?.code;
            Ok((all, code))
        });
        stage.service("start", "w-1", "sshd")?;
        let (without, code) = outcome?;
        assert_eq!((without.code, code), (1, 3));
        let w_1 = without
            .nodes
            .iter()
            .find(|host| host.name == "w-1")
            .ok_or("w-1 is missing")?;
        assert_eq!(w_1.collect, "failed");
        assert!(w_1.cause.contains("connect-refused"), "{}", w_1.cause);
        assert!(w_1.next.contains("check that sshd runs"), "{}", w_1.next);
        // A note of a pass may tell of all nodes that were read.
        let others = |report: &Report| -> Vec<String> {
            let rows = report.rows.iter();
            let rows = rows.filter(|row| row.node.as_deref().is_some_and(|node| node != "w-1"));
            let words = rows.map(|row| words(row, ""));
            words.filter(|row| !row.contains(" w-1 ")).collect()
        };
        assert_eq!(others(&without), others(&before));
        // What was proven of the cluster stays so, with what is missing beside it.
        let fails = |report: &Report| -> Vec<(String, Option<String>)> {
            let rows = report.rows.iter().filter(|row| row.node.is_none());
            let failed = rows.filter(|row| row.failed());
            failed
                .map(|row| (row.check.clone(), row.subject.clone()))
                .collect()
        };
        assert_eq!(fails(&without), fails(&before));
        let own = without
            .rows
            .iter()
            .filter(|row| row.node.as_deref() == Some("w-1"));
        for row in own.filter(|row| row.verdict == "unknown") {
            assert!(
                row.gaps
                    .iter()
                    .all(|gap| !gap.next.is_empty() && !gap.words.is_empty()),
                "{row}"
            );
        }
        // What the API server alone proves of the node stays proven, and nothing passes that did not before.
        let api = BTreeSet::from([Side::Api]);
        let own = without
            .rows
            .iter()
            .filter(|row| row.node.as_deref() == Some("w-1"));
        for row in own.filter(|row| row.verdict == "pass") {
            let mut known = before.of(&row.check, Some("w-1"));
            assert!(known.all(|row| row.verdict == "pass"), "{row}");
            assert_eq!(row.sides, api, "{row}");
        }
        Ok(())
    })
}
