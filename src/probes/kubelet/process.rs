//! The running kubelet, or how its unit would start it.

use crate::model::fact::Gap;
use crate::model::kubelet::KubeletProcess;
use crate::model::text::Text;
use crate::probes::answer::{Answer, Content};
use crate::probes::identity::started;
use crate::probes::parse::yaml;
use crate::probes::probe::Reading;

pub(super) const K3S_DROP_INS: &str = "/var/lib/rancher/k3s/agent/etc/kubelet.conf.d";
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
        [] => Ok(unit(answer, reading)),
        [one] => running(answer, one, reading),
        // Threads of k3s have its name too; the oldest is the server.
        [.., _]
            if all
                .iter()
                .all(|candidate| candidate.comm.starts_with(b"k3s")) =>
        {
            let oldest = all.iter().min_by_key(|candidate| candidate.pid);
            oldest.map_or_else(
                || Ok(unit(answer, reading)),
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
            found.args.push(format!("--{item}"));
        }
    }
    let mut next = false;
    for word in words {
        if std::mem::take(&mut next) {
            found.args.push(format!("--{word}"));
        } else if let Some(value) = word.strip_prefix("--kubelet-arg=") {
            found.args.push(format!("--{value}"));
        } else {
            next = word == "--kubelet-arg";
        }
    }
    if answer.kind(K3S_DROP_INS.as_bytes()) == Err(b"absent") {
        found.hidden = Some(Gap::Garbled {
            what: Text::new("the kubelet runs inside k3s, which does not show its flags"),
        });
    }
}

/// MicroK8s keeps the arguments in a file, one a line.
fn microk8s(answer: &Answer<'_>, found: &mut Started) {
    found.args = match answer.content("kubelet", MICROK8S_ARGS, &[0]) {
        Some(Content::Whole(text)) => String::from_utf8_lossy(text)
            .lines()
            .map(|line| {
                line.trim()
                    .replace("${SNAP_DATA}", "/var/snap/microk8s/current")
            })
            .filter(|line| line.starts_with("--"))
            .collect(),
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
fn unit(answer: &Answer<'_>, reading: &Reading<'_>) -> Started {
    const SHOW: &str = "systemctl show kubelet";
    let text = match answer.content("kubelet", SHOW, &[0]) {
        Some(Content::Whole(text)) => String::from_utf8_lossy(text).into_owned(),
        _ => String::new(),
    };
    let argv = text
        .lines()
        .find_map(|line| line.strip_prefix("ExecStart=")?.split_once("argv[]="))
        .map(|(_, rest)| rest.split(" ; ").next().unwrap_or(rest).to_owned());
    let mut variables: Vec<(String, String)> = Vec::new();
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("Environment=") {
            variables.extend(assignments(rest));
        }
    }
    for line in text.lines() {
        let Some(file) = line.strip_prefix("EnvironmentFiles=") else {
            continue;
        };
        let file = file.split(" (").next().unwrap_or(file);
        if let Some(Content::Whole(text)) = answer.file("kubelet", file.as_bytes()) {
            let text = String::from_utf8_lossy(text);
            for line in text
                .lines()
                .filter(|line| !line.trim_start().starts_with('#'))
            {
                if let Some((name, value)) = line.split_once('=') {
                    let value = value.trim().trim_matches(['"', '\'']);
                    variables.push((name.trim().to_owned(), value.to_owned()));
                }
            }
        }
    }
    let words: Vec<String> = argv
        .iter()
        .flat_map(|argv| argv.split_ascii_whitespace())
        .flat_map(|word| expand(word, &variables))
        .collect();
    let mut shown = words.clone();
    mask(&mut shown, reading);
    Started {
        process: None,
        args: words.iter().skip(1).cloned().collect(),
        from_unit: argv.is_some(),
        embedded: false,
        hidden: None,
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

/// `"A=b c" D=e`, as systemctl prints an environment.
fn assignments(text: &str) -> Vec<(String, String)> {
    let mut out = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let (word, tail) = match rest.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').unwrap_or((quoted, "")),
            None => rest.split_once(' ').unwrap_or((rest, "")),
        };
        if let Some((name, value)) = word.split_once('=') {
            out.push((name.to_owned(), value.to_owned()));
        }
        rest = tail.trim_start();
    }
    out
}

/// `$NAME` as a word of its own is split at blanks, `${NAME}` is not (systemd.service(5)).
fn expand(word: &str, variables: &[(String, String)]) -> Vec<String> {
    let value = |name: &str| {
        variables
            .iter()
            .rev()
            .find(|(known, _)| known == name)
            .map_or("", |(_, value)| value.as_str())
    };
    if let Some(name) = word
        .strip_prefix("${")
        .and_then(|rest| rest.strip_suffix('}'))
    {
        return vec![value(name).to_owned()];
    }
    match word.strip_prefix('$') {
        Some(name) => value(name)
            .split_ascii_whitespace()
            .map(|part| part.trim_matches(['"', '\'']).to_owned())
            .collect(),
        None => vec![word.to_owned()],
    }
}
