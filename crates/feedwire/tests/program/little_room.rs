//! A disk of which events may take no more.

use crate::home::{Home, member, token};
use crate::process::{Ended, Server};

/// Publishes an event that is larger than what a log has taken of the disk ahead.
fn publish(server: &Server, token: &str) -> Ended {
    let data = format!("\"{}\"", "x".repeat(100_000));
    let publish = [
        "publish",
        "orders",
        "--type",
        "t",
        "--subject",
        "42",
        "--tries",
        "1",
    ];
    server.run_as(token, &[&publish[..], &["--data", &data]].concat())
}

#[test]
fn where_no_event_is_taken_who_publishes_is_revoked_and_room_is_made() {
    let home = Home::new();
    let server = home.serve(&[]);
    let shop = server.run(["key", "create", "--json", "--publish", "orders"]);
    let shop = shop.printed();
    let (key, shop) = (member(&shop, "key_id"), token(&shop));
    publish(&server, &shop).printed();
    assert!(server.stop().success());

    // More than any disk has.
    let server = home.serve(&["--min-free", "1024TiB"]);
    let needed = "1048576 GiB have to stay free on the disk";
    server.process.stderr.until(needed);
    let words = publish(&server, &shop).complained(1);
    assert!(words.contains(needed), "{words}");
    let settled: [&[&str]; 4] = [
        &["key", "revoke", &key],
        &["retention", "--age", "30days"],
        &["erase", "--subject", "42", "--wait"],
        &["project", "create", "acme"],
    ];
    for command in settled {
        server.run(command).printed();
    }
    assert!(server.stop().success());

    let server = home.serve(&["--min-free", "0"]);
    let printed = publish(&server, &home.token).printed();
    assert!(printed.contains("at position 2"), "{printed}");
}
