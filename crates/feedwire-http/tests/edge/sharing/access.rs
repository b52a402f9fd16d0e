//! Who may have what done with a stream.

use feedwire_testkit::{Answer, TestServer};

use super::{JSON, STREAMS};

const MAKE: &str = r#"{"name":"s","filter":{"feeds":["orders"]}}"#;

/// Asks as whoever has `token`.
async fn ask(server: &TestServer, token: &str, method: &str, path: &str, body: &str) -> Answer {
    let proof = format!("authorization: Bearer {token}");
    let headers = [JSON[0], proof.as_str()];
    let path = format!("{STREAMS}{path}");
    server.ask(method, &path, &headers, body.as_bytes()).await
}

async fn token(server: &TestServer, feeds: &str) -> String {
    let made = server
        .credential("default", &[("default", "streams", feeds)])
        .await;
    made.secret.token().to_string()
}

#[tokio::test]
async fn a_token_in_the_address_is_for_joining_and_looking_alone() {
    let server = TestServer::guarded().await;
    let token = token(&server, "").await;
    let made = ask(&server, &token, "POST", "", MAKE).await;
    assert_eq!(made.status, 201, "{}", made.text());
    let mut socket = server.connect().await;
    let path = format!("{STREAMS}/s/connect?token={token}");
    socket
        .request("GET", &path, &["accept: text/event-stream"], b"")
        .await;
    assert_eq!(socket.head().await.status, 200);
    assert!(socket.text().await.starts_with("event: heartbeat"));
    let path = format!("{STREAMS}/s/ack?token={token}");
    let acknowledged = server
        .ask("POST", &path, JSON, br#"{"receipts":["0.1.1"]}"#)
        .await;
    assert_eq!(acknowledged.problem(), (401, "unauthorized".into()));
}

#[tokio::test]
async fn a_grant_covers_the_filter_of_a_stream_or_the_stream_is_not_for_it() {
    let server = TestServer::guarded().await;
    let whole = token(&server, "").await;
    let narrow = token(&server, "orders").await;
    let other = token(&server, "invoices").await;
    let refused = ask(&server, &narrow, "POST", "", r#"{"name":"all"}"#).await;
    assert_eq!(refused.problem(), (403, "forbidden".into()));
    for (token, body) in [(&whole, r#"{"name":"all"}"#), (&narrow, MAKE)] {
        let made = ask(&server, token, "POST", "", body).await;
        assert_eq!(made.status, 201, "{}", made.text());
    }
    let listed = async |token: &str| {
        let listed = ask(&server, token, "GET", "", "").await.json();
        let listed = listed["streams"].as_array().expect("a list").iter();
        listed
            .map(|stream| stream["name"].as_str().expect("a name").to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(listed(&whole).await, ["all", "s"]);
    assert_eq!(listed(&narrow).await, ["s"]);
    assert!(listed(&other).await.is_empty());
    for (method, path, body) in [
        ("GET", "/s", ""),
        ("PATCH", "/s", r#"{"members_max":2}"#),
        ("DELETE", "/s", ""),
        ("GET", "/s/connect", ""),
        ("POST", "/s/ack", r#"{"receipts":[]}"#),
        ("POST", "/s/nack", r#"{"receipts":[]}"#),
        ("POST", "/s/seek", r#"{"to":"now"}"#),
        ("GET", "/s/dead-letters", ""),
        ("POST", "/s/dead-letters/redrive", r#"{"all":true}"#),
        ("POST", "/s/dead-letters/drop", r#"{"all":true}"#),
    ] {
        let refused = ask(&server, &other, method, path, body).await;
        assert_eq!(
            refused.problem(),
            (403, "forbidden".into()),
            "{method} {path}"
        );
    }
    let wider = ask(&server, &narrow, "PATCH", "/s", r#"{"filter":{}}"#).await;
    assert_eq!(wider.problem(), (403, "forbidden".into()));
    let shown = ask(&server, &narrow, "GET", "/s", "").await.json();
    assert_eq!(shown["filter"]["feeds"][0], "orders");
}

#[tokio::test]
async fn a_member_ends_with_its_credential_and_leaves_its_place() {
    let server = TestServer::guarded().await;
    let keeper = token(&server, "").await;
    let make = r#"{"name":"s","members_max":1}"#;
    assert_eq!(ask(&server, &keeper, "POST", "", make).await.status, 201);
    let going = server
        .credential("default", &[("default", "streams", "")])
        .await;
    let mut socket = server.connect().await;
    let proof = format!("authorization: Bearer {}", *going.secret.token());
    let path = format!("{STREAMS}/s/connect");
    socket.request("GET", &path, &[&proof], b"").await;
    assert_eq!(socket.head().await.status, 200);
    socket.text().await;
    let (home, key_id) = (&going.credential.home, going.credential.key_id);
    let revoked = server.auth().revoke(home, key_id, None).await;
    revoked.expect("it is there");
    assert_eq!(socket.rest().await, b"0\r\n\r\n", "it ends in good order");
    let shown = ask(&server, &keeper, "GET", "/s", "").await.json();
    assert_eq!(shown["member_count"], 0);
}
