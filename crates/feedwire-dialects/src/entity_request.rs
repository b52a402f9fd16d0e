//! What is asked about entities: a part of a list.

use feedwire_api::ALL_FEEDS;
use feedwire_core::Filter;
use feedwire_core::entities::{EntityKey, Part};
use feedwire_engine::Limit;
use feedwire_event::{FeedName, Subject};

use crate::native::request::{self, Error, PAGE_BYTES_MAX, PAGE_EVENTS, PAGE_EVENTS_MAX};
use crate::query::Query;

/// A part of a list that is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct List {
    /// Which entities.
    pub filter: Filter,
    /// Where it begins, and how much it has.
    pub part: Part,
    /// Whether where to go on names the feed too: it is of more than one.
    pub names_feed: bool,
}

/// The part of the list of the entities of `feed`, as the path names it, that `query` asks for.
pub fn list(feed: &str, query: &str) -> Result<List, Error> {
    let mut query = Query::new(query)?;
    let names_feed = feed == ALL_FEEDS;
    let after = query.one("after")?;
    let after = after.map(|text| key(&text, feed, names_feed)).transpose()?;
    let limit = query.number("limit", 1..=PAGE_EVENTS_MAX as u64)?;
    query.refuse("types", "entities have no types; events have")?;
    let filter = request::filter(feed, &mut query)?;
    query.finish()?;
    let limit = Limit {
        records: limit
            .and_then(|limit| usize::try_from(limit).ok())
            .unwrap_or(PAGE_EVENTS),
        bytes: PAGE_BYTES_MAX,
    };
    let part = Part { after, limit };
    Ok(List {
        filter,
        part,
        names_feed,
    })
}

/// The entity that `text` names: by its subject, and by its feed before a slash where there is more than one.
fn key(text: &str, feed: &str, names_feed: bool) -> Result<EntityKey, Error> {
    let (feed, subject) = if names_feed {
        let refused = || Error::parameter("after", "at _all it names an entity as feed/subject");
        text.split_once('/').ok_or_else(refused)?
    } else {
        (feed, text)
    };
    let feed = FeedName::new(feed).map_err(|error| Error::parameter("after", &error))?;
    let subject = Subject::new(subject).map_err(|error| Error::parameter("after", &error))?;
    Ok(EntityKey { feed, subject })
}

/// A change depends on whether there is one of some tags.
pub fn not_any() -> Error {
    let reason =
        "a change is made only where there is nothing, by `*`; by tags it is made with If-Match";
    Error::parameter("If-None-Match", reason)
}

/// A change depends on two conditions.
pub fn two_conditions() -> Error {
    let reason = "a change is made on one condition, If-Match or If-None-Match, not on both";
    Error::parameter("If-None-Match", reason)
}

/// A condition, in `header`, came with many entities.
pub fn condition_of_many(header: &str) -> Error {
    let reason = "a body of lines has no condition, for it is of more than one entity";
    Error::parameter(header, reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(feed: &str, query: &str) -> String {
        list(feed, query).map_or_else(
            |error| error.to_string(),
            |list| format!("{:?} {}", list.part.after, list.part.limit.records),
        )
    }

    #[test]
    fn a_list_goes_on_behind_an_entity() {
        assert_eq!(told("planes", ""), "None 100");
        let at_one = told("planes", "after=N1%2FN2&limit=1000&labels=a&subjects=N3");
        assert_eq!(at_one, "Some(planes/N1/N2) 1000");
        let at_all = told("_all", "after=planes%2FN1%2FN2&feeds=planes,gates");
        assert_eq!(at_all, "Some(planes/N1/N2) 100");
    }

    #[test]
    fn what_cannot_be_meant_is_named_with_its_reason() {
        for (feed, query, name) in [
            ("_all", "after=N1", "after"),
            ("_all", "after=a%20b%2FN1", "after"),
            ("planes", "after=", "after"),
            ("planes", "limit=1001", "limit"),
            ("planes", "types=load", "types"),
            ("planes", "feeds=gates", "feeds"),
            ("pla nes", "", "feed"),
            ("planes", "from=start", "from"),
        ] {
            let told = told(feed, query);
            assert!(told.starts_with(&format!("{name}: ")), "{query}: {told}");
        }
    }
}
