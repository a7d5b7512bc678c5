//! Nothing but reads leaves the process: the outermost layer of the client refuses every other request.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use http::{Method, Request, header};
use tower::{BoxError, Layer, Service};

/// Asking the API server what oneself may do. It answers and stores nothing, but the verb is create.
const REVIEWS: [&str; 2] = [
    "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
    "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews",
];

/// Subresources that act or tunnel although they are reached by GET.
const ACTING: [&str; 4] = ["exec", "attach", "portforward", "proxy"];

/// A request that was refused before it was sent.
#[derive(Debug, PartialEq, Eq)]
pub struct Refused {
    method: Method,
    path: String,
    why: &'static str,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { method, path, why } = self;
        write!(f, "refused to send {method} {path}: {why}")
    }
}

impl std::error::Error for Refused {}

/// Judges a request by what it is, not by who makes it.
///
/// # Errors
/// The refusal, for everything that is not a plain GET or a review of oneself.
pub fn check<B>(request: &Request<B>) -> Result<(), Refused> {
    let path = request.uri().path();
    let refuse = |why| {
        Err(Refused {
            method: request.method().clone(),
            path: path.to_owned(),
            why,
        })
    };
    let upgrades = request.headers().contains_key(header::UPGRADE)
        || request
            .headers()
            .keys()
            .any(|name| name.as_str().starts_with("sec-websocket"))
        || request
            .headers()
            .get_all(header::CONNECTION)
            .iter()
            .any(|value| {
                value
                    .as_bytes()
                    .to_ascii_lowercase()
                    .windows(7)
                    .any(|word| word == b"upgrade")
            });
    if upgrades {
        return refuse("stakeout opens no tunnel");
    }
    if *request.method() == Method::GET {
        if acts(path) {
            return refuse("this subresource acts");
        }
        return Ok(());
    }
    if *request.method() == Method::POST && REVIEWS.contains(&path) {
        return Ok(());
    }
    refuse("stakeout is read-only")
}

/// Whether a path names a subresource that acts: `/api/v1[/namespaces/NS]/{pods,services,nodes}/NAME/exec...`.
///
/// Escapes and empty segments have no place in a path that stakeout builds, so they count as acting too.
fn acts(path: &str) -> bool {
    if path.contains('%') || path.contains("//") {
        return true;
    }
    let segments: Vec<_> = path.split('/').skip(1).collect();
    segments.windows(3).any(|window| {
        matches!(window[0], "pods" | "services" | "nodes") && ACTING.contains(&window[2])
    })
}

/// Wraps a service in the guard.
#[derive(Clone, Copy, Debug, Default)]
pub struct Guard;

impl<S> Layer<S> for Guard {
    type Service = Guarded<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Guarded { inner }
    }
}

/// A service that sees allowed requests only.
#[derive(Clone, Debug)]
pub struct Guarded<S> {
    inner: S,
}

impl<S, B> Service<Request<B>> for Guarded<S>
where
    S: Service<Request<B>>,
    S::Error: Into<BoxError>,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = Outcome<S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        match check(&request) {
            Ok(()) => Outcome::Sent(Box::pin(self.inner.call(request))),
            Err(refused) => Outcome::Refused(Some(refused)),
        }
    }
}

/// The answer, or the refusal.
pub enum Outcome<F> {
    Sent(Pin<Box<F>>),
    /// Taken by the first poll.
    Refused(Option<Refused>),
}

