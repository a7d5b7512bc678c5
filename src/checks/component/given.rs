//! One command line of a component, and what its flags are.

use super::place::Instance;
use crate::checks::{flags, mounted};
use crate::model::fact::{Gap, Locator};
use crate::model::pod::Pod;
use crate::model::text::Text;
use crate::model::tree::{Branch, Items};

/// What a component is started with: as its manifest says, or as a process has it.
pub struct Given<'n> {
    /// Without the program's name.
    pub(super) words: Vec<String>,
    /// The container of the manifest, where there is one.
    pub(super) container: Option<Branch<'n>>,
    pub(super) root: Root<'n>,
    pub(super) written: bool,
    pub(super) alone: bool,
    pub at: Locator,
}

/// Where the paths of a command line begin.
#[derive(Clone)]
pub(super) enum Root<'n> {
    Node,
    /// At the mounts of a pod.
    Pod(&'n Pod),
    /// In a pod whose manifest is not known, with the reason where there is one.
    Unseen(Option<Gap>),
}

impl Given<'_> {
    /// A path of its flags as the node has it.
    ///
    /// # Errors
    /// Where it lies in an image, or in a pod that nobody tells of.
    pub fn on_node(&self, path: &str) -> Result<String, Gap> {
        match &self.root {
            Root::Node => Ok(path.to_owned()),
            Root::Pod(pod) => mounted::on_node(pod, path).ok_or_else(|| Gap::Garbled {
                what: Text::from(format!("{path}, which is no path of the node")),
            }),
            Root::Unseen(Some(gap)) => Err(gap.clone()),
            Root::Unseen(None) => Err(asks(format!(
                "where on the node is {path}? no manifest tells of the pod that has it"
            ))),
        }
    }

    /// Whether it is the manifest's.
    pub fn is_written(&self) -> bool {
        self.written
    }

    /// Whether it is the manifest's, and nothing of it runs.
    pub fn is_idle(&self) -> bool {
        self.alone
    }

    /// Whether no process says it better.
    pub(super) fn counts(&self, instance: &Instance<'_>) -> bool {
        let mut sides = instance.sides.iter().flatten();
        !self.written || sides.all(|side| side.written)
    }

    /// The value of a flag that counts; one without a value is the empty string.
    ///
    /// # Errors
    /// Where a variable takes its place.
    pub fn last(&self, name: &str) -> Result<Option<String>, Gap> {
        flags::list(&self.words, name)?;
        Ok(flags::last_of(&self.words, name))
    }

    /// Whether a flag has a value.
    ///
    /// # Errors
    /// As [`Given::last`].
    pub fn has(&self, name: &str) -> Result<bool, Gap> {
        Ok(self.last(name)?.is_some_and(|value| !value.is_empty()))
    }

    /// Which of some flags have no value, in words; none where all have one.
    ///
    /// # Errors
    /// As [`Given::last`].
    pub fn missing(&self, names: &[&str]) -> Result<Option<String>, Gap> {
        let mut missing = Vec::new();
        for name in names {
            if !self.has(name)? {
                missing.push(*name);
            }
        }
        Ok((!missing.is_empty()).then(|| not_set(&missing)))
    }

    /// The items of a flag that holds a list.
    ///
    /// # Errors
    /// As [`Given::last`].
    pub fn list(&self, name: &str) -> Result<Vec<String>, Gap> {
        flags::list(&self.words, name)
    }

    /// A switch; none where it is not given.
    ///
    /// # Errors
    /// As [`Given::last`], and where it is neither true nor false.
    pub fn switch(&self, name: &str) -> Result<Option<bool>, Gap> {
        flags::list(&self.words, name)?;
        flags::switch_of(&self.words, name)
    }

    /// A number; none where it is not given.
    ///
    /// # Errors
    /// As [`Given::last`], and where it is none.
    pub fn number(&self, name: &str) -> Result<Option<i64>, Gap> {
        let value = self.last(name)?;
        let read = value.map(|value| {
            // Behind a zero another base would count.
            let digits = value.trim_start_matches(['+', '-']);
            let plain = !digits.starts_with('0') || digits == "0";
            let number = value.parse().ok().filter(|_| plain);
            number.ok_or_else(|| garbled(name, "is no decimal number"))
        });
        read.transpose()
    }

    /// Whether an admission plugin that is off by default is on.
    ///
    /// # Errors
    /// As [`Given::last`].
    pub fn admits_by(&self, plugin: &str) -> Result<bool, Gap> {
        flags::admits_by(&self.words, plugin)
    }

    /// The flag by which an admission plugin that is on by default is off.
    ///
    /// # Errors
    /// As [`Given::last`].
    pub fn turned_off(&self, plugin: &str) -> Result<Option<&'static str>, Gap> {
        flags::turned_off(&self.words, plugin)
    }

    /// A feature gate; none where nothing is said of it.
    ///
    /// # Errors
    /// As [`Given::last`].
    pub fn gate(&self, name: &str) -> Result<Option<bool>, Gap> {
        let gates = self.list("feature-gates")?;
        Ok(flags::gate(&gates, name))
    }

    /// etcd's setting: by its flag, else by the variable of its name.
    ///
    /// # Errors
    /// As [`Given::last`], where a file of its own decides, and where its environment is not known.
    pub fn etcd(&self, name: &str) -> Result<Option<String>, Gap> {
        if let Some(file) = self.setting("config-file")? {
            return Err(asks(format!(
                "what does {file} say of {name}? etcd reads nothing else"
            )));
        }
        self.setting(name)
    }

    /// A switch of etcd.
    ///
    /// # Errors
    /// As [`Given::etcd`].
    pub fn etcd_switch(&self, name: &str) -> Result<bool, Gap> {
        let value = self.etcd(name)?;
        match (self.switch(name)?, value.as_deref()) {
            (Some(on), _) => Ok(on),
            (None, None | Some("")) => Ok(false),
            (None, Some(value)) => flags::truth(value)
                .ok_or_else(|| garbled(name, "is neither true nor false in the environment")),
        }
    }

    fn setting(&self, name: &str) -> Result<Option<String>, Gap> {
        if let Some(value) = self.last(name)? {
            return Ok(Some(value));
        }
        let variable = format!("ETCD_{}", name.replace('-', "_").to_uppercase());
        let Some(container) = self.container else {
            // Whether a service gives it one is not read; the files of a unit are no facts.
            return if name == "config-file" {
                Ok(None)
            } else {
                Err(asks(format!(
                    "is {variable} in the environment of etcd? it has no flag --{name}"
                )))
            };
        };
        let list = container.get("env").and_then(Branch::as_array);
        // Of two with one name the later one counts.
        let mut all = list.into_iter().flat_map(Items::iter);
        let found = all.rfind(|own| own.get("name").and_then(Branch::as_str) == Some(&variable));
        match found.map(|own| own.get("value").and_then(Branch::as_str)) {
            None => Ok(None),
            Some(Some(value)) if !value.contains("$(") => Ok(Some(value.to_owned())),
            Some(_) => Err(asks(format!("what does {variable} bring to etcd?"))),
        }
    }
}

