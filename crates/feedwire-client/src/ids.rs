//! Ids for events that have none, so that an event that is sent twice is recognised and published once.

use std::fmt;
use std::ops::Range;

use bytes::Bytes;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;
use uuid::Uuid;

/// How long the member with an id is: a UUID, the name and what parts them.
const MEMBER_BYTES: usize = 44;

/// An id that no other event has, for [`NewEvent::id`](crate::NewEvent::id).
///
/// Publishing gives every event an id that has none, and tries again with the same one. A program that wants to publish
/// an event again later, after it gave up or was started anew, gives it the id itself and keeps it with the event.
pub fn new_id() -> String {
    Uuid::now_v7().to_string()
}

/// `lines`, newline delimited JSON, with an id for every event that has none. Lines that hold no event stay as they are,
/// for the server to say what is wrong with them; no line moves.
///
/// [`Publish::lines`](crate::Publish::lines) does this by itself; it is for those who want to send the same lines again.
#[must_use]
pub fn with_ids(lines: impl Into<Bytes>) -> Bytes {
    let text = lines.into();
    let mut gaps = Vec::new();
    let mut start = 0;
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        if let Some(gap) = gap_of(line) {
            gaps.push(gap.behind(start));
        }
        start += line.len();
    }
    filled(text, gaps)
}

/// `text`, an event or an array of them, with an id for every event that has none; as it is where it is neither.
pub(crate) fn in_document(text: Bytes) -> Bytes {
    let gaps = if text.trim_ascii_start().starts_with(b"[") {
        serde_json::from_slice::<Vec<&RawValue>>(&text).map_or_else(
            |_| Vec::new(),
            |events| {
                let start = |event: &RawValue| event.get().as_ptr().addr() - text.as_ptr().addr();
                let gap =
                    |event: &&RawValue| Some(gap_of(event.get().as_bytes())?.behind(start(event)));
                events.iter().filter_map(gap).collect()
            },
        )
    } else {
        gap_of(&text).into_iter().collect()
    };
    filled(text, gaps)
}

/// Where an id belongs in an event that has none.
#[derive(Debug)]
struct Gap {
    /// What it takes the place of: a `null`, or nothing in front of the closing brace, where what is said of a column in
    /// front of it stays true.
    place: Range<usize>,
    form: Form,
}

#[derive(Clone, Copy, Debug)]
enum Form {
    Value,
    Only,
    Last,
}

impl Gap {
    fn behind(self, start: usize) -> Self {
        let place = self.place.start + start..self.place.end + start;
        Self { place, ..self }
    }

    fn write(&self, out: &mut Vec<u8>) {
        let id = new_id();
        let member = match self.form {
            Form::Value => format!("\"{id}\""),
            Form::Only => format!("\"id\":\"{id}\""),
            Form::Last => format!(",\"id\":\"{id}\""),
        };
        out.extend_from_slice(member.as_bytes());
    }
}

/// Where an id belongs in `text`; `None` where it has one, or is no event.
fn gap_of(text: &[u8]) -> Option<Gap> {
    let event = serde_json::from_slice::<Members<'_>>(text).ok()?;
    match event.id {
        Some(id) if id.get() == "null" => {
            let start = id.get().as_ptr().addr() - text.as_ptr().addr();
            Some(Gap {
                place: start..start + id.get().len(),
                form: Form::Value,
            })
        }
        Some(_) => None,
        None => {
            let brace = text.trim_ascii_end().len() - 1;
            Some(Gap {
                place: brace..brace,
                form: if event.is_empty {
                    Form::Only
                } else {
                    Form::Last
                },
            })
        }
    }
}

fn filled(text: Bytes, gaps: Vec<Gap>) -> Bytes {
    if gaps.is_empty() {
        return text;
    }
    let mut out = Vec::with_capacity(text.len() + gaps.len() * MEMBER_BYTES);
    let mut taken = 0;
    for gap in gaps {
        out.extend_from_slice(&text[taken..gap.place.start]);
        gap.write(&mut out);
        taken = gap.place.end;
    }
    out.extend_from_slice(&text[taken..]);
    out.into()
}

