//! Field paths and the lines that they are written in, one manifest's worth.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::text::Text;

/// Field path (`spec.containers[0].image`) to 1-based line, in the order of the fields.
///
/// A path begins as the one before does for most of its length, so only what follows is kept: a twelfth of a
/// path that is stored for itself.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Lines {
    /// What each path adds to the start of the one before, one after the other.
    tails: Box<str>,
    marks: Box<[Mark]>,
}

/// One path.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Mark {
    line: u32,
    /// Where its tail ends.
    end: u32,
    /// Bytes that it has from the path before.
    shared: u16,
    /// Whether the path is not exact: see [`Text::is_exact`].
    altered: bool,
}

impl Lines {
    pub fn len(&self) -> usize {
        self.marks.len()
    }

    pub fn is_empty(&self) -> bool {
        self.marks.is_empty()
    }

    pub fn iter(&self) -> impl Iterator<Item = (Text, u32)> {
        let mut path = String::new();
        let mut from = 0;
        self.marks.iter().map(move |mark| {
            let end = mark.end as usize;
            path.truncate(mark.shared.into());
            path.push_str(self.tails.get(from..end).unwrap_or_default());
            from = end;
            (Text::restored(&path, mark.altered), mark.line)
        })
    }
}

impl FromIterator<(Text, u32)> for Lines {
    /// Four gigabytes of paths are the end; what follows is left out.
    fn from_iter<I: IntoIterator<Item = (Text, u32)>>(paths: I) -> Self {
        let mut tails = String::new();
        let mut marks = Vec::new();
        let mut before = Text::default();
        for (path, line) in paths {
            let shared = shared(before.as_str(), path.as_str());
            let (_, tail) = path.as_str().split_at(shared.into());
            let Ok(end) = u32::try_from(tails.len() + tail.len()) else {
                break;
            };
            tails.push_str(tail);
            marks.push(Mark {
                line,
                end,
                shared,
                altered: !path.is_exact(),
            });
            before = path;
        }
        Self {
            tails: tails.into(),
            marks: marks.into(),
        }
    }
}

/// How many bytes two paths have in common, to the end of a character.
fn shared(before: &str, path: &str) -> u16 {
    let pairs = before.bytes().zip(path.bytes());
    let same = pairs.take_while(|(left, right)| left == right).count();
    let whole = path.floor_char_boundary(same.min(u16::MAX.into()));
    // It is at most that.
    u16::try_from(whole).unwrap_or_default()
}

impl fmt::Debug for Lines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

/// On disk: a list of pairs.
impl Serialize for Lines {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

impl<'de> Deserialize<'de> for Lines {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Vec::deserialize(deserializer)?.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(paths: &[&str]) -> Vec<(Text, u32)> {
        paths.iter().map(|path| Text::new(path)).zip(1..).collect()
    }

    #[test]
    fn what_goes_in_comes_out() {
        let long = "x".repeat(70_000);
        let longer = format!("{long}y");
        for paths in [
            &[][..],
            &["", "", "a", "a", "", "b"],
            &[
                "spec",
                "spec.containers",
                "spec.containers[0]",
                "spec.containers[0].image",
            ],
            // Cut within a character, escapes, and more in common than a mark counts.
            &["k.é", "k.è", "k.\u{1b}a", "k.\u{1b}b", "k"],
            &[&long, &longer, "x"],
        ] {
            let pairs = pairs(paths);
            let lines: Lines = pairs.iter().cloned().collect();
            assert_eq!(lines.len(), pairs.len());
            assert_eq!(lines.iter().collect::<Vec<_>>(), pairs);
            let json = serde_json::to_string(&lines).expect("JSON");
            assert_eq!(json, serde_json::to_string(&pairs).expect("JSON"));
            assert_eq!(serde_json::from_str::<Lines>(&json).expect("JSON"), lines);
        }
    }

    /// Both must come back the same way: the text of a path decides where it is shown.
    #[test]
    fn paths_of_a_hostile_file_are_cleaned() {
        let lines: Lines = serde_json::from_str("[[\"a\\u001b\", 1]]").expect("JSON");
        assert_eq!(lines.iter().next(), Some((Text::new("a\u{1b}"), 1)));
    }
}
