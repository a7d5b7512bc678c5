//! A manifest's bytes as the kubelet takes them: a v1 Pod, or its reason to refuse.

use std::borrow::Cow;

use k8s_openapi::api::core::v1 as core;
use serde::Deserialize as _;
use serde_json::Value;

use super::yaml::{self, Limits, LineIndex, YamlError};
use crate::model::fact::Gap;
use crate::model::lines::Lines;
use crate::model::pod::{Parsed, Pod};
use crate::model::text::Text;
use crate::model::tree::{Oversized, Tree};
use crate::probes::mask::{MaskedText, Masker};

/// Field paths whose lines are kept at most.
const LINES: usize = 2000;

/// What was made of a manifest, with its secrets masked.
pub(crate) struct Taken {
    pub(crate) parsed: Parsed,
    /// The text as it may be shown.
    pub(crate) text: Text,
    pub(crate) masked: bool,
}

/// Reads a manifest. `shown`: its name for messages.
///
/// # Errors
/// [`Gap::Garbled`] where the kubelet might read it in another way, or where it is more than we read.
pub(crate) fn read(bytes: &[u8], shown: &str, masker: &Masker) -> Result<Taken, Gap> {
    let text = String::from_utf8_lossy(bytes);
    let parsed = match yaml::parse(bytes, &Limits::default()) {
        Ok(parsed) => parsed,
        Err(error @ YamlError::Syntax { .. }) => {
            return Ok(broken(&error.to_string(), &text, masker));
        }
        Err(error) => {
            return Err(Gap::Garbled {
                what: Text::from(format!("{shown}: {error}")),
            });
        }
    };
    let mut value = parsed.value;
    if let Err(message) = check(&value) {
        return Ok(no_pod(&message, value, &text, masker));
    }
    let text = first_document(&text, parsed.ignored_documents);
    let mut masked = masker.mask_manifest(&mut value, &text);
    if !parsed.duplicates.is_empty() {
        // What the last one of a key overrides stands in the text alone.
        let (text, more) = masker.mask_lines(&masked.text);
        masked = MaskedText {
            text,
            rewritten: masked.rewritten || more,
            masked: masked.masked || more,
        };
    }
    let lines = if masked.rewritten {
        Lines::default()
    } else {
        lines(&value, &parsed.lines)
    };
    let pod = named(&value).map_err(|error| Gap::Garbled {
        what: Text::from(format!("{shown}: {error}")),
    })?;
    let duplicates = parsed.duplicates.iter().take(100);
    Ok(Taken {
        parsed: Parsed::Pod {
            pod,
            ignored_documents: u32::try_from(parsed.ignored_documents).unwrap_or(u32::MAX),
            duplicates: duplicates.map(|key| dotted(&key.path)).collect(),
            lines,
        },
        text: Text::block(&masked.text),
        masked: masked.masked || parsed.ignored_documents > 0,
    })
}

/// A pod by what its metadata call it.
///
/// # Errors
/// Where it is more than is kept.
pub(crate) fn named(value: &Value) -> Result<Pod, Oversized> {
    let namespace = match word_at(value, "/metadata/namespace") {
        "" => "default",
        namespace => namespace,
    };
    Ok(Pod {
        namespace: Text::new(namespace),
        name: Text::new(word_at(value, "/metadata/name")),
        raw: Tree::try_from(value)?,
    })
}

/// The text up to the documents that the kubelet ignores: nobody has looked through those for secrets.
fn first_document(text: &str, ignored: usize) -> Cow<'_, str> {
    if ignored == 0 {
        return Cow::Borrowed(text);
    }
    let (mut at, mut begun) = (0, false);
    for line in text.split_inclusive('\n') {
        let marks = line.starts_with("---") || line.starts_with("...");
        if marks && begun {
            break;
        }
        begun |= !marks && !line.trim_start().starts_with(['#', '%']) && !line.trim().is_empty();
        // A document may begin on the line of its mark.
        begun |= line.starts_with("---") && line.trim_end().len() > 3;
        at += line.len();
    }
    let more = if ignored == 1 {
        "document"
    } else {
        "documents"
    };
    Cow::Owned(format!(
        "{}# {ignored} more {more}, which the kubelet ignores\n",
        &text[..at]
    ))
}

/// An object that the kubelet refuses. Its text is its own only where it holds no secret.
fn no_pod(message: &str, mut value: Value, text: &str, masker: &Masker) -> Taken {
    if masker.mask_document(&mut value) {
        let mut taken = broken(
            message,
            &serde_yaml::to_string(&value).unwrap_or_default(),
            masker,
        );
        taken.masked = true;
        return taken;
    }
    broken(message, text, masker)
}

fn broken(message: &str, text: &str, masker: &Masker) -> Taken {
    let (text, masked) = masker.mask_lines(text);
    Taken {
        parsed: Parsed::Broken {
            message: Text::new(message),
        },
        text: Text::block(&text),
        masked,
    }
}

/// What `tryDecodeSinglePod` asks of an object (pkg/kubelet/config/common.go), as far as it can be asked here.
fn check(value: &Value) -> Result<(), String> {
    let word = |key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default();
    if !value.is_object() {
        return Err("not an object".to_owned());
    }
    match (word("apiVersion"), word("kind")) {
        ("", _) => return Err("apiVersion is missing".to_owned()),
        (_, "") => return Err("kind is missing".to_owned()),
        ("v1", "Pod") => {}
        (version, kind) => return Err(format!("{version} {kind} is not a v1 Pod")),
    }
    if word_at(value, "/metadata/name").is_empty() {
        conforms(value)?;
        return Err("invalid pod: name is needed for the pod".to_owned());
    }
    conforms(value)
}

