//! Records, and expressions that are held against them.

use std::collections::BTreeMap;

use feedwire_engine::{Place, Record, Stamp};
use feedwire_event::json::Canonical;
use feedwire_event::{
    Attribute, Data, Event, EventId, Extensions, Labels, Position, Source, Subject, Timestamp,
    TypeName, Version, payload,
};
use serde_json::value::RawValue;

use crate::Expression;

/// A late departure, about which everything is told.
pub(super) fn departure() -> Record {
    let data = r#"{"delay":75,"gate":"B\u00e4r","from":{"code":"OSL","zone":1.0},"tags":["late","wet"],"legs":[{"to":"BGO","minutes":50},{"to":"TRD","minutes":45}],"crew":null,"dry":false,"ratio":0.5,"a b":1}"#;
    record(Some(json(data)), Some("DY123"))
}

pub(super) fn json(text: &str) -> Data {
    let raw: Box<RawValue> = serde_json::from_str(text).expect("JSON");
    Data::Json(Canonical::new(&raw).expect("a canonical form"))
}

pub(super) fn record(data: Option<Data>, subject: Option<&str>) -> Record {
    let mut extensions = Extensions::default();
    extensions
        .push("traceid", &Canonical::string("4f"))
        .expect("an extension");
    let event = Event {
        id: Some(EventId::new("e-1").expect("an id")),
        source: subject.map(|_| Source::new("/planes").expect("a source")),
        ty: TypeName::new("flight.departed").expect("a name"),
        subject: subject.map(|subject| Subject::new(subject).expect("a subject")),
        time: None,
        live_only: false,
        extensions,
        data,
    };
    let payload = payload::encode(&event, payload::Marks::default(), || unreachable!());
    let (feed, ty, subject) = ("flights", "flight.departed", subject.unwrap_or_default());
    let bytes = [feed.as_bytes(), ty.as_bytes(), subject.as_bytes(), &payload].concat();
    let at = |text: &str| text.parse::<Timestamp>().expect("a time");
    let stamp = Stamp {
        position: Position::new(7).expect("a position"),
        recorded_at: at("2013-01-01T10:00:02Z"),
        time: at("2013-01-01T10:00:00Z"),
        version: Version(1),
        place: Place { index: 0, count: 1 },
    };
    let tags = [feed.len(), ty.len(), subject.len()];
    Record::new(stamp, tags, bytes.into()).expect("a record")
}

/// Whether the expression `text` is true of `record`, whose subject has the label `carrier`.
pub(super) fn holds(text: &str, record: &Record) -> bool {
    let labels = BTreeMap::from([("carrier".to_owned(), "DY \u{e6}".to_owned())]);
    let labels = Labels::new(labels).expect("labels");
    let expression = Expression::new(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    expression.holds(record, Some(&labels)).0
}
