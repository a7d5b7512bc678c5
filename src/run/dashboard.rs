//! The dashboard on a cluster, on a snapshot, or on the recorded fleet.

use std::io::{self, IsTerminal as _};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel, sync_channel};
use std::time::Duration;

use super::live;
use super::settings::Settings;
use crate::cli::Color;
use crate::collect::kube::{self, Mode};
use crate::collect::replay;
use crate::config;
use crate::engine::{self, Judged};
use crate::error::{Failure, Outcome};
use crate::model::Timestamp;
use crate::model::link::Order;
use crate::model::policy::Waiver;
use crate::model::snapshot::Snapshot;
use crate::model::text::Text;
use crate::tui::{self, ColorMode, Environment};

/// The fleet of the lab as a run saw it; made by the lab, checked by its tests.
const DEMO: &[u8] = include_bytes!("../../tests/fixtures/demo.jsonl.zst");

/// Long enough to see the fleet fill in, short enough not to wait for it.
const DEMO_PAUSE: Duration = Duration::from_millis(60);

/// `stakeout` and `stakeout --from FILE`.
///
/// # Errors
/// Without a terminal, and as collecting does.
pub fn open(settings: &Settings) -> Result<Outcome, Failure> {
    terminal()?;
    if settings.from.is_some() {
        let name = settings
            .from
            .as_deref()
            .map(|path| path.display().to_string());
        return play(
            settings,
            settings.snapshot()?,
            Duration::ZERO,
            &name.unwrap_or_default(),
        );
    }
    if kube::may_ask(&settings.access(true)) {
        log_in(settings);
    }
    let run = live::start(settings, Mode::Live)?;
    let context = settings
        .context()
        .unwrap_or_else(|| "(no context)".to_owned());
    let source = format!("the API server of {context}");
    let options = options(settings, &context, &source, None);
    let (views, stopper) = run.into_parts();
    let outcome = show(options, views, stopper.orders());
    stopper.stop();
    outcome
}

/// `stakeout demo`.
///
/// # Errors
/// Without a terminal.
pub fn demo(settings: &Settings) -> Result<Outcome, Failure> {
    terminal()?;
    let packed = zstd::Decoder::new(DEMO).map_err(|error| damaged(&error.to_string()))?;
    let snapshot = crate::disk::snapshot::read(io::BufReader::new(packed), "the recorded fleet")
        .map_err(|error| damaged(&error.to_string()))?;
    play(settings, snapshot, DEMO_PAUSE, "the recorded fleet")
}

fn damaged(error: &str) -> Failure {
    Failure::new(
        format!("cannot open the recorded fleet: {error}"),
        "install stakeout again",
    )
}

fn terminal() -> Result<(), Failure> {
    if io::stdout().is_terminal() && io::stdin().is_terminal() {
        return Ok(());
    }
    Err(Failure::new(
        "the dashboard needs a terminal: standard input or output is none",
        "stakeout scan",
    ))
}

/// Lets a login program talk to the terminal before the dashboard owns it; what it learns it keeps itself.
fn log_in(settings: &Settings) {
    if let Ok(runtime) = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
    {
        // The outcome is asked for again by the collection, which shows it.
        let _ = runtime.block_on(kube::connect(&settings.access(true)));
    }
}

/// Plays a snapshot through engine and dashboard.
fn play(
    settings: &Settings,
    snapshot: Snapshot,
    pause: Duration,
    source: &str,
) -> Result<Outcome, Failure> {
    let failed =
        |error: io::Error| Failure::new(format!("cannot start a thread: {error}"), "ulimit -u");
    let taken = snapshot.taken;
    let context = snapshot.cluster.context.to_string();
    let (updates, inbox) = sync_channel(256);
    let (views_out, views) = channel();
    let (orders, order_box) = channel();
    let mut start = Snapshot::empty(taken);
    start.taken_by.clone_from(&snapshot.taken_by);
    let engine_options = engine::Options {
        policy: settings.policy.clone(),
        start,
        now: Box::new(move || taken),
        interval: Duration::from_millis(100),
    };
    engine::spawn(engine_options, inbox, views_out).map_err(failed)?;
    replay::spawn(snapshot, pause, updates, order_box).map_err(failed)?;
    show(
        options(settings, &context, source, Some(taken)),
        views,
        orders,
    )
}

fn show(
    options: tui::Options,
    views: Receiver<Arc<Judged>>,
    orders: Sender<Order>,
) -> Result<Outcome, Failure> {
    match tui::run(options, views, orders) {
        Ok(()) => Ok(Outcome::Ok),
        // Ended by a signal: the terminal is restored, the caller knows why.
        Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(Outcome::Error),
        Err(error) => Err(Failure::new(
            format!("the dashboard ended: {error}"),
            "stakeout scan",
        )),
    }
}

fn options(
    settings: &Settings,
    context: &str,
    source: &str,
    now: Option<Timestamp>,
) -> tui::Options {
    let mut options = tui::Options::new(Text::new(context), Text::new(source));
    options.theme = settings
        .global
        .theme
        .clone()
        .or_else(|| settings.config.theme.clone());
    options.color = match settings.color {
        Color::Auto => ColorMode::Auto,
        Color::Never => ColorMode::Never,
        Color::Sixteen | Color::Indexed => ColorMode::Ansi,
        Color::Rgb => ColorMode::Rgb,
    };
    options.slow = settings.global.slow;
    options.now = now;
    options.copies = Some(settings.places.state.join("copied"));
    options.history = Some(settings.places.state.join("history"));
    options.accept = settings.policy_file.clone().map(|path| {
        let accept = move |waiver: &Waiver| {
            config::waive::accept(&path, waiver).map_err(|failure| failure.to_string())
        };
        Arc::new(accept) as tui::Accept
    });
    options.environment = Environment::read(&|name| settings.var(name));
    options
}
