//! The lab's fleet: what is planted is found, and nothing else is.

use stakeout::model::verdict::Verdict;
use stakeout::probes::collector;
use stakeout::probes::frame::FrameReader;

use crate::describe::{self, Clock, Way};
use crate::fleet::Fleet;
use crate::offline;

const NONCE: &str = "0123456789abcdef0123456789abcdef";
/// 2026-11-24 14:08 UTC.
const CLOCK: Clock = Clock { now: 1_795_529_280 };

#[test]
fn every_node_of_the_fleet_answers_the_collector() {
    let fleet = Fleet::shipped(CLOCK);
    assert_eq!(fleet.members.len(), 48);
    for index in 0..fleet.members.len() {
        let node = fleet.node(index, "198.51.100.7");
        for way in [Way::Installed, Way::LoginOnly] {
            let answer = describe::answer(&node, NONCE, way, CLOCK.now);
            let mut reader = FrameReader::new(NONCE, collector::section_count());
            reader.push(&answer);
            let frame = reader.finish().expect("an answer");
            assert!(frame.complete, "{}: {:?}", node.name, frame.cut);
            assert_eq!(frame.sections.len(), 7);
        }
    }
}

#[test]
fn the_fleet_offline() {
    let judged = offline::judged(&Fleet::shipped(CLOCK));
    for finding in judged.findings() {
        if let Verdict::Fail { offences, .. } = finding.verdict {
            for offence in offences {
                println!(
                    "{} {} {:?} {}",
                    finding.check.id,
                    finding.node.map_or("-", |n| n.as_str()),
                    offence.severity,
                    offence.message
                );
            }
        }
    }
}
