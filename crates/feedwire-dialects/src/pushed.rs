//! Events as they are pushed: CloudEvents over HTTP (HTTP binding 1.0.2), in each of its modes.

use std::borrow::Cow;
use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use feedwire_engine::Record;
use feedwire_event::ProjectName;
use http::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use serde_json::value::RawValue;

use crate::Unreadable;
use crate::media::MediaType;
use crate::native::event;

/// The media type of one event with its attributes.
const STRUCTURED: HeaderValue = HeaderValue::from_static("application/cloudevents+json");
/// The media type of several.
const BATCH: HeaderValue = HeaderValue::from_static("application/cloudevents-batch+json");
const JSON: HeaderValue = HeaderValue::from_static("application/json");
const BYTES: HeaderValue = HeaderValue::from_static("application/octet-stream");

/// What a request is made of: headers that say what the body is, and the body.
pub type Request = (HeaderMap, Vec<u8>);

/// One event as JSON with its attributes.
pub fn structured(project: &ProjectName, record: &Record) -> Result<Request, Unreadable> {
    let mut body = Vec::new();
    write(project, record, &mut body)?;
    Ok((of_type(STRUCTURED), body))
}

/// An array of events as JSON with their attributes.
pub fn batch<'r>(
    project: &ProjectName,
    records: impl IntoIterator<Item = &'r Record>,
) -> Result<Request, Unreadable> {
    let mut body = vec![b'['];
    for record in records {
        if body.len() > 1 {
            body.push(b',');
        }
        write(project, record, &mut body)?;
    }
    body.push(b']');
    Ok((of_type(BATCH), body))
}

/// One event whose attributes are headers and whose data is the body.
pub fn binary(project: &ProjectName, record: &Record) -> Result<Request, Unreadable> {
    let mut json = Vec::new();
    write(project, record, &mut json)?;
    let members: BTreeMap<Cow<'_, str>, &RawValue> =
        serde_json::from_slice(&json).expect("what was written is an object");
    let mut headers = HeaderMap::new();
    let (mut media, mut data, mut encoded) = (None, None, None);
    for (name, value) in &members {
        match &**name {
            "data" => data = Some(value.get()),
            "data_base64" => encoded = Some(value.get()),
            "datacontenttype" => media = text(value),
            name => {
                let header = HeaderName::try_from(format!("ce-{name}"));
                let header = header.expect("attributes are of small letters and digits");
                headers.insert(header, attribute(value));
            }
        }
    }
    let media = media.and_then(|media| HeaderValue::from_str(&media).ok());
    let is_json = media.as_ref().is_none_or(is_json);
    let (kind, body) = match (data, encoded) {
        (None, None) => (media, Vec::new()),
        (None, Some(encoded)) => {
            let text: &str = serde_json::from_str(encoded).expect("base64 needs no escapes");
            let bytes = STANDARD
                .decode(text)
                .expect("it was checked when it was published");
            (media.or(Some(BYTES)), bytes)
        }
        // Text of another type was published as a string.
        (Some(json), _) if !is_json && json.starts_with('"') => {
            let text: String = serde_json::from_str(json).expect("it is a string");
            (media, text.into_bytes())
        }
        (Some(json), _) => (media.or(Some(JSON)), json.as_bytes().to_vec()),
    };
    headers.extend(kind.map(|kind| (CONTENT_TYPE, kind)));
    Ok((headers, body))
}

fn write(project: &ProjectName, record: &Record, out: &mut Vec<u8>) -> Result<(), Unreadable> {
    let position = record.position();
    event::write(project, record, out).map_err(|_error| Unreadable { position })
}

fn of_type(media: HeaderValue) -> HeaderMap {
    HeaderMap::from_iter([(CONTENT_TYPE, media)])
}

fn is_json(media: &HeaderValue) -> bool {
    let media = media.to_str().ok().and_then(MediaType::parse);
    media.is_some_and(|media| media.is_json())
}

/// The text of a string.
fn text(value: &RawValue) -> Option<String> {
    serde_json::from_str(value.get()).ok()
}

/// An attribute as a header has it (3.1.3.2): what is not visible ASCII, and `"` and `%`, as the octets of its UTF-8.
fn attribute(value: &RawValue) -> HeaderValue {
    let plain = text(value).unwrap_or_else(|| value.get().to_owned());
    let mut escaped = String::with_capacity(plain.len());
    for byte in plain.bytes() {
        match byte {
            b'"' | b'%' | 0..=b' ' | 0x7f.. => {
                escaped.push('%');
                for digit in [byte >> 4, byte & 15] {
                    let digit = char::from_digit(digit.into(), 16).expect("it is below 16");
                    escaped.push(digit.to_ascii_uppercase());
                }
            }
            byte => escaped.push(char::from(byte)),
        }
    }
    HeaderValue::from_str(&escaped).expect("it is visible ASCII")
}

#[cfg(test)]
mod tests {
    use feedwire_engine::{Place, Stamp};
    use feedwire_event::json::Canonical;
    use feedwire_event::{
        Attribute as _, Data, Event, EventId, Extensions, Position, Source, Subject, Timestamp,
        TypeName, Version, payload,
    };
    use insta::assert_snapshot;

    use super::*;

