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

#[cfg(test)]
mod tests {
    use super::pod_uid;

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
