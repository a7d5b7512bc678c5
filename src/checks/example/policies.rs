//! The policy of an example: the keys of the file, and how its waivers stand.

use serde_yaml::Value;

use crate::model::fact::Gap;
use crate::model::policy::{Policy, Standing, Written};
use crate::model::text::Text;

/// Reads `none`, or the keys of a policy file; `standing` lists a word for each waiver.
pub(super) fn policy(mut value: Value) -> Result<Policy, String> {
    if value.as_str() == Some("none") {
        return Ok(Policy::none());
    }
    let words = value
        .as_mapping_mut()
        .and_then(|map| map.remove("standing"))
        .unwrap_or(Value::Null);
    let words: Option<Vec<String>> =
        serde_yaml::from_value(words).map_err(|error| error.to_string())?;
    let written: Written = serde_yaml::from_value(value).map_err(|error| error.to_string())?;
    let mut file = written
        .read(&|_, index| u32::try_from(index).unwrap_or(0) + 1)
        .map_err(|(_, error)| error)?;
    file.name = Text::new("policy.yaml");
    let mut policy = Policy::of(file);
    for word in words.unwrap_or_default() {
        policy.standing.push(match word.as_str() {
            "used" => Standing::Used,
            "unused" => Standing::Unused,
            "outgrown" => Standing::Outgrown,
            "expired" => Standing::Expired,
            "unknown" => Standing::Unknown(Gap::Denied {
                what: Text::new("it"),
            }),
            other => return Err(format!("{other} is not how a waiver stands")),
        });
    }
    Ok(policy)
}
