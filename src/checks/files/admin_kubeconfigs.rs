use crate::checks::check::{
    Check, Judge, Maps, Remediation, Tally, View, by_hand, not_applicable, offence, on_node,
};
use crate::checks::exposure::{Exposure, Looked, looked};
use crate::model::fact::{Gap, Need};
use crate::model::files::FileRole;
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::verdict::{Severity, Subject, Verdict};

/// What CIS asks of them.
const LIMIT: u32 = 0o600;

/// Groups whose members are administrators: one by the API server itself, one by kubeadm's binding.
const ADMINS: &[&str] = &["system:masters", "kubeadm:cluster-admins"];

pub static CHECK: Check = Check {
    id: CheckId("SP-FILE-023"),
    title: "Administrators' kubeconfigs do not lie around",
    why: "Whoever reads admin.conf may do everything in the cluster; super-admin.conf cannot even be stopped by RBAC, and no control plane needs it to run.",
    severity: Severity::Critical,
    since: "0.2.0",
    needs: &[Need::Kubeconfigs],
    helps: &[Need::Accounts],
    maps: &[
        Maps::Cis("1.1.13"),
        Maps::Cis("1.1.14"),
        Maps::Attack("T1552"),
    ],
    fix: Remediation {
        steps: &[
            on_node("chown root:root {path}"),
            on_node("chmod 600 {path}"),
            by_hand(
                "keep super-admin.conf off the node, in a safe place: kubeadm makes it again on need, with kubeadm init phase kubeconfig super-admin",
            ),
            by_hand(
                "if somebody could read one: its certificate holds until it ends or the authority is changed",
            ),
        ],
        restarts: "nothing: no component reads them",
        undo: &[by_hand(
            "the old owner and mode are in the evidence; kubeadm init phase kubeconfig makes a file again",
        )],
    },
    examples: &[
        (
            "kubeconfigs: [{role: admin_kubeconfig, path: /etc/kubernetes/admin.conf, mode: '0600'}]",
            "PASS",
        ),
        (
            "kubeconfigs: [{role: super_admin_kubeconfig, path: /etc/kubernetes/super-admin.conf, mode: '0600'}, {role: super_admin_kubeconfig, path: /x, absent: true}]",
            "FAIL medium: it passes by RBAC, and nothing on the node needs it",
        ),
        (
            "kubeconfigs: [{role: super_admin_kubeconfig, path: /etc/kubernetes/super-admin.conf, mode: '0644'}]",
            "FAIL critical: mode 0644: everyone can read it; it passes by RBAC, and nothing on the node needs it",
        ),
        (
            "kubeconfigs: [{role: admin_kubeconfig, path: /etc/kubernetes/admin.conf, mode: '0644'}, {role: admin_kubeconfig, path: /a, gap: denied}]",
            "FAIL high: mode 0644: everyone can read it; gap: the login may not read it",
        ),
        (
            "{kubeconfigs: [{role: user_kubeconfig, path: /home/alice/.kube/config, owner: '1000:1000'}], \
             kubeconfig_contents: [{path: /home/alice/.kube/config, clients: [{subject: kubernetes-admin, organizations: [kubeadm:cluster-admins]}]}], \
             fs: {/home/alice: {owner: '1000:1000', mode: '0700'}, /home/alice/.kube: {owner: '1000:1000', mode: '0700'}}, accounts: {users: ['alice:1000:1000'], groups: []}}",
            "FAIL high: mode 0600: user alice (1000) can read it; a copy of the certificate of kubernetes-admin",
        ),
        (
            "{kubeconfigs: [{role: user_kubeconfig, path: /home/alice/.kube/config, owner: '1000:1000'}], \
             kubeconfig_contents: [{path: /home/alice/.kube/config, clients: [{subject: alice, organizations: [developers]}]}]}",
            "PASS",
        ),
        (
            "kubeconfigs: []",
            "N/A: no administrator's kubeconfig lies on the node",
        ),
        (
            "kubeconfigs: [{gap: denied}]",
            "UNKNOWN: the login may not read it",
        ),
        (
            "kubeconfigs: [{role: admin_kubeconfig, path: /etc/kubernetes/admin.conf, mode: '0600'}, {gap: denied}]",
            "UNKNOWN: the login may not read it",
        ),
        (
            "kubeconfigs: [{role: admin_kubeconfig, path: /etc/kubernetes/admin.conf, gap: denied}]",
            "UNKNOWN: the login may not read it",
        ),
        (
            "{kubeconfigs: [{role: user_kubeconfig, path: /root/.kube/config}], kubeconfig_contents: [{path: /root/.kube/config, gap: denied}]}",
            "UNKNOWN: the login may not read it",
        ),
    ],
    judge: Judge::Node(judge),
    file: file!(),
};

