//! NetworkPolicies: whom they select, and what of their rules lets nearly anything through.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use serde::Deserialize;

use super::network::labels;
use super::{IntOrString, LABELS, Meta, Shape, field, or_default, texts};
use crate::model::objects::{Expression, NetworkPolicy, Selector, Traffic};
use crate::model::text::Text;

/// Wide rules that are named.
const WIDE: usize = 8;
/// Where clouds keep a node's credentials.
const METADATA: Ipv4Addr = Ipv4Addr::new(169, 254, 169, 254);

/// A label selector.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct SelectorItem {
    #[serde(deserialize_with = "or_default")]
    match_labels: BTreeMap<String, String>,
    #[serde(deserialize_with = "or_default")]
    match_expressions: Vec<ExpressionItem>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct ExpressionItem {
    key: String,
    operator: String,
    #[serde(deserialize_with = "or_default")]
    values: Vec<String>,
}

impl SelectorItem {
    fn is_empty(&self) -> bool {
        self.match_labels.is_empty() && self.match_expressions.is_empty()
    }

    /// None where it is too large to be kept.
    pub(super) fn keep(&self) -> Option<Selector> {
        let expressions = &self.match_expressions;
        let values: usize = expressions.iter().map(|one| one.values.len()).sum();
        if expressions.len() + values > LABELS {
            return None;
        }
        let expression = |read: &ExpressionItem| Expression {
            key: field(&read.key),
            operator: field(&read.operator),
            values: read.values.iter().map(|value| field(value)).collect(),
        };
        Some(Selector {
            match_labels: labels(&self.match_labels)?,
            match_expressions: expressions.iter().map(expression).collect(),
        })
    }
}

#[derive(Deserialize)]
pub(super) struct PolicyItem {
    #[serde(default, deserialize_with = "or_default")]
    metadata: Meta,
    #[serde(default, deserialize_with = "or_default")]
    spec: Spec,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Spec {
    #[serde(deserialize_with = "or_default")]
    pod_selector: SelectorItem,
    #[serde(deserialize_with = "or_default")]
    policy_types: Vec<String>,
    #[serde(deserialize_with = "or_default")]
    ingress: Vec<RuleItem>,
    #[serde(deserialize_with = "or_default")]
    egress: Vec<RuleItem>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RuleItem {
    #[serde(deserialize_with = "or_default")]
    from: Vec<Peer>,
    #[serde(deserialize_with = "or_default")]
    to: Vec<Peer>,
    #[serde(deserialize_with = "or_default")]
    ports: Vec<PolicyPort>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Peer {
    ip_block: Option<Block>,
    namespace_selector: Option<SelectorItem>,
    pod_selector: Option<SelectorItem>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Block {
    cidr: String,
    #[serde(deserialize_with = "or_default")]
    except: Vec<String>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct PolicyPort {
    protocol: Option<String>,
    port: Option<IntOrString>,
    end_port: Option<i64>,
}

impl Shape for PolicyItem {
    type Kept = NetworkPolicy;

    fn meta(&self) -> &Meta {
        &self.metadata
    }

    fn keep(self) -> Option<NetworkPolicy> {
        let Self { metadata, spec } = self;
        // The API server fills the field in; where it did not, its own default counts.
        let types = &spec.policy_types;
        let has = |name: &str| types.iter().any(|own| own == name);
        let ingress = types.is_empty() || has("Ingress");
        let egress = has("Egress") || (types.is_empty() && !spec.egress.is_empty());
        Some(NetworkPolicy {
            namespace: field(&metadata.namespace),
            name: field(&metadata.name),
            pod_selector: spec.pod_selector.keep()?,
            ingress: ingress.then(|| traffic(&spec.ingress, "from")),
            egress: egress.then(|| traffic(&spec.egress, "to")),
        })
    }
}

fn traffic(rules: &[RuleItem], word: &str) -> Traffic {
    let mut wide: Vec<Text> = Vec::new();
    let mut metadata = false;
    for (index, rule) in rules.iter().enumerate() {
        let peers = if word == "from" { &rule.from } else { &rule.to };
        let why = peers.is_empty().then(|| format!("no {word}"));
        let why = why.or_else(|| peers.iter().find_map(Peer::wide));
        if let (Some(why), true) = (why, wide.len() < WIDE) {
            wide.push(field(&format!("rule {}: {why}", index + 1)));
        }
        let reaches = peers.is_empty() || peers.iter().any(Peer::reaches_metadata);
        metadata |= reaches && rule.on_http();
    }
    Traffic {
        rules: u32::try_from(rules.len()).unwrap_or(u32::MAX),
        wide: wide.into(),
        metadata,
    }
}

impl RuleItem {
    /// Whether TCP port 80 is among its ports.
    fn on_http(&self) -> bool {
        self.ports.is_empty()
            || self.ports.iter().any(|own| {
                let tcp = own.protocol.as_deref().unwrap_or("TCP") == "TCP";
                let port = match &own.port {
                    None => true,
                    Some(IntOrString::Int(from)) => {
                        *from <= 80 && 80 <= own.end_port.unwrap_or(*from)
                    }
                    // A name is one of a pod's ports.
                    Some(IntOrString::String(_)) => false,
                };
                tcp && port
            })
    }
}

impl Peer {
    /// What makes it let nearly anything through.
    fn wide(&self) -> Option<String> {
        if let Some(block) = &self.ip_block {
            let any = block.cidr.ends_with("/0");
            return any.then(|| match texts(&block.except).as_ref() {
                [] => block.cidr.clone(),
                some => format!("{} except {} blocks", block.cidr, some.len()),
            });
        }
        let everywhere = self.namespace_selector.as_ref()?.is_empty();
        let anyone = self
            .pod_selector
            .as_ref()
            .is_none_or(SelectorItem::is_empty);
        (everywhere && anyone).then(|| "every pod of every namespace".to_owned())
    }

    fn reaches_metadata(&self) -> bool {
        let covers = |cidr: &str| covers(cidr, METADATA);
        // What cannot be read is open, so that nothing is called closed that is not.
        self.ip_block.as_ref().is_some_and(|block| {
            let mut except = block.except.iter();
            covers(&block.cidr).unwrap_or(true) && !except.any(|cidr| covers(cidr).unwrap_or(false))
        })
    }
}

/// Whether an IPv4 block holds an address; none where it cannot be read.
fn covers(cidr: &str, address: Ipv4Addr) -> Option<bool> {
    if cidr.contains(':') {
        return Some(false);
    }
    let (base, length) = cidr.split_once('/')?;
    let base: Ipv4Addr = base.parse().ok()?;
    let length: u32 = length.parse().ok().filter(|length| *length <= 32)?;
    let mask = u32::MAX.checked_shl(32 - length).unwrap_or(0);
    Some(u32::from(base) & mask == u32::from(address) & mask)
}
