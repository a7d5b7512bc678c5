//! The dashboard as a machine without IO: messages in, state and effects out, a frame as a function of both.

use std::sync::Arc;

use crossterm::event::KeyEvent;
use ratatui::layout::Size;

use super::dialog::Dialog;
use super::form::Form;
use super::history;
use super::keys::{self, Action, EVERYWHERE};
use super::pane::{self, Address, Pane};
use super::prompt::{self, Prompt, Said};
use super::theme::Token;
use super::world::{Identity, World};
use crate::engine::Judged;
use crate::model::Timestamp;
use crate::model::ask::QuestionId;
use crate::model::link::Order;
use crate::model::policy::Waiver;
use crate::model::text::Text;

/// What happened.
#[derive(Clone, Debug)]
pub enum Msg {
    Key(KeyEvent),
    Paste(String),
    Resize(Size),
    /// Everything that the engine sent since the last frame, in order.
    Views(Vec<Arc<Judged>>),
    Tick(Timestamp),
    /// How an effect went.
    Done(Toast),
}

/// What is to be done outside. `Open`, `Swap`, `Back`, `Say` and `Accept` are the app's own and never leave it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    Open(Address),
    /// A view in the place of the one that is shown, which keeps its state meanwhile.
    Swap(Address),
    Back,
    Say(Toast),
    /// Asks who accepts the risk of a finding.
    Accept(Identity),
    /// A waiver for the policy file.
    Waive(Box<Waiver>),
    Copy(Clip),
    Order(Order),
    Theme(String),
    Suspend,
    Redraw,
    Quit,
}

/// Text for the clipboard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clip {
    /// What it is: `step 1`, `ssh command`.
    pub what: String,
    pub text: String,
}

/// One line for the reader, until the next key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Toast {
    pub text: String,
    pub token: Token,
}

impl Toast {
    pub fn plain(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            token: Token::ToastInfo,
        }
    }

    pub fn warn(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            token: Token::ToastWarn,
        }
    }
}

impl Effect {
    pub fn say(text: impl Into<String>) -> Self {
        Self::Say(Toast::plain(text))
    }

    pub fn warn(text: impl Into<String>) -> Self {
        Self::Say(Toast::warn(text))
    }
}

/// State of the dashboard. The frame itself is drawn in `frame.rs`.
pub struct App {
    pub(super) world: World,
    /// The way from the fleet to the pane that is shown; never empty.
    pub(super) panes: Vec<Box<dyn Pane>>,
    /// Panes that were left, the last one first to come back.
    pub(super) forward: Vec<Box<dyn Pane>>,
    /// Views in whose place another is shown.
    pub(super) aside: Vec<Box<dyn Pane>>,
    /// Commands that were typed, oldest first.
    history: Vec<String>,
    pub(super) form: Option<Form>,
    /// Who accepted a risk last.
    pub(super) owner: String,
    pub(super) prompt: Option<Prompt>,
    pub(super) dialog: Option<Dialog>,
    /// Answered here, while views still show them as open.
    pub(super) answered: Vec<QuestionId>,
    pub(super) toast: Option<Toast>,
    pub(super) zoom: bool,
    /// The next quit is meant.
    armed: bool,
}

impl App {
    pub fn new(world: World) -> Self {
        let mut app = Self {
            world,
            panes: vec![pane::open(&Address::Fleet, None)],
            forward: Vec::new(),
            aside: Vec::new(),
            history: Vec::new(),
            form: None,
            owner: String::new(),
            prompt: None,
            dialog: None,
            answered: Vec::new(),
            toast: None,
            zoom: false,
            armed: false,
        };
        app.sync();
        app
    }

    /// Takes one message; what comes back has to be done by the loop.
    pub fn update(&mut self, msg: Msg) -> Vec<Effect> {
        match msg {
            Msg::Key(event) => return self.key(event),
            Msg::Paste(text) if self.dialog.is_some() => self.dialog_paste(text),
            Msg::Paste(text) if self.form.is_some() => self.form_paste(&text),
            Msg::Paste(text) => {
                if let Some(prompt) = &mut self.prompt {
                    let said = prompt.paste(&text);
                    return self.said(said);
                }
            }
            Msg::Resize(size) => self.world.screen = size,
            Msg::Views(views) => {
                self.world.take(&views);
                self.sync();
                self.ask();
            }
            Msg::Tick(now) => self.world.now = now,
            Msg::Done(toast) => self.toast = Some(toast),
        }
        Vec::new()
    }

    /// Commands of earlier runs, oldest first.
    pub fn recall(&mut self, history: Vec<String>) {
        self.history = history;
    }

    /// Commands that were typed, oldest first.
    pub fn commands(&self) -> &[String] {
        &self.history
    }

    /// The screen that is drawn for.
    pub fn size(&self) -> Size {
        self.world.screen
    }

    pub fn address(&self) -> Address {
        self.pane().address()
    }

    /// Whether something is collected right now: time then moves on the screen.
    pub fn is_lively(&self) -> bool {
        let young = self.world.totals.newest.map(|at| self.world.age(at));
        self.world.totals.active() > 0 || young.is_some_and(|age| age < 60)
    }

    pub(super) fn pane(&self) -> &dyn Pane {
        self.panes
            .last()
            .map(std::convert::AsRef::as_ref)
            .expect("the fleet pane is never removed")
    }

