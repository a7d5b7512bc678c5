//! Walks over looks that a node could send.

use super::*;
use crate::model::fact::Need;
use crate::probes::frame::{Frame, Record, Section};

fn record(kind: &str, fields: &[&str]) -> Record {
    Record {
        kind: kind.to_owned(),
        fields: fields
            .iter()
            .map(|field| field.as_bytes().to_vec())
            .collect(),
    }
}

fn frame(records: Vec<Record>) -> Frame {
    Frame {
        sections: vec![Section {
            name: "folder".to_owned(),
            records,
        }],
        ..Frame::default()
    }
}

fn look(name: &str, mode: &str, target: Option<&str>) -> Record {
    let numbers = format!("{mode} 0 0 1 5 100 200");
    let mut fields = vec![name, numbers.as_str()];
    fields.extend(target);
    record("S", &fields)
}

fn names(walk: &Walk) -> Vec<&str> {
    walk.hops
        .iter()
        .map(|hop| match hop {
            Fact::Seen(seen) => seen.value.path.as_str(),
            Fact::Gap(_) => "?",
        })
        .collect()
}

fn go(records: Vec<Record>, path: &str) -> Walk {
    let frame = frame(records);
    Answer::new(&frame).walk(path.as_bytes(), Locator::new(Need::ManifestDir, 1))
}

const DIR: &str = "41ed";
const LINK: &str = "a1ff";
const FILE: &str = "81a4";

#[test]
fn links_are_followed_and_every_name_is_there() {
    let walk = go(
        vec![
            look("/", DIR, None),
            look("/etc", DIR, None),
            look("/etc/k", LINK, Some("../srv//./k")),
            look("/srv", DIR, None),
            look("/srv/k", DIR, None),
            look("/srv/k/f", FILE, None),
        ],
        "/etc/k/f",
    );
    assert_eq!(walk.end, WalkEnd::Reached);
    assert_eq!(
        names(&walk),
        ["/", "/etc", "/etc/k", "/srv", "/srv/k", "/srv/k/f"]
    );
    assert_eq!(walk.object().expect("reached").path.as_str(), "/srv/k/f");
    assert_eq!(
        walk.hops[2].get().expect("seen").value.target,
        Some(Text::new("../srv//./k"))
    );
}

#[test]
fn a_link_to_a_folder_that_was_passed_ends_there() {
    let walk = go(
        vec![
            look("/", DIR, None),
            look("/a", DIR, None),
            look("/a/l", LINK, Some("/a")),
        ],
        "/a/l",
    );
    assert_eq!(walk.end, WalkEnd::Reached);
    assert_eq!(walk.object().expect("reached").path.as_str(), "/a");
}

#[test]
fn ends_other_than_the_object() {
    let root = || look("/", DIR, None);
    let looped = go(vec![root(), look("/l", LINK, Some("l"))], "/l");
    assert_eq!(looped.end, WalkEnd::Loop);
    let absent = go(vec![root(), record("X", &["/a", "absent"])], "/a/b");
    assert_eq!(absent.end, WalkEnd::Absent);
    let file = go(vec![root(), look("/a", FILE, None)], "/a/b");
    assert_eq!(file.end, WalkEnd::Absent);
    let denied = go(vec![root(), record("X", &["/a", "denied"])], "/a/b");
    assert_eq!(denied.end, WalkEnd::Blocked);
    assert!(matches!(denied.hops.last(), Some(Fact::Gap(Gap::Denied { what })) if *what == "/a"));
    let unseen = go(vec![root()], "/a");
    assert_eq!(unseen.end, WalkEnd::Blocked);
    assert!(denied.object().is_none() && unseen.object().is_none());
    let nothing = go(vec![], "/a");
    assert_eq!(nothing.end, WalkEnd::Blocked);
}

#[test]
fn lists_and_mounts_belong_to_their_names() {
    let walk = go(
        vec![
            look("/", DIR, None),
            look("/m", DIR, None),
            record(
                "G",
                &[
                    "user::rwx\ngroup::r-x\nother::r-x\n\nuser::rwx\nuser:7:rwx\ngroup::r-x\nmask::rwx\nother::---\n\n",
                    "/",
                    "/m",
                ],
            ),
            record(
                "F",
                &[
                    "/proc/self/mountinfo",
                    "1 1 8:1 / / rw - ext4 /dev/sda rw\n2 1 8:2 / /m ro,nosuid - nfs x rw\nx0\n",
                ],
            ),
        ],
        "/m",
    );
    let hop = &walk.object().expect("reached");
    let mount = &hop.mount.get().expect("seen").value;
    assert_eq!((mount.fstype.as_str(), mount.read_only), ("nfs", true));
    assert!(hop.acl.get().expect("seen").value.is_some());
    assert!(
        walk.hops[0]
            .get()
            .expect("seen")
            .value
            .acl
            .get()
            .expect("seen")
            .value
            .is_none()
    );
}

#[test]
fn a_list_too_few_is_nobodys() {
    let walk = go(
        vec![
            look("/", DIR, None),
            look("/m", DIR, None),
            record("G", &["user::rwx\ngroup::r-x\nother::r-x\n\n", "/", "/m"]),
        ],
        "/m",
    );
    let hop = &walk.object().expect("reached");
    assert!(matches!(hop.acl, Fact::Gap(Gap::ToolMissing { .. })));
    assert!(matches!(hop.mount, Fact::Gap(Gap::Garbled { .. })));
}

#[test]
fn the_sign_of_a_list_that_cannot_be_read() {
    let walk = go(
        vec![
            look("/", DIR, None),
            look("/m", DIR, None),
            record(
                "K",
                &[
                    "drwxr-xr-x 1 0 0 5 x /\ndrwxr-xr-x+ 1 0 0 5 x /m\n",
                    "/",
                    "/m",
                ],
            ),
        ],
        "/m",
    );
    assert!(matches!(
        walk.object().expect("reached").acl,
        Fact::Gap(Gap::ToolMissing { .. })
    ));
    assert!(walk.hops[0].get().expect("seen").value.acl.is_seen());
}
