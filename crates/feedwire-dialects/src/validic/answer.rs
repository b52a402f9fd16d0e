//! What Validic answers beside events: streams.

use std::cmp::Ordering;

use feedwire_core::Filter;
use feedwire_event::{Timestamp, TypeName};
use serde::Serialize;

use super::event::millis;
use super::request::{By, EventKind, List, Sort};
use crate::Day;
use crate::ascii::json;

/// A stream that is told.
#[derive(Clone, Copy, Debug)]
pub struct Told<'a> {
    /// Its id.
    pub id: &'a str,
    /// What it is called.
    pub name: &'a str,
    /// The day from which on it is of what was recorded.
    pub start_date: Option<Day>,
    /// The types of records that it is of; `None` is told as null.
    pub resource_filter: Option<&'a [TypeName]>,
    /// The kinds of events that it is of; `None` is told as null.
    pub event_type_filter: Option<&'a [EventKind]>,
    /// How many members it has.
    pub members: usize,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was changed last.
    pub updated_at: Timestamp,
    /// When it was deleted, where it was.
    pub deleted_at: Option<Timestamp>,
}

#[derive(Serialize)]
struct Stream<'a> {
    id: &'a str,
    group: String,
    name: &'a str,
    start_date: Option<String>,
    resource_filter: Option<Vec<&'a str>>,
    event_type_filter: Option<Vec<&'a str>>,
    members: usize,
    created_at: String,
    updated_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    deleted_at: Option<String>,
}

impl<'a> From<&Told<'a>> for Stream<'a> {
    fn from(told: &Told<'a>) -> Self {
        let resources = told.resource_filter;
        let kinds = told.event_type_filter;
        Self {
            id: told.id,
            group: format!("stream_{}", told.id),
            name: told.name,
            start_date: told.start_date.map(|day| day.to_string()),
            resource_filter: resources.map(|all| all.iter().map(TypeName::as_str).collect()),
            event_type_filter: kinds.map(|all| all.iter().map(|kind| kind.name()).collect()),
            members: told.members,
            created_at: millis(told.created_at),
            updated_at: millis(told.updated_at),
            deleted_at: told.deleted_at.map(millis),
        }
    }
}

/// The body for one stream, as one line of ASCII.
pub fn stream(told: &Told<'_>) -> Vec<u8> {
    json(&Stream::from(told))
}

/// The body for those of `streams` that `asked` asks for, in its order, as one line of ASCII.
pub fn streams(asked: &List, streams: &[Told<'_>]) -> Vec<u8> {
    #[derive(Serialize)]
    struct Meta {
        total: usize,
        sort: Vec<&'static str>,
    }
    #[derive(Serialize)]
    struct Answer<'a> {
        meta: Meta,
        streams: Vec<Stream<'a>>,
    }
    let listed = listed(asked, streams);
    json(&Answer {
        meta: Meta {
            total: listed.len(),
            sort: asked.sort.iter().map(|sort| sort.name()).collect(),
        },
        streams: listed.into_iter().map(Stream::from).collect(),
    })
}

/// Those of `streams` that `asked` asks for, in its order.
fn listed<'s, 'a>(asked: &List, streams: &'s [Told<'a>]) -> Vec<&'s Told<'a>> {
    let wanted = |told: &&Told<'_>| asked.conditions.iter().all(|asked| asked.holds(told.name));
    let mut listed: Vec<_> = streams.iter().filter(wanted).collect();
    listed.sort_by(|a, b| {
        let orders = asked.sort.iter().map(|sort| order(*sort, a, b));
        // Those that are alike in all of it stand by their ids, so that two lists are the same.
        orders
            .fold(Ordering::Equal, Ordering::then)
            .then_with(|| a.id.cmp(b.id))
    });
    listed
}

fn order(sort: Sort, a: &Told<'_>, b: &Told<'_>) -> Ordering {
    sort.turned(match sort.by {
        By::CreatedAt => a.created_at.cmp(&b.created_at),
        By::Name => a.name.cmp(b.name),
    })
}

