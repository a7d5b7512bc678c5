//! Logging in with what a person types: one question for a fleet, answers for whoever they are meant for, and
//! nobody held up by a question.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender};
use std::time::{Duration, Instant};

use stakeout::collect::asking::Asking;
use stakeout::collect::cancel::Cancel;
use stakeout::collect::node::NodeJob;
use stakeout::collect::options::{Audience, Bounds, Options, Place};
use stakeout::collect::pool::{self, Pool};
use stakeout::disk;
use stakeout::model::ask::{Asked, Echo, Question};
use stakeout::model::fact::{FaultClass, Gap};
use stakeout::model::link::{HostState, Level, Update};
use stakeout::model::name::NodeName;
use stakeout::model::secret::Secret;
use stakeout::probes::mask::Masker;

use super::farm::{self, Farm, Fault, Gate};
use crate::scratch::Scratch;

/// The key that all nodes of a farm take, under the passphrase `correct horse`.
const LOCKED: &str = include_str!("../fixtures/keys/aes256-ctr.pem");
const ANSWER: &str = "@STK1 WAY login-only\n@STK1 BEGIN NONCE 1 1000 stat b64\n\
                      @STK1 SECTION identity\nV\tclock\t1\n@STK1 DONE identity 1\n@STK1 END NONCE 1\n";

/// A farm, and a run on it with somebody to ask.
struct Lab {
    farm: Farm,
    folder: Scratch,
    cancel: Arc<Cancel>,
}

/// A run under way.
struct Run {
    pool: Pool,
    asking: Arc<Asking>,
    jobs: Option<Sender<NodeJob>>,
    updates: Receiver<Update>,
    states: BTreeMap<NodeName, HostState>,
    questions: Vec<Question>,
    log: Vec<String>,
}

impl Lab {
    fn new(faults: &[Fault]) -> Self {
        let farm = Farm::start(faults, |_, _, stdin| {
            let sent = String::from_utf8_lossy(stdin);
            let nonce = sent
                .strip_prefix("STK_NONCE=")
                .and_then(|rest| rest.get(..32));
            farm::Answer {
                stdout: ANSWER
                    .replace("NONCE", nonce.unwrap_or_default())
                    .into_bytes(),
                ..farm::Answer::default()
            }
        })
        .expect("a farm");
        let folder = Scratch::new("login");
        farm.write_files(&folder).expect("writable");
        Self {
            farm,
            folder,
            cancel: Arc::new(Cancel::new().expect("a pipe")),
        }
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.join(name);
        disk::write(&path, |out| out.write_all(text.as_bytes())).expect("writable");
        path
    }

    fn options(&self, identities: Vec<PathBuf>) -> Options {
        Options {
            user: Some("audit".to_owned()),
            port: Some(self.farm.port()),
            identities,
            known_hosts: vec![self.folder.join("known_hosts")],
            audience: Audience::Person,
            place: Place {
                home: self.folder.to_path_buf(),
                ssh_config: Some(self.folder.join("no-config")),
                ssh: self.folder.join("no-ssh"),
                ..Options::default().place
            },
            ..Options::default()
        }
    }

    fn job(&self, node: usize) -> NodeJob {
        let object = serde_json::json!({
            "uid": "u", "labels": {}, "taints": [], "ready": "True",
            "addresses": [["InternalIP", self.farm.address(node).to_string()]],
            "machine_id": "m", "boot_id": "b", "kubelet_version": "v1.35.0",
            "os_image": "Debian", "resource_version": "1",
        });
        NodeJob {
            node: name(node),
            object: Some(Arc::new(
                serde_json::from_value(object).expect("a node object"),
            )),
            inventory: Vec::new(),
            route: None,
        }
    }

    fn start(&self, options: Options, nodes: usize) -> Run {
        let (jobs, inbox) = std::sync::mpsc::channel();
        for node in 0..nodes {
            jobs.send(self.job(node)).expect("an open channel");
        }
        self.start_with(options, jobs, inbox)
    }

