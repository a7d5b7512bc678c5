//! Writing a waiver into the policy file: lines are added, what a person wrote there stays as it is.

use std::path::Path;
use std::sync::Arc;

use super::policy;
use crate::disk;
use crate::error::Failure;
use crate::model::policy::{File, Waiver};

/// A policy is read up to this size.
const CAP: u64 = 1 << 20;

/// Adds a waiver to a policy file, and gives what the file says then.
///
/// # Errors
/// A file that cannot be read or written, or in which the place of the new lines cannot be told for certain: then
/// nothing is written, and the message holds the lines to add by hand.
pub fn accept(path: &Path, waiver: &Waiver) -> Result<File, Failure> {
    let name = path.display().to_string();
    let failed = |what: &str, error: std::io::Error| {
        let next = format!("ls -l {}", crate::checks::fix::quote(&name));
        Failure::new(format!("cannot {what} the policy {name}: {error}"), next)
    };
    let old = disk::read_text(path, CAP).map_err(|error| failed("read", error))?;
    let (new, file) = with(&old, waiver, &name)?;
    disk::replace(path, &old, &new).map_err(|error| failed("write", error))?;
    Ok(file)
}

/// The text with the waiver added, and what it says.
///
/// # Errors
/// As [`accept`].
pub fn with(old: &str, waiver: &Waiver, name: &str) -> Result<(String, File), Failure> {
    let (before, _) = policy::parse(old, name)?;
    let written = candidates(old, waiver).into_iter().find_map(|new| {
        let (after, _) = policy::parse(&new, name).ok()?;
        is_one_more(&before, &after, waiver).then_some((new, after))
    });
    written.ok_or_else(|| {
        Failure::new(
            format!("{name}: no place for a new waiver was found"),
            format!("add it by hand under waivers: {}", flow(waiver)),
        )
    })
}

/// Ways to add it, the likely one first; each only adds lines, or opens an empty list.
fn candidates(old: &str, waiver: &Waiver) -> Vec<String> {
    let end = if old.contains("\r\n") { "\r\n" } else { "\n" };
    let lines: Vec<&str> = old.split_inclusive('\n').collect();
    let Some(at) = lines.iter().position(|line| line.starts_with("waivers:")) else {
        return vec![appended(old, waiver, end)];
    };
    let rest = lines[at]["waivers:".len()..].trim();
    let value = rest.split(" #").next().unwrap_or_default().trim();
    if value == "[]" {
        let comment = rest["[]".len()..].trim();
        let gap = if comment.is_empty() { "" } else { "  " };
        let opened = format!("waivers:{gap}{comment}{end}");
        return vec![joined(
            &lines[..at],
            &(opened + &block(waiver, "  ", end)),
            &lines[at + 1..],
        )];
    }
    if value.starts_with('[') {
        let ends = lines[at].match_indices(']').rev();
        let longer = ends.map(|(place, _)| {
            joined(
                &lines[..at],
                &inside(lines[at], place, waiver),
                &lines[at + 1..],
            )
        });
        return longer.collect();
    }
    // A list of lines ends before the next key; comments behind its last entry may belong to either.
    let body = &lines[at + 1..];
    let of_list = |line: &&str| {
        let first = line.chars().next().unwrap_or('\n');
        matches!(first, ' ' | '-' | '#' | '\n' | '\r')
    };
    let all = body.iter().take_while(|line| of_list(line)).count();
    let is_content = |line: &&str| {
        let text = line.trim();
        !text.is_empty() && !text.starts_with('#')
    };
    let last = body[..all]
        .iter()
        .rposition(is_content)
        .map_or(0, |it| it + 1);
    let dash = body[..all]
        .iter()
        .find(|line| line.trim_start().starts_with('-'));
    let indent = dash.map_or("  ", |line| &line[..line.len() - line.trim_start().len()]);
    [last, all]
        .into_iter()
        .map(|place| {
            let place = at + 1 + place;
            joined(
                &lines[..place],
                &block(waiver, indent, end),
                &lines[place..],
            )
        })
        .collect()
}

/// The line of a flow list with one entry more before its end at `place`.
fn inside(line: &str, place: usize, waiver: &Waiver) -> String {
    let (open, rest) = line.split_at(place);
    let comma = if open.trim_end().ends_with(',') {
        " "
    } else {
        ", "
    };
    format!("{open}{comma}{}{rest}", flow(waiver))
}

