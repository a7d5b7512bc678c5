//! Where each effective key of a kubelet comes from, for panes and reports.
//!
//! Lives here: layers, files and lines put into words, and which keys matter to static pods. Never lives here: an
//! opinion on a value; that is the checks'.

use crate::model::fact::{Gap, Locator};
use crate::model::kubelet::{Kubelet, Layer, LayerKind, Overridden};
use crate::model::text::Text;
use crate::model::tree::Branch;

/// Keys that are open by default where no file is given by `--config` (applyLegacyDefaults in options.go).
const LEGACY: [&str; 4] = [
    "authentication.anonymous.enabled",
    "authentication.webhook.enabled",
    "authorization.mode",
    "readOnlyPort",
];

/// Keys that decide from where the kubelet takes static pods.
const SOURCES: [&str; 3] = ["staticPodPath", "staticPodURL", "staticPodURLHeader"];

/// One effective key.
#[derive(Clone, Debug, PartialEq)]
pub struct Row<'k> {
    /// Dotted; a flag that sets no key of the configuration stands under its own name, `--node-ip`.
    pub key: &'k str,
    /// After defaulting, secrets masked.
    pub value: Branch<'k>,
    /// What set it.
    pub layer: &'k Layer,
    /// In the file of [`Row::file`], from 1; 0 where it has none.
    pub line: u32,
    /// What weaker layers say of the key, weakest first.
    pub overridden: Vec<Weaker<'k>>,
    /// Why the value may be another one: a stronger layer that could not be read.
    pub unsure: Option<&'k Gap>,
}

/// What a weaker layer says of a key.
#[derive(Clone, Debug, PartialEq)]
pub struct Weaker<'k> {
    /// As JSON, cut where it is long.
    pub value: &'k Text,
    pub layer: &'k Layer,
    pub line: u32,
}

impl<'k> Row<'k> {
    /// The evidence: the file, or the command line.
    pub fn at(&self) -> Locator {
        self.layer.at
    }

    /// Whether nobody set it.
    pub fn is_default(&self) -> bool {
        matches!(
            self.layer.kind,
            LayerKind::Defaults | LayerKind::LegacyDefaults
        )
    }

    /// Whether it is open only because no file is given by `--config`.
    pub fn is_legacy_trap(&self) -> bool {
        self.layer.kind == LayerKind::LegacyDefaults && LEGACY.contains(&self.key)
    }

    /// Whether it decides from where static pods come.
    pub fn decides_static_pods(&self) -> bool {
        let head = self.key.split('.').next();
        head.is_some_and(|head| SOURCES.contains(&head))
    }

    /// The file that sets it; none for a default, and for a flag of which that is not told.
    pub fn file(&self) -> Option<&'k Text> {
        file(self.layer)
    }

    /// `/var/lib/kubelet/config.yaml:12`, `--node-ip in kubelet.service`, `default`.
    pub fn place(&self) -> String {
        place(self.layer, self.line)
    }
}

impl Weaker<'_> {
    /// As [`Row::place`].
    pub fn place(&self) -> String {
        place(self.layer, self.line)
    }
}

fn file(layer: &Layer) -> Option<&Text> {
    match layer.kind {
        LayerKind::File | LayerKind::DropIn => layer.origin.as_ref(),
        LayerKind::Flag => layer.given.as_ref().map(|given| &given.file),
        LayerKind::Defaults | LayerKind::LegacyDefaults => None,
    }
}

fn place(layer: &Layer, line: u32) -> String {
    let origin = layer.origin.as_ref().map(Text::as_str).unwrap_or_default();
    let at = |file: &str, line: u32| match line {
        0 => file.to_owned(),
        line => format!("{file}:{line}"),
    };
    match (layer.kind, &layer.given) {
        (LayerKind::LegacyDefaults, _) => "default without --config".to_owned(),
        (LayerKind::Defaults, _) => "default".to_owned(),
        (LayerKind::File | LayerKind::DropIn, _) => at(origin, line),
        (LayerKind::Flag, Some(given)) => {
            format!("{origin} in {}", at(given.file.as_str(), given.line))
        }
        (LayerKind::Flag, None) => format!("{origin} on the command line"),
    }
}

/// Every effective key with the layer, file and line that set it, in the order of the keys.
pub fn rows(kubelet: &Kubelet) -> Vec<Row<'_>> {
    // From which layer on nothing is unread.
    let unread = |layer: usize| {
        let mut stronger = kubelet.layers.iter().skip(layer + 1);
        stronger.find_map(|layer| layer.gap.as_ref())
    };
    let entries = kubelet.settings.iter().filter_map(|entry| {
        let index = usize::from(entry.layer);
        let layer = kubelet.layers.get(index)?;
        let line = match &layer.given {
            Some(given) => given.line,
            None => entry.line,
        };
        Some(Row {
            key: entry.key,
            value: entry.value,
            layer,
            line,
            overridden: weaker(kubelet, entry.key).collect(),
            unsure: unread(index),
        })
    });
    entries.collect()
}

