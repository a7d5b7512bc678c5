//! The filter language: words that all have to hold.
//!
//! `sev>=high` `sev=low` `role=cp` `state=failed` `src=disagree` `check=SP-FILE` `-word` `word`.

use crate::model::verdict::Severity;

/// What a row offers to a filter; empty where it has none.
#[derive(Clone, Copy, Debug, Default)]
pub struct Fields<'a> {
    pub text: &'a [&'a str],
    pub severity: Option<Severity>,
    pub role: &'a str,
    pub state: &'a str,
    pub source: &'a str,
    pub check: &'a str,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Term {
    AtLeast(Severity),
    Exactly(Severity),
    Field(Field, String),
    Word(String),
    Not(String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Field {
    Role,
    State,
    Source,
    Check,
}

/// A parsed filter; an empty one holds for every row.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    text: String,
    terms: Vec<Term>,
}

impl Filter {
    /// Never fails: what is no known field is a word.
    pub fn parse(text: &str) -> Self {
        Self {
            text: text.to_owned(),
            terms: text.split_whitespace().map(term).collect(),
        }
    }

    pub fn text(&self) -> &str {
        &self.text
    }

    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    pub fn holds(&self, row: &Fields<'_>) -> bool {
        self.terms.iter().all(|term| match term {
            Term::AtLeast(least) => row.severity.is_some_and(|severity| severity >= *least),
            Term::Exactly(one) => row.severity == Some(*one),
            Term::Field(field, wanted) => contains(
                match field {
                    Field::Role => row.role,
                    Field::State => row.state,
                    Field::Source => row.source,
                    Field::Check => row.check,
                },
                wanted,
            ),
            Term::Word(word) => row.text.iter().any(|text| contains(text, word)),
            Term::Not(word) => !row.text.iter().any(|text| contains(text, word)),
        })
    }
}

/// Case is ignored; `word` is in lower case already.
fn contains(text: &str, word: &str) -> bool {
    if !text.is_ascii() || !word.is_ascii() {
        return text.to_lowercase().contains(word);
    }
    let (text, word) = (text.as_bytes(), word.as_bytes());
    word.is_empty()
        || text
            .windows(word.len())
            .any(|window| window.eq_ignore_ascii_case(word))
}

fn term(word: &str) -> Term {
    let lower = word.to_lowercase();
    if let Some(severity) = lower.strip_prefix("sev>=").and_then(severity) {
        return Term::AtLeast(severity);
    }
    if let Some(severity) = lower.strip_prefix("sev=").and_then(severity) {
        return Term::Exactly(severity);
    }
    for (name, field) in [
        ("role=", Field::Role),
        ("state=", Field::State),
        ("src=", Field::Source),
        ("check=", Field::Check),
    ] {
        if let Some(value) = lower.strip_prefix(name) {
            return Term::Field(field, value.to_owned());
        }
    }
    match lower.strip_prefix(['-', '!']) {
        Some(word) if !word.is_empty() => Term::Not(word.to_owned()),
        _ => Term::Word(lower),
    }
}

/// From its name or the start of it.
fn severity(word: &str) -> Option<Severity> {
    Severity::ALL
        .into_iter()
        .find(|severity| !word.is_empty() && severity.to_string().starts_with(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_fields_have_to_hold_together() {
        let row = Fields {
            text: &["cp-1", "Manifest files"],
            severity: Some(Severity::High),
            role: "cp",
            state: "ok",
            source: "DISAGREE",
            check: "SP-FILE-001",
        };
        for (text, holds) in [
            ("", true),
            ("CP-1", true),
            ("manifest cp", true),
            ("-cp", false),
            ("!worker", true),
            ("sev>=high", true),
            ("sev>=crit", false),
            ("sev=h role=cp", true),
            ("src=dis check=file", true),
            ("state=failed", false),
            ("sev>=nonsense", false),
            ("\u{e9}", false),
        ] {
            assert_eq!(Filter::parse(text).holds(&row), holds, "{text}");
        }
    }
}
