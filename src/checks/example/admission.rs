//! The API server's admission configuration of an example: `none`, or the trees of its files.

use serde_yaml::Value;

use super::{fact, parse};
use crate::model::fact::{Fact, Locator, Need};
use crate::model::files::{ApiServerFiles, Configuration};
use crate::model::node::HostFacts;
use crate::model::text::Text;
use crate::model::tree::Tree;

/// Sets what is known of the admission configuration, beside what else is known of the API server's files.
pub(super) fn admission(written: Option<Value>, host: &mut HostFacts) -> Result<(), String> {
    if written.is_none() {
        return Ok(());
    }
    let found = fact(written, Need::ApiServerFiles, |value: Value| {
        if value.as_str() == Some("none") {
            return Ok(None);
        }
        let json: serde_json::Value = parse(value, Need::ApiServerFiles)?;
        let content = Tree::try_from(json).map_err(|error| error.to_string())?;
        let path = Text::new("/etc/kubernetes/admission.yaml");
        let file = Configuration { path, content };
        let at = Locator::new(Need::ApiServerFiles, 0);
        Ok(Some(vec![Fact::seen(file, at)]))
    })?;
    let mut files = files(host);
    files.admission = found;
    host.api_server_files = Fact::seen(files, Locator::list(Need::ApiServerFiles));
    Ok(())
}

fn files(host: &HostFacts) -> ApiServerFiles {
    match &host.api_server_files {
        Fact::Seen(seen) => seen.value.clone(),
        Fact::Gap(_) => ApiServerFiles::default(),
    }
}
