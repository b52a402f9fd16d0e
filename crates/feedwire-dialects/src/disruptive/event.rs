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
    match payload.data {
        DataText::Json(json) => write_data(record.ty(), json, time, out),
        DataText::None | DataText::Base64(_) => out.extend_from_slice(b"null"),
    }
    out.extend_from_slice(b",\"timestamp\":\"");
    write_time(time, out);
    out.extend_from_slice(b"\"}");
    Ok(())
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
    lacks_backfilled: bool,
    /// What the one sample says that is told where there are none.
    sample: Option<Vec<(&'static str, &'j str)>>,
}

impl<'j> Shown<'j> {
    /// What the canonical `json` says that is the data of an event of the type `ty`; `None` where it is no object.
    pub(super) fn of(ty: &str, json: &'j str) -> Option<Self> {
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
            write_samples(sample, time, out);
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

/// Appends the samples of a reading that has none: itself, unless it says nothing.
pub(super) fn write_samples(sample: &[(&str, &str)], time: Timestamp, out: &mut Vec<u8>) {
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
    write_quoted_time(time, out);
    out.extend_from_slice(b"}]");
}

pub(super) fn write_quoted_time(time: Timestamp, out: &mut Vec<u8>) {
    out.push(b'"');
    write_time(time, out);
    out.push(b'"');
}
