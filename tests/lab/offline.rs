//! The fleet without a network: the same answers and objects, through the same readers and the same engine.
//!
//! The recorded fleet of `stakeout demo` is made here, and the planted flaws are tested here first.

use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::Duration;

use serde_json::{Value, json};
use stakeout::checks;
use stakeout::engine::{self, Judged};
use stakeout::model::Timestamp;
use stakeout::model::cluster::ClusterFacts;
use stakeout::model::fact::{Fact, FaultClass, Gap, Locator, Need};
use stakeout::model::link::{HostState, ObjectDelta, PodDelta, Update};
use stakeout::model::name::NodeName;
use stakeout::model::node::HostFacts;
use stakeout::model::policy::Policy;
use stakeout::model::snapshot::Snapshot;
use stakeout::model::text::Text;
use stakeout::probes::api::{self, namespaces, nodes, pods};
use stakeout::probes::frame::FrameReader;
use stakeout::probes::mask::Masker;
use stakeout::probes::probe::Reading;
use stakeout::probes::{self, collector};

use crate::describe::spec::{Access, FaultSpec, NO_SHELL, Twist};
use crate::describe::{self, Node, Way, uuid};
use crate::fleet::Fleet;

const NONCE: &str = "0123456789abcdef0123456789abcdef";

/// What a run over the fleet knows and concludes.
pub fn judged(fleet: &Fleet) -> Judged {
    let snapshot = Arc::new(snapshot(fleet));
    let now = snapshot.taken;
    Judged::of(snapshot, &Policy::none(), now)
}

/// What a run over the fleet knows.
pub fn snapshot(fleet: &Fleet) -> Snapshot {
    let at = Timestamp::from_second(fleet.clock.now).expect("a time of this century");
    let (updates, inbox) = channel();
    let (views, outbox) = channel();
    let options = engine::Options {
        policy: Policy::none(),
        start: Snapshot::empty(at),
        now: Box::new(|| Timestamp::UNIX_EPOCH),
        interval: Duration::from_secs(1),
    };
    engine::spawn(options, inbox, views).expect("a thread starts");
    let send = |update| updates.send(update).expect("the engine runs");
    let masker = Arc::new(Masker::new([7; 32]));
    for update in cluster(fleet) {
        send(update);
    }
    for update in objects(fleet) {
        send(update);
    }
    let mut fold = pods::PodFold::new(Arc::clone(&masker));
    let namespaces = fleet.namespace_names();
    let built: Vec<Node> = (0..fleet.members.len())
        .map(|index| fleet.node(index, &address(index)))
        .collect();
    for node in &built {
        let (name, object) = read_node(node);
        send(Update::Object(ObjectDelta::Node(
            name,
            Some(Box::new(object)),
            at,
        )));
    }
    send(Update::Object(ObjectDelta::NodesListed));
    send(Update::Pods(PodDelta::Relist));
    for node in &built {
        let list = list("PodList", &node.api_pods(&namespaces));
        let page = fold.page(list.to_string().as_bytes()).expect("a list");
        send(Update::Pods(PodDelta::Upsert(page.items)));
    }
    send(Update::Pods(PodDelta::Listed { at, missing: None }));
    for node in &built {
        let name = NodeName::parse(&node.name).expect("a name");
        let facts = host(node, &masker, at).unwrap_or_else(|gap| HostFacts::gap(&gap));
        send(Update::Node(name.clone(), Arc::new(facts)));
        send(Update::Host(name, HostState::Ok));
    }
    drop(updates);
    let last = outbox.iter().last().expect("at least one view");
    let mut snapshot = (*last.snapshot).clone();
    snapshot.taken = at;
    snapshot.taken_by = Text::new("the lab's fleet");
    snapshot
}

/// Addresses of the documentation range, two nodes never share one.
pub fn address(index: usize) -> String {
    format!("198.51.{}.{}", 100 + index / 250, 1 + index % 250)
}

