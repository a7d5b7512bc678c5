use crate::checks::check::{
    Check, Judge, Maps, Remediation, Tally, View, by_hand, offence, on_node,
};
use crate::checks::exposure::{Looked, looked};
use crate::model::fact::Seen;
use crate::model::fact::{Gap, Need};
use crate::model::files::{FileRole, Files};
use crate::model::kubelet::{Kubelet, LayerKind, UnitFlags};
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::text::Text;
use crate::model::unix::{FileKind, Stat};
use crate::model::verdict::{Severity, Subject, Verdict};

/// Seconds by which the time of a start may be off: clock, boot time and start are told in whole ones.
const SLACK: i64 = 2;

pub static CHECK: Check = Check {
    id: CheckId("SP-KUB-012"),
    title: "The kubelet runs with the configuration that lies on disk",
    why: "A file that was changed and is not loaded yet shows one configuration to whoever looks, and brings another with the next restart.",
    severity: Severity::Medium,
    since: "0.2.0",
    needs: &[Need::KubeletConfig, Need::KubeletFiles],
    helps: &[],
    maps: &[Maps::Attack("T1543")],
    fix: Remediation {
        steps: &[
            by_hand(
                "find out who changed {path} and why: its content, and that of the folder of drop-ins, against what you keep in git",
            ),
            on_node("systemctl restart kubelet"),
        ],
        restarts: "the kubelet, for a few seconds; pods keep running",
        undo: &[
            by_hand("put the old value back into the configuration file"),
            on_node("systemctl restart kubelet"),
        ],
    },
    examples: &[
        (
            "{kubelet: {}, kubelet_files: [{role: kubelet_config, path: /var/lib/kubelet/config.yaml, mtime: 90}]}",
            "PASS",
        ),
        (
            "{kubelet: {}, kubelet_files: [{role: kubelet_config, path: /var/lib/kubelet/config.yaml, mtime: 102}]}",
            "PASS",
        ),
        (
            "{kubelet: {unit: {}}, kubelet_files: [{role: kubelet_config, path: /var/lib/kubelet/config.yaml}, {role: environment, path: /etc/default/kubelet, mtime: 900}]}",
            "PASS: its unit would start it with the same flags",
        ),
        (
            "{kubelet: {}, kubelet_files: [{role: kubelet_config, path: /var/lib/kubelet/config.yaml, mtime: 400}]}",
            "FAIL medium: written 300 s after the kubelet started, which runs with what it said before",
        ),
        (
            "{kubelet: {layers: [{kind: drop_in, origin: /etc/k.d/10.conf}]}, kubelet_files: [{role: kubelet_config, path: /var/lib/kubelet/config.yaml}, {role: kubelet_config_dir, path: /etc/k.d, mtime: 400}, {role: kubelet_drop_in, path: /etc/k.d/10.conf, mtime: 400}]}",
            "FAIL medium: written 300 s after the kubelet started, which runs with what it said before; gap: a person has to decide: which drop-ins of /etc/k.d came or went after the kubelet started?",
        ),
        (
            "{kubelet: {}, kubelet_files: [{role: kubelet_config, path: /var/lib/kubelet/config.yaml, absent: true}]}",
            "FAIL medium: gone since the kubelet started, and it does not start without it",
        ),
        (
            "{kubelet: {unit: {unit: ['--read-only-port'], process: ['--v']}}, kubelet_files: [{role: kubelet_config, path: /var/lib/kubelet/config.yaml}]}",
            "FAIL medium: its unit would start it with another --read-only-port, and it runs with --v that the unit does not give",
        ),
        (
            "{kubelet: {}, kubelet_files: [{role: kubelet_config, path: /var/lib/kubelet/config.yaml, mtime: 50, ctime: 400}]}",
            "MANUAL: is /var/lib/kubelet/config.yaml what the kubelet started with? it was put there, or its owner or mode was changed, after the start",
        ),
        (
            "{kubelet: {}, kubelet_files: [{role: kubelet_config, path: /var/lib/kubelet/config.yaml}, {role: environment, path: /var/lib/kubelet/kubeadm-flags.env, mtime: 400}]}",
            "MANUAL: does /var/lib/kubelet/kubeadm-flags.env give the kubelet the flags that it runs with? it was written after the start",
        ),
        (
            "{kubelet: {started: untold}, kubelet_files: []}",
            "UNKNOWN: the answer cannot be trusted: when the kubelet started is not told",
        ),
        (
            "{kubelet: {stopped: true}, kubelet_files: []}",
            "UNKNOWN: the kubelet does not act: no kubelet process was found",
        ),
        (
            "{kubelet: {}, kubelet_files: {gap: denied}}",
            "UNKNOWN: the login may not read it",
        ),
    ],
    judge: Judge::Node(judge),
    file: file!(),
};

