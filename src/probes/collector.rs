//! The collector: one POSIX shell script out of the fragments of all probes, and how it is run.
//!
//! Lives here: the script's text, the command line for each way in, and the texts that give a right
//! (sudoers, authorized_keys). Never lives here: a connection, or anything that a node or the API said.

use std::fmt::Write as _;

use openssl::sha::sha256;

use super::ALL;
use super::probe::{Ask, Probe};
use crate::model::name::Digest;
use crate::model::node::WayIn;

/// Rises with every release whose script brings more than the one before; the answer of every older version is
/// read for ever, and what it does not bring is `CollectorOutdated`.
///
/// - 1: identity, accounts, kubelet, listeners, folder, manifests, runtime.
/// - 2: every section whose [`Ask::Shell`] says `since: 2`.
pub const VERSION: u32 = 2;

/// Where an installed collector lies.
pub const PATH: &str = "/usr/local/libexec/stakeout-collect";

/// The nonce of an answer that was made by hand: `sh stakeout-collect </dev/null >answer`.
pub const BY_HAND: &str = "00000000000000000000000000000000";

/// The mark that every control line of the protocol begins with.
const MARK: &str = "@STK1";

/// The script, as it is installed and as it is streamed: the same bytes.
pub fn script() -> String {
    let mut out = format!("#!/bin/sh\n# The collector of stakeout, version {VERSION}.\n");
    out.push_str(include_str!("shell/head.sh"));
    for (section, fragment) in sections() {
        let _ = write!(out, "s_{section}() {{\n{fragment}}}\n");
    }
    let _ = writeln!(
        out,
        "uid=$(id -u)\nput \"$N{MARK} BEGIN $nonce {VERSION} $uid $sk $e\""
    );
    for (section, _) in sections() {
        let _ = writeln!(out, "section {section}");
    }
    out.push_str(include_str!("shell/tail.sh"));
    out
}

/// SHA-256 of [`script`], as `sha256sum` prints it.
pub fn digest() -> Digest {
    Digest::new(&sha256(script().as_bytes()))
}

/// How many sections a complete answer has.
pub fn section_count() -> u16 {
    u16::try_from(sections().count()).unwrap_or(u16::MAX)
}

fn sections() -> impl Iterator<Item = (&'static str, &'static str)> {
    asks().filter_map(|ask| match ask {
        Ask::Shell {
            section, fragment, ..
        } => Some((*section, *fragment)),
        Ask::Api { .. } => None,
    })
}

fn asks() -> impl Iterator<Item = &'static Ask> {
    let probes: &'static [&'static Probe] = ALL;
    probes.iter().flat_map(|probe| probe.asks)
}

/// The exec request and what goes to its standard input. `nonce`: 32 hex digits.
///
/// [`WayIn::InstalledCollector`] is the one to try first. Under a forced command the request is not run at all,
/// and the installed collector finds its nonce in the first line of the input; with a free shell it runs the
/// installed collector as root where sudo allows exactly that, and otherwise the script itself with the
/// login's own rights. [`Frame::way`](super::frame::Frame::way) tells which it was.
///
/// No word of a request comes from the API, a node or the user. It is one line in single quotes, without
/// backslash and exclamation mark, so that csh and fish pass it on unchanged as well.
pub fn job(way: WayIn, nonce: &str) -> (String, Vec<u8>) {
    let mut stdin = format!("STK_NONCE={nonce}\n");
    let say = |way: &str| format!("echo; echo \"{MARK} WAY {way}\"");
    let command = match way {
        WayIn::ForcedCommand => return (nonce.to_owned(), stdin.into_bytes()),
        WayIn::SudoStream => format!(
            "exec /bin/sh -c '{}; test \"$(id -u)\" = 0 && exec /bin/sh -s; exec sudo -n /bin/sh -s'",
            say("sudo-stream")
        ),
        WayIn::InstalledCollector => format!(
            "exec /bin/sh -c 'c={PATH}; w=login-only; if test -x $c; then if test \"$(id -u)\" = 0; \
             then w=installed-collector; elif sudo -n -l $c </dev/null >/dev/null 2>&1; \
             then w=installed-collector; c=\"sudo -n $c\"; fi; fi; {}; \
             test $w = login-only && exec /bin/sh -s; exec $c'",
            say("$w")
        ),
        WayIn::LoginOnly | WayIn::Local | WayIn::LocalRoot | WayIn::Import | WayIn::Later => {
            format!("exec /bin/sh -c '{}; exec /bin/sh -s'", say("login-only"))
        }
    };
    stdin.push_str(&script());
    (command, stdin.into_bytes())
}

