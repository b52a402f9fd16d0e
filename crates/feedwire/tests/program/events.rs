//! Events on their way through the commands: publish, import, feeds, follow.

use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use tempfile::tempdir;

use crate::process::{Server, command};

/// `count` events, a line each, numbered from `first`.
fn lines(first: u32, count: u32) -> String {
    let mut text = String::new();
    for number in first..first + count {
        let subject = number % 7;
        writeln!(
            text,
            r#"{{"type":"t","subject":"s{subject}","data":{{"n":{number}}}}}"#
        )
        .expect("a string takes everything");
    }
    text
}

/// The `n` of the data of every event printed.
fn numbers(printed: &str) -> Vec<u64> {
    let number = |line: &str| {
        let event: serde_json::Value = serde_json::from_str(line).expect("JSON");
        event["data"]["n"].as_u64().expect("a number")
    };
    printed.lines().map(number).collect()
}

#[test]
fn events_come_back_as_they_were_published() {
    let data = tempdir().expect("a folder");
    let server = Server::start(data.path());
    let check = |arguments: &[&str], words: &str| {
        assert_eq!(server.run(arguments).printed().trim_end(), words);
    };
    check(
        &[
            "publish",
            "orders",
            "--type",
            "placed",
            "--subject",
            "4711",
            "--data",
            r#"{"n":1}"#,
        ],
        "published 1 event at position 1, version 1 of its subject",
    );
    check(
        &[
            "publish",
            "orders",
            r#"[{"type":"paid","data":{"n":2}},{"type":"sent","data":{"n":3}}]"#,
        ],
        "published 2 events at positions 2 to 3",
    );
    let file = data.path().join("two.json");
    fs::write(&file, r#"{"type":"placed","data":{"n":4}}"#).expect("written");
    check(
        &["publish", "orders", &format!("@{}", file.display())],
        "published 1 event at position 4",
    );
    let piped = server
        .run_with_input(&["publish", "orders", "-"], &lines(5, 2))
        .printed();
    assert_eq!(piped.trim_end(), "published 2 events at positions 5 to 6");

    let all = [
        "follow", "orders", "--json", "--from", "start", "--until", "now",
    ];
    assert_eq!(numbers(&server.run(all).printed()), [1, 2, 3, 4, 5, 6]);
    let some = server
        .run(all.into_iter().chain(["--types", "placed,sent"]))
        .printed();
    assert_eq!(numbers(&some), [1, 3, 4]);
    let one = server
        .run(all.into_iter().chain(["--subjects", "4711"]))
        .printed();
    assert_eq!(numbers(&one), [1]);
    let pretty = server
        .run(["follow", "orders", "--from", "start", "--limit", "1"])
        .printed();
    assert!(
        pretty.ends_with("  orders  placed  4711  {\"n\":1}\n"),
        "{pretty:?}"
    );
    let feeds = server.run(["feeds"]).printed();
    let row: Vec<_> = feeds
        .lines()
        .last()
        .expect("a row")
        .split_whitespace()
        .collect();
    assert_eq!(row, ["orders", "6", "4", "3", "6"]);
}

#[test]
fn a_live_only_event_reaches_who_follows_and_no_one_later() {
    let data = tempdir().expect("a folder");
    let server = Server::start(data.path());
    let publish = |number: &str, options: &[&str]| {
        let json = format!(r#"{{"n":{number}}}"#);
        let event = ["publish", "orders", "--type", "t", "--data", &json];
        server.run([&event, options].concat()).printed();
    };
    let follow = server.spawn(&[
        "follow", "orders", "--json", "--from", "start", "--limit", "2",
    ]);
    publish("1", &[]);
    // It is there once it has printed something.
    follow.stdout.until(r#""n":1"#);
    publish("2", &["--live-only"]);
    follow.stdout.until(r#""liveonly":true,"data":{"n":2}"#);
    assert!(follow.ended().success());
    let late = [
        "follow", "orders", "--json", "--from", "start", "--until", "now",
    ];
    assert_eq!(numbers(&server.run(late).printed()), [1]);
}

#[test]
fn an_expectation_that_does_not_hold_is_a_failure() {
    let data = tempdir().expect("a folder");
    let server = Server::start(data.path());
    let publish = |expect| {
        server.run([
            "publish",
            "f",
            "--type",
            "t",
            "--subject",
            "s",
            "--expect",
            expect,
        ])
    };
    publish("none").printed();
    let words = publish("none").complained(1);
    assert!(
        words.starts_with("feedwire: cannot publish to f\n  because: "),
        "{words}"
    );
    publish("version:1").printed();
}

#[test]
fn a_server_that_is_not_there_is_said_not_to_be() {
    let data = tempdir().expect("a folder");
    let server = Server::start(data.path());
    let address = server.address.clone();
    assert!(server.stop().success());
    let words = crate::process::run(&mut command(["feeds", "--server", &address])).complained(1);
    assert!(words.contains("cannot be reached"), "{words}");
}

#[test]
fn a_follower_goes_on_from_its_cursor_file_after_the_server_was_restarted() {
    let data = tempdir().expect("a folder");
    let cursor = data.path().join("orders.cursor");
    let cursor = cursor.to_str().expect("a plain path");
    let follow = [
        "follow",
        "orders",
        "--json",
        "--from",
        "start",
        "--limit",
        "4",
        "--cursor-file",
        cursor,
    ];
    let server = Server::start(data.path());
    for line in lines(1, 6).lines() {
        server.run(["publish", "orders", line]).printed();
    }
    assert_eq!(numbers(&server.run(follow).printed()), [1, 2, 3, 4]);
    assert!(server.stop().success());

    let server = Server::start(data.path());
    for line in lines(7, 2).lines() {
        server.run(["publish", "orders", line]).printed();
    }
    assert_eq!(numbers(&server.run(follow).printed()), [5, 6, 7, 8]);
}

#[test]
fn a_running_follower_misses_nothing_of_a_server_that_is_restarted() {
    let data = tempdir().expect("a folder");
    let server = Server::start(data.path());
    let address = server.address.trim_start_matches("http://").to_owned();
    let follow = server.spawn(&[
        "follow", "orders", "--json", "--from", "start", "--limit", "4",
    ]);
    for line in lines(1, 2).lines() {
        server.run(["publish", "orders", line]).printed();
    }
    follow.stdout.until(r#""n":2"#);
    assert!(server.stop().success());
    follow.stderr.until("trying again");

    let server = Server::start_with(data.path(), &["--listen", &address]);
    for line in lines(3, 2).lines() {
        server.run(["publish", "orders", line]).printed();
    }
    follow.stdout.until(r#""n":3"#);
    follow.stdout.until(r#""n":4"#);
    assert!(follow.ended().success());
}

#[test]
fn a_follower_ends_well_when_nobody_reads_it_any_more() {
    let data = tempdir().expect("a folder");
    let server = Server::start(data.path());
    let file = data.path().join("many.ndjson");
    // More than a pipe holds.
    fs::write(&file, lines(1, 20_000)).expect("written");
    server.run(["import".as_ref(), file.as_os_str()]).printed();
    let mut follow = command([
        "follow",
        "many",
        "--from",
        "start",
        "--server",
        &server.address,
    ]);
    let mut follow = follow.stdout(Stdio::piped()).spawn().expect("it starts");
    let mut out = BufReader::new(follow.stdout.take().expect("it is piped"));
    let mut first = String::new();
    out.read_line(&mut first).expect("a line");
    assert!(first.ends_with("{\"n\":1}\n"), "{first:?}");
    drop(out);
    assert!(follow.wait().expect("the process is ours").success());
}

#[test]
fn a_compressed_file_is_imported_in_order() {
    let data = tempdir().expect("a folder");
    let server = Server::start(data.path());
    let file = data.path().join("orders.ndjson.zst");
    let text = lines(1, 2_500);
    fs::write(
        &file,
        zstd::encode_all(text.as_bytes(), 1).expect("compressed"),
    )
    .expect("written");
    let words = server.run(["import".as_ref(), file.as_os_str()]).printed();
    assert!(
        words.starts_with("imported 2,500 events to orders in 3 batches, up to position 2500"),
        "{words}"
    );
    let all = server
        .run([
            "follow", "orders", "--json", "--from", "start", "--until", "now",
        ])
        .printed();
    assert!(numbers(&all).into_iter().eq(1..=2_500));
}

#[test]
fn an_import_that_stops_says_the_line_and_how_to_go_on() {
    let data = tempdir().expect("a folder");
    let server = Server::start(data.path());
    let file = data.path().join("orders.ndjson");
    let text = lines(1, 1_500);
    fs::write(&file, text.replace(r#""n":1234}"#, r#""n":1234]"#)).expect("written");
    let path = file.to_str().expect("a plain path");
    let words = server.run(["import", path]).complained(1);
    assert!(
        words.contains("1,000 events are in") && words.contains("--skip 1000`"),
        "{words}"
    );
    assert!(words.contains("line 1234 column "), "{words}");
    assert_eq!(words.matches("line ").count(), 1, "{words}");
    fs::write(&file, text).expect("mended");
    server.run(["import", path, "--skip", "1000"]).printed();
    let all = server
        .run([
            "follow", "orders", "--json", "--from", "start", "--until", "now",
        ])
        .printed();
    assert!(numbers(&all).into_iter().eq(1..=1_500));
}

#[test]
fn the_advice_of_an_import_can_be_run_as_it_stands() {
    let data = tempdir().expect("a folder");
    let server = Server::start(data.path());
    let file = data.path().join("it's $HOME.ndjson");
    fs::write(&file, "{\"type\":\"t\"}\n{}\n").expect("written");
    let options = ["--feed", "orders"];
    let words = [&["import", file.to_str().expect("plain")], &options[..]].concat();
    let words = server.run(words).complained(1);
    let advice = words.split('`').nth(1).expect("a command");
    fs::write(&file, "{\"type\":\"t\"}\n{\"type\":\"t\"}\n").expect("mended");
    let script = advice.replacen("feedwire", "\"$0\"", 1);
    let mut shell = std::process::Command::new("sh");
    let shell = shell.args(["-c", &script, env!("CARGO_BIN_EXE_feedwire")]);
    crate::process::run(shell).printed();
    let feeds = server.run(["feeds", "--json"]).printed();
    assert!(feeds.contains(r#""name":"orders""#), "{feeds}");
}

#[test]
fn lines_that_are_refused_can_be_left_out_of_an_import() {
    let data = tempdir().expect("a folder");
    let server = Server::start(data.path());
    let file = data.path().join("orders.ndjson");
    let text = lines(1, 1_500)
        .replace(r#""n":7}"#, r#""n":7]"#)
        .replace(r#"{"n":1500}}"#, "");
    fs::write(&file, text).expect("written");
    let path = file.to_str().expect("a plain path");
    let words = server.run(["import", path, "--skip-bad"]).complained(1);
    assert!(
        words.contains("line 7 column ") && words.contains("line 1500 column "),
        "{words}"
    );
    assert!(words.contains("2 refused lines were left out"), "{words}");
    let all = server
        .run([
            "follow", "orders", "--json", "--from", "start", "--until", "now",
        ])
        .printed();
    let good = (1..1_500).filter(|number| *number != 7);
    assert!(numbers(&all).into_iter().eq(good));
}

#[test]
fn a_cursor_file_that_cannot_be_kept_or_read_is_named_before_anything_is_printed() {
    let data = tempdir().expect("a folder");
    let server = Server::start(data.path());
    server.run(["publish", "f", "--type", "t"]).printed();
    let check = |name: &str, reason: &str| {
        let file = data.path().join(name);
        let path = file.to_str().expect("a plain path");
        let ended = server.run([
            "follow",
            "f",
            "--from",
            "start",
            "--limit",
            "1",
            "--cursor-file",
            path,
        ]);
        assert_eq!(ended.stdout, "");
        let words = ended.complained(1);
        assert!(words.contains(path) && words.contains(reason), "{words}");
    };
    check("missing/f.cursor", "cannot keep the cursor file");
    for (junk, reason) in [
        (&b"two words"[..], "does not hold a cursor"),
        (b"\xff\xfe", "does not hold a cursor"),
        (b"banana", "no cursor of this server"),
    ] {
        fs::write(data.path().join("f.cursor"), junk).expect("written");
        check("f.cursor", reason);
    }
}

#[test]
fn an_event_with_a_number_that_no_float_holds_does_not_stop_its_readers() {
    let data = tempdir().expect("a folder");
    let server = Server::start(data.path());
    let events = r#"[{"type":"t","x":1e400,"data":{"n":1}},{"type":"t","data":{"n":2}}]"#;
    server.run(["publish", "f", events]).printed();
    let follow = ["follow", "f", "--from", "start", "--until", "now", "--json"];
    let printed = server.run(follow).printed();
    assert!(printed.contains(r#""x":1e400"#), "{printed}");
    assert_eq!(printed.lines().count(), 2);
}

#[test]
fn the_server_and_the_project_are_named_before_the_command_too() {
    let data = tempdir().expect("a folder");
    let server = Server::start(data.path());
    let address = &server.address;
    let mut feeds = command(["--server", address, "--project", "default", "feeds"]);
    let words = crate::process::run(&mut feeds).printed();
    assert!(words.contains("no feed yet"), "{words}");
}
