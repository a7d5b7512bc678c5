//! The documents of a text: YAML between `---` lines, JSON objects one behind the other.
//!
//! Lives here: where a document begins and ends, and its value. The kubelet looks at the first one of a file
//! only; whoever applies a file applies all of them, so a reader of files has to judge all. Each is cut out of
//! the text before it is read, so that one that is no YAML does not hide those behind it.

use serde_json::Value;

use super::yaml::{self, Limits, Parsed, YamlError};

/// One document of a text.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// Lines of the text before it.
    pub lines_before: usize,
    /// What it says, or why it was not read; lines in the error count from the beginning of the text.
    pub parsed: Result<Parsed, YamlError>,
}

impl Document {
    /// The line, counted from 1, in which a field stands; of one that is not there, the object around it.
    pub fn line(&self, pointer: &str) -> usize {
        let Ok(parsed) = &self.parsed else {
            return self.lines_before + 1;
        };
        let mut at = pointer;
        loop {
            if let Some(line) = parsed.lines.line(at) {
                return self.lines_before + line;
            }
            match at.rsplit_once('/') {
                Some((above, _)) => at = above,
                None => return self.lines_before + 1,
            }
        }
    }
}

/// Reads all documents of a text that have something in them.
///
/// ```
/// use stakeout::probes::parse::documents;
/// use stakeout::probes::parse::yaml::Limits;
/// let all = documents::read(b"# none\n---\na: 1\n---\nb: [\n---\n{\"c\": 1}\n{\"d\": 1}\n", &Limits::default());
/// assert_eq!(all.len(), 4);
/// assert!(all[1].parsed.is_err());
/// assert_eq!(all[3].line("/d"), 8);
/// ```
pub fn read(text: &[u8], limits: &Limits) -> Vec<Document> {
    let mut all = Vec::new();
    for chunk in chunks(text) {
        for (lines_before, text) in objects(chunk) {
            let parsed = one(text, limits).map_err(|error| shifted(error, lines_before));
            let is_empty = parsed
                .as_ref()
                .is_ok_and(|parsed| parsed.value == Value::Null);
            if !is_empty {
                all.push(Document {
                    lines_before,
                    parsed,
                });
            }
        }
    }
    all
}

/// A piece of a text with the number of lines before it.
type Chunk<'t> = (usize, &'t [u8]);

fn one(text: &[u8], limits: &Limits) -> Result<Parsed, YamlError> {
    let parsed = yaml::parse(text, limits)?;
    if parsed.ignored_documents > 0 {
        // UTF-16, or a document end that only a parser sees.
        return Err(YamlError::Differs {
            line: 1,
            what: "a document behind the first that no line of its own sets apart".to_owned(),
        });
    }
    Ok(parsed)
}

/// Cuts before each `---` and behind each `...` at the beginning of a line: nowhere else can YAML have them.
fn chunks(text: &[u8]) -> Vec<Chunk<'_>> {
    let mut all = Vec::new();
    let (mut from, mut lines_before) = (0, 0);
    let (mut at, mut line_number) = (0, 0);
    // Comments and directives belong to the document that begins behind them.
    let mut is_open = false;
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        if is_marker(line, b"---") && is_open {
            all.push((lines_before, &text[from..at]));
            (from, lines_before) = (at, line_number);
            is_open = false;
        }
        at += line.len();
        line_number += 1;
        is_open |= !matches!(line.trim_ascii().first(), None | Some(b'#' | b'%'));
        if is_marker(line, b"...") {
            all.push((lines_before, &text[from..at]));
            (from, lines_before) = (at, line_number);
            is_open = false;
        }
    }
    all.push((lines_before, &text[from..]));
    all
}

fn is_marker(line: &[u8], marker: &[u8]) -> bool {
    line.strip_prefix(marker)
        .is_some_and(|rest| rest.first().is_none_or(u8::is_ascii_whitespace))
}

