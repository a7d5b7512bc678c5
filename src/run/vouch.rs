//! Snapshots and who vouches for them: keys, `verify`, `diff`, and the baseline of a run.

use std::io;
use std::path::Path;
use std::sync::Arc;

use super::settings::Settings;
use super::shown;
use crate::checks::fix::quote;
use crate::cli::{Diff, DiffOutput, Verify};
use crate::diff;
use crate::disk::sign::{PublicKey, SigningKey};
use crate::disk::snapshot::{self, Opened};
use crate::engine::Judged;
use crate::error::{Failure, Outcome};
use crate::model::baseline::Baseline;
use crate::model::name::{CheckId, NodeName};
use crate::model::text::Text;
use crate::report::diff::{self as report, Head, Since};

/// `stakeout snapshot key FILE`: a key of the user's, on this machine.
///
/// # Errors
/// Where either file exists or cannot be written.
pub fn make_key(file: &Path) -> Result<Outcome, Failure> {
    let (key, beside) = SigningKey::make(file).map_err(|error: io::Error| {
        let next = match error.kind() {
            io::ErrorKind::AlreadyExists => "choose another name: a key is never overwritten",
            _ => "ls -ld .",
        };
        Failure::new(
            format!("cannot make the key {}: {error}", shown(file)),
            next,
        )
    })?;
    let (name, public) = (quote(&shown(file)), quote(&shown(&beside)));
    super::show(&format!(
        "key       {}, mode 0600: keep it where only you can read it\n\
         public    {}: whoever verifies needs it\n\
         print     {}\n\
         sign      stakeout snapshot save --sign {name} FILE\n\
         verify    stakeout verify --key {public} FILE\n",
        shown(file),
        shown(&beside),
        key.fingerprint()
    ))
}

/// The key to sign with.
///
/// # Errors
/// What is wrong with the file.
pub fn signing_key(file: &Path) -> Result<SigningKey, Failure> {
    SigningKey::read(file).map_err(|error| {
        let name = shown(file);
        let next = if error.starts_with("may be used by others") {
            format!("chmod 600 {}", quote(&name))
        } else {
            "stakeout snapshot key FILE".to_owned()
        };
        Failure::new(format!("the key {name} {error}"), next)
    })
}

fn public_key(file: Option<&Path>) -> Result<Option<PublicKey>, Failure> {
    let read = |file: &Path| {
        PublicKey::read(file).map_err(|error| {
            let message = format!("the key {} {error}", shown(file));
            Failure::new(
                message,
                "name the .pub file that stakeout snapshot key made",
            )
        })
    };
    file.map(read).transpose()
}

/// Reads a snapshot that must be whole, and signed by a key where one is named.
///
/// # Errors
/// As reading does; also where it is not signed by that key.
fn open(file: &Path, key: Option<&PublicKey>) -> Result<Opened, Failure> {
    let name = shown(file);
    let opened = snapshot::open(file).map_err(|damaged| {
        let next = format!("do not use it: get {name} again from where it was kept, or take a new one: stakeout snapshot save {}", quote(&name));
        Failure::new(damaged.to_string(), next)
    })?;
    let wrong = match (key, opened.signed_by) {
        (None, _) => return Ok(opened),
        (Some(wanted), Some(found)) if *wanted == found => return Ok(opened),
        (Some(wanted), Some(found)) => format!(
            "{name} is signed by another key: by {}, not by {}",
            found.fingerprint(),
            wanted.fingerprint()
        ),
        (Some(_), None) => format!("{name} is whole but not signed: nobody vouches for it"),
    };
    let next = "do not use it until you know who took it: stakeout snapshot save --sign KEY FILE takes a signed one";
    Err(Failure::new(wrong, next))
}

/// `stakeout verify FILE`.
///
/// # Errors
/// A file that is not whole, or not signed by the key that is named.
pub fn verify(options: &Verify) -> Result<Outcome, Failure> {
    let key = public_key(options.key.as_deref())?;
    let Opened {
        snapshot,
        signed_by,
    } = open(&options.file, key.as_ref())?;
    let (name, nodes) = (shown(&options.file), snapshot.nodes.len());
    let (taken, by) = (snapshot.taken, &snapshot.taken_by);
    let head = format!("{name}: whole, {nodes} nodes, taken {taken} by {by}\n");
    let (said, outcome) = match (key, signed_by) {
        (Some(_), Some(found)) => (
            format!("signed by {}, the key that was named\n", found.fingerprint()),
            Outcome::Ok,
        ),
        (_, Some(found)) => (
            format!(
                "signed by {}, whoever that is: name the key to hold it against\nnext: stakeout verify --key PUB {}\n",
                found.fingerprint(),
                quote(&name)
            ),
            Outcome::Incomplete,
        ),
        (_, None) => (
            "not signed: whoever can write the file can have written another\nnext: stakeout snapshot save --sign KEY FILE\n".to_owned(),
            Outcome::Incomplete,
        ),
    };
    super::show(&(head + &said))?;
    Ok(outcome)
}

