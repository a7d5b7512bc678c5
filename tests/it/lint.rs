//! `stakeout lint` from outside: what is named, what comes out, and the exit code.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use crate::scratch::Scratch;

const GOOD: &str = "apiVersion: v1
kind: Pod
metadata: {name: good}
spec:
  containers:
  - {name: c, image: i}
";

const BAD: &str = "apiVersion: v1
kind: Pod
metadata: {name: bad, namespace: x}
spec:
  hostPID: yes
  containers:
  - name: c
    image: i
    securityContext: {privileged: true}
";

/// A folder of its own for one test.
fn folder(name: &str, files: &[(&str, &str)]) -> Scratch {
    let folder = Scratch::new(&format!("lint-{name}"));
    for (file, text) in files {
        let path = folder.join(file);
        std::fs::create_dir_all(path.parent().expect("below")).expect("a folder can be made");
        std::fs::write(path, text).expect("a file can be written");
    }
    folder
}

fn run(home: &Path, words: &[&str], input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_stakeout"))
        .env_clear()
        .env("HOME", home)
        .current_dir(home)
        .arg("lint")
        .args(words)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut stdin = child.stdin.take().expect("it has an input");
    // It may end before it has read it.
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    child.wait_with_output().expect("it ends")
}

fn code(output: &Output) -> i32 {
    output.status.code().expect("it ended by itself")
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("UTF-8")
}

fn lines(output: &Output) -> Vec<Value> {
    let text = stdout(output);
    let lines = text.lines().map(serde_json::from_str);
    lines.collect::<Result<_, _>>().expect("JSON lines")
}

#[test]
fn exit_codes() {
    let home = folder(
        "codes",
        &[
            ("good.yaml", GOOD),
            ("bad.yaml", BAD),
            ("broken.yaml", "a: ["),
        ],
    );
    for (words, wanted) in [
        (&["good.yaml"][..], 0),
        (&["bad.yaml"], 1),
        (&["bad.yaml", "--level", "privileged"], 0),
        (&["good.yaml", "--level", "restricted"], 1),
        (
            &["good.yaml", "--level", "restricted", "--kubernetes", "1.0"],
            1,
        ),
        (&["broken.yaml"], 2),
        (&["broken.yaml", "--level", "privileged"], 2),
        (&["bad.yaml", "broken.yaml", "good.yaml"], 2),
        (&["gone.yaml"], 2),
        (&["good.yaml", "bad.yaml"], 1),
        (
            &["bad.yaml", "--level", "privileged", "--fail-on", "critical"],
            1,
        ),
        (&["good.yaml", "--fail-on", "critical"], 0),
        (&["good.yaml", "--fail-on", "low"], 1),
        (&["good.yaml", "--level", "strict"], 2),
        (&["good.yaml", "--kubernetes", "2.0"], 2),
        (&["good.yaml", "--kubernetes", "v1.31"], 0),
        (&["good.yaml", "--kubernetes", "1.99"], 0),
        (&[], 2),
    ] {
        for output in ["text", "json", "sarif", "junit"] {
            let mut words = words.to_vec();
            words.extend(["--output", output]);
            let ran = run(&home, &words, "");
            assert_eq!(code(&ran), wanted, "{words:?}: {ran:?}");
        }
    }
}

#[test]
fn one_object_a_line() {
    let home = folder(
        "json",
        &[("many.yaml", &format!("{BAD}---\n{GOOD}---\nb: [\n"))],
    );
    let ran = run(
        &home,
        &["many.yaml", "--output", "json", "--kubernetes", "1.24"],
        "",
    );
    let lines = lines(&ran);
    let [bad, good, broken] = lines.as_slice() else {
        panic!("{lines:?}")
    };
    assert_eq!(bad["file"], "many.yaml");
    assert_eq!(bad["pod"], "x/bad");
    assert_eq!(bad["level"], "baseline");
    assert_eq!(bad["version"], "v1.24");
    assert_eq!(bad["allowed"], false);
    let violations = bad["violations"].as_array().expect("a list");
    assert_eq!(violations[0]["id"], "hostNamespaces");
    assert_eq!(violations[0]["message"], "host namespaces (hostPID=true)");
    assert_eq!(violations[0]["fields"][0], "spec.hostPID");
    assert_eq!(violations[1]["id"], "privileged");
    assert_eq!(violations[1]["containers"][0], "c");
    assert_eq!(
        violations[1]["fields"][0],
        "spec.containers[0].securityContext.privileged"
    );
    let keys: Vec<&String> = violations[1]
        .as_object()
        .expect("an object")
        .keys()
        .collect();
    assert_eq!(keys.len(), 4, "{keys:?}");
    assert!(bad["findings"].as_array().is_some_and(|list| {
        list.iter()
            .any(|finding| finding["check"] == "SP-PRIV-001" && finding["line"] == 7)
    }));
    assert_eq!(good["allowed"], true);
    assert_eq!(good["violations"].as_array().map(Vec::len), Some(0));
    assert_eq!(broken["allowed"], false);
    assert!(
        broken["error"]
            .as_str()
            .is_some_and(|error| error.contains("line 1")),
        "{broken}"
    );
    assert_eq!(code(&ran), 2);
}

