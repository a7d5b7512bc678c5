use super::scope::{each_file, name, way};
use crate::checks::access::{How, Principal, Way, readers, writers};
use crate::checks::check::{
    Check, Judge, Maps, Remediation, Tally, View, by_hand, offence, on_node,
};
use crate::model::fact::{Fact, Gap, Locator, Need};
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::pod::Manifest;
use crate::model::unix::{Hop, Uid, Walk};
use crate::model::verdict::{Severity, Subject, Verdict};

/// What CIS asks of the four manifests that it knows.
const LIMIT: u32 = 0o600;

pub static CHECK: Check = Check {
    id: CheckId("SP-FILE-004"),
    title: "Every loaded manifest is closed to all but root",
    why: "Whoever can change a manifest runs what they like as root on the node; whoever can read it learns flags, paths and sometimes passwords.",
    severity: Severity::High,
    since: "0.1.0",
    needs: &[Need::ManifestDir, Need::Manifests],
    helps: &[Need::Accounts],
    maps: &[
        Maps::Cis("1.1.1"),
        Maps::Cis("1.1.3"),
        Maps::Cis("1.1.5"),
        Maps::Cis("1.1.7"),
        Maps::Ms("MS-M9016"),
    ],
    fix: Remediation {
        steps: &[on_node("chmod 600 {path}"), on_node("ls -l {path}")],
        restarts: "nothing: the kubelet reads the file again and finds the same pod",
        undo: &[
            by_hand("the old mode is in the evidence"),
            on_node("chmod 644 {path}"),
        ],
    },
    examples: &[
        (
            "{dir: {}, manifests: [{file: a.yaml, mode: '0600', pod: x/a}, {file: b.bak, mode: '0400', broken: no}]}",
            "PASS",
        ),
        ("{dir: {}, manifests: []}", "PASS"),
        (
            "{dir: {mode: '0700'}, manifests: [{file: a.yaml, mode: '0644', pod: x/a}, {file: b.yaml, mode: '0640', pod: x/b}]}",
            "PASS: wider than 0600, but nobody except root reaches them: a.yaml (0644), b.yaml (0640)",
        ),
        (
            "{dir: {}, manifests: [{file: a.yaml, mode: '0666', pod: x/a}]}",
            "FAIL high: mode 0666: everyone can change it",
        ),
        (
            "{dir: {}, manifests: [{file: a.yaml, mode: '0644', pod: x/a}, {file: b.yaml, gap: denied}]}",
            "FAIL low: mode 0644: everyone can read it; gap: the login may not read it",
        ),
        (
            "{dir: {}, manifests: [{file: a.yaml, mode: '0660', acl: 'u::rw-,u:1000:rw-,g::---,m::rw-,o::---', pod: x/a}], \
             accounts: {users: ['alice:1000:1000'], groups: []}}",
            "FAIL high: mode 0660: user alice (1000) can change it",
        ),
        (
            "{dir: {}, manifests: [{file: a.yaml, link: /srv/a.yaml, pod: x/a}], fs: {/srv: {mode: '0777'}, /srv/a.yaml: {kind: regular}}}",
            "FAIL high: it leads to /srv/a.yaml, which everyone can replace",
        ),
        ("dir: none", "N/A: no static pod folder is configured"),
        (
            "{dir: {}, manifests: [{file: a.yaml, pod: x/a}, {file: b.yaml, gap: denied}]}",
            "UNKNOWN: the login may not read it",
        ),
        (
            "{dir: {}, manifests: [{file: a.yaml, mode: '0640', owner: '0:0', pod: x/a}], accounts: {gap: denied}}",
            "UNKNOWN: the login may not read it",
        ),
    ],
    judge: Judge::Node(judge),
    file: file!(),
};

fn judge(node: &NodeFacts, _: &View<'_>) -> Result<Verdict, Gap> {
    let mut closed = Vec::new();
    let mut end = |manifest: &Manifest, at: Locator, tally: &mut Tally| {
        if let Some(object) = manifest.walk.object() {
            let wide = one(node, (manifest, object, at), tally);
            if wide {
                let file = name(manifest.file.as_str());
                closed.push(format!("{file} ({})", object.stat.mode));
            }
        }
    };
    let verdict = each_file(node, &mut end)?;
    Ok(match verdict {
        Verdict::Pass { evidence, .. } if !closed.is_empty() => Verdict::Pass {
            evidence,
            note: Some(
                format!(
                    "wider than 0600, but nobody except root reaches them: {}",
                    closed.join(", ")
                )
                .into(),
            ),
        },
        verdict => verdict,
    })
}

/// Judges one file; true where its mode is wide and yet nobody gets at it.
fn one(
    node: &NodeFacts,
    (manifest, object, at): (&Manifest, &Hop, Locator),
    tally: &mut Tally,
) -> bool {
    let evidence = way(&manifest.walk, at);
    let mode = object.stat.mode;
    let say = |tally: &mut Tally, severity, message: String| {
        let subject = Subject::path(&manifest.file);
        tally.offence(offence(subject, severity, message, evidence.clone()));
    };
    tally.all_good(&evidence);
    let changed = writers(&manifest.walk, &node.host.accounts);
    let mut silent = true;
    for found in &changed.ways {
        let Some(people) = strangers(found, object.stat.uid) else {
            continue;
        };
        match found.how {
            How::Write => say(
                tally,
                Severity::High,
                format!("mode {mode}: {people} can change it"),
            ),
            How::Replace if !is_known(node, &manifest.walk, found) => {
                let message = format!("it leads to {}, which {people} can replace", found.entry);
                say(tally, Severity::High, message);
            }
            _ => continue,
        }
        silent = false;
    }
    tally.gaps(changed.gaps);
    if !silent || mode.within(LIMIT) {
        return false;
    }
    let read = readers(&manifest.walk, &node.host.accounts);
    for people in read
        .ways
        .iter()
        .filter_map(|way| strangers(way, object.stat.uid))
    {
        say(
            tally,
            Severity::Low,
            format!("mode {mode}: {people} can read it"),
        );
        silent = false;
    }
    let told = read.gaps.is_empty();
    tally.gaps(read.gaps);
    silent && told
}

/// The people of a way without the owner of the file, whom SP-FILE-005 tells.
fn strangers(found: &Way, owner: Uid) -> Option<String> {
    let mut way = found.clone();
    way.who
        .retain(|(who, _)| !matches!(who, Principal::User { uid, .. } if *uid == owner));
    (!way.who.is_empty()).then(|| way.people())
}

/// Whether the way belongs to the folder of the manifests, which SP-FILE-001 and SP-FILE-006 tell.
fn is_known(node: &NodeFacts, walk: &Walk, found: &Way) -> bool {
    let through = found.through.as_str();
    let above = format!("{}/", through.trim_end_matches('/'));
    let folder = node.host.manifest_dir.get().ok();
    let hops = folder
        .and_then(|seen| seen.value.as_ref())
        .map_or(&[][..], |dir| &dir.walk.hops);
    walk.path.as_str().starts_with(&above)
        || hops
            .iter()
            .any(|hop| matches!(hop, Fact::Seen(seen) if seen.value.path == found.through))
}
