//! The way to a path, put together out of single looks as the kernel would go it.

use std::collections::VecDeque;

use super::{AclLook, Answer, Look, not_read};
use crate::model::fact::{Fact, Gap, Locator};
use crate::model::text::Text;
use crate::model::unix::{Acl, FileKind, Hop, Mount, Stat, Walk, WalkEnd};
use crate::probes::parse::{acl, mountinfo};

/// As many links as the kernel follows (MAXSYMLINKS).
const LINKS: usize = 40;
const HOPS: usize = 1000;

impl Answer<'_> {
    /// Every name that decides who can reach or replace `path`. `at`: the evidence of its hops.
    pub(crate) fn walk(&self, path: &[u8], at: Locator) -> Walk {
        let mut way = Way {
            answer: self,
            at,
            hops: Vec::new(),
            names: Vec::new(),
        };
        let end = way.go(path);
        Walk {
            path: Text::from_bytes(path),
            hops: way.hops,
            end,
        }
    }

    /// The kind of a name, a link at its end not followed; otherwise the word of the collector.
    pub(crate) fn kind(&self, path: &[u8]) -> Result<FileKind, &[u8]> {
        self.entry(path).map(|stat| stat.kind)
    }

    /// What `lstat` says of a name, a link at its end not followed; otherwise the word of the collector.
    pub(crate) fn entry(&self, path: &[u8]) -> Result<&Stat, &[u8]> {
        let slash = path.iter().rposition(|byte| *byte == b'/').unwrap_or(0);
        let (parent, name) = (&path[..slash], path.get(slash + 1..).unwrap_or_default());
        let mut way = Way {
            answer: self,
            at: Locator::new(crate::model::fact::Need::Later, 0),
            hops: Vec::new(),
            names: Vec::new(),
        };
        match way.go(parent) {
            WalkEnd::Absent => return Err(b"absent"),
            WalkEnd::Loop | WalkEnd::Blocked => return Err(b"denied"),
            WalkEnd::Reached => {}
        }
        let parent = way.names.last().map_or(&b""[..], Vec::as_slice);
        let real = if name.is_empty() || parent == b"/" {
            [b"/", name].concat()
        } else {
            [parent, b"/", name].concat()
        };
        match self.look(&real) {
            Some(Look::Seen { stat, .. }) => Ok(stat),
            Some(Look::Not(word)) => Err(word),
            None => Err(b"error"),
        }
    }

    fn hop(&self, name: &[u8], look: &Look<'_>, at: Locator) -> Fact<Hop> {
        match look {
            Look::Not(word) => Fact::Gap(not_read(word, Text::from_bytes(name).as_str())),
            Look::Seen { stat, target } => Fact::seen(
                Hop {
                    path: Text::from_bytes(name),
                    stat: stat.clone(),
                    target: target.map(Text::from_bytes),
                    acl: self.acl(name, stat.kind, at),
                    mount: self.mount(name, at),
                },
                at,
            ),
        }
    }

    fn acl(&self, name: &[u8], kind: FileKind, at: Locator) -> Fact<Option<Acl>> {
        let missing = Gap::ToolMissing {
            tool: Text::new("getfacl"),
        };
        let unread = || Gap::Garbled {
            what: Text::from(format!("the access list of {}", Text::from_bytes(name))),
        };
        // A symbolic link has no access list of its own.
        if kind == FileKind::Symlink {
            return Fact::seen(None, at);
        }
        match self.acls.get(name) {
            Some(AclLook::Listed(text)) => match acl::parse(text) {
                Some(acl) if acl == Acl::default() => Fact::seen(None, at),
                Some(acl) => Fact::seen(Some(acl), at),
                None => Fact::Gap(unread()),
            },
            Some(AclLook::Mode(mode)) if mode.len() == 11 && mode.ends_with('+') => {
                Fact::Gap(missing)
            }
            Some(AclLook::Mode(mode)) if (10..=11).contains(&mode.len()) => Fact::seen(None, at),
            Some(AclLook::Mode(_)) => Fact::Gap(unread()),
            None => Fact::Gap(missing),
        }
    }

    fn mount(&self, name: &[u8], at: Locator) -> Fact<Mount> {
        let unknown = |what: &str| {
            Fact::Gap(Gap::Garbled {
                what: Text::from(format!("the mount of {}: {what}", Text::from_bytes(name))),
            })
        };
        match &self.mounts {
            Err(gap) => Fact::Gap(gap.clone()),
            // The kernel writes these in another way, and the collector does not ask for them.
            Ok(_) if name.iter().any(|byte| b" \t\n\\".contains(byte)) => {
                unknown("its name has a blank or a backslash")
            }
            Ok(lines) => match mountinfo::holds(lines, name) {
                Some(mount) => Fact::seen(mount, at),
                None => unknown("it is not in the mount table"),
            },
        }
    }
}

