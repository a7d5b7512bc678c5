//! Tables of ways into small trees, one flaw each.

use super::*;
use crate::model::fact::{Locator, Need};
use crate::model::unix::{
    Acl, AclEntry, AclTag, FileKind, Gid, Group, Hop, Mode, Mount, Stat, Uid, User,
};

const AT: Locator = Locator::new(Need::ManifestDir, 0);

fn missing() -> Gap {
    Gap::ToolMissing {
        tool: Text::new("getfacl"),
    }
}

/// `PATH KIND MODE UID:GID [acl=u5:rw,g7:r] [acl=?] [ro] [mount] [->TARGET]`, kind one of `d f l p`.
fn hop(line: &str) -> Fact<Hop> {
    let mut words = line.split_whitespace();
    let mut word = || words.next().expect("a hop has four words");
    let (path, kind, mode, owner) = (word(), word(), word(), word());
    let (uid, gid) = owner.split_once(':').expect("owner is uid:gid");
    let mut acl = Fact::seen(None, AT);
    let mut mount = Mount {
        point: Text::new("/"),
        fstype: Text::new("ext4"),
        read_only: false,
    };
    let mut target = None;
    for extra in words {
        match extra.split_once('=') {
            Some(("acl", "?")) => acl = Fact::Gap(missing()),
            Some(("acl", list)) => acl = Fact::seen(Some(self::acl(list)), AT),
            _ if extra == "ro" => mount.read_only = true,
            _ if extra == "mount" => mount.point = Text::new(path),
            _ => target = extra.strip_prefix("->").map(Text::new),
        }
    }
    let stat = Stat {
        kind: match kind {
            "d" => FileKind::Directory,
            "l" => FileKind::Symlink,
            "p" => FileKind::Fifo,
            _ => FileKind::Regular,
        },
        mode: Mode::new(u32::from_str_radix(mode, 8).expect("mode is octal")),
        uid: Uid(uid.parse().expect("uid is a number")),
        gid: Gid(gid.parse().expect("gid is a number")),
        nlink: 1,
        size: 0,
        mtime: None,
        ctime: None,
    };
    let hop = Hop {
        path: Text::new(path),
        stat,
        target,
        acl,
        mount: Fact::seen(mount, AT),
    };
    Fact::seen(hop, AT)
}

fn acl(list: &str) -> Acl {
    let entry = |word: &str| {
        let (who, _) = word.split_once(':').expect("an entry is who:perms");
        let id = || who[1..].parse().expect("an id is a number");
        let perms = "rwx".chars().zip([4, 2, 1]);
        let granted = word.rsplit(':').next().unwrap_or_default();
        AclEntry {
            tag: match &who[..1] {
                "u" => AclTag::User(Uid(id())),
                "g" if who == "g" => AclTag::GroupObj,
                _ => AclTag::Group(Gid(id())),
            },
            perms: perms
                .filter(|(letter, _)| granted.contains(*letter))
                .map(|(_, bit)| bit)
                .sum(),
        }
    };
    Acl {
        access: list.split(',').map(entry).collect(),
        default: Vec::new(),
    }
}

fn walk(end: WalkEnd, hops: &[&str]) -> Walk {
    let last = hops.last().and_then(|line| line.split(' ').next());
    Walk {
        path: Text::new(last.unwrap_or("/")),
        hops: hops.iter().map(|line| hop(line)).collect(),
        end,
    }
}

fn reached(hops: &[&str]) -> Walk {
    walk(WalkEnd::Reached, hops)
}

/// alice (1000) is in kube (995) by list, bob (1001) by primary group, halt (11) in root.
fn accounts() -> Fact<Accounts> {
    let user = |uid, gid, name: &str| User {
        uid: Uid(uid),
        gid: Gid(gid),
        name: Text::new(name),
    };
    let accounts = Accounts {
        users: vec![
            user(0, 0, "root"),
            user(11, 0, "halt"),
            user(1000, 1000, "alice"),
            user(1001, 995, "bob"),
        ],
        groups: vec![
            Group {
                gid: Gid(0),
                name: Text::new("root"),
                members: Vec::new(),
            },
            Group {
                gid: Gid(995),
                name: Text::new("kube"),
                members: vec![Text::new("alice"), Text::new("root")],
            },
        ],
    };
    Fact::seen(accounts, AT)
}

/// `how entry: who[!]`, one line a way, `!` where it takes a chmod; gaps last.
fn say(reach: &Reach) -> String {
    let way = |way: &Way| {
        let who: Vec<String> = way
            .who
            .iter()
            .map(|(who, when)| format!("{who}{}", if *when == When::Now { "" } else { "!" }))
            .collect();
        format!("{:?} {}: {}", way.how, way.entry, who.join(", "))
    };
    let gaps = reach.gaps.iter().map(|gap| format!("gap: {gap}"));
    let lines: Vec<String> = reach.ways.iter().map(way).chain(gaps).collect();
    lines.join("\n")
}

