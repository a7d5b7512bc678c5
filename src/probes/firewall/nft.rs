//! `nft list chains` and `nft list table`.

use std::iter::Peekable;

use super::rules::{self, Chains, End, Rule, Takes};
use crate::model::fact::Gap;
use crate::model::network::InputChain;
use crate::model::text::Text;

/// Family and name of the tables with a base chain at the input hook.
pub(super) fn with_input(chains: &str) -> Vec<(&str, &str)> {
    let mut out = Vec::new();
    let mut table = None;
    for line in chains.lines() {
        if let Some(head) = line.strip_prefix("table ") {
            table = head.trim_end_matches([' ', '{']).split_once(' ');
        } else if line.contains("hook input")
            && let Some(table) =
                table.filter(|(family, _)| matches!(*family, "ip" | "ip6" | "inet"))
            // It only turns away what comes for a Service.
            && table.1 != "kube-proxy"
            && !out.contains(&table)
        {
            out.push(table);
        }
    }
    out
}

/// The base chains at the input hook of one table.
///
/// # Errors
/// [`Gap::Garbled`] where a rule cannot be told from what stands around it.
pub(super) fn input(text: &str, family: &str, table: &str) -> Result<Vec<InputChain>, Gap> {
    let mut chains = Chains::new();
    let mut bases: Vec<(String, bool)> = Vec::new();
    let mut chain: Option<String> = None;
    let mut depth = 0_i32;
    for line in text.lines().map(str::trim) {
        let before = depth;
        depth += count(line, '{') - count(line, '}');
        if before == 1 {
            chain = line
                .strip_prefix("chain ")
                .map(|name| name.trim_end_matches([' ', '{']).to_owned());
            if let Some(name) = &chain {
                chains.entry(name.clone()).or_default();
            }
            continue;
        }
        let Some(name) = chain.as_ref().filter(|_| before == 2 && line != "}") else {
            continue;
        };
        if let Some(base) = line.strip_prefix("type ") {
            if base.contains("hook input") && base.starts_with("filter ") {
                bases.push((name.clone(), base.contains("policy drop")));
            }
        } else if let Some(rules) = chains.get_mut(name)
            && !line.is_empty()
            && !line.starts_with('#')
        {
            rules.push(rule(line).ok_or_else(|| Gap::Garbled {
                what: Text::from(format!("a rule of nftables: {}", Text::new(line))),
            })?);
        }
    }
    let of = |(name, drops): &(String, bool)| rules::input(&chains, (family, table, name), *drops);
    Ok(bases.iter().flat_map(of).collect())
}

/// Braces outside of quotes: a comment may hold any.
fn count(line: &str, sign: char) -> i32 {
    let bare = line.split('"').step_by(2);
    let signs = bare
        .flat_map(str::chars)
        .filter(|c| *c == sign)
        .take(100)
        .count();
    i32::try_from(signs).unwrap_or_default()
}

