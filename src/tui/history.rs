//! Commands that were typed, kept from one run to the next.

use std::path::Path;

use crate::disk;
use crate::model::text::Text;

/// Commands that are kept.
pub const MOST: usize = 100;
/// A file is read up to this size.
const CAP: u64 = 64 << 10;

/// Oldest first; what cannot be read is empty.
pub fn read(file: Option<&Path>) -> Vec<String> {
    let text = file.and_then(|file| disk::read_text(file, CAP).ok());
    let mut lines: Vec<String> = text
        .unwrap_or_default()
        .lines()
        .map(|line| Text::new(line).to_string())
        .filter(|line| !line.is_empty())
        .collect();
    lines.drain(..lines.len().saturating_sub(MOST));
    lines
}

/// A history that cannot be kept is lost: nothing else depends on it.
pub fn keep(file: Option<&Path>, lines: &[String]) {
    let Some(file) = file.filter(|_| !lines.is_empty()) else {
        return;
    };
    let folder = file.parent().map_or(Ok(()), disk::make_folder);
    let _ = folder.and_then(|()| {
        disk::write(file, |out| {
            lines.iter().try_for_each(|line| writeln!(out, "{line}"))
        })
    });
}

/// Puts a command at the end; one that was typed before moves there.
pub fn remember(lines: &mut Vec<String>, line: &str) {
    let line = line.trim();
    if line.is_empty() {
        return;
    }
    lines.retain(|old| old != line);
    lines.push(line.to_owned());
    lines.drain(..lines.len().saturating_sub(MOST));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_of_equal_commands_counts() {
        let mut lines = Vec::new();
        for line in ["fleet", " ", "log", "fleet "] {
            remember(&mut lines, line);
        }
        assert_eq!(lines, ["log", "fleet"]);
        for number in 0..200 {
            remember(&mut lines, &number.to_string());
        }
        assert_eq!((lines.len(), lines[0].as_str()), (MOST, "100"));
    }
}
