//! Who encrypts what, out of the lines that the node lets pass: all but those with a value, and `?` for each that
//! it does not know.

use crate::model::fact::Gap;
use crate::model::files::EncryptionRule;
use crate::model::text::Text;

const PROVIDERS: &[&str] = &["identity", "aescbc", "aesgcm", "secretbox", "kms"];
/// Rules that are kept; names in one of them are fewer.
const MOST: usize = 64;

/// The rules of an `EncryptionConfiguration` (apiserver.config.k8s.io/v1) in block style.
///
/// # Errors
/// Where a line of it is not understood: another style, or another file.
pub(super) fn rules(path: &Text, text: &[u8]) -> Result<Vec<EncryptionRule>, Gap> {
    let text = String::from_utf8_lossy(text);
    let mut rules: Vec<EncryptionRule> = Vec::new();
    let garbled = || Gap::Garbled {
        what: Text::from(format!("who encrypts what in {path}")),
    };
    let mut providers = false;
    for line in text.lines() {
        let line = line.trim();
        let word = line.trim_start_matches(['-', ' ']).trim();
        let (word, is_key) = match word.split_once(':') {
            Some((key, _)) => (key, true),
            None => (word.trim_matches(['"', '\'']), false),
        };
        match (word, is_key) {
            // The outer list first, then one in each of its entries.
            ("resources", true) if line.starts_with('-') => {
                providers = false;
                rules.push(EncryptionRule {
                    resources: Vec::new(),
                    providers: Vec::new(),
                });
            }
            ("resources", true) => providers = false,
            ("providers", true) if !line.starts_with('-') => providers = true,
            (provider, true) if providers && PROVIDERS.contains(&provider) => {
                keep(rules.last_mut().map(|rule| &mut rule.providers), provider);
            }
            (resource, false) if !providers && !matches!(resource, "" | "?") => {
                keep(rules.last_mut().map(|rule| &mut rule.resources), resource);
            }
            ("keys" | "kind" | "apiVersion", true) => {}
            // The mark between two documents, before the first of them.
            ("", false) if rules.is_empty() => {}
            _ => return Err(garbled()),
        }
    }
    // What is left out may be what counts.
    let whole = |rule: &EncryptionRule| {
        let few = 1..MOST;
        few.contains(&rule.resources.len()) && few.contains(&rule.providers.len())
    };
    if rules.is_empty() || !rules.iter().all(whole) || rules.len() > MOST {
        return Err(garbled());
    }
    Ok(rules)
}

fn keep(list: Option<&mut Vec<Text>>, word: &str) {
    if let Some(list) = list.filter(|list| list.len() < MOST) {
        list.push(Text::new(word));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<Vec<(Vec<String>, Vec<String>)>> {
        let words = |list: &[Text]| list.iter().map(ToString::to_string).collect();
        let rules = rules(&Text::new("/e"), text.as_bytes()).ok()?;
        let rules = rules
            .iter()
            .map(|rule| (words(&rule.resources), words(&rule.providers)));
        Some(rules.collect())
    }

    #[test]
    fn lines_without_values() {
        let text = "resources:\n  - resources:\n      - secrets\n      - \"*.apps\"\n    providers:\n      - aescbc:\n      - identity: {}\n  - resources:\n    - configmaps\n    providers:\n    - kms:\n";
        let list = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect();
        assert_eq!(
            read(text),
            Some(vec![
                (list(&["secrets", "*.apps"]), list(&["aescbc", "identity"])),
                (list(&["configmaps"]), list(&["kms"])),
            ])
        );
        // `providers` may stand before its `resources`, and then the entry begins with it.
        let first = "resources:\n- providers:\n  - identity: {}\n  resources:\n  - secrets\n";
        let two = "resources:\n- resources:\n  - configmaps\n  providers:\n  - kms:\n";
        assert_eq!(read(first), None);
        assert_eq!(read(&(two.to_owned() + &first[11..])), None);
        assert!(read(&format!("---\n{two}")).is_some());
        // What the node does not know may be the provider that encrypts nothing.
        for line in ["    ?\n", "?\n", "---\n", "  - secrets\n"] {
            assert_eq!(read(&(two.to_owned() + line)), None, "{line}");
        }
        let many = "  - pods\n".repeat(MOST) + "  - secrets\n  providers:\n  - kms:\n";
        assert_eq!(read(&format!("resources:\n- resources:\n{many}")), None);
        assert_eq!(read("kind:\nproviders:\n"), None);
        assert_eq!(read(""), None);
    }
}
