//! CloudEvents as JSON, read straight into events: nothing is built of a body in between.

use std::borrow::Cow;
use std::fmt;

use feedwire_event::json::Canonical;
use feedwire_event::limits::{BATCH_EVENTS_MAX, EXTENSIONS_MAX};
use feedwire_event::{Data, Event};
use serde::de::{self, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::attributes::{Attributes, Fault, NO_BOOLEAN};
use crate::members::Key;
use crate::{base64, members};

/// Why a text is not an event or a batch of them.
#[derive(Debug)]
pub(crate) enum Error {
    /// It is not JSON, or neither an object nor an array of objects.
    Json(serde_json::Error),
    /// An event is not one.
    Event(Fault),
    /// More events than a batch may have.
    TooMany(usize),
}

/// What a body has to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// One event, or an array of them.
    Any,
    /// One event.
    Event,
    /// An array of events.
    Array,
}

/// One event, or an array of them, as `shape` says.
pub(crate) fn batch(text: &str, shape: Shape) -> Result<Vec<Event>, Error> {
    let mut sink = Sink::default();
    let mut json = serde_json::Deserializer::from_str(text);
    let is_array = match shape {
        Shape::Any => text.trim_ascii_start().starts_with('['),
        Shape::Event => false,
        Shape::Array => true,
    };
    let read = if is_array {
        Many(&mut sink).deserialize(&mut json)
    } else {
        One(&mut sink).deserialize(&mut json)
    };
    sink.check(read.and_then(|()| json.end()))?;
    Ok(sink.events)
}

/// One event.
pub(crate) fn one(text: &str) -> Result<Event, Error> {
    let mut sink = Sink::default();
    let mut json = serde_json::Deserializer::from_str(text);
    let read = One(&mut sink).deserialize(&mut json);
    sink.check(read.and_then(|()| json.end()))?;
    Ok(sink
        .events
        .pop()
        .expect("what was read without fault is an event"))
}

/// The events that were read so far.
#[derive(Default)]
struct Sink {
    events: Vec<Event>,
    /// How many there are, also those that are too many to be kept.
    count: usize,
    /// Why the event behind the last one is none; serde's own errors hold nothing but text.
    fault: Option<Fault>,
}

impl Sink {
    /// What is wrong with what was `read` into it.
    fn check(&mut self, read: Result<(), serde_json::Error>) -> Result<(), Error> {
        if let Some(fault) = self.fault.take() {
            return Err(Error::Event(Fault {
                index: self.events.len(),
                ..fault
            }));
        }
        read.map_err(Error::Json)?;
        if self.count > self.events.len() {
            Err(Error::TooMany(self.count))
        } else {
            Ok(())
        }
    }
}

struct Many<'s>(&'s mut Sink);

impl<'de> DeserializeSeed<'de> for Many<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Many<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of events")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while self.0.count < BATCH_EVENTS_MAX {
            if seq.next_element_seed(One(self.0))?.is_none() {
                return Ok(());
            }
        }
        while seq.next_element::<IgnoredAny>()?.is_some() {
            self.0.count += 1;
        }
        Ok(())
    }
}

struct One<'s>(&'s mut Sink);

impl<'de> DeserializeSeed<'de> for One<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for One<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an event, which is an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut members = Members::default();
        while let Some(Key(name)) = map.next_key()? {
            members.add(name, map.next_value::<&RawValue>()?);
        }
        match members.into_event() {
            Ok(event) => {
                self.0.events.push(event);
                self.0.count += 1;
                Ok(())
            }
            Err(fault) => {
                self.0.fault = Some(fault);
                Err(de::Error::custom("an event that is none"))
            }
        }
    }
}

