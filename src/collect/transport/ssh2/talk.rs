//! Keyboard-interactive: a host asks in its own words while the session waits. One such talk is held at a time;
//! whoever else needs one comes back later, so that questions do not outlive their sessions.

use std::time::Duration;

use ::ssh2::{Error, KeyboardInteractivePrompt, Prompt};

use crate::collect::asking::Reply;
use crate::collect::transport::fault::Fault;
use crate::model::ask::{Asked, Echo, FIELDS, Field};
use crate::model::fact::FaultClass;
use crate::model::secret::Secret;
use crate::model::text::Text;

use super::answers::{Account, Answers, Missing, Trial};
use super::drive::{EAGAIN, REFUSED, SEND, Stop, code, words};
use super::floor::Floor;
use super::turn::{Turn, late};

/// sshd hangs up two minutes after it was connected to (LoginGraceTime).
const GRACE: Duration = Duration::from_secs(110);
/// Rounds of prompts in one talk; a password and a code take two.
const ROUNDS: usize = 8;
/// What a host says is cut here, in characters.
const SPEECH: usize = 600;

/// What came of a talk, or of a password.
pub(super) enum Said {
    Yes,
    /// With what there is to say about it.
    No(String),
}

/// The floor while one login has it; given back at its end.
struct Turns<'a> {
    floor: &'a Floor,
    answers: &'a Answers,
    held: bool,
    /// There is an answer for all who wait: a password, or that there will be none.
    all: bool,
}

impl Drop for Turns<'_> {
    fn drop(&mut self) {
        if self.held {
            self.floor.leave(&self.answers.asking, self.all);
        }
    }
}

/// One attempt: fills in what is known and asks for the rest.
struct Talk<'a, 't, 'k> {
    turn: &'a Turn<'t>,
    turns: &'a mut Turns<'k>,
    again: Option<String>,
    /// What the host said without a prompt.
    said: String,
    rounds: usize,
    /// A password from before that this host is offered.
    trial: Option<Trial<'k>>,
    /// A password that was typed here.
    typed: Option<Secret>,
    asked: bool,
    stop: Option<Missing>,
}

/// Logs in by keyboard-interactive, with a second try where an answer was wrong.
pub(super) fn interactive(
    turn: &Turn<'_>,
    answers: &Answers,
    floor: &Floor,
) -> Result<Said, Fault> {
    let user = &turn.node.user;
    // Whoever was called has the floor, and gives it up however this ends.
    let mut turns = Turns {
        floor,
        answers,
        held: floor.is_held_by(&turn.node.node),
        all: false,
    };
    if floor.is_declined(user, answers.asking.round()) {
        turn.in_common();
        return Ok(Said::No(declined(user)));
    }
    let mut again = None;
    for _ in 0..2 {
        let mut talk = Talk::new(turn, &mut turns, again);
        match talk.hold() {
            _ if talk.stop.is_some() => return talk.stopped(),
            Ok(()) => {
                talk.proved();
                return Ok(Said::Yes);
            }
            Err(Stop::Error(error)) if turn.is_gone(&error) => {
                return ended(turn, talk.trial.take(), &error);
            }
            Err(Stop::Error(error)) if code(&error) == REFUSED => {
                if let Some(trial) = talk.trial.take() {
                    return answer(trial.denied(&turn.host()));
                }
                if !talk.asked {
                    return Ok(Said::No(String::new()));
                }
                again = Some("that was refused".to_owned());
            }
            Err(Stop::Error(error)) => return Ok(Said::No(words(&error))),
            Err(stop) => return Err(late(stop)),
        }
    }
    Ok(Said::No("what was typed was refused twice".to_owned()))
}

/// Logs in by the method `password`.
pub(super) fn password(turn: &Turn<'_>, answers: &Answers) -> Result<Said, Fault> {
    let user = &turn.node.user;
    let trial = match answers.password(&Account::of(turn.node), &turn.host()) {
        Ok(trial) => trial,
        Err(missing) => {
            turn.in_common();
            return answer(missing);
        }
    };
    match turn.drive(|session| session.userauth_password(user, trial.secret.reveal())) {
        Ok(()) => {
            trial.worked();
            Ok(Said::Yes)
        }
        Err(Stop::Error(error)) if turn.is_gone(&error) => ended(turn, Some(trial), &error),
        Err(Stop::Error(error)) if code(&error) == REFUSED => answer(trial.denied(&turn.host())),
        Err(Stop::Error(error)) => Ok(Said::No(words(&error))),
        Err(stop) => Err(late(stop)),
    }
}