fn appended(old: &str, waiver: &Waiver, end: &str) -> String {
    let gap = if old.is_empty() || old.ends_with('\n') {
        ""
    } else {
        end
    };
    format!("{old}{gap}waivers:{end}{}", block(waiver, "  ", end))
}

/// `new` between lines; the last line before it is ended where it was not.
fn joined(before: &[&str], new: &str, after: &[&str]) -> String {
    let mut out = before.concat();
    if !out.is_empty() && !out.ends_with('\n') {
        out.push('\n');
    }
    out.push_str(new);
    out.push_str(&after.concat());
    out
}

/// Keys and values in the order in which a person reads them.
fn fields(waiver: &Waiver) -> Vec<(&'static str, String)> {
    let text = |text: &str| serde_json::Value::from(text).to_string();
    let mut out = vec![("check", waiver.check.to_string())];
    if let Some(node) = &waiver.node {
        out.push(("node", text(node.as_str())));
    }
    let expires = waiver.expires.to_string();
    let day = expires.strip_suffix("T00:00:00Z").unwrap_or(&expires);
    out.extend([
        ("subject", text(waiver.subject.as_str())),
        ("severity", waiver.severity.to_string()),
        ("owner", text(waiver.owner.as_str())),
        ("reason", text(waiver.reason.as_str())),
        ("expires", day.to_owned()),
    ]);
    out
}

fn block(waiver: &Waiver, indent: &str, end: &str) -> String {
    let mut out = String::new();
    for (index, (key, value)) in fields(waiver).into_iter().enumerate() {
        let lead = if index == 0 { "- " } else { "  " };
        out.push_str(&format!("{indent}{lead}{key}: {value}{end}"));
    }
    out
}

fn flow(waiver: &Waiver) -> String {
    let fields = fields(waiver).into_iter();
    let fields: Vec<String> = fields
        .map(|(key, value)| format!("{key}: {value}"))
        .collect();
    format!("{{{}}}", fields.join(", "))
}

/// Whether the new text says what the old one said, and the waiver.
fn is_one_more(before: &File, after: &File, waiver: &Waiver) -> bool {
    let plain = |waiver: &Waiver| Waiver {
        line: 0,
        ..waiver.clone()
    };
    let mut wanted: Vec<Waiver> = before.waivers.iter().map(|it| plain(it)).collect();
    wanted.push(plain(waiver));
    let found: Vec<Waiver> = after.waivers.iter().map(|it| plain(it)).collect();
    wanted == found && rest(before) == rest(after)
}

