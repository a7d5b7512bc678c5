//! Files that flags of the API server name.

use super::given::asks;
use crate::checks::exposure::looked;
use crate::model::fact::{Gap, Need};
use crate::model::files::{ApiServerFiles, FileRole};
use crate::model::node::NodeFacts;
use crate::model::unix::WalkEnd;

/// What is known of the files of the API server, where only one file has a role.
///
/// # Errors
/// Why they are not known; also where flags name two files of that role, as a flag that is given twice does, or a
/// process that was started before its manifest was changed: which one was read is not told then.
pub fn only(node: &NodeFacts, role: FileRole) -> Result<&ApiServerFiles, Gap> {
    let files = node.host.api_server_files.get()?;
    let list = &files.value.list;
    let mut there: Vec<&str> = looked(&node.host, list, Need::ApiServerFiles, &[role])
        .iter()
        .filter(|file| file.walk.end != WalkEnd::Absent)
        .map(|file| file.path.as_str())
        .collect();
    there.dedup();
    if let [first, second, ..] = there[..] {
        return Err(asks(format!(
            "which of {first} and {second} does kube-apiserver go by? its flags name both"
        )));
    }
    Ok(&files.value)
}
