//! A real cluster of kubeadm: four mirrors that agree, flaws that are planted and found, a dead API server.
//!
//! One cluster serves all trials. Whichever comes first brings it up; every trial finds it clean and leaves it
//! clean; it goes down when the process ends, however it ends. `STAKEOUT_CLUSTER_DIR` naming a cluster that is
//! up already makes the trials use that one, and leave it up.

mod clean;
mod expected;
mod logins;
mod one_rule;
mod outage;
mod planted;
mod pod_security;
mod rights;
mod scan;
mod stage;
mod wave;

use libtest_mimic::{Failed, Trial};

use crate::machine::trial;

pub use stage::end;

type Step = fn() -> Result<(), Failed>;

pub fn trials() -> Vec<Trial> {
    let lacks = stage::lacks();
    let flaws = planted::WAVES.iter().flat_map(|wave| {
        let flaws = wave.flaws.iter().filter(|flaw| !flaw.claims.is_empty());
        let names = flaws.map(|flaw| flaw.name);
        let names = names.chain([wave::NO_FALSE_PASS, wave::NOTHING_ELSE]);
        let lacks = lacks.clone();
        names.map(move |flaw| {
            let name = format!("cluster::{}::{flaw}", wave.name);
            let run = move || wave::outcome(wave, flaw);
            trial("cluster", &name, lacks.clone(), run)
        })
    });
    let steps: [(&str, Step); 9] = [
        ("clean", clean::clean),
        ("login_without_root", logins::without_root),
        ("installed_collector", logins::installed_collector),
        ("forced_command", logins::forced_command),
        ("unreachable_node", logins::unreachable_node),
        ("read_only", rights::read_only),
        ("without_one_rule", one_rule::without_one_rule),
        ("pod_security", pod_security::pod_security),
        ("backup_and_outage", outage::backup_and_outage),
    ];
    let steps = steps.into_iter().map(|(name, step)| {
        let name = format!("cluster::{name}");
        trial("cluster", &name, lacks.clone(), step)
    });
    steps.chain(flaws).collect()
}
