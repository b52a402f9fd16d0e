//! What is sent to Disruptive's API: emulated devices and what they tell, changes of labels, devices that move.
//!
//! Members come in any order, in camel case or in snake case; those that are not known are passed over, and what is null is as if it were
//! not there.

use std::collections::BTreeMap;

use feedwire_event::json::{self, Canonical, write_string};
use feedwire_event::limits::BATCH_EVENTS_MAX;
use feedwire_event::{
    Data, Event, Extensions, Labels, LabelsError, ProjectName, Subject, Timestamp, TypeName,
};
use serde_json::Number;
use serde_json::value::RawValue;

use super::event::{LABELS_CHANGED, write_quoted_time, write_samples};
use super::request::{MOVED_LABEL, Name, TYPE_LABEL, device_name, is_kept};
use crate::document::{self, Malformed};
pub use crate::faults::{FAULTS_MAX, Fault};
use crate::faults::{Faults, Place};
use crate::object::Texts;
use crate::readings::{
    DEVICE_TYPES, ELEMENTS_MAX, Kind, Member, READINGS, Reading, TEXT_BYTES_MAX, Without,
    is_spelling,
};
use crate::{ascii, digits, members, readings};

/// Most devices that are named at once.
pub const DEVICES_MAX: usize = BATCH_EVENTS_MAX;
/// The label that every emulated device has, with no value.
pub const EMULATED_LABEL: &str = "virtual-sensor";

/// Why a body is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// It is not JSON, or not an object.
    #[error(transparent)]
    Json(#[from] Malformed),
    /// Members that cannot be meant: at least one, and at most [`FAULTS_MAX`].
    #[error("{}", told(.0))]
    Members(Vec<Fault>),
}

fn told(faults: &[Fault]) -> String {
    let told: Vec<String> = faults.iter().map(Fault::to_string).collect();
    told.join("; ")
}

/// A change of the labels of some devices.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Update {
    /// Which devices.
    pub devices: Vec<Name>,
    /// What they are to have.
    pub add: BTreeMap<String, String>,
    /// What they are not to have any more.
    pub remove: Vec<String>,
}

impl Update {
    /// What `labels` are after it.
    pub fn applied(&self, labels: &Labels) -> Result<Labels, LabelsError> {
        let mut changed = owned(labels);
        changed.retain(|key, _| !self.remove.contains(key));
        let added = self.add.iter();
        changed.extend(added.map(|(key, value)| (key.clone(), value.clone())));
        Labels::new(changed)
    }
}

/// The labels of a device of the type `ty` when it is moved to the project `to`: those that it has there, and those that it keeps where it
/// was. There it may not have had anything yet, and is known by its type alone.
pub fn moved(labels: &Labels, ty: &str, to: &ProjectName) -> Result<(Labels, Labels), LabelsError> {
    let mut there = owned(labels);
    there
        .entry(TYPE_LABEL.to_owned())
        .or_insert_with(|| ty.to_owned());
    let here = BTreeMap::from([(MOVED_LABEL.to_owned(), to.to_string())]);
    Ok((Labels::new(there)?, Labels::new(here)?))
}

fn owned(labels: &Labels) -> BTreeMap<String, String> {
    let labels = labels.iter();
    labels
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect()
}

/// The labels that the emulated device that `bytes` asks for is kept with: `{"type":"temperature","labels":{…}}`.
pub fn create(bytes: &[u8]) -> Result<Labels, Error> {
    let mut body = Body::of(bytes, &["type", "labels"])?;
    let place = Place::Whole;
    let ty = body.required("type");
    let ty = body.faults.text(place, "type", ty, |text| {
        let is_known = DEVICE_TYPES.contains(&text);
        is_known
            .then(|| text.to_owned())
            .ok_or_else(|| format!("it is one of {}", DEVICE_TYPES.join(", ")))
    });
    let mut labels = body.labels("labels");
    labels.insert(EMULATED_LABEL.to_owned(), String::new());
    if let Some(ty) = ty {
        labels.insert(TYPE_LABEL.to_owned(), ty);
    }
    let labels = body.finish(labels)?;
    Labels::new(labels).map_err(|error| {
        let mut faults = Faults::default();
        faults.add(place, "labels", error.to_string());
        Error::Members(faults.0)
    })
}

