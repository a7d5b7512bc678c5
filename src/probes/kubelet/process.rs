//! The running kubelet, or how its unit would start it.

use super::unit::Unit;
use crate::model::fact::Gap;
use crate::model::kubelet::{Given, KubeletProcess, UnitFlags};
use crate::model::text::Text;
use crate::probes::answer::{Answer, Content};
use crate::probes::identity::started;
use crate::probes::parse::yaml;
use crate::probes::probe::Reading;

pub(super) const K3S_DROP_INS: &str = "/var/lib/rancher/k3s/agent/etc/kubelet.conf.d";
/// The kubelet's share of the unit of k3s.
const K3S_UNIT: &str = "k3s unit";
const MICROK8S_ARGS: &str = "/var/snap/microk8s/current/args/kubelet";

/// With which words the kubelet runs, or would run.
pub(super) struct Started {
    pub(super) process: Option<KubeletProcess>,
    /// The kubelet's own arguments, as they are: never to be stored.
    pub(super) args: Vec<String>,
    /// No process; the arguments are those of the unit.
    pub(super) from_unit: bool,
    /// The kubelet is a part of another program, which hands it further flags.
    pub(super) embedded: bool,
    /// Why flags may be missing.
    pub(super) hidden: Option<Gap>,
    /// What gives a flag, by the flag's name, as far as that is told; the last one counts.
    pub(super) given: Vec<(String, Given)>,
    /// How the unit would start the running kubelet.
    pub(super) unit: Option<UnitFlags>,
    /// Evidence, masked.
    pub(super) command_shown: String,
    pub(super) text: String,
    cwd: String,
}

impl Started {
    /// A path as the kubelet would find it.
    pub(super) fn absolute(&self, path: &str) -> String {
        let path = if path.starts_with('/') {
            path.to_owned()
        } else {
            format!("{}/{path}", self.cwd.trim_end_matches('/'))
        };
        let short = path.trim_end_matches('/');
        if short.is_empty() { "/" } else { short }.to_owned()
    }
}

struct Candidate<'a> {
    pid: u32,
    comm: &'a [u8],
    ticks: &'a [u8],
    /// In the collector's own mount namespace.
    same: bool,
    cwd: &'a [u8],
}

/// Finds the host's kubelet among the candidates of the answer.
///
/// # Errors
/// [`Gap::Garbled`] where several could be it.
pub(super) fn find(answer: &Answer<'_>, reading: &Reading<'_>) -> Result<Started, Gap> {
    let mut all: Vec<Candidate<'_>> = answer
        .records("kubelet", "P")
        .filter_map(|fields| match fields {
            [pid, comm, uid, ticks, word, cwd, ..]
                if uid == b"0" && (word == b"same" || word == b"host") =>
            {
                Some(Candidate {
                    pid: std::str::from_utf8(pid).ok()?.parse().ok()?,
                    comm,
                    ticks,
                    same: word == b"same",
                    cwd,
                })
            }
            _ => None,
        })
        .collect();
    if all.iter().any(|candidate| candidate.same) {
        all.retain(|candidate| candidate.same);
    }
    // A kubelet of its own stands before one inside another program.
    if all.iter().any(|candidate| candidate.comm == b"kubelet") {
        all.retain(|candidate| candidate.comm == b"kubelet");
    }
    match all.as_slice() {
        [] => Ok(stopped(answer, reading)),
        [one] => running(answer, one, reading),
        // Threads of k3s have its name too; the oldest is the server.
        [.., _]
            if all
                .iter()
                .all(|candidate| candidate.comm.starts_with(b"k3s")) =>
        {
            let oldest = all.iter().min_by_key(|candidate| candidate.pid);
            oldest.map_or_else(
                || Ok(stopped(answer, reading)),
                |one| running(answer, one, reading),
            )
        }
        several => Err(Gap::Garbled {
            what: Text::from(format!(
                "{} processes could be the kubelet of this host",
                several.len()
            )),
        }),
    }
}

