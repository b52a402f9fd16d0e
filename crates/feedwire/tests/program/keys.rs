//! `feedwire project` and `feedwire key`: who may do what, through the commands.

use std::fs;

use crate::home::{Home, member, text, token};
use crate::process::Server;

/// The key id and the token of a credential that is made with `options`.
fn made(server: &Server, options: &[&str]) -> (String, String) {
    let create = [&["key", "create", "--json"], options].concat();
    let printed = server.run(create).printed();
    (member(&printed, "key_id"), token(&printed))
}

fn publish(server: &Server, token: &str, feed: &str, subject: &str) -> Option<i32> {
    let publish = ["publish", feed, "--type", "t", "--subject", subject];
    server.run_as(token, &publish).code
}

/// The events of `feed` that `token` is shown.
fn read(server: &Server, token: &str, feed: &str) -> usize {
    let follow = [
        "follow", feed, "--from", "start", "--until", "now", "--json",
    ];
    server.run_as(token, &follow).printed().lines().count()
}

#[test]
fn a_credential_does_what_it_is_granted_and_no_more() {
    let home = Home::new();
    let server = home.serve(&[]);
    let (_, shop) = made(&server, &["--publish", "orders,refunds"]);
    let (_, partner) = made(&server, &["--read", "orders", "--subject", "42"]);
    let (_, admin) = made(&server, &["--admin"]);
    assert_eq!(publish(&server, &shop, "orders", "42"), Some(0));
    assert_eq!(publish(&server, &shop, "orders", "43"), Some(0));
    assert_eq!(publish(&server, &shop, "others", "42"), Some(1));
    assert_eq!(publish(&server, &partner, "orders", "42"), Some(1));
    assert_eq!(read(&server, &partner, "orders"), 1);
    assert_eq!(read(&server, &admin, "orders"), 2);
    let words = server
        .run_as(&partner, &["follow", "refunds"])
        .complained(1);
    assert!(words.contains("feedwire key show"), "{words}");
    let words = server.run_as(&partner, &["key", "list"]).complained(1);
    assert!(words.contains("admin"), "{words}");
    let words = server
        .run_as(&admin, &["project", "create", "p"])
        .complained(1);
    assert!(words.contains("hint:"), "{words}");
    let words = server.run_as("", &["feeds"]).complained(1);
    assert!(words.contains("FEEDWIRE_TOKEN"), "{words}");
    let words = server.run_as("fwk_other", &["feeds"]).complained(1);
    assert!(words.contains("--token-file"), "{words}");
}

