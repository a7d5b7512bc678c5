//! A line of ssh_config as words: quotes, backslashes, comments, and an `=` where a blank could be. Pure.

/// Longest line, in bytes.
const LINE: usize = 4096;

/// A line that says something.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Line {
    /// Lower case.
    pub keyword: String,
    pub words: Vec<String>,
}

impl Line {
    /// `None` for blank lines and comments.
    ///
    /// # Errors
    /// Why the line cannot be read.
    pub fn parse(raw: &str) -> Result<Option<Self>, String> {
        let raw = raw.trim_matches([' ', '\t', '\r', '\x0c']);
        if raw.is_empty() || raw.starts_with('#') {
            return Ok(None);
        }
        if raw.len() > LINE {
            return Err("too long".to_owned());
        }
        let end = raw.find([' ', '\t', '=']).unwrap_or(raw.len());
        let (keyword, rest) = raw.split_at(end);
        if !keyword.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err("that is no option".to_owned());
        }
        let rest = rest.trim_start_matches([' ', '\t']);
        let rest = rest.strip_prefix('=').unwrap_or(rest);
        Ok(Some(Self {
            keyword: keyword.to_ascii_lowercase(),
            words: split(rest)?,
        }))
    }
}

/// As OpenSSH's own splitting: quotes of both kinds, a backslash before quotes, backslashes and blanks, and a word
/// that starts with `#` ends the line.
fn split(text: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut chars = text.chars().peekable();
    loop {
        while chars.next_if(|c| matches!(c, ' ' | '\t')).is_some() {}
        match chars.peek() {
            None | Some('#') => return Ok(words),
            Some(_) => {}
        }
        let mut word = String::new();
        let mut quote = None;
        while let Some(c) = chars.next() {
            let escaped = |next: &char| {
                matches!(next, '\'' | '"' | '\\') || (quote.is_none() && *next == ' ')
            };
            match (c, quote) {
                ('\\', _) => word.push(chars.next_if(escaped).unwrap_or('\\')),
                (' ' | '\t', None) => break,
                ('\'' | '"', None) => quote = Some(c),
                (c, Some(open)) if c == open => quote = None,
                (c, _) => word.push(c),
            }
        }
        if quote.is_some() {
            return Err("a quote is not closed".to_owned());
        }
        words.push(word);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> String {
        match Line::parse(text) {
            Ok(None) => "nothing".to_owned(),
            Ok(Some(line)) => format!("{} {}", line.keyword, line.words.join("|")),
            Err(why) => why,
        }
    }

    #[test]
    fn lines_are_split_as_openssh_does() {
        for (line, expected) in [
            ("", "nothing"),
            ("  # Host x", "nothing"),
            ("\tHost a  b\t", "host a|b"),
            ("Port=22", "port 22"),
            ("Port = 22", "port 22"),
            ("User \"a b\" # c", "user a b"),
            ("User a#b", "user a#b"),
            (r"User 'a\'b' \ c", "user a'b| c"),
            (r#"User "a\nb""#, r"user a\nb"),
            ("User \"\"", "user "),
            ("User \"a", "a quote is not closed"),
            ("\"User\" a", "that is no option"),
        ] {
            assert_eq!(words(line), expected, "{line}");
        }
        assert_eq!(words(&"x".repeat(5000)), "too long");
    }
}
