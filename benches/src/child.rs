//! A process that is measured: started on its core, waited for until it serves, ended when dropped.

use std::ffi::OsString;
use std::io::{BufRead as _, BufReader, Read};
use std::process::{Child as Process, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::Duration;

use anyhow::{Context as _, bail};

use crate::clock;
use crate::interrupt;
use crate::usage::{self, Usage};

/// Longest wait until a program says that it serves.
const READY_WAIT: Duration = Duration::from_secs(30);

/// Lines that are kept until somebody looks; what a program prints beyond that is passed over.
const LINES_MAX: usize = 1_000;

/// Where a program says that it serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Says {
    Out,
    Error,
}

#[derive(Debug)]
pub(crate) struct Child {
    process: Process,
    lines: Receiver<String>,
}

impl Child {
    /// Starts `command`, its program first, on `core`.
    pub(crate) fn start(core: usize, command: Vec<OsString>, says: Says) -> anyhow::Result<Self> {
        let ourselves = std::env::current_exe().context("cannot find this program")?;
        let name = command.first().cloned().unwrap_or_default();
        let mut launch = Command::new(ourselves);
        launch
            .args(["launch", "--core", &core.to_string(), "--"])
            .args(command);
        launch.stdin(Stdio::null());
        match says {
            Says::Out => launch.stdout(Stdio::piped()),
            Says::Error => launch.stdout(Stdio::null()).stderr(Stdio::piped()),
        };
        let mut process = launch
            .spawn()
            .with_context(|| format!("cannot start {}", name.display()))?;
        let lines = match says {
            Says::Out => process.stdout.take().map(lines),
            Says::Error => process.stderr.take().map(lines),
        };
        let lines = lines.context("nothing was piped")?;
        Ok(Self { process, lines })
    }

    /// The first line that has `part` in it.
    pub(crate) fn until(&self, part: &str) -> anyhow::Result<String> {
        let deadline = clock::now() + READY_WAIT;
        let mut last = String::new();
        while clock::now() < deadline {
            interrupt::check()?;
            match self.lines.recv_timeout(interrupt::LOOK) {
                Ok(line) if line.contains(part) => return Ok(line),
                Ok(line) => last = line,
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    bail!("the program ended before it said {part:?}; its last line: {last:?}")
                }
            }
        }
        bail!("the program did not say {part:?} in time; its last line: {last:?}")
    }

    /// Bytes of memory that it has now.
    pub(crate) fn memory(&self) -> anyhow::Result<u64> {
        usage::memory(self.process.id())
    }

    /// Bytes of memory that it has had at most since [`Self::forget_peak`].
    pub(crate) fn peak(&self) -> anyhow::Result<u64> {
        usage::peak(self.process.id())
    }

    /// Has the peak begin with what it has now; tells that.
    pub(crate) fn forget_peak(&self) -> anyhow::Result<u64> {
        usage::forget_peak(self.process.id())?;
        self.peak()
    }

    /// What it has used until now.
    pub(crate) fn usage(&self) -> anyhow::Result<Usage> {
        Usage::of(self.process.id())
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

/// Lines as they come, without ever holding the program up.
fn lines(source: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = sync_channel(LINES_MAX);
    std::thread::spawn(move || {
        for line in BufReader::new(source).lines().map_while(Result::ok) {
            drop(sender.try_send(line));
        }
    });
    receiver
}
