//! The collector's sections on etcd, the API server's files, watches, logs, copies and disks, on a described node.

use std::fmt::Write as _;

use super::files::{at, flags, usual};
use super::shell::Shell;

/// Where configuration files are cut.
const FILE: usize = 262_144;

pub fn etcd_files(sh: &mut Shell<'_>) {
    let mut folders: Vec<String> = flags(sh)
        .into_iter()
        .filter(|(flag, path)| flag == "data-dir" && path.contains("etcd"))
        .map(|(_, path)| path)
        .collect();
    if sh.is_folder("/var/lib/etcd") {
        folders.push("/var/lib/etcd".to_owned());
    }
    folders.sort();
    folders.dedup();
    for folder in folders {
        at(sh, "etcd_data", &folder, "");
        for below in ["member", "member/snap", "member/wal", "member/snap/db"] {
            usual(sh, "etcd_data", &[&format!("{folder}/{below}")]);
        }
    }
    sh.looks();
}

pub fn api_server_files(sh: &mut Shell<'_>) {
    for (flag, path) in flags(sh) {
        let role = match flag.as_str() {
            "audit-policy-file" => "audit_policy",
            "audit-log-path" => "audit_log",
            "audit-webhook-config-file" => "audit_webhook",
            "admission-control-config-file" => "admission_config",
            "encryption-provider-config" => "encryption_config",
            "authentication-config" => "authentication_config",
            "authorization-config" => "authorization_config",
            "token-auth-file" => "token_file",
            _ => continue,
        };
        at(sh, role, &path, &flag);
        if matches!(
            role,
            "audit_policy" | "admission_config" | "authentication_config" | "authorization_config"
        ) {
            sh.file(&path, FILE);
        } else if role == "encryption_config" {
            encryption(sh, &path);
        }
    }
    sh.looks();
}

/// Lines without a value.
fn encryption(sh: &mut Shell<'_>, path: &str) {
    match super::files::text(sh, path) {
        Ok(text) => {
            let lines = text.lines().filter(|line| {
                let line = line.trim();
                line.ends_with(':') || line == "- identity: {}" || !line.contains(':')
            });
            let kept: String = lines.map(|line| format!("{line}\n")).collect();
            sh.output(path, &kept);
        }
        Err(word) => {
            let name = sh.nm(path);
            sh.rec(&["Y", &name, word]);
        }
    }
}

pub fn file_watches(sh: &mut Shell<'_>) {
    let name = sh.nm("auditctl -l");
    sh.rec(&["Y", &name, "absent"]);
}

pub fn kubelet_log(sh: &mut Shell<'_>) {
    if !sh.has("systemctl") {
        return sh.rec(&["Y", "journal", "absent"]);
    }
    if !sh.is_root() {
        return sh.rec(&["Y", "journal", "denied"]);
    }
    let start = sh.now + sh.node.clock_offset - 3600;
    let mut text = String::new();
    for (index, line) in (0i64..).zip(&sh.node.spec.journal) {
        let at = start + 60 * index;
        let host = &sh.node.hostname;
        let _ = writeln!(text, "{at}.000000 {host} kubelet[1000]: {line}");
    }
    sh.output("journal", &text);
}

pub fn backups(sh: &mut Shell<'_>) {
    if sh.has("systemctl") {
        sh.output("systemctl list-timers", "");
    }
    sh.blob("cron", "x1\n");
}

pub fn disks(sh: &mut Shell<'_>) {
    for path in ["/", "/var/lib/etcd", "/var/lib/kubelet", "/var/log"] {
        if sh.is_folder(path) {
            let text = "Filesystem 1024-blocks Used Available Capacity Mounted on\n/dev/vda1 41152736 16461094 22601250 43% /\n";
            sh.output(&format!("df {path}"), text);
        }
    }
}
