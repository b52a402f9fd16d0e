//! Ticks at a fixed rate through epoll, whose own timeout knows milliseconds only.

use std::os::fd::{AsRawFd as _, OwnedFd};
use std::time::Duration;

use anyhow::Context as _;
use mio::unix::SourceFd;
use mio::{Interest, Registry, Token};
use rustix::io::Errno;
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
    timerfd_settime,
};

#[derive(Debug)]
pub(super) struct Ticker {
    timer: OwnedFd,
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
        Ok(Self { timer })
    }

    /// Takes a tick: the kernel sets the timer again only once it is read.
    pub(super) fn take(&self) -> anyhow::Result<()> {
        let mut ticks = [0; size_of::<u64>()];
        match rustix::io::read(&self.timer, &mut ticks) {
            Ok(_) | Err(Errno::AGAIN) => Ok(()),
            Err(error) => Err(error).context("cannot read a timer"),
        }
    }
}
