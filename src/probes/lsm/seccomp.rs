//! Seccomp profiles on the node that manifests name.

use serde_json::Value;

use super::{AT, SECTION, localhost, pods, value};
use crate::model::fact::{Fact, Gap};
use crate::model::lsm::{Seccomp, SeccompContent, SeccompFile};
use crate::model::node::HostFacts;
use crate::model::text::Text;
use crate::model::unix::WalkEnd;
use crate::probes::answer::{Answer, Content};

/// Where the kubelet keeps its state unless a flag says otherwise.
const ROOT: &str = "/var/lib/kubelet";

pub(super) fn read(answer: &Answer<'_>, facts: &HostFacts) -> Fact<Seccomp> {
    let root = match root(answer, facts) {
        Ok(root) => root,
        Err(gap) => return Fact::Gap(gap),
    };
    let path = format!("{}/seccomp", root.trim_end_matches('/'));
    let mut names = Vec::new();
    for pod in pods(facts) {
        localhost(pod.spec(), "seccompProfile", &mut names);
        for (_, container) in pod.containers() {
            localhost(container, "seccompProfile", &mut names);
        }
    }
    names.sort();
    names.dedup();
    let profiles = names
        .iter()
        .filter(|name| Text::new(name).is_exact())
        .take(20)
        .map(|name| profile(answer, &path, name))
        .collect();
    Fact::seen(
        Seccomp {
            path: Text::from(path),
            profiles,
        },
        AT,
    )
}

/// The kubelet's root folder: that of its flag, and the one that the collector went to.
fn root(answer: &Answer<'_>, facts: &HostFacts) -> Result<String, Gap> {
    let kubelet = facts.kubelet.get()?;
    let process = kubelet.value.process.as_ref();
    let words = process.map_or(&[][..], |process| &process.command);
    let mut root = ROOT.to_owned();
    let mut next = false;
    for word in words {
        if std::mem::take(&mut next) {
            root = word.to_string();
        } else if let Some(value) = word.as_str().strip_prefix("--root-dir=") {
            value.clone_into(&mut root);
        } else {
            next = word == "--root-dir";
        }
    }
    let went = value(answer, "root").unwrap_or_default();
    if went != root.as_bytes() {
        return Err(Gap::Garbled {
            what: Text::from(format!(
                "the kubelet's root folder is {root}, the collector looked into {}",
                Text::from_bytes(went)
            )),
        });
    }
    Ok(root)
}

fn profile(answer: &Answer<'_>, folder: &str, name: &str) -> SeccompFile {
    let path = format!("{folder}/{name}");
    let walk = answer.walk(path.as_bytes(), AT);
    let content = match answer.file(SECTION, path.as_bytes()) {
        Some(Content::Whole(bytes)) => Fact::seen(Some(content(bytes)), AT),
        Some(Content::Gap(_)) if walk.end == WalkEnd::Absent => Fact::seen(None, AT),
        Some(Content::Gap(gap)) => Fact::Gap(gap),
        None => Fact::Gap(Gap::Garbled {
            what: Text::from(format!("{path} was not read by the collector")),
        }),
    };
    SeccompFile {
        name: Text::new(name),
        walk,
        content,
    }
}

fn content(bytes: &[u8]) -> SeccompContent {
    let broken = |message: String| SeccompContent::Broken {
        message: Text::from(message),
    };
    let profile: Value = match serde_json::from_slice(bytes) {
        Ok(profile) => profile,
        Err(error) => return broken(error.to_string()),
    };
    let Some(profile) = profile.as_object() else {
        return broken("not an object".to_owned());
    };
    let rules = profile.get("syscalls").and_then(Value::as_array);
    SeccompContent::Profile {
        default: Text::new(
            profile
                .get("defaultAction")
                .and_then(Value::as_str)
                .unwrap_or_default(),
        ),
        rules: u16::try_from(rules.map_or(0, Vec::len)).unwrap_or(u16::MAX),
    }
}
