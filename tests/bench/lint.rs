//! `stakeout lint` over a folder of manifests: processor time of the whole program, start included.
//!
//! `cargo bench --bench lint`. The promise is a thousand manifests in under a second.

#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a bench starts processes and says what they cost"
)]

use std::path::Path;
use std::process::Command;

/// Files, as many as a large repository of manifests has.
const FILES: usize = 1_000;

fn main() {
    let folder = std::env::temp_dir().join(format!("stakeout-bench-lint-{}", std::process::id()));
    let manifests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/kubeadm-1.37");
    let mut texts: Vec<String> = Vec::new();
    for entry in std::fs::read_dir(&manifests).expect("fixtures").flatten() {
        if entry
            .path()
            .extension()
            .is_some_and(|ending| ending == "yaml")
        {
            texts.push(std::fs::read_to_string(entry.path()).expect("a manifest"));
        }
    }
    assert!(!texts.is_empty(), "no manifest in {}", manifests.display());
    std::fs::create_dir_all(&folder).expect("a folder");
    for (number, text) in texts.iter().cycle().take(FILES).enumerate() {
        std::fs::write(folder.join(format!("{number}.yaml")), text).expect("a file");
    }
    println!("| {FILES} manifests, output | cpu s |");
    for output in ["text", "json", "sarif", "junit"] {
        let before = children();
        let ran = Command::new(env!("CARGO_BIN_EXE_stakeout"))
            .args(["lint", "--level", "restricted", "--output", output])
            .arg(&folder)
            .output()
            .expect("the program starts");
        assert_eq!(ran.status.code(), Some(1), "{ran:?}");
        println!("| {output} | {:.2} |", children() - before);
    }
    // What is left is in a folder for what is left.
    let _ = std::fs::remove_dir_all(&folder);
}

/// Seconds of processor time that ended children took (`cutime` and `cstime` of proc_pid_stat(5)).
fn children() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let behind_name = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let fields: Vec<&str> = behind_name.split_whitespace().collect();
    let ticks = |at: usize| fields.get(at).and_then(|text| text.parse::<u32>().ok());
    let both = ticks(13).unwrap_or(0) + ticks(14).unwrap_or(0);
    f64::from(both) / 100.0
}
