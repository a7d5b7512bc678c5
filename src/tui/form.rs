//! Accepting a risk: who answers for it, why, and until when. What is typed becomes a waiver of the policy file.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::buffer::Buffer;

use super::app::{App, Effect, Toast};
use super::theme::{Theme, Token};
use super::widget::modal;
use super::widget::strip::Strip;
use super::widget::typed::Typed;
use super::widget::words::{head, middle, wrap};
use super::world::{Identity, World};
use crate::model::Timestamp;
use crate::model::policy::Waiver;
use crate::model::text::Text;
use crate::model::verdict::Severity;

/// Said where no policy file is used.
pub const NO_POLICY: &str =
    "no policy file. next: stakeout policy init >p.yaml; stakeout --policy p.yaml";

/// Columns of the words in front.
const LABEL: usize = 10;
/// Proposed for a new waiver: a quarter, so that somebody looks again.
const DAYS: i64 = 90;

const NAMES: [&str; 3] = ["owner", "reason", "expires"];
const EXPIRES: usize = 2;

/// The form of one finding.
pub(super) struct Form {
    id: Identity,
    subject: Text,
    severity: Severity,
    /// The file that will be written.
    file: Text,
    lines: [Typed; 3],
    /// The line that is typed.
    at: usize,
    /// For every node, not only for the one of the finding.
    everywhere: bool,
    today: Timestamp,
    wrong: Option<String>,
}

/// What a key did.
enum Told {
    Nothing,
    Closed,
    Done(Box<Waiver>),
}

impl Form {
    /// # Errors
    /// Why there is nothing to accept.
    fn new(id: Identity, owner: &str, world: &World) -> Result<Self, String> {
        let finding = world.locate(&id).filter(|finding| finding.id == id);
        let finding = finding.ok_or("this finding is gone")?;
        let Some(offence) = world.offence(&finding) else {
            let (badge, _) = world.badge(&finding);
            return Err(format!("{badge}: only a proven offence can be accepted"));
        };
        if let Some(waiver) = &offence.waived {
            return Err(format!(
                "accepted already by {}, line {} of the policy file",
                waiver.owner, waiver.line
            ));
        }
        let policy = world.judged().map(|judged| &judged.policy);
        let file = policy.and_then(|policy| policy.get()).ok_or(NO_POLICY)?;
        let today = policy.and_then(|policy| policy.today).unwrap_or(world.now);
        let until = today.checked_add(jiff::SignedDuration::from_hours(24 * DAYS));
        let until = until.unwrap_or(today).strftime("%F").to_string();
        Ok(Self {
            subject: offence.subject.key.clone(),
            severity: offence.severity,
            file: file.name.clone(),
            lines: [owner.to_owned(), String::new(), until].map(Typed::from),
            at: usize::from(!owner.is_empty()),
            everywhere: false,
            today,
            wrong: None,
            id,
        })
    }

    fn key(&mut self, event: KeyEvent) -> Told {
        let ctrl = event.modifiers.contains(KeyModifiers::CONTROL);
        let last = self.lines.len() - 1;
        self.wrong = None;
        match event.code {
            KeyCode::Esc => return Told::Closed,
            KeyCode::Char('c') if ctrl => return Told::Closed,
            KeyCode::Enter if self.at < last => self.at += 1,
            KeyCode::Enter => return self.finish(),
            KeyCode::Tab | KeyCode::Down => self.at = if self.at < last { self.at + 1 } else { 0 },
            KeyCode::BackTab | KeyCode::Up => self.at = self.at.checked_sub(1).unwrap_or(last),
            KeyCode::Char('n') if ctrl => self.everywhere = !self.everywhere,
            _ => {
                self.lines[self.at].key(event);
            }
        }
        Told::Nothing
    }

    /// The waiver, or the line that is wrong.
    fn finish(&mut self) -> Told {
        let line = |at: usize| self.lines[at].as_str().trim();
        let missing = (0..NAMES.len()).find(|at| line(*at).is_empty());
        if let Some(missing) = missing {
            self.at = missing;
            self.wrong = Some(format!("a waiver needs: {}", NAMES[missing]));
            return Told::Nothing;
        }
        match until(line(EXPIRES), self.today) {
            Ok(expires) => Told::Done(Box::new(Waiver {
                check: Text::new(self.id.check.0),
                node: self.id.scope.node().filter(|_| !self.everywhere).cloned(),
                subject: self.subject.clone(),
                severity: self.severity,
                owner: Text::new(line(0)),
                reason: Text::new(line(1)),
                expires,
                line: 0,
            })),
            Err(wrong) => {
                self.at = EXPIRES;
                self.wrong = Some(wrong);
                Told::Nothing
            }
        }
    }

