//! The collector's script to the letter, and what becomes of a node's answer.

use std::path::PathBuf;

use stakeout::disk;
use stakeout::probes::collector;

fn fixture(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(name)
}

/// An installed collector is held to its digest by sudo: a byte that changes without a reason locks nodes out.
#[test]
fn the_script_changes_only_on_purpose() {
    let path = fixture("collector.sh");
    let script = collector::script();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        disk::write(&path, |out| out.write_all(script.as_bytes())).expect("the fixture is written");
    }
    let kept = disk::read_text(&path, 1 << 20).unwrap_or_default();
    assert!(
        kept == script,
        "the collector's script has changed: raise probes::collector::VERSION if it was ever released, \
         then run UPDATE_DOCS=1 cargo test --test it collector"
    );
}
