//! A record as Disruptive tells it, compact and in ASCII.

use feedwire_engine::Record;
use feedwire_event::json::write_string;
use feedwire_event::payload::{self, DataText};
use feedwire_event::{ProjectName, Timestamp};
use serde_json::value::RawValue;

use crate::members;
use crate::readings::{self, Reading};

/// The type of an event that tells which labels of a device changed. Alone of all its data has no key.
pub(super) const LABELS_CHANGED: &str = "labelsChanged";

/// Appends `record` of `project` as one JSON object; nothing where its payload cannot be read.
pub(super) fn write(
    project: &ProjectName,
    record: &Record,
    out: &mut Vec<u8>,
) -> Result<(), payload::Error> {
    let payload = record.payload()?;
    out.extend_from_slice(b"{\"eventId\":");
    write_string(payload.id, out);
    out.extend_from_slice(b",\"targetName\":");
    write_target(project, record.subject(), out);
    // Names are ASCII without quotes.
    out.extend_from_slice(b",\"eventType\":\"");
    out.extend_from_slice(record.ty().as_bytes());
    out.extend_from_slice(b"\",\"data\":");
    let time = record.stamp().time;
    write_data(record.ty(), text(&payload.data), time, out);
    out.extend_from_slice(b",\"timestamp\":\"");
    write_time(time, out);
    out.extend_from_slice(b"\"}");
    Ok(())
}

/// The data as JSON; what has none, or is not JSON, has nothing to tell.
pub(super) fn text<'p>(data: &DataText<'p>) -> &'p str {
    match data {
        DataText::Json(json) => json,
        DataText::None | DataText::Base64(_) => "null",
    }
}

/// Appends the whole name of a device, or that of its project where an event is about none.
pub(super) fn write_target(project: &ProjectName, device: Option<&str>, out: &mut Vec<u8>) {
    let project = project.as_str();
    match device {
        Some(device) => write_string(&format!("projects/{project}/devices/{device}"), out),
        None => write_string(&format!("projects/{project}"), out),
    }
}

/// Appends `time` with all six digits of its fraction: the vendor's client reads six of them, three or none, and nothing else.
pub(super) fn write_time(time: Timestamp, out: &mut Vec<u8>) {
    let start = out.len();
    time.write(out);
    out.pop();
    if out.len() - start == "2013-01-01T10:00:00".len() {
        out.push(b'.');
    }
    out.resize(start + "2013-01-01T10:00:00.000000".len(), b'0');
    out.push(b'Z');
}

/// Appends what is told of an event of the type `ty` with the data `json`.
fn write_data(ty: &str, json: &str, time: Timestamp, out: &mut Vec<u8>) {
    let Some(shown) = Shown::of(ty, json) else {
        out.extend_from_slice(b"null");
        return;
    };
    if ty == LABELS_CHANGED {
        shown.write(time, out);
        return;
    }
    out.extend_from_slice(b"{\"");
    out.extend_from_slice(ty.as_bytes());
    out.extend_from_slice(b"\":");
    shown.write(time, out);
    out.push(b'}');
}

/// What an event says, without its key: an object, and what the vendor's client needs and it lacks.
pub(super) struct Shown<'j> {
    object: &'j str,
    lacks_time: bool,
    /// When it says itself that it was.
    own_time: Option<&'j str>,
    lacks_backfilled: bool,
    /// What the one sample says that is told where there are none.
    sample: Option<Vec<(&'static str, &'j str)>>,
}

impl<'j> Shown<'j> {
    /// What the canonical `json` says that is the data of an event of the type `ty`. What is no object says nothing, which is all that an
    /// event of a known type may have to say; of other types it is `None`.
    pub(super) fn of(ty: &str, json: &'j str) -> Option<Self> {
        let nothing = || readings::of(ty).and_then(|_| Self::of_object(ty, "{}"));
        Self::of_object(ty, json).or_else(nothing)
    }

    fn of_object(ty: &str, json: &'j str) -> Option<Self> {
        let mut found = [None];
        members::take(json, |name| (name == ty).then_some(0), &mut found).ok()?;
        let keyed = found[0].map(RawValue::get);
        let keyed = keyed.filter(|raw| raw.starts_with('{') && ty != LABELS_CHANGED);
        let object = keyed.unwrap_or(json);
        let names = ["updateTime", "samples", "isBackfilled"];
        let [time, samples, backfilled] = members::of_object(object, names).ok()?.values;
        let reading = readings::of(ty);
        let sampling = reading.filter(|reading| reading.has_samples());
        let lacking = sampling.filter(|_| samples.is_none());
        Some(Self {
            object,
            own_time: time.map(RawValue::get),
            lacks_time: time.is_none() && (reading.is_some() || ty == LABELS_CHANGED),
            lacks_backfilled: sampling.is_some() && backfilled.is_none(),
            sample: lacking.map(|reading| sample(reading, object)),
        })
    }

