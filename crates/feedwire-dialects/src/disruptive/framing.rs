//! How Disruptive frames events: lines of JSON and Server-Sent Events for streams, pages for a device's history, and what is pushed to a
//! Data Connector's receiver.

use feedwire_core::{Delivered, Rendition};
use feedwire_engine::{Expired, Record};
use feedwire_event::json::write_string;
use feedwire_event::{Cursor, Labels, Position, ProjectName, Timestamp};

use super::answer;
use super::error::{self, Failure};
use super::event::{self, write_target, write_time};
use super::request::{Kind, PRODUCT_LABEL, is_kept};
use crate::failure::unavailable;
use crate::framing::render;
use crate::{Framing, Unreadable, digits, slots};

/// What of an encoded event is neither tags nor payload, for buffers that are to be large enough at once.
const ENVELOPE_BYTES: usize = 256;

/// The framing of a stream of `project`.
pub fn stream(kind: Kind, project: &ProjectName) -> Box<dyn Framing> {
    Box::new(Stream {
        project: project.clone(),
        form: match kind {
            Kind::Lines => &LINES,
            Kind::Sse => &SSE,
        },
    })
}

/// A page of the history of a device in `project`: `records`, newest first. What comes after it is before the position `next`.
pub fn page<'r>(
    project: &ProjectName,
    records: impl IntoIterator<Item = &'r Record>,
    next: Option<Position>,
) -> Result<Vec<u8>, Unreadable> {
    let mut out = Vec::with_capacity(4 * ENVELOPE_BYTES);
    out.extend_from_slice(b"{\"events\":[");
    for (index, record) in records.into_iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        let written = event::write(project, record, &mut out).ok();
        written.ok_or_else(|| Unreadable::of(record))?;
    }
    out.extend_from_slice(b"],\"nextPageToken\":\"");
    if let Some(next) = next {
        digits::write(next.get(), &mut out);
    }
    out.extend_from_slice(b"\"}");
    Ok(out)
}

/// What is pushed of `record` of `project` to a receiver that is told the labels `keys`, where the device has them; it is kept with `labels`.
/// `None` of an event that is about no device: it has nobody whose labels and type could be told.
pub fn pushed(
    project: &ProjectName,
    record: &Record,
    labels: &Labels,
    keys: &[String],
) -> Result<Option<Vec<u8>>, Unreadable> {
    let Some(device) = record.subject() else {
        return Ok(None);
    };
    let mut out = Vec::with_capacity(4 * ENVELOPE_BYTES);
    out.extend_from_slice(b"{\"event\":");
    let written = event::write(project, record, &mut out).ok();
    written.ok_or_else(|| Unreadable::of(record))?;
    out.extend_from_slice(b",\"labels\":{");
    let is_told = |key: &str| !is_kept(key) && keys.iter().any(|asked| asked == key);
    let told = labels.iter().filter(|(key, _)| is_told(key));
    for (index, (key, value)) in told.enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write_string(key, &mut out);
        out.push(b':');
        write_string(value, &mut out);
    }
    // The vendor's receiver takes one member that is missing for an event of no device.
    let ty = answer::device_type(labels, [record.ty()].into_iter());
    let number = labels.get(PRODUCT_LABEL).unwrap_or_default();
    for (before, text) in [
        ("},\"metadata\":{\"deviceId\":", device),
        (",\"projectId\":", project.as_str()),
        (",\"deviceType\":", ty),
        (",\"productNumber\":", number),
    ] {
        out.extend_from_slice(before.as_bytes());
        write_string(text, &mut out);
    }
    out.extend_from_slice(b"}}");
    Ok(Some(out))
}

/// How a stream is sent.
#[derive(Debug)]
struct Form {
    media_type: &'static str,
    rendition: Rendition,
    before: &'static str,
    after: &'static str,
}

/// A line for each event.
const LINES: Form = Form {
    media_type: "application/json",
    rendition: slots::DISRUPTIVE_LINES,
    before: "",
    after: "\n",
};

