//! What the node's packet filter lets in: base chains at the input hook, and what their rules say of the ports of
//! Kubernetes. Two languages, nft's and iptables-save's, end in the same facts.

use std::fmt::Write as _;

use super::answer::{Answer, Content, not_read, summary};
use super::probe::{Ask, Probe, Reading};
use crate::model::fact::{Fact, Gap, Locator, Need};
use crate::model::network::{Firewall, InputChain, PortVerdict};
use crate::model::node::HostFacts;
use crate::model::text::Text;

mod iptables;
mod nft;
mod rules;

/// The packet filter of the node itself.
pub static PROBE: Probe = Probe {
    need: Need::Firewall,
    what: "what the packet filter lets in: input chains, and their rules about the ports of Kubernetes",
    asks: &[Ask::Shell {
        section: SECTION,
        since: 2,
        root: Some("the rules of the packet filter"),
        fragment: include_str!("shell/firewall.sh"),
        read,
    }],
};

const SECTION: &str = "firewall";

fn read(answer: &Answer<'_>, reading: &Reading<'_>, facts: &mut HostFacts) {
    facts.firewall = match inputs(answer) {
        Err(gap) => Fact::Gap(gap),
        Ok(inputs) => {
            facts.sources.push(summary(
                (Need::Firewall, 0),
                "nft list chains; nft list table FAMILY NAME; iptables-save -t filter; ip6tables-save -t filter",
                &shown(&inputs),
                reading,
            ));
            Fact::seen(Firewall { inputs }, Locator::new(Need::Firewall, 0))
        }
    };
}

fn inputs(answer: &Answer<'_>) -> Result<Vec<InputChain>, Gap> {
    if let Some(word) = answer.refusal(SECTION, b"rules") {
        return Err(not_read(word, "the rules of the packet filter"));
    }
    let has = |name: &str| {
        answer
            .records(SECTION, "V")
            .any(|fields| fields.first().is_some_and(|field| field == name.as_bytes()))
    };
    let mut out = Vec::new();
    for (mark, name, family) in [("legacy4", "ip", "ip"), ("legacy6", "ip6", "ip6")] {
        match text(answer, name)? {
            Some(rules) => out.extend(iptables::input(&rules, family)?),
            None if has(mark) => return Err(missing("iptables")),
            None => {}
        }
    }
    if !has("nf_tables") {
        return Ok(out);
    }
    match text(answer, "chains")? {
        Some(chains) => out.extend(tables(answer, &chains)?),
        None => {
            for (name, family) in [("nft-ip", "ip"), ("nft-ip6", "ip6")] {
                let rules = text(answer, name)?.ok_or_else(|| missing("nft"))?;
                out.extend(iptables::input(&rules, family)?);
            }
        }
    }
    Ok(out)
}

/// The tables that have a base chain where packets come in; each of them has to be there.
fn tables(answer: &Answer<'_>, chains: &str) -> Result<Vec<InputChain>, Gap> {
    let mut out = Vec::new();
    for (family, table) in nft::with_input(chains) {
        let rules =
            text(answer, &format!("nft {family} {table}"))?.ok_or_else(|| Gap::Garbled {
                what: Text::from(format!("the rules of table {}", Text::new(table))),
            })?;
        out.extend(nft::input(&rules, family, table)?);
    }
    Ok(out)
}

fn text<'a>(answer: &Answer<'a>, name: &str) -> Result<Option<std::borrow::Cow<'a, str>>, Gap> {
    match answer.content(SECTION, name, &[0]) {
        None => Ok(None),
        Some(Content::Whole(text)) => Ok(Some(String::from_utf8_lossy(text))),
        Some(Content::Gap(gap)) => Err(gap),
    }
}

fn missing(tool: &str) -> Gap {
    Gap::ToolMissing {
        tool: Text::new(tool),
    }
}

fn shown(inputs: &[InputChain]) -> String {
    if inputs.is_empty() {
        return "no chain filters what comes in\n".to_owned();
    }
    let mut out = String::new();
    for input in inputs {
        let _ = writeln!(
            out,
            "{} {} {}: {} what no rule decides{}",
            input.family,
            input.table,
            input.chain,
            if input.drops { "drops" } else { "accepts" },
            if input.opaque {
                ", or so: some rules decide by what is not read"
            } else {
                ""
            },
        );
        for rule in &input.ports {
            let verdict = match rule.verdict {
                PortVerdict::Accept => "accept",
                PortVerdict::Drop => "drop",
                PortVerdict::Other => "not told",
            };
            let narrowed = if rule.narrowed { " from some" } else { "" };
            let _ = writeln!(out, "  port {}{narrowed}: {verdict}", rule.port);
        }
    }
    out
}

#[cfg(test)]
mod tests;