    fn start_with(&self, options: Options, jobs: Sender<NodeJob>, inbox: Receiver<NodeJob>) -> Run {
        let (outbox, updates) = std::sync::mpsc::sync_channel(16);
        let masker = Arc::new(Masker::new([7; 32]));
        let cancel = Arc::clone(&self.cancel);
        let pool = pool::spawn(Arc::new(options), masker, inbox, outbox, cancel).expect("threads");
        Run {
            asking: pool.asking(),
            pool,
            jobs: Some(jobs),
            updates,
            states: BTreeMap::new(),
            questions: Vec::new(),
            log: Vec::new(),
        }
    }
}

impl Run {
    /// Takes updates until something holds.
    #[track_caller]
    fn until(&mut self, what: &str, holds: impl Fn(&Self) -> bool) {
        let deadline = Instant::now() + Duration::from_secs(30);
        while !holds(self) {
            assert!(
                Instant::now() < deadline,
                "never: {what}; {:?} {:?}",
                self.states,
                self.log
            );
            if let Ok(update) = self.updates.recv_timeout(Duration::from_millis(50)) {
                self.take(update);
            }
        }
    }

    fn take(&mut self, update: Update) {
        let text = format!("{update:?}");
        for secret in ["correct horse", "hunter2", "zq-code-zq"] {
            assert!(!text.contains(secret), "{text}");
        }
        match update {
            Update::Host(node, state) => {
                self.states.insert(node, state);
            }
            Update::Ask(question) => self.questions.push(question),
            Update::Log(line) if line.level >= Level::Warn => {
                self.log.push(line.message.to_string());
            }
            _ => {}
        }
    }

    /// Waits for the question of that number, from 1, and answers it.
    #[track_caller]
    fn answer(&mut self, number: usize, answer: Option<&[&str]>) -> Question {
        self.until("a question", |run| run.questions.len() >= number);
        let question = self.questions[number - 1].clone();
        let lines = answer.map(|lines| lines.iter().map(|line| Secret::new((*line).to_owned())));
        self.asking
            .answer(question.id, lines.map(Iterator::collect));
        question
    }

    fn count(&self, wanted: &HostState) -> usize {
        self.states
            .values()
            .filter(|state| *state == wanted)
            .count()
    }

    /// No more nodes will come: every state, when all are read.
    #[track_caller]
    fn end(&mut self) {
        self.jobs = None;
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            match self.updates.recv_timeout(Duration::from_millis(50)) {
                Ok(update) => self.take(update),
                Err(std::sync::mpsc::RecvTimeoutError::Disconnected) => return,
                Err(std::sync::mpsc::RecvTimeoutError::Timeout) => {
                    assert!(
                        Instant::now() < deadline,
                        "{:?} {:?}",
                        self.states,
                        self.log
                    );
                }
            }
        }
    }

    #[track_caller]
    fn all_are_read(mut self, nodes: usize) -> Vec<Question> {
        self.end();
        assert_eq!(self.count(&HostState::Ok), nodes, "{:?}", self.states);
        assert!(self.pool.join(Duration::from_secs(5)));
        self.questions
    }

    fn failure(&self, node: usize) -> (FaultClass, String) {
        match self.states.get(&name(node)) {
            Some(HostState::Failed(Gap::Node { class, detail })) => (*class, detail.to_string()),
            other => panic!("expected a failure, got {other:?}"),
        }
    }
}

fn name(node: usize) -> NodeName {
    NodeName::parse(&format!("n{node:02}")).expect("a name")
}

#[test]
fn one_passphrase_opens_the_key_for_all() {
    let lab = Lab::new(&[Fault::None; 50]);
    let key = lab.file("locked", LOCKED);
    let mut run = lab.start(lab.options(vec![key]), 50);
    let asked = run.answer(1, Some(&["wrong"]));
    assert!(matches!(asked.kind, Asked::Passphrase { .. }) && asked.again.is_none());
    assert!(asked.subject().ends_with("/locked"), "{}", asked.subject());
    let asked = run.answer(2, Some(&["correct horse"]));
    assert_eq!(
        asked.again.map(|why| why.to_string()).as_deref(),
        Some("that was not its passphrase")
    );
    assert_eq!(run.all_are_read(50).len(), 2);
}

