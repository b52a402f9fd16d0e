//! Ctrl-C and SIGTERM: the benchmark ends through its ordinary way out, so that processes and folders go with it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context as _, bail};
use tokio::runtime;
use tokio::signal::unix::{SignalKind, signal};

use crate::clock;

/// The longest that anything waits before it looks whether it should end.
pub(crate) const LOOK: Duration = Duration::from_millis(100);

static ASKED: AtomicBool = AtomicBool::new(false);

/// Notes the signals from here on.
pub(crate) fn listen() -> anyhow::Result<()> {
    let runtime = runtime::Builder::new_current_thread()
        .enable_io()
        .build()
        .context("cannot listen for signals")?;
    let (mut interrupt, mut terminate) = {
        let _entered = runtime.enter();
        (
            signal(SignalKind::interrupt())?,
            signal(SignalKind::terminate())?,
        )
    };
    std::thread::spawn(move || {
        runtime.block_on(async {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
        });
        ASKED.store(true, Ordering::Relaxed);
    });
    Ok(())
}

/// Fails once the benchmark was asked to end.
pub(crate) fn check() -> anyhow::Result<()> {
    if ASKED.load(Ordering::Relaxed) {
        bail!("interrupted");
    }
    Ok(())
}

/// Waits for `span`, or until the benchmark is asked to end.
pub(crate) fn wait(span: Duration) -> anyhow::Result<()> {
    let end = clock::now() + span;
    loop {
        check()?;
        let left = end.saturating_duration_since(clock::now());
        if left.is_zero() {
            return Ok(());
        }
        std::thread::park_timeout(left.min(LOOK));
    }
}