fn running(
    answer: &Answer<'_>,
    candidate: &Candidate<'_>,
    reading: &Reading<'_>,
) -> Result<Started, Gap> {
    let file = format!("/proc/{}/cmdline", candidate.pid);
    let words = match answer.content("kubelet", &file, &[0]) {
        Some(Content::Whole(bytes)) => words(bytes),
        Some(Content::Gap(gap)) => return Err(gap),
        None => {
            return Err(Gap::Garbled {
                what: Text::from(format!("{file} is missing in the answer")),
            });
        }
    };
    let mut words = words;
    if candidate.comm.starts_with(b"k3s") {
        // Where its command line was, k3s leaves zeros.
        words.retain(|word| !word.is_empty());
    }
    let mut shown = words.clone();
    mask(&mut shown, reading);
    let ticks = String::from_utf8_lossy(candidate.ticks);
    let mut found = Started {
        process: Some(KubeletProcess {
            pid: candidate.pid,
            started: started(answer, &ticks),
            command: shown.iter().map(Text::from).collect(),
        }),
        args: words.iter().skip(1).cloned().collect(),
        from_unit: false,
        embedded: false,
        hidden: None,
        given: Vec::new(),
        unit: None,
        command_shown: format!("tr '\\0' '\\n' < {file}"),
        text: shown.join("\n"),
        cwd: match candidate.cwd {
            b"" => "/".to_owned(),
            cwd => String::from_utf8_lossy(cwd).into_owned(),
        },
    };
    if candidate.comm.starts_with(b"k3s") {
        k3s(answer, &words, &mut found);
    } else if candidate.comm == b"kubelite" {
        microk8s(answer, &mut found);
    } else if let Some(unit) = Unit::read(answer) {
        found.given = unit.given_to(&words);
        found.unit = unit.compare(&words);
    }
    Ok(found)
}

/// The words of a command line as `/proc` has it.
pub(in crate::probes) fn words(bytes: &[u8]) -> Vec<String> {
    let bytes = bytes.strip_suffix(b"\0").unwrap_or(bytes);
    bytes
        .split(|byte| *byte == 0)
        .map(|word| String::from_utf8_lossy(word).into_owned())
        .collect()
}

fn mask(words: &mut [String], reading: &Reading<'_>) {
    let mut header = false;
    for word in words.iter_mut() {
        let name = word.split('=').next().unwrap_or_default().replace('_', "-");
        if std::mem::take(&mut header) {
            *word = reading.masker.mask(word);
        } else if name == "--manifest-url-header" {
            match word.split_once('=') {
                Some((flag, value)) => *word = format!("{flag}={}", reading.masker.mask(value)),
                None => header = true,
            }
        }
    }
    reading.masker.mask_args(words);
}

/// k3s starts the kubelet inside itself, since 1.32 with drop-ins, before with flags that nobody sees.
/// `--kubelet-arg` adds flags, on the command line and in k3s's own configuration.
fn k3s(answer: &Answer<'_>, words: &[String], found: &mut Started) {
    found.embedded = true;
    found.args = Vec::new();
    for fields in answer.records("kubelet", "F") {
        let Some(name) = fields
            .first()
            .filter(|name| name.starts_with(b"/etc/rancher/k3s/"))
        else {
            continue;
        };
        let Some(Content::Whole(text)) = answer.file("kubelet", name) else {
            found.hidden = Some(Gap::Garbled {
                what: Text::from(format!("kubelet-arg of {}", Text::from_bytes(name))),
            });
            continue;
        };
        let list = yaml::parse(text, &yaml::Limits::default()).ok();
        let items = list
            .as_ref()
            .and_then(|parsed| parsed.value.get("kubelet-arg")?.as_array());
        for item in items.into_iter().flatten().filter_map(|item| item.as_str()) {
            let flag = item.split('=').next().unwrap_or(item);
            found.given.push((flag.replace('_', "-"), place(name, 0)));
            found.args.push(format!("--{item}"));
        }
    }
    let written = erased(words).then(|| answer.content("kubelet", K3S_UNIT, &[0]));
    let unit = match written {
        None => Vec::new(),
        Some(Some(Content::Whole(text))) => String::from_utf8_lossy(text)
            .lines()
            .map(str::to_owned)
            .collect(),
        Some(_) => {
            found.hidden = Some(Gap::Garbled {
                what: Text::new(
                    "the arguments of k3s, which it takes away from its command line: no unit tells them",
                ),
            });
            Vec::new()
        }
    };
    let mut next = false;
    for word in words.iter().chain(&unit) {
        let value = if std::mem::take(&mut next) {
            word
        } else if let Some(value) = word.strip_prefix("--kubelet-arg=") {
            value
        } else {
            next = word == "--kubelet-arg";
            continue;
        };
        // Its own command line counts more than the file.
        let flag = value.split('=').next().unwrap_or(value).replace('_', "-");
        found.given.retain(|(name, _)| *name != flag);
        found.args.push(format!("--{value}"));
    }
    if answer.kind(k3s_drop_ins(answer).as_bytes()) == Err(b"absent") {
        found.hidden = Some(Gap::Garbled {
            what: Text::new("the kubelet runs inside k3s, which does not show its flags"),
        });
    }
}

