//! What the one who decides listens to: the API server on a runtime of its own, and orders.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use tokio::sync::watch;

use super::Plan;
use crate::collect::clock::now;
use crate::collect::kube::{self, Mode};
use crate::model::fact::Gap;
use crate::model::link::{Level, LogLine, Order, Update};
use crate::model::text::Text;

/// How long a connection that could not be made is left alone, at first and at most.
const AGAIN: (Duration, Duration) = (Duration::from_secs(5), Duration::from_mins(2));

/// One thing to act on.
pub(super) enum Input {
    Api(Update),
    Order(Order),
    ApiEnded,
}

/// Passes orders on.
pub(super) fn forward(
    orders: Receiver<Order>,
    inputs: SyncSender<Input>,
) -> io::Result<JoinHandle<()>> {
    Builder::new().name("orders".into()).spawn(move || {
        for order in orders {
            if inputs.send(Input::Order(order)).is_err() {
                return;
            }
        }
    })
}

/// Runs the API side on a runtime of its own. The thread ends when nobody listens any more.
pub(super) fn api_thread(
    plan: &Plan,
    inputs: SyncSender<Input>,
    asked: watch::Receiver<()>,
) -> io::Result<JoinHandle<()>> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()?;
    let (updates, inbox) = sync_channel(256);
    let tap = tap(inbox, inputs.clone())?;
    let (access, mode) = (plan.access.clone(), plan.mode);
    let options = kube::Options {
        namespaces: plan.namespaces.clone(),
        masker: Arc::clone(&plan.masker),
    };
    Builder::new().name("api".into()).spawn(move || {
        runtime.block_on(api(access, &options, updates, (mode, asked)));
        runtime.shutdown_background();
        let _ = tap.join();
        let _ = inputs.send(Input::ApiEnded);
    })
}

/// Connects and reads. A connection that cannot be made (a login program that fails) is told once; a live run
/// tries again, less and less often, and whenever somebody asks to read again.
async fn api(
    mut access: kube::Access,
    options: &kube::Options,
    updates: SyncSender<Update>,
    (mode, mut asked): (Mode, watch::Receiver<()>),
) {
    let (mut wait, longest) = AGAIN;
    let mut told: Option<Gap> = None;
    loop {
        let gap = match kube::connect(&access).await {
            Ok(connection) => return kube::run(&connection, options, updates, mode).await,
            Err(gap) => gap,
        };
        // Whatever may be asked was asked: the terminal belongs to the dashboard now.
        access.interactive = false;
        if told.as_ref() != Some(&gap) {
            let heard = updates.send(Update::Log(complaint(&gap)));
            if heard.is_err() || kube::unreachable(&gap, &updates).is_err() {
                return;
            }
            told = Some(gap);
        }
        if mode == Mode::Once {
            return;
        }
        tokio::select! {
            () = tokio::time::sleep(wait) => wait = (wait * 2).min(longest),
            outcome = asked.changed() => match outcome {
                Ok(()) => wait = AGAIN.0,
                // The run has ended.
                Err(_) => return,
            }
        }
    }
}

fn tap(updates: Receiver<Update>, inputs: SyncSender<Input>) -> io::Result<JoinHandle<()>> {
    Builder::new().name("api-tap".into()).spawn(move || {
        for update in updates {
            if inputs.send(Input::Api(update)).is_err() {
                return;
            }
        }
    })
}

fn complaint(gap: &Gap) -> LogLine {
    LogLine {
        at: now(),
        level: Level::Error,
        node: None,
        message: Text::from(format!("api: {gap}")),
        next: Some(gap.next_step()),
    }
}
