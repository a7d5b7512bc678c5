//! `stakeout scan`: collect once or open a snapshot, report, and end with the code that says how it went.

use std::io;
use std::path::Path;
use std::sync::Arc;

use super::settings::Settings;
use crate::checks;
use crate::cli::{Output, Scan};
use crate::diff::Change;
use crate::engine::{Finding, Judged};
use crate::error::{Failure, Outcome};
use crate::model::fact::Gap;
use crate::model::link::HostState;
use crate::model::name::{CheckId, NodeName};
use crate::model::text::Text;
use crate::model::verdict::{Offence, Severity, Verdict};
use crate::report::diff::Since;
use crate::report::{self, Selection, Totals};

/// Runs `scan`.
///
/// # Errors
/// Nothing to judge: no snapshot that can be read, no cluster and no node; or an unknown check id.
pub fn scan(settings: &Settings, options: &Scan) -> Result<Outcome, Failure> {
    if options.fail_on_new && settings.baseline.is_none() {
        return Err(Failure::new(
            "there is no baseline that something could be new since",
            "stakeout scan --baseline FILE --fail-on-new",
        ));
    }
    let mut selection = Selection {
        checks: ids(&options.checks)?,
        nodes: settings.nodes.clone(),
        all: options.all,
    };
    let judged = judged(settings)?;
    if settings.is_local() && selection.nodes.is_empty() {
        selection.nodes = judged.hosts.keys().cloned().collect();
    }
    let wanted = |check: CheckId, node: Option<&NodeName>| {
        let checks = selection.checks.as_ref();
        checks.is_none_or(|ids| ids.contains(&check)) && selection.wants_node(node)
    };
    let since = super::vouch::since_baseline(settings, &judged, &wanted)?;
    let since = since.as_ref();
    let fatal =
        |finding: &Finding<'_>, offence: &Offence| is_fatal(finding, offence, options, since);
    super::written(|out| match options.output {
        Output::Text => report::text::write(&judged, &selection, since, out),
        Output::Json => report::json::write(&judged, &selection, since, out),
        Output::Sarif => report::scan::sarif(&judged, &selection, since, out),
        Output::Junit => report::scan::junit(&judged, &selection, &fatal, out),
        Output::Md => report::markdown::write(&judged, &selection, since, out),
    })?;
    Ok(outcome(&judged, &selection, options, since))
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

/// Whether an offence makes the run fail.
fn is_fatal(
    finding: &Finding<'_>,
    offence: &Offence,
    options: &Scan,
    since: Option<&Since>,
) -> bool {
    let least = Severity::from(options.fail_on);
    let is_bad = offence.waived.is_none() && offence.severity >= least;
    is_bad
        && since.filter(|_| options.fail_on_new).is_none_or(|since| {
            let change = since
                .diff
                .of(finding.check.id, finding.node, &offence.subject);
            change.is_some_and(Change::is_worse)
        })
}

/// Findings before incompleteness: what is proven outranks what is not known.
fn outcome(
    judged: &Judged,
    selection: &Selection,
    options: &Scan,
    since: Option<&Since>,
) -> Outcome {
    let least = options.fail_on.into();
    let since = since.filter(|_| options.fail_on_new);
    let findings = match since {
        Some(since) => since.diff.worse(least),
        None => Totals::of(judged, selection).at_least(least),
    };
    if findings > 0 {
        return Outcome::Findings;
    }
    // What the baseline did not know may be new.
    let open = since.is_some_and(|since| since.diff.is_open());
    if !open && is_complete(judged, selection) {
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

/// `stakeout snapshot save FILE`, signed with a key where one is named.
///
/// # Errors
/// As [`scan`], and where the file cannot be written.
pub fn save(settings: &Settings, file: &Path, sign: Option<&Path>) -> Result<Outcome, Failure> {
    // A key that cannot be used is told before anything is collected.
    let key = sign.map(super::vouch::signing_key).transpose()?;
    let judged = judged(settings)?;
    let saved = crate::disk::snapshot::save_signed(&judged.snapshot, file, key.as_ref());
    saved.map_err(|error: io::Error| {
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
