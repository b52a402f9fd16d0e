//! What a process has used: time on a core, and memory.

use std::fs;
use std::time::{Duration, Instant};

use anyhow::Context as _;

use crate::child::Child;
use crate::clock;

/// The unit of times in `/proc`; Linux has it fixed for programs whatever the kernel counts in.
const TICKS_A_SECOND: u64 = 100;

/// What a process has used until a moment.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Usage {
    /// Time on a core, its own and the kernel's for it.
    pub(crate) cpu: Duration,
}

impl Usage {
    pub(crate) fn of(pid: u32) -> anyhow::Result<Self> {
        let path = format!("/proc/{pid}/stat");
        let stat = fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))?;
        // The second field is a name in parentheses, which may hold anything.
        let (_, fields) = stat.rsplit_once(") ").context("a name in parentheses")?;
        let mut fields = fields.split(' ').skip(11);
        let mut ticks = || -> anyhow::Result<u64> {
            let field = fields.next().context("a field is missing")?;
            field.parse().context("a field is not a number")
        };
        let ticks = ticks()? + ticks()?;
        Ok(Self {
            cpu: Duration::from_millis(ticks * 1_000 / TICKS_A_SECOND),
        })
    }

    /// What this process has used.
    fn ours() -> anyhow::Result<Self> {
        Self::of(std::process::id())
    }
}

/// Bytes of memory of a process; what it shares with others counts in proportion.
pub(crate) fn memory(pid: u32) -> anyhow::Result<u64> {
    let path = format!("/proc/{pid}/smaps_rollup");
    let sums = fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))?;
    let mut lines = sums.lines();
    let line = lines.find_map(|line| line.strip_prefix("Pss:"));
    let field = line.and_then(|line| line.trim().strip_suffix(" kB"));
    let kib: u64 = field.context("no sum")?.parse().context("no number")?;
    Ok(kib * 1024)
}

/// Bytes of memory that a process has had at most since it was told to forget what it had; what it shares with others counts whole.
pub(crate) fn peak(pid: u32) -> anyhow::Result<u64> {
    let path = format!("/proc/{pid}/status");
    let status = fs::read_to_string(&path).with_context(|| format!("cannot read {path}"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let field = line.and_then(|line| line.trim().strip_suffix(" kB"));
    let kib: u64 = field.context("no peak")?.parse().context("no number")?;
    Ok(kib * 1024)
}

/// Has the peak of a process begin with what it has now.
pub(crate) fn forget_peak(pid: u32) -> anyhow::Result<()> {
    let path = format!("/proc/{pid}/clear_refs");
    fs::write(&path, "5").with_context(|| format!("cannot write {path}"))
}

/// A spell of load, from which it is told how busy server and generator were.
#[derive(Debug)]
pub(crate) struct Spell {
    start: Instant,
    server: Usage,
    generator: Usage,
}

/// Parts of a core.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shares {
    pub(crate) server: f64,
    pub(crate) generator: f64,
}

impl Spell {
    pub(crate) fn begin(server: &Child) -> anyhow::Result<Self> {
        Ok(Self {
            start: clock::now(),
            server: server.usage()?,
            generator: Usage::ours()?,
        })
    }

    pub(crate) fn end(&self, server: &Child) -> anyhow::Result<Shares> {
        let span = self.start.elapsed().as_secs_f64();
        let share = |before: Usage, after: Usage| {
            let used = after.cpu.saturating_sub(before.cpu);
            used.as_secs_f64() / span
        };
        Ok(Shares {
            server: share(self.server, server.usage()?),
            generator: share(self.generator, Usage::ours()?),
        })
    }
}
