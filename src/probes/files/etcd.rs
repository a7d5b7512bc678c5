//! etcd's data and configuration: who reaches the cluster's secrets at rest.

use super::{Listing, flags};
use crate::model::fact::{Fact, Locator, Need};
use crate::model::files::{EtcdFiles, FileRole};
use crate::model::node::HostFacts;
use crate::probes::answer::Answer;
use crate::probes::probe::{Ask, Probe, Reading};

/// The database itself is never read.
pub static PROBE: Probe = Probe {
    need: Need::EtcdFiles,
    what: "data folder and configuration file of etcd: mode and owner of every name on the way, and the size of the database",
    asks: &[Ask::Shell {
        section: "etcd_files",
        since: 2,
        root: Some("etcd's data folder, which is for root alone"),
        fragment: include_str!("../shell/etcd_files.sh"),
        read,
    }],
};

/// Where the database lies in the data folder (etcd 3).
const DATABASE: &str = "/member/snap/db";

fn read(answer: &Answer<'_>, _: &Reading<'_>, facts: &mut HostFacts) {
    let mut paths = std::mem::take(&mut facts.paths);
    let mut list = Listing::new(answer, "etcd_files", Need::EtcdFiles, &mut paths);
    let (flags, gaps) = flags::of_manifests(facts);
    list.out.gaps.extend(gaps);
    for flag in flags.iter().filter(|flag| flag.program == "etcd") {
        let role = match flag.flag.as_str() {
            "data-dir" | "wal-dir" => FileRole::EtcdData,
            "config-file" => FileRole::EtcdConfig,
            _ => continue,
        };
        if let Some(host) = &flag.host {
            list.add(role, host.as_bytes());
        }
    }
    list.add_named();
    let list = list.done();
    facts.paths = paths;
    let folders: Vec<&str> = list
        .of(FileRole::EtcdData)
        .map(|file| file.path.as_str())
        .collect();
    let size = folders
        .into_iter()
        .filter_map(|folder| {
            let folder = folder.strip_suffix(DATABASE).unwrap_or(folder);
            answer.entry(format!("{folder}{DATABASE}").as_bytes()).ok()
        })
        .map(|stat| stat.size)
        .max();
    facts.etcd_files = Fact::seen(EtcdFiles { list, size }, Locator::list(Need::EtcdFiles));
}