/// Server-Sent Events with nothing but data: what has a name is not heard by the vendor's own example, and an id would make clients
/// ask to go on behind it.
const SSE: Form = Form {
    media_type: feedwire_api::EVENT_STREAM,
    rendition: slots::DISRUPTIVE_SSE,
    before: "data: ",
    after: "\n\n",
};

#[derive(Debug)]
struct Stream {
    project: ProjectName,
    form: &'static Form,
}

impl Framing for Stream {
    fn media_type(&self) -> &'static str {
        self.form.media_type
    }

    fn open(&self, cursor: Cursor, now: Timestamp, out: &mut Vec<u8>) {
        self.idle(cursor, now, out);
    }

    fn event(&self, event: &Delivered, out: &mut Vec<u8>) -> Result<(), Unreadable> {
        render(event, self.form.rendition, out, |record, out| {
            let start = out.len();
            out.extend_from_slice(self.form.before.as_bytes());
            out.extend_from_slice(b"{\"result\":{\"event\":");
            match event::write(&self.project, record, out) {
                Ok(()) => {
                    out.extend_from_slice(b"}}");
                    out.extend_from_slice(self.form.after.as_bytes());
                }
                Err(_) => out.truncate(start),
            }
        })
    }

    fn idle(&self, _cursor: Cursor, now: Timestamp, out: &mut Vec<u8>) {
        out.extend_from_slice(self.form.before.as_bytes());
        write_ping(&self.project, now, out);
        out.extend_from_slice(self.form.after.as_bytes());
    }

    fn expired(&self, expired: &Expired, out: &mut Vec<u8>) {
        out.extend_from_slice(self.form.before.as_bytes());
        out.extend_from_slice(&error::stream_json(&overtaken(expired)));
        out.extend_from_slice(self.form.after.as_bytes());
    }

    fn end(&self, _cursor: Cursor, _out: &mut Vec<u8>) {}
}

/// A stream is live: what it missed is in the history. The vendor's client comes back after an error of this kind.
fn overtaken(expired: &Expired) -> Failure {
    unavailable(&format!(
        "this stream was too slow: at most {} events are no longer there for it",
        expired.lost_at_most,
    ))
}