struct Way<'a> {
    answer: &'a Answer<'a>,
    at: Locator,
    hops: Vec<Fact<Hop>>,
    names: Vec<Vec<u8>>,
}

impl Way<'_> {
    fn go(&mut self, path: &[u8]) -> WalkEnd {
        let mut rest: VecDeque<Vec<u8>> = components(path).collect();
        let mut folder: Vec<u8> = Vec::new();
        let mut links = 0;
        if let Err(end) = self.visit(b"/") {
            return end;
        }
        while let Some(part) = rest.pop_front() {
            if part == b".." {
                let parent = folder.iter().rposition(|byte| *byte == b'/').unwrap_or(0);
                folder.truncate(parent);
                continue;
            }
            let name = [&folder[..], b"/", &part].concat();
            let (kind, target) = match self.visit(&name) {
                Ok(seen) => seen,
                Err(end) => return end,
            };
            if kind == FileKind::Symlink {
                links += 1;
                let Some(target) = target.filter(|target| !target.is_empty()) else {
                    return self.blocked(&name);
                };
                if links > LINKS || self.hops.len() > HOPS {
                    return WalkEnd::Loop;
                }
                if target.starts_with(b"/") {
                    folder.clear();
                }
                for part in components(&target).collect::<Vec<_>>().into_iter().rev() {
                    rest.push_front(part);
                }
            } else if kind == FileKind::Directory {
                folder = name;
            } else if !rest.is_empty() {
                return WalkEnd::Absent;
            }
        }
        self.finish(&folder)
    }

    /// The object may be a folder that was passed before: it is the last hop all the same.
    fn finish(&mut self, folder: &[u8]) -> WalkEnd {
        let name: &[u8] = if folder.is_empty() { b"/" } else { folder };
        let last_is_file = self.hops.last().is_some_and(|hop| {
            matches!(hop, Fact::Seen(seen)
                if !matches!(seen.value.stat.kind, FileKind::Directory | FileKind::Symlink))
        });
        if !last_is_file
            && let Some(index) = self.names.iter().position(|known| known == name)
            && index + 1 != self.names.len()
        {
            let hop = self.hops.remove(index);
            self.hops.push(hop);
            let name = self.names.remove(index);
            self.names.push(name);
        }
        WalkEnd::Reached
    }

    fn blocked(&mut self, name: &[u8]) -> WalkEnd {
        self.hops.push(Fact::Gap(Gap::Garbled {
            what: Text::from(format!("where the link {} points", Text::from_bytes(name))),
        }));
        WalkEnd::Blocked
    }

    /// Adds the hop, once; its kind and target, or how the walk ends here.
    fn visit(&mut self, name: &[u8]) -> Result<(FileKind, Option<Vec<u8>>), WalkEnd> {
        let Some(look) = self.answer.look(name) else {
            self.hops.push(Fact::Gap(Gap::Garbled {
                what: Text::from(format!("{} was not looked at", Text::from_bytes(name))),
            }));
            return Err(WalkEnd::Blocked);
        };
        match look {
            Look::Not(b"absent") => Err(WalkEnd::Absent),
            Look::Not(_) => {
                self.hops.push(self.answer.hop(name, look, self.at));
                Err(WalkEnd::Blocked)
            }
            Look::Seen { stat, target } => {
                if !self.names.iter().any(|known| known == name) {
                    self.hops.push(self.answer.hop(name, look, self.at));
                    self.names.push(name.to_vec());
                }
                Ok((stat.kind, target.map(<[u8]>::to_vec)))
            }
        }
    }
}

fn components(path: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    path.split(|byte| *byte == b'/')
        .filter(|part| !part.is_empty() && *part != b".")
        .map(<[u8]>::to_vec)
}

#[cfg(test)]
mod tests;
