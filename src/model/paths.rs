//! Names of a node that were looked at, each kept once, and the ways over them.
//!
//! Facts about files share most of their ancestors; a [`Walk`] for each would hold them many times over. Here a way
//! is a list of numbers, and the walk is put together when somebody wants to judge it.

use serde::{Deserialize, Serialize};

use super::fact::{Fact, Gap, Locator, Need};
use super::text::Text;
use super::unix::{Acl, Hop, Mount, Stat, Walk, WalkEnd};

/// Different names that are kept of one node.
pub const NAMES: usize = 2048;
/// Names of one way that are kept.
pub const STEPS: usize = 256;

/// Every name, with what was seen of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Paths {
    names: Vec<Name>,
    /// Access lists and mounts are the same for most names.
    acls: Vec<Fact<Option<Acl>>>,
    mounts: Vec<Fact<Mount>>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Name {
    Seen(Row),
    Gap(Gap),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Row {
    path: Text,
    stat: Stat,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    target: Option<Text>,
    /// Index into [`Paths::acls`].
    acl: u16,
    /// Index into [`Paths::mounts`].
    mount: u16,
}

/// A way over the names of one [`Paths`], as [`Walk::hops`] and [`Walk::end`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trail {
    steps: Box<[u16]>,
    pub end: WalkEnd,
}

impl Paths {
    /// Takes a walk in. One that is longer than what is kept ends in a gap.
    pub fn add(&mut self, walk: Walk) -> Trail {
        let mut steps = Vec::with_capacity(walk.hops.len().min(STEPS + 1));
        let mut end = walk.end;
        for hop in walk.hops {
            let Some(step) = (steps.len() < STEPS).then(|| self.name(hop)).flatten() else {
                let gap = Gap::Garbled {
                    what: Text::from(format!("the way to {} is too long to keep", walk.path)),
                };
                steps.extend(self.keep(Name::Gap(gap)));
                end = WalkEnd::Blocked;
                break;
            };
            steps.push(step);
        }
        Trail {
            steps: steps.into(),
            end,
        }
    }

    /// The walk to `path`; `at`: the evidence of its hops. A trail of another table ends in a gap.
    pub fn walk(&self, path: &Text, trail: &Trail, at: Locator) -> Walk {
        let known = trail.steps.iter().map_while(|step| self.hop(*step, at));
        let mut hops: Vec<Fact<Hop>> = known.collect();
        let cut = hops.len() < trail.steps.len();
        let end = if cut { WalkEnd::Blocked } else { trail.end };
        // Whoever is let in by what stands behind a blocked name must be told of it.
        if end == WalkEnd::Blocked && hops.last().is_none_or(Fact::is_seen) {
            hops.push(Fact::Gap(Gap::Garbled {
                what: Text::from(format!("the way to {path} was not kept whole")),
            }));
        }
        Walk {
            path: path.clone(),
            hops,
            end,
        }
    }

    fn hop(&self, step: u16, at: Locator) -> Option<Fact<Hop>> {
        Some(match self.names.get(usize::from(step))? {
            Name::Gap(gap) => Fact::Gap(gap.clone()),
            Name::Seen(row) => Fact::seen(
                Hop {
                    path: row.path.clone(),
                    stat: row.stat.clone(),
                    target: row.target.clone(),
                    acl: placed(self.acls.get(usize::from(row.acl))?, at),
                    mount: placed(self.mounts.get(usize::from(row.mount))?, at),
                },
                at,
            ),
        })
    }

    fn name(&mut self, hop: Fact<Hop>) -> Option<u16> {
        let hop = match hop {
            Fact::Gap(gap) => {
                let gap = Name::Gap(gap);
                return match self.names.iter().position(|name| *name == gap) {
                    Some(at) => u16::try_from(at).ok(),
                    None => self.keep(gap),
                };
            }
            Fact::Seen(seen) => seen.value,
        };
        let same = |name: &Name| matches!(name, Name::Seen(row) if row.path == hop.path);
        if let Some(at) = self.names.iter().position(same) {
            return u16::try_from(at).ok();
        }
        let acl = intern(&mut self.acls, &hop.acl)?;
        let mount = intern(&mut self.mounts, &hop.mount)?;
        self.keep(Name::Seen(Row {
            path: hop.path,
            stat: hop.stat,
            target: hop.target,
            acl,
            mount,
        }))
    }

