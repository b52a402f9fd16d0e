//! Connectors from the command line, and the receiver of this machine that they push to.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use rustix::process::Signal;
use serde_json::Value;
use tempfile::tempdir;

use crate::process::{Process, Server, command};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
/// Nobody listens there, and nothing can be asked of it.
const NOWHERE: &str = "https://receiver.invalid/";

/// A server that pushes to this machine.
fn server(data: &std::path::Path) -> Server {
    let options = [
        "--listen",
        "127.0.0.1:0",
        "--push-allow-network",
        "127.0.0.0/8",
        "--push-allow-http",
    ];
    Server::start_with(data, &options)
}

/// A receiver with these options, and its URL.
fn receiver(options: &[&str]) -> (Process, String) {
    let listening = Process::start(command(["listen"]).args(options));
    let line = listening.stderr.until("listening at ");
    let (_, url) = line.rsplit_once(' ').expect("a whole line");
    let url = url.to_owned();
    (listening, url)
}

fn json(line: &str) -> Value {
    serde_json::from_str(line).expect("JSON")
}

#[test]
fn a_connector_is_made_listed_shown_changed_paused_and_deleted() {
    let data = tempdir().expect("a folder");
    let server = server(data.path());
    let words = server.run(["connector", "list"]).printed();
    assert_eq!(words, "no connector yet\n");
    let headers = data.path().join("headers");
    fs::write(&headers, "X-Key: hunter2\n").expect("written");
    let headers = headers.to_str().expect("a plain path");
    let kept = data.path().join("secret");
    let secret = kept.to_str().expect("a plain path");
    let create = [
        "connector",
        "create",
        "billing",
        NOWHERE,
        "--feed",
        "orders",
        "--paused",
        "--headers-file",
        headers,
        "--write-secret",
        secret,
    ];
    let made = server.run(create).printed();
    for line in ["of            feeds orders\n", "headers       x-key\n"] {
        assert!(made.contains(line), "{made}");
    }
    assert!(!made.contains("whsec_"), "{made}");
    let metadata = fs::metadata(&kept).expect("it is there");
    assert_eq!(metadata.permissions().mode() & 0o777, 0o600);
    let text = fs::read_to_string(&kept).expect("it is ours");
    assert!(text.starts_with("whsec_"));
    let refused = server.run(["connector", "create", "billing", NOWHERE]);
    let refused = refused.complained(1);
    let cannot = "cannot make the connector billing";
    assert!(refused.contains(cannot), "{refused}");
    let listed = server.run(["connector", "list"]).printed();
    let row = listed.lines().nth(1).expect("a row");
    assert!(row.starts_with("billing    paused "), "{listed}");
    let change = [
        "connector",
        "change",
        "billing",
        "--everything",
        "--timeout",
        "500ms",
        "--remove-header",
        "x-key",
    ];
    let changed = server.run(change).printed();
    for line in ["of            everything\n", "timeout       500ms\n"] {
        assert!(changed.contains(line), "{changed}");
    }
    assert!(!changed.contains("x-key"), "{changed}");
    server.run(["connector", "change", "billing"]).complained(1);
    let resumed = server.run(["connector", "resume", "billing"]).printed();
    assert_eq!(resumed, "connector billing goes on\n");
    let paused = server.run(["connector", "pause", "billing"]).printed();
    assert_eq!(paused, "connector billing waits\n");
    let shown = server.run(["connector", "show", "billing", "--json"]);
    assert_eq!(json(&shown.printed())["state"], "paused");
    let letters = server.run(["connector", "letters", "billing"]).printed();
    assert_eq!(letters, "billing has no dead letters\n");
    server.run(["connector", "delete", "billing"]).complained(1);
    let deleted = server.run(["connector", "delete", "billing", "--yes"]);
    let words = "connector billing is deleted, with its stream and its dead letters\n";
    assert_eq!(deleted.printed(), words);
    let gone = server.run(["connector", "show", "billing"]).complained(1);
    assert!(gone.contains("cannot show the connector billing"), "{gone}");
}

