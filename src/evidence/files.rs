//! Facts about files of a node as text: they are kept as numbers, and written out when somebody asks.

use crate::model::Timestamp;
use crate::model::fact::{Fact, Gap, Locator, Need};
use crate::model::files::{
    ApiServerFiles, Certificate, Configuration, Disk, EncryptionRule, FileAt, FileRole, Files,
    KubeconfigContent,
};
use crate::model::node::HostFacts;
use crate::model::text::Text;
use crate::probes::steps;

/// What is known behind a locator: the command that would show it, and its lines. `None`: not a fact about files.
pub fn lines(host: &HostFacts, at: Locator) -> Option<(String, Vec<String>)> {
    let Some(list) = list(host, at.need) else {
        return said(host, at.need);
    };
    let file = usize::try_from(at.item)
        .ok()
        .and_then(|index| list.files.get(index));
    Some(match file {
        Some(file) => one(host, at, file),
        None => (
            "stat of each file, and of every name on the way to it".to_owned(),
            all(host, at, list),
        ),
    })
}

/// The files of a fact, in the order of its locators.
fn list(host: &HostFacts, need: Need) -> Option<&Files> {
    fn seen<T>(fact: &Fact<T>) -> Option<&T> {
        fact.get().ok().map(|seen| &seen.value)
    }
    match need {
        Need::KubeletFiles => seen(&host.kubelet_files).map(|facts| &facts.list),
        Need::Pki => seen(&host.pki).map(|facts| &facts.list),
        Need::Kubeconfigs => seen(&host.kubeconfigs).map(|facts| &facts.list),
        Need::HostPaths => seen(&host.host_paths),
        Need::EtcdFiles => seen(&host.etcd_files).map(|facts| &facts.list),
        Need::ApiServerFiles => seen(&host.api_server_files).map(|facts| &facts.list),
        Need::Backups => seen(&host.backups).map(|facts| &facts.list),
        _ => None,
    }
}

fn one(host: &HostFacts, at: Locator, file: &FileAt) -> (String, Vec<String>) {
    let command = format!("stat and getfacl of every name on the way to {}", file.path);
    let walk = file.walk(&host.paths, at);
    let mut lines: Vec<String> = steps(&walk).lines().map(str::to_owned).collect();
    if let Ok(seen) = host.pki.get() {
        let mine = seen.value.certificates.iter();
        let mine = mine.filter(|found| at.need == Need::Pki && found.path == file.path);
        mine.for_each(|found| lines.extend(certificates(&found.content)));
    }
    if let Ok(seen) = host.kubeconfigs.get() {
        let mine = seen.value.contents.iter();
        let mine = mine.filter(|found| at.need == Need::Kubeconfigs && found.path == file.path);
        mine.for_each(|found| lines.extend(kubeconfig(&found.content)));
    }
    if let (Need::ApiServerFiles, Ok(seen)) = (at.need, host.api_server_files.get()) {
        lines.extend(api_server(&seen.value, file));
    }
    (command, lines)
}

/// What was read of a file of the API server.
fn api_server(files: &ApiServerFiles, file: &FileAt) -> Vec<String> {
    let one = match file.role {
        FileRole::AuditPolicy => &files.audit_policy,
        FileRole::AuthenticationConfig => &files.authentication,
        FileRole::AuthorizationConfig => &files.authorization,
        FileRole::EncryptionConfig => return encryption(&files.encryption),
        FileRole::AdmissionConfig => {
            return match files.admission.get().map(|seen| &seen.value) {
                Ok(Some(all)) => {
                    // One of them that is not known is known by no path.
                    let mine = all.iter().filter(|found| {
                        found.get().is_ok_and(|found| found.value.path == file.path)
                    });
                    let mine: Vec<String> = mine.flat_map(configuration).collect();
                    if mine.is_empty() {
                        all.iter()
                            .filter_map(|found| found.get().err())
                            .map(|gap| unknown(&gap))
                            .collect()
                    } else {
                        mine
                    }
                }
                Ok(None) => Vec::new(),
                Err(gap) => vec![unknown(&gap)],
            };
        }
        _ => return Vec::new(),
    };
    match one.get().map(|seen| &seen.value) {
        Ok(Some(found)) if found.path == file.path => written(found),
        Ok(_) => Vec::new(),
        Err(gap) => vec![unknown(&gap)],
    }
}

fn configuration(found: &Fact<Configuration>) -> Vec<String> {
    match found.get() {
        Ok(seen) => written(&seen.value),
        Err(gap) => vec![unknown(&gap)],
    }
}

