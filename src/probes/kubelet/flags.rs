//! Flags of the kubelet (cmd/kubelet/app/options/options.go of v1.37) and the keys that they set.

use serde_json::{Value, json};

/// What kind of value a flag takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Alone it means true; its value never stands in the next word.
    Bool,
    Number,
    Text,
    List,
    /// `a=true,b=false`, merged into what the files say.
    Gates,
    Header,
}

use Kind::{Bool, Gates, Header, List, Number, Text};

/// Flag, key, kind. Of the flags that set no key of the configuration those stand here, under their own name, that
/// say who the kubelet is and where its files are.
const FLAGS: &[(&str, &str, Kind)] = &[
    ("address", "address", Text),
    ("allowed-unsafe-sysctls", "allowedUnsafeSysctls", List),
    ("anonymous-auth", "authentication.anonymous.enabled", Bool),
    ("bootstrap-kubeconfig", "--bootstrap-kubeconfig", Text),
    ("cert-dir", "--cert-dir", Text),
    ("cloud-provider", "--cloud-provider", Text),
    ("config", "--config", Text),
    ("config-dir", "--config-dir", Text),
    ("hostname-override", "--hostname-override", Text),
    (
        "image-credential-provider-bin-dir",
        "--image-credential-provider-bin-dir",
        Text,
    ),
    (
        "image-credential-provider-config",
        "--image-credential-provider-config",
        Text,
    ),
    ("kubeconfig", "--kubeconfig", Text),
    ("node-ip", "--node-ip", Text),
    ("node-labels", "--node-labels", Text),
    ("root-dir", "--root-dir", Text),
    (
        "authentication-token-webhook",
        "authentication.webhook.enabled",
        Bool,
    ),
    ("authorization-mode", "authorization.mode", Text),
    ("cgroup-driver", "cgroupDriver", Text),
    ("cgroup-root", "cgroupRoot", Text),
    ("client-ca-file", "authentication.x509.clientCAFile", Text),
    (
        "container-runtime-endpoint",
        "containerRuntimeEndpoint",
        Text,
    ),
    ("contention-profiling", "enableContentionProfiling", Bool),
    ("enable-debugging-handlers", "enableDebuggingHandlers", Bool),
    ("enable-server", "enableServer", Bool),
    ("event-burst", "eventBurst", Number),
    ("event-qps", "eventRecordQPS", Number),
    ("fail-swap-on", "failSwapOn", Bool),
    ("feature-gates", "featureGates", Gates),
    ("file-check-frequency", "fileCheckFrequency", Text),
    ("healthz-bind-address", "healthzBindAddress", Text),
    ("healthz-port", "healthzPort", Number),
    ("http-check-frequency", "httpCheckFrequency", Text),
    ("make-iptables-util-chains", "makeIPTablesUtilChains", Bool),
    ("manifest-url", "staticPodURL", Text),
    ("manifest-url-header", "staticPodURLHeader", Header),
    ("max-pods", "maxPods", Number),
    ("pod-manifest-path", "staticPodPath", Text),
    ("pod-max-pids", "podPidsLimit", Number),
    ("port", "port", Number),
    ("protect-kernel-defaults", "protectKernelDefaults", Bool),
    ("read-only-port", "readOnlyPort", Number),
    ("register-node", "registerNode", Bool),
    ("rotate-certificates", "rotateCertificates", Bool),
    ("rotate-server-certificates", "serverTLSBootstrap", Bool),
    ("seccomp-default", "seccompDefault", Bool),
    (
        "streaming-connection-idle-timeout",
        "streamingConnectionIdleTimeout",
        Text,
    ),
    ("sync-frequency", "syncFrequency", Text),
    ("tls-cert-file", "tlsCertFile", Text),
    ("tls-cipher-suites", "tlsCipherSuites", List),
    ("tls-min-version", "tlsMinVersion", Text),
    ("tls-private-key-file", "tlsPrivateKeyFile", Text),
];

/// Flags without a key that take no value: what stands behind them is a word of its own.
const SWITCHES: &[&str] = &[
    "help",
    "version",
    "exit-on-lock-contention",
    "logtostderr",
    "alsologtostderr",
];

/// A command line, flag by flag.
pub(super) struct Flags(Vec<Flag>);

/// One flag as it was given.
pub(super) struct Flag {
    /// Without dashes in front, underscores as dashes.
    pub(super) name: String,
    pub(super) value: Option<String>,
    /// The word that it begins with, from 0.
    pub(super) at: usize,
}

impl Flags {
    /// `embedded`: words that another program hands on, each of the form `--name=value`.
    pub(super) fn read(args: &[String], embedded: bool) -> Self {
        let mut out = Vec::new();
        let mut words = args.iter().enumerate().peekable();
        while let Some((at, word)) = words.next() {
            let Some(body) = word.strip_prefix("--") else {
                continue;
            };
            let (name, value) = match body.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (body, None),
            };
            let name = name.replace('_', "-");
            let alone = kind(&name).map_or(SWITCHES.contains(&name.as_str()), |kind| kind == Bool);
            let value = match value {
                None if !alone && !embedded => words
                    .next_if(|(_, word)| takes(&name, word))
                    .map(|(_, word)| word.clone()),
                value => value,
            };
            out.push(Flag { name, value, at });
        }
        Self(out)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Flag> {
        self.0.iter()
    }

    /// The value that counts of a flag that takes a text.
    pub(super) fn last(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .rev()
            .find(|flag| flag.name == name)
            .and_then(|flag| flag.value.as_deref())
            .filter(|value| !value.is_empty())
    }

