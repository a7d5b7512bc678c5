//! What a manifest says of a process, field by field, beside what the process has.

use crate::checks::confinement::{Asked, Label, apparmor, label, seccomp};
use crate::checks::running::Running;
use crate::model::fact::Gap;
use crate::model::process::{Caps, Process, Rights, UserMap};
use crate::model::text::Text;
use crate::model::tree::{Branch, Items};
use crate::model::verdict::{Comparison, Severity, Side3};

/// One field of the security context.
pub struct Row {
    pub compare: Comparison,
    /// How the process has more than its manifest says.
    pub wider: Option<(Severity, String)>,
}

/// Names that are spelled out before the rest is counted.
const NAMED: usize = 3;
/// Names of a row beyond which they are only counted.
const SHOWN: usize = 16;

/// Every field that the manifest limits, and why some could not be compared.
pub fn rows(running: &Running<'_>, process: &Process) -> (Vec<Row>, Vec<Gap>) {
    let mut table = Table {
        running,
        rows: Vec::new(),
        gaps: Vec::new(),
    };
    match process.rights.get() {
        Err(gap) => table.gaps.push(gap),
        Ok(rights) => {
            table.user(&rights.value, process);
            if !running.is_privileged() {
                table.capabilities(&rights.value);
                table.seccomp(&rights.value);
            }
            table.escalation(&rights.value);
        }
    }
    if !running.is_privileged() {
        table.apparmor(process);
    }
    table.root(process);
    table.user_namespace(process);
    (table.rows, table.gaps)
}

struct Table<'t, 'n> {
    running: &'t Running<'n>,
    rows: Vec<Row>,
    gaps: Vec<Gap>,
}

impl Table<'_, '_> {
    fn row(
        &mut self,
        field: &str,
        manifest: &str,
        runtime: &str,
        wider: Option<(Severity, String)>,
    ) {
        let name = &self.running.name;
        let field = match field {
            "hostUsers" => "spec.hostUsers".to_owned(),
            field => format!("spec.containers[{name}].securityContext.{field}"),
        };
        self.rows.push(Row {
            compare: Comparison {
                field: Text::from(field),
                manifest: Side3::Value(Text::new(manifest)),
                mirror: Side3::Unasked,
                runtime: Side3::Value(Text::new(runtime)),
            },
            wider,
        });
    }

    /// The id as the container itself sees it.
    fn user(&mut self, rights: &Rights, process: &Process) {
        let wanted = self.running.context("runAsUser").and_then(Branch::as_u64);
        let not_root = self.running.context("runAsNonRoot") == Some(Branch::Bool(true));
        if wanted.is_none() && !not_root {
            return;
        }
        let map = match process.users.get() {
            Ok(map) => map.value,
            Err(gap) => return self.gaps.push(gap),
        };
        let effective = rights.uid.effective;
        let inside = map.inside(effective).map(u64::from);
        // An id that the namespace has no name for is none of its own, and no root there.
        let found = inside.unwrap_or(u64::from(effective));
        let says = match wanted {
            Some(uid) => format!("uid {uid}"),
            None => "not as root".to_owned(),
        };
        let is_root = inside == Some(0);
        let wider = match wanted {
            Some(0) => None,
            _ if is_root => Some((
                Severity::High,
                format!("it runs as root, its manifest says {says}"),
            )),
            Some(uid) if uid != found => Some((
                Severity::Medium,
                format!("it runs as uid {found}, its manifest says {says}"),
            )),
            _ => None,
        };
        self.row("runAsUser", &says, &format!("uid {found}"), wider);
    }

    fn capabilities(&mut self, rights: &Rights) {
        let allowed = allowed(self.running);
        let held = rights.effective.with(rights.permitted).without(allowed);
        let gained = rights.bounding.without(allowed);
        let wider = if !held.is_empty() {
            Some((Severity::High, format!("it has {}", some(held))))
        } else if !gained.is_empty() {
            Some((Severity::High, format!("it can gain {}", some(gained))))
        } else {
            None
        };
        let all = |caps: Caps| match caps.names() {
            names if names.is_empty() => "none".to_owned(),
            _ if caps == Caps::USUAL => "the runtime's default".to_owned(),
            _ if caps == Caps::ALL => "all".to_owned(),
            names if names.len() > SHOWN => format!("{} capabilities", names.len()),
            names => names.join(" "),
        };
        self.row("capabilities", &all(allowed), &all(rights.bounding), wider);
    }

