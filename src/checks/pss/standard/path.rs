//! Where a field stands in a pod.

use std::fmt;

/// Steps from the root of the pod to a field.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Path(Vec<Step>);

/// One step of a [`Path`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// Into a field of an object.
    Key(String),
    /// Into an item of a list.
    Index(usize),
}

impl Path {
    /// From dotted field names: `spec.securityContext`.
    pub fn new(dotted: &str) -> Self {
        Self::default().then(dotted)
    }

    /// Further down, by dotted field names.
    #[must_use]
    pub fn then(mut self, dotted: &str) -> Self {
        self.0
            .extend(dotted.split('.').map(|name| Step::Key(name.to_owned())));
        self
    }

    /// Further down, by a key that may hold dots.
    #[must_use]
    pub fn key(mut self, key: &str) -> Self {
        self.0.push(Step::Key(key.to_owned()));
        self
    }

    /// Further down, into a list.
    #[must_use]
    pub fn index(mut self, index: usize) -> Self {
        self.0.push(Step::Index(index));
        self
    }

    pub fn steps(&self) -> &[Step] {
        &self.0
    }

    /// JSON pointer (RFC 6901).
    pub fn pointer(&self) -> String {
        let steps = self.0.iter().map(|step| match step {
            Step::Key(key) => format!("/{}", key.replace('~', "~0").replace('/', "~1")),
            Step::Index(index) => format!("/{index}"),
        });
        steps.collect()
    }

    /// The object or list around it.
    pub fn parent(&self) -> Option<Self> {
        let (_, rest) = self.0.split_last()?;
        Some(Self(rest.to_vec()))
    }
}

/// As Kubernetes writes field paths: `spec.containers[0].image`, `metadata.annotations[a.b/c]`.
impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, step) in self.0.iter().enumerate() {
            match step {
                Step::Index(index) => write!(f, "[{index}]")?,
                Step::Key(key) if key.bytes().all(|byte| byte.is_ascii_alphanumeric()) => {
                    write!(f, "{}{key}", if at == 0 { "" } else { "." })?;
                }
                Step::Key(key) => write!(f, "[{key}]")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_spellings() {
        let path = Path::new("spec.containers").index(0).then("image");
        assert_eq!(path.to_string(), "spec.containers[0].image");
        assert_eq!(path.pointer(), "/spec/containers/0/image");
        let path = Path::new("metadata.annotations").key("a.b/c~");
        assert_eq!(path.to_string(), "metadata.annotations[a.b/c~]");
        assert_eq!(path.pointer(), "/metadata/annotations/a.b~1c~0");
        assert_eq!(path.parent(), Some(Path::new("metadata.annotations")));
    }
}
