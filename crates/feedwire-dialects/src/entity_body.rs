//! What is sent about entities: what they are to be, one in a body or one in each line of many.

use std::borrow::Cow;
use std::fmt;

use feedwire_core::entities::{Wanted, Write};
use feedwire_event::{Attribute, FeedName, Ids, Patch, Source, State, Subject, Timestamp};
use serde::de::{self, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::content::Content;
use crate::document::{Malformed, text};
use crate::media::{self, MediaType};
use crate::members::{self, Key};
use crate::native::body::Error;
use crate::native::request;

/// The media type of a merge patch (RFC 7396).
pub const MERGE_PATCH: &str = "application/merge-patch+json";

/// What a change of an entity may have beside its feed and its subject.
const OF_ONE: &[&str] = &["data", "ids", "time", "source"];
/// What it has in a line of many.
const OF_A_LINE: &[&str] = &["subject", "data", "ids", "time", "source"];

/// What the entity `subject` of `feed` is to be, out of `{"data":{…},"ids":{…}}`, whatever it was.
pub fn put(body: &[u8], feed: &FeedName, subject: &Subject) -> Result<Write, Error> {
    let given = Given::read(text(body)?, OF_ONE)?;
    let wanted = Wanted::Put {
        state: given.state()?,
        ids: given.ids()?,
    };
    given.write(feed, subject.clone(), wanted)
}

/// What becomes of the entity `subject` of `feed`, out of a merge patch of the same document.
pub fn patch(body: &[u8], feed: &FeedName, subject: &Subject) -> Result<Write, Error> {
    let given = Given::read(text(body)?, OF_ONE)?;
    let state = given.data.map(|raw| patched("data", raw)).transpose()?;
    let is_object_or_null = |raw: &&RawValue| raw.get().starts_with('{') || raw.get() == "null";
    if !given.ids.as_ref().is_none_or(is_object_or_null) {
        let reason = "the ids are patched by an object, or taken away by null";
        return Err(Error::member("ids", reason));
    }
    let ids = given.ids.map(Patch::new).transpose();
    let ids = ids.map_err(|error| Error::member("ids", &error))?;
    given.write(feed, subject.clone(), Wanted::Patched { state, ids })
}

/// What an entity of `feed` is to be, out of the line `{"subject":"a","data":{…},"ids":{…}}`.
pub fn line(line: &[u8], feed: &FeedName) -> Result<Write, Error> {
    let given = Given::read(text(line)?, OF_A_LINE)?;
    let subject = string("subject", given.subject)?;
    let subject = subject.ok_or_else(|| Error::member("subject", "an entity has a subject"))?;
    let subject = Subject::new(&subject).map_err(|error| Error::member("subject", &error))?;
    let wanted = Wanted::Put {
        state: given.state()?,
        ids: given.ids()?,
    };
    given.write(feed, subject, wanted)
}

/// Refuses a body that is neither a JSON document nor a merge patch.
pub fn patch_content(content_type: Option<&str>) -> Result<(), request::Error> {
    let essence = content_type.map(media::essence).unwrap_or_default();
    let is_utf8 = content_type
        .filter(|text| text.contains(';'))
        .and_then(MediaType::parse)
        .is_none_or(|media_type| media_type.is_utf8());
    if is_utf8 && (essence == MERGE_PATCH || essence == "application/json") {
        return Ok(());
    }
    let accepted = "application/merge-patch+json, application/json, both in UTF-8";
    Err(unsupported(accepted, content_type))
}

/// Refuses a body that has no lines.
pub fn lines_content(content_type: Option<&str>) -> Result<(), request::Error> {
    match Content::of(content_type, false) {
        Some(Content::Ndjson) => Ok(()),
        _ => Err(unsupported("application/x-ndjson in UTF-8", content_type)),
    }
}

fn unsupported(accepted: &'static str, found: Option<&str>) -> request::Error {
    request::Error::UnsupportedMediaType {
        accepted,
        found: found.unwrap_or("missing").to_owned(),
    }
}

fn patched(name: &'static str, raw: &RawValue) -> Result<Patch, Error> {
    if !raw.get().starts_with('{') {
        let reason = "a state is a JSON object, and so is what it is patched with; an entity is taken away by DELETE";
        return Err(Error::member(name, reason));
    }
    Patch::new(raw).map_err(|error| Error::member(name, &error))
}

/// The text of a string; `None` where it is null or not there.
fn string(name: &'static str, raw: Option<&RawValue>) -> Result<Option<String>, Error> {
    let text = raw.map_or(Ok(None), members::string);
    let text = text.map_err(|reason| Error::member(name, reason))?;
    Ok(text.map(Cow::into_owned))
}

/// What is given, each as the text of its value.
#[derive(Default)]
struct Given<'a> {
    subject: Option<&'a RawValue>,
    data: Option<&'a RawValue>,
    ids: Option<&'a RawValue>,
    time: Option<&'a RawValue>,
    source: Option<&'a RawValue>,
}

