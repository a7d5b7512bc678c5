use super::policy::no_file;
use crate::checks::check::{
    Check, Judge, Maps, Remediation, Tally, View, by_hand, offence, on_node,
};
use crate::checks::component::asks;
use crate::checks::component::{self, Component, NEEDS, Said, good};
use crate::checks::exposure::{Exposure, Looked, looked};
use crate::checks::merge::pairs::declared;
use crate::checks::merge::settle::AHEAD;
use crate::model::fact::{Gap, Need};
use crate::model::files::FileRole;
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::text::Text;
use crate::model::unix::WalkEnd;
use crate::model::verdict::{Severity, Subject, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-AUD-006"),
    title: "The audit log is written, and for root alone",
    why: "A log that stands still records nothing, and one that others can write proves nothing.",
    severity: Severity::Medium,
    since: "0.2.0",
    needs: NEEDS,
    helps: &[
        Need::NodeObject,
        Need::ApiServerFiles,
        Need::Identity,
        Need::Accounts,
    ],
    maps: &[Maps::Nsa("LOG"), Maps::Attack("T1070.002")],
    fix: Remediation {
        steps: &[
            on_node("chown root:root {path}"),
            on_node("chmod 600 {path}"),
            by_hand(
                "where it is not written: look for room on its file system, for the mount of its folder in kube-apiserver.yaml, and into the log of the container for audit errors",
            ),
        ],
        restarts: "nothing: kube-apiserver holds the file open",
        undo: &[by_hand("the old owner and mode are in the evidence")],
    },
    examples: &[
        (
            "{clock: 1000, components: {kube-apiserver: '--audit-log-path=/var/log/kubernetes/audit.log'}, api_server_files: [{role: audit_log, path: /var/log/kubernetes/audit.log, mtime: 900}]}",
            "PASS",
        ),
        (
            "{clock: 1000, components: {kube-apiserver: '--audit-log-path=/var/log/kubernetes/audit.log'}, api_server_files: [{role: audit_log, path: /var/log/kubernetes/audit.log, mtime: 100}]}",
            "FAIL medium: nothing was written into it for 15 minutes",
        ),
        (
            "{clock: 1000, components: {kube-apiserver: '--audit-log-path=/var/log/kubernetes/audit.log'}, api_server_files: [{role: audit_log, path: /var/log/kubernetes/audit.log, mtime: 1030}]}",
            "PASS",
        ),
        (
            "{clock: 1000, components: {kube-apiserver: '--audit-log-path=/var/log/kubernetes/audit.log'}, api_server_files: [{role: audit_log, path: /var/log/kubernetes/audit.log, mtime: 5000}]}",
            "MANUAL: is /var/log/kubernetes/audit.log still written? it is dated 4000 s ahead of the node's clock",
        ),
        (
            "{clock: 1000, components: {kube-apiserver: '--audit-log-path=/var/log/kubernetes/audit.log'}, api_server_files: [{role: audit_log, path: /var/log/kubernetes/audit.log, mtime: 900, mode: '0644'}]}",
            "FAIL medium: mode 0644: everyone can read it",
        ),
        (
            "{clock: 1000, components: {kube-apiserver: '--audit-log-path=/var/log/kubernetes/audit.log'}, api_server_files: [{role: audit_log, path: /var/log/kubernetes/audit.log, absent: true}]}",
            "FAIL medium: it does not exist",
        ),
        (
            "{clock: 1000, components: {kube-apiserver: '--audit-log-path=/var/log/kubernetes/audit.log'}, api_server_files: [{role: audit_log, path: /var/log/kubernetes/audit.log, gap: denied}]}",
            "UNKNOWN: the login may not read it",
        ),
        (
            "{clock: 1000, components: {kube-apiserver: '--audit-log-path=/var/log/kubernetes/audit.log'}, api_server_files: []}",
            "MANUAL: where is the audit log of kube-apiserver? it was not looked at",
        ),
        (
            "components: {kube-apiserver: '--audit-log-path=-'}",
            "N/A: the audit log is no file of the API server",
        ),
        (
            "components: {kube-apiserver: ''}",
            "N/A: no audit backend is configured: SP-AUD-001 judges that",
        ),
        (
            "components: {}",
            "N/A: neither a manifest nor a process of the node is kube-apiserver",
        ),
        (
            "{components: {}, manifests: {gap: denied}}",
            "UNKNOWN: the login may not read it",
        ),
    ],
    judge: Judge::Node(judge),
    file: file!(),
};

/// Seconds in which an API server writes something, were it only the leases of its kubelets.
const STILL: i64 = 600;

fn judge(node: &NodeFacts, _: &View<'_>) -> Result<Verdict, Gap> {
    let mut named = false;
    let said = component::judge(node, Component::ApiServer, |given| {
        if let Some(why) = no_file(given)? {
            return Ok(Said::Moot(why.to_owned()));
        }
        named = true;
        Ok(good())
    });
    if !named {
        return said;
    }
    let now = node.host.identity.get()?.value.clock;
    let files = node.host.api_server_files.get()?;
    let mut tally = Tally::new();
    let mut exposure = Exposure::new(&node.host);
    let roles = [FileRole::AuditLog];
    let logs = looked(&node.host, &files.value.list, Need::ApiServerFiles, &roles);
    if logs.is_empty() {
        // The collector finds it by the manifest.
        if let Some(gap) = declared(node)?.gaps.first() {
            return Err(gap.clone());
        }
        return Err(asks(
            "where is the audit log of kube-apiserver? it was not looked at".to_owned(),
        ));
    }
    for log in logs {
        if exposure.read(&log, Severity::Medium, &mut tally) {
            tally.good(log.at);
        }
        match still(&log, now) {
            Ok(None) => {}
            Ok(Some(message)) => {
                let subject = Subject::path(log.path);
                tally.offence(offence(subject, Severity::Medium, message, [log.at]));
            }
            Err(gap) => tally.gap(gap),
        }
    }
    exposure.done(&mut tally);
    tally.with(said.unwrap_or_else(|why| Verdict::Unknown { why }))
}

/// How it is not written. What the path leads to when it was not followed to its end is told by who can read it.
///
/// # Errors
/// Where its time tells nothing.
fn still(log: &Looked<'_>, now: i64) -> Result<Option<String>, Gap> {
    if log.walk.end == WalkEnd::Absent {
        return Ok(Some("it does not exist".to_owned()));
    }
    let Some(object) = log.walk.object() else {
        return Ok(None);
    };
    let written = object.stat.mtime.ok_or_else(|| Gap::Garbled {
        what: Text::from(format!("when {} was written", log.path)),
    })?;
    let age = now.saturating_sub(written);
    if age < -AHEAD {
        return Err(asks(format!(
            "is {} still written? it is dated {} s ahead of the node's clock",
            log.path,
            age.saturating_neg()
        )));
    }
    Ok((age > STILL).then(|| format!("nothing was written into it for {} minutes", age / 60)))
}
