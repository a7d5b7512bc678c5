//! The collector's sections on files beside the manifests, on a described node.

use super::shell::Shell;
use super::tree::Kind;

/// Units that may run the kubelet on a described node: that of kubeadm alone.
const UNIT: &str = "kubelet.service";
const UNITS: &[&str] = &["/etc/systemd/system", "/usr/lib/systemd/system"];

/// A file that counts.
pub fn at(sh: &mut Shell<'_>, role: &str, path: &str, flag: &str) {
    if !path.starts_with('/') {
        return;
    }
    let name = sh.nm(path);
    if flag.is_empty() {
        sh.rec(&["W", role, &name]);
    } else {
        sh.rec(&["W", role, &name, flag]);
    }
    sh.walk(path);
}

pub fn usual(sh: &mut Shell<'_>, role: &str, paths: &[&str]) {
    for path in paths {
        if sh.exists(path) || sh.is_link(path) {
            at(sh, role, path, "");
        } else {
            sh.shut(path);
        }
    }
}

fn inside(sh: &mut Shell<'_>, role: &str, path: &str, each: fn(&mut Shell<'_>, &str)) {
    at(sh, role, path, "");
    if sh.is_folder(path) {
        sh.list(path, each);
    }
}

/// The content of a file that the login may read.
pub fn text(sh: &Shell<'_>, path: &str) -> Result<String, &'static str> {
    let found = sh.node.tree.find(&sh.login, path, true);
    let (_, entry) = found.map_err(super::tree::Trouble::word)?;
    match &entry.kind {
        Kind::File(_) if !sh.login.may(entry, 4) => Err("denied"),
        Kind::File(content) => Ok(content.to_string()),
        _ => Err("kind"),
    }
}

fn pem(sh: &mut Shell<'_>, path: &str, text: &str) {
    let name = sh.nm(path);
    let mut count = 0;
    for part in text.split("-----BEGIN CERTIFICATE-----\n").skip(1) {
        let block = part.split("\n-----END").next().unwrap_or(part);
        count += 1;
        sh.rec(&["C", &name, &block.replace('\n', "")]);
    }
    sh.rec(&["N", &name, &count.to_string()]);
}

fn refused(sh: &mut Shell<'_>, path: &str, word: &str) {
    let name = sh.nm(path);
    sh.rec(&["Y", &name, word]);
}

fn certs(sh: &mut Shell<'_>, path: &str) {
    match text(sh, path) {
        Ok(text) => pem(sh, path, &text),
        Err(word) => refused(sh, path, word),
    }
}

fn environment(sh: &mut Shell<'_>, path: &str) {
    for line in text(sh, path).unwrap_or_default().lines() {
        if let Some(path) = line.strip_prefix("EnvironmentFile=") {
            at(sh, "environment", path.trim_start_matches('-'), "");
        }
    }
}

fn over(sh: &mut Shell<'_>, path: &str) {
    if path.strip_suffix(".conf").is_some() {
        at(sh, "unit_drop_in", path, "");
        environment(sh, path);
    }
}

pub fn kubelet_files(sh: &mut Shell<'_>) {
    for folder in UNITS {
        let path = format!("{folder}/{UNIT}");
        if sh.exists(&path) {
            at(sh, "unit", &path, "");
            environment(sh, &path);
        }
    }
    at(
        sh,
        "unit_drop_in_dir",
        "/etc/systemd/system/kubelet.service.d",
        "",
    );
    for folder in UNITS {
        let path = format!("{folder}/{UNIT}.d");
        if sh.is_folder(&path) {
            inside(sh, "unit_drop_in_dir", &path, over);
        }
    }
    if sh.has("systemctl") {
        let text = "Id=kubelet.service\nLoadState=loaded\nActiveState=active\nActiveEnterTimestampMonotonic=30000000\n";
        sh.output("systemctl show", text);
    }
    for (word, path) in sh.found.files.clone() {
        at(sh, word, &path, "");
    }
    at(sh, "root_dir", "/var/lib/kubelet", "");
    inside(sh, "kubelet_pki", "/var/lib/kubelet/pki", |sh, path| {
        at(sh, "kubelet_pki", path, "");
    });
    usual(
        sh,
        "kubelet_config",
        &["/var/lib/kubelet/instance-config.yaml"],
    );
    usual(sh, "runtime_socket", &["/run/containerd/containerd.sock"]);
    sh.looks();
}

/// Flags with absolute paths, out of manifests.
pub fn flags(sh: &Shell<'_>) -> Vec<(String, String)> {
    let manifests = sh.found.manifests.iter();
    let texts: Vec<String> = manifests.filter_map(|path| text(sh, path).ok()).collect();
    let lines = texts.iter().flat_map(|text| text.lines());
    let found = lines.filter_map(|line| {
        let (_, body) = line.split_once("--")?;
        let (flag, path) = body.split_once('=')?;
        let path = path.trim_end_matches('"');
        path.starts_with('/')
            .then(|| (flag.to_owned(), path.to_owned()))
    });
    found.collect()
}

fn keeps(flag: &str) -> Option<&'static str> {
    let ends = |all: &[&str]| all.iter().any(|end| flag.ends_with(end));
    match flag {
        "service-account-key-file" => Some("public_key"),
        "key-file" | "kubelet-client-key" => Some("private_key"),
        "cert-file" | "kubelet-client-certificate" => Some("certificate"),
        _ if ends(&["-key-file", "-keyfile"]) => Some("private_key"),
        _ if ends(&["-ca-file", "-cert-file", "-cafile", "-certfile"]) => Some("certificate"),
        _ => None,
    }
}

