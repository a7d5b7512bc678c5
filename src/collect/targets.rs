//! From a node's name to where it is reached: the configuration, then ssh_config, then the Node's addresses.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use crate::disk;
use crate::model::fact::{FaultClass, Gap};
use crate::model::name::NodeName;
use crate::model::node::NodeObject;
use crate::model::text::Text;

use super::cancel::Cancel;
use super::jumps::{self, Guide, Hop, Refusal};
use super::options::{Host, Options, Program};
use super::ssh_config::{self, Agent, HostConfig, Question};
use super::transport::{Client, NodeRef};

/// How long an answer of ssh_config is good for, as long as its main files do not change.
const FRESH: Duration = Duration::from_mins(5);
/// The longest name or address that is taken.
const ADDRESS: usize = 253;

/// Systems without an SSH login to the host, by how the kubelet names them.
const WITHOUT_SSH: &[&str] = &["Talos", "Bottlerocket"];

/// Resolves nodes; answers of ssh_config are kept.
pub struct Targets {
    options: Arc<Options>,
    kept: Mutex<HashMap<NodeName, Kept>>,
    /// The hosts on the way to nodes. The lock is held while one is asked for: the first of a fleet asks for all.
    hops: Mutex<HashMap<Hop, Kept>>,
}

struct Kept {
    at: Instant,
    stamps: Stamps,
    config: Result<HostConfig, String>,
}

impl Kept {
    fn holds(&self, stamps: &Stamps) -> bool {
        self.at.elapsed() < FRESH && self.stamps == *stamps
    }
}

type Stamps = [Option<(SystemTime, u64)>; 2];

impl Targets {
    pub fn new(options: Arc<Options>) -> Self {
        Self {
            options,
            kept: Mutex::default(),
            hops: Mutex::default(),
        }
    }

    /// Where `node` is reached. `addresses`: `(type, address)` as the API server says or said, where it did.
    ///
    /// # Errors
    /// [`Gap::Node`]: no address, one that cannot be one, or a configuration that cannot be followed.
    pub fn resolve(
        &self,
        node: &NodeName,
        addresses: Option<&[(Text, Text)]>,
        cancel: &Cancel,
    ) -> Result<NodeRef, Gap> {
        let config = self
            .config(node, cancel)
            .map_err(|error| fault(FaultClass::ConfigUnsupported, &error))?;
        let guide = Hops(self, cancel);
        let (client, via) = choose(self.options.program, &config, &guide)?;
        let target = build(&self.options, node, config, addresses)?;
        Ok(NodeRef {
            client,
            via,
            ..target
        })
    }

    /// Why a node is not to be reached at all, where that is known beforehand.
    pub fn closed(&self, node: &NodeName, object: Option<&NodeObject>) -> Option<Gap> {
        let host = self.options.hosts.get(node);
        if host.is_some_and(|host| host.api_only) {
            return Some(Gap::NotAsked);
        }
        let image = object.map_or("", |object| object.os_image.as_str());
        let without = WITHOUT_SSH.iter().any(|name| image.starts_with(name));
        (without && host.is_none()).then(|| {
            fault(
                FaultClass::NoSshOs,
                &format!("{image} has no SSH login to the host"),
            )
        })
    }

    fn config(&self, node: &NodeName, cancel: &Cancel) -> Result<HostConfig, String> {
        let stamps = self.stamps();
        if let Some(found) = self.kept().get(node).filter(|found| found.holds(&stamps)) {
            return found.config.clone();
        }
        let host = self.options.hosts.get(node);
        let question = Question {
            name: node.as_str(),
            user: user(&self.options, host),
            port: port(&self.options, host),
        };
        if question.user.is_some_and(|user| !is_user(user)) {
            return Err("the configured user is not a login name".to_owned());
        }
        let answer = self.ask(question, stamps, cancel);
        let config = answer.config.clone();
        if !cancel.is_cancelled() {
            self.kept().insert(node.clone(), answer);
        }
        config
    }

    fn hop(&self, hop: &Hop, cancel: &Cancel) -> Result<HostConfig, String> {
        let stamps = self.stamps();
        let mut hops = self.hops.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = hops.get(hop).filter(|found| found.holds(&stamps)) {
            return found.config.clone();
        }
        let answer = self.ask(hop.question(), stamps, cancel);
        let config = answer.config.clone();
        if !cancel.is_cancelled() {
            hops.insert(hop.clone(), answer);
        }
        config
    }

