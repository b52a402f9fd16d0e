//! What a process has used: time on a core, and memory.

use std::fs;
use std::time::Duration;

use anyhow::Context as _;

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
    pub(crate) fn ours() -> anyhow::Result<Self> {
        Self::of(std::process::id())
    }
}
