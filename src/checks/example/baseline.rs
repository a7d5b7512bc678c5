//! The baseline of an example: an example of its own, of the same node where it names none.

use std::sync::Arc;

use serde_yaml::Value;

use super::{Written, of_written};
use crate::model::baseline::Baseline;
use crate::model::fact::{Fact, Locator, Need};
use crate::model::text::Text;

/// Reads `none`, or the keys of an example; `unsigned: true` where nobody signed it, `unnamed: true` where
/// nobody named the key.
pub(super) fn baseline(mut value: Value) -> Result<Fact<Option<Arc<Baseline>>>, String> {
    let at = Locator::list(Need::Baseline);
    if value.as_str() == Some("none") {
        return Ok(Fact::seen(None, at));
    }
    let mut has = |key: &str| {
        let map = value.as_mapping_mut();
        map.and_then(|map| map.remove(key)).is_some()
    };
    let (unsigned, unnamed) = (has("unsigned"), has("unnamed"));
    let written: Written = serde_yaml::from_value(value).map_err(|error| error.to_string())?;
    let baseline = Baseline {
        name: Text::new("b.zst"),
        signed_by: (!unsigned).then(|| Text::new("SHA256:x")),
        is_vouched: !unsigned && !unnamed,
        snapshot: Arc::new(of_written(written)?.snapshot),
    };
    Ok(Fact::seen(Some(Arc::new(baseline)), at))
}
