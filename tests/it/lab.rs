//! The lab's fleet: what is planted is found, and nothing else is; a node that cannot be read costs its own facts only.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;
use stakeout::checks;
use stakeout::engine::{Finding, Judged};
use stakeout::model::fact::{FaultClass, Gap};
use stakeout::model::name::NodeName;
use stakeout::model::verdict::{Severity, Verdict};

use crate::describe::Clock;
use crate::describe::spec::{Access, FaultSpec, Twist};
use crate::fleet::{Fleet, Member};
use crate::offline;
use crate::scratch::Scratch;
use crate::stage::Stage;

/// 2026-11-24 14:08 UTC.
const CLOCK: Clock = Clock { now: 1_795_529_280 };

type Found = BTreeMap<String, Severity>;

/// One finding, as far as the stories speak of it.
#[derive(Debug)]
struct Told {
    /// Empty: the cluster.
    node: String,
    check: String,
    /// Set where it failed.
    worst: Option<Severity>,
    gaps: Vec<Gap>,
}

fn told(judged: &Judged) -> Vec<Told> {
    let one = |finding: Finding<'_>| {
        let (worst, gaps) = match finding.verdict {
            Verdict::Fail { offences, gaps } => {
                let worst = offences.iter().map(|offence| offence.severity).max();
                (worst, gaps.clone())
            }
            Verdict::Unknown { why } => (None, vec![why.clone()]),
            _ => (None, Vec::new()),
        };
        Told {
            node: finding.node.map_or("", NodeName::as_str).to_owned(),
            check: finding.check.id.to_string(),
            worst,
            gaps,
        }
    };
    judged.findings().map(one).collect()
}

/// The same from a report of the program.
fn reported(report: &Value) -> Vec<Told> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let findings = report["findings"].as_array().expect("findings");
    let gap = |cause: &Value| serde_json::from_value(cause["gap"].clone()).expect("a gap");
    let one = |finding: &Value| Told {
        node: text(&finding["node"]),
        check: text(&finding["check"]),
        worst: serde_json::from_value(finding["severity"].clone()).expect("a severity"),
        gaps: finding["gaps"]
            .as_array()
            .into_iter()
            .flatten()
            .map(gap)
            .collect(),
    };
    findings.iter().map(one).collect()
}

/// Worst severity by check.
fn found(told: &[Told]) -> BTreeMap<String, Found> {
    let mut all: BTreeMap<String, Found> = BTreeMap::new();
    for finding in told {
        if let Some(severity) = finding.worst {
            let of_node = all.entry(finding.node.clone()).or_default();
            let worst = of_node.entry(finding.check.clone()).or_insert(severity);
            *worst = severity.max(*worst);
        }
    }
    all
}

/// What the fleet says is to be found, as far as the checks exist.
fn planted(finds: &BTreeMap<String, String>) -> Found {
    let severity = |word: &String| -> Severity {
        serde_json::from_value(word.as_str().into()).expect("a severity")
    };
    finds
        .iter()
        .filter(|(id, _)| checks::find(id).is_some())
        .map(|(id, word)| (id.clone(), severity(word)))
        .collect()
}

/// Whether the node's own side can be read whole.
fn is_readable(member: &Member) -> bool {
    let spec = &member.spec;
    matches!(spec.fault, FaultSpec::None | FaultSpec::Slow(_))
        && spec.login.access != Access::LoginOnly
        && !spec.has(Twist::WrongMachine)
}

/// Holds a run against the stories of the fleet. Over the wire a connection that breaks may take with it what came
/// last: only there, and only of such a node, a part is enough.
fn hold(fleet: &Fleet, told: &[Told], over_the_wire: bool) {
    let mut found = found(told);
    let mut wrong = String::new();
    let mut compare = |name: &str, finds: &BTreeMap<String, String>, breaks: bool| {
        let (is, should) = (found.remove(name).unwrap_or_default(), planted(finds));
        let is_part = is.iter().all(|(id, worst)| should.get(id) == Some(worst));
        if is != should && !(breaks && is_part) {
            wrong.push_str(&format!(
                "{name}:\n  found   {is:?}\n  planted {should:?}\n"
            ));
        }
    };
    compare("", &fleet.finds, false);
    for member in &fleet.members {
        let breaks = over_the_wire && matches!(member.spec.fault, FaultSpec::Cut(_));
        compare(&member.name, &member.spec.finds, breaks);
    }
    assert!(
        wrong.is_empty(),
        "{wrong}write what is right into finds: of tests/lab/fleet.yaml"
    );
    assert!(found.is_empty(), "nodes that nobody described: {found:?}");
}

