//! What is sent to Serialized's API: batches of events, one or many at once, and tenants.
//!
//! Members come in any order; those that are not known are passed over, and what is null is as if it were not there.

use std::collections::HashMap;

use feedwire_engine::{Expectation, Expected};
use feedwire_event::json::Canonical;
use feedwire_event::limits::BATCH_EVENTS_MAX;
use feedwire_event::{Data, Event, Extensions, FeedName, Position, Subject, TypeName, Version};
use serde_json::Number;
use serde_json::value::RawValue;
use uuid::Uuid;

use super::event::ENCRYPTED;
use super::request::{self, NOT_A_UUID};
use crate::content::Content;
use crate::document::Malformed;
pub use crate::faults::{FAULTS_MAX, Fault};
use crate::faults::{Faults, Place};
use crate::{Shape, digits, parted, uuids};

/// Longest `encryptedData`, in bytes of UTF-8: the vendor's limit.
pub const ENCRYPTED_BYTES_MAX: usize = 65_535;
/// Longest `reference` of a tenant, in bytes of UTF-8: as long as a subject may be, which is a name in another system too.
pub const REFERENCE_BYTES_MAX: usize = 512;
/// Why a body is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// It is not JSON, or not an object.
    #[error(transparent)]
    Json(#[from] Malformed),
    /// Members that cannot be meant: at least one, and at most [`FAULTS_MAX`].
    #[error("{}", .0.first().map_or_else(String::new, Fault::to_string))]
    Members(Vec<Fault>),
    /// More events than are saved at once.
    #[error("at most {BATCH_EVENTS_MAX} events are saved at once, in however many batches")]
    TooMany,
}

/// Events that are saved together, all or none, with what is expected of their aggregates.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Save {
    /// The events.
    pub events: Vec<(FeedName, Event)>,
    /// What is expected, at most one of an aggregate.
    pub expectations: Vec<Expectation>,
}

/// A tenant that is to be there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tenant {
    /// Which.
    pub id: Uuid,
    /// What its owner knows it by.
    pub reference: Option<String>,
}

/// The batch for the aggregate `id` that `bytes` is: `{"events":[…],"expectedVersion":1}`.
pub fn batch(aggregate_type: &FeedName, id: &Subject, bytes: &[u8]) -> Result<Save, Error> {
    let names = ["events", "expectedVersion"];
    let (mut reading, [events, expected]) = Reading::of(aggregate_type, bytes, names)?;
    reading.batch(Place::Whole, Some(id.clone()), events, expected);
    reading.finish()
}

/// The batches for aggregates of one type that `bytes` holds: `{"batches":[{"aggregateId":…,"events":[…]},…]}`, or one of them without the
/// array around it.
pub fn bulk(aggregate_type: &FeedName, bytes: &[u8]) -> Result<Save, Error> {
    let names = ["batches", "aggregateId", "events", "expectedVersion"];
    let (mut reading, [batches, id, events, expected]) = Reading::of(aggregate_type, bytes, names)?;
    if let Some(batches) = batches {
        reading.batches(batches);
    } else if id.is_some() || events.is_some() {
        let id = reading.aggregate(Place::Whole, id);
        reading.batch(Place::Whole, id, events, expected);
    } else {
        reading.faults.add(Place::Whole, "batches", "it is missing");
    }
    reading.finish()
}

/// The tenant that `bytes` is: `{"tenantId":…,"reference":"…"}`.
pub fn tenant(bytes: &[u8]) -> Result<Tenant, Error> {
    let mut faults = Faults::default();
    let [id, reference] = faults.document(bytes, ["tenantId", "reference"])?;
    let id = faults.required(Place::Whole, "tenantId", id);
    let id = faults.text(Place::Whole, "tenantId", id, uuid);
    let reference = faults.text(Place::Whole, "reference", reference, short);
    match id {
        Some(id) if faults.0.is_empty() => Ok(Tenant { id, reference }),
        _ => Err(Error::Members(faults.0)),
    }
}

/// The reference that `bytes` gives the tenant `id`, as the address names it; some clients name it again. Without one there is nothing to
/// change.
pub fn reference(id: Uuid, bytes: &[u8]) -> Result<Option<String>, Error> {
    let mut faults = Faults::default();
    let [again, reference] = faults.document(bytes, ["tenantId", "reference"])?;
    let again = faults.text(Place::Whole, "tenantId", again, uuid);
    if again.is_some_and(|again| again != id) {
        let words = "it is another than in the address";
        faults.add(Place::Whole, "tenantId", words);
    }
    let reference = faults.text(Place::Whole, "reference", reference, short);
    if !faults.0.is_empty() {
        return Err(Error::Members(faults.0));
    }
    Ok(reference)
}

fn short(text: &str) -> Result<String, String> {
    let len = text.len();
    let is_short = len <= REFERENCE_BYTES_MAX;
    is_short
        .then(|| text.to_owned())
        .ok_or_else(|| format!("it has at most {REFERENCE_BYTES_MAX} bytes, this one {len}"))
}

/// Refuses a body that is not said to be JSON, and as it is: what is said to be a form or plain text may have been sent by any web page
/// that somebody looks at, without a browser asking first.
pub fn content(
    content_type: Option<&str>,
    content_encoding: Option<&str>,
) -> Result<(), request::Error> {
    match content_encoding.map(str::trim) {
        None | Some("" | "identity") => {}
        Some(other) => return Err(request::Error::ContentEncoding(other.to_owned())),
    }
    match Content::of(content_type, false) {
        Some(Content::Json(Shape::Any)) => Ok(()),
        _ => Err(request::Error::MediaType(
            content_type.unwrap_or("missing").to_owned(),
        )),
    }
}

