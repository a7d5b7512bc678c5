//! Defaults of the kubelet's configuration: `SetDefaults_KubeletConfiguration` and `applyLegacyDefaults` of v1.37.

use serde_json::{Value, json};

/// A key and what it is when nobody says otherwise.
pub(super) struct Default {
    pub(super) key: &'static str,
    pub(super) value: Value,
    /// Zero, or an empty text, means that nobody said anything: the field is no pointer.
    pub(super) zero_is_unset: bool,
}

/// With a `--config` file. Without the ones that depend on other keys or on feature gates.
pub(super) fn versioned() -> Vec<Default> {
    let plain = plain_defaults().into_iter().map(|(key, value)| Default {
        key,
        value,
        zero_is_unset: true,
    });
    let pointers = pointer_defaults().into_iter().map(|(key, value)| Default {
        key,
        value,
        zero_is_unset: false,
    });
    plain.chain(pointers).collect()
}

/// Fields in which zero means that nobody said anything.
fn plain_defaults() -> Vec<(&'static str, Value)> {
    vec![
        ("address", json!("0.0.0.0")),
        ("authentication.webhook.cacheTTL", json!("2m0s")),
        ("authorization.mode", json!("Webhook")),
        ("authorization.webhook.cacheAuthorizedTTL", json!("5m0s")),
        ("authorization.webhook.cacheUnauthorizedTTL", json!("30s")),
        ("cgroupDriver", json!("cgroupfs")),
        ("configMapAndSecretChangeDetectionStrategy", json!("Watch")),
        ("containerLogMaxSize", json!("10Mi")),
        (
            "containerRuntimeEndpoint",
            json!("unix:///run/containerd/containerd.sock"),
        ),
        ("contentType", json!("application/vnd.kubernetes.protobuf")),
        ("cpuManagerPolicy", json!("none")),
        ("cpuManagerReconcilePeriod", json!("10s")),
        ("eventBurst", json!(100)),
        ("evictionPressureTransitionPeriod", json!("5m0s")),
        ("fileCheckFrequency", json!("20s")),
        ("hairpinMode", json!("promiscuous-bridge")),
        ("healthzBindAddress", json!("127.0.0.1")),
        ("httpCheckFrequency", json!("20s")),
        ("imageMinimumGCAge", json!("2m0s")),
        ("kubeAPIBurst", json!(100)),
        ("maxOpenFiles", json!(1_000_000)),
        ("maxPods", json!(110)),
        ("memoryManagerPolicy", json!("None")),
        ("nodeLeaseDurationSeconds", json!(40)),
        ("nodeStatusReportFrequency", json!("5m0s")),
        ("nodeStatusUpdateFrequency", json!("10s")),
        ("podLogsDir", json!("/var/log/pods")),
        ("port", json!(10250)),
        ("registryBurst", json!(10)),
        ("runtimeRequestTimeout", json!("2m0s")),
        ("streamingConnectionIdleTimeout", json!("4h0m0s")),
        ("syncFrequency", json!("1m0s")),
        ("topologyManagerPolicy", json!("none")),
        ("topologyManagerScope", json!("container")),
        ("volumeStatsAggPeriod", json!("1m0s")),
    ]
}

/// Fields that keep a zero; those whose zero is the default itself stand here too.
fn pointer_defaults() -> Vec<(&'static str, Value)> {
    vec![
        ("authentication.anonymous.enabled", json!(false)),
        ("authentication.webhook.enabled", json!(true)),
        ("cgroupsPerQOS", json!(true)),
        ("cpuCFSQuota", json!(true)),
        ("enableContentionProfiling", json!(false)),
        ("enableControllerAttachDetach", json!(true)),
        ("enableDebugFlagsHandler", json!(true)),
        ("enableDebuggingHandlers", json!(true)),
        ("enableProfilingHandler", json!(true)),
        ("enableServer", json!(true)),
        ("enableSystemLogHandler", json!(true)),
        ("enableSystemLogQuery", json!(false)),
        ("eventRecordQPS", json!(50)),
        ("failCgroupV1", json!(true)),
        ("failSwapOn", json!(true)),
        ("healthzPort", json!(10248)),
        ("imageGCHighThresholdPercent", json!(85)),
        ("imageGCLowThresholdPercent", json!(80)),
        ("kubeAPIQPS", json!(50)),
        ("localStorageCapacityIsolation", json!(true)),
        ("makeIPTablesUtilChains", json!(true)),
        ("nodeStatusMaxImages", json!(50)),
        ("podPidsLimit", json!(-1)),
        ("protectKernelDefaults", json!(false)),
        ("readOnlyPort", json!(0)),
        ("registerNode", json!(true)),
        ("registryPullQPS", json!(5)),
        ("rotateCertificates", json!(false)),
        ("seccompDefault", json!(false)),
        ("serverTLSBootstrap", json!(false)),
    ]
}

/// What is other without a `--config` file, drop-ins or not.
pub(super) fn legacy() -> Vec<(&'static str, Value)> {
    vec![
        ("authentication.anonymous.enabled", json!(true)),
        ("authentication.webhook.enabled", json!(false)),
        ("authorization.mode", json!("AlwaysAllow")),
        ("readOnlyPort", json!(10255)),
    ]
}

/// Whether a value says as much as nothing: zero, no text, no time.
pub(super) fn is_zero(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => {
            let text = text.trim_start_matches(['+', '-']);
            let zero_time = !text.is_empty()
                && text
                    .bytes()
                    .all(|byte| matches!(byte, b'0' | b'.' | b'h' | b'm' | b's' | b'n' | b'u'))
                && text.contains('0')
                && text.matches('.').count() < 2;
            text.is_empty() || zero_time
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zeros() {
        for value in [
            json!(""),
            json!("0s"),
            json!("0"),
            json!("0h0m0s"),
            json!(0),
            json!(null),
            json!("0.0s"),
        ] {
            assert!(is_zero(&value), "{value}");
        }
        for value in [
            json!("20s"),
            json!("1m0s"),
            json!(1),
            json!(false),
            json!("0.0.0.0"),
            json!("ms"),
            json!("hms"),
        ] {
            assert!(!is_zero(&value), "{value}");
        }
    }
}
