//! Questions that only a person can answer, as owned messages: what is asked, by whom, and with which fields.
//!
//! An answer travels as [`super::link::Order::Answer`] and is never part of a model, a snapshot or a log.

use super::text::Text;

/// Prompts of one round that are shown; no login asks for more.
pub const FIELDS: usize = 8;

/// Tells the questions of one run apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QuestionId(pub u64);

/// A question that is open until it is answered or withdrawn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    pub id: QuestionId,
    pub kind: Asked,
    /// Why it is asked once more.
    pub again: Option<Text>,
}

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// What opens a key file; asked once for the whole fleet.
    Passphrase { file: Text },
    /// The password of a user; offered to every host behind the same bastion for that user.
    Password { user: Text, host: Text },
    /// What a host wants to know in its own words (keyboard-interactive, RFC 4256).
    Interactive {
        user: Text,
        host: Text,
        /// What the host says before its prompts.
        says: Text,
        fields: Vec<Field>,
    },
}

/// One line to type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    pub prompt: Text,
    pub echo: Echo,
    /// The password of the user: once it was taken, other hosts that ask for it are sent the same.
    pub shared: bool,
}

/// Whether what is typed may be seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Echo {
    Off,
    On,
}

impl Question {
    /// What the dialog is headed with: who asks for what. Words of a host never stand here alone.
    pub fn subject(&self) -> String {
        match &self.kind {
            Asked::Passphrase { file } => format!("passphrase for {file}"),
            Asked::Password { user, host } => format!("password of {user}, for {host}"),
            Asked::Interactive { user, host, .. } => format!("{host} asks {user}"),
        }
    }

    /// What there is to say about it, a paragraph each.
    pub fn notes(&self) -> Vec<String> {
        let mut out: Vec<String> = self.again.iter().map(ToString::to_string).collect();
        match &self.kind {
            Asked::Passphrase { .. } => {
                out.push("asked once for all nodes, kept in memory only".to_owned());
            }
            Asked::Password { user, .. } => out.push(format!(
                "offered to every node for {user}, kept in memory only"
            )),
            Asked::Interactive {
                user, says, fields, ..
            } => {
                out.extend((!says.is_empty()).then(|| says.to_string()));
                if fields.iter().any(|field| field.shared) {
                    let text = "the password is offered to every node for";
                    out.push(format!("{text} {user}, kept in memory only"));
                }
            }
        }
        out
    }

    /// What is to be typed, at least one line.
    pub fn fields(&self) -> Vec<Field> {
        let hidden = |prompt: &str| Field {
            prompt: Text::new(prompt),
            echo: Echo::Off,
            shared: true,
        };
        match &self.kind {
            Asked::Passphrase { .. } => vec![hidden("passphrase:")],
            Asked::Password { .. } => vec![hidden("password:")],
            Asked::Interactive { fields, .. } => fields.clone(),
        }
    }
}
