//! Trusting a host key: the question, the one key that it is about, and what comes of an answer.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::{Duration, Instant};

use ratatui::buffer::Buffer;
use ratatui::layout::{Rect, Size};
use stakeout::collect::inventory::Inventory;
use stakeout::collect::kube::{Access, Mode};
use stakeout::collect::options::{Host, Options, Place};
use stakeout::collect::supervisor::{self, Collection, Plan};
use stakeout::engine::Judged;
use stakeout::model::fact::{FaultClass, Gap};
use stakeout::model::hostkey::ShownKey;
use stakeout::model::link::{HostState, Order, Update};
use stakeout::model::name::NodeName;
use stakeout::model::text::Text;
use stakeout::probes::mask::Masker;
use stakeout::tui::app::{App, Effect, Msg};
use stakeout::tui::keys;
use stakeout::tui::theme::{Theme, Tier};
use stakeout::tui::world::World;

use crate::farm::{Answer, Farm, Fault};
use crate::frames::fleet::{self, Fleet};
use crate::scratch::Scratch;

fn key(tail: &str) -> Arc<ShownKey> {
    Arc::new(ShownKey {
        name: "[bastion]:2222".into(),
        address: "192.0.2.1 port 2222".into(),
        kind: "ssh-ed25519".into(),
        blob: tail.as_bytes().into(),
        fingerprint: format!("SHA256:{tail}").into(),
    })
}

fn node(name: &str) -> NodeName {
    NodeName::parse(name).expect("a name")
}

fn failed(class: FaultClass) -> HostState {
    HostState::Failed(Gap::Node {
        class,
        detail: Text::new("test"),
    })
}

/// The fleet, where some nodes failed at a key.
fn view(shown: &[(&str, &Arc<ShownKey>)]) -> Arc<Judged> {
    let mut view = (*Fleet::mixed().judged()).clone();
    let shown: BTreeMap<_, _> = shown
        .iter()
        .map(|(name, key)| (node(name), Arc::clone(key)))
        .collect();
    for name in shown.keys() {
        let state = failed(FaultClass::HostkeyUnknown);
        view.hosts.insert(name.clone(), state);
    }
    view.shown = Arc::new(shown);
    Arc::new(view)
}

struct Stage {
    app: App,
    effects: Vec<Effect>,
}

impl Stage {
    fn new(view: Arc<Judged>) -> Self {
        let world = World::new(
            fleet::registry(),
            Text::new("prod-eu1"),
            Text::new("the API server of prod-eu1"),
            fleet::now(),
        );
        let mut app = App::new(world);
        app.update(Msg::Resize(Size::new(80, 24)));
        app.update(Msg::Views(vec![view]));
        Self {
            app,
            effects: Vec::new(),
        }
    }

    fn press(mut self, typed: &str) -> Self {
        for event in keys::events(typed).expect("names of keys") {
            self.effects.extend(self.app.update(Msg::Key(event)));
        }
        self
    }

    fn show(mut self, view: Arc<Judged>) -> Self {
        self.app.update(Msg::Views(vec![view]));
        self
    }

    fn frame(&self) -> String {
        let theme = Theme::built_in("terminal", Tier::Ansi).expect("a built-in theme");
        let mut buffer = Buffer::empty(Rect::new(0, 0, 80, 24));
        self.app.view(&theme, &mut buffer);
        let row = |y| -> String { (0..80).map(|x| buffer[(x, y)].symbol()).collect() };
        (0..24)
            .map(|y| row(y).trim_end().to_owned() + "\n")
            .collect()
    }

    fn trusted(&self) -> Vec<(Arc<ShownKey>, Vec<NodeName>)> {
        self.effects
            .iter()
            .filter_map(|effect| match effect {
                Effect::Order(Order::Trust { key, nodes }) => Some((key.clone(), nodes.clone())),
                _ => None,
            })
            .collect()
    }
}

#[test]
fn one_key_asks_and_another_one_trusts() {
    let shown = key("right");
    let at = [("worker-07", &shown), ("worker-08", &shown)];
    for way in ["/worker-07<Enter>T", "/worker-07<Enter><Enter>T"] {
        let stage = Stage::new(view(&at)).press(way);
        let frame = stage.frame();
        for words in [
            "trust this host key?",
            "[bastion]:2222",
            "192.0.2.1 port 2222",
            "ssh-ed25519",
            "SHA256:right",
            "ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub",
            "reads 2 nodes again",
            "y trust this key",
        ] {
            let flowing = frame.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(flowing.contains(words), "{words} is not in\n{frame}");
        }
        assert_eq!(stage.trusted(), [], "asking is not trusting");
        let stage = stage.press("y");
        let nodes = vec![node("worker-07"), node("worker-08")];
        assert_eq!(stage.trusted(), [(key("right"), nodes)]);
        assert!(!stage.frame().contains("trust this host key?"));
        assert!(
            stage
                .frame()
                .contains("trusting SHA256:right for worker-07")
        );
        assert_eq!(stage.press("yyT").trusted().len(), 1);
    }
    for no in ["q", "<Esc>", "<Left>", "<Enter>", "Y", "T", "r"] {
        let stage = Stage::new(view(&at)).press("/worker-07<Enter>T").press(no);
        assert_eq!(stage.trusted(), [], "{no}");
    }
}

