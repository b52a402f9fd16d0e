//! Which streams are listed, and which records are replayed.

use feedwire_core::{Filter, TypesIn};
use feedwire_dialects::validic::request::{
    By, Condition, Error, EventKind, Sort, content, fresh_stream, list, replay, stream,
};
use feedwire_event::{FeedName, Timestamp, TypeName};
use proptest::prelude::*;

fn now() -> Timestamp {
    "2026-10-22T23:59:59.5Z".parse().expect("a time")
}

fn ty(name: &str) -> TypeName {
    TypeName::new(name).expect("a name")
}

fn reason<T: std::fmt::Debug>(asked: Result<T, Error>) -> String {
    asked.expect_err("it is refused").to_string()
}

/// The filter of records of these types, empty for all, and of events of these kinds.
fn filter(types: &[&str], kinds: &[EventKind]) -> Filter {
    let types: Vec<TypeName> = types.iter().map(|name| ty(name)).collect();
    Filter {
        feeds: kinds.iter().map(|kind| kind.feed()).collect(),
        types_in: (!types.is_empty()).then(|| TypesIn {
            feed: FeedName::new("data").expect("a name"),
            types,
        }),
        ..Filter::default()
    }
}

#[test]
fn a_list_is_newest_first_where_nothing_else_is_said() {
    let asked = list("page=2&limit=3&unknown=%C3%A9&q=&sort=").expect("a list");
    assert_eq!(asked.conditions, []);
    let newest = Sort {
        by: By::CreatedAt,
        is_descending: true,
    };
    assert_eq!(asked.sort, [newest]);
    assert_eq!(newest.name(), "-created_at");
}

#[test]
fn a_list_is_of_what_its_conditions_and_orders_say() {
    let query = "sort%5B%5D=-name%2Ccreated_at&q=name%3Da%2Cb&q=name~C+D&sort=name";
    let asked = list(query).expect("a list");
    let conditions = [
        Condition::Is("a,b".to_owned()),
        Condition::Has("c d".to_owned()),
    ];
    assert_eq!(asked.conditions, conditions);
    let names: Vec<&str> = asked.sort.iter().map(|sort| sort.name()).collect();
    assert_eq!(names, ["name", "created_at"], "the first of each counts");
}

