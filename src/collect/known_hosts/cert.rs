//! Host certificates, as PROTOCOL.certkeys of OpenSSH describes them: read here, trusted only through a
//! `@cert-authority` line. Pure but for the arithmetic of signatures; the time comes from outside.

use super::line::Key;
use super::signature;
use super::wire::{Wire, put};

/// What every certificate type ends in (PROTOCOL.certkeys).
pub const CERTIFIED: &str = "-cert-v01@openssh.com";
/// Names that a certificate may list, as in OpenSSH.
const PRINCIPALS: usize = 256;
/// Names and options that a reason quotes.
const SHOWN: usize = 3;
/// `SSH2_CERT_TYPE_HOST`.
const HOST: u32 = 2;

/// A certificate whose parts can be read; nothing in it is believed before [`Certificate::vouches`].
#[derive(Clone, Debug)]
pub struct Certificate<'a> {
    /// The key that is certified, as it would stand in a plain line.
    pub key: Key,
    /// The key that signed it.
    pub authority: Key,
    role: u32,
    principals: Vec<&'a str>,
    /// Seconds since 1970; the second one is the first moment at which it no longer holds.
    valid: (u64, u64),
    critical: Vec<&'a str>,
    signed: &'a [u8],
    signature: &'a [u8],
}

/// Whether a key of this type is a certificate.
pub fn is_certificate(kind: &str) -> bool {
    kind.ends_with(CERTIFIED)
}

impl<'a> Certificate<'a> {
    /// Reads the wire form; `None` where it is not whole, has something behind it, or is of a type that is
    /// not known.
    pub fn parse(blob: &'a [u8]) -> Option<Self> {
        let mut wire = Wire(blob);
        let kind = wire.text()?.strip_suffix(CERTIFIED)?;
        // The nonce.
        wire.string()?;
        let key = plain(kind, &mut wire)?;
        // The serial number, which only a revocation list asks for.
        wire.u64()?;
        let role = wire.u32()?;
        // A name for logs.
        wire.string()?;
        let principals = list(wire.string()?, Wire::text)?;
        let valid = (wire.u64()?, wire.u64()?);
        let critical = list(wire.string()?, |options| {
            let name = options.text()?;
            options.string()?;
            Some(name)
        })?;
        // Extensions grant something to users and may be ignored; the reserved field is empty.
        wire.string()?;
        wire.string()?;
        let authority = Key::from_blob(wire.string()?)?;
        let signed = blob.get(..blob.len() - wire.0.len())?;
        let signature = wire.string()?;
        let whole = wire.is_empty() && !is_certificate(&authority.kind);
        whole.then_some(Self {
            key,
            authority,
            role,
            principals,
            valid,
            critical,
            signed,
            signature,
        })
    }

    /// Whether its authority vouches by it for a host of this name at this time, in seconds since 1970.
    ///
    /// As OpenSSH 10.3: without a single name it is good for nobody, and names are compared as they are.
    ///
    /// # Errors
    /// Why not, in words.
    pub fn vouches(&self, name: &str, now: u64) -> Result<(), String> {
        signature::check(&self.authority, self.signed, self.signature).map_err(str::to_owned)?;
        if self.role != HOST {
            return Err("it is for users, not for hosts".to_owned());
        }
        if now < self.valid.0 {
            return Err(format!("it is not valid before {}", moment(self.valid.0)));
        }
        if now >= self.valid.1 {
            return Err(format!("it has expired at {}", moment(self.valid.1)));
        }
        if self.principals.is_empty() {
            return Err("it names no host".to_owned());
        }
        if !self.principals.contains(&name) {
            return Err(format!(
                "it is for {}, not for {name}",
                some(&self.principals)
            ));
        }
        if !self.critical.is_empty() {
            return Err(format!(
                "its critical option {} is not known",
                some(&self.critical)
            ));
        }
        Ok(())
    }
}

/// The key inside, in its plain form.
fn plain(kind: &str, wire: &mut Wire<'_>) -> Option<Key> {
    let mut blob = Vec::new();
    put(&mut blob, kind.as_bytes());
    match kind {
        "ssh-ed25519" => put(&mut blob, wire.string().filter(|key| key.len() == 32)?),
        "ssh-rsa" => {
            put(&mut blob, wire.mpint()?);
            put(&mut blob, wire.mpint()?);
        }
        "ecdsa-sha2-nistp256" | "ecdsa-sha2-nistp384" | "ecdsa-sha2-nistp521" => {
            let curve = wire.text()?;
            if kind.strip_prefix("ecdsa-sha2-") != Some(curve) {
                return None;
            }
            put(&mut blob, curve.as_bytes());
            put(&mut blob, wire.string()?);
        }
        _ => return None,
    }
    Key::from_blob(&blob)
}

/// Items until the end of the field.
fn list<'a>(
    field: &'a [u8],
    item: impl Fn(&mut Wire<'a>) -> Option<&'a str>,
) -> Option<Vec<&'a str>> {
    let mut wire = Wire(field);
    let mut out = Vec::new();
    while !wire.is_empty() {
        if out.len() == PRINCIPALS {
            return None;
        }
        out.push(item(&mut wire)?);
    }
    Some(out)
}

fn some(names: &[&str]) -> String {
    let shown = names.iter().take(SHOWN).copied().collect::<Vec<_>>();
    match names.len().saturating_sub(SHOWN) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

fn moment(seconds: u64) -> String {
    i64::try_from(seconds)
        .ok()
        .and_then(|seconds| jiff::Timestamp::from_second(seconds).ok())
        .map_or_else(|| "the end of time".to_owned(), |at| at.to_string())
}
