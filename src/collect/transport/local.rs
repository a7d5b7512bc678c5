//! This machine is the node: the same bytes in a shell of its own, without SSH.
//!
//! With a root (a debug pod has the node's at `/host`) a process of our own enters it by chroot(2) first, so that the
//! kernel resolves every path inside of it, absolute links too.

use std::convert::Infallible;
use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::model::fact::{FaultClass, Gap};
use crate::model::node::WayIn;
use crate::model::text::Text;
use crate::probes::frame::{Frame, Progress};

use super::fault::Fault;
use super::intake::Intake;
use super::openssh::{Running, pump};
use super::{Collect, Ctl};

/// The word of the command line that makes the program enter a root and become its shell.
pub const ENTER: &str = "enter-root";

/// What a failed [`enter`] begins with.
const NOT_ENTERED: &str = "cannot enter";

/// Runs the job here. `program`: this program, to be started again for a root.
///
/// # Errors
/// [`Gap::Node`] with the class of the fault; an answer that was cut is no error as long as a section is whole.
pub fn run(
    program: &Path,
    root: Option<&Path>,
    job: &Collect,
    ctl: &Ctl<'_>,
) -> Result<Frame, Gap> {
    let mut child = spawn(program, root, job)?;
    (ctl.progress)(Progress::Connected);
    let mut intake = Intake::new(job);
    let cut = pump(&mut child.0, &mut intake, &job.stdin, ctl).err();
    let mut frame = intake.finish(cut).map_err(|gap| match root {
        Some(root) => not_entered(root, gap),
        None => gap,
    })?;
    frame.way = match (root, frame.way) {
        (Some(_), _) => Some(WayIn::LocalRoot),
        (None, None | Some(WayIn::LoginOnly)) => Some(WayIn::Local),
        (None, way) => way,
    };
    Ok(frame)
}

#[expect(
    clippy::disallowed_methods,
    reason = "the shell of this machine with the request that sshd would give it, or this program once more"
)]
fn spawn(program: &Path, root: Option<&Path>, job: &Collect) -> Result<Running, Fault> {
    let mut command = match root {
        None => {
            let mut shell = Command::new("/bin/sh");
            shell.arg("-c").arg(&job.command);
            shell
        }
        Some(root) => {
            let mut own = Command::new(program);
            own.arg(ENTER).arg(root);
            own
        }
    };
    command
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0);
    match command.spawn() {
        Ok(child) => Ok(Running(child)),
        Err(error) => {
            let what = root.map_or(Path::new("/bin/sh"), |_| program);
            let text = format!("run {}: {error}", what.display());
            Err(Fault::new(FaultClass::NoShell, text))
        }
    }
}

/// The reason of [`enter`], where it is one.
fn not_entered(root: &Path, gap: Gap) -> Gap {
    let said = match &gap {
        Gap::Node {
            class: FaultClass::NoShell,
            detail,
        } => detail
            .as_str()
            .find(NOT_ENTERED)
            .map(|at| &detail.as_str()[at..]),
        _ => None,
    };
    match said {
        Some(said) => Gap::Node {
            class: FaultClass::NoRoot,
            detail: Text::new(said),
        },
        None => match gap {
            Gap::Node {
                class: FaultClass::NoShell,
                detail,
            } => Gap::Node {
                class: FaultClass::NoShell,
                detail: Text::from(format!("in {}: {detail}", root.display())),
            },
            gap => gap,
        },
    }
}

/// Enters a root and becomes its shell, which reads the collector from standard input. The whole process moves, so
/// this is for a process that was started for it.
///
/// # Errors
/// Where the root cannot be entered or has no shell; what was tried is in the text.
pub fn enter(root: &Path) -> Result<Infallible, String> {
    let shown = Text::new(&root.display().to_string());
    let failed = |error: io::Error| format!("{NOT_ENTERED} {shown}: chroot: {error}");
    std::os::unix::fs::chroot(root).map_err(failed)?;
    std::env::set_current_dir("/").map_err(failed)?;
    #[expect(clippy::disallowed_methods, reason = "the shell of the node's root")]
    let error = Command::new("/bin/sh").arg("-s").env_clear().exec();
    Err(format!("run /bin/sh in {shown}: {error}"))
}
