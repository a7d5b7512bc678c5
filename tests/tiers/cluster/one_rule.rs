//! One right taken away at a time, of the role and beyond it: what needs it is unknown and says so, and nothing else
//! changes.

use std::collections::{BTreeMap, BTreeSet};

use libtest_mimic::Failed;
use serde_json::Value;
use stakeout::checks;
use stakeout::model::fact::Need;
use stakeout::probes::{self, probe::Ask};

use super::rights::{grant, granted, reader};
use super::scan::{Finding, Report, Way, scan};
use super::stage::{self, Stage, pause};

/// Looks until the API server has taken notice, half a second each.
const LOOKS: usize = 60;

pub fn without_one_rule() -> Result<(), Failed> {
    stage::with("one right less", |stage| {
        let way = reader(stage)?;
        let outcome = grant(stage)
            .and_then(|()| granted(stage, &way))
            .and_then(|all| each(stage, &way, &all));
        stage.at_jump(
            "kubectl delete clusterrolebinding,clusterrole stakeout
            kubectl delete -n kube-system --ignore-not-found rolebinding,role stakeout-bootstrap-tokens",
        )?;
        outcome
    })
}

fn each(stage: &Stage, way: &Way, all: &Report) -> Result<(), Failed> {
    let role: Value =
        serde_json::from_str(&stage.at_jump("kubectl get clusterrole stakeout -o json")?)?;
    let mut wrong = Vec::new();
    for ((group, resource), needs) in rights() {
        let less = without(&role, group, resource)
            .ok_or_else(|| format!("the printed role lacks {resource} of {group:?}"))?;
        replace(stage, &less)?;
        let name = if group.is_empty() {
            resource.to_owned()
        } else {
            format!("{resource}.{group}")
        };
        until_refused(stage, way, &name)?;
        let report = scan(stage, way, &["--all"])?;
        let told = compare(all, &report, &needs, resource);
        wrong.extend(told.into_iter().map(|row| format!("without {name}: {row}")));
    }
    replace(stage, &role)?;
    wrong.extend(without_extra(stage, way, all)?);
    if wrong.is_empty() {
        return Ok(());
    }
    Err(wrong.join("\n").into())
}

fn replace(stage: &Stage, role: &Value) -> Result<(), Failed> {
    let mut role = role.clone();
    // Replaced whatever it has become.
    role["metadata"] = serde_json::json!({"name": role["metadata"]["name"]});
    stage.at_jump(&format!(
        "kubectl replace -f - <<'END OF ROLE'\n{role}\nEND OF ROLE"
    ))?;
    Ok(())
}

/// The one right beyond the base role that a check asks for, and the grant that the next step names.
fn without_extra(stage: &Stage, way: &Way, all: &Report) -> Result<Vec<String>, Failed> {
    const EXTRA: &str = "stakeout rbac print --with bootstrap-tokens";
    stage.at_jump("kubectl delete -n kube-system rolebinding stakeout-bootstrap-tokens")?;
    until_refused(stage, way, "secrets -n kube-system")?;
    // The base role may have come back later than the extra went.
    let needs = BTreeSet::from([Need::BootstrapTokens]);
    let mut wrong = Vec::new();
    for _ in 0..LOOKS {
        let report = scan(stage, way, &["--all"])?;
        wrong = compare(all, &report, &needs, "bootstrap tokens");
        let asking = checks::all().filter(|check| check.needs.contains(&Need::BootstrapTokens));
        for check in asking {
            let id = check.id.to_string();
            let mut rows = report.of(&id, None);
            let named = rows.any(|row| row.gaps.iter().any(|gap| gap.next.contains(EXTRA)));
            if !named {
                wrong.push(format!("{id} does not name {EXTRA}"));
            }
        }
        if wrong.is_empty() {
            break;
        }
        pause();
    }
    Ok(wrong)
}

/// Which needs are read with which right of the base role.
fn rights() -> BTreeMap<(&'static str, &'static str), BTreeSet<Need>> {
    let mut all: BTreeMap<_, BTreeSet<Need>> = BTreeMap::new();
    for probe in probes::all().filter(|probe| checks::read(probe.need)) {
        for ask in probe.asks {
            if let Ask::Api {
                group,
                resource,
                extra: None,
                ..
            } = ask
            {
                all.entry((*group, *resource))
                    .or_default()
                    .insert(probe.need);
            }
        }
    }
    all
}

/// The role without a resource; none where it does not have it.
fn without(role: &Value, group: &str, resource: &str) -> Option<Value> {
    let mut less = role.clone();
    let rules = less["rules"].as_array_mut()?;
    let mut found = false;
    for rule in rules.iter_mut() {
        let groups = rule["apiGroups"].as_array();
        if !groups.is_some_and(|groups| groups.iter().any(|one| one == group)) {
            continue;
        }
        if let Some(resources) = rule["resources"].as_array_mut() {
            let before = resources.len();
            resources.retain(|one| one != resource);
            found |= resources.len() < before;
        }
    }
    rules.retain(|rule| {
        rule["resources"]
            .as_array()
            .is_none_or(|list| !list.is_empty())
    });
    found.then_some(less)
}

fn until_refused(stage: &Stage, way: &Way, name: &str) -> Result<(), Failed> {
    let ask = format!(
        "kubectl --kubeconfig {} auth can-i list {name} 2>/dev/null || true",
        way.kubeconfig.display()
    );
    for _ in 0..LOOKS {
        if stage.at_jump(&ask)?.trim() == "no" {
            return Ok(());
        }
        pause();
    }
    Err(format!("the API server still lets {name} be listed").into())
}

/// What of a report does not follow from the missing right.
fn compare(all: &Report, less: &Report, needs: &BTreeSet<Need>, resource: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    let verdicts = |report: &Report| -> BTreeMap<(String, Option<String>), String> {
        let rows = report.rows.iter();
        rows.map(|row| ((row.check.clone(), row.node.clone()), row.verdict.clone()))
            .collect()
    };
    let (before, after) = (verdicts(all), verdicts(less));
    for check in checks::all() {
        let id = check.id.to_string();
        let (wants, helped) = (
            check.needs.iter().any(|need| needs.contains(need)),
            check.helps.iter().any(|need| needs.contains(need)),
        );
        for ((of, node), verdict) in before.iter().filter(|((of, _), _)| *of == id) {
            let now = after.get(&(of.clone(), node.clone())).map(String::as_str);
            let Some(now) = now else {
                // A node that only the API server knows is not there without it.
                if resource != "nodes" {
                    wrong.push(format!("{id} {node:?} was {verdict} and is not there"));
                }
                continue;
            };
            if wants && now == "pass" {
                wrong.push(format!("{id} {node:?} passes although it needs {resource}"));
            }
            if !wants && !helped && now != verdict {
                wrong.push(format!("{id} {node:?} was {verdict} and is {now}"));
            }
        }
    }
    let open = less.rows.iter().filter(|row| row.is_open());
    for row in open {
        wrong.extend(unsaid(row));
    }
    wrong
}

/// A right that is missing is told with the command that prints it.
fn unsaid(row: &Finding) -> Option<String> {
    let mut forbidden = row.gaps.iter().filter(|gap| gap.kind == "forbidden");
    let silent = forbidden.find(|gap| !gap.next.contains("stakeout rbac print"))?;
    Some(format!("{row}: {}", silent.next))
}
