//! A host key that was shown by a host and that nothing on file names: what a person is asked about.

/// What it takes to compare the key, and to keep exactly this one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShownKey {
    /// The name under which it would be kept: `n1`, or `[n1]:2222` where the port is not 22.
    pub name: Box<str>,
    /// Where it was shown: `10.0.0.1 port 22`.
    pub address: Box<str>,
    /// `ssh-ed25519`, `ecdsa-sha2-nistp256`, `ssh-rsa`.
    pub kind: Box<str>,
    /// The wire form of RFC 4253 section 6.6.
    pub blob: Box<[u8]>,
    /// `SHA256:` and base64, as `ssh-keygen -l` prints it.
    pub fingerprint: Box<str>,
}

impl ShownKey {
    /// The command that shows the same fingerprint on the host itself, where its keys are in their usual files.
    pub fn command(&self) -> &'static str {
        match &*self.kind {
            "ssh-ed25519" => "ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub",
            "ssh-rsa" => "ssh-keygen -lf /etc/ssh/ssh_host_rsa_key.pub",
            kind if kind.starts_with("ecdsa-") => "ssh-keygen -lf /etc/ssh/ssh_host_ecdsa_key.pub",
            _ => "cat /etc/ssh/ssh_host_*.pub | ssh-keygen -lf -",
        }
    }
}
