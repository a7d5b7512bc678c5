//! What a node knows and nobody else should: planted wherever an answer has room for it, and looked for in the facts.

use std::path::Path;

use stakeout::disk;
use stakeout::model::Timestamp;
use stakeout::model::node::HostFacts;
use stakeout::probes::collector;
use stakeout::probes::frame::{Frame, FrameReader};
use stakeout::probes::mask::Masker;
use stakeout::probes::probe::Reading;
use stakeout::probes::read_host;

const KEY: &str = "-----BEGIN RSA PRIVATE KEY-----\ngeheim\n-----END RSA PRIVATE KEY-----\n";

fn recorded() -> Frame {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/fixtures/answers/kubeadm-cp.txt"
    );
    let text = disk::read(Path::new(path), 4 << 20).expect("recorded");
    let mut reader = FrameReader::new(
        "0123456789abcdef0123456789abcdef",
        collector::section_count(),
    );
    reader.push(&text);
    reader.finish().expect("a good answer")
}

fn facts(frame: &Frame) -> HostFacts {
    let masker = Masker::new([7; 32]);
    let reading = Reading {
        at: Timestamp::UNIX_EPOCH,
        masker: &masker,
    };
    read_host(frame, &reading)
}

/// Changes the content that a section gives for a name; its status stays at the end.
fn change(frame: &mut Frame, section: &str, ending: &str, with: impl Fn(&str) -> String) {
    let section = frame
        .sections
        .iter_mut()
        .find(|found| found.name == section)
        .expect("the section is there");
    let record = section
        .records
        .iter_mut()
        .find(|record| record.kind == "F" && record.fields[0].ends_with(ending.as_bytes()))
        .expect("the content is there");
    let text = String::from_utf8_lossy(&record.fields[1]).into_owned();
    let body = text.strip_suffix("x0\n").expect("a good status");
    record.fields[1] = format!("{}x0\n", with(body)).into_bytes();
}

fn told_nowhere(facts: &HostFacts, what: &str) {
    let all = serde_json::to_string(facts).expect("facts are JSON");
    let at = all.find("geheim");
    let around = at.map(|at| &all[at.saturating_sub(200)..(at + 20).min(all.len())]);
    assert!(at.is_none(), "{what}: {}", around.unwrap_or_default());
}

/// Files that end up in the static pod folder and are none of its business.
#[test]
fn strangers_in_the_folder() {
    for (what, text) in [
        ("a private key", KEY.to_owned()),
        (
            "a kubeconfig",
            "apiVersion: v1\nkind: Config\nusers:\n- name: admin\n  user:\n    client-key-data: geheim12\n    token: geheim12\n    password: geheim12\n".to_owned(),
        ),
        (
            "a kubeconfig in one line",
            "{\"apiVersion\": \"v1\", \"kind\": \"Config\", \"users\": [{\"user\": {\"token\": \"geheim12\", \"client-key-data\":\"geheim12\"}}]}".to_owned(),
        ),
        (
            "a secret",
            "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData:\n  password: geheim12\n  url: https://me:geheim@db/\n".to_owned(),
        ),
        (
            "a secret of any key",
            "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\ndata:\n  anything: geheim12\n".to_owned(),
        ),
        (
            "encryption at rest",
            "apiVersion: apiserver.config.k8s.io/v1\nkind: EncryptionConfiguration\nresources:\n- providers:\n  - aescbc:\n      keys:\n      - name: key1\n        secret: geheim12\n".to_owned(),
        ),
        ("an environment file", "export TOKEN=geheim12\nDB_PASS='geheim12'\n".to_owned()),
        (
            "documents that are ignored",
            "apiVersion: v1\nkind: Pod\nmetadata: {name: etcd}\nspec: {containers: [{name: a, image: a}]}\n---\napiVersion: v1\nkind: Secret\nstringData: {any: geheim12}\n".to_owned(),
        ),
        (
            "a list of secrets",
            "apiVersion: v1\nkind: List\nitems:\n- kind: Secret\n  data: {any: {deep: [geheim12]}}\n".to_owned(),
        ),
        (
            "a key that is overridden",
            "apiVersion: v1\nkind: Pod\nmetadata: {name: etcd}\nspec:\n  containers:\n  - name: a\n    image: a\n    env:\n    - name: PASSWORD\n      value: x\n  containers:\n  - name: a\n    image: a\n  password: geheim12\n  password: x\n".to_owned(),
        ),
        ("no YAML", format!("{{[\nDB_PASSWORD=geheim12\n{KEY}")),
    ] {
        let mut frame = recorded();
        change(&mut frame, "manifests", "/etcd.yaml", |_| text.clone());
        told_nowhere(&facts(&frame), what);
    }
}

