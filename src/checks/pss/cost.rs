//! What a pod would have to change to satisfy a level, as a fragment of its manifest.

use crate::checks::standard::{Change, Path, Step, Violation, Want};
use crate::model::pod::Pod;
use crate::model::text::Text;
use crate::model::tree::Branch;

/// The changes that violations ask for, as far as the manifest has to make them: a host port that the API server
/// only fills in goes with what makes it do so.
pub fn changes<'v>(pod: &Pod, violations: &'v [Violation]) -> Vec<&'v Change> {
    let all = violations.iter().flat_map(|violation| &violation.changes);
    let mut all: Vec<&Change> = all
        .filter(|change| {
            change.want != Want::Remove || pod.raw.pointer(&change.field.pointer()).is_some()
        })
        .collect();
    all.sort_by(|a, b| a.field.cmp(&b.field));
    all.dedup_by(|a, b| a.field == b.field);
    all
}

/// The fragment: fields with the value that they have to get, null for those that have to go, list items by the
/// key that a strategic merge goes by. What a person has to look at is said behind the line.
pub fn fragment(pod: &Pod, title: &str, changes: &[&Change]) -> Text {
    let mut root = Node::default();
    for change in changes {
        let mut here = &mut root;
        let mut path = Path::default();
        for step in change.field.steps() {
            path = match step {
                Step::Key(key) => path.key(key),
                Step::Index(index) => path.index(*index),
            };
            here = here.child(pod, step, &path);
        }
        here.want = Some(change.want.clone());
    }
    let mut out = format!("# {title}\n");
    root.write(0, &mut out);
    Text::block(out.trim_end())
}

/// A field, an item of a list, or the root.
#[derive(Default)]
struct Node {
    step: Option<Step>,
    /// Of an item: key and value by which it is found.
    by: Option<(String, String)>,
    want: Option<Want>,
    below: Vec<Node>,
}

impl Node {
    fn child(&mut self, pod: &Pod, step: &Step, path: &Path) -> &mut Self {
        let known = self
            .below
            .iter()
            .position(|node| node.step.as_ref() == Some(step));
        let at = known.unwrap_or_else(|| {
            self.below.push(Self {
                step: Some(step.clone()),
                by: identity(pod, step, path),
                ..Self::default()
            });
            self.below.len() - 1
        });
        &mut self.below[at]
    }

    fn write(&self, indent: usize, out: &mut String) {
        for node in &self.below {
            let pad = " ".repeat(indent);
            match &node.step {
                Some(Step::Index(_)) => node.write_item(&pad, indent, out),
                Some(Step::Key(key)) => {
                    out.push_str(&format!("{pad}{}:", scalar(key)));
                    node.write_value(indent, out);
                }
                None => {}
            }
        }
    }

    fn write_item(&self, pad: &str, indent: usize, out: &mut String) {
        match &self.by {
            Some((key, value)) => out.push_str(&format!("{pad}- {key}: {value}\n")),
            None => out.push_str(&format!("{pad}- # item {}\n", self.index())),
        }
        match &self.want {
            Some(want) => out.push_str(&format!("{pad}  # {}\n", words(want))),
            None => self.write(indent + 2, out),
        }
    }

    fn index(&self) -> usize {
        match self.step {
            Some(Step::Index(index)) => index,
            _ => 0,
        }
    }

    fn write_value(&self, indent: usize, out: &mut String) {
        match &self.want {
            None => {
                out.push('\n');
                let is_list = matches!(self.below.first(), Some(node) if matches!(node.step, Some(Step::Index(_))));
                self.write(if is_list { indent } else { indent + 2 }, out);
            }
            Some(Want::Set(value)) => out.push_str(&format!(" {value}\n")),
            Some(Want::Try(value, _)) => {
                let words = self.want.as_ref().map(words).unwrap_or_default();
                out.push_str(&format!(" {value}  # {words}\n"));
            }
            Some(want) => out.push_str(&format!(" null  # {}\n", words(want))),
        }
    }
}

fn words(want: &Want) -> String {
    match want {
        Want::Set(_) => String::new(),
        Want::Try(_, see) => format!("see that {see}"),
        Want::Remove => "remove it".to_owned(),
        Want::Decide(what) => (*what).to_owned(),
    }
}

/// The key of a list item that a strategic merge goes by, with its value.
fn identity(pod: &Pod, step: &Step, path: &Path) -> Option<(String, String)> {
    let Step::Index(_) = step else {
        return None;
    };
    let item = pod.raw.pointer(&path.pointer())?;
    ["name", "containerPort"].into_iter().find_map(|key| {
        let value = match item.get(key)? {
            Branch::String(text) => scalar(text),
            Branch::Number(_) => item.get(key)?.to_string(),
            _ => return None,
        };
        Some((key.to_owned(), value))
    })
}

/// A string as YAML takes it for one: plain where nothing else could be meant.
fn scalar(text: &str) -> String {
    let plain = text
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        && text.bytes().any(|byte| byte.is_ascii_alphabetic())
        && text.starts_with(|c: char| c.is_ascii_alphabetic())
        && !matches!(
            text.to_ascii_lowercase().as_str(),
            "y" | "n" | "yes" | "no" | "on" | "off" | "true" | "false" | "null"
        );
    if plain {
        text.to_owned()
    } else {
        serde_json::Value::from(text).to_string()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::checks::standard::{Level, Shape, Standard, evaluate};
    use crate::model::tree::Tree;

    #[test]
    fn a_fragment_names_what_it_changes() {
        let raw = json!({
            "metadata": {"name": "a", "annotations": {"container.apparmor.security.beta.kubernetes.io/c": "unconfined"}},
            "spec": {
                "hostNetwork": true,
                "securityContext": {"sysctls": [{"name": "kernel.msgmax"}]},
                "containers": [
                    {"name": "c", "ports": [{"containerPort": 80}, {"containerPort": 81, "hostPort": 81}]},
                    {"name": "no", "securityContext": {"privileged": true}},
                ],
                "volumes": [{"name": "v", "hostPath": {"path": "/"}}],
            },
        });
        let pod = Pod {
            namespace: "x".into(),
            name: "a".into(),
            raw: Tree::try_from(&raw).expect("small"),
        };
        let shape = Shape::read(pod.raw.root()).expect("a pod").defaulted();
        let found = evaluate(Standard::latest(Level::Restricted), &shape);
        let changes = changes(&pod, &found);
        let text = fragment(&pod, "x/a to restricted:latest", &changes);
        assert_eq!(
            text.as_str(),
            "\
# x/a to restricted:latest
metadata:
  annotations:
    \"container.apparmor.security.beta.kubernetes.io/c\": null  # remove it
spec:
  containers:
  - name: c
    ports:
    - containerPort: 81
      hostPort: null  # remove it
    securityContext:
      allowPrivilegeEscalation: false
      capabilities:
        drop: [\"ALL\"]  # see that the program works without them; give back single ones where the level allows it
  - name: \"no\"
    securityContext:
      allowPrivilegeEscalation: false
      capabilities:
        drop: [\"ALL\"]  # see that the program works without them; give back single ones where the level allows it
      privileged: false  # see that the program works without the host's devices
  hostNetwork: false  # see that the program works in a namespace of its own
  securityContext:
    runAsNonRoot: true  # see that the image has a user that is not root
    seccompProfile:
      type: \"RuntimeDefault\"
    sysctls:
    - name: \"kernel.msgmax\"
      # remove it
  volumes:
  - name: v
    hostPath: null  # another kind of volume, or none"
        );
    }
}