/// `ip saddr 192.0.2.0/24 tcp dport { 6443, 10250-10259 } counter packets 1 bytes 2 accept comment "x"`.
fn rule(line: &str) -> Option<Rule> {
    let line = line.split(" comment \"").next().unwrap_or(line);
    let mut out = Rule::new();
    if line.contains('@') {
        out.narrow(Takes::Unclear);
    }
    // A map may hold any verdict.
    if line.contains(" vmap ") || line.contains(" map ") {
        out.narrow(Takes::Unclear);
        out.end = End::Unread;
        return Some(out);
    }
    let words = rules::words(line);
    let mut words = words.iter().map(String::as_str).peekable();
    while let Some(word) = words.next() {
        match word {
            "accept" => out.end = End::Accept,
            "drop" | "reject" => {
                out.end = End::Drop;
                break;
            }
            "return" => out.end = End::Return,
            "jump" => out.end = End::Jump(words.next()?.to_owned()),
            "goto" => out.end = End::Goto(words.next()?.to_owned()),
            // What nft has no word for may be a verdict too.
            "queue" | "synproxy" | "xt" => {
                out.end = End::Unread;
                out.narrow(Takes::Unclear);
                break;
            }
            "counter" | "log" => {
                while words.next_if(|word| OPTIONS.contains(word)).is_some() {
                    words.next();
                }
            }
            "ip" | "ip6" => {
                out.family = Some(if word == "ip" { "ip" } else { "ip6" });
                address(&mut words, &mut out)?;
            }
            "tcp" | "th" if words.next_if_eq(&"dport").is_some() => ports(&mut words, &mut out)?,
            "udp" | "icmp" | "icmpv6" | "sctp" | "igmp" => out.narrow(Takes::None),
            "iif" | "iifname" => {
                let (names, negated) = values(&mut words)?;
                match names.as_slice() {
                    [name] => out.by(name, negated),
                    _ => out.narrow(Takes::Unclear),
                }
            }
            "ct" if words.next_if_eq(&"state").is_some() => {
                let (states, negated) = values(&mut words)?;
                out.in_state(states.iter().flat_map(|state| state.split(',')), negated);
            }
            "meta" => meta(&mut words, &mut out)?,
            _ => out.narrow(Takes::Unclear),
        }
    }
    Some(out)
}

/// Options of `counter` and `log` that have a value.
const OPTIONS: [&str; 8] = [
    "packets",
    "bytes",
    "prefix",
    "level",
    "flags",
    "group",
    "snaplen",
    "queue-threshold",
];

/// What stands behind a key: one value or a set of them, and whether it is negated. A set by its name gives none.
fn values<'w>(words: &mut Peekable<impl Iterator<Item = &'w str>>) -> Option<(Vec<&'w str>, bool)> {
    let negated = words.next_if_eq(&"!=").is_some();
    words.next_if_eq(&"==");
    let first = words.next()?;
    if first != "{" {
        return Some((vec![first], negated));
    }
    let set = words.by_ref().take_while(|word| *word != "}");
    let set = set.map(|word| word.trim_end_matches(','));
    Some((set.collect(), negated))
}

/// Behind `ip` or `ip6`.
fn address<'w>(words: &mut Peekable<impl Iterator<Item = &'w str>>, out: &mut Rule) -> Option<()> {
    let field = words.next()?;
    let (list, negated) = values(words)?;
    match (field, list.as_slice()) {
        ("saddr", list) if list.iter().any(|one| one.starts_with('@')) => {}
        ("saddr", list) => out.from(list, negated),
        ("daddr", [one]) => out.to(one, negated),
        ("protocol" | "nexthdr", list) => protocol(list, negated, out),
        _ => out.narrow(Takes::Unclear),
    }
    Some(())
}

/// Behind `meta`.
fn meta<'w>(words: &mut Peekable<impl Iterator<Item = &'w str>>, out: &mut Rule) -> Option<()> {
    let field = words.next()?;
    let (list, negated) = values(words)?;
    match (field, list.as_slice()) {
        ("l4proto", list) => protocol(list, negated, out),
        ("nfproto", ["ipv4" | "2"]) if !negated => out.family = Some("ip"),
        ("nfproto", ["ipv6" | "10"]) if !negated => out.family = Some("ip6"),
        _ => out.narrow(Takes::Unclear),
    }
    Some(())
}

fn protocol(list: &[&str], negated: bool, out: &mut Rule) {
    let tcp = list.iter().find(|one| matches!(**one, "tcp" | "6"));
    match (tcp, list) {
        (Some(tcp), _) => out.of(tcp, negated),
        (None, [one]) => out.of(one, negated),
        (None, _) => out.narrow(Takes::Unclear),
    }
}

/// Behind `dport`.
fn ports<'w>(words: &mut Peekable<impl Iterator<Item = &'w str>>, out: &mut Rule) -> Option<()> {
    let (list, negated) = values(words)?;
    if negated {
        out.narrow(Takes::Unclear);
        return Some(());
    }
    for port in list.into_iter().filter(|port| !port.starts_with('@')) {
        out.ports.push(rules::range(port)?);
    }
    Some(())
}
