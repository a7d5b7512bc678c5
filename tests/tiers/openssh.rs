//! The collector's script in real shells, through a real sshd and a real sudo, on a node that is made of mounts
//! and processes of its own and leaves nothing behind.

mod rights;
pub mod world;

use std::collections::BTreeMap;

use libtest_mimic::{Failed, Trial};
use stakeout::model::Timestamp;
use stakeout::model::fact::{Fact, Gap};
use stakeout::model::node::{HostFacts, WayIn};
use stakeout::model::pod::{Manifest, Parsed};
use stakeout::model::unix::FileKind;
use stakeout::probes::frame::{Frame, FrameReader, Section};
use stakeout::probes::mask::Masker;
use stakeout::probes::probe::Reading;
use stakeout::probes::{collector, read_host};

use crate::machine::{find, lacks, lacks_root, trial};
use world::World;

const NONCE: &str = "0123456789abcdef0123456789abcdef";

/// Shells that a system may have as `/bin/sh`.
const SHELLS: &[&str] = &["dash", "bash", "bash --posix", "busybox sh", "mksh"];
/// Shells that a login may have.
const LOGINS: &[&str] = &["bash", "dash", "zsh", "fish", "csh", "mksh"];

type Run = fn() -> Result<(), Failed>;

pub fn trials() -> Vec<Trial> {
    let node = || lacks(&["unshare", "nsenter", "timeout", "mount"]).or_else(lacks_root);
    let sshd = || node().or_else(|| lacks(&["sshd", "ssh", "ssh-keygen", "sudo"]));
    let with = |program: &[&str]| node().or_else(|| lacks(program));
    let strace = || sshd().or_else(|| lacks(&["strace"]));
    let copies = || sshd().or_else(|| lacks(&["scp", "sftp"]));
    let pod = || with(&["chroot", "setpriv"]);
    let rows: [(&str, Option<String>, Run); 16] = [
        (
            "keys_and_kubeconfigs_stay_on_the_node",
            with(&["strace"]),
            rights::keys_and_kubeconfigs_stay_on_the_node,
        ),
        (
            "printed_grants_are_worth_root",
            sshd(),
            rights::printed_grants_are_worth_root,
        ),
        (
            "a_login_lacks_only_what_a_grant_gives",
            sshd(),
            rights::a_login_lacks_only_what_a_grant_gives,
        ),
        (
            "an_older_script_is_installed",
            sshd(),
            rights::an_older_script_is_installed,
        ),
        (
            "a_forced_key_runs_nothing_else",
            copies(),
            rights::a_forced_key_runs_nothing_else,
        ),
        (
            "no_way_changes_anything",
            strace(),
            rights::no_way_changes_anything,
        ),
        (
            "a_debug_pod_sees_the_node",
            pod(),
            rights::a_debug_pod_sees_the_node,
        ),
        ("every_shell_says_the_same", node(), every_shell),
        ("hostile_names_are_data", node(), hostile_names),
        ("a_filled_folder_hides_little", node(), filled_folder),
        ("a_login_without_rights", node(), unprivileged),
        ("a_rule_for_these_bytes_alone", sshd(), sudo_rule),
        ("a_forced_command", sshd(), forced_command),
        ("few_tools", with(&["busybox", "dash", "ldd"]), few_tools),
        ("writes_nothing", with(&["strace"]), writes_nothing),
        ("a_cut_script_does_nothing", node(), cut_script),
    ];
    let row = |(name, lacks, run)| trial("sshd", &format!("collector::{name}"), lacks, run);
    let mut all: Vec<Trial> = rows.into_iter().map(row).collect();
    for shell in LOGINS {
        let lacks = sshd().or_else(|| lacks(&[shell]));
        let name = format!("collector::through_sshd_with_{shell}_as_login_shell");
        all.push(trial("sshd", &name, lacks, || through_sshd(shell)));
    }
    all
}

/// Reads an answer that must be whole.
fn frame(stdout: &[u8]) -> Result<Frame, Failed> {
    let mut reader = FrameReader::new(NONCE, collector::section_count());
    reader.push(stdout);
    let frame = reader.finish().map_err(|gap| gap.to_string())?;
    if frame.complete {
        Ok(frame)
    } else {
        Err(format!("cut: {:?}", frame.cut).into())
    }
}

fn facts(frame: &Frame) -> HostFacts {
    let masker = Masker::new([7; 32]);
    let reading = Reading {
        at: Timestamp::UNIX_EPOCH,
        masker: &masker,
    };
    read_host(frame, &reading)
}

