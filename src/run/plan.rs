//! `stakeout plan`: every request and every command, before any is made.

use super::line;
use super::settings::Settings;
use crate::checks;
use crate::config::{Host, Sudo, Way};
use crate::model::fact::Need;
use crate::model::name::NodeName;
use crate::model::node::WayIn;
use crate::probes::api::objects::fold;
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
        "API server: GET requests; the process refuses every other but a review of one's own rights, of which it sends none",
    );
    let asked = probes::all().filter(|probe| !probe.need.is_object() || checks::read(probe.need));
    for probe in asked {
        for ask in probe.asks {
            if let Ask::Api {
                path, verbs, extra, ..
            } = ask
            {
                let extra = extra.map_or_else(String::new, |extra| {
                    format!(
                        "; only with the right of rbac print --with {}",
                        extra.name()
                    )
                });
                line(
                    out,
                    &format!(
                        "  {:<26} GET {path}  ({}){extra}",
                        probe.need.name(),
                        verbs.join(", ")
                    ),
                );
                for path in older(probe.need) {
                    line(
                        out,
                        &format!("  {:<26} GET {path}  (where that is not served)", ""),
                    );
                }
            }
        }
    }
    line(
        out,
        "  GET /api/v1/namespaces/kube-system/pods, where pods may not be listed in the whole cluster",
    );
    line(out, "  GET /version, GET /api/v1/namespaces/kube-system");
    line(out, "");
}

/// Paths that are asked where the first one is not served.
fn older(need: Need) -> impl Iterator<Item = &'static str> {
    let paths = fold(need).map_or(&[][..], |fold| fold.paths());
    paths.iter().skip(1).copied()
}

fn nodes(out: &mut String, settings: &Settings) {
    let sudo = settings.config.sudo;
    request(out, settings, sudo);
    line(
        out,
        &format!(
            "    a nonce, and the collector version {}, sha256 {}",
            collector::VERSION,
            collector::digest()
        ),
    );
    sections(out);
    let wanted = |name: &NodeName| settings.nodes.is_empty() || settings.nodes.contains(name);
    let hosts = settings.config.hosts.iter();
    for (name, host) in hosts.filter(|(name, _)| !settings.is_local() && wanted(name)) {
        line(
            out,
            &format!(
                "  {name}: {} (hosts: in the configuration)",
                how(host, sudo)
            ),
        );
    }
    let files = settings
        .global
        .imports
        .iter()
        .chain(&settings.config.import);
    for file in files {
        line(
            out,
            &format!("  the nodes of {}: read from it, no login", file.display()),
        );
    }
    if !settings.is_local() {
        line(
            out,
            "  every other node: named by the API server, reached as `ssh NODE` would",
        );
        line(
            out,
            &format!(
                "  host keys: never trusted on sight; one that you confirm (T, or stakeout trust) is kept in {}",
                settings.own_known_hosts().display()
            ),
        );
    }
}

/// What is run, and where.
fn request(out: &mut String, settings: &Settings, sudo: Sudo) {
    if settings.is_local() {
        let root = settings.global.root.as_deref();
        let place = root.map_or_else(String::new, |root| {
            format!(", inside {} by chroot(2)", root.display())
        });
        line(
            out,
            &format!("Nodes: this machine alone, without SSH: /bin/sh -s{place}"),
        );
        line(out, "  its standard input:");
    } else {
        line(
            out,
            "Nodes: one login over SSH each, host key checked first, one exec request:",
        );
        let (command, _) = collector::job(way(sudo), NONCE);
        line(out, &format!("  {command}"));
        rights(out, sudo);
        line(out, "  its standard input:");
    }
}

fn way(sudo: Sudo) -> WayIn {
    match sudo {
        Sudo::Collector => WayIn::InstalledCollector,
        Sudo::Never => WayIn::LoginOnly,
        Sudo::Stream => WayIn::SudoStream,
    }
}

/// What comes of the request, in the order in which it is tried.
fn rights(out: &mut String, sudo: Sudo) {
    let tiers: &[&str] = match sudo {
        Sudo::Collector => &[
            "with a forced command (stakeout authorized-keys print): the installed collector, whatever is requested",
            "else the installed collector as root, where its sudoers rule is there (stakeout sudoers print)",
            "else the script below with the login's own rights; what it cannot read is unknown, and names the grant",
        ],
        Sudo::Never => &["the script below with the login's own rights, and nothing else"],
        Sudo::Stream => &[
            "sudo: stream is set: the script below through sudo sh, so this login equals root on every node",
        ],
    };
    for tier in tiers {
        line(out, &format!("    {tier}"));
    }
}

fn sections(out: &mut String) {
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
                        "    {section:<16} {}: {}{root}",
                        probe.need.name(),
                        probe.what
                    ),
                );
            }
        }
    }
}

/// How one node of the configuration is read.
fn how(host: &Host, sudo: Sudo) -> String {
    if host.api_only {
        return "not read, by choice".to_owned();
    }
    if let Some(file) = &host.import {
        return format!("read from {}, no login", file.display());
    }
    if host.transport == Way::Local {
        let root = host.root.as_ref();
        let root = root.map_or_else(String::new, |root| {
            format!(", its root at {}", root.display())
        });
        return format!("this machine{root}, no login");
    }
    match host.sudo.unwrap_or(sudo) {
        Sudo::Stream => "read over ssh through sudo sh: this login equals root".to_owned(),
        Sudo::Never => "read over ssh with the login's own rights".to_owned(),
        Sudo::Collector => "read over ssh".to_owned(),
    }
}