#[test]
fn a_passphrase_that_is_not_given_is_not_asked_again() {
    let lab = Lab::new(&[Fault::None; 12]);
    let key = lab.file("locked", LOCKED);
    let mut run = lab.start(lab.options(vec![key]), 12);
    run.answer(1, None);
    run.end();
    assert_eq!(run.questions.len(), 1);
    for node in 0..12 {
        let (class, detail) = run.failure(node);
        assert_eq!(class, FaultClass::AuthDenied, "{detail}");
        assert!(
            detail.contains("ssh-add") && detail.contains("press r"),
            "{detail}"
        );
    }
    assert_eq!(run.log.len(), 1, "{:?}", run.log);
}

#[test]
fn another_try_asks_again() {
    let lab = Lab::new(&[Fault::None]);
    let key = lab.file("locked", LOCKED);
    let mut run = lab.start(lab.options(vec![key]), 1);
    run.answer(1, None);
    run.until("a failure", |run| {
        matches!(run.states.get(&name(0)), Some(HostState::Failed(_)))
    });
    run.asking.renew();
    let jobs = run.jobs.clone().expect("still open");
    jobs.send(lab.job(0)).expect("an open channel");
    drop(jobs);
    run.answer(2, Some(&["correct horse"]));
    assert_eq!(run.all_are_read(1).len(), 2);
}

#[test]
fn a_key_that_no_host_takes_is_not_asked_for() {
    let lab = Lab::new(&[Fault::Denied; 2]);
    let key = lab.file("locked", LOCKED);
    let mut run = lab.start(lab.options(vec![key]), 2);
    run.end();
    assert!(run.questions.is_empty());
    assert_eq!(run.failure(0).0, FaultClass::AuthDenied);
}

#[test]
fn a_question_holds_up_nobody() {
    let mut faults = vec![Fault::Gate(Gate::Password("hunter2")); 8];
    faults.extend([Fault::None; 8]);
    let lab = Lab::new(&faults);
    let mut options = lab.options(vec![lab.folder.join("id_ed25519")]);
    options.bounds = Bounds {
        workers: 2,
        node: Duration::from_secs(2),
        ..Bounds::default()
    };
    let mut run = lab.start(options, 16);
    run.until("the others", |run| run.count(&HostState::Ok) == 8);
    run.until("a question", |run| !run.questions.is_empty());
    // Longer than a node may take: nobody's time runs while a person thinks.
    std::thread::sleep(Duration::from_millis(2500));
    run.until("all others parked", |run| {
        run.count(&HostState::Queued) == 8
    });
    run.answer(1, Some(&["hunter2"]));
    assert_eq!(run.all_are_read(16).len(), 1);
}

/// The worker has read a node before that waits for an answer: the next one does not.
#[test]
fn a_node_that_is_not_connected_to_waits_for_nobody() {
    let lab = Lab::new(&[Fault::Gate(Gate::Password("hunter2")), Fault::None]);
    let mut options = lab.options(Vec::new());
    options.bounds.workers = 1;
    let mut run = lab.start(options, 1);
    run.until("parked", |run| {
        !run.questions.is_empty() && run.count(&HostState::Queued) == 1
    });
    let mut nowhere = lab.job(1);
    let object = nowhere.object.as_mut().expect("made with one");
    Arc::make_mut(object).addresses.clear();
    let jobs = run.jobs.as_ref().expect("still open");
    jobs.send(nowhere).expect("an open channel");
    run.until("a failure while the question is open", |run| {
        matches!(run.states.get(&name(1)), Some(HostState::Failed(_)))
    });
    assert_eq!(run.failure(1).0, FaultClass::NoTarget);
    assert_eq!(run.log.len(), 1, "{:?}", run.log);
    run.answer(1, Some(&["hunter2"]));
    run.end();
    assert_eq!(run.count(&HostState::Ok), 1, "{:?}", run.states);
}

