//! Remediation: templates filled with names that may be hostile, quoted for POSIX sh or refused.

use super::check::{Check, Place, Remediation, Step};
use crate::model::name::NodeName;
use crate::model::text::Text;
use crate::model::verdict::{Subject, SubjectKind};

/// A fix with its names filled in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filled {
    pub steps: Vec<Line>,
    pub restarts: &'static str,
    /// Always `stakeout scan --node NODE --check ID`.
    pub verify: Line,
    pub undo: Vec<Line>,
    /// Several lines to merge into the manifest, where the finding comes with them.
    pub patch: Option<Line>,
}

impl Filled {
    /// The same with a fragment of a manifest.
    #[must_use]
    pub fn with_patch(self, patch: Option<Text>) -> Self {
        let line = |text: Text| Line {
            place: Place::Editor,
            copyable: text.is_exact(),
            text,
        };
        Self {
            patch: patch.map(line),
            ..self
        }
    }
}

/// One line of a filled fix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    pub place: Place,
    pub text: Text,
    /// False where a name holds characters that could not be shown: it is displayed, never copied.
    pub copyable: bool,
}

/// Fills the fix of `check` for one offence.
pub fn fill(check: &Check, node: Option<&NodeName>, subject: Option<&Subject>) -> Filled {
    let Remediation {
        steps,
        restarts,
        undo,
    } = &check.fix;
    let values = Values { node, subject };
    let verify = match node {
        Some(_) => format!("stakeout scan --node {{node}} --check {}", check.id),
        None => format!("stakeout scan --check {}", check.id),
    };
    Filled {
        steps: steps.iter().map(|step| values.line(step)).collect(),
        restarts,
        verify: values.fill(Place::Kubectl, &verify),
        undo: undo.iter().map(|step| values.line(step)).collect(),
        patch: None,
    }
}

struct Values<'a> {
    node: Option<&'a NodeName>,
    subject: Option<&'a Subject>,
}

impl Values<'_> {
    fn line(&self, step: &Step) -> Line {
        self.fill(step.on, step.text)
    }

    fn fill(&self, place: Place, template: &str) -> Line {
        let mut out = String::with_capacity(template.len() + 32);
        let mut exact = true;
        let mut rest = template;
        while let Some(open) = rest.find('{') {
            let (head, tail) = rest.split_at(open);
            out.push_str(head);
            let known = tail
                .find('}')
                .and_then(|close| Some((self.value(&tail[1..close])?, close)));
            let Some((value, close)) = known else {
                out.push('{');
                rest = &tail[1..];
                continue;
            };
            exact &= value.is_exact();
            out.push_str(&if place == Place::Editor {
                value.to_string()
            } else {
                quote(value.as_str())
            });
            rest = &tail[close + 1..];
        }
        out.push_str(rest);
        Line {
            place,
            text: Text::from(out),
            copyable: exact && place != Place::Editor,
        }
    }

    /// The value of a placeholder; a name that this offence does not have stays visible as its upper-case word.
    fn value(&self, name: &str) -> Option<Text> {
        let subject = self.subject.filter(|subject| match name {
            "path" | "dir" | "file" => subject.kind == SubjectKind::Path,
            "ns" => matches!(
                subject.kind,
                SubjectKind::Pod
                    | SubjectKind::Container
                    | SubjectKind::Namespace
                    | SubjectKind::Object
            ),
            "pod" => matches!(subject.kind, SubjectKind::Pod | SubjectKind::Container),
            "container" => subject.kind == SubjectKind::Container,
            "flag" => subject.kind == SubjectKind::Setting,
            "resource" | "name" => subject.kind == SubjectKind::Object,
            _ => false,
        });
        let part = |index: usize| -> Option<Text> {
            let key = &subject?.key;
            let piece = Text::new(key.as_str().split('/').nth(index)?);
            Some(if key.is_exact() { piece } else { key.clone() })
        };
        let found = match name {
            "node" => self.node.map(|node| Text::new(node.as_str())),
            "path" | "flag" => subject.map(|subject| subject.key.clone()),
            "dir" => subject.map(|subject| parent(&subject.key)),
            "file" => subject.map(|subject| last(&subject.key)),
            "ns" if subject.is_some_and(|subject| subject.kind == SubjectKind::Object) => part(1),
            "ns" | "resource" => part(0),
            "pod" => part(1),
            "container" | "name" => part(2),
            _ => return None,
        };
        Some(found.unwrap_or_else(|| Text::new(&name.to_ascii_uppercase())))
    }
}

fn parent(path: &Text) -> Text {
    let cut = path.as_str().rfind('/').map_or(".", |slash| {
        if slash == 0 {
            "/"
        } else {
            &path.as_str()[..slash]
        }
    });
    if path.is_exact() {
        Text::new(cut)
    } else {
        path.clone()
    }
}

fn last(path: &Text) -> Text {
    let name = path.as_str().rsplit('/').next().unwrap_or_default();
    if path.is_exact() {
        Text::new(name)
    } else {
        path.clone()
    }
}

/// Quotes a value for a POSIX shell where it needs it. A leading dash is kept from being read as an option by `./`.
pub fn quote(value: &str) -> String {
    let value = if value.starts_with('-') {
        format!("./{value}")
    } else {
        value.to_owned()
    };
    let plain = !value.is_empty()
        && value
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "/._-:=@%+,".contains(c));
    if plain {
        value
    } else {
        format!("'{}'", value.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_names_are_quoted_or_refused() {
        let line = |path: &str| {
            let subject = Subject::new(SubjectKind::Path, path);
            Values {
                node: None,
                subject: Some(&subject),
            }
            .fill(Place::Node, "chmod 600 {path}")
        };
        for (path, text) in [
            ("/etc/kubernetes/a.yaml", "chmod 600 /etc/kubernetes/a.yaml"),
            ("/m/$(reboot).yaml", "chmod 600 '/m/$(reboot).yaml'"),
            ("/m/it's", r"chmod 600 '/m/it'\''s'"),
            ("/m/`x`; rm -rf /", "chmod 600 '/m/`x`; rm -rf /'"),
            ("-rf", "chmod 600 ./-rf"),
        ] {
            assert_eq!(line(path).text, text);
            assert!(line(path).copyable, "{path}");
        }
        let broken = line("/m/a\nb");
        assert!(!broken.copyable);
        assert_eq!(broken.text, r"chmod 600 '/m/a\nb'");
    }

    #[test]
    fn a_name_that_is_not_known_stays_a_word() {
        let filled = Values {
            node: None,
            subject: None,
        }
        .fill(Place::Kubectl, "kubectl get pod {pod} -n {ns} -o '{.x}'");
        assert_eq!(filled.text, "kubectl get pod POD -n NS -o '{.x}'");
    }
}
