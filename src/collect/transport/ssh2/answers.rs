//! What a person has typed, for all sessions of a run: opened key files by their path, passwords by their account.
//!
//! Each is asked for once. A password that has not worked anywhere yet is tried on one node at a time, so that a
//! mistyped one is not counted against the user by a whole fleet.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use crate::collect::asking::{Asking, Reply};
use crate::collect::lock;
use crate::collect::transport::NodeRef;
use crate::model::ask::{Asked, QuestionId};
use crate::model::name::NodeName;
use crate::model::secret::Secret;
use crate::model::text::Text;

use super::unlock::{self, Closed};

/// How often a passphrase may be mistyped, as ssh has it.
const TRIES: usize = 3;
/// How often a password is asked for.
const ASKS: usize = 2;

/// Why there is no secret to go on with.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Missing {
    /// Come back when the ticket is settled.
    Wait(QuestionId),
    /// A person said no, or the secret was wrong too often.
    Declined(String),
    Nobody,
    Unusable(String),
}

/// The secrets of a run.
pub(super) struct Answers {
    pub asking: Arc<Asking>,
    files: Mutex<HashMap<PathBuf, File>>,
    passwords: Mutex<HashMap<Account, Password>>,
}

/// Whose password it is: the user's, on hosts behind the same bastion. The same name elsewhere may be another's.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Account {
    user: String,
    via: Option<NodeName>,
}

impl Account {
    pub fn of(node: &NodeRef) -> Self {
        Self {
            user: node.user.clone(),
            via: node.via.as_ref().map(|via| via.node.clone()),
        }
    }
}

enum File {
    Asked { id: QuestionId, tries: usize },
    Opened(Secret),
    Declined { round: u64, why: String },
}

#[derive(Default)]
struct Password {
    state: Stand,
    asks: usize,
    round: u64,
}

#[derive(Default)]
enum Stand {
    #[default]
    Unknown,
    Asked(QuestionId),
    Typed(Secret),
    /// On one node right now; the others wait for the ticket.
    Tried(QuestionId),
    Proven(Secret),
    Refused(String),
}

/// A password to try, and the duty to say what came of it.
pub(super) struct Trial<'a> {
    answers: &'a Answers,
    account: Account,
    pub secret: Secret,
    /// Nobody has taken it yet: the others wait for this.
    ticket: Option<QuestionId>,
}

impl Answers {
    pub fn new(asking: Arc<Asking>) -> Self {
        Self {
            asking,
            files: Mutex::default(),
            passwords: Mutex::default(),
        }
    }

    /// The key of a file that a passphrase protects; `text` is the file.
    pub fn key(&self, path: &Path, text: &Secret) -> Result<Secret, Missing> {
        if !self.asking.is_heard() {
            return Err(Missing::Nobody);
        }
        // Opening takes a third of a second of work: one does it, the others wait here for the outcome.
        let mut files = lock(&self.files);
        let tries = match files.get(path) {
            Some(File::Opened(key)) => return Ok(key.clone()),
            Some(File::Declined { round, why }) if *round == self.asking.round() => {
                return Err(Missing::Declined(why.clone()));
            }
            Some(File::Asked { id, tries }) => {
                let (id, tries) = (*id, *tries);
                let typed = match self.asking.take(id) {
                    Reply::Open => return Err(Missing::Wait(id)),
                    Reply::Declined => None,
                    Reply::Given(lines) => lines.into_iter().next(),
                };
                let outcome = typed.map(|typed| unlock::open(text, &typed));
                match outcome {
                    Some(Ok(key)) => {
                        files.insert(path.to_owned(), File::Opened(key.clone()));
                        return Ok(key);
                    }
                    Some(Err(Closed::WrongPassphrase)) if tries < TRIES => tries,
                    Some(Err(closed)) => {
                        return Err(self.closed(&mut files, path, Some(&closed)));
                    }
                    None => return Err(self.closed(&mut files, path, None)),
                }
            }
            _ => 0,
        };
        let again = (tries > 0).then(|| "that was not its passphrase".to_owned());
        let file = Text::from(path.display().to_string());
        let id = self.asking.ask(Asked::Passphrase { file }, again);
        let asked = File::Asked {
            id,
            tries: tries + 1,
        };
        files.insert(path.to_owned(), asked);
        Err(Missing::Wait(id))
    }

