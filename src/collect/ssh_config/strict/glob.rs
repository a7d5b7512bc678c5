//! Patterns with `*` and `?`: of host names and of included files.

use std::path::{Component, Path, PathBuf};

/// Files of one Include.
const MOST: usize = 256;

/// Whether the whole of `text` fits; linear in both, whatever the pattern.
pub(super) fn matches(text: &str, pattern: &str) -> bool {
    let (text, pattern) = (text.as_bytes(), pattern.as_bytes());
    let (mut at, mut own) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while at < text.len() {
        match pattern.get(own) {
            Some(b'*') => {
                star = Some((own, at));
                own += 1;
            }
            Some(c) if *c == b'?' || *c == text[at] => {
                own += 1;
                at += 1;
            }
            _ => match star {
                Some((before, taken)) => {
                    star = Some((before, taken + 1));
                    own = before + 1;
                    at = taken + 1;
                }
                None => return false,
            },
        }
    }
    pattern[own..].iter().all(|c| *c == b'*')
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        for (text, pattern, fits) in [
            ("n1", "n1", true),
            ("n1", "n?", true),
            ("n1", "N1", false),
            ("n12", "n?", false),
            ("", "*", true),
            ("", "?", false),
            ("a.b.example.com", "*.example.com", true),
            ("example.com", "*.example.com", false),
            ("aXbXc", "a*X*c", true),
            ("aXbXd", "a*X*c", false),
            ("abc", "***", true),
        ] {
            assert_eq!(matches(text, pattern), fits, "{text} {pattern}");
        }
        let (text, pattern) = ("a".repeat(5000), format!("{}b", "a*".repeat(2000)));
        assert!(!matches(&text, &pattern));
    }
}