/// Appends a sign of life of the time `now`, which is its id, too.
fn write_ping(project: &ProjectName, now: Timestamp, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"result\":{\"event\":{\"eventId\":\"ping");
    // As long as the ids of the vendor.
    let micros = now.as_micros().unsigned_abs();
    out.extend_from_slice(format!("{micros:016x}").as_bytes());
    out.extend_from_slice(b"\",\"targetName\":");
    write_target(project, None, out);
    out.extend_from_slice(b",\"eventType\":\"ping\",\"data\":null,\"timestamp\":\"");
    write_time(now, out);
    out.extend_from_slice(b"\"}}}");
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::super::event::tests::{broken, of, project, record, time};
    use super::*;

    fn told(out: Vec<u8>) -> String {
        let is_plain = |byte: &u8| matches!(byte, b' '..=b'~' | b'\n');
        assert!(out.iter().all(is_plain), "ASCII");
        String::from_utf8(out).expect("ASCII")
    }

    fn streamed(kind: Kind) -> String {
        let framing = stream(kind, &project());
        let cursor = Cursor(Position::ZERO);
        let mut out = Vec::new();
        framing.open(cursor, time(), &mut out);
        let touch = Delivered::Logged(record(1, "touch", r#"{"touch":{}}"#));
        framing.event(&touch, &mut out).expect("a payload");
        framing.idle(cursor, time(), &mut out);
        let expired = Expired {
            first: Position::MAX,
            first_at: None,
            lost_at_most: 7,
        };
        framing.expired(&expired, &mut out);
        framing.end(cursor, &mut out);
        told(out)
    }

    #[test]
    fn lines_are_objects_of_one_line_each() {
        assert_eq!(
            stream(Kind::Lines, &project()).media_type(),
            "application/json"
        );
        let told = streamed(Kind::Lines);
        assert!(
            told.ends_with('\n') && !told.contains("\n\n"),
            "no line is blank"
        );
        assert_snapshot!(told, @r#"
        {"result":{"event":{"eventId":"ping0005c26e0c7e7b00","targetName":"projects/p1","eventType":"ping","data":null,"timestamp":"2021-05-16T08:13:15.360000Z"}}}
        {"result":{"event":{"eventId":"a-1","targetName":"projects/p1/devices/emu7\u00e9","eventType":"touch","data":{"touch":{"updateTime":"2021-05-16T08:13:15.360000Z"}},"timestamp":"2021-05-16T08:13:15.360000Z"}}}
        {"result":{"event":{"eventId":"ping0005c26e0c7e7b00","targetName":"projects/p1","eventType":"ping","data":null,"timestamp":"2021-05-16T08:13:15.360000Z"}}}
        {"error":{"code":503,"grpcCode":14,"httpCode":503,"message":"this stream was too slow: at most 7 events are no longer there for it","httpStatus":"Service Unavailable","details":[]},"code":503,"help":"https://docs.d21s.com/error/#503"}
        "#);
    }

    #[test]
    fn server_sent_events_have_data_and_nothing_else() {
        assert_eq!(
            stream(Kind::Sse, &project()).media_type(),
            "text/event-stream"
        );
        let told = streamed(Kind::Sse);
        let mut lines = told.lines().filter(|line| !line.is_empty());
        assert!(lines.all(|line| line.starts_with("data: {")));
        assert_snapshot!(told, @r#"
        data: {"result":{"event":{"eventId":"ping0005c26e0c7e7b00","targetName":"projects/p1","eventType":"ping","data":null,"timestamp":"2021-05-16T08:13:15.360000Z"}}}

        data: {"result":{"event":{"eventId":"a-1","targetName":"projects/p1/devices/emu7\u00e9","eventType":"touch","data":{"touch":{"updateTime":"2021-05-16T08:13:15.360000Z"}},"timestamp":"2021-05-16T08:13:15.360000Z"}}}

        data: {"result":{"event":{"eventId":"ping0005c26e0c7e7b00","targetName":"projects/p1","eventType":"ping","data":null,"timestamp":"2021-05-16T08:13:15.360000Z"}}}

        data: {"error":{"code":503,"grpcCode":14,"httpCode":503,"message":"this stream was too slow: at most 7 events are no longer there for it","httpStatus":"Service Unavailable","details":[]},"code":503,"help":"https://docs.d21s.com/error/#503"}
        "#);
    }

    #[test]
    fn a_page_tells_where_the_next_begins() {
        let records = [2, 1].map(|at| record(at, "touch", r#"{"touch":{}}"#));
        let told_page =
            |records: &[Record], next| told(page(&project(), records, next).expect("payloads"));
        assert_snapshot!(told_page(&records, Position::new(1)), @r#"{"events":[{"eventId":"a-1","targetName":"projects/p1/devices/emu7\u00e9","eventType":"touch","data":{"touch":{"updateTime":"2021-05-16T08:13:15.360000Z"}},"timestamp":"2021-05-16T08:13:15.360000Z"},{"eventId":"a-1","targetName":"projects/p1/devices/emu7\u00e9","eventType":"touch","data":{"touch":{"updateTime":"2021-05-16T08:13:15.360000Z"}},"timestamp":"2021-05-16T08:13:15.360000Z"}],"nextPageToken":"1"}"#);
        assert_eq!(told_page(&[], None), r#"{"events":[],"nextPageToken":""}"#);
    }

    fn labels(pairs: &[(&str, &str)]) -> Labels {
        let pairs = pairs.iter();
        let labels = pairs.map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        Labels::new(labels.collect()).expect("labels")
    }

    #[test]
    fn what_is_pushed_is_an_event_with_the_labels_that_are_asked_for_and_its_device() {
        let reading = record(1, "temperature", r#"{"temperature":{"value":21.50}}"#);
        let pushed_with = |record: &Record, pairs: &[(&str, &str)], keys: &[&str]| {
            let keys: Vec<String> = keys.iter().map(|key| (*key).to_owned()).collect();
            let pushed = pushed(&project(), record, &labels(pairs), &keys);
            pushed.expect("a payload").map(told)
        };
        let kept = [
            ("device-type", "temperature"),
            ("name", "K\u{fc}che"),
            ("product-number", "102081"),
            ("room", "7"),
            ("virtual-sensor", ""),
        ];
        let keys = ["room", "floor", "name", "room", "device-type"];
        let whole = pushed_with(&reading, &kept, &keys).expect("it is of a device");
        assert_snapshot!(whole, @r#"{"event":{"eventId":"a-1","targetName":"projects/p1/devices/emu7\u00e9","eventType":"temperature","data":{"temperature":{"value":21.50,"updateTime":"2021-05-16T08:13:15.360000Z","samples":[{"value":21.50,"sampleTime":"2021-05-16T08:13:15.360000Z"}],"isBackfilled":false}},"timestamp":"2021-05-16T08:13:15.360000Z"},"labels":{"name":"K\u00fcche","room":"7"},"metadata":{"deviceId":"emu7\u00e9","projectId":"p1","deviceType":"temperature","productNumber":"102081"}}"#);
        let told_by_event = pushed_with(&reading, &[("name", "a")], &[]);
        assert_snapshot!(told_by_event.expect("it is of a device"), @r#"{"event":{"eventId":"a-1","targetName":"projects/p1/devices/emu7\u00e9","eventType":"temperature","data":{"temperature":{"value":21.50,"updateTime":"2021-05-16T08:13:15.360000Z","samples":[{"value":21.50,"sampleTime":"2021-05-16T08:13:15.360000Z"}],"isBackfilled":false}},"timestamp":"2021-05-16T08:13:15.360000Z"},"labels":{},"metadata":{"deviceId":"emu7\u00e9","projectId":"p1","deviceType":"temperature","productNumber":""}}"#);
        let unknown = pushed_with(&record(1, "batteryStatus", ""), &[], &["name"]);
        assert_snapshot!(unknown.expect("it is of a device"), @r#"{"event":{"eventId":"a-1","targetName":"projects/p1/devices/emu7\u00e9","eventType":"batteryStatus","data":{"batteryStatus":{"updateTime":"2021-05-16T08:13:15.360000Z"}},"timestamp":"2021-05-16T08:13:15.360000Z"},"labels":{},"metadata":{"deviceId":"emu7\u00e9","projectId":"p1","deviceType":"unknown","productNumber":""}}"#);
        let of_nobody = of(1, None, "touch", None);
        assert_eq!(pushed_with(&of_nobody, &kept, &keys), None);
    }

    #[test]
    fn an_event_that_cannot_be_read_is_told_and_leaves_nothing_behind() {
        let unreadable = Unreadable {
            position: broken().position(),
        };
        for kind in [Kind::Lines, Kind::Sse] {
            let mut out = Vec::new();
            let event = Delivered::Logged(broken());
            let told = stream(kind, &project()).event(&event, &mut out);
            assert_eq!((told, out.len()), (Err(unreadable), 0));
        }
        let told = page(&project(), &[broken()], None);
        assert_eq!(told, Err(unreadable));
        let bytes = b"ftd\x09aaaaaaaaaaaa".to_vec();
        let of_device = Record::new(*broken().stamp(), [1, 1, 1], bytes.into());
        let of_device = of_device.expect("a record");
        let told = pushed(&project(), &of_device, &labels(&[]), &[]);
        assert_eq!(told, Err(unreadable));
    }
}
