//! States on their way into a stream, before the events that follow them.

use std::vec;

use feedwire_core::entities::{Snapshot, StateCursor};
use feedwire_core::{Delivered, read};
use feedwire_dialects::Unreadable;
use feedwire_dialects::state_framing::{self, StateFraming};
use feedwire_engine::{Limit, Record};

/// What is read of states, and how it is sent.
#[derive(Debug)]
pub(crate) struct States {
    snapshot: Snapshot,
    framing: StateFraming,
    /// Where the client stands.
    sent: StateCursor,
}

impl States {
    pub(crate) fn new(snapshot: Snapshot, framing: StateFraming) -> Self {
        let sent = snapshot.cursor();
        Self {
            snapshot,
            framing,
            sent,
        }
    }

    pub(crate) fn open(&self, out: &mut Vec<u8>) {
        self.framing.open(&self.sent, out);
    }

    /// The next ones; `None` where there are no more. All before were sent. Cancel safe.
    pub(crate) async fn next(&mut self, limit: Limit) -> Result<Option<Vec<Record>>, read::Error> {
        self.snapshot.next(limit).await
    }

    /// Appends of the states that are `ready` as many as `frame_bytes` have room for.
    pub(crate) fn send(
        &mut self,
        ready: &mut vec::IntoIter<Delivered>,
        frame_bytes: usize,
        out: &mut Vec<u8>,
    ) -> Result<(), Unreadable> {
        if ready.len() > 1 {
            out.reserve(frame_bytes);
        }
        let start = self.snapshot.start();
        let mut last = None;
        while let Some(state) = ready.as_slice().first().filter(|_| out.len() < frame_bytes) {
            self.framing.state(start, state.record(), out)?;
            last = ready.next();
        }
        let Some(last) = last else {
            return Ok(());
        };
        let come_to = if ready.len() == 0 {
            self.snapshot.cursor()
        } else {
            self.sent.clone()
        };
        self.sent = state_framing::reached(come_to, Some(last.record()));
        self.framing.place(&self.sent, out);
        Ok(())
    }

    /// Appends where it stands: everything before was sent.
    pub(crate) fn idle(&mut self, out: &mut Vec<u8>) {
        let come_to = self.snapshot.cursor();
        if come_to.after > self.sent.after {
            self.sent = come_to;
        }
        self.framing.idle(&self.sent, out);
    }

    pub(crate) fn mark(&self, out: &mut Vec<u8>) {
        self.framing.mark(self.snapshot.start(), out);
    }

    pub(crate) fn end(&self, out: &mut Vec<u8>) {
        self.framing.end(&self.sent, out);
    }
}
