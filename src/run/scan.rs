//! `stakeout scan`: collect once or open a snapshot, report, and end with the code that says how it went.

use std::io;
use std::sync::Arc;

use super::settings::Settings;
use crate::checks;
use crate::cli::{Output, Scan};
use crate::engine::Judged;
use crate::error::{Failure, Outcome};
use crate::model::fact::Gap;
use crate::model::link::HostState;
use crate::model::name::CheckId;
use crate::model::text::Text;
use crate::model::verdict::Verdict;
use crate::report::{self, Selection, Totals};

/// Runs `scan`.
///
/// # Errors
/// Nothing to judge: no snapshot that can be read, no cluster and no node; or an unknown check id.
pub fn scan(settings: &Settings, options: &Scan) -> Result<Outcome, Failure> {
    let mut selection = Selection {
        checks: ids(&options.checks)?,
        nodes: settings.nodes.clone(),
        all: options.all,
    };
    let judged = judged(settings)?;
    if settings.is_local() && selection.nodes.is_empty() {
        selection.nodes = judged.hosts.keys().cloned().collect();
    }
    super::written(|out| match options.output {
        Output::Text => report::text::write(&judged, &selection, out),
        Output::Json => report::json::write(&judged, &selection, out),
    })?;
    Ok(outcome(&judged, &selection, options))
}

/// What there is to judge: the snapshot named by `--from`, or one collection.
///
/// # Errors
/// As [`scan`].
pub fn judged(settings: &Settings) -> Result<Arc<Judged>, Failure> {
    match &settings.from {
        Some(_) => {
            let snapshot = Arc::new(settings.snapshot()?);
            let now = snapshot.taken;
            Ok(Arc::new(Judged::of(snapshot, &settings.policy, now)))
        }
        None => super::live::once(settings),
    }
}

fn ids(wanted: &[String]) -> Result<Option<Vec<CheckId>>, Failure> {
    if wanted.is_empty() {
        return Ok(None);
    }
    let find = |id: &String| {
        checks::find(id).map(|check| check.id).ok_or_else(|| {
            Failure::new(
                format!("there is no check {}", Text::new(id)),
                "stakeout checks",
            )
        })
    };
    wanted.iter().map(find).collect::<Result<_, _>>().map(Some)
}

/// Findings before incompleteness: what is proven outranks what is not known.
fn outcome(judged: &Judged, selection: &Selection, options: &Scan) -> Outcome {
    if Totals::of(judged, selection).at_least(options.fail_on.into()) > 0 {
        return Outcome::Findings;
    }
    if is_complete(judged, selection) {
        Outcome::Ok
    } else {
        Outcome::Incomplete
    }
}

/// Questions to a person do not make a run incomplete.
fn is_complete(judged: &Judged, selection: &Selection) -> bool {
    let open = |gap: &Gap| !matches!(gap, Gap::NeedsHuman { .. });
    // What passed once is no pass of now.
    let stale = judged.hosts.iter().any(|(name, state)| {
        matches!(state, HostState::Stale(_)) && selection.wants_node(Some(name))
    });
    !stale
        && judged
            .findings()
            .filter(|finding| selection.wants(finding))
            .all(|finding| match finding.verdict {
                Verdict::Unknown { why } => !open(why),
                Verdict::Fail { gaps, .. } => !gaps.iter().any(open),
                _ => true,
            })
}

/// `stakeout snapshot save FILE`.
///
/// # Errors
/// As [`scan`], and where the file cannot be written.
pub fn save(settings: &Settings, file: &std::path::Path) -> Result<Outcome, Failure> {
    let judged = judged(settings)?;
    crate::disk::snapshot::save(&judged.snapshot, file).map_err(|error: io::Error| {
        let folder = file
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.map_or_else(|| ".".to_owned(), |folder| folder.display().to_string());
        Failure::new(
            format!("cannot write the snapshot {}: {error}", file.display()),
            format!("ls -ld {}", checks::fix::quote(&folder)),
        )
    })?;
    let complete = is_complete(&judged, &Selection::default());
    Ok(if complete {
        Outcome::Ok
    } else {
        Outcome::Incomplete
    })
}