/// The id of an emulated device that is made of `random`.
pub fn emulated(random: u128) -> Subject {
    Subject::new(&format!("emu{}", id(random))).expect("it is short and plain")
}

/// An id as the vendor makes them, of `random`.
pub(crate) fn id(random: u128) -> String {
    const DIGITS: &[u8; 32] = b"0123456789abcdefghijklmnopqrstuv";
    let digit = |at: u32| char::from(DIGITS[(random >> (5 * at)) as usize & 31]);
    (0..20).map(digit).collect()
}

/// What a device is that tells events of the type `ty`; `None` where many kinds of device do.
pub fn device_type(ty: &TypeName) -> Option<&'static str> {
    readings::of(ty.as_str())?.device_type
}

/// The event of `device` that `bytes` holds, at the time `now` unless it says another: `{"temperature":{"value":21.5}}`.
pub fn publish(device: &Subject, bytes: &[u8], now: Timestamp) -> Result<Event, Error> {
    let mut faults = Faults::default();
    let text = document::text(bytes)?;
    let mut values = [None; READINGS.len()];
    let find = |name: &str| {
        let mut readings = READINGS.iter();
        readings.position(|reading| is_spelling(name, reading.ty))
    };
    let twice = members::take(text, find, &mut values)?;
    if let Some(twice) = twice {
        faults.add(Place::Whole, READINGS[twice].ty, "it is given twice");
    }
    let given = READINGS.iter().zip(values);
    let mut given = given.filter_map(|(reading, value)| Some((reading, value?)));
    let Some((reading, value)) = given.next() else {
        let types: Vec<&str> = READINGS.iter().map(|reading| reading.ty).collect();
        let reason = format!("it has to hold one of {}", types.join(", "));
        faults.add(Place::Whole, "the body", reason);
        return Err(Error::Members(faults.0));
    };
    if let Some((other, _)) = given.next() {
        let reason = format!(
            "one event is published at a time; {} is another",
            reading.ty
        );
        faults.add(Place::Whole, other.ty, reason);
    }
    let mut filling = Filling { faults, time: now };
    let data = filling.data(reading, value);
    let Filling { mut faults, time } = filling;
    if !faults.0.is_empty() {
        return Err(Error::Members(faults.0));
    }
    canonical(data)
        .map(|data| event(device, reading.ty, time, data))
        .map_err(|error| {
            faults.add(Place::Whole, reading.ty, error.to_string());
            Error::Members(faults.0)
        })
}

/// The event that tells how the labels of `device` changed, and when; `None` where they did not.
pub fn labels_changed(
    device: &Subject,
    before: &Labels,
    after: &Labels,
    now: Timestamp,
) -> Option<Event> {
    let told = |labels: &Labels| {
        let mut told = owned(labels);
        told.retain(|key, _| !is_kept(key));
        told
    };
    let (before, after) = (told(before), told(after));
    let (mut added, mut modified) = (BTreeMap::new(), BTreeMap::new());
    for (key, value) in &after {
        match before.get(key) {
            None => added.insert(key, value),
            Some(old) if old != value => modified.insert(key, value),
            Some(_) => None,
        };
    }
    let gone = before.keys().filter(|key| !after.contains_key(*key));
    let removed: Vec<&String> = gone.collect();
    if added.is_empty() && modified.is_empty() && removed.is_empty() {
        return None;
    }
    let mut data = Vec::new();
    for (start, value) in [
        ("{\"added\":", ascii::json(&added)),
        (",\"modified\":", ascii::json(&modified)),
        (",\"removed\":", ascii::json(&removed)),
    ] {
        data.extend_from_slice(start.as_bytes());
        data.extend_from_slice(&value);
    }
    data.extend_from_slice(b",\"updateTime\":");
    write_quoted_time(now, &mut data);
    data.push(b'}');
    let data = canonical(data).expect("texts in two objects are not deep");
    Some(event(device, LABELS_CHANGED, now, data))
}

