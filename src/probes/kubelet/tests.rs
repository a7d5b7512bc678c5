//! Answers of nodes, and the configuration that a kubelet there runs with.

use serde_json::{Value, json};

use super::*;
use crate::probes::frame::{Frame, Record, Section};
use crate::probes::mask::Masker;

fn record(kind: &str, fields: &[&str]) -> Record {
    Record {
        kind: kind.to_owned(),
        fields: fields
            .iter()
            .map(|field| field.as_bytes().to_vec())
            .collect(),
    }
}

fn look(name: &str, mode: &str) -> Record {
    record("S", &[name, &format!("{mode} 0 0 1 5 100 200")])
}

/// A node with a kubelet of that command line and those records beside it.
fn node(command: &str, more: Vec<Record>) -> Frame {
    let mut records = vec![look("/", "41ed"), look("/c", "41ed"), look("/c/d", "41ed")];
    if !command.is_empty() {
        records.push(record(
            "P",
            &["7", "kubelet", "0", "1500", "same", "/", "x"],
        ));
        let words = command.replace(' ', "\0");
        records.push(record("F", &["/proc/7/cmdline", &format!("{words}\0x0\n")]));
    }
    records.extend(more);
    let identity = vec![
        record("V", &["clock", "10000"]),
        record("V", &["uptime", "100"]),
        record("V", &["proc", "open"]),
    ];
    let section = |name: &str, records| Section {
        name: name.to_owned(),
        records,
    };
    Frame {
        script: 1,
        sections: vec![section("identity", identity), section("kubelet", records)],
        complete: true,
        ..Frame::default()
    }
}

fn file(path: &str, text: &str) -> Record {
    record("F", &[path, &format!("{text}x0\n")])
}

fn kubelet(frame: &Frame) -> (Kubelet, HostFacts) {
    let mut facts = HostFacts::default();
    let masker = Masker::new([7; 32]);
    let reading = Reading {
        at: crate::model::Timestamp::UNIX_EPOCH,
        masker: &masker,
    };
    read(&Answer::new(frame), &reading, &mut facts);
    let kubelet = facts.kubelet.get().expect("a kubelet").value.clone();
    (kubelet, facts)
}

fn value(kubelet: &Kubelet, key: &str) -> Value {
    match kubelet.setting(key) {
        Ok(Some((value, layer))) => {
            json!([
                value,
                format!("{:?}", layer.kind),
                layer.origin.as_ref().map(Text::as_str)
            ])
        }
        Ok(None) => Value::Null,
        Err(gap) => json!(gap.word()),
    }
}

const CONFIG: &str = "kubelet /usr/bin/kubelet --config=/c/main.yaml";
const HEAD: &str = "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n";

#[test]
fn without_a_file_the_old_defaults_hold() {
    let (kubelet, _) = kubelet(&node("/usr/bin/kubelet --v=2", vec![]));
    assert_eq!(
        value(&kubelet, "authentication.anonymous.enabled"),
        json!([true, "LegacyDefaults", null])
    );
    assert_eq!(
        value(&kubelet, "readOnlyPort"),
        json!([10255, "LegacyDefaults", null])
    );
    let process = kubelet.process.expect("it runs");
    assert_eq!((process.pid, process.started), (7, Some(9915)));
}

#[test]
fn a_file_flags_and_zeros() {
    let text = format!(
        "{HEAD}staticPodPath: manifests\nfileCheckFrequency: 0s\nstreamingConnectionIdleTimeout: 0s\nauthentication: {{anonymous: {{enabled: yes}}}}\nreadOnlyPort: 10255\n"
    );
    let (kubelet, _) = kubelet(&node(
        &format!(
            "{CONFIG} --read-only-port 0 --anonymous-auth=false --streaming-connection-idle-timeout=0"
        ),
        vec![file("/c/main.yaml", &text)],
    ));
    assert_eq!(
        value(&kubelet, "staticPodPath"),
        json!(["/c/manifests", "File", "/c/main.yaml"])
    );
    assert_eq!(
        value(&kubelet, "fileCheckFrequency"),
        json!(["20s", "Defaults", null])
    );
    assert_eq!(
        value(&kubelet, "readOnlyPort"),
        json!([0, "Flag", "--read-only-port"])
    );
    assert_eq!(
        value(&kubelet, "authentication.anonymous.enabled"),
        json!([false, "Flag", "--anonymous-auth"])
    );
    assert_eq!(
        value(&kubelet, "streamingConnectionIdleTimeout"),
        json!(["0", "Flag", "--streaming-connection-idle-timeout"]),
        "a flag is not defaulted again"
    );
    assert_eq!(
        value(&kubelet, "authorization.mode"),
        json!(["Webhook", "Defaults", null])
    );
    assert_eq!(value(&kubelet, "staticPodURL"), Value::Null);
}

