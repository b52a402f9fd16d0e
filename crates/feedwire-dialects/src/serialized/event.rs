//! A record as Serialized tells it, compact and in ASCII.

use feedwire_engine::Record;
use feedwire_event::payload::{self, DataText};

use crate::uuids;

/// The extension attribute that holds what is encrypted of an event.
pub(super) const ENCRYPTED: &str = "encrypteddata";

/// Appends `record` as one JSON object; nothing where its payload cannot be read.
pub(super) fn write(record: &Record, out: &mut Vec<u8>) -> Result<(), payload::Error> {
    let payload = record.payload()?;
    out.extend_from_slice(b"{\"eventId\":\"");
    uuids::write(payload.id, out);
    // Names are ASCII without quotes.
    out.extend_from_slice(b"\",\"eventType\":\"");
    out.extend_from_slice(record.ty().as_bytes());
    out.push(b'"');
    match payload.data {
        DataText::None => {}
        DataText::Json(data) | DataText::Base64(data) => {
            out.extend_from_slice(b",\"data\":");
            out.extend_from_slice(data.as_bytes());
        }
    }
    if let Some(encrypted) = member(payload.extensions, ENCRYPTED) {
        out.extend_from_slice(b",\"encryptedData\":");
        write_text(encrypted, out);
    }
    out.push(b'}');
    Ok(())
}

/// Appends a value that is to be a string: a number or a boolean, which an extension may be too, becomes one.
fn write_text(value: &str, out: &mut Vec<u8>) {
    let quote: &[u8] = if value.starts_with('"') { b"" } else { b"\"" };
    for part in [quote, value.as_bytes(), quote] {
        out.extend_from_slice(part);
    }
}

/// The value of `wanted` among `members`, those of a canonical object of scalars without its braces.
fn member<'a>(members: &'a str, wanted: &str) -> Option<&'a str> {
    let mut rest = members;
    while let Some(member) = rest.strip_prefix('"') {
        let (name, behind) = member.split_once("\":")?;
        let (value, behind) = behind.split_at_checked(value_bytes(behind))?;
        if name == wanted {
            return Some(value);
        }
        rest = behind.strip_prefix(',')?;
    }
    None
}

/// How long the scalar is that `text` begins with.
fn value_bytes(text: &str) -> usize {
    let bytes = text.as_bytes();
    if !text.starts_with('"') {
        return memchr::memchr(b',', bytes).unwrap_or(bytes.len());
    }
    let mut at = 1;
    while let Some(found) = bytes
        .get(at..)
        .and_then(|rest| memchr::memchr2(b'"', b'\\', rest))
    {
        at += found;
        if bytes[at] == b'"' {
            return at + 1;
        }
        at += 2;
    }
    bytes.len()
}

#[cfg(test)]
pub(super) mod tests {
    use bytes::Bytes;
    use feedwire_engine::{Place, Stamp};
    use feedwire_event::json::Canonical;
    use feedwire_event::{
        Attribute, Data, Event, EventId, Extensions, Position, Timestamp, TypeName, Version,
    };
    use insta::assert_snapshot;
    use proptest::prelude::*;
    use serde_json::value::RawValue;

    use super::*;

    pub(in crate::serialized) const ORDER: &str = "723ecfce-14e9-4889-98d5-a3d0ad54912f";

    pub(in crate::serialized) fn position(value: u64) -> Position {
        Position::new(value).expect("a position")
    }

    fn canonical(json: &str) -> Canonical {
        let raw: &RawValue = serde_json::from_str(json).expect("JSON");
        Canonical::new(raw).expect("canonical")
    }

    /// An event with `id` and nothing that it can do without.
    pub(in crate::serialized) fn bare(id: &str, ty: &str) -> Event {
        Event {
            id: Some(EventId::new(id).expect("an id")),
            source: None,
            ty: TypeName::new(ty).expect("a name"),
            subject: None,
            time: None,
            live_only: false,
            extensions: Extensions::default(),
            data: None,
        }
    }

    /// `event` with JSON for data.
    pub(in crate::serialized) fn with_data(event: Event, json: &str) -> Event {
        let data = Some(Data::Json(canonical(json)));
        Event { data, ..event }
    }

    fn extended(event: Event, members: &[(&str, &str)]) -> Event {
        let mut extensions = Extensions::default();
        for (name, json) in members {
            extensions
                .push(name, &canonical(json))
                .expect("an extension");
        }
        Event {
            extensions,
            ..event
        }
    }

    /// Where a record stands, and when it was recorded.
    #[derive(Clone, Copy)]
    pub(in crate::serialized) struct Stand {
        pub(in crate::serialized) position: u64,
        pub(in crate::serialized) place: Place,
        pub(in crate::serialized) recorded_at_micros: i64,
    }

    impl Stand {
        /// A batch of its own.
        pub(in crate::serialized) fn alone(position: u64, recorded_at_micros: i64) -> Self {
            let place = Place { index: 0, count: 1 };
            Self {
                position,
                place,
                recorded_at_micros,
            }
        }
    }

