//! Rules as both languages have them, and what becomes of a connection that comes in.

use std::collections::BTreeMap;

use crate::model::network::{InputChain, PortRule, PortVerdict};
use crate::model::text::Text;

/// API server, etcd, kubelet, kube-proxy, controller manager, scheduler, cloud controller manager.
const PORTS: [u16; 11] = [
    2379, 2380, 2381, 6443, 10249, 10250, 10255, 10256, 10257, 10258, 10259,
];
/// Rules that are looked at for one port.
const RULES: usize = 4000;
/// Chains of the kubelet and of kube-proxy: they decide about Services and loopback, never about who reaches a
/// component.
const OWN: [&str; 7] = [
    "KUBE-EXTERNAL-SERVICES",
    "KUBE-FIREWALL",
    "KUBE-IPVS-FILTER",
    "KUBE-NODE-PORT",
    "KUBE-NODEPORTS",
    "KUBE-PROXY-FIREWALL",
    "KUBE-SOURCE-RANGES-FIREWALL",
];

/// What a rule ends with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum End {
    Accept,
    Drop,
    /// Goes on in another chain, and comes back if that decides nothing.
    Jump(String),
    /// Goes on in another chain for good.
    Goto(String),
    Return,
    /// Counts, logs, marks.
    None,
    /// A map or a program decides.
    Unread,
}

/// Which new TCP connections from other machines a rule takes, its ports aside. Of two matches the later counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Takes {
    All,
    /// All but those from some addresses.
    AllBut,
    /// By what does not tell who comes: an interface, a state, a rate, a set that is not read.
    Unclear,
    /// Those from some addresses.
    Some,
    /// None: loopback, answers, another protocol.
    None,
}

/// One rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Rule {
    /// Inclusive ranges of destination ports; empty: not about ports.
    pub(super) ports: Vec<(u16, u16)>,
    pub(super) takes: Takes,
    /// `ip` or `ip6`, where it takes packets of one family only.
    pub(super) family: Option<&'static str>,
    pub(super) end: End,
}

impl Rule {
    pub(super) const fn new() -> Self {
        Self {
            ports: Vec::new(),
            takes: Takes::All,
            family: None,
            end: End::None,
        }
    }

    pub(super) fn narrow(&mut self, takes: Takes) {
        self.takes = self.takes.max(takes);
    }

    /// A source address: `0.0.0.0/0` is everybody, and of a wide net nobody can tell who is in it.
    pub(super) fn from(&mut self, addresses: &[&str], negated: bool) {
        let narrow = !addresses.is_empty() && addresses.iter().all(|address| is_narrow(address));
        self.narrow(match (narrow, negated) {
            (false, _) => Takes::Unclear,
            (true, false) => Takes::Some,
            (true, true) => Takes::AllBut,
        });
    }

    /// A destination: nobody elsewhere reaches loopback.
    pub(super) fn to(&mut self, address: &str, negated: bool) {
        let loopback = address.starts_with("127.") || address.split('/').next() == Some("::1");
        self.narrow(match (loopback, negated) {
            (true, false) => Takes::None,
            (true, true) => Takes::All,
            (false, _) => Takes::Unclear,
        });
    }

    /// The interface that it came by.
    pub(super) fn by(&mut self, interface: &str, negated: bool) {
        self.narrow(match (interface == "lo", negated) {
            (true, false) => Takes::None,
            (true, true) => Takes::All,
            (false, _) => Takes::Unclear,
        });
    }

    /// States of conntrack, as both languages and the kernel's numbers spell them.
    pub(super) fn in_state<'s>(&mut self, states: impl Iterator<Item = &'s str>, negated: bool) {
        let (mut new, mut others) = (false, false);
        for state in states {
            match state.to_ascii_lowercase().as_str() {
                "new" | "0x8" => new = true,
                "established" | "related" | "invalid" | "0x1" | "0x2" | "0x4" => {}
                _ => others = true,
            }
        }
        self.narrow(match (new, negated) {
            (true, false) | (false, true) => Takes::All,
            (false, false) if !others => Takes::None,
            _ => Takes::Unclear,
        });
    }

    /// A protocol by its name or number.
    pub(super) fn of(&mut self, protocol: &str, negated: bool) {
        const OTHERS: [&str; 13] = [
            "icmp",
            "icmpv6",
            "ipv6-icmp",
            "igmp",
            "udp",
            "sctp",
            "vrrp",
            "gre",
            "esp",
            "ah",
            "1",
            "17",
            "58",
        ];
        let tcp = matches!(protocol, "tcp" | "6" | "all");
        let other = OTHERS.contains(&protocol);
        self.narrow(match (tcp, other, negated) {
            (true, _, false) | (_, true, true) => Takes::All,
            (true, _, true) | (_, true, false) => Takes::None,
            _ => Takes::Unclear,
        });
    }

    /// What it takes of everybody: a drop that spares some shuts everybody else out.
    fn whole(&self) -> Takes {
        match (self.takes, &self.end) {
            (Takes::AllBut, End::Drop) => Takes::All,
            (Takes::AllBut, _) => Takes::Unclear,
            (takes, _) => takes,
        }
    }

    fn is_about(&self, port: Option<u16>) -> bool {
        let named = |port: u16| {
            self.ports
                .iter()
                .any(|(from, to)| (*from..=*to).contains(&port))
        };
        self.ports.is_empty() || port.is_some_and(named)
    }
}

