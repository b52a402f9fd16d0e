//! A record as the native API tells it: CloudEvents JSON, compact and in ASCII.

use feedwire_engine::Record;
use feedwire_event::entity::DIFFERENCE_DEPTH;
use feedwire_event::json::write_string;
use feedwire_event::payload::{self, DataText};
use feedwire_event::{ChangeKind, ChangeText, ProjectName, Version};

use crate::digits;

/// What the `id` of an event is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Id {
    /// The one that it was published with, or that the server gave it.
    Published,
    /// Its position, which a client can go on behind; the one that it was published with is an extension.
    Position,
}

/// Appends `record` of `project` as one JSON object; nothing where its payload cannot be read.
pub(crate) fn write(
    project: &ProjectName,
    record: &Record,
    out: &mut Vec<u8>,
) -> Result<(), payload::Error> {
    write_with(Id::Published, project, record, out)
}

/// As [`write`], with what `id` says for its id.
pub(super) fn write_with(
    id: Id,
    project: &ProjectName,
    record: &Record,
    out: &mut Vec<u8>,
) -> Result<(), payload::Error> {
    let payload = record.payload()?;
    let stamp = record.stamp();
    out.extend_from_slice(b"{\"specversion\":\"1.0\",\"id\":");
    match id {
        Id::Published => write_string(payload.id, out),
        Id::Position => {
            out.push(b'"');
            digits::write(stamp.position.get(), out);
            out.push(b'"');
        }
    }
    out.extend_from_slice(b",\"source\":");
    match payload.source {
        Some(source) => write_string(source, out),
        None => write_address(project, record.feed(), out),
    }
    // Names are ASCII without quotes.
    out.extend_from_slice(b",\"type\":\"");
    out.extend_from_slice(record.ty().as_bytes());
    out.push(b'"');
    if let Some(subject) = record.subject() {
        out.extend_from_slice(b",\"subject\":");
        write_string(subject, out);
    }
    out.extend_from_slice(b",\"time\":\"");
    stamp.time.write(out);
    out.extend_from_slice(b"\",\"feed\":\"");
    out.extend_from_slice(record.feed().as_bytes());
    out.extend_from_slice(b"\",\"position\":");
    digits::write(stamp.position.get(), out);
    out.extend_from_slice(b",\"recordedat\":\"");
    stamp.recorded_at.write(out);
    out.push(b'"');
    if let (Some(_), Version(version)) = (record.subject(), stamp.version) {
        out.extend_from_slice(b",\"version\":");
        digits::write(version, out);
    }
    if payload.change.is_some() {
        out.extend_from_slice(b",\"entity\":true");
    }
    if payload.live_only {
        out.extend_from_slice(b",\"liveonly\":true");
    }
    if id == Id::Position {
        out.extend_from_slice(b",\"publishedid\":");
        write_string(payload.id, out);
    }
    if !payload.extensions.is_empty() {
        out.push(b',');
        out.extend_from_slice(payload.extensions.as_bytes());
    }
    match (payload.change, payload.data) {
        (Some(change), DataText::Json(state)) => write_change(&change, state, out),
        (Some(change), DataText::None | DataText::Base64(_)) => write_of_entity(&change, out),
        (None, DataText::None) => {}
        (None, DataText::Json(json)) => {
            out.extend_from_slice(b",\"data\":");
            out.extend_from_slice(json.as_bytes());
        }
        (None, DataText::Base64(text)) => {
            out.extend_from_slice(b",\"data_base64\":");
            out.extend_from_slice(text.as_bytes());
        }
    }
    out.push(b'}');
    Ok(())
}

/// Appends what `change` tells of its entity, whose state is now `state`: all of it, or what is another.
fn write_change(change: &ChangeText<'_>, state: &str, out: &mut Vec<u8>) {
    write_of_entity(change, out);
    out.extend_from_slice(b",\"data\":");
    match change.kind {
        ChangeKind::Update => change.write_changed(state, DIFFERENCE_DEPTH, out),
        ChangeKind::Create | ChangeKind::Delete | ChangeKind::Load => {
            out.extend_from_slice(state.as_bytes());
        }
    }
}

/// Appends what is told of an entity beside its state. CloudEvents' attributes have no objects: these are strings of JSON.
fn write_of_entity(change: &ChangeText<'_>, out: &mut Vec<u8>) {
    for (name, json) in [(",\"ids\":", change.ids), (",\"removed\":", change.removed)] {
        if !json.is_empty() {
            out.extend_from_slice(name.as_bytes());
            write_string(json, out);
        }
    }
    if let Some(at) = change.at {
        out.extend_from_slice(b",\"stateposition\":");
        digits::write(at.get(), out);
    }
}

