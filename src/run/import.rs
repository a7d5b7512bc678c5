//! `stakeout import`: what is in files that the collector wrote by hand, before they are used.

use std::path::{Path, PathBuf};

use super::line;
use crate::checks::fix::quote;
use crate::collect::clock::now;
use crate::collect::import::{self, Summary};
use crate::error::{Failure, Outcome};
use crate::model::Timestamp;
use crate::model::fact::Gap;
use crate::model::text::Text;

/// Tells of every answer in every file. Complete where each can be used and is whole.
///
/// # Errors
/// Where none can be used.
pub fn look(files: &[PathBuf]) -> Result<Outcome, Failure> {
    let (mut out, mut good, mut bad) = (String::new(), Vec::new(), 0);
    for file in files {
        let found = match import::look(file) {
            Ok(found) => found,
            Err(gap) => {
                bad += 1;
                refused(&mut out, &gap);
                continue;
            }
        };
        for answer in found {
            match answer.answer {
                Ok(summary) => {
                    bad += usize::from(summary.cut.is_some());
                    told(&mut out, file, &summary);
                    good.push(file);
                }
                Err(gap) => {
                    bad += 1;
                    refused(&mut out, &gap);
                }
            }
        }
    }
    good.dedup();
    if good.is_empty() {
        return Err(Failure::new(
            out.trim_end().to_owned(),
            "on the node: sh stakeout-collect </dev/null >NODE.stk, with what stakeout collector print gives",
        ));
    }
    let words = good
        .iter()
        .map(|file| format!(" --import {}", quote(&file.display().to_string())));
    line(
        &mut out,
        &format!("next: stakeout scan{}", words.collect::<String>()),
    );
    super::show(&out)?;
    Ok(if bad == 0 {
        Outcome::Ok
    } else {
        Outcome::Incomplete
    })
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

fn shown(file: &Path) -> Text {
    Text::from(file.display().to_string())
}

fn age(taken: Timestamp) -> String {
    let minutes = now().duration_since(taken).as_mins().max(0);
    match minutes {
        0..120 => format!("{minutes} min ago"),
        120..2880 => format!("{} h ago", minutes / 60),
        _ => format!("{} days ago", minutes / 1440),
    }
}
