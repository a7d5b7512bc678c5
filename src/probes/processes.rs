//! Processes of static pods and of the node's components: ids, capabilities, seccomp, label, root mount.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write as _;

use super::answer::{Answer, Content, not_read, summary};
use super::identity::{sees_processes, started};
use super::parse::cgroup::{container_id, is_uuid, pod_uid, same_uid};
use super::probe::{Ask, Probe, Reading};
use crate::model::fact::{Fact, Gap, Locator, Need};
use crate::model::node::HostFacts;
use crate::model::process::{ContainerName, InPod, Process, Processes, Rights, UserMap};
use crate::model::text::Text;
use crate::model::unix::Uid;

mod status;

/// What really runs, beside what manifests declare.
pub static PROBE: Probe = Probe {
    need: Need::Processes,
    what: "processes of static pods and of the node's components: ids, capabilities, seccomp, label, root mount, command line",
    asks: &[Ask::Shell {
        section: "processes",
        since: 2,
        root: Some(
            "the programs of the processes of others, and all processes where /proc hides them",
        ),
        fragment: include_str!("shell/processes.sh"),
        read,
    }],
};

const SECTION: &str = "processes";
/// Processes in pods that the collector looks at.
const IN_PODS: usize = 300;

fn read(answer: &Answer<'_>, reading: &Reading<'_>, facts: &mut HostFacts) {
    match processes(answer, reading, facts) {
        Err(gap) => facts.processes = Fact::Gap(gap),
        Ok(found) => {
            facts.sources.push(summary(
                (Need::Processes, 0),
                "grep kubepods /proc/[0-9]*/cgroup; grep . /proc/PID/status /proc/PID/attr/current; grep ' / ' /proc/PID/mountinfo",
                &found.list.iter().map(line).collect::<String>(),
                reading,
            ));
            facts.processes = Fact::seen(found, Locator::new(Need::Processes, 0));
        }
    }
}

fn line(process: &Process) -> String {
    let mut out = format!("{} {}", process.pid, process.comm);
    if let Fact::Seen(rights) = &process.rights {
        let rights = &rights.value;
        let _ = write!(
            out,
            " uid {} capeff {:x} nonewprivs {} seccomp {}",
            rights.uid.effective,
            rights.effective.0,
            u8::from(rights.no_new_privs),
            rights
                .seccomp
                .map_or("?".to_owned(), |mode| mode.to_string()),
        );
    }
    if let Ok(Some(label)) = process.label.get().map(|label| &label.value) {
        let _ = write!(out, " label {label}");
    }
    if let Fact::Seen(read_only) = &process.root_read_only {
        out.push_str(if read_only.value {
            " root ro"
        } else {
            " root rw"
        });
    }
    if let Some(pod) = &process.pod {
        let _ = write!(out, " pod {}", pod.uid);
    }
    out.push('\n');
    out
}

fn processes(
    answer: &Answer<'_>,
    reading: &Reading<'_>,
    facts: &HostFacts,
) -> Result<Processes, Gap> {
    let text = required(answer, "cgroups")?;
    let lines: Vec<&str> = text.lines().collect();
    let pinned = pinned(facts);
    let mut places: BTreeMap<u32, Option<InPod>> = BTreeMap::new();
    for line in lines.iter().take(IN_PODS) {
        let Some((pid, path)) = line.split_once(' ') else {
            continue;
        };
        let (Ok(pid), Some(uid)) = (pid.parse(), pod_uid(path)) else {
            continue;
        };
        let is_static = !is_uuid(uid) || pinned.iter().any(|known| same_uid(known, uid));
        if is_static {
            let place = InPod {
                uid: Text::new(uid),
                container: container_id(path).map(Into::into),
            };
            places.insert(pid, Some(place));
        }
    }
    let tables = Tables::read(answer)?;
    let in_pods = in_pods(answer, &lines)?;
    for pid in components(answer) {
        if !in_pods.contains(&pid) && tables.is_component(pid, facts) {
            places.entry(pid).or_insert(None);
        }
    }
    let list: Vec<Process> = places
        .into_iter()
        .filter_map(|(pid, place)| tables.process(answer, reading, pid, place))
        .collect();
    let containers = containers(answer, &list);
    Ok(Processes {
        containers,
        list,
        more: lines.len() > IN_PODS || value(answer, "more").is_some(),
        hidepid: !sees_processes(answer),
    })
}

/// Uids that manifests pin: they may look like those of the API server's pods.
fn pinned(facts: &HostFacts) -> Vec<String> {
    let Fact::Seen(manifests) = &facts.manifests else {
        return Vec::new();
    };
    let uid = |manifest: &Fact<crate::model::pod::Manifest>| {
        let manifest = manifest.get().ok()?;
        let parsed = manifest.value.pod.get().ok()?;
        let uid = parsed.value.pod()?.metadata().get("uid")?.as_str()?;
        (!uid.is_empty()).then(|| uid.to_owned())
    };
    manifests.value.iter().filter_map(uid).collect()
}

