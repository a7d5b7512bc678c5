//! What a request is, in the words of Kubernetes' authorisation.

use std::collections::BTreeMap;
use std::time::Duration;

use http::{HeaderMap, Method, Uri};

/// A request as it arrived.
#[derive(Clone, Debug)]
pub struct Seen {
    pub method: String,
    pub path: String,
    pub query: BTreeMap<String, String>,
    /// `list`, `watch`, `get`, `create`, or the method in lower case.
    pub verb: String,
    /// `pods`, `selfsubjectaccessreviews`, `version`, ...
    pub resource: String,
    pub namespace: String,
    pub name: String,
    pub headers: BTreeMap<String, String>,
}

/// What a rule does to a request.
#[derive(Clone, Debug)]
pub enum Effect {
    /// An answer of this status with a Status object; 403 and 401 are the usual ones.
    Status(u16),
    /// The usual answer, this much later.
    Slow(Duration),
    /// This many bytes of the usual answer, then the connection is cut.
    Cut(usize),
    /// 200 and these bytes.
    Body(Vec<u8>),
    /// No answer at all.
    Silent,
}

impl Seen {
    pub(super) fn new(method: &Method, uri: &Uri, headers: &HeaderMap) -> Self {
        let query: BTreeMap<_, _> = uri
            .query()
            .unwrap_or("")
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .map(|(key, value)| (key.to_owned(), unescape(value)))
            .collect();
        let segments: Vec<_> = uri
            .path()
            .split('/')
            .filter(|part| !part.is_empty())
            .collect();
        let inside = match segments.as_slice() {
            ["api", _, rest @ ..] | ["apis", _, _, rest @ ..] => rest,
            other => other,
        };
        let (namespace, resource, name) = match inside {
            ["namespaces", namespace, resource, rest @ ..] => (*namespace, *resource, rest.first()),
            [resource, rest @ ..] => ("", *resource, rest.first()),
            [] => ("", "", None),
        };
        let name = name.copied().unwrap_or("");
        let watches = query
            .get("watch")
            .is_some_and(|value| value == "1" || value == "true");
        let verb = match method.as_str() {
            "GET" if watches => "watch",
            "GET" if name.is_empty() => "list",
            "GET" => "get",
            "POST" => "create",
            other => &other.to_ascii_lowercase(),
        };
        Self {
            method: method.to_string(),
            path: uri.path().to_owned(),
            verb: verb.to_owned(),
            resource: resource.to_owned(),
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            query,
            headers: headers
                .iter()
                .map(|(name, value)| {
                    let value = String::from_utf8_lossy(value.as_bytes());
                    (name.to_string(), value.into_owned())
                })
                .collect(),
        }
    }

    /// Whether it is `verb resource`.
    pub fn is(&self, verb: &str, resource: &str) -> bool {
        self.verb == verb && self.resource == resource
    }

    /// Whether it continues a list.
    pub fn continues(&self) -> bool {
        self.query.contains_key("continue")
    }

    /// What stakeout promises never to send.
    pub(super) fn violation(&self) -> Option<String> {
        let upgrade = self.headers.contains_key("upgrade");
        let review = self.method == "POST"
            && matches!(
                self.path.as_str(),
                "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
                    | "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews"
            );
        let allowed = (self.method == "GET" || review) && !upgrade;
        (!allowed).then(|| format!("{} {}", self.method, self.path))
    }
}

fn unescape(raw: &str) -> String {
    let bytes = raw.as_bytes();
    let mut out = Vec::new();
    let mut index = 0;
    while let Some(byte) = bytes.get(index) {
        let digits = raw.get(index + 1..index + 3);
        match (
            byte,
            digits.and_then(|hex| u8::from_str_radix(hex, 16).ok()),
        ) {
            (b'%', Some(value)) => {
                out.push(value);
                index += 3;
            }
            (byte, _) => {
                out.push(*byte);
                index += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}
