//! Requests and answers: every one with a deadline and a bound.

use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use http::{Request, header};
use http_body::Body as _;
use http_body_util::BodyExt as _;
use kube::client::Body;

use crate::collect::clock::now;
use crate::collect::lock;
use crate::model::offset::Offset;
use crate::probes::api::event;

use super::fault::Fault;

/// A page of 500 pods is 2 to 10 MB.
pub(super) const PAGE: usize = 64 << 20;
/// One object: etcd takes 1.5 MB.
const LINE: usize = 4 << 20;
/// An error answer is a sentence.
const ERROR: usize = 64 << 10;
/// Attempts on a server that says that it is busy.
const ATTEMPTS: u32 = 3;
/// It may ask for a longer wait than anybody would sit through.
const LONGEST_WAIT: Duration = Duration::from_secs(2);

/// When an answer was made, by its own words (RFC 9110, 6.6.1), in seconds since the epoch.
fn dated(headers: &http::HeaderMap) -> Option<i64> {
    let date = headers.get(header::DATE)?.to_str().ok()?;
    let parser = jiff::fmt::rfc2822::DateTimeParser::new();
    let date = parser.parse_timestamp(date).ok()?;
    Some(date.as_second())
}

/// What is asked for where nothing else is said.
const JSON: &str = "application/json";

/// How patient a run is with its server.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// How long it may think before it answers.
    pub answer: Duration,
    /// How long it may pause in mid-answer.
    pub pause: Duration,
    /// How long one answer may take as a whole, dripping or not.
    pub whole: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            answer: Duration::from_secs(30),
            pause: Duration::from_secs(15),
            whole: Duration::from_mins(5),
        }
    }
}

/// The client with its bounds.
#[derive(Clone)]
pub(super) struct Wire {
    client: kube::Client,
    patience: Patience,
    /// The server's clock, by its last answer.
    clock: Arc<Mutex<Option<Offset>>>,
}

impl Wire {
    pub(super) fn new(client: kube::Client, patience: Patience) -> Self {
        Self {
            client,
            patience,
            clock: Arc::default(),
        }
    }

    /// The server's clock against this machine's, as its last answer dated itself; none where it did not.
    pub(super) fn clock(&self) -> Option<Offset> {
        *lock(&self.clock)
    }

    /// The whole answer, of at most `cap` bytes. A busy server is asked again a few times.
    pub(super) async fn get(&self, target: &str, cap: usize) -> Result<Vec<u8>, Fault> {
        self.get_as(target, cap, JSON).await
    }

    /// The same, in another form of JSON.
    pub(super) async fn get_as(
        &self,
        target: &str,
        cap: usize,
        form: &str,
    ) -> Result<Vec<u8>, Fault> {
        let mut attempt = 1;
        loop {
            match self.once(target, cap, form).await {
                Err(fault) if fault.is_passing() && attempt < ATTEMPTS => {
                    let wait = match fault {
                        Fault::Status {
                            retry_after: Some(seconds),
                            ..
                        } => Duration::from_secs(seconds),
                        _ => Duration::from_millis(250) * attempt,
                    };
                    tokio::time::sleep(wait.min(LONGEST_WAIT)).await;
                    attempt += 1;
                }
                outcome => return outcome,
            }
        }
    }

    async fn once(&self, target: &str, cap: usize, form: &str) -> Result<Vec<u8>, Fault> {
        let body = self.open(target, &[(header::ACCEPT, form)]).await?;
        let Patience { pause, whole, .. } = self.patience;
        bounded(whole, collect(body, cap, pause)).await
    }

    /// The lines of a watch, as they come.
    pub(super) async fn follow(&self, target: &str, form: &str) -> Result<Lines, Fault> {
        // Since 1.37 the server compresses each event on its own; decoders stop after the first one.
        let plain = (header::ACCEPT_ENCODING, "identity");
        let body = self.open(target, &[(header::ACCEPT, form), plain]).await?;
        Ok(Lines::new(body))
    }