/// Whether k3s wrote its title over its command line, which it does since that may hold a token
/// (pkg/proctitle of k3s).
fn erased(words: &[String]) -> bool {
    match words {
        [title] => title.ends_with(" server") || title.ends_with(" agent"),
        _ => false,
    }
}

/// The folder of drop-ins that k3s hands to its kubelet, below the data folder that its program lies in.
pub(super) fn k3s_drop_ins(answer: &Answer<'_>) -> String {
    let mut values = answer.records("kubelet", "V");
    let folder = values.find_map(|fields| match fields {
        [word, folder] if word == b"data_dir" => std::str::from_utf8(folder).ok(),
        _ => None,
    });
    match folder.filter(|folder| folder.starts_with('/')) {
        Some(folder) => format!("{folder}/agent/etc/kubelet.conf.d"),
        None => K3S_DROP_INS.to_owned(),
    }
}

fn place(file: &[u8], line: u32) -> Given {
    Given {
        file: Text::from_bytes(file),
        line,
    }
}

/// MicroK8s keeps the arguments in a file, one a line.
fn microk8s(answer: &Answer<'_>, found: &mut Started) {
    found.args = match answer.content("kubelet", MICROK8S_ARGS, &[0]) {
        Some(Content::Whole(text)) => {
            let mut args = Vec::new();
            for (number, line) in (1..).zip(String::from_utf8_lossy(text).lines()) {
                let line = line.trim();
                let Some(flag) = line.strip_prefix("--") else {
                    continue;
                };
                let name = flag.split(['=', ' ']).next().unwrap_or(flag);
                let given = place(MICROK8S_ARGS.as_bytes(), number);
                found.given.push((name.replace('_', "-"), given));
                let line = line
                    .replace("${SNAP_DATA}", "/var/snap/microk8s/current")
                    .replace("${SNAP_COMMON}", "/var/snap/microk8s/common");
                // As a shell would read it: quotes around a value are none of it.
                args.push(line.replace(['"', '\''], ""));
            }
            args
        }
        Some(Content::Gap(gap)) => {
            found.hidden = Some(gap);
            Vec::new()
        }
        None => {
            found.hidden = Some(Gap::Garbled {
                what: Text::new("the kubelet runs inside kubelite, which does not show its flags"),
            });
            Vec::new()
        }
    };
}

/// No kubelet runs: the command line out of its unit, with the variables filled in.
fn stopped(answer: &Answer<'_>, reading: &Reading<'_>) -> Started {
    let unit = Unit::read(answer);
    let given = unit.as_ref().map(Unit::given).unwrap_or_default();
    let words = unit.as_ref().map(Unit::words).unwrap_or_default();
    let mut shown = words.clone();
    mask(&mut shown, reading);
    Started {
        process: None,
        args: words.iter().skip(1).cloned().collect(),
        from_unit: unit.is_some(),
        embedded: false,
        hidden: None,
        given,
        unit: None,
        command_shown: "systemctl show kubelet -p ExecStart -p Environment -p EnvironmentFiles"
            .to_owned(),
        text: if words.is_empty() {
            "no kubelet process and no kubelet unit".to_owned()
        } else {
            shown.join("\n")
        },
        cwd: "/".to_owned(),
    }
}
