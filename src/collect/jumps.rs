//! The hosts that `ProxyJump` names: the list as it is written, and the way through it.
//!
//! As OpenSSH goes it: the last of the list is reached through those before it, whatever its own Host block says
//! of jumps; the first one by its own Host block, which may name more.

use std::sync::Arc;

use super::ssh_config::{HostConfig, Question};
use super::transport::NodeRef;

/// More hosts in a row are a mistake.
const HOPS: usize = 8;

/// One entry of the list, nothing resolved.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Hop {
    pub host: String,
    pub user: Option<String>,
    pub port: Option<u16>,
}

/// Why there is no way through lanes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// OpenSSH can go it, and why nobody else.
    OpenSsh(String),
    /// Nobody can.
    Broken(String),
}

/// What is needed of the world: the settings of a hop, and the host that they make.
pub(super) trait Guide {
    fn config(&self, hop: &Hop) -> Result<HostConfig, String>;
    fn host(&self, hop: &Hop, config: HostConfig) -> Result<NodeRef, Refusal>;
}

/// The last bastion of a list, each one behind the one before it.
pub(super) fn way(list: &str, guide: &dyn Guide) -> Result<Arc<NodeRef>, Refusal> {
    let mut seen = Vec::new();
    let last = follow(list, guide, &mut seen)?;
    let hops = std::iter::successors(Some(&last), |hop| hop.via.as_ref()).count();
    if hops > HOPS {
        let text = format!("ProxyJump leads over {hops} hosts, more than {HOPS}");
        return Err(Refusal::Broken(text));
    }
    Ok(last)
}

fn follow(list: &str, guide: &dyn Guide, seen: &mut Vec<Hop>) -> Result<Arc<NodeRef>, Refusal> {
    let hops = parse(list).map_err(Refusal::Broken)?;
    let mut via = None;
    let mut first = true;
    for hop in hops {
        let config = guide
            .config(&hop)
            .map_err(|error| Refusal::Broken(format!("bastion {}: {error}", hop.host)))?;
        if let Some(revoked) = &config.revoked {
            let text = format!("ssh_config has {revoked} for bastion {}", hop.host);
            return Err(Refusal::OpenSsh(text));
        }
        if std::mem::take(&mut first) {
            if let Some(proxy) = &config.proxy {
                let text = format!("ssh_config has {proxy} for bastion {}", hop.host);
                return Err(Refusal::OpenSsh(text));
            }
            if let Some(list) = &config.jump {
                if seen.contains(&hop) || seen.len() >= HOPS {
                    let text = format!("ProxyJump leads from {} back to it", hop.host);
                    return Err(Refusal::Broken(text));
                }
                seen.push(hop.clone());
                via = Some(follow(list, guide, seen)?);
            }
        }
        let host = guide.host(&hop, config)?;
        via = Some(Arc::new(NodeRef { via, ..host }));
    }
    via.ok_or_else(|| Refusal::Broken("ProxyJump names no host".to_owned()))
}

/// `[user@]host[:port]` or an `ssh://` URI, separated by commas (ssh_config(5)).
fn parse(list: &str) -> Result<Vec<Hop>, String> {
    list.split(',').map(|word| hop(word.trim())).collect()
}

fn hop(word: &str) -> Result<Hop, String> {
    let wrong = || {
        let word = crate::model::text::Text::new(word);
        format!("ProxyJump has {word}, which is no host")
    };
    let rest = match word.strip_prefix("ssh://") {
        Some(rest) => rest.strip_suffix('/').unwrap_or(rest),
        None => word,
    };
    let (user, rest) = match rest.rsplit_once('@') {
        Some((user, rest)) => (Some(user), rest),
        None => (None, rest),
    };
    let (host, port) = match rest.strip_prefix('[') {
        Some(rest) => {
            let (host, after) = rest.split_once(']').ok_or_else(wrong)?;
            (host, after.strip_prefix(':'))
        }
        None if rest.matches(':').count() > 1 => (rest, None),
        None => match rest.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (rest, None),
        },
    };
    let port = match port {
        Some(port) => Some(
            port.parse()
                .ok()
                .filter(|port| *port != 0)
                .ok_or_else(wrong)?,
        ),
        None => None,
    };
    if !super::targets::is_address(host) || user.is_some_and(|user| !super::targets::is_user(user))
    {
        return Err(wrong());
    }
    Ok(Hop {
        host: host.to_owned(),
        user: user.map(str::to_owned),
        port,
    })
}

