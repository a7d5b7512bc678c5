//! Components of the control plane in an example: command lines as text, and the files that their flags name.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::json;
use serde_yaml::Value;

use super::{fact, parse};
use crate::model::fact::{Fact, Locator, Need};
use crate::model::files::{ApiServerFiles, Configuration, EncryptionRule};
use crate::model::node::HostFacts;
use crate::model::text::Text;
use crate::model::tree::Tree;

/// The keys of a node that this file reads; program to its words, variables before flags.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct ComponentsWritten {
    /// Declared, and running so.
    components: Option<BTreeMap<String, String>>,
    /// Declared, whatever runs.
    declared: Option<BTreeMap<String, String>>,
    /// Running: in its static pod where it is declared, else on the node itself.
    running: Option<BTreeMap<String, String>>,
    authentication: Option<Value>,
    authorization: Option<Value>,
    audit_policy: Option<Value>,
    encryption: Option<Value>,
}

impl ComponentsWritten {
    /// Adds manifests and processes to what else is written of them; a gap there stays one.
    pub(super) fn expand(
        &mut self,
        manifests: &mut Option<Value>,
        processes: &mut Option<Value>,
    ) -> Result<(), String> {
        let (both, declared, running) = (
            self.components.take(),
            self.declared.take(),
            self.running.take(),
        );
        if both.is_none() && declared.is_none() && running.is_none() {
            return Ok(());
        }
        let both = both.unwrap_or_default();
        let declared = declared.unwrap_or_default();
        let mut pods = Vec::new();
        for (name, line) in both.iter().chain(&declared) {
            pods.push(manifest(name, line));
        }
        let running = running.unwrap_or_default();
        let mut list = Vec::new();
        for (name, line) in both.iter().chain(&running) {
            let is_declared = both.contains_key(name) || declared.contains_key(name);
            list.push(process(name, line, is_declared));
        }
        add(manifests, pods)?;
        add(processes, list)
    }

    /// Sets what is known of the files of the API server that these keys name.
    pub(super) fn files(self, host: &mut HostFacts) -> Result<(), String> {
        let written = [
            &self.authentication,
            &self.authorization,
            &self.audit_policy,
            &self.encryption,
        ];
        if written.iter().all(|value| value.is_none()) {
            return Ok(());
        }
        let mut files = match &host.api_server_files {
            Fact::Seen(seen) => seen.value.clone(),
            Fact::Gap(_) => ApiServerFiles::default(),
        };
        files.authentication = configuration(self.authentication, "authentication")?;
        files.authorization = configuration(self.authorization, "authorization")?;
        files.audit_policy = configuration(self.audit_policy, "audit-policy")?;
        files.encryption = encryption(self.encryption)?;
        host.api_server_files = Fact::seen(files, Locator::list(Need::ApiServerFiles));
        Ok(())
    }
}

fn words(line: &str) -> (Vec<&str>, Vec<&str>) {
    let words = line.split_whitespace();
    words.partition(|word| !word.starts_with(['-', '$']) && word.contains('='))
}

fn manifest(name: &str, line: &str) -> serde_json::Value {
    let (env, args) = words(line);
    let env: Vec<_> = env
        .iter()
        .filter_map(|word| word.split_once('='))
        .map(|(name, value)| json!({"name": name, "value": value}))
        .collect();
    let command: Vec<&str> = std::iter::once(name).chain(args).collect();
    json!({"file": format!("{name}.yaml"), "pod": {
        "metadata": {"namespace": "kube-system", "name": name},
        "spec": {
            "hostNetwork": true,
            "volumes": [{"name": "node", "hostPath": {"path": "/"}}],
            "containers": [{
                "name": name,
                "command": command,
                "env": env,
                "volumeMounts": [{"name": "node", "mountPath": "/", "readOnly": true}],
            }],
        },
    }})
}

fn process(name: &str, line: &str, declared: bool) -> serde_json::Value {
    let (_, args) = words(line);
    let command: Vec<&str> = std::iter::once(name).chain(args).collect();
    let mut out = json!({"comm": name.get(..15).unwrap_or(name), "command": command});
    if declared {
        out["of"] = format!("kube-system/{name}/{name}").into();
    }
    out
}

fn add(written: &mut Option<Value>, items: Vec<serde_json::Value>) -> Result<(), String> {
    let items: Result<Vec<Value>, _> = items.into_iter().map(serde_yaml::to_value).collect();
    let items = items.map_err(|error| error.to_string())?;
    match written {
        None => *written = Some(Value::Sequence(items)),
        Some(Value::Sequence(list)) => list.extend(items),
        Some(Value::Mapping(map)) => {
            if let Some(Value::Sequence(list)) = map.get_mut("list") {
                list.extend(items);
            }
        }
        Some(_) => {}
    }
    Ok(())
}

fn configuration(
    written: Option<Value>,
    name: &str,
) -> Result<Fact<Option<Configuration>>, String> {
    fact(written, Need::ApiServerFiles, |value: Value| {
        if value.as_str() == Some("none") {
            return Ok(None);
        }
        let json: serde_json::Value = parse(value, Need::ApiServerFiles)?;
        Ok(Some(Configuration {
            path: Text::from(format!("/etc/kubernetes/{name}.yaml")),
            content: Tree::try_from(json).map_err(|error| error.to_string())?,
        }))
    })
}

fn encryption(written: Option<Value>) -> Result<Fact<Option<Vec<EncryptionRule>>>, String> {
    fact(written, Need::ApiServerFiles, |value: Value| {
        if value.as_str() == Some("none") {
            return Ok(None);
        }
        Ok(Some(parse(value, Need::ApiServerFiles)?))
    })
}
