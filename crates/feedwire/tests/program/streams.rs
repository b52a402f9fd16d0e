//! Streams from the command line: made, shown, joined by members that share them, and settled.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use rustix::process::Signal;
use serde_json::Value;
use tempfile::tempdir;

use crate::process::{Process, Server, run};

const NO_LETTERS: &str = "billing has no dead letters\n";

/// Publishes the numbers `from` to `to`, each about a subject of its own.
fn publish(server: &Server, from: u32, to: u32) {
    let event = |number| format!(r#"{{"type":"t","subject":"s{number}","data":{{"n":{number}}}}}"#);
    let events: Vec<String> = (from..=to).map(event).collect();
    let events = format!("[{}]", events.join(","));
    server.run(["publish", "orders", &events]).printed();
}

fn json(printed: &str) -> Value {
    serde_json::from_str(printed).expect("JSON")
}

/// The numbers in what a member printed, in order of size.
fn numbers<'l>(lines: impl IntoIterator<Item = &'l str>) -> Vec<u64> {
    let number = |line| json(line)["data"]["n"].as_u64().expect("a number");
    let mut numbers: Vec<_> = lines.into_iter().map(number).collect();
    numbers.sort_unstable();
    numbers
}

/// How many events of the stream `billing` are not settled.
fn lag(server: &Server) -> u64 {
    let shown = server
        .run(["stream", "show", "billing", "--json"])
        .printed();
    json(&shown)["lag"]["events"].as_u64().expect("a number")
}

/// A program that runs `script` for what it is given.
fn program(folder: &Path, script: &str) -> String {
    let path = folder.join("handle");
    fs::write(&path, format!("#!/bin/sh\n{script}\n")).expect("written");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("ours");
    path.to_str().expect("a plain path").to_owned()
}

/// A member that prints, with the options behind its name.
fn member(server: &Server, options: &[&str]) -> Process {
    server.spawn(&[&["stream", "join", "billing", "--json"], options].concat())
}

#[test]
fn a_stream_is_made_listed_shown_changed_sought_and_deleted() {
    let data = tempdir().expect("a folder");
    let server = Server::start(data.path());
    let words = server.run(["stream", "list"]).printed();
    assert_eq!(words, "no stream yet\n");
    let made = server
        .run([
            "stream",
            "create",
            "billing",
            "--feed",
            "orders",
            "--partitions",
            "4",
            "--on-failure",
            "go-on",
            "--max-deliveries",
            "never",
        ])
        .printed();
    assert!(made.contains("of           feeds orders\n"), "{made}");
    let refused = server.run(["stream", "create", "billing"]).complained(1);
    assert!(
        refused.contains("cannot make the stream billing"),
        "{refused}"
    );
    publish(&server, 1, 3);
    let listed = server.run(["stream", "list"]).printed();
    let row: Vec<_> = listed
        .lines()
        .nth(1)
        .expect("a row")
        .split_whitespace()
        .collect();
    assert_eq!(row[..3], ["billing", "explicit", "0"]);
    let change = [
        "stream",
        "change",
        "billing",
        "--members-max",
        "2",
        "--everything",
    ];
    let changed = server.run(change).printed();
    assert!(
        changed.contains("members      0 of at most 2\n"),
        "{changed}"
    );
    assert!(changed.contains("of           everything\n"), "{changed}");
    server.run(["stream", "change", "billing"]).complained(1);
    let sought = server
        .run(["stream", "seek", "billing", "--to", "2"])
        .printed();
    assert_eq!(sought, "stream billing goes on behind position 2\n");
    let rest = server.run(["stream", "join", "billing", "--json", "--limit", "1"]);
    assert_eq!(numbers(rest.printed().lines()), [3]);
    server.run(["stream", "delete", "billing"]).complained(1);
    server
        .run(["stream", "delete", "billing", "--yes"])
        .printed();
    let gone = server.run(["stream", "show", "billing"]).complained(1);
    assert!(gone.contains("cannot show the stream billing"), "{gone}");
}

#[test]
fn what_a_member_printed_before_it_was_interrupted_does_not_come_again() {
    let data = tempdir().expect("a folder");
    let server = Server::start(data.path());
    server.run(["stream", "create", "billing"]).printed();
    publish(&server, 1, 20);
    let first = member(&server, &[]);
    first.stdout.until("\"data\"");
    first.signal(Signal::INT);
    let mut printed = first.stdout.rest();
    assert!(first.ended().success());
    let rest = 20 - lag(&server);
    // The line that was waited for is one of them.
    assert_eq!(printed.len() as u64 + 1, rest);
    publish(&server, 21, 21);
    let second = member(&server, &["--limit", &(21 - rest).to_string()]);
    let others = second.stdout.rest();
    assert!(second.ended().success());
    printed.extend(others);
    let numbers = numbers(printed.iter().map(String::as_str));
    assert_eq!(numbers.len(), 20, "{numbers:?}");
    assert_eq!(lag(&server), 0);
}