#[test]
fn only_the_key_that_was_shown_is_trusted() {
    let (right, other) = (key("right"), key("other"));
    let open = || Stage::new(view(&[("worker-07", &right)])).press("/worker-07<Enter>T");
    for now in [view(&[("worker-07", &other)]), view(&[])] {
        let stage = open().show(now).press("y");
        assert_eq!(stage.trusted(), []);
        let frame = stage.frame();
        assert!(
            frame.contains("SHA256:right") && !frame.contains("SHA256:other"),
            "{frame}"
        );
        assert!(frame.contains("does not show this key"), "{frame}");
    }
    let back = open()
        .show(view(&[]))
        .show(view(&[("worker-07", &right)]))
        .press("y");
    assert_eq!(back.trusted().len(), 1);
}

#[test]
fn what_is_spoken_against_cannot_be_trusted() {
    for (class, words) in [
        (FaultClass::HostkeyChanged, "is spoken against"),
        (FaultClass::HostkeyRevoked, "is spoken against"),
        (FaultClass::HostkeyCert, "is spoken against"),
        (FaultClass::HostkeyNewType, "is spoken against"),
        (FaultClass::HostkeyUnknown, "only ssh itself saw the key"),
        (
            FaultClass::ConnectRefused,
            "shows no key that is not on file",
        ),
    ] {
        let mut view = (*view(&[])).clone();
        view.hosts.insert(node("worker-07"), failed(class));
        let stage = Stage::new(Arc::new(view)).press("/worker-07<Enter>T");
        assert!(stage.frame().contains(words), "{class}\n{}", stage.frame());
        assert_eq!(stage.press("y").trusted(), []);
    }
}

#[test]
fn a_hostile_name_cannot_leave_its_row() {
    let mut hostile = (*key("right")).clone();
    hostile.name = "n\u{1b}[2J\nn2".into();
    let hostile = Arc::new(hostile);
    let frame = Stage::new(view(&[("worker-07", &hostile)]))
        .press("/worker-07<Enter>T")
        .frame();
    assert!(frame.contains(r"n\x1b[2J\nn2"), "{frame}");
}

/// Nodes that nobody has met before, and a program that reads them.
struct Strangers {
    farm: Farm,
    folder: Scratch,
}

impl Strangers {
    fn new(name: &str) -> Self {
        let farm = Farm::start(&[Fault::None], |_, _, stdin| Answer {
            stdout: crate::ssh::answer(stdin).into_bytes(),
            ..Answer::default()
        })
        .expect("a farm");
        let folder = Scratch::new(&format!("trust-{name}"));
        farm.write_files(&folder).expect("writable");
        Self { farm, folder }
    }

    fn own(&self) -> PathBuf {
        self.folder.join("state/known_hosts")
    }

    fn options(&self) -> Options {
        let host = Host {
            address: Some(self.farm.address(0).to_string()),
            ..Host::default()
        };
        Options {
            user: Some("audit".to_owned()),
            port: Some(self.farm.port()),
            identities: vec![self.folder.join("id_ed25519")],
            known_hosts: vec![self.folder.join("nothing")],
            own_known_hosts: Some(self.own()),
            hosts: [(node("n0"), host)].into(),
            place: Place {
                ssh_config: Some(self.folder.join("no-config")),
                ssh: self.folder.join("no-ssh"),
                ..Options::default().place
            },
            ..Options::default()
        }
    }

    fn read(&self) -> (Collection, Receiver<Update>) {
        let (outbox, updates) = sync_channel(64);
        let plan = Plan {
            access: Access {
                kubeconfig: Some(self.folder.join("no-kubeconfig")),
                ..Access::default()
            },
            namespaces: Vec::new(),
            nodes: Arc::new(self.options()),
            masker: Arc::new(Masker::new([7; 32])),
            mode: Mode::Live,
            known: vec![node("n0")],
            only: stakeout::collect::supervisor::Only::Named(Vec::new()),
            claims: Vec::new(),
            inventory: Inventory::default(),
            keep: Box::new(|_| {}),
        };
        (supervisor::start(plan, outbox).expect("threads"), updates)
    }
}

/// The key that was shown before the node ended in a state, and that state.
fn outcome(updates: &Receiver<Update>) -> (Option<Arc<ShownKey>>, HostState) {
    let deadline = Instant::now() + Duration::from_secs(20);
    let mut shown = None;
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        match updates.recv_timeout(left).expect("an end of the reading") {
            Update::Shown(_, key) => shown = Some(key),
            Update::Host(_, state @ (HostState::Ok | HostState::Failed(_))) => {
                return (shown, state);
            }
            _ => {}
        }
    }
}