/// Processes in pods that may have the name of a component: by a line of each one's own, and not by the list of
/// those in pods, which is cut where there are many.
fn in_pods(answer: &Answer<'_>, lines: &[&str]) -> Result<BTreeSet<u32>, Gap> {
    let first = |line: &str| line.split(' ').next()?.parse().ok();
    let listed = lines.iter().filter_map(|line| first(line));
    if answer.content(SECTION, "places", &[0, 1, 2]).is_none() && lines.len() <= IN_PODS {
        return Ok(listed.collect());
    }
    let text = required(answer, "places")?;
    Ok(listed.chain(text.lines().filter_map(first)).collect())
}

/// Processes whose name is that of a component.
fn components(answer: &Answer<'_>) -> Vec<u32> {
    let listed = value(answer, "components").unwrap_or_default();
    let listed = String::from_utf8_lossy(listed);
    listed
        .split_ascii_whitespace()
        .filter_map(|pid| pid.parse().ok())
        .collect()
}

fn value<'a>(answer: &Answer<'a>, name: &str) -> Option<&'a [u8]> {
    answer
        .records(SECTION, "V")
        .find(|fields| fields.len() == 2 && fields[0] == name.as_bytes())
        .map(|fields| fields[1].as_slice())
}

/// Lines of one file of many processes. Status 1: no line; 2: some could not be read, as of one that has ended.
fn required<'a>(answer: &Answer<'a>, name: &str) -> Result<std::borrow::Cow<'a, str>, Gap> {
    match answer.content(SECTION, name, &[0, 1, 2]) {
        Some(Content::Whole(text)) => Ok(String::from_utf8_lossy(text)),
        Some(Content::Gap(gap)) => Err(gap),
        None => Err(Gap::Garbled {
            what: Text::from(format!("{name} of the processes is missing in the answer")),
        }),
    }
}

/// By process id what one file of it says; a table that did not come is a gap for everybody.
struct Tables<'a> {
    starts: HashMap<u32, String>,
    status: Result<HashMap<u32, status::Status>, Gap>,
    roots: Result<HashMap<u32, String>, Gap>,
    users: Result<HashMap<u32, String>, Gap>,
    ooms: HashMap<u32, String>,
    /// None: no module of the kernel gives labels.
    labels: Option<Result<HashMap<u32, String>, Gap>>,
    programs: HashMap<u32, &'a [u8]>,
    is_root: bool,
}

impl<'a> Tables<'a> {
    fn read(answer: &Answer<'a>) -> Result<Self, Gap> {
        let own = value(answer, "label").unwrap_or_default();
        Ok(Self {
            starts: table(answer, "starts")?,
            status: required(answer, "status").map(|text| status::read(&text)),
            roots: table(answer, "roots"),
            users: table(answer, "users"),
            ooms: table(answer, "ooms").unwrap_or_default(),
            labels: (!own.is_empty()).then(|| table(answer, "labels")),
            programs: programs(answer),
            is_root: answer.frame.uid == 0,
        })
    }

    /// Anybody may give a process the name of a component: only root's are taken for one, and those that run as an
    /// account of their own name, as etcd does, and under k0s others. Whose it is may be unknown: then it is kept,
    /// with that gap.
    fn is_component(&self, pid: u32, facts: &HostFacts) -> bool {
        let name = self.starts.get(&pid).and_then(|line| start(line).1);
        let name = name.filter(|name| ["etcd", "kube-apiserver", "kube-scheduler"].contains(name));
        let own = |rights: Rights| match &facts.accounts {
            Fact::Seen(accounts) => {
                let user = accounts.value.user(Uid(rights.uid.real));
                user.is_some_and(|user| name.is_some_and(|name| user.name == name))
            }
            Fact::Gap(_) => name.is_some(),
        };
        let Ok(status) = &self.status else {
            return true;
        };
        let rights = status.get(&pid).and_then(status::Status::rights);
        rights.is_none_or(|rights| rights.uid.real == 0 || own(rights))
    }

    /// None: it ended while it was looked at.
    fn process(
        &self,
        answer: &Answer<'_>,
        reading: &Reading<'_>,
        pid: u32,
        pod: Option<InPod>,
    ) -> Option<Process> {
        let (ticks, comm) = start(self.starts.get(&pid)?);
        let at = Locator::new(Need::Processes, 0);
        let fact = |value| Fact::seen(value, at);
        let rights = match &self.status {
            Err(gap) => Fact::Gap(gap.clone()),
            Ok(status) => match status.get(&pid).and_then(status::Status::rights) {
                Some(rights) => fact_of(rights, at),
                None => Fact::Gap(self.unread(pid, "status")),
            },
        };
        let label = match &self.labels {
            None => fact_of(None, at),
            Some(Err(gap)) => Fact::Gap(gap.clone()),
            Some(Ok(labels)) => match labels.get(&pid) {
                Some(label) => fact_of(Some(Text::new(label.trim_end_matches('\0'))), at),
                None => Fact::Gap(self.unread(pid, "attr/current")),
            },
        };
        let exe = match self.programs.get(&pid) {
            Some(path) => fact_of(Text::from_bytes(path), at),
            None => Fact::Gap(self.unread(pid, "exe")),
        };
        Some(Process {
            pid,
            comm: Text::new(comm.unwrap_or("?")),
            pod,
            started: ticks.and_then(|ticks| started(answer, ticks)),
            rights,
            label,
            root_read_only: self.item(&self.roots, (pid, "mountinfo"), read_only),
            users: self.item(&self.users, (pid, "uid_map"), user_map),
            oom: self.ooms.get(&pid).and_then(|score| score.parse().ok()),
            exe,
            command: match command(answer, reading, pid) {
                Ok(words) => fact(words),
                Err(gap) => Fact::Gap(gap),
            },
        })
    }

