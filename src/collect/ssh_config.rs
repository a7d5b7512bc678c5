//! What ssh_config says of a host. OpenSSH itself is asked (`ssh -G`): nobody else reads Match, Include and
//! tokens as it does, and a guess could lead to the wrong host.

mod strict;

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::event::PollFlags;

use super::cancel::{Cancel, Woken};
use super::options::Place;
use super::transport::Beyond;

/// An answer is some 5 kB long.
const ANSWER: usize = 256 * 1024;
/// `Match exec` runs the user's commands: they get this much time.
const PATIENCE: Duration = Duration::from_secs(5);
/// Largest ssh_config that is looked at where there is no `ssh`.
const FILE: u64 = 1 << 20;

/// The settings for one host, tokens expanded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HostConfig {
    /// `HostName`; the name itself where nothing is set.
    pub host: String,
    pub port: Option<u16>,
    pub user: Option<String>,
    pub alias: Option<String>,
    pub identities: Vec<PathBuf>,
    pub identities_only: bool,
    pub agent: Agent,
    pub known_hosts: Vec<PathBuf>,
    /// `ProxyCommand` as written.
    pub proxy: Option<String>,
    /// The list of `ProxyJump`.
    pub jump: Option<String>,
    /// `RevokedHostKeys` as written: a list that OpenSSH alone can read.
    pub revoked: Option<String>,
    pub certificates: Vec<PathBuf>,
    pub beyond: Vec<Beyond>,
}

/// Which agent to ask.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Agent {
    /// The one of the environment.
    #[default]
    Environment,
    None,
    Socket(PathBuf),
}

/// A question about one host; what the program's own configuration sets goes in as `ssh -l` and `-p` would.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    pub name: &'a str,
    pub user: Option<&'a str>,
    pub port: Option<u16>,
}

/// Asks `ssh -G`; without an `ssh`, reads the files itself as far as there is no doubt about them.
///
/// # Errors
/// In words: what `ssh` complains of, or what in a file nobody but `ssh` can read.
pub fn ask(question: Question<'_>, place: &Place, cancel: &Cancel) -> Result<HostConfig, String> {
    match spawn(question, place) {
        Ok(child) => {
            let text = answer(child, cancel)?;
            Ok(parse(&text, question.name, place))
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let text = strict::answer(question, place)
                .map_err(|why| format!("{why}; there is no ssh that could be asked"))?;
            Ok(parse(&text, question.name, place))
        }
        Err(error) => Err(format!("run {}: {error}", place.ssh.display())),
    }
}

fn spawn(question: Question<'_>, place: &Place) -> std::io::Result<Child> {
    #[expect(
        clippy::disallowed_methods,
        reason = "runs only ssh -G, which connects nowhere; the name is checked and follows --"
    )]
    let mut command = Command::new(&place.ssh);
    command.arg("-G");
    if let Some(config) = &place.ssh_config {
        command.arg("-F").arg(config);
    }
    if let Some(user) = question.user {
        command.arg("-l").arg(user);
    }
    if let Some(port) = question.port {
        command.arg("-p").arg(port.to_string());
    }
    command
        .args(["-T", "--", question.name])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
}

fn answer(mut child: Child, cancel: &Cancel) -> Result<String, String> {
    let until = Instant::now() + PATIENCE;
    let text = read_all(child.stdout.take(), until, cancel);
    let complaint = read_all(child.stderr.take(), until, cancel);
    if text.is_err() || complaint.is_err() {
        // It may have ended by itself; either way it is gone after this.
        let _ = child.kill();
    }
    let status = child.wait().map_err(|error| format!("ssh -G: {error}"))?;
    if status.success() {
        return text;
    }
    let complaint = complaint?;
    let first = complaint.lines().next().unwrap_or("no reason given");
    Err(format!("ssh -G: {first}"))
}

