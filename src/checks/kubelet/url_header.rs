use super::provenance::rows;
use crate::checks::access::readers;
use crate::checks::check::{
    Check, Judge, Maps, Remediation, Tally, View, by_hand, not_applicable, offence, on_node,
};
use crate::checks::exposure::looked;
use crate::checks::holders::grants;
use crate::model::fact::{Gap, Need};
use crate::model::files::FileRole;
use crate::model::kubelet::{Kubelet, Layer, LayerKind};
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::objects::{Holder, Rule};
use crate::model::text::Text;
use crate::model::verdict::{Severity, Subject, Verdict};

const KEY: &str = "staticPodURLHeader";
/// Parts of names of headers that hold what nobody else may know.
const SECRET: [&str; 8] = [
    "auth",
    "cookie",
    "credential",
    "key",
    "password",
    "secret",
    "session",
    "token",
];

pub static CHECK: Check = Check {
    id: CheckId("SP-KUB-015"),
    title: "The header for a static pod URL is no readable secret",
    why: "Whoever reads the token asks the server for the node's pods in the kubelet's name, and may be able to change what it serves.",
    severity: Severity::High,
    since: "0.2.0",
    needs: &[Need::KubeletConfig],
    helps: &[
        Need::KubeletFiles,
        Need::Accounts,
        Need::ClusterRoles,
        Need::ClusterRoleBindings,
    ],
    maps: &[Maps::Attack("T1552"), Maps::Ms("MS-M9032")],
    fix: Remediation {
        steps: &[
            by_hand(
                "save what the URL serves as files in the static pod folder; remove staticPodURL and staticPodURLHeader from the kubelet's configuration, and --manifest-url-header from its flags",
            ),
            on_node("systemctl restart kubelet"),
            by_hand("make the token worthless where it was made: it may have been read"),
        ],
        restarts: "the kubelet, for a few seconds; pods keep running",
        undo: &[
            by_hand("put the old value back into the configuration file"),
            on_node("systemctl restart kubelet"),
        ],
    },
    examples: &[
        (
            "kubelet: {}",
            "N/A: no header goes with a request for static pods",
        ),
        (
            "{kubelet: {staticPodURLHeader.Authorization: ['<masked 00112233>']}, kubelet_files: [{role: kubelet_config, path: /var/lib/kubelet/config.yaml, mode: '0600'}], cluster_roles: [], cluster_role_bindings: []}",
            "PASS",
        ),
        (
            "{kubelet: {staticPodURLHeader.Authorization: ['<masked 00112233>']}, kubelet_files: [{role: kubelet_config, path: /var/lib/kubelet/config.yaml, mode: '0644'}], cluster_roles: [], cluster_role_bindings: []}",
            "FAIL high: everyone can read it, and its header Authorization opens the static pod URL",
        ),
        (
            "{kubelet: {layers: [{kind: flag, origin: --manifest-url-header, set: {staticPodURLHeader.X-Token: ['<masked 00112233>']}}]}, cluster_roles: [], cluster_role_bindings: []}",
            "FAIL high: header X-Token is on the kubelet's command line, which every user of the node can read",
        ),
        (
            "{kubelet: {staticPodURLHeader.X-Token: ['<masked 00112233>']}, kubelet_files: [{role: kubelet_config, path: /var/lib/kubelet/config.yaml, mode: '0600'}], cluster_roles: [{name: viewer, rules: [{apiGroups: [''], resources: [nodes/configz], verbs: [get]}]}], cluster_role_bindings: [{name: viewers, roleKind: ClusterRole, role: viewer, subjects: [{kind: Group, name: dev}]}]}",
            "FAIL high: the kubelet shows header X-Token unmasked by nodes/configz and nodes/proxy, which Group dev may get",
        ),
        (
            "{kubelet: {staticPodURLHeader.X-Zone: [a]}, kubelet_files: [{role: kubelet_config, path: /var/lib/kubelet/config.yaml, mode: '0644'}], cluster_roles: [], cluster_role_bindings: []}",
            "MANUAL: is the header X-Zone a secret? everyone can read /var/lib/kubelet/config.yaml",
        ),
        (
            "{kubelet: {staticPodURLHeader.X-Token: ['<masked 00112233>']}, kubelet_files: {gap: denied}, cluster_roles: [], cluster_role_bindings: []}",
            "UNKNOWN: the login may not read it",
        ),
        (
            "kubelet: {layers: [{kind: drop_in, origin: /etc/k.d, gap: denied}]}",
            "UNKNOWN: the login may not read it",
        ),
    ],
    judge: Judge::Node(judge),
    file: file!(),
};

