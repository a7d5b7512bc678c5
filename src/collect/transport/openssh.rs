//! The system's own `ssh`, for what libssh2 cannot do: jump hosts, ProxyCommand, FIDO keys, GSSAPI, RSA
//! certificates. Ten times the cost, so only where it is needed.
//!
//! Every hop reads the same configuration: ours first, in which nothing asks, trusts on sight, forwards or
//! writes, then the user's. OpenSSH takes the first value it meets.

mod complaint;

use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd, OwnedFd};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustix::event::PollFlags;
use rustix::fs::{MemfdFlags, memfd_create};
use rustix::process::{Pid, Signal, kill_process_group};

use crate::collect::cancel::Woken;
use crate::collect::options::Place;
use crate::model::fact::{FaultClass, Gap};
use crate::model::text::Text;
use crate::probes::frame::{Frame, Progress};

use super::fault::Fault;
use super::intake::Intake;
use super::trust::Trust;
use super::{Collect, Ctl, NodeRef, Transport, retry};
use complaint::complaint;

/// Processes at once: each costs some 90 ms of CPU, and a jump host one more.
const WIDTH: usize = 16;
/// How long the end of standard error is waited for after that of standard output.
const LAST_WORDS: Duration = Duration::from_millis(500);
/// Written at once: a pipe that polls as ready takes this much without blocking.
const PIECE: usize = 4096;

/// Over whatever the user's own configuration says, for the node and for every hop to it. A ControlPath would go
/// over a session of the user's, whose host was verified by other rules; DNS is no known_hosts file.
const OVER: &str = "\
BatchMode yes
StrictHostKeyChecking yes
UpdateHostKeys no
VerifyHostKeyDNS no
ForwardAgent no
ForwardX11 no
PermitLocalCommand no
ClearAllForwardings yes
Tunnel no
ControlMaster no
ControlPath none
RequestTTY no
LogLevel ERROR
";

/// Where OpenSSH looks by itself (ssh_config(5), GlobalKnownHostsFile).
const SYSTEM_KNOWN: &str = "/etc/ssh/ssh_known_hosts /etc/ssh/ssh_known_hosts2";

/// One worker's handle; clones share the configuration and the width.
#[derive(Clone)]
pub struct OpenSsh {
    shared: Arc<Shared>,
}

struct Shared {
    ssh: PathBuf,
    /// Read by every `ssh` through `/proc`, so that no file has to be written.
    config: OwnedFd,
    trust: Trust,
    running: Mutex<usize>,
    left: Condvar,
}

impl OpenSsh {
    /// # Errors
    /// Where the system has no memory file to offer.
    pub fn new(place: &Place) -> io::Result<Self> {
        Self::trusting(place, None)
    }

    /// With a file of host keys that a person has trusted: for the hosts on the way, to which no option reaches.
    ///
    /// # Errors
    /// Where the system has no memory file to offer.
    pub fn trusting(place: &Place, own: Option<&Path>) -> io::Result<Self> {
        let config = memfd_create("ssh_config", MemfdFlags::CLOEXEC)?;
        rustix::io::write(&config, config_text(place, own).as_bytes())?;
        Ok(Self {
            shared: Arc::new(Shared {
                ssh: place.ssh.clone(),
                config,
                trust: Trust::default(),
                running: Mutex::new(0),
                left: Condvar::new(),
            }),
        })
    }
}

/// Ours, the user's, and what comes after it: a list that is set there already is left as it is, so that of its own
/// hosts one that is trusted here alone stays unknown. `SendEnv -*` takes back all that was named before it.
fn config_text(place: &Place, own: Option<&Path>) -> String {
    let files = match &place.ssh_config {
        Some(file) => vec![file.clone()],
        None => vec![place.home.join(".ssh/config"), "/etc/ssh/ssh_config".into()],
    };
    let mut text = OVER.to_owned();
    for file in files {
        text.push_str(&format!("Include \"{}\"\n", file.display()));
    }
    text.push_str("SendEnv -*\n");
    // Nothing is expanded in this list.
    let plain = |name: &String| !name.contains(|c: char| c.is_control() || matches!(c, '"' | '\\'));
    let own = own.map(|own| own.display().to_string()).filter(plain);
    if let Some(own) = own {
        text.push_str(&format!("GlobalKnownHostsFile {SYSTEM_KNOWN} \"{own}\"\n"));
    }
    text
}

impl Transport for OpenSsh {
    fn run(&mut self, node: &NodeRef, job: &Collect, ctl: &Ctl<'_>) -> Result<Frame, Gap> {
        let _slot = self.shared.enter(ctl)?;
        retry(ctl, || self.shared.attempt(node, job, ctl))?
    }
}

/// A place among the running processes.
struct Slot<'a>(&'a Shared);

impl Drop for Slot<'_> {
    fn drop(&mut self) {
        *self.0.count() -= 1;
        self.0.left.notify_one();
    }
}