fn written(hops: &[&str]) -> String {
    say(&writers(&reached(hops), &accounts()))
}

fn read(hops: &[&str]) -> String {
    say(&readers(&reached(hops), &accounts()))
}

#[test]
fn a_closed_folder_protects_an_open_file() {
    let path = ["/ d 0755 0:0", "/m d 0700 0:0", "/m/a f 0666 0:0"];
    assert_eq!(written(&path), "");
    assert_eq!(read(&path), "");
}

#[test]
fn everyone_stands_for_all() {
    assert_eq!(
        written(&["/ d 0755 0:0", "/m d 0777 1000:995", "/m/a f 0666 1000:995"]),
        "Replace /m/a: everyone\nWrite /m/a: everyone"
    );
}

#[test]
fn a_group_is_named_with_its_members() {
    assert_eq!(
        written(&["/ d 0755 0:0", "/m d 0775 0:995"]),
        "Write /m: group kube (995: alice, bob)"
    );
    assert_eq!(
        written(&["/ d 0755 0:0", "/m d 0775 0:77"]),
        "Write /m: gid 77"
    );
    assert_eq!(
        written(&["/ d 0755 0:0", "/m d 0775 0:0"]),
        "Write /m: user halt (11)"
    );
}

#[test]
fn an_owner_can_chmod() {
    assert_eq!(
        written(&["/ d 0755 0:0", "/m d 0555 1000:0"]),
        "Write /m: user alice (1000)!"
    );
    assert_eq!(
        written(&["/ d 0755 0:0", "/m d 0555 1000:0 ro"]),
        "",
        "not on a read-only mount"
    );
    assert_eq!(
        written(&["/ d 0755 0:0", "/p p 0000 1000:0 ro"]),
        "",
        "a pipe there can be written, its mode cannot"
    );
    assert_eq!(
        read(&["/ d 0755 0:0", "/m d 0000 77:0", "/m/a f 0004 0:0"]),
        "Read /m/a: uid 77!"
    );
}

#[test]
fn sticky_protects_entries_of_others_only() {
    assert_eq!(
        written(&["/ d 0755 0:0", "/t d 1777 0:0", "/t/m d 0755 0:0"]),
        ""
    );
    assert_eq!(
        written(&[
            "/ d 0755 0:0",
            "/t d 1777 0:0",
            "/t/l l 0777 1000:0 ->/m",
            "/m d 0755 0:0"
        ]),
        "Replace /t/l: user alice (1000)"
    );
    assert_eq!(
        written(&["/ d 0755 0:0", "/t d 1777 0:0"]),
        "Write /t: everyone",
        "a sticky folder still takes new entries"
    );
}

#[test]
fn a_missing_component_can_be_made() {
    let absent = |path: &str, hops: &[&str]| {
        let walk = Walk {
            path: Text::new(path),
            ..walk(WalkEnd::Absent, hops)
        };
        say(&writers(&walk, &accounts()))
    };
    let way = ["/ d 0755 0:0", "/t d 1777 0:0"];
    assert_eq!(absent("/t/x", &way), "Create /t/x: everyone");
    assert_eq!(absent("/t/x/y/z", &way), "Create /t/x/y/z: everyone");
    assert_eq!(absent("/x", &way[..1]), "");
    let with = |path: &str, hops: &[&str]| absent(path, &[&way, hops].concat());
    let link = |target: &str| format!("/t/sub/l l 0777 0:0 ->{target}");
    for (target, wanted) in [
        (".././x/y", "Create /t/sub/l: everyone"),
        ("/t/x", "Create /t/sub/l: everyone"),
        ("/t/sub/../x", "Create /t/sub/l: everyone"),
        ("/x", ""),
        ("x", ""),
    ] {
        let link = link(target);
        assert_eq!(
            with("/t/sub/l", &["/t/sub d 0755 0:0", &link]),
            wanted,
            "{target}"
        );
    }
    assert_eq!(
        with("/t/f/x", &["/t/f f 0644 0:0"]),
        "",
        "a file is in the way"
    );
    assert_eq!(
        with("/t", &[]),
        "gap: the answer cannot be trusted: the walk does not show /t",
        "it is there"
    );
}

#[test]
fn a_mount_point_cannot_be_renamed() {
    let path = ["/ d 0755 0:0", "/s d 0777 0:0", "/s/m d 0755 0:0"];
    assert_eq!(written(&path), "Replace /s/m: everyone");
    let mounted = ["/ d 0755 0:0", "/s d 0777 0:0", "/s/m d 0755 0:0 mount"];
    assert_eq!(written(&mounted), "");
}

