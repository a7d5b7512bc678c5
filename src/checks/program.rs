//! Which program a container of a static pod starts.

use crate::model::pod::Pod;
use crate::model::tree::{Branch, Items};

/// Shells that start what their `-c` says.
const SHELLS: [&str; 5] = ["sh", "bash", "ash", "dash", "busybox"];
/// Programs that start another one, and the options of theirs that have no value.
const WRAPPERS: [&str; 7] = [
    "exec",
    "env",
    "nice",
    "tini",
    "dumb-init",
    "go-runner",
    "setpriv",
];

/// The words of a container's command line: `command`, then `args`, as the kubelet puts them.
fn words(container: Branch<'_>) -> Vec<&str> {
    let fields = ["command", "args"].into_iter();
    let lists = fields.filter_map(|field| container.get(field).and_then(Branch::as_array));
    lists
        .flat_map(Items::iter)
        .filter_map(Branch::as_str)
        .collect()
}

/// Whether a container of the pod starts `program`, itself or by a shell or a wrapper in front of it.
pub fn runs(pod: &Pod, program: &str) -> bool {
    own_words(pod, program).is_some()
}

/// What the first container that starts `program` gives it: the words behind its name. None where none starts it.
pub fn own_words(pod: &Pod, program: &str) -> Option<Vec<String>> {
    started(pod, program).map(|(_, own)| own)
}

/// The same with the container that starts it.
pub fn started<'p>(pod: &'p Pod, program: &str) -> Option<(Branch<'p>, Vec<String>)> {
    let mut all = pod.containers();
    all.find_map(|(_, container)| Some((container, behind(&words(container), program)?)))
}

/// The words behind the program's name.
fn behind(words: &[&str], program: &str) -> Option<Vec<String>> {
    let own = |rest: &[&str]| rest.iter().map(|word| (*word).to_owned()).collect();
    let (first, rest) = words.split_first()?;
    let name = last(first);
    if name == program {
        return Some(own(rest));
    }
    if SHELLS.contains(&name) {
        let script = rest.iter().skip_while(|word| !is_script(word)).nth(1)?;
        return in_script(script, program);
    }
    let at = rest.iter().position(|word| last(word) == program);
    at.filter(|_| WRAPPERS.contains(&name))
        .and_then(|at| rest.get(at + 1..))
        .map(own)
}

/// `-c`, alone or among other letters.
fn is_script(word: &str) -> bool {
    word.strip_prefix('-')
        .is_some_and(|letters| !letters.starts_with('-') && letters.ends_with('c'))
}

/// The same of a script that has the program as the first word of a command.
fn in_script(script: &str, program: &str) -> Option<Vec<String>> {
    let (mut quote, mut before) = (None, ' ');
    let mut commands = script.split(|c: char| {
        match quote {
            Some(open) if open == c => quote = None,
            None if matches!(c, '"' | '\'') => quote = Some(c),
            _ => {}
        }
        // A line that ends with a backslash goes on.
        let ends = matches!(c, ';' | '&' | '|') || (c == '\n' && before != '\\');
        before = c;
        ends && quote.is_none()
    });
    commands.find_map(|command| {
        let words = command.split_ascii_whitespace();
        let mut words = words.skip_while(|word| is_before(word));
        let found = words.next().is_some_and(|word| last(word) == program);
        let own = words.filter(|word| *word != "\\");
        found.then(|| own.map(|word| word.replace(['"', '\''], "")).collect())
    })
}

/// Words that stand before a command's name: `exec`, `if`, assignments.
fn is_before(word: &str) -> bool {
    let assigns = word.split_once('=').is_some_and(|(name, _)| {
        !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    });
    assigns
        || WRAPPERS.contains(&word)
        || ["if", "then", "else", "do", "while", "!", "{", "("].contains(&word)
}

fn last(word: &str) -> &str {
    let word = word.trim_matches(['"', '\'']);
    word.rsplit('/').next().unwrap_or(word)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::tree::Tree;

    #[test]
    fn arguments_follow_the_command() {
        let raw = json!({"spec": {"containers": [
            {"command": ["sleep", "kube-apiserver"]},
            {"command": ["kube-apiserver", "--a=1", "--b"], "args": ["--a", "2"]},
            {"args": ["kube-apiserver", "--c"]},
        ]}});
        let pod = Pod {
            namespace: "n".into(),
            name: "p".into(),
            raw: Tree::try_from(&raw).expect("small"),
        };
        let own = own_words(&pod, "kube-apiserver").map(|own| own.join(" "));
        assert_eq!(own.as_deref(), Some("--a=1 --b --a 2"));
        assert!(!runs(&pod, "etcd"));
    }

    #[test]
    fn a_program_is_the_first_word_of_a_command() {
        for (words, wanted) in [
            (&["kube-apiserver", "--v=2"][..], Some("--v=2")),
            (&["/usr/local/bin/kube-apiserver"], Some("")),
            (
                &["/bin/sh", "-c", "exec kube-apiserver --v=2 2>&1"],
                Some("--v=2 2>"),
            ),
            (
                &["sh", "-ec", "X=1 /usr/bin/kube-apiserver --a='b' \\\n --c"],
                Some("--a=b --c"),
            ),
            (&["sh", "-c", "sleep 1; kube-apiserver"], Some("")),
            (
                &[
                    "sh",
                    "-c",
                    "kube-apiserver --a='x; y' --ip=$(hostname -i) --b",
                ],
                Some("--a=x; y --ip=$(hostname -i) --b"),
            ),
            (&["sh", "-c", "set -e\nkube-apiserver --a"], Some("--a")),
            (
                &[
                    "/go-runner",
                    "--log-file=/l",
                    "/usr/local/bin/kube-apiserver",
                    "-a",
                ],
                Some("-a"),
            ),
            (&["watch", "kube-apiserver"], None),
            (&["app", "--of", "/etc/kube-apiserver"], None),
            (&["sh", "-c", "echo kube-apiserver"], None),
            (&["sh", "kube-apiserver"], None),
            (&[], None),
        ] {
            let own = behind(words, "kube-apiserver").map(|own| own.join(" "));
            assert_eq!(own.as_deref(), wanted, "{words:?}");
        }
    }
}