    fn item<T>(
        &self,
        table: &Result<HashMap<u32, String>, Gap>,
        (pid, file): (u32, &str),
        read: fn(&str) -> Option<T>,
    ) -> Fact<T> {
        match table {
            Err(gap) => Fact::Gap(gap.clone()),
            Ok(lines) => match lines.get(&pid).and_then(|line| read(line)) {
                Some(value) => fact_of(value, Locator::new(Need::Processes, 0)),
                None => Fact::Gap(self.unread(pid, file)),
            },
        }
    }

    /// Root may read every file of `/proc`, or the process has ended.
    fn unread(&self, pid: u32, file: &str) -> Gap {
        let word: &[u8] = if self.is_root { b"error" } else { b"denied" };
        not_read(word, &format!("/proc/{pid}/{file}"))
    }
}

fn fact_of<T>(value: T, at: Locator) -> Fact<T> {
    Fact::seen(value, at)
}

/// `PID words`, one process a line.
fn table(answer: &Answer<'_>, name: &str) -> Result<HashMap<u32, String>, Gap> {
    let text = required(answer, name)?;
    let line = |line: &str| {
        let (pid, rest) = line.split_once(' ')?;
        Some((pid.parse().ok()?, rest.to_owned()))
    };
    Ok(text.lines().filter_map(line).collect())
}

/// `PID TICKS COMM`; neither of a process whose name breaks the line.
fn start(line: &str) -> (Option<&str>, Option<&str>) {
    let mut words = line.splitn(3, ' ').skip(1);
    match (words.next(), words.next()) {
        (Some(ticks), Some(comm)) if ticks.bytes().all(|byte| byte.is_ascii_digit()) => {
            (Some(ticks), Some(comm))
        }
        _ => (None, None),
    }
}

/// `ro rw`: the mount, then its file system.
fn read_only(line: &str) -> Option<bool> {
    match line.split_once(' ')? {
        ("ro", "ro" | "rw") | ("rw", "ro") => Some(true),
        ("rw", "rw") => Some(false),
        _ => None,
    }
}

fn user_map(line: &str) -> Option<UserMap> {
    let mut numbers = line.split_ascii_whitespace().map(str::parse);
    let mut next = || numbers.next()?.ok();
    Some(UserMap {
        inside: next()?,
        outside: next()?,
        count: next()?,
    })
}

fn programs<'a>(answer: &Answer<'a>) -> HashMap<u32, &'a [u8]> {
    answer
        .records(SECTION, "Q")
        .filter_map(|fields| match fields {
            [pid, path] => Some((
                std::str::from_utf8(pid).ok()?.parse().ok()?,
                path.as_slice(),
            )),
            _ => None,
        })
        .collect()
}

/// Words of the command line, masked.
fn command(answer: &Answer<'_>, reading: &Reading<'_>, pid: u32) -> Result<Vec<Text>, Gap> {
    let file = format!("/proc/{pid}/cmdline");
    let bytes = match answer.content(SECTION, &file, &[0]) {
        Some(Content::Whole(bytes)) => bytes,
        Some(Content::Gap(gap)) => return Err(gap),
        None => return Err(Gap::NotAsked),
    };
    let mut words = super::kubelet::words(bytes);
    reading.masker.mask_args(&mut words);
    Ok(words.iter().map(Text::from).collect())
}

/// Containers by id, of the processes that are kept.
fn containers(answer: &Answer<'_>, list: &[Process]) -> Fact<Vec<ContainerName>> {
    let state = answer
        .records(SECTION, "D")
        .find_map(|fields| fields.get(1).map(Vec::as_slice));
    match state {
        Some(b"ok" | b"absent") => {}
        word => return Fact::Gap(not_read(word.unwrap_or(b"error"), "/var/log/containers")),
    }
    let kept: BTreeSet<&str> = list
        .iter()
        .filter_map(|process| process.pod.as_ref()?.container.as_deref())
        .collect();
    let names = answer.records(SECTION, "N").filter_map(|fields| {
        let name = String::from_utf8_lossy(fields.first()?);
        let (rest, id) = name.strip_suffix(".log")?.rsplit_once('-')?;
        let mut words = rest.splitn(3, '_');
        let (pod, namespace, container) = (words.next()?, words.next()?, words.next()?);
        kept.contains(id).then(|| ContainerName {
            id: id.into(),
            namespace: Text::new(namespace),
            pod: Text::new(pod),
            container: Text::new(container),
        })
    });
    Fact::seen(names.collect(), Locator::new(Need::Processes, 0))
}
