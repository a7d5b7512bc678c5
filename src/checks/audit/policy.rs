//! An audit policy as the API server reads it: the first rule that fits a request decides
//! (staging/src/k8s.io/apiserver/pkg/audit/policy/checker.go).

use crate::checks::component::{Given, only};
use crate::model::fact::{Gap, Locator};
use crate::model::files::FileRole;
use crate::model::node::NodeFacts;
use crate::model::text::Text;
use crate::model::tree::{Branch, Items, Tree};

pub const NO_BACKEND: &str = "no audit backend is configured: SP-AUD-001 judges that";

/// How much is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    None,
    Metadata,
    Request,
    RequestResponse,
}

/// A request for a resource.
pub struct Deed<'d> {
    pub user: &'d str,
    pub groups: &'d [&'d str],
    pub verb: &'d str,
    pub group: &'d str,
    /// With its subresource behind a slash.
    pub resource: &'d str,
    /// Empty for what is in none.
    pub namespace: &'d str,
}

/// Whether the API server writes its log anywhere.
///
/// # Errors
/// Where a variable takes the place of a flag.
pub fn has_backend(given: &Given<'_>) -> Result<bool, Gap> {
    Ok(given.has("audit-log-path")? || given.has("audit-webhook-config-file")?)
}

/// Why there is no file of the log to judge, where there is none.
///
/// # Errors
/// As [`has_backend`].
pub fn no_file(given: &Given<'_>) -> Result<Option<&'static str>, Gap> {
    if !has_backend(given)? {
        return Ok(Some(NO_BACKEND));
    }
    let path = given.last("audit-log-path")?;
    let none = path.is_none_or(|path| path.is_empty() || path == "-");
    Ok(none.then_some("the audit log is no file of the API server"))
}

/// Why there is no policy to judge, where there is none.
///
/// # Errors
/// As [`has_backend`].
pub fn moot(given: &Given<'_>) -> Result<Option<&'static str>, Gap> {
    if !has_backend(given)? {
        return Ok(Some(NO_BACKEND));
    }
    let named = given.has("audit-policy-file")?;
    Ok((!named).then_some("no audit policy is named: SP-AUD-002 judges that"))
}

/// The policy of the node's API server.
///
/// # Errors
/// Why it is not known.
pub fn policy(node: &NodeFacts) -> Result<(&Tree, Locator), Gap> {
    let files = only(node, FileRole::AuditPolicy)?;
    let seen = files.audit_policy.get()?;
    let file = seen.value.as_ref().ok_or(Gap::NotAsked)?;
    Ok((&file.content, seen.at))
}

/// The rules in their order.
pub fn rules(policy: &Tree) -> impl Iterator<Item = Branch<'_>> {
    let list = policy.get("rules").and_then(Branch::as_array);
    list.into_iter().flat_map(Items::iter)
}

/// The level of a rule; none where it is not one that is known.
pub fn level(rule: Branch<'_>) -> Option<Level> {
    Some(match rule.get("level")?.as_str()? {
        "None" => Level::None,
        "Metadata" => Level::Metadata,
        "Request" => Level::Request,
        "RequestResponse" => Level::RequestResponse,
        _ => return None,
    })
}

/// Whether a policy leaves out every stage in which the API server would tell of the requests of a rule: then nothing
/// is written, whatever its level. One that ends by a panic is no record of those that do not.
pub fn is_mute(policy: &Tree, rule: Branch<'_>) -> bool {
    let own = texts(rule, "omitStages");
    let all = policy.get("omitStages").and_then(Branch::as_array);
    let all = all.into_iter().flat_map(Items::iter);
    let omitted: Vec<&str> = all.filter_map(Branch::as_str).chain(own).collect();
    ["RequestReceived", "ResponseComplete"]
        .iter()
        .all(|stage| omitted.contains(stage))
}

/// The rule that decides, counted from 1, and its level; none where no rule fits: then nothing is written. A rule that
/// leaves out every stage is one of level None.
///
/// # Errors
/// Where its level is not known.
pub fn first(policy: &Tree, deed: &Deed<'_>) -> Result<Option<(usize, Level)>, Gap> {
    let found = (1..).zip(rules(policy)).find(|(_, rule)| fits(*rule, deed));
    let Some((number, rule)) = found else {
        return Ok(None);
    };
    match level(rule) {
        Some(_) if is_mute(policy, rule) => Ok(Some((number, Level::None))),
        Some(level) => Ok(Some((number, level))),
        None => Err(Gap::Garbled {
            what: Text::from(format!("the level of rule {number} of the audit policy")),
        }),
    }
}

/// Requests that nothing is written of, each with the rule that says so, where one does.
///
/// # Errors
/// As [`first`].
pub fn silent<'d>(
    policy: &Tree,
    deeds: &'d [Deed<'d>],
) -> Result<Vec<(&'d Deed<'d>, Option<usize>)>, Gap> {
    let mut out = Vec::new();
    for deed in deeds {
        match first(policy, deed)? {
            Some((_, level)) if level > Level::None => {}
            found => out.push((deed, found.map(|(rule, _)| rule))),
        }
    }
    Ok(out)
}