#[test]
fn folders_are_searched() {
    let home = folder(
        "folders",
        &[
            ("d/b/one.yaml", GOOD),
            ("d/a.yml", GOOD),
            (
                "d/c.json",
                r#"{"apiVersion":"v1","kind":"PodList","items":[{"metadata":{"name":"l"},"spec":{"hostIPC":true,"containers":[{"name":"c"}]}}]}"#,
            ),
            (
                "d/service.yaml",
                "apiVersion: v1\nkind: Service\nmetadata: {name: s}\n",
            ),
            ("d/kustomization.yaml", "resources: [a.yml]\n"),
            ("d/notes.txt", "a: ["),
            ("d/.hidden/x.yaml", "a: ["),
            ("d/.x.yaml", "a: ["),
            ("empty/notes.txt", ""),
        ],
    );
    std::os::unix::fs::symlink("..", home.join("d/up")).expect("a link can be made");
    std::os::unix::fs::symlink("nowhere", home.join("d/z.yaml")).expect("a link can be made");
    let ran = run(&home, &["d", "--output", "json"], "");
    let found = lines(&ran);
    let files: Vec<&str> = found
        .iter()
        .filter_map(|line| line["file"].as_str())
        .collect();
    assert_eq!(files, ["d/a.yml", "d/b/one.yaml", "d/c.json", "d/z.yaml"]);
    assert_eq!(found[2]["violations"][0]["id"], "hostNamespaces");
    assert_eq!(code(&ran), 2);
    std::fs::remove_file(home.join("d/z.yaml")).expect("it is there");
    let ran = run(&home, &["d"], "");
    assert_eq!(code(&ran), 1);
    let text = stdout(&ran);
    assert!(
        text.contains("3 pods: 2 allowed, 1 not allowed at baseline:latest"),
        "{text}"
    );
    assert!(text.contains("1 without a pod"), "{text}");
    // Nothing to judge is not the same as nothing wrong.
    assert_eq!(code(&run(&home, &["empty"], "")), 2);
    // A file that is named is read whatever it is called.
    assert_eq!(code(&run(&home, &["d/notes.txt"], "")), 2);
}

#[test]
fn standard_input() {
    let home = folder("stdin", &[]);
    for (input, wanted) in [(GOOD, 0), (BAD, 1), ("", 2), ("\n# nothing\n", 2)] {
        assert_eq!(code(&run(&home, &["-"], input)), wanted, "{input}");
    }
    let ran = run(&home, &["-", "--output", "json"], BAD);
    assert_eq!(lines(&ran)[0]["file"], "-");
}

#[test]
fn formats_for_machines() {
    let home = folder(
        "formats",
        &[
            ("a b.yaml", BAD),
            ("broken.yaml", "a: ["),
            ("good.yaml", GOOD),
        ],
    );
    let files = ["a b.yaml", "broken.yaml", "good.yaml"];
    let sarif = run(&home, &[&files[..], &["--output", "sarif"]].concat(), "");
    let read: Value = serde_json::from_slice(&sarif.stdout).expect("JSON");
    let run_ = &read["runs"][0];
    assert_eq!(read["version"], "2.1.0");
    let rules = run_["tool"]["driver"]["rules"].as_array().expect("rules");
    for result in run_["results"].as_array().expect("results") {
        let index = result["ruleIndex"]
            .as_u64()
            .and_then(|index| usize::try_from(index).ok());
        let rule = &rules[index.expect("a rule")];
        assert_eq!(rule["id"], result["ruleId"]);
        assert!(
            result["locations"][0]["physicalLocation"]["region"]["startLine"].as_u64() > Some(0)
        );
    }
    let privileged = run_["results"]
        .as_array()
        .and_then(|all| all.iter().find(|result| result["ruleId"] == "privileged"));
    let place = &privileged.expect("it is privileged")["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "a%20b.yaml");
    assert_eq!(place["region"]["startLine"], 9);
    assert_eq!(run_["invocations"][0]["executionSuccessful"], false);

    let junit = run(&home, &[&files[..], &["--output", "junit"]].concat(), "");
    let text = stdout(&junit);
    for part in [
        "<testsuites name=\"stakeout\" tests=\"3\" failures=\"1\" errors=\"1\" skipped=\"0\">",
        "<testcase classname=\"a b.yaml\" name=\"Pod x/bad at baseline:latest\">",
        "<failure message=\"violates baseline:latest: hostNamespaces, privileged\">",
        "<testcase classname=\"broken.yaml\" name=\"line 1\">",
    ] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
}

/// What a manifest says cannot reach the terminal.
#[test]
fn hostile_names_are_shown_as_they_are() {
    let evil = BAD.replace("name: c", "name: \"c\\e]0;x\\a\"");
    let home = folder("hostile", &[("evil.yaml", &evil)]);
    for output in ["text", "json", "sarif", "junit"] {
        let ran = run(&home, &["evil.yaml", "--output", output], "");
        assert!(!ran.stdout.contains(&0x1b), "{output}");
        let said = String::from_utf8_lossy(&ran.stdout);
        assert!(said.contains("]0;x"), "{output}: {said}");
    }
}
