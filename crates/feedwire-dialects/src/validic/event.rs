//! A record as Validic tells it, compact and in ASCII.

use feedwire_engine::Record;
use feedwire_event::Timestamp;
use feedwire_event::json::write_string;
use feedwire_event::payload::{self, DataText, Payload};
use xxhash_rust::xxh3::xxh3_128;

use super::request::EventKind;
use crate::members::{self, Standing};

/// The version of the vendor's records that these are of.
const VERSION: &[u8] = b"\"1.0\"";

/// What every record of a user has, in the order in which what is missing is added.
const FILLED: [(&str, Filling); 6] = [
    ("id", Filling::Id),
    ("checksum", Filling::Checksum),
    ("type", Filling::Type),
    ("created_at", Filling::CreatedAt),
    ("user", Filling::User),
    ("version", Filling::Version),
];

/// What a member is filled in with.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Filling {
    Id,
    Checksum,
    Type,
    CreatedAt,
    User,
    Version,
}

/// What `record` is. Of the feeds of this dialect each is of one kind; nothing else is read.
pub(super) fn kind(record: &Record) -> EventKind {
    EventKind::of(record.feed()).unwrap_or(EventKind::Data)
}

/// Appends `record` as one JSON object; nothing where its payload cannot be read.
pub(super) fn write(record: &Record, out: &mut Vec<u8>) -> Result<(), payload::Error> {
    let payload = record.payload()?;
    let object = match payload.data {
        DataText::Json(json) if json.starts_with('{') => Some(json),
        DataText::Json(_) | DataText::Base64(_) | DataText::None => None,
    };
    match (kind(record), object) {
        (EventKind::Data, _) => Told { record, payload }.write(object, out),
        (EventKind::Connection, Some(json)) if is_wrapped(json) => {
            out.extend_from_slice(json.as_bytes());
        }
        (EventKind::Connection, object) => {
            out.extend_from_slice(b"{\"connection\":");
            write_object(object, &payload, out);
            out.push(b'}');
        }
        (EventKind::Rule, object) => write_object(object, &payload, out),
    }
    Ok(())
}

/// Whether the canonical `object` is the envelope of a connection, and not what is in one.
fn is_wrapped(object: &str) -> bool {
    let members = members::of_object(object, ["connection"]).ok();
    let [connection] = members.map(|members| members.values).unwrap_or_default();
    connection.is_some_and(|value| value.get().starts_with('{'))
}

/// Appends `object`, or one that has the data of `payload` as a member.
fn write_object(object: Option<&str>, payload: &Payload<'_>, out: &mut Vec<u8>) {
    let Some(json) = object else {
        out.push(b'{');
        write_data(payload, out);
        out.push(b'}');
        return;
    };
    out.extend_from_slice(json.as_bytes());
}

/// Appends data that is no object as the member that the native API has for it.
fn write_data(payload: &Payload<'_>, out: &mut Vec<u8>) {
    let (name, text): (&[u8], _) = match payload.data {
        DataText::None => return,
        DataText::Json(text) => (b"\"data\":", text),
        DataText::Base64(text) => (b"\"data_base64\":", text),
    };
    out.extend_from_slice(name);
    out.extend_from_slice(text.as_bytes());
}

/// A record of a user that is told.
struct Told<'r> {
    record: &'r Record,
    payload: Payload<'r>,
}

impl Told<'_> {
    /// Appends `object` with what it lacks filled in, where there is one, and otherwise what is filled in with the data beside it.
    fn write(&self, object: Option<&str>, out: &mut Vec<u8>) {
        let json = object.unwrap_or("{}");
        let names = FILLED.map(|(name, _)| name);
        let places = members::places(json, names).unwrap_or_default();
        let open = self.write_nulls(json, &places, out);
        out.extend_from_slice(open.as_bytes());
        let mut parting: &[u8] = if json == "{}" { b"" } else { b"," };
        for ((name, filling), place) in FILLED.into_iter().zip(places) {
            let is_known = filling != Filling::User || self.record.subject().is_some();
            if place.is_none() && is_known {
                out.extend_from_slice(std::mem::replace(&mut parting, b","));
                write_string(name, out);
                out.push(b':');
                self.write_value(filling, out);
            }
        }
        if object.is_none() && self.payload.data != DataText::None {
            out.extend_from_slice(parting);
            write_data(&self.payload, out);
        }
        out.push(b'}');
    }

    /// Appends `json` up to behind the last member that is null and filled in; what is left of it is handed back, without its brace.
    ///
    /// A null is replaced where it stands: a name that comes twice in an object means this to one client and that to another.
    fn write_nulls<'j>(
        &self,
        json: &'j str,
        places: &[Option<Standing>],
        out: &mut Vec<u8>,
    ) -> &'j str {
        let nulls = FILLED.iter().zip(places);
        let nulls = nulls.filter_map(|((_, filling), place)| Some((place.as_ref()?, filling)));
        let mut nulls: Vec<_> = nulls.filter(|(place, _)| place.is_null).collect();
        nulls.sort_unstable_by_key(|(place, _)| place.at);
        let mut copied = 0;
        for (place, filling) in nulls {
            out.extend_from_slice(&json.as_bytes()[copied..place.at]);
            self.write_value(*filling, out);
            copied = place.at + "null".len();
        }
        let rest = &json[copied..];
        rest.strip_suffix('}').unwrap_or(rest)
    }

    fn write_value(&self, filling: Filling, out: &mut Vec<u8>) {
        match filling {
            Filling::Id => write_string(self.payload.id, out),
            Filling::Checksum => write_checksum(self.payload.data, out),
            // Names are ASCII without quotes, but that is for others to say.
            Filling::Type => write_string(self.record.ty(), out),
            Filling::CreatedAt => write_time(self.record.stamp().recorded_at, out),
            Filling::User => match self.record.subject() {
                Some(subject) => {
                    out.extend_from_slice(b"{\"user_id\":");
                    write_string(subject, out);
                    out.push(b'}');
                }
                None => out.extend_from_slice(b"null"),
            },
            Filling::Version => out.extend_from_slice(VERSION),
        }
    }
}

