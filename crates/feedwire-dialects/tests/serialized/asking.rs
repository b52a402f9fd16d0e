//! What is asked: parameters, names and ids.

use std::num::NonZeroU32;
use std::time::Duration;

use feedwire_core::limits::FILTER_VALUES_MAX;
use feedwire_core::{Filter, Partition, Start, Until};
use feedwire_dialects::serialized::request::{
    Error, History, Part, Poll, WAIT_MAX, aggregate_id, aggregate_type, aggregates, count,
    delete_token, feed, feed_name, history, tenant,
};
use feedwire_event::{FeedName, Position, Timestamp, Version};
use insta::assert_snapshot;
use proptest::prelude::*;
use uuid::Uuid;

const ID: &str = "723ecfce-14e9-4889-98d5-a3d0ad54912f";

fn position(value: u64) -> Position {
    Position::new(value).expect("a position")
}

fn at(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

fn poll(name: &str, query: &str) -> Poll {
    feed(name, query).expect("a poll")
}

fn types_of(query: &str) -> Vec<String> {
    let feeds = poll("_all", query).filter.feeds;
    feeds.iter().map(FeedName::to_string).collect()
}

#[test]
fn a_poll_that_says_nothing_is_of_all_there_is() {
    let all = Poll {
        feed: None,
        filter: Filter::default(),
        since: Position::ZERO,
        from: None,
        to: None,
        limit: 1_000,
        wait: Duration::ZERO,
    };
    assert_eq!(poll("_all", ""), all);
    let client_in_net = "limit=1000&partitionCount=1&partitionNumber=0&waitTime=0&since=0";
    assert_eq!(poll("_all", client_in_net), all);
    let feed = FeedName::new("Orders.eu").expect("a name");
    let order = poll("Orders.eu", "includeMetadata=true&before=7&&limit=1000");
    assert_eq!(order.filter.feeds, std::slice::from_ref(&feed));
    assert_eq!(order.feed, Some(feed));
}

#[test]
fn everything_that_can_be_asked_for_is_understood() {
    let query = "since=7&limit=5&from=2020-01-01T00%3A00%3A00Z&to=2020-02-01&partitionCount=3&partitionNumber=2\
        &waitTime=1500&filterType=a&filterType=b";
    let asked = poll("_all", query);
    assert_eq!((asked.feed.as_ref(), asked.limit), (None, 5));
    assert_eq!(asked.wait, Duration::from_millis(1_500));
    let reading = asked.reading();
    let from = at("2020-01-01T00:00:00Z");
    assert_eq!(reading.start, Start::Past(position(7), Some(from)));
    assert_eq!(reading.until, Some(Until::At(at("2020-02-01T00:00:00Z"))));
    let three = NonZeroU32::new(3).expect("it is not 0");
    let filter = Filter {
        feeds: ["a", "b"]
            .map(|name| feed_name(name).expect("a name"))
            .into(),
        partition: Partition::new(2, three),
        ..Filter::default()
    };
    assert_eq!(reading.filter, filter);
}

#[test]
fn a_reading_starts_behind_a_number_or_with_a_time_or_at_the_start() {
    let start = |query| poll("order", query).reading().start;
    let from = at("2020-01-01T00:00:00Z");
    assert_eq!(start(""), Start::Beginning);
    assert_eq!(start("since=0"), Start::Beginning);
    assert_eq!(start("since=0&from=2020-01-01"), Start::At(from));
    assert_eq!(start("since=7"), Start::Past(position(7), None));
    let both = Start::Past(position(7), Some(from));
    assert_eq!(start("since=7&from=2020-01-01"), both);
    let beyond = Start::Past(Position::MAX, None);
    assert_eq!(start("since=9007199254740992"), beyond);
    assert_eq!(start("since=99999999999999999999999"), beyond);
    assert_eq!(start("since=007"), Start::Past(position(7), None));
}

#[test]
fn types_are_repeated_or_parted_by_commas_and_empty_ones_ask_for_nothing() {
    assert_eq!(
        types_of("filterType=order&filterType=payment"),
        ["order", "payment"]
    );
    assert_eq!(
        types_of("types[]=a&types%5B%5D=b&filterType=c,d"),
        ["c", "d", "a", "b"]
    );
    assert_eq!(types_of("filterType=a%2Cb&filterType="), ["a", "b"]);
    assert!(types_of("filterType=&types[]=,").is_empty());
    let names = |count: usize| format!("filterType={}", vec!["a"; count].join(","));
    assert_eq!(types_of(&names(FILTER_VALUES_MAX)).len(), FILTER_VALUES_MAX);
    assert!(feed("_all", &names(FILTER_VALUES_MAX + 1)).is_err());
    let order = poll("order", "filterType=payment&filterType=pay+ment");
    assert_eq!(order, poll("order", ""));
}

#[test]
fn a_wait_is_in_milliseconds_and_ends_before_clients_give_up() {
    let wait = |query: &str| poll("order", query).wait;
    assert_eq!(wait("waitTime=1500"), Duration::from_millis(1_500));
    assert_eq!(wait("waitTime=55000"), WAIT_MAX);
    for long in ["60000", "60001", "99999999999999999999999"] {
        assert_eq!(wait(&format!("waitTime={long}")), WAIT_MAX);
    }
}

#[test]
fn one_of_one_part_is_everything() {
    let partition = |query| poll("_all", query).filter.partition;
    let part =
        |number, count| NonZeroU32::new(count).and_then(|count| Partition::new(number, count));
    assert_eq!(partition("partitionCount=3"), part(0, 3));
    assert_eq!(partition("partitionCount=3&partitionNumber=2"), part(2, 3));
    let most = "partitionCount=2147483647&partitionNumber=2147483646";
    assert_eq!(partition(most), part(2_147_483_646, 2_147_483_647));
    for all in [
        "",
        "partitionNumber=0",
        "partitionCount=1&partitionNumber=0",
    ] {
        assert_eq!(partition(all), None, "{all}");
    }
}

#[test]
fn what_cannot_be_meant_is_named_with_its_reason() {
    let refused = |query: &str| feed("_all", query).expect_err("a refusal").to_string();
    let odd = "since=-1 since= since=+1 since=1.5 since=1&since=1 limit=0 limit=1001 limit=many \
        from=yesterday to=1577836800000 partitionCount=0 partitionCount=2147483648 partitionNumber=1 \
        partitionCount=3&partitionNumber=3 partitionNumber=-1 waitTime=1s waitTime=-1 \
        filterType=pay+ment types[]=_all filterType=%FF %FF=1";
    let refusals: Vec<String> = odd.split(' ').map(refused).collect();
    assert_snapshot!(refusals.join("\n"), @"
    since: it has to be a whole number
    since: it has to be a whole number
    since: it has to be a whole number
    since: it has to be a whole number
    since: it is given more than once
    limit: it has to be a whole number from 1 to 1000
    limit: it has to be a whole number from 1 to 1000
    limit: it has to be a whole number from 1 to 1000
    from: it has to be a time in ISO 8601, such as 2013-01-01T10:00:00Z or 2013-01-01
    to: it has to be a time in ISO 8601, such as 2013-01-01T10:00:00Z or 2013-01-01
    partitionCount: it has to be a whole number from 1 to 2147483647
    partitionCount: it has to be a whole number from 1 to 2147483647
    partitionNumber: it has to be below partitionCount, which is 1
    partitionNumber: it has to be below partitionCount, which is 3
    partitionNumber: it has to be a whole number
    waitTime: it has to be a whole number
    waitTime: it has to be a whole number
    filterType: a name is made of A-Z a-z 0-9 . _ -, not ' '
    filterType: a name does not start with '_': names that do are the server's own
    filterType: it is not percent-encoded UTF-8
    %FF: it is not percent-encoded UTF-8
    ");
}

#[test]
fn a_feed_may_have_any_name_but_those_of_the_server() {
    let refused = |name: &str| feed(name, "").expect_err("a refusal").to_string();
    assert_snapshot!(["", "a b", "_other", ".."].map(refused).join("\n"), @"
    feed: a name has 1 to 128 characters, this one none
    feed: a name is made of A-Z a-z 0-9 . _ -, not ' '
    feed: a name does not start with '_': names that do are the server's own
    feed: a name does not start with '.': names that do are the server's own
    ");
}

#[test]
fn a_count_is_between_two_times() {
    let some = count("order", "from=2020-01-01&to=2020-02-01T10:20&since=7").expect("a count");
    assert_eq!(some.filter, poll("order", "").filter);
    assert_eq!(some.from, Some(at("2020-01-01T00:00:00Z")));
    assert_eq!(some.to, Some(at("2020-02-01T10:20:00Z")));
    let all = count("_all", "filterType=order").expect("a count");
    assert_eq!(
        (all.filter, all.from, all.to),
        (Filter::default(), None, None)
    );
    assert!(count("_all", "to=soon").is_err());
}

#[test]
fn parts_of_a_history_and_of_a_list_are_asked_for() {
    let of = |since, limit| {
        Ok(History {
            since: Version(since),
            limit,
        })
    };
    assert_eq!(history(""), of(0, 1_000));
    assert_eq!(
        history("since=1000&limit=7&includeMetadata=true"),
        of(1_000, 7)
    );
    assert_eq!(
        history("since=99999999999999999999"),
        of(Position::MAX.get(), 1_000)
    );
    assert!(history("limit=1001").is_err() && history("since=x").is_err());
    let of = |skip, limit| Ok(Part { skip, limit });
    assert_eq!(aggregates(""), of(0, 1_000));
    assert_eq!(aggregates("skip=20&limit=10"), of(20, 10));
    assert!(aggregates("skip=-1").is_err() && aggregates("limit=0").is_err());
    let token = |query| delete_token(query).expect("a query");
    assert_eq!(token("deleteToken=a%20b"), Some("a b".into()));
    assert_eq!(token("token=a"), None);
    assert!(delete_token("deleteToken=a&deleteToken=a").is_err());
}

#[test]
fn a_tenant_is_named_by_header_or_query_and_once() {
    let id = Uuid::try_parse(ID).expect("a UUID");
    let other = "5d3a2c4e-0000-4000-8000-000000000001";
    assert_eq!(tenant(None, "since=0"), Ok(None));
    assert_eq!(tenant(Some(ID), "since=0"), Ok(Some(id)));
    assert_eq!(
        tenant(None, &format!("tenantId={ID}&since=0")),
        Ok(Some(id))
    );
    assert_eq!(tenant(None, &format!("%74enantId={ID}")), Ok(Some(id)));
    assert_eq!(
        tenant(Some(&ID.to_uppercase()), &format!("tenantId={ID}")),
        Ok(Some(id))
    );
    assert!(tenant(Some(ID), &format!("tenantId={other}")).is_err());
    assert!(tenant(None, &format!("tenantId={ID}&tenantId={ID}")).is_err());
    for odd in ["", "default", "723ecfce14e9488998d5a3d0ad54912f"] {
        assert_eq!(tenant(Some(odd), ""), Err(Error::TenantId));
        assert_eq!(
            tenant(None, &format!("tenantId={odd}")),
            Err(Error::TenantId)
        );
    }
}

#[test]
fn an_aggregate_has_a_uuid_in_small_letters() {
    let id = |text: &str| aggregate_id(text).map(|subject| subject.to_string());
    assert_eq!(id(ID).as_deref(), Ok(ID));
    assert_eq!(id(&ID.to_uppercase()).as_deref(), Ok(ID));
    assert_eq!(id("order-7"), Err(Error::AggregateId));
}

#[test]
fn the_type_of_an_aggregate_holds_to_the_vendors_rule() {
    for name in [
        "abc",
        "a-b",
        "a_1",
        "0--9",
        "order-item_2",
        &"x".repeat(128),
    ] {
        assert_eq!(
            aggregate_type(name).map(|feed| feed.to_string()).as_deref(),
            Ok(name)
        );
    }
    for odd in [
        "",
        "a",
        "ab",
        "Order",
        "-ab",
        "ab-",
        "a.b",
        "_all",
        "a b",
        "a/b",
        "\u{e9}bc",
        &"x".repeat(129),
    ] {
        assert!(
            matches!(aggregate_type(odd), Err(Error::AggregateType(_))),
            "{odd}"
        );
    }
}

proptest! {
    #[test]
    fn any_request_is_read_without_panic(name in any::<String>(), query in any::<String>(), header in any::<Option<String>>()) {
        drop(feed(&name, &query).map(|poll| poll.reading()));
        drop((count(&name, &query), history(&query), aggregates(&query), delete_token(&query)));
        drop((tenant(header.as_deref(), &query), aggregate_type(&name), aggregate_id(&name)));
    }

    #[test]
    fn any_value_of_a_known_parameter_is_read_without_panic(
        name in prop::sample::select(vec![
            "since", "limit", "from", "to", "partitionCount", "partitionNumber", "waitTime", "filterType", "types[]", "skip", "tenantId",
        ]),
        value in "[ -~]{0,24}",
    ) {
        let query = format!("{name}={value}");
        drop((feed("_all", &query), history(&query), aggregates(&query), tenant(None, &query)));
    }
}