fn judge(node: &NodeFacts, _: &View<'_>) -> Result<Verdict, Gap> {
    let seen = node.host.kubeconfigs.get()?;
    let list = &seen.value.list;
    let roles = [
        FileRole::AdminKubeconfig,
        FileRole::SuperAdminKubeconfig,
        FileRole::UserKubeconfig,
    ];
    let files = looked(&node.host, list, Need::Kubeconfigs, &roles);
    if files.is_empty() && list.gaps.is_empty() {
        let why = "no administrator's kubeconfig lies on the node";
        return Ok(not_applicable([seen.at], why));
    }
    let mut tally = Tally::new();
    tally.good(seen.at);
    tally.gaps(list.gaps.iter().cloned());
    let mut exposure = Exposure::new(&node.host);
    for seen in &files {
        one(node, seen, &mut exposure, &mut tally);
    }
    exposure.done(&mut tally);
    tally.verdict()
}

fn one(node: &NodeFacts, seen: &Looked<'_>, exposure: &mut Exposure<'_>, tally: &mut Tally) {
    let severity = match seen.role {
        FileRole::SuperAdminKubeconfig => Severity::Critical,
        _ => Severity::High,
    };
    if seen.role == FileRole::UserKubeconfig {
        let admin = match administrator(node, seen) {
            Ok(Some(admin)) => admin,
            Ok(None) => return,
            Err(gap) => return tally.gap(gap),
        };
        let read = exposure.read(seen, severity, tally);
        if !read {
            say(
                tally,
                seen,
                severity,
                format!("a copy of the certificate of {admin}"),
            );
        }
        return;
    }
    let changed = exposure.changed(seen, severity, tally);
    let read = exposure.read(seen, severity, tally);
    if seen.walk.object().is_none() {
        return;
    }
    if seen.role == FileRole::SuperAdminKubeconfig {
        let words = "it passes by RBAC, and nothing on the node needs it";
        say(tally, seen, Severity::Medium, words.to_owned());
    }
    if changed && read {
        exposure.nominal(seen, LIMIT, tally);
    }
}

fn say(tally: &mut Tally, seen: &Looked<'_>, severity: Severity, words: String) {
    let subject = Subject::path(seen.path);
    tally.offence(offence(subject, severity, words, [seen.at]));
}

/// Whose certificate a user's kubeconfig holds, where it is one of an administrator.
fn administrator(node: &NodeFacts, seen: &Looked<'_>) -> Result<Option<String>, Gap> {
    let known = node.host.kubeconfigs.get()?;
    let mut all = known.value.contents.iter();
    let Some(found) = all.find(|found| found.path == *seen.path) else {
        return Err(Gap::NotAsked);
    };
    let clients = &found.content.get()?.value.clients;
    let admin = clients.iter().find(|client| {
        let mut groups = client.organizations.iter();
        groups.any(|group| ADMINS.contains(&group.as_str()))
    });
    Ok(admin.map(|admin| admin.common_name.to_string()))
}