    fn seccomp(&mut self, rights: &Rights) {
        let says = match seccomp(self.running) {
            Asked::RuntimeDefault => "the runtime's profile",
            Asked::Localhost(_) => "a profile",
            _ => return,
        };
        let Some(mode) = rights.seccomp else {
            return self.gaps.push(Gap::Garbled {
                what: Text::new("the kernel does not say whether seccomp is on"),
            });
        };
        let off = (mode == 0).then(|| {
            let words = format!("it runs without seccomp, its manifest says {says}");
            (Severity::High, words)
        });
        let found = ["off", "strict", "filter"].get(usize::from(mode));
        self.row("seccompProfile", says, found.unwrap_or(&"?"), off);
    }

    fn escalation(&mut self, rights: &Rights) {
        if self.running.own("allowPrivilegeEscalation") != Some(Branch::Bool(false)) {
            return;
        }
        let words = "it may gain rights by setuid programs, its manifest says that it may not";
        let wider = (!rights.no_new_privs).then(|| (Severity::High, words.to_owned()));
        let found = if rights.no_new_privs { "false" } else { "true" };
        self.row("allowPrivilegeEscalation", "false", found, wider);
    }

    fn apparmor(&mut self, process: &Process) {
        let (wanted, says) = match apparmor(self.running).0 {
            Asked::RuntimeDefault => (None, "the runtime's profile".to_owned()),
            Asked::Localhost(name) => (Some(name), format!("profile {}", Text::new(name))),
            _ => return,
        };
        let text = match process.label.get() {
            Err(gap) => return self.gaps.push(gap),
            Ok(seen) => match &seen.value {
                Some(text) => text,
                // Without a module the kubelet ignores it; that the node has none is SP-LSM-001's.
                None => return,
            },
        };
        let label = label(text.as_str());
        let other = match (wanted, label) {
            (_, Label::Selinux(_) | Label::Other) => return,
            (Some(name), Label::Profile(found, _)) => {
                (name != found).then(|| format!("has AppArmor profile {found}"))
            }
            _ => None,
        };
        let wider = other.or_else(|| label.looseness()).map(|how| {
            (
                Severity::High,
                format!("it {how}, its manifest says {says}"),
            )
        });
        self.row("appArmorProfile", &says, text.as_str(), wider);
    }

    fn root(&mut self, process: &Process) {
        if self.running.own("readOnlyRootFilesystem") != Some(Branch::Bool(true)) {
            return;
        }
        match process.root_read_only.get() {
            Err(gap) => self.gaps.push(gap),
            Ok(read_only) => {
                let words = "its root is writable, its manifest says read-only";
                let wider = (!read_only.value).then(|| (Severity::High, words.to_owned()));
                let found = if read_only.value { "true" } else { "false" };
                self.row("readOnlyRootFilesystem", "true", found, wider);
            }
        }
    }

    fn user_namespace(&mut self, process: &Process) {
        let spec = self.running.declared.pod.spec();
        if spec.get("hostUsers") != Some(Branch::Bool(false)) {
            return;
        }
        match process.users.get() {
            Err(gap) => self.gaps.push(gap),
            Ok(map) => {
                let words = "its root is the node's root, its manifest says hostUsers: false";
                let host = map.value == UserMap::HOST;
                let wider = host.then(|| (Severity::High, words.to_owned()));
                let found = if host { "true" } else { "false" };
                self.row("hostUsers", "false", found, wider);
            }
        }
    }
}

/// What the runtime may leave: its default, then `add` and `drop` (containerd, WithCapabilities).
fn allowed(running: &Running<'_>) -> Caps {
    let list = |field: &str| {
        let names = running.own("capabilities").and_then(|caps| caps.get(field));
        let names = names.and_then(Branch::as_array).into_iter();
        names
            .flat_map(Items::iter)
            .filter_map(|name| name.as_str().map(str::to_ascii_uppercase))
            .collect::<Vec<_>>()
    };
    let (add, drop) = (list("add"), list("drop"));
    let every = |names: &[String]| names.iter().any(|name| name == "ALL");
    let mut caps = match (every(&add), every(&drop)) {
        (true, _) => Caps::ALL,
        (false, true) => Caps::default(),
        (false, false) => Caps::USUAL,
    };
    for name in add.iter().filter_map(|name| Caps::by_name(name)) {
        caps = caps.with(name);
    }
    for name in drop.iter().filter_map(|name| Caps::by_name(name)) {
        caps = caps.without(name);
    }
    caps
}

/// The first names, and how many more.
fn some(caps: Caps) -> String {
    let names = caps.names();
    let shown = names.len().min(NAMED);
    let head = names[..shown].join(", ");
    match names.len() - shown {
        0 => head,
        more => format!("{head} and {more} more"),
    }
}