fn judge(node: &NodeFacts, _: &View<'_>) -> Result<Verdict, Gap> {
    let kubelet = node.host.kubelet.get()?;
    let files = node.host.kubelet_files.get()?;
    let process = kubelet.value.process.as_ref();
    let process = process.ok_or_else(|| Gap::KubeletStopped {
        detail: Text::new("no kubelet process was found"),
    })?;
    let start = process.started.ok_or_else(|| Gap::Garbled {
        what: Text::new("when the kubelet started is not told"),
    })?;
    let mut tally = Tally::new();
    tally.all_good(&[kubelet.at, files.at]);
    let list = &files.value.list;
    let layers = kubelet.value.layers.iter();
    let layers = layers.filter(|layer| matches!(layer.kind, LayerKind::File | LayerKind::DropIn));
    let roles = [FileRole::KubeletConfig, FileRole::KubeletDropIn];
    let known = looked(&node.host, list, Need::KubeletFiles, &roles);
    for path in layers.filter_map(|layer| layer.origin.as_ref()) {
        match known.iter().find(|seen| seen.path == path) {
            Some(seen) => configuration(seen, start, &mut tally),
            // The folder of drop-ins stands in for what could not be listed.
            None => tally.gap(list.gaps.first().cloned().unwrap_or_else(|| unseen(path))),
        }
    }
    let roles = [FileRole::KubeletConfigDir];
    for seen in looked(&node.host, list, Need::KubeletFiles, &roles) {
        if stat(&seen).is_some_and(|stat| after(stat.mtime, start).is_some()) {
            tally.gap(question(format!(
                "which drop-ins of {} came or went after the kubelet started?",
                seen.path
            )));
        }
    }
    match &kubelet.value.unit {
        Some(unit) => flags(unit, kubelet, &mut tally),
        None => environment(node, list, (&kubelet.value, start), &mut tally),
    }
    tally.verdict()
}

fn unseen(path: &Text) -> Gap {
    Gap::Garbled {
        what: Text::from(format!("{path} was not looked at")),
    }
}

fn question(question: String) -> Gap {
    Gap::NeedsHuman {
        question: Text::from(question),
    }
}

fn stat<'s>(seen: &'s Looked<'_>) -> Option<&'s Stat> {
    seen.walk.object().map(|hop| &hop.stat)
}

/// By how many seconds a time is behind the start.
fn after(time: Option<i64>, start: i64) -> Option<i64> {
    time.and_then(|time| time.checked_sub(start))
        .filter(|late| *late > SLACK)
}

/// A file that the kubelet reads once, when it starts.
fn configuration(seen: &Looked<'_>, start: i64, tally: &mut Tally) {
    let late = |message: String, tally: &mut Tally| {
        let subject = Subject::path(seen.path);
        tally.offence(offence(subject, Severity::Medium, message, [seen.at]));
    };
    let Some(stat) = stat(seen) else {
        let gaps = seen.walk.hops.iter().filter_map(|hop| hop.get().err());
        return match gaps.into_iter().next() {
            Some(gap) => tally.gap(gap),
            None => late(
                "gone since the kubelet started, and it does not start without it".to_owned(),
                tally,
            ),
        };
    };
    tally.good(seen.at);
    if let Some(seconds) = after(stat.mtime, start) {
        return late(
            format!(
                "written {seconds} s after the kubelet started, which runs with what it said before"
            ),
            tally,
        );
    }
    let links = seen.walk.hops.iter().filter_map(|hop| hop.get().ok());
    let mut links = links.filter(|hop| hop.value.stat.kind == FileKind::Symlink);
    let moved = after(stat.ctime, start).is_some()
        || links.any(|hop| after(hop.value.stat.ctime, start).is_some());
    if moved {
        tally.gap(question(format!(
            "is {} what the kubelet started with? it was put there, or its owner or mode was changed, after the start",
            seen.path
        )));
    } else if stat.mtime.is_none() {
        tally.gap(Gap::Garbled {
            what: Text::from(format!("when {} was written is not told", seen.path)),
        });
    }
}

fn flags(unit: &UnitFlags, kubelet: &Seen<Kubelet>, tally: &mut Tally) {
    let names = |list: &[Text]| list.iter().map(Text::as_str).collect::<Vec<_>>().join(", ");
    let only: Vec<Text> = unit
        .process
        .iter()
        .filter(|name| !unit.unit.contains(name))
        .cloned()
        .collect();
    let mut parts = Vec::new();
    if !unit.unit.is_empty() {
        parts.push(format!(
            "its unit would start it with another {}",
            names(&unit.unit)
        ));
    }
    if !only.is_empty() {
        parts.push(format!(
            "it runs with {} that the unit does not give",
            names(&only)
        ));
    }
    if parts.is_empty() {
        return tally.note("its unit would start it with the same flags");
    }
    let subject = Subject::setting("kubelet.service");
    let message = parts.join(", and ");
    tally.offence(offence(subject, Severity::Medium, message, [kubelet.at]));
}

/// What its unit says is not known: whether a file that may give it flags is newer than the start.
fn environment(
    node: &NodeFacts,
    list: &Files,
    (kubelet, start): (&Kubelet, i64),
    tally: &mut Tally,
) {
    let roles = [FileRole::Unit, FileRole::UnitDropIn, FileRole::Environment];
    let gives = |path: &Text| {
        let mut given = kubelet
            .layers
            .iter()
            .filter_map(|layer| layer.given.as_ref());
        path.as_str().contains("kubelet") || given.any(|given| given.file == *path)
    };
    for seen in looked(&node.host, list, Need::KubeletFiles, &roles) {
        let late = stat(&seen).and_then(|stat| after(stat.mtime, start));
        if late.is_some() && gives(seen.path) {
            tally.gap(question(format!(
                "does {} give the kubelet the flags that it runs with? it was written after the start",
                seen.path
            )));
        }
    }
}