    /// Appends it, as it was at `time`.
    pub(super) fn write(&self, time: Timestamp, out: &mut Vec<u8>) {
        let open = self.object.strip_suffix('}').unwrap_or(self.object);
        out.extend_from_slice(open.as_bytes());
        let mut parting: &[u8] = if open == "{" { b"" } else { b"," };
        let mut name = |name: &str, out: &mut Vec<u8>| {
            for part in [
                std::mem::replace(&mut parting, b","),
                b"\"",
                name.as_bytes(),
                b"\":",
            ] {
                out.extend_from_slice(part);
            }
        };
        if self.lacks_time {
            name("updateTime", out);
            write_quoted_time(time, out);
        }
        if let Some(sample) = &self.sample {
            name("samples", out);
            write_samples(sample, self.own_time, time, out);
        }
        if self.lacks_backfilled {
            name("isBackfilled", out);
            out.extend_from_slice(b"false");
        }
        out.push(b'}');
    }
}

/// What of `object` a sample says.
fn sample<'j>(reading: &'static Reading, object: &'j str) -> Vec<(&'static str, &'j str)> {
    let said = reading.sampled().filter_map(|name| {
        let [value] = members::of_object(object, [name]).ok()?.values;
        Some((name, value?.get()))
    });
    said.collect()
}

/// Appends the samples of a reading that has none: itself, unless it says nothing. It was at `own_time`, which is JSON, or at `time`.
pub(super) fn write_samples(
    sample: &[(&str, &str)],
    own_time: Option<&str>,
    time: Timestamp,
    out: &mut Vec<u8>,
) {
    if sample.is_empty() {
        out.extend_from_slice(b"[]");
        return;
    }
    out.extend_from_slice(b"[{");
    for (name, value) in sample {
        out.push(b'"');
        for part in [name, "\":", value, ","] {
            out.extend_from_slice(part.as_bytes());
        }
    }
    out.extend_from_slice(b"\"sampleTime\":");
    match own_time {
        Some(json) => out.extend_from_slice(json.as_bytes()),
        None => write_quoted_time(time, out),
    }
    out.extend_from_slice(b"}]");
}

