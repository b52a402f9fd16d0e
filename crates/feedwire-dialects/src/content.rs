//! What a body that is published is, as its `Content-Type` tells.

use feedwire_api::CLOUDEVENTS_BATCH;

use crate::Shape;
use crate::media::{self, MediaType};

/// What every format of CloudEvents begins with; what headers say beside one says nothing (HTTP binding 1.0.2, section 3).
const CLOUDEVENTS: &str = "application/cloudevents";

/// What a body is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// A JSON document.
    Json(Shape),
    /// A JSON document a line.
    Ndjson,
    /// The data of one event, whose attributes are headers.
    Data,
}

impl Content {
    /// What a body of this type is, where headers hold the attributes of an event or not; `None` where it cannot be read.
    pub fn of(content_type: Option<&str>, has_attributes: bool) -> Option<Self> {
        let essence = content_type.map(media::essence).unwrap_or_default();
        let content = match &*essence {
            "application/cloudevents+json" => Self::Json(Shape::Event),
            CLOUDEVENTS_BATCH => Self::Json(Shape::Array),
            other if other.starts_with(CLOUDEVENTS) => return None,
            _ if has_attributes => return Some(Self::Data),
            "application/json" => Self::Json(Shape::Any),
            "application/x-ndjson" | "application/ndjson" | "application/jsonl" => Self::Ndjson,
            _ => return None,
        };
        // Without parameters there is no charset.
        let with_parameters = content_type.filter(|text| text.contains(';'));
        let media_type = with_parameters.and_then(MediaType::parse);
        let is_utf8 = media_type.is_none_or(|media_type| media_type.is_utf8());
        is_utf8.then_some(content)
    }
}

/// Why a body is not looked at, where it is JSON whatever its type says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Unfit {
    /// It is compressed in this way.
    Encoded(String),
    /// It is of a web page, and does not say that it is JSON.
    OfPage,
}

/// Refuses a body that is compressed, and one that a web page may send without its browser asking whether it may: one that does not say
/// that it is JSON. Of others the media type says nothing: clients are found that send JSON as a form.
pub(crate) fn json_anyway(
    content_encoding: Option<&str>,
    content_type: Option<&str>,
    origin: Option<&str>,
) -> Result<(), Unfit> {
    match content_encoding.map(str::trim) {
        None | Some("" | "identity") => {}
        Some(other) => return Err(Unfit::Encoded(other.to_owned())),
    }
    let media_type = content_type.and_then(MediaType::parse);
    let is_json = media_type.is_some_and(|media_type| media_type.is_json());
    if origin.is_some() && !is_json {
        return Err(Unfit::OfPage);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_body_is_known_by_its_content_type() {
        let json = |shape| Some(Content::Json(shape));
        let (data, lines) = (Some(Content::Data), Some(Content::Ndjson));
        let (event, array) = (json(Shape::Event), json(Shape::Array));
        for (content_type, plain, with_attributes) in [
            ("application/json; charset=utf-8", json(Shape::Any), data),
            (
                "application/cloudevents+json; charset=\"UTF-8\"",
                event,
                event,
            ),
            ("Application/CloudEvents-Batch+JSON", array, array),
            ("application/jsonl", lines, data),
            ("text/plain", None, data),
            ("application/json; charset=utf-16", None, data),
            (
                "application/cloudevents+json; charset=iso-8859-1",
                None,
                None,
            ),
            ("application/cloudevents+avro", None, None),
            ("application/cloudevents", None, None),
        ] {
            let of = |has_attributes| Content::of(Some(content_type), has_attributes);
            assert_eq!(of(false), plain, "{content_type}");
            assert_eq!(of(true), with_attributes, "{content_type}");
        }
        assert_eq!(Content::of(None, false), None);
        assert_eq!(Content::of(None, true), data);
    }

    proptest! {
        #[test]
        fn any_content_type_is_read_without_panic(text in any::<String>(), has_attributes in any::<bool>()) {
            Content::of(Some(&text), has_attributes);
        }
    }
}