fn nested_drop_ins() -> Vec<Record> {
    let conf = |body: &str| format!("{HEAD}{body}\n");
    vec![
        record("D", &["/c/d", "ok", "4"]),
        record("E", &["/c/d", "a.conf"]),
        record("E", &["/c/d", "a"]),
        record("E", &["/c/d", "b.yaml"]),
        record("E", &["/c/d", "z.conf"]),
        record("D", &["/c/d/a", "ok", "1"]),
        record("E", &["/c/d/a", "x.conf"]),
        look("/c/d/a", "41ed"),
        look("/c/d/a.conf", "81a4"),
        look("/c/d/b.yaml", "81a4"),
        look("/c/d/z.conf", "81a4"),
        look("/c/d/a/x.conf", "81a4"),
        file(
            "/c/d/a/x.conf",
            &conf(
                "staticPodPath: /x\nallowedUnsafeSysctls: [a, b]\nfeatureGates: {A: true, B: true}\nmaxPods: 5",
            ),
        ),
        file(
            "/c/d/a.conf",
            &conf("staticPodPath: /a\nfeatureGates: {A: false}"),
        ),
        file(
            "/c/d/z.conf",
            &conf(
                "authentication: null\nallowedUnsafeSysctls: []\nstaticPodURLHeader: {X: [geheim]}\nmaxPods: null",
            ),
        ),
    ]
}

#[test]
fn each_key_has_its_line_and_what_it_overrides() {
    let main = format!(
        "{HEAD}authentication:\n  x509:\n    clientCAFile: ca.crt\nstaticPodPath: /m\nfileCheckFrequency: 0s\nevictionHard: {{memory.available: 1%}}\n"
    );
    let drop_in = format!("{HEAD}# moved\nstaticPodPath: /x\nauthentication: {{x509: null}}\n");
    let unit = "ExecStart={ path=/usr/bin/kubelet ; argv[]=/usr/bin/kubelet \"\\$CONFIG\" $EXTRA ; ignore_errors=no }\n\
        Environment=CONFIG=--config=/c/main.yaml\nEnvironmentFiles=/c/env (ignore_errors=yes)\n";
    let (kubelet, _) = kubelet(&node(
        "/usr/bin/kubelet --config=/c/main.yaml --config-dir=/c/d --node-ip=192.0.2.1 --read-only-port=0",
        vec![
            file("/c/main.yaml", &main),
            record("D", &["/c/d", "ok", "1"]),
            record("E", &["/c/d", "9.conf"]),
            look("/c/d/9.conf", "81a4"),
            file("/c/d/9.conf", &drop_in),
            file("systemctl show kubelet", unit),
            file(
                "/c/env",
                "# flags\nEXTRA=\"--config-dir=/c/d --node-ip=192.0.2.1 --read-only-port=1\"\n",
            ),
        ],
    ));
    let place = |key: &str| {
        let found = kubelet.settings.iter().find(|entry| entry.key == key);
        let entry = found.expect(key);
        let layer = &kubelet.layers[usize::from(entry.layer)];
        let given = layer.given.as_ref();
        let given = given.map(|given| format!("{}:{}", given.file, given.line));
        let origin = layer.origin.as_ref().map(Text::to_string);
        (origin.unwrap_or_default(), entry.line, given)
    };
    let plain = |origin: &str, line| (origin.to_owned(), line, None);
    assert_eq!(place("staticPodPath"), plain("/c/d/9.conf", 4));
    assert_eq!(
        place("evictionHard.memory.available"),
        plain("/c/main.yaml", 8)
    );
    assert_eq!(place("fileCheckFrequency"), plain("", 0));
    let flag = |origin: &str, given: Option<&str>| (origin.to_owned(), 0, given.map(str::to_owned));
    assert_eq!(place("--node-ip"), flag("--node-ip", Some("/c/env:2")));
    assert_eq!(
        place("--config"),
        flag("--config", Some("kubelet.service:0"))
    );
    // The unit has another value by now: who gave this one is not told.
    assert_eq!(place("readOnlyPort"), flag("--read-only-port", None));
    let unit = kubelet.unit.clone().expect("it can be compared");
    assert_eq!(unit.unit, [Text::new("--read-only-port")]);
    assert_eq!(unit.process, [Text::new("--read-only-port")]);
    let old: Vec<String> = kubelet
        .overridden
        .iter()
        .map(|old| format!("{} {} {}:{}", old.key, old.value, old.layer, old.line))
        .collect();
    assert_eq!(
        old,
        [
            "authentication.x509.clientCAFile \"/c/ca.crt\" 1:5",
            "staticPodPath \"/m\" 1:6",
            "fileCheckFrequency \"0s\" 1:7",
        ]
    );
}

