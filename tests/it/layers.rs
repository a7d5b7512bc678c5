//! The shape of the crate: who may import whom, and how long a file may be.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Layers from the bottom up; a module may import layers below its own, never its own level's others.
const LAYERS: &[&[&str]] = &[
    &["model"],
    &["disk"],
    &["checks", "probes"],
    &["evaluate"],
    &["engine", "evidence", "lint"],
    &["diff"],
    &["collect", "report", "tui"],
    &["cli", "error"],
    &["config"],
    &["docs"],
    &["run"],
];

/// Longer files are split by topic.
const LINES: usize = 400;

fn sources() -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("src is there").flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.file_name().is_some_and(|name| name == "tests.rs") {
                // Tests of their folder, not code.
            } else if path.extension().is_some_and(|suffix| suffix == "rs") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// The code of a file without its tests.
fn code(path: &Path) -> String {
    let text = std::fs::read_to_string(path).expect("a source file is text");
    text.split("\n#[cfg(test)]\nmod ")
        .next()
        .unwrap_or_default()
        .to_owned()
}

/// The top-level module that a file belongs to.
fn module(path: &Path) -> String {
    let inside = path
        .strip_prefix(Path::new(env!("CARGO_MANIFEST_DIR")).join("src"))
        .expect("below src");
    let first = inside
        .components()
        .next()
        .expect("a file has a name")
        .as_os_str()
        .to_string_lossy();
    first.trim_end_matches(".rs").to_owned()
}

fn level(module: &str) -> Option<usize> {
    LAYERS.iter().position(|layer| layer.contains(&module))
}

#[test]
fn imports_go_down() {
    let mut wrong = Vec::new();
    for path in sources() {
        let from = module(&path);
        if from == "lib" || from == "main" {
            continue;
        }
        let Some(own) = level(&from) else {
            wrong.push(format!(
                "{}: module {from} has no layer; add it to LAYERS in tests/it/layers.rs",
                path.display()
            ));
            continue;
        };
        let text = code(&path);
        let targets: BTreeSet<&str> = text
            .match_indices("crate::")
            .map(|(at, word)| {
                let rest = &text[at + word.len()..];
                rest.split(|c: char| !c.is_alphanumeric() && c != '_')
                    .next()
                    .unwrap_or_default()
            })
            .filter(|target| *target != from && !target.is_empty())
            .collect();
        for target in targets {
            match level(target) {
                Some(theirs) if theirs < own => {}
                Some(_) => wrong.push(format!(
                    "{} imports {target}: {from} may import only what is below it ({:?})",
                    path.display(),
                    &LAYERS[..own]
                )),
                None => {}
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn foreign_types_stop_at_their_border() {
    for (word, homes) in [
        ("k8s_openapi", &["probes", "collect"][..]),
        ("ratatui", &["tui"][..]),
        ("crossterm", &["tui"][..]),
        ("clap", &["cli", "run"][..]),
        ("ssh2::", &["collect"][..]),
        ("kube::Client", &["collect"][..]),
    ] {
        for path in sources() {
            let from = module(&path);
            let used = code(&path)
                .lines()
                .any(|line| !line.trim_start().starts_with("//") && line.contains(word));
            assert!(
                !used || homes.contains(&from.as_str()),
                "{} uses {word}, which stops at {homes:?}",
                path.display()
            );
        }
    }
}

#[test]
fn files_stay_short() {
    let long: Vec<String> = sources()
        .iter()
        .map(|path| (path, code(path).lines().count()))
        .filter(|(_, lines)| *lines > LINES)
        .map(|(path, lines)| {
            format!(
                "{}: {lines} lines, at most {LINES}; split it by topic",
                path.display()
            )
        })
        .collect();
    assert!(long.is_empty(), "{}", long.join("\n"));
}

#[test]
fn modules_say_what_lives_there() {
    for path in sources() {
        let name = path
            .file_name()
            .expect("a file has a name")
            .to_string_lossy();
        let text = code(&path);
        let is_check = text.contains("pub static CHECK: Check");
        assert!(
            is_check || name == "lib.rs" || text.starts_with("//!"),
            "{}: begins without //! docs",
            path.display()
        );
    }
}

#[test]
fn nothing_points_outside_the_project() {
    for path in sources() {
        let text = std::fs::read_to_string(&path).expect("a source file is text");
        for word in ["/work/", "/tmp/wt", "/root/.cargo"] {
            assert!(!text.contains(word), "{} names {word}", path.display());
        }
    }
}