/// The members of an event, each as the text of its value.
#[derive(Default)]
struct Members<'de> {
    specversion: Option<&'de RawValue>,
    id: Option<&'de RawValue>,
    source: Option<&'de RawValue>,
    ty: Option<&'de RawValue>,
    subject: Option<&'de RawValue>,
    time: Option<&'de RawValue>,
    datacontenttype: Option<&'de RawValue>,
    dataschema: Option<&'de RawValue>,
    data: Option<&'de RawValue>,
    data_base64: Option<&'de RawValue>,
    live_only: Option<&'de RawValue>,
    /// The same, by a name that CloudEvents lets attributes have.
    liveonly: Option<&'de RawValue>,
    /// Extensions that are not null, no more of them than show that there are too many.
    others: Vec<(Cow<'de, str>, &'de RawValue)>,
    /// One that came twice.
    twice: Option<Cow<'de, str>>,
}

impl<'de> Members<'de> {
    fn add(&mut self, name: Cow<'de, str>, value: &'de RawValue) {
        let place = match &*name {
            "specversion" => &mut self.specversion,
            "id" => &mut self.id,
            "source" => &mut self.source,
            "type" => &mut self.ty,
            "subject" => &mut self.subject,
            "time" => &mut self.time,
            "datacontenttype" => &mut self.datacontenttype,
            "dataschema" => &mut self.dataschema,
            "data" => &mut self.data,
            "data_base64" => &mut self.data_base64,
            "live_only" => &mut self.live_only,
            "liveonly" => &mut self.liveonly,
            _ => {
                // What is null is taken as not there (JSON format 1.0.2, 2.2).
                if value.get() != "null" && self.others.len() <= EXTENSIONS_MAX {
                    self.others.push((name, value));
                }
                return;
            }
        };
        if place.replace(value).is_some() {
            self.twice = Some(name);
        }
    }

    fn into_event(self) -> Result<Event, Fault> {
        if let Some(name) = &self.twice {
            return Err(Fault::new(name, "it is given twice"));
        }
        let mut attributes = Attributes {
            specversion: string("specversion", self.specversion)?,
            id: string("id", self.id)?,
            source: string("source", self.source)?,
            ty: string("type", self.ty)?,
            subject: string("subject", self.subject)?,
            time: string("time", self.time)?,
            datacontenttype: string("datacontenttype", self.datacontenttype)?,
            dataschema: string("dataschema", self.dataschema)?,
            live_only: live_only(self.live_only, self.liveonly)?,
            ..Attributes::default()
        };
        for (at, (name, value)) in self.others.iter().enumerate() {
            if self.others[..at].iter().any(|(other, _)| other == name) {
                return Err(Fault::new(name, "it is given twice"));
            }
            attributes.extend(name, &canonical(name, value)?)?;
        }
        attributes.into_event(data(self.data, self.data_base64)?)
    }
}

/// The text of a string; `None` where it is null or not there, which CloudEvents takes for the same.
fn string<'de>(name: &str, value: Option<&'de RawValue>) -> Result<Option<Cow<'de, str>>, Fault> {
    let text = value.map_or(Ok(None), members::string);
    text.map_err(|reason| Fault::new(name, reason))
}

fn live_only(ours: Option<&RawValue>, theirs: Option<&RawValue>) -> Result<bool, Fault> {
    match (flag("live_only", ours)?, flag("liveonly", theirs)?) {
        (Some(_), Some(_)) => Err(Fault::new(
            "live_only",
            "an event has `live_only` or `liveonly`, which are the same, not both",
        )),
        (ours, theirs) => Ok(ours.or(theirs).unwrap_or(false)),
    }
}

/// What a boolean says; `None` where it is null or not there.
fn flag(name: &str, value: Option<&RawValue>) -> Result<Option<bool>, Fault> {
    match value.map(RawValue::get) {
        None | Some("null") => Ok(None),
        Some("true") => Ok(Some(true)),
        Some("false") => Ok(Some(false)),
        Some(_) => Err(Fault::new(name, NO_BOOLEAN)),
    }
}