#[test]
fn drop_ins_in_the_order_of_the_walk() {
    let (kubelet, facts) = kubelet(&node("kubelet --config-dir /c/d", nested_drop_ins()));
    assert_eq!(
        value(&kubelet, "staticPodPath"),
        json!(["/a", "DropIn", "/c/d/a.conf"])
    );
    assert_eq!(
        value(&kubelet, "featureGates.A"),
        json!([false, "DropIn", "/c/d/a.conf"])
    );
    assert_eq!(
        value(&kubelet, "featureGates.B"),
        json!([true, "DropIn", "/c/d/a/x.conf"])
    );
    assert_eq!(
        value(&kubelet, "allowedUnsafeSysctls"),
        json!([[], "DropIn", "/c/d/z.conf"])
    );
    // Without a main file the old defaults hold, but what a drop-in takes away comes back by the new ones.
    assert_eq!(
        value(&kubelet, "authentication.anonymous.enabled"),
        json!([false, "DropIn", "/c/d/z.conf"])
    );
    assert_eq!(
        value(&kubelet, "maxPods"),
        json!([110, "DropIn", "/c/d/z.conf"])
    );
    assert_eq!(
        value(&kubelet, "authorization.mode"),
        json!(["AlwaysAllow", "LegacyDefaults", null])
    );
    let everything = format!("{kubelet:?}{facts:?}");
    assert!(!everything.contains("geheim") && everything.contains("<masked "));
}

#[test]
fn what_cannot_be_read_hides_what_is_below_it_and_nothing_else() {
    let (denied, _) = kubelet(&node(
        &format!("{CONFIG} --anonymous-auth=false"),
        vec![record("Y", &["/c/main.yaml", "denied"])],
    ));
    assert_eq!(value(&denied, "readOnlyPort"), json!("sudo"));
    assert_eq!(value(&denied, "staticPodPath"), json!("sudo"));
    assert_eq!(
        value(&denied, "authentication.anonymous.enabled"),
        json!([false, "Flag", "--anonymous-auth"])
    );
    for body in [
        "readOnlyPort: 1",
        "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\nStaticPodPath: /x",
    ] {
        let (odd, _) = kubelet(&node(
            "kubelet --config-dir=/c/d",
            vec![
                record("D", &["/c/d", "ok", "1"]),
                record("E", &["/c/d", "a.conf"]),
                look("/c/d/a.conf", "81a4"),
                file("/c/d/a.conf", body),
            ],
        ));
        assert_eq!(value(&odd, "staticPodPath"), json!("garbled"), "{body}");
    }
    let (unlisted, _) = kubelet(&node(
        "kubelet --config-dir=/c/d",
        vec![record("D", &["/c/d", "denied"])],
    ));
    assert_eq!(value(&unlisted, "readOnlyPort"), json!("sudo"));
}