#[test]
fn a_wrong_password_is_tried_once_and_asked_for_once_more() {
    let lab = Lab::new(&[Fault::Gate(Gate::Password("hunter2")); 20]);
    let mut run = lab.start(lab.options(Vec::new()), 20);
    let asked = run.answer(1, Some(&["nonsense"]));
    assert!(matches!(&asked.kind, Asked::Password { user, .. } if user.as_str() == "audit"));
    let asked = run.answer(2, Some(&["hunter2"]));
    assert!(
        asked
            .again
            .is_some_and(|why| why.as_str().ends_with("refused it"))
    );
    assert_eq!(run.all_are_read(20).len(), 2);
    let tried: usize = (0..20).map(|node| lab.farm.answers(node)).sum();
    assert_eq!(tried, 21, "one wrong, one right for each");
}

#[test]
fn two_wrong_passwords_are_the_end() {
    let lab = Lab::new(&[Fault::Gate(Gate::Password("hunter2")); 20]);
    let mut run = lab.start(lab.options(Vec::new()), 20);
    run.answer(1, Some(&["nonsense"]));
    run.answer(2, Some(&["rubbish"]));
    run.end();
    assert_eq!(run.questions.len(), 2);
    for node in 0..20 {
        let (class, detail) = run.failure(node);
        assert_eq!(class, FaultClass::AuthDenied, "{detail}");
        assert!(detail.contains("refused"), "{detail}");
    }
    let tried: usize = (0..20).map(|node| lab.farm.answers(node)).sum();
    assert_eq!(tried, 2);
}

/// sshd hangs up at the last refusal that it counts: the password is as wrong as after a refusal.
#[test]
fn a_wrong_password_is_tried_once_where_a_host_hangs_up_on_it() {
    let lab = Lab::new(&[Fault::Gate(Gate::PasswordOnce("hunter2")); 20]);
    let mut run = lab.start(lab.options(Vec::new()), 20);
    run.answer(1, Some(&["nonsense"]));
    let asked = run.answer(2, Some(&["hunter2"]));
    assert!(asked.again.is_some());
    assert_eq!(run.all_are_read(20).len(), 2);
    let tried: usize = (0..20).map(|node| lab.farm.answers(node)).sum();
    assert_eq!(tried, 21, "one wrong, one right for each");
}

#[test]
fn a_hang_up_is_no_refusal() {
    let mut faults = vec![Fault::Leaves; 12];
    faults.extend([Fault::None; 12]);
    let lab = Lab::new(&faults);
    let mut options = lab.options(vec![lab.folder.join("id_ed25519")]);
    options.bounds.workers = 4;
    let (jobs, inbox) = std::sync::mpsc::channel();
    for node in 0..12 {
        jobs.send(lab.job(node)).expect("an open channel");
    }
    let mut run = lab.start_with(options, jobs, inbox);
    run.until("the first half", |run| {
        let failed = |state: &&HostState| matches!(state, HostState::Failed(_));
        run.states.values().filter(failed).count() == 12
    });
    for node in 0..12 {
        let (class, detail) = run.failure(node);
        assert_eq!(class, FaultClass::Disconnected, "{detail}");
        assert!(
            detail.contains("hung up during the login as audit"),
            "{detail}"
        );
    }
    let jobs = run.jobs.clone().expect("still open");
    for node in 12..24 {
        jobs.send(lab.job(node)).expect("an open channel");
    }
    drop(jobs);
    run.end();
    assert_eq!(run.count(&HostState::Ok), 12, "{:?}", run.states);
    assert!(run.questions.is_empty());
}

/// Keys count as attempts: a password has to have its place among the six that sshd allows.
#[test]
fn fewer_keys_are_tried_where_a_password_may_follow() {
    let lab = Lab::new(&[Fault::Gate(Gate::Password("hunter2")), Fault::Denied]);
    let pem = disk::read_text(&lab.folder.join("id_ed25519"), 1 << 16).expect("the farm's key");
    let names = ["k1", "k2", "k3", "k4", "k5"];
    let keys = names.map(|name| lab.file(name, &pem));
    let mut run = lab.start(lab.options(keys.to_vec()), 2);
    run.answer(1, None);
    run.end();
    let (_, detail) = run.failure(0);
    assert!(
        detail.contains("3 keys not tried: set IdentitiesOnly"),
        "{detail}"
    );
    let (_, detail) = run.failure(1);
    assert!(
        detail.contains("/k5") && !detail.contains("not tried"),
        "{detail}"
    );
}

