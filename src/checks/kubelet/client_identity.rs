use crate::checks::check::{
    Check, Judge, Maps, Remediation, Tally, View, by_hand, kubectl, not_applicable, offence,
    on_node,
};
use crate::model::fact::{Gap, Locator, Need};
use crate::model::files::{Certificate, FileRole, KubeconfigContent};
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::text::Text;
use crate::model::verdict::{Severity, Subject, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-KUB-008"),
    title: "The kubelet is its own node and nobody else",
    why: "A kubelet that logs in as an administrator, or as another node, or as one of many with the same certificate, is not held to its own node by anything.",
    severity: Severity::High,
    since: "0.2.0",
    needs: &[Need::Kubeconfigs],
    helps: &[Need::Pki],
    maps: &[Maps::Cis("5.1.7"), Maps::Attack("T1078")],
    fix: Remediation {
        steps: &[
            on_node(
                "openssl x509 -noout -subject -enddate -in /var/lib/kubelet/pki/kubelet-client-current.pem",
            ),
            by_hand(
                "give the node an identity of its own: drain it, kubeadm reset, and join it again with a fresh token; a certificate of system:masters holds until it ends or the authority is changed",
            ),
            kubectl("kubectl get node {node}"),
        ],
        restarts: "all pods of the node, when it is drained",
        undo: &[by_hand(
            "the old kubeconfig is a risk; there is no reason to go back to it",
        )],
    },
    examples: &[
        (
            "{kubeconfigs: [{role: kubelet_kubeconfig, path: /etc/kubernetes/kubelet.conf}], kubeconfig_contents: [{path: /etc/kubernetes/kubelet.conf, client_files: [/var/lib/kubelet/pki/kubelet-client-current.pem]}], pki: [], \
             certificates: [{path: /var/lib/kubelet/pki/kubelet-client-current.pem, subject: 'system:node:cp-1', organizations: ['system:nodes']}]}",
            "PASS",
        ),
        (
            "{kubeconfigs: [{role: kubelet_kubeconfig, path: /k}], kubeconfig_contents: [{path: /k, clients: [{subject: kubernetes-admin, organizations: ['system:masters']}]}]}",
            "FAIL high: the kubelet logs in as kubernetes-admin of system:masters, whom nothing stops",
        ),
        (
            "{kubeconfigs: [{role: kubelet_kubeconfig, path: /k}, {gap: denied}], kubeconfig_contents: [{path: /k, clients: [{subject: 'system:node:w-7', organizations: ['system:nodes']}, {subject: kubelet, organizations: [nodes]}]}]}",
            "FAIL high: the kubelet logs in as system:node:w-7, and the node is cp-1; the kubelet logs in as kubelet, which is no node to the Node authorizer; gap: the login may not read it",
        ),
        (
            "{kubeconfigs: [{role: kubelet_kubeconfig, path: /k}], kubeconfig_contents: [{path: /k, logins: [exec]}]}",
            "MANUAL: /k lets the kubelet log in by exec: is it system:node:cp-1 then, and that alone?",
        ),
        (
            "kubeconfigs: []",
            "N/A: the kubelet has no kubeconfig: it stands alone",
        ),
        (
            "{kubeconfigs: [{role: kubelet_kubeconfig, path: /k}], kubeconfig_contents: [{path: /k, client_files: [/c.pem]}], pki: [], certificates: [{path: /c.pem, gap: denied}]}",
            "UNKNOWN: the login may not read it",
        ),
        (
            "{kubeconfigs: [{role: kubelet_kubeconfig, path: /k}], kubeconfig_contents: [{path: /k, client_files: [/c.pem]}], pki: []}",
            "UNKNOWN: the answer cannot be trusted: the certificate /c.pem, which was not looked into",
        ),
    ],
    judge: Judge::Node(judge),
    file: file!(),
};

fn judge(node: &NodeFacts, _: &View<'_>) -> Result<Verdict, Gap> {
    let seen = node.host.kubeconfigs.get()?;
    let mut tally = Tally::new();
    tally.good(seen.at);
    tally.gaps(seen.value.list.gaps.iter().cloned());
    let mut any = !seen.value.list.gaps.is_empty();
    for file in seen.value.list.of(FileRole::KubeletKubeconfig) {
        any = true;
        let mut contents = seen.value.contents.iter();
        let Some(found) = contents.find(|found| found.path == file.path) else {
            tally.gap(Gap::NotAsked);
            continue;
        };
        if let Some(content) = tally.take(&found.content) {
            logins(node, &file.path, (&content.value, content.at), &mut tally);
        }
    }
    if any {
        return tally.verdict();
    }
    let why = "the kubelet has no kubeconfig: it stands alone";
    Ok(not_applicable([seen.at], why))
}

fn logins(
    node: &NodeFacts,
    path: &Text,
    (content, at): (&KubeconfigContent, Locator),
    tally: &mut Tally,
) {
    for client in &content.clients {
        one(node, (path, client), at, tally);
    }
    for file in &content.client_files {
        let file = beside(path, file);
        match leaf(node, &file) {
            Ok((client, at)) => one(node, (&file, client), at, tally),
            Err(gap) => tally.gap(gap),
        }
    }
    if let Some(login) = content.logins.first() {
        tally.gap(Gap::NeedsHuman {
            question: Text::from(format!(
                "{path} lets the kubelet log in by {login}: is it system:node:{} then, and that alone?",
                node.name
            )),
        });
    } else if content.clients.is_empty() && content.client_files.is_empty() {
        tally.gap(Gap::Garbled {
            what: Text::from(format!("{path} does not say how the kubelet logs in")),
        });
    }
}

fn one(node: &NodeFacts, (path, client): (&Text, &Certificate), at: Locator, tally: &mut Tally) {
    let wanted = format!("system:node:{}", node.name);
    let has = |group: &str| client.organizations.iter().any(|own| *own == group);
    let name = &client.common_name;
    let wrong = if has("system:masters") {
        format!("the kubelet logs in as {name} of system:masters, whom nothing stops")
    } else if !has("system:nodes") || !name.as_str().starts_with("system:node:") {
        format!("the kubelet logs in as {name}, which is no node to the Node authorizer")
    } else if name.as_str() == wanted {
        return tally.good(at);
    } else {
        format!(
            "the kubelet logs in as {name}, and the node is {}",
            node.name
        )
    };
    tally.offence(offence(Subject::path(path), Severity::High, wrong, [at]));
}

/// A path of a kubeconfig counts from its folder.
fn beside(kubeconfig: &Text, file: &Text) -> Text {
    if file.as_str().starts_with('/') {
        return file.clone();
    }
    let folder = kubeconfig.as_str().rsplit_once('/');
    Text::from(format!(
        "{}/{file}",
        folder.map_or("", |(folder, _)| folder)
    ))
}

/// The first certificate of a file, which is the one that is shown.
fn leaf<'n>(node: &'n NodeFacts, path: &Text) -> Result<(&'n Certificate, Locator), Gap> {
    let garbled = || Gap::Garbled {
        what: Text::from(format!("the certificate {path}, which was not looked into")),
    };
    let mut files = node.host.pki.get()?.value.certificates.iter();
    let found = files.find(|found| found.path == *path);
    let content = found.ok_or_else(garbled)?.content.get()?;
    let first = content.value.first().ok_or_else(garbled)?;
    Ok((first, content.at))
}
