//! How much an address, a credential and a project may take.

use feedwire_core::RateLimits;
use feedwire_testkit::{Setup, TestServer};
use serde_json::json;

use super::{admin, ask, bearer, project};

const FEEDS: &str = "/v1/projects/default/feeds";
const FEED: &str = "/v1/projects/default/feeds/orders";
/// More than any machine does in the seconds that it takes to ask for so many.
const MANY: usize = 400;

fn requests(most: u64) -> RateLimits {
    RateLimits {
        requests_per_second: Some(most),
        ..RateLimits::default()
    }
}

/// Asks until it is refused.
async fn refused(server: &TestServer, headers: &[&str]) -> feedwire_testkit::Answer {
    for _ in 0..MANY {
        let answer = server.ask("GET", FEEDS, headers, b"").await;
        if answer.status == 429 {
            return answer;
        }
    }
    panic!("{MANY} requests pass a limit of one a second");
}

#[tokio::test]
async fn an_address_is_limited_before_anybody_is_asked_who_they_are() {
    let server = TestServer::set_up(Setup {
        asks: feedwire_testkit::Asks::Everybody,
        address_limits: requests(1),
        ..Setup::default()
    })
    .await;
    let answer = refused(&server, &[]).await;
    assert_eq!(answer.problem(), (429, "too-many-requests".to_owned()));
    assert_eq!(answer.json()["limited"], "address");
    let seconds: u64 = answer
        .header("retry-after")
        .expect("it says when")
        .parse()
        .expect("seconds");
    assert_eq!(answer.json()["retry_after"], seconds);
    assert!(seconds >= 1);
}

