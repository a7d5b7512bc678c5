//! The container runtime's own configuration: containerd's and CRI-O's, of which only a few keys are asked for.

use super::{AT, SECTION, printed};
use crate::model::fact::{Fact, Gap};
use crate::model::lsm::Runtime;
use crate::model::node::HostFacts;
use crate::model::text::Text;
use crate::probes::answer::Answer;

const CONTAINERD: &str = "/etc/containerd/config.toml";
const CRIO: &str = "/etc/crio/crio.conf";

/// Which runtime runs, and what its files say.
pub(super) fn read(answer: &Answer<'_>, facts: &HostFacts) -> Fact<Runtime> {
    match find(answer, facts) {
        Ok(runtime) => Fact::seen(runtime, AT),
        Err(gap) => Fact::Gap(gap),
    }
}

fn find(answer: &Answer<'_>, facts: &HostFacts) -> Result<Runtime, Gap> {
    let processes = facts.processes.get()?;
    let host = processes
        .value
        .list
        .iter()
        .filter(|process| process.pod.is_none());
    let names = ["containerd", "crio", "dockerd"];
    let found = host
        .filter(|process| names.contains(&process.comm.as_str()))
        .min_by_key(|process| process.pid);
    let Some(process) = found else {
        return Err(Gap::Garbled {
            what: Text::new("no containerd, CRI-O or Docker was seen to run"),
        });
    };
    let mut runtime = Runtime {
        name: process.comm.clone(),
        ..Runtime::default()
    };
    let files = match process.comm.as_str() {
        "containerd" => containerd(answer, &process.command)?,
        "crio" => crio(answer, &process.command)?,
        _ => {
            return Err(Gap::Garbled {
                what: Text::new("the settings of dockerd are not read"),
            });
        }
    };
    for path in files {
        let text = text(answer, &path)?;
        for line in text.lines() {
            setting(&mut runtime, line)?;
        }
        runtime.files.push(Text::from(path));
    }
    Ok(runtime)
}

fn text<'a>(answer: &Answer<'a>, path: &str) -> Result<std::borrow::Cow<'a, str>, Gap> {
    match printed(answer, path) {
        Some(text) => text.map(String::from_utf8_lossy),
        None => Err(Gap::Garbled {
            what: Text::from(format!("{path} was not read by the collector")),
        }),
    }
}

fn is_there(answer: &Answer<'_>, path: &str) -> bool {
    printed(answer, path).is_some()
}

/// The value of a flag in a command line.
fn flag(command: &Fact<Vec<Text>>, names: &[&str]) -> Result<Option<String>, Gap> {
    let words = &command.get()?.value;
    let mut next = false;
    for word in words {
        if next {
            return Ok(Some(word.to_string()));
        }
        match word.as_str().split_once('=') {
            Some((name, value)) if names.contains(&name) => return Ok(Some(value.to_owned())),
            _ => next = names.contains(&word.as_str()),
        }
    }
    Ok(None)
}

/// The main file, then what it imports (containerd, docs/man/containerd-config.toml.5.md).
fn containerd(answer: &Answer<'_>, command: &Fact<Vec<Text>>) -> Result<Vec<String>, Gap> {
    let named = flag(command, &["--config", "-config", "-c"])?;
    let main = named.as_deref().unwrap_or(CONTAINERD).to_owned();
    if !is_there(answer, &main) {
        // Without a file containerd runs with its defaults; a file that is named has to be there.
        return match named {
            None => Ok(Vec::new()),
            Some(path) => Err(Gap::Garbled {
                what: Text::from(format!(
                    "{} was not read by the collector",
                    Text::from(path)
                )),
            }),
        };
    }
    let text = text(answer, &main)?;
    let mut files = vec![main];
    let imports = text.lines().rev().find_map(|line| {
        let (key, value) = line.split_once('=')?;
        (key.trim() == "imports").then(|| value.trim().to_owned())
    });
    match imports.as_deref() {
        None | Some("[]") => {}
        Some(list) => files.extend(imported(answer, list)?),
    }
    Ok(files)
}

fn imported(answer: &Answer<'_>, list: &str) -> Result<Vec<String>, Gap> {
    let unread = || Gap::Garbled {
        what: Text::from(format!(
            "files that containerd imports: {}",
            Text::new(list)
        )),
    };
    let items = list
        .strip_prefix('[')
        .and_then(|list| list.split_once(']'))
        .ok_or_else(unread)?
        .0;
    let mut files = Vec::new();
    for item in items
        .split(',')
        .map(str::trim)
        .filter(|item| !item.is_empty())
    {
        match item.trim_matches(['"', '\'']) {
            "/etc/containerd/conf.d/*.toml" => {
                files.extend(below(answer, "/etc/containerd/conf.d/"));
            }
            path if is_there(answer, path) => files.push(path.to_owned()),
            _ => return Err(unread()),
        }
    }
    Ok(files)
}

/// The main file, then the drop-ins in the order of their names (crio.conf.d(5)).
fn crio(answer: &Answer<'_>, command: &Fact<Vec<Text>>) -> Result<Vec<String>, Gap> {
    for names in [&["--config", "-c"], &["--config-dir", "-d"]] {
        if let Some(path) = flag(command, names)? {
            return Err(Gap::Garbled {
                what: Text::from(format!("CRI-O reads {}", Text::from(path))),
            });
        }
    }
    let main = is_there(answer, CRIO).then(|| CRIO.to_owned());
    Ok(main
        .into_iter()
        .chain(below(answer, "/etc/crio/crio.conf.d/"))
        .collect())
}

/// Files of a folder that were read, in the order of their names.
fn below(answer: &Answer<'_>, folder: &str) -> Vec<String> {
    let records = answer
        .records(SECTION, "F")
        .chain(answer.records(SECTION, "Y"));
    let mut files: Vec<String> = records
        .filter_map(|fields| fields.first())
        .filter(|name| name.starts_with(folder.as_bytes()))
        .map(|name| String::from_utf8_lossy(name).into_owned())
        .collect();
    files.sort();
    files
}

/// One line `key = value`; a later file overrides an earlier one.
fn setting(runtime: &mut Runtime, line: &str) -> Result<(), Gap> {
    let Some((key, value)) = line.split_once('=') else {
        return Ok(());
    };
    let value = value.split('#').next().unwrap_or(value).trim();
    let target = match key.trim() {
        "enable_selinux" | "selinux" => &mut runtime.selinux,
        "disable_apparmor" => &mut runtime.no_apparmor,
        _ => return Ok(()),
    };
    *target = match value {
        "true" => Some(true),
        "false" => Some(false),
        _ => {
            return Err(Gap::Garbled {
                what: Text::from(format!(
                    "a setting of {}: {}",
                    runtime.name,
                    Text::new(line)
                )),
            });
        }
    };
    Ok(())
}