fn read_all(
    pipe: Option<impl std::io::Read + std::os::fd::AsFd>,
    until: Instant,
    cancel: &Cancel,
) -> Result<String, String> {
    let mut out = Vec::new();
    let Some(mut pipe) = pipe else {
        return Ok(String::new());
    };
    let mut buffer = [0; 8192];
    loop {
        match cancel.poll(pipe.as_fd(), PollFlags::IN, until) {
            Woken::Ready => {}
            Woken::Deadline => return Err("ssh -G does not end".to_owned()),
            Woken::Cancelled => return Err("stopped while ssh -G ran".to_owned()),
        }
        match pipe.by_ref().read(&mut buffer) {
            Ok(0) => return Ok(String::from_utf8_lossy(&out).into_owned()),
            Ok(count) => out.extend(&buffer[..count]),
            Err(error) => return Err(format!("ssh -G: {error}")),
        }
        if out.len() > ANSWER {
            return Err("ssh -G: answer too long".to_owned());
        }
    }
}

/// Reads what `ssh -G` printed: one lower-case keyword and its value a line.
pub fn parse(text: &str, name: &str, place: &Place) -> HostConfig {
    let mut config = HostConfig {
        host: name.to_owned(),
        ..HostConfig::default()
    };
    for line in text.lines() {
        let (keyword, value) = line.split_once(' ').unwrap_or((line, ""));
        let value = value.trim();
        let set = (!value.is_empty() && value != "none").then(|| value.to_owned());
        match keyword {
            "hostname" => config.host = set.unwrap_or(config.host),
            "port" => config.port = value.parse().ok(),
            "user" => config.user = set,
            "hostkeyalias" => config.alias = set,
            "identitiesonly" => config.identities_only = value == "yes",
            "gssapiauthentication" if value == "yes" => config.beyond.push(Beyond::Gssapi),
            "pkcs11provider" if set.is_some() => config.beyond.push(Beyond::Provider),
            "proxyjump" => config.jump = set,
            "revokedhostkeys" => config.revoked = set.map(|value| format!("{keyword} {value}")),
            "proxycommand" => config.proxy = set.map(|value| format!("{keyword} {value}")),
            _ => {}
        }
    }
    let tokens = Tokens::new(&config, name, place);
    for line in text.lines() {
        let (keyword, value) = line.split_once(' ').unwrap_or((line, ""));
        match keyword {
            "identityfile" => config.identities.extend(tokens.path(value)),
            "certificatefile" => config.certificates.extend(tokens.path(value)),
            "identityagent" => config.agent = tokens.agent(value),
            "userknownhostsfile" | "globalknownhostsfile" => config
                .known_hosts
                .extend(value.split(' ').filter_map(|word| tokens.path(word))),
            _ => {}
        }
    }
    config
}

/// The values of the tokens of ssh_config(5) that file names may hold.
struct Tokens {
    home: String,
    host: String,
    name: String,
    port: String,
    remote: String,
    local: String,
}

impl Tokens {
    fn new(config: &HostConfig, name: &str, place: &Place) -> Self {
        Self {
            home: place.home.display().to_string(),
            host: config.host.clone(),
            name: name.to_owned(),
            port: config.port.unwrap_or(22).to_string(),
            remote: config.user.clone().unwrap_or_else(|| place.login.clone()),
            local: place.login.clone(),
        }
    }

    /// A file name; none for `none`, and for tokens that are not known: a guess would name another file.
    fn path(&self, value: &str) -> Option<PathBuf> {
        let value = value.trim().trim_matches('"');
        if value.is_empty() || value == "none" {
            return None;
        }
        let mut out = String::new();
        let rest = match value.strip_prefix("~/") {
            Some(rest) => {
                out.push_str(&self.home);
                out.push('/');
                rest
            }
            None => value,
        };
        let mut chars = rest.chars();
        while let Some(c) = chars.next() {
            if c != '%' {
                out.push(c);
                continue;
            }
            out.push_str(match chars.next()? {
                '%' => "%",
                'd' => &self.home,
                'h' => &self.host,
                'n' => &self.name,
                'p' => &self.port,
                'r' => &self.remote,
                'u' => &self.local,
                _ => return None,
            });
        }
        Some(out.into())
    }