/// The session has ended where an answer was due. sshd does so at the last refusal that it counts: a password that was
/// sent and has worked nowhere is taken as refused, or each node would try it once.
fn ended(turn: &Turn<'_>, sent: Option<Trial<'_>>, error: &Error) -> Result<Said, Fault> {
    match sent.filter(Trial::is_first) {
        Some(trial) if code(error) != SEND && turn.lost().is_none() => {
            answer(trial.denied(&turn.host()))
        }
        _ => Err(turn.gone(error)),
    }
}

/// What a missing answer means for the login.
fn answer(missing: Missing) -> Result<Said, Fault> {
    match missing {
        Missing::Wait(id) => Err(Fault::waiting(id)),
        Missing::Declined(why) | Missing::Unusable(why) => Ok(Said::No(why)),
        Missing::Nobody => Ok(Said::No("nobody is there to be asked".to_owned())),
    }
}

fn declined(user: &str) -> String {
    format!("the questions for {user} were not answered: press r to be asked again")
}

impl<'a, 't, 'k> Talk<'a, 't, 'k> {
    fn new(turn: &'a Turn<'t>, turns: &'a mut Turns<'k>, again: Option<String>) -> Self {
        Self {
            turn,
            turns,
            again,
            said: String::new(),
            rounds: 0,
            trial: None,
            typed: None,
            asked: false,
            stop: None,
        }
    }

    fn hold(&mut self) -> Result<(), Stop> {
        let (turn, user) = (self.turn, self.turn.node.user.clone());
        loop {
            // A person's time moves the end, so it is looked at anew each time.
            match turn.wire.session.userauth_keyboard_interactive(&user, self) {
                Ok(()) => return Ok(()),
                Err(error) if code(&error) == EAGAIN => turn.wire.wait(turn.until())?,
                Err(error) => return Err(turn.wire.stop(error, turn.until())),
            }
        }
    }

    fn stopped(mut self) -> Result<Said, Fault> {
        let missing = self.stop.take().unwrap_or(Missing::Nobody);
        if !matches!(missing, Missing::Unusable(_)) {
            self.turn.in_common();
        }
        match answer(missing)? {
            // The session is gone: this is the end of the login.
            Said::No(why) => Err(Fault::new(FaultClass::AuthDenied, why)),
            Said::Yes => Ok(Said::Yes),
        }
    }

    fn proved(&mut self) {
        if let Some(trial) = self.trial.take() {
            trial.worked();
        }
        if let Some(secret) = self.typed.take() {
            self.turns
                .answers
                .learn(Account::of(self.turn.node), secret);
            self.turns.all = true;
        }
    }

