//! The way out: from async tasks to the engine's blocking channel.
//!
//! The engine reads a bounded `std` channel, and a full one blocks whoever sends. That must not be a
//! thread of the runtime, so tasks send into a small tokio channel and wait there, and one plain thread
//! carries on to the engine. Order is kept, memory is bounded, and the engine's pace reaches the server.

use std::sync::mpsc::SyncSender;

use tokio::sync::{mpsc, oneshot};

use crate::collect::clock::now;
use crate::model::fact::Gap;
use crate::model::link::{Level, LogLine, Update};
use crate::model::text::Text;

/// Pages that may wait between the two channels.
const WAITING: usize = 4;

/// Where tasks send.
#[derive(Clone)]
pub(super) struct Sink(mpsc::Sender<Update>);

/// Nobody listens any more: the run is over.
#[derive(Debug)]
pub(super) struct Closed;

impl Sink {
    /// Waits until nobody listens any more.
    pub async fn closed(&self) {
        self.0.closed().await;
    }

    /// Waits while the engine is busy.
    pub(super) async fn send(&self, update: Update) -> Result<(), Closed> {
        self.0.send(update).await.map_err(|_| Closed)
    }

    pub(super) async fn send_all(&self, updates: Vec<Update>) -> Result<(), Closed> {
        for update in updates {
            self.send(update).await?;
        }
        Ok(())
    }

    pub(super) async fn log(&self, level: Level, message: impl Into<Text>) -> Result<(), Closed> {
        self.line(level, message.into(), None).await
    }

    /// A gap as it is met, with its next step.
    pub(super) async fn warn(&self, gap: &Gap, now: &str) -> Result<(), Closed> {
        let message = format!("{gap}; {now}");
        self.line(Level::Warn, message.into(), Some(gap.next_step()))
            .await
    }

    async fn line(&self, level: Level, message: Text, next: Option<Text>) -> Result<(), Closed> {
        self.send(Update::Log(LogLine {
            at: now(),
            level,
            node: None,
            message,
            next,
        }))
        .await
    }
}

/// Opens the way; the receiver is told when everything that was sent has arrived.
///
/// # Errors
/// Where no thread can be started.
pub(super) fn open(updates: SyncSender<Update>) -> std::io::Result<(Sink, oneshot::Receiver<()>)> {
    let (sender, mut receiver) = mpsc::channel(WAITING);
    let (done, finished) = oneshot::channel();
    let carry = move || {
        while let Some(update) = receiver.blocking_recv() {
            if updates.send(update).is_err() {
                break;
            }
        }
        // The run may have been given up before.
        let _ = done.send(());
    };
    std::thread::Builder::new()
        .name("api-updates".into())
        .spawn(carry)?;
    Ok((Sink(sender), finished))
}
