//! Facts of an example about files beside the manifests.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_yaml::Value;

use super::files::Files as Tree;
use super::{fact, gap, gap_of, parse};
use crate::model::fact::{Fact, Locator, Need};
use crate::model::files::{
    ApiServerFiles, Backups, Certificate, CertificateFile, EtcdFiles, FileAt, FileRole, Files,
    Kubeconfig, KubeconfigContent, Kubeconfigs, KubeletFiles, Pki,
};
use crate::model::name::Digest;
use crate::model::node::HostFacts;
use crate::model::text::Text;
use crate::model::unix::FileKind;

/// The keys of one node that lead to files.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct PathsWritten {
    kubelet_files: Option<Value>,
    pki: Option<Value>,
    certificates: Option<Vec<CertificateWritten>>,
    kubeconfigs: Option<Value>,
    kubeconfig_contents: Option<Vec<KubeconfigWritten>>,
    host_paths: Option<Value>,
    etcd_files: Option<Value>,
    api_server_files: Option<Value>,
    backups: Option<Value>,
}

#[derive(Deserialize)]
struct FileWritten {
    role: FileRole,
    path: String,
    #[serde(flatten)]
    file: BTreeMap<String, Value>,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct KubeconfigWritten {
    path: String,
    gap: Option<String>,
    servers: Vec<Text>,
    skips_verification: bool,
    no_ca: bool,
    clients: Vec<CertificateWritten>,
    client_files: Vec<Text>,
    logins: Vec<Text>,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct CertificateWritten {
    path: String,
    flag: String,
    gap: Option<String>,
    subject: String,
    organizations: Vec<Text>,
    issuer: String,
    self_signed: bool,
    from: Option<i64>,
    until: Option<i64>,
    names: Vec<Text>,
    ca: bool,
    usages: Vec<Text>,
    serial: Option<String>,
    key: Option<String>,
    bits: Option<u32>,
    signature: Option<String>,
    spki: String,
}

impl PathsWritten {
    pub(super) fn read(self, tree: &mut Tree, host: &mut HostFacts) -> Result<(), String> {
        let certificates = self.certificates.unwrap_or_default();
        let certificates = files(certificates)?;
        let mut list = |written, need| list(written, need, (tree, host));
        let kubelet_files = list(self.kubelet_files, Need::KubeletFiles)?;
        let pki = list(self.pki, Need::Pki)?;
        let kubeconfigs = list(self.kubeconfigs, Need::Kubeconfigs)?;
        let host_paths = list(self.host_paths, Need::HostPaths)?;
        let etcd_files = list(self.etcd_files, Need::EtcdFiles)?;
        let api_server_files = list(self.api_server_files, Need::ApiServerFiles)?;
        let backups = list(self.backups, Need::Backups)?;
        host.kubelet_files = map(kubelet_files, |list| KubeletFiles {
            list,
            units: Vec::new(),
        });
        host.pki = map(pki, |list| Pki { list, certificates });
        let contents = self.kubeconfig_contents.unwrap_or_default();
        let contents: Result<Vec<_>, String> = contents.into_iter().map(kubeconfig).collect();
        let contents = contents?;
        let alone = kubeconfigs == Fact::default() && !contents.is_empty();
        host.kubeconfigs = if alone {
            let list = Files::default();
            Fact::seen(
                Kubeconfigs { list, contents },
                Locator::list(Need::Kubeconfigs),
            )
        } else {
            map(kubeconfigs, |list| Kubeconfigs { list, contents })
        };
        host.host_paths = host_paths;
        host.etcd_files = map(etcd_files, |list| EtcdFiles { list, size: None });
        host.api_server_files = map(api_server_files, |list| ApiServerFiles {
            list,
            ..ApiServerFiles::default()
        });
        host.backups = map(backups, |list| Backups {
            list,
            jobs: Vec::new(),
        });
        Ok(())
    }
}

fn map<T, U>(from: Fact<T>, make: impl FnOnce(T) -> U) -> Fact<U> {
    match from {
        Fact::Seen(seen) => Fact::seen(make(seen.value), seen.at),
        Fact::Gap(gap) => Fact::Gap(gap),
    }
}

fn list(
    written: Option<Value>,
    need: Need,
    (tree, host): (&mut Tree, &mut HostFacts),
) -> Result<Fact<Files>, String> {
    fact(written, need, |items: Vec<Value>| {
        let mut out = Files::default();
        let mut files = Vec::new();
        for item in items {
            if let Some(gap) = gap_of(&item)? {
                out.gaps.push(gap);
                continue;
            }
            let mut written: FileWritten = parse(item, need)?;
            let keys = std::mem::take(&mut written.file);
            tree.put(written.path.clone(), keys, usual(written.role))?;
            files.push(written);
        }
        for written in files {
            let trail = host.paths.add(tree.walk(&written.path)?);
            out.files.push(FileAt {
                role: written.role,
                path: Text::from(written.path),
                trail,
            });
        }
        Ok(out)
    })
}

fn usual(role: FileRole) -> FileKind {
    match role {
        FileRole::KubeletConfigDir
        | FileRole::RootDir
        | FileRole::UnitDropInDir
        | FileRole::PkiDir
        | FileRole::HostPath
        | FileRole::EtcdData
        | FileRole::SnapshotDir
        | FileRole::BackupDir
        | FileRole::AdmissionDir => FileKind::Directory,
        FileRole::RuntimeSocket | FileRole::KubeletSocket => FileKind::Socket,
        _ => FileKind::Regular,
    }
}

fn kubeconfig(written: KubeconfigWritten) -> Result<Kubeconfig, String> {
    let mut clients = Vec::new();
    for client in written.clients {
        if let Fact::Seen(seen) = certificate(client)?.content {
            clients.extend(seen.value);
        }
    }
    let content = KubeconfigContent {
        servers: written.servers,
        skips_verification: written.skips_verification,
        has_ca: !written.no_ca,
        clients,
        client_files: written.client_files,
        logins: written.logins,
    };
    Ok(Kubeconfig {
        path: Text::from(written.path),
        content: match written.gap {
            Some(word) => Fact::Gap(gap(&word)?),
            None => Fact::seen(content, Locator::new(Need::Kubeconfigs, 0)),
        },
    })
}

/// A certificate of ten years around the moment of the example, unless it says otherwise.
/// Certificates of one path, one behind the other, are of one file.
fn files(written: Vec<CertificateWritten>) -> Result<Vec<CertificateFile>, String> {
    let mut out: Vec<CertificateFile> = Vec::new();
    for written in written {
        let next = certificate(written)?;
        match (out.last_mut(), next.content) {
            (Some(last), Fact::Seen(more)) if last.path == next.path => {
                if let Fact::Seen(seen) = &mut last.content {
                    seen.value.extend(more.value);
                }
            }
            (_, content) => out.push(CertificateFile { content, ..next }),
        }
    }
    Ok(out)
}

pub(super) fn certificate(written: CertificateWritten) -> Result<CertificateFile, String> {
    const YEARS: i64 = 5 * 365 * 86_400;
    let now = super::NOW.as_second();
    let path = Text::from(written.path);
    let content = match written.gap {
        Some(word) => Fact::Gap(gap(&word)?),
        None => Fact::seen(
            vec![Certificate {
                common_name: Text::from(written.subject),
                organizations: written.organizations.into(),
                issuer: Text::from(written.issuer),
                self_signed: written.self_signed,
                serial: Text::from(written.serial.as_deref().unwrap_or("01")),
                not_before: written.from.unwrap_or(now - YEARS),
                not_after: written.until.unwrap_or(now + YEARS),
                names: written.names.into(),
                ca: written.ca,
                usages: written.usages.into(),
                key: Text::from(written.key.as_deref().unwrap_or("RSA")),
                key_bits: written.bits.unwrap_or(2048),
                signature: Text::from(
                    written
                        .signature
                        .as_deref()
                        .unwrap_or("sha256WithRSAEncryption"),
                ),
                spki: Digest::new(&openssl::sha::sha256(written.spki.as_bytes())),
            }],
            Locator::new(Need::Pki, 0),
        ),
    };
    Ok(CertificateFile {
        path,
        flag: Text::from(written.flag),
        content,
    })
}