fn class(state: &HostState) -> FaultClass {
    match state {
        HostState::Failed(Gap::Node { class, .. }) => *class,
        other => panic!("expected a fault, got {other:?}"),
    }
}

#[test]
fn a_trusted_key_is_on_file_and_the_node_is_read() {
    let lab = Strangers::new("right");
    let (collection, updates) = lab.read();
    let (shown, state) = outcome(&updates);
    assert_eq!(class(&state), FaultClass::HostkeyUnknown);
    let key = shown.expect("the key that the farm shows");
    let name = format!("[n0]:{}", lab.farm.port());
    assert_eq!(*key.name, *name);
    assert!(!lab.own().exists(), "nothing is kept unasked");
    let order = Order::Trust {
        key: key.clone(),
        nodes: vec![node("n0")],
    };
    collection.orders().send(order).expect("it runs");
    assert_eq!(outcome(&updates), (None, HostState::Ok));
    let kept = text(&lab.own());
    let right = lab.farm.known_hosts();
    let (_, right) = right.trim_end().split_once(' ').expect("a line");
    assert_eq!(kept, format!("{name} {right}\n"));
    collection.orders().send(Order::Stop).expect("it runs");
    drop(updates);
    collection.join();
}

#[test]
fn another_key_than_the_trusted_one_is_refused() {
    let lab = Strangers::new("other");
    let (collection, updates) = lab.read();
    let (shown, _) = outcome(&updates);
    let mut other = (*shown.expect("the key that the farm shows")).clone();
    *other.blob.last_mut().expect("a key") ^= 1;
    let order = Order::Trust {
        key: Arc::new(other),
        nodes: vec![node("n0")],
    };
    collection.orders().send(order).expect("it runs");
    let (shown, state) = outcome(&updates);
    assert_eq!(class(&state), FaultClass::HostkeyChanged);
    assert_eq!(shown, None, "what is spoken against is not shown for trust");
    collection.orders().send(Order::Stop).expect("it runs");
    drop(updates);
    collection.join();
}

#[test]
fn without_the_dashboard_the_fingerprint_has_to_be_said() {
    let lab = Strangers::new("headless");
    let config = format!(
        "ssh:\n  user: audit\n  port: {}\n  config: {1}/no-config\n  identities: [{1}/id_ed25519]\n  \
         known_hosts: [{1}/nothing]\nhosts:\n  n0:\n    address: {2}\n",
        lab.farm.port(),
        lab.folder.display(),
        lab.farm.address(0)
    );
    stakeout::disk::write(&lab.folder.join("no-config"), |_| Ok(())).expect("writable");
    let file = lab.folder.join("config.yaml");
    stakeout::disk::write(&file, |out| out.write_all(config.as_bytes())).expect("writable");
    let run = |words: &[&str]| {
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_stakeout"))
            .env_clear()
            .env("HOME", &*lab.folder)
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("XDG_STATE_HOME", lab.folder.join("xdg"))
            .args(["--kubeconfig", "none", "--config"])
            .arg(&file)
            .args(words)
            .output()
            .expect("the program starts");
        let said = [output.stdout, output.stderr].concat();
        (
            output.status.code(),
            String::from_utf8_lossy(&said).into_owned(),
        )
    };
    let kept = lab.folder.join("xdg/stakeout/known_hosts");
    let (code, said) = run(&["trust", "--node", "n0"]);
    assert_eq!(code, Some(3), "{said}");
    let fingerprint = said
        .split_whitespace()
        .find(|word| word.starts_with("SHA256:") && word.len() == 50)
        .expect("a fingerprint");
    assert!(
        said.contains("ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub"),
        "{said}"
    );
    let wrong = fingerprint.replace(&fingerprint[10..14], "AAAA");
    let (code, said) = run(&["trust", "--node", "n0", "--fingerprint", &wrong]);
    assert_eq!(code, Some(2), "{said}");
    assert!(
        said.contains("shows SHA256:") && said.contains("\nnext: "),
        "{said}"
    );
    assert!(!kept.exists());
    let (code, said) = run(&["trust", "--fingerprint", fingerprint]);
    assert_eq!(code, Some(2), "all nodes at once is not offered: {said}");
    let (code, said) = run(&["trust", "--node", "n0", "--fingerprint", fingerprint]);
    assert_eq!(code, Some(0), "{said}");
    assert!(text(&kept).starts_with("[n0]:"), "{said}");
    let (code, said) = run(&["trust", "--node", "n0"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("is on file"), "{said}");
}

fn text(path: &Path) -> String {
    stakeout::disk::read_text(path, 1 << 20).expect("a text file")
}
