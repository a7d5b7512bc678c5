//! The system's own `ssh`, for what libssh2 cannot do: jump hosts, ProxyCommand, FIDO keys, GSSAPI, RSA
//! certificates. Ten times the cost, so only where it is needed.
//!
//! Every hop reads the same configuration: ours first, in which nothing asks, trusts on sight, forwards or
//! writes, then the user's. OpenSSH takes the first value it meets.

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

/// Processes at once: each costs some 90 ms of CPU, and a jump host one more.
const WIDTH: usize = 16;
/// How long the end of standard error is waited for after that of standard output.
const LAST_WORDS: Duration = Duration::from_millis(500);
/// Written at once: a pipe that polls as ready takes this much without blocking.
const PIECE: usize = 4096;

/// Over whatever the user's own configuration says, for the node and for every hop to it.
const OVER: &str = "\
BatchMode yes
StrictHostKeyChecking yes
UpdateHostKeys no
ForwardAgent no
ForwardX11 no
PermitLocalCommand no
ControlMaster no
RequestTTY no
LogLevel ERROR
";

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
        let config = memfd_create("ssh_config", MemfdFlags::CLOEXEC)?;
        rustix::io::write(&config, config_text(place).as_bytes())?;
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

fn config_text(place: &Place) -> String {
    let own = match &place.ssh_config {
        Some(file) => vec![file.clone()],
        None => vec![place.home.join(".ssh/config"), "/etc/ssh/ssh_config".into()],
    };
    let includes = own
        .iter()
        .map(|file| format!("Include \"{}\"\n", file.display()));
    OVER.to_owned() + &includes.collect::<String>()
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
            None if !intake.is_over() => complaint(intake.stderr()),
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
            format!("UserKnownHostsFile={}", quoted(&node.known_hosts)?),
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

/// What `ssh` says on its standard error, as a fault; the first row that fits.
const COMPLAINTS: &[(&str, FaultClass)] = &[
    ("REVOKED HOST KEY", FaultClass::HostkeyRevoked),
    ("IDENTIFICATION HAS CHANGED", FaultClass::HostkeyChanged),
    ("Certificate invalid: ", FaultClass::HostkeyCert),
    ("Certificate lacks principal", FaultClass::HostkeyCert),
    (
        "Certificate contains unsupported critical",
        FaultClass::HostkeyCert,
    ),
    (
        "Certificate signed with disallowed",
        FaultClass::HostkeyCert,
    ),
    ("Host key verification failed", FaultClass::HostkeyUnknown),
    ("Unable to negotiate", FaultClass::KexFailure),
    ("Too many authentication failures", FaultClass::AuthDenied),
    ("Permission denied (", FaultClass::AuthDenied),
    ("open failed", FaultClass::JumpRefused),
    ("stdio forwarding failed", FaultClass::JumpRefused),
    ("Connection refused", FaultClass::ConnectRefused),
    ("timed out", FaultClass::ConnectTimeout),
    ("No route to host", FaultClass::Unreachable),
    ("Network is unreachable", FaultClass::Unreachable),
    ("Could not resolve hostname", FaultClass::Unreachable),
    ("Bad configuration option", FaultClass::ConfigUnsupported),
    ("Exceeded MaxStartups", FaultClass::Throttled),
    ("kex_exchange_identification", FaultClass::Throttled),
    ("Connection closed by", FaultClass::Disconnected),
    ("Connection reset by", FaultClass::Disconnected),
];

fn complaint(stderr: &[u8]) -> Option<Fault> {
    let text = String::from_utf8_lossy(stderr);
    let (words, class) = COMPLAINTS.iter().find(|(words, _)| text.contains(words))?;
    let line = text.lines().find(|line| line.contains(words))?;
    let detail = format!("ssh says: {}", line.trim());
    Some(if *class == FaultClass::Throttled {
        Fault::again(*class, detail)
    } else {
        Fault::new(*class, detail)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn complaints_have_their_class() {
        for (text, class) in [
            (
                "@@@\n@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @\nHost key verification failed.\n",
                FaultClass::HostkeyChanged,
            ),
            (
                "No ED25519 host key is known for n1\nHost key verification failed.\n",
                FaultClass::HostkeyUnknown,
            ),
            (
                "channel 0: open failed: connect failed: Connection refused\nstdio forwarding failed\n",
                FaultClass::JumpRefused,
            ),
            (
                "ssh: connect to host 10.0.0.1 port 22: Connection refused\n",
                FaultClass::ConnectRefused,
            ),
            (
                "audit@n1: Permission denied (publickey).\n",
                FaultClass::AuthDenied,
            ),
        ] {
            assert_eq!(complaint(text.as_bytes()).map(|it| it.class), Some(class));
        }
        assert!(complaint(b"motd").is_none());
    }

    #[test]
    fn file_names_are_one_value() {
        assert_eq!(
            quoted(&["/a b".into(), "/c%d".into()]).expect("plain"),
            "\"/a b\" \"/c%%d\""
        );
        for bad in ["/a\"b", "/a\nb", "/$HOME", "/a\\b"] {
            assert!(quoted(&[bad.into()]).is_err(), "{bad}");
        }
    }
}
