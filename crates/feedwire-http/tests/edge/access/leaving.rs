//! Whoever goes away in the middle of it.

use feedwire_testkit::{PATIENCE, TestServer};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpSocket;
use tokio::time::timeout;

use super::{admin, ask, bearer, project};

// Threads, so that it is seen while the credentials are forgotten that the client has gone.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deletion_that_is_on_record_is_carried_through_if_whoever_asked_hangs_up() {
    let server = TestServer::guarded().await;
    let admin = admin(&server).await;
    project(&server, &admin, "acme").await;
    for _ in 0..2_000 {
        server.credential("acme", &[("acme", "read", "")]).await;
    }
    let path = "/v1/projects/acme";
    let step = ask(&server, &admin, "DELETE", path, "").await.json();
    let token = step["delete_token"].as_str().expect("a token");
    let mut socket = server.connect().await;
    let proof = bearer(&admin);
    let confirmed = format!("{path}?delete_token={token}");
    socket.request("DELETE", &confirmed, &[&proof], b"").await;
    let audit = "/v1/projects/_system/feeds/_audit";
    let recorded = async {
        while !ask(&server, &admin, "GET", audit, "")
            .await
            .text()
            .contains("project.delete")
        {}
    };
    timeout(PATIENCE, recorded).await.expect("it is on record");
    drop(socket);
    let there = || async { ask(&server, &admin, "GET", path, "").await.status };
    let gone = async { while there().await != 404 {} };
    timeout(PATIENCE, gone).await.expect("the project is gone");
    assert_eq!(server.auth().count(), 1);
}

#[tokio::test]
async fn what_was_read_for_a_slow_reader_is_not_sent_once_its_credential_is_revoked() {
    const EVENTS: usize = 18;
    let server = TestServer::guarded().await;
    let admin = admin(&server).await;
    let reader = server
        .credential("default", &[("default", "read", "")])
        .await;
    // More than a connection holds, in one batch, which is read as a whole.
    let event = format!(r#"{{"type":"large","data":"{}"}}"#, "x".repeat(450_000));
    let batch = format!("[{}]", vec![event; EVENTS].join(","));
    let feed = "/v1/projects/default/feeds/f";
    let published = ask(&server, &admin, "POST", &format!("{feed}/events"), &batch).await;
    assert_eq!(published.status, 200, "{}", published.text());

    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_recv_buffer_size(256 * 1024).expect("a size");
    let mut stream = socket.connect(server.address).await.expect("it listens");
    let proof = bearer(&reader.secret.token());
    let request = format!(
        "GET {feed}?after=0 HTTP/1.1\r\nhost: localhost\r\n{proof}\r\naccept: application/x-ndjson\r\n\r\n"
    );
    stream
        .write_all(request.as_bytes())
        .await
        .expect("it is sent");
    let mut seen = Vec::new();
    while !seen.windows(5).any(|window| window == b"large") {
        let read = timeout(PATIENCE, stream.read_buf(&mut seen)).await;
        assert_ne!(read.expect("in time").expect("it is open"), 0);
    }
    let (home, key_id) = (&reader.credential.home, reader.credential.key_id);
    let revoked = server.auth().revoke(home, key_id, None).await;
    revoked.expect("it is there");
    let rest = timeout(PATIENCE, stream.read_to_end(&mut seen)).await;
    rest.expect("in time").expect("it ends in good order");
    let text = String::from_utf8_lossy(&seen);
    assert!(text.ends_with("0\r\n\r\n"), "it ends in good order");
    let sent = text.matches("\"large\"").count();
    assert!(sent < EVENTS, "all {sent} events were sent");
}

#[tokio::test]
async fn whoever_is_revoked_while_they_send_a_body_has_nothing_done_by_it() {
    let server = TestServer::guarded().await;
    let admin = admin(&server).await;
    let grant = r#"{"grants":[{"project":"default","rights":["admin"]}]}"#;
    let labels = r#"{"room":"lobby"}"#;
    let event = r#"{"type":"late"}"#;
    let json = "content-type: application/json";
    let lines = "content-type: application/x-ndjson";
    let feed = "/v1/projects/default/feeds/f";
    let events = format!("{feed}/events");
    for (method, path, content, body) in [
        ("POST", "/v1/projects/default/credentials", json, grant),
        (
            "PUT",
            "/v1/projects/default/subjects/s/labels",
            json,
            labels,
        ),
        (
            "PUT",
            "/v1/projects/default/retention",
            json,
            r#"{"age":"1d"}"#,
        ),
        ("POST", &events, json, event),
        ("POST", &events, lines, event),
        (
            "POST",
            &events,
            "ce-type: late\r\nce-specversion: 1.0\r\nce-id: 1\r\nce-source: s",
            event,
        ),
    ] {
        let made = server
            .credential("default", &[("default", "admin", "")])
            .await;
        let proof = bearer(&made.secret.token());
        let length = format!("content-length: {}", body.len());
        let (begin, end) = body.split_at(body.len() - 1);
        let mut socket = server.connect().await;
        let headers = [&proof, content, &length, "expect: 100-continue"];
        socket.request(method, path, &headers, b"").await;
        // The body is asked for once it is known who sends it.
        assert_eq!(socket.head().await.status, 100);
        socket.send(begin).await;
        let (home, key_id) = (&made.credential.home, made.credential.key_id);
        let revoked = server.auth().revoke(home, key_id, None).await;
        revoked.expect("it is there");
        socket.send(end).await;
        let answer = socket.answer(method).await;
        assert_eq!(
            answer.problem(),
            (401, "invalid-credential".to_owned()),
            "{method} {path} {content}"
        );
    }
    let page = ask(&server, &admin, "GET", &format!("{feed}?after=0"), "").await;
    assert_eq!(page.json()["events"], serde_json::json!([]));
    let kept = ask(&server, &admin, "GET", "/v1/projects/default/retention", "").await;
    assert!(!kept.text().contains("86400"), "{}", kept.text());
}

#[tokio::test]
async fn an_upload_ends_with_the_credential_that_it_was_begun_by() {
    let server = TestServer::guarded().await;
    let admin = admin(&server).await;
    let made = server
        .credential("default", &[("default", "publish", "")])
        .await;
    let proof = bearer(&made.secret.token());
    let feed = "/v1/projects/default/feeds/f";
    let headers = [
        proof.as_str(),
        "content-type: application/x-ndjson",
        "transfer-encoding: chunked",
    ];
    let mut socket = server.connect().await;
    let path = format!("{feed}/events");
    socket.request("POST", &path, &headers, b"").await;
    let line = "{\"type\":\"t\"}\n";
    let chunk = format!("{:x}\r\n{line}\r\n", line.len());
    socket.send(&chunk).await;
    let events = || async {
        let page = ask(&server, &admin, "GET", &format!("{feed}?after=0"), "").await;
        page.json()["events"].as_array().map_or(0, Vec::len)
    };
    let there = async { while events().await == 0 {} };
    timeout(PATIENCE, there).await.expect("the first is there");
    let (home, key_id) = (&made.credential.home, made.credential.key_id);
    let revoked = server.auth().revoke(home, key_id, None).await;
    revoked.expect("it is there");
    socket.send(&chunk).await;
    let answer = socket.answer("POST").await;
    assert_eq!(answer.problem(), (401, "invalid-credential".to_owned()));
    assert_eq!(events().await, 1);
}
