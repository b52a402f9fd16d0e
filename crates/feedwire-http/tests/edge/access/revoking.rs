//! What runs by a credential ends with it.

use std::time::Duration;

use feedwire_auth::{Created, CredentialChange};
use feedwire_event::ProjectName;
use feedwire_testkit::{PATIENCE, Setup, Socket, TestServer};
use tokio::time::timeout;

use super::bearer;

const FEED: &str = "/v1/projects/default/feeds/orders";

/// A stream, and a long poll, of whoever shows `proof`.
async fn reading(server: &TestServer, proof: &str) -> (Socket, Socket) {
    let mut stream = server.connect().await;
    stream
        .request("GET", FEED, &[proof, "accept: text/event-stream"], b"")
        .await;
    assert_eq!(stream.head().await.status, 200);
    stream.chunk().await;
    let mut poll = server.connect().await;
    let path = format!("{FEED}?after=0&wait=60s");
    let before = readers(server).await;
    poll.request("GET", &path, &[proof], b"").await;
    let waits = async {
        while readers(server).await == before {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, waits).await.expect("the poll waits");
    (stream, poll)
}

/// How many readers there are, that of the poll among them once it has begun.
async fn readers(server: &TestServer) -> u64 {
    let stats = server.core.stats().await;
    stats.projects.iter().map(|project| project.readers).sum()
}

async fn made(server: &TestServer) -> Created {
    server
        .credential("default", &[("default", "read", "")])
        .await
}

fn home() -> ProjectName {
    ProjectName::new("default").expect("a name")
}

/// The readers have ended, the poll with the reason.
async fn ended((mut stream, mut poll): (Socket, Socket), kind: &str) {
    assert_eq!(stream.rest().await, b"0\r\n\r\n", "it ends in good order");
    assert_eq!(poll.answer("GET").await.problem(), (401, kind.to_owned()));
}

#[tokio::test]
async fn revoking_disabling_and_narrowing_a_credential_end_its_readers_and_no_others() {
    let server = TestServer::guarded().await;
    let other = made(&server).await;
    let (mut stream, poll) = reading(&server, &bearer(&other.secret.token())).await;
    for how in ["revoke", "disable", "narrow", "rotate"] {
        let credential = made(&server).await;
        let key_id = credential.credential.key_id;
        let readers = reading(&server, &bearer(&credential.secret.token())).await;
        let auth = server.auth();
        match how {
            "revoke" => auth
                .revoke(&home(), key_id, None)
                .await
                .expect("it is there"),
            "rotate" => {
                let rotated = auth.rotate(&home(), key_id, Duration::ZERO, None).await;
                drop(rotated.expect("it is there"));
            }
            _ => {
                let narrow = feedwire_auth::CredentialGrant {
                    projects: home().into(),
                    allowance: std::sync::Arc::new(feedwire_core::Allowance {
                        rights: [feedwire_core::Right::Publish].into_iter().collect(),
                        feeds: Vec::new(),
                        confinement: None,
                    }),
                };
                let change = CredentialChange {
                    enabled: (how == "disable").then_some(false),
                    grants: (how == "narrow").then(|| vec![narrow]),
                    ..CredentialChange::default()
                };
                let changed = auth.change(&home(), key_id, change, None).await;
                drop(changed.expect("it is there"));
            }
        }
        ended(readers, "invalid-credential").await;
    }
    let event = r#"{"type":"still.here"}"#;
    let publisher = server
        .credential("default", &[("default", "publish", "")])
        .await;
    let path = format!("{FEED}/events");
    let token = publisher.secret.token();
    assert_eq!(
        super::ask(&server, &token, "POST", &path, event)
            .await
            .status,
        200
    );
    let chunk = stream.chunk().await.expect("it runs");
    assert!(String::from_utf8_lossy(&chunk).contains("still.here"));
    drop(poll);
}

#[tokio::test]
async fn a_token_that_expires_ends_no_reader_unless_the_server_is_set_up_so() {
    for tokens_end_readers in [false, true] {
        let server = TestServer::set_up(Setup {
            asks: feedwire_testkit::Asks::Everybody,
            tokens_end_readers,
            token_lifetime: Some(Duration::from_secs(1)),
            ..Setup::default()
        })
        .await;
        let credential = made(&server).await;
        let form = format!(
            "grant_type=client_credentials&client_id={}&client_secret={}",
            credential.credential.key_id,
            credential.secret.as_str()
        );
        let headers = ["content-type: application/x-www-form-urlencoded"];
        let answer = server
            .ask("POST", "/oauth2/token", &headers, form.as_bytes())
            .await;
        let token = answer.json()["access_token"]
            .as_str()
            .expect("a token")
            .to_owned();
        let (mut stream, poll) = reading(&server, &bearer(&token)).await;
        server.clock.advance(Duration::from_secs(2));
        let late = server.ask("GET", FEED, &[&bearer(&token)], b"").await;
        assert_eq!(late.problem(), (401, "token-expired".to_owned()));
        if tokens_end_readers {
            ended((stream, poll), "token-expired").await;
            continue;
        }
        let publisher = server
            .credential("default", &[("default", "publish", "")])
            .await;
        let path = format!("{FEED}/events");
        let event = r#"{"type":"still.here"}"#;
        let token = publisher.secret.token();
        assert_eq!(
            super::ask(&server, &token, "POST", &path, event)
                .await
                .status,
            200
        );
        let chunk = stream.chunk().await.expect("it runs");
        assert!(String::from_utf8_lossy(&chunk).contains("still.here"));
    }
}