/// What is looked at of an event: the server reads the rest.
struct Members<'de> {
    id: Option<&'de RawValue>,
    is_empty: bool,
}

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read;

        impl<'de> Visitor<'de> for Read {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an event, which is an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let (mut id, mut is_empty) = (None, true);
                while let Some(IsId(is_id)) = map.next_key()? {
                    is_empty = false;
                    if is_id {
                        id = Some(map.next_value::<&RawValue>()?);
                    } else {
                        map.next_value::<IgnoredAny>()?;
                    }
                }
                Ok(Members { id, is_empty })
            }
        }

        deserializer.deserialize_map(Read)
    }
}

/// Whether the name of a member is `id`, however it is escaped.
struct IsId(bool);

impl<'de> Deserialize<'de> for IsId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Name;

        impl Visitor<'_> for Name {
            type Value = IsId;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the name of a member")
            }

            fn visit_str<E>(self, name: &str) -> Result<IsId, E> {
                Ok(IsId(name == "id"))
            }
        }

        deserializer.deserialize_str(Name)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    /// `text` with each id that is a UUID shown as `?`.
    fn shown(text: &Bytes) -> String {
        let text = std::str::from_utf8(text).expect("it was a text");
        let parts = text.split('"');
        let hidden = |part| Uuid::parse_str(part).map_or(part, |_| "?");
        parts.map(hidden).collect::<Vec<_>>().join("\"")
    }

    #[test]
    fn an_event_without_an_id_is_given_one_in_its_place() {
        let check = |text: &'static str, with: &str| {
            assert_eq!(shown(&in_document(text.into())), with, "{text}");
        };
        check(r#"{"type":"t"}"#, r#"{"type":"t","id":"?"}"#);
        check(
            " { \"type\":\"t\" }\n",
            " { \"type\":\"t\" ,\"id\":\"?\"}\n",
        );
        check("{}", r#"{"id":"?"}"#);
        check(r#"{"id": null ,"type":"t"}"#, r#"{"id": "?" ,"type":"t"}"#);
        check(
            r#" [{"type":"a"}, {"id":"7"},{"id":null}] "#,
            r#" [{"type":"a","id":"?"}, {"id":"7"},{"id":"?"}] "#,
        );
        check("[]", "[]");
    }

    #[test]
    fn what_has_an_id_or_is_no_event_stays_as_it_is() {
        for text in [
            r#"{"id":"7","type":"t"}"#,
            r#"{"i\u0064":"7"}"#,
            r#"{"id":"","type":"t"}"#,
            r#"{"type":"t""#,
            r#"{"type":"t"} x"#,
            r#"["t",7]"#,
            r#"[{"type":"t"}"#,
            "7",
            "",
        ] {
            assert_eq!(in_document(text.into()), text);
            assert_eq!(with_ids(text), text);
        }
        assert_eq!(with_ids(&b"{\"\xff\":1}\n"[..]), &b"{\"\xff\":1}\n"[..]);
    }

    #[test]
    fn every_line_is_given_an_id_of_its_own_and_stays_a_line() {
        let lines = "{\"type\":\"a\"}\r\n\n{\"type\":\n{\"id\":\"7\"}\n{\"type\":\"b\"}";
        let text = with_ids(lines);
        assert_eq!(
            shown(&text),
            "{\"type\":\"a\",\"id\":\"?\"}\r\n\n{\"type\":\n{\"id\":\"7\"}\n{\"type\":\"b\",\"id\":\"?\"}"
        );
        // Sent again, they are the same events.
        assert_eq!(with_ids(text.clone()), text);
        assert_ne!(with_ids(lines), text);
    }

    proptest! {
        #[test]
        fn nothing_but_the_id_is_added(members in prop::collection::btree_map("[a-z\"\\\\é]{0,3}", "\\PC{0,6}", 0..5)) {
            let text = serde_json::to_vec(&members).expect("JSON");
            let with = in_document(text.into());
            let mut event: serde_json::Map<String, Value> = serde_json::from_slice(&with).expect("JSON");
            let id = event.remove("id").expect("it was given one");
            let own = members.get("id").map(String::as_str);
            let id = id.as_str().expect("a text");
            prop_assert!(own.map_or_else(|| Uuid::parse_str(id).is_ok(), |own| id == own));
            let others = members.into_iter().filter(|(name, _)| name != "id");
            let others: serde_json::Map<_, _> = others.map(|(name, text)| (name, text.into())).collect();
            prop_assert_eq!(event, others);
        }
    }
}