    fn keep(&mut self, name: Name) -> Option<u16> {
        // One place is left for the gap that says so.
        if self.names.len() >= NAMES && matches!(name, Name::Seen(_)) || self.names.len() > NAMES {
            return None;
        }
        self.names.push(name);
        u16::try_from(self.names.len() - 1).ok()
    }
}

/// Where a shared value was seen does not count: each walk says it again.
const SHARED: Locator = Locator::list(Need::Later);

fn intern<T: Clone + PartialEq>(list: &mut Vec<Fact<T>>, fact: &Fact<T>) -> Option<u16> {
    let fact = placed(fact, SHARED);
    let at = list.iter().position(|known| *known == fact);
    u16::try_from(at.unwrap_or_else(|| {
        list.push(fact);
        list.len() - 1
    }))
    .ok()
}

fn placed<T: Clone>(fact: &Fact<T>, at: Locator) -> Fact<T> {
    match fact {
        Fact::Seen(seen) => Fact::seen(seen.value.clone(), at),
        Fact::Gap(gap) => Fact::Gap(gap.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::unix::{FileKind, Gid, Mode, Uid};

    const AT: Locator = Locator::new(Need::Manifests, 3);

    fn hop(path: &str, mode: u32) -> Fact<Hop> {
        let stat = Stat {
            kind: FileKind::Directory,
            mode: Mode::new(mode),
            uid: Uid(0),
            gid: Gid(0),
            nlink: 1,
            size: 0,
            mtime: Some(1),
            ctime: None,
        };
        let mount = Mount {
            point: Text::new("/"),
            fstype: Text::new("ext4"),
            read_only: false,
        };
        let hop = Hop {
            path: Text::new(path),
            stat,
            target: None,
            acl: Fact::seen(None, AT),
            mount: Fact::seen(mount, AT),
        };
        Fact::seen(hop, AT)
    }

    fn walk(path: &str, hops: Vec<Fact<Hop>>, end: WalkEnd) -> Walk {
        Walk {
            path: Text::new(path),
            hops,
            end,
        }
    }

    #[test]
    fn a_walk_comes_back_as_it_was() {
        let mut paths = Paths::default();
        let denied = Gap::Denied {
            what: Text::new("/etc/x"),
        };
        let walks = [
            walk(
                "/etc",
                vec![hop("/", 0o755), hop("/etc", 0o755)],
                WalkEnd::Reached,
            ),
            walk("/x", vec![hop("/", 0o755)], WalkEnd::Absent),
            walk(
                "/etc/x",
                vec![hop("/", 0o755), hop("/etc", 0o755), Fact::Gap(denied)],
                WalkEnd::Blocked,
            ),
        ];
        let trails: Vec<Trail> = walks.iter().map(|walk| paths.add(walk.clone())).collect();
        assert_eq!((paths.names.len(), paths.acls.len()), (3, 1));
        let disk = serde_json::to_string(&paths).expect("JSON");
        let paths: Paths = serde_json::from_str(&disk).expect("read again");
        for (walk, trail) in walks.iter().zip(&trails) {
            assert_eq!(paths.walk(&walk.path, trail, AT), *walk);
        }
    }

    #[test]
    fn what_is_too_much_is_a_gap() {
        let mut paths = Paths::default();
        let long: Vec<_> = (0..300).map(|at| hop(&format!("/{at}"), 0)).collect();
        let trail = paths.add(walk("/long", long, WalkEnd::Reached));
        let walk_back = paths.walk(&Text::new("/long"), &trail, AT);
        assert_eq!(walk_back.end, WalkEnd::Blocked);
        assert!(!walk_back.hops.last().expect("a gap").is_seen());
        for at in 0..3000 {
            let name = format!("/n{at}");
            let trail = paths.add(walk(&name, vec![hop(&name, 0)], WalkEnd::Reached));
            let back = paths.walk(&Text::new(&name), &trail, AT);
            assert!(back.object().is_some() || back.end == WalkEnd::Blocked);
        }
        assert!(paths.names.len() <= NAMES + 1);
        let foreign = Paths::default().walk(&Text::new("/long"), &trail, AT);
        assert_eq!(foreign.end, WalkEnd::Blocked);
        assert!(foreign.object().is_none());
    }
}
