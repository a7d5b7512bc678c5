//! Manifests as the kubelet reads them, against what its own packages said (recorded by the test tier
//! `tiers`, which has Go), and what those packages do not say: lines, repeated keys, ignored documents.

use std::path::Path;

use serde_json::{Value, json};
use stakeout::probes::parse::yaml::{Limits, Parsed, YamlError, parse};

const FOLDER: &str = "tests/fixtures/yaml";

#[expect(
    clippy::disallowed_methods,
    reason = "fixtures are files of the repository"
)]
fn read(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join(FOLDER)
        .join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn bytes(case: &Value) -> Vec<u8> {
    if let Some(file) = case["file"].as_str() {
        return read(file);
    }
    if let Some(text) = case["yaml"].as_str() {
        return text.as_bytes().to_vec();
    }
    let digits = case["hex"]
        .as_str()
        .expect("a case has a file, yaml or hex");
    let pairs = digits.as_bytes().chunks(2);
    pairs
        .map(|pair| {
            u8::from_str_radix(std::str::from_utf8(pair).expect("digits"), 16).expect("hex")
        })
        .collect()
}

/// Numbers by value: `1.0` of a JSON manifest stays a fraction, the oracle prints `1`.
fn same(ours: &Value, theirs: &Value) -> bool {
    match (ours, theirs) {
        (Value::Number(ours), Value::Number(theirs)) => {
            let near =
                |(ours, theirs): (f64, f64)| (ours - theirs).abs() <= ours.abs() * f64::EPSILON;
            ours == theirs || ours.as_f64().zip(theirs.as_f64()).is_some_and(near)
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
                    .zip(theirs)
                    .all(|(ours, theirs)| ours.0 == theirs.0 && same(ours.1, theirs.1))
        }
        _ => ours == theirs,
    }
}

fn parsed(text: &str) -> Parsed {
    parse(text.as_bytes(), &Limits::default()).unwrap_or_else(|error| panic!("{error}: {text}"))
}

#[test]
fn recorded_cases() {
    let text = String::from_utf8(read("cases.jsonl")).expect("JSON lines");
    for line in text.lines() {
        let case: Value = serde_json::from_str(line).expect("a JSON line");
        let result = parse(&bytes(&case), &Limits::default());
        let good = match (case["ours"].as_str(), &result) {
            (Some("differs"), Err(YamlError::Differs { .. }))
            | (Some("limit"), Err(YamlError::Limit { .. })) => true,
            (None, Err(YamlError::Syntax { .. })) => case["refused"] == json!(true),
            (None, Ok(parsed)) => case["refused"].is_null() && same(&parsed.value, &case["json"]),
            _ => false,
        };
        assert!(good, "{line}\nwe say {result:?}");
    }
}

#[test]
fn repeated_keys_are_told_with_the_line_that_counts() {
    let cases: &[(&str, &[(&str, usize)])] = &[
        ("a: 1\nb: 2\n", &[]),
        ("a: 1\nb: 2\na: 3\n", &[("/a", 3)]),
        ("s:\n  - {k: 1,\n     k: 2}\n", &[("/s/0/k", 3)]),
        ("a/b:\n  ~x: 1\n  ~x: 2\n", &[("/a~1b/~0x", 3)]),
        // A merge overwrites what stands above it, and is overwritten by what stands below.
        ("m: &m {a: 1}\nb:\n  a: 2\n  <<: *m\n", &[("/b/a", 4)]),
        ("m: &m {a: 1}\nb:\n  <<: *m\n  a: 2\n", &[]),
        // Once, however often the alias is used; and not at all in a value that does not count.
        ("m: &m {a: 1, a: 2}\nb: [*m, *m]\n", &[("/m/a", 1)]),
        ("a: {b: 1, b: 2}\na: 3\n", &[("/a", 2)]),
    ];
    for (text, expected) in cases {
        let found = parsed(text).duplicates;
        let found: Vec<(&str, usize)> = found
            .iter()
            .map(|key| (key.path.as_str(), key.line))
            .collect();
        assert_eq!(&found, expected, "{text}");
    }
}

#[test]
fn documents_behind_the_first_are_counted() {
    let cases = [
        ("", 0),
        ("a: 1\n", 0),
        ("a: 1\n---\n", 0),
        ("a: 1\n---\n# nothing\n...\n", 0),
        ("a: 1\n---\nb: 1\n", 1),
        ("---\n---\nkind: Pod\n", 1),
        ("a: 1\n---\n- 1\n---\n~\n---\n''\n", 3),
        // What is no YAML is ignored too.
        ("a: 1\n---\nb: 1\n---\nc: [}\n", 2),
        ("{\"a\": 1}", 0),
    ];
    for (text, count) in cases {
        assert_eq!(parsed(text).ignored_documents, count, "{text}");
    }
}

#[test]
fn values_have_lines() {
    let text = "# top\nmetadata:\n  name: x\nspec: &s\n  list:\n  - a\n  -\n    k/v: 1\ncopy: *s\nmerged:\n  <<: *s\n";
    let lines = parsed(text).lines;
    let cases = [
        ("", Some(2)),
        ("/metadata", Some(2)),
        ("/metadata/name", Some(3)),
        ("/spec/list/0", Some(6)),
        ("/spec/list/1/k~1v", Some(8)),
        ("/copy", Some(9)),
        ("/copy/list", Some(5)),
        ("/merged/list", Some(5)),
        ("/absent", None),
        ("/spec/list/7", None),
    ];
    for (pointer, line) in cases {
        assert_eq!(lines.line(pointer), line, "{pointer}");
    }
    let json = parse(b"{\n \"a\": [\n  1,\n  {\"b\": 2}]}", &Limits::default()).expect("JSON");
    assert_eq!(json.lines.line("/a/1/b"), Some(4));
}

#[test]
fn refusals_tell_the_place() {
    let cases = [
        (
            "a: 1\nb: [1\n",
            "line 3, column 1: did not find expected ',' or ']'",
        ),
        (
            "a: 1\n\tb: 2\n",
            "line 2, column 1: found a tab character that violates indentation",
        ),
        (
            "a: 1\nb: \x01\n",
            "line 2, column 4: control characters are not allowed",
        ),
        (
            "a:\n\t- 1\n",
            "line 2, column 1: found character that cannot start any token",
        ),
        ("a: *x\n", "line 1, column 4: unknown anchor 'x' referenced"),
        (
            "{\"a\": 1,\n b}",
            "line 2, column 2: invalid character looking for beginning of object key string",
        ),
    ];
    for (text, message) in cases {
        let error = parse(text.as_bytes(), &Limits::default()).expect_err(text);
        assert_eq!(error.to_string(), message, "{text:?}");
    }
}

#[test]
fn hostile_input_ends_soon_and_as_an_error() {
    let deep = |open: &str| open.repeat(100_000);
    let chain = |depth: usize| {
        (1..depth).fold("a0: &a0 {}\n".to_owned(), |text, at| {
            format!("{text}a{at}: &a{at} {{k: *a{}}}\n", at - 1)
        })
    };
    let bomb = (1..9).fold(
        "- &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned(),
        |text, at| {
            format!(
                "{text}- &a{at} [{}]\n",
                vec![format!("*a{}", at - 1); 9].join(", ")
            )
        },
    );
    let long = "x".repeat(100_000);
    let cases = [
        deep("["),
        deep("{"),
        deep("- "),
        deep("? "),
        deep("{\"a\":"),
        deep("[{"),
        chain(150),
        bomb.clone(),
        bomb.replace('[', "{<<: [").replace(']', "]}"),
        format!("a: &a '{long}'\nb: [{}]\n", "*a, ".repeat(2_000)),
        format!("%TAG !h! {long}\n---\n[{}]\n", "!h!x a, ".repeat(10_000)),
        (0..10_000).fold(String::new(), |text, at| {
            text + &format!("%TAG !h{at}! x\n")
        }) + "---\n",
        format!("? {long}\n: {{{}}}\n", "a: 1, ".repeat(20_000)),
        "a".repeat(300 << 10),
    ];
    for text in cases {
        let result = parse(text.as_bytes(), &Limits::default());
        assert!(result.is_err(), "{}", &text[..40]);
    }
    let wide = Limits {
        bytes: 1 << 30,
        depth: usize::MAX,
        nodes: usize::MAX,
        text: 1 << 30,
    };
    for text in [deep("["), deep("- "), chain(5_000), bomb] {
        assert!(parse(text.as_bytes(), &wide).is_err(), "{}", &text[..40]);
    }
}

#[test]
fn every_cut_of_a_manifest_is_read_or_refused() {
    let whole = read("agent.yaml");
    for end in 0..whole.len() {
        let _ = parse(&whole[..end], &Limits::default());
        let _ = parse(&whole[end..], &Limits::default());
    }
}
