//! Manifests, generated and mutated, read by us and by the kubelet's own packages.
//!
//! The rule: our value is the kubelet's value. Where the kubelet refuses, so do we. `Syntax` is only said
//! of what the kubelet refuses; `Limit` and `Differs` may be said of anything, but seldom.
//! `STAKEOUT_YAML_DOCUMENTS` sets how many documents are tried, `STAKEOUT_YAML_SEED` where the random
//! numbers start, `STAKEOUT_YAML_ORACLE` names a built oracle.

#![expect(
    clippy::disallowed_methods,
    reason = "fixtures are files of the repository, and the oracle is a process"
)]

#[path = "yaml_documents.rs"]
pub mod documents;

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use libtest_mimic::{Failed, Trial};
use serde_json::{Value, json};
use stakeout::probes::parse::yaml::{Limits, Parsed, YamlError, parse};

use crate::machine;
use documents::Random;

/// Enough to meet every rule of the grammar many times, few enough for every run.
const DOCUMENTS: usize = 20_000;
const BATCH: usize = 2_000;
const CASES: &str = "cases.jsonl";

pub fn trials() -> Vec<Trial> {
    let given = std::env::var_os("STAKEOUT_YAML_ORACLE").is_some();
    let trial = |name: &str, test: fn() -> Result<(), Failed>| {
        let lacks = if given { None } else { machine::lacks(&["go"]) };
        machine::trial("go", name, lacks, test)
    };
    vec![
        trial("yaml_generated_as_kubelet", || run(documents::generated)),
        trial("yaml_mutated_as_kubelet", || run(documents::mutated)),
        trial("yaml_soup_as_kubelet", || run(documents::soup)),
        trial("yaml_corpus_as_kubelet", whole_corpus),
        trial("yaml_cases_as_recorded", cases),
    ]
}

/// Makes a document; the list is the corpus.
type Maker = fn(&mut Random, &[Vec<u8>]) -> Vec<u8>;

/// What happened to the documents of a run.
#[derive(Default, Debug)]
pub struct Tally {
    pub documents: usize,
    /// Both gave a value.
    pub values: usize,
    /// Both refused.
    pub refused: usize,
    /// We gave none, the kubelet did.
    pub differs: usize,
    pub limits: usize,
    /// What we called `Differs`, with how often.
    pub classes: std::collections::BTreeMap<String, usize>,
    pub mismatches: Vec<String>,
}

fn setting(name: &str, default: usize) -> usize {
    std::env::var(name)
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(default)
}

fn run(maker: Maker) -> Result<(), Failed> {
    let documents = setting("STAKEOUT_YAML_DOCUMENTS", DOCUMENTS);
    let tally = campaign(maker, documents, setting("STAKEOUT_YAML_SEED", 1) as u64)?;
    tally.verdict()
}

/// No document of the corpus may be a gap, but those recorded to show one.
fn whole_corpus() -> Result<(), Failed> {
    let documents: Vec<Vec<u8>> = corpus()?
        .into_iter()
        .filter(|(name, _)| name != CASES)
        .map(|(_, bytes)| bytes)
        .collect();
    let mut tally = Tally::default();
    for (document, answer) in documents.iter().zip(&ask(&build_oracle()?, &documents)?) {
        judge(document, answer, &mut tally);
    }
    if tally.values < documents.len() {
        return Err(format!("a manifest is not read: {tally:?}").into());
    }
    tally.verdict()
}

impl Tally {
    fn verdict(&self) -> Result<(), Failed> {
        if let Some(first) = self.mismatches.first() {
            return Err(format!(
                "{} of {} documents differ, the first: {first}",
                self.mismatches.len(),
                self.documents
            )
            .into());
        }
        if self.differs * 50 > self.values + self.differs {
            return Err(
                format!("more than 2% of the valid documents are not read: {self:?}").into(),
            );
        }
        Ok(())
    }
}

/// Reads `count` documents by both and compares.
pub fn campaign(maker: Maker, count: usize, seed: u64) -> Result<Tally, Failed> {
    let oracle = build_oracle()?;
    let corpus: Vec<Vec<u8>> = corpus()?.into_iter().map(|(_, bytes)| bytes).collect();
    let mut random = Random::new(seed);
    let mut tally = Tally::default();
    while tally.documents < count {
        let batch: Vec<Vec<u8>> = (0..BATCH.min(count - tally.documents))
            .map(|_| maker(&mut random, &corpus))
            .collect();
        for (document, answer) in batch.iter().zip(&ask(&oracle, &batch)?) {
            judge(document, answer, &mut tally);
        }
    }
    Ok(tally)
}

