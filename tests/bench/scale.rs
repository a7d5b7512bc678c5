//! The whole program against a lab of 1,000 SSH nodes and 150,000 pods: processor time, peak memory, wall time.
//!
//! `cargo bench --bench scale [-- NODES PODS]`. The servers run in this process, the program in its own, so that
//! its figures are its own; both share the processors.

#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "a bench tells the time and starts processes"
)]
#![allow(
    dead_code,
    unused_imports,
    reason = "the lab's files serve several targets"
)]

#[path = "../lab/describe/mod.rs"]
mod describe;
#[path = "../lab/farm.rs"]
mod farm;
#[path = "../lab/fleet.rs"]
mod fleet;
#[path = "../lab/api/mod.rs"]
mod lab_api;
#[path = "../lab/stage.rs"]
mod stage;

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};

use describe::Clock;
use fleet::Fleet;
use stage::Stage;

/// What one process cost.
struct Cost {
    wall: Duration,
    /// User and system.
    cpu: Duration,
    /// Bytes of resident memory at the highest.
    peak: u64,
}

fn main() {
    let mut numbers = std::env::args()
        .skip(1)
        .filter_map(|word| word.parse::<usize>().ok());
    let nodes = numbers.next().unwrap_or(1_000);
    let pods = numbers.next().unwrap_or(150_000);
    let clock = Clock {
        now: jiff::Timestamp::now().as_second(),
    };
    let fleet = Fleet::shipped(clock).scaled(nodes, pods);
    let folder = std::env::temp_dir().join(format!("stakeout-bench-{}", std::process::id()));
    let stage = Stage::start(fleet, &folder).expect("loopback can be used");
    println!("| {nodes} nodes, {pods} pods | wall s | cpu s | peak MB |");
    println!("|---|---|---|---|");
    for (name, words) in [
        ("API server only", &["--node", "nobody"][..]),
        ("API server and nodes", &[][..]),
    ] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_stakeout"));
        command.args(stage.words()).args(words).arg("scan");
        command
            .env("HOME", &folder)
            .env("XDG_STATE_HOME", folder.join("state"));
        let cost = measure(
            command
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .expect("the program starts"),
        );
        println!(
            "| {name} | {:.2} | {:.2} | {:.0} |",
            cost.wall.as_secs_f64(),
            cost.cpu.as_secs_f64(),
            cost.peak as f64 / 1e6
        );
    }
}

/// Waits for a process and reads what the kernel says of it.
fn measure(mut child: Child) -> Cost {
    let start = Instant::now();
    let pid = Pid::from_child(&child);
    let mut peak = 0;
    loop {
        peak = peak.max(high_water(pid).unwrap_or(0));
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        if matches!(waitid(WaitId::Pid(pid), options), Ok(Some(_))) {
            break;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    let wall = start.elapsed();
    let cpu = cpu(pid).unwrap_or_default();
    // It has ended: this only clears its entry.
    let _ = child.wait();
    Cost { wall, cpu, peak }
}

fn high_water(pid: Pid) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", pid.as_raw_nonzero())).ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().trim_end_matches(" kB").parse::<u64>().ok()? * 1024)
}

fn cpu(pid: Pid) -> Option<Duration> {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero())).ok()?;
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?;
    let per_second = rustix::param::clock_ticks_per_second();
    Some(Duration::from_secs_f64(ticks as f64 / per_second as f64))
}