fn uuid(text: &str) -> Result<Uuid, &'static str> {
    uuids::parse(text).ok_or(NOT_A_UUID)
}

/// A save as far as it was read.
struct Reading<'f> {
    aggregate_type: &'f FeedName,
    faults: Faults,
    save: Save,
    /// How many events there are, also those that are too many to be read.
    count: usize,
}

impl<'f> Reading<'f> {
    /// Begins to read the body `bytes`, which has the members `names`.
    fn of<'b, const N: usize>(
        aggregate_type: &'f FeedName,
        bytes: &'b [u8],
        names: [&'static str; N],
    ) -> Result<(Self, [Option<&'b RawValue>; N]), Error> {
        let mut faults = Faults::default();
        let values = faults.document(bytes, names)?;
        let reading = Self {
            aggregate_type,
            faults,
            save: Save::default(),
            count: 0,
        };
        Ok((reading, values))
    }

    fn is_done(&self) -> bool {
        self.count > BATCH_EVENTS_MAX || self.faults.are_many()
    }

    fn finish(self) -> Result<Save, Error> {
        if self.count > BATCH_EVENTS_MAX {
            Err(Error::TooMany)
        } else if self.faults.0.is_empty() {
            Ok(self.save)
        } else {
            Err(Error::Members(self.faults.0))
        }
    }

    fn batches(&mut self, batches: &RawValue) {
        // None of them is empty, so there are no more than events.
        let (batches, count) =
            self.faults
                .array(Place::Whole, "batches", Some(batches), BATCH_EVENTS_MAX);
        if count > BATCH_EVENTS_MAX {
            self.count = count;
        }
        let mut seen = HashMap::new();
        for (index, batch) in batches.into_iter().enumerate() {
            if self.is_done() {
                return;
            }
            let place = Place::Whole.element("batches", index);
            let names = ["aggregateId", "events", "expectedVersion"];
            let Some([id, events, expected]) = self.faults.object(place, batch, names) else {
                continue;
            };
            let id = self.aggregate(place, id);
            if let Some(id) = id.clone()
                && let Some(first) = seen.insert(id, index)
            {
                let reason = format!("batches[{first}] is of the same aggregate");
                self.faults.add(place, "aggregateId", reason);
            }
            self.batch(place, id, events, expected);
        }
    }

    fn aggregate(&mut self, place: Place<'_>, id: Option<&RawValue>) -> Option<Subject> {
        let id = self.faults.required(place, "aggregateId", id);
        let id = self.faults.text(place, "aggregateId", id, uuid)?;
        Some(uuids::subject(&id))
    }

    /// The batch at `place`, which is of the aggregate `id`.
    fn batch(
        &mut self,
        place: Place<'_>,
        id: Option<Subject>,
        events: Option<&RawValue>,
        expected: Option<&RawValue>,
    ) {
        let (events, count) = self.faults.array(place, "events", events, BATCH_EVENTS_MAX);
        self.count += count;
        for (index, event) in events.into_iter().enumerate() {
            if self.is_done() {
                return;
            }
            self.event(place.element("events", index), id.clone(), event);
        }
        if let (Some(version), Some(subject)) = (self.expected(place, expected), id) {
            self.save.expectations.push(Expectation {
                feed: self.aggregate_type.clone(),
                subject,
                expected: Expected::Version(version),
            });
        }
    }

    fn event(&mut self, place: Place<'_>, subject: Option<Subject>, event: &RawValue) {
        let faults = &mut self.faults;
        let names = ["eventId", "eventType", "data", "encryptedData"];
        let Some([id, ty, data, encrypted]) = faults.object(place, event, names) else {
            return;
        };
        let id = faults.text(place, "eventId", id, uuid);
        let ty = faults.required(place, "eventType", ty);
        let ty = faults.text(place, "eventType", ty, event_type);
        let data = data.map(Canonical::new).transpose();
        let data = data.unwrap_or_else(|error| {
            faults.add(place, "data", error.to_string());
            None
        });
        let encrypted = faults.text(place, "encryptedData", encrypted, extensions);
        if let Some(ty) = ty {
            let event = Event {
                id: id.as_ref().map(uuids::event_id),
                source: None,
                ty,
                subject,
                time: None,
                live_only: false,
                extensions: encrypted.unwrap_or_default(),
                data: data.map(Data::Json),
            };
            self.save.events.push((self.aggregate_type.clone(), event));
        }
    }

    fn expected(&mut self, place: Place<'_>, value: Option<&RawValue>) -> Option<Version> {
        let number = serde_json::from_str::<Number>(value?.get()).ok();
        let version = number.and_then(|number| digits::whole(&number));
        let version = version.filter(|version| *version <= Position::MAX.get());
        if version.is_none() {
            let reason = format!("it has to be a whole number from 0 to {}", Position::MAX);
            self.faults.add(place, "expectedVersion", reason);
        }
        version.map(Version)
    }
}

fn event_type(text: &str) -> Result<TypeName, String> {
    if !parted::is_name(text, |byte| byte.is_ascii_alphanumeric()) {
        let rule = "it has three or more of A-Z a-z 0-9 - _, and a letter or a digit at both ends";
        return Err(rule.to_owned());
    }
    TypeName::new(text).map_err(|error| error.to_string())
}

/// What is encrypted of an event, as the attribute that it is kept as.
fn extensions(encrypted: &str) -> Result<Extensions, String> {
    let len = encrypted.len();
    if len > ENCRYPTED_BYTES_MAX {
        return Err(format!(
            "it has at most {ENCRYPTED_BYTES_MAX} bytes, this one {len}"
        ));
    }
    let mut extensions = Extensions::default();
    let pushed = extensions.push(ENCRYPTED, &Canonical::string(encrypted));
    pushed.map_err(|error| error.to_string())?;
    Ok(extensions)
}
