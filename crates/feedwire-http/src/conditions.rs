//! Conditional requests (RFC 9110, section 13): what a client has is not sent again, and what it has not seen is not replaced.

use feedwire_core::entities::Expected;
use feedwire_core::store::Check;
use feedwire_dialects::native::{answer, request};
use feedwire_dialects::{Refusal, entity_request};
use feedwire_event::{Cursor, Position};
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, ETAG, IF_MATCH, IF_NONE_MATCH};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde::Serialize;
use xxhash_rust::xxh3::xxh3_128;

use crate::answer::Answer;
use crate::body::Body;

/// The tag of an answer: a hash of what it says, so that it is right after a restart, an update or a restore too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tag {
    /// With its quotes.
    text: String,
    /// Whether answers of this tag may differ in what does not matter.
    is_weak: bool,
}

impl Tag {
    /// The tag of an answer that is `bytes`.
    pub(crate) fn strong(bytes: &[u8]) -> Self {
        let text = format!("\"{:032x}\"", xxh3_128(bytes));
        Self {
            text,
            is_weak: false,
        }
    }

    /// The tag of `answer` as JSON.
    pub(crate) fn of(answer: &impl Serialize) -> Self {
        Self::strong(&answer::json(answer))
    }

    /// The tag of an entity whose last change is at `position`.
    pub(crate) fn at(position: Position) -> Self {
        Self {
            text: format!("\"{position}\""),
            is_weak: false,
        }
    }

    /// The tag of every answer of which `bytes` are all that matters.
    pub(crate) fn weak(bytes: &[u8]) -> Self {
        Self {
            is_weak: true,
            ..Self::strong(bytes)
        }
    }

    /// As the header `ETag` bears it.
    pub(crate) fn header(&self) -> HeaderValue {
        let weak = if self.is_weak { "W/" } else { "" };
        HeaderValue::from_str(&format!("{weak}{}", self.text)).expect("digits in quotes are ASCII")
    }
}

/// The answers that a header names.
#[derive(Debug, PartialEq, Eq)]
enum Named {
    /// Any that there is.
    Any,
    These(Vec<Tag>),
}

impl Named {
    /// What `name` says, if it says anything.
    fn read(
        headers: &HeaderMap,
        name: &HeaderName,
        refused: Refusal,
    ) -> Result<Option<Self>, Refusal> {
        let lines: Vec<&str> = headers
            .get_all(name)
            .iter()
            // No tag of ours has other characters than these.
            .map(|value| value.to_str().unwrap_or("\u{fffd}"))
            .collect();
        let list = lines.join(",");
        if list.trim() == "*" {
            return Ok(Some(Self::Any));
        }
        let tags = tags(&list).ok_or(refused)?;
        Ok((!tags.is_empty()).then_some(Self::These(tags)))
    }

    fn has_strong(&self, present: &Tag) -> bool {
        match self {
            Self::Any => true,
            Self::These(tags) => !present.is_weak && tags.contains(present),
        }
    }

    fn has_weak(&self, present: &Tag) -> bool {
        match self {
            Self::Any => true,
            Self::These(tags) => tags.iter().any(|tag| tag.text == present.text),
        }
    }
}

/// The tags of a list; `None` where it is none.
fn tags(list: &str) -> Option<Vec<Tag>> {
    let mut tags = Vec::new();
    let mut rest = list.trim_start_matches([' ', '\t', ',']);
    while !rest.is_empty() {
        let (is_weak, quoted) = match rest.strip_prefix("W/") {
            Some(quoted) => (true, quoted),
            None => (false, rest),
        };
        let len = quoted.strip_prefix('"')?.find('"')? + 2;
        let (text, behind) = quoted.split_at(len);
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return None;
        }
        tags.push(Tag {
            text: text.to_owned(),
            is_weak,
        });
        let behind = behind.trim_start_matches([' ', '\t']);
        if !behind.is_empty() && !behind.starts_with(',') {
            return None;
        }
        rest = behind.trim_start_matches([' ', '\t', ',']);
    }
    Some(tags)
}

/// On what a request depends.
#[derive(Debug)]
pub(crate) struct Conditions {
    if_match: Option<Named>,
    if_none_match: Option<Named>,
}

impl Conditions {
    /// The conditions among `headers`. One that cannot be understood cannot be kept to.
    pub(crate) fn of(headers: &HeaderMap) -> Result<Self, Refusal> {
        let read = |name, written| Named::read(headers, &name, Refusal::NotEntityTags(written));
        let if_match = read(IF_MATCH, "If-Match")?;
        // One that names nothing was to name something: what its client has not seen would be replaced.
        if if_match.is_none() && headers.contains_key(IF_MATCH) {
            return Err(Refusal::NotEntityTags("If-Match"));
        }
        let if_none_match = read(IF_NONE_MATCH, "If-None-Match")?;
        Ok(Self {
            if_match,
            if_none_match,
        })
    }

    fn match_holds(&self, present: &Tag) -> bool {
        self.if_match
            .as_ref()
            .is_none_or(|named| named.has_strong(present))
    }

    fn none_match_holds(&self, present: &Tag) -> bool {
        !self
            .if_none_match
            .as_ref()
            .is_some_and(|named| named.has_weak(present))
    }

