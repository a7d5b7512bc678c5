//! Certificates and keys: who reaches each file, and what certificates say.

use super::{Listing, certificate, flags};
use crate::model::fact::{Fact, Gap, Locator, Need};
use crate::model::files::{CertificateFile, FileRole, Files, Pki};
use crate::model::node::HostFacts;
use crate::model::text::Text;
use crate::probes::answer::Answer;
use crate::probes::probe::{Ask, Probe, Reading};

/// The body of a key is never asked for.
pub static PROBE: Probe = Probe {
    need: Need::Pki,
    what: "certificates and keys: mode and owner of every name on the way, and the certificates themselves, which are public; never a key",
    asks: &[Ask::Shell {
        section: "pki",
        since: 2,
        root: Some("folders of keys that are closed to others"),
        fragment: include_str!("../shell/pki.sh"),
        read,
    }],
};

/// Files whose certificates are kept.
const FILES: usize = 80;

fn read(answer: &Answer<'_>, _: &Reading<'_>, facts: &mut HostFacts) {
    let mut paths = std::mem::take(&mut facts.paths);
    let mut list = Listing::new(answer, "pki", Need::Pki, &mut paths);
    let (flags, gaps) = flags::of_manifests(facts);
    list.out.gaps.extend(gaps);
    for flag in &flags {
        if let (Some(role), Some(host)) = (role(&flag.flag), &flag.host) {
            list.add(role, host.as_bytes());
        }
    }
    list.add_named();
    let list = list.done();
    facts.paths = paths;
    let certificates = certificates(answer, &list, &flags);
    facts.pki = Fact::seen(Pki { list, certificates }, Locator::list(Need::Pki));
}

/// What a flag's file is, where it is a certificate or a key.
fn role(flag: &str) -> Option<FileRole> {
    let ends = |ends: &[&str]| ends.iter().any(|end| flag.ends_with(end));
    Some(match flag {
        "service-account-key-file" => FileRole::PublicKey,
        "key-file" | "kubelet-client-key" | "service-account-signing-key-file" => {
            FileRole::PrivateKey
        }
        "cert-file" | "kubelet-client-certificate" | "kubelet-certificate-authority" => {
            FileRole::Certificate
        }
        _ if ends(&["-key-file", "-keyfile"]) => FileRole::PrivateKey,
        _ if ends(&["-ca-file", "-cert-file", "-cafile", "-certfile"]) => FileRole::Certificate,
        _ => return None,
    })
}

fn certificates(
    answer: &Answer<'_>,
    list: &Files,
    flags: &[flags::FlagPath],
) -> Vec<CertificateFile> {
    let mut out = Vec::new();
    let at = |index| Locator::new(Need::Pki, index);
    for (index, file) in (0u32..).zip(&list.files) {
        if !matches!(file.role, FileRole::Certificate | FileRole::PkiOther) {
            continue;
        }
        let path = file.path.as_str();
        let named = flags
            .iter()
            .filter(|flag| flag.host.as_deref() == Some(path))
            .map(|flag| flag.flag.as_str());
        let said = answer
            .records("pki", "W")
            .filter(|fields| fields.get(1).is_some_and(|name| name == path.as_bytes()))
            .filter_map(|fields| std::str::from_utf8(fields.get(2)?).ok());
        let flag = named.chain(said).next().unwrap_or_default();
        let content = certificate::of_file(answer, "pki", path.as_bytes(), at(index));
        // A file that nothing but its place makes one, and that holds none, is no certificate.
        let other = file.role == FileRole::PkiOther && flag.is_empty();
        let none = match &content {
            Fact::Seen(seen) => seen.value.is_empty(),
            Fact::Gap(_) => answer.refusal("pki", path.as_bytes()).is_none(),
        };
        if other && none {
            continue;
        }
        if out.len() == FILES {
            out.push(more(at(index)));
            break;
        }
        out.push(CertificateFile {
            path: file.path.clone(),
            flag: Text::new(flag),
            content,
        });
    }
    out
}

fn more(_: Locator) -> CertificateFile {
    CertificateFile {
        path: Text::new("further certificates"),
        flag: Text::default(),
        content: Fact::Gap(Gap::Garbled {
            what: Text::from(format!("more than {FILES} files of certificates")),
        }),
    }
}
