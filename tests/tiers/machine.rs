//! What this machine can run: a trial that lacks something is skipped by name, or fails where its tier is required.

use libtest_mimic::{Failed, Trial};

/// A trial of a tier (`sshd`, `cluster`, `go`). `lacks` is what the machine does not have, if anything.
pub fn trial(
    tier: &str,
    name: &str,
    lacks: Option<String>,
    run: impl FnOnce() -> Result<(), Failed> + Send + 'static,
) -> Trial {
    match lacks {
        None => Trial::test(name, run).with_kind(tier),
        Some(lacks) if is_required(tier) => {
            let words =
                format!("{tier} is required by STAKEOUT_REQUIRE, and this machine lacks {lacks}");
            Trial::test(name, move || Err(words.into())).with_kind(tier)
        }
        Some(lacks) => {
            let kind = format!("skipped: {tier}: no {lacks}");
            Trial::test(name, run)
                .with_kind(kind)
                .with_ignored_flag(true)
        }
    }
}

fn is_required(tier: &str) -> bool {
    let required = std::env::var("STAKEOUT_REQUIRE").unwrap_or_default();
    required.split(',').any(|word| word.trim() == tier)
}

/// The first of these programs that cannot be found on the path or in the folders of root.
pub fn lacks(programs: &[&str]) -> Option<String> {
    programs
        .iter()
        .find(|program| find(program).is_none())
        .map(|program| (*program).to_owned())
}

/// Where a program is.
pub fn find(program: &str) -> Option<std::path::PathBuf> {
    let path = std::env::var("PATH").unwrap_or_default();
    path.split(':')
        .chain(["/usr/sbin", "/sbin", "/usr/local/sbin"])
        .map(|folder| std::path::Path::new(folder).join(program))
        .find(|candidate| candidate.is_file())
}

/// Whether this process is root, as a missing thing otherwise.
pub fn lacks_root() -> Option<String> {
    (!rustix::process::geteuid().is_root()).then(|| "root".to_owned())
}
