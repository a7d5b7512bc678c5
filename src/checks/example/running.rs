//! What runs, what confines it and what the network lets in, as examples write it.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_yaml::Value;

use super::files::Files;
use super::pods::names;
use super::{fact, gap_of, lsm, parse};
use crate::model::fact::{Fact, Locator, Need};
use crate::model::files::{KubeletLog, LogLine};
use crate::model::name::NodeName;
use crate::model::network::{
    Clock, CniFile, CniFolder, Firewall, InputChain, Journal, SocketOwner, Timeline,
};
use crate::model::node::HostFacts;
use crate::model::paths::Paths;
use crate::model::process::{Caps, ContainerName, Ids, InPod, Process, Processes, Rights, UserMap};
use crate::model::text::Text;

/// The keys of a node that this file reads.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct RunningWritten {
    pub(super) processes: Option<Value>,
    lsm: Option<Value>,
    firewall: Option<Value>,
    cni: Option<Value>,
    timeline: Option<Value>,
    kubelet_log: Option<Vec<LogLineWritten>>,
    handshakes: Option<Value>,
}

impl RunningWritten {
    pub(super) fn read(
        self,
        node: &NodeName,
        files: &Files,
        host: &mut HostFacts,
    ) -> Result<(), String> {
        host.processes = fact(self.processes, Need::Processes, |written| {
            processes(written, node)
        })?;
        host.lsm = fact(self.lsm, Need::Lsm, |written| lsm::lsm(written, files))?;
        host.firewall = fact(self.firewall, Need::Firewall, |inputs: Vec<InputChain>| {
            Ok(Firewall { inputs })
        })?;
        host.cni = fact(self.cni, Need::Cni, |written| {
            cni(written, files, &mut host.paths)
        })?;
        if let Some(lines) = self.kubelet_log {
            let lines = lines.into_iter().map(|line| LogLine {
                at: line.at,
                text: Text::from(line.text),
            });
            let log = KubeletLog {
                lines: lines.collect(),
                more: false,
            };
            host.kubelet_log = Fact::seen(log, Locator::new(Need::KubeletLog, 0));
        }
        host.timeline = fact(self.timeline, Need::Timeline, |written: TimelineWritten| {
            Ok(Timeline {
                clock: written.clock,
                told_by: Text::new("chronyc"),
                journal: written.journal,
            })
        })?;
        host.handshakes = fact(
            self.handshakes,
            Need::Handshakes,
            super::handshakes::handshakes,
        )?;
        Ok(())
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum ProcessesWritten {
    List(Vec<ProcessWritten>),
    Whole {
        list: Vec<ProcessWritten>,
        #[serde(default)]
        more: bool,
        #[serde(default)]
        hidepid: bool,
        #[serde(default)]
        containers: Option<Value>,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ProcessWritten {
    /// `namespace/pod/container` of a static pod without the node's name; left out for a process of the node.
    of: Option<String>,
    /// No log names the container.
    #[serde(default)]
    unnamed: bool,
    comm: Option<String>,
    #[serde(default)]
    uid: u32,
    /// `usual`, `all`, `none`, or names.
    caps: Option<Value>,
    /// The bounding set, where it is another.
    bound: Option<Value>,
    #[serde(default)]
    nnp: bool,
    seccomp: Option<u8>,
    /// `none` where no module gives labels; or a gap.
    label: Option<Value>,
    /// Whether the root is mounted read-only; or a gap.
    ro: Option<Value>,
    /// First id of the user namespace on the node.
    mapped: Option<u32>,
    rights: Option<Value>,
    started: Option<i64>,
    exe: Option<Text>,
    command: Option<Vec<Text>>,
}

const AT: Locator = Locator::new(Need::Processes, 0);

fn processes(written: ProcessesWritten, node: &NodeName) -> Result<Processes, String> {
    let mut out = Processes {
        containers: Fact::seen(Vec::new(), AT),
        ..Processes::default()
    };
    let (list, unread) = match written {
        ProcessesWritten::List(list) => (list, None),
        ProcessesWritten::Whole {
            list,
            more,
            hidepid,
            containers,
        } => {
            out.more = more;
            out.hidepid = hidepid;
            (list, containers)
        }
    };
    let mut names = Vec::new();
    for (pid, written) in (1000..).zip(list) {
        out.list.push(process(pid, written, node, &mut names)?);
    }
    out.containers = match unread
        .map(|written| gap_of(&written))
        .transpose()?
        .flatten()
    {
        Some(gap) => Fact::Gap(gap),
        None => Fact::seen(names, AT),
    };
    Ok(out)
}

fn process(
    pid: u32,
    written: ProcessWritten,
    node: &NodeName,
    names: &mut Vec<ContainerName>,
) -> Result<Process, String> {
    let pod = match &written.of {
        Some(of) => Some(place(of, written.unnamed, node, names)?),
        None => None,
    };
    let caps = caps(written.caps.as_ref())?.unwrap_or(Caps::USUAL);
    let bounding = self::caps(written.bound.as_ref())?.unwrap_or(caps);
    let rights = Rights {
        uid: same(written.uid),
        gid: same(written.uid),
        permitted: caps,
        effective: caps,
        bounding,
        no_new_privs: written.nnp,
        seccomp: Some(written.seccomp.unwrap_or(2)),
    };
    let label = match written.label {
        Some(label) => item(label, |label: String| {
            (label != "none").then(|| Text::from(label))
        })?,
        None => Fact::seen(Some(Text::new("cri-containerd.apparmor.d (enforce)")), AT),
    };
    Ok(Process {
        pid,
        comm: Text::from(written.comm.as_deref().unwrap_or("main")),
        pod,
        started: Some(written.started.unwrap_or(100)),
        rights: match written.rights {
            Some(gap) => item(gap, |()| rights)?,
            None => Fact::seen(rights, AT),
        },
        label,
        root_read_only: match written.ro {
            Some(ro) => item(ro, |ro: bool| ro)?,
            None => Fact::seen(false, AT),
        },
        users: Fact::seen(
            written.mapped.map_or(UserMap::HOST, |outside| UserMap {
                inside: 0,
                outside,
                count: 65_536,
            }),
            AT,
        ),
        oom: None,
        exe: written
            .exe
            .map_or_else(Fact::default, |exe| Fact::seen(exe, AT)),
        command: written
            .command
            .map_or_else(Fact::default, |words| Fact::seen(words, AT)),
    })
}

fn same(id: u32) -> Ids {
    Ids {
        real: id,
        effective: id,
    }
}

/// A value, or a gap.
fn item<W: serde::de::DeserializeOwned, T>(
    written: Value,
    read: impl FnOnce(W) -> T,
) -> Result<Fact<T>, String> {
    match gap_of(&written)? {
        Some(gap) => Ok(Fact::Gap(gap)),
        None => Ok(Fact::seen(read(parse(written, Need::Processes)?), AT)),
    }
}

/// The id of a container follows from its name.
fn place(
    of: &str,
    unnamed: bool,
    node: &NodeName,
    known: &mut Vec<ContainerName>,
) -> Result<InPod, String> {
    let (pod, container) = of
        .rsplit_once('/')
        .ok_or_else(|| format!("{of}: want namespace/pod/container"))?;
    let (namespace, name) = names(pod)?;
    let id: Box<str> = format!("id of {of}").into();
    if !unnamed && !known.iter().any(|known| known.id == id) {
        known.push(ContainerName {
            id: id.clone(),
            namespace,
            pod: Text::from(format!("{name}-{node}")),
            container: Text::new(container),
        });
    }
    Ok(InPod {
        uid: Text::from(format!("uid of {pod}")),
        container: Some(id),
    })
}

fn caps(written: Option<&Value>) -> Result<Option<Caps>, String> {
    let Some(written) = written else {
        return Ok(None);
    };
    Ok(Some(match written {
        Value::String(word) if word == "all" => Caps(0x1ff_ffff_ffff),
        Value::String(word) if word == "usual" => Caps::USUAL,
        Value::String(word) if word == "none" => Caps(0),
        list => {
            let names: Vec<String> = parse(list.clone(), Need::Processes)?;
            names.iter().try_fold(Caps(0), |all, name| {
                let one = Caps::by_name(name).ok_or_else(|| format!("{name} is no capability"))?;
                Ok::<_, String>(all.with(one))
            })?
        }
    }))
}

/// From folder to its files, and from file to the types of its plugins.
fn cni(
    written: BTreeMap<String, BTreeMap<String, Vec<Text>>>,
    files: &Files,
    paths: &mut Paths,
) -> Result<Vec<CniFolder>, String> {
    let at = Locator::new(Need::Cni, 0);
    let mut out = Vec::new();
    for (folder, list) in written {
        let mut found = Vec::new();
        for (name, types) in list {
            let path = format!("{folder}/{name}");
            found.push(CniFile {
                trail: paths.add(files.walk(&path)?),
                path: Text::from(path),
                types: Fact::seen(types, at),
            });
        }
        out.push(CniFolder {
            trail: paths.add(files.walk(&folder)?),
            path: Text::from(folder),
            files: Fact::seen(found, at),
        });
    }
    Ok(out)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LogLineWritten {
    at: Option<i64>,
    text: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TimelineWritten {
    clock: Clock,
    journal: Journal,
}

/// Whose a socket is: `comm` or `comm pod-uid` behind its address.
pub(super) fn owner(words: &str) -> Fact<SocketOwner> {
    let mut words = words.split_ascii_whitespace();
    let Some(comm) = words.next() else {
        return Fact::default();
    };
    Fact::seen(
        SocketOwner {
            pid: 1000,
            comm: Text::new(comm),
            pod: words.next().map(Text::new),
        },
        Locator::new(Need::Listeners, 0),
    )
}
