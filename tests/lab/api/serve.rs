//! The server's side of the wire.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use openssl::ssl::{Ssl, SslAcceptor};
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_openssl::SslStream;

use super::feed::{self, Feed, Mouth};
use super::route::{Effect, Seen};
use super::{Shared, lock};

/// The bearer token that is accepted beside the client certificate.
pub const TOKEN: &str = "lab-token";

/// What the server's thread needs.
pub(super) struct Inside {
    pub shared: Arc<Shared>,
    pub acceptor: SslAcceptor,
    pub address: SocketAddr,
    pub up: watch::Receiver<bool>,
    pub stop: watch::Receiver<bool>,
}

/// Serves until told to stop.
pub(super) fn run(listener: std::net::TcpListener, mut inside: Inside) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let mut stop = inside.stop.clone();
        tokio::select! {
            _ = stop.wait_for(|stop| *stop) => {}
            () = serve(listener, &mut inside) => {}
        }
    });
    runtime.shutdown_timeout(Duration::from_secs(1));
}

async fn serve(listener: std::net::TcpListener, inside: &mut Inside) {
    listener.set_nonblocking(true).expect("a socket");
    let mut listener = Some(TcpListener::from_std(listener).expect("a runtime"));
    let mut connections = tokio::task::JoinSet::new();
    loop {
        if !*inside.up.borrow_and_update() {
            listener = None;
            connections.abort_all();
            if inside.up.wait_for(|up| *up).await.is_err() {
                return;
            }
        }
        let open = match listener.take() {
            Some(open) => open,
            None => TcpListener::bind(inside.address)
                .await
                .expect("our own port"),
        };
        tokio::select! {
            accepted = open.accept() => {
                if let Ok((stream, _)) = accepted {
                    connections.spawn(connection(stream, inside.acceptor.clone(), Arc::clone(&inside.shared)));
                }
                listener = Some(open);
            }
            _ = inside.up.changed() => listener = Some(open),
        }
    }
}