fn cluster(fleet: &Fleet) -> Vec<Update> {
    let at = Locator::new(Need::Namespaces, 0);
    let facts = ClusterFacts {
        context: Text::new(&fleet.name),
        uid: Fact::seen(
            Text::new(&uuid(&["namespace", &fleet.name, "kube-system"])),
            at,
        ),
        version: Fact::seen(Text::new(&fleet.version), at),
        ..ClusterFacts::default()
    };
    let list = list("NamespaceList", &fleet.namespaces());
    let page = namespaces::page(list.to_string().as_bytes()).expect("a list");
    vec![
        Update::Object(ObjectDelta::Cluster(Box::new(facts))),
        Update::Object(ObjectDelta::Namespaces(Ok(page.items))),
    ]
}

/// Every list that a check reads, folded as it is live.
fn objects(fleet: &Fleet) -> Vec<Update> {
    let addresses: Vec<String> = (0..fleet.members.len()).map(address).collect();
    let all = fleet.objects(&addresses);
    let wanted = Need::ALL.iter().filter(|need| checks::read(**need));
    let folds = wanted.filter_map(|need| api::objects::fold(*need));
    folds
        .map(|mut fold| {
            let of_kind = all
                .iter()
                .filter(|(resource, _)| resource == fold.resource());
            let items: Vec<Value> = of_kind.map(|(_, object)| object.clone()).collect();
            let list = list("List", &items).to_string();
            fold.page(list.as_bytes()).expect("a list");
            fold.listed();
            let objects = fold.changed().expect("a list is something to tell");
            Update::Object(ObjectDelta::Objects(fold.need(), objects))
        })
        .collect()
}

fn read_node(node: &Node) -> (NodeName, stakeout::model::node::NodeObject) {
    let (named, _) = nodes::one(&node.object().to_string()).expect("a Node");
    named.expect("a name")
}

fn list(kind: &str, items: &[Value]) -> Value {
    json!({"apiVersion": "v1", "kind": kind, "metadata": {"resourceVersion": "9000000"}, "items": items})
}

/// The node's side, or why there is none: what SSH would have said, and the answer read as it is live.
fn host(node: &Node, masker: &Masker, at: Timestamp) -> Result<HostFacts, Gap> {
    let fault = |class, detail: &str| {
        Err(Gap::Node {
            class,
            detail: Text::new(detail),
        })
    };
    let way = match node.spec.login.access {
        Access::LoginOnly => Way::LoginOnly,
        Access::Stream => Way::Stream,
        Access::Collector | Access::Forced => Way::Installed,
    };
    let image = &node.object()["status"]["nodeInfo"]["osImage"];
    if image
        .as_str()
        .is_some_and(|image| image.starts_with("Talos"))
    {
        return fault(FaultClass::NoSshOs, "it has no SSH login to the host");
    }
    let mut answer = describe::reply(node, NONCE, way, at.as_second());
    match node.spec.fault {
        FaultSpec::None | FaultSpec::Slow(_) => {}
        FaultSpec::Cut(bytes) => answer.truncate(bytes),
        FaultSpec::NoShell => answer = NO_SHELL.into(),
        FaultSpec::Garbage(bytes) => answer = vec![0; bytes],
        FaultSpec::Down => return fault(FaultClass::ConnectRefused, "connection refused"),
        FaultSpec::Silent => {
            return fault(
                FaultClass::TimeoutBanner,
                "the port is open and nothing came",
            );
        }
        FaultSpec::Denied => return fault(FaultClass::AuthDenied, "permission denied (publickey)"),
        FaultSpec::WrongKey => {
            return fault(FaultClass::HostkeyChanged, "another key is on file");
        }
        FaultSpec::Http => return fault(FaultClass::NotSsh, "HTTP/1.1 400 Bad Request"),
    }
    let mut reader = FrameReader::new(NONCE, collector::section_count());
    reader.push(&answer);
    let frame = reader.finish()?;
    if node.spec.has(Twist::WrongMachine) {
        return Err(Gap::WrongMachine {
            detail: Text::new("its machine id is not the one of the Node object"),
        });
    }
    Ok(probes::read_host(&frame, &Reading { at, masker }))
}
