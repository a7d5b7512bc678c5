use super::component_account::Accounts;
use crate::checks::check::{
    Check, Judge, Maps, Remediation, Tally, View, by_hand, not_applicable, offence, on_node,
};
use crate::checks::exposure::{Exposure, looked};
use crate::model::fact::{Gap, Need};
use crate::model::files::FileRole;
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::verdict::{Severity, Subject, Verdict};

/// What CIS asks of certificates.
const LIMIT: u32 = 0o644;

pub static CHECK: Check = Check {
    id: CheckId("SP-FILE-021"),
    title: "Only root can change certificates",
    why: "A certificate is public, but whoever can put another authority in its place decides whom the cluster believes.",
    severity: Severity::High,
    since: "0.2.0",
    needs: &[Need::Pki],
    helps: &[Need::Accounts, Need::Manifests, Need::Processes],
    maps: &[Maps::Cis("1.1.20")],
    fix: Remediation {
        steps: &[
            on_node("chmod 644 {path}"),
            on_node("openssl x509 -in {path} -noout -subject -issuer -enddate"),
            by_hand(
                "compare it with the one of another control plane: whoever could change it may have done so",
            ),
        ],
        restarts: "nothing: the components read it as root",
        undo: &[by_hand("the old mode is in the evidence")],
    },
    examples: &[
        (
            "pki: [{role: pki_dir, path: /etc/kubernetes/pki}, {role: certificate, path: /etc/kubernetes/pki/ca.crt, mode: '0644'}]",
            "PASS",
        ),
        (
            "pki: [{role: certificate, path: /etc/kubernetes/pki/ca.crt, mode: '0646'}, {gap: denied}]",
            "FAIL high: mode 0646: everyone can change it; gap: the login may not read it",
        ),
        (
            "pki: [{role: pki_dir, path: /p, mode: '0777'}, {role: certificate, path: /p/ca.crt, mode: '0644'}, {role: certificate, path: /p/a.crt, mode: '0644'}]",
            "FAIL high: mode 0777: everyone can put files into it; everyone can replace ca.crt, a.crt in it",
        ),
        (
            "pki: [{role: certificate, path: /etc/kubernetes/pki/ca.crt, mode: '0755'}]",
            "FAIL info: mode 0755: wider than 0644, although only root can change it",
        ),
        (
            "{pki: [{role: certificate, path: /pki/server.crt, mode: '0644', owner: '302:0'}], manifests: [], \
             processes: [{comm: kube-apiserver, uid: 302, exe: /var/lib/k0s/bin/kube-apiserver}], accounts: {users: ['api:302:302'], groups: []}}",
            "PASS: files of user 302 are those of kube-apiserver, which runs as that user",
        ),
        (
            "{pki: [{role: certificate, path: /pki/server.crt, mode: '0644', owner: '302:0'}], manifests: [], processes: [], accounts: {users: ['api:302:302'], groups: []}}",
            "FAIL high: mode 0644: user api (302) can change it",
        ),
        ("pki: []", "N/A: no certificate was found"),
        (
            "pki: [{role: certificate, path: /p/ca.crt, gap: denied}]",
            "UNKNOWN: the login may not read it",
        ),
    ],
    judge: Judge::Node(judge),
    file: file!(),
};

fn judge(node: &NodeFacts, _: &View<'_>) -> Result<Verdict, Gap> {
    let seen = node.host.pki.get()?;
    let list = &seen.value.list;
    let roles = [
        FileRole::PkiDir,
        FileRole::Certificate,
        FileRole::PublicKey,
        FileRole::PkiOther,
    ];
    let files = looked(&node.host, list, Need::Pki, &roles);
    if files.is_empty() && list.gaps.is_empty() {
        return Ok(not_applicable([seen.at], "no certificate was found"));
    }
    let mut tally = Tally::new();
    tally.good(seen.at);
    tally.gaps(list.gaps.iter().cloned());
    let mut exposure = Exposure::new(&node.host);
    let mut accounts = Accounts::new(node);
    for seen in &files {
        let own = accounts.owner(seen, &mut tally);
        exposure.except(own);
        let closed = exposure.changed(seen, Severity::High, &mut tally);
        let mode = seen.walk.object().map(|hop| hop.stat.mode);
        let wide = mode.filter(|mode| !mode.within(LIMIT) && seen.role == FileRole::Certificate);
        if let Some(mode) = wide.filter(|_| closed) {
            let subject = Subject::path(seen.path);
            let who = own.map_or("root".to_owned(), |own| format!("root and {own}"));
            let message =
                format!("mode {mode}: wider than 0644, although only {who} can change it");
            tally.offence(offence(subject, Severity::Info, message, [seen.at]));
        }
    }
    exposure.done(&mut tally);
    accounts.done(&mut tally);
    tally.verdict()
}
