//! What an operator's monitoring is told.

use std::collections::{BTreeMap, BTreeSet};

use feedwire_http::Limits;
use feedwire_testkit::{Answer, Socket, TestServer};

use crate::events;

const DOCUMENT: &str = include_str!("../../../../docs/metrics.md");
const OPENMETRICS: &str = "accept: application/openmetrics-text; version=1.0.0";

/// A family as it is told, and as it is documented.
#[derive(Debug, Default, PartialEq, Eq)]
struct Family {
    kind: String,
    unit: String,
    help: String,
    labels: BTreeSet<String>,
}

async fn scrape(server: &TestServer) -> String {
    let answer = server.ask("GET", "/metrics", &[], b"").await;
    assert_eq!(answer.status, 200);
    answer.text()
}

/// The value of the series `name`, labels and all.
fn value(text: &str, name: &str) -> u64 {
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    let line = line.unwrap_or_else(|| panic!("no {name} in {text}"));
    line.parse().expect("a whole number")
}

/// The families of OpenMetrics text, under the names that their series have.
fn told(text: &str) -> BTreeMap<String, Family> {
    let mut families: Vec<(String, Family)> = Vec::new();
    for line in text.lines() {
        let mut words = line.splitn(4, ' ');
        match (words.next(), words.next(), words.next(), words.next()) {
            (Some("#"), Some("HELP"), Some(name), Some(help)) => {
                let family = Family {
                    help: help.to_owned(),
                    ..Family::default()
                };
                families.push((name.to_owned(), family));
            }
            (Some("#"), Some("TYPE"), Some(_), Some(kind)) => {
                let (name, family) = families.last_mut().expect("help comes first");
                kind.clone_into(&mut family.kind);
                name.push_str(match kind {
                    "counter" => "_total",
                    "info" => "_info",
                    _ => "",
                });
            }
            (Some("#"), Some("UNIT"), Some(_), Some(unit)) => {
                unit.clone_into(&mut families.last_mut().expect("help comes first").1.unit);
            }
            (Some("#"), Some("EOF"), None, None) => {}
            _ => {
                let (name, family) = families.last_mut().expect("help comes first");
                assert!(line.starts_with(name.as_str()), "{line} is of {name}");
                let labels = line.split_once('{').map_or("", |(_, labels)| labels);
                let names = labels
                    .split("\",")
                    .filter_map(|label| label.split_once('='));
                let names = names.map(|(name, _)| name.to_owned());
                family.labels.extend(names.filter(|name| name != "le"));
            }
        }
    }
    families.into_iter().collect()
}

/// The families of the first table of the document.
fn documented() -> BTreeMap<String, Family> {
    let rows = DOCUMENT
        .lines()
        .skip_while(|line| !line.starts_with("| name | type |"))
        .skip(2)
        .take_while(|line| line.starts_with('|'));
    let family = |row: &str| {
        let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
        let [name, kind, unit, labels, help] = cells[..] else {
            panic!("five cells: {row}");
        };
        let labels = labels
            .split(',')
            .map(|label| label.trim().trim_matches('`'));
        let labels = labels.filter(|label| !label.is_empty()).map(str::to_owned);
        let family = Family {
            kind: kind.to_owned(),
            unit: unit.to_owned(),
            help: help.to_owned(),
            labels: labels.collect(),
        };
        (name.trim_matches('`').to_owned(), family)
    };
    rows.map(family).collect()
}

