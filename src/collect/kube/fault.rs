//! What goes wrong with a request, in words that a person can use.

use std::error::Error;
use std::fmt::Write as _;
use std::io;

use crate::model::fact::Gap;
use crate::model::text::Text;

use super::guard::Refused;

/// Why a request brought nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The server answered, and not with 2xx.
    Status {
        code: u16,
        /// The message of its Status.
        message: Text,
        /// Seconds after which it wants to be asked again.
        retry_after: Option<u64>,
    },
    /// No answer, or half of one.
    Lost(Text),
    /// The connection broke under the request: a new one may hold.
    Broken(Text),
    /// The answer is longer than what is read of one.
    TooLarge { cap: usize },
    /// The answer cannot be understood.
    Garbled(Gap),
}

impl Fault {
    /// The version or the continue token is too old: list again.
    pub fn is_gone(&self) -> bool {
        matches!(self, Self::Status { code: 410, .. })
    }

    /// The server does not know the path.
    pub fn is_absent(&self) -> bool {
        matches!(self, Self::Status { code: 404, .. })
    }

    pub fn is_forbidden(&self) -> bool {
        matches!(self, Self::Status { code: 403, .. })
    }

    /// Asking again soon may help: the server is busy, starting or shutting down, or a proxy gave up.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Status { code, .. } => matches!(code, 429 | 500 | 502 | 503 | 504),
            Self::Broken(_) => true,
            _ => false,
        }
    }

    /// From an error of the client: the causes are walked, the last word is never a Debug dump.
    pub fn of(error: &(dyn Error + 'static)) -> Self {
        let words = words(error);
        if BROKEN.contains(&words.as_str()) {
            Self::Broken(words.into())
        } else {
            Self::Lost(words.into())
        }
    }

    /// The gap that stands for `verb resource`.
    pub fn gap(&self, verb: &str, resource: &str) -> Gap {
        let detail = match self {
            Self::Status { code: 403, .. } => {
                return Gap::Forbidden {
                    verb: verb.into(),
                    resource: resource.into(),
                };
            }
            Self::Garbled(gap) => return gap.clone(),
            Self::Status { code, message, .. } => {
                let meaning = meaning(*code);
                let mut detail = format!("{verb} {resource}: {code} {meaning}");
                if !message.is_empty() {
                    let _ = write!(detail, ": {message}");
                }
                detail
            }
            Self::Lost(cause) | Self::Broken(cause) => format!("{verb} {resource}: {cause}"),
            Self::TooLarge { cap } => {
                format!("{verb} {resource}: the answer is longer than {cap} bytes")
            }
        };
        Gap::Api {
            detail: detail.into(),
        }
    }
}

const RESET: &str = "the connection was reset";
const CUT: &str = "the connection was cut";
const CUT_ANSWER: &str = "the connection was cut in mid-answer";
const BROKEN: [&str; 3] = [RESET, CUT, CUT_ANSWER];

/// What a status means here.
fn meaning(code: u16) -> &'static str {
    match code {
        400 => "bad request",
        401 => "unauthorised, the credentials are missing, wrong or expired",
        404 => "not found, the server does not serve it",
        406 => "not acceptable",
        410 => "gone, the version is too old",
        429 => "too many requests, the server is busy",
        500 => "internal error of the server",
        502 => "bad gateway, a proxy in between found no server",
        503 => "unavailable, the server starts, stops or is overloaded",
        504 => "timeout inside the server",
        300..=399 => "a redirect, this is not an API server",
        _ => "unexpected answer",
    }
}

/// The innermost cause that says something, with the ones that a person knows by their own words.
fn words(error: &(dyn Error + 'static)) -> String {
    let mut last = error.to_string();
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(known) = known(error) {
            return known;
        }
        last = error.to_string();
        cause = error.source().or_else(|| inside(error));
    }
    last
}

