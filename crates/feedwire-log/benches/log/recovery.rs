//! Opening 1 GiB that was not closed.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use feedwire_log::check::check;
use feedwire_log::{Log, Options};

use crate::bare::pread;
use crate::report::{per_second, rate, row, table, time};

pub(crate) fn run(place: &Path) {
    let columns = ["1 GiB after `kill -9`", "time", "bytes/s", "of bare pread"];
    table("Recovery", &columns);
    let segments = [
        ("segments of 64 MiB, open", 64 << 20),
        ("one segment of 1 GiB, open", 1 << 30),
    ];
    for (what, segment_bytes) in segments {
        let folder = place.join("recovery");
        let last = fill_and_kill(&folder, segment_bytes);
        let raw = pread(&folder);
        let options = Options {
            segment_bytes,
            ..Options::default()
        };
        let (log, span) = time(|| Log::open(&folder, options).expect("recovered"));
        assert_eq!(log.bounds().last, last);
        let size = log.size_bytes();
        let print = |what: &str, span| {
            let speed = per_second(size, span);
            row(&[
                what,
                &format!("{span:.2?}"),
                &format!("{}B", rate(speed)),
                &format!("{:.2}", speed / raw),
            ]);
        };
        print(what, span);
        log.close().expect("closed");
        let (report, span) = time(|| check(&folder).expect("checked"));
        assert!(report.findings.is_empty());
        print(&what.replace("open", "check every byte"), span);
        std::fs::remove_dir_all(folder).expect("removed");
    }
}

/// Lets a child fill a log and kills it; returns the last position that it acknowledged.
fn fill_and_kill(folder: &Path, segment_bytes: u32) -> u64 {
    let this = std::env::current_exe().expect("this program");
    let arguments = ["fill-until-killed".as_ref(), folder.as_os_str()];
    let mut command = Command::new(this);
    command
        .args(arguments)
        .arg(segment_bytes.to_string())
        .stdout(Stdio::piped());
    let mut child = command.spawn().expect("a child");
    let mut line = String::new();
    let output = child.stdout.take().expect("it is piped");
    BufReader::new(output)
        .read_line(&mut line)
        .expect("the last position");
    child.kill().expect("killed");
    child.wait().expect("gone");
    line.trim().parse().expect("a position")
}
