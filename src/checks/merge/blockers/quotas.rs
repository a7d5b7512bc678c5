//! ResourceQuota and LimitRange: what a namespace leaves for one more pod (pkg/quota, plugin/pkg/admission/limitranger).

use std::borrow::Cow;

use super::{Asked, Cause, CauseKind, Standing, none_found};
use crate::checks::merge::compare::quantity::nanos;
use crate::model::fact::{Gap, Locator, Need};
use crate::model::objects::{Limit, LimitRange, ResourceQuota, of_namespace};
use crate::model::pod::ContainerKind;
use crate::model::text::Text;
use crate::model::tree::{Branch, Number};

/// Quotas and limits of the namespace that stand in the pod's way.
pub(super) fn quotas(asked: &Asked<'_>) -> Vec<Cause> {
    let kind = CauseKind::Quota;
    let list = match asked.objects.resource_quotas.get() {
        Ok(list) => list,
        Err(gap) => return vec![Cause::unknown(kind, gap)],
    };
    let ranges = match asked.objects.limit_ranges.get() {
        Ok(ranges) => &*ranges.value,
        Err(_) => &Vec::new(),
    };
    let namespace = asked.namespace.name.as_str();
    let ranges: Vec<&LimitRange> = of_namespace(Need::LimitRanges, ranges, namespace)
        .map(|(_, one)| one)
        .collect();
    let found = of_namespace(Need::ResourceQuotas, &list.value, namespace);
    let found =
        found.filter_map(|(at, quota)| Some((at, &quota.name, of_quota(asked, quota, &ranges)?)));
    let causes = found.map(|(at, name, (standing, words))| {
        let words = format!("the quota {name} {words}");
        let cause = Cause::new(kind, standing, words).at([at]);
        cause.told_as(format!("quota: {name}"))
    });
    let causes = causes.collect();
    none_found(
        causes,
        kind,
        "no quota of its namespace is in its way",
        vec![list.at],
    )
}

fn of_quota(
    asked: &Asked<'_>,
    quota: &ResourceQuota,
    ranges: &[&LimitRange],
) -> Option<(Standing, String)> {
    let fits: Vec<Option<bool>> = quota
        .scopes
        .iter()
        .map(|scope| in_scope(asked, scope))
        .collect();
    if fits.contains(&Some(false)) {
        return None;
    }
    let missing = asked.mirrored == Some(false);
    // What an expression decides, and what a mirror that is there has already taken, is no proof.
    let surely = |proven: bool| {
        if proven && fits.iter().all(Option::is_some) {
            Standing::Proven
        } else {
            Standing::Possible
        }
    };
    let mut unread = None;
    for (key, hard) in quota.hard.iter() {
        let Some(hard_value) = nanos(hard.as_str()) else {
            unread = unread.or(Some((key, hard)));
            continue;
        };
        let used = quota.used.get(key.as_str());
        let used_value = used.and_then(|used| nanos(used.as_str())).unwrap_or(0);
        let left = hard_value.saturating_sub(used_value);
        let used = used.map_or("0", Text::as_str);
        if ["pods", "count/pods"].contains(&key.as_str()) {
            if left < 1_000_000_000 {
                return Some((surely(missing), format!("is full ({key} {used} of {hard})")));
            }
            continue;
        }
        let Some((side, resource)) = counted(key.as_str()) else {
            continue;
        };
        let wants = Wants::of(asked, side, resource, ranges);
        if let (Some(container), "cpu" | "memory") = (&wants.without, resource) {
            let words = format!("demands {key} of every container, and {container} has none");
            return Some((surely(true), words));
        }
        if asked.mirrored != Some(true) && wants.sum > left {
            return Some((
                surely(missing),
                format!("has no room ({key} {used} of {hard})"),
            ));
        }
    }
    unread.map(|(key, hard)| {
        let what = Text::from(format!("{key} of the quota {}: {hard}", quota.name));
        let gap = Gap::Garbled { what };
        (Standing::Unknown(gap), "is not known".to_owned())
    })
}

