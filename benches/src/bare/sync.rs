//! Appending to a file and `fdatasync`, one event at a time.

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;

use crate::event::Event;
use crate::histogram::Histogram;
use crate::{clock, interrupt};

/// The file is filled before, as a log preallocates its segments; then it is written over in a circle.
const FILE_BYTES: usize = 8 << 20;

/// How long one append and its sync take, over `span`.
pub(crate) fn syncs(
    folder: &Path,
    event_bytes: usize,
    span: Duration,
) -> anyhow::Result<Histogram> {
    let path = folder.join("sync");
    let file = File::create(&path).with_context(|| format!("cannot make {}", path.display()))?;
    file.write_all_at(&vec![0; FILE_BYTES], 0)?;
    file.sync_all()?;
    let event = Event::of(event_bytes).json;
    let mut histogram = Histogram::new();
    let start = clock::now();
    let mut offset = 0;
    while start.elapsed() < span {
        interrupt::check()?;
        let (written, took) = clock::time(|| {
            file.write_all_at(&event, offset)
                .and_then(|()| file.sync_data())
        });
        written.context("cannot append")?;
        histogram.record(took);
        offset = (offset + event.len() as u64) % (FILE_BYTES - event.len()) as u64;
    }
    std::fs::remove_file(path)?;
    Ok(histogram)
}
