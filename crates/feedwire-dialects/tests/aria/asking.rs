//! Where a feed begins, and what is refused.

use feedwire_core::{EntityFeed, Reading, Start};
use feedwire_dialects::Zone;
use feedwire_dialects::aria::request::{Error, Parts, reading};
use feedwire_event::{Cursor, Position, Timestamp};
use insta::{assert_debug_snapshot, assert_snapshot};
use jiff::tz::TimeZoneDatabase;
use proptest::prelude::*;

fn now() -> Timestamp {
    "2026-10-22T23:59:59.5Z".parse().expect("a time")
}

fn berlin() -> Zone {
    let zone = TimeZoneDatabase::bundled().get("Europe/Berlin");
    Zone::new(zone.expect("a zone"))
}

fn asked(feed: EntityFeed, query: &str, header: Option<&str>) -> Result<Reading, Error> {
    let parts = Parts {
        query,
        last_event_id: header,
    };
    reading(feed, parts, &berlin(), now())
}

/// Where the change feed begins.
fn start(query: &str, header: Option<&str>) -> Start {
    let asked = asked(EntityFeed::Change, query, header);
    asked
        .unwrap_or_else(|error| panic!("{query}: {error}"))
        .start
}

fn after(position: u64) -> Start {
    Start::After(Cursor(Position::new(position).expect("a position")))
}

fn at(time: &str) -> Start {
    Start::At(time.parse().expect("a time"))
}

