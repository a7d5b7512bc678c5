//! Kubeconfigs: who reaches each, and what in them is no secret.

use super::{Listing, certificate, flags};
use crate::model::fact::{Fact, Gap, Locator, Need};
use crate::model::files::{FileRole, Kubeconfig, KubeconfigContent, Kubeconfigs};
use crate::model::node::HostFacts;
use crate::model::text::Text;
use crate::probes::answer::{Answer, not_read};
use crate::probes::mask::Masker;
use crate::probes::probe::{Ask, Probe, Reading};

/// Keys, tokens and passwords are never asked for.
pub static PROBE: Probe = Probe {
    need: Need::Kubeconfigs,
    what: "kubeconfigs: mode and owner of every name on the way, the server, and the certificates in them; never a key or a token",
    asks: &[Ask::Shell {
        section: "kubeconfigs",
        since: 2,
        root: Some("kubeconfigs, which are for root alone"),
        fragment: include_str!("../shell/kubeconfigs.sh"),
        read,
    }],
};

/// Values of one kind in one file that are kept.
const VALUES: usize = 16;

fn read(answer: &Answer<'_>, reading: &Reading<'_>, facts: &mut HostFacts) {
    let mut paths = std::mem::take(&mut facts.paths);
    let mut list = Listing::new(answer, "kubeconfigs", Need::Kubeconfigs, &mut paths);
    let (flags, gaps) = flags::of_manifests(facts);
    list.out.gaps.extend(gaps);
    for flag in &flags {
        if (flag.flag == "kubeconfig" || flag.flag.ends_with("-kubeconfig"))
            && let Some(host) = &flag.host
        {
            list.add(FileRole::ComponentKubeconfig, host.as_bytes());
        }
    }
    list.add_named();
    let list = list.done();
    let files = (0u32..).zip(&list.files);
    let contents = files.map(|(index, file)| Kubeconfig {
        path: file.path.clone(),
        content: content(
            answer,
            file.path.as_str().as_bytes(),
            Locator::new(Need::Kubeconfigs, index),
            reading.masker,
        ),
    });
    let contents = contents.collect();
    facts.paths = paths;
    facts.kubeconfigs = Fact::seen(
        Kubeconfigs { list, contents },
        Locator::list(Need::Kubeconfigs),
    );
}

/// What the collector took out of one file.
fn content(
    answer: &Answer<'_>,
    path: &[u8],
    at: Locator,
    masker: &Masker,
) -> Fact<KubeconfigContent> {
    let shown = Text::from_bytes(path);
    if let Some(word) = answer.refusal("kubeconfigs", path) {
        return Fact::Gap(not_read(word, shown.as_str()));
    }
    let garbled = || {
        Fact::Gap(Gap::Garbled {
            what: Text::from(format!("the kubeconfig {shown}")),
        })
    };
    let mut out = KubeconfigContent::default();
    let (mut read, mut data, mut partly, mut key) = (false, false, false, false);
    let mine = |fields: &&[Vec<u8>]| fields.first().is_some_and(|name| name == path);
    for fields in answer.records("kubeconfigs", "U").filter(mine) {
        let word = fields.get(1).map(Vec::as_slice).unwrap_or_default();
        let mut value =
            String::from_utf8_lossy(fields.get(2).map_or(&b""[..], Vec::as_slice)).into_owned();
        masker.mask_words(&mut value);
        let value = Text::from(value);
        let keep = |list: &mut Vec<Text>| {
            if list.len() < VALUES && !list.contains(&value) {
                list.push(value.clone());
            }
        };
        match word {
            b"read" => read = true,
            b"server" => keep(&mut out.servers),
            b"insecure-skip-tls-verify" => out.skips_verification |= value.as_str() != "false",
            b"certificate-authority" => out.has_ca = true,
            b"client-certificate" => keep(&mut out.client_files),
            b"client-certificate-data" => data = true,
            b"login" => keep(&mut out.logins),
            b"partly" => partly = true,
            b"key" => key = true,
            _ => {}
        }
    }
    // A kubeconfig in one line, or of another form: nothing of it is known.
    if !read || out.servers.is_empty() {
        return garbled();
    }
    // What stands beside it may be a secret.
    if partly || (key && !data) {
        return Fact::Gap(Gap::Garbled {
            what: Text::from(format!(
                "the kubeconfig {shown} is longer than the collector reads, or written in a form of its own"
            )),
        });
    }
    if data {
        match certificate::of_file(answer, "kubeconfigs", path, at) {
            Fact::Seen(seen) if !seen.value.is_empty() => out.clients = seen.value,
            Fact::Seen(_) => return garbled(),
            Fact::Gap(gap) => return Fact::Gap(gap),
        }
    }
    Fact::seen(out, at)
}
