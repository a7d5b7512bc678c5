//! Labels and selectors as the API server matches them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::model::text::Text;
use crate::model::tree::Branch;

/// Keys and values, sorted by key: two blocks of memory fewer than a map for each object of a list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "BTreeMap<String, Text>", into = "BTreeMap<String, Text>")]
pub struct Labels(Box<[(Text, Text)]>);

impl From<BTreeMap<Text, Text>> for Labels {
    fn from(map: BTreeMap<Text, Text>) -> Self {
        Self(map.into_iter().collect())
    }
}

impl From<BTreeMap<String, Text>> for Labels {
    fn from(map: BTreeMap<String, Text>) -> Self {
        let clean = map.into_iter().map(|(key, value)| (Text::new(&key), value));
        Self(clean.collect())
    }
}

impl From<Labels> for BTreeMap<String, Text> {
    fn from(labels: Labels) -> Self {
        let shown = |(key, value): (Text, Text)| (key.to_string(), value);
        labels.0.into_iter().map(shown).collect()
    }
}

impl Labels {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn get(&self, key: &str) -> Option<&Text> {
        let found = self.0.iter().find(|(own, _)| *own == key);
        found.map(|(_, value)| value)
    }

    pub fn iter(&self) -> impl Iterator<Item = (&Text, &Text)> {
        self.0.iter().map(|(key, value)| (key, value))
    }

    /// Whether every pair is among the labels that `of` tells.
    pub fn within<'v>(&self, of: impl Fn(&str) -> Option<&'v str>) -> bool {
        let mut all = self.0.iter();
        all.all(|(key, value)| of(key.as_str()) == Some(value.as_str()))
    }
}

/// A label selector; one that says nothing selects everything.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Selector {
    pub match_labels: Labels,
    pub match_expressions: Box<[Expression]>,
}

/// One requirement of a selector.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Expression {
    pub key: Text,
    /// `In`, `NotIn`, `Exists`, `DoesNotExist`.
    pub operator: Text,
    pub values: Box<[Text]>,
}

impl Selector {
    /// Whether it selects everything.
    pub fn is_empty(&self) -> bool {
        self.match_labels.is_empty() && self.match_expressions.is_empty()
    }

    /// Whether it selects what has these labels (apimachinery pkg/labels/selector.go).
    pub fn matches<'v>(&self, of: impl Fn(&str) -> Option<&'v str>) -> bool {
        self.match_labels.within(&of)
            && self.match_expressions.iter().all(|wanted| {
                let value = of(wanted.key.as_str());
                let listed = || {
                    let value = value.unwrap_or_default();
                    wanted.values.iter().any(|known| *known == value)
                };
                match wanted.operator.as_str() {
                    "In" => value.is_some() && listed(),
                    "NotIn" => value.is_none() || !listed(),
                    "Exists" => value.is_some(),
                    "DoesNotExist" => value.is_none(),
                    _ => false,
                }
            })
    }
}

/// A label of a pod as it is stored; a value that is no string is none.
pub fn label_of<'t>(metadata: Branch<'t>, key: &str) -> Option<&'t str> {
    metadata.get("labels")?.get(key)?.as_str()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn selector(json: serde_json::Value) -> Selector {
        serde_json::from_value(json).expect("a selector")
    }

    #[test]
    fn selectors_match_as_kubernetes_does() {
        let labels = |key: &str| match key {
            "app" => Some("web"),
            "empty" => Some(""),
            _ => None,
        };
        for (written, wanted) in [
            (serde_json::json!({}), true),
            (serde_json::json!({"matchLabels": {"app": "web"}}), true),
            (serde_json::json!({"matchLabels": {"app": "db"}}), false),
            (serde_json::json!({"matchLabels": {"empty": ""}}), true),
            (serde_json::json!({"matchLabels": {"none": ""}}), false),
        ] {
            assert_eq!(
                selector(written.clone()).matches(labels),
                wanted,
                "{written}"
            );
        }
        for (key, operator, values, wanted) in [
            ("app", "In", vec!["web", "db"], true),
            ("app", "In", vec![], false),
            ("none", "In", vec![""], false),
            ("app", "NotIn", vec!["web"], false),
            ("none", "NotIn", vec!["web"], true),
            ("app", "Exists", vec![], true),
            ("none", "Exists", vec![], false),
            ("none", "DoesNotExist", vec![], true),
            ("app", "Gt", vec!["1"], false),
        ] {
            let written = serde_json::json!({"matchExpressions": [{"key": key, "operator": operator, "values": values}]});
            assert_eq!(
                selector(written.clone()).matches(labels),
                wanted,
                "{written}"
            );
        }
    }

    #[test]
    fn labels_read_as_they_are_written() {
        let written = r#"{"a":"1","b":""}"#;
        let labels: Labels = serde_json::from_str(written).expect("labels");
        assert_eq!(serde_json::to_string(&labels).expect("JSON"), written);
        assert_eq!(labels.get("b").map(Text::as_str), Some(""));
    }
}