/// Why verdicts of a node are unknown, each cause once.
fn causes<'t>(told: &'t [Told], node: &str) -> BTreeSet<&'t Gap> {
    let of_node = told.iter().filter(|finding| finding.node == node);
    of_node.flat_map(|finding| &finding.gaps).collect()
}

fn class(member: &Member) -> FaultClass {
    match member.spec.fault {
        FaultSpec::Down if member.name == "pool-c-14" => FaultClass::NoSshOs,
        FaultSpec::Down => FaultClass::ConnectRefused,
        FaultSpec::Silent => FaultClass::TimeoutBanner,
        FaultSpec::Denied => FaultClass::AuthDenied,
        FaultSpec::WrongKey => FaultClass::HostkeyChanged,
        FaultSpec::NoShell => FaultClass::NoShell,
        FaultSpec::Http => FaultClass::NotSsh,
        FaultSpec::Cut(_) => FaultClass::Disconnected,
        FaultSpec::Garbage(_) => FaultClass::OutputTooLarge,
        FaultSpec::None | FaultSpec::Slow(_) => panic!("{} has no fault", member.name),
    }
}

/// Every cause is the node's own, and says what to do.
fn hold_causes(fleet: &Fleet, told: &[Told]) {
    for member in &fleet.members {
        let causes = causes(told, &member.name);
        if is_readable(member) {
            let asked = told
                .iter()
                .filter(|it| it.node == member.name && !it.gaps.is_empty());
            let asked: BTreeSet<&str> = asked.map(|it| it.check.as_str()).collect();
            let asks: BTreeSet<&str> = member.spec.asks.iter().map(String::as_str).collect();
            assert_eq!(asked, asks, "{}: {causes:?}", member.name);
            continue;
        }
        assert!(!causes.is_empty(), "{} passes unread", member.name);
        for cause in causes {
            assert!(!cause.next_step().is_empty(), "{}: {cause:?}", member.name);
            let right = match cause {
                Gap::Denied { .. } => member.spec.login.access == Access::LoginOnly,
                Gap::WrongMachine { .. } => member.spec.has(Twist::WrongMachine),
                Gap::Node { class: is, .. } => *is == class(member),
                _ => false,
            };
            assert!(right, "{}: {cause:?}", member.name);
        }
    }
}

#[test]
fn what_is_planted_is_found_and_nothing_else() {
    let fleet = Fleet::shipped(CLOCK);
    assert_eq!(fleet.members.len(), 48);
    let told = told(&offline::judged(&fleet));
    hold(&fleet, &told, false);
    hold_causes(&fleet, &told);
}

/// Nodes whose way to fail takes no time.
const LIVE: &[&str] = &[
    "cp-1",
    "cp-2",
    "cp-3",
    "pool-a-01",
    "pool-a-02",
    "pool-a-03",
    "pool-a-04",
    "pool-a-05",
    "pool-a-06",
    "pool-b-01",
    "pool-b-02",
    "pool-b-03",
    "pool-b-04",
    "pool-b-05",
    "pool-b-08",
    "pool-b-09",
    "pool-b-10",
    "pool-b-11",
    "pool-b-12",
    "pool-b-13",
    "pool-c-01",
    "pool-c-02",
    "pool-c-03",
    "pool-c-14",
];

#[test]
fn the_program_finds_it_over_the_wire_and_writes_nothing() {
    let clock = Clock {
        now: jiff::Timestamp::now().as_second(),
    };
    let fleet = Fleet::shipped(clock).only(LIVE);
    let folder = Scratch::new("lab");
    let stage = Stage::start(fleet.clone(), &folder).expect("loopback");
    let output = Command::new(env!("CARGO_BIN_EXE_stakeout"))
        .args(stage.words())
        .args(["scan", "--output", "json", "--all"])
        .env_clear()
        .env("HOME", &*folder)
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .output()
        .expect("the program");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{errors}");
    let report: Value = serde_json::from_slice(&output.stdout).expect("a report");
    let told = reported(&report);
    hold(&fleet, &told, true);
    hold_causes(&fleet, &told);
    assert_eq!(stage.api.violations(), Vec::<String>::new());
    let seen = stage.api.seen();
    assert!(!seen.is_empty());
}
