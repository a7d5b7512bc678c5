//! Drop-ins in the order in which Go's `filepath.WalkDir` comes to them: by name, folders where their name stands,
//! links not followed but for reading a file.

use crate::model::fact::Gap;
use crate::model::text::Text;
use crate::model::unix::FileKind;
use crate::probes::answer::{Answer, not_read};

const DEPTH: u8 = 8;

/// Every `*.conf` below a folder, or the gap that stands in a part's place.
pub(super) fn list(answer: &Answer<'_>, folder: &str) -> Vec<Result<String, Gap>> {
    let mut out = Vec::new();
    match answer.kind(folder.as_bytes()) {
        // The walk does not enter a link; it takes it for a file, of a name that it passes over.
        Ok(FileKind::Symlink) if !is_conf(folder.as_bytes()) => {}
        _ => visit(answer, folder.as_bytes(), DEPTH, &mut out),
    }
    out
}

/// Go compares extensions to the letter.
fn is_conf(name: &[u8]) -> bool {
    name.ends_with(b".conf")
}

fn visit(answer: &Answer<'_>, folder: &[u8], depth: u8, out: &mut Vec<Result<String, Gap>>) {
    let shown = Text::from_bytes(folder);
    let state = answer
        .records("kubelet", "D")
        .find(|fields| fields.first().is_some_and(|name| name == folder))
        .and_then(|fields| fields.get(1).map(Vec::as_slice));
    if state != Some(b"ok") || depth == 0 {
        let what = format!("the folder {shown}");
        out.push(Err(match state {
            Some(word) => not_read(word, &what),
            None => match answer.kind(folder) {
                Err(word) => not_read(word, &what),
                Ok(_) => not_read(b"error", &what),
            },
        }));
        return;
    }
    let mut names: Vec<&[u8]> = answer
        .records("kubelet", "E")
        .filter(|fields| fields.len() == 2 && fields[0] == folder)
        .map(|fields| fields[1].as_slice())
        .collect();
    names.sort_unstable();
    for name in names {
        let path = [folder, b"/", name].concat();
        match answer.kind(&path) {
            Ok(FileKind::Directory) => visit(answer, &path, depth - 1, out),
            Ok(_) if !is_conf(name) => {}
            Ok(_) => out.push(String::from_utf8(path).map_err(|error| Gap::Garbled {
                what: Text::from(format!(
                    "the name {} is not UTF-8",
                    Text::from_bytes(error.as_bytes())
                )),
            })),
            Err(word) => out.push(Err(not_read(word, Text::from_bytes(&path).as_str()))),
        }
    }
}