/// Cuts a text of JSON objects between them; any other text is one piece.
fn objects((lines_before, text): Chunk<'_>) -> Vec<Chunk<'_>> {
    let body = text.strip_prefix(b"---").unwrap_or(text);
    if body.trim_ascii_start().first() != Some(&b'{') {
        return vec![(lines_before, text)];
    }
    let mut all = Vec::new();
    let mut rest = body;
    let mut lines = lines_before;
    while let Some(end) = object_end(rest) {
        let (object, behind) = rest.split_at(end);
        all.push((lines, object));
        lines += object.split(|byte| *byte == b'\n').count() - 1;
        rest = behind;
        if rest.trim_ascii_start().first() != Some(&b'{') {
            break;
        }
    }
    // What is left, or never ends, is for the parser to refuse; and it may be YAML that begins with a brace.
    if all.len() < 2 || !rest.trim_ascii().is_empty() {
        return vec![(lines_before, text)];
    }
    all
}

/// Behind the brace that closes the first object of a JSON text.
fn object_end(text: &[u8]) -> Option<usize> {
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for (at, byte) in text.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'{' if !in_string => depth += 1,
            b'}' if !in_string => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return Some(at + 1);
                }
            }
            _ => {}
        }
    }
    None
}

fn shifted(error: YamlError, lines: usize) -> YamlError {
    match error {
        YamlError::Syntax {
            line,
            column,
            message,
        } => YamlError::Syntax {
            line: line + lines,
            column,
            message,
        },
        YamlError::Differs { line, what } => YamlError::Differs {
            line: line + lines,
            what,
        },
        limit @ YamlError::Limit { .. } => limit,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(text: &str) -> Vec<Result<String, String>> {
        let all = read(text.as_bytes(), &Limits::default());
        all.into_iter()
            .map(|document| {
                let parsed = document.parsed.map_err(|error| error.to_string());
                parsed.map(|parsed| parsed.value.to_string())
            })
            .collect()
    }

    #[test]
    fn every_document_is_read() {
        for (text, count) in [
            ("", 0),
            ("# nothing\n---\n# nothing\n", 0),
            ("a: 1", 1),
            ("---\na: 1\n---\n---\nb: 1\n", 2),
            ("%YAML 1.1\n---\na: 1\n", 1),
            ("a: 1\n--- # next\nb: 1\n", 2),
            ("--- {a: 1}\n--- {b: 1}\n", 2),
            ("a: 1\n...\nb: 1\n", 2),
            ("a: 1\n...\n---\nb: 1\n", 2),
            ("a: |\n ---\n b\n---\nc: 1\n", 2),
            ("a: ---\nb: 1\n", 1),
            ("{\"a\": \"}{\"}\n{\"b\": \"\\\"\"} {\"c\": {}}", 3),
            ("{\"a\": 1}\n---\n{\"b\": 1}\n", 2),
            ("---\n{\"a\": 1}\n", 1),
            ("a: 1\r\n---\r\nb: 1\r\n", 2),
        ] {
            let found = values(text);
            assert_eq!(found.len(), count, "{text:?}: {found:?}");
            assert!(found.iter().all(Result::is_ok), "{text:?}: {found:?}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_said_and_hides_nothing() {
        let found = values("a: [\n---\nb: 1\n---\nc: }\n");
        assert!(found[0].is_err() && found[1].is_ok(), "{found:?}");
        assert!(
            found[2]
                .as_ref()
                .is_err_and(|error| error.contains("line 5")),
            "{found:?}"
        );
        for text in [
            "{\"a\": 1",
            "{\"a\": 1}}",
            "{\"a\": 1} b",
            "{a: 1}",
            "{\"a\": 1} {b",
        ] {
            let found = values(text);
            assert!(found.iter().any(Result::is_err), "{text}: {found:?}");
        }
        // Two documents of which no line is a marker to a reader of bytes.
        let wide: Vec<u8> = "\u{feff}a: 1\n---\nb: 1\n"
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        let found = read(&wide, &Limits::default());
        assert!(
            found.iter().any(|document| document.parsed.is_err()),
            "{found:?}"
        );
    }

    #[test]
    fn lines_count_from_the_top() {
        let all = read(b"a: 1\n---\n\nb:\n  c: 1\n", &Limits::default());
        assert_eq!(all[1].line("/b/c"), 5);
        assert_eq!(all[1].line("/b/missing/below"), 4);
        assert_eq!(all[1].line(""), 4);
    }
}
