//! `nft list chains` and `nft list table`.

use super::rules::{self, Chains, End, Rule};
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
    Ok(bases.iter().map(of).collect())
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
    let mut out = Rule {
        ports: Vec::new(),
        narrowed: false,
        opaque: line.contains('@') || line.contains(" vmap ") || line.contains(" map "),
        end: End::None,
    };
    let mut words = line.split_ascii_whitespace().peekable();
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
            // A match or a target of iptables that nft has no word for.
            "xt" => out.opaque = true,
            "counter" | "tcp" | "th" => {}
            "packets" | "bytes" | "log" | "prefix" | "level" | "flags" if out.ports.is_empty() => {
                words.next();
            }
            "packets" | "bytes" => {
                words.next();
            }
            "dport" => match words.next()? {
                "{" => {
                    for port in words.by_ref().take_while(|word| *word != "}") {
                        out.ports.push(rules::range(port.trim_end_matches(','))?);
                    }
                }
                "!=" => out.opaque = true,
                set if set.starts_with('@') => {}
                port => out.ports.push(rules::range(port)?),
            },
            _ => out.narrowed = true,
        }
    }
    Some(out)
}
