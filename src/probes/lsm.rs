//! Security modules of the kernel, and whether the container runtime and the kubelet make use of them.

use super::answer::{Answer, Content, not_read, summary};
use super::probe::{Ask, Probe, Reading};
use crate::model::fact::{Fact, Gap, Locator, Need};
use crate::model::lsm::{Lsm, Profile, Profiles, Selinux};
use crate::model::node::HostFacts;
use crate::model::pod::Pod;
use crate::model::text::Text;
use crate::model::tree::Branch;

mod runtime;
mod seccomp;
mod shown;

/// What confines a container beside its own manifest.
pub static PROBE: Probe = Probe {
    need: Need::Lsm,
    what: "security modules, their profiles, kernel settings, and the settings of the container runtime that confine",
    asks: &[Ask::Shell {
        section: SECTION,
        since: 2,
        root: Some(
            "AppArmor profiles, seccomp profiles, and configuration that is closed to others",
        ),
        fragment: include_str!("shell/lsm.sh"),
        read,
    }],
};

const SECTION: &str = "lsm";
const AT: Locator = Locator::new(Need::Lsm, 0);

const ACTIVE: &str = "/sys/kernel/security/lsm";
const LOCKDOWN: &str = "/sys/kernel/security/lockdown";
const APPARMOR: &str = "/sys/module/apparmor/parameters/enabled";
const ENFORCE: &str = "/sys/fs/selinux/enforce";
const PROFILES: &str = "/sys/kernel/security/apparmor/profiles";
const CONFIG: &str = "/etc/selinux/config";

fn read(answer: &Answer<'_>, reading: &Reading<'_>, facts: &mut HostFacts) {
    let lsm = Lsm {
        active: active(answer),
        apparmor: apparmor(answer),
        profiles: profiles(answer, facts),
        selinux: selinux(answer, facts),
        runtime: runtime::read(answer, facts),
        seccomp: seccomp::read(answer, facts),
        lockdown: of(line(answer, LOCKDOWN).map(|found| found.and_then(|line| bracketed(&line)))),
        sysctls: sysctls(answer),
    };
    facts.sources.push(summary(
        (Need::Lsm, 0),
        COMMAND,
        &shown::text(&lsm),
        reading,
    ));
    facts.lsm = Fact::seen(Box::new(lsm), AT);
}

const COMMAND: &str = "head /sys/kernel/security/lsm /sys/module/apparmor/parameters/enabled /sys/fs/selinux/enforce; cat /sys/kernel/security/apparmor/profiles; grep SELINUX /etc/selinux/config";

fn of<T>(found: Result<T, Gap>) -> Fact<T> {
    match found {
        Ok(value) => Fact::seen(value, AT),
        Err(gap) => Fact::Gap(gap),
    }
}

/// The one line of a file; `None` where there is no such file and the folder that would hold it can be seen.
fn line(answer: &Answer<'_>, path: &str) -> Result<Option<Text>, Gap> {
    if let Some(value) = value(answer, path) {
        return Ok(Some(Text::from_bytes(value)));
    }
    match answer.refusal(SECTION, path.as_bytes()) {
        // A container's view of /sys may be empty.
        Some(b"absent") if value_is(answer, "sysfs", b"mounted") => Ok(None),
        Some(b"absent") => Err(Gap::Garbled {
            what: Text::from(format!("{path}: /sys is not mounted where the login is")),
        }),
        word => Err(not_read(word.unwrap_or(b"error"), path)),
    }
}

fn value<'a>(answer: &Answer<'a>, name: &str) -> Option<&'a [u8]> {
    answer
        .records(SECTION, "V")
        .find(|fields| fields.len() == 2 && fields[0] == name.as_bytes())
        .map(|fields| fields[1].as_slice())
}

fn value_is(answer: &Answer<'_>, name: &str, wanted: &[u8]) -> bool {
    value(answer, name) == Some(wanted)
}

/// What a command printed. Another login than root is refused where root would not be.
fn printed<'a>(answer: &Answer<'a>, name: &str) -> Option<Result<&'a [u8], Gap>> {
    Some(match answer.content(SECTION, name, &[0, 1])? {
        Content::Whole(text) => Ok(text),
        Content::Gap(Gap::Garbled { .. }) if answer.frame.uid != 0 => Err(Gap::Denied {
            what: Text::new(name),
        }),
        Content::Gap(gap) => Err(gap),
    })
}

