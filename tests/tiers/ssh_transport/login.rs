//! Logging in to a real sshd: keys under a passphrase, user certificates from files and from an agent, and what
//! has to be left to the system's `ssh`.

use std::sync::mpsc::{Receiver, sync_channel};

use stakeout::model::ask::{Asked, Question};
use stakeout::model::link::Update;
use stakeout::model::secret::Secret;

use super::{
    Arc, Asking, Cancel, Command, Daemon, Duration, Either, Failed, FaultClass, Folder, Gap,
    Instant, NodeRef, Options, Path, PathBuf, Server, Ssh2, Stdio, fault, quiet, read, read_whole,
    run_by,
};

/// Kinds of keys as ssh-keygen takes them, and whether OpenSSH's own format is asked for.
const LOCKED: [(&str, &[&str]); 6] = [
    ("ed25519", &["ed25519"]),
    ("ecdsa", &["ecdsa", "-b", "384"]),
    ("rsa", &["rsa", "-b", "2048"]),
    ("cbc", &["ed25519", "-Z", "aes256-cbc"]),
    ("gcm", &["ed25519", "-Z", "aes256-gcm@openssh.com"]),
    ("pkcs8", &["rsa", "-b", "2048", "-m", "PKCS8"]),
];

struct Person {
    asking: Arc<Asking>,
    updates: Receiver<Update>,
}

impl Person {
    fn new() -> Self {
        let (outbox, updates) = sync_channel(64);
        let cancel = Arc::new(Cancel::new().expect("a pipe"));
        Self {
            asking: Arc::new(Asking::person(outbox, cancel)),
            updates,
        }
    }

    fn question(&self) -> Option<Question> {
        self.updates.try_iter().find_map(|update| match update {
            Update::Ask(question) => Some(question),
            _ => None,
        })
    }
}

pub(super) fn passphrases() -> Result<(), Failed> {
    let keys = Folder::new("locked-client");
    let paths = LOCKED.map(|(name, kind)| keys.key(name, kind, "correct horse"));
    let pem = keys.key("pem", &["rsa", "-b", "2048", "-m", "PEM"], "correct horse");
    // Without the public half beside it the host cannot be asked before the person is.
    let public = read(&pem.with_extension("pub"));
    let mut clients: Vec<&Path> = paths.iter().map(PathBuf::as_path).collect();
    let elsewhere = keys.file("elsewhere.pub", &public);
    clients.push(&elsewhere);
    let mut server = Server::start("locked", &[&["ed25519"]], &clients);
    std::fs::remove_file(pem.with_extension("pub"))?;
    for path in paths.iter().chain([&pem]) {
        let person = Person::new();
        let mut ssh = Ssh2::asking(Arc::clone(&person.asking))?;
        server.node.identities = vec![path.clone()];
        for typed in ["wrong", "correct horse"] {
            assert!(run_by(&mut ssh, &server.node).is_err());
            let id = ssh.aftermath().0.ok_or("a question")?;
            let question = person.question().ok_or("the question")?;
            assert!(question.id == id && matches!(question.kind, Asked::Passphrase { .. }));
            assert_eq!(question.again.is_some(), typed != "wrong");
            let line = Secret::new(typed.to_owned());
            person.asking.answer(id, Some(vec![line]));
        }
        for _ in 0..3 {
            let start = Instant::now();
            let frame = run_by(&mut ssh, &server.node)
                .map_err(|gap| format!("{}: {gap}", path.display()))?;
            assert!(frame.complete && ssh.aftermath().0.is_none());
            assert!(start.elapsed() < Duration::from_secs(20));
        }
        assert!(person.question().is_none());
    }
    Ok(())
}

/// A key that the host does not take is not asked for.
pub(super) fn no_question_for_a_stranger() -> Result<(), Failed> {
    let keys = Folder::new("strange-client");
    let stranger = keys.key("stranger", &["ed25519"], "secret");
    let friend = keys.key("friend", &["ed25519"], "");
    let mut server = Server::start("strange", &[&["ed25519"]], &[&friend]);
    let person = Person::new();
    let mut ssh = Ssh2::asking(Arc::clone(&person.asking))?;
    server.node.identities = vec![stranger];
    assert!(run_by(&mut ssh, &server.node).is_err() && ssh.aftermath().0.is_none());
    server.node.identities.push(friend);
    run_by(&mut ssh, &server.node).map_err(|gap| gap.to_string())?;
    assert!(person.question().is_none());
    Ok(())
}

/// Two keys, one after the other: the first is taken and not enough.
pub(super) fn two_keys_are_wanted() -> Result<(), Failed> {
    let keys = Folder::new("two-client");
    let first = keys.key("first", &["ed25519"], "");
    let second = keys.key("second", &["ecdsa", "-b", "256"], "");
    let mut server = Server::configured("two", &[&["ed25519"]], &[&first, &second], |_| {
        "AuthenticationMethods publickey,publickey\n".to_owned()
    });
    server.node.identities = vec![first, second];
    read_whole(&server.node, "both keys")
}

fn certify(authority: &Path, key: &Path, more: &[&str]) {
    quiet(
        Command::new("ssh-keygen")
            .args(["-q", "-I", "audit", "-n", "root"])
            .args(more)
            .arg("-s")
            .arg(authority)
            .arg(key.with_extension("pub")),
    );
}

