//! The files that a pattern of an Include names.

use std::path::{Component, Path, PathBuf};

use crate::collect::wildcard::matches;

/// Files of one Include.
const MOST: usize = 256;

/// The files of a pattern, sorted; none where none fits.
///
/// # Errors
/// Patterns that are not read here, and more files than anybody includes.
pub(super) fn expand(path: &Path) -> Result<Vec<PathBuf>, String> {
    let fail = |why: &str| Err(format!("Include {}: {why}", path.display()));
    let mut found = vec![PathBuf::new()];
    for part in path.components() {
        let name = match part {
            Component::Normal(name) => name.to_string_lossy(),
            other => {
                for path in &mut found {
                    path.push(other);
                }
                continue;
            }
        };
        if name.contains(['[', ']', '\\', '{']) {
            return fail("only ssh reads that pattern");
        }
        if !name.contains(['*', '?']) {
            for path in &mut found {
                path.push(&*name);
            }
            continue;
        }
        found = found
            .iter()
            .flat_map(|folder| inside(folder, &name))
            .collect();
        if found.len() > MOST {
            return fail("too many files");
        }
    }
    found.retain(|path| crate::disk::exists(path));
    found.sort();
    Ok(found)
}

/// Entries of a folder that fit; hidden ones only where the pattern says so.
fn inside(folder: &Path, pattern: &str) -> Vec<PathBuf> {
    // A folder that cannot be read holds no file that could be.
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .map(|entry| entry.file_name())
        .filter_map(|name| name.to_str().map(str::to_owned))
        .filter(|name| pattern.starts_with('.') || !name.starts_with('.'))
        .filter(|name| matches(name, pattern))
        .map(|name| folder.join(name))
        .take(MOST + 1)
        .collect()
}