    async fn open(
        &self,
        target: &str,
        headers: &[(header::HeaderName, &str)],
    ) -> Result<Body, Fault> {
        let mut request = Request::get(target);
        for (name, value) in headers {
            request = request.header(name, *value);
        }
        let request = request
            .body(Body::empty())
            .map_err(|error| Fault::of(&error))?;
        let begun = now();
        let answer = bounded(self.patience.answer, async {
            self.client
                .send(request)
                .await
                .map_err(|error| Fault::of(&error))
        });
        let (head, body) = answer.await?.into_parts();
        if let Some(second) = dated(&head.headers) {
            let offset = Offset::measured(second, begun, now());
            *lock(&self.clock) = Some(offset);
        }
        if head.status.is_success() {
            return Ok(body);
        }
        let retry_after = head
            .headers
            .get(header::RETRY_AFTER)
            .and_then(|value| value.to_str().ok()?.parse().ok());
        // The status is what counts; a cut or endless explanation of it is no second fault.
        let said = bounded(
            self.patience.pause,
            collect(body, ERROR, self.patience.pause),
        )
        .await;
        Err(Fault::Status {
            code: head.status.as_u16(),
            message: event::status_message(&said.unwrap_or_default()),
            retry_after,
        })
    }
}

async fn bounded<T>(
    limit: Duration,
    work: impl Future<Output = Result<T, Fault>>,
) -> Result<T, Fault> {
    match tokio::time::timeout(limit, work).await {
        Ok(outcome) => outcome,
        Err(_) => Err(Fault::Lost(format!("no answer within {limit:?}").into())),
    }
}

async fn collect(mut body: Body, cap: usize, pause: Duration) -> Result<Vec<u8>, Fault> {
    let mut all = Vec::new();
    while let Some(frame) = bounded(pause, async { Ok(body.frame().await) }).await? {
        let frame = frame.map_err(|error| Fault::of(&error))?;
        if let Ok(bytes) = frame.into_data() {
            if all.len() + bytes.len() > cap {
                return Err(Fault::TooLarge { cap });
            }
            all.extend_from_slice(&bytes);
        }
    }
    Ok(all)
}

/// A stream of lines; each is an event of a watch.
pub(super) struct Lines {
    body: Body,
    buffer: Vec<u8>,
    /// Bytes of the buffer that hold no line break.
    searched: usize,
}

impl Lines {
    fn new(body: Body) -> Self {
        Self {
            body,
            buffer: Vec::new(),
            searched: 0,
        }
    }

    /// Complete lines that have arrived; none when the server closed the stream.
    pub(super) fn poll(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Result<Option<Vec<u8>>, Fault>> {
        loop {
            let frame = match Pin::new(&mut self.body).poll_frame(context) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(None) => return Poll::Ready(Ok(None)),
                Poll::Ready(Some(Err(error))) => return Poll::Ready(Err(Fault::of(&error))),
                Poll::Ready(Some(Ok(frame))) => frame,
            };
            let Ok(bytes) = frame.into_data() else {
                continue;
            };
            self.buffer.extend_from_slice(&bytes);
            let fresh = &self.buffer[self.searched..];
            if let Some(last) = fresh.iter().rposition(|byte| *byte == b'\n') {
                let rest = self.buffer.split_off(self.searched + last + 1);
                self.searched = rest.len();
                return Poll::Ready(Ok(Some(std::mem::replace(&mut self.buffer, rest))));
            }
            self.searched = self.buffer.len();
            if self.buffer.len() > LINE {
                return Poll::Ready(Err(Fault::TooLarge { cap: LINE }));
            }
        }
    }
}

/// Escapes a value for a query: a continue token is whatever the server chose.
pub(super) fn escape(raw: &str) -> String {
    let mut out = String::with_capacity(raw.len());
    for byte in raw.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                out.push(char::from(byte));
            }
            byte => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_cannot_add_parameters() {
        assert_eq!(escape("eyJ2IjoibWV0YS"), "eyJ2IjoibWV0YS");
        assert_eq!(escape("a&watch=1#x\n"), "a%26watch%3D1%23x%0A");
    }

    #[test]
    fn an_answer_dates_itself() {
        let date = |value: &'static str| {
            let mut headers = http::HeaderMap::new();
            headers.insert(header::DATE, http::HeaderValue::from_static(value));
            dated(&headers)
        };
        assert_eq!(date("Tue, 15 Nov 1994 08:12:31 GMT"), Some(784_887_151));
        assert_eq!(date("yesterday"), None);
        assert_eq!(dated(&http::HeaderMap::new()), None);
    }
}
