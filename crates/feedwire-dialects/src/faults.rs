//! What is wrong with a JSON document, member by member: several are told at once, each with its place.

use std::fmt;

use serde_json::value::RawValue;

use crate::document::{self, Malformed};
use crate::members;

/// Most faults of a document that are told: whoever mends these is told the next ones.
pub const FAULTS_MAX: usize = 10;

/// A member that cannot be meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Which, such as `batches[1].events[0].eventType`.
    pub path: String,
    /// Why not.
    pub reason: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.reason)
    }
}

/// Where in a document something stands.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Place<'p> {
    /// It is all of it.
    Whole,
    /// An element of the array that is the member `list` of what stands at `of`.
    Element {
        of: &'p Place<'p>,
        list: &'static str,
        index: usize,
    },
    /// The member `name` of what stands at `of`.
    Member { of: &'p Place<'p>, name: &'p str },
}

impl Place<'_> {
    /// The element `index` of the member `list` of what stands here.
    pub(crate) fn element(&self, list: &'static str, index: usize) -> Place<'_> {
        Place::Element {
            of: self,
            list,
            index,
        }
    }

    /// The member `name` of what stands here.
    pub(crate) fn member<'p>(&'p self, name: &'p str) -> Place<'p> {
        Place::Member { of: self, name }
    }

    /// The path of the member `name` of what stands here; of all of it where that is empty.
    fn path(&self, name: &str) -> String {
        let dot = if name.is_empty() { "" } else { "." };
        match self {
            Self::Whole => name.to_owned(),
            Self::Element { of, list, index } => format!("{}[{index}]{dot}{name}", of.path(list)),
            Self::Member { of, name: own } => format!("{}{dot}{name}", of.path(own)),
        }
    }
}

/// What was found to be wrong.
#[derive(Debug, Default)]
pub(crate) struct Faults(pub(crate) Vec<Fault>);

impl Faults {
    /// The member `name` of what stands at `place` cannot be meant; all of it where that is empty.
    pub(crate) fn add(&mut self, place: Place<'_>, name: &str, reason: impl Into<String>) {
        if !self.are_many() {
            self.0.push(Fault {
                path: place.path(name),
                reason: reason.into(),
            });
        }
    }

    /// Whether no more of them are told.
    pub(crate) fn are_many(&self) -> bool {
        self.0.len() >= FAULTS_MAX
    }

    /// The members `names` of the object that the document is.
    pub(crate) fn document<'b, const N: usize>(
        &mut self,
        bytes: &'b [u8],
        names: [&'static str; N],
    ) -> Result<[Option<&'b RawValue>; N], Malformed> {
        let members = members::of_object(document::text(bytes)?, names)?;
        self.twice(Place::Whole, members.twice);
        Ok(members.values)
    }

    /// The members `names` of the object `value` that stands at `place`.
    pub(crate) fn object<'b, const N: usize>(
        &mut self,
        place: Place<'_>,
        value: &'b RawValue,
        names: [&'static str; N],
    ) -> Option<[Option<&'b RawValue>; N]> {
        match members::of_object(value.get(), names) {
            Ok(members) => {
                self.twice(place, members.twice);
                Some(members.values)
            }
            Err(malformed) => {
                self.add(place, "", malformed.reason);
                None
            }
        }
    }

    /// Puts the members of the object `value` that stands at `place` into the places of `values` that `find` has for their names; the name
    /// of a place is told where two of them are for one.
    pub(crate) fn members<'b>(
        &mut self,
        place: Place<'_>,
        value: &'b RawValue,
        find: impl Fn(&str) -> Option<usize>,
        name: impl Fn(usize) -> &'static str,
        values: &mut [Option<&'b RawValue>],
    ) -> bool {
        match members::take(value.get(), find, values) {
            Ok(twice) => {
                self.twice(place, twice.map(name));
                true
            }
            Err(malformed) => {
                self.add(place, "", malformed.reason);
                false
            }
        }
    }

    fn twice(&mut self, place: Place<'_>, twice: Option<&'static str>) {
        if let Some(name) = twice {
            self.add(place, name, "it is given twice");
        }
    }