#[tokio::test]
async fn every_family_is_documented_as_it_is_told_and_no_other_is() {
    let server = TestServer::start().await;
    server.publish("f", &events(1, "a")).await;
    server.get("feeds/f?limit=0").await;
    let json = ["content-type: application/json"];
    let stream = br#"{"name":"s"}"#;
    server
        .ask("POST", "/v1/projects/default/streams", &json, stream)
        .await;
    let connector = br#"{"name":"c","url":"https://receiver.invalid/","paused":true}"#;
    let made = server
        .ask("POST", "/v1/projects/default/connectors", &json, connector)
        .await;
    assert_eq!(made.status, 201);
    let answer = server.ask("GET", "/metrics", &[OPENMETRICS], b"").await;
    let (told, documented) = (told(&answer.text()), documented());
    assert!(told.len() > 40, "{told:?}");
    for (name, family) in &told {
        assert_eq!(documented.get(name), Some(family), "{name}");
    }
    for name in documented.keys() {
        assert!(told.contains_key(name), "{name} is not told");
    }
}

#[tokio::test]
async fn the_form_is_the_one_that_is_asked_for() {
    let server = TestServer::start().await;
    let ask = async |accept: &str| -> Answer {
        let accept = format!("accept: {accept}");
        server.ask("GET", "/metrics", &[&accept], b"").await
    };
    let prometheus =
        "application/openmetrics-text;version=1.0.0;q=0.6,text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
    for accept in [prometheus, "application/openmetrics-text"] {
        let answer = ask(accept).await;
        let content_type = answer.header("content-type").expect("a type");
        assert!(content_type.starts_with("application/openmetrics-text; version=1.0.0"));
        assert!(answer.text().ends_with("# EOF\n"));
    }
    for accept in ["*/*", "text/plain", "text/html", ""] {
        let answer = ask(accept).await;
        let content_type = answer.header("content-type").expect("a type");
        assert!(content_type.starts_with("text/plain; version=0.0.4"));
        assert!(!answer.text().contains("# EOF"));
    }
}

