//! What the site's policy says of a node and its pods.

use crate::checks::check::View;
use crate::model::fact::{Gap, Locator, Need};
use crate::model::node::NodeFacts;
use crate::model::pod::Pod;
use crate::model::policy::{Declared, Pool, is_match};

/// The entry of the policy, as evidence.
pub fn entry(line: u32) -> Locator {
    Locator::new(Need::Policy, line)
}

/// Pools that the node belongs to; none without a policy.
///
/// # Errors
/// The gap where a pool names labels and the node's are not known.
pub fn pools<'v>(node: &NodeFacts, view: &View<'v>) -> Result<Vec<&'v Pool>, Gap> {
    let Some(file) = view.policy.get() else {
        return Ok(Vec::new());
    };
    let mut found = Vec::new();
    for pool in &file.pools {
        if pool.nodes.covers(&node.name, &node.api.object)? {
            found.push(pool);
        }
    }
    Ok(found)
}

/// The entry by which the policy declares a static pod on the node.
///
/// # Errors
/// The gap where an entry names labels and the node's are not known.
pub fn declares<'v>(
    node: &NodeFacts,
    pod: &Pod,
    view: &View<'v>,
    accepts: impl Fn(&Declared) -> bool,
) -> Result<Option<&'v Declared>, Gap> {
    let declared = view
        .policy
        .get()
        .and_then(|file| file.static_pods.as_deref());
    let name = format!("{}/{}", pod.namespace, pod.name);
    for one in declared.unwrap_or_default() {
        let meant = is_match(one.pod.as_str(), &name) && accepts(one);
        if meant && one.nodes.covers(&node.name, &node.api.object)? {
            return Ok(Some(one));
        }
    }
    Ok(None)
}

/// Whether a pool declares that pods of a namespace belong there.
pub fn belongs(pools: &[&Pool], namespace: &str) -> bool {
    let mut all = pools.iter().flat_map(|pool| &pool.namespaces);
    all.any(|glob| is_match(glob.as_str(), namespace))
}