/// Appends what tells data from other data of the same record: a hash of its canonical text, so the same for good.
fn write_checksum(data: DataText<'_>, out: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let text = match data {
        DataText::None => "",
        DataText::Json(text) | DataText::Base64(text) => text,
    };
    out.push(b'"');
    for byte in xxh3_128(text.as_bytes()).to_be_bytes() {
        out.extend([byte >> 4, byte & 0xf].map(|digit| HEX[usize::from(digit)]));
    }
    out.push(b'"');
}

/// `time` with all three digits of its milliseconds, as a text of its own.
pub(super) fn millis(time: Timestamp) -> String {
    let mut out = Vec::with_capacity("2013-01-01T10:00:00.000000Z".len());
    write_millis(time, &mut out);
    String::from_utf8(out).expect("a time is written in ASCII")
}

/// Appends `time` as JSON.
pub(super) fn write_time(time: Timestamp, out: &mut Vec<u8>) {
    out.push(b'"');
    write_millis(time, out);
    out.push(b'"');
}

/// Appends `time` with all three digits of its milliseconds; the rest is cut off.
fn write_millis(time: Timestamp, out: &mut Vec<u8>) {
    let start = out.len();
    time.write(out);
    out.pop();
    if out.len() - start == "2013-01-01T10:00:00".len() {
        out.push(b'.');
    }
    out.resize(start + "2013-01-01T10:00:00.000".len(), b'0');
    out.push(b'Z');
}

#[cfg(test)]
pub(super) mod tests {
    use bytes::Bytes;
    use feedwire_engine::{Place, Stamp};
    use feedwire_event::json::Canonical;
    use feedwire_event::{
        Attribute, Data, Event, EventId, Extensions, Position, Subject, TypeName, Version,
    };
    use insta::assert_snapshot;
    use proptest::prelude::*;
    use serde_json::value::RawValue;

    use super::*;

    pub(in crate::validic) fn time() -> Timestamp {
        "2017-08-04T18:17:34.61Z".parse().expect("a time")
    }

    /// The record of an event of the type `summary` in `feed` about a user; no data where `json` is empty.
    pub(in crate::validic) fn record(feed: &str, json: &str) -> Record {
        let data = (!json.is_empty()).then(|| Data::Json(canonical(json)));
        of(feed, Subject::new("u\u{e9}1").ok(), data)
    }

    fn canonical(json: &str) -> Canonical {
        let raw: &RawValue = serde_json::from_str(json).expect("JSON");
        Canonical::new(raw).expect("canonical")
    }

    fn of(feed: &str, subject: Option<Subject>, data: Option<Data>) -> Record {
        let ty = "summary";
        let event = Event {
            id: EventId::new("a-1").ok(),
            source: None,
            ty: TypeName::new(ty).expect("a name"),
            subject,
            time: None,
            live_only: false,
            extensions: Extensions::default(),
            data,
        };
        let payload = payload::encode(&event, payload::Marks::default(), || {
            unreachable!("it has an id")
        });
        let subject = event.subject.as_ref().map_or("", Subject::as_str);
        let tags = [feed, ty, subject];
        let bytes = [tags.concat().as_bytes(), &payload].concat();
        let stamp = Stamp {
            position: Position::new(7).expect("a position"),
            recorded_at: time(),
            time: Timestamp::MAX,
            version: Version(1),
            place: Place { index: 0, count: 1 },
        };
        Record::new(stamp, tags.map(str::len), bytes.into()).expect("a record")
    }

