//! The facts as lines for the eye.

use std::fmt::Write as _;

use crate::model::fact::Gap;
use crate::model::lsm::{Lsm, Profiles, Runtime};
use crate::model::text::Text;

/// One fact a line; what is not known says why.
pub(super) fn text(lsm: &Lsm) -> String {
    let mut out = String::new();
    say(&mut out, "modules", modules(lsm));
    let apparmor = lsm.apparmor.get();
    let apparmor = apparmor.map(|seen| seen.value.to_string());
    say(&mut out, "apparmor enabled", apparmor);
    let profiles = lsm.profiles.get().map(|seen| known(&seen.value));
    say(&mut out, "apparmor profiles", profiles);
    say(&mut out, "selinux", enforce(lsm));
    for (name, fact) in [
        ("SELINUX", &lsm.selinux.configured),
        ("label of the static pod folder", &lsm.selinux.manifest_dir),
        ("lockdown", &lsm.lockdown),
    ] {
        let words = fact.get();
        say(
            &mut out,
            name,
            words.map(|seen| {
                seen.value
                    .as_ref()
                    .map_or("none".to_owned(), Text::to_string)
            }),
        );
    }
    let runtime = lsm.runtime.get().map(|seen| settings(&seen.value));
    say(&mut out, "container runtime", runtime);
    for (name, value) in &lsm.sysctls {
        say(&mut out, name.as_str(), Ok(value.to_string()));
    }
    out
}

fn say(out: &mut String, name: &str, what: Result<String, Gap>) {
    let what = what.unwrap_or_else(|gap| gap.to_string());
    let _ = writeln!(out, "{name}: {what}");
}

fn modules(lsm: &Lsm) -> Result<String, Gap> {
    Ok(match &lsm.active.get()?.value {
        Some(names) => {
            let names: Vec<&str> = names.iter().map(Text::as_str).collect();
            names.join(",")
        }
        None => "securityfs is not mounted".to_owned(),
    })
}

fn known(profiles: &Profiles) -> String {
    let mut out = format!(
        "{} enforce, {} complain, {} other",
        profiles.enforce, profiles.complain, profiles.other
    );
    for profile in &profiles.named {
        let _ = write!(out, "\n  {} ({})", profile.name, profile.mode);
    }
    out
}

fn enforce(lsm: &Lsm) -> Result<String, Gap> {
    let word = match lsm.selinux.enforce.get()?.value {
        None => "not in the kernel",
        Some(true) => "enforcing",
        Some(false) => "permissive",
    };
    Ok(word.to_owned())
}

fn settings(runtime: &Runtime) -> String {
    let word = |set: Option<bool>| set.map_or("not set".to_owned(), |on| on.to_string());
    format!(
        "{}, selinux {}, disable_apparmor {}",
        runtime.name,
        word(runtime.selinux),
        word(runtime.no_apparmor)
    )
}
