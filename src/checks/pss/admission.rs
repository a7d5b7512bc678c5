//! The configuration of Pod Security admission: what holds where no label is, and who is exempt.

use super::labels::Levels;
use crate::checks::check::{Tally, View, not_applicable};
use crate::checks::merge::pairs::declared;
use crate::checks::privilege::containers::{Around, every_pod};
use crate::checks::program::own_words;
use crate::checks::standard::{Level, Standard, Version};
use crate::checks::{flags, role};
use crate::model::fact::Gap;
use crate::model::node::NodeFacts;
use crate::model::pod::Pod;
use crate::model::text::Text;
use crate::model::tree::{Branch, Items, Tree};
use crate::model::verdict::Verdict;

/// The flag that names the file.
pub const FLAG: &str = "admission-control-config-file";

/// What the API server was told about Pod Security.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Admission {
    pub defaults: Levels,
    pub namespaces: Vec<String>,
    pub usernames: Vec<String>,
    pub runtime_classes: Vec<String>,
}

impl Admission {
    /// Why a pod that a kubelet makes is not looked at, where it is not.
    pub fn exempts(&self, pod: &Pod, node: &str) -> Option<String> {
        let has = |list: &[String], name: &str| list.iter().any(|own| own == name);
        let user = format!("system:node:{node}");
        let class = pod.spec().get("runtimeClassName").and_then(Branch::as_str);
        if has(&self.namespaces, pod.namespace.as_str()) {
            Some(format!("the namespace {}", pod.namespace))
        } else if has(&self.usernames, &user) {
            Some(format!("the user {user}"))
        } else {
            class
                .filter(|class| has(&self.runtime_classes, class))
                .map(|class| format!("the runtime class {class}"))
        }
    }
}

/// The configuration of the API servers that are known, where they have one.
///
/// # Errors
/// Why it is not known: no API server is seen as a static pod, its file could not be read, or two differ.
pub fn of_cluster(view: &View<'_>) -> Result<Admission, Gap> {
    let mut all: Vec<Admission> = Vec::new();
    let (mut gap, mut hidden) = (None, None);
    for node in view.snapshot.nodes.values() {
        match of_node(node) {
            Ok(found) => all.extend(found),
            // Its server may be told another thing.
            Err(why) if has_server(node) => {
                hidden = hidden.or(Some(why));
            }
            Err(why) => gap = gap.or(Some(why)),
        }
    }
    all.dedup();
    match (all.len(), hidden) {
        (_, Some(why)) => Err(why),
        (1, None) => all.pop().ok_or(Gap::NotAsked),
        (0, None) => Err(gap.unwrap_or_else(|| Gap::NeedsHuman {
            question: Text::new(
                "no API server is seen as a static pod: does its Pod Security configuration set defaults or exemptions?",
            ),
        })),
        _ => Err(Gap::NeedsHuman {
            question: Text::new(
                "the API servers have different Pod Security configurations: which of them answers the kubelet?",
            ),
        }),
    }
}

/// Whether a node has an API server, as far as is known.
pub fn has_server(node: &NodeFacts) -> bool {
    let declared = declared(node).map(|declared| declared.pods);
    let mut pods = declared.unwrap_or_default().into_iter();
    pods.any(|pod| server_words(pod.pod).is_some())
        || role::of(node).is_ok_and(|role| role.control_plane.is_some())
}

/// The configurations of the API servers of a node; none where none is declared there.
///
/// # Errors
/// Why one is not known.
pub fn of_node(node: &NodeFacts) -> Result<Vec<Admission>, Gap> {
    let mut all = Vec::new();
    let mut gap = None;
    for manifest in &node.host.manifests.get()?.value {
        let parsed = manifest.get().and_then(|seen| seen.value.pod.get());
        match parsed {
            Err(why) => gap = gap.or(Some(why)),
            Ok(parsed) => {
                let words = parsed.value.pod().and_then(server_words);
                if let Some(words) = words {
                    all.push(of_server(&words, node)?);
                }
            }
        }
    }
    match gap {
        Some(gap) if all.is_empty() => Err(gap),
        _ => Ok(all),
    }
}

/// What a pod gives the API server that it runs, whatever it is called; none where it runs none.
pub fn server_words(pod: &Pod) -> Option<Vec<String>> {
    own_words(pod, "kube-apiserver")
}

