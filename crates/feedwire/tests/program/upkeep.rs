//! Keeping and letting go through the commands: retention, erase.

use tempfile::tempdir;

use crate::process::{Server, command, run};

/// What the feed `feed` holds, a line each.
fn all(server: &Server, feed: &str) -> Vec<String> {
    let follow = [
        "follow", feed, "--json", "--from", "start", "--until", "now",
    ];
    let printed = server.run(follow).printed();
    printed.lines().map(str::to_owned).collect()
}

#[test]
fn a_retention_is_shown_set_and_kept_over_a_restart() {
    let data = tempdir().expect("a folder");
    let server = Server::start(data.path());
    let check = |server: &Server, options: &[&str], words: &str| {
        let arguments = [&["retention"], options].concat();
        assert_eq!(server.run(arguments).printed().trim_end(), words);
    };
    check(&server, &[], "everything is kept");
    check(
        &server,
        &["--age", "30days", "--bytes", "10KiB"],
        "events are kept for 30d, of them the newest 10,240 bytes",
    );
    assert!(server.stop().success());

    let server = Server::start(data.path());
    check(&server, &["--json"], r#"{"age":"30d","bytes":10240}"#);
    check(&server, &["--age", "36h"], "events are kept for 1d 12h");
    check(&server, &["--keep-all"], "everything is kept");
}

#[test]
fn a_retention_that_cannot_be_meant_is_refused() {
    let data = tempdir().expect("a folder");
    let server = Server::start(data.path());
    let words = server.run(["retention", "--age", "1month"]).complained(1);
    assert!(words.contains("age: it has to be a span"), "{words}");
    let words = server.run(["retention", "--bytes", "much"]).complained(2);
    assert!(words.contains("--bytes"), "{words}");
    let both = ["retention", "--keep-all", "--age", "1d"];
    server.run(both).complained(2);
}

#[test]
fn an_erased_subject_is_gone_and_its_receipt_stays() {
    let data = tempdir().expect("a folder");
    let server = Server::start(data.path());
    let events =
        r#"[{"type":"t","subject":"a"},{"type":"t","subject":"b"},{"type":"t","subject":"a"}]"#;
    for feed in ["orders", "payments"] {
        server.run(["publish", feed, events]).printed();
    }
    let erase = [
        "erase",
        "--subject",
        "a",
        "--feed",
        "orders",
        "--wait",
        "--json",
    ];
    let printed = server.run(erase).printed();
    let receipt: serde_json::Value = serde_json::from_str(&printed).expect("JSON");
    assert_eq!(
        (
            &receipt["subject"],
            &receipt["feed"],
            &receipt["through"],
            &receipt["events"]
        ),
        (&"a".into(), &"orders".into(), &6.into(), &2.into())
    );
    assert!(receipt["erased_at"].is_string(), "{printed}");
    assert_eq!(all(&server, "orders").len(), 1);
    assert_eq!(all(&server, "payments").len(), 3);
    assert!(server.stop().success());

    let server = Server::start(data.path());
    let id = receipt["id"].as_str().expect("an id");
    let words = server.run(["erase", "--receipt", id]).printed();
    assert!(
        words.contains(id) && words.contains(", 2 events"),
        "{words}"
    );
    assert!(words.contains("backups"), "{words}");
    assert_eq!(all(&server, "orders").len(), 1);
}

#[test]
fn an_erasure_names_what_is_to_go() {
    let words = run(&mut command(["erase"])).complained(2);
    assert!(words.contains("--subject"), "{words}");
    let data = tempdir().expect("a folder");
    let server = Server::start(data.path());
    let words = server.run(["erase", "--feed", "_all"]).complained(1);
    assert!(words.contains("feed: a name does not start"), "{words}");
    let words = server.run(["erase", "--receipt", "other"]).complained(1);
    assert!(words.contains("no erasure of this id"), "{words}");
}
