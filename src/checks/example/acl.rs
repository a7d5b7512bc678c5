//! Access lists as examples write them.

use super::facts::{number, parts};
use crate::model::unix::{Acl, AclEntry, AclTag, Gid, Uid};

/// `u::rwx,u:1000:rw-,g::r-x,m::rwx,o::---,d:u:1000:rwx`: the short form of getfacl, ids as numbers.
#[expect(clippy::needless_pass_by_value, reason = "readers share one shape")]
pub(super) fn acl(written: String) -> Result<Option<Acl>, String> {
    let mut out = Acl::default();
    for raw in written.split(',') {
        let (list, line) = match raw.strip_prefix("d:") {
            Some(line) => (&mut out.default, line),
            None => (&mut out.access, raw),
        };
        let [tag, id, letters] = parts(line)?;
        let tag = match (tag, id) {
            ("u", "") => AclTag::UserObj,
            ("u", id) => AclTag::User(Uid(number(id)?)),
            ("g", "") => AclTag::GroupObj,
            ("g", id) => AclTag::Group(Gid(number(id)?)),
            ("m", "") => AclTag::Mask,
            ("o", "") => AclTag::Other,
            _ => return Err(format!("{raw}: not a line of an access list")),
        };
        let bit = |letter, bit| if letters.contains(letter) { bit } else { 0 };
        let perms = bit('r', 4) | bit('w', 2) | bit('x', 1);
        list.push(AclEntry { tag, perms });
    }
    Ok(Some(out))
}
