//! Paths that the flags of static pods name, as the host has them.

use crate::model::fact::{Fact, Gap};
use crate::model::node::HostFacts;
use crate::model::pod::Pod;
use crate::model::tree::{Branch, Items};

/// Flags with a path that are kept of one node.
const FLAGS: usize = 200;

/// A flag of a container and the file that it leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FlagPath {
    /// The last part of the program's name.
    pub program: String,
    /// Without dashes in front.
    pub flag: String,
    /// On the host; none where the file is the image's own.
    pub host: Option<String>,
}

/// Every flag with an absolute path of every manifest, and why there may be more.
pub(super) fn of_manifests(facts: &HostFacts) -> (Vec<FlagPath>, Vec<Gap>) {
    let list = match &facts.manifests {
        Fact::Gap(gap) => return (Vec::new(), vec![gap.clone()]),
        Fact::Seen(seen) => &seen.value,
    };
    let mut out = Vec::new();
    let mut gaps: Vec<Gap> = Vec::new();
    for manifest in list {
        let pod = manifest.get().map(|seen| &seen.value.pod);
        match pod.and_then(Fact::get) {
            Ok(parsed) => out.extend(parsed.value.pod().into_iter().flat_map(of_pod)),
            Err(gap) => gaps.push(gap),
        }
    }
    out.truncate(FLAGS);
    gaps.dedup();
    (out, gaps)
}

fn of_pod(pod: &Pod) -> Vec<FlagPath> {
    let volumes = host_paths(pod);
    let mut out = Vec::new();
    for (_, container) in pod.containers() {
        let mounts = mounts(container, &volumes);
        let words: Vec<&str> = ["command", "args"]
            .into_iter()
            .filter_map(|key| container.get(key)?.as_array())
            .flat_map(Items::iter)
            .filter_map(Branch::as_str)
            .collect();
        let program = words.first().copied().unwrap_or_default();
        let program = program.rsplit('/').next().unwrap_or(program);
        let mut words = words.iter().peekable();
        while let Some(word) = words.next() {
            let Some(body) = word.strip_prefix("--") else {
                continue;
            };
            let (flag, path) = match body.split_once('=') {
                Some((flag, path)) => (flag, path),
                None => match words.peek() {
                    Some(next) => (body, **next),
                    None => continue,
                },
            };
            if path.starts_with('/') {
                out.push(FlagPath {
                    program: program.to_owned(),
                    flag: flag.replace('_', "-"),
                    host: on_host(path, &mounts),
                });
            }
        }
    }
    out
}

/// Name and path of volumes that are folders or files of the host.
pub(super) fn host_paths(pod: &Pod) -> Vec<(&str, &str)> {
    let volumes = pod.spec().get("volumes").and_then(Branch::as_array);
    volumes
        .into_iter()
        .flat_map(Items::iter)
        .filter_map(|volume| {
            let name = volume.get("name")?.as_str()?;
            let path = volume.get("hostPath")?.get("path")?.as_str()?;
            Some((name, path))
        })
        .collect()
}

/// Where the container sees what of the host.
fn mounts<'a>(container: Branch<'a>, volumes: &[(&str, &'a str)]) -> Vec<(&'a str, String)> {
    let mounts = container.get("volumeMounts").and_then(Branch::as_array);
    mounts
        .into_iter()
        .flat_map(Items::iter)
        .filter_map(|mount| {
            let name = mount.get("name")?.as_str()?;
            let at = mount.get("mountPath")?.as_str()?;
            let (_, host) = volumes.iter().find(|(volume, _)| *volume == name)?;
            let below = mount.get("subPath").and_then(Branch::as_str);
            let host = match below.filter(|below| !below.is_empty()) {
                Some(below) => format!("{}/{below}", host.trim_end_matches('/')),
                None => (*host).to_owned(),
            };
            Some((at.trim_end_matches('/'), host))
        })
        .collect()
}

fn on_host(path: &str, mounts: &[(&str, String)]) -> Option<String> {
    let covers = |at: &&(&str, String)| {
        let rest = path.strip_prefix(at.0);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let (at, host) = mounts
        .iter()
        .filter(covers)
        .max_by_key(|(at, _)| at.len())?;
    let host = host.trim_end_matches('/');
    Some(format!("{host}{}", &path[at.len()..]))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::text::Text;
    use crate::model::tree::Tree;

    #[test]
    fn a_flag_leads_to_the_file_of_the_host() {
        let raw = json!({"spec": {
            "containers": [{
                "command": ["/usr/local/bin/kube-apiserver", "--tls_cert-file=/pki/a.crt", "--own=/etc/own", "--x", "/pki/sub/b"],
                "args": ["--audit-log-path=/log/a.log", "--v=2", "--last"],
                "volumeMounts": [
                    {"name": "pki", "mountPath": "/pki/"},
                    {"name": "deep", "mountPath": "/pki/sub", "subPath": "s"},
                    {"name": "log", "mountPath": "/log"},
                    {"name": "scratch", "mountPath": "/etc"},
                ],
            }],
            "volumes": [
                {"name": "pki", "hostPath": {"path": "/srv/pki"}},
                {"name": "deep", "hostPath": {"path": "/srv/deep/"}},
                {"name": "log", "hostPath": {"path": "/"}},
                {"name": "scratch", "emptyDir": {}},
            ],
        }});
        let pod = Pod {
            namespace: Text::default(),
            name: Text::default(),
            raw: Tree::try_from(raw).expect("small"),
        };
        let found: Vec<(String, Option<String>)> = of_pod(&pod)
            .into_iter()
            .inspect(|found| assert_eq!(found.program, "kube-apiserver"))
            .map(|found| (found.flag, found.host))
            .collect();
        let want = |flag: &str, host: Option<&str>| (flag.to_owned(), host.map(str::to_owned));
        assert_eq!(
            found,
            [
                want("tls-cert-file", Some("/srv/pki/a.crt")),
                want("own", None),
                want("x", Some("/srv/deep/s/b")),
                want("audit-log-path", Some("/a.log")),
            ]
        );
    }
}
