//! Defaults of the kubelet's configuration: `SetDefaults_KubeletConfiguration` and `applyLegacyDefaults` of v1.37.

use serde_json::{Value, json};

/// A key and what it is when nobody says otherwise.
pub(super) struct Default {
    pub(super) key: &'static str,
    pub(super) value: Value,
    /// Zero, or an empty text, means that nobody said anything: the field is no pointer.
    pub(super) zero_is_unset: bool,
}

fn plain(key: &'static str, value: Value) -> Default {
    Default {
        key,
        value,
        zero_is_unset: true,
    }
}

fn pointer(key: &'static str, value: Value) -> Default {
    Default {
        key,
        value,
        zero_is_unset: false,
    }
}

/// With a `--config` file. Of the keys that checks or readers look at.
pub(super) fn versioned() -> Vec<Default> {
    vec![
        plain("address", json!("0.0.0.0")),
        pointer("authentication.anonymous.enabled", json!(false)),
        pointer("authentication.webhook.enabled", json!(true)),
        plain("authentication.webhook.cacheTTL", json!("2m0s")),
        plain("authorization.mode", json!("Webhook")),
        plain("cgroupDriver", json!("cgroupfs")),
        plain(
            "containerRuntimeEndpoint",
            json!("unix:///run/containerd/containerd.sock"),
        ),
        pointer("enableDebugFlagsHandler", json!(true)),
        pointer("enableDebuggingHandlers", json!(true)),
        pointer("enableProfilingHandler", json!(true)),
        pointer("enableServer", json!(true)),
        pointer("enableSystemLogHandler", json!(true)),
        pointer("enableSystemLogQuery", json!(false)),
        plain("eventBurst", json!(100)),
        pointer("eventRecordQPS", json!(50)),
        pointer("failSwapOn", json!(true)),
        plain("fileCheckFrequency", json!("20s")),
        plain("healthzBindAddress", json!("127.0.0.1")),
        pointer("healthzPort", json!(10248)),
        plain("httpCheckFrequency", json!("20s")),
        pointer("makeIPTablesUtilChains", json!(true)),
        plain("maxPods", json!(110)),
        plain("podLogsDir", json!("/var/log/pods")),
        pointer("podPidsLimit", json!(-1)),
        plain("port", json!(10250)),
        pointer("protectKernelDefaults", json!(false)),
        pointer("readOnlyPort", json!(0)),
        pointer("registerNode", json!(true)),
        pointer("rotateCertificates", json!(false)),
        pointer("seccompDefault", json!(false)),
        pointer("serverTLSBootstrap", json!(false)),
        plain("streamingConnectionIdleTimeout", json!("4h0m0s")),
        plain("syncFrequency", json!("1m0s")),
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