impl Shared {
    fn count(&self) -> std::sync::MutexGuard<'_, usize> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn enter(&self, ctl: &Ctl<'_>) -> Result<Slot<'_>, Fault> {
        let mut running = self.count();
        while *running >= WIDTH {
            if ctl.cancel.is_cancelled() {
                return Err(Fault::cancelled());
            }
            if Instant::now() >= ctl.deadline {
                let text = "no turn came among the ssh processes";
                return Err(Fault::new(FaultClass::ConnectTimeout, text));
            }
            running = self
                .left
                .wait_timeout(running, Duration::from_millis(100))
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
        *running += 1;
        Ok(Slot(self))
    }

    fn attempt(
        &self,
        node: &NodeRef,
        job: &Collect,
        ctl: &Ctl<'_>,
    ) -> Result<Result<Frame, Gap>, Fault> {
        let mut child = self.spawn(node, job, ctl)?;
        (ctl.progress)(Progress::Connected);
        let mut intake = Intake::new(job);
        let cut = pump(&mut child.0, &mut intake, &job.stdin, ctl).err();
        let cut = match cut {
            None if !intake.is_over() => complaint(intake.stderr(), node.via.as_deref()),
            cut => cut,
        };
        match cut {
            Some(fault) if fault.again => Err(fault),
            cut => Ok(intake.finish(cut)),
        }
    }

    fn spawn(&self, node: &NodeRef, job: &Collect, ctl: &Ctl<'_>) -> Result<Running, Fault> {
        let config = format!(
            "/proc/{}/fd/{}",
            std::process::id(),
            self.config.as_raw_fd()
        );
        #[expect(
            clippy::disallowed_methods,
            reason = "the system's ssh with checked words; the host follows --"
        )]
        let mut command = Command::new(&self.ssh);
        command
            .arg("-F")
            .arg(config)
            .args(self.words(node, ctl)?)
            .args(["-T", "--", node.node.as_str(), &job.command])
            .env("SSH_ASKPASS_REQUIRE", "never")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // A group of its own, to be ended with its ProxyCommand.
            .process_group(0);
        match command.spawn() {
            Ok(child) => Ok(Running(child)),
            Err(error) => Err(Fault::new(
                FaultClass::NeedsSystemSsh,
                format!("run {}: {error}", self.ssh.display()),
            )),
        }
    }

    /// What was resolved for the node, as options.
    fn words(&self, node: &NodeRef, ctl: &Ctl<'_>) -> Result<Vec<OsString>, Fault> {
        let known = self.trust.known(&node.known_hosts);
        let alias = known.alias(&node.known_as);
        let mut options = vec![
            format!("HostName={}", node.host),
            format!("ConnectTimeout={}", ctl.connect.as_secs().max(1)),
            format!("IdentitiesOnly={}", yes(node.identities_only)),
            // All that counts: the system's files are in it where the configuration does not displace them.
            format!("UserKnownHostsFile={}", quoted(&node.known_hosts)?),
            "GlobalKnownHostsFile=/dev/null".to_owned(),
        ];
        options.extend(alias.map(|alias| format!("HostKeyAlias={alias}")));
        options.push(match &node.agent {
            Some(socket) => format!("IdentityAgent={}", quoted(std::slice::from_ref(socket))?),
            None => "IdentityAgent=none".to_owned(),
        });
        // Not as -i, which wants the private half.
        for identity in node.identities.iter().filter(|file| is_there(file)) {
            let identity = quoted(std::slice::from_ref(identity))?;
            options.push(format!("IdentityFile={identity}"));
        }
        let mut words: Vec<OsString> = vec![
            "-l".into(),
            node.user.clone().into(),
            "-p".into(),
            node.port.to_string().into(),
        ];
        for option in options {
            words.extend(["-o".into(), option.into()]);
        }
        Ok(words)
    }
}

/// A key, or the public half of one that an agent holds.
fn is_there(file: &Path) -> bool {
    let mut public = file.as_os_str().to_owned();
    public.push(".pub");
    crate::disk::exists(file) || crate::disk::exists(Path::new(&public))
}

fn yes(flag: bool) -> &'static str {
    if flag { "yes" } else { "no" }
}

/// File names as one value of ssh_config, each in quotes; `%` and `$` would be expanded.
fn quoted(files: &[PathBuf]) -> Result<String, Fault> {
    if files.is_empty() {
        return Ok("/dev/null".to_owned());
    }
    let words: Vec<String> = files
        .iter()
        .map(|file| format!("\"{}\"", file.display().to_string().replace('%', "%%")))
        .collect();
    let text = words.join(" ");
    let bad = |c: char| c.is_control() || matches!(c, '$' | '\\');
    if text.contains(bad) || text.matches('"').count() != 2 * files.len() {
        return Err(Fault::new(
            FaultClass::ConfigUnsupported,
            format!("a file name that ssh cannot be given: {}", Text::new(&text)),
        ));
    }
    Ok(text)
}

/// A process and its group, ended when it is dropped.
pub(super) struct Running(pub Child);