impl<F, R, E> Future for Outcome<F>
where
    F: Future<Output = Result<R, E>>,
    E: Into<BoxError>,
{
    type Output = Result<R, BoxError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut *self {
            Self::Sent(future) => future.as_mut().poll(context).map_err(Into::into),
            Self::Refused(refused) => match refused.take() {
                Some(refused) => Poll::Ready(Err(refused.into())),
                None => Poll::Pending,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(method: &str, path: &str, headers: &[(&str, &str)]) -> Request<()> {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.body(()).expect("a request")
    }

    #[test]
    fn only_reads_and_reviews_of_oneself_pass() {
        let verbs = [
            "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE", "get",
            "MKCOL", "UPDATE",
        ];
        let paths = [
            "/api/v1/nodes",
            "/api/v1/namespaces/kube-system/pods?limit=500&continue=abc",
            "/api/v1/namespaces/x/pods/y/eviction",
            "/apis/authorization.k8s.io/v1/subjectaccessreviews",
            "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews/",
            "/apis/authorization.k8s.io/v1beta1/selfsubjectaccessreviews",
            REVIEWS[0],
            REVIEWS[1],
        ];
        for verb in verbs {
            for path in paths {
                let allowed = verb == "GET" || (verb == "POST" && REVIEWS.contains(&path));
                let outcome = check(&request(verb, path, &[]));
                assert_eq!(outcome.is_ok(), allowed, "{verb} {path}: {outcome:?}");
            }
        }
    }

    /// Counts what reaches the wire.
    #[derive(Default)]
    struct Wire(usize);

    impl Service<Request<()>> for Wire {
        type Response = ();
        type Error = std::io::Error;
        type Future = std::future::Ready<Result<(), std::io::Error>>;

        fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
            Poll::Ready(Ok(()))
        }

        fn call(&mut self, _: Request<()>) -> Self::Future {
            self.0 += 1;
            std::future::ready(Ok(()))
        }
    }

    #[test]
    fn what_is_refused_never_reaches_the_wire() {
        let mut guarded = Guard.layer(Wire::default());
        let mut context = Context::from_waker(std::task::Waker::noop());
        for (method, path, sent) in [
            ("DELETE", "/api/v1/nodes/cp-1", 0),
            ("PATCH", "/api/v1/nodes/cp-1", 0),
            ("GET", "/api/v1/namespaces/a/pods/b/exec", 0),
            ("GET", "/api/v1/nodes", 1),
            ("POST", REVIEWS[0], 2),
            ("POST", "/api/v1/nodes", 2),
        ] {
            let mut answer = Box::pin(guarded.call(request(method, path, &[])));
            let Poll::Ready(outcome) = answer.as_mut().poll(&mut context) else {
                panic!("{method} {path} hangs");
            };
            assert_eq!(guarded.inner.0, sent, "{method} {path}");
            if let Err(error) = outcome {
                let words = error.to_string();
                assert!(
                    words.starts_with(&format!("refused to send {method}")),
                    "{words}"
                );
            }
        }
    }

    #[test]
    fn no_upgrade_passes() {
        for (name, value) in [
            ("upgrade", "websocket"),
            ("Upgrade", "SPDY/3.1"),
            ("connection", "keep-alive, Upgrade"),
            ("sec-websocket-key", "x"),
            ("Sec-WebSocket-Protocol", "v5.channel.k8s.io"),
        ] {
            let outcome = check(&request("GET", "/api/v1/nodes", &[(name, value)]));
            assert!(outcome.is_err(), "{name}: {value}");
            let outcome = check(&request("POST", REVIEWS[0], &[(name, value)]));
            assert!(outcome.is_err(), "{name}: {value}");
        }
    }

    #[test]
    fn no_subresource_acts_by_get() {
        for path in [
            "/api/v1/namespaces/x/pods/y/exec?command=id",
            "/api/v1/namespaces/x/pods/y/attach",
            "/api/v1/namespaces/x/pods/y/portforward",
            "/api/v1/namespaces/x/pods/y/proxy/metrics",
            "/api/v1/nodes/cp-1/proxy/run/x",
            "/api/v1/namespaces/x/services/y/proxy/",
            "/api/v1/nodes/cp-1/%70roxy/run",
            "/api/v1//nodes/cp-1",
        ] {
            assert!(check(&request("GET", path, &[])).is_err(), "{path}");
        }
        for path in [
            "/api/v1/namespaces/exec/pods",
            "/api/v1/namespaces/proxy/pods/exec",
            "/api/v1/nodes/proxy",
        ] {
            assert_eq!(check(&request("GET", path, &[])), Ok(()), "{path}");
        }
    }
}