fn judge(node: &NodeFacts, view: &View<'_>) -> Result<Verdict, Gap> {
    let kubelet = node.host.kubelet.get()?;
    // The gap of a layer that may set one.
    kubelet.value.setting(KEY)?;
    let headers = headers(&kubelet.value);
    if headers.is_empty() {
        let why = "no header goes with a request for static pods";
        return Ok(not_applicable([kubelet.at], why));
    }
    let mut tally = Tally::new();
    tally.good(kubelet.at);
    for (name, layer) in &headers {
        match layer.kind {
            LayerKind::Flag => tally.offence(offence(
                Subject::setting("--manifest-url-header"),
                Severity::High,
                format!(
                    "header {name} is on the kubelet's command line, which every user of the node can read"
                ),
                [kubelet.at, layer.at],
            )),
            _ => in_file(node, (name, layer), &mut tally),
        }
    }
    if let Some((name, _)) = headers.iter().find(|(name, _)| is_secret(name)) {
        shown(view, name, &mut tally);
    }
    tally.verdict()
}

/// The names of all headers, also of those that a stronger layer overrides: they lie in their file all the same.
fn headers(kubelet: &Kubelet) -> Vec<(String, &Layer)> {
    let name = |key: &str| {
        let rest = key.strip_prefix(KEY)?;
        (rest.is_empty() || rest.starts_with('.')).then(|| rest.trim_start_matches('.').to_owned())
    };
    let set = rows(kubelet).into_iter();
    let set = set.filter_map(|row| Some((name(row.key)?, row.layer)));
    let hidden = kubelet.overridden.iter().filter_map(|old| {
        let layer = kubelet.layers.get(usize::from(old.layer))?;
        Some((name(old.key.as_str())?, layer))
    });
    set.chain(hidden).collect()
}

fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    // A value that has no name is taken for one.
    name.is_empty() || SECRET.iter().any(|part| name.contains(part))
}

fn in_file(node: &NodeFacts, (name, layer): (&str, &Layer), tally: &mut Tally) {
    let Some(files) = tally.take(&node.host.kubelet_files) else {
        return;
    };
    let list = &files.value.list;
    let roles = [FileRole::KubeletConfig, FileRole::KubeletDropIn];
    let all = looked(&node.host, list, Need::KubeletFiles, &roles);
    let Some(seen) = all
        .iter()
        .find(|seen| Some(seen.path) == layer.origin.as_ref())
    else {
        return tally.gap(list.gaps.first().cloned().unwrap_or(Gap::Garbled {
            what: Text::new("the file of staticPodURLHeader was not looked at"),
        }));
    };
    tally.good(seen.at);
    let reach = readers(&seen.walk, &node.host.accounts);
    for way in &reach.ways {
        let people = way.people();
        if is_secret(name) {
            let message =
                format!("{people} can read it, and its header {name} opens the static pod URL");
            let subject = Subject::path(seen.path);
            tally.offence(offence(
                subject,
                Severity::High,
                message,
                [seen.at, layer.at],
            ));
        } else {
            tally.gap(Gap::NeedsHuman {
                question: Text::from(format!(
                    "is the header {name} a secret? {people} can read {}",
                    seen.path
                )),
            });
        }
    }
    tally.gaps(reach.gaps);
}

/// Who may ask the kubelet for its configuration.
fn shown(view: &View<'_>, name: &str, tally: &mut Tally) {
    let asks = |rule: &Rule| {
        let of = |resource| rule.grants("get", "", resource);
        of("nodes/configz") || of("nodes/proxy")
    };
    let grants = match grants(&view.snapshot.cluster.objects, asks) {
        Ok(grants) => grants,
        Err(gap) => return tally.gap(gap),
    };
    tally.all_good(&grants.evidence);
    tally.gaps(grants.gaps.iter().cloned());
    for grant in &grants.all {
        let Holder {
            kind, name: who, ..
        } = grant.holder;
        let api_server = *kind == "User" && *who == "kube-apiserver-kubelet-client";
        if !grant.is_expected() && !api_server {
            tally.offence(offence(
                Subject::object("clusterrolebindings", "", &grant.binding.name),
                Severity::High,
                format!(
                    "the kubelet shows header {name} unmasked by nodes/configz and nodes/proxy, which {kind} {who} may get"
                ),
                grant.evidence,
            ));
        }
    }
}