/// Whether an object has the types of a v1 Pod and a container to run: its metadata and spec, whatever its kind.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn conforms(value: &Value) -> Result<(), String> {
    let part = |name: &str| value.get(name).cloned().unwrap_or_default();
    // What a client sends as status does not matter to the kubelet, and it is not a manifest's.
    let mut typed = serde_json::json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": part("metadata"), "spec": part("spec")
    });
    quantities(&mut typed);
    let pod = core::Pod::deserialize(typed).map_err(|error| error.to_string())?;
    match &pod.spec {
        Some(spec) if !spec.containers.is_empty() => Ok(()),
        _ => Err("invalid pod: spec.containers: Required value".to_owned()),
    }
}

/// The string at a JSON pointer, the empty one where there is none.
pub(crate) fn word_at<'v>(value: &'v Value, pointer: &str) -> &'v str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or("")
}

/// Kubernetes takes `cpu: 1` for a quantity, the typed form wants a string.
fn quantities(value: &mut Value) {
    match value {
        Value::Object(map) => {
            for (key, item) in map.iter_mut() {
                match (key.as_str(), &mut *item) {
                    ("limits" | "requests" | "overhead", Value::Object(amounts)) => {
                        amounts.values_mut().for_each(as_text);
                    }
                    ("sizeLimit" | "divisor", item) => as_text(item),
                    _ => quantities(item),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(quantities),
        _ => {}
    }
}

fn as_text(value: &mut Value) {
    if let Value::Number(number) = value {
        *value = Value::String(number.to_string());
    }
}

/// `/spec/containers/0/image` as `spec.containers[0].image`.
fn dotted(pointer: &str) -> Text {
    let mut out = String::new();
    for step in pointer.split('/').skip(1) {
        let step = step.replace("~1", "/").replace("~0", "~");
        if !step.is_empty() && step.bytes().all(|byte| byte.is_ascii_digit()) {
            out.push_str(&format!("[{step}]"));
        } else {
            if !out.is_empty() {
                out.push('.');
            }
            out.push_str(&step);
        }
    }
    Text::from(out)
}

fn lines(value: &Value, index: &LineIndex) -> Lines {
    let mut out = Vec::new();
    gather(value, &mut String::new(), index, &mut out);
    out.into_iter().collect()
}

fn gather(value: &Value, pointer: &mut String, index: &LineIndex, out: &mut Vec<(Text, u32)>) {
    if out.len() >= LINES {
        return;
    }
    if !pointer.is_empty()
        && let Some(line) = index
            .line(pointer)
            .and_then(|line| u32::try_from(line).ok())
    {
        out.push((dotted(pointer), line));
    }
    let length = pointer.len();
    match value {
        Value::Object(map) => {
            for (key, item) in map {
                pointer.push('/');
                pointer.push_str(&key.replace('~', "~0").replace('/', "~1"));
                gather(item, pointer, index, out);
                pointer.truncate(length);
            }
        }
        Value::Array(items) => {
            for (number, item) in items.iter().enumerate() {
                pointer.push_str(&format!("/{number}"));
                gather(item, pointer, index, out);
                pointer.truncate(length);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(text: &str) -> Taken {
        read(text.as_bytes(), "x.yaml", &Masker::new([7; 32])).expect("the kubelet reads it too")
    }

    #[test]
    fn a_pod_with_its_lines() {
        let taken = read_text(
            "apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n  name: b\nspec:\n  containers:\n  - name: c\n    resources: {limits: {cpu: 1}}\n    env:\n    - name: TOKEN\n      value: geheim12\n---\nmore: 1\n",
        );
        let Parsed::Pod {
            pod,
            ignored_documents,
            duplicates,
            lines,
        } = &taken.parsed
        else {
            panic!("{:?}", taken.parsed)
        };
        assert_eq!(
            (pod.namespace.as_str(), pod.name.as_str()),
            ("default", "b")
        );
        assert_eq!(*ignored_documents, 1);
        assert_eq!(duplicates.as_slice(), [Text::new("metadata.name")]);
        assert!(
            lines
                .iter()
                .any(|line| line == (Text::new("spec.containers[0].env[0].value"), 12))
        );
        assert!(taken.masked && !taken.text.as_str().contains("geheim"));
        assert!(!pod.raw.to_string().contains("geheim"));
    }

    #[test]
    fn what_the_kubelet_refuses() {
        for (text, message) in [
            ("", "not an object"),
            ("a: [", "line "),
            ("[]", "not an object"),
            ("kind: Pod\nmetadata: {name: a}", "apiVersion is missing"),
            (
                "apiVersion: v1\nkind: PodList\nitems: []",
                "v1 PodList is not a v1 Pod",
            ),
            (
                "apiVersion: v1\nkind: Pod\nspec: {containers: [{name: a}]}",
                "name is needed",
            ),
            (
                "apiVersion: v1\nkind: Pod\nmetadata: {name: a}",
                "spec.containers",
            ),
            (
                "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: [{name: 1}]}",
                "string",
            ),
            (
                "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {hostPID: maybe, containers: [{name: a}]}",
                "boolean",
            ),
        ] {
            let Parsed::Broken { message: found } = read_text(text).parsed else {
                panic!("{text} is no pod")
            };
            assert!(found.as_str().contains(message), "{text}: {found}");
        }
    }

    #[test]
    fn a_broken_file_is_masked_line_by_line() {
        let taken = read_text("password: geheim12\n[");
        assert!(
            taken.masked && !taken.text.as_str().contains("geheim"),
            "{}",
            taken.text
        );
    }

    #[test]
    fn bounds_are_gaps() {
        let long = format!("a: {}", "x".repeat(300 << 10));
        assert!(matches!(
            read(long.as_bytes(), "x", &Masker::new([7; 32])),
            Err(Gap::Garbled { .. })
        ));
    }
}
