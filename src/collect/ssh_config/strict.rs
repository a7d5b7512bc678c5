//! ssh_config(5) where there is no `ssh` to ask: a small reader that refuses what it does not know for certain.
//! A guess could lead to another host, or to the right one as somebody else.
//!
//! Its answer has the form of `ssh -G`, so that both are understood by one function.

mod glob;
mod value;
mod words;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use super::{FILE, Question};
use crate::collect::options::Place;
use crate::collect::wildcard;
use crate::disk;
use value::{agent, flag, path, paths, plain};
use words::Line;

/// Files inside files inside files, as OpenSSH bounds them.
const DEPTH: usize = 16;
/// Files in all: a circle of includes doubles at each turn.
const FILES: usize = 256;

/// What `ssh` would try where nothing is set.
const IDENTITIES: [&str; 5] = [
    "id_rsa",
    "id_ecdsa",
    "id_ecdsa_sk",
    "id_ed25519",
    "id_ed25519_sk",
];
const USER_KNOWN: &str = "~/.ssh/known_hosts ~/.ssh/known_hosts2";
const SYSTEM_KNOWN: &str = "/etc/ssh/ssh_known_hosts /etc/ssh/ssh_known_hosts2";

/// Options that say neither where a host is nor who logs in there nor whom to trust; lower case.
const HARMLESS: &str = "addkeystoagent addressfamily batchmode bindaddress bindinterface canonicaldomains \
    canonicalizefallbacklocal canonicalizemaxdots canonicalizepermittedcnames casignaturealgorithms \
    challengeresponseauthentication channeltimeout checkhostip ciphers clearallforwardings compression \
    connectionattempts connecttimeout controlmaster controlpath controlpersist dynamicforward \
    enableescapecommandline enablesshkeysign escapechar exitonforwardfailure fingerprinthash \
    forkafterauthentication forwardagent forwardx11 forwardx11timeout forwardx11trusted gatewayports \
    gssapiclientidentity gssapidelegatecredentials gssapikexalgorithms gssapikeyexchange \
    gssapirenewalforcesrekey gssapiserveridentity gssapitrustdns hashknownhosts hostbasedacceptedalgorithms \
    hostbasedauthentication hostbasedkeytypes hostkeyalgorithms ipqos kbdinteractiveauthentication \
    kbdinteractivedevices kexalgorithms knownhostscommand localcommand localforward loglevel logverbose macs \
    nohostauthenticationforlocalhost numberofpasswordprompts obscurekeystroketiming passwordauthentication \
    permitlocalcommand permitremoteopen preferredauthentications proxyusefdpass pubkeyacceptedalgorithms \
    pubkeyacceptedkeytypes pubkeyauthentication rekeylimit remotecommand remoteforward requesttty \
    requiredrsasize securitykeyprovider sendenv serveralivecountmax serveraliveinterval sessiontype setenv \
    stdinnull streamlocalbindmask streamlocalbindunlink stricthostkeychecking syslogfacility tag tcpkeepalive \
    tunnel tunneldevice updatehostkeys verifyhostkeydns versionaddendum visualhostkey xauthlocation";

/// What `ssh -G` would print of the options that count.
///
/// # Errors
/// In words, with file and line: what stands against an answer that is certain.
pub(super) fn answer(question: Question<'_>, place: &Place) -> Result<String, String> {
    let mut reader = Reader {
        name: question.name,
        place,
        set: BTreeMap::new(),
        unknown: Vec::new(),
        files: 0,
    };
    if let Some(user) = question.user {
        reader.first("user", user);
    }
    if let Some(port) = question.port {
        reader.first("port", &port.to_string());
    }
    if let Some(file) = &place.ssh_config {
        reader.file(file, Scope::given())?;
    } else {
        reader.file(&place.home.join(".ssh/config"), Scope::user())?;
        reader.file(Path::new("/etc/ssh/ssh_config"), Scope::system())?;
    }
    reader.finish()
}

/// How a file is read.
#[derive(Clone, Copy)]
struct Scope {
    owner: Owner,
    depth: usize,
    /// False: inside a Host block for other hosts.
    matches: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Owner {
    User,
    /// Named by hand: its rights are not looked at.
    Given,
    System,
}

impl Scope {
    const fn of(owner: Owner) -> Self {
        Self {
            owner,
            depth: 0,
            matches: true,
        }
    }

    const fn user() -> Self {
        Self::of(Owner::User)
    }

