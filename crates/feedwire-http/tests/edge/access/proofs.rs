//! What proves who asks, and where nothing of it is told.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use feedwire_testkit::TestServer;

use super::bearer;

const FEEDS: &str = "/v1/projects/default/feeds";
const FEED: &str = "/v1/projects/default/feeds/orders";

fn basic(key_id: &str, secret: &str) -> String {
    let pair = STANDARD.encode(format!("{key_id}:{secret}"));
    format!("authorization: Basic {pair}")
}

#[tokio::test]
async fn a_credential_is_proven_by_its_token_and_by_basic_and_a_reading_by_the_address() {
    let server = TestServer::guarded().await;
    let made = server
        .credential("default", &[("default", "read", "")])
        .await;
    let token = made.secret.token().to_string();
    let status =
        async |path: &str, headers: &[&str]| server.ask("GET", path, headers, b"").await.status;
    assert_eq!(status(FEEDS, &[&bearer(&token)]).await, 200);
    let key_id = made.credential.key_id.to_string();
    assert_eq!(
        status(FEEDS, &[&basic(&key_id, made.secret.as_str())]).await,
        200
    );
    assert_eq!(status(&format!("{FEEDS}?token={token}"), &[]).await, 200);
    assert_eq!(
        status(&format!("{FEED}?limit=5&token={token}&wait=0s"), &[]).await,
        200
    );
    // Both at once may be of two.
    let both = server
        .ask(
            "GET",
            &format!("{FEEDS}?token={token}"),
            &[&bearer(&token)],
            b"",
        )
        .await;
    assert_eq!(both.problem(), (400, "invalid-parameter".to_owned()));
    let twice = server
        .ask("GET", FEEDS, &[&bearer(&token), &bearer(&token)], b"")
        .await;
    assert_eq!(twice.problem(), (400, "invalid-parameter".to_owned()));
}

#[tokio::test]
async fn an_unknown_key_and_a_wrong_secret_are_answered_alike() {
    let server = TestServer::guarded().await;
    let made = server
        .credential("default", &[("default", "read", "")])
        .await;
    let other = server
        .credential("default", &[("default", "read", "")])
        .await;
    let (known, secret) = (made.credential.key_id.to_string(), made.secret.as_str());
    let mut answers = Vec::new();
    for proof in [
        basic("aaaaaaaaaaaaaaaaaaaa", secret),
        basic(&known, other.secret.as_str()),
        basic(&known, ""),
        basic("", secret),
        bearer(&format!("fwk_{known}_{}", other.secret.as_str())),
        bearer(&format!("fwk_aaaaaaaaaaaaaaaaaaaa_{secret}")),
        bearer("fwk_"),
        bearer("eyJhbGciOiJub25lIn0.e30."),
        "authorization: Digest x".to_owned(),
        "authorization: Basic !".to_owned(),
        "authorization:".to_owned(),
    ] {
        let answer = server.ask("GET", FEEDS, &[&proof], b"").await;
        assert_eq!(answer.status, 401, "{proof}");
        let challenge = answer.header("www-authenticate").map(str::to_owned);
        answers.push((answer.text(), challenge));
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:?}");
}

#[tokio::test]
async fn an_oversize_token_is_refused_and_one_with_other_characters_too() {
    let server = TestServer::guarded().await;
    for token in ["x".repeat(5_000), "fwk_é_ü".to_owned(), "a b".to_owned()] {
        let answer = server.ask("GET", FEEDS, &[&bearer(&token)], b"").await;
        assert_eq!(answer.problem(), (401, "invalid-credential".to_owned()));
    }
    let injected = format!("{FEEDS}?token=x%0d%0aset-cookie:%20a=b");
    let answer = server.ask("GET", &injected, &[], b"").await;
    assert_eq!(answer.problem(), (401, "invalid-credential".to_owned()));
    assert!(answer.header("set-cookie").is_none());
}

#[tokio::test]
async fn a_token_in_the_address_is_told_nowhere() {
    let server = TestServer::guarded().await;
    let made = server
        .credential("default", &[("default", "read", "")])
        .await;
    let token = made.secret.token().to_string();
    for path in [
        format!("{FEED}?token={token}&limit=none"),
        format!("{FEED}?token={token}&unknown=1"),
        format!("{FEED}?token={token}x"),
        format!("/v1/projects/default/feeds/orders/events?token={token}"),
        format!("/nowhere?token={token}"),
    ] {
        let answer = server.ask("GET", &path, &[], b"").await;
        assert!(answer.status >= 400, "{path}");
        assert!(
            !answer.text().contains(made.secret.as_str()),
            "{}",
            answer.text()
        );
    }
    let admin = super::admin(&server).await;
    let metrics = server.ask("GET", "/metrics", &[&bearer(&admin)], b"").await;
    assert!(!metrics.text().contains(made.secret.as_str()));
}

#[tokio::test]
async fn a_server_that_is_open_takes_whatever_is_shown() {
    let server = TestServer::start().await;
    let answer = server
        .ask("GET", &format!("{FEED}?token=whatever&limit=1"), &[], b"")
        .await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let answer = server.ask("GET", FEEDS, &[&bearer("whatever")], b"").await;
    assert_eq!(answer.status, 200);
    let answer = server
        .ask("GET", "/v1/projects/default/credentials", &[], b"")
        .await;
    assert_eq!(answer.problem(), (404, "not-found".to_owned()));
}