    /// The `value` of the member `name`, which has to be there.
    pub(crate) fn required<'b>(
        &mut self,
        place: Place<'_>,
        name: &str,
        value: Option<&'b RawValue>,
    ) -> Option<&'b RawValue> {
        if value.is_none() {
            self.add(place, name, "it is missing");
        }
        value
    }

    /// What `read` reads out of the string `value` of the member `name`.
    pub(crate) fn text<T, E: Into<String>>(
        &mut self,
        place: Place<'_>,
        name: &str,
        value: Option<&RawValue>,
        read: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        let reason = match members::string(value?) {
            Ok(None) => return None,
            Ok(Some(text)) => match read(&text) {
                Ok(read) => return Some(read),
                Err(reason) => reason.into(),
            },
            Err(reason) => reason.to_owned(),
        };
        self.add(place, name, reason);
        None
    }

    /// The first `most` elements of the array `value` of the member `name`, which has one at least, and how many there are.
    pub(crate) fn array<'b>(
        &mut self,
        place: Place<'_>,
        name: &str,
        value: Option<&'b RawValue>,
        most: usize,
    ) -> (Vec<&'b RawValue>, usize) {
        let Some(value) = self.required(place, name, value) else {
            return (Vec::new(), 0);
        };
        match members::of_array(value, most) {
            Ok((_, 0)) => self.add(place, name, "there has to be one at least"),
            Ok(elements) => return elements,
            Err(malformed) => self.add(place, name, malformed.reason),
        }
        (Vec::new(), 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(faults: &Faults) -> Vec<String> {
        faults.0.iter().map(Fault::to_string).collect()
    }

    #[test]
    fn a_fault_is_told_with_the_path_of_its_member() {
        let mut faults = Faults::default();
        let batch = Place::Whole.element("batches", 1);
        faults.add(Place::Whole, "events", "it is odd");
        faults.add(batch, "", "it is odd");
        faults.add(batch.element("events", 0), "eventType", "it is odd");
        let labels = batch.member("labels");
        faults.add(labels, "", "it is odd");
        faults.add(labels, "room", "it is odd");
        let expected = [
            "events: it is odd",
            "batches[1]: it is odd",
            "batches[1].events[0].eventType: it is odd",
            "batches[1].labels: it is odd",
            "batches[1].labels.room: it is odd",
        ];
        assert_eq!(told(&faults), expected);
    }

    #[test]
    fn no_more_faults_are_told_than_anybody_reads() {
        let mut faults = Faults::default();
        for index in 0..500 {
            faults.add(Place::Whole.element("events", index), "", "it is odd");
        }
        assert!(faults.are_many());
        assert_eq!(told(&faults).len(), FAULTS_MAX);
        assert_eq!(told(&faults)[9], "events[9]: it is odd");
    }

    #[test]
    fn what_is_missing_empty_or_of_another_kind_is_told() {
        let mut faults = Faults::default();
        let document = br#"{"twice":[],"twice":7,"half":"\ud800","null":null,"list":["x",7]}"#;
        let names = ["twice", "half", "null", "list"];
        let [twice, half, null, list] = faults.document(document, names).expect("an object");
        let upper = |text: &str| Ok::<_, String>(text.to_uppercase());
        assert_eq!(faults.array(Place::Whole, "twice", twice, 9).1, 0);
        assert_eq!(faults.text(Place::Whole, "half", half, upper), None);
        assert_eq!(faults.text(Place::Whole, "null", null, upper), None);
        assert_eq!(faults.array(Place::Whole, "null", null, 9).1, 0);
        assert_eq!(faults.text(Place::Whole, "list", list, upper), None);
        assert_eq!(faults.array(Place::Whole, "list", list, 1).1, 2);
        let (elements, _) = faults.array(Place::Whole, "list", list, 2);
        let first = elements.first().copied();
        let read = faults.text(Place::Whole, "list", first, upper);
        assert_eq!(read, Some("X".into()));
        let second = Place::Whole.element("list", 1);
        assert!(faults.object(second, elements[1], ["x"]).is_none());
        let expected = [
            "twice: it is given twice",
            "twice: invalid type: integer `7`, expected an array",
            "half: it holds half of a surrogate pair",
            "null: it is missing",
            "list: it has to be a string",
            "list[1]: invalid type: integer `7`, expected an object",
        ];
        assert_eq!(told(&faults), expected);
    }
}
