//! `stakeout lint`: files in, verdicts out, before anything runs. No cluster, no configuration, no threads.

use std::io::{self, Read as _};
use std::path::Path;

use crate::checks::standard::{self, Standard, Version};
use crate::cli::{Lint, LintOutput};
use crate::collect;
use crate::disk;
use crate::error::{Failure, Outcome};
use crate::lint::{Entry, Linter, What};
use crate::model::text::Text;
use crate::model::verdict::Severity;
use crate::report::lint::{self as report, Totals};

/// A longer file is not read.
const CAP: u64 = 64 << 20;

/// Endings of the files that a folder is searched for.
const ENDINGS: [&str; 3] = ["yaml", "yml", "json"];

/// Files that have these endings and are no objects of an API server.
const NO_OBJECTS: [&str; 2] = ["kustomization.yaml", "kustomization.yml"];

/// Runs `lint`: 2 where something could not be judged, else 1 where a pod is not allowed or a check fails at
/// `--fail-on`, else 0.
///
/// # Errors
/// Where standard output cannot be written.
pub fn lint(options: &Lint) -> Result<Outcome, Failure> {
    let standard = Standard::new(options.level, options.kubernetes);
    if options.kubernetes > Version::Minor(standard::newest())
        && options.kubernetes != Version::Latest
    {
        super::tell(&format!(
            "stakeout: {} is judged as v1.{}, the newest version that is known",
            options.kubernetes,
            standard::newest()
        ));
    }
    let masker = collect::masker().map_err(|error| {
        Failure::new(
            format!("cannot make a key to mask secrets with: {error}"),
            "head -c 32 /dev/urandom | wc -c",
        )
    })?;
    let linter = Linter::new(standard, masker);
    let mut entries = Vec::new();
    for named in &options.files {
        judge(named, &linter, &mut entries);
    }
    let fail_on = options.fail_on.map(Severity::from);
    super::written(|out| match options.output {
        LintOutput::Text => report::text(&entries, standard, out),
        LintOutput::Json => report::json(&entries, standard, out),
        LintOutput::Sarif => report::sarif(&entries, out),
        LintOutput::Junit => report::junit(&entries, fail_on, out),
    })?;
    if options.output != LintOutput::Text {
        remarks(&entries);
    }
    let totals = Totals::of(&entries);
    let findings = fail_on.map_or(0, |least| totals.at_least(least));
    Ok(if totals.unreadable > 0 {
        Outcome::Error
    } else if totals.not_allowed + findings > 0 {
        Outcome::Findings
    } else {
        Outcome::Ok
    })
}

/// One argument: a file, a folder, or `-`.
fn judge(named: &Path, linter: &Linter, entries: &mut Vec<Entry>) {
    if named == Path::new("-") {
        let mut text = Vec::new();
        let read = io::stdin().lock().take(CAP + 1).read_to_end(&mut text);
        let read = read.and_then(|_| {
            if text.len() as u64 > CAP {
                Err(io::Error::new(
                    io::ErrorKind::FileTooLarge,
                    format!("longer than {CAP} bytes"),
                ))
            } else {
                Ok(text)
            }
        });
        return one(Text::new("-"), read, linter, entries);
    }
    let shown = |path: &Path| Text::from_bytes(path.as_os_str().as_encoded_bytes());
    let files = match disk::files(named, &wanted) {
        // What is named itself is read whatever its name, a pipe too.
        Ok(None) => return one(shown(named), disk::read(named, CAP), linter, entries),
        Ok(Some(files)) => files,
        Err(error) => return one(shown(named), Err(error), linter, entries),
    };
    if files.is_empty() {
        let error = io::Error::other("no .yaml, .yml or .json file in this folder");
        return one(shown(named), Err(error), linter, entries);
    }
    for file in files {
        match file {
            Ok(path) => one(shown(&path), disk::read(&path, CAP), linter, entries),
            Err((path, error)) => one(shown(&path), Err(error), linter, entries),
        }
    }
}

fn wanted(path: &Path) -> bool {
    let ending = path.extension().and_then(|ending| ending.to_str());
    let name = path.file_name().and_then(|name| name.to_str());
    ending.is_some_and(|ending| ENDINGS.contains(&ending))
        && name.is_none_or(|name| !NO_OBJECTS.contains(&name))
}

fn one(file: Text, read: io::Result<Vec<u8>>, linter: &Linter, entries: &mut Vec<Entry>) {
    match read {
        Ok(text) => entries.extend(linter.file(&file, &text)),
        Err(error) => entries.push(Entry {
            what: What::Unreadable(Text::from(format!("cannot read it: {error}"))),
            file,
            line: 1,
        }),
    }
}

/// What the formats for programs have no place for, or a reader of logs would look for.
fn remarks(entries: &[Entry]) {
    for entry in entries {
        if let What::Unreadable(why) = &entry.what {
            super::tell(&format!("stakeout: {}:{}: {why}", entry.file, entry.line));
        }
    }
    let skipped = Totals::of(entries).skipped;
    if skipped > 0 {
        super::tell(&format!(
            "stakeout: {skipped} objects hold no pod and were skipped"
        ));
    }
}
