//! As whom a component of the control plane runs, since files may be its own. Never lives here: a check.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use crate::checks::check::Tally;
use crate::checks::exposure::Looked;
use crate::checks::merge::pairs::declared;
use crate::checks::program::runs;
use crate::model::fact::{Gap, Locator};
use crate::model::node::NodeFacts;
use crate::model::process::Process;
use crate::model::text::Text;
use crate::model::unix::Uid;

/// Folders that belong to root on every distribution: what lies elsewhere may be anybody's program of that name.
const PROGRAMS: [&str; 6] = [
    "/usr/",
    "/bin/",
    "/sbin/",
    "/opt/",
    "/snap/",
    "/var/lib/k0s/bin/",
];
/// What the kernel keeps of a program's name.
const COMM: usize = 15;

/// As whom a component runs.
#[derive(Clone, Default)]
pub struct Account {
    program: &'static str,
    uids: BTreeSet<Uid>,
    /// Why it may be somebody else's program.
    gap: Option<Gap>,
    /// The list of processes, where it is known.
    at: Option<Locator>,
}

impl Account {
    /// The users as whom a program runs: in the containers of a declared pod that starts it, else on the node itself.
    /// The name of a process alone proves nothing.
    pub fn of(node: &NodeFacts, program: &'static str) -> Self {
        let mut found = Self {
            program,
            ..Self::default()
        };
        let Ok(processes) = node.host.processes.get() else {
            return found;
        };
        found.at = Some(processes.at);
        let mut pods = match declared(node) {
            Ok(declared) => {
                found.gap = declared.gaps.into_iter().next();
                declared.pods
            }
            Err(gap) => {
                found.gap = Some(gap);
                Vec::new()
            }
        };
        pods.retain(|pod| runs(pod.pod, program));
        if !pods.is_empty() {
            found.gap = processes.value.containers.get().err();
        }
        let in_pod = |process: &Process| {
            let container = process
                .pod
                .as_ref()
                .and_then(|pod| pod.container.as_deref());
            let Some(id) = container else { return false };
            match processes.value.container(id) {
                Some(name) => pods
                    .iter()
                    .any(|pod| pod.pod.namespace == name.namespace && pod.mirror_name == name.pod),
                None => found.gap.is_some(),
            }
        };
        let cut = &program[..program.len().min(COMM)];
        let all = processes.value.list.iter();
        for process in all.filter(|process| process.comm == cut) {
            let counts = if pods.is_empty() {
                process.pod.is_none() && is_installed(process, program)
            } else {
                in_pod(process)
            };
            if let (true, Ok(rights)) = (counts, process.rights.get()) {
                found.uids.insert(Uid(rights.value.uid.effective));
            }
        }
        found
    }

    /// The user other than root who may have files of these owners. What makes that doubtful is told.
    pub fn among(&self, owners: &[Uid], tally: &mut Tally) -> Option<Uid> {
        let own = self.uids.iter().find(|uid| owners.contains(uid)).copied();
        let own = own.filter(|uid| *uid != Uid::ROOT)?;
        tally.gaps(self.gap.clone());
        if self.uids.len() > 1 {
            tally.gap(self.unclear());
        }
        if let Some(at) = self.at {
            tally.good(at);
        }
        Some(own)
    }

    fn unclear(&self) -> Gap {
        let uids: Vec<String> = self.uids.iter().map(Uid::to_string).collect();
        Gap::NeedsHuman {
            question: Text::from(format!(
                "as whom does {} run? processes of that name run as {}",
                self.program,
                uids.join(", ")
            )),
        }
    }
}

/// Whether a process was started from a file of that name in a folder of root's: whoever runs chooses its own name.
fn is_installed(process: &Process, program: &str) -> bool {
    process.exe.get().is_ok_and(|exe| {
        let exe = exe.value.as_str();
        let exe = exe.strip_suffix(" (deleted)").unwrap_or(exe);
        super::last(exe) == program && PROGRAMS.iter().any(|folder| exe.starts_with(folder))
    })
}

/// The accounts of the components to whom certificates, keys and kubeconfigs may belong, as k0s has it.
pub struct Accounts<'n> {
    node: &'n NodeFacts,
    known: BTreeMap<&'static str, Account>,
    told: BTreeSet<(&'static str, Uid)>,
}

impl<'n> Accounts<'n> {
    pub fn new(node: &'n NodeFacts) -> Self {
        Self {
            node,
            known: BTreeMap::new(),
            told: BTreeSet::new(),
        }
    }

    /// Who owns a file, where that is the account of the component that the file is there for. What makes it doubtful
    /// is told.
    pub fn owner(&mut self, seen: &Looked<'_>, tally: &mut Tally) -> Option<Uid> {
        let owner = seen.walk.object()?.stat.uid;
        if owner == Uid::ROOT {
            return None;
        }
        let program = user(seen.path.as_str());
        let of = || Account::of(self.node, program);
        let account = self.known.entry(program).or_insert_with(of);
        let own = account.among(&[owner], tally)?;
        self.told.insert((program, own));
        Some(own)
    }

    /// Whose files were found to be their own, as notes.
    pub fn done(self, tally: &mut Tally) {
        for (program, uid) in self.told {
            tally.note(format!(
                "files of user {uid} are those of {program}, which runs as that user"
            ));
        }
    }
}

/// Which component a file is there for, by its place. The API server's account is above all others: it has every object
/// of the cluster anyway.
fn user(path: &str) -> &'static str {
    let name = super::last(path);
    if path.split('/').any(|folder| folder == "etcd") {
        "etcd"
    } else if name.contains("scheduler") {
        "kube-scheduler"
    } else {
        "kube-apiserver"
    }
}