/// A pod with secrets in all places that a pod has.
#[test]
fn secrets_of_a_manifest() {
    let words = [
        "\"--etcd-password=geheim\"",
        "\"--token\", \"geheim\"",
        "\"--requirepass\", \"geheim\"",
        "sh, -c, \"PGPASSWORD=geheim psql; mysql --password geheim; curl -u me:geheim https://x/\"",
        "curl, -u, \"me:geheim\", \"https://x/?token=geheim1\"",
        "\"--set\", \"db.password=geheim\"",
        "\"--set=db.password=geheim\"",
        "java, \"-Ddb.password=geheim\"",
        "\"https://me:geheim@x/\"",
        "\"Authorization: Bearer geheim1\"",
        "\"X-Api-Key: geheim\"",
        "\"-----BEGIN EC PRIVATE KEY-----\\ngeheim\\n-----END EC PRIVATE KEY-----\"",
        "\"eyJhbGciOiJSUzI1NiJ9.geheimgeheimgeheim.c2lnbmF0dXJl\"",
        "\"{\\\"password\\\":\\\"geheim\\\"}\"",
    ];
    for word in words {
        let text = format!(
            "apiVersion: v1\nkind: Pod\nmetadata: {{name: etcd, namespace: kube-system}}\nspec:\n  containers:\n  - name: etcd\n    image: etcd\n    command: [{word}]\n"
        );
        let mut frame = recorded();
        change(&mut frame, "manifests", "/etcd.yaml", |_| text.clone());
        told_nowhere(&facts(&frame), word);
    }
    for (name, value) in [
        ("REDIS_AUTH", "geheim"),
        ("SMTP_PW", "geheim"),
        ("SLACK_WEBHOOK_URL", "https://hooks.example/geheim"),
        (
            "TLS_PEM",
            "-----BEGIN PRIVATE KEY-----\\ngeheim\\n-----END PRIVATE KEY-----",
        ),
        ("CONNECTION", "Server=db;User=me;Password=geheim;"),
        (
            "JAVA_OPTS",
            "-Xmx1g -Djavax.net.ssl.keyStorePassword=geheim",
        ),
        (
            "CONFIG",
            "{\\\"auth\\\": {\\\"password\\\": \\\"geheim\\\"}}",
        ),
    ] {
        let text = format!(
            "apiVersion: v1\nkind: Pod\nmetadata: {{name: etcd, namespace: kube-system}}\nspec:\n  containers:\n  - name: etcd\n    image: etcd\n    env: [{{name: {name}, value: \"{value}\"}}]\n# password: geheim\n"
        );
        let mut frame = recorded();
        change(&mut frame, "manifests", "/etcd.yaml", |_| text.clone());
        told_nowhere(&facts(&frame), name);
    }
}

#[test]
fn secrets_of_the_kubelet() {
    for more in [
        "# password: geheim\n",
        "staticPodURL: https://me:geheim@x/\nstaticPodURLHeader: {X-Any: [geheim]}\n",
        "unknownToken: geheim1\n",
        "providerPassword: geheim\n",
    ] {
        let mut frame = recorded();
        change(&mut frame, "kubelet", "/config.yaml", |body| {
            format!("{body}{more}")
        });
        told_nowhere(&facts(&frame), more);
    }
    for more in [
        "--token=geheim\0",
        "--manifest-url-header\0X-Any:geheim\0",
        "--manifest-url=https://me:geheim@x/\0",
        "--node-labels=a=b,password=geheim\0",
        "--password\0geheim\0",
    ] {
        let mut frame = recorded();
        change(&mut frame, "kubelet", "/cmdline", |body| {
            format!("{body}{more}")
        });
        told_nowhere(&facts(&frame), more);
    }
}
