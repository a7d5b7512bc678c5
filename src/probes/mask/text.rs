//! Masking of texts: the manifest as it is shown, and files that no parser understood.

use serde_json::Value;

use super::names::{plain_value, secret_env};
use super::{Masker, Secret};

/// A manifest's text with its secrets masked.
pub struct MaskedText {
    pub text: String,
    /// The text is not the file's own any more: it was written anew from the masked object, so line numbers are void.
    pub rewritten: bool,
    /// Something was masked.
    pub masked: bool,
}

impl Masker {
    /// Masks an object and the text that it was parsed from.
    ///
    /// Each secret must stand in the text as often as in the object. Where it does not (escaped, folded, aliased, or
    /// a word that also means something else) the text is written anew from the masked object.
    pub fn mask_manifest(&self, value: &mut Value, text: &str) -> MaskedText {
        let secrets = self.mask_value(value);
        let (text, comments) = self.comments(text);
        match replaced(&text, &secrets) {
            Some(text) => MaskedText {
                text,
                rewritten: false,
                masked: comments || !secrets.is_empty(),
            },
            None => MaskedText {
                text: serde_yaml::to_string(value).unwrap_or_default(),
                rewritten: true,
                masked: true,
            },
        }
    }

    /// Masks a text that no parser understood, line by line: `NAME: value`, `NAME=value` and flags with a telling
    /// name, URLs, bearer words, and private keys.
    pub fn mask_lines(&self, text: &str) -> (String, bool) {
        let mut masked = false;
        let mut in_key = false;
        let mut out = String::with_capacity(text.len());
        for line in text.split_inclusive('\n') {
            if line.contains("-----BEGIN") && line.contains("PRIVATE KEY") {
                in_key = true;
                masked = true;
                out.push_str("<masked>\n");
            }
            if in_key {
                in_key = !line.contains("-----END");
                continue;
            }
            let (line, changed) = self.line(line);
            masked |= changed;
            out.push_str(&line);
        }
        (out, masked)
    }

    fn comments(&self, text: &str) -> (String, bool) {
        let mut masked = false;
        let mut out = String::with_capacity(text.len());
        for line in text.split_inclusive('\n') {
            if line.trim_start().starts_with('#') {
                let (line, changed) = self.line(line);
                masked |= changed;
                out.push_str(&line);
            } else if let Some(at) = line.find(" #").or_else(|| line.find("\t#")) {
                // Where it is no comment after all, what is masked in it is shown nowhere else either.
                let (comment, changed) = self.line(&line[at..]);
                masked |= changed;
                out.push_str(&line[..at]);
                out.push_str(&comment);
            } else {
                out.push_str(line);
            }
        }
        (out, masked)
    }

    fn line(&self, line: &str) -> (String, bool) {
        let body = line.trim_end_matches(['\n', '\r']);
        let end = &line[body.len()..];
        let cut = body.char_indices().find(|(_, c)| matches!(c, ':' | '='));
        if let Some((at, _)) = cut {
            let (name, value) = (&body[..at], body[at + 1..].trim());
            let name = name.rsplit([' ', '\t']).next().unwrap_or(name);
            let bare = value.trim_matches(['"', '\'', ',']);
            if secret_env(name.trim_matches(['"', '\'', '-', '{'])) && !is_plain(bare) {
                let shown = format!("{}{}{}", &body[..=at], self.mask(bare), end);
                return (shown, true);
            }
        }
        let mut body = body.to_owned();
        let changed = self.mask_words(&mut body);
        body.push_str(end);
        (body, changed)
    }
}

/// A value that needs no mask, or that one begins.
fn is_plain(value: &str) -> bool {
    plain_value(value) || value.starts_with("<masked")
}

/// The text with each secret replaced; none where one of them cannot be placed with certainty.
fn replaced(text: &str, secrets: &[Secret]) -> Option<String> {
    let mut order: Vec<&Secret> = secrets.iter().collect();
    order.sort_by(|a, b| {
        b.raw
            .len()
            .cmp(&a.raw.len())
            .then_with(|| a.raw.cmp(&b.raw))
    });
    let mut out = text.to_owned();
    let mut rest = order.as_slice();
    while let Some(first) = rest.first() {
        let same = rest
            .iter()
            .take_while(|secret| secret.raw == first.raw)
            .count();
        if out.matches(first.raw.as_str()).count() != same {
            return None;
        }
        out = out.replace(first.raw.as_str(), &first.word);
        rest = &rest[same..];
    }
    order
        .iter()
        .all(|secret| {
            secret.word.contains(secret.raw.as_str()) || !out.contains(secret.raw.as_str())
        })
        .then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn masker() -> Masker {
        Masker::new([7; 32])
    }

    fn env(value: &str) -> Value {
        json!({"env": [{"name": "PASSWORD", "value": value}]})
    }

    #[test]
    fn the_text_keeps_its_shape_where_the_secret_can_be_placed() {
        let mut value = env("geheim12");
        let text = "env:\n- name: PASSWORD # old\n  value: geheim12 # password: altgeheim\n# token: altgeheim\n";
        let masked = masker().mask_manifest(&mut value, text);
        assert!(masked.masked && !masked.rewritten);
        assert!(
            masked
                .text
                .starts_with("env:\n- name: PASSWORD # old\n  value: <masked ")
        );
        assert!(!masked.text.contains("geheim"), "{}", masked.text);
    }

    #[test]
    fn an_escaped_or_ambiguous_secret_makes_the_text_new() {
        for (raw, text) in [
            ("geh\"eim", "env: [{name: PASSWORD, value: \"geh\\\"eim\"}]"),
            ("etcd", "env: [{name: PASSWORD, value: etcd}] # etcd"),
            ("ab cd", "env:\n- name: PASSWORD\n  value: ab\n    cd\n"),
        ] {
            let mut value = env(raw);
            let masked = masker().mask_manifest(&mut value, text);
            assert!(masked.rewritten, "{text}");
            assert!(
                !masked.text.contains("eim") && !masked.text.contains(raw),
                "{}",
                masked.text
            );
            assert!(masked.text.contains("<masked "));
        }
    }

    #[test]
    fn unparsed_lines() {
        let (text, masked) = masker().mask_lines(
            "password: geheim\n- name: x\n  TOKEN=geheim\nurl: http://a:geheim@b/\n-----BEGIN RSA PRIVATE KEY-----\ngeheim\n-----END RSA PRIVATE KEY-----\nlast\n",
        );
        assert!(masked && !text.contains("geheim"), "{text}");
        assert!(text.ends_with("last\n") && text.contains("- name: x\n"));
        assert!(!masker().mask_lines("apiVersion: v1\nkind: Pod\n").1);
    }
}
