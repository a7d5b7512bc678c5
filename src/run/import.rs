//! `stakeout import`: what is in files that the collector wrote by hand, or another scanner, before they are used.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::{line, shown};
use crate::checks::fix::quote;
use crate::collect::clock::now;
use crate::collect::import::{self, Brought, Summary};
use crate::disk;
use crate::error::{Failure, Outcome};
use crate::model::Timestamp;
use crate::model::fact::Gap;
use crate::model::reports::{ScannerReport, Status};
use crate::model::text::Text;
use crate::model::verdict::Severity;

/// What was found so far.
#[derive(Default)]
struct Look {
    out: String,
    /// Files with answers that can be used.
    good: Vec<PathBuf>,
    reports: usize,
    /// What cannot be used, or is not whole.
    bad: usize,
}

/// Tells of every answer and every report in every file, and in the files of folders. Complete where each can be used
/// and is whole.
///
/// # Errors
/// Where none can be used.
pub fn look(files: &[PathBuf]) -> Result<Outcome, Failure> {
    let mut look = Look::default();
    for file in files {
        if file.is_dir() {
            look.folder(file);
        } else {
            look.file(file);
        }
    }
    let Look {
        mut out,
        mut good,
        reports,
        bad,
    } = look;
    good.dedup();
    if good.is_empty() && reports == 0 {
        return Err(Failure::new(
            out.trim_end().to_owned(),
            "on the node: sh stakeout-collect </dev/null >NODE.stk, with what stakeout collector print gives",
        ));
    }
    if !good.is_empty() {
        let words = good
            .iter()
            .map(|file| format!(" --import {}", quote(&file.display().to_string())));
        line(
            &mut out,
            &format!("next: stakeout scan{}", words.collect::<String>()),
        );
    }
    super::show(&out)?;
    Ok(if bad == 0 {
        Outcome::Ok
    } else {
        Outcome::Incomplete
    })
}

impl Look {
    /// Everything in a folder that may be an answer or a report by its name.
    fn folder(&mut self, folder: &Path) {
        let wanted = |file: &Path| {
            let suffix = file.extension().and_then(|suffix| suffix.to_str());
            suffix.is_some_and(|suffix| ["json", "log", "stk"].contains(&suffix))
        };
        match disk::files(folder, &wanted) {
            Ok(Some(found)) if !found.is_empty() => {
                for one in found {
                    match one {
                        Ok(file) => self.file(&file),
                        Err((file, error)) => {
                            self.bad += 1;
                            let text = format!("{}: {error}", shown(&file));
                            line(&mut self.out, &text);
                        }
                    }
                }
            }
            Ok(_) => {
                self.bad += 1;
                let text = format!("{}: no .json, .log or .stk is in it", shown(folder));
                line(&mut self.out, &text);
            }
            Err(error) => {
                self.bad += 1;
                line(&mut self.out, &format!("{}: {error}", shown(folder)));
            }
        }
    }

    fn file(&mut self, file: &Path) {
        match import::look_at(file) {
            Ok(Brought::Report(report, made)) => {
                self.reports += 1;
                self.bad += usize::from(!report.is_whole());
                reported(&mut self.out, file, &report, made);
            }
            Ok(Brought::Answers(found)) => {
                for answer in found {
                    self.answer(file, answer.answer);
                }
            }
            Err((gap, unread)) => {
                self.bad += 1;
                refused(&mut self.out, &gap);
                if let Some(unread) = unread {
                    line(&mut self.out, &format!("  nor is it a report: {unread}"));
                }
            }
        }
    }

    fn answer(&mut self, file: &Path, answer: Result<Summary, Gap>) {
        match answer {
            Ok(summary) => {
                self.bad += usize::from(summary.cut.is_some());
                told(&mut self.out, file, &summary);
                self.good.push(file.to_owned());
            }
            Err(gap) => {
                self.bad += 1;
                refused(&mut self.out, &gap);
            }
        }
    }
}

fn reported(out: &mut String, file: &Path, report: &ScannerReport, changed: Timestamp) {
    let version = report.version.as_ref();
    let version = version.map_or_else(String::new, |version| format!(" {version}"));
    let made = match report.made {
        Some(made) => format!("made {} ({})", made.strftime("%F %T UTC"), age(made)),
        None => format!("which tells no time; the file is of {}", age(changed)),
    };
    let scanner = report.scanner;
    line(
        out,
        &format!("{}: report of {scanner}{version}, {made}", shown(file)),
    );
    let failed = report
        .findings()
        .filter(|finding| finding.status == Status::Fail);
    let mut counts: BTreeMap<Option<Severity>, usize> = BTreeMap::new();
    for finding in failed {
        *counts.entry(finding.severity).or_default() += 1;
    }
    let words = counts.iter().rev().map(|(severity, count)| match severity {
        Some(severity) => format!("{count} {severity}"),
        None => format!("{count} of no severity"),
    });
    let words: Vec<String> = words.collect();
    let total = report.findings().count();
    let subjects = report.subjects.len();
    line(
        out,
        &format!(
            "  {subjects} subjects, {total} results, failed: {}",
            if words.is_empty() {
                "none".to_owned()
            } else {
                words.join(", ")
            }
        ),
    );
    if report.left_out > 0 {
        let count = report.left_out;
        line(
            out,
            &format!("  {count} entries left out: not whole, or too many"),
        );
    }
    if let Some(cut) = &report.cut {
        line(out, &format!("  not whole: {cut}"));
        line(
            out,
            &format!("  next: let {scanner} write it again; what was whole is kept"),
        );
    }
}

fn told(out: &mut String, file: &Path, summary: &Summary) {
    let who = &summary.who;
    let id = who.machine_id.as_ref().map_or("none", Text::as_str);
    line(
        out,
        &format!(
            "{}: host {}, machine id {id}",
            shown(file),
            if who.hostname.is_empty() {
                "without a name"
            } else {
                who.hostname.as_str()
            }
        ),
    );
    line(
        out,
        &format!(
            "  taken {} ({}), as uid {} by collector v{}, {} sections{}",
            summary.taken.strftime("%F %T UTC"),
            age(summary.taken),
            summary.uid,
            summary.script,
            summary.sections,
            if summary.cut.is_some() { "" } else { ", whole" }
        ),
    );
    if summary.uid != 0 {
        line(out, "  not by root: what root alone may read is unknown");
    }
    if let Some(cut) = &summary.cut {
        refused(out, cut);
    }
}

fn refused(out: &mut String, gap: &Gap) {
    line(out, &format!("  {gap}"));
    line(out, &format!("  next: {}", gap.next_step()));
}

fn age(taken: Timestamp) -> String {
    let minutes = now().duration_since(taken).as_mins().max(0);
    match minutes {
        0..120 => format!("{minutes} min ago"),
        120..2880 => format!("{} h ago", minutes / 60),
        _ => format!("{} days ago", minutes / 1440),
    }
}
