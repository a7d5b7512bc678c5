//! Which program a static pod starts.

use crate::model::pod::Pod;
use crate::model::tree::{Branch, Items};

/// Whether a container starts `program`, itself or by a shell in front of it.
pub fn runs(pod: &Pod, program: &str) -> bool {
    pod.containers().any(|(_, container)| {
        let fields = ["command", "args"].into_iter();
        let lists = fields.filter_map(|field| container.get(field).and_then(Branch::as_array));
        let mut first = lists
            .flat_map(Items::iter)
            .filter_map(Branch::as_str)
            .take(3);
        first.any(|word| word.rsplit('/').next() == Some(program))
    })
}
