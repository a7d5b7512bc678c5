//! One line of a watch.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::model::fact::Gap;
use crate::model::text::Text;

use super::list::or_default;
use super::{field, garbled};

/// What happened to an object.
#[derive(Debug)]
pub enum Event<'a> {
    /// Added or modified: the object as it is now.
    Set(&'a str),
    /// Deleted: the object as it was last.
    Removed(&'a str),
    /// Nothing happened up to this version.
    Bookmark(String),
    /// The server ends the watch. 410: the version is too old, list again.
    Failed { code: u16, message: Text },
    /// A kind of event that this version does not know; nothing is lost by passing over it.
    Other,
}

#[derive(Deserialize)]
struct Line<'a> {
    #[serde(rename = "type")]
    kind: String,
    #[serde(borrow)]
    object: &'a RawValue,
}

#[derive(Deserialize)]
struct Bookmark {
    metadata: BookmarkMeta,
}

#[derive(Deserialize)]
struct BookmarkMeta {
    #[serde(rename = "resourceVersion")]
    version: String,
}

/// A metav1.Status, of which only this is read.
#[derive(Debug, Default, Deserialize)]
struct Status {
    #[serde(default)]
    code: u16,
    #[serde(default, deserialize_with = "or_default")]
    message: String,
}

/// Reads a line without its line break.
///
/// # Errors
/// [`Gap::Garbled`] where it is not an event.
pub fn read(line: &[u8]) -> Result<Event<'_>, Gap> {
    let line: Line<'_> =
        serde_json::from_slice(line).map_err(|error| garbled("watch event", &error))?;
    let object = line.object.get();
    Ok(match line.kind.as_str() {
        "ADDED" | "MODIFIED" => Event::Set(object),
        "DELETED" => Event::Removed(object),
        "BOOKMARK" => {
            let bookmark: Bookmark =
                serde_json::from_str(object).map_err(|error| garbled("bookmark", &error))?;
            Event::Bookmark(bookmark.metadata.version)
        }
        "ERROR" => {
            let status: Status = serde_json::from_str(object).unwrap_or_default();
            Event::Failed {
                code: status.code,
                message: field(&status.message),
            }
        }
        _ => Event::Other,
    })
}

/// The message of an error answer (metav1.Status), or the beginning of whatever came instead.
pub fn status_message(body: &[u8]) -> Text {
    match serde_json::from_slice::<Status>(body) {
        Ok(status) if !status.message.is_empty() => field(&status.message),
        _ => Text::from_bytes(&body[..body.len().min(200)]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_told_apart() {
        let set = read(br#"{"type":"ADDED","object":{"metadata":{"name":"a"}}}"#);
        assert!(matches!(
            set,
            Ok(Event::Set(r#"{"metadata":{"name":"a"}}"#))
        ));
        let mark = read(
            br#"{"type":"BOOKMARK","object":{"kind":"Pod","metadata":{"resourceVersion":"9"}}}"#,
        );
        assert!(matches!(mark, Ok(Event::Bookmark(version)) if version == "9"));
        let gone =
            read(br#"{"type":"ERROR","object":{"kind":"Status","code":410,"message":"too old"}}"#);
        assert!(matches!(gone, Ok(Event::Failed { code: 410, message }) if message == "too old"));
        assert!(matches!(
            read(br#"{"type":"NEWS","object":{}}"#),
            Ok(Event::Other)
        ));
        assert!(read(b"null").is_err());
    }

    #[test]
    fn an_error_page_is_quoted_by_its_beginning() {
        assert_eq!(status_message(br#"{"message":"no"}"#), "no");
        assert_eq!(status_message(b"<html>\x1b"), r"<html>\x1b");
    }
}
