//! A real cluster of kubeadm: four mirrors that agree, flaws that are planted and found, a dead API server.
//!
//! One cluster serves all trials. Whichever comes first brings it up; every trial finds it clean and leaves it
//! clean; it goes down when the process ends, however it ends. `STAKEOUT_CLUSTER_DIR` naming a cluster that is
//! up already makes the trials use that one, and leave it up.

mod clean;
mod expected;
mod planted;
mod scan;
mod stage;
mod wave;

use libtest_mimic::Trial;

use crate::machine::trial;

pub use stage::end;

pub fn trials() -> Vec<Trial> {
    let lacks = stage::lacks();
    let names = planted::FLAWS.iter().map(|flaw| flaw.name);
    let flaws = names.chain([wave::NOTHING_ELSE]).map(|flaw| {
        let name = format!("cluster::flaw::{flaw}");
        trial("cluster", &name, lacks.clone(), move || wave::outcome(flaw))
    });
    let clean = trial("cluster", "cluster::clean", lacks.clone(), clean::clean);
    std::iter::once(clean).chain(flaws).collect()
}
