use crate::checks::check::{
    Check, Judge, Maps, Remediation, View, by_hand, fail, not_applicable, on_node, pass,
};
use crate::model::fact::{Gap, Need};
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::text::Text;
use crate::model::verdict::{Severity, Subject, SubjectKind, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-LSM-005"),
    title: "SELinux enforces, now and after the next start",
    why: "In permissive mode SELinux writes down what it would have stopped and stops nothing: a container that breaks out meets no second wall.",
    severity: Severity::High,
    since: "0.1.0",
    needs: &[Need::Lsm],
    helps: &[],
    maps: &[Maps::Nsa("POD"), Maps::Attack("T1562.001")],
    fix: Remediation {
        steps: &[
            on_node("ausearch -m avc -ts boot"),
            by_hand(
                "look at what would be denied, and mend labels or add a policy module for what is meant",
            ),
            on_node("setenforce 1"),
            by_hand(
                "set SELINUX=enforcing in /etc/selinux/config. Where SELinux was disabled, start once in permissive mode with /.autorelabel, then enforce",
            ),
        ],
        restarts: "nothing; where SELinux was disabled, the node, once to relabel",
        undo: &[
            on_node("setenforce 0"),
            by_hand("put the old SELINUX= line back"),
        ],
    },
    examples: &[
        ("lsm: {selinux: enforcing, configured: enforcing}", "PASS"),
        (
            "lsm: {selinux: permissive, configured: enforcing}",
            "FAIL high: SELinux is permissive, and configured to be enforcing",
        ),
        (
            "lsm: {selinux: permissive, configured: {gap: denied}}",
            "FAIL high: SELinux is permissive",
        ),
        (
            "lsm: {selinux: enforcing, configured: permissive}",
            "FAIL high: SELinux is enforcing, and configured to be permissive after the next start",
        ),
        (
            "lsm: {selinux: none, configured: enforcing}",
            "FAIL high: SELinux is not part of the running kernel, and configured to be enforcing",
        ),
        (
            "lsm: {selinux: none, configured: none}",
            "N/A: the node does not use SELinux",
        ),
        (
            "lsm: {selinux: none, configured: disabled}",
            "N/A: the node does not use SELinux",
        ),
        (
            "lsm: {selinux: enforcing, configured: {gap: denied}}",
            "UNKNOWN: the login may not read it",
        ),
        (
            "lsm: {selinux: {gap: garbled}, configured: enforcing}",
            "UNKNOWN: the answer cannot be trusted: it",
        ),
    ],
    judge: Judge::Node(judge),
    file: file!(),
};

fn judge(node: &NodeFacts, _: &View<'_>) -> Result<Verdict, Gap> {
    let seen = node.host.lsm.get()?;
    let selinux = &seen.value.selinux;
    let now = selinux.enforce.get()?.value;
    let configured = selinux.configured.get().map(|seen| seen.value.as_ref());
    let broken = |message: String| {
        let subject = Subject::new(SubjectKind::Node, node.name.as_str());
        Ok(fail(subject, Severity::High, message, [seen.at]))
    };
    // What runs now is proven, whatever the file says.
    if now == Some(false) {
        return broken(match configured {
            Ok(Some(word)) if *word == "enforcing" => {
                "SELinux is permissive, and configured to be enforcing".to_owned()
            }
            _ => "SELinux is permissive".to_owned(),
        });
    }
    match (now, configured?.map(Text::as_str)) {
        // Without the file the kernel's own default counts, which is to enforce what a policy says.
        (Some(_), Some("enforcing") | None) => Ok(pass([seen.at])),
        (Some(_), Some(word)) => broken(format!(
            "SELinux is enforcing, and configured to be {word} after the next start"
        )),
        (None, None | Some("disabled")) => {
            Ok(not_applicable([seen.at], "the node does not use SELinux"))
        }
        (None, Some(word)) => broken(format!(
            "SELinux is not part of the running kernel, and configured to be {word}"
        )),
    }
}
