//! The attributes of an event as texts, whether they came in JSON or in headers: checked in one place.

use std::borrow::Cow;
use std::fmt;

use feedwire_event::json::Canonical;
use feedwire_event::{
    Attribute, Data, Event, EventId, Extensions, Source, Subject, Timestamp, TypeName,
};

use crate::media::MediaType;

/// What the server adds to an event, and nobody else gives.
const GIVEN: [&str; 6] = [
    "entity",
    "feed",
    "position",
    "publishedid",
    "recordedat",
    "version",
];

/// What a boolean that is none is told.
pub(crate) const NO_BOOLEAN: &str = "it has to be true or false";

/// What is wrong with an event.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    /// Which of the batch, from 0.
    pub(crate) index: usize,
    /// Which of its attributes.
    pub(crate) attribute: String,
    /// What is wrong with it.
    pub(crate) reason: String,
}

impl Fault {
    pub(crate) fn new(attribute: &str, reason: &(impl fmt::Display + ?Sized)) -> Self {
        Self {
            index: 0,
            attribute: attribute.to_owned(),
            reason: reason.to_string(),
        }
    }
}

/// A text, or that the attribute is not there.
pub(crate) type Text<'a> = Option<Cow<'a, str>>;

/// The attributes of one event.
#[derive(Default)]
pub(crate) struct Attributes<'a> {
    pub(crate) specversion: Text<'a>,
    pub(crate) id: Text<'a>,
    pub(crate) source: Text<'a>,
    pub(crate) ty: Text<'a>,
    pub(crate) subject: Text<'a>,
    pub(crate) time: Text<'a>,
    pub(crate) datacontenttype: Text<'a>,
    pub(crate) dataschema: Text<'a>,
    pub(crate) live_only: bool,
    pub(crate) extensions: Extensions,
}

impl Attributes<'_> {
    /// Adds the extension `name`.
    pub(crate) fn extend(&mut self, name: &str, value: &Canonical) -> Result<(), Fault> {
        if GIVEN.contains(&name) {
            return Err(Fault::new(name, "it is given by the server"));
        }
        if let Some(control) = control(value) {
            let reason = format!("it has no control characters, this one has {control:?}");
            return Err(Fault::new(name, &reason));
        }
        self.extensions
            .push(name, value)
            .map_err(|error| Fault::new(name, &error))
    }

    /// The event with these attributes and `data`.
    pub(crate) fn into_event(mut self, data: Option<Data>) -> Result<Event, Fault> {
        if self.specversion.is_some_and(|version| version != "1.0") {
            return Err(Fault::new(
                "specversion",
                "it has to be 1.0, the version of CloudEvents that is spoken here",
            ));
        }
        let ty = self.ty.ok_or_else(|| Fault::new("type", "it is missing"))?;
        if let Some(content_type) = &self.datacontenttype {
            check_content(content_type, data.as_ref())?;
        }
        if self.dataschema.as_deref().is_some_and(|text| !is_uri(text)) {
            return Err(Fault::new("dataschema", "it has to be an absolute URI"));
        }
        // Both are told to readers as they came, and nothing here depends on them: they are kept as extensions are.
        for (name, text) in [
            ("datacontenttype", self.datacontenttype),
            ("dataschema", self.dataschema),
        ] {
            if let Some(text) = text {
                self.extensions
                    .push(name, &Canonical::string(&text))
                    .map_err(|error| Fault::new(name, &error))?;
            }
        }
        let subject = self.subject.filter(|subject| !subject.is_empty());
        Ok(Event {
            id: read("id", self.id, EventId::new)?,
            source: read("source", self.source, Source::new)?,
            ty: TypeName::new(&ty).map_err(|error| Fault::new("type", &error))?,
            subject: read("subject", subject, Subject::new)?,
            time: read("time", self.time, str::parse::<Timestamp>)?,
            live_only: self.live_only,
            extensions: self.extensions,
            data,
        })
    }
}

fn read<T, E: fmt::Display>(
    name: &str,
    text: Text<'_>,
    read: impl FnOnce(&str) -> Result<T, E>,
) -> Result<Option<T>, Fault> {
    text.map(|text| read(&text))
        .transpose()
        .map_err(|error| Fault::new(name, &error))
}

/// Data that is no JSON stands in JSON as a string (JSON format 1.0.2, 3.1.1): readers could make nothing of anything else.
fn check_content(content_type: &str, data: Option<&Data>) -> Result<(), Fault> {
    let Some(media_type) = MediaType::parse(content_type) else {
        let reason = "it has to be a media type such as application/json";
        return Err(Fault::new("datacontenttype", reason));
    };
    match data {
        Some(Data::Json(json)) if !media_type.is_json() && !json.as_str().starts_with('"') => {
            Err(Fault::new(
                "data",
                "with a datacontenttype that is not JSON it has to be a string, or bytes in `data_base64`",
            ))
        }
        _ => Ok(()),
    }
}

/// The first control character of a string; no attribute of an event has any.
fn control(value: &Canonical) -> Option<char> {
    // Canonical JSON is ASCII: a control character in it is an escape.
    memchr::memchr(b'\\', value.bytes())?;
    let text: String = serde_json::from_str(value.as_str()).ok()?;
    text.chars().find(|c| c.is_control())
}

/// Whether `text` is an absolute URI, as far as its scheme and its characters tell.
fn is_uri(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else {
        return false;
    };
    let is_scheme = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    let is_plain = |byte: u8| byte.is_ascii_graphic() && !br#""<>\^`{|}"#.contains(&byte);
    is_scheme && !rest.is_empty() && rest.bytes().all(is_plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uri_has_a_scheme_and_no_characters_that_have_to_be_escaped() {
        for text in ["https://a.example/s?v=1#x", "urn:uuid:1", "a+b-c.d:%20"] {
            assert!(is_uri(text), "{text}");
        }
        for text in [
            "", "/s", "//a/s", ":s", "1a:s", "a b:s", "a:", "a:b c", "a:é", "a:<b>",
        ] {
            assert!(!is_uri(text), "{text}");
        }
    }
}
