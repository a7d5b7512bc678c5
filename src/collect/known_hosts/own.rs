//! The one known_hosts file that the program writes: a line for each key that a person has compared and trusted,
//! one at a time.

use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use openssl::base64::encode_block;

use super::{FILE, KnownHosts};
use crate::disk;
use crate::model::hostkey::ShownKey;

/// Lines written by this process: whoever has read the files before a write looks again.
static KEPT: AtomicU64 = AtomicU64::new(0);

/// How many keys this process has kept.
pub fn kept() -> u64 {
    KEPT.load(Ordering::SeqCst)
}

/// Adds one line for this key to the file, which is made where it is missing, mode 0600, in a folder of mode 0700.
/// A key that is there already is left as it is.
///
/// Two programs that write at the same moment may lose one of the lines: its key is then unknown again.
///
/// # Errors
/// As reading and writing do. Where the file already says something else about the host, and where the name is not
/// one that stands for itself in such a file.
pub fn keep(file: &Path, key: &ShownKey) -> io::Result<()> {
    let refuse = |text: &str| Err(io::Error::new(io::ErrorKind::InvalidInput, text));
    if !is_literal(&key.name) {
        return refuse("its name would mean something else in a known_hosts file");
    }
    let mut text = match disk::read(file, FILE) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(error),
    };
    let mut known = KnownHosts::default();
    known.add(file, &text);
    let lookup = known.lookup_exactly(&[String::from(&*key.name)]);
    if lookup.has(&key.blob) {
        return Ok(());
    }
    if lookup.is_named() {
        return refuse("the file names the host already, with another key");
    }
    if text.last().is_some_and(|last| *last != b'\n') {
        text.push(b'\n');
    }
    let encoded = encode_block(&key.blob);
    text.extend(format!("{} {} {encoded}\n", key.name, key.kind).bytes());
    if let Some(folder) = file.parent() {
        disk::make_folder(folder)?;
    }
    disk::write(file, |out| out.write_all(&text))?;
    KEPT.fetch_add(1, Ordering::SeqCst);
    Ok(())
}

/// A host, an address, or `[host]:port`: no pattern, no list, no marker, no comment.
fn is_literal(name: &str) -> bool {
    let plain = |c: u8| c.is_ascii_alphanumeric() || b".:_-[]%".contains(&c);
    !name.is_empty() && name.len() <= 300 && name.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::known_hosts::{Key, Verdict};

    fn key(name: &str, tail: &[u8]) -> ShownKey {
        let blob = [b"\0\0\0\x0bssh-ed25519", tail].concat();
        let key = Key::from_blob(&blob).expect("a type");
        ShownKey {
            name: name.into(),
            address: "10.0.0.1 port 22".into(),
            fingerprint: key.fingerprint().into(),
            kind: key.kind,
            blob: key.blob,
        }
    }

    #[test]
    fn one_line_a_host_and_never_another_key() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = std::env::temp_dir().join(format!("stakeout-own-{}", std::process::id()));
        let file = folder.join("state/known_hosts");
        let before = kept();
        keep(&file, &key("n1", b"a")).expect("a new file");
        keep(&file, &key("[n1]:2222", b"b")).expect("another port is another host");
        keep(&file, &key("n1", b"a")).expect("nothing to do");
        assert!(kept() >= before + 2);
        keep(&file, &key("n1", b"x")).expect_err("another key for the same name");
        for name in [
            "*", "n?", "n1,n2", "!n1", "|1|a|b", "#n", "@revoked", "", "n 1", "n\n",
        ] {
            keep(&file, &key(name, b"x")).expect_err(name);
        }
        let mode = std::fs::metadata(&file)
            .expect("written")
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
        let known = KnownHosts::read(std::slice::from_ref(&file));
        let verdict = |key: &ShownKey| {
            let names = [String::from(&*key.name)];
            known.lookup(&names).verify(&key.blob, 0)
        };
        assert!(matches!(verdict(&key("n1", b"a")), Verdict::Match(place) if place.line == 1));
        assert!(
            matches!(verdict(&key("[n1]:2222", b"b")), Verdict::Match(place) if place.line == 2)
        );
        assert!(matches!(verdict(&key("n1", b"x")), Verdict::Changed { .. }));
        let text = disk::read_text(&file, FILE).expect("text");
        assert_eq!(text.lines().count(), 2);
        disk::write(&file, |out| out.write_all(text.trim_end().as_bytes())).expect("writable");
        keep(&file, &key("n3", b"c")).expect("after a line without its end");
        let text = disk::read_text(&file, FILE).expect("text");
        assert_eq!(text.lines().count(), 3, "{text}");
        let _ = std::fs::remove_dir_all(folder);
    }
}
