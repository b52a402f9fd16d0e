//! What the machine does with nothing of ours in between.

use std::fs::{File, OpenOptions};
use std::hint::black_box;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::Duration;

use crate::report::{micros, per_second, percentiles, rate, row, table, time};

const SMALL: usize = 4 << 10;
const LARGE: usize = 256 << 10;
const SMALL_WRITES: usize = 2_000;
const LARGE_WRITES: usize = 800;
const COPIES: u64 = 64;

/// The bare limits of this machine.
#[derive(Debug)]
pub(crate) struct Limits {
    /// Median of 4 KiB written and synced, over a file that was filled before.
    pub(crate) sync: Duration,
    /// Bytes a second of 256 KiB written and synced, to a growing file.
    pub(crate) growing: f64,
    /// The same over a file that was filled before.
    pub(crate) filled: f64,
    /// Bytes a second of memory copied.
    pub(crate) memcpy: f64,
}

impl Limits {
    pub(crate) fn measure(folder: &Path) -> Self {
        let (sync, _) = percentiles(writes(folder, SMALL, SMALL_WRITES, true));
        let bytes_per_second = |filled| {
            let spans = writes(folder, LARGE, LARGE_WRITES, filled);
            per_second((LARGE * LARGE_WRITES) as u64, spans.iter().sum())
        };
        let (growing, filled) = (bytes_per_second(false), bytes_per_second(true));
        Self {
            sync,
            growing,
            filled,
            memcpy: memcpy(),
        }
    }

    pub(crate) fn print(&self) {
        table("Bare limits", &["what", "figure"]);
        row(&[
            "4 KiB write + fdatasync, filled file, p50",
            &micros(self.sync),
        ]);
        row(&[
            "256 KiB write + fdatasync, growing file",
            &format!("{}B/s", rate(self.growing)),
        ]);
        row(&[
            "256 KiB write + fdatasync, filled file",
            &format!("{}B/s", rate(self.filled)),
        ]);
        row(&["memcpy", &format!("{}B/s", rate(self.memcpy))]);
    }
}

fn writes(folder: &Path, size: usize, count: usize, filled: bool) -> Vec<Duration> {
    let path = folder.join("bare");
    let file = create(&path);
    if filled {
        let zeros = vec![0; size * count];
        file.write_all_at(&zeros, 0).expect("written");
        file.sync_all().expect("synced");
    }
    let bytes = vec![7; size];
    let one = |number: usize| {
        file.write_all_at(&bytes, (number * size) as u64)
            .expect("written");
        file.sync_data().expect("synced");
    };
    let spans = (0..count).map(|number| time(|| one(number)).1).collect();
    std::fs::remove_file(path).expect("removed");
    spans
}

fn create(path: &Path) -> File {
    let mut options = OpenOptions::new();
    options
        .create(true)
        .truncate(true)
        .read(true)
        .write(true)
        .open(path)
        .expect("a file")
}

fn memcpy() -> f64 {
    let from = vec![7_u8; 16 << 20];
    let mut to = vec![0_u8; from.len()];
    let copy = || (0..COPIES).for_each(|_| black_box(&mut to).copy_from_slice(black_box(&from)));
    let ((), span) = time(copy);
    per_second(COPIES * from.len() as u64, span)
}

/// Bytes a second of reading every segment in `folder` in pieces of 256 KiB.
pub(crate) fn pread(folder: &Path) -> f64 {
    let (total, span) = time(|| segments(folder).map(|file| read_whole(&file)).sum());
    per_second(total, span)
}

fn segments(folder: &Path) -> impl Iterator<Item = File> {
    let entries = std::fs::read_dir(folder).expect("a folder");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    let segments = paths.filter(|path| path.extension().is_some_and(|e| e == "seg"));
    segments.map(|path| File::open(path).expect("a segment"))
}

fn read_whole(file: &File) -> u64 {
    let mut buffer = vec![0; LARGE];
    let mut offset = 0;
    loop {
        let read = file.read_at(&mut buffer, offset).expect("read");
        if read == 0 {
            return offset;
        }
        offset += read as u64;
    }
}