    /// The record of `event` about `subject` in `feed`.
    pub(in crate::serialized) fn record(
        feed: &str,
        subject: &str,
        event: &Event,
        stand: Stand,
    ) -> Record {
        let payload = payload::encode(event, payload::Marks::default(), || {
            unreachable!("it has an id")
        });
        let tags = [feed, event.ty.as_str(), subject];
        let bytes = [tags.concat().as_bytes(), &payload].concat();
        let recorded_at = Timestamp::from_micros(stand.recorded_at_micros);
        let stamp = Stamp {
            position: position(stand.position),
            recorded_at,
            time: recorded_at,
            version: Version(1),
            place: stand.place,
        };
        Record::new(stamp, tags.map(str::len), bytes.into()).expect("a record")
    }

    fn written(event: &Event) -> String {
        let mut out = Vec::new();
        let record = record("order", ORDER, event, Stand::alone(1, 0));
        write(&record, &mut out).expect("a payload");
        assert!(out.iter().all(|byte| matches!(byte, b' '..=b'~')));
        String::from_utf8(out).expect("ASCII")
    }

    #[test]
    fn an_event_has_what_it_was_saved_with() {
        let event = bare("127b80b5-4a05-4774-b870-1c9a2e2a27a3", "OrderPlacedEvent");
        assert_snapshot!(written(&event), @r#"{"eventId":"127b80b5-4a05-4774-b870-1c9a2e2a27a3","eventType":"OrderPlacedEvent"}"#);
        let event = with_data(
            event,
            r#"{"customerId":"\u00c6r\u00f8","orderAmount":123.450}"#,
        );
        assert_snapshot!(written(&event), @r#"{"eventId":"127b80b5-4a05-4774-b870-1c9a2e2a27a3","eventType":"OrderPlacedEvent","data":{"customerId":"\u00c6r\u00f8","orderAmount":123.450}}"#);
        let event = extended(
            event,
            &[("traceid", r#""4f""#), (ENCRYPTED, r#""c2Vj\u20ac\"""#)],
        );
        assert_snapshot!(written(&event), @r#"{"eventId":"127b80b5-4a05-4774-b870-1c9a2e2a27a3","eventType":"OrderPlacedEvent","data":{"customerId":"\u00c6r\u00f8","orderAmount":123.450},"encryptedData":"c2Vj\u20ac\""}"#);
    }

    #[test]
    fn what_the_native_api_published_is_told_in_the_same_form() {
        let event = bare("a-1", "order.placed");
        assert_snapshot!(written(&with_data(event.clone(), "null")), @r#"{"eventId":"d1cb94c7-b70d-5f21-9248-089b40fb1d30","eventType":"order.placed","data":null}"#);
        let base64 = Some(Data::Base64(Canonical::string("3q2+7w==")));
        let event = Event {
            data: base64,
            ..event
        };
        assert_snapshot!(written(&extended(event, &[(ENCRYPTED, "7")])), @r#"{"eventId":"d1cb94c7-b70d-5f21-9248-089b40fb1d30","eventType":"order.placed","data":"3q2+7w==","encryptedData":"7"}"#);
    }

    #[test]
    fn a_payload_of_another_version_writes_nothing() {
        let stamp = *record("f", "", &bare("a", "t"), Stand::alone(1, 0)).stamp();
        let bytes = Bytes::from_static(b"ft\x09aaaaaaaaaaaa");
        let record = Record::new(stamp, [1, 1, 0], bytes).expect("a record");
        let mut out = Vec::new();
        assert_eq!(write(&record, &mut out), Err(payload::Error::Format(9)));
        assert!(out.is_empty());
    }

    proptest! {
        #[test]
        fn a_member_is_found_whatever_the_others_are(
            others in prop::collection::vec(any::<Option<String>>(), 0..4), at in 0_usize..5, text in any::<String>(),
        ) {
            let mut extensions = Extensions::default();
            let at = at.min(others.len());
            let value = |text: &Option<String>| text.as_ref().map_or_else(|| canonical("-1.5e3"), |text| Canonical::string(text));
            for (index, other) in others.iter().enumerate() {
                if index == at {
                    extensions.push(ENCRYPTED, &Canonical::string(&text)).expect("an extension");
                }
                extensions.push(&format!("x{index}"), &value(other)).expect("an extension");
            }
            let members = std::str::from_utf8(extensions.members()).expect("ASCII");
            let wanted = Canonical::string(&text);
            let found = (at < others.len()).then_some(wanted.as_str());
            prop_assert_eq!(member(members, ENCRYPTED), found);
        }

        #[test]
        fn any_text_is_looked_through_without_panic(text in any::<String>(), near in r#"["\\:,ab1]{0,20}"#) {
            member(&text, "a");
            member(&near, "a");
        }
    }
}
