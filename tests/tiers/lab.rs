//! The lab's described nodes, held against the collector itself: the same trees as real files in a folder of
//! their own, the real script in a chroot there, and the answers compared record by record.

use std::fmt::Write as _;
use std::io::Write as _;
use std::os::unix::fs::{PermissionsExt as _, chown, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

use libtest_mimic::{Failed, Trial};
use stakeout::probes::collector;
use stakeout::probes::frame::{Frame, FrameReader, Record};

use crate::describe::spec::Twist;
use crate::describe::tree::{Entry, Kind, Tag, Tree};
use crate::describe::{self, Clock, Node, Way};
use crate::fleet::Fleet;
use crate::machine;

const NONCE: &str = "0123456789abcdef0123456789abcdef";
const CLOCK: Clock = Clock { now: 1_795_529_280 };

/// What does not depend on the machine: the rest is its own processes, sockets and name.
const SECTIONS: &[&str] = &["accounts", "kubelet", "folder", "manifests", "cni"];

/// What no story has: links on the way, odd names, access lists of groups, entries that are no files.
const ODD: &str = r#"
name: odd
version: v1.37.2
namespaces: {kube-system: {}}
groups: {w: {count: 3}}
nodes:
  w-1:
    kubelet: {staticPodPath: /etc/kubernetes/linked/../linked/}
    files:
      /etc/kubernetes/linked: {link: ../../srv/./static}
      /srv/static: {kind: folder, mode: "1777"}
      "/srv/static/with space.yaml": {content: "a: 1\n", mode: "0640", group: 4}
      "/srv/static/new\nline": {content: "a: 1\n", owner: 33}
      "/srv/static/ünïcode": {content: "a: 1\n", mode: "4755"}
      /srv/static/.hidden: {content: "a: 1\n"}
      /srv/static/..twice: {content: "a: 1\n"}
      /srv/static/folder: {kind: folder, mode: "2750"}
      /srv/static/pipe: {kind: fifo, mode: "0622"}
      /srv/static/dangling: {link: /nowhere/at/all}
      /srv/static/around: {link: around}
      /srv/static/file.yaml: {link: ../elsewhere/file.yaml}
      /srv/elsewhere/file.yaml: {content: "a: 1\n", acl: ["user:33:rw", "group:4:r", "group:27:rwx"]}
  w-2:
    kubelet: {staticPodPath: /etc/kubernetes/one.yaml}
    files:
      /etc/kubernetes/one.yaml: {content: "a: 1\n", mode: "0604"}
      /etc/kubernetes/kubelet/config.json.d: {kind: folder}
      /etc/kubernetes/kubelet/config.json.d/10-a.conf: {content: "staticPodPath: '/srv/more' # why\n"}
      /etc/kubernetes/kubelet/config.json.d/deeper: {kind: folder}
      /etc/kubernetes/kubelet/config.json.d/deeper/b.conf: {content: "{\"staticPodPath\": \"relative\"}\n"}
      /etc/kubernetes/kubelet/config.json.d/ignored.yaml: {content: "staticPodPath: /srv/never\n"}
      /srv/more: {kind: folder, mode: "0711"}
      /srv/more/seen: {content: "a: 1\n", mode: "0644"}
  w-3:
    files:
      /var/lib/kubelet: {kind: folder, mode: "0755"}
      /etc/kubernetes/manifests: {kind: folder, mode: "0710", group: 990}
      /etc/kubernetes/manifests/mine: {content: "a: 1\n", owner: 990, mode: "0400"}
"#;

pub fn trials() -> Vec<Trial> {
    let programs = ["unshare", "chroot", "setfacl", "getfacl", "mkfifo"];
    let lacks = machine::lacks_root().or_else(|| machine::lacks(&programs));
    vec![machine::trial(
        "sshd",
        "described_nodes_answer_as_real_files_do",
        lacks,
        compare,
    )]
}

/// Removes the folder at the end, whatever came.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        // Left over where it cannot be removed; nothing depends on it.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn compare() -> Result<(), Failed> {
    let mut wrong = String::new();
    let members = [Fleet::shipped(CLOCK), Fleet::read(ODD, CLOCK)].map(|fleet| fleet.members);
    let stories = members.into_iter().flatten().filter(|member| member.story);
    for (index, member) in stories.enumerate() {
        let mut spec = (*member.spec).clone();
        // Here no kubelet runs and no unit is known.
        spec.twists = vec![Twist::KubeletDown];
        let node = spec.build(&member.name, "198.51.100.7", CLOCK);
        let node = Node {
            missing: vec!["systemctl".to_owned()],
            ..node
        };
        let folder = Folder(
            std::env::temp_dir().join(format!("stakeout-lab-{}-{index}", std::process::id())),
        );
        place(&node.tree, &folder.0)?;
        for way in [Way::Installed, Way::LoginOnly] {
            let ours = frame(&describe::answer(&node, NONCE, way, CLOCK.now))?;
            let real = frame(&real(&folder.0, way, &node)?)?;
            differ(&node.name, &ours, &real, &mut wrong);
        }
    }
    if wrong.is_empty() {
        Ok(())
    } else {
        Err(wrong.into())
    }
}

fn frame(answer: &[u8]) -> Result<Frame, Failed> {
    let mut reader = FrameReader::new(NONCE, collector::section_count());
    reader.push(answer);
    let frame = reader.finish();
    frame.map_err(|gap| format!("{gap:?}: {}", String::from_utf8_lossy(answer)).into())
}

