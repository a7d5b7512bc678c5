//! The Pod Security Standards as upstream has them: its own fixtures, and its evaluator over generated pods.
//!
//! The fixtures are those of k8s.io/pod-security-admission: `LEVEL/vN.N/{pass,fail}/*.yaml`, each named after
//! the control that it is about. `STAKEOUT_PSS_FIXTURES` names a checkout's `test/testdata` folder; else Go
//! fetches the module. `STAKEOUT_PSS_ORACLE` names a built oracle, `STAKEOUT_PSS_PODS` how many pods it is asked.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use libtest_mimic::{Failed, Trial};
use serde_json::{Value, json};
use stakeout::checks::standard::{Level, Shape, Standard, Version, Violation, evaluate, newest};
use stakeout::lint::{Judgement, Linter, What};
use stakeout::model::text::Text;
use stakeout::model::tree::Tree;
use stakeout::probes::mask::Masker;

use crate::machine;

#[path = "../../src/checks/pss/standard/tests/pods.rs"]
mod pods;

/// Generated pods, each asked at two levels and five versions.
const PODS: usize = 3_000;

/// What upstream had when the fixtures were counted: fewer are not all of them.
const FIXTURES: usize = 4_537;

pub fn trials() -> Vec<Trial> {
    let trial = |given: &str, name: &str, test: fn() -> Result<(), Failed>| {
        let lacks = match std::env::var_os(given) {
            Some(_) => None,
            None => machine::lacks(&["go"]),
        };
        machine::trial("go", name, lacks, test)
    };
    vec![
        trial(
            "STAKEOUT_PSS_FIXTURES",
            "pss_fixtures_as_upstream",
            fixtures,
        ),
        trial(
            "STAKEOUT_PSS_ORACLE",
            "pss_generated_as_upstream",
            generated,
        ),
        trial(
            "STAKEOUT_PSS_ORACLE",
            "pss_wrong_types_as_upstream",
            wrong_types,
        ),
    ]
}

/// Every fixture through the linter: the verdict of its folder, and the control of its name.
fn fixtures() -> Result<(), Failed> {
    let root = fixture_folder()?;
    let mut wrong = Vec::new();
    let mut count = 0;
    for level in [Level::Baseline, Level::Restricted] {
        for version in names(&root.join(level.name()))? {
            let parsed: Version = version.parse()?;
            let linter = Linter::new(Standard::new(level, parsed), Masker::new([1; 32]));
            for verdict in ["pass", "fail"] {
                let folder = root.join(level.name()).join(&version).join(verdict);
                for name in names(&folder).unwrap_or_default() {
                    count += 1;
                    let text = std::fs::read(folder.join(&name))?;
                    let entries = linter.file(&Text::new(&name), &text);
                    let [only] = entries.as_slice() else {
                        return Err(format!("{level} {version} {name}: {entries:?}").into());
                    };
                    if let Some(why) = problem(&only.what, &name, verdict == "pass") {
                        wrong.push(format!("{level} {version} {verdict}/{name}: {why}"));
                    }
                }
            }
        }
    }
    if count < FIXTURES {
        return Err(format!(
            "{count} fixtures in {}, upstream has {FIXTURES}",
            root.display()
        )
        .into());
    }
    first(&wrong, count)
}

fn problem(what: &What, name: &str, passes: bool) -> Option<String> {
    let What::Judged(judgement) = what else {
        return Some(format!("{what:?}"));
    };
    if judgement.allowed() != passes {
        return Some(format!("{:?}", judgement.violations));
    }
    let control = name
        .trim_end_matches(".yaml")
        .trim_end_matches(|c: char| c.is_ascii_digit());
    (!passes && !is_named(judgement, control)).then(|| format!("{:?}", judgement.violations))
}

/// Whether the control is violated, or the one of restricted that is asked in its stead.
fn is_named(judgement: &Judgement, control: &str) -> bool {
    let instead = match control {
        "capabilities_baseline" => "capabilities_restricted",
        "hostpathvolumes" => "restrictedvolumes",
        "seccompprofile_baseline" => "seccompprofile_restricted",
        "procmount" => "procmount_restricted",
        other => other,
    };
    let mut ids = judgement
        .violations
        .iter()
        .map(|violation| violation.id.to_lowercase());
    ids.any(|id| id == control || id == instead)
}

fn fixture_folder() -> Result<PathBuf, Failed> {
    if let Some(given) = std::env::var_os("STAKEOUT_PSS_FIXTURES") {
        return Ok(given.into());
    }
    let module = "k8s.io/pod-security-admission";
    let fetched = Command::new("go")
        .args(["mod", "download", "-json", module])
        .current_dir(oracle_folder())
        .output()?;
    let answer: Value = serde_json::from_slice(&fetched.stdout)?;
    let folder = answer["Dir"]
        .as_str()
        .ok_or_else(|| format!("go mod download: {answer}"))?;
    Ok(Path::new(folder).join("test/testdata"))
}

fn names(folder: &Path) -> Result<Vec<String>, Failed> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}

/// Pods that do all kinds of things: the same words, to the letter.
fn generated() -> Result<(), Failed> {
    let pods: Vec<Value> = pods::pods(count()).collect();
    let mut questions = Vec::new();
    for (number, pod) in pods.iter().enumerate() {
        for level in [Level::Baseline, Level::Restricted] {
            let steps = (0..5).map(|step| (number * 5 + step) % 40);
            for minor in steps.filter_map(|minor| u32::try_from(minor).ok()) {
                questions.push((Standard::new(level, Version::Minor(minor)), pod));
            }
            questions.push((Standard::latest(level), pod));
        }
    }
    let mut wrong = Vec::new();
    for ((standard, pod), answer) in questions.iter().zip(ask(&questions)?) {
        let ours = said(*standard, pod)?;
        if answer["said"] != ours {
            wrong.push(format!(
                "{standard}: we say {ours:?}, upstream {answer}\n{pod}"
            ));
        }
    }
    first(&wrong, questions.len())
}

