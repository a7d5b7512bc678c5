//! Snapshots that are vouched for, compared, and used as a baseline.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;

use serde_json::Value;
use stakeout::checks::example;
use stakeout::diff::{self, Change, Diff, Kind, Side};
use stakeout::disk::sign::{PublicKey, SigningKey};
use stakeout::disk::snapshot::{self, Opened};
use stakeout::engine::Judged;
use stakeout::model::fact::{Fact, Gap, Locator, Need};
use stakeout::model::name::NodeName;
use stakeout::model::node::{HostFacts, NodeFacts};
use stakeout::model::snapshot::Snapshot;
use stakeout::model::text::Text;

use crate::scratch::Scratch;

/// A folder of its own for one test, gone with it.
struct Folder(Scratch);

impl Folder {
    fn new(name: &str) -> Self {
        Self(Scratch::new(&format!("snapshots-{name}")))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn run(&self, words: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_stakeout"))
            .env_clear()
            .env("HOME", &*self.0)
            .current_dir(&*self.0)
            .args(words)
            .output()
            .expect("the program starts")
    }
}

fn code(output: &Output) -> i32 {
    output.status.code().expect("it ended by itself")
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("the program writes UTF-8")
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("the program writes UTF-8")
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", err(output)))
}

fn name(name: &str) -> NodeName {
    NodeName::parse(name).expect("a fixed name")
}

fn small() -> Snapshot {
    let mut snapshot = Snapshot::empty("2026-01-02T03:04:05Z".parse().expect("a fixed time"));
    for node in ["cp-1", "w-1"] {
        let facts = NodeFacts::unknown(name(node));
        snapshot.nodes.insert(name(node), Arc::new(facts));
    }
    snapshot
}

fn fleet() -> Snapshot {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/demo.jsonl.zst");
    snapshot::load(&path).expect("the fixture is whole")
}

fn with_host(snapshot: &Snapshot, node: &str, host: Arc<HostFacts>) -> Snapshot {
    let mut out = snapshot.clone();
    let facts = out.nodes.get_mut(node).expect("the node is there");
    Arc::make_mut(facts).host = host;
    out
}

#[test]
fn a_key_is_private_and_never_overwritten() {
    let home = Folder::new("key");
    let made = home.run(&["snapshot", "key", "k"]);
    assert_eq!(code(&made), 0, "{}", err(&made));
    assert!(out(&made).contains("SHA256:"));
    let mode = |name: &str| {
        let meta = std::fs::metadata(home.path(name)).expect("it is there");
        meta.permissions().mode() & 0o7777
    };
    assert_eq!(mode("k"), 0o600);
    let before = std::fs::read(home.path("k")).expect("ours");
    assert!(!out(&made).contains("PRIVATE"));
    assert_eq!(code(&home.run(&["snapshot", "key", "k"])), 2);
    std::fs::remove_file(home.path("k.pub")).expect("ours");
    let again = home.run(&["snapshot", "key", "k"]);
    assert_eq!(code(&again), 2);
    assert!(err(&again).contains("never overwritten"), "{}", err(&again));
    assert_eq!(std::fs::read(home.path("k")).expect("ours"), before);
    // A public half that is there keeps a new key from being made beside it.
    std::fs::write(home.path("other.pub"), "x").expect("writable");
    assert_eq!(code(&home.run(&["snapshot", "key", "other"])), 2);
    assert!(!home.path("other").exists());

    let open = std::fs::Permissions::from_mode(0o640);
    std::fs::set_permissions(home.path("k"), open).expect("ours");
    let refused = SigningKey::read(&home.path("k")).expect_err("others may read it");
    assert!(refused.contains("0640"), "{refused}");
    std::fs::write(home.path("none"), "no key").expect("writable");
    let only = std::fs::Permissions::from_mode(0o600);
    std::fs::set_permissions(home.path("none"), only).expect("ours");
    assert!(SigningKey::read(&home.path("none")).is_err());
    assert!(PublicKey::read(&home.path("k")).is_err(), "a private key");
}

/// Every byte of both kinds of file, altered; every cut; and what may be added to it.
#[test]
fn a_signed_file_that_was_touched_is_bad_or_not_signed_and_never_good() {
    let home = Folder::new("bytes");
    let (public, _) = SigningKey::make(&home.path("k")).expect("a key");
    let key = SigningKey::read(&home.path("k")).expect("ours");
    for file in ["s.jsonl", "s.zst"] {
        let path = home.path(file);
        snapshot::save_signed(&small(), &path, Some(&key)).expect("written");
        let opened = snapshot::open(&path).expect("whole");
        assert_eq!(opened.snapshot, small());
        assert_eq!(opened.signed_by, Some(public));
        let whole = std::fs::read(&path).expect("ours");
        let bad = |bytes: &[u8], what: &str| {
            std::fs::write(&path, bytes).expect("writable");
            if let Ok(Opened { signed_by, .. }) = snapshot::open(&path) {
                panic!("{file}: {what} is taken for {signed_by:?}");
            }
        };
        for at in 0..whole.len() {
            // Another digit or letter, and the same letter in the other case.
            let flip = if at % 2 == 0 { 1 } else { 0x20 };
            let mut altered = whole.clone();
            altered[at] ^= flip;
            bad(&altered, &format!("byte {at} ^ {flip}"));
        }
        for end in 0..whole.len() {
            bad(&whole[..end], &format!("the first {end} bytes"));
        }
        let seal = whole.len() - 255;
        let empty = zstd::encode_all(&b""[..], 0).expect("memory");
        let skip = [&0x184D_2A50_u32.to_le_bytes()[..], &[0; 4]].concat();
        for more in [
            &b"\n"[..],
            b" ",
            b"{}\n",
            &empty,
            &skip,
            &whole,
            &whole[seal..],
        ] {
            bad(&[&whole[..], more].concat(), "something behind it");
            bad(&[more, &whole[..]].concat(), "something before it");
        }
        let by = key_of(&home, &format!("{file}.other"));
        snapshot::save_signed(&small(), &path, Some(&by)).expect("written");
        let opened = snapshot::open(&path).expect("whole");
        assert!(opened.signed_by.is_some() && opened.signed_by != Some(public));
        // The signature of one file under the content of another.
        let mut later = small();
        later.taken_by = Text::new("mallory");
        snapshot::save_signed(&later, &path, Some(&key)).expect("written");
        let other = std::fs::read(&path).expect("ours");
        let tail = |bytes: &[u8]| bytes.len() - whole.len() + seal;
        let mixed = [&other[..tail(&other)], &whole[seal..]].concat();
        bad(&mixed, "a signature of another file");
    }
}

fn key_of(home: &Folder, name: &str) -> SigningKey {
    SigningKey::make(&home.path(name)).expect("a key");
    SigningKey::read(&home.path(name)).expect("ours")
}

#[test]
fn an_unsigned_file_is_whole_and_nothing_may_follow_it() {
    let home = Folder::new("unsigned");
    for file in ["s.jsonl", "s.zst"] {
        let path = home.path(file);
        snapshot::save(&small(), &path).expect("written");
        assert_eq!(snapshot::open(&path).expect("whole").signed_by, None);
        let mut bytes = std::fs::read(&path).expect("ours");
        bytes.extend(b"{}\n");
        std::fs::write(&path, bytes).expect("writable");
        let damaged = snapshot::open(&path).expect_err("more follows");
        let words = "more follows its trailer; readable before that: 2 nodes";
        assert!(damaged.to_string().contains(words), "{file}: {damaged}");
    }
}

#[test]
fn verify_says_by_its_exit_code_what_a_file_is() {
    let home = Folder::new("verify");
    let from = home.path("small.jsonl");
    snapshot::save(&small(), &from).expect("written");
    for key in ["k", "wrong"] {
        assert_eq!(code(&home.run(&["snapshot", "key", key])), 0);
    }
    for file in ["s.zst", "s.jsonl"] {
        let saved = home.run(&[
            "--from",
            "small.jsonl",
            "snapshot",
            "save",
            "--sign",
            "k",
            file,
        ]);
        assert_ne!(code(&saved), 2, "{}", err(&saved));
        let with = |key: &str| home.run(&["verify", file, "--key", key]);
        let good = with("k.pub");
        assert_eq!(code(&good), 0, "{}", err(&good));
        assert!(out(&good).contains("2 nodes") && out(&good).contains("signed by SHA256:"));
        let nobody = home.run(&["verify", file]);
        assert_eq!(code(&nobody), 3);
        assert!(out(&nobody).contains("--key PUB"), "{}", out(&nobody));
        let wrong = with("wrong.pub");
        assert_eq!(code(&wrong), 2);
        assert!(
            err(&wrong).contains("signed by another key"),
            "{}",
            err(&wrong)
        );
        let mut bytes = std::fs::read(home.path(file)).expect("ours");
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        std::fs::write(home.path(file), bytes).expect("writable");
        let altered = with("k.pub");
        assert_eq!(code(&altered), 2);
        let said = err(&altered);
        assert!(
            said.starts_with("stakeout: ") && said.contains("\nnext: "),
            "{said}"
        );
    }
    let unsigned = home.run(&["verify", "small.jsonl"]);
    assert_eq!(code(&unsigned), 3);
    assert!(out(&unsigned).contains("not signed"), "{}", out(&unsigned));
    let demanded = home.run(&["verify", "small.jsonl", "--key", "k.pub"]);
    assert_eq!(code(&demanded), 2);
    assert!(
        err(&demanded).contains("whole but not signed"),
        "{}",
        err(&demanded)
    );
    assert_eq!(code(&home.run(&["verify", "absent"])), 2);
}

fn judged(yaml: &str) -> Judged {
    let read = example::read(yaml).expect("an example");
    let now = read.snapshot.taken;
    Judged::of(Arc::new(read.snapshot), &read.policy, now)
}

/// What became of one check between two examples.
fn changes(check: &str, before: &str, after: &str) -> (Vec<Change>, usize) {
    let diff = diff::between(&judged(before), &judged(after), &|id, _| id.0 == check)
        .expect("of no cluster");
    (diff.changes, diff.same)
}

#[test]
fn what_one_side_does_not_know_is_never_new_and_never_fixed() {
    const OPEN: &str = "kubelet: {authentication.anonymous.enabled: true}";
    const SHUT: &str = "kubelet: {authentication.anonymous.enabled: false}";
    const GAP: &str = "kubelet: {gap: denied}";
    let one = |before, after| {
        let (changes, same) = changes("SP-KUB-001", before, after);
        let kinds: Vec<Kind> = changes.iter().map(|change| change.kind).collect();
        (kinds, same, changes)
    };
    assert_eq!(one(SHUT, OPEN).0, [Kind::New]);
    assert_eq!(one(OPEN, SHUT).0, [Kind::Fixed]);
    assert_eq!(one(SHUT, SHUT).0, []);
    let (kinds, same, _) = one(OPEN, OPEN);
    assert_eq!((kinds.len(), same), (0, 1));
    for (before, after, side) in [
        (OPEN, GAP, Side::After),
        (GAP, OPEN, Side::Before),
        (SHUT, GAP, Side::After),
        (GAP, SHUT, Side::Before),
        (GAP, GAP, Side::After),
        (OPEN, "{}", Side::After),
    ] {
        let (kinds, _, changes) = one(before, after);
        assert_eq!(kinds, [Kind::Incomparable], "{before} {after}");
        let (unknown, _) = changes[0].unknown.as_ref().expect("a side");
        assert_eq!(*unknown, side, "{before} {after}");
        assert!(!changes[0].is_worse());
    }
    // A node that is gone is fixed only where all nodes are known.
    let gone = |count: &str| {
        let mut after = judged(&format!("{{node: w-9, object: {{}}, {count}}}"));
        after.hosts.clear();
        let before = judged(OPEN);
        let diff = diff::between(&before, &after, &|id, node| {
            id.0 == "SP-KUB-001" && node.is_some_and(|node| node.as_str() == "cp-1")
        });
        diff.expect("of no cluster").changes[0].kind
    };
    assert_eq!(gone("count: 1"), Kind::Fixed);
    assert_eq!(gone("count: 2"), Kind::Incomparable);
    assert_eq!(gone("namespaces: {}"), Kind::Incomparable);
}

#[test]
fn one_offence_of_a_check_with_a_gap_is_told_apart() {
    let files = |rest: &str| {
        format!(
            "{{baseline: none, policy: {{static_pods: []}}, manifests: [{{file: a.yaml, pod: x/a}}{rest}]}}"
        )
    };
    let (whole, other) = (
        files(", {file: b.yaml, pod: x/b}"),
        files(", {gap: denied}"),
    );
    let (found, same) = changes("SP-MRG-026", &whole, &other);
    assert_eq!(same, 1);
    assert_eq!(found.len(), 1);
    assert_eq!(
        found[0].kind,
        Kind::Incomparable,
        "the gap may be that file"
    );
    assert_eq!(found[0].subject.as_ref().expect("a pod").key, "x/b");
    let (found, same) = changes("SP-MRG-026", &whole, &files(""));
    assert_eq!((found[0].kind, same), (Kind::Fixed, 1));
}

#[test]
fn two_clusters_are_not_compared() {
    let uid = |uid: &str| {
        let mut snapshot = small();
        let cluster = Arc::make_mut(&mut snapshot.cluster);
        cluster.uid = Fact::seen(Text::new(uid), Locator::list(Need::Namespaces));
        snapshot
    };
    let home = Folder::new("clusters");
    snapshot::save(&uid("a"), &home.path("a.zst")).expect("written");
    snapshot::save(&uid("b"), &home.path("b.zst")).expect("written");
    let output = home.run(&["diff", "a.zst", "b.zst"]);
    assert_eq!(code(&output), 2);
    assert!(
        err(&output).contains("different clusters"),
        "{}",
        err(&output)
    );
    let same = home.run(&["diff", "a.zst", "a.zst"]);
    assert_eq!(code(&same), 3, "nothing is known: {}", out(&same));
}

/// The fleet, the same without the flaws of cp-1, and the same with cp-1 unread.
fn three(home: &Folder) {
    let fleet = fleet();
    let clean = fleet.nodes["cp-2"].host.clone();
    let unread = Arc::new(HostFacts::gap(&Gap::Denied {
        what: Text::new("a\u{1b}[2J"),
    }));
    for (file, snapshot) in [
        ("clean.zst", with_host(&fleet, "cp-1", clean)),
        ("unread.zst", with_host(&fleet, "cp-1", unread)),
        ("flawed.zst", fleet),
    ] {
        snapshot::save(&snapshot, &home.path(file)).expect("written");
    }
}

fn kinds(report: &Value, check: &str) -> Vec<String> {
    let all = report["changes"].as_array().expect("changes");
    all.iter()
        .filter(|it| it["check"] == check && it["node"] == "cp-1")
        .map(|it| it["change"].as_str().unwrap_or_default().to_owned())
        .collect()
}

#[test]
fn diff_tells_new_fixed_and_incomparable_by_node() {
    let home = Folder::new("diff");
    three(&home);
    let run = |before, after, output| {
        home.run(&["diff", before, after, "--output", output, "--node", "cp-1"])
    };
    let new = run("clean.zst", "flawed.zst", "json");
    assert_eq!(code(&new), 1);
    let report = json(&new);
    assert_eq!(report["schema"], 1);
    assert_eq!(report["is_one_cluster"], true);
    assert!(kinds(&report, "SP-FILE-009").contains(&"new".to_owned()));
    let fixed = run("flawed.zst", "clean.zst", "json");
    assert_ne!(code(&fixed), 2);
    assert!(kinds(&json(&fixed), "SP-FILE-009").contains(&"fixed".to_owned()));
    let gone = run("flawed.zst", "unread.zst", "json");
    assert_eq!(code(&gone), 3);
    assert_eq!(kinds(&json(&gone), "SP-FILE-009"), ["incomparable"]);
    let totals = &json(&gone)["totals"];
    assert_eq!((&totals["fixed"], &totals["new"]), (&0.into(), &0.into()));
    let text = out(&run("clean.zst", "flawed.zst", "text"));
    assert!(
        text.contains("\ncp-1\n  NEW           CRITICAL  SP-FILE-009"),
        "{text}"
    );
    let text = out(&run("flawed.zst", "unread.zst", "text"));
    assert!(
        text.contains("not known after") && text.contains(r"a\x1b[2J"),
        "{text}"
    );
    assert!(!text.contains('\u{1b}'));
    let demanded = home.run(&["diff", "clean.zst", "flawed.zst", "--key", "absent.pub"]);
    assert_eq!(code(&demanded), 2);
}

#[test]
fn a_baseline_makes_a_run_fail_only_on_what_is_new() {
    let home = Folder::new("baseline");
    three(&home);
    let scan = |from: &str, more: &[&str]| {
        let words = [
            "--from",
            from,
            "scan",
            "--node",
            "cp-1",
            "--check",
            "SP-FILE-009",
        ];
        home.run(&[&words[..], more].concat())
    };
    assert_eq!(code(&scan("flawed.zst", &[])), 1);
    let same = scan("flawed.zst", &["--baseline", "flawed.zst", "--fail-on-new"]);
    assert_eq!(code(&same), 0, "{}", err(&same));
    assert!(err(&same).contains("not signed"), "{}", err(&same));
    let new = scan("flawed.zst", &["--baseline", "clean.zst", "--fail-on-new"]);
    assert_eq!(code(&new), 1);
    assert!(out(&new).contains("since the baseline clean.zst") && out(&new).contains("NEW"));
    let unknown = scan("flawed.zst", &["--baseline", "unread.zst", "--fail-on-new"]);
    assert_eq!(code(&unknown), 3, "it may be new: {}", out(&unknown));
    // Without the option a baseline changes no exit code.
    assert_eq!(code(&scan("flawed.zst", &["--baseline", "flawed.zst"])), 1);
    assert_eq!(code(&scan("flawed.zst", &["--fail-on-new"])), 2);
    let report = json(&scan(
        "flawed.zst",
        &["--baseline", "clean.zst", "--output", "json"],
    ));
    assert_eq!(report["schema"], 1);
    assert!(report["baseline"]["totals"]["new"].as_u64() > Some(0));

    let mut bytes = std::fs::read(home.path("clean.zst")).expect("ours");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 4;
    std::fs::write(home.path("bad.zst"), bytes).expect("writable");
    assert_eq!(code(&scan("flawed.zst", &["--baseline", "bad.zst"])), 2);
    assert_eq!(code(&home.run(&["snapshot", "key", "k"])), 0);
    let key = &["--baseline", "clean.zst", "--baseline-key", "k.pub"];
    assert_eq!(code(&scan("flawed.zst", key)), 2, "nobody signed it");
    let signed = [
        "--from",
        "clean.zst",
        "snapshot",
        "save",
        "--sign",
        "k",
        "s.zst",
    ];
    assert_ne!(code(&home.run(&signed)), 2);
    let key = &["--baseline", "s.zst", "--baseline-key", "k.pub"];
    let quiet = scan("flawed.zst", key);
    assert_eq!((code(&quiet), err(&quiet)), (1, String::new()));
}

#[test]
fn manifests_are_held_against_the_baseline() {
    let home = Folder::new("manifests");
    three(&home);
    let words = [
        "--from",
        "flawed.zst",
        "--baseline",
        "clean.zst",
        "scan",
        "--node",
        "cp-1",
    ];
    let more = ["--check", "FILE-018", "--output", "json"];
    let report = json(&home.run(&[&words[..], &more].concat()));
    let messages: Vec<&str> = report["findings"]
        .as_array()
        .expect("findings")
        .iter()
        .filter_map(|finding| finding["message"].as_str())
        .collect();
    assert!(
        messages
            .iter()
            .any(|it| it.starts_with("is not in the baseline of")),
        "{messages:?}"
    );
    assert!(
        report["findings"][0]["evidence"][1]["command"]
            .as_str()
            .is_some_and(|it| it.contains("stakeout verify clean.zst"))
    );
    let more = ["--check", "FILE-018", "--all"];
    let same = [
        "--from",
        "clean.zst",
        "--baseline",
        "clean.zst",
        "scan",
        "--node",
        "cp-1",
    ];
    let text = out(&home.run(&[&same[..], &more].concat()));
    assert!(
        text.contains("1 passed") && text.contains("nobody vouches for clean.zst"),
        "{text}"
    );
    let none = ["--from", "clean.zst", "scan", "--node", "cp-1"];
    let text = out(&home.run(&[&none[..], &more].concat()));
    assert!(text.contains("no baseline is given"), "{text}");
}

/// The properties that SARIF 2.1.0 has for an object; every other one is forbidden by its schema.
fn only(value: &Value, known: &[&str]) {
    for key in value.as_object().expect("an object").keys() {
        assert!(known.contains(&key.as_str()), "{key} in {value}");
    }
}

#[test]
fn sarif_holds_to_its_schema() {
    let home = Folder::new("sarif");
    three(&home);
    let words = [
        "--from",
        "flawed.zst",
        "--baseline",
        "clean.zst",
        "scan",
        "--output",
        "sarif",
    ];
    let output = home.run(&words);
    assert_eq!(code(&output), 1);
    let log = json(&output);
    only(&log, &["$schema", "version", "runs"]);
    assert_eq!(log["version"], "2.1.0");
    let run = &log["runs"][0];
    only(run, &["tool", "columnKind", "invocations", "results"]);
    let rules = run["tool"]["driver"]["rules"].as_array().expect("rules");
    let mut states = std::collections::BTreeSet::new();
    for result in run["results"].as_array().expect("results") {
        only(
            result,
            &[
                "ruleId",
                "ruleIndex",
                "level",
                "message",
                "locations",
                "partialFingerprints",
                "baselineState",
                "suppressions",
            ],
        );
        let index = result["ruleIndex"].as_u64().expect("an index");
        assert_eq!(
            rules[usize::try_from(index).expect("small")]["id"],
            result["ruleId"]
        );
        assert!(["error", "warning", "note"].contains(&result["level"].as_str().expect("a level")));
        let place = &result["locations"][0];
        only(place, &["physicalLocation", "logicalLocations"]);
        let uri = place["physicalLocation"]["artifactLocation"]["uri"].as_str();
        let uri = uri.expect("a reference");
        assert!(
            !uri.is_empty() && uri.bytes().all(|b| b.is_ascii_graphic()),
            "{uri}"
        );
        states.extend(result["baselineState"].as_str());
    }
    assert!(
        states.contains("new") && states.contains("unchanged"),
        "{states:?}"
    );
    let invocation = &run["invocations"][0];
    assert_eq!(
        invocation["executionSuccessful"], false,
        "nodes were not read"
    );
    for problem in invocation["toolExecutionNotifications"]
        .as_array()
        .expect("gaps")
    {
        only(problem, &["level", "message", "locations"]);
        assert!(
            problem["message"]["text"]
                .as_str()
                .is_some_and(|it| it.contains("; next: "))
        );
    }
}

#[test]
fn junit_and_markdown_tell_the_same() {
    let home = Folder::new("junit");
    three(&home);
    let scan = |output: &str, more: &[&str]| {
        let words = [
            "--from",
            "flawed.zst",
            "scan",
            "--node",
            "cp-1",
            "--output",
            output,
        ];
        home.run(&[&words[..], more].concat())
    };
    let xml = out(&scan("junit", &[]));
    assert!(xml.contains("<testsuite name=\"cp-1\""), "{xml}");
    assert!(xml.contains("name=\"SP-FILE-009 ") && xml.contains("<failure message=\""));
    let failed = |xml: &str| {
        let case = xml
            .split("<testcase ")
            .find(|case| case.contains("SP-FILE-009 "));
        case.expect("a case").contains("<failure")
    };
    assert!(failed(&xml));
    let new = &["--baseline", "flawed.zst", "--fail-on-new"];
    assert!(!failed(&out(&scan("junit", new))), "it is not new");
    let text = out(&scan("md", &["--baseline", "clean.zst"]));
    assert!(text.starts_with("# stakeout: "), "{text}");
    assert!(
        text.contains("- **critical** (new) cp-1 `/etc/kubernetes/manifests/"),
        "{text}"
    );
    assert!(text.contains("Since clean.zst"), "{text}");
}

#[test]
fn a_pane_finds_what_became_of_an_offence() {
    let snapshot = Arc::new(fleet());
    let policy = stakeout::model::policy::Policy::none();
    let clean = with_host(&snapshot, "cp-1", snapshot.nodes["cp-2"].host.clone());
    let before = Judged::of(Arc::new(clean), &policy, snapshot.taken);
    let after = Judged::of(Arc::clone(&snapshot), &policy, snapshot.taken);
    let diff: Diff = diff::between(&before, &after, &|_, _| true).expect("one cluster");
    assert!(diff.is_one_cluster && diff.count(Kind::New) > 0);
    for change in diff.changes.iter().filter(|it| it.subject.is_some()) {
        let subject = change.subject.as_ref().expect("filtered");
        let found = diff.of(change.check.id, change.node.as_ref(), subject);
        let found = found.expect("it is there");
        assert_eq!(
            (found.kind, &found.before, &found.after),
            (change.kind, &change.before, &change.after)
        );
    }
    let nodes: Vec<_> = diff.changes.iter().map(|change| &change.node).collect();
    assert!(nodes.is_sorted());
}
