//! A question to the person, over whatever is shown: what is typed goes to the login that asked and nowhere else.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::buffer::Buffer;

use super::app::{App, Effect, Toast};
use super::theme::{Theme, Token};
use super::widget::modal;
use super::widget::strip::Strip;
use super::widget::words::{fit, wrap};
use crate::model::ask::{Asked, Echo, Field, Question, QuestionId};
use crate::model::link::Order;
use crate::model::secret::{Secret, Typing};

/// Rows below the fields: a blank one and the keys.
const FOOT: usize = 2;

/// A question and what was typed so far.
pub(super) struct Dialog {
    question: Question,
    lines: Vec<(Field, Typing)>,
    /// The line that is typed.
    at: usize,
}

/// What a key did.
enum Told {
    Nothing,
    /// None: it will not be answered.
    Answer(Option<Vec<Secret>>),
}

impl Dialog {
    fn new(question: Question) -> Self {
        let fields = question.fields().into_iter();
        Self {
            lines: fields.map(|field| (field, Typing::default())).collect(),
            question,
            at: 0,
        }
    }

    fn key(&mut self, event: KeyEvent) -> Told {
        let ctrl = event.modifiers.contains(KeyModifiers::CONTROL);
        let alt = event.modifiers.contains(KeyModifiers::ALT);
        let last = self.lines.len().saturating_sub(1);
        match event.code {
            KeyCode::Esc => return Told::Answer(None),
            KeyCode::Char('c') if ctrl => return Told::Answer(None),
            KeyCode::Enter if self.at < last => self.at += 1,
            KeyCode::Enter if self.is_complete() => {
                let typed = self.lines.iter_mut().map(|(_, typed)| typed.finish());
                return Told::Answer(Some(typed.collect()));
            }
            KeyCode::Tab | KeyCode::Down => self.at = if self.at < last { self.at + 1 } else { 0 },
            KeyCode::BackTab | KeyCode::Up => {
                self.at = self.at.checked_sub(1).unwrap_or(last);
            }
            KeyCode::Char('u' | 'w') if ctrl => self.typed(Typing::clear),
            KeyCode::Char('h') if ctrl => self.typed(Typing::pop),
            KeyCode::Backspace => self.typed(Typing::pop),
            KeyCode::Char(c) if !ctrl && !alt => {
                let mut bytes = [0; 4];
                self.typed(|typed| typed.push(c.encode_utf8(&mut bytes)));
                zeroize::Zeroize::zeroize(&mut bytes);
            }
            _ => {}
        }
        Told::Nothing
    }

    /// A key that was meant for the view below must not be sent as a passphrase: an empty one is none.
    fn is_complete(&self) -> bool {
        matches!(self.question.kind, Asked::Interactive { .. })
            || self.lines.iter().all(|(_, typed)| !typed.is_empty())
    }

    fn typed(&mut self, edit: impl FnOnce(&mut Typing)) {
        if let Some((_, typed)) = self.lines.get_mut(self.at) {
            edit(typed);
        }
    }

    pub fn view(&self, theme: &Theme, buf: &mut Buffer) {
        let (width, height) = (modal::inner_width(buf.area), modal::inner_height(buf.area));
        let text = theme.style(Token::Text);
        let mut rows = Vec::new();
        let room = height.saturating_sub(self.lines.len() + FOOT + 1);
        let notes = self.question.notes().join("\n");
        for line in wrap(&notes, width).into_iter().take(room) {
            rows.push(Strip::of(line, text));
        }
        if !rows.is_empty() {
            rows.push(Strip::new());
        }
        // On a screen that is too low for all lines the one that is typed is the first.
        let low = height < rows.len() + self.lines.len();
        let from = if low { self.at } else { 0 };
        for (index, line) in self.lines.iter().enumerate().skip(from) {
            rows.push(row(theme, line, index == self.at, width));
        }
        rows.push(Strip::new());
        rows.push(self.keys(theme));
        modal::draw(buf, theme, &self.question.subject(), rows);
    }

    fn keys(&self, theme: &Theme) -> Strip {
        let (key, text) = (theme.style(Token::Key), theme.style(Token::Text));
        let enter = if self.at + 1 < self.lines.len() {
            " next  "
        } else {
            " answer  "
        };
        let strip = Strip::of("Enter", key).put(enter, text);
        let strip = if self.lines.len() > 1 {
            strip.put("Tab", key).put(" other line  ", text)
        } else {
            strip
        };
        strip
            .put("ctrl-u", key)
            .put(" clear  ", text)
            .put("Esc", key)
            .put(" do not answer", text)
    }
}

/// One line: its prompt, and what may be seen of what was typed.
fn row(theme: &Theme, (field, typed): &(Field, Typing), current: bool, width: usize) -> Strip {
    let text = theme.style(Token::Text);
    let prompt = fit(field.prompt.as_str(), width * 2 / 3);
    let strip = Strip::of(prompt, theme.style(Token::Header)).gap(1);
    let room = width.saturating_sub(strip.used() + 1);
    let shown = match field.echo {
        Echo::On => {
            let count = typed.shown().chars().count();
            typed
                .shown()
                .chars()
                .skip(count.saturating_sub(room))
                .collect()
        }
        // The same for one letter and for fifty.
        Echo::Off if !typed.is_empty() => fit("(typed, not shown)", room),
        Echo::Off => String::new(),
    };
    let strip = strip.put(shown, text);
    if current {
        strip.put(" ", theme.style(Token::Cursor))
    } else {
        strip
    }
}

impl App {
    /// Shows the oldest open question, unless something else is being typed; takes away what is open no more.
    pub(super) fn ask(&mut self) {
        let open = self.world.questions();
        let is_open = |id: QuestionId| open.iter().any(|question| question.id == id);
        self.answered.retain(|id| is_open(*id));
        if self
            .dialog
            .as_ref()
            .is_some_and(|dialog| !is_open(dialog.question.id))
        {
            self.dialog = None;
            self.toast = Some(Toast::warn("nobody waits for that answer any more"));
        }
        if self.dialog.is_some() || self.prompt.is_some() || self.form.is_some() {
            return;
        }
        let next = open
            .iter()
            .find(|question| !self.answered.contains(&question.id));
        self.dialog = next.cloned().map(Dialog::new);
    }

    /// A key while a question is shown.
    pub(super) fn dialog_key(&mut self, event: KeyEvent) -> Vec<Effect> {
        let Some(dialog) = &mut self.dialog else {
            return Vec::new();
        };
        let Told::Answer(answer) = dialog.key(event) else {
            return Vec::new();
        };
        let id = dialog.question.id;
        self.dialog = None;
        self.answered.push(id);
        self.ask();
        vec![Effect::Order(Order::Answer { id, answer })]
    }

    /// A paste while a question is shown: text, never a key.
    pub(super) fn dialog_paste(&mut self, mut text: String) {
        if let Some(dialog) = &mut self.dialog {
            dialog.typed(|typed| typed.push(&text));
        }
        zeroize::Zeroize::zeroize(&mut text);
    }
}
