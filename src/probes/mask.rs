//! Secrets are masked before anything is stored, and cannot be unmasked.
//!
//! Lives here: what counts as a secret in a pod, a command line and a text, and the word that takes its
//! place. The word is an HMAC under a key of this run: equal secrets give equal words, so manifest and
//! mirror can still be compared, and nothing leads back. Never lives here: a key that outlives the run.

use openssl::hash::MessageDigest;
use openssl::pkey::PKey;
use openssl::sign::Signer;
use serde_json::Value;

mod names;
mod spans;
mod text;

pub use text::MaskedText;

use spans::Expected;

use names::{is_masked, plain_value, secret_env, secret_flag, secret_key};

/// Nothing legitimate nests deeper; what does is left out of the walk and masked whole.
const DEPTH: u8 = 64;

/// Masks with a key that lives as long as one run: equal secrets give equal masks.
pub struct Masker {
    key: [u8; 32],
}

/// A value that was masked: as it was, and the word in its place. Never stored.
pub(crate) struct Secret {
    pub(crate) raw: String,
    pub(crate) word: String,
}

impl Masker {
    /// `key`: random, made once per run, never stored.
    pub fn new(key: [u8; 32]) -> Self {
        Self { key }
    }

    /// First bytes of the key, so that two maskers can be told apart in tests.
    pub fn fingerprint(&self) -> u8 {
        self.key[0]
    }

    /// The word that stands for a secret: `<masked 1f3a9c2e>`. A word stays as it is.
    pub fn mask(&self, secret: &str) -> String {
        if is_masked(secret) {
            return secret.to_owned();
        }
        match self.digest(secret) {
            Ok([a, b, c, d, ..]) => {
                format!("<masked {:08x}>", u32::from_be_bytes([a, b, c, d]))
            }
            // Without a digest two secrets cannot be compared, but neither is shown.
            Err(_) => "<masked>".to_owned(),
        }
    }

    fn digest(&self, secret: &str) -> Result<[u8; 32], openssl::error::ErrorStack> {
        let key = PKey::hmac(&self.key)?;
        let mut mac = [0; 32];
        Signer::new(MessageDigest::sha256(), &key)?.sign_oneshot(&mut mac, secret.as_bytes())?;
        Ok(mac)
    }

    /// Masks the secrets of a pod (or of any object that holds one) in place. True where there was one.
    ///
    /// Masked are: literals of environment variables with a telling name, values of flags with a telling
    /// name (`--password=x`, `--token x`), values of HTTP headers that log in, user and password of URLs,
    /// bearer words, annotations with a telling key, and the copy that `kubectl apply` leaves.
    pub fn mask_pod(&self, pod: &mut Value) -> bool {
        !self.mask_value(pod).is_empty()
    }

    /// As [`Masker::mask_pod`], and says what was masked so that a text can be masked in the same way.
    pub(crate) fn mask_value(&self, value: &mut Value) -> Vec<Secret> {
        let mut found = Vec::new();
        self.walk(value, DEPTH, &mut found);
        found
    }

    /// Masks a command line. True where something was masked.
    pub fn mask_args(&self, args: &mut [String]) -> bool {
        let mut found = Vec::new();
        self.args(args.iter_mut(), &mut found);
        !found.is_empty()
    }

    /// Masks the values of `staticPodURLHeader`, whatever their names, and its flag's value. True where there was one.
    pub fn mask_headers(&self, headers: &mut Value) -> bool {
        match headers {
            Value::String(value) if !value.is_empty() => {
                *value = self.mask(value);
                true
            }
            Value::Array(items) => items
                .iter_mut()
                .fold(false, |any, item| self.mask_headers(item) | any),
            Value::Object(map) => map
                .values_mut()
                .fold(false, |any, item| self.mask_headers(item) | any),
            _ => false,
        }
    }

    /// Masks in any document that is no pod: the values of keys with a telling name, all that a Secret holds, and
    /// what looks like a secret elsewhere. True where there was one.
    pub fn mask_document(&self, value: &mut Value) -> bool {
        let mut found = self.mask_value(value);
        self.keys(value, (DEPTH, false), &mut found);
        !found.is_empty()
    }