/// Which side of `resources` a key of a quota counts, and of what.
fn counted(key: &str) -> Option<(&'static str, &str)> {
    let known = |resource: &str| ["cpu", "memory", "ephemeral-storage"].contains(&resource);
    match key.split_once('.') {
        Some(("requests", resource)) if known(resource) => Some(("requests", resource)),
        Some(("limits", resource)) if known(resource) => Some(("limits", resource)),
        None if known(key) => Some(("requests", key)),
        _ => None,
    }
}

/// Whether a scope takes the pod in; none where that takes an expression.
fn in_scope(asked: &Asked<'_>, scope: &Text) -> Option<bool> {
    let spec = asked.pod.pod.spec();
    let ends = spec
        .get("activeDeadlineSeconds")
        .is_some_and(|field| !field.is_null());
    let has_resources = || {
        let mut all = asked.pod.pod.containers();
        all.any(|(_, container)| {
            ["requests", "limits"].iter().any(|side| {
                ["cpu", "memory"]
                    .iter()
                    .any(|of| amount(container, side, of).is_some())
            })
        })
    };
    match scope.as_str() {
        "Terminating" => Some(ends),
        "NotTerminating" => Some(!ends),
        "BestEffort" => Some(!has_resources()),
        "NotBestEffort" => Some(has_resources()),
        _ => None,
    }
}

/// A quantity as it is written: YAML makes a number of `cpu: 1`, which is a quantity too.
fn amount<'p>(container: Branch<'p>, side: &str, of: &str) -> Option<Cow<'p, str>> {
    match container.get("resources")?.get(side)?.get(of)? {
        Branch::Number(Number::Unsigned(number)) => Some(Cow::Owned(number.to_string())),
        Branch::Number(Number::Signed(number)) => Some(Cow::Owned(number.to_string())),
        Branch::Number(Number::Float(number)) => Some(Cow::Owned(number.to_string())),
        other => other.as_str().map(Cow::Borrowed),
    }
}

/// What a container asks for, after what the API server and LimitRanges fill in.
fn wanted<'p>(
    container: Branch<'p>,
    side: &str,
    of: &str,
    ranges: &[&'p LimitRange],
) -> Option<Cow<'p, str>> {
    let own = amount(container, side, of);
    let limit = || amount(container, "limits", of).filter(|_| side == "requests");
    let filled = || {
        let mut items = ranges.iter().flat_map(|range| range.limits.iter());
        items.find_map(|item| {
            let from = match side {
                "limits" => &item.default,
                _ => &item.default_request,
            };
            from.get(of)
                .filter(|_| item.kind == "Container")
                .map(|value| Cow::Borrowed(value.as_str()))
        })
    };
    own.or_else(limit).or_else(filled)
}

struct Wants {
    sum: i128,
    /// The first container that asks for nothing.
    without: Option<Text>,
}

impl Wants {
    fn of(asked: &Asked<'_>, side: &str, of: &str, ranges: &[&LimitRange]) -> Self {
        let (mut sum, mut most, mut without) = (0_i128, 0_i128, None);
        // What is set for the pod as a whole counts for it.
        if let Some(whole) = amount(asked.pod.pod.spec(), side, of).and_then(|value| nanos(&value))
        {
            return Self {
                sum: whole,
                without,
            };
        }
        for (kind, container) in asked.pod.pod.containers() {
            let Some(value) = wanted(container, side, of, ranges).and_then(|value| nanos(&value))
            else {
                let name = container.get("name").and_then(Branch::as_str);
                without = without.or(name.map(Text::new));
                continue;
            };
            let stays = container.get("restartPolicy").and_then(Branch::as_str) == Some("Always");
            if kind == ContainerKind::Init && !stays {
                most = most.max(value);
            } else {
                sum = sum.saturating_add(value);
            }
        }
        Self {
            sum: sum.max(most),
            without,
        }
    }
}

