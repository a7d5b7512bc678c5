//! Certificates of a node, those in kubeconfigs among them, and how long they hold.

use crate::checks::check::Tally;
use crate::model::fact::{Locator, Need, Seen};
use crate::model::files::{Certificate, Pki};
use crate::model::node::NodeFacts;
use crate::model::text::Text;
use crate::model::unix::WalkEnd;

const DAY: i64 = 86_400;
/// Days that a person needs to plan a restart.
pub const SOON: i64 = 30;

/// A certificate and the file that holds it.
pub struct Held<'n> {
    pub path: &'n Text,
    pub certificate: &'n Certificate,
    pub at: Locator,
    /// It is of a pair that a component made for itself.
    pub self_made: bool,
}

/// Every certificate of the node; what is not known stays in the tally.
pub fn certificates<'n>(node: &'n NodeFacts, tally: &mut Tally) -> Vec<Held<'n>> {
    let mut out = Vec::new();
    if let Some(pki) = tally.take(&node.host.pki) {
        out = of_pki(pki, tally);
    }
    let Some(configs) = tally.take(&node.host.kubeconfigs) else {
        return out;
    };
    tally.good(configs.at);
    tally.gaps(configs.value.list.gaps.iter().cloned());
    for config in &configs.value.contents {
        if is_absent(node, &config.path) {
            continue;
        }
        if let Some(content) = tally.take(&config.content) {
            out.extend(content.value.clients.iter().map(|certificate| Held {
                path: &config.path,
                certificate,
                at: content.at,
                self_made: false,
            }));
        }
    }
    out
}

/// Those of the folders of certificates.
pub fn of_pki<'n>(pki: &'n Seen<Pki>, tally: &mut Tally) -> Vec<Held<'n>> {
    let mut out = Vec::new();
    tally.good(pki.at);
    tally.gaps(pki.value.list.gaps.iter().cloned());
    for file in &pki.value.certificates {
        if let Some(content) = tally.take(&file.content) {
            let self_made = is_self_made(&content.value);
            out.extend(content.value.iter().map(|certificate| Held {
                path: &file.path,
                certificate,
                at: content.at,
                self_made,
            }));
        }
    }
    out
}

/// Whether a kubeconfig is named and is not there.
pub fn is_absent(node: &NodeFacts, path: &Text) -> bool {
    let Ok(configs) = node.host.kubeconfigs.get() else {
        return false;
    };
    let mut files = (0_u32..).zip(&configs.value.list.files);
    let file = files.find(|(_, file)| file.path == *path);
    file.is_some_and(|(index, file)| {
        let at = Locator::new(Need::Kubeconfigs, index);
        file.walk(&node.host.paths, at).end == WalkEnd::Absent
    })
}

/// Whether a file is what a component makes for itself that was given none: a certificate `HOST@SECONDS` and behind it
/// the authority of that alone (client-go's util/cert), whose key is thrown away. A name by itself says nothing: any
/// authority may be called so.
fn is_self_made(file: &[Certificate]) -> bool {
    let [leaf, authority] = file else {
        return false;
    };
    let Some((host, seconds)) = leaf.common_name.as_str().rsplit_once('@') else {
        return false;
    };
    let name = format!("{host}-ca@{seconds}");
    !leaf.ca
        && authority.ca
        && authority.self_signed
        && authority.common_name == name.as_str()
        && leaf.issuer == authority.issuer
        && is_made_up(&leaf.issuer)
}

/// Whether an issuer is called as a component calls the authority that it makes up at its start: `HOST-ca@SECONDS`.
pub fn is_made_up(issuer: &Text) -> bool {
    let made = issuer.as_str().rsplit_once("-ca@");
    made.is_some_and(|(_, seconds)| {
        !seconds.is_empty() && seconds.bytes().all(|b| b.is_ascii_digit())
    })
}

/// Whole days from now on, less than zero where it has ended.
pub fn days_left(until: i64, now: i64) -> i64 {
    until.saturating_sub(now) / DAY
}

/// `1 day`, `20 days`.
pub fn days(count: i64) -> String {
    if count == 1 {
        "1 day".to_owned()
    } else {
        format!("{count} days")
    }
}
