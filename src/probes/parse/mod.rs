//! Shared text formats. Each returns what it understood and what it did not; none of them fails as a whole.

pub mod yaml;
