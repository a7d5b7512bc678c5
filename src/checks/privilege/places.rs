//! Paths of the host as text: what holds what.

/// A path without empty parts and dots; `..` leads up. What is not absolute is taken from the root, as the
/// kubelet mounts it.
pub fn plain(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}

/// Whether `inner` is `outer` or below it; both plain.
pub fn holds(outer: &str, inner: &str) -> bool {
    outer == "/"
        || inner
            .strip_prefix(outer)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_compared_by_parts() {
        assert_eq!(plain("//var/./lib/../run/"), "/var/run");
        assert_eq!(plain("/.."), "/");
        assert!(holds("/", "/etc") && holds("/etc", "/etc") && holds("/etc", "/etc/x"));
        assert!(!holds("/etc", "/etcd") && !holds("/etc/x", "/etc"));
    }
}