    /// `stamps`: of the files before they are read, so that a change meanwhile is seen.
    fn ask(&self, question: Question<'_>, stamps: Stamps, cancel: &Cancel) -> Kept {
        let config = ssh_config::ask(question, &self.options.place, cancel);
        Kept {
            at: Instant::now(),
            stamps,
            config,
        }
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, HashMap<NodeName, Kept>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn stamps(&self) -> Stamps {
        let place = &self.options.place;
        match &place.ssh_config {
            Some(file) => [disk::stamp(file), None],
            None => [
                disk::stamp(&place.home.join(".ssh/config")),
                disk::stamp(Path::new("/etc/ssh/ssh_config")),
            ],
        }
    }
}

fn user<'a>(options: &'a Options, host: Option<&'a Host>) -> Option<&'a str> {
    host.and_then(|host| host.user.as_deref())
        .or(options.user.as_deref())
}

fn port(options: &Options, host: Option<&Host>) -> Option<u16> {
    host.and_then(|host| host.port).or(options.port)
}

/// Who goes there, and through which bastion.
fn choose(
    program: Program,
    config: &HostConfig,
    guide: &dyn Guide,
) -> Result<(Client, Option<Arc<NodeRef>>), Gap> {
    if program == Program::OpenSsh {
        let why = "ssh.transport in the configuration".to_owned();
        return Ok((Client::OpenSsh(why), None));
    }
    // A list of revoked keys that was passed over would let a stolen key in.
    let way = match (
        config.revoked.as_ref().or(config.proxy.as_ref()),
        &config.jump,
    ) {
        (Some(said), _) => Err(Refusal::OpenSsh(format!("ssh_config has {said}"))),
        (None, Some(list)) => jumps::way(list, guide).map(Some),
        (None, None) => Ok(None),
    };
    match (way, program) {
        (Ok(via), Program::Libssh2) => Ok((Client::OnlyLibssh2, via)),
        (Ok(via), _) => Ok((Client::Libssh2, via)),
        (Err(Refusal::OpenSsh(why)), Program::Libssh2) => {
            Err(fault(FaultClass::NeedsSystemSsh, &why))
        }
        (Err(Refusal::OpenSsh(why)), _) => Ok((Client::OpenSsh(why), None)),
        (Err(Refusal::Broken(why)), _) => Err(fault(FaultClass::ConfigUnsupported, &why)),
    }
}

/// Bastions have nothing but their own Host block: what the configuration says of nodes is not said of them.
struct Hops<'a>(&'a Targets, &'a Cancel);

impl Guide for Hops<'_> {
    fn config(&self, hop: &Hop) -> Result<HostConfig, String> {
        self.0.hop(hop, self.1)
    }

    fn host(&self, hop: &Hop, config: HostConfig) -> Result<NodeRef, Refusal> {
        let options = &self.0.options;
        let node = NodeName::parse(&hop.host)
            .map_err(|_| Refusal::OpenSsh(format!("bastion {} has no name", hop.host)))?;
        let user = config.user.unwrap_or_else(|| options.place.login.clone());
        if !is_user(&user) || !is_address(&config.host) {
            let place = format!("{}@{}", Text::new(&user), Text::new(&config.host));
            return Err(Refusal::Broken(format!(
                "bastion {node}: {place} is no login"
            )));
        }
        let port = config.port.unwrap_or(22);
        Ok(NodeRef {
            known_as: known_as(&node, &config.host, port, config.alias),
            node,
            host: config.host,
            port,
            user,
            known_hosts: config
                .known_hosts
                .into_iter()
                .chain(options.own_known_hosts.clone())
                .collect(),
            identities: config.identities,
            identities_only: config.identities_only,
            agent: agent(options, config.agent),
            client: Client::default(),
            certificates: config.certificates,
            beyond: config.beyond,
            via: None,
        })
    }
}

/// The socket of the agent that is to be asked.
fn agent(options: &Options, configured: Agent) -> Option<PathBuf> {
    match (&options.place.agent, configured) {
        (None, _) | (_, Agent::None) => None,
        (Some(agent), Agent::Environment) => Some(agent.clone()),
        (Some(_), Agent::Socket(socket)) => Some(socket),
    }
}