impl Drop for Running {
    fn drop(&mut self) {
        let group = i32::try_from(self.0.id()).ok().and_then(Pid::from_raw);
        if let Some(group) = group {
            // Not reaped yet, so the number is still its own; gone already is as good.
            let _ = kill_process_group(group, Signal::KILL);
        }
        let _ = self.0.wait();
    }
}

/// Feeds and reads until the answer is whole, the output ends, or it is too late.
pub(super) fn pump(
    child: &mut Child,
    intake: &mut Intake,
    stdin: &[u8],
    ctl: &Ctl<'_>,
) -> Result<(), Fault> {
    let mut input = child.stdin.take();
    let (Some(mut output), Some(mut error)) = (child.stdout.take(), child.stderr.take()) else {
        return Err(Fault::new(FaultClass::Internal, "ssh has no output"));
    };
    let (mut left, mut until) = (stdin, ctl.deadline);
    let (mut output_open, mut error_open) = (true, true);
    while output_open || error_open {
        let mut wanted: Vec<(BorrowedFd<'_>, PollFlags)> = Vec::new();
        wanted.extend(output_open.then(|| (output.as_fd(), PollFlags::IN)));
        wanted.extend(error_open.then(|| (error.as_fd(), PollFlags::IN)));
        wanted.extend(input.as_ref().map(|pipe| (pipe.as_fd(), PollFlags::OUT)));
        let (woken, ready) = ctl.cancel.poll_any(&wanted, until);
        match woken {
            Woken::Cancelled => return Err(Fault::cancelled()),
            Woken::Deadline if output_open => {
                let text = "ssh and the collector did not end in time";
                return Err(Fault::new(FaultClass::TimeoutScript, text));
            }
            Woken::Deadline => return Ok(()),
            Woken::Ready => {}
        }
        let mut ready = ready.into_iter();
        if output_open && ready.next() == Some(true) {
            let first = intake.bytes() == 0;
            let bytes = take(&mut output);
            if first && !bytes.is_empty() {
                (ctl.progress)(Progress::Authenticated);
            }
            intake.output(&bytes, ctl)?;
            output_open = !bytes.is_empty();
            if intake.is_over() {
                return Ok(());
            }
            if !output_open {
                until = until.min(Instant::now() + LAST_WORDS);
                input = None;
            }
        }
        if error_open && ready.next() == Some(true) {
            let bytes = take(&mut error);
            intake.error(&bytes);
            error_open = !bytes.is_empty();
        }
        if ready.next() == Some(true) {
            left = feed(&mut input, left);
        }
    }
    Ok(())
}

/// What is there; nothing at the end, and where reading fails, which for a pipe is the same.
fn take(pipe: &mut impl Read) -> Vec<u8> {
    let mut buffer = vec![0; 16 * 1024];
    let count = pipe.read(&mut buffer).unwrap_or(0);
    buffer.truncate(count);
    buffer
}

/// Writes a piece and returns the rest; closes the pipe at the end, or where nobody reads it.
fn feed<'a>(input: &mut Option<impl Write>, left: &'a [u8]) -> &'a [u8] {
    let piece = &left[..left.len().min(PIECE)];
    let count = match input {
        Some(pipe) => pipe.write(piece).unwrap_or(0),
        None => 0,
    };
    if count == 0 || count == left.len() {
        *input = None;
    }
    &left[count..]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::options::Options;

    #[test]
    fn the_configuration_of_the_user_stands_between_ours() {
        let place = Place {
            ssh_config: Some("/u/config".into()),
            ..Options::default().place
        };
        let text = config_text(&place, Some(Path::new("/state/known_hosts")));
        let (before, after) = text
            .split_once("Include \"/u/config\"\n")
            .expect("the user's");
        for line in [
            "ControlPath none\n",
            "VerifyHostKeyDNS no\n",
            "ClearAllForwardings yes\n",
            "Tunnel no\n",
            "StrictHostKeyChecking yes\n",
        ] {
            assert!(before.contains(line), "{line}");
        }
        assert_eq!(
            after,
            "SendEnv -*\nGlobalKnownHostsFile /etc/ssh/ssh_known_hosts /etc/ssh/ssh_known_hosts2 \
             \"/state/known_hosts\"\n"
        );
        for own in [None, Some(Path::new("/a\"b")), Some(Path::new("/a\nb"))] {
            assert!(config_text(&place, own).ends_with("SendEnv -*\n"));
        }
    }

    #[test]
    fn file_names_are_one_value() {
        assert_eq!(
            quoted(&["/a b".into(), "/c%d".into()]).expect("plain"),
            "\"/a b\" \"/c%%d\""
        );
        assert_eq!(quoted(&[]).expect("none is a list too"), "/dev/null");
        for bad in ["/a\"b", "/a\nb", "/$HOME", "/a\\b"] {
            assert!(quoted(&[bad.into()]).is_err(), "{bad}");
        }
    }
}
