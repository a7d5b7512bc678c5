//! A recorded node of each distribution: where everything lies, and the verdicts that hang on it.

use std::path::PathBuf;
use std::sync::Arc;

use stakeout::checks;
use stakeout::checks::check::{Judge, View};
use stakeout::checks::example::verdict_text;
use stakeout::disk;
use stakeout::model::Timestamp;
use stakeout::model::fact::{Fact, Locator, Need};
use stakeout::model::name::NodeName;
use stakeout::model::node::{ApiFacts, HostFacts, NodeFacts, NodeObject};
use stakeout::model::policy::Policy;
use stakeout::model::snapshot::Snapshot;
use stakeout::model::text::Text;

#[path = "../distributions/places.rs"]
mod places;

fn recorded(name: &str) -> HostFacts {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures/distributions")
        .join(format!("{name}.txt"));
    let answer = disk::read(&path, 1 << 20).expect("recorded");
    places::facts(&answer).expect("a whole answer")
}

/// `id verdict` of every check of nodes.
fn verdicts(name: &str, labels: &[&str]) -> Vec<(&'static str, String)> {
    let node = NodeName::parse("node-1").expect("a name");
    let object = NodeObject {
        labels: labels
            .iter()
            .map(|label| ((*label).into(), String::new().into()))
            .collect(),
        uid: Text::new("00000000-0000-4000-8000-000000000001"),
        taints: Vec::new(),
        ready: Some("True".into()),
        addresses: Vec::new(),
        machine_id: Text::default(),
        boot_id: Text::default(),
        kubelet_version: Text::new("v1.34.1"),
        os_image: Text::default(),
        resource_version: Text::default(),
        allocatable: Default::default(),
        provider_id: Text::default(),
    };
    let facts = NodeFacts {
        name: node.clone(),
        host: Arc::new(recorded(name)),
        api: Arc::new(ApiFacts {
            object: Fact::seen(object, Locator::new(Need::NodeObject, 0)),
            mirrors: Fact::seen(Vec::new(), Locator::list(Need::MirrorPods)),
            pods: Fact::seen(Vec::new(), Locator::list(Need::MirrorPods)),
            ..ApiFacts::default()
        }),
    };
    let mut snapshot = Snapshot::empty(Timestamp::UNIX_EPOCH);
    snapshot.nodes.insert(node.clone(), Arc::new(facts));
    let policy = Policy::default();
    let view = View::new(&snapshot, &policy, snapshot.taken);
    let facts = &snapshot.nodes[&node];
    checks::all()
        .filter_map(|check| match &check.judge {
            Judge::Node(judge) => Some((check.id.0, verdict_text(&judge(facts, &view)))),
            _ => None,
        })
        .collect()
}

#[test]
fn dump() {
    let mut out = String::new();
    for name in places::ALL {
        out += &format!(
            "##### {name}\n{}\n",
            places::places(&recorded(name)).join("\n")
        );
        for (id, verdict) in verdicts(name, &[]) {
            out += &format!("{id} {verdict}\n");
        }
    }
    std::fs::write("/tmp/dist-dump.txt", out).unwrap();
}
