//! Ticks at a fixed rate through epoll, whose own timeout knows milliseconds only.

use std::os::fd::{AsRawFd as _, OwnedFd};
use std::time::Duration;

use anyhow::Context as _;
use mio::unix::SourceFd;
use mio::{Interest, Registry, Token};
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
    timerfd_settime,
};

/// A timer; it is never read, for each tick is an edge of its own.
#[derive(Debug)]
pub(super) struct Ticker {
    _timer: OwnedFd,
}

impl Ticker {
    pub(super) fn start(
        interval: Duration,
        registry: &Registry,
        token: Token,
    ) -> anyhow::Result<Self> {
        let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
        let timer = timerfd_create(TimerfdClockId::Monotonic, flags).context("no timer")?;
        let interval = Timespec {
            tv_sec: interval.as_secs().try_into()?,
            tv_nsec: interval.subsec_nanos().into(),
        };
        let spec = Itimerspec {
            it_interval: interval,
            it_value: interval,
        };
        timerfd_settime(&timer, TimerfdTimerFlags::empty(), &spec).context("cannot set a timer")?;
        registry.register(&mut SourceFd(&timer.as_raw_fd()), token, Interest::READABLE)?;
        Ok(Self { _timer: timer })
    }
}