#[test]
fn access_lists_follow_the_kernel() {
    let file = |line: &str| written(&["/ d 0755 0:0", line]);
    assert_eq!(
        file("/a f 0664 0:0 acl=g:r,u77:rw,g88:rw"),
        "Write /a: gid 88, uid 77"
    );
    assert_eq!(
        file("/a f 0644 0:0 acl=g:r,u77:rw,g88:rw"),
        "",
        "the mask is r"
    );
    assert_eq!(
        file("/a f 0606 0:0 acl=g:r,u77:r"),
        "Write /a: everyone",
        "a mask of nothing switches the list off"
    );
    assert_eq!(
        permits(
            &hop("/a f 0676 0:5 acl=g:r,g6:w").get().expect("seen").value,
            &Creds {
                uid: None,
                gids: vec![Gid(5), Gid(6)],
            },
            READ | WRITE
        ),
        Allowed::No,
        "two groups do not add up, and shut out other"
    );
}

#[test]
fn an_unknown_list_is_a_gap_only_where_its_mask_lets_someone_in() {
    let file = |line: &str| written(&["/ d 0755 0:0 acl=?", "/m d 0755 0:0 acl=?", line]);
    assert_eq!(file("/m/a f 0644 0:0 acl=?"), "");
    assert_eq!(
        file("/m/a f 0664 0:0 acl=?"),
        "gap: getfacl is not on the node"
    );
    assert_eq!(file("/m/a f 0666 0:0 acl=?"), "Write /m/a: everyone");
    assert_eq!(
        written(&[
            "/ d 0755 0:0",
            "/m d 0700 0:0 acl=?",
            "/m/a f 0664 0:0 acl=?"
        ]),
        ""
    );
}

#[test]
fn unknown_accounts_are_a_gap_only_where_a_group_gets_in() {
    let gap = Fact::Gap(Gap::NotAsked);
    let say = |hops: &[&str]| super::tests::say(&writers(&reached(hops), &gap));
    assert_eq!(say(&["/ d 0755 0:0", "/m d 0755 0:0"]), "");
    assert_eq!(
        say(&["/ d 0755 0:0", "/m d 0775 0:0"]),
        "gap: not asked for in this run"
    );
    assert_eq!(
        say(&["/ d 0755 0:0", "/m d 0775 0:5"]),
        "Write /m: gid 5\ngap: not asked for in this run"
    );
}

#[test]
fn a_broken_walk_is_never_clean() {
    let blocked = Walk {
        path: Text::new("/m/a"),
        hops: vec![hop("/ d 0777 0:0"), hop("/m d 0755 0:0"), Fact::default()],
        end: WalkEnd::Blocked,
    };
    assert_eq!(
        say(&writers(&blocked, &accounts())),
        "Replace /m: everyone\ngap: not asked for in this run"
    );
    for hops in [
        &[][..],
        &["/m/a f 0600 0:0"],
        &["/ d 0755 0:0", "m f 0600 0:0"],
    ] {
        let reach = writers(&reached(hops), &accounts());
        assert!(!reach.gaps.is_empty(), "{hops:?}");
    }
    let looping = walk(WalkEnd::Loop, &["/ d 0777 0:0", "/l l 0777 0:0 ->l"]);
    assert_eq!(say(&writers(&looping, &accounts())), "Replace /l: everyone");
}

#[test]
fn a_hostile_walk_ends_soon_and_in_a_gap() {
    let deep: String = (0..3000).map(|_| "/a").collect();
    let mut hops = vec![hop("/ d 0755 0:0")];
    for depth in 1..=3000 {
        let owner = format!("{depth}:{depth}");
        hops.push(hop(&format!("{} d 0755 {owner}", &deep[..2 * depth])));
    }
    let listed = format!(
        "/m f 0660 0:0 acl={}",
        (1..5000)
            .map(|uid| format!("u{uid}:rw"))
            .collect::<Vec<_>>()
            .join(",")
    );
    let circle = ["/ d 0755 0:0", "/l l 0777 0:0 ->/l/l/l/l/l/l/l/l/l/l"];
    for walk in [
        Walk {
            path: Text::new(&deep),
            hops,
            end: WalkEnd::Reached,
        },
        reached(&["/ d 0755 0:0", &listed]),
        walk(WalkEnd::Absent, &circle),
    ] {
        let reach = writers(&walk, &accounts());
        assert!(!reach.gaps.is_empty() && reach.gaps.len() < 20);
        assert!(reaches(&walk, &Creds::default(), READ) != Allowed::Yes);
    }
}
