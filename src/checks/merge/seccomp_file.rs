use crate::checks::access::writers;
use crate::checks::check::{
    Check, Judge, Maps, Remediation, Tally, View, by_hand, offence, on_node,
};
use crate::checks::confinement::{Asked, seccomp};
use crate::checks::running::{Running, each};
use crate::model::fact::{Fact, Gap, Need, Seen};
use crate::model::lsm::{Lsm, SeccompContent, SeccompFile};
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::text::Text;
use crate::model::unix::Accounts;
use crate::model::verdict::{Severity, Subject, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-MRG-016"),
    title: "Seccomp profiles that manifests name are there and safe",
    why: "A missing file keeps the pod from starting, on older kubelets it starts unconfined; a file that somebody else may write is no limit for that somebody.",
    severity: Severity::High,
    since: "0.1.0",
    needs: &[Need::Manifests],
    helps: &[Need::Lsm, Need::Accounts],
    maps: &[
        Maps::Cis("5.6.2"),
        Maps::Source("CVE-2023-2431"),
        Maps::Attack("T1562.001"),
    ],
    fix: Remediation {
        steps: &[
            on_node("ls -lR /var/lib/kubelet/seccomp"),
            by_hand(
                "put the reviewed profile to the path that is named, JSON with a defaultAction of SCMP_ACT_ERRNO and the calls that are allowed; or ask for {type: RuntimeDefault} instead",
            ),
            on_node("chown root:root {path}"),
            on_node("chmod 600 {path}"),
        ],
        restarts: "nothing; a container gets the new profile when it is made anew",
        undo: &[by_hand("put the old file back")],
    },
    examples: &[
        ("manifests: [{file: a.yaml, pod: shop/a}]", "PASS"),
        (
            "{manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {securityContext: {seccompProfile: {type: Localhost, localhostProfile: p/own.json}}, containers: [{name: c}]}}}], lsm: {seccomp: [{name: p/own.json, default: SCMP_ACT_ERRNO, rules: 3}]}, accounts: {users: ['root:0:0'], groups: ['root:0:']}}",
            "PASS",
        ),
        (
            "{manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {containers: [{name: c, securityContext: {seccompProfile: {type: Localhost, localhostProfile: own.json}}}]}}}], fs: {/var/lib/kubelet/seccomp/own.json: {absent: true}}, lsm: {seccomp: [{name: own.json}]}}",
            "FAIL high: container c of default/a asks for a profile that does not exist",
        ),
        (
            "{manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {containers: [{name: c, securityContext: {seccompProfile: {type: Localhost, localhostProfile: own.json}}}]}}}], lsm: {seccomp: [{name: own.json, broken: 'EOF while parsing'}]}, accounts: {users: ['root:0:0'], groups: ['root:0:']}}",
            "FAIL high: container c of default/a asks for a profile that is none: EOF while parsing",
        ),
        (
            "{manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {containers: [{name: c, securityContext: {seccompProfile: {type: Localhost, localhostProfile: own.json}}}]}}}], lsm: {seccomp: [{name: own.json, default: SCMP_ACT_ALLOW}]}, accounts: {users: ['root:0:0'], groups: ['root:0:']}}",
            "FAIL high: container c of default/a asks for a profile that allows every call",
        ),
        (
            "{manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {containers: [{name: c, securityContext: {seccompProfile: {type: Localhost, localhostProfile: own.json}}}]}}}], fs: {/var/lib/kubelet/seccomp/own.json: {mode: '0666', kind: regular}}, lsm: {seccomp: [{name: own.json, default: SCMP_ACT_ERRNO, rules: 3}]}, accounts: {users: ['root:0:0'], groups: ['root:0:']}}",
            "FAIL high: everyone can change the profile of container c of default/a",
        ),
        (
            "{manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {containers: [{name: c, securityContext: {seccompProfile: {type: Localhost}}}]}}}]}",
            "FAIL high: container c of default/a names no profile: kubelets before 1.27.2 run it unconfined, later ones do not start it",
        ),
        (
            "{manifests: [{file: a.yaml, pod: {metadata: {name: a}, spec: {containers: [{name: c, securityContext: {seccompProfile: {type: Localhost, localhostProfile: own.json}}}]}}}], lsm: {seccomp: {gap: denied}}}",
            "UNKNOWN: the login may not read it",
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
    let lsm = node.host.lsm.get();
    let mut tally = Tally::new();
    each(node, None, &mut tally, |running, tally| {
        let Asked::Localhost(name) = seccomp(running) else {
            return;
        };
        if name.is_empty() {
            return tally.offence(offence(
                running.subject.clone(),
                Severity::High,
                format!(
                    "{} names no profile: kubelets before 1.27.2 run it unconfined, later ones do not start it",
                    running.words()
                ),
                running.evidence.clone(),
            ));
        }
        match file(&lsm, name) {
            Err(gap) => tally.gap(gap),
            Ok((at, file)) => named(running, (at, file), &node.host.accounts, tally),
        }
    })?;
    tally.verdict()
}

type At = crate::model::fact::Locator;

fn file<'n>(
    lsm: &Result<&'n Seen<Box<Lsm>>, Gap>,
    name: &str,
) -> Result<(At, &'n SeccompFile), Gap> {
    let lsm: &'n Seen<Box<Lsm>> = lsm.as_ref().map_err(Clone::clone)?;
    let folder = &lsm.value.seccomp.get()?.value;
    let found = folder.profiles.iter().find(|file| file.name == *name);
    let found = found.ok_or_else(|| Gap::Garbled {
        what: Text::from(format!(
            "seccomp profile {} was not looked at",
            Text::new(name)
        )),
    })?;
    Ok((lsm.at, found))
}

fn named(
    running: &Running<'_>,
    (at, file): (At, &SeccompFile),
    accounts: &Fact<Accounts>,
    tally: &mut Tally,
) {
    let words = running.words();
    let mut tell = |message: String| {
        let evidence = running.evidence.iter().copied().chain([at]);
        tally.offence(offence(
            Subject::path(&file.walk.path),
            Severity::High,
            message,
            evidence,
        ));
    };
    match file.content.get().map(|seen| &seen.value) {
        Err(gap) => return tally.gap(gap),
        Ok(None) => return tell(format!("{words} asks for a profile that does not exist")),
        Ok(Some(SeccompContent::Broken { message })) => {
            tell(format!(
                "{words} asks for a profile that is none: {message}"
            ));
        }
        Ok(Some(SeccompContent::Profile { default, rules })) => {
            if default.is_empty() {
                tell(format!(
                    "{words} asks for a profile that is none: it has no defaultAction"
                ));
            } else if *default == "SCMP_ACT_ALLOW" && *rules == 0 {
                tell(format!("{words} asks for a profile that allows every call"));
            }
        }
    }
    let reach = writers(&file.walk, accounts);
    for way in &reach.ways {
        tell(format!(
            "{} can change the profile of {words}",
            way.people()
        ));
    }
    tally.gaps(reach.gaps);
    tally.good(at);
}
