//! One command, one mode: resolves what was typed and calls the layers below.

mod dashboard;
mod import;
mod lint;
mod live;
mod plan;
mod policy;
mod print;
mod progress;
mod routes;
mod scan;
mod settings;
mod sides;
mod teletype;
mod trust;
mod vouch;

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use clap::Parser as _;

use crate::cli::{Cli, Command, Policy, PrintKey, PrintRights, PrintUser, Snapshot};
use crate::collect::transport::local;
use crate::error::{Failure, Outcome};
use crate::model::text::Text;
use crate::probes;

use settings::Settings;

/// Runs the program: arguments in, exit code out. `main` and the lab call nothing else.
pub fn run(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(error) => {
            // Where the terminal is gone there is nobody left to tell.
            let _ = error.print();
            let outcome = if error.use_stderr() {
                Outcome::Error
            } else {
                Outcome::Ok
            };
            return outcome.into();
        }
    };
    match dispatch(&cli) {
        Ok(outcome) => outcome.into(),
        Err(failure) => {
            tell(&format!("stakeout: {failure}"));
            Outcome::Error.into()
        }
    }
}

fn dispatch(cli: &Cli) -> Result<Outcome, Failure> {
    match &cli.command {
        Some(Command::Explain { id }) => return show(&print::explain(id)?),
        Some(Command::Checks) => return show(&print::checks()),
        Some(Command::Rbac {
            print: PrintRights::Print { with },
        }) => return show(&print::rights(with)),
        Some(Command::Collector { .. }) => return show(&probes::collector::script()),
        Some(Command::Sudoers {
            print: PrintUser::Print { user },
        }) => return show(&print::sudoers(user)?),
        Some(Command::Policy {
            action: Policy::Check { file },
        }) => return policy::check(file),
        Some(Command::AuthorizedKeys {
            print: PrintKey::Print { user, key },
        }) => return show(&print::authorized_keys(user.as_deref(), key)?),
        Some(Command::Import { files }) => return import::look(files),
        Some(Command::EnterRoot { root }) => {
            let Err(error) = local::enter(root);
            tell(&error);
            return Ok(Outcome::Error);
        }
        Some(Command::Lint(options)) => return lint::lint(options),
        Some(Command::Verify(options)) => return vouch::verify(options),
        Some(Command::Snapshot {
            action: Snapshot::Key { file },
        }) => return vouch::make_key(file),
        _ => {}
    }
    let settings = Settings::new(cli, std::env::vars_os().collect())?;
    for warning in &settings.warnings {
        tell(&format!("stakeout: {warning}"));
    }
    match &cli.command {
        Some(Command::Scan(options)) => scan::scan(&settings, options),
        Some(Command::Snapshot {
            action: Snapshot::Save { file, sign },
        }) => scan::save(&settings, file, sign.as_deref()),
        Some(Command::Diff(options)) => vouch::compare(&settings, options),
        Some(Command::Policy {
            action: Policy::Init,
        }) => policy::init(&settings),
        Some(Command::Plan) => show(&(plan::text(&settings) + &routes::text(&settings)?)),
        Some(Command::Trust { fingerprint }) => trust::trust(&settings, fingerprint.as_deref()),
        Some(Command::Demo) => dashboard::demo(&settings),
        _ => dashboard::open(&settings),
    }
}

/// A path that is safe to show.
fn shown(path: &Path) -> String {
    Text::from_bytes(path.as_os_str().as_encoded_bytes()).to_string()
}

/// Adds a line to a text.
fn line(out: &mut String, text: &str) {
    out.push_str(text);
    out.push('\n');
}

/// Writes a line to standard error.
fn tell(text: &str) {
    // Where standard error is gone there is nobody left to tell.
    let _ = writeln!(io::stderr(), "{text}");
}

fn show(text: &str) -> Result<Outcome, Failure> {
    written(|out| out.write_all(text.as_bytes()))?;
    Ok(Outcome::Ok)
}

/// Writes to standard output; a reader that went away is no error.
fn written(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), Failure> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    match write(&mut out).and_then(|()| out.flush()) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        Err(error) => Err(Failure::new(
            format!("cannot write to standard output: {error}"),
            "df -h .",
        )),
    }
}
