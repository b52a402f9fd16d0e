//! `feedwire demo`: what a newcomer sees first.

use std::fs;

use rustix::process::Signal;
use tempfile::tempdir;

use crate::process::{Process, command, run};

#[test]
fn the_demo_publishes_real_events_and_leaves_nothing_behind() {
    let folder = tempdir().expect("a folder");
    let demo = Process::start(command(["demo", "--rate", "200"]).env("TMPDIR", folder.path()));
    let line = demo.stdout.until("Feedwire serves http://");
    let address = line
        .split_whitespace()
        .nth(2)
        .expect("an address")
        .trim_end_matches('.');
    let follow = [
        "follow", "_all", "--limit", "20", "--json", "--server", address,
    ];
    assert!(run(&mut command(follow)).printed().lines().count() >= 20);
    let feeds = run(&mut command(["feeds", "--server", address])).printed();
    assert!(
        feeds.contains("flights") && feeds.contains("weather"),
        "{feeds}"
    );
    assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 1);
    demo.signal(Signal::INT);
    assert!(demo.ended().success());
    assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 0);
}
