use crate::checks::check::{
    Check, Judge, Maps, Remediation, Tally, View, by_hand, kubectl, on_node,
};
use crate::checks::component::{self, Component, NEEDS, Said, bad, good_by};
use crate::checks::exposure::{Exposure, looked};
use crate::model::fact::{Gap, Need};
use crate::model::files::{EncryptionRule, FileRole};
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::verdict::{Severity, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-TLS-016"),
    title: "Secrets are encrypted in etcd, by a protected key",
    why: "Whoever gets a copy of etcd, a snapshot or a disk, reads every Secret in plain text.",
    severity: Severity::High,
    since: "0.2.0",
    needs: NEEDS,
    helps: &[Need::NodeObject, Need::ApiServerFiles, Need::Accounts],
    maps: &[
        Maps::Cis("1.2.27"),
        Maps::Cis("1.2.28"),
        Maps::Attack("T1552"),
    ],
    fix: Remediation {
        steps: &[
            on_node("cp -p /etc/kubernetes/manifests/kube-apiserver.yaml /root/"),
            by_hand(
                "write an EncryptionConfiguration (apiserver.config.k8s.io/v1) for secrets with aescbc, secretbox or kms first and identity last, owner root, mode 600; mount it and name it by --encryption-provider-config, on every control-plane node",
            ),
            kubectl("kubectl get secrets -A -o json | kubectl replace -f -"),
        ],
        restarts: "kube-apiserver of this node, for about 20 s; one control-plane node at a time",
        undo: &[by_hand(
            "put identity first, write all Secrets again, and only then take the flag out: without its key the API server cannot read them",
        )],
    },
    examples: &[
        (
            "{components: {kube-apiserver: '--encryption-provider-config=/etc/kubernetes/enc.yaml'}, api_server_files: [{role: encryption_config, path: /etc/kubernetes/enc.yaml}], encryption: [{resources: [secrets], providers: [aescbc, identity]}]}",
            "PASS",
        ),
        (
            "{components: {kube-apiserver: '--encryption-provider-config=/etc/kubernetes/enc.yaml'}, api_server_files: [{role: encryption_config, path: /etc/kubernetes/enc.yaml}], encryption: [{resources: ['*.*'], providers: [kms]}]}",
            "PASS",
        ),
        (
            "components: {kube-apiserver: ''}",
            "FAIL high: nothing encrypts Secrets in etcd: no --encryption-provider-config",
        ),
        (
            "{components: {kube-apiserver: '--encryption-provider-config=/etc/kubernetes/enc.yaml'}, api_server_files: [], encryption: [{resources: [secrets], providers: [identity, aescbc]}]}",
            "FAIL high: nothing encrypts Secrets in etcd: identity is the first provider",
        ),
        (
            "{components: {kube-apiserver: '--encryption-provider-config=/etc/kubernetes/enc.yaml'}, api_server_files: [], encryption: [{resources: [configmaps], providers: [aescbc]}]}",
            "FAIL high: nothing encrypts Secrets in etcd: no rule covers them",
        ),
        (
            "{components: {kube-apiserver: '--encryption-provider-config=/etc/kubernetes/enc.yaml'}, api_server_files: [{role: encryption_config, path: /etc/kubernetes/enc.yaml, mode: '0644'}], encryption: [{resources: [secrets], providers: [aescbc]}]}",
            "FAIL high: mode 0644: everyone can read it",
        ),
        (
            "{components: {kube-apiserver: '--encryption-provider-config=/etc/kubernetes/enc.yaml'}, encryption: {gap: denied}}",
            "UNKNOWN: the login may not read it",
        ),
        (
            "components: {}",
            "N/A: neither a manifest nor a process of the node is kube-apiserver",
        ),
        (
            "{components: {}, manifests: {gap: denied}}",
            "UNKNOWN: the login may not read it",
        ),
    ],
    judge: Judge::Node(judge),
    file: file!(),
};

fn judge(node: &NodeFacts, _: &View<'_>) -> Result<Verdict, Gap> {
    let mut named = false;
    let said = component::judge(node, Component::ApiServer, |given| {
        if !given.has(FLAG)? {
            return Ok(plain("no --encryption-provider-config"));
        }
        named = true;
        let files = component::only(node, FileRole::EncryptionConfig)?;
        let rules = files.encryption.get()?;
        let list = rules.value.as_ref().ok_or(Gap::NotAsked)?;
        let covers = |rule: &&EncryptionRule| {
            let mut own = rule.resources.iter();
            own.any(|own| ["secrets", "*.", "*.*"].contains(&own.as_str()))
        };
        // The first rule that covers a resource is the one that counts.
        Ok(
            match list.iter().find(covers).map(|rule| rule.providers.first()) {
                None => plain("no rule covers them"),
                Some(Some(first)) if *first != "identity" => good_by(rules.at),
                Some(_) => plain("identity is the first provider"),
            },
        )
    });
    if !named {
        return said;
    }
    let mut tally = Tally::new();
    if let Some(files) = tally.take(&node.host.api_server_files) {
        let list = &files.value.list;
        let mut exposure = Exposure::new(&node.host);
        let roles = [FileRole::EncryptionConfig];
        for file in looked(&node.host, list, Need::ApiServerFiles, &roles) {
            if exposure.read(&file, Severity::High, &mut tally) {
                tally.good(file.at);
            }
        }
        exposure.done(&mut tally);
    }
    tally.with(said.unwrap_or_else(|why| Verdict::Unknown { why }))
}

const FLAG: &str = "encryption-provider-config";

fn plain(why: &str) -> Said {
    bad(
        FLAG,
        Severity::High,
        format!("nothing encrypts Secrets in etcd: {why}"),
    )
}