    const fn given() -> Self {
        Self::of(Owner::Given)
    }

    const fn system() -> Self {
        Self::of(Owner::System)
    }

    /// Others could write into it.
    fn is_checked(self) -> bool {
        self.owner == Owner::User || self.depth > 0
    }
}

struct Reader<'a> {
    name: &'a str,
    place: &'a Place,
    set: BTreeMap<&'static str, Vec<String>>,
    /// Patterns of IgnoreUnknown.
    unknown: Vec<String>,
    files: usize,
}

impl Reader<'_> {
    fn file(&mut self, path: &Path, scope: Scope) -> Result<(), String> {
        self.files += 1;
        if scope.depth > DEPTH || self.files > FILES {
            return Err(format!("{}: too many files are included", path.display()));
        }
        let text = match disk::read_text(path, FILE) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(format!("{}: {error}", path.display())),
        };
        if scope.is_checked() && !is_own(path).unwrap_or(false) {
            return Err(format!("{}: others may write to it", path.display()));
        }
        let mut active = scope.matches;
        for (number, line) in text.lines().enumerate() {
            let fail = |why: String| format!("{} line {}: {why}", path.display(), number + 1);
            if let Some(line) = Line::parse(line).map_err(fail)? {
                self.line(&line, &mut active, scope).map_err(fail)?;
            }
        }
        Ok(())
    }

    fn line(&mut self, line: &Line, active: &mut bool, scope: Scope) -> Result<(), String> {
        match line.keyword.as_str() {
            "host" => {
                *active = scope.matches && self.names(&line.words);
                return Ok(());
            }
            "match" => return Err("Match is read by ssh alone".to_owned()),
            "include" => return self.include(&line.words, *active, scope),
            _ => {}
        }
        let value = match line.words.as_slice() {
            [] => return Err(format!("{} has no value", line.keyword)),
            words => words,
        };
        let one = || match value {
            [one] if !one.is_empty() => Ok(one.as_str()),
            _ => Err(format!("{} takes one value", line.keyword)),
        };
        match line.keyword.as_str() {
            "hostname" => self.one("hostname", &self.host(one()?)?, *active),
            "port" => {
                let port: std::num::NonZeroU16 =
                    one()?.parse().map_err(|_| "that is no port".to_owned())?;
                self.one("port", &port.to_string(), *active);
            }
            "user" => self.one("user", plain(one()?)?, *active),
            "hostkeyalias" => self.one("hostkeyalias", plain(one()?)?, *active),
            "identitiesonly" => self.one("identitiesonly", flag(one()?)?, *active),
            "gssapiauthentication" => self.one("gssapiauthentication", flag(one()?)?, *active),
            "pkcs11provider" => self.one("pkcs11provider", one()?, *active),
            "identityfile" if *active => self.add("identityfile", path(one()?)?),
            "certificatefile" if *active => self.add("certificatefile", path(one()?)?),
            "identityagent" if *active => self.one("identityagent", agent(one()?)?, true),
            "userknownhostsfile" if *active => self.one("userknownhostsfile", &paths(value)?, true),
            "globalknownhostsfile" if *active => {
                self.one("globalknownhostsfile", &paths(value)?, true);
            }
            "proxyjump" => self.proxy("proxyjump", one()?, *active),
            "proxycommand" => self.proxy("proxycommand", &value.join(" "), *active),
            "revokedhostkeys" if *active && one()? != "none" => {
                return Err("RevokedHostKeys is read by ssh alone".to_owned());
            }
            "canonicalizehostname" if *active && one()? != "no" => {
                return Err("CanonicalizeHostname is done by ssh alone".to_owned());
            }
            "ignoreunknown" if *active => {
                self.unknown
                    .extend(one()?.split(',').map(str::to_lowercase));
            }
            keyword => return self.other(keyword),
        }
        Ok(())
    }

    /// An option without a meaning here; one that nobody knows is a mistake that `ssh` would stop at.
    fn other(&self, keyword: &str) -> Result<(), String> {
        const READ: &str = "identityfile certificatefile identityagent userknownhostsfile globalknownhostsfile \
            revokedhostkeys canonicalizehostname ignoreunknown";
        let listed = |list: &str| list.split_ascii_whitespace().any(|known| known == keyword);
        let ignored = || {
            self.unknown
                .iter()
                .any(|pattern| wildcard::matches(keyword, pattern))
        };
        if listed(HARMLESS) || listed(READ) || ignored() {
            return Ok(());
        }
        Err(format!("{keyword} is not known here"))
    }

    /// Whether a Host line is about the host: one pattern has to match, and none that is negated.
    fn names(&self, patterns: &[String]) -> bool {
        let mut found = false;
        for pattern in patterns {
            match pattern.strip_prefix('!') {
                Some(not) if wildcard::matches(self.name, not) => return false,
                Some(_) => {}
                None => found |= wildcard::matches(self.name, pattern),
            }
        }
        found
    }

    fn include(&mut self, names: &[String], active: bool, scope: Scope) -> Result<(), String> {
        for name in names {
            if name.contains(['%', '$']) {
                return Err(format!("Include {name}: only ssh expands that"));
            }
            let own = scope.owner != Owner::System;
            let path = match name.strip_prefix("~/") {
                Some(_) if !own => return Err("a system file includes one of a user".to_owned()),
                Some(rest) => self.place.home.join(rest),
                None if name.starts_with('~') => {
                    return Err(format!("Include {name}: whose home?"));
                }
                None if own => self.place.home.join(".ssh").join(name),
                None => Path::new("/etc/ssh").join(name),
            };
            let inner = Scope {
                depth: scope.depth + 1,
                matches: active,
                ..scope
            };
            for path in glob::expand(&path)? {
                self.file(&path, inner)?;
            }
        }
        Ok(())
    }

    /// `%h` is the name that was asked for.
    fn host(&self, value: &str) -> Result<String, String> {
        let mut out = String::new();
        let mut chars = value.chars();
        while let Some(c) = chars.next() {
            match (c, (c == '%').then(|| chars.next()).flatten()) {
                ('%', Some('h')) => out.push_str(self.name),
                ('%', Some('%')) => out.push('%'),
                ('%', _) => return Err(format!("HostName {value}: only ssh expands that")),
                (c, _) => out.push(c),
            }
        }
        Ok(out)
    }

    /// The first value counts.
    fn one(&mut self, keyword: &'static str, value: &str, active: bool) {
        if active {
            self.first(keyword, value);
        }
    }

    fn first(&mut self, keyword: &'static str, value: &str) {
        self.set
            .entry(keyword)
            .or_insert_with(|| vec![value.to_owned()]);
    }

    /// Every value counts, each once.
    fn add(&mut self, keyword: &'static str, value: &str) {
        let values = self.set.entry(keyword).or_default();
        if !values.iter().any(|known| known == value) {
            values.push(value.to_owned());
        }
    }

    /// The first of the two counts; a jump of `none` stands in no command's way.
    fn proxy(&mut self, keyword: &'static str, value: &str, active: bool) {
        let other = |one: &str| self.set.get(one).and_then(|values| values.first());
        let taken = match keyword {
            "proxyjump" => other("proxycommand").is_some(),
            _ => other("proxyjump").is_some_and(|jump| jump != "none"),
        };
        self.one(keyword, value, active && !taken);
    }

    fn finish(mut self) -> Result<String, String> {
        let command = self
            .set
            .get("proxycommand")
            .and_then(|values| values.first());
        if command.is_some_and(|command| command != "none") {
            return Err("ProxyCommand is run by ssh alone".to_owned());
        }
        if !self.set.contains_key("identityfile") {
            for name in IDENTITIES {
                self.add("identityfile", &format!("~/.ssh/{name}"));
            }
        }
        // Host lines are about the name as it was given; what is connected to is in lower case.
        self.first("hostname", self.name);
        for host in self.set.entry("hostname").or_default() {
            host.make_ascii_lowercase();
        }
        self.first("userknownhostsfile", USER_KNOWN);
        self.first("globalknownhostsfile", SYSTEM_KNOWN);
        let mut out = String::new();
        for (keyword, values) in &self.set {
            for value in values {
                // Writing to a String cannot fail.
                let _ = writeln!(out, "{keyword} {value}");
            }
        }
        Ok(out)
    }
}

/// Whether a file is the user's or the system's, and nobody else may write to it.
fn is_own(path: &Path) -> io::Result<bool> {
    let stat = std::fs::metadata(path)?;
    let own = stat.uid() == 0 || stat.uid() == rustix::process::getuid().as_raw();
    Ok(own && stat.mode() & 0o022 == 0)
}

#[cfg(test)]
mod tests;