#[test]
fn a_stopped_kubelet_by_its_unit_and_without_one() {
    let unit = "ExecStart={ path=/usr/bin/kubelet ; argv[]=/usr/bin/kubelet $CONFIG $EXTRA ${ONE} ; ignore_errors=no }\n\
        Environment=\"CONFIG=--config=/c/main.yaml --v=1\" X=y\nEnvironmentFiles=/c/env (ignore_errors=yes)\n";
    let (by_unit, _) = kubelet(&node(
        "",
        vec![
            file("systemctl show kubelet", unit),
            file(
                "/c/env",
                "# old\nEXTRA=\"--read-only-port=10255 --node-ip=1\"\n",
            ),
            file("/c/main.yaml", &format!("{HEAD}staticPodPath: /m\n")),
        ],
    ));
    assert!(by_unit.process.is_none());
    assert_eq!(
        value(&by_unit, "readOnlyPort"),
        json!([10255, "Flag", "--read-only-port"])
    );
    assert_eq!(
        value(&by_unit, "staticPodPath"),
        json!(["/m", "File", "/c/main.yaml"])
    );
    let (nothing, facts) = kubelet(&node("", vec![]));
    assert_eq!(value(&nothing, "readOnlyPort"), json!("kubelet"));
    // A folder that is not known is not one that is not configured.
    let folder = crate::probes::manifest_dir::configured(&facts);
    assert!(
        matches!(folder, Err(Gap::KubeletStopped { .. })),
        "{folder:?}"
    );
    let usual = file(
        "/var/lib/kubelet/config.yaml",
        &format!("{HEAD}staticPodPath: /m\n"),
    );
    let (_, facts) = kubelet(&node("", vec![usual]));
    let folder = crate::probes::manifest_dir::configured(&facts);
    assert_eq!(folder, Ok(Some("/m".to_owned())));
    let inside = record("P", &["7", "kubelet", "0", "1500", "other", "/", "x"]);
    let (contained, _) = kubelet(&node("", vec![inside]));
    assert_eq!(value(&contained, "readOnlyPort"), json!("garbled"));
    // Where processes are hidden a unit proves nothing of the one that runs.
    let mut hidden = node(
        "",
        vec![
            file("systemctl show kubelet", unit),
            file("/c/main.yaml", HEAD),
        ],
    );
    hidden.uid = 1000;
    hidden.sections[0].records.pop();
    let (hidden, _) = kubelet(&hidden);
    assert_eq!(value(&hidden, "readOnlyPort"), json!("sudo"));
}

#[test]
fn two_kubelets_are_nobodys() {
    let mut frame = node("kubelet", vec![]);
    frame.sections[1]
        .records
        .push(record("P", &["9", "kubelet", "0", "1", "same", "/", "x"]));
    let mut facts = HostFacts::default();
    let masker = Masker::new([7; 32]);
    let reading = Reading {
        at: crate::model::Timestamp::UNIX_EPOCH,
        masker: &masker,
    };
    read(&Answer::new(&frame), &reading, &mut facts);
    assert!(matches!(facts.kubelet, Fact::Gap(Gap::Garbled { .. })));
    // A container's or a user's process of that name is none.
    frame.sections[1].records.pop();
    for (uid, word) in [("0", "other"), ("1000", "host")] {
        frame.sections[1]
            .records
            .push(record("P", &["9", "kubelet", uid, "1", word, "/", "x"]));
    }
    read(&Answer::new(&frame), &reading, &mut facts);
    assert!(facts.kubelet.is_seen());
}

#[test]
fn secrets_of_a_command_line_are_masked() {
    let (kubelet, facts) = kubelet(&node(
        "kubelet --manifest-url=http://u:geheim@h/ --manifest-url-header X:geheim --manifest-url-header=Y:geheim",
        vec![],
    ));
    let everything = format!("{kubelet:?}{facts:?}");
    assert!(!everything.contains("geheim"), "{everything}");
    assert_eq!(value(&kubelet, "staticPodURLHeader.X")[1], "Flag");
}

#[test]
fn k3s_holds_its_kubelet_inside() {
    let mut frame = node("", vec![]);
    let records = &mut frame.sections[1].records;
    records.push(record(
        "P",
        &["5", "k3s-server", "0", "1", "same", "/", "x"],
    ));
    records.push(file(
        "/proc/5/cmdline",
        "/usr/local/bin/k3s\0server\0--kubelet-arg=read-only-port=7\0--kubelet-arg\0max-pods=9\0",
    ));
    records.push(file(
        "/etc/rancher/k3s/config.yaml",
        "kubelet-arg:\n- seccomp-default=true\n",
    ));
    let mut path = String::new();
    for part in "var/lib/rancher/k3s/agent/etc/kubelet.conf.d".split('/') {
        path = format!("{path}/{part}");
        records.push(look(&path, "41ed"));
    }
    records.push(record("D", &[&path, "ok", "1"]));
    records.push(record("E", &[&path, "00.conf"]));
    records.push(look(&format!("{path}/00.conf"), "81a4"));
    records.push(file(
        &format!("{path}/00.conf"),
        &format!("{HEAD}staticPodPath: /k3s\n"),
    ));
    let (kubelet, _) = kubelet(&frame);
    assert_eq!(
        value(&kubelet, "readOnlyPort"),
        json!([7, "Flag", "--read-only-port"])
    );
    assert_eq!(value(&kubelet, "maxPods"), json!([9, "Flag", "--max-pods"]));
    assert_eq!(
        value(&kubelet, "seccompDefault"),
        json!([true, "Flag", "--seccomp-default"])
    );
    assert_eq!(value(&kubelet, "staticPodPath")[0], "/k3s");
}