impl<'a> Given<'a> {
    /// The members of the object that `text` is, which may have those that are `known`.
    fn read(text: &'a str, known: &'static [&'static str]) -> Result<Self, Error> {
        let mut json = serde_json::Deserializer::from_str(text);
        let given = json.deserialize_map(Members { known });
        let given = given.and_then(|given| json.end().map(|()| given));
        Ok(given.map_err(Malformed::from)?)
    }

    fn place(&mut self, name: &str) -> Option<&mut Option<&'a RawValue>> {
        match name {
            "subject" => Some(&mut self.subject),
            "data" => Some(&mut self.data),
            "ids" => Some(&mut self.ids),
            "time" => Some(&mut self.time),
            "source" => Some(&mut self.source),
            _ => None,
        }
    }

    fn state(&self) -> Result<State, Error> {
        let missing = || Error::member("data", "an entity has a state, which is a JSON object");
        State::new(self.data.ok_or_else(missing)?).map_err(|error| Error::member("data", &error))
    }

    /// The ids; none where they are null, which says so too.
    fn ids(&self) -> Result<Option<Ids>, Error> {
        let ids = self.ids.filter(|raw| raw.get() != "null");
        let ids = ids.map(Ids::new).transpose();
        ids.map_err(|error| Error::member("ids", &error))
    }

    fn write(&self, feed: &FeedName, subject: Subject, wanted: Wanted) -> Result<Write, Error> {
        let time = string("time", self.time)?.map(|text| text.parse::<Timestamp>());
        let source = string("source", self.source)?.map(|text| Source::new(&text));
        Ok(Write {
            feed: feed.clone(),
            subject,
            wanted,
            time: (time.transpose()).map_err(|error| Error::member("time", &error))?,
            source: (source.transpose()).map_err(|error| Error::member("source", &error))?,
            expected: None,
        })
    }
}

struct Members {
    known: &'static [&'static str],
}

impl Members {
    fn unknown(&self, name: &str) -> String {
        let known: Vec<String> = self.known.iter().map(|name| format!("`{name}`")).collect();
        let known = known.join(", ");
        format!("unknown member `{name}`, there are {known}: the state is what `data` has")
    }
}

impl<'de> Visitor<'de> for Members {
    type Value = Given<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object that has the state as its member `data`")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut given = Given::default();
        while let Some(Key(name)) = map.next_key()? {
            let is_known = self.known.contains(&&*name);
            let place = given.place(&name).filter(|_| is_known);
            let place = place.ok_or_else(|| de::Error::custom(self.unknown(&name)))?;
            if place.is_some() {
                return Err(de::Error::custom(format_args!("`{name}` is given twice")));
            }
            *place = Some(map.next_value::<&RawValue>()?);
        }
        Ok(given)
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_debug_snapshot;
    use proptest::prelude::*;

    use super::*;

    fn planes() -> (FeedName, Subject) {
        let feed = FeedName::new("planes").expect("a name");
        (feed, Subject::new("N14228").expect("a subject"))
    }

    fn told(read: Result<Write, Error>) -> String {
        match read {
            Err(Error::Json {
                line,
                column,
                reason,
            }) => format!("{line}:{column} {reason}"),
            Err(other) => other.to_string(),
            Ok(write) => format!("{write:?}"),
        }
    }

    fn put_of(body: &str) -> Result<Write, Error> {
        let (feed, subject) = planes();
        put(body.as_bytes(), &feed, &subject)
    }

    fn patch_of(body: &str) -> Result<Write, Error> {
        let (feed, subject) = planes();
        patch(body.as_bytes(), &feed, &subject)
    }

    fn line_of(body: &str) -> Result<Write, Error> {
        line(body.as_bytes(), &planes().0)
    }