    fn closed(
        &self,
        files: &mut HashMap<PathBuf, File>,
        path: &Path,
        failed: Option<&Closed>,
    ) -> Missing {
        let shown = path.display();
        let why = match failed {
            Some(Closed::Unusable(why)) => format!("{shown} cannot be opened here: {why}"),
            Some(_) => format!("{TRIES} wrong passphrases for {shown}"),
            None => format!("the passphrase for {shown} was not given"),
        };
        let why = format!("{why}: ssh-add {shown}, or press r to be asked again");
        let round = self.asking.round();
        let declined = File::Declined {
            round,
            why: why.clone(),
        };
        files.insert(path.to_owned(), declined);
        Missing::Declined(why)
    }

    /// The question about this file, while it is open.
    pub fn open_question(&self, path: &Path) -> Option<QuestionId> {
        match lock(&self.files).get(path) {
            Some(File::Asked { id, .. }) if self.asking.is_open(*id) => Some(*id),
            _ => None,
        }
    }

    /// A password for the account, asked for where none is known; `host` is who wants it.
    pub fn password(&self, account: &Account, host: &str) -> Result<Trial<'_>, Missing> {
        let mut passwords = lock(&self.passwords);
        let own = passwords.entry(account.clone()).or_default();
        own.refresh(self.asking.round());
        if let Some(trial) = self.claim(own, account)? {
            return Ok(trial);
        }
        if !self.asking.is_heard() {
            return Err(Missing::Nobody);
        }
        Err(Missing::Wait(self.ask(own, (&account.user, host), None)))
    }

    /// The same, where there is nobody to ask or where somebody else will ask: none is then no failure.
    pub fn known_password(&self, account: &Account) -> Result<Option<Trial<'_>>, Missing> {
        let mut passwords = lock(&self.passwords);
        match passwords.get_mut(account) {
            Some(own) => {
                own.refresh(self.asking.round());
                self.claim(own, account)
            }
            None => Ok(None),
        }
    }

    fn claim(&self, own: &mut Password, account: &Account) -> Result<Option<Trial<'_>>, Missing> {
        if let Stand::Asked(id) = own.state {
            match self.asking.take(id) {
                Reply::Open => return Err(Missing::Wait(id)),
                Reply::Declined => {
                    let user = &account.user;
                    let why =
                        format!("the password of {user} was not given: press r to be asked again");
                    own.state = Stand::Refused(why);
                }
                Reply::Given(mut lines) => {
                    own.state = lines.pop().map_or(Stand::Unknown, Stand::Typed);
                }
            }
        }
        let (secret, first) = match &own.state {
            Stand::Unknown | Stand::Asked(_) => return Ok(None),
            Stand::Tried(id) => return Err(Missing::Wait(*id)),
            Stand::Refused(why) => return Err(Missing::Declined(why.clone())),
            Stand::Proven(secret) => (secret.clone(), false),
            Stand::Typed(secret) => (secret.clone(), true),
        };
        let ticket = first.then(|| self.asking.ticket());
        if let Some(id) = ticket {
            own.state = Stand::Tried(id);
        }
        Ok(Some(Trial {
            answers: self,
            account: account.clone(),
            secret,
            ticket,
        }))
    }

    fn ask(&self, own: &mut Password, who: (&str, &str), again: Option<String>) -> QuestionId {
        let kind = Asked::Password {
            user: Text::new(who.0),
            host: Text::new(who.1),
        };
        let id = self.asking.ask(kind, again);
        own.state = Stand::Asked(id);
        own.asks += 1;
        id
    }

    /// A password that a person typed for a host in its own dialog, and that was taken.
    pub fn learn(&self, account: Account, secret: Secret) {
        let mut passwords = lock(&self.passwords);
        let own = passwords.entry(account).or_default();
        own.refresh(self.asking.round());
        if matches!(own.state, Stand::Unknown | Stand::Refused(_)) {
            own.state = Stand::Proven(secret);
        }
    }
}