#[test]
fn what_a_member_that_was_killed_had_begun_goes_to_another() {
    let data = tempdir().expect("a folder");
    let server = Server::start(data.path());
    server.run(["stream", "create", "billing"]).printed();
    publish(&server, 1, 6);
    // It reads what it is given, and is not done before it is told.
    let pipe = data.path().join("pipe");
    run(Command::new("mkfifo").arg(&pipe)).printed();
    let stuck = program(data.path(), &format!("cat; read end < {}", pipe.display()));
    let killed = server.spawn(&["stream", "join", "billing", "--", &stuck]);
    killed.stdout.until("\"data\"");
    killed.signal(Signal::KILL);
    let other = member(&server, &["--limit", "6"]);
    let printed = other.stdout.rest();
    assert_eq!(
        numbers(printed.iter().map(String::as_str)),
        [1, 2, 3, 4, 5, 6]
    );
    assert!(other.ended().success());
    fs::write(&pipe, "\n").expect("it is read");
}

#[test]
fn two_members_have_each_event_once() {
    let data = tempdir().expect("a folder");
    let server = Server::start(data.path());
    server.run(["stream", "create", "billing"]).printed();
    // Whoever has done so many leaves the rest to the other.
    let members = [(); 2].map(|()| member(&server, &["--limit", "100"]));
    publish(&server, 1, 200);
    let mut printed = Vec::new();
    for member in members {
        let lines = member.stdout.rest();
        assert_eq!(lines.len(), 100);
        printed.extend(lines);
        assert!(member.ended().success());
    }
    let numbers = numbers(printed.iter().map(String::as_str));
    assert!(numbers.into_iter().eq(1..=200));
    assert_eq!(lag(&server), 0);
}

#[test]
fn a_command_that_fails_has_its_event_again_and_in_the_end_as_a_dead_letter() {
    let data = tempdir().expect("a folder");
    let server = Server::start(data.path());
    let create = ["stream", "create", "billing", "--max-deliveries", "2"];
    server.run(create).printed();
    publish(&server, 1, 3);
    let log = data.path().join("log");
    let script = format!("tee -a {} | grep -qv '\"n\":2}}'", log.display());
    let handle = program(data.path(), &script);
    let join = [
        "stream",
        "join",
        "billing",
        "--limit",
        "2",
        "--concurrency",
        "3",
        "--",
        &handle,
    ];
    let joined = server.run(join);
    assert!(
        joined.stderr.contains("the event at position 2 is refused"),
        "{joined:?}"
    );
    joined.printed();
    // The second time it fails with nobody beside it.
    let waiting = server.spawn(&["stream", "join", "billing", "--", &handle]);
    waiting.stderr.until("the event at position 2 is refused");
    waiting.signal(Signal::INT);
    waiting.stdout.rest();
    assert!(waiting.ended().success());
    let tried = fs::read_to_string(&log).expect("it is written");
    assert_eq!(numbers(tried.lines()), [1, 2, 2, 3]);

    let list = || server.run(["stream", "dead-letters", "billing"]).printed();
    // It is put aside behind the answer to who refused it.
    let letters = std::iter::repeat_with(list)
        .find(|letters| letters != NO_LETTERS)
        .expect("it comes");
    assert!(
        letters.starts_with("position 2 sent 2 times, put aside "),
        "{letters}"
    );
    assert!(
        letters.contains("  orders  t  s2  {\"n\":2}\n"),
        "{letters}"
    );
    let again = server.run(["stream", "redrive", "billing", "2"]).printed();
    assert_eq!(again, "1 dead letter is sent again\n");
    let done = server.run(["stream", "join", "billing", "--json", "--limit", "1"]);
    assert_eq!(numbers(done.printed().lines()), [2]);
    // So is it let go of.
    std::iter::repeat_with(list)
        .find(|letters| letters == NO_LETTERS)
        .expect("it goes");
    let dropped = server.run(["stream", "drop", "billing", "--all"]).printed();
    assert_eq!(dropped, "0 dead letters are dropped\n");
}

#[test]
fn what_keeps_a_member_from_its_work_is_said() {
    let data = tempdir().expect("a folder");
    let server = Server::start(data.path());
    let missing = server.run(["stream", "join", "billing"]).complained(1);
    assert!(
        missing.contains("cannot go on as a member of billing"),
        "{missing}"
    );
    server.run(["stream", "create", "billing"]).printed();
    publish(&server, 1, 1);
    let join = ["stream", "join", "billing", "--", "/no/such/program"];
    let words = server.run(join).complained(1);
    assert!(words.contains("cannot run /no/such/program"), "{words}");
    assert_eq!(lag(&server), 1);
}