/// Judges every API server that a manifest of the node declares, by its own words.
///
/// # Errors
/// The gap of a manifest that could not be read, where no other proves an offence.
pub fn each_server(
    node: &NodeFacts,
    mut judge: impl FnMut(&Around<'_>, &[String], &mut Tally),
) -> Result<Verdict, Gap> {
    let mut servers = 0;
    let tally = every_pod(node, |around, tally| {
        if let Some(words) = server_words(around.pod) {
            servers += 1;
            tally.good(around.at);
            judge(&around, &words, tally);
        }
    })?;
    match tally.verdict()? {
        Verdict::Pass { evidence, .. } if servers == 0 => Ok(not_applicable(
            evidence.iter(),
            "no API server is declared here as a static pod",
        )),
        verdict => Ok(verdict),
    }
}

/// What one API server was told.
///
/// # Errors
/// Why it is not known.
pub fn of_server(words: &[String], node: &NodeFacts) -> Result<Admission, Gap> {
    if flags::last_of(words, FLAG).is_none() {
        // A variable may bring the flag.
        flags::list(words, FLAG)?;
        return Ok(Admission::default());
    }
    let files = node.host.api_server_files.get()?;
    let admission = files.value.admission.get()?;
    let Some(files) = &admission.value else {
        return Err(Gap::NotAsked);
    };
    let mut trees = Vec::new();
    for file in files {
        trees.push(&file.get()?.value.content);
    }
    read(&trees)
}

/// Reads the part about Pod Security from the files of an AdmissionConfiguration: a plugin's `configuration`, or
/// a file of its own.
///
/// # Errors
/// [`Gap::Garbled`] where something is not what it should be.
pub fn read(files: &[&Tree]) -> Result<Admission, Gap> {
    let inline = files.iter().flat_map(|tree| {
        let plugins = tree.get("plugins").and_then(Branch::as_array);
        let plugins = plugins.into_iter().flat_map(Items::iter);
        plugins.filter(|plugin| text(plugin.get("name")) == "PodSecurity")
    });
    let inline = inline.filter_map(|plugin| plugin.get("configuration").filter(|it| !it.is_null()));
    let own = files.iter().map(|tree| tree.root());
    let kind = |found: &Branch<'_>| text(found.get("kind")) == "PodSecurityConfiguration";
    let Some(found) = inline.chain(own).find(kind) else {
        return Ok(Admission::default());
    };
    let defaults = found.get("defaults").unwrap_or(Branch::Null);
    let wrong = |mode: &str, want: &str| garbled(&format!("{mode} of defaults {want}"));
    // Here nothing follows from what is enforced, and what is empty is not set.
    let standard = |mode: &str| {
        let versioned = format!("{mode}-version");
        let (level, version) = (text(defaults.get(mode)), text(defaults.get(&versioned)));
        Ok::<_, Gap>(Standard::new(
            match level {
                "" => Level::Privileged,
                level => level.parse().map_err(|want| wrong(mode, want))?,
            },
            match version {
                "" => Version::Latest,
                version => version.parse().map_err(|want| wrong(&versioned, want))?,
            },
        ))
    };
    let levels = Levels {
        enforce: standard("enforce")?,
        audit: standard("audit")?,
        warn: standard("warn")?,
    };
    let list = |name: &str| {
        let items = found
            .pointer(&format!("/exemptions/{name}"))
            .and_then(Branch::as_array);
        let items = items.into_iter().flat_map(Items::iter);
        let names = items.map(|item| item.as_str().map(str::to_owned));
        names
            .collect::<Option<Vec<_>>>()
            .ok_or_else(|| garbled(&format!("a list of {name}")))
    };
    Ok(Admission {
        defaults: levels,
        namespaces: list("namespaces")?,
        usernames: list("usernames")?,
        runtime_classes: list("runtimeClasses")?,
    })
}

fn text(branch: Option<Branch<'_>>) -> &str {
    branch.and_then(Branch::as_str).unwrap_or("")
}

fn garbled(what: &str) -> Gap {
    Gap::Garbled {
        what: Text::from(format!("the PodSecurityConfiguration: {what}")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn tree(value: &serde_json::Value) -> Tree {
        Tree::try_from(value).expect("small")
    }

    #[test]
    fn inline_or_in_a_file_of_its_own() {
        let own = json!({
            "kind": "PodSecurityConfiguration",
            "defaults": {"enforce": "baseline", "enforce-version": "v1.30", "audit": ""},
            "exemptions": {"usernames": ["system:node:a"], "namespaces": ["kube-system"]},
        });
        let by_path = json!({"kind": "AdmissionConfiguration", "plugins": [{"name": "PodSecurity", "path": "pss.yaml"}]});
        let inline = json!({"plugins": [{"name": "EventRateLimit", "configuration": {"kind": "x"}}, {"name": "PodSecurity", "configuration": own}]});
        let found = read(&[&tree(&by_path), &tree(&own)]).expect("readable");
        assert_eq!(read(&[&tree(&inline)]), Ok(found.clone()));
        assert_eq!(found.defaults.enforce.to_string(), "baseline:v1.30");
        assert_eq!(found.defaults.warn.to_string(), "privileged:latest");
        assert_eq!(found.namespaces, ["kube-system"]);
        assert_eq!(read(&[&tree(&by_path)]), Ok(Admission::default()));
    }

    #[test]
    fn what_is_wrong_is_not_guessed() {
        for wrong in [
            json!({"kind": "PodSecurityConfiguration", "defaults": {"enforce": "strict"}}),
            json!({"kind": "PodSecurityConfiguration", "exemptions": {"usernames": [1]}}),
        ] {
            assert!(read(&[&tree(&wrong)]).is_err(), "{wrong}");
        }
    }
}