/// The change of labels that `bytes` asks for: `{"devices":[…],"addLabels":{…},"removeLabels":[…]}`.
pub fn batch_update(bytes: &[u8]) -> Result<Update, Error> {
    let mut body = Body::of(bytes, &["devices", "addLabels", "removeLabels"])?;
    let update = Update {
        devices: body.devices(),
        add: body.labels("addLabels"),
        remove: body.texts("removeLabels"),
    };
    for key in &update.remove {
        if let Some(reason) = kept(key) {
            body.faults.add(Place::Whole, "removeLabels", reason);
        }
        if update.add.contains_key(key) {
            let reason = format!("{key:?} is among addLabels, too");
            body.faults.add(Place::Whole, "removeLabels", reason);
        }
    }
    if update.add.is_empty() && update.remove.is_empty() {
        let reason = "there has to be something to add, or to remove";
        body.faults.add(Place::Whole, "addLabels", reason);
    }
    body.finish(update)
}

/// The devices that are to move: `{"devices":[…]}`.
pub fn transfer(bytes: &[u8]) -> Result<Vec<Name>, Error> {
    let mut body = Body::of(bytes, &["devices"])?;
    let devices = body.devices();
    body.finish(devices)
}

pub(crate) fn kept(key: &str) -> Option<String> {
    is_kept(key).then(|| format!("{key} is kept by the server: it is what the device is"))
}

/// What was written of parts that are JSON. Parts that were not too deep may be so together.
fn canonical(data: Vec<u8>) -> Result<Canonical, json::Error> {
    let text = String::from_utf8(data).expect("it is made of texts");
    let raw = RawValue::from_string(text).expect("what was written is JSON");
    Canonical::new(&raw)
}

fn event(device: &Subject, ty: &str, time: Timestamp, data: Canonical) -> Event {
    Event {
        id: None,
        source: None,
        ty: TypeName::new(ty).expect("the vendor's types are names"),
        subject: Some(device.clone()),
        time: Some(time),
        live_only: false,
        extensions: Extensions::default(),
        data: Some(Data::Json(data)),
    }
}

/// A body as far as it was read.
pub(crate) struct Body<'b> {
    pub(crate) faults: Faults,
    names: &'static [&'static str],
    values: Vec<Option<&'b RawValue>>,
}

impl<'b> Body<'b> {
    pub(crate) fn of(bytes: &'b [u8], names: &'static [&'static str]) -> Result<Self, Error> {
        let mut faults = Faults::default();
        let mut values = vec![None; names.len()];
        let find = |name: &str| names.iter().position(|camel| is_spelling(name, camel));
        let twice = members::take(document::text(bytes)?, find, &mut values)?;
        if let Some(twice) = twice {
            faults.add(Place::Whole, names[twice], "it is given twice");
        }
        Ok(Self {
            faults,
            names,
            values,
        })
    }

    pub(crate) fn value(&self, name: &str) -> Option<&'b RawValue> {
        let at = self.names.iter().position(|known| *known == name)?;
        self.values[at]
    }

