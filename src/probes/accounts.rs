//! Users and groups as the node's name service lists them.

use super::answer::{Answer, Content, source};
use super::probe::{Ask, Probe, Reading};
use crate::model::fact::{Fact, Gap, Locator, Need};
use crate::model::node::HostFacts;
use crate::model::text::Text;
use crate::model::unix::{Accounts, Gid, Group, Uid, User};

/// Users and groups, to name whoever a mode or an access list lets in.
pub static PROBE: Probe = Probe {
    need: Need::Accounts,
    what: "users and groups, to name who a mode or an access list lets in",
    asks: &[Ask::Shell {
        section: "accounts",
        since: 1,
        root: None,
        fragment: include_str!("shell/accounts.sh"),
        read,
    }],
};

fn read(answer: &Answer<'_>, reading: &Reading<'_>, facts: &mut HostFacts) {
    let mut texts = Vec::new();
    for (command, file) in [
        ("getent passwd", "/etc/passwd"),
        ("getent group", "/etc/group"),
    ] {
        let (name, content) = match answer.content("accounts", command, &[0]) {
            Some(content) => (command, Some(content)),
            None => (file, answer.content("accounts", file, &[0])),
        };
        match content {
            Some(Content::Whole(text)) => texts.push((name, text)),
            Some(Content::Gap(gap)) => return facts.accounts = Fact::Gap(gap),
            None => {
                return facts.accounts = Fact::Gap(Gap::Garbled {
                    what: Text::from(format!("{command} is missing in the answer")),
                });
            }
        }
    }
    let mut accounts = Accounts::default();
    for (item, (name, text)) in (0..).zip(&texts) {
        facts
            .sources
            .push(source((Need::Accounts, item), name, text, reading));
        let text = String::from_utf8_lossy(text);
        if item == 0 {
            accounts.users = text.lines().filter_map(user).collect();
        } else {
            accounts.groups = text.lines().filter_map(group).collect();
        }
    }
    facts.accounts = if accounts.users.is_empty() || accounts.groups.is_empty() {
        Fact::Gap(Gap::Garbled {
            what: Text::new("the node lists no users or no groups"),
        })
    } else {
        Fact::seen(accounts, Locator::new(Need::Accounts, 0))
    };
}

/// passwd(5); a line of another form is a reference to another database, not a user.
fn user(line: &str) -> Option<User> {
    let mut fields = line.split(':');
    let name = Text::new(fields.next()?);
    let uid = Uid(fields.nth(1)?.parse().ok()?);
    let gid = Gid(fields.next()?.parse().ok()?);
    Some(User { uid, gid, name })
}

/// group(5).
fn group(line: &str) -> Option<Group> {
    let mut fields = line.split(':');
    let name = Text::new(fields.next()?);
    let gid = Gid(fields.nth(1)?.parse().ok()?);
    let members = fields.next().unwrap_or_default().split(',');
    Some(Group {
        gid,
        name,
        members: members
            .filter(|member| !member.is_empty())
            .map(Text::new)
            .collect(),
    })
}
