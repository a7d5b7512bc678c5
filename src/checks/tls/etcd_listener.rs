//! How etcd serves those who call it: its clients, and the other members. Each has flags of its own, which mean the same.

use crate::checks::component::{Fault, Given, Said, faults, not_set, without_tls};
use crate::model::fact::Gap;
use crate::model::verdict::Severity;

/// One of the two.
pub struct Listener {
    pub whom: &'static str,
    /// What its flags begin with.
    pub prefix: &'static str,
    /// The flags of its addresses; the first is `default` where it is not set.
    pub urls: &'static [&'static str],
    pub default: &'static str,
}

/// Judges certificate, addresses, and by what callers are known. With no authority named etcd takes what the system
/// trusts (`ServerConfig` in client/pkg/transport/listener.go leaves `ClientCAs` empty).
///
/// # Errors
/// As [`Given::etcd`].
pub fn judge(given: &Given<'_>, own: &Listener) -> Result<Said, Gap> {
    let Listener { whom, prefix, .. } = own;
    let flag = |name: &str| format!("{prefix}{name}");
    let is_empty = |name: &str| -> Result<bool, Gap> {
        Ok(given.etcd(name)?.is_none_or(|value| value.is_empty()))
    };
    let pair = [flag("cert-file"), flag("key-file")];
    let mut missing: Vec<&str> = Vec::new();
    for name in &pair {
        if is_empty(name)? {
            missing.push(name);
        }
    }
    let mut found = Vec::new();
    let mut tell = |name: &str, severity, message: String| {
        found.push(Fault::new(name, severity, message));
    };
    let auto = flag("auto-tls");
    if given.etcd_switch(&auto)? {
        let message = "it makes certificates for itself that no authority signs";
        tell(&auto, Severity::Critical, message.to_owned());
    } else if !missing.is_empty() {
        let message = format!("{whom} are served without TLS: {}", not_set(&missing));
        tell(&pair[0], Severity::Critical, message);
    } else if let Some(plain) = without_tls(given, own.urls, own.default)? {
        let message =
            format!("{whom} are served without TLS at {plain}, whatever certificate is given");
        tell(own.urls[0], Severity::Critical, message);
    }
    let (asks, trusted) = (flag("client-cert-auth"), flag("trusted-ca-file"));
    if !given.etcd_switch(&asks)? {
        let message = format!("{whom} need no certificate");
        tell(&asks, Severity::Critical, message);
    } else if is_empty(&trusted)? {
        let message = format!("{whom} are known by any authority that the system trusts");
        tell(
            &trusted,
            Severity::High,
            format!("{message}: {}", not_set(&[&trusted])),
        );
    }
    Ok(faults(found))
}
