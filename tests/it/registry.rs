//! Every check, held to its own examples, to the house rules, and to the three honesty properties.
//!
//! A failing test says what to write where.

#![expect(
    clippy::disallowed_methods,
    reason = "the registry is held against the source files"
)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use stakeout::checks::check::{Check, Judge, Place, Step};
use stakeout::checks::example::{self, Example, verdict_text};
use stakeout::checks::{self, fix};
use stakeout::model::fact::{FaultClass, Gap, Need};
use stakeout::model::name::NodeName;
use stakeout::model::node::{HostFacts, NodeFacts};
use stakeout::model::text::Text;
use stakeout::model::verdict::{Severity, Subject, SubjectKind, Verdict};

/// An example that must be readable.
fn read(check: &Check, yaml: &str) -> Example {
    match example::read(yaml) {
        Ok(example) => example,
        Err(error) => panic!("{}: example {yaml:?}: {error}", check.id),
    }
}

/// What the program would say: a claim without evidence is none (evaluate.rs).
fn judge(check: &Check, example: &Example) -> Result<Verdict, Gap> {
    match example.judge(&check.judge) {
        Ok(Verdict::Pass { evidence, .. } | Verdict::NotApplicable { evidence, .. })
            if evidence.is_empty() =>
        {
            panic!("{}: a verdict without evidence", check.id)
        }
        Ok(Verdict::Fail { offences, .. }) if offences.is_empty() => {
            panic!("{}: a fail without an offence", check.id)
        }
        outcome => outcome,
    }
}

/// Every example of every check with its outcome.
fn examples() -> impl Iterator<Item = (&'static Check, &'static str, &'static str, Example)> {
    checks::all().flat_map(|check| {
        check
            .examples
            .iter()
            .map(move |(facts, wanted)| (check, *facts, *wanted, read(check, facts)))
    })
}

fn is_good(outcome: &Result<Verdict, Gap>) -> bool {
    matches!(
        outcome,
        Ok(Verdict::Pass { .. } | Verdict::NotApplicable { .. })
    )
}

