//! Manifests that run nowhere yet: what Pod Security admission would say of them, and every check that needs
//! nothing but the manifest.
//!
//! Lives here: from the bytes of a file to what is to be reported of it. Pure: no file, no clock. Never lives
//! here: which files, in which format, and what the exit code makes of it.

mod findings;

use crate::checks::standard::{Malformed, Shape, Standard, Violation, evaluate};
use crate::model::text::Text;
use crate::probes::mask::Masker;
use crate::probes::parse::documents::{self, Document};
use crate::probes::parse::workload::{self, Holds, Object};
use crate::probes::parse::yaml::Limits;

pub use findings::Finding;

/// One object is at most so long; a text may hold many.
const LIMITS: Limits = Limits {
    bytes: 8 << 20,
    depth: 100,
    nodes: Limits::MAX_NODES,
    text: 16 << 20,
};

/// What is known of one object of a file, or of the file.
#[derive(Clone, Debug)]
pub struct Entry {
    /// As it was named.
    pub file: Text,
    /// Where the object, or its pod, begins; counted from 1.
    pub line: usize,
    pub what: What,
}

/// What an object came to.
#[derive(Clone, Debug)]
pub enum What {
    Judged(Judgement),
    /// Nothing in it runs; its kind and name.
    Skipped(Text),
    /// It was not read, or is no valid pod: nothing can be said of it.
    Unreadable(Text),
}

/// A pod, or the template of pods, and what is held against it.
#[derive(Clone, Debug)]
pub struct Judgement {
    /// `Pod`, or the workload that has it as its template.
    pub kind: Text,
    /// `name`, or `namespace/name` where the manifest says a namespace.
    pub pod: Text,
    pub standard: Standard,
    /// None: the standard allows it.
    pub violations: Vec<Violated>,
    /// Fails of the checks, the worst first.
    pub findings: Vec<Finding>,
}

impl Judgement {
    /// Whether Pod Security admission would let it in.
    pub fn allowed(&self) -> bool {
        self.violations.is_empty()
    }
}

/// A violation, ready to be shown.
#[derive(Clone, Debug)]
pub struct Violated {
    /// Upstream's id of the control.
    pub id: &'static str,
    /// As kubectl shows it: reason, and details in parentheses.
    pub message: Text,
    pub containers: Vec<Text>,
    /// Field paths, and the line of each, or of what is around it where it is missing.
    pub fields: Vec<(Text, usize)>,
}

/// Judges the bytes of one file.
///
/// ```
/// use stakeout::checks::standard::{Level, Standard};
/// use stakeout::lint::{Linter, What};
/// use stakeout::probes::mask::Masker;
/// let linter = Linter::new(Standard::latest(Level::Baseline), Masker::new([0; 32]));
/// let text = b"{apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {hostPID: yes, containers: [{name: c}]}}";
/// // It begins like JSON, so the kubelet takes it for JSON, and refuses it.
/// assert!(matches!(linter.file(&"a.yaml".into(), text)[0].what, What::Unreadable(_)));
/// let text = [b"---\n", text.as_slice()].concat();
/// let What::Judged(judged) = &linter.file(&"a.yaml".into(), &text)[0].what else { panic!() };
/// assert_eq!(judged.violations[0].id, "hostNamespaces");
/// ```
pub struct Linter {
    standard: Standard,
    masker: Masker,
}

impl Linter {
    /// The masker is for secrets that a check might quote.
    pub fn new(standard: Standard, masker: Masker) -> Self {
        Self { standard, masker }
    }

    pub fn standard(&self) -> Standard {
        self.standard
    }

    /// What is in a file, in its order; never nothing.
    pub fn file(&self, file: &Text, text: &[u8]) -> Vec<Entry> {
        let documents = documents::read(text, &LIMITS);
        let mut entries: Vec<Entry> = Vec::new();
        for document in &documents {
            match &document.parsed {
                Ok(parsed) => {
                    for object in workload::objects(&parsed.value) {
                        let line = document.line(&object.pointer);
                        let what = self.object(file, document, &object);
                        entries.push(entry(file, line, what));
                    }
                }
                Err(error) => {
                    let why = What::Unreadable(Text::from(error.to_string()));
                    entries.push(entry(file, document.lines_before + 1, why));
                }
            }
        }
        if documents.is_empty() {
            let why = Text::new("there is nothing in it");
            entries.push(entry(file, 1, What::Unreadable(why)));
        }
        entries
    }

    fn object(&self, file: &Text, document: &Document, object: &Object) -> What {
        let name = match (object.namespace.as_str(), object.name.as_str()) {
            ("", name) => Text::new(name),
            (namespace, name) => Text::from(format!("{namespace}/{name}")),
        };
        let pod = match &object.holds {
            Holds::Nothing => return What::Skipped(Text::from(format!("{} {name}", object.kind))),
            Holds::Invalid(message) => {
                let who = [object.kind.as_str(), name.as_str()];
                let who: Vec<&str> = who.into_iter().filter(|word| !word.is_empty()).collect();
                let colon = if who.is_empty() { "" } else { ": " };
                let said = format!("{}{colon}{message}", who.join(" "));
                return What::Unreadable(Text::from(said));
            }
            Holds::Pod(pod) => pod,
        };
        let shape = match Shape::read(pod.raw.root()) {
            // Templates keep what they say: the defaults come when a pod is made of them.
            Ok(shape) if object.kind == "Pod" => shape.defaulted(),
            Ok(shape) => shape,
            Err(error) => return What::Unreadable(wrong(&object.kind, &name, &error)),
        };
        let violations = evaluate(self.standard, &shape);
        let shown = |violation: &Violation| violated(violation, document, &object.pointer);
        What::Judged(Judgement {
            kind: Text::new(&object.kind),
            pod: name,
            standard: self.standard,
            violations: violations.iter().map(shown).collect(),
            findings: findings::of(pod, (file, document, object), (self.standard, &self.masker)),
        })
    }
}

fn entry(file: &Text, line: usize, what: What) -> Entry {
    Entry {
        file: file.clone(),
        line,
        what,
    }
}

fn wrong(kind: &str, name: &Text, error: &Malformed) -> Text {
    Text::from(format!("{kind} {name}: {error}"))
}

fn violated(violation: &Violation, document: &Document, pod: &str) -> Violated {
    let fields = violation.fields.iter().map(|field| {
        let line = document.line(&format!("{pod}{}", field.pointer()));
        (Text::from(field.to_string()), line)
    });
    Violated {
        id: violation.id,
        message: Text::from(violation.to_string()),
        fields: fields.collect(),
        containers: violation.containers.iter().map(Text::from).collect(),
    }
}

#[cfg(test)]
mod tests;
