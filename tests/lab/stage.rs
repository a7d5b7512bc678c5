//! The fleet on loopback: an API double and a farm of SSH nodes, with the files that lead there.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use serde_json::{Value, json};
use stakeout::disk;

use crate::describe::spec::{FaultSpec, NO_SHELL};
use crate::describe::{self, Place, Workload};
use crate::farm::{self, Farm, Fault};
use crate::fleet::Fleet;
use crate::lab_api::{Api, Bulk, Content};

/// The login that the farm's nodes know.
const USER: &str = "audit";

/// A running lab. Servers stop and files go away when it is dropped.
pub struct Stage {
    pub api: Api,
    farm: Farm,
    folder: PathBuf,
}

impl Stage {
    /// Starts both servers and writes kubeconfig, key, known_hosts, ssh_config and config.yaml into `folder`, which
    /// must not exist.
    ///
    /// # Errors
    /// Loopback or the folder cannot be used.
    pub fn start(fleet: Fleet, folder: &Path) -> io::Result<Self> {
        let faults: Vec<Fault> = fleet
            .members
            .iter()
            .map(|member| fault(member.spec.fault))
            .collect();
        let fleet = Arc::new(fleet);
        let addresses: Arc<OnceLock<Vec<String>>> = Arc::default();
        let (site, places) = (Arc::clone(&fleet), Arc::clone(&addresses));
        let farm = Farm::start(&faults, move |index, command, stdin| {
            let address = &places.wait()[index];
            let node = site.node(index, address);
            let now = jiff::Timestamp::now().as_second();
            let (stdout, stderr, status) = describe::respond(&node, command, stdin, now);
            farm::Answer {
                stdout,
                stderr: stderr.into_bytes(),
                status,
            }
        })?;
        let known: Vec<String> = (0..fleet.members.len())
            .map(|index| farm.address(index).to_string())
            .collect();
        let api = Api::start(content(&fleet, &known));
        // Nobody else sets it.
        let _ = addresses.set(known);
        disk::make_folder(folder)?;
        let stage = Self {
            api,
            farm,
            folder: folder.to_owned(),
        };
        stage.write()?;
        Ok(stage)
    }

    /// The words that lead stakeout here.
    pub fn words(&self) -> [String; 4] {
        let path = |name: &str| self.folder.join(name).display().to_string();
        [
            "--kubeconfig".to_owned(),
            path("kubeconfig"),
            "--config".to_owned(),
            path("config.yaml"),
        ]
    }

    fn write(&self) -> io::Result<()> {
        let (known_hosts, key) = self.farm.write_files(&self.folder)?;
        let port = self.farm.port();
        let ssh_config = format!(
            "Host *\n  User {USER}\n  Port {port}\n  IdentityFile {}\n  IdentitiesOnly yes\n  UserKnownHostsFile {}\n",
            key.display(),
            known_hosts.display(),
        );
        let ssh_config_file = self.folder.join("ssh_config");
        let config = json!({
            "version": 1,
            "ssh": {
                "user": USER,
                "port": port,
                "config": ssh_config_file,
                "known_hosts": [known_hosts],
                "identities": [key],
                "agent": false,
            },
        });
        let files = [
            ("ssh_config", ssh_config),
            ("kubeconfig", self.api.kubeconfig()),
            ("config.yaml", config.to_string()),
        ];
        for (name, text) in files {
            disk::write(&self.folder.join(name), |out| {
                out.write_all(text.as_bytes())
            })?;
        }
        Ok(())
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        // A left-over folder hurts nobody: its key opens nothing once the farm is gone.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn fault(spec: FaultSpec) -> Fault {
    match spec {
        FaultSpec::None => Fault::None,
        FaultSpec::Down => Fault::Refuses,
        FaultSpec::Silent => Fault::Silent,
        FaultSpec::Denied => Fault::Denied,
        FaultSpec::WrongKey => Fault::WrongKey,
        FaultSpec::Slow(seconds) => Fault::Slow(Duration::from_secs(seconds)),
        FaultSpec::NoShell => Fault::Prints(NO_SHELL),
        FaultSpec::Http => Fault::Http,
        FaultSpec::Cut(bytes) => Fault::Cut(bytes),
        FaultSpec::Garbage(bytes) => Fault::Huge(bytes),
    }
}

/// Objects of the described nodes; pods of nodes that only make up the number are written as they are asked for.
fn content(fleet: &Arc<Fleet>, addresses: &[String]) -> Content {
    let namespaces = fleet.namespace_names();
    let held = fleet.members.len() - fleet.extra;
    let mut content = Content {
        namespaces: fleet.namespaces(),
        objects: fleet.objects(addresses),
        ..Content::default()
    };
    for (index, address) in addresses.iter().enumerate() {
        let node = fleet.node(index, address);
        content.nodes.push(node.object());
        if index < held {
            content.pods.extend(node.api_pods(&namespaces));
        }
    }
    if let (Some(member), true) = (fleet.members.get(held), fleet.extra > 0) {
        let each = member.spec.workload_count();
        let (site, addresses) = (Arc::clone(fleet), addresses.to_vec());
        content.bulk = Some(Bulk {
            count: fleet.extra * each,
            write: Arc::new(move |index, out| {
                let at = held + index / each;
                let place = Place {
                    node: &site.members[at].name,
                    address: &addresses[at],
                    clock: site.clock,
                };
                let pod = Workload::numbered(place.node, index % each);
                out.push_str(&metadata_first(&describe::workload(place, &pod)));
            }),
        });
    }
    content
}

/// As Go writes an object: its metadata before its spec.
fn metadata_first(object: &Value) -> String {
    format!(
        r#"{{"metadata":{},"spec":{},"status":{}}}"#,
        object["metadata"], object["spec"], object["status"]
    )
}
