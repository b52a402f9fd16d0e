//! What a stream tells: what one reader is handed, or several that are heard together.

use std::future::poll_fn;
use std::task::Poll;

use feedwire_core::{Reader, Step, read};
use feedwire_dialects::Framing;
use feedwire_engine::Limit;
use feedwire_event::Cursor;

/// A reader, and how what it is handed is sent.
#[derive(Debug)]
pub(crate) struct Source {
    pub(crate) reader: Reader,
    pub(crate) framing: Box<dyn Framing>,
}

/// The sources of a stream: at least one.
#[derive(Debug)]
pub(crate) struct Sources {
    all: Vec<Source>,
    /// Which of them was handed events last.
    at: usize,
}

impl Sources {
    /// # Panics
    /// If there are none.
    pub(crate) fn new(all: Vec<Source>) -> Self {
        assert!(!all.is_empty(), "a stream is of something");
        Self { all, at: 0 }
    }

    /// How what is no event is sent.
    pub(crate) fn framing(&self) -> &dyn Framing {
        &*self.all[0].framing
    }

    /// How the events are sent that were handed out last.
    pub(crate) fn framing_of_events(&self) -> &dyn Framing {
        &*self.all[self.at].framing
    }

    /// Where a stream of one source stands.
    pub(crate) fn cursor(&self) -> Cursor {
        self.all[0].reader.cursor()
    }

    /// How many events there are at most that were not handed out yet.
    pub(crate) fn behind(&self) -> u64 {
        let readers = self.all.iter().map(|source| &source.reader);
        let behind = readers.map(|reader| {
            let Cursor(cursor) = reader.cursor();
            reader.head().get().saturating_sub(cursor.get())
        });
        behind.sum()
    }

    /// What comes next, of whichever source; the others have their turn before the one that had the last. One that closes is left out,
    /// until it is the only one: its project may be gone. Cancel safe, as a reader is.
    pub(crate) async fn next(&mut self, limit: Limit) -> Result<Step, read::Error> {
        loop {
            if let [only] = &mut self.all[..] {
                return only.reader.next(limit).await;
            }
            match self.next_of_many(limit).await {
                Ok(Step::Closing) => {
                    self.all.remove(self.at);
                    self.at = 0;
                }
                step => return step,
            }
        }
    }

    async fn next_of_many(&mut self, limit: Limit) -> Result<Step, read::Error> {
        let (at, count) = (self.at, self.all.len());
        let nexts = self.all.iter_mut();
        let mut nexts: Vec<_> = nexts
            .map(|source| Box::pin(source.reader.next(limit)))
            .collect();
        let found = poll_fn(|cx| {
            for index in (1..=count).map(|behind| (at + behind) % count) {
                if let Poll::Ready(step) = nexts[index].as_mut().poll(cx) {
                    return Poll::Ready((index, step));
                }
            }
            Poll::Pending
        });
        let (index, step) = found.await;
        drop(nexts);
        self.at = index;
        step
    }
}
