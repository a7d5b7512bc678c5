use crate::checks::check::{Check, Judge, Maps, Remediation, Tally, View, by_hand, on_node};
use crate::checks::exposure::{Exposure, looked};
use crate::model::fact::{Gap, Need};
use crate::model::files::FileRole;
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::verdict::{Severity, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-KUB-011"),
    title: "Only root can change how the kubelet is started",
    why: "Whoever can change its unit, a drop-in, a file of environment or the program itself starts a kubelet with another static pod folder, or another program as root.",
    severity: Severity::High,
    since: "0.2.0",
    needs: &[Need::KubeletFiles],
    helps: &[Need::Accounts],
    maps: &[
        Maps::Cis("4.1.1"),
        Maps::Cis("4.1.2"),
        Maps::Attack("T1543.002"),
    ],
    fix: Remediation {
        steps: &[
            on_node("chown root:root {path}"),
            on_node("chmod go-w {path}"),
            by_hand(
                "compare its content with that of the package: whoever could change it may have done so",
            ),
        ],
        restarts: "nothing; a changed unit acts after systemctl daemon-reload and systemctl restart kubelet, pods keep running",
        undo: &[by_hand("the old owner and mode are in the evidence")],
    },
    examples: &[
        (
            "kubelet_files: [{role: unit, path: /usr/lib/systemd/system/kubelet.service, mode: '0644'}, \
             {role: unit_drop_in_dir, path: /etc/systemd/system/kubelet.service.d, absent: true}, {role: program, path: /usr/bin/kubelet, mode: '0755'}]",
            "PASS",
        ),
        (
            "kubelet_files: [{role: program, path: /usr/bin/kubelet, mode: '0755'}]",
            "PASS: no unit of a service manager was found",
        ),
        (
            "kubelet_files: [{role: unit, path: /etc/systemd/system/kubelet.service, mode: '0666'}]",
            "FAIL high: mode 0666: everyone can change it",
        ),
        (
            "kubelet_files: [{role: unit, path: /k.service, mode: '0644'}, {role: environment, path: /etc/default/kubelet, absent: true}, {role: program, path: /opt/bin/kubelet, owner: '1000:0', mode: '0755'}, {role: unit_drop_in, path: /d/a.conf, gap: denied}]",
            "FAIL high: mode 0755: uid 1000 can change it; gap: the login may not read it",
        ),
        (
            "{kubelet_files: [{role: unit, path: /k.service, mode: '0644'}, {role: environment, path: /srv/kubelet.env, absent: true}], fs: {/srv: {mode: '0777'}}}",
            "FAIL high: everyone can make kubelet.env in it",
        ),
        (
            "kubelet_files: [{role: unit, path: /k.service, mode: '0664'}]",
            "UNKNOWN: not asked for in this run",
        ),
        (
            "kubelet_files: {gap: timeout-script}",
            "UNKNOWN: the node was not read (timeout-script): in an example",
        ),
    ],
    judge: Judge::Node(judge),
    file: file!(),
};

fn judge(node: &NodeFacts, _: &View<'_>) -> Result<Verdict, Gap> {
    let seen = node.host.kubelet_files.get()?;
    let list = &seen.value.list;
    let roles = [
        FileRole::Unit,
        FileRole::UnitDropIn,
        FileRole::UnitDropInDir,
        FileRole::Environment,
        FileRole::Program,
    ];
    let files = looked(&node.host, list, Need::KubeletFiles, &roles);
    let mut tally = Tally::new();
    tally.good(seen.at);
    tally.gaps(list.gaps.iter().cloned());
    let mut exposure = Exposure::new(&node.host);
    for seen in &files {
        exposure.changed(seen, Severity::High, &mut tally);
    }
    exposure.done(&mut tally);
    if list.of(FileRole::Unit).next().is_none() {
        tally.note("no unit of a service manager was found");
    }
    tally.verdict()
}
