use crate::checks::check::{
    Check, Judge, Maps, Remediation, Tally, View, by_hand, not_applicable, offence, on_node,
};
use crate::checks::exposure::{Looked, looked};
use crate::model::fact::{Fact, Gap, Locator, Need};
use crate::model::files::FileRole;
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::pod::Pod;
use crate::model::text::Text;
use crate::model::tree::{Branch, Items};
use crate::model::unix::{FileKind, WalkEnd};
use crate::model::verdict::{Severity, Subject, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-MRG-019"),
    title: "What static pods mount from the node is there",
    why: "Where a path is missing or of another kind the pod does not start, or the kubelet makes an empty folder of root's in its place and the pod runs without its configuration.",
    severity: Severity::Medium,
    since: "0.2.0",
    needs: &[Need::Manifests, Need::HostPaths],
    helps: &[],
    maps: &[Maps::Source("hostPath.type of the Pod API")],
    fix: Remediation {
        steps: &[
            on_node("ls -ld {path}"),
            by_hand("make what is missing, or correct the path or its type in the manifest"),
        ],
        restarts: "the kubelet starts the pod by itself once the path is there",
        undo: &[by_hand("take away what was made")],
    },
    examples: &[
        (
            "{dir: {}, host_paths: [{role: host_path, path: /etc/k}], manifests: [{file: a.yaml, pod: {metadata: {name: a, namespace: x}, spec: {containers: [{name: c}], volumes: [{name: v, hostPath: {path: /etc/k, type: Directory}}]}}}]}",
            "PASS",
        ),
        (
            "{dir: {}, host_paths: [{role: host_path, path: /etc/k, absent: true}], manifests: [{file: a.yaml, pod: {metadata: {name: a, namespace: x}, spec: {containers: [{name: c}], volumes: [{name: v, hostPath: {path: /etc/k, type: Directory}}]}}}, {gap: denied}]}",
            "FAIL medium: x/a wants a Directory, and it does not exist: the pod does not start; gap: the login may not read it",
        ),
        (
            "{dir: {}, host_paths: [{role: host_path, path: /etc/k, kind: regular}], manifests: [{file: a.yaml, pod: {metadata: {name: a, namespace: x}, spec: {containers: [{name: c}], volumes: [{name: v, hostPath: {path: /etc/k, type: Directory}}]}}}]}",
            "FAIL medium: x/a wants a Directory, and it is a file: the pod does not start",
        ),
        (
            "{dir: {}, host_paths: [{role: host_path, path: /etc/k, absent: true}], manifests: [{file: a.yaml, pod: {metadata: {name: a, namespace: x}, spec: {containers: [{name: c}], volumes: [{name: v, hostPath: {path: /etc/k, type: DirectoryOrCreate}}]}}}]}",
            "FAIL info: x/a wants a DirectoryOrCreate, and it does not exist: an empty one is made",
        ),
        (
            "{dir: {}, host_paths: [], manifests: [{file: a.yaml, pod: x/a}]}",
            "N/A: no manifest mounts a path of the node",
        ),
        (
            "{dir: {}, host_paths: [{role: host_path, path: /etc/k, gap: denied}], manifests: [{file: a.yaml, pod: {metadata: {name: a, namespace: x}, spec: {containers: [{name: c}], volumes: [{name: v, hostPath: {path: /etc/k, type: File}}]}}}]}",
            "UNKNOWN: the login may not read it",
        ),
    ],
    judge: Judge::Node(judge),
    file: file!(),
};

fn judge(node: &NodeFacts, _: &View<'_>) -> Result<Verdict, Gap> {
    let paths = node.host.host_paths.get()?;
    let manifests = node.host.manifests.get()?;
    let list = &paths.value;
    let known = looked(&node.host, list, Need::HostPaths, &[FileRole::HostPath]);
    let mut tally = Tally::new();
    tally.good(paths.at);
    tally.good(manifests.at);
    let mut mounts = false;
    for manifest in &manifests.value {
        let Some(seen) = tally.take(manifest) else {
            continue;
        };
        let Some(parsed) = tally.take(&seen.value.pod) else {
            continue;
        };
        for volume in parsed.value.pod().into_iter().flat_map(volumes) {
            mounts = true;
            one(&volume, &known, parsed.at, &mut tally);
        }
    }
    match tally.verdict()? {
        Verdict::Pass { .. } if !mounts => {
            let why = "no manifest mounts a path of the node";
            Ok(not_applicable([paths.at, manifests.at], why))
        }
        verdict => Ok(verdict),
    }
}

/// A hostPath of a pod.
struct Volume<'a> {
    pod: &'a Pod,
    path: &'a str,
    kind: &'a str,
}

fn volumes(pod: &Pod) -> Vec<Volume<'_>> {
    let list = pod.spec().get("volumes").and_then(Branch::as_array);
    let items = list.into_iter().flat_map(Items::iter);
    items
        .filter_map(|volume| {
            let host = volume.get("hostPath")?;
            let kind = host.get("type").and_then(Branch::as_str);
            Some(Volume {
                pod,
                path: host.get("path")?.as_str()?,
                kind: kind.unwrap_or_default(),
            })
        })
        .collect()
}

fn one(volume: &Volume<'_>, known: &[Looked<'_>], at: Locator, tally: &mut Tally) {
    let path = Text::new(volume.path);
    let Some(seen) = known.iter().find(|seen| *seen.path == path) else {
        return tally.gap(Gap::Garbled {
            what: Text::from(format!("{path} was not looked at")),
        });
    };
    if let (WalkEnd::Blocked, Some(Fact::Gap(gap))) = (seen.walk.end, seen.walk.hops.last()) {
        return tally.gap(gap.clone());
    }
    let found = seen.walk.object().map(|hop| hop.stat.kind);
    let pod = format!("{}/{}", volume.pod.namespace, volume.pod.name);
    let wanted = format!("{pod} wants a {}", volume.kind);
    let (severity, message) = match (wants(volume.kind), found) {
        (Some((kind, _)), Some(found)) if kind != found => (
            Severity::Medium,
            format!(
                "{wanted}, and it is {}: the pod does not start",
                word(found)
            ),
        ),
        (Some((_, false)), None) => (
            Severity::Medium,
            format!("{wanted}, and it does not exist: the pod does not start"),
        ),
        (Some((_, true)), None) => (
            Severity::Info,
            format!("{wanted}, and it does not exist: an empty one is made"),
        ),
        _ => return tally.good(at),
    };
    let subject = Subject::path(&path);
    tally.offence(offence(subject, severity, message, [at, seen.at]));
}

/// The kind that a type asks for, and whether the kubelet makes it; none where anything goes.
fn wants(kind: &str) -> Option<(FileKind, bool)> {
    Some(match kind {
        "Directory" => (FileKind::Directory, false),
        "DirectoryOrCreate" => (FileKind::Directory, true),
        "File" => (FileKind::Regular, false),
        "FileOrCreate" => (FileKind::Regular, true),
        "Socket" => (FileKind::Socket, false),
        "CharDevice" => (FileKind::Char, false),
        "BlockDevice" => (FileKind::Block, false),
        _ => return None,
    })
}

fn word(kind: FileKind) -> &'static str {
    match kind {
        FileKind::Regular => "a file",
        FileKind::Directory => "a folder",
        FileKind::Symlink => "a link",
        FileKind::Fifo => "a pipe",
        FileKind::Socket => "a socket",
        FileKind::Block | FileKind::Char => "a device",
        FileKind::Other => "of another kind",
    }
}