#[test]
fn a_receiver_on_this_machine_prints_what_is_pushed_and_whether_it_is_signed() {
    let data = tempdir().expect("a folder");
    let server = server(data.path());
    let file = data.path().join("secret");
    fs::write(&file, SECRET).expect("written");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).expect("ours");
    let file = file.to_str().expect("a plain path");
    let (receiver, url) = receiver(&["--secret-file", file]);
    let create = ["connector", "create", "c", &url, "--secret-file", file];
    let made = server.run(create).printed();
    assert!(!made.contains("whsec_"), "{made}");
    let event = r#"{"type":"order.placed","subject":"a","data":{"n":1}}"#;
    server.run(["publish", "orders", event]).printed();
    receiver
        .stdout
        .until("POST /, answered with 200, signature good");
    receiver.stdout.until("  webhook-id: evt_");
    receiver.stdout.until(r#""type": "order.placed""#);
    let tried = server.run(["connector", "test", "c"]).printed();
    assert!(tried.contains(" test answered with 200 in "), "{tried}");
    receiver.stdout.until("signature good");
    let rotated = server.run(["connector", "secret", "c", "--overlap", "0s"]);
    let rotated = rotated.printed();
    assert!(rotated.contains("secret        whsec_"), "{rotated}");
    server.run(["connector", "test", "c"]).printed();
    receiver.stdout.until("signature WRONG");
    let all = server.run(["connector", "deliveries", "c", "--json"]);
    let all = json(&all.printed());
    assert_eq!(all["deliveries"].as_array().expect("a list").len(), 3);
    receiver.signal(Signal::INT);
    receiver.stdout.rest();
    assert!(receiver.ended().success());
}

#[test]
fn a_receiver_that_refuses_shows_what_becomes_of_that() {
    let data = tempdir().expect("a folder");
    let server = server(data.path());
    let (refusing, url) = receiver(&["--status", "410", "--json"]);
    let create = ["connector", "create", "c", &url];
    let made = server.run(create).printed();
    assert!(made.contains("secret        whsec_"), "{made}");
    server
        .run(["publish", "orders", r#"{"type":"t"}"#])
        .printed();
    let line = json(&refusing.stdout.until("\"status\":410"));
    assert_eq!(line["body"]["type"], "t");
    assert_eq!(line["signature"], "not verified, for there is no secret");
    let show = || server.run(["connector", "show", "c"]).printed();
    let shown = std::iter::repeat_with(show)
        .find(|shown| shown.contains("state         disabled since "))
        .expect("it comes");
    assert!(shown.contains("410"), "{shown}");
    // What fails to be delivered ends the command with 1, with what came of it on stdout.
    let tried = server.run(["connector", "test", "c"]);
    assert!(tried.stdout.contains("answered with 410"), "{tried:?}");
    tried.complained(1);
    refusing.signal(Signal::INT);
    refusing.stdout.rest();
    assert!(refusing.ended().success());
}

#[test]
fn what_was_pushed_is_pushed_once_more() {
    let data = tempdir().expect("a folder");
    let server = server(data.path());
    let (first, url) = receiver(&["--json"]);
    server.run(["connector", "create", "c", &url]).printed();
    server
        .run(["publish", "orders", r#"{"type":"t"}"#])
        .printed();
    first.stdout.until("\"type\":\"t\"");
    let (second, url) = receiver(&["--json"]);
    let replay = [
        "connector",
        "replay",
        "c",
        "--from",
        "start",
        "--url",
        &url,
        "--as",
        "again",
    ];
    let made = server.run(replay).printed();
    assert!(
        made.contains("replay        of c, up to position 1\n"),
        "{made}"
    );
    second.stdout.until("\"type\":\"t\"");
    for receiver in [first, second] {
        receiver.signal(Signal::INT);
        receiver.stdout.rest();
        assert!(receiver.ended().success());
    }
}

#[test]
fn a_server_that_lets_nothing_in_pushes_to_no_address_of_this_machine() {
    let data = tempdir().expect("a folder");
    let server = Server::start(data.path());
    for url in ["http://127.0.0.1:9/", "https://127.0.0.1:9/"] {
        let words = server.run(["connector", "create", "c", url]).complained(1);
        assert!(words.contains("--push-allow-"), "{words}");
    }
}

#[test]
fn what_is_no_secret_is_said_without_it() {
    let folder = tempdir().expect("a folder");
    let file = folder.path().join("secret");
    fs::write(&file, "hunter2").expect("written");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).expect("ours");
    let run = crate::process::run(command(["listen", "--secret-file"]).arg(&file));
    let words = run.complained(1);
    assert!(
        words.contains("whsec_") && !words.contains("hunter2"),
        "{words}"
    );
    let status = crate::process::run(&mut command(["listen", "--status", "700"]));
    status.complained(2);
}
