//! What this process takes of its machine, as the kernel tells it.

use std::fs;

use feedwire_http::Process;
use rustix::process::{Resource, getrlimit};
use rustix::time::{ClockId, clock_gettime};

/// What the process takes at this moment. Where the system tells nothing of a thing, it is left out.
pub(crate) fn ask() -> Process {
    Process {
        cpu_seconds: Some(cpu_seconds()),
        resident_bytes: fs::read_to_string("/proc/self/status")
            .ok()
            .and_then(|status| resident_bytes(&status)),
        open_fds: open_fds(),
        max_fds: getrlimit(Resource::Nofile).current,
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "seconds of processors are exact for as long as a machine lives"
)]
fn cpu_seconds() -> f64 {
    let taken = clock_gettime(ClockId::ProcessCPUTime);
    taken.tv_sec as f64 + taken.tv_nsec as f64 / 1e9
}

/// Out of the line `VmRSS:     1234 kB`.
fn resident_bytes(status: &str) -> Option<u64> {
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kilobytes * 1024)
}

fn open_fds() -> Option<u64> {
    const FOLDER: &str = "/proc/self/fd";
    // Since Linux 6.2 the folder's size is their number; before that it is 0.
    match fs::metadata(FOLDER).ok()?.len() {
        // Less the one of the listing itself.
        0 => Some(fs::read_dir(FOLDER).ok()?.count().saturating_sub(1) as u64),
        number => Some(number),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_process_takes_is_told_by_the_kernel() {
        let found = ask();
        assert!(found.cpu_seconds.is_some_and(|seconds| seconds > 0.0));
        let few = found.open_fds.expect("descriptors");
        assert!((3..found.max_fds.unwrap_or(u64::MAX)).contains(&few));
        assert!(found.resident_bytes.is_some_and(|bytes| bytes > 1 << 20));
        let files: Vec<_> = (0..3).map(|_| fs::File::open("/dev/null")).collect();
        assert_eq!(open_fds(), Some(few + 3));
        drop(files);
    }

    #[test]
    fn a_status_without_memory_tells_none() {
        assert_eq!(resident_bytes("VmRSS:\t    2048 kB\n"), Some(2 << 20));
        assert_eq!(resident_bytes("Name:\tfeedwire\n"), None);
        assert_eq!(resident_bytes("VmRSS:\tmuch\n"), None);
    }
}