fn said(standard: Standard, pod: &Value) -> Result<String, Failed> {
    let tree = Tree::try_from(pod)?;
    let found = evaluate(standard, &Shape::read(tree.root())?);
    let all: Vec<String> = found.iter().map(Violation::to_string).collect();
    Ok(all.join(", "))
}

/// A field of another type: where upstream cannot read the pod, nothing is allowed.
fn wrong_types() -> Result<(), Failed> {
    let standard = Standard::new(Level::Baseline, Version::Minor(newest()));
    let linter = Linter::new(standard, Masker::new([1; 32]));
    let mut bent = Vec::new();
    for (number, mut pod) in pods::pods(count()).enumerate() {
        bend(&mut pod, number);
        bent.push(pod);
    }
    let questions: Vec<(Standard, &Value)> = bent.iter().map(|pod| (standard, pod)).collect();
    let mut wrong = Vec::new();
    let (mut refused, mut stricter) = (0, 0);
    for ((_, pod), answer) in questions.iter().zip(ask(&questions)?) {
        let entries = linter.file(&Text::new("pod.json"), pod.to_string().as_bytes());
        let judged = entries
            .iter()
            .any(|entry| matches!(entry.what, What::Judged(_)));
        let unreadable = entries
            .iter()
            .any(|entry| matches!(entry.what, What::Unreadable(_)));
        let refuses = answer.get("error").is_some();
        refused += usize::from(refuses);
        stricter += usize::from(!refuses && unreadable);
        if refuses && (judged || !unreadable) {
            wrong.push(format!("we read what upstream does not: {answer}\n{pod}"));
        }
    }
    if refused * 10 < bent.len() {
        return Err(format!("only {refused} of {} pods were refused", bent.len()).into());
    }
    // Null in a list, and a pod without containers: nobody writes them, and neither is allowed.
    if stricter * 4 > bent.len() {
        return Err(format!(
            "{stricter} of {} pods are read by upstream alone",
            bent.len()
        )
        .into());
    }
    first(&wrong, bent.len())
}

/// Replaces one value by one of another type; which one is the number's choice.
fn bend(pod: &mut Value, number: usize) {
    let strange = [
        json!("yes"),
        json!(7),
        json!(1.5),
        json!([1]),
        json!({"a": 1}),
        json!(true),
        json!(null),
    ];
    let mut places = Vec::new();
    pointers(pod, &mut String::new(), &mut places);
    places.retain(|place| place.starts_with("/spec/") || place.starts_with("/metadata/"));
    let place = &places[number.wrapping_mul(7919) % places.len()];
    if let Some(value) = pod.pointer_mut(place) {
        *value = strange[number % strange.len()].clone();
    }
}

fn pointers(value: &Value, at: &mut String, all: &mut Vec<String>) {
    all.push(at.clone());
    let length = at.len();
    let below: Vec<(String, &Value)> = match value {
        Value::Object(map) => map
            .iter()
            .map(|(key, value)| (key.replace('/', "~1"), value))
            .collect(),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .map(|(at, item)| (at.to_string(), item))
            .collect(),
        _ => Vec::new(),
    };
    for (step, value) in below {
        at.push('/');
        at.push_str(&step);
        pointers(value, at, all);
        at.truncate(length);
    }
}

fn count() -> usize {
    let set = std::env::var("STAKEOUT_PSS_PODS").ok();
    set.and_then(|text| text.parse().ok()).unwrap_or(PODS)
}

fn first(wrong: &[String], of: usize) -> Result<(), Failed> {
    match wrong.first() {
        None => Ok(()),
        Some(one) => Err(format!("{} of {of} differ, the first: {one}", wrong.len()).into()),
    }
}

fn oracle_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cluster/pssoracle")
}

fn oracle() -> Result<PathBuf, Failed> {
    if let Some(path) = std::env::var_os("STAKEOUT_PSS_ORACLE") {
        return Ok(path.into());
    }
    // Trials run at the same time; each builds its own, and Go caches.
    let name = format!("pssoracle-{:?}", std::thread::current().id());
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let built = Command::new("go")
        .args(["build", "-o"])
        .arg(&target)
        .arg(".")
        .current_dir(oracle_folder())
        .output()?;
    if !built.status.success() {
        return Err(format!("go build: {}", String::from_utf8_lossy(&built.stderr)).into());
    }
    Ok(target)
}

/// One answer per question.
fn ask(questions: &[(Standard, &Value)]) -> Result<Vec<Value>, Failed> {
    let mut child = Command::new(oracle()?)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut input = child.stdin.take().ok_or("the oracle has no input")?;
    let output = child.stdout.take().ok_or("the oracle has no output")?;
    let answers = std::thread::scope(|scope| {
        let writer = scope.spawn(move || -> std::io::Result<()> {
            for (standard, pod) in questions {
                let (level, version) = (standard.level.name(), standard.version.to_string());
                let line = json!({"level": level, "version": version, "pod": pod});
                writeln!(input, "{line}")?;
            }
            Ok(())
        });
        let lines = BufReader::new(output).lines();
        let answers = lines.map(|line| Ok(serde_json::from_str(&line?)?));
        let answers: Result<Vec<Value>, Failed> = answers.collect();
        writer.join().map_err(|_| "the writer died")??;
        answers
    })?;
    child.wait()?;
    if answers.len() != questions.len() {
        return Err(format!("{} answers to {} questions", answers.len(), questions.len()).into());
    }
    Ok(answers)
}
