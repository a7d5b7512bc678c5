//! Who holds a right in the whole cluster, by ClusterRoles and their bindings, beyond those who have to.

use std::collections::{BTreeMap, BTreeSet};

use super::check::few;
use crate::model::fact::{Gap, Locator, Need};
use crate::model::objects::{Binding, Holder, Objects, Role, Rule, of_list};
use crate::model::text::Text;

/// A subject that holds a right, and by what.
pub struct Grant<'o> {
    pub holder: &'o Holder,
    pub binding: &'o Binding,
    pub role: &'o Role,
    /// The binding, then the role.
    pub evidence: [Locator; 2],
}

/// What is known of the ClusterRoles and their bindings.
pub struct Grants<'o> {
    pub all: Vec<Grant<'o>>,
    /// Roles or bindings of which only a part is kept: somebody may hold the right unseen.
    pub gaps: Vec<Gap>,
    /// The two lists.
    pub evidence: [Locator; 2],
}

/// Everybody to whom a ClusterRoleBinding gives a rule that `wanted` accepts.
///
/// # Errors
/// The gap where roles or bindings are not known.
pub fn grants(objects: &Objects, wanted: impl Fn(&Rule) -> bool) -> Result<Grants<'_>, Gap> {
    let roles = objects.cluster_roles.get()?;
    let bindings = objects.cluster_role_bindings.get()?;
    let mut gaps = Vec::new();
    let mut granting: BTreeMap<&Text, (Locator, &Role)> = BTreeMap::new();
    for (at, role) in of_list(Need::ClusterRoles, &roles.value) {
        if role.rules.iter().any(&wanted) {
            granting.insert(&role.name, (at, role));
        } else if role.cut {
            gaps.push(cut("ClusterRole", &role.name, "rules"));
        }
    }
    let mut all = Vec::new();
    for (at, binding) in of_list(Need::ClusterRoleBindings, &bindings.value) {
        let Some((from, role)) = granting.get(&binding.role) else {
            continue;
        };
        if binding.cut {
            gaps.push(cut("ClusterRoleBinding", &binding.name, "subjects"));
        }
        all.extend(binding.subjects.iter().map(|holder| Grant {
            holder,
            binding,
            role,
            evidence: [at, *from],
        }));
    }
    Ok(Grants {
        all,
        gaps,
        evidence: [roles.at, bindings.at],
    })
}

/// The gap of a role or a binding of which only a part is kept.
pub fn cut(kind: &str, name: &Text, parts: &str) -> Gap {
    Gap::Garbled {
        what: format!("{kind} {name} has more {parts} than are kept").into(),
    }
}

impl Grant<'_> {
    /// Those who administrate the cluster anyway, and the controllers of kube-system in the roles that the API
    /// server made for them.
    pub fn is_expected(&self) -> bool {
        let Holder {
            kind,
            namespace,
            name,
        } = self.holder;
        match kind.as_str() {
            "Group" => ["system:masters", "kubeadm:cluster-admins"].contains(&name.as_str()),
            "ServiceAccount" => {
                let own = self.role.name.as_str().strip_prefix("system:controller:");
                self.role.bootstrap && *namespace == "kube-system" && own == Some(name.as_str())
            }
            "User" => {
                // kube-controller-manager and kube-scheduler in the roles of their name.
                self.role.bootstrap
                    && ["system:kube-controller-manager", "system:kube-scheduler"]
                        .contains(&name.as_str())
                    && self.role.name == *name
            }
            _ => false,
        }
    }
}

/// The holders of one binding, who are neither administrators nor controllers.
pub struct Held<'g, 'o> {
    /// At most three of them in words.
    pub who: String,
    /// One of their grants.
    pub grant: &'g Grant<'o>,
    /// Everybody who has a login is among them, or everybody who has none.
    pub everybody: bool,
}

