//! An event as a producer hands it in: CloudEvents attributes and data.

use std::fmt;

use crate::json::Canonical;
use crate::limits::{EXTENSION_NAME_BYTES_MAX, EXTENSIONS_MAX, ID_BYTES_MAX, SOURCE_BYTES_MAX};
use crate::{Subject, Timestamp, TypeName, text};

/// What a producer publishes to a feed. The log adds position, version and the time it was recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// What tells this event from the others of its source; given by the server where the producer gives none.
    pub id: Option<EventId>,
    /// Where it happened, a URI reference; `None` is the feed's own address.
    pub source: Option<Source>,
    /// What kind of thing happened.
    pub ty: TypeName,
    /// What it happened to.
    pub subject: Option<Subject>,
    /// When it happened, by the producer's clock; `None` is when it was recorded.
    pub time: Option<Timestamp>,
    /// Whether it is for those alone who read its feed when it comes, and for no one later.
    pub live_only: bool,
    /// Further attributes.
    pub extensions: Extensions,
    /// What happened.
    pub data: Option<Data>,
}

/// The data of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Data {
    /// A JSON value.
    Json(Canonical),
    /// Bytes that are not JSON, in base64 as they are sent (CloudEvents' `data_base64`).
    Base64(Canonical),
}

/// Why an attribute is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AttributeError {
    /// It has no characters.
    #[error("it is empty")]
    Empty,
    /// It is too long.
    #[error("it has at most {max} bytes, this one {len}")]
    TooLong {
        /// The most it may have.
        max: usize,
        /// What it has.
        len: usize,
    },
    /// It has a control character.
    #[error("it has no control characters, this one has {0:?}")]
    Control(char),
    /// The name of an extension has a character that such names do not have.
    #[error("the name of an extension attribute is made of a-z and 0-9, not {0:?}")]
    ExtensionName(char),
    /// There are more than [`EXTENSIONS_MAX`] extension attributes.
    #[error("an event has at most {EXTENSIONS_MAX} extension attributes")]
    TooManyExtensions,
    /// The value of an extension is an object, an array or null.
    #[error("the value of an extension attribute is a string, a number or a boolean")]
    ExtensionValue,
}

fn check_text(text: &str, max: usize) -> Result<(), AttributeError> {
    if text.is_empty() {
        return Err(AttributeError::Empty);
    }
    if text.len() > max {
        return Err(AttributeError::TooLong {
            max,
            len: text.len(),
        });
    }
    text::control(text).map_or(Ok(()), |c| Err(AttributeError::Control(c)))
}

/// A short text that names something: an [`EventId`] or a [`Source`].
pub trait Attribute: Sized {
    /// Checks `text` and takes it.
    fn new(text: &str) -> Result<Self, AttributeError>;
    /// The text.
    fn as_str(&self) -> &str;
}

macro_rules! attribute {
    ($name:ident, $max:expr, $doc:literal) => {
        #[doc = $doc]
        #[derive(Clone, PartialEq, Eq, Hash)]
        pub struct $name(Box<str>);

        impl Attribute for $name {
            fn new(text: &str) -> Result<Self, AttributeError> {
                check_text(text, $max).map(|()| Self(text.into()))
            }

            fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:?}", self.as_str())
            }
        }
    };
}

attribute!(
    EventId,
    ID_BYTES_MAX,
    "The id of an event, unique within its source: 1 to 256 bytes."
);
attribute!(
    Source,
    SOURCE_BYTES_MAX,
    "Where events come from, a URI reference: 1 to 1024 bytes."
);

/// Further attributes of an event, kept as the members of a JSON object without its braces.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Extensions {
    members: Vec<u8>,
    count: usize,
}

impl Extensions {
    /// Adds the attribute `name` with the scalar `value`.
    pub fn push(&mut self, name: &str, value: &Canonical) -> Result<(), AttributeError> {
        check_text(name, EXTENSION_NAME_BYTES_MAX)?;
        let odd = |c: &char| !matches!(c, 'a'..='z' | '0'..='9');
        if let Some(c) = name.chars().find(odd) {
            return Err(AttributeError::ExtensionName(c));
        }
        if matches!(value.as_str().as_bytes()[0], b'{' | b'[' | b'n') {
            return Err(AttributeError::ExtensionValue);
        }
        if self.count == EXTENSIONS_MAX {
            return Err(AttributeError::TooManyExtensions);
        }
        if self.count > 0 {
            self.members.push(b',');
        }
        self.members.push(b'"');
        self.members.extend_from_slice(name.as_bytes());
        self.members.extend_from_slice(b"\":");
        self.members.extend_from_slice(value.as_str().as_bytes());
        self.count += 1;
        Ok(())
    }

    /// The members as canonical JSON without braces, such as `"traceid":"4f","retries":2`; empty when there are none.
    pub fn members(&self) -> &[u8] {
        &self.members
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(text: &str) -> Canonical {
        let raw = serde_json::from_str::<&serde_json::value::RawValue>(text).expect("JSON");
        Canonical::new(raw).expect("canonical")
    }

    #[test]
    fn extensions_are_kept_as_the_members_of_an_object() {
        let mut extensions = Extensions::default();
        extensions
            .push("traceid", &json("\"4f\""))
            .expect("a string");
        extensions.push("retries", &json("2")).expect("a number");
        assert_eq!(extensions.members(), br#""traceid":"4f","retries":2"#);
    }

    #[test]
    fn extensions_that_cloudevents_does_not_know_are_refused() {
        let check = |name: &str, value: &str, error: AttributeError| {
            assert_eq!(Extensions::default().push(name, &json(value)), Err(error));
        };
        check("", "1", AttributeError::Empty);
        check("trace_id", "1", AttributeError::ExtensionName('_'));
        check("a", "{}", AttributeError::ExtensionValue);
        check("a", "[1]", AttributeError::ExtensionValue);
        check("a", "null", AttributeError::ExtensionValue);
    }

    #[test]
    fn ids_and_sources_hold_to_their_bounds() {
        assert!(EventId::new(&"x".repeat(ID_BYTES_MAX)).is_ok());
        let long = AttributeError::TooLong {
            max: ID_BYTES_MAX,
            len: ID_BYTES_MAX + 1,
        };
        assert_eq!(EventId::new(&"x".repeat(ID_BYTES_MAX + 1)), Err(long));
        assert_eq!(Source::new("/a\nb"), Err(AttributeError::Control('\n')));
    }
}
