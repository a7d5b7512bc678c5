//! The loop: waits for keys, views, signals and time; runs effects; draws when something changed.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender};
use std::time::{Duration, Instant};

use crossterm::event::{self, Event, KeyEventKind};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use rustix::event::{PollFd, PollFlags, Timespec};

use super::app::{App, Effect, Msg, Toast};
use super::clipboard;
use super::form::NO_POLICY;
use super::history;
use super::signals::{Signal, Signals, wake};
use super::term::{self, Screen};
use super::theme::Theme;
use super::world::World;
use super::{Dumb, Options, Remote};
use crate::engine::Judged;
use crate::model::Timestamp;
use crate::model::link::Order;
use crate::model::policy::Waiver;
use crate::model::text::Text;

/// Time between frames that nobody asked for.
const LOCAL: Duration = Duration::from_millis(100);
const REMOTE: Duration = Duration::from_millis(250);
const SLOW: Duration = Duration::from_secs(1);
/// How often ages move on the screen: while something happens, and otherwise.
const LIVELY: Duration = Duration::from_secs(1);
const QUIET: Duration = Duration::from_mins(1);

struct Driver {
    app: App,
    theme: Theme,
    options: Options,
    screen: Screen,
    signals: Signals,
    views: Receiver<Arc<Judged>>,
    orders: Sender<Order>,
    /// Something changed since the last frame.
    stale: bool,
    drawn: Instant,
    ticked: Instant,
}

/// Why the loop ended.
enum End {
    Quit,
    Signal(&'static str),
}

pub(super) fn run(
    options: Options,
    views: Receiver<Arc<Judged>>,
    orders: Sender<Order>,
) -> io::Result<()> {
    let theme = options.resolved().map_err(io::Error::other)?;
    if options.environment.dumb == Dumb::Yes {
        return Err(io::Error::new(
            io::ErrorKind::Unsupported,
            "the dashboard needs a terminal that can move its cursor, TERM says it cannot\nnext: stakeout scan",
        ));
    }
    // Styles without colour still need their escape sequences: NO_COLOR is honoured by the theme.
    crossterm::style::force_color_output(true);
    let signals = Signals::watch()?;
    let screen = Screen::take()?;
    let views = forward(views, &signals)?;
    let mut driver = Driver {
        app: app(&options)?,
        theme,
        options,
        screen,
        signals,
        views,
        orders,
        stale: true,
        drawn: Instant::now(),
        ticked: Instant::now(),
    };
    let end = driver.drive();
    history::keep(driver.options.history.as_deref(), driver.app.commands());
    // The collectors may be gone already: then there is nothing to stop.
    let _ = driver.orders.send(Order::Stop);
    drop(driver);
    match end? {
        End::Quit => Ok(()),
        End::Signal(name) => Err(io::Error::new(
            io::ErrorKind::Interrupted,
            format!("ended by {name}"),
        )),
    }
}

fn app(options: &Options) -> io::Result<App> {
    let world = World::new(
        options.registry.clone(),
        options.context.clone(),
        options.source.clone(),
        now(options),
    );
    let mut app = App::new(world);
    app.update(Msg::Resize(Screen::size()?));
    app.recall(history::read(options.history.as_deref()));
    if let Some(start) = &options.start {
        app.open(start);
    }
    Ok(app)
}

/// Passes views on and wakes the loop for each: a channel cannot be waited for together with a terminal.
fn forward(views: Receiver<Arc<Judged>>, signals: &Signals) -> io::Result<Receiver<Arc<Judged>>> {
    let (sender, receiver) = mpsc::channel();
    let mut waker = signals.waker()?;
    std::thread::Builder::new()
        .name("views".to_owned())
        .spawn(move || {
            for view in views {
                if sender.send(view).is_err() {
                    return;
                }
                wake(&mut waker);
            }
        })?;
    Ok(receiver)
}

#[expect(
    clippy::disallowed_methods,
    reason = "the loop is where time enters the dashboard; a replay brings its own"
)]
fn now(options: &Options) -> Timestamp {
    options.now.unwrap_or_else(Timestamp::now)
}

impl Driver {
    fn drive(&mut self) -> io::Result<End> {
        self.draw()?;
        loop {
            self.wait()?;
            self.signals.drain();
            for signal in self.signals.take() {
                if let Some(end) = self.signal(signal)? {
                    return Ok(end);
                }
            }
            self.tick();
            self.take_views();
            let pressed = match self.take_keys()? {
                Ok(pressed) => pressed,
                Err(end) => return Ok(end),
            };
            // A key is answered at once; what nobody asked for keeps to the frame rate.
            if self.stale && (pressed || self.drawn.elapsed() >= self.pace()) {
                self.draw()?;
            }
        }
    }

    fn pace(&self) -> Duration {
        if self.options.slow {
            SLOW
        } else if self.options.environment.remote == Remote::Yes {
            REMOTE
        } else {
            LOCAL
        }
    }

    /// How long nothing has to be done; `None` for a replay, whose time stands still.
    fn patience(&self) -> Option<Duration> {
        let frame = self
            .stale
            .then(|| self.pace().saturating_sub(self.drawn.elapsed()));
        let tick = self
            .options
            .now
            .is_none()
            .then(|| self.every().saturating_sub(self.ticked.elapsed()));
        match (frame, tick) {
            (Some(frame), Some(tick)) => Some(frame.min(tick)),
            (one, other) => one.or(other),
        }
    }

    fn every(&self) -> Duration {
        if self.app.is_lively() { LIVELY } else { QUIET }
    }

