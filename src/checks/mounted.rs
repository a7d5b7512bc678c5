//! Where a path of a container lies on the node, as its mounts say.

use crate::model::pod::Pod;
use crate::model::tree::{Branch, Items};

/// The path on the node of a path in the containers of a pod; none where it is in an image, or in a volume that is no
/// path of the node.
pub fn on_node(pod: &Pod, path: &str) -> Option<String> {
    let mut best: Option<(usize, String)> = None;
    for (_, container) in pod.containers() {
        for mount in items(container.get("volumeMounts")) {
            let Some(point) = word(mount, "mountPath") else {
                continue;
            };
            let point = point.trim_end_matches('/');
            let Some(rest) = path
                .strip_prefix(point)
                .filter(|rest| rest.is_empty() || rest.starts_with('/'))
            else {
                continue;
            };
            // Of two mounts the deeper one is seen.
            if best.as_ref().is_some_and(|(deep, _)| *deep >= point.len()) {
                continue;
            }
            let host = word(mount, "name").and_then(|name| volume(pod, name));
            let below = word(mount, "subPath").unwrap_or_default();
            let below = if below.is_empty() {
                String::new()
            } else {
                format!("/{below}")
            };
            let host = host.map(|host| format!("{}{below}{rest}", host.trim_end_matches('/')));
            best = Some((point.len(), host.unwrap_or_default()));
        }
    }
    best.map(|(_, host)| host).filter(|host| !host.is_empty())
}

/// The path of a volume that is one of the node.
fn volume<'p>(pod: &'p Pod, name: &str) -> Option<&'p str> {
    let mut all = items(pod.spec().get("volumes"));
    let found = all.find(|volume| word(*volume, "name") == Some(name))?;
    word(found.get("hostPath")?, "path")
}

fn items(list: Option<Branch<'_>>) -> impl Iterator<Item = Branch<'_>> {
    let list = list.and_then(Branch::as_array);
    list.into_iter().flat_map(Items::iter)
}

fn word<'p>(of: Branch<'p>, key: &str) -> Option<&'p str> {
    of.get(key).and_then(Branch::as_str)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::tree::Tree;

    #[test]
    fn the_deepest_mount_counts() {
        let raw = json!({"spec": {
            "volumes": [
                {"name": "k", "hostPath": {"path": "/etc/kubernetes/pki/"}},
                {"name": "e", "emptyDir": {}},
            ],
            "containers": [{"volumeMounts": [
                {"name": "k", "mountPath": "/certs"},
                {"name": "e", "mountPath": "/certs/made"},
                {"name": "k", "mountPath": "/one", "subPath": "etcd"},
            ]}],
        }});
        let pod = Pod {
            namespace: "n".into(),
            name: "p".into(),
            raw: Tree::try_from(&raw).expect("small"),
        };
        for (path, wanted) in [
            ("/certs/a.crt", Some("/etc/kubernetes/pki/a.crt")),
            ("/certs", Some("/etc/kubernetes/pki")),
            ("/certs/made/a.crt", None),
            ("/one/a.crt", Some("/etc/kubernetes/pki/etcd/a.crt")),
            ("/certsx/a.crt", None),
        ] {
            assert_eq!(on_node(&pod, path).as_deref(), wanted, "{path}");
        }
    }
}
