//! Pods that really run: their cgroups and their log folders, without asking a container runtime.

use std::collections::{BTreeMap, HashMap};

use super::answer::{Answer, Content, not_read, summary};
use super::identity::{no_processes, sees_processes, started};
use super::parse::cgroup::pod_uid;
use super::probe::{Ask, Probe, Reading};
use crate::model::fact::{Fact, Gap, Locator, Need};
use crate::model::node::{HostFacts, RuntimePod, RuntimePods};
use crate::model::text::Text;

/// Pods by the traces that they leave on the node.
pub static PROBE: Probe = Probe {
    need: Need::RuntimePods,
    what: "pods that really run, by cgroup and log folder",
    asks: &[Ask::Shell {
        section: "runtime",
        since: 1,
        root: Some("processes of others where /proc hides them"),
        fragment: include_str!("shell/runtime.sh"),
        read,
    }],
};

fn read(answer: &Answer<'_>, reading: &Reading<'_>, facts: &mut HostFacts) {
    match pods(answer) {
        Err(gap) => facts.runtime_pods = Fact::Gap(gap),
        Ok(pods) => {
            let mut lines: String = pods.pods.iter().map(line).collect();
            if let Err(gap) = log_folder(answer) {
                lines.push_str(&format!("log folders are left out: {gap}\n"));
            }
            facts.sources.push(summary(
                (Need::RuntimePods, 0),
                "grep kubepods /proc/[0-9]*/cgroup; ls /var/log/pods",
                &lines,
                reading,
            ));
            facts.runtime_pods = Fact::seen(pods, Locator::new(Need::RuntimePods, 0));
        }
    }
}

fn line(pod: &RuntimePod) -> String {
    let log = pod
        .log
        .as_ref()
        .map(|(namespace, name)| format!(" {namespace}/{name}"))
        .unwrap_or_default();
    let exe = pod.exe.as_ref().map(Text::as_str).unwrap_or_default();
    format!("{} {} processes {exe}{log}\n", pod.uid, pod.pids)
}

fn pods(answer: &Answer<'_>) -> Result<RuntimePods, Gap> {
    if let Some(gap) = no_processes(answer) {
        return Err(gap);
    }
    // Status 2: a process ended while it was looked at.
    let text = match answer.content("runtime", "cgroups", &[0, 1, 2]) {
        Some(Content::Whole(text)) => String::from_utf8_lossy(text),
        Some(Content::Gap(gap)) => return Err(gap),
        None => {
            return Err(Gap::Garbled {
                what: Text::new("the cgroups are missing in the answer"),
            });
        }
    };
    let starts = starts(answer);
    let mut found: BTreeMap<String, RuntimePod> = BTreeMap::new();
    let mut oldest: HashMap<String, i64> = HashMap::new();
    for line in text.lines() {
        let Some((pid, path)) = line.split_once(' ') else {
            continue;
        };
        let Some(uid) = pod_uid(path) else { continue };
        let start = starts.as_ref().map(|starts| starts.get(pid));
        // It ended while it was looked at, as what starts a container does: no process without a known age.
        if start == Some(None) {
            continue;
        }
        let pod = found.entry(uid.to_owned()).or_insert_with(|| empty(uid));
        pod.pids = pod.pids.saturating_add(1);
        if let Some(Some(Some((ticks, exe)))) = start {
            let first = oldest.entry(uid.to_owned()).or_insert(i64::MAX);
            if *ticks < *first {
                *first = *ticks;
                pod.started = started(answer, &ticks.to_string());
                pod.exe = Some(Text::new(exe));
            }
        }
    }
    logs(answer, &mut found);
    Ok(RuntimePods {
        pods: found.into_values().collect(),
        hidepid: !sees_processes(answer),
    })
}

fn empty(uid: &str) -> RuntimePod {
    RuntimePod {
        uid: Text::new(uid),
        pids: 0,
        log: None,
        started: None,
        exe: None,
    }
}