    pub(crate) fn required(&mut self, name: &str) -> Option<&'b RawValue> {
        let value = self.value(name);
        self.faults.required(Place::Whole, name, value)
    }

    pub(crate) fn finish<T>(self, read: T) -> Result<T, Error> {
        if self.faults.0.is_empty() {
            Ok(read)
        } else {
            Err(Error::Members(self.faults.0))
        }
    }

    fn labels(&mut self, name: &str) -> BTreeMap<String, String> {
        let Some(value) = self.value(name) else {
            return BTreeMap::new();
        };
        let labels = match serde_json::from_str(value.get()) {
            Ok(Texts(labels)) => labels,
            Err(error) => {
                let reason = Malformed::from(error).reason;
                self.faults.add(Place::Whole, name, reason);
                return BTreeMap::new();
            }
        };
        for reason in labels.keys().filter_map(|key| kept(key)) {
            self.faults.add(Place::Whole, name, reason);
        }
        if let Err(error) = Labels::new(labels.clone()) {
            self.faults.add(Place::Whole, name, error.to_string());
        }
        labels
    }

    fn devices(&mut self) -> Vec<Name> {
        let value = self.value("devices");
        self.elements("devices", value, device_name)
    }

    fn texts(&mut self, name: &'static str) -> Vec<String> {
        let value = self.value(name);
        let is_empty = |value: &&RawValue| value.get() == "[]";
        let value = value.filter(|value| !is_empty(value));
        if value.is_none() {
            return Vec::new();
        }
        self.elements(name, value, |text| Ok(text.to_owned()))
    }

    pub(crate) fn elements<T>(
        &mut self,
        name: &'static str,
        value: Option<&RawValue>,
        read: impl Fn(&str) -> Result<T, String>,
    ) -> Vec<T> {
        let faults = &mut self.faults;
        let (elements, count) = faults.array(Place::Whole, name, value, DEVICES_MAX);
        if count > DEVICES_MAX {
            let reason = format!("there are at most {DEVICES_MAX}, here are {count}");
            faults.add(Place::Whole, name, reason);
            return Vec::new();
        }
        let mut read_ones = Vec::with_capacity(elements.len());
        for (index, element) in elements.into_iter().enumerate() {
            let place = Place::Whole.element(name, index);
            let element = Some(element).filter(|element| element.get() != "null");
            let element = faults.required(place, "", element);
            read_ones.extend(faults.text(place, "", element, &read));
        }
        read_ones
    }
}

/// The data of an event as far as it was read, with what it lacks filled in.
struct Filling {
    faults: Faults,
    /// When the event was, as far as it is known.
    time: Timestamp,
}

impl Filling {
    /// What `value` says, keyed by the type of the event.
    fn data(&mut self, reading: &'static Reading, value: &RawValue) -> Vec<u8> {
        let mut out = Vec::with_capacity(value.get().len() + 256);
        out.extend_from_slice(b"{\"");
        out.extend_from_slice(reading.ty.as_bytes());
        out.extend_from_slice(b"\":");
        let place = Place::Whole;
        let place = place.member(reading.ty);
        self.update_time(place, value);
        self.object(place, value, reading.members, &mut out);
        out.pop();
        if !reading.members.is_empty() {
            out.push(b',');
        }
        out.extend_from_slice(b"\"updateTime\":");
        write_quoted_time(self.time, &mut out);
        out.extend_from_slice(b"}}");
        out
    }

    /// The time of the event is what it says, for it is told by its samples, too.
    fn update_time(&mut self, place: Place<'_>, value: &RawValue) {
        let mut found = [None];
        let find = |name: &str| is_spelling(name, "updateTime").then_some(0);
        // What is no object is told once, with the members that are asked for.
        let Ok(twice) = members::take(value.get(), find, &mut found) else {
            return;
        };
        if twice.is_some() {
            self.faults.add(place, "updateTime", "it is given twice");
        }
        let time = self.faults.text(place, "updateTime", found[0], time);
        self.time = time.unwrap_or(self.time);
    }

    /// Appends the object `value`, which has these members.
    fn object(
        &mut self,
        place: Place<'_>,
        value: &RawValue,
        members: &'static [Member],
        out: &mut Vec<u8>,
    ) {
        let mut values = vec![None; members.len()];
        let find = |name: &str| {
            let mut members = members.iter();
            members.position(|member| is_spelling(name, member.name))
        };
        let name = |at: usize| members[at].name;
        let faults = &mut self.faults;
        if !faults.members(place, value, find, name, &mut values) {
            return;
        }
        let sampled: Vec<(&str, &str)> = members
            .iter()
            .zip(&values)
            .take_while(|(member, _)| member.without != Without::Sample)
            .filter_map(|(member, value)| Some((member.name, (*value)?.get())))
            .collect();
        out.push(b'{');
        for (at, (member, value)) in members.iter().zip(&values).enumerate() {
            if at > 0 {
                out.push(b',');
            }
            out.push(b'"');
            out.extend_from_slice(member.name.as_bytes());
            out.extend_from_slice(b"\":");
            match (value, &member.without) {
                (Some(value), _) => self.value(place, member, value, out),
                (None, Without::Is(json)) => out.extend_from_slice(json.as_bytes()),
                (None, Without::Time) => write_quoted_time(self.time, out),
                (None, Without::Sample) => write_samples(&sampled, None, self.time, out),
                (None, Without::Refused) => {
                    self.faults.required(place, member.name, None);
                }
            }
        }
        out.push(b'}');
    }