fn write_address(project: &ProjectName, feed: &str, out: &mut Vec<u8>) {
    for part in ["\"/v1/projects/", project.as_str(), "/feeds/", feed, "\""] {
        out.extend_from_slice(part.as_bytes());
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use bytes::Bytes;
    use feedwire_engine::{Place, Stamp};
    use feedwire_event::json::Canonical;
    use feedwire_event::{
        Attribute, Data, Event, EventId, Extensions, Position, Source, Subject, Timestamp, TypeName,
    };
    use insta::assert_snapshot;

    use super::*;

    fn time(text: &str) -> Timestamp {
        text.parse().expect("a time")
    }

    /// A record at position 101 with everything that an event can have.
    pub(crate) fn full() -> Record {
        let mut extensions = Extensions::default();
        extensions
            .push("traceid", &Canonical::string("4f"))
            .expect("an extension");
        let raw = serde_json::from_str(r#"{"delay":2.50,"to":"Ærø\u2028"}"#).expect("JSON");
        record(&Event {
            id: Some(EventId::new("a-1").expect("an id")),
            source: Some(Source::new("/planes").expect("a source")),
            ty: TypeName::new("flight.departed").expect("a name"),
            subject: Some(
                Subject::new("N14228\u{85}é\"".replace('\u{85}', " ").as_str()).expect("a subject"),
            ),
            time: Some(time("2013-01-01T10:00:00.5Z")),
            live_only: false,
            extensions,
            data: Some(Data::Json(Canonical::new(raw).expect("canonical"))),
        })
    }

    /// As [`bare`], somewhere else.
    pub(in crate::native) fn bare_at(position: Position, place: Place) -> Record {
        let bare = bare();
        let stamp = Stamp {
            position,
            place,
            ..*bare.stamp()
        };
        let tags = [bare.feed(), bare.ty(), ""];
        let bytes = [tags.concat().as_bytes(), bare.payload_bytes()].concat();
        Record::new(stamp, tags.map(str::len), bytes.into()).expect("a record")
    }

    /// A record at position 101 with nothing that an event can do without.
    pub(crate) fn bare() -> Record {
        record(&Event {
            id: None,
            source: None,
            ty: TypeName::new("tick").expect("a name"),
            subject: None,
            time: None,
            live_only: false,
            extensions: Extensions::default(),
            data: None,
        })
    }

    fn record(event: &Event) -> Record {
        let subject = event.subject.as_ref().map_or("", Subject::as_str);
        let payload = payload::encode(event, payload::Marks::default(), || {
            EventId::new("given").expect("an id")
        });
        let tags = ["flights", event.ty.as_str(), subject];
        let bytes = [tags.concat().as_bytes(), &payload].concat();
        let recorded_at = time("2026-11-21T08:00:00.000001Z");
        let stamp = Stamp {
            position: Position::new(101).expect("a position"),
            recorded_at,
            time: event.time.unwrap_or(recorded_at),
            version: event.subject.as_ref().map_or(Version::NONE, |_| Version(3)),
            place: Place { index: 0, count: 1 },
        };
        Record::new(stamp, tags.map(str::len), bytes.into()).expect("a record")
    }

    fn written(record: &Record) -> String {
        let mut out = Vec::new();
        write(
            &ProjectName::new("default").expect("a name"),
            record,
            &mut out,
        )
        .expect("a payload");
        assert!(
            out.iter().all(|byte| matches!(byte, b' '..=b'~')),
            "ASCII in one line"
        );
        String::from_utf8(out).expect("ASCII")
    }

    #[test]
    fn an_event_is_one_line_of_ascii_with_what_the_log_gave_it() {
        assert_snapshot!(written(&full()), @r#"{"specversion":"1.0","id":"a-1","source":"/planes","type":"flight.departed","subject":"N14228 \u00e9\"","time":"2013-01-01T10:00:00.5Z","feed":"flights","position":101,"recordedat":"2026-11-21T08:00:00.000001Z","version":3,"traceid":"4f","data":{"delay":2.50,"to":"\u00c6r\u00f8\u2028"}}"#);
    }

    #[test]
    fn an_event_without_a_subject_has_no_version_and_the_feed_as_its_source() {
        assert_snapshot!(written(&bare()), @r#"{"specversion":"1.0","id":"given","source":"/v1/projects/default/feeds/flights","type":"tick","time":"2026-11-21T08:00:00.000001Z","feed":"flights","position":101,"recordedat":"2026-11-21T08:00:00.000001Z"}"#);
    }

    #[test]
    fn an_event_for_those_who_are_there_says_so_by_a_name_that_cloudevents_has() {
        let record = record(&Event {
            id: Some(EventId::new("a-1").expect("an id")),
            source: None,
            ty: TypeName::new("poke").expect("a name"),
            subject: Some(Subject::new("x").expect("a subject")),
            time: None,
            live_only: true,
            extensions: Extensions::default(),
            data: None,
        });
        assert_snapshot!(written(&record), @r#"{"specversion":"1.0","id":"a-1","source":"/v1/projects/default/feeds/flights","type":"poke","subject":"x","time":"2026-11-21T08:00:00.000001Z","feed":"flights","position":101,"recordedat":"2026-11-21T08:00:00.000001Z","version":3,"liveonly":true}"#);
        let project = ProjectName::new("default").expect("a name");
        let mut out = Vec::new();
        write_with(Id::Position, &project, &record, &mut out).expect("a payload");
        assert_snapshot!(String::from_utf8(out).expect("ASCII"), @r#"{"specversion":"1.0","id":"101","source":"/v1/projects/default/feeds/flights","type":"poke","subject":"x","time":"2026-11-21T08:00:00.000001Z","feed":"flights","position":101,"recordedat":"2026-11-21T08:00:00.000001Z","version":3,"liveonly":true,"publishedid":"a-1"}"#);
    }

    #[test]
    fn a_payload_of_another_version_writes_nothing() {
        let stamp = *bare().stamp();
        let record = Record::new(stamp, [1, 1, 0], Bytes::from_static(b"ft\x09aaaaaaaaaaaa"))
            .expect("a record");
        let mut out = Vec::new();
        let project = ProjectName::new("default").expect("a name");
        assert_eq!(
            write(&project, &record, &mut out),
            Err(payload::Error::Format(9))
        );
        assert!(out.is_empty());
    }
}