    /// A record whose payload is of another version.
    pub(in crate::validic) fn broken() -> Record {
        let stamp = *record("data", "").stamp();
        let bytes = Bytes::from_static(b"datasummary\x09aaaaaaaaaaaa");
        Record::new(stamp, [4, 7, 0], bytes).expect("a record")
    }

    fn written(record: &Record) -> String {
        let mut out = Vec::new();
        write(record, &mut out).expect("a payload");
        assert!(out.iter().all(|byte| matches!(byte, b' '..=b'~')));
        String::from_utf8(out).expect("ASCII")
    }

    fn told<const N: usize>(feed: &str, data: [&str; N]) -> String {
        data.map(|json| written(&record(feed, json))).join("\n")
    }

    const WHOLE: &str = r#"{"category":"daily","checksum":"ff11bfe0","created_at":"2017-08-04T12:07:15.439Z","deleted_at":null,"id":"f658f824","metrics":[{"value":2371.7412956000,"note":"Stra\u00dfe"}],"type":"summary","user":{"organization_id":"o1","uid":"x","user_id":"u1"},"version":"1.0"}"#;

    #[test]
    fn a_record_that_is_whole_is_passed_through() {
        assert_eq!(told("data", [WHOLE]), WHOLE);
        let other = r#"{"version":"2.0","id":7,"type":"x","checksum":"","created_at":0,"user":[]}"#;
        assert_eq!(told("data", [other]), other);
    }

