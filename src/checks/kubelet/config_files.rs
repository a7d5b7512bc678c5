use crate::checks::access::readers;
use crate::checks::check::{
    Check, Judge, Maps, Remediation, Tally, View, by_hand, offence, on_node,
};
use crate::checks::exposure::{Exposure, Looked, looked};
use crate::model::fact::{Gap, Need};
use crate::model::files::FileRole;
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::verdict::{Severity, Subject, Verdict};

/// What CIS asks of them.
const LIMIT: u32 = 0o600;

pub static CHECK: Check = Check {
    id: CheckId("SP-KUB-010"),
    title: "Only root can change the kubelet's configuration",
    why: "Whoever can change one of these files sets staticPodPath, turns off authentication, or lets the kubelet run what they like.",
    severity: Severity::High,
    since: "0.2.0",
    needs: &[Need::KubeletFiles],
    helps: &[Need::Accounts, Need::KubeletConfig],
    maps: &[
        Maps::Cis("4.1.9"),
        Maps::Cis("4.1.10"),
        Maps::Attack("T1543"),
    ],
    fix: Remediation {
        steps: &[
            on_node("chown root:root {path}"),
            on_node("chmod go-w {path}"),
            by_hand(
                "compare its content with what you wrote: whoever could change it may have done so",
            ),
        ],
        restarts: "nothing; a changed configuration acts after systemctl restart kubelet, pods keep running",
        undo: &[by_hand("the old owner and mode are in the evidence")],
    },
    examples: &[
        (
            "kubelet_files: [{role: kubelet_config, path: /var/lib/kubelet/config.yaml, mode: '0600'}]",
            "PASS",
        ),
        (
            "{kubelet: {}, kubelet_files: [{role: kubelet_config, path: /var/lib/kubelet/config.yaml, mode: '0644'}, {role: kubelet_drop_in, path: /etc/k.d/10-a.conf, mode: '0600'}]}",
            "PASS: readable beyond root, which CIS forbids and which tells no secret: config.yaml (0644 0:0)",
        ),
        (
            "{kubelet: {staticPodURLHeader.Authorization: ['<masked 00112233>']}, kubelet_files: [{role: kubelet_config, path: /var/lib/kubelet/config.yaml, mode: '0644'}]}",
            "FAIL high: mode 0644: everyone can read it, and staticPodURLHeader may hold a token",
        ),
        (
            "{kubelet: {staticPodURLHeader.Authorization: ['<masked 00112233>']}, kubelet_files: [{role: kubelet_config, path: /var/lib/kubelet/config.yaml, mode: '0644'}], fs: {/var/lib/kubelet: {mode: '0700'}}}",
            "PASS: readable beyond root, which CIS forbids and which tells no secret: config.yaml (0644 0:0)",
        ),
        (
            "{kubelet: {gap: denied}, kubelet_files: [{role: kubelet_config, path: /var/lib/kubelet/config.yaml, mode: '0644'}]}",
            "UNKNOWN: the login may not read it",
        ),
        (
            "{kubelet_files: [{role: kubelet_config, path: /var/lib/kubelet/config.yaml, mode: '0664', owner: '0:995'}], accounts: {users: ['alice:1000:1000'], groups: ['kube:995:alice']}}",
            "FAIL high: mode 0664: group kube (995: alice) can change it",
        ),
        (
            "kubelet_files: [{role: kubelet_config_dir, path: /etc/k.d, mode: '0777'}, {role: kubelet_drop_in, path: /etc/k.d/10-a.conf}]",
            "FAIL high: mode 0777: everyone can put files into it; everyone can replace 10-a.conf in it",
        ),
        (
            "kubelet_files: [{role: kubelet_config, path: /c.yaml, mode: '0606'}, {gap: denied}]",
            "FAIL high: mode 0606: everyone can change it; gap: the login may not read it",
        ),
        (
            "kubelet_files: [{role: program, path: /usr/bin/kubelet}]",
            "PASS: it has no configuration file, only flags",
        ),
        (
            "{kubelet_files: [{role: kubelet_config, path: /var/lib/kubelet/config.yaml}], fs: {/var/lib/kubelet: {gap: denied}}}",
            "UNKNOWN: the login may not read it",
        ),
        (
            "kubelet_files: {gap: denied}",
            "UNKNOWN: the login may not read it",
        ),
    ],
    judge: Judge::Node(judge),
    file: file!(),
};

fn judge(node: &NodeFacts, _: &View<'_>) -> Result<Verdict, Gap> {
    let seen = node.host.kubelet_files.get()?;
    let list = &seen.value.list;
    let roles = [
        FileRole::KubeletConfig,
        FileRole::KubeletConfigDir,
        FileRole::KubeletDropIn,
    ];
    let files = looked(&node.host, list, Need::KubeletFiles, &roles);
    let mut tally = Tally::new();
    tally.good(seen.at);
    tally.gaps(list.gaps.iter().cloned());
    let mut exposure = Exposure::new(&node.host);
    let header = header(node);
    let mut wide = Vec::new();
    for seen in &files {
        let closed = exposure.changed(seen, Severity::High, &mut tally);
        let is_file = seen.role != FileRole::KubeletConfigDir;
        if !closed || !is_file || seen.is_narrow(LIMIT) {
            continue;
        }
        match &header {
            Ok(true) => told(node, seen, &mut tally),
            Ok(false) => {}
            Err(gap) => tally.gap(gap.clone()),
        }
        wide.push(seen.words());
    }
    exposure.done(&mut tally);
    if !wide.is_empty() {
        let words = wide.join(", ");
        tally.note(format!(
            "readable beyond root, which CIS forbids and which tells no secret: {words}"
        ));
    }
    if files.is_empty() {
        tally.note("it has no configuration file, only flags");
    }
    tally.verdict()
}

/// Whether headers go with the request for static pods: they are there to hold a token.
///
/// # Errors
/// Why it is not known.
fn header(node: &NodeFacts) -> Result<bool, Gap> {
    let kubelet = &node.host.kubelet.get()?.value;
    // The gap of a layer that may set it.
    if kubelet.setting(HEADER)?.is_some() {
        return Ok(true);
    }
    let mut keys = kubelet.settings.iter().map(|entry| entry.key);
    Ok(keys.any(|key| {
        key.strip_prefix(HEADER)
            .is_some_and(|rest| rest.starts_with('.'))
    }))
}

const HEADER: &str = "staticPodURLHeader";

/// Who reads the headers.
fn told(node: &NodeFacts, seen: &Looked<'_>, tally: &mut Tally) {
    let reach = readers(&seen.walk, &node.host.accounts);
    for way in &reach.ways {
        let mode = seen.walk.object().map(|hop| hop.stat.mode.to_string());
        let message = format!(
            "mode {}: {} can read it, and {HEADER} may hold a token",
            mode.unwrap_or_default(),
            way.people()
        );
        let subject = Subject::path(seen.path);
        tally.offence(offence(subject, Severity::High, message, [seen.at]));
    }
    tally.gaps(reach.gaps);
}