    pub(super) fn pane_mut(&mut self) -> &mut Box<dyn Pane> {
        self.panes
            .last_mut()
            .expect("the fleet pane is never removed")
    }

    pub(super) fn sync(&mut self) {
        let world = &self.world;
        if let Some(pane) = self.panes.last_mut() {
            pane.sync(world);
        }
    }

    fn key(&mut self, event: KeyEvent) -> Vec<Effect> {
        self.toast = None;
        if self.dialog.is_some() {
            return self.dialog_key(event);
        }
        if self.form.is_some() {
            return self.form_key(event);
        }
        if let Some(prompt) = &mut self.prompt {
            let said = prompt.key(event, &self.world);
            return self.said(said);
        }
        let armed = std::mem::take(&mut self.armed);
        match keys::resolve(event, self.pane().keys()) {
            Some(action) => self.act(action, armed),
            None => Vec::new(),
        }
    }

    fn act(&mut self, action: Action, armed: bool) -> Vec<Effect> {
        match action {
            Action::Back => return self.back(armed),
            Action::Interrupt if armed => return vec![Effect::Quit],
            Action::Interrupt => self.arm("ctrl-c again to quit"),
            Action::Last if self.forward.is_empty() => self.leave(),
            Action::Last | Action::HistoryForward => self.again(),
            Action::HistoryBack => self.leave(),
            Action::Palette => self.prompt = Some(Prompt::palette(&self.history)),
            Action::Filter => {
                let text = self.pane().filter().to_owned();
                if self.pane_mut().set_filter(&text) {
                    self.prompt = Some(Prompt::filter(text));
                } else {
                    self.toast = Some(Toast::plain("nothing to filter here"));
                }
            }
            Action::Zoom => self.zoom = !self.zoom,
            Action::Help => self.open(&Address::Help),
            Action::ReadOnly => self.toast = Some(Toast::warn("stakeout is read-only")),
            Action::Redraw => return vec![Effect::Redraw],
            Action::Suspend => return vec![Effect::Suspend],
            Action::RecollectAll => return self.recollect_all(),
            other => {
                let world = &self.world;
                let effects = self.panes.last_mut().map(|pane| pane.update(other, world));
                return self.take(effects.unwrap_or_default());
            }
        }
        Vec::new()
    }

    /// Does the app's own effects and passes the others on.
    fn take(&mut self, effects: Vec<Effect>) -> Vec<Effect> {
        let mut out = Vec::new();
        for effect in effects {
            match effect {
                Effect::Open(address) => self.open(&address),
                Effect::Swap(address) => self.swap(&address),
                Effect::Accept(id) => self.accept(id),
                Effect::Back => self.leave(),
                Effect::Say(toast) => self.toast = Some(toast),
                other => out.push(other),
            }
        }
        self.sync();
        out
    }

    fn said(&mut self, said: Said) -> Vec<Effect> {
        match said {
            Said::Nothing => {}
            Said::Typed(text) => {
                self.pane_mut().set_filter(&text);
                self.sync();
            }
            Said::Closed => {
                self.prompt = None;
                self.ask();
            }
            Said::Cancelled => {
                let filters = self.prompt.take().is_some_and(|prompt| prompt.is_filter());
                if filters {
                    self.pane_mut().set_filter("");
                    self.sync();
                }
                self.ask();
            }
            Said::Command(line) => {
                self.prompt = None;
                self.ask();
                return self.command(&line);
            }
        }
        Vec::new()
    }

    fn command(&mut self, line: &str) -> Vec<Effect> {
        history::remember(&mut self.history, line);
        let focus = self.pane().node();
        match prompt::parse(line, &self.world, focus.as_ref()) {
            Ok(prompt::Command::Open(address, filter)) => {
                self.open(&address);
                if let Some(filter) = filter {
                    self.pane_mut().set_filter(&filter);
                }
                self.sync();
                Vec::new()
            }
            Ok(prompt::Command::Theme(name)) => vec![Effect::Theme(name)],
            Ok(prompt::Command::Quit) => vec![Effect::Quit],
            Ok(prompt::Command::Nothing) => Vec::new(),
            Err(message) => {
                self.toast = Some(Toast::warn(Text::from(message).as_str()));
                Vec::new()
            }
        }
    }

    pub(super) fn arm(&mut self, text: &str) {
        self.armed = true;
        self.toast = Some(Toast::plain(text));
    }

    fn recollect_all(&mut self) -> Vec<Effect> {
        let nodes: Vec<_> = self
            .world
            .summaries()
            .filter_map(|summary| summary.scope.node().cloned())
            .collect();
        if nodes.is_empty() {
            self.toast = Some(Toast::warn("no nodes are known yet"));
            return Vec::new();
        }
        let text = format!(
            "collecting {} again",
            super::widget::words::count(nodes.len(), "node")
        );
        self.toast = Some(Toast::plain(text));
        vec![Effect::Order(Order::Recollect(nodes))]
    }
}

/// Every table of bindings, the common one first.
pub fn bindings() -> Vec<(&'static str, &'static [keys::Binding])> {
    let mut out = vec![("everywhere", EVERYWHERE)];
    out.extend(pane::keymaps());
    out
}