/// Whether a net is too small to be everybody.
fn is_narrow(address: &str) -> bool {
    let Some((address, bits)) = address.split_once('/') else {
        return !address.contains('-');
    };
    // The widest nets that are not routed everywhere: 10.0.0.0/8 and fc00::/7.
    let least = if address.contains(':') { 7 } else { 8 };
    bits.parse().is_ok_and(|bits: u8| bits >= least)
}

/// Chains of one table by name.
pub(super) type Chains = BTreeMap<String, Vec<Rule>>;

/// What a base chain does, once for each family for which it does another thing. `drops`: its policy.
pub(super) fn input(
    chains: &Chains,
    (family, table, chain): (&str, &str, &str),
    drops: bool,
) -> Vec<InputChain> {
    let of = |own: &str, shown: &str| {
        let walk = |port| Walk::new(chains, own, port).base(chain, drops);
        let (rest, _) = walk(None);
        let mut ports = Vec::new();
        for port in PORTS {
            let (verdict, some) = walk(Some(port));
            let mut add = |verdict, narrowed| {
                ports.push(PortRule {
                    port,
                    verdict,
                    narrowed,
                });
            };
            if some && verdict != PortVerdict::Accept {
                add(PortVerdict::Accept, true);
            }
            if verdict != rest {
                add(verdict, false);
            }
        }
        InputChain {
            family: Text::new(shown),
            table: Text::new(table),
            chain: Text::new(chain),
            drops: rest == PortVerdict::Drop,
            opaque: rest == PortVerdict::Other,
            ports,
        }
    };
    if family != "inet" {
        return vec![of(family, family)];
    }
    let (four, six) = (of("ip", "inet"), of("ip6", "inet"));
    if four.drops == six.drops && four.opaque == six.opaque && for_all(&four).eq(for_all(&six)) {
        return vec![four];
    }
    vec![of("ip", "ip"), of("ip6", "ip6")]
}

/// What is said of connections from anywhere.
fn for_all(input: &InputChain) -> impl Iterator<Item = &PortRule> {
    input.ports.iter().filter(|rule| !rule.narrowed)
}

/// The way of one new connection through the chains.
struct Walk<'c> {
    chains: &'c Chains,
    family: &'c str,
    /// None: a port that no rule names.
    port: Option<u16>,
    left: usize,
    /// An earlier rule may have let it in, or dropped it.
    maybe: (bool, bool),
    /// Some addresses are let in.
    some: bool,
}

impl<'c> Walk<'c> {
    const fn new(chains: &'c Chains, family: &'c str, port: Option<u16>) -> Self {
        Self {
            chains,
            family,
            port,
            left: RULES,
            maybe: (false, false),
            some: false,
        }
    }

    /// What becomes of it in the end, and whether some addresses fare better.
    fn base(mut self, chain: &str, drops: bool) -> (PortVerdict, bool) {
        let policy = if drops {
            PortVerdict::Drop
        } else {
            PortVerdict::Accept
        };
        let end = self.chain(chain, 16).unwrap_or(policy);
        let verdict = match (end, self.maybe) {
            (PortVerdict::Drop, (true, _)) | (PortVerdict::Accept, (_, true)) => PortVerdict::Other,
            (end, _) => end,
        };
        (verdict, self.some)
    }

    /// What a chain decides; none where it goes back.
    fn chain(&mut self, name: &str, depth: u8) -> Option<PortVerdict> {
        if OWN.contains(&name) {
            return None;
        }
        let chains = self.chains;
        let Some(rules) = chains.get(name).filter(|_| depth > 0) else {
            return Some(PortVerdict::Other);
        };
        // Once it may have gone back, no rule of the chain is sure to see it.
        let mut gone = false;
        for rule in rules {
            let foreign = rule.family.is_some_and(|family| family != self.family);
            let takes = rule.whole();
            if foreign || takes == Takes::None || !rule.is_about(self.port) {
                continue;
            }
            if self.left == 0 {
                return Some(PortVerdict::Other);
            }
            self.left -= 1;
            if takes == Takes::Some {
                self.some |= rule.end == End::Accept && !rule.ports.is_empty();
                continue;
            }
            let sure = takes == Takes::All && !gone;
            let (end, back) = match &rule.end {
                End::Accept => (Some(PortVerdict::Accept), false),
                End::Drop => (Some(PortVerdict::Drop), false),
                End::Unread => (Some(PortVerdict::Other), false),
                End::Return => (None, true),
                End::None => (None, false),
                End::Jump(to) => (self.chain(to, depth - 1), false),
                End::Goto(to) => (self.chain(to, depth - 1), true),
            };
            match end {
                Some(end) if sure => return Some(end),
                Some(end) => {
                    self.maybe.0 |= end != PortVerdict::Drop;
                    self.maybe.1 |= end != PortVerdict::Accept;
                }
                None if sure && back => return None,
                None => {}
            }
            gone |= back;
        }
        None
    }
}

/// `80`, `80:90`, `80-90`; none where it is no number.
pub(super) fn range(word: &str) -> Option<(u16, u16)> {
    let (from, to) = word.split_once([':', '-']).unwrap_or((word, word));
    let from = if from.is_empty() {
        0
    } else {
        from.parse().ok()?
    };
    let to = if to.is_empty() {
        u16::MAX
    } else {
        to.parse().ok()?
    };
    Some((from, to))
}

/// Words, quoted ones as one.
pub(super) fn words(text: &str) -> Vec<String> {
    let mut out = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let (word, tail) = match rest.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').unwrap_or((quoted, "")),
            None => rest.split_once(' ').unwrap_or((rest, "")),
        };
        out.push(word.to_owned());
        rest = tail.trim_start();
    }
    out
}
