//! JUnit XML, as continuous integration reads it: a suite a file, a case a thing that was judged.
//!
//! Lives here: the shape of the document. Never lives here: what fails.

use std::io::{self, Write};

/// The cases of one file or node.
#[derive(Clone, Debug)]
pub struct Suite {
    pub name: String,
    pub cases: Vec<Case>,
}

/// One thing that was judged.
#[derive(Clone, Debug)]
pub struct Case {
    pub name: String,
    pub outcome: Outcome,
    /// Remarks that fail nothing.
    pub notes: Vec<String>,
}

/// How a case ended. Of a failure and an error: one line, and the whole of it.
#[derive(Clone, Debug)]
pub enum Outcome {
    Passed,
    Failed(String, String),
    /// It could not be judged.
    Error(String),
    Skipped(String),
}

/// Adds a case to the suite of that name, which is the last one or a new one.
pub fn add(suites: &mut Vec<Suite>, name: &str, case: Case) {
    match suites.last_mut().filter(|suite| suite.name == name) {
        Some(suite) => suite.cases.push(case),
        None => suites.push(Suite {
            name: name.to_owned(),
            cases: vec![case],
        }),
    }
}

/// Writes one document.
///
/// # Errors
/// As writing does.
pub fn write(suites: &[Suite], out: &mut dyn Write) -> io::Result<()> {
    let all = || suites.iter().flat_map(|suite| &suite.cases);
    writeln!(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>")?;
    writeln!(out, "<testsuites name=\"stakeout\"{}>", counts(all()))?;
    for suite in suites {
        let name = escaped(&suite.name);
        let counts = counts(suite.cases.iter());
        writeln!(out, "  <testsuite name=\"{name}\"{counts}>")?;
        for case in &suite.cases {
            one(&name, case, out)?;
        }
        writeln!(out, "  </testsuite>")?;
    }
    writeln!(out, "</testsuites>")
}

fn one(class: &str, case: &Case, out: &mut dyn Write) -> io::Result<()> {
    let name = escaped(&case.name);
    write!(out, "    <testcase classname=\"{class}\" name=\"{name}\"")?;
    if matches!(case.outcome, Outcome::Passed) && case.notes.is_empty() {
        return writeln!(out, "/>");
    }
    writeln!(out, ">")?;
    match &case.outcome {
        Outcome::Passed => {}
        Outcome::Failed(message, text) => {
            let (message, text) = (escaped(message), escaped(text));
            writeln!(out, "      <failure message=\"{message}\">{text}</failure>")?;
        }
        Outcome::Error(message) => {
            writeln!(out, "      <error message=\"{}\"/>", escaped(message))?;
        }
        Outcome::Skipped(why) => writeln!(out, "      <skipped message=\"{}\"/>", escaped(why))?,
    }
    if !case.notes.is_empty() {
        let notes = escaped(&case.notes.join("\n"));
        writeln!(out, "      <system-out>{notes}</system-out>")?;
    }
    writeln!(out, "    </testcase>")
}

fn counts<'a>(cases: impl Iterator<Item = &'a Case>) -> String {
    let (mut tests, mut failures, mut errors, mut skipped) = (0, 0, 0, 0);
    for case in cases {
        tests += 1;
        match case.outcome {
            Outcome::Passed => {}
            Outcome::Failed(..) => failures += 1,
            Outcome::Error(_) => errors += 1,
            Outcome::Skipped(_) => skipped += 1,
        }
    }
    format!(" tests=\"{tests}\" failures=\"{failures}\" errors=\"{errors}\" skipped=\"{skipped}\"")
}

/// Text for XML 1.0: what it cannot hold at all becomes a replacement character.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' | '\t' => out.push_str(&format!("&#{};", u32::from(c))),
            '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => out.push(char::REPLACEMENT_CHARACTER),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cases_are_counted_and_escaped() {
        let case = |outcome| Case {
            name: "x/a \"<&>\"".into(),
            outcome,
            notes: vec![],
        };
        let suites = [Suite {
            name: "a.yaml".into(),
            cases: vec![
                case(Outcome::Passed),
                case(Outcome::Failed("m".into(), "one\ntwo\u{1}".into())),
                case(Outcome::Error("e".into())),
                case(Outcome::Skipped("s".into())),
            ],
        }];
        let mut out = Vec::new();
        write(&suites, &mut out).expect("memory");
        let text = String::from_utf8(out).expect("UTF-8");
        assert!(
            text.contains("tests=\"4\" failures=\"1\" errors=\"1\" skipped=\"1\""),
            "{text}"
        );
        assert!(
            text.contains("name=\"x/a &quot;&lt;&amp;&gt;&quot;\"/>"),
            "{text}"
        );
        assert!(
            text.contains("<failure message=\"m\">one&#10;two\u{fffd}</failure>"),
            "{text}"
        );
    }
}
