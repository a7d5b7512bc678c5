//! Files of CNI configuration: their names, who may change them, and which plugins they run.

use std::fmt::Write as _;

use super::answer::{Answer, Content, not_read, summary};
use super::probe::{Ask, Probe, Reading};
use crate::model::fact::{Fact, Gap, Locator, Need};
use crate::model::network::{CniFile, CniFolder};
use crate::model::node::HostFacts;
use crate::model::paths::Paths;
use crate::model::text::Text;
use crate::model::unix::WalkEnd;

/// What gives pods their network.
pub static PROBE: Probe = Probe {
    need: Need::Cni,
    what: "CNI configuration: names, modes, owners, and the types of the plugins",
    asks: &[Ask::Shell {
        section: SECTION,
        since: 2,
        root: Some("files that are closed to others"),
        fragment: include_str!("shell/cni.sh"),
        read,
    }],
};

const SECTION: &str = "cni";
/// Files of a folder that are kept: the runtime reads the first one.
const FILES: usize = 8;

fn read(answer: &Answer<'_>, reading: &Reading<'_>, facts: &mut HostFacts) {
    let folders: Vec<CniFolder> = answer
        .records(SECTION, "I")
        .filter_map(<[_]>::first)
        .take(4)
        .map(|path| folder(answer, path, &mut facts.paths))
        .collect();
    facts.sources.push(summary(
        (Need::Cni, 0),
        "ls -a /etc/cni/net.d; grep -o '\"type\": \"[^\"]*\"' FILE",
        &shown(&folders),
        reading,
    ));
    facts.cni = Fact::seen(folders, Locator::new(Need::Cni, 0));
}

fn folder(answer: &Answer<'_>, path: &[u8], paths: &mut Paths) -> CniFolder {
    let at = Locator::new(Need::Cni, 0);
    let walk = answer.walk(path, at);
    let shown = Text::from_bytes(path);
    let state = answer
        .records(SECTION, "D")
        .find(|fields| fields.first().is_some_and(|name| name == path))
        .and_then(|fields| fields.get(1).map(Vec::as_slice));
    let end = walk.end;
    let trail = paths.add(walk);
    let files = match state {
        Some(b"ok") => Fact::seen(files(answer, path, paths), at),
        Some(b"more") => Fact::Gap(Gap::Garbled {
            what: Text::from(format!("{shown} has more entries than are listed")),
        }),
        Some(word) => Fact::Gap(not_read(word, shown.as_str())),
        None if end == WalkEnd::Absent => Fact::seen(Vec::new(), at),
        None => Fact::Gap(not_read(b"error", shown.as_str())),
    };
    CniFolder {
        path: shown,
        trail,
        files,
    }
}

/// Those that a runtime reads: `.conf`, `.conflist`, `.json` (libcni, ConfFiles).
fn files(answer: &Answer<'_>, folder: &[u8], paths: &mut Paths) -> Vec<CniFile> {
    let at = Locator::new(Need::Cni, 0);
    let mut names: Vec<&[u8]> = answer
        .records(SECTION, "E")
        .filter_map(|fields| match fields {
            [place, name] if place == folder => Some(name.as_slice()),
            _ => None,
        })
        .filter(|name| {
            [&b".conf"[..], b".conflist", b".json"]
                .iter()
                .any(|suffix| name.ends_with(suffix))
        })
        .collect();
    names.sort_unstable();
    names
        .into_iter()
        .take(FILES)
        .map(|name| {
            let path = [folder, b"/", name].concat();
            CniFile {
                path: Text::from_bytes(&path),
                trail: paths.add(answer.walk(&path, at)),
                types: types(answer, &path, at),
            }
        })
        .collect()
}

fn types(answer: &Answer<'_>, path: &[u8], at: Locator) -> Fact<Vec<Text>> {
    let shown = Text::from_bytes(path);
    // Status 1: no such key. Status 2: it could not be opened.
    let name = String::from_utf8_lossy(path);
    match answer.content(SECTION, &name, &[0, 1]) {
        Some(Content::Whole(text)) => {
            let text = String::from_utf8_lossy(text);
            let value = |line: &str| {
                let quoted = line.rsplit_once(':')?.1.trim();
                let value = quoted.strip_prefix('"')?.strip_suffix('"')?;
                Some(Text::new(value))
            };
            Fact::seen(text.lines().filter_map(value).take(16).collect(), at)
        }
        Some(Content::Gap(Gap::Garbled { .. })) if answer.frame.uid != 0 => {
            Fact::Gap(not_read(b"denied", shown.as_str()))
        }
        Some(Content::Gap(gap)) => Fact::Gap(gap),
        None => Fact::Gap(not_read(b"kind", shown.as_str())),
    }
}

fn shown(folders: &[CniFolder]) -> String {
    let mut out = String::new();
    for folder in folders {
        let _ = writeln!(out, "{}", folder.path);
        match folder.files.get() {
            Err(gap) => {
                let _ = writeln!(out, "  {gap}");
            }
            Ok(files) => {
                for file in &files.value {
                    let types = match file.types.get() {
                        Ok(types) => {
                            let words: Vec<&str> = types.value.iter().map(Text::as_str).collect();
                            words.join(" ")
                        }
                        Err(gap) => gap.to_string(),
                    };
                    let _ = writeln!(out, "  {}: {types}", file.path);
                }
            }
        }
    }
    if out.is_empty() {
        out.push_str("no folder of CNI configuration\n");
    }
    out
}