/// What weaker layers say of a key, weakest first.
pub fn weaker<'k>(kubelet: &'k Kubelet, key: &str) -> impl Iterator<Item = Weaker<'k>> {
    let same = |one: &&Overridden| one.key == *key;
    let all = kubelet.overridden.iter().filter(same);
    all.filter_map(|one| {
        let layer = kubelet.layers.get(usize::from(one.layer))?;
        Some(Weaker {
            value: &one.value,
            layer,
            line: one.line,
        })
    })
}

/// Layers that exist and could not be read, weakest first.
pub fn unread(kubelet: &Kubelet) -> impl Iterator<Item = (&Layer, &Gap)> {
    let layers = kubelet.layers.iter();
    layers.filter_map(|layer| Some((layer, layer.gap.as_ref()?)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::example::{NODE, read};

    fn kubelet(yaml: &str) -> Kubelet {
        let example = read(yaml).expect("an example");
        let host = &example.snapshot.nodes[NODE].host;
        host.kubelet.get().expect("seen").value.clone()
    }

    fn row<'k>(rows: &'k [Row<'k>], key: &str) -> &'k Row<'k> {
        let found = rows.iter().find(|row| row.key == key);
        found.expect("the key is there")
    }

    #[test]
    fn every_layer_is_named() {
        let kubelet = kubelet(
            "kubelet: {staticPodPath: /etc/kubernetes/manifests, readOnlyPort: 0, lines: {staticPodPath: 40, readOnlyPort: 30}, \
             layers: [{kind: drop_in, origin: /etc/k.d/10.conf, set: {staticPodPath: /opt/x}, lines: {staticPodPath: 3}}, \
             {kind: flag, origin: --read-only-port, set: {readOnlyPort: 10255}, given: {file: /var/lib/kubelet/kubeadm-flags.env, line: 1}}, \
             {kind: flag, origin: --address, set: {address: 192.0.2.1}}]}",
        );
        let rows = rows(&kubelet);
        let places: Vec<String> = [
            "address",
            "authorization.mode",
            "readOnlyPort",
            "staticPodPath",
        ]
        .iter()
        .map(|key| row(&rows, key).place())
        .collect();
        assert_eq!(
            places,
            [
                "--address on the command line",
                "default",
                "--read-only-port in /var/lib/kubelet/kubeadm-flags.env:1",
                "/etc/k.d/10.conf:3",
            ]
        );
        let path = row(&rows, "staticPodPath");
        assert!(path.decides_static_pods() && !path.is_default());
        assert_eq!(path.file().map(Text::as_str), Some("/etc/k.d/10.conf"));
        let weaker: Vec<String> = path
            .overridden
            .iter()
            .map(|weaker| format!("{} {}", weaker.place(), weaker.value))
            .collect();
        assert_eq!(
            weaker,
            [r#"/var/lib/kubelet/config.yaml:40 "/etc/kubernetes/manifests""#]
        );
        assert!(rows.is_sorted_by_key(|row| row.key));
        assert!(rows.iter().all(|row| row.unsure.is_none()));
    }

    #[test]
    fn the_trap_of_no_file_is_told_from_a_plain_default() {
        let kubelet = kubelet("kubelet: {legacy: true}");
        let rows = rows(&kubelet);
        let open = row(&rows, "readOnlyPort");
        assert!(open.is_legacy_trap() && open.is_default());
        assert_eq!(open.place(), "default without --config");
        assert!(!row(&rows, "podPidsLimit").is_legacy_trap());
    }

    #[test]
    fn an_unread_layer_makes_weaker_ones_unsure() {
        let kubelet = kubelet(
            "kubelet: {staticPodPath: /m, layers: [{kind: drop_in, origin: /etc/k.d, gap: denied}, \
             {kind: flag, origin: --read-only-port, set: {readOnlyPort: 0}}]}",
        );
        let rows = rows(&kubelet);
        assert!(row(&rows, "staticPodPath").unsure.is_some());
        assert!(row(&rows, "readOnlyPort").unsure.is_none());
        let unread: Vec<_> = unread(&kubelet)
            .filter_map(|(layer, _)| layer.origin.as_ref().map(Text::as_str))
            .collect();
        assert_eq!(unread, ["/etc/k.d"]);
    }
}
