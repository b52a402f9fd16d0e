//! What is sent to Validic's API: streams that are to be made, and their names.
//!
//! Members come in any order; those that are not known are passed over, and what is null is as if it were not there.

use feedwire_core::Filter;
use feedwire_core::limits::FILTER_VALUES_MAX;
use feedwire_event::{Timestamp, TypeName};
use serde_json::value::RawValue;

use super::request::{self, EventKind};
use crate::Day;
use crate::document::Malformed;
pub use crate::faults::{FAULTS_MAX, Fault};
use crate::faults::{Faults, Place};
use crate::members;

/// Most characters of the name of a stream.
pub const NAME_CHARS_MAX: usize = 128;

/// Why a body is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// It is not JSON, or not an object.
    #[error(transparent)]
    Json(#[from] Malformed),
    /// Members that cannot be meant: at least one, and at most [`FAULTS_MAX`].
    #[error("{}", .0.first().map_or_else(String::new, Fault::to_string))]
    Members(Vec<Fault>),
}

/// A stream that is to be made. A filter that is left out lets everything through, as an empty one does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewStream {
    /// What it is called.
    pub name: String,
    /// The day from which on it is of what was recorded.
    pub start_date: Option<Day>,
    /// The types of records that it is of.
    pub resource_filter: Option<Vec<TypeName>>,
    /// The kinds of events that it is of.
    pub event_type_filter: Option<Vec<EventKind>>,
}

impl NewStream {
    /// What it lets through.
    pub fn filter(&self) -> Filter {
        let resources = self.resource_filter.clone();
        let kinds = self.event_type_filter.clone();
        request::filter(resources.unwrap_or_default(), kinds.unwrap_or_default())
    }
}

/// The stream that `bytes` asks for at the time `now`: `{"name":…,"start_date":…,"resource_filter":[…],"event_type_filter":[…]}`.
pub fn create(bytes: &[u8], now: Timestamp) -> Result<NewStream, Error> {
    let mut faults = Faults::default();
    let names = ["name", "start_date", "resource_filter", "event_type_filter"];
    let [name, start_date, resources, kinds] = faults.document(bytes, names)?;
    let name = self::name(&mut faults, name);
    let start_date = faults.text(Place::Whole, "start_date", start_date, |text| {
        let day = Day::parse(text).ok_or("it has to be a day such as 2013-01-31")?;
        if day > Day::of(now) {
            return Err("it is in the future; days are those of UTC");
        }
        Ok(day)
    });
    let resource_filter = list(&mut faults, "resource_filter", resources, |text| {
        TypeName::new(text).map_err(|error| error.to_string())
    });
    let event_type_filter = list(&mut faults, "event_type_filter", kinds, EventKind::parse);
    match name {
        Some(name) if faults.0.is_empty() => Ok(NewStream {
            name,
            start_date,
            resource_filter,
            event_type_filter,
        }),
        _ => Err(Error::Members(faults.0)),
    }
}

/// What a stream is to be called: `{"name":…}`.
pub fn rename(bytes: &[u8]) -> Result<String, Error> {
    let mut faults = Faults::default();
    let [name] = faults.document(bytes, ["name"])?;
    match self::name(&mut faults, name) {
        Some(name) if faults.0.is_empty() => Ok(name),
        _ => Err(Error::Members(faults.0)),
    }
}

fn name(faults: &mut Faults, value: Option<&RawValue>) -> Option<String> {
    let value = faults.required(Place::Whole, "name", value);
    faults.text(Place::Whole, "name", value, |text| {
        let chars = text.chars().count();
        if chars == 0 || chars > NAME_CHARS_MAX {
            return Err(format!(
                "it has 1 to {NAME_CHARS_MAX} characters, this one {chars}"
            ));
        }
        if text.chars().any(char::is_control) {
            return Err("it has no line breaks, and no other control characters".to_owned());
        }
        Ok(text.to_owned())
    })
}

/// What `read` reads out of the texts of the array `value` of the member `name`.
fn list<T>(
    faults: &mut Faults,
    name: &'static str,
    value: Option<&RawValue>,
    read: impl Fn(&str) -> Result<T, String>,
) -> Option<Vec<T>> {
    let (elements, count) = match members::of_array(value?, FILTER_VALUES_MAX) {
        Ok(found) => found,
        Err(malformed) => {
            faults.add(Place::Whole, name, malformed.reason);
            return None;
        }
    };
    if count > FILTER_VALUES_MAX {
        let reason = format!("at most {FILTER_VALUES_MAX} can be named");
        faults.add(Place::Whole, name, reason);
        return None;
    }
    let mut read_all = Vec::with_capacity(elements.len());
    for (index, element) in elements.into_iter().enumerate() {
        let place = Place::Whole.element(name, index);
        if element.get() == "null" {
            faults.add(place, "", "it has to be a string");
        }
        read_all.extend(faults.text(place, "", Some(element), &read));
    }
    Some(read_all)
}
