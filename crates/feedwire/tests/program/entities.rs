//! Entities from the command line: put, shown, listed, followed from their states, and loaded.

use std::fs;

use serde_json::Value;
use tempfile::tempdir;

use crate::process::Server;

fn json(printed: &str) -> Value {
    serde_json::from_str(printed).expect("JSON")
}

#[test]
fn an_entity_is_put_patched_shown_and_deleted() {
    let data = tempdir().expect("a folder");
    let server = Server::start(data.path());
    let check = |arguments: &[&str], words: &str| {
        let arguments = arguments.iter().copied();
        assert_eq!(server.run(arguments).printed().trim_end(), words);
    };
    let state = r#"{"status":"departed","delay":2.50}"#;
    let ids = r#"{"tailnum":"N1"}"#;
    check(
        &["put", "planes", "N1", state, "--ids", ids],
        "created at position 1, version 1",
    );
    check(
        &["put", "planes", "N1", state, "--ids", ids],
        "unchanged, so since position 1, version 1",
    );
    check(&["get", "planes", "N1"], state);
    check(
        &[
            "put",
            "planes",
            "N1",
            r#"{"delay":null}"#,
            "--merge",
            "--if-match",
            "1",
        ],
        "updated at position 2, version 2",
    );
    let refused = server.run(["put", "planes", "N1", "{}", "--if-match", "1"]);
    let told = refused.complained(1);
    assert!(told.contains("was changed last at position 2"), "{told}");
    let whole = server.run(["get", "planes", "N1", "--whole"]).printed();
    assert_eq!(json(&whole)["ids"]["tailnum"], "N1");
    // The ids alone are a patch: a put without a state cannot be meant.
    let ids = ["put", "planes", "N1", "--ids", ids];
    server.run(ids).complained(2);
    server.run(["put", "planes", "N1", "--merge"]).complained(2);
    check(
        &[&ids[..], &["--merge"]].concat(),
        "unchanged, so since position 2, version 2",
    );
    let piped = server.run_with_input(&["put", "planes", "N2", "-"], r#"{"a":1}"#);
    assert_eq!(piped.printed(), "created at position 3, version 1\n");
    check(
        &["put", "planes", "N1", "--delete"],
        "deleted at position 4, version 3",
    );
    check(
        &["put", "planes", "N1", "--delete"],
        "unchanged: it is not there",
    );
    let gone = server.run(["get", "planes", "N1"]).complained(1);
    assert!(gone.contains("N1 is not there in planes"), "{gone}");
    let bare = server.run(["put", "planes", "N1", "[]"]).complained(1);
    assert!(bare.contains("data: a state is a JSON object"), "{bare}");
    server.run(["put", "planes"]).complained(2);
    server.run(["put", "planes", "N1"]).complained(2);
    assert!(server.stop().success());
}

#[test]
fn a_file_of_entities_is_put_listed_followed_and_loaded() {
    let data = tempdir().expect("a folder");
    let server = Server::start(data.path());
    let file = data.path().join("planes.ndjson");
    let line = |n| format!("{{\"subject\":\"N{n:04}\",\"data\":{{\"n\":{n}}}}}\n");
    let lines: String = (0..1_200).map(line).collect();
    fs::write(&file, &lines).expect("written");
    let path = file.to_str().expect("a plain path");
    let put = server.run(["put", "planes", "--file", path]).printed();
    let words =
        "put 1200: 1200 created, 0 updated, 0 unchanged, the last change at position 1200\n";
    assert_eq!(put, words);
    let again = server.run_with_input(&["put", "planes", "--file", "-", "--json"], &lines);
    assert_eq!(json(&again.printed())["unchanged"], 1_200);
    let bad = lines + "{\"subject\":\"x\",\"delay\":1}\n";
    let bad = server.run_with_input(&["put", "planes", "--file", "-"], &bad);
    let told = bad.complained(1);
    assert!(told.contains("up to line 1200 everything is put"), "{told}");
    assert!(told.contains("line 1201 column"), "{told}");
    let listed = server.run(["get", "planes", "--filter", "data.n >= 100"]);
    assert_eq!(listed.printed().lines().count(), 1_100);
    let some = server.run(["get", "planes", "--limit", "7"]).printed();
    assert_eq!(some.lines().count(), 7);
    let follow = [
        "follow", "planes", "--from", "state", "--until", "now", "--json",
    ];
    let states = server.run(follow).printed();
    assert_eq!(states.lines().count(), 1_200);
    assert!(states.lines().all(|line| json(line)["type"] == "load"));
    let load = server.run(["load", "start", "planes", "--json"]).printed();
    let load = json(&load);
    assert_eq!(
        (&load["phase"], &load["written"]),
        (&"done".into(), &1_200.into())
    );
    let id = load["id"].as_str().expect("an id");
    let shown = server.run(["load", "show", id, "--wait"]).printed();
    assert!(shown.contains("1,200 of 1,200 looked at"), "{shown}");
    let all = server.run(["load", "list"]).printed();
    assert!(all.contains(id) && all.contains("1200/1200"), "{all}");
    let cancelled = server.run(["load", "cancel", id]).printed();
    assert!(cancelled.contains("phase     done"), "{cancelled}");
    server.run(["load", "show", "none"]).complained(1);
    assert!(server.stop().success());
}