/// Everything but the waivers, wherever in the file it stands.
fn rest(file: &File) -> File {
    let mut out = file.clone();
    out.name = crate::model::text::Text::default();
    out.text = crate::model::text::Text::default();
    out.waivers = Vec::<Arc<Waiver>>::new();
    for declared in out.static_pods.iter_mut().flatten() {
        declared.line = 0;
    }
    for pool in &mut out.pools {
        pool.line = 0;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::name::NodeName;
    use crate::model::text::Text;
    use crate::model::verdict::Severity;

    fn waiver() -> Waiver {
        Waiver {
            check: Text::new("SP-FILE-004"),
            node: NodeName::parse("cp-1").ok(),
            subject: Text::new("/etc/kubernetes/manifests/a: \"b\" #c.yaml"),
            severity: Severity::High,
            owner: Text::new("platform # team"),
            reason: Text::new("left by node rebuild: SEC-412"),
            expires: "2030-03-31T00:00:00Z".parse().expect("a time"),
            line: 0,
        }
    }

    const OTHER: &str =
        "{check: SP-FILE-001, subject: x, severity: low, owner: o, reason: r, expires: 2030-01-01}";

    #[test]
    fn every_line_of_a_person_stays() {
        let block = "waivers:\n- check: SP-FILE-001\n  subject: x # why\n  severity: low\n  owner: o\n  reason: |\n    r\n    # not a comment\n  expires: 2030-01-01\n";
        for old in [
            String::new(),
            "# only a comment".to_owned(),
            "version: 1\n# mine\nregistries: [a] # b\n".to_owned(),
            "waivers:\n".to_owned(),
            "waivers: # none yet\n# more\nversion: 1\n".to_owned(),
            "version: 1\nwaivers: []   # none\n# tail\n".to_owned(),
            "waivers: []".to_owned(),
            format!("waivers: [{OTHER}] # one\nversion: 1\n"),
            format!(
                "waivers:\n  # first\n  - {OTHER}\n\n  # of the list\n# of the next\npools: []\n"
            ),
            format!("waivers:\n  - {OTHER}"),
            format!("version: 1\r\nwaivers:\r\n  - {OTHER}\r\npools: []\r\n"),
            block.to_owned(),
            format!("{block}pools:\n  - {{name: p, nodes: {{names: [x]}}}}\n"),
        ] {
            let (new, file) =
                with(&old, &waiver(), "p.yaml").unwrap_or_else(|it| panic!("{old}: {it}"));
            let last = file.waivers.last().expect("it is there");
            assert_eq!(
                Waiver {
                    line: 0,
                    ..(**last).clone()
                },
                waiver()
            );
            assert!(last.line > 0);
            let mut left = new.lines();
            for line in old.lines() {
                let kept = line.replace("[]", "");
                let kept = kept.split('[').next().unwrap_or_default().trim_end();
                assert!(
                    left.any(|new| new
                        .starts_with(kept.split(" #").next().unwrap_or_default().trim_end())),
                    "{line} is lost in\n{new}"
                );
            }
            for comment in old.match_indices('#') {
                let comment = old[comment.0..].lines().next().unwrap_or_default();
                assert!(new.contains(comment), "{comment} is lost in\n{new}");
            }
            // And once more.
            let mut second = waiver();
            second.subject = Text::new("y");
            let (_, file) = with(&new, &second, "p.yaml").expect("there is room for a second");
            assert_eq!(
                file.waivers.last().map(|it| it.subject.clone()),
                Some(second.subject)
            );
        }
    }

    #[test]
    fn what_cannot_be_told_is_not_written() {
        for old in [
            format!("{{version: 1, waivers: [{OTHER}]}}"),
            format!("waivers: [\n  {OTHER}\n]\n"),
            "version: 1\n...\n".to_owned(),
            "\"waivers\": []\n".to_owned(),
        ] {
            let Err(failure) = with(&old, &waiver(), "p.yaml") else {
                panic!("{old} was changed");
            };
            assert!(failure.message.contains("no place"), "{failure}");
            assert!(failure.next.contains("check: SP-FILE-004"), "{failure}");
        }
        assert!(with("version: 9", &waiver(), "p.yaml").is_err());
    }

    #[test]
    fn a_file_is_replaced_whole() {
        let folder = std::env::temp_dir().join(format!("stakeout-waive-{}", std::process::id()));
        crate::disk::make_folder(&folder).expect("a folder");
        let path = folder.join("policy.yaml");
        crate::disk::write(&path, |out| out.write_all(b"# mine\nversion: 1\n")).expect("a file");
        let file = accept(&path, &waiver()).expect("it can be written");
        assert_eq!(file.waivers.len(), 1);
        let text = crate::disk::read_text(&path, CAP).expect("text");
        assert!(
            text.starts_with("# mine\nversion: 1\nwaivers:\n  - check: SP-FILE-004\n"),
            "{text}"
        );
        assert!(crate::disk::replace(&path, "something else", "x").is_err());
        assert_eq!(crate::disk::read_text(&path, CAP).expect("text"), text);
        // A second name would go on to say the old.
        let second = folder.join("second.yaml");
        std::os::unix::fs::symlink("policy.yaml", &second).expect("a link");
        assert!(accept(&second, &waiver()).is_ok());
        let text = crate::disk::read_text(&path, CAP).expect("text");
        assert_eq!(text.matches("SP-FILE-004").count(), 2, "{text}");
        rustix::fs::link(&path, folder.join("hard.yaml")).expect("a second name");
        let refused = accept(&path, &waiver()).expect_err("it has two names");
        assert!(refused.message.contains("hard link"), "{refused}");
        assert_eq!(crate::disk::read_text(&path, CAP).expect("text"), text);
        let missing = accept(&folder.join("none.yaml"), &waiver()).expect_err("there is none");
        assert!(missing.message.starts_with("cannot read the policy"));
    }
}