    /// Each flag that sets a key, once: its spelling, key, and value. Lists and gates are gathered.
    pub(super) fn settings(&self) -> Vec<(String, &'static str, Kind, Value)> {
        let mut out: Vec<(String, &'static str, Kind, Value)> = Vec::new();
        for flag in &self.0 {
            let Some((_, key, kind)) = FLAGS.iter().find(|(name, ..)| *name == flag.name) else {
                continue;
            };
            let value = value(*kind, flag.value.as_deref());
            match out.iter_mut().find(|(_, known, ..)| known == key) {
                Some((.., known)) => join(*kind, known, value),
                None => out.push((format!("--{}", flag.name), key, *kind, value)),
            }
        }
        out
    }
}

fn kind(name: &str) -> Option<Kind> {
    FLAGS
        .iter()
        .find(|(known, ..)| *known == name)
        .map(|(.., kind)| *kind)
}

/// Whether the next word is a flag's value. One that is known to take a value takes any word; of one that is not
/// known (a later version's, the log's short forms) a word with dashes is the next flag.
fn takes(name: &str, word: &str) -> bool {
    kind(name).is_some() || !word.starts_with("--")
}

fn value(kind: Kind, text: Option<&str>) -> Value {
    let text = text.unwrap_or(if kind == Bool { "true" } else { "" });
    let as_text = || Value::String(text.to_owned());
    match kind {
        // The words that Go's strconv.ParseBool takes.
        Bool => match text {
            "1" | "t" | "T" | "true" | "TRUE" | "True" => json!(true),
            "0" | "f" | "F" | "false" | "FALSE" | "False" => json!(false),
            _ => as_text(),
        },
        Number => number(text).map_or_else(as_text, Value::from),
        Text => as_text(),
        List => json!(
            text.split(',')
                .filter(|item| !item.is_empty())
                .collect::<Vec<_>>()
        ),
        Gates => gates(text),
        Header => headers(text),
    }
}

/// As pflag reads a number: base by prefix.
fn number(text: &str) -> Option<i64> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let lower = digits.to_ascii_lowercase().replace('_', "");
    let parsed = if let Some(hex) = lower.strip_prefix("0x") {
        i64::from_str_radix(hex, 16)
    } else if let Some(bits) = lower.strip_prefix("0b") {
        i64::from_str_radix(bits, 2)
    } else if let Some(octal) = lower.strip_prefix("0o") {
        i64::from_str_radix(octal, 8)
    } else if lower.len() > 1 && lower.starts_with('0') {
        i64::from_str_radix(&lower, 8)
    } else {
        lower.parse()
    };
    parsed.ok().map(|number| sign * number)
}

fn gates(text: &str) -> Value {
    let pairs = text.split(',').filter_map(|pair| pair.split_once('='));
    Value::Object(
        pairs
            .map(|(name, on)| (name.trim().to_owned(), value(Bool, Some(on.trim()))))
            .collect(),
    )
}

/// `a:hello,b:again`.
fn headers(text: &str) -> Value {
    let mut map = serde_json::Map::new();
    for (name, value) in text.split(',').filter_map(|pair| pair.split_once(':')) {
        let list = map
            .entry(name.trim().to_owned())
            .or_insert_with(|| json!([]));
        if let Value::Array(items) = list {
            items.push(json!(value.trim()));
        }
    }
    Value::Object(map)
}

fn join(kind: Kind, known: &mut Value, more: Value) {
    match (kind, known, more) {
        (List, Value::Array(known), Value::Array(more)) => known.extend(more),
        (Gates | Header, Value::Object(known), Value::Object(more)) => known.extend(more),
        (_, known, more) => *known = more,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Vec<(String, Value)> {
        let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        let flags = Flags::read(&words, false);
        flags
            .settings()
            .into_iter()
            .map(|(_, key, _, value)| (key.to_owned(), value))
            .collect()
    }

    #[test]
    fn both_forms_and_the_last_one_counts() {
        assert_eq!(
            read(
                "--read-only-port 10255 --anonymous-auth --v 2 --read_only_port=0 --anonymous-auth=F"
            ),
            [
                ("readOnlyPort".to_owned(), json!(0)),
                ("authentication.anonymous.enabled".to_owned(), json!(false)),
            ]
        );
        // A switch does not take the next word, an unknown flag takes no other flag.
        assert_eq!(
            read("--seccomp-default --unknown --pod-manifest-path /a"),
            [
                ("seccompDefault".to_owned(), json!(true)),
                ("staticPodPath".to_owned(), json!("/a")),
            ]
        );
    }

    #[test]
    fn gathered_values() {
        assert_eq!(
            read(
                "--feature-gates=A=true,B=false --feature-gates A=false --allowed-unsafe-sysctls=a,b --manifest-url-header=X:1,X:2"
            ),
            [
                ("featureGates".to_owned(), json!({"A": false, "B": false})),
                ("allowedUnsafeSysctls".to_owned(), json!(["a", "b"])),
                ("staticPodURLHeader".to_owned(), json!({"X": ["1", "2"]})),
            ]
        );
    }

    #[test]
    fn numbers_as_go_reads_them() {
        for (text, number_read) in [
            ("0x10", Some(16)),
            ("010", Some(8)),
            ("-1", Some(-1)),
            ("1_0", Some(10)),
            ("x", None),
            ("", None),
        ] {
            assert_eq!(number(text), number_read, "{text}");
        }
    }
}
