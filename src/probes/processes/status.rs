//! Lines of `/proc/PID/status` (proc(5)), of many processes.

use std::collections::HashMap;

use crate::model::process::{Caps, Ids, Rights};

/// What was found of one process.
#[derive(Default)]
pub(super) struct Status {
    uid: Option<Ids>,
    gid: Option<Ids>,
    permitted: Option<Caps>,
    effective: Option<Caps>,
    bounding: Option<Caps>,
    no_new_privs: Option<bool>,
    seccomp: Option<u8>,
}

impl Status {
    /// Whole, or none: half a status would look like a process with fewer rights.
    pub(super) fn rights(&self) -> Option<Rights> {
        Some(Rights {
            uid: self.uid?,
            gid: self.gid?,
            permitted: self.permitted?,
            effective: self.effective?,
            bounding: self.bounding?,
            no_new_privs: self.no_new_privs?,
            seccomp: self.seccomp,
        })
    }

    fn take(&mut self, key: &str, rest: &str) {
        match key {
            "Uid" => self.uid = ids(rest),
            "Gid" => self.gid = ids(rest),
            "CapPrm" => self.permitted = caps(rest),
            "CapEff" => self.effective = caps(rest),
            "CapBnd" => self.bounding = caps(rest),
            "NoNewPrivs" => {
                self.no_new_privs = match rest.trim() {
                    "0" => Some(false),
                    "1" => Some(true),
                    _ => None,
                }
            }
            "Seccomp" => self.seccomp = rest.trim().parse().ok(),
            _ => {}
        }
    }
}

/// `PID Key:\tvalue`, one key a line.
pub(super) fn read(text: &str) -> HashMap<u32, Status> {
    let mut found: HashMap<u32, Status> = HashMap::new();
    for line in text.lines() {
        let parts = line
            .split_once(' ')
            .and_then(|(pid, rest)| Some((pid.parse().ok()?, rest.split_once(':')?)));
        if let Some((pid, (key, rest))) = parts {
            found.entry(pid).or_default().take(key, rest);
        }
    }
    found
}

fn ids(rest: &str) -> Option<Ids> {
    let mut numbers = rest.split_ascii_whitespace().map(str::parse);
    let mut next = || numbers.next()?.ok();
    Some(Ids {
        real: next()?,
        effective: next()?,
    })
}

fn caps(rest: &str) -> Option<Caps> {
    u64::from_str_radix(rest.trim(), 16).ok().map(Caps)
}