    /// `answer` with its tag `present`; without its body where the client has that.
    pub(crate) fn meet(&self, present: &Tag, mut answer: Answer) -> Result<Answer, Refusal> {
        if !self.match_holds(present) {
            return Err(Refusal::PreconditionFailed);
        }
        answer.headers_mut().insert(ETAG, present.header());
        if !self.none_match_holds(present) {
            *answer.status_mut() = StatusCode::NOT_MODIFIED;
            *answer.body_mut() = Body::empty();
            answer.headers_mut().remove(CONTENT_TYPE);
            answer.headers_mut().remove(CONTENT_LENGTH);
        }
        Ok(answer)
    }

    /// What has to be true of an entity, whose tag is the position of its last change, for it to be changed.
    pub(crate) fn expected(self) -> Result<Option<Expected>, request::Error> {
        let at = |tag: &Tag| {
            let text = tag.text.trim_matches('"');
            let cursor = (!tag.is_weak)
                .then(|| text.parse::<Cursor>().ok())
                .flatten();
            cursor.map(|Cursor(position)| position)
        };
        match (self.if_match, self.if_none_match) {
            (None, None) => Ok(None),
            (Some(Named::Any), None) => Ok(Some(Expected::Present)),
            // Another tag than that of a position is the tag of nothing.
            (Some(Named::These(tags)), None) => {
                Ok(Some(Expected::At(tags.iter().filter_map(at).collect())))
            }
            (None, Some(Named::Any)) => Ok(Some(Expected::Absent)),
            (None, Some(Named::These(_))) => Err(entity_request::not_any()),
            (Some(_), Some(_)) => Err(entity_request::two_conditions()),
        }
    }

    /// What has to be true of what is to be replaced, whose tag `tag` tells; `None` where it does not matter.
    pub(crate) fn check<T>(self, tag: impl FnOnce(&T) -> Tag + Send + 'static) -> Option<Check<T>> {
        if self.if_match.is_none() && self.if_none_match.is_none() {
            return None;
        }
        Some(Box::new(move |present| {
            let present = tag(present);
            self.match_holds(&present) && self.none_match_holds(&present)
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn conditions(lines: &[(HeaderName, &'static str)]) -> Result<Conditions, Refusal> {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(name, HeaderValue::from_static(value));
        }
        Conditions::of(&headers)
    }

    fn tag(text: &str, is_weak: bool) -> Tag {
        let text = text.to_owned();
        Tag { text, is_weak }
    }

    #[test]
    fn tags_are_compared_strongly_by_if_match_and_weakly_by_if_none_match() {
        let (strong, weak) = (tag("\"a\"", false), tag("\"a\"", true));
        for (value, strong_matches, weak_matches) in [
            ("\"a\"", true, true),
            ("W/\"a\"", false, true),
            ("\"b\", W/\"c\",\t\"a\"", true, true),
            (",,\"a\",", true, true),
            ("\"b\"", false, false),
            ("\"\"", false, false),
            ("\"a,\"", false, false),
            (" * ", true, true),
        ] {
            let one = conditions(&[(IF_MATCH, value)]).expect("tags");
            assert_eq!(one.match_holds(&strong), strong_matches, "{value}");
            assert_eq!(one.match_holds(&weak), value == " * ", "{value}");
            let one = conditions(&[(IF_NONE_MATCH, value)]).expect("tags");
            assert_eq!(one.none_match_holds(&strong), !weak_matches, "{value}");
            assert_eq!(one.none_match_holds(&weak), !weak_matches, "{value}");
        }
    }

    #[test]
    fn a_list_may_come_in_more_than_one_line_and_names_nothing_in_if_none_match_alone() {
        let lines = [(IF_MATCH, "\"b\""), (IF_MATCH, ""), (IF_MATCH, "\"a\"")];
        let two = conditions(&lines).expect("tags");
        assert!(two.match_holds(&tag("\"a\"", false)));
        let none = conditions(&[(IF_NONE_MATCH, " ,")]).expect("no tags");
        assert!(none.check(|(): &()| tag("\"a\"", false)).is_none());
        for value in ["", " ,"] {
            let refused = conditions(&[(IF_MATCH, value)]);
            assert_eq!(refused.err(), Some(Refusal::NotEntityTags("If-Match")));
        }
    }

    #[test]
    fn what_is_no_list_of_tags_is_refused() {
        for value in [
            "a",
            "\"a",
            "a\"",
            "\"a\" \"b\"",
            "w/\"a\"",
            "W/ \"a\"",
            "\"a b\"",
            "*, \"a\"",
        ] {
            let refused = conditions(&[(IF_NONE_MATCH, value)]);
            let reason = Refusal::NotEntityTags("If-None-Match");
            assert_eq!(refused.err(), Some(reason), "{value}");
        }
    }

    #[test]
    fn a_tag_is_what_the_answer_says_and_nothing_else() {
        let one = Tag::strong(b"{}");
        assert_eq!(one, Tag::strong(b"{}"));
        assert_ne!(one, Tag::strong(b"{ }"));
        assert_eq!(one.header().len(), 34);
        assert!(Tag::weak(b"{}").header().as_bytes().starts_with(b"W/\""));
    }
}