#[test]
fn a_password_is_for_its_user_alone() {
    let lab = Lab::new(&[
        Fault::Gate(Gate::Password("hunter2")),
        Fault::Gate(Gate::Password("zq-code-zq")),
    ]);
    let mut options = lab.options(Vec::new());
    let other = stakeout::collect::options::Host {
        user: Some("other".to_owned()),
        ..Default::default()
    };
    options.hosts.insert(name(1), other);
    let mut run = lab.start(options, 2);
    for number in 1..=2 {
        run.until("a question", |run| run.questions.len() >= number);
        let asked = run.questions[number - 1].clone();
        let is_other = asked.subject().contains("other");
        run.answer(
            number,
            Some(&[if is_other { "zq-code-zq" } else { "hunter2" }]),
        );
    }
    assert_eq!(run.all_are_read(2).len(), 2);
    assert_eq!((lab.farm.answers(0), lab.farm.answers(1)), (1, 1));
}

const PROMPTS: &[farm::Prompt] = &[
    ("Password: ", "hunter2", false),
    ("\u{1b}]0;x\u{7}Code: ", "zq-code-zq", true),
];

#[test]
fn a_host_asks_in_its_own_words() {
    let lab = Lab::new(&[Fault::Gate(Gate::Asks(PROMPTS))]);
    let mut run = lab.start(lab.options(Vec::new()), 1);
    let asked = run.answer(1, Some(&["hunter2", "wrong"]));
    assert_eq!(asked.subject(), "n00 asks audit");
    assert_eq!(
        asked.notes(),
        [
            r"\x1b[2Jwelcome".to_owned() + "\nto the lab",
            "the password is offered to every node for audit, kept in memory only".to_owned(),
        ]
    );
    let fields = asked.fields();
    assert_eq!(fields[0].prompt.as_str(), "Password:");
    assert_eq!(fields[1].prompt.as_str(), r"\x1b]0;x\x07Code:");
    assert_eq!((fields[0].echo, fields[1].echo), (Echo::Off, Echo::On));
    let asked = run.answer(2, Some(&["hunter2", "zq-code-zq"]));
    assert!(asked.again.is_some());
    run.all_are_read(1);
}

const ONE: &[farm::Prompt] = &[("Password: ", "hunter2", false)];

#[test]
fn the_password_of_a_talk_serves_the_others_and_a_code_does_not() {
    let lab = Lab::new(&[Fault::Gate(Gate::KeyThenAsks(PROMPTS)); 3]);
    let mut run = lab.start(lab.options(vec![lab.folder.join("id_ed25519")]), 3);
    let first = run.answer(1, Some(&["hunter2", "zq-code-zq"]));
    assert_eq!(first.fields().len(), 2);
    for number in 2..=3 {
        let asked = run.answer(number, Some(&["zq-code-zq"]));
        assert_eq!(asked.fields().len(), 1, "the password is known");
        assert!(
            asked
                .notes()
                .iter()
                .all(|note| !note.contains("every node"))
        );
    }
    run.all_are_read(3);

    let lab = Lab::new(&[Fault::Gate(Gate::Asks(ONE)); 20]);
    let mut run = lab.start(lab.options(Vec::new()), 20);
    run.answer(1, Some(&["hunter2"]));
    assert_eq!(run.all_are_read(20).len(), 1);
}

#[test]
fn a_talk_that_is_declined_is_declined_for_all() {
    let lab = Lab::new(&[Fault::Gate(Gate::Asks(PROMPTS)); 5]);
    let mut run = lab.start(lab.options(Vec::new()), 5);
    run.answer(1, None);
    run.end();
    assert_eq!(run.questions.len(), 1);
    for node in 0..5 {
        let (class, detail) = run.failure(node);
        assert_eq!(class, FaultClass::AuthDenied, "{detail}");
        assert!(detail.contains("press r"), "{detail}");
        assert_eq!(lab.farm.answers(node), 0);
    }
}

