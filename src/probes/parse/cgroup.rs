//! The pod behind a cgroup path: cgroup v1 and v2, both drivers of the kubelet (pkg/kubelet/cm/cgroup_manager_linux.go).

/// The pod's uid as the folder spells it, where the path is one of a pod.
///
/// The cgroupfs driver has `kubepods/burstable/pod<uid>`, the systemd driver
/// `kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod<uid>.slice`, with `_` for each `-` of the uid.
/// A user's own slice is no place for a pod: its owner may make any folder there.
pub(crate) fn pod_uid(path: &str) -> Option<&str> {
    let mut below = false;
    for part in path.split('/') {
        if part == "user.slice" {
            return None;
        }
        if let Some(slice) = part.strip_suffix(".slice")
            && let Some((head, rest)) = slice.split_once("kubepods")
            && (head.is_empty() || head.ends_with('-'))
        {
            below = true;
            let rest = rest
                .strip_prefix("-burstable")
                .or_else(|| rest.strip_prefix("-besteffort"))
                .unwrap_or(rest);
            if let Some(uid) = rest.strip_prefix("-pod").filter(|uid| !uid.is_empty()) {
                return Some(uid);
            }
        } else if part == "kubepods" {
            below = true;
        } else if below && let Some(uid) = part.strip_prefix("pod").filter(|uid| !uid.is_empty()) {
            return Some(uid);
        }
    }
    None
}

/// The container's id in a cgroup path: `<id>`, `cri-containerd-<id>.scope`, `crio-<id>.scope`, `docker-<id>.scope`.
/// What CRI-O runs beside a container, `crio-conmon-<id>`, is in none.
pub(crate) fn container_id(path: &str) -> Option<&str> {
    path.split('/').rev().find_map(|part| {
        let part = part.strip_suffix(".scope").unwrap_or(part);
        let (runtime, id) = part.rsplit_once('-').unwrap_or(("", part));
        let is_id = id.len() == 64
            && id
                .bytes()
                .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        (is_id && !runtime.ends_with("conmon")).then_some(id)
    })
}

/// Whether a uid has the form of those that the API server gives; the systemd driver writes `_` for `-`.
pub(crate) fn is_uuid(uid: &str) -> bool {
    let lengths = uid.split(['-', '_']).map(str::len);
    lengths.eq([8, 4, 4, 4, 12])
        && uid
            .bytes()
            .all(|byte| byte.is_ascii_hexdigit() || matches!(byte, b'-' | b'_'))
}

/// Whether two spellings are one uid: the systemd driver writes `_` for `-`.
pub(crate) fn same_uid(left: &str, right: &str) -> bool {
    left.len() == right.len()
        && left.bytes().zip(right.bytes()).all(|(left, right)| {
            left == right || matches!((left, right), (b'-', b'_') | (b'_', b'-'))
        })
}

#[cfg(test)]
mod tests {
    use super::{container_id, is_uuid, pod_uid, same_uid};

    #[test]
    fn containers_of_every_runtime() {
        let id = "5234a841bca66b4717c29c0e3b637e8303eaa0895cccb2263a4b85949627e771";
        for (path, found) in [
            (format!("/kubepods/burstable/poda/{id}"), true),
            (format!("/kubepods.slice/x/cri-containerd-{id}.scope"), true),
            (
                format!("/kubepods.slice/x/crio-{id}.scope/init.scope"),
                true,
            ),
            (format!("/kubepods.slice/x/docker-{id}.scope"), true),
            (format!("/kubepods.slice/x/crio-conmon-{id}.scope"), false),
            ("/kubepods/burstable/poda".to_owned(), false),
            (format!("/kubepods/burstable/poda/{}", &id[1..]), false),
        ] {
            assert_eq!(container_id(&path), found.then_some(id), "{path}");
        }
    }

    #[test]
    fn uids_of_both_kinds() {
        assert!(is_uuid("6c3c1b5e-0000-4000-8000-000000000000"));
        assert!(is_uuid("6c3c1b5e_0000_4000_8000_000000000000"));
        assert!(!is_uuid("4a975d5f52ca22b763f46e009e5138a7"));
        assert!(!is_uuid("my-own-uid"));
        assert!(same_uid("a-b", "a_b") && !same_uid("a-b", "acb"));
    }

    #[test]
    fn paths_of_both_drivers() {
        for (path, uid) in [
            (
                "/kubepods/burstable/pod4a975d5f52ca22b763f46e009e5138a7",
                Some("4a975d5f52ca22b763f46e009e5138a7"),
            ),
            (
                "/kubepods/pod6c3c1b5e-0000-4000-8000-000000000000/x",
                Some("6c3c1b5e-0000-4000-8000-000000000000"),
            ),
            ("/kubepods/besteffort/podmy-own-uid", Some("my-own-uid")),
            (
                "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod6c3c1b5e_0000_4000.slice",
                Some("6c3c1b5e_0000_4000"),
            ),
            (
                "/kubepods.slice/kubepods-podabc.slice/cri-containerd-1.scope",
                Some("abc"),
            ),
            (
                "/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-podabc.slice",
                Some("abc"),
            ),
            ("/node-1/kubepods/podabc", Some("abc")),
            ("/kubepods/burstable", None),
            ("/kubepods.slice/kubepods-burstable.slice", None),
            ("/system.slice/podman.service", None),
            ("/user.slice/user-7.slice/kubepods/podabc", None),
            ("/notkubepods.slice/podabc", None),
            ("", None),
        ] {
            assert_eq!(pod_uid(path), uid, "{path}");
        }
    }
}