fn active(answer: &Answer<'_>) -> Fact<Option<Vec<Text>>> {
    let list = |line: Text| {
        let names = line.as_str().split(',').map(str::trim);
        names
            .filter(|name| !name.is_empty())
            .map(Text::new)
            .collect()
    };
    of(line(answer, ACTIVE).map(|found| found.map(list)))
}

fn apparmor(answer: &Answer<'_>) -> Fact<bool> {
    of(
        line(answer, APPARMOR).and_then(|found| match found.as_ref().map(Text::as_str) {
            Some("Y") => Ok(true),
            None | Some("N") => Ok(false),
            Some(other) => Err(Gap::Garbled {
                what: Text::from(format!("{APPARMOR} says {other}")),
            }),
        }),
    )
}

/// The word in brackets: `none [integrity] confidentiality`.
fn bracketed(line: &Text) -> Option<Text> {
    let (_, rest) = line.as_str().split_once('[')?;
    Some(Text::new(rest.split_once(']')?.0))
}

/// Whether AppArmor is on, and its list is not where it should be.
fn unseen(answer: &Answer<'_>) -> bool {
    let absent = match answer.refusal(SECTION, PROFILES.as_bytes()) {
        Some(word) => word == b"absent",
        None => printed(answer, PROFILES).is_none(),
    };
    absent && value_is(answer, APPARMOR, b"Y")
}

/// `name (mode)`, one a line. Kept are those that somebody asks for: a distribution brings a hundred others.
fn profiles(answer: &Answer<'_>, facts: &HostFacts) -> Fact<Profiles> {
    if unseen(answer) {
        return Fact::Gap(Gap::Garbled {
            what: Text::from(format!(
                "AppArmor is on, and there is no {PROFILES}: securityfs is not mounted where the login is"
            )),
        });
    }
    let text = match printed(answer, PROFILES) {
        None => return Fact::seen(Profiles::default(), AT),
        Some(_) if answer.refusal(SECTION, PROFILES.as_bytes()) == Some(b"absent") => {
            return Fact::seen(Profiles::default(), AT);
        }
        Some(Err(gap)) => return Fact::Gap(gap),
        // An empty answer of a login that may not see them is no list.
        Some(Ok(text)) if text.is_empty() && answer.frame.uid != 0 => {
            return Fact::Gap(not_read(b"denied", PROFILES));
        }
        Some(Ok(text)) => String::from_utf8_lossy(text),
    };
    let wanted = wanted(facts);
    let mut out = Profiles::default();
    for line in text.lines() {
        let Some((name, mode)) = line
            .rsplit_once(" (")
            .and_then(|(name, mode)| Some((name, mode.strip_suffix(')')?)))
        else {
            return Fact::Gap(Gap::Garbled {
                what: Text::from(format!("{PROFILES}: {}", Text::new(line))),
            });
        };
        match mode {
            "enforce" => out.enforce = out.enforce.saturating_add(1),
            "complain" => out.complain = out.complain.saturating_add(1),
            _ => out.other = out.other.saturating_add(1),
        }
        if is_runtimes(name) || wanted.iter().any(|wanted| wanted == name) {
            out.named.push(Profile {
                name: Text::new(name),
                mode: Text::new(mode),
            });
        }
    }
    Fact::seen(out, AT)
}

/// Profiles that runtimes load for containers that ask for none.
fn is_runtimes(name: &str) -> bool {
    [
        "cri-containerd",
        "crio-default",
        "containers-default",
        "docker-default",
    ]
    .iter()
    .any(|start| name.starts_with(start))
}

/// Names that manifests and processes of static pods have.
fn wanted(facts: &HostFacts) -> Vec<String> {
    let mut out = Vec::new();
    for pod in pods(facts) {
        localhost(pod.spec(), "appArmorProfile", &mut out);
        for (_, container) in pod.containers() {
            localhost(container, "appArmorProfile", &mut out);
        }
        let notes = pod.metadata().get("annotations");
        for (_, note) in notes
            .and_then(Branch::as_object)
            .into_iter()
            .flat_map(crate::model::tree::Members::iter)
        {
            let name = note
                .as_str()
                .and_then(|note| note.strip_prefix("localhost/"));
            out.extend(name.map(str::to_owned));
        }
    }
    if let Fact::Seen(processes) = &facts.processes {
        for process in &processes.value.list {
            if let Ok(Some(label)) = process.label.get().map(|label| &label.value) {
                let name = label.as_str().split(" (").next().unwrap_or_default();
                out.push(name.to_owned());
            }
        }
    }
    out
}

