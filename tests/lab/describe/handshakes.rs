//! What the TLS ports of a described node show: the certificates of their files, or those that a component makes up.

use super::certs::{self, Request};
use super::shell::Shell;
use super::tree::Kind;

/// Ports, and the files whose certificates they show.
const PORTS: &[(u16, &str)] = &[
    (2379, "/etc/kubernetes/pki/etcd/server.crt"),
    (2380, "/etc/kubernetes/pki/etcd/peer.crt"),
    (6443, "/etc/kubernetes/pki/apiserver.crt"),
    (10250, "/var/lib/kubelet/pki/kubelet.crt"),
    (10257, ""),
    (10259, ""),
];

pub fn section(sh: &mut Shell<'_>) {
    let node = sh.node;
    let mut done = Vec::new();
    for address in &node.listeners {
        let Some((port, path)) = PORTS.iter().find(|(port, _)| *port == address.port()) else {
            continue;
        };
        let ip = if address.ip().is_unspecified() {
            "127.0.0.1".to_owned()
        } else if address.is_ipv6() {
            format!("[{}]", address.ip())
        } else {
            address.ip().to_string()
        };
        let place = format!("{ip}:{port}");
        if done.contains(&place) {
            continue;
        }
        let pem = match node.tree.get(path).map(|entry| &entry.kind) {
            Some(Kind::File(text)) => text.to_string(),
            _ if path.is_empty() => made_up(&node.hostname, *port, node.booted),
            _ => {
                sh.rec(&["Y", &place, "error"]);
                continue;
            }
        };
        let block: String = pem
            .lines()
            .skip_while(|line| *line != "-----BEGIN CERTIFICATE-----")
            .skip(1)
            .take_while(|line| !line.starts_with("-----END"))
            .collect();
        let agreed = sh.nm("TLSv1.3 TLS_AES_128_GCM_SHA256");
        sh.rec(&["T", &place, &agreed]);
        sh.rec(&["C", &place, &block]);
        sh.rec(&["N", &place, "1"]);
        done.push(place);
    }
}

/// A component that has no file signs one for itself when it starts.
fn made_up(node: &str, port: u16, started: i64) -> String {
    let name = format!("localhost@{started}");
    let request = Request {
        common_name: &name,
        server: true,
        ..Request::default()
    };
    certs::pem(request, &[node, &port.to_string()], started)
}