    pub fn view(&self, theme: &Theme, buf: &mut Buffer) {
        let width = modal::inner_width(buf.area);
        let text = theme.style(Token::Text);
        let label = |name: &str| Strip::new().cell(LABEL, name, theme.style(Token::Header));
        let room = width.saturating_sub(LABEL + 1);
        let node = self.id.scope.node();
        let scope = match node {
            None => "the cluster".to_owned(),
            Some(_) if self.everywhere => "every node".to_owned(),
            Some(node) => node.to_string(),
        };
        let severity = format!(
            "up to {}; it lapses when the finding gets worse",
            self.severity
        );
        let mut rows = vec![
            label("subject").put(middle(self.subject.as_str(), room), text),
            label("on").put(middle(&scope, room), text),
            label("severity").put(severity, text),
        ];
        for (index, (name, line)) in NAMES.iter().zip(&self.lines).enumerate() {
            let here = index == self.at;
            let line = line.as_str();
            let tail = line.chars().count().saturating_sub(room);
            let shown: String = line.chars().skip(tail).collect();
            let mut strip = label(name).put(shown, text);
            if here {
                strip = strip.put(" ", theme.style(Token::Cursor));
            }
            rows.push(strip);
        }
        rows.push(Strip::new());
        let (note, style) = match &self.wrong {
            Some(wrong) => (wrong.clone(), theme.style(Token::ToastWarn)),
            None => (
                format!("adds lines to {} and changes none", self.file),
                theme.style(Token::Muted),
            ),
        };
        let note = wrap(&note, width).into_iter();
        rows.extend(note.map(|line| Strip::of(line, style)));
        rows.push(self.keys(theme));
        modal::draw(buf, theme, &format!("accept {}", self.id.check), rows);
    }

    fn keys(&self, theme: &Theme) -> Strip {
        let (key, text) = (theme.style(Token::Key), theme.style(Token::Text));
        let enter = if self.at < EXPIRES {
            " next  "
        } else {
            " accept  "
        };
        let strip = Strip::of("Enter", key).put(enter, text);
        let strip = strip.put("Tab", key).put(" other line  ", text);
        let strip = if self.id.scope.node().is_some() {
            strip.put("ctrl-n", key).put(" every node  ", text)
        } else {
            strip
        };
        strip.put("Esc", key).put(" accept nothing", text)
    }
}

/// A day that is still to come, or so many days from now: `2030-12-31`, `90d`.
fn until(text: &str, today: Timestamp) -> Result<Timestamp, String> {
    let days = text
        .strip_suffix('d')
        .and_then(|days| days.parse::<u16>().ok());
    let day = match days {
        Some(days) => today
            .checked_add(jiff::SignedDuration::from_hours(24 * i64::from(days)))
            .map(|then| then.strftime("%F").to_string())
            .unwrap_or_default(),
        None => text.to_owned(),
    };
    let parsed = day.parse::<jiff::civil::Date>().ok();
    let moment = parsed.and_then(|day| day.to_zoned(jiff::tz::TimeZone::UTC).ok());
    match moment.map(|zoned| zoned.timestamp()) {
        None => Err(format!(
            "a day, as 2030-12-31, or 90d; not {}",
            head(text, 20)
        )),
        Some(moment) if moment <= today => Err("that day has passed".to_owned()),
        Some(moment) => Ok(moment),
    }
}

impl App {
    /// Opens the form of a finding, or says why there is none.
    pub(super) fn accept(&mut self, id: Identity) {
        match Form::new(id, &self.owner, &self.world) {
            Ok(form) => self.form = Some(form),
            Err(why) => self.toast = Some(Toast::warn(why)),
        }
    }

    /// A key while the form is shown.
    pub(super) fn form_key(&mut self, event: KeyEvent) -> Vec<Effect> {
        let Some(form) = &mut self.form else {
            return Vec::new();
        };
        match form.key(event) {
            Told::Nothing => Vec::new(),
            Told::Closed => {
                self.form = None;
                self.ask();
                Vec::new()
            }
            Told::Done(waiver) => {
                self.form = None;
                // Whoever accepts one risk accepts the next.
                self.owner = waiver.owner.to_string();
                self.ask();
                vec![Effect::Waive(waiver)]
            }
        }
    }

    /// A paste while the form is shown: text, never a key.
    pub(super) fn form_paste(&mut self, text: &str) {
        if let Some(form) = &mut self.form {
            form.lines[form.at].paste(text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_is_a_day_to_come() {
        let today: Timestamp = "2026-11-24T22:00:00Z".parse().expect("a time");
        for (text, expected) in [
            ("2026-11-25", Ok("2026-11-25T00:00:00Z")),
            ("1d", Ok("2026-11-25T00:00:00Z")),
            ("90d", Ok("2027-02-22T00:00:00Z")),
            ("2026-11-24", Err("that day")),
            ("0d", Err("that day")),
            ("soon", Err("a day, as")),
            ("2026-02-30", Err("a day, as")),
            ("99999999d", Err("a day, as")),
            ("-5d", Err("a day, as")),
        ] {
            match (until(text, today), expected) {
                (Ok(found), Ok(wanted)) => assert_eq!(found.to_string(), wanted),
                (Err(found), Err(wanted)) => assert!(found.starts_with(wanted), "{text}: {found}"),
                (found, _) => panic!("{text}: {found:?}"),
            }
        }
    }
}
