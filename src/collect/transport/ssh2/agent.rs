//! What an agent holds, asked with a deadline before any host is: libssh2 waits for an agent for ever.

use std::io::{self, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use crate::collect::known_hosts::Key;

/// The agent protocol (draft-ietf-sshm-ssh-agent): request and answer of the list.
const REQUEST_IDENTITIES: u8 = 11;
const IDENTITIES_ANSWER: u8 = 12;
/// As OpenSSH bounds an answer.
const ANSWER: usize = 256 * 1024;
const PATIENCE: Duration = Duration::from_secs(3);

/// The public keys that the agent offers, in its order.
///
/// # Errors
/// In words: no agent at that socket, no answer in time, or not an agent's answer.
pub(super) fn list(socket: &Path) -> Result<Vec<Key>, String> {
    let fail = |error: io::Error| format!("agent at {}: {error}", socket.display());
    let mut stream = UnixStream::connect(socket).map_err(fail)?;
    stream.set_read_timeout(Some(PATIENCE)).map_err(fail)?;
    stream.set_write_timeout(Some(PATIENCE)).map_err(fail)?;
    stream
        .write_all(&[0, 0, 0, 1, REQUEST_IDENTITIES])
        .map_err(fail)?;
    let mut length = [0; 4];
    stream.read_exact(&mut length).map_err(fail)?;
    let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
    if length > ANSWER {
        return Err(format!("agent at {}: answer too long", socket.display()));
    }
    let mut answer = vec![0; length];
    stream.read_exact(&mut answer).map_err(fail)?;
    parse(&answer).ok_or_else(|| format!("agent at {}: not an agent's answer", socket.display()))
}

fn parse(answer: &[u8]) -> Option<Vec<Key>> {
    let mut rest = answer.strip_prefix(&[IDENTITIES_ANSWER])?;
    let (count, after) = rest.split_first_chunk::<4>()?;
    rest = after;
    let mut keys = Vec::new();
    for _ in 0..u32::from_be_bytes(*count) {
        let blob = string(&mut rest)?;
        string(&mut rest)?;
        keys.extend(Key::from_blob(blob));
    }
    Some(keys)
}

/// A length and as many bytes (RFC 4251 5), taken from the front.
pub(super) fn string<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (length, after) = rest.split_first_chunk::<4>()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    let (value, after) = after.split_at_checked(length)?;
    *rest = after;
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers() {
        let key = b"\0\0\0\x01k!";
        let entry = [&[0, 0, 0, 6], &key[..], b"\0\0\0\x02me"].concat();
        let answer = |count: u8, entries: &[u8]| [&[12, 0, 0, 0, count], entries].concat();
        assert_eq!(parse(&answer(0, b"")), Some(Vec::new()));
        assert_eq!(parse(&answer(1, &entry)).map(|keys| keys.len()), Some(1));
        assert_eq!(parse(&answer(2, &entry)), None);
        assert_eq!(parse(&answer(255, b"\xff\xff\xff\xff")), None);
        assert_eq!(parse(&[5]), None);
        assert_eq!(parse(&[]), None);
    }

    #[test]
    fn no_agent_is_said_with_its_path() {
        let error = list(Path::new("/nonexistent/agent")).expect_err("nothing there");
        assert!(
            error.starts_with("agent at /nonexistent/agent: "),
            "{error}"
        );
    }
}