pub(super) fn user_certificates() -> Result<(), Failed> {
    let keys = Folder::new("cert-client");
    let authority = keys.key("authority", &["ed25519"], "");
    keys.file(
        "line.pub",
        &format!("cert-authority {}", read(&authority.with_extension("pub"))),
    );
    let line = keys.0.join("line");
    let mut server = Server::start("cert", &[&["ed25519"]], &[&line]);
    for (name, kind) in LOCKED.into_iter().take(3) {
        let key = keys.key(name, kind, "");
        server.node.identities = vec![key.clone()];
        assert_eq!(fault(&server.node).0, FaultClass::AuthDenied, "{name}");
        certify(&authority, &key, &[]);
        read_whole(&server.node, &format!("{name}: the certificate beside it"))?;
        let beside = keys.0.join(format!("{name}-cert.pub"));
        let moved = keys.0.join(format!("{name}-elsewhere.pub"));
        std::fs::rename(&beside, &moved)?;
        server.node.certificates = vec![moved];
        read_whole(
            &server.node,
            &format!("{name}: the certificate that is named"),
        )?;
        server.node.certificates.clear();
    }
    let expired = keys.key("expired", &["ed25519"], "");
    certify(&authority, &expired, &["-V", "20200101:20200102"]);
    server.node.identities = vec![expired];
    let (class, detail) = fault(&server.node);
    assert_eq!(class, FaultClass::AuthDenied, "{detail}");
    assert!(detail.contains("with its certificate"), "{detail}");

    let locked = keys.key("locked", &["ed25519"], "secret");
    certify(&authority, &locked, &[]);
    server.node.identities = vec![locked];
    let person = Person::new();
    let mut ssh = Ssh2::asking(Arc::clone(&person.asking))?;
    assert!(run_by(&mut ssh, &server.node).is_err());
    let id = ssh.aftermath().0.ok_or("a question")?;
    person
        .asking
        .answer(id, Some(vec![Secret::new("secret".to_owned())]));
    run_by(&mut ssh, &server.node).map_err(|gap| gap.to_string())?;
    Ok(())
}

struct Agent {
    socket: PathBuf,
    _daemon: Daemon,
}

impl Agent {
    fn start(folder: &Folder) -> Result<Self, Failed> {
        let socket = folder.0.join("agent.sock");
        let child = Command::new("ssh-agent")
            .args(["-D", "-a"])
            .arg(&socket)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()?;
        let agent = Self {
            socket,
            _daemon: Daemon(child),
        };
        let until = Instant::now() + Duration::from_secs(10);
        while std::os::unix::net::UnixStream::connect(&agent.socket).is_err() {
            assert!(Instant::now() < until, "the agent does not listen");
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(agent)
    }

    fn add(&self, words: &[&str], path: &Path) {
        let mut command = Command::new("ssh-add");
        command.env("SSH_AUTH_SOCK", &self.socket);
        quiet(command.arg("-q").args(words).arg(path));
    }
}

pub(super) fn agent_certificates() -> Result<(), Failed> {
    let keys = Folder::new("agent-cert-client");
    let authority = keys.key("authority", &["ed25519"], "");
    keys.file(
        "line.pub",
        &format!("cert-authority {}", read(&authority.with_extension("pub"))),
    );
    let line = keys.0.join("line");
    let mut server = Server::start("agent-cert", &[&["ed25519"]], &[&line]);
    let agent = Agent::start(&keys)?;
    server.node.agent = Some(agent.socket.clone());
    let key = keys.key("id", &["ed25519"], "");
    certify(&authority, &key, &[]);
    agent.add(&[], &key);
    read_whole(&server.node, "ed25519 certificate of the agent")?;
    // Named by its key file alone, as IdentitiesOnly wants it.
    server.node.identities_only = true;
    server.node.identities = vec![key.clone()];
    std::fs::remove_file(&key)?;
    read_whole(&server.node, "the certificate that is named")?;
    agent.add(&["-D"], Path::new("/dev/null"));

    // What libssh2 cannot sign with goes through the system's ssh, and says so.
    let rsa = keys.key("rsa", &["rsa", "-b", "2048"], "");
    certify(&authority, &rsa, &[]);
    agent.add(&[], &rsa);
    std::fs::remove_file(&rsa)?;
    let node = NodeRef {
        identities: vec![rsa],
        ..server.node.clone()
    };
    let (class, detail) = fault(&node);
    assert_eq!(class, FaultClass::NeedsSystemSsh, "{detail}");
    let mut options = Options::default();
    options.place.ssh_config = Some(keys.file("config", "Host *\n"));
    let mut either = Either::new(&options, Arc::new(Asking::nobody()))?;
    for _ in 0..2 {
        let frame = run_by(&mut either, &node).map_err(|gap| gap.to_string())?;
        assert!(frame.complete);
        let why = either.detour().ok_or("a word about it")?;
        assert!(why.contains("which only OpenSSH can use"), "{why}");
    }
    match run_by(&mut either, &NodeRef { port: 1, ..node }) {
        Err(Gap::Node { .. }) => Ok(()),
        other => panic!("expected a fault, got {other:?}"),
    }
}
