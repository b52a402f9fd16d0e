//! What the feeds tell.

use feedwire_core::entities::Wanted;
use feedwire_event::State;
use feedwire_http::{Aria, Zone};
use feedwire_testkit::{Setup, TestServer};
use insta::assert_snapshot;

use super::{CHANGE, change, open, put, write};

const LOAD: &str = "/aria/feeds/load";

#[tokio::test]
async fn the_change_feed_tells_how_entities_change_and_nothing_else() {
    let server = TestServer::start().await;
    put(&server, "before", "{}").await;
    let mut feed = open(&server, CHANGE, &["accept-encoding: gzip"]).await;
    assert_eq!(feed.opening, ":\n");
    put(&server, "Zoë", r#"{"a":1,"b":{"c":1,"d":"é"},"n":null}"#).await;
    // A plain event, and what changes nothing.
    let plain = r#"{"type":"update","subject":"Zoë","data":{"a":7}}"#;
    server.publish("Account", plain).await;
    put(&server, "Zoë", r#"{"n":null,"b":{"d":"é","c":1.0},"a":1}"#).await;
    put(&server, "Zoë", r#"{"b":{"c":2,"d":"é"},"n":1}"#).await;
    change(&server, &[write("Account", "Zoë", Wanted::Deleted)]).await;
    let state = State::parse("{}").expect("a state");
    let other = Wanted::Put { state, ids: None };
    change(&server, &[write("Contract", "c 1", other)]).await;
    let mut text = String::new();
    while text.matches("\n\n").count() < 4 {
        text += &feed.socket.text().await;
    }
    assert_snapshot!(text, @r#"
    id: C2
    event: create
    data: {"ref":{"type":"Account","ids":{"account_no":7,"userid":"Zo\u00eb"}},"tstamp":"2026-11-21T08:00:00Z","tick":2}
    data: {"a":1,"b":{"c":1,"d":"\u00e9"},"n":null}

    id: C4
    event: update
    data: {"ref":{"type":"Account","ids":{"account_no":7,"userid":"Zo\u00eb"}},"tstamp":"2026-11-21T08:00:00Z","tick":4}
    data: {"b":{"c":2,"d":"\u00e9"},"n":1,"a":null}

    id: C5
    event: delete
    data: {"ref":{"type":"Account","ids":{"account_no":7,"userid":"Zo\u00eb"}},"tstamp":"2026-11-21T08:00:00Z","tick":5}

    id: C6
    event: create
    data: {"ref":{"type":"Contract","ids":{"id":"c 1"}},"tstamp":"2026-11-21T08:00:00Z","tick":6}
    data: {}
    "#);
}

#[tokio::test]
async fn the_load_feed_tells_nothing_of_changes() {
    let server = TestServer::start().await;
    let feed = open(&server, &format!("{LOAD}?last_id=L0"), &[]).await;
    put(&server, "a", "{}").await;
    server.stop();
    feed.ended().await;
}

#[tokio::test]
async fn times_are_told_in_the_zone_and_read_in_it_where_they_name_none() {
    let aria = Aria {
        zone: Zone::new(jiff::tz::TimeZone::fixed(jiff::tz::offset(2))),
        ..Aria::default()
    };
    let setup = Setup {
        aria,
        ..Setup::default()
    };
    let server = TestServer::set_up(setup).await;
    let position = put(&server, "a", "{}").await;
    for (from, is_there) in [
        ("2026-11-21T10:00:00", true),
        ("2026-11-21T10:00:00.0001", false),
        ("2026-11-21T08:00:00Z", true),
        ("2026-11-21T08:00:01Z", false),
    ] {
        let path = format!("{CHANGE}?from={from}");
        let mut feed = open(&server, &path, &[]).await;
        let later = put(&server, from, "{}").await;
        let told = feed.next().await;
        let expected = if is_there { position } else { later };
        assert_eq!(told.id, format!("C{expected}"), "{from}");
        assert_eq!(told.header["tstamp"], "2026-11-21T10:00:00+02:00");
        assert_eq!(told.header["tick"], expected);
    }
}