/// LimitRanges that the pod does not keep.
pub(super) fn limits(asked: &Asked<'_>) -> Vec<Cause> {
    let kind = CauseKind::Limits;
    let list = match asked.objects.limit_ranges.get() {
        Ok(list) => list,
        Err(gap) => return vec![Cause::unknown(kind, gap)],
    };
    let namespace = asked.namespace.name.as_str();
    let all: Vec<(Locator, &LimitRange)> =
        of_namespace(Need::LimitRanges, &list.value, namespace).collect();
    let ranges: Vec<&LimitRange> = all.iter().map(|(_, one)| *one).collect();
    let found = all.iter().filter_map(|(at, range)| {
        let broken = range
            .limits
            .iter()
            .find_map(|item| broken(asked, item, &ranges))?;
        let words = format!("the LimitRange {} {broken}", range.name);
        let cause = Cause::new(kind, Standing::Proven, words).at([*at]);
        Some(cause.told_as(" usage per ".to_owned()))
    });
    let causes = found.collect();
    none_found(
        causes,
        kind,
        "no LimitRange of its namespace is in its way",
        vec![list.at],
    )
}

/// How the pod as a whole breaks an item.
fn broken_by_all(asked: &Asked<'_>, item: &Limit, ranges: &[&LimitRange]) -> Option<String> {
    let max = item
        .max
        .iter()
        .map(|bound| ("limits", "limit", "most", bound));
    let min = item
        .min
        .iter()
        .map(|bound| ("requests", "request", "least", bound));
    max.chain(min).find_map(|(side, word, end, (of, bound))| {
        let value = Wants::of(asked, side, of.as_str(), ranges).sum;
        let bound_value = nanos(bound.as_str())?;
        let has = match value {
            0 => "none",
            value if side == "limits" && value > bound_value => "more",
            value if side == "requests" && value < bound_value => "less",
            _ => return None,
        };
        Some(format!(
            "demands a {word} of {of} of at {end} {bound}, and the pod has {has}"
        ))
    })
}

/// How the pod or a container of it breaks an item, where one does.
fn broken(asked: &Asked<'_>, item: &Limit, ranges: &[&LimitRange]) -> Option<String> {
    match item.kind.as_str() {
        "Container" => {}
        "Pod" => return broken_by_all(asked, item, ranges),
        _ => return None,
    }
    for (bounds, side, is_max) in [(&item.max, "limits", true), (&item.min, "requests", false)] {
        for (of, bound) in bounds.iter() {
            let Some(bound_value) = nanos(bound.as_str()) else {
                continue;
            };
            for (_, container) in asked.pod.pod.containers() {
                let value = wanted(container, side, of.as_str(), ranges);
                let name = container.get("name").and_then(Branch::as_str).unwrap_or("");
                let name = Text::new(name);
                let (most, least) = if is_max {
                    ("most", "limit")
                } else {
                    ("least", "request")
                };
                match value {
                    None => {
                        return Some(format!(
                            "demands a {least} of {of} of at {most} {bound}, and {name} has none"
                        ));
                    }
                    Some(value) => {
                        let amount = nanos(&value)?;
                        if (is_max && amount > bound_value) || (!is_max && amount < bound_value) {
                            let value = Text::new(&value);
                            return Some(format!(
                                "allows a {least} of {of} of at {most} {bound}, and {name} has {value}"
                            ));
                        }
                    }
                }
            }
        }
    }
    None
}

/// The LimitRange that writes resources into the mirror, where one does: the kubelet's status is refused from then on,
/// and the mirror says Pending while the pod runs (seen on 1.37).
pub fn bent<'a>(asked: &Asked<'a>) -> Option<(Locator, &'a LimitRange)> {
    let list = asked.objects.limit_ranges.get().ok()?;
    let mut all = of_namespace(
        Need::LimitRanges,
        &list.value,
        asked.namespace.name.as_str(),
    );
    all.find(|(_, range)| range.limits.iter().any(|item| fills(asked, item)))
}

fn fills(asked: &Asked<'_>, item: &Limit) -> bool {
    let sides = [
        ("limits", &item.default),
        ("requests", &item.default_request),
    ];
    item.kind == "Container"
        && sides.iter().any(|(side, values)| {
            let mut keys = values.iter();
            keys.any(|(of, _)| {
                let mut all = asked.pod.pod.containers();
                all.any(|(_, container)| wanted(container, side, of.as_str(), &[]).is_none())
            })
        })
}
