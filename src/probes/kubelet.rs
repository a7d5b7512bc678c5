//! The kubelet's effective configuration, layer by layer, and the process that runs with it.
//!
//! Order (cmd/kubelet/app/server.go of v1.37): defaults, the `--config` file, `*.conf` files below `--config-dir` in
//! the order of a directory walk as JSON merge patches, defaults again for what is still empty, flags.

use super::answer::{Answer, Content, source, summary};
use super::identity::{no_processes, sees_processes};
use super::probe::{Ask, Probe, Reading};
use crate::model::fact::{Fact, Gap, Locator, Need};
use crate::model::kubelet::{Kubelet, LayerKind};
use crate::model::node::HostFacts;
use crate::model::text::Text;

mod defaults;
mod dropins;
mod flags;
mod layers;
mod process;
mod unit;

use flags::Flags;
use layers::{Config, Stack};
use process::Started;
pub(super) use process::words;

/// Effective configuration with the layer of each key.
pub static PROBE: Probe = Probe {
    need: Need::KubeletConfig,
    what: "the kubelet's command line, configuration file and drop-ins",
    asks: &[Ask::Shell {
        section: "kubelet",
        since: 1,
        root: Some("configuration below /var/lib/kubelet, and which kubelet is the host's"),
        fragment: include_str!("shell/kubelet.sh"),
        read,
    }],
};

fn read(answer: &Answer<'_>, reading: &Reading<'_>, facts: &mut HostFacts) {
    match kubelet(answer, reading, facts) {
        Ok(kubelet) => {
            facts.kubelet = Fact::seen(kubelet, Locator::new(Need::KubeletConfig, 0));
        }
        Err(gap) => facts.kubelet = Fact::Gap(gap),
    }
}

fn kubelet(
    answer: &Answer<'_>,
    reading: &Reading<'_>,
    facts: &mut HostFacts,
) -> Result<Kubelet, Gap> {
    let started = process::find(answer, reading)?;
    facts.sources.push(summary(
        (Need::KubeletConfig, 0),
        &started.command_shown,
        &started.text,
        reading,
    ));
    let flags = Flags::read(&started.args, started.embedded);
    let main = main_file(answer, &started, &flags);
    let base = if main.is_some() {
        LayerKind::Defaults
    } else {
        LayerKind::LegacyDefaults
    };
    let mut stack = Stack::new(base);
    if let Some(path) = &main {
        let config = config(answer, path, reading, &mut stack, facts);
        stack.file(LayerKind::File, path, config);
    }
    for folder in drop_in_folders(answer, &started, &flags) {
        for found in dropins::list(answer, &folder) {
            match found {
                Ok(path) => {
                    let config = config(answer, &path, reading, &mut stack, facts);
                    stack.file(LayerKind::DropIn, &path, config.and_then(layers::versioned));
                }
                Err(gap) => stack.unread(LayerKind::DropIn, &folder, gap),
            }
        }
    }
    stack.default_what_is_empty();
    stack.flags(&flags, &started.given, reading.masker);
    if let Some(gap) = unseen_flags(answer, &started) {
        stack.unread(LayerKind::Flag, "command line", gap);
    }
    stack.finish(started.process, started.unit)
}

/// Where the flags of the kubelet are not known, why.
fn unseen_flags(answer: &Answer<'_>, started: &Started) -> Option<Gap> {
    if let Some(gap) = &started.hidden {
        return Some(gap.clone());
    }
    if started.process.is_some() {
        return None;
    }
    if let Some(gap) = no_processes(answer) {
        return Some(gap);
    }
    // A unit says how a kubelet would be started, not how one runs that cannot be seen.
    if !sees_processes(answer) {
        return Some(Gap::Denied {
            what: Text::new("the kubelet's command line: /proc hides processes of others"),
        });
    }
    if started.from_unit {
        return None;
    }
    let contained = answer
        .records("kubelet", "P")
        .any(|fields| fields.get(1).is_some_and(|comm| comm == b"kubelet"));
    if contained {
        return Some(Gap::Garbled {
            what: Text::new(
                "a kubelet runs in a container, or not as root: its files are not looked at",
            ),
        });
    }
    Some(Gap::KubeletStopped {
        detail: Text::new("no kubelet process and no unit that would start one was found"),
    })
}

/// Where distributions put the configuration file.
const USUAL: &[&str] = &[
    "/var/lib/kubelet/config.yaml",
    "/etc/kubernetes/kubelet-config.yaml",
    "/etc/kubernetes/kubelet/config.json",
    "/etc/kubernetes/kubelet/config",
    "/home/kubernetes/kubelet-config.yaml",
    "/etc/default/kubeletconfig.json",
];

/// The file that `--config` names; without a process the first file of the usual places that is there.
fn main_file(answer: &Answer<'_>, started: &Started, flags: &Flags) -> Option<String> {
    if let Some(path) = flags.last("config") {
        return Some(started.absolute(path));
    }
    if started.process.is_some() || started.from_unit {
        return None;
    }
    USUAL
        .iter()
        .find(|path| answer.file("kubelet", path.as_bytes()).is_some())
        .map(|path| (*path).to_owned())
}

fn drop_in_folders(answer: &Answer<'_>, started: &Started, flags: &Flags) -> Vec<String> {
    if let Some(path) = flags.last("config-dir") {
        return vec![started.absolute(path)];
    }
    let usual: Vec<String> = if started.embedded {
        vec![process::k3s_drop_ins(answer)]
    } else if started.process.is_some() || started.from_unit {
        Vec::new()
    } else {
        [
            "/etc/kubernetes/kubelet/config.json.d",
            process::K3S_DROP_INS,
            "/var/lib/rancher/rke2/agent/etc/kubelet.conf.d",
        ]
        .map(str::to_owned)
        .into()
    };
    let there = usual.into_iter();
    there
        .filter(|path| answer.kind(path.as_bytes()).is_ok())
        .collect()
}

/// A configuration file with its evidence under the number of the layer that it becomes.
fn config(
    answer: &Answer<'_>,
    path: &str,
    reading: &Reading<'_>,
    stack: &mut Stack,
    facts: &mut HostFacts,
) -> Result<Config, Gap> {
    let bytes = match answer.file("kubelet", path.as_bytes()) {
        Some(Content::Whole(bytes)) => bytes,
        Some(Content::Gap(gap)) => return Err(gap),
        None => {
            return Err(Gap::Garbled {
                what: Text::from(format!("{path} was not read by the collector")),
            });
        }
    };
    let config = Config::read(bytes, path, reading.masker)?;
    let at = (Need::KubeletConfig, stack.next_item());
    let command = format!("cat {path}");
    facts.sources.push(if config.masked {
        summary(at, &command, &config.text, reading)
    } else {
        source(at, &command, bytes, reading)
    });
    Ok(config)
}

#[cfg(test)]
mod tests;
