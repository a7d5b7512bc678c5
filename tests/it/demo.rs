//! `stakeout demo` shows the fleet of the lab: the recorded file is made from it and cannot drift.

use std::path::Path;

use stakeout::disk::snapshot;

use crate::describe::Clock;
use crate::fleet::Fleet;
use crate::offline;

/// The moment of the recording, so that its bytes are the same every time.
const AT: i64 = 1_790_000_000;

#[test]
fn the_recorded_fleet_is_the_one_of_the_lab() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/demo.jsonl.zst");
    let fleet = offline::snapshot(&Fleet::shipped(Clock { now: AT }));
    if std::env::var_os("UPDATE_DOCS").is_some() {
        snapshot::save(&fleet, &path).expect("the fixture can be written");
    }
    let recorded = snapshot::load(&path).expect("the fixture is a whole snapshot");
    assert!(
        recorded == fleet,
        "the recorded fleet is behind tests/lab/fleet.yaml: UPDATE_DOCS=1 cargo test --test it demo"
    );
}