    /// `all`: every text below is a secret.
    fn keys(&self, value: &mut Value, (depth, all): (u8, bool), found: &mut Vec<Secret>) {
        if depth == 0 {
            return;
        }
        match value {
            Value::String(text) if all && !text.is_empty() => self.take(text, found),
            Value::Array(items) => {
                for item in items {
                    self.keys(item, (depth - 1, all), found);
                }
            }
            Value::Object(map) => {
                let secret = map.get("kind").and_then(Value::as_str) == Some("Secret");
                for (key, item) in map.iter_mut() {
                    let holds = secret && matches!(key.as_str(), "data" | "stringData");
                    match item {
                        Value::String(text) if !all => {
                            if secret_key(key) && !plain_value(text) {
                                self.take(text, found);
                            }
                        }
                        item => self.keys(item, (depth - 1, all || holds), found),
                    }
                }
            }
            _ => {}
        }
    }

    /// Masks what looks like a secret in one free text: userinfo of URLs, bearer words. True where there was one.
    pub fn mask_words(&self, text: &mut String) -> bool {
        let mut found = Vec::new();
        self.words(text, &mut found);
        !found.is_empty()
    }

    fn walk(&self, value: &mut Value, depth: u8, found: &mut Vec<Secret>) {
        if depth == 0 {
            *value = Value::String(self.mask(&value.to_string()));
            return;
        }
        match value {
            Value::String(text) => self.words(text, found),
            Value::Array(items) => {
                for item in items {
                    self.walk(item, depth - 1, found);
                }
            }
            Value::Object(map) => {
                self.named_pair(map, found);
                for (key, item) in map.iter_mut() {
                    match (key.as_str(), item) {
                        ("command" | "args", Value::Array(items)) => {
                            self.args(items.iter_mut().filter_map(as_string), found);
                        }
                        ("annotations", Value::Object(notes)) => self.annotations(notes, found),
                        (_, item) => self.walk(item, depth - 1, found),
                    }
                }
            }
            _ => {}
        }
    }

    /// `{name: X, value: Y}`: an environment variable or an HTTP header.
    fn named_pair(&self, map: &mut serde_json::Map<String, Value>, found: &mut Vec<Secret>) {
        let secret = map
            .get("name")
            .and_then(Value::as_str)
            .is_some_and(secret_env);
        if let (true, Some(Value::String(value))) = (secret, map.get_mut("value"))
            && !plain_value(value)
        {
            self.take(value, found);
        }
    }

    fn annotations(&self, notes: &mut serde_json::Map<String, Value>, found: &mut Vec<Secret>) {
        for (key, note) in notes.iter_mut() {
            let Value::String(value) = note else { continue };
            let name = key.rsplit('/').next().unwrap_or(key);
            if name == "last-applied-configuration" || (secret_env(name) && !plain_value(value)) {
                self.take(value, found);
            } else {
                self.words(value, found);
            }
        }
    }

    fn args<'a>(&self, args: impl Iterator<Item = &'a mut String>, found: &mut Vec<Secret>) {
        let mut next = Expected::Nothing;
        for arg in args {
            let expected = std::mem::replace(&mut next, Expected::Nothing);
            if !arg.starts_with('-') {
                next = expected.after(arg);
                if expected.is_met_by(arg) {
                    self.take(arg, found);
                } else if let Some((name, value)) = arg.split_once('=')
                    && names::identifier(name)
                    && secret_env(name)
                    && !plain_value(value)
                {
                    self.take_tail(arg, name.len() + 1, found);
                } else {
                    self.words(arg, found);
                }
                continue;
            }
            match arg.split_once('=') {
                Some((flag, value)) if secret_flag(flag) && !plain_value(value) => {
                    self.take_tail(arg, flag.len() + 1, found);
                }
                Some(_) => self.words(arg, found),
                None => {
                    next = expected.after(arg);
                    match expected.glued(arg) {
                        Some(from) => self.take_tail(arg, from, found),
                        None => self.words(arg, found),
                    }
                }
            }
        }
    }

    fn take(&self, value: &mut String, found: &mut Vec<Secret>) {
        self.take_tail(value, 0, found);
    }

    /// Masks what follows `from`, which is a character boundary.
    fn take_tail(&self, value: &mut String, from: usize, found: &mut Vec<Secret>) {
        let raw = value.split_off(from);
        let word = self.mask(&raw);
        value.push_str(&word);
        found.push(Secret { raw, word });
    }

    fn words(&self, text: &mut String, found: &mut Vec<Secret>) {
        for (from, to) in spans::spans(text).into_iter().rev() {
            let Some(raw) = text.get(from..to).map(str::to_owned) else {
                continue;
            };
            let word = self.mask(&raw);
            text.replace_range(from..to, &word);
            found.push(Secret { raw, word });
        }
    }
}