fn stream(world: &World, shell: &str) -> Result<Frame, Failed> {
    let (_, stdin) = collector::job(WayIn::LoginOnly, NONCE);
    let mut words: Vec<&str> = shell.split(' ').collect();
    words.push("-s");
    frame(&world.run(&words, &stdin)?)
}

/// Sections in which two runs cannot differ.
fn lasting(frame: &Frame) -> Vec<Section> {
    ["accounts", "kubelet", "folder", "manifests"]
        .iter()
        .filter_map(|name| frame.section(name))
        .cloned()
        .collect()
}

fn every_shell() -> Result<(), Failed> {
    let world = World::new("shells", &[])?;
    let mut first: Option<(&str, Vec<Section>)> = None;
    for shell in SHELLS {
        let program = shell.split(' ').next().unwrap_or(shell);
        if find(program).is_none() {
            continue;
        }
        let frame = stream(&world, shell).map_err(|error| format!("{shell}: {error:?}"))?;
        let sections = lasting(&frame);
        assert_eq!(sections.len(), 4, "{shell}");
        match &first {
            None => first = Some((shell, sections)),
            Some((other, known)) => {
                assert_eq!(known, &sections, "{shell} says something else than {other}");
            }
        }
    }
    Ok(())
}

fn by_file(facts: &HostFacts) -> BTreeMap<&str, &Manifest> {
    let all = &facts.manifests.get().expect("manifests are read").value;
    all.iter()
        .map(|fact| {
            let manifest = &fact.get().expect("each is read").value;
            let name = manifest
                .file
                .as_str()
                .trim_start_matches("/etc/kubernetes/manifests/");
            (name, manifest)
        })
        .collect()
}

fn hostile_names() -> Result<(), Failed> {
    let world = World::new("names", &[])?;
    let facts = facts(&stream(&world, "sh")?);
    let manifests = by_file(&facts);
    let names: Vec<&str> = manifests.keys().copied().collect();
    assert_eq!(
        names,
        [
            "$(touch pwned)",
            "*",
            "-rf",
            "a b.yaml",
            "esc\\x1b[2J.yaml",
            "etcd.yaml",
            "linked.yaml",
            "new\\nline.yaml",
            "pipe",
            "quote'\".yaml",
            "shadow.yaml",
            "tab\\tend\\n",
            "ü.yaml",
        ]
    );
    for name in [
        "$(touch pwned)",
        "*",
        "-rf",
        "new\\nline.yaml",
        "tab\\tend\\n",
        "ü.yaml",
        "linked.yaml",
    ] {
        let pod = &manifests[name].pod.get().expect("it is read").value;
        assert_eq!(
            pod.pod().expect("it is a pod").name.as_str(),
            "etcd",
            "{name}"
        );
    }
    assert_eq!(manifests["pipe"].kind, FileKind::Fifo);
    assert!(matches!(
        manifests["pipe"].pod.get().map(|seen| &seen.value),
        Ok(Parsed::Broken { .. })
    ));
    // Whoever can write into the folder can point to any file; it is not shown.
    let shadow = manifests["shadow.yaml"];
    assert!(shadow.text.is_empty() && shadow.sha256.is_none());
    let everything = serde_json::to_string(&facts).map_err(|error| error.to_string())?;
    assert!(
        !everything.contains("$y$secret"),
        "a line of /etc/shadow came through"
    );
    entries(&facts);
    Ok(())
}

fn entries(facts: &HostFacts) {
    let dir = &facts.manifest_dir.get().expect("folder").value;
    let entries = &dir
        .as_ref()
        .expect("configured")
        .entries
        .get()
        .expect("listed")
        .value;
    let loaded = |name: &str| {
        entries
            .iter()
            .find(|entry| entry.name.as_str() == name)
            .map(|entry| entry.loaded)
    };
    assert_eq!(loaded(".hidden"), Some(false));
    assert_eq!(loaded("folder.yaml"), Some(false));
    assert_eq!(loaded("gone.yaml"), Some(true));
    assert_eq!(loaded("pipe"), Some(true));
}

fn unprivileged() -> Result<(), Failed> {
    let world = World::new("nobody", &[])?;
    let frame = stream(
        &world,
        "setpriv --reuid 65534 --regid 65534 --clear-groups sh",
    )?;
    assert_eq!(frame.uid, 65534);
    let facts = facts(&frame);
    let denied = |gap: &Gap| matches!(gap, Gap::Denied { .. });
    let kubelet = &facts.kubelet.get().map_err(|gap| gap.to_string())?.value;
    assert!(denied(
        &kubelet
            .setting("staticPodPath")
            .expect_err("the file is closed")
    ));
    assert!(denied(&facts.manifests.get().expect_err("closed")));
    assert!(denied(&facts.manifest_dir.get().expect_err("closed")));
    assert!(facts.identity.is_seen() && facts.accounts.is_seen() && facts.listeners.is_seen());
    Ok(())
}

