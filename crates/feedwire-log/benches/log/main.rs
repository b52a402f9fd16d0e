//! How fast the log is, each figure beside the bare limit of the same machine in the same run.
//!
//! Run by `cargo xtask bench log`. A ratio within one run can be compared with that of another; an absolute figure cannot.

mod append;
mod bare;
mod fill;
mod read;
mod recovery;
mod report;

use std::path::PathBuf;

fn main() {
    let arguments: Vec<String> = std::env::args()
        .skip(1)
        .filter(|a| a != "--bench")
        .collect();
    match &arguments[..] {
        // The child that `recovery` kills.
        [word, folder, segment_bytes] if word == "fill-until-killed" => {
            let segment_bytes = segment_bytes.parse().expect("a number from the parent");
            fill::until_killed(&PathBuf::from(folder), segment_bytes);
        }
        [] => run(),
        _ => {
            eprintln!("The benchmark of the log takes no arguments.");
            std::process::exit(2);
        }
    }
}

fn run() {
    // On the disk that is asked about: a folder for temporary files may be memory.
    let place = tempfile::Builder::new()
        .prefix("bench-log-")
        .tempdir_in(".")
        .expect("a folder");
    let bare = bare::Limits::measure(place.path());
    bare.print();
    append::run(place.path(), &bare);
    read::run(place.path());
    recovery::run(place.path());
}