/// Puts the sources together; pure.
fn build(
    options: &Options,
    node: &NodeName,
    config: HostConfig,
    addresses: Option<&[(Text, Text)]>,
) -> Result<NodeRef, Gap> {
    let own = options.hosts.get(node);
    let user = user(options, own)
        .map(str::to_owned)
        .or(config.user)
        .unwrap_or_else(|| options.place.login.clone());
    if !is_user(&user) {
        let text = format!("{} is not a login name", Text::new(&user));
        return Err(fault(FaultClass::ConfigUnsupported, &text));
    }
    let named = (!config.host.eq_ignore_ascii_case(node.as_str())).then_some(config.host);
    let host = match own.and_then(|own| own.address.clone()).or(named) {
        Some(host) => host,
        None => from_addresses(node, addresses)?,
    };
    if !is_address(&host) {
        let text = format!("{} is not an address", Text::new(&host));
        return Err(fault(FaultClass::NoTarget, &text));
    }
    let port = port(options, own).or(config.port).unwrap_or(22);
    let mut known_hosts = or(&options.known_hosts, config.known_hosts);
    known_hosts.extend(options.own_known_hosts.clone());
    let alias = own.and_then(|own| own.known_as.clone()).or(config.alias);
    Ok(NodeRef {
        node: node.clone(),
        known_as: known_as(node, &host, port, alias),
        host,
        port,
        user,
        known_hosts,
        identities_only: config.identities_only || !options.identities.is_empty(),
        identities: or(&options.identities, config.identities),
        agent: agent(options, config.agent),
        client: Client::default(),
        certificates: config.certificates,
        beyond: config.beyond,
        via: None,
    })
}

fn or(own: &[PathBuf], otherwise: Vec<PathBuf>) -> Vec<PathBuf> {
    if own.is_empty() {
        otherwise
    } else {
        own.to_vec()
    }
}

/// InternalIP, then ExternalIP. A node that the API server does not know was named by the user: its name is
/// what `ssh` would be given.
fn from_addresses(node: &NodeName, addresses: Option<&[(Text, Text)]>) -> Result<String, Gap> {
    let Some(addresses) = addresses else {
        return Ok(node.as_str().to_owned());
    };
    ["InternalIP", "ExternalIP"]
        .iter()
        .find_map(|kind| addresses.iter().find(|(found, _)| found == kind))
        .map(|(_, address)| address.as_str().to_owned())
        .ok_or_else(|| {
            fault(
                FaultClass::NoTarget,
                "the node has no InternalIP and no ExternalIP",
            )
        })
}

/// As OpenSSH: an alias alone, as it is; else the name and the address, with a port that is not 22.
fn known_as(node: &NodeName, host: &str, port: u16, alias: Option<String>) -> Vec<String> {
    if let Some(alias) = alias {
        return vec![alias.to_ascii_lowercase()];
    }
    let with_port = |name: &str| {
        let name = name.to_ascii_lowercase();
        if port == 22 {
            name
        } else {
            format!("[{name}]:{port}")
        }
    };
    let mut names = vec![with_port(node.as_str()), with_port(host)];
    names.dedup();
    names
}

/// A name or an address as DNS and IP spell them; never an option, never a path, never anything to expand.
pub(super) fn is_address(text: &str) -> bool {
    let plain = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'.' | b':' | b'_' | b'-');
    !text.is_empty() && text.len() <= ADDRESS && !text.starts_with('-') && text.bytes().all(plain)
}

pub(super) fn is_user(text: &str) -> bool {
    let plain = |c: u8| c.is_ascii_graphic() && !matches!(c, b'\'' | b'"' | b'`' | b'$' | b'\\');
    !text.is_empty() && text.len() <= 256 && !text.starts_with('-') && text.bytes().all(plain)
}