fn through_sshd(shell: &'static str) -> Result<(), Failed> {
    let world = World::new(&format!("sshd-{shell}"), &[shell])?;
    let user = format!("op-{shell}");
    let (command, stdin) = collector::job(WayIn::LoginOnly, NONCE);
    let own = frame(&world.ssh(&user, &command, &stdin)?)?;
    assert_eq!(own.way, Some(WayIn::LoginOnly));
    assert!(own.uid >= 3000);
    // Without an installed collector sudo is not even asked.
    let (command, stdin) = collector::job(WayIn::InstalledCollector, NONCE);
    let plain = frame(&world.ssh(&user, &command, &stdin)?)?;
    assert_eq!(plain.way, Some(WayIn::LoginOnly));
    world.install(&user)?;
    let root = frame(&world.ssh(&user, &command, &stdin)?)?;
    assert_eq!((root.way, root.uid), (Some(WayIn::InstalledCollector), 0));
    let facts = facts(&root);
    assert_eq!(by_file(&facts).len(), 13);
    Ok(())
}

fn sudo_rule() -> Result<(), Failed> {
    let world = World::new("sudo", &["bash"])?;
    world.install("op-bash")?;
    let (command, stdin) = collector::job(WayIn::InstalledCollector, NONCE);
    let good = frame(&world.ssh("op-bash", &command, &stdin)?)?;
    assert_eq!(good.uid, 0);
    for refused in [
        format!("sudo -n {} x", collector::PATH),
        "sudo -n /bin/sh -c id".to_owned(),
        format!("sudo -n /bin/sh {}", collector::PATH),
    ] {
        let said = world.ssh("op-bash", &refused, &stdin);
        assert!(said.is_err(), "{refused} was run");
    }
    // The rule is about these bytes.
    world.run(&["sh", "-c", &format!("echo >> {}", collector::PATH)], b"")?;
    let changed = frame(&world.ssh("op-bash", &command, &stdin)?)?;
    assert_eq!(changed.way, Some(WayIn::LoginOnly));
    assert!(changed.uid >= 3000);
    Ok(())
}

fn forced_command() -> Result<(), Failed> {
    let world = World::new("forced", &["bash"])?;
    world.install("op-bash")?;
    for sudo in [true, false] {
        world.force("op-bash", sudo)?;
        for way in [WayIn::ForcedCommand, WayIn::InstalledCollector] {
            let (command, stdin) = collector::job(way, NONCE);
            let frame = frame(&world.ssh("op-bash", &command, &stdin)?)?;
            assert_eq!(frame.way, None);
            assert_eq!(frame.uid == 0, sudo);
        }
    }
    Ok(())
}

fn few_tools() -> Result<(), Failed> {
    let world = World::new("tools", &[])?;
    for gone in [
        &[][..],
        &["stat", "base64", "timeout", "getent"],
        &["stat", "base64", "head", "openssl"],
    ] {
        world.chroot(gone)?;
        let shell = format!("chroot {} /bin/sh", world.small_root());
        let facts = facts(&stream(&world, &shell)?);
        let manifests = by_file(&facts);
        assert_eq!(manifests.len(), 13, "without {gone:?}");
        assert!(
            manifests["etcd.yaml"]
                .pod
                .get()
                .is_ok_and(|pod| pod.value.pod().is_some())
        );
        let hop = manifests["etcd.yaml"].walk.object().expect("reached");
        assert_eq!(hop.stat.mode.bits(), 0o600);
        assert_eq!(hop.stat.mtime.is_some(), !gone.contains(&"stat"));
        assert!(matches!(hop.acl, Fact::Gap(Gap::ToolMissing { .. })));
        assert!(hop.mount.is_seen(), "{:?}", hop.mount);
        assert!(facts.accounts.is_seen(), "{:?}", facts.accounts);
        assert!(
            facts
                .kubelet
                .get()
                .is_ok_and(|kubelet| kubelet.value.process.is_some())
        );
    }
    Ok(())
}

