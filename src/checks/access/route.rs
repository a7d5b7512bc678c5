//! A path spelled out over the names that a walk has shown.

use std::collections::VecDeque;

use crate::model::text::Text;
use crate::model::unix::{FileKind, Hop};

/// The most links that one lookup follows (`MAXSYMLINKS`, include/linux/namei.h).
const LINKS: usize = 40;
/// Names in one lookup: 41 paths of 4,096 bytes hold fewer.
const NAMES: usize = 100_000;

/// What the lookup of a path passes.
pub(super) struct Route<'w> {
    /// Each folder in which a name is looked up, `.` and `..` among them, in order.
    pub(super) folders: Vec<&'w Hop>,
    pub(super) end: End<'w>,
}

/// Where it leads.
pub(super) enum End<'w> {
    Object(&'w Hop),
    /// The folder that does not have the next name.
    Missing(&'w Hop),
    /// A file where a folder would have to be.
    NoFolder,
    /// More links or names than the kernel follows, or a walk that does not begin at the root.
    Hidden,
}

/// Looks a path up again. Names that the walk does not show are taken for missing, so this is for walks
/// without gaps.
pub(super) fn lookup<'w>(path: &str, hop: impl Fn(&str) -> Option<&'w Hop>) -> Route<'w> {
    let mut folders = Vec::new();
    let mut rest: VecDeque<String> = components(path).collect();
    let mut links = 0;
    let Some(root) = hop("/") else {
        return Route {
            folders,
            end: End::Hidden,
        };
    };
    let mut here = root;
    while let Some(name) = rest.pop_front() {
        if folders.len() > NAMES || rest.len() > NAMES {
            return Route {
                folders,
                end: End::Hidden,
            };
        }
        if here.stat.kind != FileKind::Directory {
            return Route {
                folders,
                end: End::NoFolder,
            };
        }
        folders.push(here);
        let next = match name.as_str() {
            "." => continue,
            ".." => super::parent(here.path.as_str()).unwrap_or("/").to_owned(),
            _ => format!("{}/{name}", here.path.as_str().trim_end_matches('/')),
        };
        let Some(found) = hop(&next) else {
            return Route {
                end: End::Missing(here),
                folders,
            };
        };
        let target = found.target.as_ref().map(Text::as_str);
        match (found.stat.kind, target) {
            (FileKind::Symlink, Some(target)) if links < LINKS => {
                links += 1;
                if target.starts_with('/') {
                    here = root;
                }
                for part in components(target).collect::<Vec<_>>().into_iter().rev() {
                    rest.push_front(part);
                }
            }
            (FileKind::Symlink, _) => {
                return Route {
                    folders,
                    end: End::Hidden,
                };
            }
            _ => here = found,
        }
    }
    Route {
        folders,
        end: End::Object(here),
    }
}

fn components(path: &str) -> impl Iterator<Item = String> {
    path.split('/')
        .filter(|part| !part.is_empty())
        .map(str::to_owned)
}
