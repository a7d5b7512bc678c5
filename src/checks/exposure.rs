//! Files that somebody other than root reaches, as offences: one for each file, and one for each folder in which
//! they can be swapped.

use super::access::{How, Principal, Way, readers, writers};
use super::check::{Tally, few, offence};
use crate::model::fact::{Locator, Need};
use crate::model::files::{FileRole, Files};
use crate::model::node::{HostFacts, NodeFacts};
use crate::model::text::Text;
use crate::model::unix::{FileKind, Gid, Uid, Walk};
use crate::model::verdict::{Severity, Subject};

/// How much evidence one folder of them keeps.
const EVIDENCE: usize = 3;

/// A file of a list with its way.
pub struct Looked<'a> {
    pub path: &'a Text,
    pub role: FileRole,
    pub walk: Walk,
    pub at: Locator,
}

impl Looked<'_> {
    /// Whether the object is there and belongs to root:root with no bit beyond `limit`.
    pub fn is_narrow(&self, limit: u32) -> bool {
        self.walk.object().is_none_or(|hop| {
            let stat = &hop.stat;
            stat.mode.within(limit) && stat.uid == Uid::ROOT && stat.gid == Gid::ROOT
        })
    }

    /// `name (0644 0:0)`, for notes.
    pub fn words(&self) -> String {
        let name = super::files::last(self.path.as_str());
        match self.walk.object() {
            Some(hop) => {
                let stat = &hop.stat;
                format!("{name} ({} {}:{})", stat.mode, stat.uid, stat.gid)
            }
            None => name.to_owned(),
        }
    }
}

/// Whether a kubeconfig only says how to log in: by a program, or by a file that has an owner and a mode of its own.
pub fn holds_nothing(node: &NodeFacts, path: &Text) -> bool {
    let Ok(known) = node.host.kubeconfigs.get() else {
        return false;
    };
    let mut all = known.value.contents.iter();
    let content = all.find(|found| found.path == *path);
    content.is_some_and(|found| {
        found.content.get().is_ok_and(|content| {
            let content = &content.value;
            let secret = |login: &str| matches!(login, "token" | "password" | "auth-provider");
            content.clients.is_empty() && !content.logins.iter().any(|login| secret(login.as_str()))
        })
    })
}

/// The files of some roles, each with the evidence of its way.
pub fn looked<'a>(
    host: &HostFacts,
    list: &'a Files,
    need: Need,
    roles: &[FileRole],
) -> Vec<Looked<'a>> {
    let files = (0u32..).zip(&list.files);
    let files = files.filter(|(_, file)| roles.contains(&file.role));
    files
        .map(|(index, file)| {
            let at = Locator::new(need, index);
            Looked {
                path: &file.path,
                role: file.role,
                walk: file.walk(&host.paths, at),
                at,
            }
        })
        .collect()
}

/// Somebody who can put another thing in the place of names in one folder.
struct Swap {
    through: Text,
    deed: String,
    names: Vec<String>,
    severity: Severity,
    evidence: Vec<Locator>,
}

/// Gathers who reaches the files of one check.
pub struct Exposure<'n> {
    host: &'n HostFacts,
    /// Whose rights on a file are no breach, such as those of the program that it belongs to.
    own: Option<Uid>,
    swaps: Vec<Swap>,
}

impl<'n> Exposure<'n> {
    pub fn new(host: &'n HostFacts) -> Self {
        Self {
            host,
            own: None,
            swaps: Vec::new(),
        }
    }

    /// Who may, of the files that follow.
    pub fn except(&mut self, own: Option<Uid>) {
        self.own = own;
    }

    /// Who can change, replace or make a file; true where nobody can.
    pub fn changed(&mut self, seen: &Looked<'_>, severity: Severity, tally: &mut Tally) -> bool {
        self.ways(seen, severity, tally, |_| true)
    }

    /// The same of a folder that is there for everybody to put something into: the way to it alone counts.
    pub fn moved(&mut self, seen: &Looked<'_>, severity: Severity, tally: &mut Tally) -> bool {
        self.ways(seen, severity, tally, |way| way.how != How::Write)
    }