fn judge(document: &[u8], answer: &Value, tally: &mut Tally) {
    tally.documents += 1;
    let ours = parse(document, &Limits::default());
    let theirs = answer["ok"].as_bool() == Some(true);
    let problem = match &ours {
        Ok(parsed) => problem_of_value(document, parsed, answer),
        Err(YamlError::Syntax { message, .. }) if theirs => Some(format!("we refuse: {message}")),
        Err(_) => None,
    };
    match ours {
        Ok(_) => tally.values += 1,
        Err(YamlError::Differs { what, .. }) => {
            let class = what.split(" \"").next().unwrap_or(&what);
            let class = class.split(" of line").next().unwrap_or(class).to_owned();
            *tally.classes.entry(class).or_default() += 1;
            tally.differs += usize::from(theirs);
        }
        Err(YamlError::Limit { .. }) => tally.limits += usize::from(theirs),
        Err(YamlError::Syntax { .. }) => tally.refused += 1,
    }
    if let Some(problem) = problem {
        tally.mismatches.push(format!(
            "{problem}\n--- {:?}\n--- oracle: {answer}",
            String::from_utf8_lossy(document)
        ));
    }
}

fn problem_of_value(document: &[u8], parsed: &Parsed, answer: &Value) -> Option<String> {
    if answer["ok"].as_bool() != Some(true) {
        return Some(format!("we read {}", parsed.value));
    }
    if !same(&parsed.value, &answer["json"]) {
        return Some(format!("we read {}", parsed.value));
    }
    if let Some(pointer) = first_without_line(&parsed.value, &mut String::new(), parsed) {
        return Some(format!("no line for {pointer}"));
    }
    // The strict reader also takes a key for repeated that overrides what a merge brought in.
    let merges = document
        .windows(3)
        .any(|three| three.starts_with(b"<<") || three == b"<\0<");
    let repeated = answer["strict"]
        .as_str()
        .is_some_and(|text| text.contains("already set in map"));
    if repeated == parsed.duplicates.is_empty()
        && (!merges || !repeated)
        && !document.trim_ascii_start().starts_with(b"{")
    {
        return Some(format!("duplicates {:?}", parsed.duplicates));
    }
    None
}

/// Equal, with numbers compared by value: the oracle's JSON path prints what a float64 keeps.
fn same(ours: &Value, theirs: &Value) -> bool {
    match (ours, theirs) {
        (Value::Number(ours), Value::Number(theirs)) => {
            ours == theirs
                || (ours.as_f64().zip(theirs.as_f64())).is_some_and(|(ours, theirs)| {
                    (ours - theirs).abs() <= ours.abs() * f64::EPSILON
                })
        }
        (Value::Array(ours), Value::Array(theirs)) => {
            ours.len() == theirs.len()
                && ours
                    .iter()
                    .zip(theirs)
                    .all(|(ours, theirs)| same(ours, theirs))
        }
        (Value::Object(ours), Value::Object(theirs)) => {
            ours.len() == theirs.len()
                && ours
                    .iter()
                    .all(|(name, ours)| theirs.get(name).is_some_and(|theirs| same(ours, theirs)))
        }
        _ => ours == theirs,
    }
}