fn data(json: Option<&RawValue>, base64: Option<&RawValue>) -> Result<Option<Data>, Fault> {
    match (json, string("data_base64", base64)?) {
        (None, None) => Ok(None),
        (Some(json), None) => Ok(Some(Data::Json(canonical("data", json)?))),
        (None, Some(text)) if base64::is_encoded(&text) => {
            Ok(Some(Data::Base64(Canonical::string(&text))))
        }
        (None, Some(_)) => Err(Fault::new(
            "data_base64",
            "it has to be base64 with its padding",
        )),
        (Some(_), Some(_)) => Err(Fault::new(
            "data_base64",
            "an event has `data` or `data_base64`, not both",
        )),
    }
}

fn canonical(name: &str, value: &RawValue) -> Result<Canonical, Fault> {
    Canonical::new(value).map_err(|error| Fault::new(name, &error))
}

#[cfg(test)]
mod tests {
    use insta::assert_debug_snapshot;
    use proptest::prelude::*;

    use super::*;

    /// Why `text` is no batch.
    fn fault(text: &str) -> Fault {
        match batch(text, Shape::Any) {
            Err(Error::Event(fault)) => fault,
            other => panic!("{text} is no event, and not {other:?}"),
        }
    }

    fn told(text: &str) -> String {
        let told = fault(text);
        format!("{} {}: {}", told.index, told.attribute, told.reason)
    }

