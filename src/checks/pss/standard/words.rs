//! How upstream's messages put lists, counts and strings.

/// `"a", "b"`: upstream puts names between quotes as they are.
pub(super) fn join_quote<S: AsRef<str>>(items: &[S]) -> String {
    let quoted: Vec<String> = items
        .iter()
        .map(|item| format!("\"{}\"", item.as_ref()))
        .collect();
    quoted.join(", ")
}

pub(super) fn pluralize(one: &'static str, many: &'static str, count: usize) -> &'static str {
    if count == 1 { one } else { many }
}

/// Sorted by bytes, each once, as upstream's sets are listed.
pub(super) fn set<S: Into<String>>(items: impl IntoIterator<Item = S>) -> Vec<String> {
    let mut all: Vec<String> = items.into_iter().map(Into::into).collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// `container "a"` or `containers "a", "b"`.
pub(super) fn containers<S: AsRef<str>>(names: &[S]) -> String {
    let word = pluralize("container", "containers", names.len());
    format!("{word} {}", join_quote(names))
}

/// A string as Go's `%q` writes it.
pub(super) fn quote(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\u{7}' => out.push_str("\\a"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{b}' => out.push_str("\\v"),
            c if is_printable(c) => out.push(c),
            c if u32::from(c) < 0x80 => out.push_str(&format!("\\x{:02x}", u32::from(c))),
            c if u32::from(c) < 0x1_0000 => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push_str(&format!("\\U{:08x}", u32::from(c))),
        }
    }
    out.push('"');
    out
}

fn is_printable(c: char) -> bool {
    c == '\'' || !c.escape_debug().to_string().starts_with('\\')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_go_prints() {
        assert_eq!(join_quote::<&str>(&[]), "");
        assert_eq!(join_quote(&["a", "b"]), "\"a\", \"b\"");
        assert_eq!(containers(&["a"]), "container \"a\"");
        assert_eq!(set(["b", "a", "b", "B"]), ["B", "a", "b"]);
        // Printed by fmt.Printf("%q").
        assert_eq!(
            quote("a\"\\\n\u{1b}\u{7f}'ü\u{200b}\u{1F600}\u{9b}"),
            r#""a\"\\\n\x1b\x7f'ü\u200b😀\u009b""#
        );
    }
}