/// A sudoers file that lets `user` run exactly this collector as root, without arguments, and nothing else.
///
/// # Errors
/// Says what is wrong with a name that sudoers could read in another way.
pub fn sudoers(user: &str) -> Result<String, String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    if user.is_empty()
        || user.len() > 64
        || !user.chars().all(plain)
        || user.starts_with(['-', '.'])
        || user == "ALL"
    {
        return Err(format!(
            "user name {} for sudoers: want letters, digits, dash, dot and underscore\nnext: stakeout sudoers print --user NAME",
            crate::model::text::Text::new(user)
        ));
    }
    Ok(format!(
        "\
# /etc/sudoers.d/stakeout, root:root 0440; check it with: visudo -cf /etc/sudoers.d/stakeout
# Lets {user} run version {VERSION} of stakeout's collector as root: these bytes, without arguments, nothing else.
# The rule holds as long as only root can change {PATH} and the folders above it.
{user} ALL=(root) NOPASSWD: sha256:{} {PATH} \"\"
",
        digest()
    ))
}

/// The authorized_keys line that lets a key run the collector and nothing else: no shell, no forwarding.
///
/// `sudo`: the login is not root, and reaches root through the rule of [`sudoers`].
///
/// # Errors
/// Says what is wrong with a text that is not one public key.
pub fn authorized_keys(key: &str, sudo: bool) -> Result<String, String> {
    const KINDS: &[&str] = &[
        "ssh-ed25519",
        "ssh-rsa",
        "ecdsa-sha2-",
        "sk-ssh-",
        "sk-ecdsa-",
    ];
    let key = key.trim();
    let one_line = !key.chars().any(char::is_control);
    if !one_line || !KINDS.iter().any(|kind| key.starts_with(kind)) || key.len() > 8192 {
        return Err(
            "a public key for authorized_keys: want one line of type and base64\nnext: ssh-keygen -y -f KEY"
                .to_owned(),
        );
    }
    let command = if sudo {
        format!("sudo -n {PATH}")
    } else {
        PATH.to_owned()
    };
    Ok(format!("restrict,command=\"{command}\" {key}\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_pass_any_login_shell() {
        for way in [
            WayIn::InstalledCollector,
            WayIn::LoginOnly,
            WayIn::SudoStream,
        ] {
            let (command, stdin) = job(way, "0123456789abcdef0123456789abcdef");
            assert_eq!(command.matches('\'').count(), 2, "{command}");
            assert!(!command.contains(['!', '\\', '\n']), "{command}");
            assert!(stdin.starts_with(b"STK_NONCE=0123456789abcdef0123456789abcdef\n#!/bin/sh\n"));
        }
    }

    #[test]
    fn a_forced_command_gets_the_nonce_alone() {
        let (command, stdin) = job(WayIn::ForcedCommand, "00112233445566778899aabbccddeeff");
        assert_eq!(command, "00112233445566778899aabbccddeeff");
        assert_eq!(stdin, b"STK_NONCE=00112233445566778899aabbccddeeff\n");
    }

    #[test]
    fn rights_name_one_command() {
        let text = sudoers("stakeout").expect("a good name");
        let rule = text.lines().last().expect("a rule");
        assert_eq!(
            rule,
            format!(
                "stakeout ALL=(root) NOPASSWD: sha256:{} {PATH} \"\"",
                digest()
            )
        );
        for bad in ["", "ALL", "%wheel", "a b", "a\nb", "#0", "-x", "a,b", "a=b"] {
            assert!(sudoers(bad).is_err(), "{bad}");
        }
        let line = authorized_keys("ssh-ed25519 AAAA me\n", true).expect("a good key");
        assert_eq!(
            line,
            "restrict,command=\"sudo -n /usr/local/libexec/stakeout-collect\" ssh-ed25519 AAAA me\n"
        );
        assert!(authorized_keys("ssh-ed25519 AAAA\nssh-ed25519 BBBB", false).is_err());
        assert!(authorized_keys("command=\"sh\" ssh-ed25519 AAAA", false).is_err());
    }

    #[test]
    fn the_script_stays_small_enough_to_read() {
        let script = script();
        assert!(script.len() < 56_000, "{} bytes", script.len());
        assert!(script.ends_with("}\n{ stk; exit; }\n"));
        assert!(script.lines().all(|line| line.len() <= 120));
    }
}