impl Password {
    /// What was refused in an earlier round may be asked again; what was taken then may have changed since, so it is
    /// tried on one host first and asked for again where that refuses it.
    fn refresh(&mut self, round: u64) {
        if self.round != round {
            self.round = round;
            self.asks = 0;
            self.state = match std::mem::take(&mut self.state) {
                Stand::Refused(_) => Stand::Unknown,
                Stand::Proven(secret) => Stand::Typed(secret),
                state => state,
            };
        }
    }
}

impl Trial<'_> {
    /// It has worked nowhere yet.
    pub fn is_first(&self) -> bool {
        self.ticket.is_some()
    }

    /// A host has taken it.
    pub fn worked(mut self) {
        self.end(Stand::Proven);
    }

    /// A host has refused it: asked once more where it has worked nowhere.
    pub fn denied(mut self, host: &str) -> Missing {
        let user = &self.account.user;
        let Some(ticket) = self.ticket.take() else {
            let why = format!("{host} refused the password that other nodes took for {user}");
            return Missing::Declined(why);
        };
        let mut passwords = lock(&self.answers.passwords);
        let own = passwords.entry(self.account.clone()).or_default();
        let missing = if own.asks < ASKS && self.answers.asking.is_heard() {
            let again = Some(format!("{host} refused it"));
            Missing::Wait(self.answers.ask(own, (user, host), again))
        } else {
            let why = format!("the password of {user} was refused: press r to be asked again");
            own.state = Stand::Refused(why.clone());
            Missing::Declined(why)
        };
        drop(passwords);
        self.answers.asking.settle(ticket);
        missing
    }

    /// Only the one who has the ticket may say what came of it, and only once.
    fn end(&mut self, state: impl FnOnce(Secret) -> Stand) {
        let Some(ticket) = self.ticket.take() else {
            return;
        };
        let mut passwords = lock(&self.answers.passwords);
        if let Some(own) = passwords.get_mut(&self.account) {
            own.state = state(self.secret.clone());
        }
        drop(passwords);
        self.answers.asking.settle(ticket);
    }
}

impl Drop for Trial<'_> {
    /// Nothing came of it: the next one may try.
    fn drop(&mut self) {
        self.end(Stand::Typed);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::sync_channel;

    use super::*;
    use crate::collect::cancel::Cancel;

    fn account(via: Option<&str>) -> Account {
        Account {
            user: "audit".to_owned(),
            via: via.map(|via| NodeName::parse(via).expect("a name")),
        }
    }

    fn secret(text: &str) -> Secret {
        Secret::new(text.to_owned())
    }

    #[test]
    fn a_password_stays_behind_its_bastion() {
        let answers = Answers::new(Arc::new(Asking::nobody()));
        answers.learn(account(Some("b1")), secret("x1"));
        for (via, known) in [(Some("b1"), true), (Some("b2"), false), (None, false)] {
            let trial = answers.known_password(&account(via)).expect("no wait");
            assert_eq!(trial.is_some(), known, "{via:?}");
        }
    }

    #[test]
    fn a_password_that_was_changed_is_asked_for_in_the_next_round() {
        let cancel = Arc::new(Cancel::new().expect("a pipe"));
        let (updates, _inbox) = sync_channel(16);
        let answers = Answers::new(Arc::new(Asking::person(updates, cancel)));
        let account = account(None);
        answers.learn(account.clone(), secret("old"));
        let refused = |answers: &Answers| {
            let trial = answers.password(&account, "n1").expect("known");
            trial.denied("n1")
        };
        let why = "n1 refused the password that other nodes took for audit".to_owned();
        assert_eq!(refused(&answers), Missing::Declined(why));
        answers.asking.renew();
        let Missing::Wait(id) = refused(&answers) else {
            panic!("nobody was asked");
        };
        answers.asking.answer(id, Some(vec![secret("new")]));
        let trial = answers.password(&account, "n1").expect("typed");
        assert_eq!(trial.secret, secret("new"));
        trial.worked();
    }
}
