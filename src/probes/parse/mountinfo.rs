//! `/proc/self/mountinfo` (proc(5)).

use crate::model::fact::Gap;
use crate::model::text::Text;
use crate::model::unix::Mount;

/// One mount of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MountLine {
    point: Vec<u8>,
    fstype: String,
    read_only: bool,
}

/// Reads lines of the table.
///
/// # Errors
/// [`Gap::Garbled`] where a line is not one: a mount that is not understood may hide another.
pub(crate) fn parse(text: &[u8]) -> Result<Vec<MountLine>, Gap> {
    text.split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| {
            read(line).ok_or_else(|| Gap::Garbled {
                what: Text::from(format!("the mount table: {}", Text::from_bytes(line))),
            })
        })
        .collect()
}

fn read(line: &[u8]) -> Option<MountLine> {
    let mut words = line.split(|byte| *byte == b' ');
    let point = unescape(words.nth(4)?)?;
    let options = words.next()?;
    words.find(|word| *word == b"-")?;
    let fstype = String::from_utf8_lossy(words.next()?).into_owned();
    let super_options = words.nth(1).unwrap_or_default();
    let read_only = |options: &[u8]| {
        options
            .split(|byte| *byte == b',')
            .any(|word| word == b"ro")
    };
    Some(MountLine {
        point,
        fstype,
        read_only: read_only(options) || read_only(super_options),
    })
}

/// `\040` and the like.
fn unescape(word: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(word.len());
    let mut rest = word;
    while let Some((first, tail)) = rest.split_first() {
        if *first == b'\\' {
            let digits = tail.get(..3)?;
            let value = u16::from_str_radix(std::str::from_utf8(digits).ok()?, 8).ok()?;
            out.push(u8::try_from(value).ok()?);
            rest = &tail[3..];
        } else {
            out.push(*first);
            rest = tail;
        }
    }
    Some(out)
}

/// The mount that holds a name: the longest point above it, of several on one point the last.
pub(crate) fn holds(lines: &[MountLine], name: &[u8]) -> Option<Mount> {
    let above = |point: &[u8]| {
        point == b"/"
            || name == point
            || name
                .strip_prefix(point)
                .is_some_and(|rest| rest.starts_with(b"/"))
    };
    let line = lines
        .iter()
        .filter(|line| above(&line.point))
        .max_by_key(|line| line.point.len())?;
    Some(Mount {
        point: Text::from_bytes(&line.point),
        fstype: Text::new(&line.fstype),
        read_only: line.read_only,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &[u8] = b"22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n\
        30 22 0:5 / /a rw - tmpfs x rw\n31 30 0:6 /sub /a rw,nosuid - nfs4 srv:/x ro,vers=4\n\
        32 22 0:7 / /a\\040b ro - vfat /dev/sdb rw\n";

    #[test]
    fn the_last_and_longest_mount_holds() {
        let lines = parse(TABLE).expect("a good table");
        let mount = |name: &str| holds(&lines, name.as_bytes()).expect("a root is there");
        assert_eq!(mount("/a").fstype.as_str(), "nfs4");
        assert!(mount("/a/x").read_only);
        assert_eq!(mount("/ab").point.as_str(), "/");
        assert_eq!(mount("/a b").fstype.as_str(), "vfat");
        assert!(!mount("/").read_only);
    }

    #[test]
    fn a_strange_line_makes_the_table_void() {
        for bad in [
            "x",
            "1 2 3 4 /a\\9 rw - ext4 x rw",
            "1 2 3 4 /a rw ext4 x rw",
        ] {
            assert!(parse(bad.as_bytes()).is_err(), "{bad}");
        }
    }
}