/// The filters of a stream that lets through what `filter` does: types of records, and kinds of events. Either is empty where it lets
/// everything through.
pub fn filters_of(filter: &Filter) -> (Vec<TypeName>, Vec<EventKind>) {
    let types_in = filter.types_in.as_ref();
    let resources = types_in.map(|types_in| types_in.types.clone());
    let kinds = filter.feeds.iter().map(|feed| EventKind::of(feed.as_str()));
    let kinds: Vec<_> = kinds.flatten().collect();
    let is_of_all = EventKind::ALL.iter().all(|kind| kinds.contains(kind));
    let kinds = if is_of_all { Vec::new() } else { kinds };
    (resources.unwrap_or_default(), kinds)
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::super::request;
    use super::*;

    fn told(answer: Vec<u8>) -> String {
        assert!(answer.iter().all(|byte| matches!(byte, b' '..=b'~')));
        String::from_utf8(answer).expect("ASCII")
    }

    fn made<'a>(id: &'a str, name: &'a str, second: i64) -> Told<'a> {
        let at = Timestamp::from_micros(second * 1_000_000);
        Told {
            id,
            name,
            start_date: None,
            resource_filter: None,
            event_type_filter: None,
            members: 0,
            created_at: at,
            updated_at: at,
            deleted_at: None,
        }
    }

    fn names(names: &[&str]) -> Vec<TypeName> {
        let names = names.iter();
        names
            .map(|name| TypeName::new(name).expect("a name"))
            .collect()
    }

    #[test]
    fn a_stream_has_the_members_of_the_vendor() {
        let bare = made(
            "598372650b11e700018284ab",
            "M\u{fc}ller\u{2028}\"",
            1_501_870_654,
        );
        assert_snapshot!(told(stream(&bare)), @r#"{"id":"598372650b11e700018284ab","group":"stream_598372650b11e700018284ab","name":"M\u00fcller\u2028\"","start_date":null,"resource_filter":null,"event_type_filter":null,"members":0,"created_at":"2017-08-04T18:17:34.000Z","updated_at":"2017-08-04T18:17:34.000Z"}"#);
        let types = names(&["summary", "cgm"]);
        let kinds = [EventKind::Data, EventKind::Connection];
        let whole = Told {
            start_date: Day::parse("2017-07-25"),
            resource_filter: Some(&types),
            event_type_filter: Some(&kinds),
            members: 2,
            updated_at: Timestamp::from_micros(1_501_870_700_123_456),
            deleted_at: Some(Timestamp::from_micros(1_501_870_800_000_000)),
            ..bare
        };
        assert_snapshot!(told(stream(&whole)), @r#"{"id":"598372650b11e700018284ab","group":"stream_598372650b11e700018284ab","name":"M\u00fcller\u2028\"","start_date":"2017-07-25","resource_filter":["summary","cgm"],"event_type_filter":["data","connection"],"members":2,"created_at":"2017-08-04T18:17:34.000Z","updated_at":"2017-08-04T18:18:20.123Z","deleted_at":"2017-08-04T18:20:00.000Z"}"#);
        let empty = Told {
            resource_filter: Some(&[]),
            event_type_filter: Some(&[]),
            ..bare
        };
        assert_snapshot!(told(stream(&empty)), @r#"{"id":"598372650b11e700018284ab","group":"stream_598372650b11e700018284ab","name":"M\u00fcller\u2028\"","start_date":null,"resource_filter":[],"event_type_filter":[],"members":0,"created_at":"2017-08-04T18:17:34.000Z","updated_at":"2017-08-04T18:17:34.000Z"}"#);
    }

    #[test]
    fn a_list_has_what_was_asked_for_in_the_order_that_was() {
        let all = [
            made("c", "beta", 2),
            made("a", "Alpha", 1),
            made("b", "alphabet", 3),
            made("d", "beta", 1),
        ];
        let check = |query: &str, ids: &[&str]| {
            let asked = request::list(query).expect("a list");
            let listed = listed(&asked, &all).into_iter().map(|told| told.id);
            assert_eq!(listed.collect::<Vec<_>>(), ids, "{query}");
        };
        check("", &["b", "c", "a", "d"]);
        check("sort=created_at", &["a", "d", "c", "b"]);
        check("sort=name", &["a", "b", "c", "d"]);
        check("sort=name,-created_at", &["a", "b", "c", "d"]);
        check("sort=name&sort[]=created_at", &["a", "b", "d", "c"]);
        check("sort=-name&sort=name", &["c", "d", "b", "a"]);
        check("q=name=beta", &["c", "d"]);
        check("q=name%3DBeta", &[]);
        check("q=name~ALPHA&sort=name", &["a", "b"]);
        check("q=name~alpha&q=name~bet", &["b"]);
        check("q=name~", &["b", "c", "a", "d"]);
        let asked = request::list("q=name=Alpha&sort=name&sort=-created_at").expect("a list");
        assert_snapshot!(told(streams(&asked, &all)), @r#"{"meta":{"total":1,"sort":["name","-created_at"]},"streams":[{"id":"a","group":"stream_a","name":"Alpha","start_date":null,"resource_filter":null,"event_type_filter":null,"members":0,"created_at":"1970-01-01T00:00:01.000Z","updated_at":"1970-01-01T00:00:01.000Z"}]}"#);
        let none = request::list("").expect("a list");
        assert_snapshot!(told(streams(&none, &[])), @r#"{"meta":{"total":0,"sort":["-created_at"]},"streams":[]}"#);
    }

    #[test]
    fn filters_are_told_from_what_is_let_through() {
        let check = |resources: &[&str], kinds: &[EventKind], told: (&[&str], &[EventKind])| {
            let filter = request::filter(names(resources), kinds.to_vec());
            let (resources, kinds) = filters_of(&filter);
            assert_eq!((resources, &kinds[..]), (names(told.0), told.1));
        };
        let [data, connection, rule] = EventKind::ALL;
        check(&[], &[], (&[], &[]));
        check(
            &["b", "a", "b"],
            &[rule, data, rule],
            (&["b", "a"], &[rule, data]),
        );
        check(&["a"], &[connection], (&["a"], &[connection]));
        check(&[], &[rule, connection, data], (&[], &[]));
    }
}