    /// Appends the `value` of `member`.
    fn value(
        &mut self,
        place: Place<'_>,
        member: &'static Member,
        value: &RawValue,
        out: &mut Vec<u8>,
    ) {
        let raw = value.get();
        let name = member.name;
        match &member.kind {
            Kind::Number | Kind::Whole | Kind::Flag => {
                if let Err(reason) = scalar(&member.kind, raw) {
                    self.faults.add(place, name, reason);
                }
                out.extend_from_slice(raw.as_bytes());
            }
            Kind::Time => {
                let time = self.faults.text(place, name, Some(value), time);
                write_quoted_time(time.unwrap_or(self.time), out);
            }
            Kind::OneOf(words) => {
                let read = |text: &str| {
                    let is_one = words.contains(&text);
                    is_one
                        .then(|| text.to_owned())
                        .ok_or_else(|| format!("it is one of {}", words.join(", ")))
                };
                let text = self.faults.text(place, name, Some(value), read);
                write_text(text.as_deref(), out);
            }
            Kind::Text => {
                let text = self.faults.text(place, name, Some(value), short);
                write_text(text.as_deref(), out);
            }
            Kind::Texts | Kind::Anything | Kind::Objects(_) => {
                self.list(place, member, value, out);
            }
        }
    }

    /// Appends the array `value` of `member`.
    fn list(
        &mut self,
        place: Place<'_>,
        member: &'static Member,
        value: &RawValue,
        out: &mut Vec<u8>,
    ) {
        let name = member.name;
        let (elements, count) = match members::of_array(value, ELEMENTS_MAX) {
            Ok(found) => found,
            Err(malformed) => return self.faults.add(place, name, malformed.reason),
        };
        if count > ELEMENTS_MAX {
            let reason = format!("it has at most {ELEMENTS_MAX} elements, this one {count}");
            return self.faults.add(place, name, reason);
        }
        out.push(b'[');
        for (index, element) in elements.into_iter().enumerate() {
            if self.faults.are_many() {
                return;
            }
            if index > 0 {
                out.push(b',');
            }
            let here = place.element(name, index);
            match &member.kind {
                Kind::Objects(members) => self.object(here, element, members, out),
                Kind::Texts => {
                    let text = self.faults.text(here, "", Some(element), short);
                    write_text(text.as_deref(), out);
                }
                _ => match Canonical::new(element) {
                    Ok(json) => out.extend_from_slice(json.bytes()),
                    Err(error) => self.faults.add(here, "", error.to_string()),
                },
            }
        }
        out.push(b']');
    }
}

fn write_text(text: Option<&str>, out: &mut Vec<u8>) {
    write_string(text.unwrap_or_default(), out);
}

fn short(text: &str) -> Result<String, String> {
    let len = text.len();
    if len > TEXT_BYTES_MAX {
        return Err(format!(
            "it has at most {TEXT_BYTES_MAX} bytes, this one {len}"
        ));
    }
    Ok(text.to_owned())
}

fn time(text: &str) -> Result<Timestamp, String> {
    let time = text.parse::<Timestamp>();
    time.map_err(|error| error.to_string())
}

/// Whether the text of a JSON value is a number, a whole one, or true or false.
fn scalar(kind: &Kind, raw: &str) -> Result<(), &'static str> {
    let number = serde_json::from_str::<Number>(raw).ok();
    let (is_one, reason) = match kind {
        Kind::Flag => (
            matches!(raw, "true" | "false"),
            "it has to be true or false",
        ),
        Kind::Whole => (
            number.and_then(|number| digits::whole(&number)).is_some(),
            "it has to be a whole number that is not negative",
        ),
        _ => (number.is_some(), "it has to be a number"),
    };
    is_one.then_some(()).ok_or(reason)
}
