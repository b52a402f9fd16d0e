//! Who may read the feeds, and for how long.

use std::time::Duration;

use feedwire_auth::Created;
use feedwire_core::entities::Wanted;
use feedwire_event::State;
use feedwire_testkit::{Answer, Asks, Setup, TestServer};
use serde_json::{Value, json};

use super::{CHANGE, change, open, put, refusal, write};

const FEEDS: [&str; 2] = [CHANGE, "/aria/feeds/load"];

/// The answer to whom the endpoint of tokens is asked by.
async fn exchange(server: &TestServer, content: &str, body: &str) -> Answer {
    let header = format!("content-type: {content}");
    server
        .ask("POST", "/oauth2/token", &[&header], body.as_bytes())
        .await
}

/// What proves who has an access token of `made`, as the vendor's clients get one.
async fn authorization(server: &TestServer, made: &Created) -> String {
    let (id, secret) = (made.credential.key_id.to_string(), made.secret.as_str());
    let form = format!("grant_type=client_credentials&client_id={id}&client_secret={secret}");
    let told = exchange(server, "application/x-www-form-urlencoded", &form)
        .await
        .json();
    let text = |member: &str| told[member].as_str().expect("a text").to_owned();
    format!(
        "authorization: {} {}",
        text("token_type"),
        text("access_token")
    )
}

async fn reader(server: &TestServer, feeds: &str) -> Created {
    server
        .credential("default", &[("default", "read", feeds)])
        .await
}