fn fault(class: FaultClass, detail: &str) -> Gap {
    Gap::Node {
        class,
        detail: Text::new(detail),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(addresses: &[(&str, &str)]) -> NodeObject {
        serde_json::from_value(serde_json::json!({
            "uid": "u", "labels": {}, "taints": [], "ready": "True",
            "addresses": addresses, "machine_id": "m", "boot_id": "b",
            "kubelet_version": "v1.35.0", "os_image": "Debian", "resource_version": "1",
        }))
        .expect("a node object")
    }

    fn name() -> NodeName {
        NodeName::parse("N1").expect("a name")
    }

    fn config(host: &str) -> HostConfig {
        HostConfig {
            host: host.to_owned(),
            ..HostConfig::default()
        }
    }

    fn target(options: &Options, config: HostConfig, addresses: Option<&[(&str, &str)]>) -> String {
        let object = addresses.map(object);
        let known = object.as_ref().map(|object| object.addresses.as_slice());
        match build(options, &name(), config, known) {
            Ok(node) => format!(
                "{}@{}:{} {}",
                node.user,
                node.host,
                node.port,
                node.known_as.join(",")
            ),
            Err(gap) => gap.to_string(),
        }
    }

    const IPS: &[(&str, &str)] = &[
        ("Hostname", "n1"),
        ("ExternalIP", "192.0.2.1"),
        ("InternalIP", "10.0.0.1"),
    ];

    #[test]
    fn the_first_source_that_knows_wins() {
        let plain = Options::default();
        let mut own = Options::default();
        let host = Host {
            address: Some("198.51.100.1".to_owned()),
            port: Some(2222),
            user: Some("me".to_owned()),
            ..Host::default()
        };
        own.hosts.insert(name(), host);
        let alias = HostConfig {
            alias: Some("Alias".to_owned()),
            port: Some(2200),
            ..config("n1")
        };
        let of = |config, addresses| target(&plain, config, Some(addresses));
        assert_eq!(
            target(&own, config("10.9.9.9"), Some(IPS)),
            "me@198.51.100.1:2222 [n1]:2222,[198.51.100.1]:2222"
        );
        assert_eq!(of(config("10.9.9.9"), IPS), "root@10.9.9.9:22 n1,10.9.9.9");
        assert_eq!(of(config("n1"), IPS), "root@10.0.0.1:22 n1,10.0.0.1");
        assert_eq!(
            of(config("n1"), &IPS[..2]),
            "root@192.0.2.1:22 n1,192.0.2.1"
        );
        assert_eq!(of(alias, IPS), "root@10.0.0.1:2200 alias");
        assert_eq!(target(&plain, config("n1"), None), "root@N1:22 n1");
    }

    #[test]
    fn what_is_no_address_is_not_used() {
        for (address, expected) in [
            (None, "the node has no InternalIP and no ExternalIP"),
            (
                Some("-oProxyCommand=x"),
                "-oProxyCommand=x is not an address",
            ),
            (Some("10.0.0.1;reboot"), "10.0.0.1;reboot is not an address"),
            (Some("$(x)"), "$(x) is not an address"),
        ] {
            let addresses: Vec<_> = address.map(|it| ("InternalIP", it)).into_iter().collect();
            let text = target(&Options::default(), config("n1"), Some(&addresses));
            let expected = format!("the node was not read (no-target): {expected}");
            assert_eq!(text, expected);
        }
        assert!(is_address("fd00::1") && !is_address(&"a".repeat(254)));
    }

    #[test]
    fn who_goes_there() {
        let proxied = HostConfig {
            proxy: Some("proxycommand nc".to_owned()),
            ..config("n1")
        };
        let options = Options {
            place: super::super::options::Place {
                ssh: "/nonexistent/ssh".into(),
                ssh_config: Some("/nonexistent/config".into()),
                ..Options::default().place
            },
            ..Options::default()
        };
        let (targets, cancel) = (
            Targets::new(Arc::new(options)),
            Cancel::new().expect("a pipe"),
        );
        let guide = Hops(&targets, &cancel);
        let told = |program, config: &HostConfig| match choose(program, config, &guide) {
            Ok((client, via)) => {
                let via = via.map_or_else(String::new, |via| format!(" via {}", via.known_as[0]));
                format!("{client:?}{via}")
            }
            Err(gap) => gap.to_string(),
        };
        let why = "OpenSsh(\"ssh_config has proxycommand nc\")";
        assert_eq!(told(Program::Auto, &proxied), why);
        assert_eq!(
            told(Program::Libssh2, &proxied),
            "the node was not read (needs-system-ssh): ssh_config has proxycommand nc"
        );
        let revoking = HostConfig {
            revoked: Some("revokedhostkeys /k".to_owned()),
            jump: Some("b0".to_owned()),
            ..config("n1")
        };
        let why = "ssh_config has revokedhostkeys /k";
        assert_eq!(
            told(Program::Auto, &revoking),
            format!("OpenSsh(\"{why}\")")
        );
        assert_eq!(
            told(Program::Libssh2, &revoking),
            format!("the node was not read (needs-system-ssh): {why}")
        );
        let jump = HostConfig {
            jump: Some("b0,b1:2222".to_owned()),
            ..config("n1")
        };
        assert_eq!(told(Program::Auto, &jump), "Libssh2 via [b1]:2222");
        assert_eq!(told(Program::Libssh2, &jump), "OnlyLibssh2 via [b1]:2222");
        let why = "OpenSsh(\"ssh.transport in the configuration\")";
        assert_eq!(told(Program::OpenSsh, &jump), why);
    }

    #[test]
    fn systems_without_ssh_are_not_knocked_at() {
        let targets = Targets::new(Arc::new(Options::default()));
        let mut talos = object(&[]);
        assert_eq!(targets.closed(&name(), Some(&talos)), None);
        talos.os_image = Text::new("Talos (v1.9.0)");
        let gap = targets.closed(&name(), Some(&talos)).expect("no ssh");
        assert!(gap.to_string().contains("(no-ssh-os)"), "{gap}");
    }
}
