//! Who holds a right in the whole cluster, by ClusterRoles and their bindings, beyond those who have to.

use std::collections::BTreeMap;

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

fn cut(kind: &str, name: &Text, parts: &str) -> Gap {
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
