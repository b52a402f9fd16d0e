//! Publishing while the server is away: the commands wait, send the same events again, and end when they are told to.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::process::Stdio;

use rustix::process::Signal;
use tempfile::tempdir;

use crate::process::{Process, Server, command, run};

/// The `n` of the data of every event of the feed, in order.
fn numbers(server: &Server, feed: &str) -> Vec<u64> {
    let follow = [
        "follow", feed, "--json", "--from", "start", "--until", "now",
    ];
    let number = |line: &str| {
        let event: serde_json::Value = serde_json::from_str(line).expect("JSON");
        event["data"]["n"].as_u64().expect("a number")
    };
    server.run(follow).printed().lines().map(number).collect()
}

fn line(number: u64) -> String {
    format!("{{\"type\":\"t\",\"data\":{{\"n\":{number}}}}}\n")
}

/// An address at which nobody listens any more; a server can be started there again.
fn address_of_stopped(data: &std::path::Path) -> String {
    let server = Server::start(data);
    let address = server.address.trim_start_matches("http://").to_owned();
    assert!(server.stop().success());
    address
}

fn start(command_line: &[&str], address: &str) -> Process {
    let mut command = command(command_line);
    Process::start(command.env("FEEDWIRE_SERVER", format!("http://{address}")))
}

#[test]
fn an_event_and_a_file_are_published_when_the_server_is_back() {
    let data = tempdir().expect("a folder");
    let address = address_of_stopped(data.path());
    let file = data.path().join("file.ndjson");
    fs::write(&file, (1..=3).map(line).collect::<String>()).expect("written");
    let path = file.to_str().expect("a plain path");
    let publish = start(&["publish", "one", line(1).trim_end()], &address);
    let import = start(&["import", path], &address);
    for process in [&publish, &import] {
        let words = process.stderr.until("trying again in");
        assert!(words.contains("cannot be reached"), "{words}");
    }
    let server = Server::start_with(data.path(), &["--listen", &address]);
    publish.stdout.until("published 1 event");
    import
        .stdout
        .until("imported 3 events to file in 1 batches");
    assert!(publish.ended().success() && import.ended().success());
    assert_eq!(numbers(&server, "one"), [1]);
    assert_eq!(numbers(&server, "file"), [1, 2, 3]);
}

#[test]
fn lines_that_come_one_by_one_outlive_a_restart_of_the_server() {
    let data = tempdir().expect("a folder");
    let server = Server::start(data.path());
    let address = server.address.trim_start_matches("http://").to_owned();
    let mut publish = command(["publish", "f", "-"]);
    let publish = publish
        .env("FEEDWIRE_SERVER", &server.address)
        .stdin(Stdio::piped());
    let mut publish = Process::start(publish);
    let mut stdin = publish.stdin();
    let mut write = |number| {
        let written = stdin.write_all(line(number).as_bytes());
        written.expect("it is read");
    };
    write(1);
    let until_one = ["follow", "f", "--from", "start", "--limit", "1"];
    server.run(until_one).printed();
    assert!(server.stop().success());
    write(2);
    publish.stderr.until("trying again in");
    write(3);
    let server = Server::start_with(data.path(), &["--listen", &address]);
    drop(stdin);
    publish.stdout.until("published 3 events at positions");
    assert!(publish.ended().success());
    assert_eq!(numbers(&server, "f"), [1, 2, 3]);
}

#[test]
fn one_try_is_one_try() {
    let data = tempdir().expect("a folder");
    let url = format!("http://{}", address_of_stopped(data.path()));
    let publish = ["publish", "f", "--type", "t", "--tries", "1", "--server"];
    let words = run(command(publish).arg(&url)).complained(1);
    assert!(!words.contains("trying again"), "{words}");
    assert!(words.contains("because: given up after 1 try\n"), "{words}");
    assert!(words.contains("cannot be reached"), "{words}");
}

#[test]
fn an_event_that_may_be_published_can_be_sent_again_by_its_id() {
    let silent = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}", silent.local_addr().expect("an address"));
    let publish = ["publish", "f", "--type", "t", "--tries", "2", "--server"];
    let publish = Process::start(command(publish).arg(&url));
    let mut bodies = Vec::new();
    for _ in 0..2 {
        let (mut socket, _) = silent.accept().expect("a connection");
        let mut request = Vec::new();
        while !request.ends_with(b"\"}") {
            let mut byte = [0];
            socket.read_exact(&mut byte).expect("a request");
            request.extend_from_slice(&byte);
        }
        let request = String::from_utf8(request).expect("UTF-8");
        let (_, body) = request.split_once("\r\n\r\n").expect("a body");
        bodies.push(body.to_owned());
    }
    assert_eq!(bodies[0], bodies[1]);
    let event: serde_json::Value = serde_json::from_str(&bodies[0]).expect("JSON");
    let id = event["id"].as_str().expect("an id");
    publish
        .stderr
        .until(&format!("sent again with `--id {id}`"));
    let words = "whether it was published is not known after 2 tries";
    publish.stderr.until(words);
    assert_eq!(publish.ended().code(), Some(1));
}

#[test]
fn an_interrupt_ends_a_wait_at_once_and_says_how_to_go_on() {
    let data = tempdir().expect("a folder");
    let address = address_of_stopped(data.path());
    let file = data.path().join("file.ndjson");
    fs::write(&file, line(1)).expect("written");
    let path = file.to_str().expect("a plain path");
    let import = start(&["import", path], &address);
    // The third wait is at least two seconds long.
    for _ in 0..3 {
        import.stderr.until("trying again in");
    }
    import.signal(Signal::INT);
    let words = import.stderr.until("stopped: 0 events are in");
    assert!(words.contains("--skip 0`"), "{words}");
    import.stderr.until("ended by interrupt");
    assert_eq!(import.ended().code(), Some(1));
}