/// The baseline that `--baseline` names, and what to warn of.
///
/// # Errors
/// A file that does not verify.
pub fn baseline(
    file: &Path,
    key: Option<&Path>,
) -> Result<(Arc<Baseline>, Option<String>), Failure> {
    let key = public_key(key)?;
    let opened = open(file, key.as_ref())?;
    let name = shown(file);
    let is_vouched = key.is_some();
    let warning = match (opened.signed_by, key) {
        (None, _) => Some(format!(
            "the baseline {name} is not signed: nobody vouches for it"
        )),
        (Some(found), None) => {
            let by = found.fingerprint();
            Some(format!(
                "the baseline {name} is signed by {by}: --baseline-key PUB says whether that is yours"
            ))
        }
        _ => None,
    };
    let baseline = Baseline {
        name: Text::from(name),
        is_vouched,
        signed_by: opened.signed_by.map(|key| Text::from(key.fingerprint())),
        snapshot: Arc::new(opened.snapshot),
    };
    Ok((Arc::new(baseline), warning))
}

/// `stakeout diff A B`.
///
/// # Errors
/// A file that does not verify, or two clusters.
pub fn compare(settings: &Settings, options: &Diff) -> Result<Outcome, Failure> {
    let key = public_key(options.key.as_deref())?;
    let side = |file: &Path| -> Result<(Judged, Head), Failure> {
        let opened = open(file, key.as_ref())?;
        let by = opened.signed_by.map(|key| Text::from(key.fingerprint()));
        let head = Head::new(Text::from(shown(file)), &opened.snapshot, by);
        let taken = opened.snapshot.taken;
        let judged = Judged::of(Arc::new(opened.snapshot), &settings.policy, taken);
        Ok((judged, head))
    };
    let (before, after) = (side(&options.before)?, side(&options.after)?);
    let wanted = |_: CheckId, node: Option<&NodeName>| {
        settings.nodes.is_empty() || node.is_some_and(|node| settings.nodes.contains(node))
    };
    let since = since(before, after, &wanted)?;
    super::written(|out| match options.output {
        DiffOutput::Text => report::text(&since, out),
        DiffOutput::Json => report::json(&since, out),
    })?;
    let diff = &since.diff;
    Ok(if diff.worse(options.fail_on.into()) > 0 {
        Outcome::Findings
    } else if diff.count(diff::Kind::Incomparable) > 0 {
        Outcome::Incomplete
    } else {
        Outcome::Ok
    })
}

/// What changed since the baseline; `None` without one.
///
/// # Errors
/// A baseline of another cluster.
pub fn since_baseline(
    settings: &Settings,
    judged: &Judged,
    wanted: diff::Wanted<'_>,
) -> Result<Option<Since>, Failure> {
    let Some(baseline) = &settings.baseline else {
        return Ok(None);
    };
    let taken = baseline.snapshot.taken;
    let before = Judged::of(Arc::clone(&baseline.snapshot), &settings.policy, taken);
    let (name, by) = (baseline.name.clone(), baseline.signed_by.clone());
    let before_head = Head::new(name, &baseline.snapshot, by);
    let after_head = Head::new(Text::new("now"), &judged.snapshot, None);
    let after = (judged.clone(), after_head);
    since((before, before_head), after, wanted).map(Some)
}

fn since(
    (before, before_head): (Judged, Head),
    (after, after_head): (Judged, Head),
    wanted: diff::Wanted<'_>,
) -> Result<Since, Failure> {
    let diff = diff::between(&before, &after, wanted).map_err(|foreign| {
        let (one, other) = (&before_head.name, &after_head.name);
        Failure::new(
            format!(
                "{one} and {other} are of different clusters: {} and {}",
                foreign.before, foreign.after
            ),
            "kubectl get namespace kube-system -o jsonpath={.metadata.uid}",
        )
    })?;
    Ok(Since {
        diff,
        before: before_head,
        after: after_head,
    })
}