#[tokio::test]
async fn a_credential_and_a_project_are_limited_and_told_what_is_left() {
    let server = TestServer::guarded().await;
    let admin = admin(&server).await;
    let reader = server
        .credential("default", &[("default", "read", "")])
        .await;
    let proof = bearer(&reader.secret.token());
    let path = format!(
        "/v1/projects/default/credentials/{}",
        reader.credential.key_id
    );
    let body = json!({ "limits": { "requests_per_second": 1 } }).to_string();
    assert_eq!(
        ask(&server, &admin, "PATCH", &path, &body).await.status,
        200
    );
    let answer = refused(&server, &[&proof]).await;
    assert_eq!(answer.json()["limited"], "credential");
    // The others go on.
    assert_eq!(ask(&server, &admin, "GET", FEEDS, "").await.status, 200);

    let unlimited = json!({ "limits": {} }).to_string();
    assert_eq!(
        ask(&server, &admin, "PATCH", &path, &unlimited)
            .await
            .status,
        200
    );
    let limits = "/v1/projects/default/limits";
    let body = r#"{"requests_per_second":1000}"#;
    let set = ask(&server, &admin, "PUT", limits, body).await;
    assert_eq!(set.status, 200, "{}", set.text());
    let answer = server.ask("GET", FEEDS, &[&proof], b"").await;
    assert_eq!(
        answer.header("ratelimit-policy"),
        Some(r#""project";q=1000;w=1"#)
    );
    assert!(
        answer
            .header("ratelimit")
            .is_some_and(|left| left.starts_with(r#""project";r="#))
    );
    let set = ask(
        &server,
        &admin,
        "PUT",
        limits,
        r#"{"requests_per_second":1}"#,
    )
    .await;
    assert_eq!(set.status, 200, "{}", set.text());
    let answer = refused(&server, &[&proof]).await;
    assert_eq!(answer.json()["limited"], "project");
    assert_eq!(
        ask(&server, &admin, "GET", "/v1/projects/_system/feeds", "")
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn one_more_reader_than_there_may_be_is_told_when_to_come_back() {
    let server = TestServer::guarded().await;
    let admin = admin(&server).await;
    let body = r#"{"readers":1}"#;
    assert_eq!(
        ask(&server, &admin, "PUT", "/v1/projects/default/limits", body)
            .await
            .status,
        200
    );
    let reader = server
        .credential("default", &[("default", "read", "")])
        .await;
    let proof = bearer(&reader.secret.token());
    let mut first = server.connect().await;
    first
        .request("GET", FEED, &[&proof, "accept: application/x-ndjson"], b"")
        .await;
    assert_eq!(first.head().await.status, 200);
    first.chunk().await;
    let lines = server
        .ask("GET", FEED, &[&proof, "accept: application/x-ndjson"], b"")
        .await;
    assert_eq!(lines.problem(), (429, "too-many-requests".to_owned()));
    let poll = server
        .ask("GET", &format!("{FEED}?wait=60s"), &[&proof], b"")
        .await;
    assert_eq!(poll.problem(), (429, "too-many-requests".to_owned()));
    // An EventSource that is refused never comes back; one whose stream ends does, after the time that it is told.
    let events = server
        .ask("GET", FEED, &[&proof, "accept: text/event-stream"], b"")
        .await;
    assert_eq!(
        (events.status, events.header("content-type")),
        (200, Some("text/event-stream"))
    );
    let told = events.text();
    assert!(
        told.starts_with("retry: 5000\nevent: overloaded\ndata: {"),
        "{told}"
    );
    // Pages are no readers.
    assert_eq!(server.ask("GET", FEED, &[&proof], b"").await.status, 200);
    drop(first);
    let mut again = 0;
    while again != 200 {
        let mut next = server.connect().await;
        next.request("GET", FEED, &[&proof, "accept: application/x-ndjson"], b"")
            .await;
        again = next.head().await.status;
    }
}

#[tokio::test]
async fn bytes_to_publish_are_limited_and_a_batch_is_refused_as_a_whole() {
    let server = TestServer::guarded().await;
    let admin = admin(&server).await;
    let body = r#"{"publish_bytes_per_second":1000}"#;
    assert_eq!(
        ask(&server, &admin, "PUT", "/v1/projects/default/limits", body)
            .await
            .status,
        200
    );
    let event = format!(r#"{{"type":"large","data":"{}"}}"#, "x".repeat(400_000));
    let batch = format!("[{}]", vec![event; 10].join(","));
    let path = format!("{FEED}/events");
    let mut published = 0;
    let refused = loop {
        let answer = ask(&server, &admin, "POST", &path, &batch).await;
        match answer.status {
            200 => published += 10,
            _ => break answer,
        }
        assert!(published < 1_000, "bytes are not limited");
    };
    assert_eq!(refused.problem(), (429, "too-many-requests".to_owned()));
    assert_eq!(refused.json()["limited"], "project");
    let feeds = ask(&server, &admin, "GET", FEEDS, "").await.json();
    assert_eq!(feeds["feeds"][0]["events"], published);
    // What is read is not counted.
    assert_eq!(ask(&server, &admin, "GET", FEED, "").await.status, 200);
}

#[tokio::test]
async fn only_who_reads_is_told_of_a_limit_by_a_stream_and_a_publisher_never_by_a_200() {
    let server = TestServer::set_up(Setup {
        address_limits: requests(1),
        ..Setup::default()
    })
    .await;
    let headers = [
        "accept: application/json, text/event-stream",
        "content-type: application/json",
    ];
    let path = format!("{FEED}/events");
    let mut taken = 0;
    let refused = loop {
        let answer = server
            .ask("POST", &path, &headers, br#"{"type":"a"}"#)
            .await;
        match answer.status {
            200 if answer.header("content-type") == Some("application/json") => taken += 1,
            _ => break answer,
        }
        assert!(taken < MANY, "{MANY} requests pass a limit of one a second");
    };
    assert_eq!(refused.problem(), (429, "too-many-requests".to_owned()));
    // A page of a reader asks for nothing but events, and is told in a way that it can take.
    for _ in 0..MANY {
        let answer = server.ask("GET", FEEDS, &headers, b"").await;
        if answer.header("content-type") == Some("text/event-stream") {
            return;
        }
    }
    panic!("a reader is not told");
}

#[tokio::test]
async fn whoever_is_refused_is_told_what_is_left_too() {
    let server = TestServer::set_up(Setup {
        asks: feedwire_testkit::Asks::Everybody,
        address_limits: requests(1_000),
        ..Setup::default()
    })
    .await;
    for (method, path, status) in [
        ("GET", FEEDS, 401),
        ("GET", "/nowhere", 404),
        ("DELETE", FEEDS, 405),
        ("GET", "/v1/projects/%zz/feeds", 400),
    ] {
        let answer = server.ask(method, path, &[], b"").await;
        assert_eq!(answer.status, status, "{path}");
        assert_eq!(
            answer.header("ratelimit-policy"),
            Some(r#""address";q=1000;w=1"#),
            "{path}"
        );
    }
    let narrow = TestServer::set_up(Setup {
        asks: feedwire_testkit::Asks::Everybody,
        address_limits: requests(1),
        ..Setup::default()
    })
    .await;
    let answer = refused(&narrow, &[]).await;
    assert_eq!(answer.header("ratelimit"), Some(r#""address";r=0;t=1"#));
}

#[tokio::test]
async fn what_a_project_may_take_its_children_take_of() {
    let server = TestServer::guarded().await;
    let admin = admin(&server).await;
    for name in ["acme", "acme.eu", "acme.eu.de", "acmes"] {
        project(&server, &admin, name).await;
    }
    let limit = async |project: &str, most: u64| {
        let path = format!("/v1/projects/{project}/limits");
        let body = json!({ "requests_per_second": most, "readers": 1 }).to_string();
        let set = ask(&server, &admin, "PUT", &path, &body).await;
        assert_eq!(set.status, 200, "{}", set.text());
    };
    limit("acme", 1_000).await;
    limit("acme.eu.de", 100_000).await;
    let feed = async |project: &str| {
        let path = format!("/v1/projects/{project}/feeds/f");
        ask(&server, &admin, "GET", &path, "").await
    };
    let told = feed("acme.eu.de").await;
    assert_eq!(
        told.header("ratelimit-policy"),
        Some(r#""project";q=1000;w=1"#)
    );
    assert_eq!(feed("acmes").await.header("ratelimit-policy"), None);
    let proof = bearer(&admin);
    let mut reader = server.connect().await;
    let lines = "accept: application/x-ndjson";
    reader
        .request("GET", "/v1/projects/acme/feeds/f", &[&proof, lines], b"")
        .await;
    assert_eq!(reader.head().await.status, 200);
    let path = "/v1/projects/acme.eu/feeds/f";
    let more = server.ask("GET", path, &[&proof, lines], b"").await;
    assert_eq!(more.problem(), (429, "too-many-requests".to_owned()));
    limit("acme", 1).await;
    for _ in 0..MANY {
        if feed("acme.eu").await.status == 429 {
            return;
        }
    }
    panic!("{MANY} requests pass a limit of one a second");
}

#[tokio::test]
async fn asking_for_tokens_counts_as_asking() {
    let server = TestServer::guarded().await;
    let admin = admin(&server).await;
    let reader = server
        .credential("default", &[("default", "read", "")])
        .await;
    let key_id = reader.credential.key_id;
    let path = format!("/v1/projects/default/credentials/{key_id}");
    let body = json!({ "limits": { "requests_per_second": 1 } }).to_string();
    let set = ask(&server, &admin, "PATCH", &path, &body).await;
    assert_eq!(set.status, 200, "{}", set.text());
    let secret = reader.secret.as_str();
    let form = format!("grant_type=client_credentials&client_id={key_id}&client_secret={secret}");
    let headers = ["content-type: application/x-www-form-urlencoded"];
    let mut left = MANY;
    let refused = loop {
        let answer = server
            .ask("POST", "/oauth2/token", &headers, form.as_bytes())
            .await;
        if answer.status != 200 {
            break answer;
        }
        left -= 1;
        assert_ne!(left, 0, "{MANY} tokens pass a limit of one a second");
    };
    assert_eq!(refused.problem(), (429, "too-many-requests".to_owned()));
    assert_eq!(refused.json()["limited"], "credential");
}