/// Every value has a line.
fn first_without_line(value: &Value, pointer: &mut String, parsed: &Parsed) -> Option<String> {
    if parsed.lines.line(pointer).is_none_or(|line| line == 0) {
        return Some(pointer.clone());
    }
    let children: Vec<(String, &Value)> = match value {
        Value::Array(items) => items
            .iter()
            .enumerate()
            .map(|(at, item)| (at.to_string(), item))
            .collect(),
        Value::Object(map) => map
            .iter()
            .map(|(name, item)| (name.replace('~', "~0").replace('/', "~1"), item))
            .collect(),
        _ => Vec::new(),
    };
    children.into_iter().find_map(|(step, item)| {
        let length = pointer.len();
        pointer.push('/');
        pointer.push_str(&step);
        let found = first_without_line(item, pointer, parsed);
        pointer.truncate(length);
        found
    })
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The manifests and the recorded cases, by name.
fn corpus() -> Result<Vec<(String, Vec<u8>)>, Failed> {
    let folder = root().join("tests/fixtures/yaml");
    let mut corpus = Vec::new();
    for entry in std::fs::read_dir(&folder)? {
        let path = entry?.path();
        let name = path
            .file_name()
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default();
        if name == CASES {
            for line in std::fs::read_to_string(&path)?.lines() {
                let case: Value = serde_json::from_str(line)?;
                corpus.push((name.clone(), case_bytes(&case)));
            }
        } else {
            corpus.push((name, std::fs::read(&path)?));
        }
    }
    corpus.sort();
    Ok(corpus)
}

/// `file` is beside the cases, `yaml` is text, `hex` is bytes that are no text.
fn case_bytes(case: &Value) -> Vec<u8> {
    if let Some(file) = case["file"].as_str() {
        return std::fs::read(root().join("tests/fixtures/yaml").join(file)).unwrap_or_default();
    }
    if let Some(text) = case["yaml"].as_str() {
        return text.as_bytes().to_vec();
    }
    let digits = case["hex"].as_str().unwrap_or_default();
    (0..digits.len() / 2)
        .filter_map(|at| u8::from_str_radix(&digits[2 * at..2 * at + 2], 16).ok())
        .collect()
}

/// The recorded cases are what the oracle says today. `UPDATE_FIXTURES=1` records them anew.
fn cases() -> Result<(), Failed> {
    let path = root().join("tests/fixtures/yaml/cases.jsonl");
    let text = std::fs::read_to_string(&path)?;
    let cases: Vec<Value> = text
        .lines()
        .map(serde_json::from_str)
        .collect::<Result<_, _>>()?;
    let answers = ask(
        &build_oracle()?,
        &cases.iter().map(case_bytes).collect::<Vec<_>>(),
    )?;
    let mut recorded = String::new();
    for (case, answer) in cases.iter().zip(&answers) {
        let kept: serde_json::Map<String, Value> = case
            .as_object()
            .map(|case| {
                case.iter()
                    .filter(|(name, _)| ["file", "yaml", "hex", "ours"].contains(&name.as_str()))
                    .map(|(name, value)| (name.clone(), value.clone()))
                    .collect()
            })
            .unwrap_or_default();
        let mut case = Value::Object(kept);
        if case["ours"] == "differs" {
            // Left to chance by the kubelet, or not ours to say.
        } else if answer["ok"].as_bool() == Some(true) {
            case["json"] = answer["json"].clone();
        } else {
            case["refused"] = json!(true);
        }
        recorded += &case.to_string();
        recorded.push('\n');
    }
    if std::env::var_os("UPDATE_FIXTURES").is_some() {
        std::fs::write(&path, &recorded)?;
    }
    let differs = text
        .lines()
        .zip(recorded.lines())
        .find(|(old, new)| old != new);
    match differs {
        Some((old, new)) if std::env::var_os("UPDATE_FIXTURES").is_none() => {
            Err(format!("recorded {old}, the kubelet says {new}").into())
        }
        _ => Ok(()),
    }
}

fn build_oracle() -> Result<PathBuf, Failed> {
    if let Some(path) = std::env::var_os("STAKEOUT_YAML_ORACLE") {
        return Ok(path.into());
    }
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("yamloracle");
    let folder = root().join("tests/cluster/yamloracle");
    let built = Command::new("go")
        .args(["build", "-o"])
        .arg(&target)
        .arg(".")
        .current_dir(&folder)
        .output()?;
    if !built.status.success() {
        return Err(format!(
            "go build in {}: {}",
            folder.display(),
            String::from_utf8_lossy(&built.stderr)
        )
        .into());
    }
    Ok(target)
}

/// A value too deep for us to read is a value all the same.
fn answer(line: &str) -> Value {
    serde_json::from_str(line).unwrap_or_else(|_| json!({"ok": line.starts_with("{\"ok\":true")}))
}

/// One answer per document.
fn ask(oracle: &Path, documents: &[Vec<u8>]) -> Result<Vec<Value>, Failed> {
    let mut child = Command::new(oracle)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut input = child.stdin.take().ok_or("the oracle has no input")?;
    let output = child.stdout.take().ok_or("the oracle has no output")?;
    let answers = std::thread::scope(|scope| {
        let writer = scope.spawn(move || -> std::io::Result<()> {
            for document in documents {
                let length = u32::try_from(document.len()).map_err(std::io::Error::other)?;
                input.write_all(&length.to_be_bytes())?;
                input.write_all(document)?;
            }
            Ok(())
        });
        let answers: Result<Vec<Value>, Failed> = BufReader::new(output)
            .lines()
            .map(|line| Ok(answer(&line?)))
            .collect();
        writer.join().map_err(|_| "the writer died")??;
        answers
    })?;
    child.wait()?;
    if answers.len() != documents.len() {
        return Err(format!("{} answers to {} documents", answers.len(), documents.len()).into());
    }
    Ok(answers)
}