#[test]
fn a_list_of_something_else_is_refused() {
    let told = [
        "sort=age",
        "sort[]=created_at,up",
        "q=x",
        "q=id=7",
        "q=names=x",
        "q=%C3",
        &"q=name=x&".repeat(17),
    ]
    .map(|query| reason(list(query)));
    insta::assert_snapshot!(told.join("\n"), @"
    sort: it is one of created_at, -created_at, name, -name
    sort[]: it is one of created_at, -created_at, name, -name
    q: it is name=x for the stream of this name, or name~x for those with this in it
    q: it is name=x for the stream of this name, or name~x for those with this in it
    q: it is name=x for the stream of this name, or name~x for those with this in it
    q: it is not percent-encoded UTF-8
    q: at most 16 of them can be asked for
    ");
}

#[test]
fn what_the_clients_send_is_understood() {
    // The vendor's sample and its explorer.
    let query = "resources=measurement,summary,workout,sleep&date=2026-10-22";
    let asked = replay(query, now()).expect("a replay");
    assert_eq!(asked.from.to_text(), "2026-10-22T00:00:00Z");
    let kinds = [EventKind::Data, EventKind::Rule];
    let types = ["measurement", "summary", "workout", "sleep"];
    assert_eq!(asked.filter, filter(&types, &kinds));
    let asked = replay("date=2026-10-01", now()).expect("a replay");
    assert_eq!(asked.filter, filter(&[], &kinds));
}

#[test]
fn a_replay_goes_thirty_days_back_where_nothing_else_is_said() {
    for query in [
        "",
        "date=",
        "resources=&event_types=",
        "unknown=1&unknown=2",
    ] {
        let asked = replay(query, now()).expect("a replay");
        assert_eq!(asked.from.to_text(), "2026-09-22T00:00:00Z", "{query}");
        let kinds = [EventKind::Data, EventKind::Rule];
        assert_eq!(asked.filter, filter(&[], &kinds), "{query}");
    }
    assert!(replay("date=2026-09-22", now()).is_ok());
}

#[test]
fn a_replay_is_of_the_kinds_that_are_asked_for_but_connections() {
    let check = |query: &str, types: &[&str], kinds: &[EventKind]| {
        let asked = replay(query, now()).expect("a replay");
        assert_eq!(asked.filter, filter(types, kinds), "{query}");
    };
    let [data, _, rule] = EventKind::ALL;
    check("event_types=data", &[], &[data]);
    check("event_types=rule%2Cdata,connection", &[], &[rule, data]);
    check("event_types=rule&event_types=rule", &[], &[rule]);
    check(
        "resources=cgm&resources=a%2Ccgm,,b&event_types=data",
        &["cgm", "a", "b"],
        &[data],
    );
}

#[test]
fn a_replay_that_cannot_be_meant_is_refused() {
    let told = [
        "date=2026-10-23",
        "date=2026-09-21",
        "date=2026-02-30",
        "date=yesterday",
        "date=2026-10-22T00:00:00Z",
        "date=2026-10-22&date=2026-10-22",
        "event_types=data,poke",
        "event_types=connection",
        "resources=a%20b",
        "resources=_own",
        &format!("resources={}", "a,".repeat(1_001)),
        "%=1",
    ]
    .map(|query| reason(replay(query, now())));
    insta::assert_snapshot!(told.join("\n"), @"
    date: it is in the future; days are those of UTC
    date: it goes back to 2026-09-22 at most, which is 30 days
    date: it has to be a day such as 2013-01-31
    date: it has to be a day such as 2013-01-31
    date: it has to be a day such as 2013-01-31
    date: it is given more than once
    event_types: it is one of data, connection, rule
    event_types: connection events are told when they happen, and not replayed
    resources: a name is made of A-Z a-z 0-9 . _ -, not ' '
    resources: a name does not start with '_': names that do are the server's own
    resources: at most 1000 can be named
    %: it is not percent-encoded UTF-8
    ");
}

#[test]
fn a_stream_has_an_id_of_24_digits() {
    let id = fresh_stream(0x5983_7265_0b11_e700_0182_84ab_ffff_ffff);
    assert_eq!(id.as_str(), "598372650b11e700018284ab");
    assert_eq!(stream(id.as_str()), Some(id));
    assert_eq!(fresh_stream(1).as_str(), "0".repeat(24));
    assert_eq!(stream("a b"), None);
}

#[test]
fn bodies_are_json_unless_a_web_page_says_nothing_of_it() {
    let form = Some("application/x-www-form-urlencoded");
    let page = Some("https://example.com");
    assert_eq!(content(None, None, None), Ok(()));
    assert_eq!(content(Some("identity"), form, None), Ok(()));
    let json = Some("application/json; charset=utf-8");
    assert_eq!(content(None, json, page), Ok(()));
    assert_eq!(content(None, form, page), Err(Error::OfPage));
    assert_eq!(content(None, None, page), Err(Error::OfPage));
    let gzip = content(Some("gzip"), json, None);
    assert_eq!(gzip, Err(Error::ContentEncoding("gzip".into())));
}

proptest! {
    #[test]
    fn any_query_is_read_without_panic(
        text in any::<String>(), name in "q|sort|sort\\[\\]|date|resources|event_types", value in "[-=~,a-z0-9%]{0,16}",
    ) {
        for query in [text, format!("{name}={value}")] {
            drop(list(&query));
            drop(replay(&query, now()));
            drop(replay(&query, Timestamp::MIN));
            stream(&query);
        }
    }
}
