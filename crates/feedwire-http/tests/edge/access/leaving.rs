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