/// The same grants by their bindings; `grants` as [`grants`] orders them.
pub fn by_binding<'g, 'o: 'g>(
    grants: impl Iterator<Item = &'g Grant<'o>>,
) -> impl Iterator<Item = Held<'g, 'o>> {
    let mut grants = grants.peekable();
    std::iter::from_fn(move || {
        let grant = grants.next()?;
        let mut names = vec![grant.holder.to_string()];
        let mut everybody = is_everybody(grant.holder);
        while let Some(more) = grants.next_if(|more| more.binding.name == grant.binding.name) {
            names.push(more.holder.to_string());
            everybody |= is_everybody(more.holder);
        }
        Some(Held {
            who: few(&names),
            grant,
            everybody,
        })
    })
}

/// Whether a subject stands for everybody who reaches the API server, or for every service account.
pub fn is_everybody(holder: &Holder) -> bool {
    match holder.kind.as_str() {
        "Group" => [
            "system:authenticated",
            "system:unauthenticated",
            "system:serviceaccounts",
        ]
        .contains(&holder.name.as_str()),
        "User" => holder.name == "system:anonymous",
        _ => false,
    }
}

/// Whether what is given to `held` is given to `who` too: to itself, or to a group that it is always in. In which
/// other groups a user is only its login tells.
pub fn covers(held: &Holder, who: &Holder) -> bool {
    if held == who {
        return true;
    }
    let account = who.kind == "ServiceAccount";
    if held.kind != "Group" {
        // As the user that it logs in as.
        let own = || format!("system:serviceaccount:{}:{}", who.namespace, who.name);
        return account && held.kind == "User" && held.name == own().as_str();
    }
    let nameless = who.name == "system:anonymous" || who.name == "system:unauthenticated";
    match held.name.as_str() {
        "system:authenticated" => !nameless,
        "system:unauthenticated" => nameless,
        "system:serviceaccounts" => account || who.name.as_str().starts_with(ACCOUNTS),
        name => account && name.strip_prefix(ACCOUNTS) == Some(who.namespace.as_str()),
    }
}

/// What the group of all service accounts of a namespace begins with.
const ACCOUNTS: &str = "system:serviceaccounts:";

/// On which nodes a role gives what `wanted` accepts.
pub fn nodes(role: &Role, wanted: impl Fn(&Rule) -> bool) -> String {
    const SHOWN: usize = 3;
    let rules: Vec<&Rule> = role.rules.iter().filter(|rule| wanted(rule)).collect();
    if rules.iter().any(|rule| rule.resource_names.is_empty()) {
        return "nodes".to_owned();
    }
    let names = rules.iter().flat_map(|rule| &rule.resource_names);
    let names: BTreeSet<&str> = names.map(Text::as_str).collect();
    let shown: Vec<&str> = names.iter().copied().take(SHOWN).collect();
    let shown = shown.join(", ");
    match names.len() {
        1 => format!("the node {shown}"),
        all if all > SHOWN => format!("{all} nodes, {shown} and others,"),
        all => format!("the {all} nodes {shown}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_have_the_members_that_follow_from_their_names() {
        let holder = |kind: &str, namespace: &str, name: &str| Holder {
            kind: Text::new(kind),
            namespace: Text::new(namespace),
            name: Text::new(name),
        };
        let group = |name: &str| holder("Group", "", name);
        let account = holder("ServiceAccount", "tools", "a");
        for (held, who, wanted) in [
            (group("system:authenticated"), account.clone(), true),
            (group("system:authenticated"), group("ops"), true),
            (
                group("system:authenticated"),
                holder("User", "", "system:anonymous"),
                false,
            ),
            (group("system:serviceaccounts"), account.clone(), true),
            (
                group("system:serviceaccounts"),
                group("system:serviceaccounts:tools"),
                true,
            ),
            (group("system:serviceaccounts:tools"), account.clone(), true),
            (
                group("system:serviceaccounts:other"),
                account.clone(),
                false,
            ),
            (group("ops"), account.clone(), false),
            (
                holder("User", "", "system:serviceaccount:tools:a"),
                account.clone(),
                true,
            ),
            (
                holder("User", "", "system:serviceaccount:tools:b"),
                account.clone(),
                false,
            ),
            (account.clone(), account, true),
        ] {
            assert_eq!(covers(&held, &who), wanted, "{held} {who}");
        }
    }
}