/// Whoever may write into the folder can fill it. That hides what was left out, and nothing of what was read.
fn filled_folder() -> Result<(), Failed> {
    let world = World::new("filled", &[])?;
    let fill = "cd /etc/kubernetes/manifests; i=0; while [ $i -lt 700 ]; do i=$((i + 1)); : > \"a $i\"; \
                ln -s /etc/hostname a$i; done";
    world.run(&["sh", "-c", fill], b"")?;
    let start = std::time::Instant::now();
    let facts = facts(&stream(&world, "sh")?);
    let took = start.elapsed().as_secs();
    assert!(took < 20, "{took} s");
    let manifests = &facts.manifests.get().expect("the list is there").value;
    assert!(matches!(
        manifests.first(),
        Some(Fact::Gap(Gap::Garbled { .. }))
    ));
    let etcd = manifests.iter().any(|fact| {
        fact.get()
            .is_ok_and(|seen| seen.value.file.as_str().ends_with("/etcd.yaml"))
    });
    assert!(etcd, "an honest name was crowded out");
    let dir = &facts.manifest_dir.get().expect("folder").value;
    assert!(!dir.as_ref().expect("configured").entries.is_seen());
    Ok(())
}

fn writes_nothing() -> Result<(), Failed> {
    assert!(changes_files(
        "7 openat(AT_FDCWD, \"/tmp/x\", O_WRONLY|O_CREAT, 0600) = 3"
    ));
    assert!(changes_files("7 unlink(\"/tmp/x\") = 0"));
    assert!(!changes_files(
        "7 mkdir(\"/tmp\", 0700) = -1 EEXIST (File exists)"
    ));
    assert!(!changes_files(
        "7 openat(AT_FDCWD, \"/dev/null\", O_WRONLY|O_CREAT|O_TRUNC, 0666) = 3"
    ));
    let world = World::new("strace", &[])?;
    let (_, stdin) = collector::job(WayIn::LoginOnly, NONCE);
    let trace = world.path("trace");
    let calls = "trace=%file,%desc,%process";
    for shell in ["dash", "bash"] {
        if find(shell).is_none() {
            continue;
        }
        let out = world.run(
            &[
                "strace", "-f", "-qq", "-o", &trace, "-e", calls, shell, "-s",
            ],
            &stdin,
        )?;
        frame(&out)?;
        let bytes = world.run(&["cat", &trace], b"")?;
        let text = String::from_utf8_lossy(&bytes);
        assert!(text.lines().count() > 500, "strace saw nothing");
        for line in text.lines() {
            assert!(!changes_files(line), "{shell}: {line}");
        }
    }
    Ok(())
}

/// Whether a line of strace is a call that succeeds in changing the file system.
fn changes_files(line: &str) -> bool {
    const CHANGING: &[&str] = &[
        "creat",
        "mkdir",
        "mkdirat",
        "rmdir",
        "unlink",
        "unlinkat",
        "rename",
        "renameat",
        "renameat2",
        "link",
        "linkat",
        "symlink",
        "symlinkat",
        "chmod",
        "fchmod",
        "fchmodat",
        "fchmodat2",
        "chown",
        "lchown",
        "fchown",
        "fchownat",
        "truncate",
        "ftruncate",
        "fallocate",
        "mknod",
        "mknodat",
        "utime",
        "utimes",
        "utimensat",
        "futimesat",
        "setxattr",
        "lsetxattr",
        "fsetxattr",
        "removexattr",
        "mount",
        "umount2",
        "memfd_create",
    ];
    let call = line
        .split_once(' ')
        .map_or(line, |(_, rest)| rest.trim_start());
    let name = call.split('(').next().unwrap_or_default();
    let failed = call.contains(") = -1 ");
    let opens = matches!(name, "open" | "openat" | "openat2")
        && ["O_WRONLY", "O_RDWR", "O_CREAT", "O_TRUNC", "O_TMPFILE"]
            .iter()
            .any(|flag| call.contains(flag))
        && !call.contains("\"/dev/null\"")
        && !call.contains("\"/dev/tty\"");
    !failed && (opens || CHANGING.contains(&name))
}

fn cut_script() -> Result<(), Failed> {
    let world = World::new("cut", &[])?;
    let (_, stdin) = collector::job(WayIn::LoginOnly, NONCE);
    let step = stdin.len() / 40;
    // Without its last byte, which ends the line, it is whole.
    let whole = stdin.len() - 1;
    for end in (0..whole).step_by(step).chain(whole - 19..whole) {
        let out = world.run(&["sh", "-c", "sh -s 2>/dev/null; true"], &stdin[..end])?;
        assert!(out.is_empty(), "{end} of {} bytes ran", stdin.len());
    }
    Ok(())
}