/// Makes real files of a tree.
fn place(tree: &Tree, root: &Path) -> Result<(), Failed> {
    std::fs::create_dir(root)?;
    let below = |path: &str| root.join(path.trim_start_matches('/'));
    let own = |path: &str| path != "/" && !path.starts_with("/usr");
    for (path, entry) in tree.iter().filter(|(path, _)| own(path)) {
        let real = below(path);
        match &entry.kind {
            Kind::Folder => std::fs::create_dir(&real)?,
            Kind::File(text) => std::fs::write(&real, text.as_bytes())?,
            Kind::Link(target) => symlink(target, &real)?,
            Kind::Fifo => run(Command::new("mkfifo").arg(&real))?,
        }
    }
    for (path, entry) in tree.iter().filter(|(path, _)| own(path)) {
        dress(&below(path), entry)?;
    }
    std::fs::set_permissions(root, std::fs::Permissions::from_mode(0o755))?;
    for folder in ["usr", "proc", "dev"] {
        std::fs::create_dir(root.join(folder))?;
    }
    for link in ["bin", "sbin", "lib", "lib64"] {
        if Path::new("/").join(link).is_symlink() {
            symlink(format!("usr/{link}"), root.join(link))?;
        }
    }
    Ok(())
}

fn dress(real: &Path, entry: &Entry) -> Result<(), Failed> {
    if matches!(entry.kind, Kind::Link(_)) {
        return Ok(());
    }
    chown(real, Some(entry.uid), Some(entry.gid))?;
    // With an access list the group's bits are its mask: the group's own are in the list.
    let group = entry
        .acl
        .iter()
        .find(|grant| grant.tag == Tag::Group && grant.id.is_none());
    let mode = group.map_or(entry.mode, |group| entry.mode & !0o070 | group.perms << 3);
    std::fs::set_permissions(real, std::fs::Permissions::from_mode(mode))?;
    let named = entry.acl.iter().filter(|grant| grant.id.is_some());
    for grant in named {
        let tag = if grant.tag == Tag::User { "u" } else { "g" };
        let (id, perms) = (grant.id.unwrap_or_default(), grant.perms);
        run(Command::new("setfacl")
            .args(["-m", &format!("{tag}:{id}:{perms}")])
            .arg(real))?;
    }
    if matches!(entry.kind, Kind::File(_)) {
        let seconds = u64::try_from(entry.mtime).unwrap_or_default();
        let file = std::fs::File::options().append(true).open(real)?;
        file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds))?;
    }
    Ok(())
}

fn run(command: &mut Command) -> Result<(), Failed> {
    let status = command.status()?;
    if status.success() {
        Ok(())
    } else {
        Err(format!("{command:?}: {status}").into())
    }
}

/// The collector's own answer in that folder, in namespaces of its own.
fn real(root: &Path, way: Way, node: &Node) -> Result<Vec<u8>, Failed> {
    const INNER: &str = "\
set -e
mount --bind /usr \"$1/usr\"; mount --bind /dev \"$1/dev\"; mount -t proc proc \"$1/proc\"
exec chroot --userspec=\"$2\" --groups=\"$2\" \"$1\" /bin/sh -s";
    let who = match way {
        Way::LoginOnly => node.spec.login.uid,
        _ => 0,
    };
    let mut child = Command::new("unshare")
        .args(["--mount", "--pid", "--fork", "--propagation", "private"])
        .args(["sh", "-c", INNER, "sh"])
        .arg(root)
        .arg(who.to_string())
        .env_clear()
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let script = format!("STK_NONCE={NONCE}\n{}", collector::script());
    let mut stdin = child.stdin.take().ok_or("no standard input")?;
    stdin.write_all(script.as_bytes())?;
    drop(stdin);
    Ok(child.wait_with_output()?.stdout)
}

fn differ(name: &str, ours: &Frame, real: &Frame, wrong: &mut String) {
    for section in SECTIONS {
        let lines = |frame: &Frame| -> Vec<String> {
            let records = frame.section(section).map(|section| &section.records);
            records.into_iter().flatten().filter_map(shown).collect()
        };
        let (ours, real) = (lines(ours), lines(real));
        if ours != real {
            let at = ours.iter().zip(&real).take_while(|(a, b)| a == b).count();
            let _ = writeln!(
                wrong,
                "{name} {section} record {at}:\n  described {:?}\n  real      {:?}",
                ours.get(at),
                real.get(at),
            );
        }
    }
}

/// A record without what the machine decides: mounts, change times, and the sizes and link counts of folders.
fn shown(record: &Record) -> Option<String> {
    let mut fields: Vec<String> = record
        .fields
        .iter()
        .map(|field| String::from_utf8_lossy(field).into_owned())
        .collect();
    let first = fields.first().map_or("", String::as_str);
    if first == "/proc/self/mountinfo" || first == "systemctl show kubelet" {
        return None;
    }
    if record.kind == "S" {
        let stat: Vec<&str> = fields[1].split(' ').collect();
        let regular = stat[0].starts_with('8');
        fields[1] = if regular {
            stat[..6].join(" ")
        } else {
            stat[..3].join(" ")
        };
    }
    Some(format!("{} {}", record.kind, fields.join(" ")))
}
