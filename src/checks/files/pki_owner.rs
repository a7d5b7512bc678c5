use super::component_account::Accounts;
use super::owner;
use crate::checks::access::writers;
use crate::checks::check::{
    Check, Judge, Maps, Remediation, Tally, View, by_hand, not_applicable, offence, on_node,
};
use crate::checks::exposure::looked;
use crate::model::fact::{Gap, Need};
use crate::model::files::FileRole;
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::verdict::{Severity, Subject, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-FILE-020"),
    title: "Certificates and keys belong to root:root",
    why: "The owner of a certificate authority's folder can put an authority of their own in its place, and then sign whom they like.",
    severity: Severity::High,
    since: "0.2.0",
    needs: &[Need::Pki],
    helps: &[Need::Accounts, Need::Manifests, Need::Processes],
    maps: &[Maps::Cis("1.1.19")],
    fix: Remediation {
        steps: &[on_node("chown root:root {path}"), on_node("ls -ld {path}")],
        restarts: "nothing, unless a component runs as the present owner: it then needs a group or an access list of its own",
        undo: &[by_hand("chown back to the owner that the evidence shows")],
    },
    examples: &[
        (
            "pki: [{role: pki_dir, path: /etc/kubernetes/pki}, {role: certificate, path: /etc/kubernetes/pki/ca.crt, mode: '0644'}]",
            "PASS",
        ),
        (
            "{pki: [{role: certificate, path: /etc/kubernetes/pki/ca.crt, mode: '0644', owner: '1000:1000'}], accounts: {users: ['alice:1000:1000'], groups: ['alice:1000:']}}",
            "FAIL high: it belongs to alice:alice (1000:1000), not to root:root",
        ),
        (
            "{pki: [{role: private_key, path: /etc/pki/ca.key, owner: '1000:0'}, {gap: denied}], fs: {/etc/pki: {mode: '0700'}}}",
            "FAIL low: it belongs to 1000:0, not to root:root; nobody but root can make use of it; gap: the login may not read it",
        ),
        (
            "{pki: [{role: private_key, path: /pki/sa.key, mode: '0640', owner: '302:0'}, {role: private_key, path: /pki/etcd/ca.key, owner: '301:0'}], manifests: [], \
             processes: [{comm: kube-apiserver, uid: 302, exe: /var/lib/k0s/bin/kube-apiserver}, {comm: etcd, uid: 301, exe: /var/lib/k0s/bin/etcd}], accounts: {users: [], groups: []}}",
            "PASS: files of user 301 are those of etcd, which runs as that user; files of user 302 are those of kube-apiserver, which runs as that user",
        ),
        (
            "{pki: [{role: private_key, path: /pki/sa.key, mode: '0600', owner: '301:0'}], manifests: [], \
             processes: [{comm: etcd, uid: 301, exe: /usr/bin/etcd}], accounts: {users: ['etcd:301:301'], groups: ['root:0:']}}",
            "FAIL high: it belongs to etcd:root (301:0), not to root:root",
        ),
        (
            "{pki: [{role: private_key, path: /pki/sa.key, mode: '0600', owner: '302:7'}], manifests: [], \
             processes: [{comm: kube-apiserver, uid: 302, exe: /usr/bin/kube-apiserver}], accounts: {users: ['api:302:302'], groups: []}}",
            "FAIL high: it belongs to 302:7, not to root:root",
        ),
        ("pki: []", "N/A: no certificate and no key was found"),
        (
            "pki: [{role: pki_dir, path: /etc/kubernetes/pki, gap: denied}]",
            "UNKNOWN: the login may not read it",
        ),
    ],
    judge: Judge::Node(judge),
    file: file!(),
};

fn judge(node: &NodeFacts, _: &View<'_>) -> Result<Verdict, Gap> {
    let seen = node.host.pki.get()?;
    let list = &seen.value.list;
    if list.files.is_empty() && list.gaps.is_empty() {
        return Ok(not_applicable(
            [seen.at],
            "no certificate and no key was found",
        ));
    }
    let roles = [
        FileRole::PkiDir,
        FileRole::Certificate,
        FileRole::PrivateKey,
        FileRole::PublicKey,
        FileRole::PkiOther,
    ];
    let mut tally = Tally::new();
    tally.good(seen.at);
    tally.gaps(list.gaps.iter().cloned());
    let mut accounts = Accounts::new(node);
    for seen in looked(&node.host, list, Need::Pki, &roles) {
        let Some(object) = seen.walk.object() else {
            let hidden = seen.walk.hops.last().and_then(|hop| hop.get().err());
            tally.gaps(hidden);
            continue;
        };
        if owner::is_roots(&object.stat) {
            continue;
        }
        let stat = &object.stat;
        let own = accounts.owner(&seen, &mut tally);
        if own.is_some_and(|own| owner::is_own_group(stat.gid, own, &node.host.accounts)) {
            continue;
        }
        let reach = writers(&seen.walk, &node.host.accounts);
        let severity = owner::severity(&reach);
        let words = owner::words(&object.stat, &node.host.accounts);
        let rest = match severity {
            Severity::Low => "; nobody but root can make use of it",
            _ => "",
        };
        let subject = Subject::path(seen.path);
        let message = format!("it belongs to {words}, not to root:root{rest}");
        tally.offence(offence(subject, severity, message, [seen.at]));
        tally.gaps(reach.gaps);
    }
    accounts.done(&mut tally);
    tally.verdict()
}