/// Start and name by process id. A process whose line is not understood has neither, one without a line is gone.
/// None: the list is not known.
fn starts(answer: &Answer<'_>) -> Option<HashMap<String, Option<(i64, String)>>> {
    let Some(Content::Whole(text)) = answer.content("runtime", "starts", &[0, 1, 2]) else {
        return None;
    };
    let text = String::from_utf8_lossy(text);
    let line = |line: &str| {
        let (pid, rest) = line.split_once(' ')?;
        let start = rest.split_once(' ').and_then(|(ticks, exe)| {
            let ticks = ticks.parse().ok()?;
            Some((ticks, exe.to_owned()))
        });
        Some((pid.to_owned(), start))
    };
    Some(text.lines().filter_map(line).collect())
}

/// Whether the log folders are all there. Without them the pods have no names, but processes tell of each pod.
fn log_folder(answer: &Answer<'_>) -> Result<(), Gap> {
    let state = answer
        .records("runtime", "D")
        .find_map(|fields| fields.get(1).map(Vec::as_slice));
    match state {
        Some(b"ok" | b"absent") => Ok(()),
        Some(b"more") => Err(Gap::Garbled {
            what: Text::new("/var/log/pods has more folders than are listed"),
        }),
        word => Err(not_read(word.unwrap_or(b"error"), "/var/log/pods")),
    }
}

/// Log folders: `<namespace>_<name>_<uid>`. Neither a namespace nor a name can hold an underscore.
fn logs(answer: &Answer<'_>, found: &mut BTreeMap<String, RuntimePod>) {
    for fields in answer.records("runtime", "N") {
        let name = fields.first().map_or(&b""[..], Vec::as_slice);
        let name = String::from_utf8_lossy(name);
        let mut words = name.splitn(3, '_');
        let (Some(namespace), Some(pod), Some(uid)) = (words.next(), words.next(), words.next())
        else {
            continue;
        };
        // The systemd driver writes a dash as an underscore.
        let other = uid.replace('-', "_");
        let key = if found.contains_key(&other) {
            other
        } else {
            uid.to_owned()
        };
        let entry = found.entry(key).or_insert_with(|| empty(uid));
        entry.uid = Text::new(uid);
        entry.log = Some((Text::new(namespace), Text::new(pod)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probes::frame::{Frame, Record, Section};

    fn blob(name: &str, text: &str) -> Record {
        Record {
            kind: "F".to_owned(),
            fields: vec![name.into(), format!("{text}x0\n").into_bytes()],
        }
    }

    /// Uid, processes and name of each pod.
    fn read(records: Vec<Record>) -> Vec<(String, u32, Option<String>)> {
        let frame = Frame {
            script: 1,
            sections: vec![Section {
                name: "runtime".to_owned(),
                records,
            }],
            complete: true,
            ..Frame::default()
        };
        let pods = pods(&Answer::new(&frame)).expect("pods").pods;
        let told = |pod: RuntimePod| {
            (
                pod.uid.to_string(),
                pod.pids,
                pod.exe.map(|exe| exe.to_string()),
            )
        };
        pods.into_iter().map(told).collect()
    }

    #[test]
    fn a_process_that_ended_meanwhile_is_none() {
        let cgroups = blob(
            "cgroups",
            "11 /kubepods/besteffort/poda1/c\n12 /kubepods/besteffort/poda1/c\n13 /kubepods/podb2/c\n",
        );
        // 12 has a line that is not understood: it is there all the same.
        let starts = blob("starts", "11 4000 pause\n12 (odd\n");
        let word = |text: &str| Some(text.to_owned());
        assert_eq!(
            read(vec![cgroups.clone(), starts]),
            [("a1".to_owned(), 2, word("pause"))]
        );
        // Without the list nobody can be said to have ended.
        let all = [("a1".to_owned(), 2, None), ("b2".to_owned(), 1, None)];
        assert_eq!(read(vec![cgroups]), all);
    }
}
