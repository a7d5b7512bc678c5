//! Shared text formats. Each returns what it understood and what it did not; none of them fails as a whole.

pub(crate) mod acl;
pub(crate) mod cgroup;
pub mod documents;
pub(crate) mod mountinfo;
pub(crate) mod pod;
pub(crate) mod stat;
pub mod workload;
pub mod yaml;
