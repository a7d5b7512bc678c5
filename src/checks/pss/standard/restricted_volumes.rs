//! `restrictedVolumes`: volumes are of the kinds that come from the API or live with the pod.

use super::blame::{Blame, Want};
use super::path::Path;
use super::{Control, Level, Revision, Shape, Violation, host_path_volumes, words};

pub(super) static CONTROL: Control = Control {
    id: "restrictedVolumes",
    level: Level::Restricted,
    revisions: &[Revision::since(0, judge).overriding(host_path_volumes::CONTROL.id)],
};

const ALLOWED: [&str; 9] = [
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "image",
    "persistentVolumeClaim",
    "projected",
    "secret",
];

/// In the order in which upstream names the first that is set.
const FORBIDDEN: [&str; 21] = [
    "hostPath",
    "gcePersistentDisk",
    "awsElasticBlockStore",
    "gitRepo",
    "nfs",
    "iscsi",
    "glusterfs",
    "rbd",
    "flexVolume",
    "cinder",
    "cephfs",
    "flocker",
    "fc",
    "azureFile",
    "vsphereVolume",
    "quobyte",
    "azureDisk",
    "photonPersistentDisk",
    "portworxVolume",
    "scaleIO",
    "storageos",
];

fn judge(pod: &Shape<'_>) -> Option<Violation> {
    let mut blame = Blame::default();
    let (mut names, mut kinds) = (Vec::new(), Vec::new());
    for (at, volume) in pod.volumes.iter().enumerate() {
        // The API server makes a volume without a source an emptyDir before admission looks.
        let is_allowed = volume.sources.is_empty() || ALLOWED.iter().any(|kind| volume.has(kind));
        if is_allowed {
            continue;
        }
        names.push(volume.name);
        let mut known = FORBIDDEN.into_iter();
        let kind = known.find(|kind| volume.has(kind));
        kinds.push(kind.unwrap_or("unknown"));
        let volume = Path::new("spec.volumes").index(at);
        let field = kind.map_or(volume.clone(), |kind| volume.then(kind));
        blame.field(field, Want::Decide("another kind of volume, or none"));
    }
    blame.forbidden("restricted volume types", |_| {
        let kinds = words::set(kinds);
        format!(
            "{} {} {} {} {}",
            words::pluralize("volume", "volumes", names.len()),
            words::join_quote(&names),
            words::pluralize("uses", "use", names.len()),
            words::pluralize(
                "restricted volume type",
                "restricted volume types",
                kinds.len()
            ),
            words::join_quote(&kinds)
        )
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Case, hold, says};
    use super::{ALLOWED, FORBIDDEN};

    #[test]
    fn versions() {
        let volume = |source: &str| {
            Case::pod(
                "/spec/volumes",
                &format!(r#"[{{"name": "a", "{source}": {{}}}}]"#),
            )
        };
        let allowed = ALLOWED.iter().map(|kind| volume(kind).allowed());
        let forbidden = FORBIDDEN.iter().map(|kind| volume(kind).forbidden(0..));
        let mut cases: Vec<Case> = allowed.chain(forbidden).collect();
        cases.push(Case::pod("/spec/volumes", r#"[{"name": "a"}]"#).allowed());
        cases.push(Case::pod("/spec/volumes", r#"[{"name": "a", "nfs": null}]"#).allowed());
        cases.push(volume("newcomer").forbidden(0..));
        hold("restrictedVolumes", &cases);
        says(
            &Case::pod(
                "/spec/volumes",
                r#"[{"name": "b", "nfs": {}}, {"name": "a", "hostPath": {}}, {"name": "c", "what": {}}]"#,
            ),
            "restricted volume types (volumes \"b\", \"a\", \"c\" use restricted volume types \"hostPath\", \"nfs\", \"unknown\")",
        );
    }
}