/// An IO error shows the error that it wraps, but names it as its own source only from that one on.
fn inside<'e>(error: &'e (dyn Error + 'static)) -> Option<&'e (dyn Error + 'static)> {
    let wrapped = error.downcast_ref::<io::Error>()?.get_ref()?;
    Some(wrapped as &(dyn Error + 'static))
}

fn known(error: &(dyn Error + 'static)) -> Option<String> {
    if let Some(refused) = error.downcast_ref::<Refused>() {
        return Some(refused.to_string());
    }
    if let Some(tls) = error.downcast_ref::<openssl::ssl::Error>() {
        return certificate(&tls.to_string());
    }
    if let Some(io) = error.downcast_ref::<io::Error>() {
        // A wrapped error says more than the kind that it was wrapped with.
        if io.get_ref().is_none() || io.kind() == io::ErrorKind::TimedOut {
            return kind(io.kind()).map(str::to_owned);
        }
    }
    let text = error.to_string();
    for (part, said) in [
        (
            "failed to lookup address",
            "the server's name cannot be resolved",
        ),
        ("connection closed before message completed", CUT),
        ("unexpected EOF during chunk", CUT_ANSWER),
        ("end of file before message length reached", CUT_ANSWER),
        ("deadline has elapsed", "no answer in time"),
    ] {
        if text.contains(part) {
            return Some(said.to_owned());
        }
    }
    certificate(&text)
}

fn kind(kind: io::ErrorKind) -> Option<&'static str> {
    Some(match kind {
        io::ErrorKind::ConnectionRefused => "connection refused, nothing listens there",
        io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted => RESET,
        io::ErrorKind::HostUnreachable => "no route to the host",
        io::ErrorKind::NetworkUnreachable => "the network is unreachable",
        io::ErrorKind::TimedOut => "no connection in time",
        io::ErrorKind::BrokenPipe | io::ErrorKind::UnexpectedEof => CUT,
        _ => return None,
    })
}

/// OpenSSL's words for a failed handshake, translated.
fn certificate(text: &str) -> Option<String> {
    for (part, said) in [
        (
            "self-signed certificate",
            "the server's certificate is self-signed and not the one that the kubeconfig names",
        ),
        (
            "unable to get local issuer",
            "the server's certificate is not from the authority that the kubeconfig names",
        ),
        (
            "certificate has expired",
            "the server's certificate has expired",
        ),
        (
            "certificate is not yet valid",
            "the server's certificate is not valid yet: compare the clocks",
        ),
        (
            "ostname mismatch",
            "the server's certificate is for another name: see tls-server-name in the kubeconfig",
        ),
        (
            "IP address mismatch",
            "the server's certificate is for another address: see tls-server-name in the kubeconfig",
        ),
        (
            "certificate verify failed",
            "the server's certificate does not verify",
        ),
        (
            "certificate required",
            "the server asks for a client certificate",
        ),
        (
            "bad certificate",
            "the server refuses the client certificate",
        ),
        (
            "unknown ca",
            "the server does not know the authority of the client certificate",
        ),
        ("certificate expired", "the client certificate has expired"),
        (
            "wrong version number",
            "the server does not speak TLS: should the kubeconfig say http:// ?",
        ),
        (
            "packet length too long",
            "the server does not speak TLS: should the kubeconfig say http:// ?",
        ),
    ] {
        if text.contains(part) {
            return Some(said.to_owned());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_are_named_as_a_person_would() {
        let refused = io::Error::from(io::ErrorKind::ConnectionRefused);
        let wrapped = io::Error::other(refused);
        assert_eq!(words(&wrapped), "connection refused, nothing listens there");
        let timed_out = io::Error::new(io::ErrorKind::TimedOut, "deadline has elapsed");
        assert_eq!(words(&timed_out), "no connection in time");
        let odd = io::Error::other("strange thing");
        assert_eq!(words(&odd), "strange thing");
    }

    #[test]
    fn statuses_become_gaps() {
        let status = |code| Fault::Status {
            code,
            message: "why".into(),
            retry_after: None,
        };
        assert_eq!(
            status(403).gap("list", "pods"),
            Gap::Forbidden {
                verb: "list".into(),
                resource: "pods".into()
            }
        );
        let Gap::Api { detail } = status(401).gap("list", "pods") else {
            panic!("an API gap");
        };
        assert_eq!(
            detail,
            "list pods: 401 unauthorised, the credentials are missing, wrong or expired: why"
        );
        assert!(status(410).is_gone() && status(503).is_passing() && !status(401).is_passing());
    }
}