fn pki_file(sh: &mut Shell<'_>, path: &str) {
    let role = match path.rsplit_once('.').map(|(_, end)| end) {
        Some("crt") => "certificate",
        Some("key") => "private_key",
        Some("pub") => "public_key",
        _ => "pki_other",
    };
    if !sh.is_folder(path) {
        at(sh, role, path, "");
    }
}

pub fn pki(sh: &mut Shell<'_>) {
    let mut files = Vec::new();
    for (flag, path) in flags(sh) {
        if let Some(role) = keeps(&flag) {
            at(sh, role, &path, &flag);
            files.push(path);
        }
    }
    for folder in ["/etc/kubernetes/pki/etcd", "/etc/kubernetes/pki"] {
        if sh.is_folder(folder) {
            inside(sh, "pki_dir", folder, pki_file);
            let names = sh.node.tree.names(folder);
            files.extend(names.map(|name| format!("{folder}/{name}")));
        }
    }
    for name in ["kubelet-client-current.pem", "kubelet.crt"] {
        let path = format!("/var/lib/kubelet/pki/{name}");
        at(sh, "pki_other", &path, "");
        files.push(path);
    }
    sh.looks();
    files.retain(|path| [".crt", ".pem"].iter().any(|end| path.ends_with(end)));
    files.sort();
    files.dedup();
    for path in files {
        certs(sh, &path);
    }
}

pub fn kubeconfigs(sh: &mut Shell<'_>) {
    let files: Vec<(&str, String)> = [
        ("kubelet_kubeconfig", "kubelet.conf"),
        ("super_admin_kubeconfig", "super-admin.conf"),
        ("admin_kubeconfig", "admin.conf"),
        ("component_kubeconfig", "controller-manager.conf"),
        ("component_kubeconfig", "scheduler.conf"),
    ]
    .into_iter()
    .map(|(role, name)| (role, format!("/etc/kubernetes/{name}")))
    .chain([("user_kubeconfig", "/root/.kube/config".to_owned())])
    .collect();
    for (_, path) in &files {
        sh.shut(path);
    }
    let files: Vec<(&str, String)> = files
        .into_iter()
        .filter(|(_, path)| sh.exists(path))
        .collect();
    for (role, path) in &files {
        at(sh, role, path, "");
    }
    sh.looks();
    for (_, path) in &files {
        match text(sh, path) {
            Ok(text) => kubeconfig(sh, path, &text),
            Err(word) => refused(sh, path, word),
        }
    }
}

fn kubeconfig(sh: &mut Shell<'_>, path: &str, text: &str) {
    let name = sh.nm(path);
    sh.rec(&["U", &name, "read"]);
    for line in text.lines() {
        let Some((key, value)) = line.trim_start_matches([' ', '-']).split_once(':') else {
            continue;
        };
        let value = value.trim();
        match key {
            "certificate-authority" | "certificate-authority-data" => {
                sh.rec(&["U", &name, "certificate-authority"]);
            }
            "server" | "insecure-skip-tls-verify" | "client-certificate" => {
                let value = sh.nm(value);
                sh.rec(&["U", &name, key, &value]);
            }
            "client-certificate-data" => {
                sh.rec(&["U", &name, key]);
                let pem_text = openssl::base64::decode_block(value).unwrap_or_default();
                let pem_text = String::from_utf8_lossy(&pem_text).into_owned();
                pem(sh, path, &pem_text);
            }
            "client-key-data" => sh.rec(&["U", &name, "key"]),
            "token" | "tokenFile" | "password" | "exec" | "auth-provider" => {
                sh.rec(&["U", &name, "login", key]);
            }
            _ => {}
        }
    }
}

pub fn host_paths(sh: &mut Shell<'_>) {
    let manifests = sh.found.manifests.clone();
    let texts: Vec<String> = manifests
        .iter()
        .filter_map(|path| text(sh, path).ok())
        .collect();
    for text in texts {
        let mut inside = false;
        for line in text.lines() {
            inside |= line.contains("hostPath");
            let Some((_, path)) = line.split_once("path:").filter(|_| inside) else {
                continue;
            };
            inside = false;
            let path = path.trim().trim_matches(['"', '\'', '}']).to_owned();
            at(sh, "host_path", &path, "");
        }
    }
    sh.looks();
}
