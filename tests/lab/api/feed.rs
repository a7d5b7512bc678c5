//! A body whose frames are sent as they come.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame};
use tokio::sync::mpsc;

/// The end of a body that hyper reads.
pub(super) struct Feed(mpsc::Receiver<std::io::Result<Bytes>>);

/// The end that is written to.
pub(super) type Mouth = mpsc::Sender<std::io::Result<Bytes>>;

/// A body and how to feed it.
pub(super) fn open() -> (Mouth, Feed) {
    let (mouth, feed) = mpsc::channel(4);
    (mouth, Feed(feed))
}

impl Body for Feed {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
        self.0
            .poll_recv(context)
            .map(|next| next.map(|bytes| bytes.map(Frame::data)))
    }
}
