//! `getfacl -cpn`: numbers, no comments.

use crate::model::unix::{Acl, AclEntry, AclTag, Gid, Uid};

/// One paragraph; an empty list where it says nothing beyond the mode. `None`: not understood.
pub(crate) fn parse(text: &str) -> Option<Acl> {
    let mut acl = Acl::default();
    for line in text.lines() {
        // getfacl tells in a comment what the mask leaves of an entry.
        let line = line.split('#').next().unwrap_or(line).trim_end();
        if line.is_empty() {
            continue;
        }
        match line.strip_prefix("default:") {
            Some(rest) => acl.default.push(entry(rest)?),
            None => acl.access.push(entry(line)?),
        }
    }
    let base = acl.access.iter().filter(|entry| is_base(entry.tag)).count();
    if base != 3 {
        return None;
    }
    let extended = acl.access.len() > base || !acl.default.is_empty();
    Some(if extended { acl } else { Acl::default() })
}

fn is_base(tag: AclTag) -> bool {
    matches!(tag, AclTag::UserObj | AclTag::GroupObj | AclTag::Other)
}

fn entry(line: &str) -> Option<AclEntry> {
    let mut parts = line.split(':');
    let (tag, id, perms) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    let tag = match (tag, id) {
        ("user", "") => AclTag::UserObj,
        ("user", id) => AclTag::User(Uid(id.parse().ok()?)),
        ("group", "") => AclTag::GroupObj,
        ("group", id) => AclTag::Group(Gid(id.parse().ok()?)),
        ("mask", "") => AclTag::Mask,
        ("other", "") => AclTag::Other,
        _ => return None,
    };
    let bits = perms.as_bytes();
    if bits.len() != 3 {
        return None;
    }
    let mut value = 0;
    for (letter, (bit, wanted)) in bits.iter().zip([(4, b'r'), (2, b'w'), (1, b'x')]) {
        if *letter == wanted {
            value |= bit;
        } else if *letter != b'-' {
            return None;
        }
    }
    Some(AclEntry { tag, perms: value })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists() {
        assert_eq!(
            parse("user::rw-\ngroup::r--\nother::r--"),
            Some(Acl::default())
        );
        let acl = parse("user::rwx\nuser:1000:rwx\t#effective:r-x\ngroup::r-x\ngroup:7:-w-\nmask::r-x\nother::---\ndefault:user::rwx")
            .expect("understood");
        assert_eq!(acl.access.len(), 6);
        assert_eq!(
            acl.access[1],
            AclEntry {
                tag: AclTag::User(Uid(1000)),
                perms: 7
            }
        );
        assert_eq!(acl.default.len(), 1);
        for bad in [
            "",
            "user::rwx",
            "user:root:rwx\nuser::rwx\ngroup::r-x\nother::r--",
            "user::rwq\ngroup::r--\nother::r--",
            "x",
        ] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}
