//! The thread that applies heads to the store in the background.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

use crate::heads::Heads;

/// How often what was submitted is merged; in between, it is held batch by batch.
const MERGE_INTERVAL: Duration = Duration::from_millis(100);
/// After this many merges the heads are written: a subject that is written all the time costs the store one write in
/// some seconds, and a crash as many seconds of log that are read again.
const MERGES_PER_WRITE: u32 = 50;
/// Heads that are not in the store, beyond which they are written at once; each takes some 100 bytes.
pub(crate) const WAITING_MAX: usize = 1 << 20;
/// Beyond this many an append first writes them itself.
pub(crate) const WAITING_FULL: usize = 2 * WAITING_MAX;

/// Applies the heads of the projects that call it.
#[derive(Debug)]
pub(crate) struct Applier {
    calls: Arc<Calls>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// How projects call the applier.
#[derive(Debug, Default)]
pub(crate) struct Calls {
    state: Mutex<State>,
    called: Condvar,
    /// Heads that are not in the store, of all projects.
    pub(crate) waiting: Arc<AtomicUsize>,
}

#[derive(Debug, Default)]
struct State {
    heads: Vec<Arc<Heads>>,
    stopped: bool,
}

impl Calls {
    /// Has `heads` applied some time later.
    pub(crate) fn call(&self, heads: &Arc<Heads>) {
        let mut state = self.state.lock();
        state.heads.push(Arc::clone(heads));
        self.called.notify_one();
    }

    /// Whether there are heads to be applied of which nothing was taken up yet.
    #[cfg(test)]
    pub(crate) fn are_there(&self) -> bool {
        !self.state.lock().heads.is_empty()
    }
}

impl Applier {
    pub(crate) fn start() -> std::io::Result<Self> {
        let calls = Arc::new(Calls::default());
        let thread = thread::Builder::new().name("feedwire-heads".to_owned());
        let run = Arc::clone(&calls);
        let thread = thread.spawn(move || run.run())?;
        Ok(Self {
            calls,
            thread: Mutex::new(Some(thread)),
        })
    }

    pub(crate) fn calls(&self) -> &Arc<Calls> {
        &self.calls
    }

    /// Ends the thread. What it has not written is read from the logs when they are opened again.
    pub(crate) fn stop(&self) {
        self.calls.state.lock().stopped = true;
        self.calls.called.notify_one();
        if let Some(thread) = self.thread.lock().take() {
            thread.join().expect("the applier does not panic");
        }
    }
}

impl Calls {
    fn run(&self) {
        let mut behind: Vec<Arc<Heads>> = Vec::new();
        let mut merges = 0;
        while let Some(called) = self.wait(!behind.is_empty()) {
            for heads in called {
                if heads.merge() {
                    self.call(&heads);
                }
                if !behind.iter().any(|other| Arc::ptr_eq(other, &heads)) {
                    behind.push(heads);
                }
            }
            merges += 1;
            if merges >= MERGES_PER_WRITE || self.waiting.load(Ordering::Relaxed) > WAITING_MAX {
                // What cannot be written now stays where it is, and an append that finds too much of it is told why.
                behind.retain(|heads| heads.apply().is_err());
                merges = 0;
            }
        }
    }

    /// Waits until there is something to do; `None` once it is stopped.
    fn wait(&self, behind: bool) -> Option<Vec<Arc<Heads>>> {
        let mut state = self.state.lock();
        while state.heads.is_empty() && !behind && !state.stopped {
            self.called.wait(&mut state);
        }
        if !state.stopped {
            self.called
                .wait_while_for(&mut state, |state| !state.stopped, MERGE_INTERVAL);
        }
        (!state.stopped).then(|| std::mem::take(&mut state.heads))
    }
}
