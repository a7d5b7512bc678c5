//! `stakeout plan`: every request and every command, before any is made.

use std::fmt::Write as _;

use super::settings::Settings;
use crate::config::Sudo;
use crate::model::node::WayIn;
use crate::probes::probe::Ask;
use crate::probes::{self, collector};

/// What stands for the nonce of a run.
const NONCE: &str = "00000000000000000000000000000000";

/// The text of `stakeout plan`. It asks nobody: the nodes themselves are known only when the API server was read.
pub fn text(settings: &Settings) -> String {
    let mut out = String::new();
    api(&mut out);
    nodes(&mut out, settings);
    out
}

fn api(out: &mut String) {
    line(
        out,
        "API server: GET requests only; the process refuses to send any other",
    );
    for probe in probes::ALL {
        for ask in probe.asks {
            if let Ask::Api { path, verbs, .. } = ask {
                line(
                    out,
                    &format!(
                        "  {:<16} GET {path}  ({})",
                        probe.need.name(),
                        verbs.join(", ")
                    ),
                );
            }
        }
    }
    line(out, "  GET /version, GET /api/v1/namespaces/kube-system");
    line(out, "");
}

fn nodes(out: &mut String, settings: &Settings) {
    let way = match settings.config.sudo {
        Sudo::Collector => WayIn::InstalledCollector,
        Sudo::Never => WayIn::LoginOnly,
        Sudo::Stream => WayIn::SudoStream,
    };
    let (command, _) = collector::job(way, NONCE);
    line(
        out,
        "Nodes: one login over SSH each, host key checked first, one exec request:",
    );
    line(out, &format!("  {command}"));
    line(
        out,
        &format!(
            "  its standard input: a nonce, and the collector version {}, sha256 {}",
            collector::VERSION,
            collector::digest()
        ),
    );
    if settings.config.sudo == Sudo::Stream {
        line(
            out,
            "  sudo: stream is set: this login equals root on every node",
        );
    }
    line(
        out,
        "  what the collector reads, section by section (its text: stakeout collector print):",
    );
    for probe in probes::ALL {
        for ask in probe.asks {
            if let Ask::Shell { section, root, .. } = ask {
                let root = root.map_or_else(String::new, |root| format!("; as root also {root}"));
                line(
                    out,
                    &format!(
                        "    {section:<12} {}: {}{root}",
                        probe.need.name(),
                        probe.what
                    ),
                );
            }
        }
    }
    for (name, host) in &settings.config.hosts {
        let how = if host.api_only {
            "not read, by choice"
        } else {
            "read over ssh"
        };
        line(
            out,
            &format!("  {name}: {how} (hosts: in the configuration)"),
        );
    }
    line(
        out,
        "  every other node: named by the API server, reached as `ssh NODE` would",
    );
}

fn line(out: &mut String, text: &str) {
    // Writing to a String cannot fail.
    let _ = writeln!(out, "{text}");
}
