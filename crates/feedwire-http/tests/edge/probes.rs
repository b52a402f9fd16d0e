//! What supervisors and load balancers ask.

use feedwire_http::Limits;
use feedwire_testkit::{PATIENCE, TestServer};

#[tokio::test]
async fn a_server_that_serves_is_up_and_ready_and_no_cache_may_say_so_later() {
    let server = TestServer::start().await;
    for path in ["/healthz", "/readyz"] {
        let answer = server.ask("GET", path, &[], b"").await;
        assert_eq!((answer.status, answer.text().as_str()), (200, "ok"));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert_eq!(server.ask("HEAD", path, &[], b"").await.status, 200);
        let refused = server.ask("POST", path, &[], b"").await;
        assert_eq!(refused.problem(), (405, "method-not-allowed".into()));
        assert_eq!(refused.header("allow"), Some("GET,HEAD"));
    }
}

#[tokio::test]
async fn a_server_that_stops_is_up_and_no_longer_ready() {
    let limits = Limits {
        first_request_grace: PATIENCE,
        ..Limits::default()
    };
    let server = TestServer::with(limits).await;
    // Asked over connections that were made before: a new one is no longer accepted.
    let mut probes = [server.connect().await, server.connect().await];
    server.get("feeds").await;
    server.stop();
    let mut answers = Vec::new();
    for (socket, path) in probes.iter_mut().zip(["/healthz", "/readyz"]) {
        socket.request("GET", path, &[], b"").await;
        answers.push(socket.answer("GET").await);
    }
    assert_eq!(answers[0].status, 200);
    assert_eq!(answers[1].problem(), (503, "unavailable".into()));
    assert_eq!(answers[1].header("cache-control"), Some("no-store"));
    assert_eq!(answers[1].header("retry-after"), Some("1"));
    drop(probes);
    server.stopped().await;
}

#[tokio::test]
async fn a_core_that_is_closed_is_not_ready() {
    let server = TestServer::start().await;
    server.core.close().await;
    let answer = server.ask("GET", "/readyz", &[], b"").await;
    assert_eq!(answer.problem(), (503, "unavailable".into()));
    assert_eq!(server.ask("GET", "/healthz", &[], b"").await.status, 200);
}