#[test]
fn without_a_person_nothing_is_asked() {
    let lab = Lab::new(&[Fault::None, Fault::Gate(Gate::Password("hunter2"))]);
    let key = lab.file("locked", LOCKED);
    let mut options = lab.options(vec![key]);
    options.audience = Audience::Nobody;
    let mut run = lab.start(options, 2);
    run.end();
    assert!(run.questions.is_empty());
    let (class, detail) = run.failure(0);
    assert_eq!(class, FaultClass::AuthDenied, "{detail}");
    assert!(detail.contains("is encrypted: ssh-add"), "{detail}");
    let (_, detail) = run.failure(1);
    assert!(detail.contains("the host takes password"), "{detail}");
}

#[test]
fn three_refusals_are_enough_and_said_once() {
    let lab = Lab::new(&[Fault::Denied; 40]);
    let mut run = lab.start(lab.options(vec![lab.folder.join("id_ed25519")]), 40);
    run.end();
    let stopped: Vec<_> = (0..40)
        .map(|node| run.failure(node))
        .filter(|(_, detail)| detail.starts_with("3 nodes refused the same login ("))
        .collect();
    assert_eq!(stopped.len(), 37, "{:?}", run.states);
    assert!(
        stopped[0].1.ends_with("press r to try again"),
        "{}",
        stopped[0].1
    );
    // Three refusals of their own, and one line for all others.
    assert_eq!(run.log.len(), 4, "{:?}", run.log);
}

#[test]
fn a_cancellation_ends_an_open_talk() {
    let lab = Lab::new(&[Fault::Gate(Gate::Asks(PROMPTS)); 4]);
    let mut run = lab.start(lab.options(Vec::new()), 4);
    run.until("a question", |run| !run.questions.is_empty());
    let start = Instant::now();
    lab.cancel.cancel();
    assert!(run.pool.join(Duration::from_secs(5)));
    assert!(
        start.elapsed() < Duration::from_secs(2),
        "{:?}",
        start.elapsed()
    );
}

#[test]
fn an_agent_that_is_not_there_is_said_once_before_anything_is_connected_to() {
    let lab = Lab::new(&[Fault::None; 9]);
    let mut options = lab.options(vec![lab.folder.join("no-key")]);
    options.audience = Audience::Nobody;
    options.place.agent = Some(lab.folder.join("no-agent"));
    let mut run = lab.start(options, 9);
    run.end();
    for node in 0..9 {
        let (class, detail) = run.failure(node);
        assert_eq!(class, FaultClass::AgentUnreachable, "{detail}");
        assert!(detail.contains("no-agent"), "{detail}");
        assert_eq!(lab.farm.visits(node), 0);
    }
    assert_eq!(run.log.len(), 1, "{:?}", run.log);
}

/// What ssh_config would say of a bastion before all nodes.
fn behind(lab: &Lab, options: &mut Options) {
    let text = format!(
        "Host n*\n ProxyJump b1\nHost b1\n HostName {}\n Port {}\n User jumper\n IdentityFile {2}/none\n \
         UserKnownHostsFile {2}/known_hosts\n",
        lab.farm.address(0),
        lab.farm.port(),
        lab.folder.display(),
    );
    options.place.ssh_config = Some(lab.file("ssh_config", &text));
}

/// A second factor at the bastion: asked for once, and whoever is not behind it goes on.
#[test]
fn a_bastion_asks_once_for_all_that_is_behind_it() {
    let mut faults = vec![Fault::None; 31];
    faults[0] = Fault::Gate(Gate::Asks(PROMPTS));
    let lab = Lab::new(&faults);
    let mut options = lab.options(vec![lab.folder.join("id_ed25519")]);
    options.bounds.workers = 4;
    behind(&lab, &mut options);
    let (jobs, inbox) = std::sync::mpsc::channel();
    for node in 1..31 {
        jobs.send(lab.job(node)).expect("an open channel");
    }
    let mut run = lab.start_with(options, jobs, inbox);
    run.until("all parked", |run| run.count(&HostState::Queued) == 30);
    run.answer(1, Some(&["hunter2", "zq-code-zq"]));
    let questions = run.all_are_read(30);
    assert_eq!(questions.len(), 1);
    assert_eq!(questions[0].subject(), "b1 asks jumper");
    assert_eq!(lab.farm.visits(0), 1, "one login");
}
