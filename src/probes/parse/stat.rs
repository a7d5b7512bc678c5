//! `stat -c '%f %u %g %h %s %Y %Z'`, and `ls -ldn` where a node has no stat.

use crate::model::unix::{FileKind, Gid, Mode, Stat, Uid};

/// The numbers of stat: mode in hexadecimal, owner, group, links, bytes, mtime, ctime.
pub(crate) fn numbers(text: &[u8]) -> Option<Stat> {
    let mut words = std::str::from_utf8(text).ok()?.split(' ');
    let mut word = || words.next();
    let mode = u32::from_str_radix(word()?, 16).ok()?;
    let stat = Stat {
        kind: kind(mode)?,
        mode: Mode::new(mode),
        uid: Uid(word()?.parse().ok()?),
        gid: Gid(word()?.parse().ok()?),
        nlink: word()?.parse().ok()?,
        size: word()?.parse().ok()?,
        mtime: Some(word()?.parse().ok()?),
        ctime: Some(word()?.parse().ok()?),
    };
    word().is_none().then_some(stat)
}

/// `S_IFMT` of `st_mode`.
fn kind(mode: u32) -> Option<FileKind> {
    Some(match mode & 0o170_000 {
        0o100_000 => FileKind::Regular,
        0o040_000 => FileKind::Directory,
        0o120_000 => FileKind::Symlink,
        0o010_000 => FileKind::Fifo,
        0o140_000 => FileKind::Socket,
        0o060_000 => FileKind::Block,
        0o020_000 => FileKind::Char,
        _ => return None,
    })
}

/// A line of `ls -ldn`. It rounds times, so there are none.
pub(crate) fn listing(text: &[u8]) -> Option<Stat> {
    let text = String::from_utf8_lossy(text);
    let mut words = text.split([' ', '\n']).filter(|word| !word.is_empty());
    let mode = words.next()?;
    let (kind, mode) = letters(mode.as_bytes())?;
    let nlink = words.next()?.parse().ok()?;
    let uid = Uid(words.next()?.parse().ok()?);
    let gid = Gid(words.next()?.parse().ok()?);
    // A device has its numbers where other files have their size.
    let size = match kind {
        FileKind::Block | FileKind::Char => 0,
        _ => words.next()?.parse().ok()?,
    };
    Some(Stat {
        kind,
        mode,
        uid,
        gid,
        nlink,
        size,
        mtime: None,
        ctime: None,
    })
}

/// `drwxr-sr-t`, perhaps with a sign for an access list behind it.
fn letters(word: &[u8]) -> Option<(FileKind, Mode)> {
    if !(10..=11).contains(&word.len()) {
        return None;
    }
    let kind = match word[0] {
        b'-' => FileKind::Regular,
        b'd' => FileKind::Directory,
        b'l' => FileKind::Symlink,
        b'p' => FileKind::Fifo,
        b's' => FileKind::Socket,
        b'b' => FileKind::Block,
        b'c' => FileKind::Char,
        _ => return None,
    };
    let mut bits = 0;
    for (index, letter) in word[1..10].iter().enumerate() {
        let bit = 0o400 >> index;
        let special = 0o4000 >> (index / 3);
        bits |= match (letter, index % 3, index / 3) {
            (b'-', ..) => 0,
            (b'r', 0, _) | (b'w', 1, _) | (b'x', 2, _) => bit,
            (b's', 2, 0 | 1) | (b't', 2, 2) => bit | special,
            (b'S', 2, 0 | 1) | (b'T', 2, 2) => special,
            _ => return None,
        };
    }
    Some((kind, Mode::new(bits)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_stat() {
        let stat = numbers(b"8180 0 12 1 2594 1795530028 1795530029").expect("good");
        assert_eq!(
            (stat.kind, stat.mode),
            (FileKind::Regular, Mode::new(0o600))
        );
        assert_eq!((stat.uid, stat.gid, stat.nlink), (Uid(0), Gid(12), 1));
        assert_eq!((stat.size, stat.mtime), (2594, Some(1_795_530_028)));
        for bad in [
            "",
            "81a4",
            "81a4 0 0 1 5 1 2 3",
            "zz 0 0 1 5 1 2",
            "0 0 0 1 5 1 2",
            "81a4 -1 0 1 5 1 2",
        ] {
            assert!(numbers(bad.as_bytes()).is_none(), "{bad}");
        }
    }

    #[test]
    fn lines_of_ls() {
        for (line, kind, mode, size) in [
            (
                "-rw-r--r-- 1 0 0 2594 Nov 24 13:42 /a b",
                FileKind::Regular,
                0o644,
                2594,
            ),
            (
                "drwxrwxrwt+ 9 0 0 40 Nov 24 13:42 /tmp",
                FileKind::Directory,
                0o1777,
                40,
            ),
            (
                "crw-rw-rw-. 1 0 0 1, 3 Nov 24 13:42 /dev/null",
                FileKind::Char,
                0o666,
                0,
            ),
            (
                "-rwsr-Sr-T 1 7 8 0 Nov 24 2020 x",
                FileKind::Regular,
                0o7744,
                0,
            ),
        ] {
            let stat = listing(line.as_bytes()).expect(line);
            assert_eq!(
                (stat.kind, stat.mode, stat.size),
                (kind, Mode::new(mode), size),
                "{line}"
            );
            assert_eq!(stat.mtime, None);
        }
        for bad in [
            "",
            "total 0",
            "-rw-r--r-- 1",
            "?rw-r--r-- 1 0 0 5 x",
            "-rq-r--r-- 1 0 0 5 x",
        ] {
            assert!(listing(bad.as_bytes()).is_none(), "{bad}");
        }
    }
}
