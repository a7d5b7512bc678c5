//! Security modules of an example.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_yaml::Value;

use super::files::Files;
use super::{fact, gap};
use crate::model::fact::{Fact, Locator, Need};
use crate::model::lsm::{Lsm, Profile, Profiles, Runtime, Seccomp, SeccompContent, SeccompFile};
use crate::model::text::Text;

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct LsmWritten {
    active: Option<Value>,
    apparmor: Option<Value>,
    /// From name to mode.
    profiles: Option<Value>,
    /// `enforcing`, `permissive`, `none`.
    selinux: Option<Value>,
    /// `SELINUX=`, or `none`.
    configured: Option<Value>,
    policy: Option<Text>,
    /// Of the static pod folder, or `none`.
    label: Option<Value>,
    runtime: Option<Value>,
    seccomp: Option<Value>,
    lockdown: Option<Value>,
    sysctls: BTreeMap<Text, Text>,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct RuntimeWritten {
    name: Option<String>,
    selinux: Option<bool>,
    no_apparmor: Option<bool>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SeccompWritten {
    name: String,
    default: Option<String>,
    #[serde(default)]
    rules: u16,
    broken: Option<String>,
    unread: Option<String>,
}

/// The folder of seccomp profiles of examples.
const SECCOMP: &str = "/var/lib/kubelet/seccomp";

pub(super) fn lsm(written: LsmWritten, files: &Files) -> Result<Box<Lsm>, String> {
    let word = |written: Option<Value>| {
        fact(written, Need::Lsm, |word: String| {
            Ok((word != "none").then(|| Text::from(word)))
        })
    };
    let mut lsm = Lsm {
        active: fact(written.active, Need::Lsm, |list: Vec<Text>| Ok(Some(list)))?,
        apparmor: fact(written.apparmor, Need::Lsm, Ok)?,
        profiles: fact(written.profiles, Need::Lsm, profiles)?,
        runtime: fact(written.runtime, Need::Lsm, |written: RuntimeWritten| {
            Ok(Runtime {
                name: Text::from(written.name.as_deref().unwrap_or("containerd")),
                files: Vec::new(),
                selinux: written.selinux,
                no_apparmor: written.no_apparmor,
            })
        })?,
        seccomp: fact(written.seccomp, Need::Lsm, |list| seccomp(list, files))?,
        lockdown: word(written.lockdown)?,
        sysctls: written.sysctls.into_iter().collect(),
        ..Lsm::default()
    };
    lsm.selinux.enforce = fact(written.selinux, Need::Lsm, |word: String| {
        match word.as_str() {
            "enforcing" => Ok(Some(true)),
            "permissive" => Ok(Some(false)),
            "none" => Ok(None),
            _ => Err(format!("{word}: want enforcing, permissive or none")),
        }
    })?;
    lsm.selinux.configured = word(written.configured)?;
    lsm.selinux.policy = written.policy;
    lsm.selinux.manifest_dir = word(written.label)?;
    Ok(Box::new(lsm))
}

#[expect(clippy::unnecessary_wraps, reason = "readers share one shape")]
fn profiles(written: BTreeMap<Text, Text>) -> Result<Profiles, String> {
    let mut out = Profiles::default();
    for (name, mode) in written {
        match mode.as_str() {
            "enforce" => out.enforce += 1,
            "complain" => out.complain += 1,
            _ => out.other += 1,
        }
        out.named.push(Profile { name, mode });
    }
    Ok(out)
}

fn seccomp(list: Vec<SeccompWritten>, files: &Files) -> Result<Seccomp, String> {
    let at = Locator::new(Need::Lsm, 0);
    let file = |written: SeccompWritten| {
        let walk = files.walk(&format!("{SECCOMP}/{}", written.name))?;
        let content = match (written.default, written.broken, written.unread) {
            (Some(default), None, None) => Fact::seen(
                Some(SeccompContent::Profile {
                    default: Text::from(default),
                    rules: written.rules,
                }),
                at,
            ),
            (None, Some(message), None) => Fact::seen(
                Some(SeccompContent::Broken {
                    message: Text::from(message),
                }),
                at,
            ),
            (None, None, Some(word)) => Fact::Gap(gap(&word)?),
            _ => Fact::seen(None, at),
        };
        Ok(SeccompFile {
            name: Text::from(written.name),
            walk,
            content,
        })
    };
    Ok(Seccomp {
        path: Text::new(SECCOMP),
        profiles: list.into_iter().map(file).collect::<Result<_, String>>()?,
    })
}