#[tokio::test]
async fn a_feed_takes_the_right_to_read_and_tells_what_may_be_read() {
    let server = TestServer::guarded().await;
    let proof = authorization(&server, &reader(&server, "Contract").await).await;
    let publisher = server
        .credential("default", &[("default", "publish", "")])
        .await;
    let publisher = authorization(&server, &publisher).await;
    for path in FEEDS {
        let answer = server.ask("GET", path, &[], b"").await;
        assert_eq!(refusal(&answer).0, 401, "{path}");
        assert_eq!(refusal(&answer).1, "invalid_token");
        let challenge = answer.header("www-authenticate");
        assert_eq!(challenge, Some(r#"Bearer realm="feedwire""#));
        let answer = server
            .ask("GET", path, &["authorization: Bearer x.y.z"], b"")
            .await;
        assert_eq!(refusal(&answer).0, 401, "{path}");
        let answer = server.ask("GET", path, &[&publisher], b"").await;
        let (status, error, _) = refusal(&answer);
        assert_eq!(
            (status, error.as_str()),
            (403, "insufficient_scope"),
            "{path}"
        );
        open(&server, path, &[&proof]).await;
    }
    let mut feed = open(&server, CHANGE, &[&proof]).await;
    put(&server, "a", "{}").await;
    let state = State::parse("{}").expect("a state");
    let other = Wanted::Put { state, ids: None };
    change(&server, &[write("Contract", "c", other)]).await;
    assert_eq!(
        feed.next().await.header["ref"],
        json!({ "type": "Contract", "ids": { "id": "c" } })
    );
    let answer = server.ask("GET", "/aria/feeds/none", &[&proof], b"").await;
    assert_eq!(refusal(&answer).1, "not_found");
    let answer = server.ask("POST", CHANGE, &[&proof], b"").await;
    assert_eq!(
        (refusal(&answer).0, answer.header("allow")),
        (405, Some("GET,HEAD"))
    );
}

#[tokio::test]
async fn a_token_in_the_address_begins_a_feed() {
    let server = TestServer::guarded().await;
    let token = reader(&server, "").await.secret.token().to_string();
    for path in FEEDS {
        open(&server, &format!("{path}?token={token}&from=5hours"), &[]).await;
    }
}

#[tokio::test]
async fn a_feed_outlives_its_token_and_ends_with_its_credential() {
    let minute = Duration::from_mins(1);
    let server = TestServer::set_up(Setup {
        asks: Asks::Everybody,
        token_lifetime: Some(minute),
        ..Setup::default()
    })
    .await;
    let made = reader(&server, "").await;
    let proof = authorization(&server, &made).await;
    let mut feed = open(&server, CHANGE, &[&proof]).await;
    server.clock.advance(2 * minute);
    let position = put(&server, "a", "{}").await;
    assert_eq!(feed.next().await.id, format!("C{position}"));
    // To begin another takes another.
    let answer = server.ask("GET", CHANGE, &[&proof], b"").await;
    assert_eq!(refusal(&answer).0, 401);
    let proof = authorization(&server, &made).await;
    open(&server, CHANGE, &[&proof]).await;
    let (home, key_id) = (&made.credential.home, made.credential.key_id);
    server
        .auth()
        .revoke(home, key_id, None)
        .await
        .expect("it is there");
    feed.ended().await;
}

#[tokio::test]
async fn tokens_are_got_as_the_vendors_clients_get_them() {
    let server = TestServer::guarded().await;
    let made = reader(&server, "").await;
    let (id, secret) = (made.credential.key_id.to_string(), made.secret.as_str());
    let body =
        json!({ "grant_type": "client_credentials", "client_id": id, "client_secret": secret });
    let form = format!("grant_type=client_credentials&client_id={id}&client_secret={secret}");
    for (content, body) in [
        ("application/x-www-form-urlencoded", form),
        ("application/json", body.to_string()),
        ("application/JSON", body.to_string()),
    ] {
        let answer = exchange(&server, content, &body).await;
        assert_eq!(answer.status, 200, "{content}: {}", answer.text());
        for (name, value) in [
            ("cache-control", "no-store, no-cache, must-revalidate"),
            ("pragma", "no-cache"),
        ] {
            assert_eq!(answer.header(name), Some(value), "{content}");
        }
        let told = answer.json();
        assert_eq!(
            (&told["token_type"], &told["expires_in"]),
            (&json!("Bearer"), &json!(3_600))
        );
        let now = feedwire_core::Clock::now(&*server.clock).as_micros() / 1_000_000;
        assert_eq!(claims(&told)["exp"], now + 3_600);
    }
    // The number of a client is one of another's: it is read, and not known.
    let numbered = body.to_string().replace(&format!("\"{id}\""), "1845601");
    let answer = exchange(&server, "application/JSON", &numbered).await;
    assert_eq!(
        (answer.status, &answer.json()["error"]),
        (401, &json!("invalid_client"))
    );
    let answer = exchange(&server, "application/JSON", r#"{"client_id":1}"#).await;
    assert_eq!(
        (answer.status, &answer.json()["error"]),
        (400, &json!("invalid_request"))
    );
    assert!(answer.json()["error_description"].is_string());
}

#[tokio::test]
async fn an_open_server_gives_whoever_asks_a_token_with_an_end() {
    let server = TestServer::start().await;
    let body = r#"{"grant_type":"client_credentials","client_id":1845601,"client_secret":"x"}"#;
    let told = exchange(&server, "application/JSON", body).await.json();
    let now = feedwire_core::Clock::now(&*server.clock).as_micros() / 1_000_000;
    assert_eq!(claims(&told)["exp"], now + 3_600);
    let proof = format!(
        "authorization: Bearer {}",
        told["access_token"].as_str().expect("a text")
    );
    open(&server, CHANGE, &[&proof]).await;
}

/// What an answer's token says, unproven.
fn claims(told: &Value) -> Value {
    use base64::Engine as _;
    let token = told["access_token"].as_str().expect("a text");
    let mut parts = token.split('.');
    let (claims, rest) = (parts.nth(1).expect("three parts"), parts.count());
    assert_eq!(rest, 1);
    let engine = base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let claims = engine.decode(claims).expect("base64url");
    serde_json::from_slice(&claims).expect("JSON")
}