/// `securityContext.KIND.localhostProfile` of a pod spec or a container.
fn localhost(part: Branch<'_>, kind: &str, out: &mut Vec<String>) {
    let path = format!("/securityContext/{kind}/localhostProfile");
    let name = part.pointer(&path).and_then(Branch::as_str);
    out.extend(name.filter(|name| !name.is_empty()).map(str::to_owned));
}

/// Pods of the manifests that could be read.
fn pods(facts: &HostFacts) -> impl Iterator<Item = &Pod> {
    let list = match &facts.manifests {
        Fact::Seen(list) => list.value.as_slice(),
        Fact::Gap(_) => &[],
    };
    list.iter().filter_map(|manifest| match manifest {
        Fact::Seen(manifest) => match &manifest.value.pod {
            Fact::Seen(parsed) => parsed.value.pod(),
            Fact::Gap(_) => None,
        },
        Fact::Gap(_) => None,
    })
}

fn selinux(answer: &Answer<'_>, facts: &HostFacts) -> Selinux {
    let enforce = line(answer, ENFORCE).and_then(|found| match found.as_ref().map(Text::as_str) {
        None => Ok(None),
        Some("1") => Ok(Some(true)),
        Some("0") => Ok(Some(false)),
        Some(other) => Err(Gap::Garbled {
            what: Text::from(format!("{ENFORCE} says {other}")),
        }),
    });
    let on = matches!(enforce, Ok(Some(_)));
    let config = match (
        answer.refusal(SECTION, CONFIG.as_bytes()),
        printed(answer, CONFIG),
    ) {
        (Some(b"absent"), _) => Ok(None),
        (_, Some(found)) => found.map(String::from_utf8_lossy).map(Some),
        (_, None) => Err(not_read(b"error", CONFIG)),
    };
    // The last of several lines counts (libselinux, selinux_config.c).
    let key = |text: &str, key: &str| {
        let mut lines = text
            .lines()
            .filter_map(|line| line.trim().strip_prefix(key));
        lines
            .next_back()
            .map(|value| Text::from(value.trim().to_ascii_lowercase()))
    };
    Selinux {
        policy: match &config {
            Ok(Some(text)) => key(text, "SELINUXTYPE="),
            _ => None,
        },
        configured: of(config.map(|text| text.and_then(|text| key(&text, "SELINUX=")))),
        enforce: of(enforce),
        manifest_dir: folder_label(answer, facts, on),
    }
}

fn folder_label(answer: &Answer<'_>, facts: &HostFacts, on: bool) -> Fact<Option<Text>> {
    let folder = match &facts.manifest_dir {
        Fact::Gap(gap) => return Fact::Gap(gap.clone()),
        Fact::Seen(seen) => seen.value.as_ref().map(|dir| dir.path.as_str()),
    };
    let Some(folder) = folder.filter(|_| on) else {
        return Fact::seen(None, AT);
    };
    let label = answer
        .records(SECTION, "C")
        .find(|fields| fields.len() == 2 && fields[0] == folder.as_bytes())
        .map(|fields| Text::from_bytes(&fields[1]));
    match label {
        Some(label) if label.as_str().contains(':') => Fact::seen(Some(label), AT),
        Some(_) => Fact::Gap(Gap::ToolMissing {
            tool: Text::new("stat with SELinux"),
        }),
        None if answer.kind(folder.as_bytes()) == Err(b"absent") => Fact::seen(None, AT),
        None => Fact::Gap(not_read(
            b"error",
            &format!("the SELinux label of {folder}"),
        )),
    }
}

/// `/proc/sys/kernel/kptr_restrict:1` becomes `kernel.kptr_restrict` and `1`. Status 2: some do not exist.
fn sysctls(answer: &Answer<'_>) -> Vec<(Text, Text)> {
    let Some(Content::Whole(text)) = answer.content(SECTION, "sysctls", &[0, 1, 2]) else {
        return Vec::new();
    };
    let text = String::from_utf8_lossy(text);
    let line = |line: &str| {
        let (path, value) = line.split_once(':')?;
        let name = path.strip_prefix("/proc/sys/")?.replace('/', ".");
        Some((Text::from(name), Text::new(value)))
    };
    text.lines().filter_map(line).take(40).collect()
}