    fn ways(
        &mut self,
        seen: &Looked<'_>,
        severity: Severity,
        tally: &mut Tally,
        counts: impl Fn(&Way) -> bool,
    ) -> bool {
        let reach = writers(&seen.walk, &self.host.accounts);
        let mut closed = reach.gaps.is_empty();
        for way in reach.ways.iter().filter(|way| counts(way)) {
            let Some(people) = self.people(way) else {
                continue;
            };
            closed = false;
            let deed = match (way.how, seen.walk.object()) {
                (How::Write, Some(object)) => {
                    let mode = object.stat.mode;
                    let deed = match object.stat.kind {
                        FileKind::Directory => "put files into it",
                        FileKind::Socket => "talk to it",
                        _ => "change it",
                    };
                    let subject = Subject::path(seen.path);
                    let message = format!("mode {mode}: {people} can {deed}");
                    tally.offence(offence(subject, severity, message, [seen.at]));
                    continue;
                }
                (How::Create, _) => format!("{people} can make"),
                _ => format!("{people} can replace"),
            };
            self.swap(way, deed, severity, seen.at);
        }
        tally.gaps(reach.gaps);
        closed
    }

    /// Who can read a file, or list a folder; true where nobody can.
    pub fn read(&mut self, seen: &Looked<'_>, severity: Severity, tally: &mut Tally) -> bool {
        let reach = readers(&seen.walk, &self.host.accounts);
        let mut closed = reach.gaps.is_empty();
        for way in &reach.ways {
            let Some(people) = self.people(way) else {
                continue;
            };
            closed = false;
            let object = seen.walk.object();
            let mode = object.map(|hop| hop.stat.mode.to_string());
            let deed = match object.map(|hop| hop.stat.kind) {
                Some(FileKind::Directory) => "list it",
                _ => "read it",
            };
            let subject = Subject::path(seen.path);
            let mode = mode.unwrap_or_default();
            let message = format!("mode {mode}: {people} can {deed}");
            tally.offence(offence(subject, severity, message, [seen.at]));
        }
        tally.gaps(reach.gaps);
        closed
    }

    /// A mode or an owner that benchmarks forbid and that nobody can use: the folders above keep everybody out.
    pub fn nominal(&self, seen: &Looked<'_>, limit: u32, tally: &mut Tally) {
        let Some(object) = seen.walk.object() else {
            return;
        };
        let stat = &object.stat;
        let own = self.own.filter(|own| *own == stat.uid);
        let narrow = match own {
            Some(_) => stat.mode.within(limit),
            None => seen.is_narrow(limit),
        };
        if narrow {
            return;
        }
        let who = own.map_or("root".to_owned(), |own| format!("root and user {own}"));
        let message = format!(
            "mode {}, owner {}:{}, although nobody but {who} gets to it",
            stat.mode, stat.uid, stat.gid
        );
        let subject = Subject::path(seen.path);
        tally.offence(offence(subject, Severity::Low, message, [seen.at]));
    }

    /// Tells of the folders in which files can be swapped, each once.
    pub fn done(self, tally: &mut Tally) {
        for swap in self.swaps {
            let named = few(&swap.names);
            let message = format!("{} {named} in it", swap.deed);
            let subject = Subject::path(&swap.through);
            tally.offence(offence(subject, swap.severity, message, swap.evidence));
        }
    }

    /// The people of a way without the one who may; none where nobody is left.
    fn people(&self, way: &Way) -> Option<String> {
        let mut way = way.clone();
        way.who.retain(
            |(who, _)| !matches!(who, Principal::User { uid, .. } if Some(*uid) == self.own),
        );
        (!way.who.is_empty()).then(|| way.people())
    }

    fn swap(&mut self, way: &Way, deed: String, severity: Severity, at: Locator) {
        let name = super::files::last(way.entry.as_str()).to_owned();
        let same = self
            .swaps
            .iter_mut()
            .find(|swap| swap.through == way.through && swap.deed == deed);
        if let Some(swap) = same {
            swap.severity = swap.severity.max(severity);
            if !swap.names.contains(&name) {
                swap.names.push(name);
            }
            if swap.evidence.len() < EVIDENCE {
                swap.evidence.push(at);
            }
            return;
        }
        self.swaps.push(Swap {
            through: way.through.clone(),
            deed,
            names: vec![name],
            severity,
            evidence: vec![at],
        });
    }
}