impl Hop {
    pub fn question(&self) -> Question<'_> {
        Question {
            name: &self.host,
            user: self.user.as_deref(),
            port: self.port,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;
    use crate::collect::transport::Client;
    use crate::model::name::NodeName;

    /// Host blocks: `jump X`, `command` or `revoked`, by name.
    struct Map(HashMap<&'static str, &'static str>);

    impl Guide for Map {
        fn config(&self, hop: &Hop) -> Result<HostConfig, String> {
            let said = self.0.get(hop.host.as_str()).copied().unwrap_or_default();
            Ok(HostConfig {
                host: hop.host.clone(),
                jump: said.strip_prefix("jump ").map(str::to_owned),
                proxy: (said == "command").then(|| "proxycommand nc".to_owned()),
                revoked: (said == "revoked").then(|| "revokedhostkeys /k".to_owned()),
                ..HostConfig::default()
            })
        }

        fn host(&self, hop: &Hop, config: HostConfig) -> Result<NodeRef, Refusal> {
            Ok(NodeRef {
                node: NodeName::parse(&hop.host).map_err(Refusal::OpenSsh)?,
                host: config.host,
                port: hop.port.unwrap_or(22),
                user: hop.user.clone().unwrap_or_default(),
                known_as: Vec::new(),
                known_hosts: Vec::new(),
                identities: Vec::new(),
                identities_only: false,
                agent: None,
                client: Client::Libssh2,
                certificates: Vec::new(),
                beyond: Vec::new(),
                via: None,
            })
        }
    }

    fn told(blocks: &[(&'static str, &'static str)], list: &str) -> String {
        match way(list, &Map(blocks.iter().copied().collect())) {
            Ok(last) => {
                let hops = std::iter::successors(Some(&last), |hop| hop.via.as_ref());
                let mut names: Vec<String> = hops
                    .map(|hop| format!("{}@{}:{}", hop.user, hop.host, hop.port))
                    .collect();
                names.reverse();
                names.join(" > ")
            }
            Err(Refusal::OpenSsh(why)) => format!("openssh: {why}"),
            Err(Refusal::Broken(why)) => why,
        }
    }

    #[test]
    fn a_list_is_gone_as_openssh_goes_it() {
        for (list, expected) in [
            ("b1", "@b1:22"),
            ("me@b1:2222,ssh://b2:23/", "me@b1:2222 > @b2:23"),
            ("a@b@b1", "a@b@b1:22"),
            ("[10.0.0.1]:5", "@10.0.0.1:5"),
            ("", "ProxyJump has , which is no host"),
            ("b1,", "ProxyJump has , which is no host"),
            ("b1:0", "ProxyJump has b1:0, which is no host"),
            ("b1:x", "ProxyJump has b1:x, which is no host"),
            (
                "-oProxyCommand=x",
                "ProxyJump has -oProxyCommand=x, which is no host",
            ),
            ("$(x)", "ProxyJump has $(x), which is no host"),
            ("-l@b1", "ProxyJump has -l@b1, which is no host"),
            ("[b1", "ProxyJump has [b1, which is no host"),
        ] {
            assert_eq!(told(&[], list), expected, "{list}");
        }
        assert!(
            told(&[], "fd00::1").starts_with("openssh: "),
            "an address is no name"
        );
    }

    #[test]
    fn only_the_first_host_may_lead_elsewhere() {
        let blocks = [("b1", "jump b0"), ("b2", "jump x"), ("c", "command")];
        assert_eq!(told(&blocks, "b1,b2"), "@b0:22 > @b1:22 > @b2:22");
        assert_eq!(told(&blocks, "b2,b1"), "@x:22 > @b2:22 > @b1:22");
        assert_eq!(told(&blocks, "b0,c"), "@b0:22 > @c:22");
        assert_eq!(
            told(&blocks, "c,b0"),
            "openssh: ssh_config has proxycommand nc for bastion c"
        );
    }

    #[test]
    fn a_list_of_revoked_keys_counts_for_every_host() {
        for list in ["k", "b0,k", "b0,k,b1", "j"] {
            assert_eq!(
                told(&[("k", "revoked"), ("j", "jump b0,k")], list),
                "openssh: ssh_config has revokedhostkeys /k for bastion k",
                "{list}"
            );
        }
    }

    #[test]
    fn circles_and_long_ways_end() {
        let blocks = [("a", "jump b"), ("b", "jump a"), ("s", "jump s")];
        assert_eq!(told(&blocks, "a"), "ProxyJump leads from a back to it");
        assert_eq!(told(&blocks, "s"), "ProxyJump leads from s back to it");
        let list = ["h"; 9].join(",");
        assert_eq!(
            told(&[], &list),
            "ProxyJump leads over 9 hosts, more than 8"
        );
    }
}
