//! Modes and access lists as `ls -ld` and `getfacl` print them.

use std::fmt::Write as _;

use super::tree::{Entry, Grant, Tag};

/// `drwxr-x---` of an `st_mode`.
pub fn letters(mode: u32) -> String {
    let kind = match mode >> 12 {
        0o04 => 'd',
        0o12 => 'l',
        0o01 => 'p',
        _ => '-',
    };
    let mut out = String::from(kind);
    for (shift, special, letter) in [(6, 0o4000, 's'), (3, 0o2000, 's'), (0, 0o1000, 't')] {
        let bits = mode >> shift;
        out.push(if bits & 4 != 0 { 'r' } else { '-' });
        out.push(if bits & 2 != 0 { 'w' } else { '-' });
        out.push(match (mode & special != 0, bits & 1 != 0) {
            (true, true) => letter,
            (true, false) => letter.to_ascii_uppercase(),
            (false, true) => 'x',
            (false, false) => '-',
        });
    }
    out
}

/// `getfacl -cpn` of one name.
pub fn getfacl(entry: &Entry) -> String {
    let base = |tag, shift: u32| Grant {
        tag,
        id: None,
        perms: (entry.mode >> shift) & 7,
    };
    let plain = [base(Tag::User, 6), base(Tag::Group, 3), base(Tag::Other, 0)];
    let access = if entry.acl.is_empty() {
        &plain[..]
    } else {
        &entry.acl
    };
    let mut out = acl_lines("", access);
    out.push_str(&acl_lines("default:", &entry.default_acl));
    out.push('\n');
    out
}

fn acl_lines(prefix: &str, grants: &[Grant]) -> String {
    let mask = grants.iter().find(|grant| grant.tag == Tag::Mask);
    grants.iter().fold(String::new(), |mut out, grant| {
        let tag = match grant.tag {
            Tag::User => "user",
            Tag::Group => "group",
            Tag::Mask => "mask",
            Tag::Other => "other",
        };
        let id = grant.id.map_or(String::new(), |id| id.to_string());
        let _ = write!(out, "{prefix}{tag}:{id}:{}", &letters(grant.perms)[7..]);
        let masked = grant.id.is_some() || grant.tag == Tag::Group;
        if let Some(mask) = mask.filter(|mask| masked && grant.perms & !mask.perms != 0) {
            let left = letters(grant.perms & mask.perms);
            let _ = write!(out, "\t\t#effective:{}", &left[7..]);
        }
        out + "\n"
    })
}