    fn wait(&mut self) -> io::Result<()> {
        let timeout = self.patience().map(|patience| Timespec {
            tv_sec: i64::try_from(patience.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: i64::from(patience.subsec_nanos()),
        });
        let stdin = io::stdin();
        let wake = self.signals.descriptor();
        let mut watched = [
            PollFd::new(&stdin, PollFlags::IN),
            PollFd::from_borrowed_fd(wake, PollFlags::IN),
        ];
        match rustix::event::poll(&mut watched, timeout.as_ref()) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        let gone = PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL;
        if watched[0].revents().intersects(gone) {
            return Err(io::Error::new(
                io::ErrorKind::Interrupted,
                "the terminal is gone",
            ));
        }
        Ok(())
    }

    fn signal(&mut self, signal: Signal) -> io::Result<Option<End>> {
        match signal {
            Signal::Hangup => return Ok(Some(End::Signal("SIGHUP"))),
            Signal::Terminate => return Ok(Some(End::Signal("SIGTERM"))),
            Signal::Stop => self.suspend()?,
            Signal::Continue => {
                self.screen.resume()?;
                self.resize()?;
            }
            Signal::Resize => self.resize()?,
        }
        Ok(None)
    }

    fn resize(&mut self) -> io::Result<()> {
        self.app.update(Msg::Resize(Screen::size()?));
        self.screen.repaint();
        self.draw()
    }

    /// Gives the terminal to the shell until it says go on.
    fn suspend(&mut self) -> io::Result<()> {
        let alone = rustix::process::getsid(None)? == rustix::process::getpid();
        if alone {
            self.toast(Toast::warn(
                "no shell to go back to: this terminal runs stakeout alone",
            ));
            return Ok(());
        }
        term::leave();
        rustix::process::kill_current_process_group(rustix::process::Signal::STOP)?;
        // The stop may take effect on another thread first: the terminal is ours again only after SIGCONT.
        loop {
            let signals = self.signals.take();
            if signals.contains(&Signal::Continue) {
                break;
            }
            let mut watched = [PollFd::from_borrowed_fd(
                self.signals.descriptor(),
                PollFlags::IN,
            )];
            match rustix::event::poll(&mut watched, None) {
                Ok(_) | Err(rustix::io::Errno::INTR) => self.signals.drain(),
                Err(error) => return Err(error.into()),
            }
        }
        self.screen.resume()?;
        self.resize()
    }

    fn tick(&mut self) {
        if self.options.now.is_none() && self.ticked.elapsed() >= self.every() {
            self.app.update(Msg::Tick(now(&self.options)));
            self.ticked = Instant::now();
            self.stale = true;
        }
    }

    fn take_views(&mut self) {
        let mut all = Vec::new();
        while let Ok(view) = self.views.try_recv() {
            all.push(view);
        }
        if !all.is_empty() {
            self.app.update(Msg::Tick(now(&self.options)));
            self.app.update(Msg::Views(all));
            self.stale = true;
        }
    }

    /// Takes everything that was typed; true where something was.
    fn take_keys(&mut self) -> io::Result<Result<bool, End>> {
        let mut pressed = false;
        while event::poll(Duration::ZERO)? {
            let msg = match event::read()? {
                Event::Key(key) if key.kind != KeyEventKind::Release => Msg::Key(key),
                Event::Paste(text) => Msg::Paste(text),
                _ => continue,
            };
            pressed = true;
            self.stale = true;
            for effect in self.app.update(msg) {
                if let Some(end) = self.effect(effect)? {
                    return Ok(Err(end));
                }
            }
        }
        Ok(Ok(pressed))
    }

    fn effect(&mut self, effect: Effect) -> io::Result<Option<End>> {
        match effect {
            Effect::Quit => return Ok(Some(End::Quit)),
            Effect::Suspend => self.suspend()?,
            Effect::Redraw => self.screen.repaint(),
            Effect::Theme(name) => match Theme::built_in(&name, self.options.tier()) {
                Ok(theme) => self.theme = theme,
                Err(message) => self.toast(Toast::warn(message)),
            },
            Effect::Order(order) => {
                if self.orders.send(order).is_err() {
                    self.toast(Toast::warn(
                        "nothing collects here: this is a recorded view",
                    ));
                }
            }
            Effect::Copy(clip) => {
                let toast = clipboard::copy(
                    &clip,
                    self.options.environment.multiplexer,
                    self.options.copies.as_deref(),
                    &mut self.screen,
                );
                self.toast(toast);
            }
            Effect::Waive(waiver) => self.waive(&waiver),
            // The app keeps these to itself.
            Effect::Open(_)
            | Effect::Swap(_)
            | Effect::Back
            | Effect::Say(_)
            | Effect::Accept(_) => {}
        }
        Ok(None)
    }

    fn waive(&mut self, waiver: &Waiver) {
        let written = match &self.options.accept {
            Some(accept) => accept(waiver),
            None => Err(NO_POLICY.to_owned()),
        };
        let toast = match written {
            Ok(file) => {
                let text = format!("accepted {}: written to {}", waiver.check, file.name);
                // Without collectors the file is written all the same, and holds from the next start.
                let _ = self.orders.send(Order::Policy(Arc::new(file)));
                Toast::plain(text)
            }
            Err(message) => Toast::warn(Text::from(message.replace('\n', "  ")).as_str()),
        };
        self.toast(toast);
    }

    fn toast(&mut self, toast: Toast) {
        self.app.update(Msg::Done(toast));
        self.stale = true;
    }

    fn draw(&mut self) -> io::Result<()> {
        let size = self.app.size();
        let mut next = Buffer::empty(Rect::new(0, 0, size.width, size.height));
        self.app.view(&self.theme, &mut next);
        self.screen.show(next)?;
        self.stale = false;
        self.drawn = Instant::now();
        Ok(())
    }
}
