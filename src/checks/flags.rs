//! Flags of a component, as the command lines of its manifest give them.

use crate::model::pod::Pod;
use crate::model::tree::{Branch, Items};

/// All values of a flag over the containers of a pod, in their order; a flag without a value is the empty string.
///
/// `--name=value` and `--name value` are both read, from `command` and from `args`, which the kubelet puts one
/// behind the other.
pub fn all<'p>(pod: &'p Pod, name: &str) -> Vec<&'p str> {
    let mut found = Vec::new();
    for (_, container) in pod.containers() {
        let words = ["command", "args"]
            .into_iter()
            .filter_map(|field| container.get(field).and_then(Branch::as_array))
            .flat_map(Items::iter);
        let words: Vec<&str> = words.filter_map(Branch::as_str).collect();
        for (at, word) in words.iter().enumerate() {
            match flag(word, name) {
                Given::Another => {}
                Given::Value(value) => found.push(value),
                Given::Alone => {
                    let next = words.get(at + 1).filter(|next| !next.starts_with('-'));
                    found.push(next.copied().unwrap_or(""));
                }
            }
        }
    }
    found
}

/// The value that counts: the last one.
pub fn last<'p>(pod: &'p Pod, name: &str) -> Option<&'p str> {
    all(pod, name).pop()
}

/// What a word is to somebody who looks for a flag.
enum Given<'w> {
    Another,
    Value(&'w str),
    /// The value is the next word, if any.
    Alone,
}

/// Go takes one dash for two, and `_` for `-`.
fn flag<'w>(word: &'w str, name: &str) -> Given<'w> {
    let Some(rest) = word.strip_prefix("--").or_else(|| word.strip_prefix('-')) else {
        return Given::Another;
    };
    let (own, value) = match rest.split_once('=') {
        Some((own, value)) => (own, Given::Value(value)),
        None => (rest, Given::Alone),
    };
    if own.replace('_', "-") == name {
        value
    } else {
        Given::Another
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::tree::Tree;

    #[test]
    fn both_spellings_and_both_fields() {
        let raw = json!({"spec": {"containers": [
            {"command": ["kube-apiserver", "--a=1", "--b"], "args": ["--a", "2", "--c_d=x=y", "-e", "--f"]}
        ]}});
        let pod = Pod {
            namespace: "n".into(),
            name: "p".into(),
            raw: Tree::try_from(&raw).expect("small"),
        };
        assert_eq!(all(&pod, "a"), ["1", "2"]);
        assert_eq!(last(&pod, "a"), Some("2"));
        assert_eq!(last(&pod, "b"), Some(""));
        assert_eq!(last(&pod, "c-d"), Some("x=y"));
        assert_eq!(last(&pod, "e"), Some(""));
        assert_eq!(last(&pod, "g"), None);
    }
}
