//! `stakeout policy`: a policy of what is there, and what a policy file says.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use super::settings::Settings;
use crate::checks::images::reference::Reference;
use crate::config;
use crate::engine::Judged;
use crate::error::{Failure, Outcome};
use crate::model::fact::Fact;
use crate::model::name::NodeName;
use crate::model::pod::Pod;
use crate::model::tree::Branch;

/// `stakeout policy check FILE`.
///
/// # Errors
/// A file that cannot be read or says what cannot be meant.
pub fn check(file: &Path) -> Result<Outcome, Failure> {
    let (policy, warnings) = config::policy::load(file)?;
    for warning in &warnings {
        super::tell(&format!("stakeout: {warning}"));
    }
    super::show(&format!(
        "{}: {} static pods, {} registries, {} pools, {} waivers\n",
        policy.name,
        policy.static_pods.as_ref().map_or(0, Vec::len),
        policy.registries.len(),
        policy.pools.len(),
        policy.waivers.len()
    ))?;
    Ok(if warnings.is_empty() {
        Outcome::Ok
    } else {
        Outcome::Findings
    })
}

/// `stakeout policy init`: what is there becomes what may be there, to be read before it is kept.
///
/// # Errors
/// As collecting does.
pub fn init(settings: &Settings) -> Result<Outcome, Failure> {
    let judged = super::scan::judged(settings)?;
    super::show(&text(&judged))
}

/// What is known of one static pod over the fleet.
#[derive(Default)]
struct Entry {
    nodes: Vec<NodeName>,
    images: Vec<String>,
    control_plane: Vec<Option<bool>>,
}

fn text(judged: &Judged) -> String {
    let mut pods: BTreeMap<String, Entry> = BTreeMap::new();
    let mut unread = 0;
    for (name, facts) in &judged.snapshot.nodes {
        let Fact::Seen(manifests) = &facts.host.manifests else {
            unread += 1;
            continue;
        };
        let object = facts.api.object.get().ok();
        let control_plane = object.map(|object| object.value.is_control_plane());
        let seen = manifests.value.iter().filter_map(|fact| fact.get().ok());
        for pod in seen.filter_map(|manifest| manifest.value.pod.get().ok()?.value.pod()) {
            let entry = pods
                .entry(format!("{}/{}", pod.namespace, pod.name))
                .or_default();
            entry.nodes.push(name.clone());
            entry.control_plane.push(control_plane);
            entry.images.extend(images(pod));
        }
    }
    let control_planes = judged.snapshot.nodes.values().filter(|facts| {
        let object = facts.api.object.get().ok();
        object.is_some_and(|object| object.value.is_control_plane())
    });
    written(&pods, unread, control_planes.count())
}

fn written(pods: &BTreeMap<String, Entry>, unread: usize, control_planes: usize) -> String {
    let mut out = String::from(
        "# Which static pods may exist where, and which risks are accepted.\n# Made of what is there: read it before you keep it, then: stakeout --policy FILE\nversion: 1\n",
    );
    if unread > 0 {
        let _ = writeln!(out, "# {unread} nodes could not be read and are not in it.");
    }
    let mut registries: Vec<&str> = pods
        .values()
        .flat_map(|entry| &entry.images)
        .filter_map(|image| image.split('/').next())
        .collect();
    registries.sort_unstable();
    registries.dedup();
    if pods.is_empty() {
        out.push_str("static_pods: []\n");
    } else {
        out.push_str("static_pods:\n");
    }
    for (pod, entry) in pods {
        let _ = writeln!(out, "  - pod: {}", quoted(pod));
        nodes(&mut out, entry, control_planes);
        let mut images = entry.images.clone();
        images.sort_unstable();
        images.dedup();
        list(
            &mut out,
            "    ",
            "images",
            images.iter().map(String::as_str),
        );
    }
    list(&mut out, "", "registries", registries.into_iter());
    out.push_str(WAIVERS);
    out
}

/// Every control plane, where exactly they have it; else the nodes by name.
fn nodes(out: &mut String, entry: &Entry, control_planes: usize) {
    let all = entry.control_plane.iter().all(|role| *role == Some(true));
    if all && entry.nodes.len() == control_planes {
        let label = crate::model::known::CONTROL_PLANE_LABEL;
        let _ = writeln!(out, "    nodes: {{labels: {{{label}: }}}}");
    } else {
        out.push_str("    nodes:\n");
        let mut names: Vec<&str> = entry.nodes.iter().map(NodeName::as_str).collect();
        names.dedup();
        list(out, "      ", "names", names.into_iter());
    }
}

fn list<'t>(out: &mut String, indent: &str, key: &str, items: impl Iterator<Item = &'t str>) {
    let items: Vec<String> = items.map(quoted).collect();
    let _ = writeln!(out, "{indent}{key}: [{}]", items.join(", "));
}

/// As a YAML scalar: plain where that is safe, else in JSON's quotes, which YAML reads alike.
fn quoted(text: &str) -> String {
    let plain = |c: u8| c.is_ascii_alphanumeric() || b"._-/".contains(&c);
    let safe = text.bytes().all(plain)
        // A word without one of these may be a number or `true` to a YAML reader.
        && text.bytes().any(|c| b"-/".contains(&c))
        && !text.starts_with('-');
    if safe {
        text.to_owned()
    } else {
        serde_json::Value::from(text).to_string()
    }
}

fn images(pod: &Pod) -> Vec<String> {
    pod.containers()
        .filter_map(|(_, container)| container.get("image").and_then(Branch::as_str))
        .filter_map(|image| Some(Reference::parse(image)?.repository()))
        .collect()
}

const WAIVERS: &str = "pools: []
waivers: []
# waivers:
#   - check: SP-FILE-004
#     node: cp-1            # left out: every node
#     subject: /etc/kubernetes/manifests/etcd.yaml
#     severity: low         # the worst that is accepted
#     owner: who answers for it
#     reason: why it is accepted
#     expires: 2030-12-31
";