    #[test]
    fn an_event_is_read_with_all_its_attributes() {
        let body = r#" {"specversion":"1.0","type":"flight.departed","subject":"N\u00e9","time":"2013-01-01T12:00:00+02:00",
            "id":"a-1","source":"/planes","traceid":"4f","retries":2,"gone":null,"data":{ "late" : 2.50 }}"#;
        let event = one(body).expect("an event");
        let text = |text: &dyn fmt::Debug| format!("{text:?}");
        assert_eq!(text(&event.id), r#"Some("a-1")"#);
        assert_eq!(text(&event.source), r#"Some("/planes")"#);
        assert_eq!(text(&event.ty), r#""flight.departed""#);
        assert_eq!(text(&event.subject), r#"Some("Né")"#);
        assert_eq!(text(&event.time), "Some(2013-01-01T10:00:00Z)");
        assert_eq!(event.extensions.members(), br#""traceid":"4f","retries":2"#);
        assert_eq!(text(&event.data), r#"Some(Json({"late":2.50}))"#);
    }

    #[test]
    fn only_the_type_is_required_and_null_is_as_if_not_there() {
        let read = |text| one(text).expect("an event");
        let bare = read(r#"{"type":"t"}"#);
        let nulls = r#"{"type":"t","subject":null,"id":null,"source":null,"time":null,"data_base64":null,"specversion":null}"#;
        assert_eq!(read(nulls), bare);
        assert_eq!(read(r#"{"\u0074ype":"t","subject":""}"#), bare);
        let null = read(r#"{"type":"t","data":null}"#);
        assert_eq!(format!("{:?}", null.data), "Some(Json(null))");
    }

    #[test]
    fn an_event_is_for_those_who_are_there_by_either_name() {
        let is_live_only = |member: &str| {
            let event = one(&format!(r#"{{"type":"t",{member}}}"#)).expect("an event");
            assert!(event.extensions.members().is_empty(), "{member}");
            event.live_only
        };
        for member in [
            r#""live_only":true"#,
            r#""liveonly": true"#,
            r#""live_only":null,"liveonly":true"#,
            r#""live\u005fonly":true"#,
        ] {
            assert!(is_live_only(member), "{member}");
        }
        for member in [
            r#""live_only":false"#,
            r#""liveonly":false"#,
            r#""live_only":null"#,
            r#""data":{"live_only":true}"#,
        ] {
            assert!(!is_live_only(member), "{member}");
        }
    }

    #[test]
    fn what_does_not_say_whom_an_event_is_for_is_refused() {
        let refusals: Vec<String> = [
            r#"{"type":"t","live_only":1}"#,
            r#"[{"type":"t"},{"type":"t","liveonly":"true"}]"#,
            r#"{"type":"t","live_only":{}}"#,
            r#"{"type":"t","live_only":true,"live_only":true}"#,
            r#"{"type":"t","live_only":false,"liveonly":false}"#,
        ]
        .map(told)
        .into();
        assert_debug_snapshot!(refusals, @r#"
        [
            "0 live_only: it has to be true or false",
            "1 liveonly: it has to be true or false",
            "0 live_only: it has to be true or false",
            "0 live_only: it is given twice",
            "0 live_only: an event has `live_only` or `liveonly`, which are the same, not both",
        ]
        "#);
    }

    #[test]
    fn an_array_is_a_batch_and_stops_at_its_limit() {
        let array = |count| format!("[{}]", vec![r#"{"type":"t"}"#; count].join(","));
        let len = |text: String| batch(&text, Shape::Any).map(|events| events.len());
        assert!(matches!(len(array(BATCH_EVENTS_MAX)), Ok(BATCH_EVENTS_MAX)));
        let many = BATCH_EVENTS_MAX + 7;
        assert!(matches!(len(array(many)), Err(Error::TooMany(found)) if found == many));
        assert!(matches!(len("[]".to_owned()), Ok(0)));
    }

    #[test]
    fn what_is_no_event_is_told_by_index_and_attribute() {
        let refusals: Vec<String> = [
            "{}",
            r#"{"type":1}"#,
            r#"{"type":"a b"}"#,
            r#"[{"type":"t"},{"type":"t","subject":"a\r\nb"}]"#,
            r#"{"type":"t","id":""}"#,
            r#"{"type":"t","id":"\ud800"}"#,
            r#"{"type":"t","time":"today"}"#,
            r#"{"type":"t","specversion":"0.3"}"#,
            r#"{"type":"t","type":"t"}"#,
            r#"{"type":"t","a":1,"a":2}"#,
            r#"{"type":"t","position":1}"#,
            r#"{"type":"t","recordedat":"x"}"#,
            r#"{"type":"t","entity":true}"#,
            r#"{"type":"t","trace_id":1}"#,
            r#"{"type":"t","a":{}}"#,
            r#"{"type":"t","a":"b\u000bc"}"#,
            r#"{"type":"t","publishedid":"x"}"#,
            r#"{"type":"t","datacontenttype":1}"#,
            r#"{"type":"t","datacontenttype":true}"#,
            r#"{"type":"t","datacontenttype":""}"#,
            r#"{"type":"t","datacontenttype":"json"}"#,
            r#"{"type":"t","datacontenttype":"a/b","datacontenttype":"a/b"}"#,
            r#"{"type":"t","datacontenttype":"text/xml","data":{}}"#,
            r#"{"type":"t","datacontenttype":"text/xml","data":null}"#,
            r#"{"type":"t","dataschema":["a:b"]}"#,
            r#"{"type":"t","dataschema":"/schema"}"#,
            r#"{"type":"t","data":1,"data_base64":"AA=="}"#,
            r#"{"type":"t","data_base64":"A"}"#,
            r#"{"type":"t","data":"\udc00"}"#,
        ]
        .map(told)
        .into();
        assert_debug_snapshot!(refusals, @r#"
        [
            "0 type: it is missing",
            "0 type: it has to be a string",
            "0 type: a name is made of A-Z a-z 0-9 . _ -, not ' '",
            "1 subject: a subject has no control characters, this one has '\\r'",
            "0 id: it is empty",
            "0 id: it holds half of a surrogate pair",
            "0 time: a time is written as RFC 3339, such as 2013-01-01T10:00:00Z",
            "0 specversion: it has to be 1.0, the version of CloudEvents that is spoken here",
            "0 type: it is given twice",
            "0 a: it is given twice",
            "0 position: it is given by the server",
            "0 recordedat: it is given by the server",
            "0 entity: it is given by the server",
            "0 trace_id: the name of an extension attribute is made of a-z and 0-9, not '_'",
            "0 a: the value of an extension attribute is a string, a number or a boolean",
            "0 a: it has no control characters, this one has '\\u{b}'",
            "0 publishedid: it is given by the server",
            "0 datacontenttype: it has to be a string",
            "0 datacontenttype: it has to be a string",
            "0 datacontenttype: it has to be a media type such as application/json",
            "0 datacontenttype: it has to be a media type such as application/json",
            "0 datacontenttype: it is given twice",
            "0 data: with a datacontenttype that is not JSON it has to be a string, or bytes in `data_base64`",
            "0 data: with a datacontenttype that is not JSON it has to be a string, or bytes in `data_base64`",
            "0 dataschema: it has to be a string",
            "0 dataschema: it has to be an absolute URI",
            "0 data_base64: an event has `data` or `data_base64`, not both",
            "0 data_base64: it has to be base64 with its padding",
            "0 data: half of a surrogate pair at byte 1: no text has such a character",
        ]
        "#);
    }

    #[test]
    fn what_data_is_and_its_schema_are_kept_and_data_that_is_no_json_is_a_string() {
        let members = |text| {
            let event = one(text).expect("an event");
            String::from_utf8(event.extensions.members().to_vec()).expect("ASCII")
        };
        let xml =
            r#"{"type":"t","a":1,"dataschema":"urn:s","datacontenttype":"text/xml","data":"<a/>"}"#;
        let kept = r#""a":1,"datacontenttype":"text/xml","dataschema":"urn:s""#;
        assert_eq!(members(xml), kept);
        let nulls = r#"{"type":"t","datacontenttype":null,"dataschema":null}"#;
        assert_eq!(members(nulls), "");
        for text in [
            r#"{"type":"t","datacontenttype":"application/vnd.a+json; v=1","data":{}}"#,
            r#"{"type":"t","datacontenttype":"image/png","data_base64":"AA=="}"#,
            r#"{"type":"t","datacontenttype":"image/png"}"#,
        ] {
            assert!(one(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn a_shape_that_is_asked_for_is_kept_to() {
        let (event, array) = (r#" {"type":"t"}"#, r#" [{"type":"t"}]"#);
        let is = |text, shape| batch(text, shape).is_ok();
        assert!(is(event, Shape::Any) && is(array, Shape::Any));
        assert!(is(event, Shape::Event) && !is(array, Shape::Event));
        assert!(!is(event, Shape::Array) && is(array, Shape::Array));
    }

    #[test]
    fn a_body_of_nothing_but_members_costs_no_more_than_its_length() {
        let members = |value: &str| {
            let members: Vec<_> = (0..200_000)
                .map(|at| format!(r#","a{at}":{value}"#))
                .collect();
            format!(r#"{{"type":"t"{}}}"#, members.concat())
        };
        assert!(one(&members("null")).is_ok());
        let reason = "an event has at most 64 extension attributes";
        assert_eq!(fault(&members("1")).reason, reason);
    }

    #[test]
    fn data_that_is_nested_too_deeply_is_refused() {
        let depth = 100_000;
        let body = format!(
            r#"{{"type":"t","data":{}{}}}"#,
            "[".repeat(depth),
            "]".repeat(depth)
        );
        assert_eq!(fault(&body).attribute, "data");
    }

    proptest! {
        #[test]
        fn any_event_with_odd_members_is_read_without_panic(
            name in "type|id|subject|time|data|data_base64|[a-z]{0,3}", value in "[ -~]{0,20}|\"(\\\\u[0-9a-f]{4}){1,3}\"|\\[{1,5}",
        ) {
            drop(batch(&format!(r#"[{{"type":"t","{name}":{value}}}]"#), Shape::Any));
        }
    }
}