async fn connection(stream: TcpStream, acceptor: SslAcceptor, shared: Arc<Shared>) {
    let ssl = Ssl::new(acceptor.context()).expect("our own context");
    let mut stream = SslStream::new(ssl, stream).expect("a socket");
    if Pin::new(&mut stream).accept().await.is_err() {
        return;
    }
    let known = stream.ssl().peer_certificate().is_some();
    let service = service_fn(move |request| {
        let shared = Arc::clone(&shared);
        async move { Ok::<_, Infallible>(answer(request, known, &shared).await) }
    });
    // A client that goes away ends its connection with an error, as it should.
    let _ = hyper::server::conn::http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

async fn answer(request: Request<Incoming>, known: bool, shared: &Arc<Shared>) -> Response<Feed> {
    let seen = Seen::new(request.method(), request.uri(), request.headers());
    lock(&shared.seen).push(seen.clone());
    if let Some(violation) = seen.violation() {
        lock(&shared.violations).push(violation);
        return status(405, "this double only serves reads");
    }
    let bearer = request
        .headers()
        .get(http::header::AUTHORIZATION)
        .is_some_and(|value| value == &format!("Bearer {TOKEN}"));
    if !known && !bearer {
        return status(401, "Unauthorized");
    }
    let effect = lock(&shared.rules).iter_mut().find_map(|rule| rule(&seen));
    match effect {
        None => usual(&seen, shared),
        Some(Effect::Status(code)) => status(code, "a rule of the lab says so"),
        Some(Effect::Slow(wait)) => {
            tokio::time::sleep(wait).await;
            usual(&seen, shared)
        }
        Some(Effect::Silent) => std::future::pending().await,
        Some(Effect::Body(body)) => whole(StatusCode::OK, body),
        Some(Effect::Cut(after)) => cut(usual(&seen, shared), after),
    }
}

fn usual(seen: &Seen, shared: &Arc<Shared>) -> Response<Feed> {
    match (seen.verb.as_str(), seen.resource.as_str()) {
        (_, "version") => whole(
            StatusCode::OK,
            json!({"major": "1", "minor": "37", "gitVersion": "v1.37.2"}).to_string(),
        ),
        (_, "readyz" | "livez") => whole(StatusCode::OK, "ok"),
        ("create", _) => whole(
            StatusCode::CREATED,
            json!({"kind": "SelfSubjectAccessReview", "status": {"allowed": true}}).to_string(),
        ),
        ("watch" | "list", resource) if !lock(&shared.store).serves(resource) => {
            status(404, "the server could not find the requested resource")
        }
        ("watch", _) => watching(seen, shared),
        ("list", _) => {
            let limit = (seen.query.get("limit")).and_then(|limit| limit.parse().ok());
            let token = seen.query.get("continue").map_or("", String::as_str);
            let slice = lock(&shared.store).page(
                &seen.resource,
                &seen.namespace,
                limit.unwrap_or(usize::MAX / 2),
                token,
            );
            match slice {
                Some(slice) => whole(StatusCode::OK, slice.body),
                None => status(410, "The provided continue parameter is too old"),
            }
        }
        _ => {
            let namespace = if seen.resource == "namespaces" {
                ""
            } else {
                &seen.namespace
            };
            let found = lock(&shared.store).get(&seen.resource, namespace, &seen.name);
            match found {
                Some(object) => whole(StatusCode::OK, object),
                None => status(404, "not found"),
            }
        }
    }
}

fn watching(seen: &Seen, shared: &Arc<Shared>) -> Response<Feed> {
    let from = seen.query.get("resourceVersion");
    let from: u64 = from.and_then(|version| version.parse().ok()).unwrap_or(0);
    let (mouth, body) = feed::open();
    let (seen, shared) = (seen.clone(), Arc::clone(shared));
    tokio::spawn(async move {
        let seconds = seen.query.get("timeoutSeconds");
        let seconds = seconds.and_then(|limit| limit.parse().ok()).unwrap_or(300);
        let limit = Duration::from_secs(seconds);
        // The end of its time is a good end.
        let _ = tokio::time::timeout(limit, events(&seen, from, &shared, &mouth)).await;
    });
    answer_with(StatusCode::OK, body)
}

async fn events(seen: &Seen, mut from: u64, shared: &Arc<Shared>, mouth: &Mouth) {
    let bookmarks = seen
        .query
        .get("allowWatchBookmarks")
        .is_some_and(|value| value == "true");
    let mut version = shared.version.subscribe();
    let mut cut = shared.cut.subscribe();
    loop {
        version.borrow_and_update();
        let changes = lock(&shared.store).since(&seen.resource, &seen.namespace, from);
        let Some(changes) = changes else {
            let gone = json!({"type": "ERROR", "object": {"kind": "Status", "code": 410,
                "reason": "Expired", "message": "too old resource version"}});
            // Who went away needs no farewell.
            let _ = mouth.send(Ok(format!("{gone}\n").into())).await;
            return;
        };
        for change in changes {
            from = change.version;
            if change.resource.is_none() && !bookmarks {
                continue;
            }
            let line = format!(
                r#"{{"type":"{}","object":{}}}{}"#,
                change.kind, change.object, '\n'
            );
            if mouth.send(Ok(line.into())).await.is_err() {
                return;
            }
        }
        tokio::select! {
            _ = version.changed() => {}
            _ = cut.changed() => return,
            () = mouth.closed() => return,
        }
    }
}

fn status(code: u16, message: &str) -> Response<Feed> {
    let body = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "message": message});
    let code = StatusCode::from_u16(code).expect("a status code");
    whole(code, body.to_string())
}

/// A body in chunks, as the API server writes long ones.
fn whole(code: StatusCode, body: impl Into<Bytes>) -> Response<Feed> {
    let (mouth, feed) = feed::open();
    let mut body = body.into();
    tokio::spawn(async move {
        while !body.is_empty() {
            let chunk = body.split_to(body.len().min(32 << 10));
            if mouth.send(Ok(chunk)).await.is_err() {
                return;
            }
        }
    });
    answer_with(code, feed)
}

fn cut(answer: Response<Feed>, after: usize) -> Response<Feed> {
    let (mouth, feed) = feed::open();
    let (head, mut body) = answer.into_parts();
    tokio::spawn(async move {
        use http_body_util::BodyExt as _;
        let mut left = after;
        while let Some(Ok(frame)) = body.frame().await {
            let Ok(mut bytes) = frame.into_data() else {
                continue;
            };
            bytes.truncate(left);
            left -= bytes.len();
            if mouth.send(Ok(bytes)).await.is_err() {
                return;
            }
            if left == 0 {
                break;
            }
        }
        let cut = std::io::Error::from(std::io::ErrorKind::ConnectionReset);
        // The reader learns of it in any case.
        let _ = mouth.send(Err(cut)).await;
    });
    Response::from_parts(head, feed)
}

fn answer_with(code: StatusCode, body: Feed) -> Response<Feed> {
    let mut answer = Response::new(body);
    *answer.status_mut() = code;
    let json = http::HeaderValue::from_static("application/json");
    answer
        .headers_mut()
        .insert(http::header::CONTENT_TYPE, json);
    answer
}