    /// An event about `subject` with this data and, beside it, what its data is.
    fn record(subject: &str, media: Option<&str>, data: Option<Data>) -> Record {
        let mut extensions = Extensions::default();
        extensions
            .push("traceid", &Canonical::string("4f"))
            .expect("an extension");
        if let Some(media) = media {
            extensions
                .push("datacontenttype", &Canonical::string(media))
                .expect("an extension");
        }
        let event = Event {
            id: Some(EventId::new("a-1").expect("an id")),
            source: Some(Source::new("/planes").expect("a source")),
            ty: TypeName::new("flight.departed").expect("a name"),
            subject: Some(Subject::new(subject).expect("a subject")),
            time: None,
            live_only: false,
            extensions,
            data,
        };
        let payload = payload::encode(&event, payload::Marks::default(), || unreachable!());
        let tags = ["flights", "flight.departed", subject];
        let bytes = [tags.concat().as_bytes(), &payload].concat();
        let time: Timestamp = "2026-11-21T08:00:00.000001Z".parse().expect("a time");
        let stamp = Stamp {
            position: Position::new(101).expect("a position"),
            recorded_at: time,
            time,
            version: Version(3),
            place: Place { index: 0, count: 1 },
        };
        Record::new(stamp, tags.map(str::len), bytes.into()).expect("a record")
    }

    fn json(text: &str) -> Data {
        let raw = serde_json::from_str(text).expect("JSON");
        Data::Json(Canonical::new(raw).expect("canonical"))
    }

    fn told((headers, body): Request) -> String {
        let line = |(name, value): (&HeaderName, &HeaderValue)| {
            format!("{name}: {}", value.to_str().expect("ASCII"))
        };
        let mut lines: Vec<_> = headers.iter().map(line).collect();
        lines.sort();
        lines.push(format!("{:?}", String::from_utf8_lossy(&body)));
        lines.join("\n")
    }

    fn project() -> ProjectName {
        ProjectName::new("default").expect("a name")
    }

    #[test]
    fn an_event_goes_with_its_attributes_alone_or_among_others() {
        let record = record("N1", None, Some(json("{\"delay\":2.50}")));
        let one = structured(&project(), &record).expect("readable");
        assert_snapshot!(told(one), @r#"
        content-type: application/cloudevents+json
        "{\"specversion\":\"1.0\",\"id\":\"a-1\",\"source\":\"/planes\",\"type\":\"flight.departed\",\"subject\":\"N1\",\"time\":\"2026-11-21T08:00:00.000001Z\",\"feed\":\"flights\",\"position\":101,\"recordedat\":\"2026-11-21T08:00:00.000001Z\",\"version\":3,\"traceid\":\"4f\",\"data\":{\"delay\":2.50}}"
        "#);
        let two = batch(&project(), [&record, &record]).expect("readable");
        assert_snapshot!(told(two), @r#"
        content-type: application/cloudevents-batch+json
        "[{\"specversion\":\"1.0\",\"id\":\"a-1\",\"source\":\"/planes\",\"type\":\"flight.departed\",\"subject\":\"N1\",\"time\":\"2026-11-21T08:00:00.000001Z\",\"feed\":\"flights\",\"position\":101,\"recordedat\":\"2026-11-21T08:00:00.000001Z\",\"version\":3,\"traceid\":\"4f\",\"data\":{\"delay\":2.50}},{\"specversion\":\"1.0\",\"id\":\"a-1\",\"source\":\"/planes\",\"type\":\"flight.departed\",\"subject\":\"N1\",\"time\":\"2026-11-21T08:00:00.000001Z\",\"feed\":\"flights\",\"position\":101,\"recordedat\":\"2026-11-21T08:00:00.000001Z\",\"version\":3,\"traceid\":\"4f\",\"data\":{\"delay\":2.50}}]"
        "#);
        let none = batch(&project(), []).expect("readable");
        assert_eq!(none.1, b"[]");
    }

    #[test]
    fn in_binary_mode_attributes_are_headers_and_data_is_the_body() {
        let record = record("N1 \u{e9}\"%", None, Some(json("{\"delay\":2.50}")));
        let one = binary(&project(), &record).expect("readable");
        assert_snapshot!(told(one), @r#"
        ce-feed: flights
        ce-id: a-1
        ce-position: 101
        ce-recordedat: 2026-11-21T08:00:00.000001Z
        ce-source: /planes
        ce-specversion: 1.0
        ce-subject: N1%20%C3%A9%22%25
        ce-time: 2026-11-21T08:00:00.000001Z
        ce-traceid: 4f
        ce-type: flight.departed
        ce-version: 3
        content-type: application/json
        "{\"delay\":2.50}"
        "#);
    }

    #[test]
    fn in_binary_mode_a_body_is_what_was_published_whatever_it_is() {
        let bodies = [
            (None, None),
            (Some("text/plain"), Some(json("\"a \u{e9}\""))),
            (Some("application/vnd.a+json"), Some(json("\"a\""))),
            (
                Some("image/png"),
                Some(Data::Base64(Canonical::string("AAH/"))),
            ),
            (None, Some(Data::Base64(Canonical::string("AAH/")))),
        ];
        let bodies = bodies.map(|(media, data)| {
            let (headers, body) = binary(&project(), &record("s", media, data)).expect("readable");
            format!("{:?} {body:?}", headers.get(CONTENT_TYPE))
        });
        assert_snapshot!(bodies.join("\n"), @r#"
        None []
        Some("text/plain") [97, 32, 195, 169]
        Some("application/vnd.a+json") [34, 97, 34]
        Some("image/png") [0, 1, 255]
        Some("application/octet-stream") [0, 1, 255]
        "#);
    }
}