pub(super) fn write_quoted_time(time: Timestamp, out: &mut Vec<u8>) {
    out.push(b'"');
    write_time(time, out);
    out.push(b'"');
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

    use super::*;

    pub(in crate::disruptive) fn time() -> Timestamp {
        "2021-05-16T08:13:15.36Z".parse().expect("a time")
    }

    pub(in crate::disruptive) fn project() -> ProjectName {
        ProjectName::new("p1").expect("a name")
    }

    pub(in crate::disruptive) fn device() -> Subject {
        Subject::new("emu7\u{e9}").expect("a subject")
    }

    /// The record at `position` of an event of `ty`; no data where `json` is empty.
    pub(in crate::disruptive) fn record(position: u64, ty: &str, json: &str) -> Record {
        let raw = (!json.is_empty()).then(|| serde_json::from_str(json).expect("JSON"));
        let data = raw.map(|raw| Data::Json(Canonical::new(raw).expect("canonical")));
        of(position, Some(device()), ty, data)
    }

    pub(in crate::disruptive) fn of(
        position: u64,
        subject: Option<Subject>,
        ty: &str,
        data: Option<Data>,
    ) -> Record {
        let event = Event {
            id: EventId::new("a-1").ok(),
            source: None,
            ty: TypeName::new(ty).expect("a name"),
            subject,
            time: Some(time()),
            live_only: false,
            extensions: Extensions::default(),
            data,
        };
        let payload = payload::encode(&event, payload::Marks::default(), || {
            unreachable!("it has an id")
        });
        let subject = event.subject.as_ref().map_or("", Subject::as_str);
        let tags = ["devices", ty, subject];
        let bytes = [tags.concat().as_bytes(), &payload].concat();
        let stamp = Stamp {
            position: Position::new(position).expect("a position"),
            recorded_at: Timestamp::MAX,
            time: time(),
            version: Version(1),
            place: Place { index: 0, count: 1 },
        };
        Record::new(stamp, tags.map(str::len), bytes.into()).expect("a record")
    }

    /// A record whose payload is of another version.
    pub(in crate::disruptive) fn broken() -> Record {
        let stamp = *record(7, "touch", "").stamp();
        let bytes = Bytes::from_static(b"ft\x09aaaaaaaaaaaa");
        Record::new(stamp, [1, 1, 0], bytes).expect("a record")
    }

    fn written(record: &Record) -> String {
        let mut out = Vec::new();
        write(&project(), record, &mut out).expect("a payload");
        assert!(out.iter().all(|byte| matches!(byte, b' '..=b'~')));
        String::from_utf8(out).expect("ASCII")
    }

    fn shown(ty: &str, json: &str) -> String {
        let mut out = Vec::new();
        write_data(ty, json, time(), &mut out);
        String::from_utf8(out).expect("ASCII")
    }

    #[test]
    fn an_event_is_told_as_the_vendor_tells_it() {
        let whole = r#"{"temperature":{"value":21.50,"updateTime":"2021-05-16T08:13:15.361624Z","samples":[],"isBackfilled":true}}"#;
        assert_snapshot!(written(&record(1, "temperature", whole)), @r#"{"eventId":"a-1","targetName":"projects/p1/devices/emu7\u00e9","eventType":"temperature","data":{"temperature":{"value":21.50,"updateTime":"2021-05-16T08:13:15.361624Z","samples":[],"isBackfilled":true}},"timestamp":"2021-05-16T08:13:15.360000Z"}"#);
        let base64 = Some(Data::Base64(Canonical::string("3q2+7w==")));
        assert_snapshot!(written(&of(1, None, "boot", base64)), @r#"{"eventId":"a-1","targetName":"projects/p1","eventType":"boot","data":null,"timestamp":"2021-05-16T08:13:15.360000Z"}"#);
    }

    #[test]
    fn what_the_client_cannot_do_without_is_filled_in() {
        let told = [
            ("touch", r#"{"touch":{}}"#),
            ("temperature", r#"{"temperature":{"value":21.50}}"#),
            (
                "temperature",
                r#"{"temperature":{"isBackfilled":true,"samples":[]}}"#,
            ),
            ("temperature", r#"{"temperature":{}}"#),
            ("humidity", r#"{"temperature":20,"relativeHumidity":3e1}"#),
            (
                "temperature",
                r#"{"value":21.5,"updateTime":"2021-01-01T00:00:00Z"}"#,
            ),
            (
                "labelsChanged",
                r#"{"added":{"labelsChanged":"x"},"modified":{},"removed":[]}"#,
            ),
            ("flight.departed", r#"{"delay":2}"#),
            ("flight.departed", "7"),
            ("touch", "{}"),
            ("touch", "null"),
            ("touch", "[]"),
            ("touch", "\"touch\""),
        ]
        .map(|(ty, json)| shown(ty, json));
        assert_snapshot!(told.join("\n"), @r#"
        {"touch":{"updateTime":"2021-05-16T08:13:15.360000Z"}}
        {"temperature":{"value":21.50,"updateTime":"2021-05-16T08:13:15.360000Z","samples":[{"value":21.50,"sampleTime":"2021-05-16T08:13:15.360000Z"}],"isBackfilled":false}}
        {"temperature":{"isBackfilled":true,"samples":[],"updateTime":"2021-05-16T08:13:15.360000Z"}}
        {"temperature":{"updateTime":"2021-05-16T08:13:15.360000Z","samples":[],"isBackfilled":false}}
        {"humidity":{"temperature":20,"relativeHumidity":3e1,"updateTime":"2021-05-16T08:13:15.360000Z","samples":[{"temperature":20,"relativeHumidity":3e1,"sampleTime":"2021-05-16T08:13:15.360000Z"}],"isBackfilled":false}}
        {"temperature":{"value":21.5,"updateTime":"2021-01-01T00:00:00Z","samples":[{"value":21.5,"sampleTime":"2021-01-01T00:00:00Z"}],"isBackfilled":false}}
        {"added":{"labelsChanged":"x"},"modified":{},"removed":[],"updateTime":"2021-05-16T08:13:15.360000Z"}
        {"flight.departed":{"delay":2}}
        null
        {"touch":{"updateTime":"2021-05-16T08:13:15.360000Z"}}
        {"touch":{"updateTime":"2021-05-16T08:13:15.360000Z"}}
        {"touch":{"updateTime":"2021-05-16T08:13:15.360000Z"}}
        {"touch":{"updateTime":"2021-05-16T08:13:15.360000Z"}}
        "#);
        assert!(written(&record(1, "touch", "")).contains(r#""data":{"touch":{"#));
        assert!(written(&record(1, "boot", "")).contains(r#""data":null"#));
    }

    #[test]
    fn a_time_has_six_digits_of_its_fraction() {
        let told = |text: &str| {
            let mut out = b"x".to_vec();
            write_time(text.parse().expect("a time"), &mut out);
            String::from_utf8(out).expect("ASCII")
        };
        assert_eq!(told("2021-05-16T08:13:15Z"), "x2021-05-16T08:13:15.000000Z");
        assert_eq!(
            told("2021-05-16T08:13:15.36Z"),
            "x2021-05-16T08:13:15.360000Z"
        );
        assert_eq!(
            told("2021-05-16T08:13:15.123456Z"),
            "x2021-05-16T08:13:15.123456Z"
        );
    }

    #[test]
    fn a_payload_of_another_version_writes_nothing() {
        let mut out = Vec::new();
        let written = write(&project(), &broken(), &mut out);
        assert_eq!(written, Err(payload::Error::Format(9)));
        assert!(out.is_empty());
    }

    proptest! {
        #[test]
        fn any_data_is_shown_as_json(
            ty in prop::sample::select(vec!["touch", "temperature", "humidity", "labelsChanged", "a"]),
            name in prop::sample::select(vec!["touch", "temperature", "value", "samples", "updateTime"]),
            inner in prop::sample::select(vec!["{}", "[]", "7", "null", r#""}""#, r#"{"value":1}"#, r#"{"samples":null}"#]),
        ) {
            let json = format!(r#"{{"{name}":{inner}}}"#);
            for json in [json.as_str(), inner] {
                let shown = shown(ty, json);
                prop_assert!(serde_json::from_str::<&RawValue>(&shown).is_ok(), "{}", shown);
            }
        }
    }
}
