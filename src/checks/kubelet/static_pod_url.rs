use std::net::IpAddr;

use super::process;
use super::setting::{effective, garbled};
use crate::checks::check::{
    Check, Judge, Maps, Remediation, View, by_hand, fail, on_node, pass, pass_note,
};
use crate::model::fact::{Gap, Need, Seen};
use crate::model::kubelet::Kubelet;
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::verdict::{Severity, Subject, Verdict};

const KEY: &str = "staticPodURL";

pub static CHECK: Check = Check {
    id: CheckId("SP-KUB-014"),
    title: "Kubelet takes no static pods from a URL",
    why: "Whoever answers at that URL, or sits on the way to it, runs root pods on the node that no admission ever sees.",
    severity: Severity::Critical,
    since: "0.1.0",
    needs: &[Need::KubeletConfig],
    helps: &[Need::Processes],
    maps: &[Maps::Ms("MS-M9032"), Maps::Attack("T1543")],
    fix: Remediation {
        steps: &[
            by_hand(
                "save what the URL serves as files in the static pod folder, root:root and mode 0600, so that the pods keep running",
            ),
            by_hand(
                "remove staticPodURL and staticPodURLHeader from the kubelet's configuration, and --manifest-url from its flags",
            ),
            on_node("systemctl restart kubelet"),
        ],
        restarts: "the kubelet, for a few seconds; pods that came from the URL stop unless a file has taken their place",
        undo: &[
            by_hand("put staticPodURL back into the configuration"),
            on_node("systemctl restart kubelet"),
        ],
    },
    examples: &[
        ("kubelet: {}", "PASS"),
        ("kubelet: {staticPodURL: ''}", "PASS"),
        (
            "{kubelet: {staticPodURL: 'http://127.0.0.1:7443/manifests', command: [/var/lib/k0s/bin/kubelet]}, processes: [{comm: kubelet, exe: /var/lib/k0s/bin/kubelet}]}",
            "PASS: k0s serves its own static pods on 127.0.0.1",
        ),
        (
            "{kubelet: {staticPodURL: 'http://127.0.0.1:7443/manifests', command: [/var/lib/k0s/bin/kubelet]}, processes: [{comm: kubelet, exe: /usr/bin/kubelet}]}",
            "FAIL medium: static pods come from http://127.0.0.1: any local process that takes the port decides what runs, set in /var/lib/kubelet/config.yaml",
        ),
        (
            "{kubelet: {staticPodURL: 'http://127.0.0.1:7443/manifests', command: [/var/lib/k0s/bin/kubelet]}, processes: {gap: denied}}",
            "UNKNOWN: the login may not read it",
        ),
        (
            "kubelet: {staticPodURL: 'http://localhost:8080/pods'}",
            "FAIL medium: static pods come from http://localhost: any local process that takes the port decides what runs, set in /var/lib/kubelet/config.yaml",
        ),
        (
            "kubelet: {staticPodURL: 'http://user:secret@boot.example.org/pods'}",
            "FAIL critical: static pods come from http://boot.example.org without encryption, set in /var/lib/kubelet/config.yaml",
        ),
        (
            "kubelet: {layers: [{kind: flag, origin: --manifest-url, set: {staticPodURL: 'https://boot.example.org/pods'}}]}",
            "FAIL high: static pods come from https://boot.example.org, set by --manifest-url",
        ),
        (
            "kubelet: {staticPodURL: 'http://127.0.0.1@boot.example.org/pods'}",
            "FAIL critical: static pods come from http://boot.example.org without encryption, set in /var/lib/kubelet/config.yaml",
        ),
        (
            "kubelet: {staticPodURL: [1]}",
            "UNKNOWN: the answer cannot be trusted: kubelet setting staticPodURL is not a string",
        ),
        (
            "kubelet: {gap: denied}",
            "UNKNOWN: the login may not read it",
        ),
    ],
    judge: Judge::Node(judge),
    file: file!(),
};

fn judge(node: &NodeFacts, _: &View<'_>) -> Result<Verdict, Gap> {
    let kubelet = node.host.kubelet.get()?;
    let Some(setting) = effective(kubelet, KEY)? else {
        return Ok(pass([kubelet.at]));
    };
    let url = setting
        .value
        .as_str()
        .ok_or_else(|| garbled(KEY, "is not a string"))?;
    if url.is_empty() {
        return Ok(pass(setting.evidence));
    }
    let (scheme, host) = origin(url);
    if is_loopback(host) && is_k0s(node, kubelet)? {
        let note = format!("k0s serves its own static pods on {host}");
        return Ok(pass_note(setting.evidence, note));
    }
    let (severity, words) = if is_loopback(host) {
        let words = ": any local process that takes the port decides what runs";
        (Severity::Medium, words)
    } else if scheme == "https" {
        (Severity::High, "")
    } else {
        (Severity::Critical, " without encryption")
    };
    Ok(fail(
        Subject::setting(KEY),
        severity,
        format!(
            "static pods come from {scheme}://{host}{words}, {}",
            setting.origin
        ),
        setting.evidence,
    ))
}

/// Scheme and host of a URL. Path, query and credentials may hold secrets and are left out.
fn origin(url: &str) -> (&str, &str) {
    let (scheme, rest) = url.split_once("://").unwrap_or(("", url));
    let authority = rest.split(['/', '?', '#', '\\']).next().unwrap_or(rest);
    let host = authority.rsplit('@').next().unwrap_or(authority);
    let host = match host.strip_prefix('[') {
        Some(v6) => v6.split(']').next().unwrap_or(v6),
        None => host.split(':').next().unwrap_or(host),
    };
    (scheme, host)
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// k0s runs its kubelet from its own folder, and its load balancer as a static pod from a URL of its own. The first word
/// of a command line is what its starter makes it: the file that was started counts.
fn is_k0s(node: &NodeFacts, kubelet: &Seen<Kubelet>) -> Result<bool, Gap> {
    const PROGRAM: &str = "/var/lib/k0s/bin/kubelet";
    let process = kubelet.value.process.as_ref();
    let said = process.and_then(|process| process.command.first());
    if said.is_none_or(|program| program.as_str() != PROGRAM) {
        return Ok(false);
    }
    let exe = process::own(node, kubelet)?.exe.get()?.value.as_str();
    Ok(exe.strip_suffix(" (deleted)").unwrap_or(exe) == PROGRAM)
}
