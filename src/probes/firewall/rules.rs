//! Rules as both languages have them, and what becomes of a packet that comes in.

use std::collections::BTreeMap;

use crate::model::network::{InputChain, PortRule, PortVerdict};
use crate::model::text::Text;

/// API server, etcd, kubelet, kube-proxy, controller manager, scheduler, cloud controller manager.
const PORTS: [u16; 11] = [
    2379, 2380, 2381, 6443, 10249, 10250, 10255, 10256, 10257, 10258, 10259,
];
/// Port rules that are kept of one chain.
const KEPT: usize = 40;
/// Rules that are looked at.
const RULES: usize = 4000;

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
}

/// One rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Rule {
    /// Inclusive ranges of destination ports; empty: not about ports.
    pub(super) ports: Vec<(u16, u16)>,
    /// Matches something else too: addresses, interfaces, states.
    pub(super) narrowed: bool,
    /// Matches by a set or decides by a map.
    pub(super) opaque: bool,
    pub(super) end: End,
}

/// Chains of one table by name.
pub(super) type Chains = BTreeMap<String, Vec<Rule>>;

/// What a base chain does. `drops`: its policy.
pub(super) fn input(
    chains: &Chains,
    (family, table, chain): (&str, &str, &str),
    drops: bool,
) -> InputChain {
    let mut walk = Walk {
        chains,
        left: RULES,
        ports: Vec::new(),
        opaque: false,
    };
    let end = walk.chain(chain, false, 16);
    InputChain {
        family: Text::new(family),
        table: Text::new(table),
        chain: Text::new(chain),
        drops: end.unwrap_or(drops),
        // What was cut off may decide anything.
        opaque: walk.opaque || walk.left == 0 || walk.ports.len() >= KEPT,
        ports: walk.ports,
    }
}

struct Walk<'c> {
    chains: &'c Chains,
    left: usize,
    ports: Vec<PortRule>,
    opaque: bool,
}

impl Walk<'_> {
    /// Whether everything that comes here is dropped (true) or let in (false); none where it goes back.
    /// `narrowed`: only some packets come here.
    fn chain(&mut self, name: &str, narrowed: bool, depth: u8) -> Option<bool> {
        let chains = self.chains;
        let Some(rules) = chains.get(name).filter(|_| depth > 0) else {
            self.opaque = true;
            return None;
        };
        for rule in rules {
            if self.left == 0 {
                return None;
            }
            self.left -= 1;
            self.opaque |= rule.opaque;
            let whole = rule.ports.is_empty() && !rule.narrowed && !rule.opaque;
            self.take(rule, narrowed);
            let end = match &rule.end {
                End::Accept => Some(false),
                End::Drop => Some(true),
                End::Return if whole => return None,
                End::None | End::Return => None,
                End::Jump(to) => self.chain(to, narrowed || !whole, depth - 1),
                End::Goto(to) => {
                    let end = self.chain(to, narrowed || !whole, depth - 1);
                    if whole {
                        return end;
                    }
                    None
                }
            };
            if whole && end.is_some() {
                return end;
            }
        }
        None
    }

    fn take(&mut self, rule: &Rule, narrowed: bool) {
        let verdict = match rule.end {
            End::Accept => PortVerdict::Accept,
            End::Drop => PortVerdict::Drop,
            _ => PortVerdict::Other,
        };
        for port in PORTS {
            let named = rule
                .ports
                .iter()
                .any(|(from, to)| (*from..=*to).contains(&port));
            if named && self.ports.len() < KEPT {
                self.ports.push(PortRule {
                    port,
                    verdict,
                    narrowed: narrowed || rule.narrowed || rule.opaque,
                });
            }
        }
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