#[test]
fn a_feed_is_live_where_nothing_is_said_and_of_entities_alone() {
    let change = asked(EntityFeed::Change, "", None).expect("a reading");
    let load = asked(EntityFeed::Load, "", None).expect("a reading");
    let parts = [&change, &load].map(|reading| {
        let filter = &reading.filter;
        (
            &filter.entity_feed,
            &filter.types,
            &filter.feeds,
            reading.start,
        )
    });
    assert_debug_snapshot!(parts, @r#"
    [
        (
            Some(
                Change,
            ),
            [
                "create",
                "update",
                "delete",
            ],
            [],
            Now,
        ),
        (
            Some(
                Load,
            ),
            [
                "load",
            ],
            [],
            Now,
        ),
    ]
    "#);
    assert_eq!((change.until, load.until), (None, None));
    for query in ["last_id=&lastEventId=&from=", "unknown=1&unknown=%C3", "&&"] {
        assert_eq!(start(query, Some("")), Start::Now, "{query}");
    }
}

#[test]
fn the_id_of_the_header_wins_over_that_of_the_query_and_both_over_a_time() {
    for (query, header, expected) in [
        ("", Some("C7"), after(7)),
        ("last_id=C5", Some("C7"), after(7)),
        ("lastEventId=C5&from=5hours", Some("C7"), after(7)),
        ("from=5hours", Some("C7"), after(7)),
        ("from=2019-01-15T14:30:45.4321-05:00", Some("C7"), after(7)),
        ("last_id=C5", None, after(5)),
        ("lastEventId=C5", None, after(5)),
        ("last_id=C5&lastEventId=C5", None, after(5)),
        ("last_id=&lastEventId=C5", None, after(5)),
        ("from=5hours&last_id=C5", Some(""), after(5)),
        ("lastEventId=C5&from=1day", None, after(5)),
        ("from=5hours", None, at("2026-10-22T18:59:59.5Z")),
        (
            "from=5hours&last_id=",
            Some(""),
            at("2026-10-22T18:59:59.5Z"),
        ),
        ("last_id=C0", None, after(0)),
        ("last_id=C9007199254740991", None, after((1 << 53) - 1)),
    ] {
        assert_eq!(start(query, header), expected, "{query} {header:?}");
    }
}

#[test]
fn a_time_is_a_date_time_or_so_long_ago() {
    for (from, time) in [
        // The vendor's own two.
        (
            "2019-01-15T14:30:45.4321-05:00",
            "2019-01-15T19:30:45.4321Z",
        ),
        ("5hours", "2026-10-22T18:59:59.5Z"),
        ("1hour", "2026-10-22T22:59:59.5Z"),
        ("90minutes", "2026-10-22T22:29:59.5Z"),
        ("1minute", "2026-10-22T23:58:59.5Z"),
        ("30seconds", "2026-10-22T23:59:29.5Z"),
        ("2days", "2026-10-20T23:59:59.5Z"),
        ("1day", "2026-10-21T23:59:59.5Z"),
        ("1week", "2026-10-15T23:59:59.5Z"),
        ("5%20hours", "2026-10-22T18:59:59.5Z"),
        ("5+hours", "2026-10-22T18:59:59.5Z"),
        ("1day+12h", "2026-10-21T11:59:59.5Z"),
        ("PT5H", "2026-10-22T18:59:59.5Z"),
        ("5h30m", "2026-10-22T18:29:59.5Z"),
        ("0s", "2026-10-22T23:59:59.5Z"),
        ("2026-10-22T12:00:00Z", "2026-10-22T12:00:00Z"),
        // A plus sign that was encoded, and one that became a space.
        ("2026-10-22T12:00:00%2B02:00", "2026-10-22T10:00:00Z"),
        (
            "2026-10-22T12:00:00.4321+02:00",
            "2026-10-22T10:00:00.4321Z",
        ),
        ("2026-10-22T12:00:00%2002:00", "2026-10-22T10:00:00Z"),
        ("2026-10-22+12:00:00+02:00", "2026-10-22T10:00:00Z"),
        ("2026-10-22+12:00:00-02:00", "2026-10-22T14:00:00Z"),
        ("2026-10-22t12%3A00%3A00z", "2026-10-22T12:00:00Z"),
        // Without an offset, as a clock in Berlin shows it.
        ("2026-10-22T12:00:00", "2026-10-22T10:00:00Z"),
        ("2026-12-22T12:00:00.4321", "2026-12-22T11:00:00.4321Z"),
        ("2026-10-22+12:00:00", "2026-10-22T10:00:00Z"),
        // What it shows twice, and never.
        ("2026-10-25T02:30:00", "2026-10-25T00:30:00Z"),
        ("2026-03-29T02:30:00", "2026-03-29T00:30:00Z"),
        // Before everything, and not yet.
        ("0000-01-01T00:00:00Z", "0000-01-01T00:00:00Z"),
        ("9999-12-31T23:59:59Z", "9999-12-31T23:59:59Z"),
        ("99999days", "1753-01-07T23:59:59.5Z"),
    ] {
        assert_eq!(start(&format!("from={from}"), None), at(time), "{from}");
    }
}

#[test]
fn what_cannot_be_meant_is_named_with_what_would_be_right() {
    let refused = |feed: EntityFeed, query: &str, header: Option<&str>| {
        let error = asked(feed, query, header).expect_err("it is refused");
        format!("{query} -> {error}")
    };
    let long = format!("from={}", "9".repeat(400));
    let mut told = Vec::new();
    for query in [
        "from=yesterday",
        "from=1month",
        "from=-5hours",
        "from=5",
        "from=2019-01-15",
        "from=2019-02-30T00:00:00Z",
        "from=2019-01-15T14:30:45-05",
        "from=%C3",
        "from=1h&from=1h",
        "last_id=x",
        "last_id=7",
        "last_id=C",
        "last_id=C07",
        "last_id=C-7",
        "last_id=C+7",
        "last_id=c7",
        "last_id=C9007199254740992",
        "last_id=C%D9%A7",
        "lastEventId=L7",
        "last_id=C1&lastEventId=C2",
        "last_id=C1&last_id=C1",
        "%=1",
        &long,
    ] {
        told.push(refused(EntityFeed::Change, query, None));
    }
    // What has no say is looked at as well: what is refused later would end a client that had begun.
    told.push(refused(EntityFeed::Change, "from=soon", Some("C7")));
    told.push(refused(EntityFeed::Change, "last_id=x", Some("C7")));
    told.push(refused(EntityFeed::Change, "", Some("L7")));
    told.push(refused(EntityFeed::Load, "", Some("C7")));
    told.push(refused(EntityFeed::Load, "", Some("\u{fffd}")));
    let told = told.join("\n").replace(&long, "from=9…");
    assert_snapshot!(told, @"
    from=yesterday -> from: it has to be a date-time such as 2019-01-15T14:30:45.4321-05:00, or a span back from now such as 5hours, 30minutes or 1day
    from=1month -> from: it has to be a date-time such as 2019-01-15T14:30:45.4321-05:00, or a span back from now such as 5hours, 30minutes or 1day
    from=-5hours -> from: it has to be a date-time such as 2019-01-15T14:30:45.4321-05:00, or a span back from now such as 5hours, 30minutes or 1day
    from=5 -> from: it has to be a date-time such as 2019-01-15T14:30:45.4321-05:00, or a span back from now such as 5hours, 30minutes or 1day
    from=2019-01-15 -> from: it has to be a date-time such as 2019-01-15T14:30:45.4321-05:00, or a span back from now such as 5hours, 30minutes or 1day
    from=2019-02-30T00:00:00Z -> from: it has to be a date-time such as 2019-01-15T14:30:45.4321-05:00, or a span back from now such as 5hours, 30minutes or 1day
    from=2019-01-15T14:30:45-05 -> from: it has to be a date-time such as 2019-01-15T14:30:45.4321-05:00, or a span back from now such as 5hours, 30minutes or 1day
    from=%C3 -> from: it is not percent-encoded UTF-8
    from=1h&from=1h -> from: it is given more than once
    last_id=x -> last_id: it has to be the id of an event of this feed as it was sent, such as C1234
    last_id=7 -> last_id: it has to be the id of an event of this feed as it was sent, such as C1234
    last_id=C -> last_id: it has to be the id of an event of this feed as it was sent, such as C1234
    last_id=C07 -> last_id: it has to be the id of an event of this feed as it was sent, such as C1234
    last_id=C-7 -> last_id: it has to be the id of an event of this feed as it was sent, such as C1234
    last_id=C+7 -> last_id: it has to be the id of an event of this feed as it was sent, such as C1234
    last_id=c7 -> last_id: it has to be the id of an event of this feed as it was sent, such as C1234
    last_id=C9007199254740992 -> last_id: it has to be the id of an event of this feed as it was sent, such as C1234
    last_id=C%D9%A7 -> last_id: it has to be the id of an event of this feed as it was sent, such as C1234
    lastEventId=L7 -> lastEventId: it is an id of the other feed: those of this one begin with C, not L
    last_id=C1&lastEventId=C2 -> lastEventId: it is another than that of last_id
    last_id=C1&last_id=C1 -> last_id: it is given more than once
    %=1 -> %: it is not percent-encoded UTF-8
    from=9… -> from: it has to be a date-time such as 2019-01-15T14:30:45.4321-05:00, or a span back from now such as 5hours, 30minutes or 1day
    from=soon -> from: it has to be a date-time such as 2019-01-15T14:30:45.4321-05:00, or a span back from now such as 5hours, 30minutes or 1day
    last_id=x -> last_id: it has to be the id of an event of this feed as it was sent, such as C1234
     -> Last-Event-ID: it is an id of the other feed: those of this one begin with C, not L
     -> Last-Event-ID: it is an id of the other feed: those of this one begin with L, not C
     -> Last-Event-ID: it has to be the id of an event of this feed as it was sent, such as L1234
    ");
}

fn feed() -> impl Strategy<Value = EntityFeed> {
    prop::sample::select(vec![EntityFeed::Change, EntityFeed::Load])
}

proptest! {
    #[test]
    fn any_request_is_read_without_panic(feed in feed(), query in any::<String>(), header in any::<Option<String>>()) {
        drop(asked(feed, &query, header.as_deref()));
    }

    #[test]
    fn any_value_of_a_known_parameter_is_read_without_panic(
        feed in feed(),
        name in prop::sample::select(vec!["last_id", "lastEventId", "from"]),
        value in "[ -~]{0,24}|[CL][0-9]{0,20}|[0-9]{4}-[0-9]{2}-[0-9]{2}[T +][0-9]{2}:[0-9]{2}:[0-9]{2}[.0-9]{0,5}[-+ Z]?[0-9:]{0,5}|-?[0-9]{1,20} ?[a-zP]{1,8}",
    ) {
        drop(asked(feed, &format!("{name}={value}"), Some(&value)));
    }

    #[test]
    fn an_id_is_taken_as_it_is_sent(position in 0_u64..1 << 53) {
        prop_assert_eq!(start("", Some(&format!("C{position}"))), after(position));
    }
}
