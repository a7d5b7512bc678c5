//! `stakeout trust`: one host key, compared by its fingerprint, without the dashboard.

use super::settings::Settings;
use crate::collect::known_hosts::own;
use crate::error::{Failure, Outcome};
use crate::model::fact::{FaultClass, Gap};
use crate::model::hostkey::ShownKey;
use crate::model::link::HostState;
use crate::model::name::NodeName;
use crate::model::text::Text;

/// Connects to the node and looks at the key at which the way ended. Kept only where `fingerprint` is that of this
/// key; without one it is shown, and the outcome is incomplete.
///
/// # Errors
/// Another key than the one that was compared, a key that is spoken against, and a node that cannot be reached.
pub fn trust(settings: &Settings, fingerprint: Option<&str>) -> Result<Outcome, Failure> {
    let ([node], None) = (settings.nodes.as_slice(), &settings.from) else {
        return Err(Failure::new(
            "trust is for the host key of one node, on a cluster",
            "stakeout trust --node NAME",
        ));
    };
    let judged = super::live::once(settings)?;
    let Some(key) = judged.shown.get(node) else {
        return without(node, judged.hosts.get(node));
    };
    match fingerprint {
        None => {
            super::show(&question(node, key))?;
            Ok(Outcome::Incomplete)
        }
        Some(wanted) if *wanted == *key.fingerprint => keep(settings, key),
        Some(wanted) => Err(Failure::new(
            format!(
                "trust {node}: {} shows {}, not {}",
                key.address,
                key.fingerprint,
                Text::new(wanted)
            ),
            format!("on the node: {}", key.command()),
        )),
    }
}

fn keep(settings: &Settings, key: &ShownKey) -> Result<Outcome, Failure> {
    let file = settings.own_known_hosts();
    own::keep(&file, key).map_err(|error| {
        Failure::new(
            format!(
                "keep the key of {} in {}: {error}",
                key.name,
                file.display()
            ),
            "add the line to known_hosts by hand",
        )
    })?;
    super::show(&format!(
        "trusted {} for {}, kept in {}\n",
        key.fingerprint,
        key.name,
        file.display()
    ))
}

/// Nothing to trust: because it is on file already, or because the way ended somewhere else.
fn without(node: &NodeName, state: Option<&HostState>) -> Result<Outcome, Failure> {
    let gap = match state {
        Some(HostState::Ok) => {
            return super::show(&format!(
                "the host key of {node} is on file, and it was read\n"
            ));
        }
        Some(HostState::Failed(gap) | HostState::Stale(gap) | HostState::ApiOnly(gap)) => gap,
        _ => &Gap::Pending,
    };
    let next = match gap {
        // The way led through the system's own client, which keeps the key to itself.
        Gap::Node {
            class: FaultClass::HostkeyUnknown,
            ..
        } => format!("connect once and compare: ssh {node} true"),
        gap => gap.next_step_on(Some(node)).to_string(),
    };
    let past = matches!(
        gap,
        Gap::Node {
            class: FaultClass::AuthDenied | FaultClass::NoShell | FaultClass::TimeoutScript,
            ..
        }
    );
    let lead = if past {
        "the host key is on file, but "
    } else {
        ""
    };
    Err(Failure::new(format!("trust {node}: {lead}{gap}"), next))
}

fn question(node: &NodeName, key: &ShownKey) -> String {
    format!(
        "host         {}\naddress      {}\ntype         {}\nfingerprint  {}\n\n\
         No known_hosts line names this host. Compare the fingerprint with what the host itself says:\n  \
         {}\nThen trust it with what you read there:\n  \
         stakeout trust --node {node} --fingerprint SHA256:...\n",
        Text::new(&key.name),
        Text::new(&key.address),
        Text::new(&key.kind),
        key.fingerprint,
        key.command(),
    )
}