/// The addresses of some flags of etcd at which it listens in plain text: it takes the scheme's word, and passes over
/// the certificates that it is given (configureClientListeners in server/embed/etcd.go). `first`: what the first flag
/// is where it is not set.
///
/// # Errors
/// As [`Given::etcd`].
pub fn without_tls(given: &Given<'_>, names: &[&str], first: &str) -> Result<Option<String>, Gap> {
    let mut urls = Vec::new();
    for (at, name) in names.iter().enumerate() {
        let value = given.etcd(name)?.filter(|value| !value.is_empty());
        urls.extend(value.or_else(|| (at == 0).then(|| first.to_owned())));
    }
    let urls = urls.join(",");
    let plain = |url: &&str| {
        let scheme = url.split_once("://").map_or("", |(scheme, _)| scheme);
        !["https", "unix", "unixs"].contains(&scheme)
    };
    let found: Vec<&str> = urls.split(',').map(str::trim).filter(plain).collect();
    Ok((!found.is_empty()).then(|| found.join(", ")))
}

/// A flag that does not have the shape it must have.
pub fn garbled(name: &str, what: &str) -> Gap {
    Gap::Garbled {
        what: Text::from(format!("--{name} {what}")),
    }
}

/// A question that a person has to answer.
pub fn asks(question: String) -> Gap {
    Gap::NeedsHuman {
        question: Text::from(question),
    }
}

/// `--a, --b are not set`.
pub fn not_set(names: &[&str]) -> String {
    let are = if names.len() == 1 { "is" } else { "are" };
    let names: Vec<String> = names.iter().map(|name| format!("--{name}")).collect();
    format!("{} {are} not set", names.join(", "))
}