/// A configuration as YAML, secrets masked.
fn written(found: &Configuration) -> Vec<String> {
    let text = serde_yaml::to_string(&found.content).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

fn encryption(rules: &Fact<Option<Vec<EncryptionRule>>>) -> Vec<String> {
    let words = |list: &[Text]| {
        let list: Vec<&str> = list.iter().map(Text::as_str).collect();
        list.join(", ")
    };
    match rules.get().map(|seen| &seen.value) {
        Ok(rules) => {
            let rules = rules.iter().flatten();
            let line = |rule: &EncryptionRule| {
                format!("{}: {}", words(&rule.resources), words(&rule.providers))
            };
            rules.map(line).collect()
        }
        Err(gap) => vec![unknown(&gap)],
    }
}

fn all(host: &HostFacts, at: Locator, list: &Files) -> Vec<String> {
    let line = |file: &FileAt| {
        let walk = file.walk(&host.paths, at);
        let role = role(file.role);
        match walk.object() {
            Some(hop) => format!(
                "{} {}:{} {} ({role})",
                hop.stat.mode, hop.stat.uid, hop.stat.gid, file.path
            ),
            None => format!("? {} ({role})", file.path),
        }
    };
    let gaps = list.gaps.iter().map(unknown);
    let mut lines: Vec<String> = list.files.iter().map(line).chain(gaps).collect();
    if let (Need::Backups, Ok(seen)) = (at.need, host.backups.get()) {
        let jobs = seen.value.jobs.iter();
        lines.extend(jobs.map(|job| format!("{}: {}", job.origin, job.line)));
    }
    if let (Need::KubeletFiles, Ok(seen)) = (at.need, host.kubelet_files.get()) {
        let units = seen.value.units.iter();
        lines.extend(units.map(|unit| {
            let since = unit.since.map(date);
            let since = since.map_or(String::new(), |since| format!(" since {since}"));
            format!("unit {} is {}{since}", unit.name, unit.active)
        }));
    }
    lines
}

/// What is no list of files.
fn said(host: &HostFacts, need: Need) -> Option<(String, Vec<String>)> {
    match need {
        Need::FileWatches => {
            let found = &host.file_watches.get().ok()?.value;
            let rules = found.loaded.iter().flatten();
            let mut lines: Vec<String> = rules.map(|rule| format!("loaded {rule}")).collect();
            lines.extend(found.written.iter().map(|rule| format!("written {rule}")));
            let tools = found.tools.iter();
            lines.extend(tools.map(|(tool, word)| format!("{word} {tool}")));
            lines.extend(found.gaps.iter().map(unknown));
            Some(("auditctl -l; ls /etc/audit/rules.d; ps".to_owned(), lines))
        }
        Need::KubeletLog => {
            let found = &host.kubelet_log.get().ok()?.value;
            let cut = found.more.then(|| "earlier lines are left out".to_owned());
            let lines = found.lines.iter().map(|line| match line.at {
                Some(at) => format!("{} {}", date(at), line.text),
                None => line.text.to_string(),
            });
            let command = "journalctl -u kubelet --since -24h".to_owned();
            Some((command, cut.into_iter().chain(lines).collect()))
        }
        Need::Disks => {
            let found = &host.disks.get().ok()?.value;
            let line = |disk: &Disk| match &disk.gap {
                Some(gap) => format!("{}: {}", disk.path, unknown(gap)),
                None => format!(
                    "{} on {}: {} of {} kB free",
                    disk.path, disk.mount, disk.free, disk.total
                ),
            };
            Some(("df -kP".to_owned(), found.iter().map(line).collect()))
        }
        _ => None,
    }
}

/// A role as it is spelled in snapshots.
fn role(role: FileRole) -> String {
    let word = serde_json::to_value(role).ok();
    word.and_then(|word| word.as_str().map(str::to_owned))
        .unwrap_or_default()
}

fn certificates(content: &Fact<Vec<Certificate>>) -> Vec<String> {
    match content {
        Fact::Seen(seen) => seen.value.iter().map(certificate).collect(),
        Fact::Gap(gap) => vec![unknown(gap)],
    }
}

/// A certificate in one line.
fn certificate(found: &Certificate) -> String {
    let join = |texts: &[Text]| {
        let texts: Vec<&str> = texts.iter().map(Text::as_str).collect();
        texts.join(",")
    };
    let mut out = format!("certificate CN={}", found.common_name);
    if !found.organizations.is_empty() {
        out.push_str(&format!(" O={}", join(&found.organizations)));
    }
    out.push_str(&format!(
        " issuer {} serial {} from {} until {} {} {} {}",
        found.issuer,
        found.serial,
        date(found.not_before),
        date(found.not_after),
        found.key,
        found.key_bits,
        found.signature
    ));
    if found.ca {
        out.push_str(" CA");
    }
    if !found.names.is_empty() {
        out.push_str(&format!(" names {}", join(&found.names)));
    }
    out
}

fn date(seconds: i64) -> String {
    let at = Timestamp::from_second(seconds);
    at.map_or_else(|_| seconds.to_string(), |at| at.to_string())
}

fn kubeconfig(content: &Fact<KubeconfigContent>) -> Vec<String> {
    let found = match content {
        Fact::Seen(seen) => &seen.value,
        Fact::Gap(gap) => return vec![unknown(gap)],
    };
    let mut out: Vec<String> = found
        .servers
        .iter()
        .map(|server| format!("server {server}"))
        .collect();
    if found.skips_verification {
        out.push("insecure-skip-tls-verify".to_owned());
    }
    if !found.has_ca {
        out.push("no certificate-authority".to_owned());
    }
    let files = found.client_files.iter();
    out.extend(files.map(|file| format!("client-certificate {file}")));
    out.extend(
        found
            .logins
            .iter()
            .map(|login| format!("logs in by {login}")),
    );
    out.extend(found.clients.iter().map(certificate));
    out
}

fn unknown(gap: &Gap) -> String {
    format!("? {gap}")
}
