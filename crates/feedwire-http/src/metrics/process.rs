//! The process, under the names that every exporter has for it, and its build.

use std::fmt;

use feedwire_event::Timestamp;

use super::families::{Families, Family, PLAIN, bytes, number, seconds};
use crate::process::Process;

const BUILD: Family = number("feedwire_build", "Version of the program");
const CPU: Family = seconds("process_cpu", "Processor time that the process has taken");
const RESIDENT: Family = bytes("process_resident_memory", "Memory of the process in RAM");
const OPEN_FDS: Family = number("process_open_fds", "File descriptors that are open");
const MAX_FDS: Family = number("process_max_fds", "File descriptors that may be open");
const START: Family = seconds(
    "process_start_time",
    "When the server began to serve, since 1970",
);

pub(super) fn tell(
    families: &mut Families<'_>,
    process: &Process,
    started_at: Timestamp,
) -> fmt::Result {
    let one = |value: Option<u64>| value.map(|value| (PLAIN, value));
    families.info(&BUILD, &[("version", env!("CARGO_PKG_VERSION"))])?;
    families.time(&CPU, process.cpu_seconds)?;
    families.levels(&RESIDENT, one(process.resident_bytes))?;
    families.levels(&OPEN_FDS, one(process.open_fds))?;
    families.levels(&MAX_FDS, one(process.max_fds))?;
    families.levels(&START, [(PLAIN, since_1970(started_at))])
}

#[expect(
    clippy::cast_precision_loss,
    reason = "microseconds since 1970 are exact for some centuries"
)]
fn since_1970(time: Timestamp) -> f64 {
    time.as_micros() as f64 / 1e6
}
