//! Fields of an object with their types held, and with the way to each for the message where one is wrong.

use std::fmt;

use crate::model::tree::{Branch, Members};

/// A field has another type than a Pod's: the API server and the kubelet would refuse the object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Malformed {
    /// Field path. Holds words of the manifest: clean it before it is shown.
    pub field: String,
    pub want: &'static str,
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is not {}", self.field, self.want)
    }
}

impl std::error::Error for Malformed {}

/// A value and the way to it. Null stands for what is not there.
pub(super) struct Field<'p, 'w> {
    value: Branch<'p>,
    up: Option<&'w Field<'p, 'w>>,
    /// From the field above, names between dots; none for that field itself.
    names: &'static str,
    /// Below `names`.
    entry: Entry<'p>,
}

#[derive(Clone, Copy)]
enum Entry<'p> {
    None,
    Key(&'p str),
    Index(usize),
}

impl<'p> Field<'p, '_> {
    pub(super) fn root(value: Branch<'p>) -> Self {
        Self {
            value,
            up: None,
            names: "",
            entry: Entry::None,
        }
    }

    /// The key, of a member.
    pub(super) fn key(&self) -> &'p str {
        match self.entry {
            Entry::Key(key) => key,
            _ => "",
        }
    }

    pub(super) fn is_null(&self) -> bool {
        self.value.is_null()
    }

    fn below<'f>(
        &'f self,
        value: Branch<'p>,
        names: &'static str,
        entry: Entry<'p>,
    ) -> Field<'p, 'f> {
        Field {
            value,
            up: Some(self),
            names,
            entry,
        }
    }

    /// Further down, by names between dots; the field itself for no name.
    fn at<'f>(&'f self, names: &'static str) -> Result<Field<'p, 'f>, Malformed> {
        let mut value = self.value;
        for name in names.split('.').filter(|name| !name.is_empty()) {
            value = match value {
                Branch::Object(members) => members.get(name).unwrap_or(Branch::Null),
                Branch::Null => Branch::Null,
                _ => {
                    let field = self.below(value, names, Entry::None);
                    return Err(field.wrong("below an object"));
                }
            };
        }
        Ok(self.below(value, names, Entry::None))
    }

    /// An object, an empty one where it is not there.
    pub(super) fn object<'f>(&'f self, names: &'static str) -> Result<Field<'p, 'f>, Malformed> {
        let field = self.at(names)?;
        match field.value {
            Branch::Object(_) | Branch::Null => Ok(field),
            _ => Err(field.wrong("an object")),
        }
    }

    pub(super) fn switch(&self, names: &'static str) -> Result<Option<bool>, Malformed> {
        let field = self.at(names)?;
        match field.value {
            Branch::Null => Ok(None),
            Branch::Bool(on) => Ok(Some(on)),
            _ => Err(field.wrong("true or false")),
        }
    }

    pub(super) fn number(&self, names: &'static str) -> Result<Option<i64>, Malformed> {
        let field = self.at(names)?;
        match (field.value, field.value.as_i64()) {
            (Branch::Null, _) => Ok(None),
            (_, Some(number)) => Ok(Some(number)),
            _ => Err(field.wrong("a whole number")),
        }
    }

    pub(super) fn text(&self, names: &'static str) -> Result<Option<&'p str>, Malformed> {
        let field = self.at(names)?;
        match field.value {
            Branch::Null => Ok(None),
            Branch::String(text) => Ok(Some(text)),
            _ => Err(field.wrong("a string")),
        }
    }

    /// A string, the empty one where it is not there.
    pub(super) fn word(&self, names: &'static str) -> Result<&'p str, Malformed> {
        Ok(self.text(names)?.unwrap_or_default())
    }

    /// `type` of a profile, where there is a profile.
    pub(super) fn kind(&self, names: &'static str) -> Result<Option<&'p str>, Malformed> {
        let profile = self.object(names)?;
        let kind = profile.word("type")?;
        Ok((!profile.is_null()).then_some(kind))
    }

    /// The strings of a list.
    pub(super) fn words(&self, names: &'static str) -> Result<Vec<&'p str>, Malformed> {
        let items = self.list(names)?;
        let words = items.iter().map(|item| match item.value {
            Branch::String(text) => Ok(text),
            _ => Err(item.wrong("a string")),
        });
        words.collect()
    }

    /// The objects of a list.
    pub(super) fn items<'f>(
        &'f self,
        names: &'static str,
    ) -> Result<Vec<Field<'p, 'f>>, Malformed> {
        let items = self.list(names)?;
        match items.iter().find(|item| item.value.as_object().is_none()) {
            Some(item) => Err(item.wrong("an object")),
            None => Ok(items),
        }
    }

    fn list<'f>(&'f self, names: &'static str) -> Result<Vec<Field<'p, 'f>>, Malformed> {
        let field = self.at(names)?;
        let items = match field.value {
            Branch::Null => return Ok(Vec::new()),
            Branch::Array(items) => items,
            _ => return Err(field.wrong("a list")),
        };
        let items = items.iter().enumerate();
        let entry = |(at, item)| self.below(item, names, Entry::Index(at));
        Ok(items.map(entry).collect())
    }

    /// The fields of an object, in the order of their keys.
    pub(super) fn members<'f>(
        &'f self,
        names: &'static str,
    ) -> Result<Vec<Field<'p, 'f>>, Malformed> {
        let field = self.object(names)?;
        let members = field.value.as_object().into_iter();
        let entry = |(key, value)| self.below(value, names, Entry::Key(key));
        Ok(members.flat_map(Members::iter).map(entry).collect())
    }

    fn wrong(&self, want: &'static str) -> Malformed {
        let mut steps = Vec::new();
        let mut at = Some(self);
        while let Some(field) = at {
            match field.entry {
                Entry::None => {}
                Entry::Key(key) => steps.push(format!("[{key}]")),
                Entry::Index(index) => steps.push(format!("[{index}]")),
            }
            if !field.names.is_empty() {
                steps.push(format!(".{}", field.names));
            }
            at = field.up;
        }
        steps.reverse();
        let field = steps.concat().trim_start_matches('.').to_owned();
        Malformed { field, want }
    }
}