    #[test]
    fn what_a_record_lacks_is_filled_in() {
        let lacking = [
            "{}",
            r#"{"metrics":[1.50],"nested":{"id":"no"}}"#,
            r#"{"id":"f658f824","user":{"uid":"x"},"type":"workout"}"#,
            r#"{"checksum":null,"a":1,"id":null,"user":null,"z":null}"#,
            r#"{"id":null,"id":"f658f824","version":"1","version":null}"#,
        ];
        assert_snapshot!(told("data", lacking), @r#"
        {"id":"a-1","checksum":"dc7048f8f8747f561349cde127705c16","type":"summary","created_at":"2017-08-04T18:17:34.610Z","user":{"user_id":"u\u00e91"},"version":"1.0"}
        {"metrics":[1.50],"nested":{"id":"no"},"id":"a-1","checksum":"17bacec9c80d125b1d3368a9a49b0df3","type":"summary","created_at":"2017-08-04T18:17:34.610Z","user":{"user_id":"u\u00e91"},"version":"1.0"}
        {"id":"f658f824","user":{"uid":"x"},"type":"workout","checksum":"eb0042b896897b5513c70102253310cd","created_at":"2017-08-04T18:17:34.610Z","version":"1.0"}
        {"checksum":"d024a3d13d8583421cca51b78fa2d16d","a":1,"id":"a-1","user":{"user_id":"u\u00e91"},"z":null,"type":"summary","created_at":"2017-08-04T18:17:34.610Z","version":"1.0"}
        {"id":null,"id":"f658f824","version":"1","version":"1.0","checksum":"8c70502dbca97847cdc75260910f3bc3","type":"summary","created_at":"2017-08-04T18:17:34.610Z","user":{"user_id":"u\u00e91"}}
        "#);
        // The example of the documentation.
        let lacking = r#"{"id":"f658f824","type":"summary","metrics":[]}"#;
        assert_snapshot!(told("data", [lacking]), @r#"{"id":"f658f824","type":"summary","metrics":[],"checksum":"78fdbe32bfdaea8165655f601a90ca08","created_at":"2017-08-04T18:17:34.610Z","user":{"user_id":"u\u00e91"},"version":"1.0"}"#);
        let nobodys = |json: &str| written(&of("data", None, Some(Data::Json(canonical(json)))));
        assert_snapshot!(nobodys(r#"{"a":1}"#), @r#"{"a":1,"id":"a-1","checksum":"3c8c141663acf5a1b6b7137162fa70fb","type":"summary","created_at":"2017-08-04T18:17:34.610Z","version":"1.0"}"#);
        assert_snapshot!(nobodys(r#"{"user":null}"#), @r#"{"user":null,"id":"a-1","checksum":"289de3765b9eac8fb135ff2ca83901b5","type":"summary","created_at":"2017-08-04T18:17:34.610Z","version":"1.0"}"#);
    }

    #[test]
    fn a_checksum_is_of_the_data_and_nothing_else() {
        let checksum = |record: &Record| {
            let told: serde_json::Value = serde_json::from_str(&written(record)).expect("JSON");
            told["checksum"].as_str().expect("a text").to_owned()
        };
        let of_data = |json: &str| checksum(&record("data", json));
        let nobodys = of("data", None, Some(Data::Json(canonical(r#"{"steps":1}"#))));
        let steps = of_data(r#"{"steps":1}"#);
        assert_eq!(steps, of_data(r#"{ "steps": 1 }"#));
        assert_eq!(steps, checksum(&nobodys));
        assert_ne!(steps, of_data(r#"{"steps":2}"#));
        // Clients keep it: it is the same in every version.
        assert_eq!(steps, "1b7f6b14c0c1bf88c8b3ce0d79a346bd");
    }

    #[test]
    fn data_that_is_no_object_is_beside_what_is_filled_in() {
        assert_snapshot!(told("data", ["", "[1.50]", "\"x\"", "null"]), @r#"
        {"id":"a-1","checksum":"99aa06d3014798d86001c324468d497f","type":"summary","created_at":"2017-08-04T18:17:34.610Z","user":{"user_id":"u\u00e91"},"version":"1.0"}
        {"id":"a-1","checksum":"003ea77c8b0b46ca36109e38a965b4b2","type":"summary","created_at":"2017-08-04T18:17:34.610Z","user":{"user_id":"u\u00e91"},"version":"1.0","data":[1.50]}
        {"id":"a-1","checksum":"7f8fc1d3fe132fcdbbc5544a8f0ed47d","type":"summary","created_at":"2017-08-04T18:17:34.610Z","user":{"user_id":"u\u00e91"},"version":"1.0","data":"x"}
        {"id":"a-1","checksum":"dc32537e27486e2c652e7b35ccc22eda","type":"summary","created_at":"2017-08-04T18:17:34.610Z","user":{"user_id":"u\u00e91"},"version":"1.0","data":null}
        "#);
        let base64 = |feed| {
            let data = Data::Base64(Canonical::string("3q2+7w=="));
            written(&of(feed, None, Some(data)))
        };
        assert_snapshot!(["data", "connection", "rule"].map(base64).join("\n"), @r#"
        {"id":"a-1","checksum":"8900d03e68d883dea781a4476971dbc9","type":"summary","created_at":"2017-08-04T18:17:34.610Z","version":"1.0","data_base64":"3q2+7w=="}
        {"connection":{"data_base64":"3q2+7w=="}}
        {"data_base64":"3q2+7w=="}
        "#);
    }

    #[test]
    fn connections_are_in_their_envelope_once() {
        let data = [
            r#"{"id":"c1","type":"create"}"#,
            r#"{"connection":{"id":"c1","type":"delete"}}"#,
            r#"{"connection":"c1"}"#,
            "7",
            "",
        ];
        assert_snapshot!(told("connection", data), @r#"
        {"connection":{"id":"c1","type":"create"}}
        {"connection":{"id":"c1","type":"delete"}}
        {"connection":{"connection":"c1"}}
        {"connection":{"data":7}}
        {"connection":{}}
        "#);
    }

    #[test]
    fn rules_are_told_as_they_are() {
        let data = [r#"{"rule_id":"r1","user_id":"u1"}"#, "{}", "7", ""];
        assert_snapshot!(told("rule", data), @r#"
        {"rule_id":"r1","user_id":"u1"}
        {}
        {"data":7}
        {}
        "#);
    }

    #[test]
    fn a_time_has_three_digits_of_its_milliseconds() {
        let check = |text: &str, told: &str| {
            assert_eq!(millis(text.parse().expect("a time")), told);
        };
        check("2017-08-04T18:17:34Z", "2017-08-04T18:17:34.000Z");
        check("2017-08-04T18:17:34.61Z", "2017-08-04T18:17:34.610Z");
        check("2017-08-04T18:17:34.610999Z", "2017-08-04T18:17:34.610Z");
    }

    #[test]
    fn a_payload_of_another_version_writes_nothing() {
        let mut out = Vec::new();
        let written = write(&broken(), &mut out);
        assert_eq!((written, out.len()), (Err(payload::Error::Format(9)), 0));
    }

    proptest! {
        #[test]
        fn any_record_is_told_as_one_object_that_has_each_member_once(
            members in prop::collection::btree_map(
                prop::sample::select(vec!["id", "checksum", "type", "created_at", "user", "version", "i\u{e9}", "data", "connection"]),
                prop::sample::select(vec!["null", "{}", "[]", "7", r#""}""#, r#"{"x":null}"#]),
                0..9,
            ),
            feed in prop::sample::select(vec!["data", "connection", "rule"]),
        ) {
            let members: Vec<String> = members.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
            let told = written(&record(feed, &format!("{{{}}}", members.join(","))));
            let value: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&told).expect("an object");
            if feed == "data" {
                for (name, _) in FILLED {
                    prop_assert!(value.get(name).is_some_and(|value| !value.is_null()), "{}", told);
                    prop_assert_eq!(told.matches(&format!("\"{name}\":")).count(), 1, "{}", told);
                }
            }
        }
    }
}
