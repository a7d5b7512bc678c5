//! Commands that only print what is compiled in.

use std::io::{self, Read as _};
use std::path::Path;

use super::line;
use crate::checks;
use crate::checks::check::{Check, Place};
use crate::checks::fix::{self, Line};
use crate::cli::With;
use crate::error::Failure;
use crate::model::text::Text;
use crate::probes::probe::Extra;

/// Bytes of a public key: the largest one is far below.
const KEY: u64 = 16 << 10;

/// `stakeout explain ID`.
///
/// # Errors
/// An id that no check has.
pub fn explain(id: &str) -> Result<String, Failure> {
    let check = checks::find(id).ok_or_else(|| {
        Failure::new(
            format!("there is no check {}", Text::new(id)),
            "stakeout checks",
        )
    })?;
    let mut out = String::new();
    let fix = fix::fill(check, None, None);
    line(&mut out, &format!("{}  {}", check.id, check.title));
    line(
        &mut out,
        &format!(
            "severity  at most {}, since {}",
            check.severity, check.since
        ),
    );
    line(&mut out, &format!("why       {}", check.why));
    line(&mut out, &format!("maps      {}", join(check.maps.iter())));
    line(
        &mut out,
        &format!(
            "needs     {}",
            join(check.needs.iter().map(|need| need.name()))
        ),
    );
    if !check.helps.is_empty() {
        line(
            &mut out,
            &format!(
                "helps     {}",
                join(check.helps.iter().map(|need| need.name()))
            ),
        );
    }
    steps(&mut out, "fix", &fix.steps);
    line(&mut out, &format!("restarts  {}", fix.restarts));
    line(&mut out, &format!("verify    {}", fix.verify.text));
    steps(&mut out, "undo", &fix.undo);
    line(&mut out, "examples");
    for (facts, verdict) in check.examples {
        line(&mut out, &format!("  {verdict}"));
        for fact in facts.trim().lines() {
            line(&mut out, &format!("      {fact}"));
        }
    }
    line(&mut out, &format!("source    {}", check.file));
    Ok(out)
}

fn steps(out: &mut String, title: &str, lines: &[Line]) {
    for (index, step) in lines.iter().enumerate() {
        let title = if index == 0 { title } else { "" };
        line(
            out,
            &format!("{title:<9} {}. {}", index + 1, step_text(step)),
        );
    }
}

/// A step with where it is typed.
pub fn step_text(step: &Line) -> String {
    match step.place {
        Place::Node => format!("on the node: {}", step.text),
        Place::Kubectl => format!("{}", step.text),
        Place::Editor => format!("by hand: {}", step.text),
    }
}

/// `stakeout sudoers print`.
///
/// # Errors
/// A name that sudoers could read in another way.
pub fn sudoers(user: &str) -> Result<String, Failure> {
    crate::probes::collector::sudoers(user)
        .map_err(|error| Failure::new(error, "stakeout sudoers print --user audit"))
}

/// `stakeout authorized-keys print`.
///
/// # Errors
/// A key that cannot be read or is none, or a name that is none.
pub fn authorized_keys(user: Option<&str>, key: &Path) -> Result<String, Failure> {
    if let Some(user) = user {
        sudoers(user)?;
    }
    let text = if key == Path::new("-") {
        let mut text = String::new();
        let input = io::stdin().lock();
        let taken = input.take(KEY).read_to_string(&mut text);
        taken.map(|_| text)
    } else {
        crate::disk::read_text(key, KEY)
    };
    let failed = |error: String| {
        Failure::new(
            error,
            "stakeout authorized-keys print --key ~/.ssh/id_ed25519.pub",
        )
    };
    let text =
        text.map_err(|error| failed(format!("cannot read the key {}: {error}", key.display())))?;
    crate::probes::collector::authorized_keys(&text, user.is_some()).map_err(failed)
}

/// `stakeout rbac print`.
pub fn rights(with: &[With]) -> String {
    let extras: Vec<Extra> = with
        .iter()
        .map(|with| match with {
            With::KubeletApi => Extra::KubeletApi,
            With::BootstrapTokens => Extra::BootstrapTokens,
        })
        .collect();
    crate::probes::rights::cluster_role_yaml(&checks::read, &extras)
}

/// `stakeout checks`.
pub fn checks() -> String {
    let mut out = String::new();
    for check in checks::all() {
        line(&mut out, &row(check));
    }
    line(
        &mut out,
        &format!(
            "{} checks; stakeout explain ID says why, how to fix and how to undo",
            checks::all().count()
        ),
    );
    out
}

fn row(check: &Check) -> String {
    let cis: Vec<String> = check
        .maps
        .iter()
        .filter(|map| matches!(map, checks::check::Maps::Cis(_)))
        .map(ToString::to_string)
        .collect();
    format!(
        "{}  {:<8}  {}  {}",
        check.id,
        check.severity,
        check.title,
        cis.join(", ")
    )
    .trim_end()
    .to_owned()
}

fn join<T: ToString>(items: impl Iterator<Item = T>) -> String {
    let items: Vec<String> = items.map(|item| item.to_string()).collect();
    if items.is_empty() {
        "-".into()
    } else {
        items.join(", ")
    }
}