fn as_string(value: &mut Value) -> Option<&mut String> {
    match value {
        Value::String(text) => Some(text),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn masker() -> Masker {
        Masker::new([7; 32])
    }

    #[test]
    fn equal_secrets_give_equal_words_and_other_keys_other_words() {
        let one = masker();
        assert_eq!(one.mask("hunter2"), one.mask("hunter2"));
        assert_ne!(one.mask("hunter2"), one.mask("hunter3"));
        assert_ne!(one.mask("hunter2"), Masker::new([8; 32]).mask("hunter2"));
        assert_eq!(one.mask(&one.mask("hunter2")), one.mask("hunter2"));
        assert_eq!(one.mask("x").len(), "<masked 12345678>".len());
    }

    #[test]
    fn secrets_of_a_pod_are_masked_and_nothing_else() {
        let mut pod = json!({
            "metadata": {"annotations": {
                "kubectl.kubernetes.io/last-applied-configuration": "{\"env\":\"geheim\"}",
                "example.org/api-token": "geheim",
                "kubernetes.io/config.hash": "0123",
            }},
            "spec": {"containers": [{
                "name": "token",
                "image": "registry.example/token:1",
                "env": [
                    {"name": "DB_PASSWORD", "value": "geheim"},
                    {"name": "apiKey", "value": "geheim"},
                    {"name": "TOKEN_FILE", "value": "/var/run/secrets/token"},
                    {"name": "KEYCLOAK_HOST", "value": "sso"},
                    {"name": "PROXY", "value": "http://me:geheim@proxy:8080/"},
                ],
                "command": ["kube-apiserver", "--anonymous-auth=false", "--authorization-mode=Node,RBAC",
                    "--tls-private-key-file=/etc/kubernetes/pki/apiserver.key", "--etcd-password=geheim",
                    "--token", "geheim", "--enable-bootstrap-token-auth=true", "SECRET=geheim"],
                "livenessProbe": {"httpGet": {"httpHeaders": [{"name": "Authorization", "value": "Basic geheim"}]}},
                "args": ["-c", "curl -H 'Authorization: Bearer geheim' https://x/"],
            }]},
        });
        assert!(masker().mask_pod(&mut pod));
        let shown = pod.to_string();
        assert!(!shown.contains("geheim"), "{shown}");
        for kept in [
            "--anonymous-auth=false",
            "--authorization-mode=Node,RBAC",
            "apiserver.key",
            "/var/run/secrets/token",
            "\"sso\"",
            "registry.example/token:1",
            "--enable-bootstrap-token-auth=true",
            "http://<masked",
            "@proxy:8080/",
            "\"0123\"",
        ] {
            assert!(shown.contains(kept), "{kept} is gone: {shown}");
        }
        let again = pod.clone();
        masker().mask_pod(&mut pod);
        assert_eq!(pod, again, "masking twice changes nothing");
    }

    #[test]
    fn a_clean_pod_stays_untouched() {
        let mut pod =
            json!({"spec": {"containers": [{"command": ["etcd", "--data-dir=/var/lib/etcd"]}]}});
        let before = pod.clone();
        assert!(!masker().mask_pod(&mut pod));
        assert_eq!(pod, before);
    }

    #[test]
    fn headers_are_secrets_whatever_their_name() {
        let mut headers = json!({"X-Any": ["a", "b"]});
        assert!(masker().mask_headers(&mut headers));
        assert!(headers.to_string().matches("<masked ").count() == 2);
    }

    #[test]
    fn deep_nesting_ends() {
        let mut value = json!("geheim");
        for _ in 0..200 {
            value = json!([value]);
        }
        masker().mask_pod(&mut value);
        assert!(!value.to_string().contains("geheim"));
    }
}