#[test]
fn examples_give_exactly_their_verdict() {
    let mut wrong = Vec::new();
    for (check, facts, wanted, example) in examples() {
        let got = verdict_text(&judge(check, &example));
        if got != wanted {
            wrong.push(format!(
                "{} ({})\n  facts:  {facts}\n  wanted: {wanted}\n  got:    {got}",
                check.id, check.file
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_offence_carries_evidence_and_a_subject() {
    for (check, facts, _, example) in examples() {
        let Ok(Verdict::Fail { offences, .. }) = judge(check, &example) else {
            continue;
        };
        let mut subjects = BTreeSet::new();
        for offence in &offences {
            assert!(!offence.evidence.is_empty(), "{}: {facts}", check.id);
            assert!(!offence.subject.key.is_empty(), "{}: {facts}", check.id);
            assert!(
                subjects.insert(&offence.subject),
                "{}: two offences about {}: their identities would be one: {facts}",
                check.id,
                offence.subject
            );
        }
    }
}

#[test]
fn ids_are_unique_sorted_and_well_formed() {
    let mut seen = BTreeSet::new();
    for family in checks::ALL {
        let ids: Vec<&str> = family.iter().map(|check| check.id.0).collect();
        assert!(
            ids.is_sorted(),
            "sort this family's list in its mod.rs: {ids:?}"
        );
        for id in ids {
            let parts: Vec<&str> = id.split('-').collect();
            let [sp, fam, number] = parts[..] else {
                panic!("{id}: want SP-FAMILY-NNN");
            };
            assert_eq!(sp, "SP", "{id}");
            assert!(
                (3..=4).contains(&fam.len()) && fam.bytes().all(|b| b.is_ascii_uppercase()),
                "{id}: the family is 3 or 4 capital letters"
            );
            assert!(
                number.len() == 3 && number.bytes().all(|b| b.is_ascii_digit()),
                "{id}: the number has three digits"
            );
            assert!(seen.insert(id), "{id} is used twice; ids are never reused");
        }
    }
}

#[test]
fn every_file_with_a_check_is_listed() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let listed: BTreeSet<PathBuf> = checks::all().map(|check| root.join(check.file)).collect();
    for family in std::fs::read_dir(root.join("src/checks")).expect("the folder of checks") {
        let family = family.expect("an entry").path();
        if !family.is_dir() {
            continue;
        }
        for file in std::fs::read_dir(&family).expect("a family") {
            let file = file.expect("an entry").path();
            if file.is_dir() {
                continue;
            }
            let text = std::fs::read_to_string(&file).expect("a source file");
            let name = file.file_stem().unwrap_or_default().to_string_lossy();
            assert!(
                !text.contains("pub static CHECK: Check") || listed.contains(&file),
                "{} is not listed. Add to {}/mod.rs:\n    mod {name};\n    &{name}::CHECK,",
                file.display(),
                family.display()
            );
        }
    }
    for file in listed {
        let text = std::fs::read_to_string(&file).unwrap_or_default();
        assert!(
            text.contains("file: file!()"),
            "{}: want file: file!()",
            file.display()
        );
    }
}

#[test]
fn words_follow_the_house() {
    for check in checks::all() {
        let id = check.id;
        let capital = |text: &str| text.starts_with(|c: char| c.is_ascii_uppercase());
        assert!(
            capital(check.title) && !check.title.ends_with('.'),
            "{id}: the title is the good state as a sentence without a full stop"
        );
        assert!(
            capital(check.why) && check.why.ends_with('.') && check.why.len() < 300,
            "{id}: why is the attack in one sentence, with a full stop"
        );
        assert!(check.title.len() <= 60, "{id}: the title does not fit");
        assert!(
            check
                .since
                .split('.')
                .filter_map(|n| n.parse::<u32>().ok())
                .count()
                == 3,
            "{id}: since is the version that first had it"
        );
    }
    for (check, facts, _, example) in examples() {
        let outcome = judge(check, &example);
        let words: Vec<String> = match &outcome {
            Ok(Verdict::Fail { offences, .. }) => {
                offences.iter().map(|o| o.message.to_string()).collect()
            }
            Ok(Verdict::NotApplicable { why, .. }) => vec![why.to_string()],
            Ok(Verdict::Pass { note: Some(n), .. }) => vec![n.to_string()],
            _ => Vec::new(),
        };
        for message in words {
            let mut letters = message.chars();
            let first = letters.next().unwrap_or('X');
            let second = letters.next().unwrap_or('x');
            assert!(
                (!first.is_uppercase() || second.is_uppercase())
                    && !message.ends_with('.')
                    && !message.contains('\n'),
                "{}: a message is lower case, one line, no full stop: {message:?} ({facts})",
                check.id
            );
        }
    }
}

#[test]
fn severity_is_the_worst_of_the_examples() {
    for check in checks::all() {
        let outcomes = check
            .examples
            .iter()
            .map(|(facts, _)| judge(check, &read(check, facts)));
        let verdicts: Vec<Verdict> = outcomes.filter_map(Result::ok).collect();
        let worst = verdicts.iter().filter_map(Verdict::severity).max();
        assert_eq!(
            worst,
            Some(check.severity),
            "{}: severity is the maximum over its failing examples; add one or correct it",
            check.id
        );
        assert!(
            verdicts.iter().any(|v| v.badge() == "PASS"),
            "{}: add an example that passes",
            check.id
        );
    }
}

#[test]
fn every_fix_can_be_followed_and_undone() {
    for check in checks::all() {
        let fix = &check.fix;
        assert!(!fix.steps.is_empty(), "{}: a fix has steps", check.id);
        assert!(!fix.restarts.is_empty(), "{}: say what restarts", check.id);
        assert!(!fix.undo.is_empty(), "{}: say how to undo it", check.id);
        for step in fix.steps.iter().chain(fix.undo) {
            assert!(
                !step.text.is_empty() && !step.text.contains('\n'),
                "{}",
                check.id
            );
            for name in placeholders(step) {
                assert!(
                    [
                        "node",
                        "path",
                        "dir",
                        "file",
                        "ns",
                        "pod",
                        "container",
                        "flag",
                        "resource",
                        "name"
                    ]
                    .contains(&name),
                    "{}: {{{name}}} is not a placeholder (fix.rs)",
                    check.id
                );
            }
        }
    }
}

/// Words in braces; `{.items}` of a jsonpath is not one.
fn placeholders(step: &Step) -> Vec<&'static str> {
    let words = step.text.split('{').skip(1);
    words
        .filter_map(|rest| rest.split_once('}'))
        .map(|(word, _)| word)
        .filter(|word| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase()))
        .collect()
}

#[test]
fn hostile_names_never_leave_their_word() {
    let node = NodeName::parse("cp-1").expect("a node name");
    let hostile = [
        "a$(reboot)b",
        "a`reboot`b",
        "a'; reboot; 'b",
        "a\"; reboot; \"b",
        "a b|c&d>e",
        "-rf",
        "~root",
    ];
    for check in checks::all() {
        for (kind, shape) in [
            (SubjectKind::Path, "/etc/@"),
            (SubjectKind::Path, "@"),
            (SubjectKind::Pod, "@/@"),
            (SubjectKind::Container, "@/@/@"),
            (SubjectKind::Namespace, "@"),
            (SubjectKind::Setting, "@"),
            (SubjectKind::Node, "@"),
            (SubjectKind::Port, "@"),
            (SubjectKind::Object, "services/@/@"),
        ] {
            let shell = |name: &str| {
                let subject = Subject::new(kind, shape.replace('@', name));
                let filled = fix::fill(check, Some(&node), Some(&subject));
                let lines = filled.steps.into_iter().chain(filled.undo);
                lines
                    .filter(|line| line.place != Place::Editor)
                    .collect::<Vec<_>>()
            };
            let plain: Vec<usize> = shell("name")
                .iter()
                .map(|l| words(l.text.as_str()))
                .collect();
            for name in hostile {
                let got: Vec<usize> = shell(name).iter().map(|l| words(l.text.as_str())).collect();
                assert_eq!(plain, got, "{}: {name} breaks out of {shape}", check.id);
            }
            for (line, plain) in shell("a\nb\u{202e}").iter().zip(shell("name")) {
                assert!(
                    !line.copyable || line.text == plain.text,
                    "{}: {} can be copied",
                    check.id,
                    line.text
                );
                assert_eq!(line.text.as_str().lines().count(), 1, "{}", check.id);
            }
        }
    }
}

/// Counts what a shell would see: words, operators and expansions. Quoted text is part of its word.
fn words(line: &str) -> usize {
    let mut count = 0;
    let mut inside = false;
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match c {
            '\'' => {
                count += usize::from(!inside);
                inside = true;
                for c in chars.by_ref() {
                    if c == '\'' {
                        break;
                    }
                }
            }
            '"' => {
                count += usize::from(!inside);
                inside = true;
                while let Some(c) = chars.next() {
                    match c {
                        '"' => break,
                        '$' | '`' => count += 1000,
                        '\\' => {
                            chars.next();
                        }
                        _ => {}
                    }
                }
            }
            '\\' => {
                count += usize::from(!inside);
                inside = true;
                chars.next();
            }
            ' ' => inside = false,
            ';' | '|' | '&' | '<' | '>' | '(' | ')' | '$' | '`' => {
                count += 1;
                inside = false;
            }
            '~' if !inside => {
                count += 1000;
                inside = true;
            }
            _ => {
                count += usize::from(!inside);
                inside = true;
            }
        }
    }
    count
}

#[test]
fn needs_and_helps_are_told_apart() {
    for check in checks::all() {
        assert!(!check.needs.is_empty(), "{}: name what it needs", check.id);
        let all: Vec<Need> = check.needs.iter().chain(check.helps).copied().collect();
        let distinct: BTreeSet<Need> = all.iter().copied().collect();
        assert_eq!(all.len(), distinct.len(), "{}: a need twice", check.id);
    }
}

/// Property 1: nothing passes on a snapshot where every fact is unknown, for whatever reason.
#[test]
fn nothing_passes_where_nothing_is_known() {
    let gaps = every_gap();
    for check in checks::all() {
        for gap in &gaps {
            let mut example = read(check, "{}");
            let mut node = NodeFacts::unknown(example.node.clone());
            node.host = HostFacts::gap(gap).into();
            example
                .snapshot
                .nodes
                .insert(example.node.clone(), node.into());
            let got = judge(check, &example);
            assert!(
                got.is_err(),
                "{}: {} on {gap}",
                check.id,
                verdict_text(&got)
            );
        }
        let mut nobody = read(check, "{}");
        nobody.snapshot.nodes.clear();
        let got = judge(check, &nobody);
        assert!(
            got.is_err(),
            "{}: {} without a node",
            check.id,
            verdict_text(&got)
        );
    }
}

/// Property 2: from any passing example, withholding one needed fact gives Unknown.
#[test]
fn what_is_needed_is_needed() {
    for (check, facts, _, example) in examples() {
        if !is_good(&judge(check, &example)) {
            continue;
        }
        let passing = matches!(judge(check, &example), Ok(Verdict::Pass { .. }));
        for need in check.needs {
            let got = judge(check, &example.withhold(*need));
            let honest = match (&got, passing) {
                (Err(_) | Ok(Verdict::Unknown { .. }), _) => true,
                (got, false) => !matches!(got, Ok(Verdict::Pass { .. })),
                _ => false,
            };
            assert!(
                honest,
                "{}: without {need:?} it still says {}: take it out of needs, or ask for it: {facts}",
                check.id,
                verdict_text(&got)
            );
        }
    }
}

/// Property 3: withholding a helping fact never improves a verdict; any other fact changes nothing.
#[test]
fn what_helps_helps_and_the_rest_does_not_matter() {
    for (check, facts, _, example) in examples() {
        let before = judge(check, &example);
        for need in Need::ALL.iter().filter(|need| !check.needs.contains(need)) {
            let after = judge(check, &example.withhold(*need));
            if check.helps.contains(need) {
                assert!(
                    !improved(&before, &after),
                    "{}: without {need:?} {} became {}: {facts}",
                    check.id,
                    verdict_text(&before),
                    verdict_text(&after)
                );
            } else {
                assert_eq!(
                    before, after,
                    "{}: it reads {need:?}: add it to helps: {facts}",
                    check.id
                );
            }
        }
    }
}

/// Better without a fact: from bad or unknown to good, or milder without saying that something is missing.
fn improved(before: &Result<Verdict, Gap>, after: &Result<Verdict, Gap>) -> bool {
    if is_good(after) {
        return !is_good(before);
    }
    let worst = |outcome: &Result<Verdict, Gap>| -> Option<Severity> {
        outcome.as_ref().ok().and_then(Verdict::severity)
    };
    match (worst(before), worst(after), after) {
        (Some(before), Some(after), Ok(Verdict::Fail { gaps, .. })) => {
            after < before && gaps.is_empty()
        }
        _ => false,
    }
}

/// One of each.
fn every_gap() -> Vec<Gap> {
    let text = || Text::new("x");
    let mut all = vec![
        Gap::NotAsked,
        Gap::Pending,
        Gap::Forbidden {
            verb: text(),
            resource: text(),
        },
        Gap::Api { detail: text() },
        Gap::Denied { what: text() },
        Gap::ToolMissing { tool: text() },
        Gap::Garbled { what: text() },
        Gap::CollectorOutdated { since: text() },
        Gap::WrongMachine { detail: text() },
        Gap::Settling {
            left: std::time::Duration::ZERO,
        },
        Gap::KubeletStopped { detail: text() },
        Gap::NeedsHuman { question: text() },
        Gap::Imported { taken: text() },
        Gap::Baseline { detail: text() },
        Gap::Later,
    ];
    all.extend(fault_classes().into_iter().map(|class| Gap::Node {
        class,
        detail: text(),
    }));
    all
}

/// Every class, by walking the source: a new one cannot be forgotten here.
fn fault_classes() -> Vec<FaultClass> {
    let source = include_str!("../../src/model/gap.rs");
    let (_, rest) = source
        .split_once("pub enum FaultClass {")
        .expect("the enum");
    let (body, _) = rest.split_once("\n}").expect("its end");
    body.lines()
        .filter_map(|line| line.trim().strip_suffix(','))
        .filter(|name| name.bytes().all(|b| b.is_ascii_alphanumeric()))
        .map(|name| {
            let mut word = String::new();
            for c in name.chars() {
                if c.is_ascii_uppercase() && !word.is_empty() {
                    word.push('-');
                }
                word.push(c.to_ascii_lowercase());
            }
            let class: FaultClass =
                serde_json::from_value(word.clone().into()).expect("a class reads from its word");
            assert_eq!(class.to_string(), word);
            class
        })
        .collect()
}

#[test]
fn every_gap_has_a_next_step() {
    let gaps = every_gap();
    assert!(gaps.len() > 40, "{} gaps", gaps.len());
    for gap in gaps {
        assert!(!gap.next_step().is_empty(), "{gap:?}");
        assert!(!gap.word().is_empty(), "{gap:?}");
        let shown = gap.to_string();
        assert!(!shown.is_empty() && !shown.ends_with('.'), "{gap:?}");
    }
}

#[test]
fn checks_are_found_by_id() {
    for check in checks::all() {
        for spelling in [
            check.id.0.to_owned(),
            check.id.0.to_lowercase(),
            check.id.0.replace("SP-", ""),
        ] {
            assert!(checks::find(&spelling).is_some_and(|found| found.id == check.id));
        }
    }
}

/// The engine judges a node again when its own facts changed: what other nodes say must not move the verdict.
#[test]
fn a_check_that_reads_other_nodes_says_so() {
    for (check, facts, _, example) in examples() {
        if !matches!(check.judge, Judge::Node(_)) {
            continue;
        }
        let mut alone = example.clone();
        let own = example.node.clone();
        alone.snapshot.nodes.retain(|name, _| *name == own);
        assert_eq!(
            verdict_text(&judge(check, &alone)),
            verdict_text(&judge(check, &example)),
            "{}: it reads other nodes: make it Judge::Peers: {facts}",
            check.id
        );
    }
}
