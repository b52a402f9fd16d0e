//! `feedwire check`: what it finds in a folder.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::tempdir;

use crate::process::{Ended, Server, command, run};

fn check(data: &Path) -> Ended {
    run(command(["check"]).arg(data))
}

/// The largest file whose name ends in `extension` in or below `folder`.
fn largest(folder: &Path, extension: &str) -> PathBuf {
    let mut folders = vec![folder.to_owned()];
    let mut found = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == extension) {
                found.push((fs::metadata(&path).expect("a file").len(), path));
            }
        }
    }
    found.into_iter().max().expect("a file").1
}

#[test]
fn a_folder_that_was_closed_in_good_order_is_clean() {
    let data = tempdir().expect("a folder");
    let server = Server::start(data.path());
    server.run(["publish", "f", "--type", "t"]).printed();
    assert!(server.stop().success());
    let words = check(data.path()).printed();
    assert!(words.contains("default"), "{words}");
}

#[test]
fn what_a_crash_left_half_made_or_half_removed_is_no_project() {
    let data = tempdir().expect("a folder");
    assert!(Server::start(data.path()).stop().success());
    for name in ["half~new", "half~gone"] {
        fs::create_dir(data.path().join("projects").join(name)).expect("it is made");
    }
    let words = check(data.path()).printed();
    assert!(
        words.contains("default") && !words.contains("half"),
        "{words}"
    );
}

#[test]
fn damage_is_named_with_its_file() {
    let data = tempdir().expect("a folder");
    let server = Server::start(data.path());
    server
        .run([
            "publish",
            "f",
            "--type",
            "t",
            "--data",
            r#""a-text-to-find""#,
        ])
        .printed();
    server.run(["publish", "f", "--type", "t"]).printed();
    assert!(server.stop().success());
    let file = largest(data.path(), "seg");
    let mut bytes = fs::read(&file).expect("a segment");
    let text = b"a-text-to-find";
    let at = bytes
        .windows(text.len())
        .position(|part| part == text)
        .expect("it was published");
    bytes[at] ^= 1;
    fs::write(&file, bytes).expect("written");
    let ended = check(data.path());
    let name = file
        .file_name()
        .expect("a name")
        .to_string_lossy()
        .into_owned();
    assert!(ended.stdout.contains(&name), "{ended:#?}");
    ended.complained(1);
}

#[test]
fn a_folder_that_cannot_be_checked_is_neither_clean_nor_damaged() {
    let folder = tempdir().expect("a folder");
    let words = check(&folder.path().join("missing")).complained(2);
    assert!(words.contains("missing"), "{words}");

    let data = folder.path().join("data");
    let _server = Server::start(&data);
    let words = check(&data).complained(2);
    assert!(words.contains("another process"), "{words}");
}
