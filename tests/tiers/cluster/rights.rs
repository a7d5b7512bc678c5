//! The printed rights are enough, and the API server's own audit log shows that no more is asked of it.

use std::collections::BTreeMap;

use libtest_mimic::Failed;
use serde_json::Value;

use super::expected;
use super::logins::told;
use super::scan::{Way, scan};
use super::stage::{self, Stage, pause};

/// A user of this run alone, so that the audit log tells what this run asked.
const USER: &str = "trial-of-stakeout";

pub fn read_only() -> Result<(), Failed> {
    stage::with("printed rights", |stage| {
        let administrator = scan(stage, &Way::administrator(stage), &["--all"])?;
        let way = reader(stage)?;
        let without = scan(stage, &way, &["--all", "--node", "cp-1"])?;
        let outcome = grant(stage).and_then(|()| granted(stage, &way));
        stage.at_jump(
            "kubectl delete clusterrolebinding,clusterrole stakeout
            kubectl delete -n kube-system rolebinding,role stakeout-bootstrap-tokens",
        )?;
        let report = outcome?;
        assert_eq!(told(&report), told(&administrator));
        refused(&without);
        let asked = asked(stage)?;
        for ((verb, resource), count) in &asked {
            let is_review = verb == "create" && resource.starts_with("selfsubject");
            let reads = ["get", "list", "watch"].contains(&verb.as_str());
            assert!(reads || is_review, "{count} times {verb} {resource}");
        }
        assert!(
            asked.contains_key(&("list".into(), "pods".into())),
            "{asked:?}"
        );
        Ok(())
    })
}

/// A client certificate in the group that the printed binding names.
pub fn reader(stage: &Stage) -> Result<Way, Failed> {
    let pem = stage.on(
        "cp-1",
        &format!(
            "cd /root
            openssl req -new -newkey rsa:2048 -nodes -keyout trial.key -out trial.csr -subj /O=stakeout/CN={USER} 2>/dev/null
            openssl x509 -req -in trial.csr -CA /etc/kubernetes/pki/ca.crt -CAkey /etc/kubernetes/pki/ca.key \
                -set_serial 4711 -days 1 -out trial.crt 2>/dev/null
            cat trial.key trial.crt
            rm trial.key trial.csr trial.crt"
        ),
    )?;
    let both = stage.folder().join("trial.pem");
    let kubeconfig = stage.folder().join("trial.kubeconfig");
    std::fs::write(&both, pem)?;
    stage.at_jump(&format!(
        "cp \"$KUBECONFIG\" {0}
        export KUBECONFIG={0}
        kubectl config set-credentials trial --client-certificate={1} --client-key={1} --embed-certs
        kubectl config set-context --current --user=trial
        kubectl config delete-user kubernetes-admin",
        kubeconfig.display(),
        both.display(),
    ))?;
    Ok(Way {
        kubeconfig,
        state: stage.folder().join("reader"),
        ..Way::administrator(stage)
    })
}

pub fn grant(stage: &Stage) -> Result<(), Failed> {
    let rights = stage.printed(&["rbac", "print", "--with", "bootstrap-tokens"])?;
    stage.at_jump(&format!(
        "kubectl apply -f - <<'END OF RIGHTS'\n{rights}END OF RIGHTS"
    ))?;
    Ok(())
}

/// The report once the API server has taken notice of the rights.
pub fn granted(stage: &Stage, way: &Way) -> Result<super::scan::Report, Failed> {
    let mut wrong = Vec::new();
    for _ in 0..20 {
        let report = scan(stage, way, &["--all"])?;
        wrong = expected::strange(&report, &stage.expected);
        if wrong.is_empty() {
            return Ok(report);
        }
        pause();
    }
    Err(format!("with the printed rights:\n{}", wrong.join("\n")).into())
}

/// Before the rights are there: what they would show is not known, and the next step is to print them.
fn refused(report: &super::scan::Report) {
    let row = report.of("SP-MRG-001", Some("cp-1")).next();
    let row = row.unwrap_or_else(|| panic!("SP-MRG-001 is missing"));
    assert_eq!(row.verdict, "unknown", "{row}");
    for gap in &row.gaps {
        assert_eq!(gap.kind, "forbidden", "{row}");
        assert!(gap.next.contains("stakeout rbac print"), "{}", gap.next);
    }
}

/// Requests of the run's own user, by verb and resource.
fn asked(stage: &Stage) -> Result<BTreeMap<(String, String), usize>, Failed> {
    let log = std::fs::read_to_string(stage.fact("AUDIT_LOG"))?;
    let mut asked = BTreeMap::new();
    for line in log.lines().filter(|line| line.contains(USER)) {
        let event: Value = serde_json::from_str(line)?;
        if event["user"]["username"] != USER {
            continue;
        }
        let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let object = &event["objectRef"]["resource"];
        let resource = if object.is_null() {
            &event["requestURI"]
        } else {
            object
        };
        *asked
            .entry((word(&event["verb"]), word(resource)))
            .or_default() += 1;
    }
    Ok(asked)
}