    #[test]
    fn a_state_comes_with_ids_a_time_and_a_source() {
        let all = r#"{"data":{"delay":2.50},"ids":{"tailnum":"N14228"},"time":"2013-01-01T10:00:00Z","source":"/planes"}"#;
        let read = put_of(all).expect("a state");
        let same = all.replacen('{', r#"{"subject":"N14228","#, 1);
        assert_eq!(told(line_of(&same)), format!("{read:?}"));
        assert_debug_snapshot!(read, @r#"
        Write {
            feed: "planes",
            subject: "N14228",
            wanted: Put {
                state: {"delay":2.50},
                ids: Some(
                    {"tailnum":"N14228"},
                ),
            },
            time: Some(
                2013-01-01T10:00:00Z,
            ),
            source: Some(
                "/planes",
            ),
            expected: None,
        }
        "#);
        let nulls = r#"{"data":{},"ids":null,"time":null,"source":null}"#;
        assert_eq!(told(put_of(nulls)), told(put_of(r#"{"data":{}}"#)));
    }

    #[test]
    fn a_patch_may_leave_everything_out_and_take_ids_away() {
        assert_debug_snapshot!([
            patch_of("{}"),
            patch_of(r#"{"data":{"delay":null},"ids":{"tailnum":null}}"#),
            patch_of(r#"{"ids":null}"#),
        ], @r#"
        [
            Ok(
                Write {
                    feed: "planes",
                    subject: "N14228",
                    wanted: Patched {
                        state: None,
                        ids: None,
                    },
                    time: None,
                    source: None,
                    expected: None,
                },
            ),
            Ok(
                Write {
                    feed: "planes",
                    subject: "N14228",
                    wanted: Patched {
                        state: Some(
                            {"delay":null},
                        ),
                        ids: Some(
                            {"tailnum":null},
                        ),
                    },
                    time: None,
                    source: None,
                    expected: None,
                },
            ),
            Ok(
                Write {
                    feed: "planes",
                    subject: "N14228",
                    wanted: Patched {
                        state: None,
                        ids: Some(
                            null,
                        ),
                    },
                    time: None,
                    source: None,
                    expected: None,
                },
            ),
        ]
        "#);
    }

    #[test]
    fn what_cannot_be_meant_is_told_where_it_stands() {
        let puts = [
            "",
            "[]",
            "{}",
            "{\"data\":{},\n\"delay\":1}",
            r#"{"delay":1,"status":"departed"}"#,
            r#"{"data":{},"subject":"a"}"#,
            r#"{"data":{},"data":{}}"#,
            r#"{"data":null}"#,
            r#"{"data":{"a":{"b":1,"b":2}}}"#,
            r#"{"data":{"a":"\ud800"}}"#,
            r#"{"data":{},"ids":{}}"#,
            r#"{"data":{},"ids":{"a":[]}}"#,
            r#"{"data":{},"time":"today"}"#,
            r#"{"data":{},"time":1}"#,
            r#"{"data":{},"source":""}"#,
            r#"{"data":{}} x"#,
        ];
        let patches = [
            r#"{"data":null}"#,
            r#"{"data":[]}"#,
            r#"{"ids":"a"}"#,
            r#"{"status":"departed"}"#,
            r#"{"data":{"a":1,"a":2}}"#,
        ];
        let lines = [
            r#"{"data":{}}"#,
            r#"{"subject":"","data":{}}"#,
            r#"{"subject":"a"}"#,
        ];
        let refusals = (puts.map(|body| told(put_of(body))).into_iter())
            .chain(patches.map(|body| told(patch_of(body))))
            .chain(lines.map(|body| told(line_of(body))));
        assert_debug_snapshot!(refusals.collect::<Vec<_>>(), @r#"
        [
            "1:0 EOF while parsing a value",
            "1:0 invalid type: sequence, expected an object that has the state as its member `data`",
            "data: an entity has a state, which is a JSON object",
            "2:7 unknown member `delay`, there are `data`, `ids`, `time`, `source`: the state is what `data` has",
            "1:8 unknown member `delay`, there are `data`, `ids`, `time`, `source`: the state is what `data` has",
            "1:20 unknown member `subject`, there are `data`, `ids`, `time`, `source`: the state is what `data` has",
            "1:17 `data` is given twice",
            "data: a state is a JSON object",
            "data: \"/a/b\" is there twice",
            "data: half of a surrogate pair at byte 6: no text has such a character",
            "ids: ids are a JSON object with 1 to 16 members",
            "ids: an id is a string or a number, \"a\" is not",
            "time: a time is written as RFC 3339, such as 2013-01-01T10:00:00Z",
            "time: it has to be a string",
            "source: it is empty",
            "1:13 trailing characters",
            "data: a state is a JSON object, and so is what it is patched with; an entity is taken away by DELETE",
            "data: a state is a JSON object, and so is what it is patched with; an entity is taken away by DELETE",
            "ids: the ids are patched by an object, or taken away by null",
            "1:9 unknown member `status`, there are `data`, `ids`, `time`, `source`: the state is what `data` has",
            "data: \"/a\" is there twice",
            "subject: an entity has a subject",
            "subject: a subject has 1 to 512 bytes, this one none",
            "data: an entity has a state, which is a JSON object",
        ]
        "#);
    }

    #[test]
    fn a_body_is_of_the_type_that_is_asked_for() {
        assert!(patch_content(Some("application/merge-patch+json")).is_ok());
        assert!(patch_content(Some("Application/JSON; charset=utf-8")).is_ok());
        assert!(patch_content(Some("application/json; charset=latin1")).is_err());
        assert!(patch_content(Some("text/plain")).is_err());
        assert!(patch_content(None).is_err());
        assert!(lines_content(Some("application/jsonl")).is_ok());
        assert!(lines_content(Some("application/json")).is_err());
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(body in any::<Vec<u8>>(), text in any::<String>()) {
            let (feed, subject) = planes();
            for body in [&body[..], text.as_bytes()] {
                drop(put(body, &feed, &subject));
                drop(patch(body, &feed, &subject));
                drop(line(body, &feed));
            }
        }
    }
}
