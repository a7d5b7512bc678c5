//! `iptables-save -t filter`.

use super::rules::{self, Chains, End, Rule, Takes};
use crate::model::fact::Gap;
use crate::model::network::InputChain;
use crate::model::text::Text;

/// The INPUT chain of the filter table.
///
/// # Errors
/// [`Gap::Garbled`] where the output is not iptables-save's.
pub(super) fn input(text: &str, family: &str) -> Result<Vec<InputChain>, Gap> {
    let mut chains = Chains::new();
    let mut policy = None;
    for line in text.lines().map(str::trim_end) {
        if let Some(chain) = line.strip_prefix(':') {
            let mut words = chain.split_ascii_whitespace();
            let (Some(name), Some(word)) = (words.next(), words.next()) else {
                return Err(garbled(line));
            };
            if name == "INPUT" {
                policy = Some(word == "DROP" || word == "REJECT");
            }
            chains.entry(name.to_owned()).or_default();
        } else if let Some(rest) = line.strip_prefix("-A ") {
            let (chain, rest) = rest.split_once(' ').unwrap_or((rest, ""));
            let rule = rule(rest).ok_or_else(|| garbled(line))?;
            chains.entry(chain.to_owned()).or_default().push(rule);
        } else if !(line.is_empty() || line.starts_with(['#', '*']) || line == "COMMIT") {
            return Err(garbled(line));
        }
    }
    // An empty answer: nftables hold no table of that name.
    let found = policy.map(|drops| rules::input(&chains, (family, "filter", "INPUT"), drops));
    Ok(found.unwrap_or_default())
}

fn garbled(line: &str) -> Gap {
    Gap::Garbled {
        what: Text::from(format!("a rule of iptables: {}", Text::new(line))),
    }
}

/// `-s 192.0.2.0/24 -p tcp -m tcp --dport 6443 -j ACCEPT`.
fn rule(text: &str) -> Option<Rule> {
    let mut out = Rule::new();
    let mut not = false;
    let mut words = rules::words(text).into_iter();
    while let Some(word) = words.next() {
        let negated = std::mem::take(&mut not);
        match word.as_str() {
            "!" => not = true,
            "-j" => out.end = end(&words.next()?),
            "-g" => out.end = End::Goto(words.next()?),
            "--dport" | "--dports" | "--destination-port" | "--destination-ports" => {
                let list = words.next()?;
                // Everything but some ports: of none can be told what becomes of it.
                if negated {
                    out.narrow(Takes::Unclear);
                } else {
                    out.ports = list.split(',').map(rules::range).collect::<Option<_>>()?;
                }
            }
            "-s" => out.from(&[&words.next()?], negated),
            "-d" => out.to(&words.next()?, negated),
            "-i" => out.by(&words.next()?, negated),
            "-p" => out.of(&words.next()?, negated),
            "--ctstate" | "--state" => out.in_state(words.next()?.split(','), negated),
            "--comment" | "--reject-with" | "--log-prefix" | "--log-level" => {
                words.next();
            }
            // These say nothing but by their options.
            "-m" => match words.next()?.as_str() {
                "tcp" | "multiport" | "comment" | "conntrack" | "state" => {}
                "udp" => out.narrow(Takes::None),
                _ => out.narrow(Takes::Unclear),
            },
            _ => out.narrow(Takes::Unclear),
        }
    }
    Some(out)
}

fn end(target: &str) -> End {
    match target {
        "ACCEPT" => End::Accept,
        "DROP" | "REJECT" => End::Drop,
        "RETURN" => End::Return,
        "LOG" | "MARK" | "NFLOG" | "CONNMARK" | "TRACE" => End::None,
        "NFQUEUE" | "QUEUE" => End::Unread,
        chain => End::Jump(chain.to_owned()),
    }
}
