//! Priority: classes that do not exist, and numbers that no class gives (plugin/pkg/admission/priority).

use super::{Asked, Cause, CauseKind, Standing};
use crate::model::fact::{Locator, Need};
use crate::model::objects::of_list;
use crate::model::text::Text;
use crate::model::tree::Branch;

/// Classes that every API server has.
const SYSTEM: [(&str, i64); 2] = [
    ("system-node-critical", 2_000_001_000),
    ("system-cluster-critical", 2_000_000_000),
];

pub(super) fn priority(asked: &Asked<'_>) -> Cause {
    let kind = CauseKind::Priority;
    let spec = asked.pod.pod.spec();
    let class = spec.get("priorityClassName").and_then(Branch::as_str);
    let class = class.filter(|class| !class.is_empty());
    let number = spec.get("priority").and_then(Branch::as_i64);
    let sound = || Cause::new(kind, Standing::RuledOut, "its priority is in order");
    let system = SYSTEM.iter().find(|(name, _)| Some(*name) == class);
    let computed = match (class, system) {
        (None, _) if number.is_none() => return sound().at([asked.pod.at]),
        (Some(_), Some((_, value))) => *value,
        _ => {
            let list = match asked.objects.priority_classes.get() {
                Ok(list) => list,
                Err(gap) => return Cause::unknown(kind, gap),
            };
            let mut all = of_list(Need::PriorityClasses, &list.value);
            let found = all.find(|(_, one)| match class {
                Some(class) => one.name == class,
                None => one.global_default,
            });
            match (class, found) {
                (Some(class), None) => return missing(class, [asked.pod.at, list.at]),
                (_, found) => found.map_or(0, |(_, one)| i64::from(one.value)),
            }
        }
    };
    match number {
        Some(number) if number != computed => {
            let words = format!(
                "spec.priority is {number}, and what the API server computes is {computed}: the number must not be given"
            );
            let cause = Cause::new(kind, Standing::Proven, words).at([asked.pod.at]);
            cause.told_as("integer value of priority".to_owned())
        }
        _ => sound().at([asked.pod.at]),
    }
}

fn missing(class: &str, evidence: [Locator; 2]) -> Cause {
    let words = format!("there is no PriorityClass {}", Text::new(class));
    let cause = Cause::new(CauseKind::Priority, Standing::Proven, words).at(evidence);
    cause.told_as("no PriorityClass with name".to_owned())
}
