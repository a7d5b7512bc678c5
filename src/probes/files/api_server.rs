//! Files that the API server's flags name: audit policy and log, encryption, admission, who may log in.

use super::flags::FlagPath;
use super::{Listing, encryption, flags};
use crate::model::fact::{Fact, Gap, Locator, Need};
use crate::model::files::{ApiServerFiles, Configuration, FileRole, Files};
use crate::model::node::HostFacts;
use crate::model::text::Text;
use crate::model::tree::Tree;
use crate::probes::answer::{Answer, Content, not_read};
use crate::probes::mask::Masker;
use crate::probes::parse::yaml;
use crate::probes::probe::{Ask, Probe, Reading};

/// Of an encryption configuration only who encrypts what; never a key.
pub static PROBE: Probe = Probe {
    need: Need::ApiServerFiles,
    what: "files of the API server: audit policy, audit log (mode, owner and age), admission, and who encrypts what; never a key",
    asks: &[Ask::Shell {
        section: "api_server_files",
        since: 2,
        root: Some("files of the API server, which are for root alone"),
        fragment: include_str!("../shell/api_server_files.sh"),
        read,
    }],
};

/// Further files of an admission configuration that are kept.
const FURTHER: usize = 40;

fn read(answer: &Answer<'_>, reading: &Reading<'_>, facts: &mut HostFacts) {
    let mut paths = std::mem::take(&mut facts.paths);
    let mut list = Listing::new(answer, "api_server_files", Need::ApiServerFiles, &mut paths);
    let (flags, gaps) = flags::of_manifests(facts);
    let flags: Vec<FlagPath> = flags
        .into_iter()
        .filter(|flag| flag.program.contains("apiserver"))
        .collect();
    list.out.gaps.extend(gaps);
    for flag in &flags {
        if let (Some(role), Some(host)) = (role(&flag.flag), &flag.host) {
            list.add(role, host.as_bytes());
        }
    }
    list.add_named();
    let list = list.done();
    facts.paths = paths;
    let find = Find {
        answer,
        masker: reading.masker,
        list: &list,
        flags: &flags,
    };
    let files = ApiServerFiles {
        audit_policy: find.one(FileRole::AuditPolicy),
        encryption: find.encryption(),
        admission: find.admission(),
        authentication: find.one(FileRole::AuthenticationConfig),
        authorization: find.one(FileRole::AuthorizationConfig),
        list: Files::default(),
    };
    facts.api_server_files = Fact::seen(
        ApiServerFiles { list, ..files },
        Locator::list(Need::ApiServerFiles),
    );
}

/// What a flag's file is.
fn role(flag: &str) -> Option<FileRole> {
    Some(match flag {
        "audit-policy-file" => FileRole::AuditPolicy,
        "audit-log-path" => FileRole::AuditLog,
        "audit-webhook-config-file" => FileRole::AuditWebhook,
        "admission-control-config-file" => FileRole::AdmissionConfig,
        "encryption-provider-config" => FileRole::EncryptionConfig,
        "authentication-config" => FileRole::AuthenticationConfig,
        "authorization-config" => FileRole::AuthorizationConfig,
        "token-auth-file" => FileRole::TokenFile,
        _ => return None,
    })
}

struct Find<'a> {
    answer: &'a Answer<'a>,
    masker: &'a Masker,
    list: &'a Files,
    flags: &'a [FlagPath],
}

impl Find<'_> {
    /// The first file of a role and its place in the list. A flag that was not seen may be there all the same.
    fn first(&self, wanted: FileRole) -> Result<Option<(Locator, &Text)>, Gap> {
        // Nobody looks into the image, and the node may have another file of that name.
        let in_image = |flag: &&FlagPath| flag.host.is_none() && role(&flag.flag) == Some(wanted);
        if let Some(flag) = self.flags.iter().find(in_image) {
            return Err(Gap::Garbled {
                what: Text::from(format!("the file of --{} is in the image", flag.flag)),
            });
        }
        let mut files = (0u32..).zip(&self.list.files);
        if let Some((index, file)) = files.find(|(_, file)| file.role == wanted) {
            return Ok(Some((
                Locator::new(Need::ApiServerFiles, index),
                &file.path,
            )));
        }
        match self.list.gaps.first() {
            Some(gap) => Err(gap.clone()),
            None => Ok(None),
        }
    }

    fn one(&self, wanted: FileRole) -> Fact<Option<Configuration>> {
        let (at, path) = match self.first(wanted) {
            Ok(Some(found)) => found,
            Ok(None) => return Fact::seen(None, Locator::list(Need::ApiServerFiles)),
            Err(gap) => return Fact::Gap(gap),
        };
        match self.tree(path) {
            Ok(found) => Fact::seen(Some(found), at),
            Err(gap) => Fact::Gap(gap),
        }
    }

    fn encryption(&self) -> Fact<Option<Vec<crate::model::files::EncryptionRule>>> {
        let (at, path) = match self.first(FileRole::EncryptionConfig) {
            Ok(Some(found)) => found,
            Ok(None) => return Fact::seen(None, Locator::list(Need::ApiServerFiles)),
            Err(gap) => return Fact::Gap(gap),
        };
        match self
            .bytes(path)
            .and_then(|text| encryption::rules(path, text))
        {
            Ok(rules) => Fact::seen(Some(rules), at),
            Err(gap) => Fact::Gap(gap),
        }
    }

    fn admission(&self) -> Fact<Option<Vec<Fact<Configuration>>>> {
        let at = match self.first(FileRole::AdmissionConfig) {
            Ok(Some((at, _))) => at,
            Ok(None) => return Fact::seen(None, Locator::list(Need::ApiServerFiles)),
            Err(gap) => return Fact::Gap(gap),
        };
        let files = (0u32..).zip(&self.list.files);
        let files = files.filter(|(_, file)| file.role == FileRole::AdmissionConfig);
        let read = files
            .take(FURTHER)
            .map(|(index, file)| match self.tree(&file.path) {
                Ok(found) => Fact::seen(found, Locator::new(Need::ApiServerFiles, index)),
                Err(gap) => Fact::Gap(gap),
            });
        Fact::seen(Some(read.collect()), at)
    }

    fn bytes(&self, path: &Text) -> Result<&[u8], Gap> {
        match self
            .answer
            .file("api_server_files", path.as_str().as_bytes())
        {
            Some(Content::Whole(bytes)) => Ok(bytes),
            Some(Content::Gap(gap)) => Err(gap),
            None => Err(not_read(b"error", path.as_str())),
        }
    }

    fn tree(&self, path: &Text) -> Result<Configuration, Gap> {
        let garbled = |why: String| Gap::Garbled {
            what: Text::from(format!("{path}: {why}")),
        };
        let bytes = self.bytes(path)?;
        let parsed = yaml::parse(bytes, &yaml::Limits::default());
        let mut value = parsed.map_err(|error| garbled(error.to_string()))?.value;
        self.masker.mask_document(&mut value);
        let content = Tree::try_from(value).map_err(|error| garbled(error.to_string()))?;
        Ok(Configuration {
            path: path.clone(),
            content,
        })
    }
}