    fn fill(&mut self, says: &str, prompts: &[Prompt<'_>]) -> Result<Vec<String>, Missing> {
        self.rounds += 1;
        if self.rounds > ROUNDS || prompts.len() > FIELDS {
            let why = "the host asks more than any login does".to_owned();
            return Err(Missing::Unusable(why));
        }
        self.said = format!("{}\n{says}", self.said);
        if prompts.iter().any(|prompt| wants_a_change(&prompt.text)) {
            let why = "the password has to be changed: log in once with ssh".to_owned();
            return Err(Missing::Unusable(why));
        }
        let mut lines = Vec::new();
        for prompt in prompts {
            lines.push(self.known(prompt)?);
        }
        if lines.iter().any(Option::is_none) {
            self.ask(prompts, &mut lines)?;
        }
        let plain = lines.into_iter().flatten();
        Ok(plain.map(|line| line.reveal().to_owned()).collect())
    }

    fn known(&mut self, prompt: &Prompt<'_>) -> Result<Option<Secret>, Missing> {
        let fresh = self.trial.is_none() && self.typed.is_none() && self.again.is_none();
        if !fresh || !self.is_shared(prompt) {
            return Ok(None);
        }
        let account = Account::of(self.turn.node);
        self.trial = self.turns.answers.known_password(&account)?;
        Ok(self.trial.as_ref().map(|trial| trial.secret.clone()))
    }

    /// Whether what a prompt asks for is the same on other hosts.
    fn is_shared(&self, prompt: &Prompt<'_>) -> bool {
        !prompt.echo && is_password(&prompt.text, &self.turn.node.user)
    }

    /// Asks for the lines that are not known.
    fn ask(&mut self, prompts: &[Prompt<'_>], lines: &mut [Option<Secret>]) -> Result<(), Missing> {
        let answers = self.turns.answers;
        let (turn, asking) = (self.turn, &answers.asking);
        if !asking.is_heard() {
            return Err(Missing::Nobody);
        }
        let taken = self.turns.floor.take(&turn.node.node, asking);
        taken.map_err(Missing::Wait)?;
        self.turns.held = true;
        // Somebody may have said so since this login began.
        let user = &turn.node.user;
        if self.turns.floor.is_declined(user, asking.round()) {
            return Err(Missing::Declined(declined(user)));
        }
        self.asked = true;
        let open = || {
            prompts
                .iter()
                .zip(lines.iter())
                .filter(|(_, line)| line.is_none())
        };
        let fields = open()
            .map(|(prompt, _)| field(prompt, self.is_shared(prompt)))
            .collect();
        let says: String = self.said.trim().chars().take(SPEECH).collect();
        let kind = Asked::Interactive {
            user: Text::new(&turn.node.user),
            host: Text::new(&turn.host()),
            says: Text::block(&says),
            fields,
        };
        let id = asking.ask(kind, self.again.take());
        self.turns.floor.asks(id);
        self.said.clear();
        let until = turn.started + GRACE;
        let reply = turn.pause(|| asking.wait(id, until, turn.wire.cancel));
        let Reply::Given(typed) = reply else {
            self.turns.floor.decline(user, asking.round());
            self.turns.all = true;
            return Err(Missing::Declined(declined(user)));
        };
        let mut typed = typed.into_iter();
        for (prompt, line) in prompts.iter().zip(lines.iter_mut()) {
            if line.is_none() {
                let secret = typed.next().unwrap_or_default();
                if self.is_shared(prompt) {
                    self.typed = Some(secret.clone());
                }
                *line = Some(secret);
            }
        }
        Ok(())
    }
}

impl KeyboardInteractivePrompt for Talk<'_, '_, '_> {
    /// libssh2 takes any answer; where there is none, the session is ended before an empty one is sent.
    fn prompt(&mut self, _: &str, says: &str, prompts: &[Prompt<'_>]) -> Vec<String> {
        match self.fill(says, prompts) {
            Ok(lines) => lines,
            Err(missing) => {
                self.stop = Some(missing);
                self.turn.wire.hang_up();
                Vec::new()
            }
        }
    }
}

fn field(prompt: &Prompt<'_>, shared: bool) -> Field {
    let text: String = prompt.text.trim().chars().take(SPEECH / 4).collect();
    Field {
        prompt: Text::new(&text),
        echo: if prompt.echo { Echo::On } else { Echo::Off },
        shared,
    }
}

/// Whether a prompt asks for the password of the user, in the words that login services have for it: any other secret
/// is the business of the host that asks.
fn is_password(prompt: &str, user: &str) -> bool {
    let prompt = prompt
        .trim()
        .trim_end_matches(':')
        .trim_end()
        .to_lowercase();
    // OpenSSH puts the account before the prompts of a host where it shows them itself.
    let bare = match prompt
        .strip_prefix('(')
        .and_then(|rest| rest.split_once(')'))
    {
        Some((account, rest)) if is_account(account, user) => rest.trim_start(),
        _ => &prompt,
    };
    let of = |account: Option<&str>| account.is_some_and(|account| is_account(account, user));
    bare == "password"
        || of(bare.strip_suffix("'s password"))
        || of(bare.strip_prefix("password for "))
}

/// `user`, or `user@` and any host.
fn is_account(text: &str, user: &str) -> bool {
    let rest = text.strip_prefix(&user.to_lowercase());
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('@'))
}

/// Whether answering would change something on the host.
fn wants_a_change(prompt: &str) -> bool {
    let prompt = prompt.to_lowercase();
    let word = prompt.contains("password") || prompt.contains("passcode") || prompt.contains("pin");
    let change = ["new ", "retype", "re-enter", "change", "current "];
    word && change.iter().any(|word| prompt.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_password_is_told_from_other_secrets() {
        for prompt in [
            "Password: ",
            "Password:",
            "password",
            "(Me@n1) Password: ",
            "me@n1's password: ",
            "Password for me:",
            "Password for me@n1.example:",
        ] {
            assert!(is_password(prompt, "Me"), "{prompt}");
        }
        for prompt in [
            "Verification code: ",
            "One-time password (OATH): ",
            "OTP password:",
            "PIN:",
            "Vault password:",
            "(vault) Password:",
            "you's password:",
            "Password for the bank:",
            "Password for mechanic:",
        ] {
            assert!(!is_password(prompt, "Me"), "{prompt}");
        }
    }

    #[test]
    fn a_change_of_the_password_is_refused() {
        for prompt in [
            "New password: ",
            "Retype new password: ",
            "Current password: ",
        ] {
            assert!(wants_a_change(prompt), "{prompt}");
        }
        assert!(!wants_a_change("Password: "));
    }
}