/// The same in words, those of one rule together.
pub fn told(policy: &Tree, silent: &[(&Deed<'_>, Option<usize>)]) -> Option<String> {
    let mut numbers: Vec<Option<usize>> = silent.iter().map(|(_, rule)| *rule).collect();
    numbers.sort_unstable();
    numbers.dedup();
    let parts = numbers.into_iter().map(|rule| {
        let own = silent.iter().filter(|(_, other)| *other == rule);
        let names: Vec<String> = own
            .map(|(deed, _)| format!("{} {}", deed.verb, deed.resource))
            .collect();
        let (are, them) = if names.len() == 1 {
            ("is", "it")
        } else {
            ("are", "them")
        };
        let why = match rule {
            Some(number) => {
                let mut all = rules(policy);
                let found = number.checked_sub(1).and_then(|at| all.nth(at));
                match found.and_then(level) {
                    Some(Level::None) | None => format!("rule {number} has the level None"),
                    Some(_) => format!("rule {number} omits the stages that tell of it"),
                }
            }
            None => format!("no rule is for {them}"),
        };
        format!("{} {are} not written: {why}", names.join(", "))
    });
    let parts: Vec<String> = parts.collect();
    (!parts.is_empty()).then(|| parts.join("; "))
}

/// The texts of a field that holds a list.
fn texts<'t>(rule: Branch<'t>, field: &str) -> Vec<&'t str> {
    let list = rule.get(field).and_then(Branch::as_array);
    list.into_iter()
        .flat_map(Items::iter)
        .filter_map(Branch::as_str)
        .collect()
}

fn fits(rule: Branch<'_>, deed: &Deed<'_>) -> bool {
    let names = |field: &str, wanted: &str| {
        let list = texts(rule, field);
        list.is_empty() || list.contains(&wanted)
    };
    let groups = texts(rule, "userGroups");
    let of_group = groups.is_empty() || groups.iter().any(|group| deed.groups.contains(group));
    if !names("users", deed.user) || !of_group || !names("verbs", deed.verb) {
        return false;
    }
    let count = |field: &str| {
        let list = rule.get(field).and_then(Branch::as_array);
        list.map_or(0, Items::len)
    };
    if count("namespaces") == 0 && count("resources") == 0 {
        // A rule for paths is for requests without a resource alone.
        return count("nonResourceURLs") == 0;
    }
    names("namespaces", deed.namespace) && (count("resources") == 0 || of_resources(rule, deed))
}

fn of_resources(rule: Branch<'_>, deed: &Deed<'_>) -> bool {
    let list = rule.get("resources").and_then(Branch::as_array);
    let mut all = list.into_iter().flat_map(Items::iter);
    all.any(|own| {
        let group = own
            .get("group")
            .and_then(Branch::as_str)
            .unwrap_or_default();
        let resources = texts(own, "resources");
        // A rule for named objects is for no other; which one is asked for is not known.
        let named = !texts(own, "resourceNames").is_empty();
        group == deed.group
            && !named
            && (resources.is_empty() || resources.iter().any(|own| is_of(own, deed.resource)))
    })
}

/// `pods`, `pods/log`, `pods/*`, `*/scale` and `*`, which is every resource and every subresource.
fn is_of(pattern: &str, resource: &str) -> bool {
    if pattern == resource || pattern == "*" {
        return true;
    }
    let Some((main, below)) = resource.split_once('/') else {
        return false;
    };
    pattern.strip_suffix("/*") == Some(main) || pattern.strip_prefix("*/") == Some(below)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_first_rule_that_fits_decides() {
        let deed = |resource, namespace| Deed {
            user: "system:node:a",
            groups: &["system:nodes"],
            verb: "patch",
            group: "",
            resource,
            namespace,
        };
        for (rule, resource, namespace, wanted) in [
            (json!({}), "pods", "a", true),
            (
                json!({"users": ["system:node:a"], "userGroups": ["x"]}),
                "pods",
                "a",
                false,
            ),
            (json!({"verbs": ["get"]}), "pods", "a", false),
            (json!({"nonResourceURLs": ["*"]}), "pods", "a", false),
            (json!({"namespaces": [""]}), "nodes", "", true),
            (json!({"namespaces": ["a"]}), "nodes", "", false),
            (
                json!({"resources": [{"group": ""}]}),
                "pods/status",
                "a",
                true,
            ),
            (
                json!({"resources": [{"group": "apps"}]}),
                "pods",
                "a",
                false,
            ),
            (
                json!({"resources": [{"resources": ["pods"]}]}),
                "pods/status",
                "a",
                false,
            ),
            (
                json!({"resources": [{"resources": ["*"]}]}),
                "pods/status",
                "a",
                true,
            ),
            (
                json!({"resources": [{"resources": ["pods/*"]}]}),
                "pods/status",
                "a",
                true,
            ),
            (
                json!({"resources": [{"resources": ["*/status"]}]}),
                "pods/status",
                "a",
                true,
            ),
            (
                json!({"resources": [{"resources": ["pods/*"]}]}),
                "pods",
                "a",
                false,
            ),
            (
                json!({"resources": [{"resources": ["pods"], "resourceNames": ["x"]}]}),
                "pods",
                "a",
                false,
            ),
        ] {
            let mut rule = rule;
            rule["level"] = "Request".into();
            let policy = json!({"rules": [rule, {"level": "None"}]});
            let policy = Tree::try_from(&policy).expect("small");
            let found = first(&policy, &deed(resource, namespace));
            let level = if wanted {
                (1, Level::Request)
            } else {
                (2, Level::None)
            };
            assert_eq!(found, Ok(Some(level)), "{rule} {resource}");
        }
    }
}
