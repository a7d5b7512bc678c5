//! The signature at the end of a snapshot file: over every byte before it, packed or not.
//!
//! It is one line of JSON of a fixed length. In a plain file it follows the trailer; in a packed one it lies in a
//! skippable frame (RFC 8878, 3.1.2), which every reader of zstd passes over. Never lives here: whose key it should be.

use std::io::{self, Read, Write};

use openssl::sha::Sha256;

use super::sign::{PublicKey, SigningKey};

/// So that a signature of something else is none of a snapshot.
const DOMAIN: &[u8] = b"stakeout snapshot signature 1\n";
/// Of the skippable frame, little endian.
const MAGIC: u32 = 0x184D_2A5B;
const HEAD: &str = r#"{"line":"signature","algorithm":"ed25519","key":""#;
const MIDDLE: &str = r#"","signature":""#;
const END: &str = "\"}\n";
/// Length of the line.
const LINE: usize = HEAD.len() + 64 + MIDDLE.len() + 128 + END.len();
/// Length of the head of the frame.
const FRAME: usize = 8;

/// Takes what is written, and signs it at the end.
pub(super) struct Signing<'a> {
    out: &'a mut dyn Write,
    hash: Sha256,
}

impl<'a> Signing<'a> {
    pub(super) fn new(out: &'a mut dyn Write) -> Self {
        Self {
            out,
            hash: Sha256::new(),
        }
    }

    /// Writes the signature of all that was written.
    pub(super) fn finish(self, key: &SigningKey, packed: bool) -> io::Result<()> {
        let digest = self.hash.finish();
        let line = line(&key.public()?, &key.sign(&message(&digest))?);
        if packed {
            self.out.write_all(&frame())?;
        }
        self.out.write_all(line.as_bytes())
    }
}

impl Write for Signing<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = self.out.write(bytes)?;
        self.hash.update(&bytes[..taken]);
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Lets a file through and keeps what its signature needs.
pub(super) struct Watched<R> {
    input: R,
    packed: bool,
    hash: Sha256,
    /// The last bytes so far, not hashed yet: they may be the signature.
    tail: Vec<u8>,
}

impl<R: Read> Watched<R> {
    pub(super) fn new(input: R, packed: bool) -> Self {
        Self {
            input,
            packed,
            hash: Sha256::new(),
            tail: Vec::new(),
        }
    }

    fn hold(&self) -> usize {
        if self.packed { FRAME + LINE } else { LINE }
    }

    /// Reads what is left, and says whose signature the file ends with; `None` without one.
    ///
    /// # Errors
    /// A signature that is none of these bytes, or a file that cannot be read.
    pub(super) fn seal(mut self) -> Result<Option<PublicKey>, String> {
        io::copy(&mut self, &mut io::sink()).map_err(|error| format!("cannot be read: {error}"))?;
        let whole = self.tail.len() == self.hold();
        let found = if self.packed {
            self.tail.strip_prefix(&frame()[..])
        } else {
            Some(&self.tail[..])
        };
        let found = found.filter(|line| whole && line.starts_with(HEAD.as_bytes()));
        let Some(found) = found else {
            return Ok(None);
        };
        let Some((key, signature)) = parse(found) else {
            return Err("its signature is not understood".into());
        };
        if key.holds(&message(&self.hash.finish()), &signature) {
            Ok(Some(key))
        } else {
            Err("its signature is not of these bytes".into())
        }
    }
}

impl<R: Read> Read for Watched<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let taken = self.input.read(buffer)?;
        self.tail.extend_from_slice(&buffer[..taken]);
        let over = self.tail.len().saturating_sub(self.hold());
        self.hash.update(&self.tail[..over]);
        self.tail.drain(..over);
        Ok(taken)
    }
}

fn message(digest: &[u8; 32]) -> Vec<u8> {
    [DOMAIN, digest].concat()
}

fn frame() -> [u8; FRAME] {
    let mut out = [0; FRAME];
    let (magic, length) = out.split_at_mut(4);
    magic.copy_from_slice(&MAGIC.to_le_bytes());
    length.copy_from_slice(&u32::try_from(LINE).unwrap_or(0).to_le_bytes());
    out
}

fn line(key: &PublicKey, signature: &[u8; 64]) -> String {
    let (key, signature) = (hex(key.raw()), hex(signature));
    format!("{HEAD}{key}{MIDDLE}{signature}{END}")
}

/// Only the one way of writing it counts: no byte of it may change unnoticed.
fn parse(found: &[u8]) -> Option<(PublicKey, [u8; 64])> {
    let text = std::str::from_utf8(found).ok()?;
    let (key, signature) = text
        .strip_prefix(HEAD)?
        .strip_suffix(END)?
        .split_once(MIDDLE)?;
    let (key, signature) = (PublicKey::new(unhex(key)?), unhex(signature)?);
    (line(&key, &signature) == text).then_some((key, signature))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut out = [0; N];
    if text.len() != 2 * N || !text.is_ascii() {
        return None;
    }
    for (index, byte) in out.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * index..2 * index + 2)?, 16).ok()?;
    }
    Some(out)
}