    fn agent(&self, value: &str) -> Agent {
        match value.trim() {
            "SSH_AUTH_SOCK" | "$SSH_AUTH_SOCK" | "${SSH_AUTH_SOCK}" => Agent::Environment,
            value => self.path(value).map_or(Agent::None, Agent::Socket),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place() -> Place {
        Place {
            home: "/home/me".into(),
            login: "me".to_owned(),
            ..super::super::options::Options::default().place
        }
    }

    #[test]
    fn an_answer_of_ssh() {
        let text = "host n1\nuser audit\nhostname 10.0.0.5\nport 2222\nidentitiesonly yes\n\
                    hostkeyalias n1.example\nidentityagent SSH_AUTH_SOCK\nidentityfile ~/.ssh/id_%r\n\
                    identityfile %d/%h-%n-%p-%u-%%\nidentityfile ~/%Z\n\
                    globalknownhostsfile /etc/a /etc/b\nuserknownhostsfile ~/.ssh/known_hosts none\n\
                    certificatefile ~/c-cert.pub\ngssapiauthentication yes\npkcs11provider none\n\
                    proxyjump b1,b2\nsendenv LANG\nrevokedhostkeys /etc/ssh/revoked\n\n";
        let config = parse(text, "n1", &place());
        assert_eq!(
            config,
            HostConfig {
                host: "10.0.0.5".to_owned(),
                port: Some(2222),
                user: Some("audit".to_owned()),
                alias: Some("n1.example".to_owned()),
                identities: vec![
                    "/home/me/.ssh/id_audit".into(),
                    "/home/me/10.0.0.5-n1-2222-me-%".into(),
                ],
                identities_only: true,
                agent: Agent::Environment,
                known_hosts: vec![
                    "/etc/a".into(),
                    "/etc/b".into(),
                    "/home/me/.ssh/known_hosts".into(),
                ],
                proxy: None,
                jump: Some("b1,b2".to_owned()),
                revoked: Some("revokedhostkeys /etc/ssh/revoked".to_owned()),
                certificates: vec!["/home/me/c-cert.pub".into()],
                beyond: vec![Beyond::Gssapi],
            }
        );
        assert_eq!(parse("proxyjump none\n", "n1", &place()).jump, None);
        let revoked = parse("revokedhostkeys none\n", "n1", &place()).revoked;
        assert_eq!(revoked, None);
        let command = parse("proxycommand nc %h %p\n", "n1", &place()).proxy;
        assert_eq!(command.as_deref(), Some("proxycommand nc %h %p"));
        let agent = |value: &str| parse(&format!("identityagent {value}\n"), "n1", &place()).agent;
        assert_eq!(agent("none"), Agent::None);
        assert_eq!(agent("~/a.sock"), Agent::Socket("/home/me/a.sock".into()));
    }

    #[test]
    fn without_ssh_the_files_are_read_here() {
        let question = Question {
            name: "n1",
            user: Some("audit"),
            port: None,
        };
        let cancel = Cancel::new().expect("a pipe");
        let folder = std::env::temp_dir().join(format!("stakeout-config-{}", std::process::id()));
        crate::disk::make_folder(&folder).expect("a temporary folder");
        let file = folder.join("config");
        let mut place = Place {
            ssh: folder.join("no-such-ssh"),
            ssh_config: Some(file.clone()),
            ..place()
        };
        let write = |text: &str| {
            crate::disk::write(&file, |out| out.write_all(text.as_bytes())).expect("writable");
        };
        write("Host n1\n HostName 10.0.0.1\n IdentityFile ~/%r_%h\n User other\n");
        let config = ask(question, &place, &cancel).expect("plain lines");
        assert_eq!(config.host, "10.0.0.1");
        assert_eq!(config.user.as_deref(), Some("audit"));
        assert_eq!(
            config.identities,
            [PathBuf::from("/home/me/audit_10.0.0.1")]
        );
        write("Match all\n");
        let error = ask(question, &place, &cancel).expect_err("ssh alone reads that");
        assert!(
            error.ends_with("there is no ssh that could be asked"),
            "{error}"
        );
        place.ssh_config = Some(folder.join("missing"));
        let config = ask(question, &place, &cancel).expect("defaults");
        assert_eq!(config.identities.len(), 5);
        assert_eq!(config.known_hosts.len(), 4);
        std::fs::remove_dir_all(&folder).expect("made above");
    }
}