#[tokio::test]
async fn requests_are_counted_by_route_and_nothing_tells_what_they_were_about() {
    let server = TestServer::start().await;
    server
        .publish("secret-feed", &events(2, "secret-subject"))
        .await;
    server
        .get("feeds/secret-feed?subjects=secret-subject")
        .await;
    server.get("feeds/secret-feed?secret=1").await;
    server
        .ask("GET", "/secret", &["authorization: secret"], b"")
        .await;
    server
        .ask("SECRET", "/v1/projects/secret/feeds", &[], b"")
        .await;
    let text = scrape(&server).await;
    assert!(!text.to_lowercase().contains("secret"), "{text}");
    let requests =
        |labels: &str| value(&text, &format!("feedwire_http_requests_total{{{labels}}}"));
    let feed = r#"route="/v1/projects/{project}/feeds/{feed}",method="GET""#;
    assert_eq!(requests(&format!(r#"{feed},status="2xx""#)), 1);
    assert_eq!(requests(&format!(r#"{feed},status="4xx""#)), 1);
    assert_eq!(requests(r#"route="none",method="GET",status="4xx""#), 1);
    let feeds = r#"route="/v1/projects/{project}/feeds",method="other",status="4xx""#;
    assert_eq!(requests(feeds), 1);
    let problems = |kind: &str| value(&text, &format!("feedwire_http_problems_total{{{kind}}}"));
    assert_eq!(problems(r#"kind="invalid-parameter""#), 1);
    assert_eq!(problems(r#"kind="not-found""#), 1);
    assert_eq!(problems(r#"kind="method-not-allowed""#), 1);
    let published = r#"feedwire_published_events_total{project="default"}"#;
    assert_eq!(value(&text, published), 2);
    let delivered = ["log", "tail"].map(|place| {
        let name = format!(r#"feedwire_delivered_events_total{{place="{place}"}}"#);
        value(&text, &name)
    });
    assert_eq!(delivered.iter().sum::<u64>(), 2);
}

#[tokio::test]
async fn streams_are_counted_from_their_first_byte_to_their_end() {
    let server = TestServer::start().await;
    server.publish("f", &events(1, "a")).await;
    let mut stream = server
        .follow("feeds/f?from=start", "text/event-stream", &[])
        .await;
    stream.text().await;
    let text = scrape(&server).await;
    assert_eq!(value(&text, r#"feedwire_http_streams{framing="sse"}"#), 1);
    assert_eq!(
        value(&text, r#"feedwire_http_streams{framing="ndjson"}"#),
        0
    );
    let mut ended = server
        .follow("feeds/f?from=start&until=now", "application/x-ndjson", &[])
        .await;
    ended.rest().await;
    let text = scrape(&server).await;
    let endings = |reason: &str| {
        let series = format!(r#"feedwire_http_streams_ended_total{{reason="{reason}"}}"#);
        value(&text, &series)
    };
    assert_eq!((endings("reached"), endings("left")), (1, 0));
    assert_eq!(
        value(
            &text,
            r#"feedwire_http_streams_opened_total{framing="ndjson"}"#
        ),
        1
    );
    assert!(
        value(
            &text,
            r#"feedwire_http_streamed_bytes_total{framing="ndjson"}"#
        ) > 100
    );
}

#[tokio::test]
async fn metrics_with_a_listener_of_their_own_answer_when_no_other_connection_can_be_made() {
    let limits = Limits {
        connections_max: 1,
        ..Limits::default()
    };
    let (server, address) = TestServer::with_metrics_apart(limits).await;
    let ask = async |path: &str| {
        let mut socket = Socket::connect(address).await;
        socket.request("GET", path, &[], b"").await;
        socket.answer("GET").await
    };
    let mut only = server.connect().await;
    only.request("GET", "/metrics", &[], b"").await;
    assert_eq!(
        only.answer("GET").await.problem(),
        (404, "not-found".into())
    );
    let waiting = server.connect().await;
    let text = ask("/metrics").await.text();
    assert_eq!(value(&text, "feedwire_http_connections"), 1);
    assert_eq!(value(&text, "feedwire_http_connections_limit"), 1);
    assert_eq!(value(&text, "feedwire_http_accept_waits_total"), 1);
    assert_eq!(ask("/healthz").await.problem(), (404, "not-found".into()));
    drop((only, waiting));
    server.stopped().await;
}

#[tokio::test]
async fn what_is_no_request_is_counted_too() {
    let server = TestServer::start().await;
    let mut socket = server.connect().await;
    socket.send("GET\r\n\r\n").await;
    socket.rest().await;
    let text = scrape(&server).await;
    assert_eq!(value(&text, "feedwire_http_malformed_requests_total"), 1);
    assert_eq!(value(&text, "feedwire_http_connections_accepted_total"), 2);
}

#[tokio::test]
async fn credentials_and_what_access_tokens_were_found_to_be_are_counted() {
    let server = TestServer::guarded().await;
    let admin = server.credential("_system", &[("*", "admin", "")]).await;
    let key_id = admin.credential.key_id;
    let secret = admin.secret.as_str();
    let form = format!("grant_type=client_credentials&client_id={key_id}&client_secret={secret}");
    let content_type = "content-type: application/x-www-form-urlencoded";
    let answer = server
        .ask("POST", "/oauth2/token", &[content_type], form.as_bytes())
        .await;
    let answer = answer.json();
    let token = answer["access_token"].as_str().expect("a token");
    let scrape = async |token: &str| {
        let proof = format!("authorization: Bearer {token}");
        server.ask("GET", "/metrics", &[&proof], b"").await
    };
    assert_eq!(scrape(token).await.status, 200);
    let (head, _) = token.rsplit_once('.').expect("a signature");
    assert_eq!(scrape(&format!("{head}.AAAA")).await.status, 401);
    let text = scrape(token).await.text();
    assert_eq!(value(&text, "feedwire_credentials"), 1);
    let tokens = |outcome: &str| {
        let series = format!(r#"feedwire_access_tokens_total{{outcome="{outcome}"}}"#);
        value(&text, &series)
    };
    assert_eq!((tokens("verified"), tokens("refused")), (1, 1));
    assert_eq!(tokens("remembered"), 1);
}
