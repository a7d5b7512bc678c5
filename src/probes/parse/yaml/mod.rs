//! Manifests as the kubelet reads them.
//!
//! The kubelet turns a manifest into JSON with sigs.k8s.io/yaml, which is go-yaml v2, which is libyaml:
//! YAML 1.1. No YAML 1.2 parser reads every file alike (merge keys, `yes`, `0644`, tabs, `[a: b]`, byte
//! order marks), and a file that we read in another way than the kubelet is a privileged pod that looks
//! clean. So this is a port, in the order in which bytes pass through it:
//!
//! - `reader`, `scanner`, `scan_text`, `scan_scalar`, `grammar` and `grammar_flow` follow `readerc.go`,
//!   `scannerc.go` and `parserc.go` of go.yaml.in/yaml/v2 v2.4.4, which is in Kubernetes 1.37. The same code,
//!   to the letter, is in gopkg.in/yaml.v2 v2.4.0 and sigs.k8s.io/yaml v1.4.0, so older kubelets agree.
//!   libyaml's notice is in `LICENSE-libyaml` beside this file.
//! - `tree`, `decode` and `resolve` do what `decode.go` and `resolve.go` do, `convert` what
//!   sigs.k8s.io/yaml v1.6.0 does.
//! - `json` does what k8s.io/apimachinery does with a text that starts with `{`.
//!
//! `tests/tiers/yaml_oracle.rs` holds it against those packages.

mod convert;
mod decode;
mod event;
mod grammar;
mod grammar_flow;
mod json;
mod lines;
mod reader;
mod resolve;
mod scan_scalar;
mod scan_text;
mod scanner;
mod token;
mod tree;

use thiserror::Error;

pub use lines::LineIndex;

/// What the kubelet sees in a manifest.
#[derive(Clone, Debug, PartialEq)]
pub struct Parsed {
    pub value: serde_json::Value,
    /// Keys that a mapping says twice, or says and then overwrites by a merge. The last one counts.
    pub duplicates: Vec<DuplicateKey>,
    /// Documents with something in them behind the first one. The kubelet never looks at them.
    pub ignored_documents: usize,
    pub lines: LineIndex,
}

/// A key whose earlier value does not count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DuplicateKey {
    /// JSON pointer.
    pub path: String,
    /// Where it is said again, counted from 1.
    pub line: usize,
}

/// Bounds for hostile input. The defaults are far above any real manifest.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Bytes of input.
    pub bytes: usize,
    /// Levels of nesting, aliases included. At most [`Limits::MAX_DEPTH`].
    pub depth: usize,
    /// Nodes, each alias counted with all that is in its anchor. At most [`Limits::MAX_NODES`].
    pub nodes: usize,
    /// Bytes of all scalars, those of aliases counted again.
    pub text: usize,
}

impl Limits {
    /// What a thread's stack surely holds.
    pub const MAX_DEPTH: usize = 500;
    /// From here on go-yaml begins to allow fewer aliases.
    pub const MAX_NODES: usize = 400_000;

    fn depth(&self) -> usize {
        self.depth.min(Self::MAX_DEPTH)
    }

    fn nodes(&self) -> usize {
        self.nodes.min(Self::MAX_NODES)
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            bytes: 256 << 10,
            depth: 100,
            nodes: 100_000,
            text: 4 << 20,
        }
    }
}

/// Why there is no value.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum YamlError {
    /// The kubelet refuses the file too, and stops the pod that it held before. Line and column count from 1.
    #[error("line {line}, column {column}: {message}")]
    Syntax {
        line: usize,
        column: usize,
        message: String,
    },
    /// More than we are ready to read. The kubelet may well run it.
    #[error("more than {max} {what}")]
    Limit { what: &'static str, max: usize },
    /// What the kubelet makes of it is not known, or left to chance.
    #[error("line {line}: {what} may mean something else to the kubelet")]
    Differs { line: usize, what: String },
}

impl YamlError {
    fn at(mark: token::Mark, message: &str) -> Self {
        Self::Syntax {
            line: mark.line + 1,
            column: mark.column + 1,
            message: message.to_owned(),
        }
    }
}

/// Reads a manifest: YAML 1.1 of which the first document counts, or JSON if it begins with `{`.
///
/// ```
/// use stakeout::probes::parse::yaml::{Limits, parse};
/// let text = b"base: &b {hostNetwork: yes}\nspec:\n  hostNetwork: no\n  <<: *b\n";
/// let parsed = parse(text, &Limits::default()).expect("valid YAML");
/// assert_eq!(parsed.value.pointer("/spec/hostNetwork"), Some(&true.into()));
/// assert_eq!(parsed.duplicates[0].path, "/spec/hostNetwork");
/// ```
pub fn parse(bytes: &[u8], limits: &Limits) -> Result<Parsed, YamlError> {
    if bytes.len() > limits.bytes {
        return Err(YamlError::Limit {
            what: "bytes",
            max: limits.bytes,
        });
    }
    if json::is_json(bytes) {
        let (value, lines) = json::read(bytes, limits)?;
        let lines = LineIndex::new(lines);
        return Ok(Parsed {
            value,
            duplicates: Vec::new(),
            ignored_documents: 0,
            lines,
        });
    }
    let tree = tree::build(bytes, limits)?;
    let line = tree.root.map_or(1, |root| tree.nodes[root].line);
    let value = decode::decode(&tree, limits)?;
    let mut converter = convert::Converter::new(limits);
    let (value, lines) = converter.value(value, line)?;
    Ok(Parsed {
        value,
        duplicates: converter.duplicates,
        ignored_documents: tree.ignored_documents,
        lines: LineIndex::new(lines),
    })
}