#[test]
fn nothing_is_made_that_grants_nothing_or_more_than_it_says() {
    let home = Home::new();
    let server = home.serve(&[]);
    let refused = |options: &[&str], code, part: &str| {
        let create = [&["key", "create"], options].concat();
        let words = server.run(create).complained(code);
        assert!(words.contains(part), "{part} in {words}");
    };
    refused(&[], 1, "--read");
    refused(&["--read", "a", "--publish", "b"], 1, "the same feeds");
    refused(&["--admin", "--read", "a"], 2, "--admin");
    refused(&["--grant", "acme"], 2, "PROJECT:RIGHTS");
    refused(
        &[
            "--grant",
            r#"{"project":"default","rights":["read"],"subject":["1"]}"#,
        ],
        2,
        "subject",
    );
    refused(&["--grant", "default:write"], 1, "a right is");
    refused(&["--grant", "other:read"], 1, "not for other");
    refused(
        &["--read", "a", "--expires-in", "1month"],
        2,
        "--expires-in",
    );
    refused(
        &["--read", "a", "--expires-at", "2000-01-01T00:00:00Z"],
        1,
        "a time to come",
    );
    let list = server.run(["key", "list", "--json"]).printed();
    assert_eq!(list.trim_end(), r#"{"credentials":[],"next":null}"#);
}

#[test]
fn a_credential_that_is_revoked_ends_what_it_follows() {
    let home = Home::new();
    let server = home.serve(&[]);
    let (key_id, theirs) = made(&server, &["--read", "f"]);
    assert_eq!(publish(&server, &home.token, "f", "s"), Some(0));
    let follow = server.spawn_as(&theirs, &["follow", "f", "--from", "start"]);
    follow.stdout.until("  t  s");
    server.run(["key", "revoke", &key_id]).printed();
    let words = follow.stderr.rest().join("\n");
    assert!(words.contains("is no longer"), "{words}");
    assert_eq!(follow.ended().code(), Some(1));
    let words = server.run(["key", "revoke", &key_id]).complained(1);
    assert!(words.contains(&key_id), "{words}");
}

#[test]
fn a_secret_that_was_replaced_is_taken_for_the_overlap_alone() {
    let home = Home::new();
    let server = home.serve(&[]);
    let (key_id, first) = made(&server, &["--read", "f"]);
    let file = home.path("second.token");
    let rotate = [
        "key",
        "rotate",
        &key_id,
        "--overlap",
        "1d",
        "--write-token",
        text(&file),
    ];
    let printed = server.run(rotate).printed();
    assert!(
        printed.contains("the secret before is taken until"),
        "{printed}"
    );
    let second = fs::read_to_string(&file).expect("written");
    let second = second.trim_end();
    for token in [&first, second] {
        server
            .run_as(token, &["follow", "f", "--until", "now"])
            .printed();
    }
    let printed = server.run(["key", "rotate", &key_id, "--json"]).printed();
    for token in [&first, second] {
        let words = server.run_as(token, &["follow", "f"]).complained(1);
        assert!(words.contains("its secret is another"), "{words}");
    }
    let third = token(&printed);
    server
        .run_as(&third, &["follow", "f", "--until", "now"])
        .printed();
}

#[test]
fn a_credential_is_shown_listed_changed_and_disabled() {
    let home = Home::new();
    let server = home.serve(&[]);
    let (key_id, theirs) = made(
        &server,
        &["--name", "a meter", "--read", "f", "--label", "floor=2"],
    );
    let secret = theirs.splitn(3, '_').last().expect("a token");
    let shown = server.run(["key", "show", &key_id]).printed();
    assert!(
        shown.contains("default: read in f about subjects with floor=2"),
        "{shown}"
    );
    let listed = server.run(["key", "list"]).printed();
    assert!(
        listed.contains(&key_id) && listed.contains("a meter"),
        "{listed}"
    );
    assert!(!shown.contains(secret) && !listed.contains(secret));

    let change = ["key", "change", &key_id];
    let words = server.run(change).complained(1);
    assert!(words.contains("nothing is to change"), "{words}");
    let options = [
        "--publish",
        "f",
        "--expires-in",
        "30days",
        "--requests",
        "9",
    ];
    let changed = server.run([&change[..], &options].concat()).printed();
    assert!(changed.contains("default: publish in f"), "{changed}");
    assert!(changed.contains("9 requests a second"), "{changed}");
    assert!(
        changed.contains("a meter") && !changed.contains("never"),
        "{changed}"
    );
    let options = ["--never-expires", "--no-limits", "--email", "m@example.com"];
    let changed = server.run([&change[..], &options].concat()).printed();
    for part in [
        "expires   never",
        "limits    none",
        "m@example.com",
        "publish in f",
    ] {
        assert!(changed.contains(part), "{part} in {changed}");
    }
    server
        .run([&change[..], &["--publish", "*"]].concat())
        .printed();
    assert_eq!(publish(&server, &theirs, "f", "s"), Some(0));
    server.run(["key", "disable", &key_id]).printed();
    assert_eq!(publish(&server, &theirs, "f", "s"), Some(1));
    server.run(["key", "enable", &key_id]).printed();
    assert_eq!(publish(&server, &theirs, "f", "s"), Some(0));
}

#[test]
fn a_project_is_made_limited_and_deleted_with_its_credentials() {
    let home = Home::new();
    let server = home.serve(&[]);
    for name in ["acme", "acme.eu"] {
        server.run(["project", "create", name]).printed();
    }
    let words = server.run(["project", "create", "other.eu"]).complained(1);
    assert!(words.contains("other.eu"), "{words}");
    let shown = server.run(["project", "show", "acme.eu"]).printed();
    assert!(shown.contains("parent    acme"), "{shown}");
    let listed = server.run(["project", "list"]).printed();
    assert!(
        listed.contains("acme.eu") && listed.contains("_system"),
        "{listed}"
    );
    let limits = |options: &[&str]| {
        let limits = [&["project", "limits", "acme"], options].concat();
        server.run(limits).printed().trim_end().to_owned()
    };
    assert_eq!(limits(&[]), "none");
    assert_eq!(
        limits(&["--publish-bytes", "1MiB"]),
        "1,048,576 bytes a second to publish"
    );
    assert_eq!(limits(&["--readers", "3"]), "3 readers at one time");
    assert_eq!(limits(&["--none"]), "none");

    let (_, theirs) = made(&server, &["--project", "acme", "--admin"]);
    let as_them = |arguments: &[&str]| {
        let arguments = [arguments, &["--project", "acme"]].concat();
        server.run_as(&theirs, &arguments)
    };
    as_them(&["publish", "f", "--type", "t"]).printed();
    let delete =
        |name: &str, options: &[&str]| server.run([&["project", "delete", name], options].concat());
    let words = delete("acme", &[]).complained(1);
    assert!(words.contains("--yes"), "{words}");
    let words = delete("acme", &["--yes"]).complained(1);
    assert!(words.contains("acme"), "{words}");
    as_them(&["feeds"]).printed();
    delete("acme.eu", &["--yes"]).printed();
    let printed = delete("acme", &["--yes"]).printed();
    assert!(
        printed.contains("acme is deleted") && printed.contains("backups"),
        "{printed}"
    );
    let words = as_them(&["feeds"]).complained(1);
    assert!(words.contains("is no longer"), "{words}");
    let words = delete("acme", &["--yes"]).complained(1);
    assert!(words.contains("no such project"), "{words}");
}
