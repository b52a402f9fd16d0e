//! By which marks the last events of a log were published, and whether a batch is one of them.
//!
//! Nothing of it is on disk but what stands in the records: the first append that bears a mark reads the end of the log. Every
//! later one is entered under the lock of the heads, in the order of positions, before it is on disk; those that then fail are
//! forgotten together with their heads.

use std::sync::Arc;

use feedwire_engine::{Batch, Judge, Limit, Mark, Marked, ReadError, Scope, Unavailable, Verdict};
use feedwire_event::Position;
use parking_lot::Mutex;
use tokio::sync::OnceCell;

use crate::blocking::blocking;
use crate::log::Shared;
use crate::words;

/// How much of the log is read at a time.
const READ: Limit = Limit {
    records: usize::MAX,
    bytes: 1 << 20,
};

/// Positions that a recovery may skip, as many as a torn commit can have had records: a window of positions has to be that much
/// wider to hold as many events.
const SKIPPED_MAX: u64 = (16 << 20) / 48;

/// The marks of the last events of a log.
#[derive(Debug)]
pub(crate) struct Marks {
    window: u64,
    /// Empty until a batch bears a mark.
    marked: OnceCell<Mutex<Marked>>,
}

/// Where marks of a batch were seen.
pub(crate) type Seen = Vec<(Mark, Position)>;

impl Marks {
    /// Those of the last `kept` events at least.
    pub(crate) fn new(kept: u64) -> Self {
        Self {
            window: kept + SKIPPED_MAX,
            marked: OnceCell::new(),
        }
    }

    /// Where marks of `batch` were seen, other than in `refuted`.
    pub(crate) fn look_up(&self, batch: &Batch, refuted: &Seen) -> Seen {
        let Some(marked) = self.marked.get().filter(|_| !batch.marks().is_empty()) else {
            return Seen::new();
        };
        let marked = marked.lock();
        let seen = batch.marks().iter();
        let seen = seen.filter_map(|mark| Some((*mark, marked.look_up(mark)?)));
        seen.filter(|seen| !refuted.contains(seen)).collect()
    }

    /// `batch` was given the positions from `first` on.
    pub(crate) fn enter(&self, batch: &Batch, first: Position) {
        let Some(marked) = self.marked.get().filter(|_| !batch.marks().is_empty()) else {
            return;
        };
        let mut marked = marked.lock();
        for mark in batch.marks() {
            marked.insert(mark, first.plus(u64::from(mark.index)));
        }
    }

    /// What came behind `last` is not in the log.
    pub(crate) fn forget_after(&self, last: Position) {
        if let Some(marked) = self.marked.get() {
            marked.lock().forget_after(last);
        }
    }
}

impl Shared {
    /// Makes sure that the marks of the last events are known, as every append that bears one does before it is submitted.
    pub(crate) async fn know_marks(self: &Arc<Self>) -> Result<(), Unavailable> {
        let read = self.marks.marked.get_or_try_init(|| {
            let log = Arc::clone(self);
            blocking(move || log.read_marks().map(Mutex::new))
        });
        read.await.map(|_| ())
    }

    fn read_marks(&self) -> Result<Marked, Unavailable> {
        let mut marked = Marked::new(self.marks.window);
        let last = self.head.borrow().get();
        let mut after = words::position(last.saturating_sub(self.marks.window));
        while after.get() < last {
            // A trim meanwhile moves the start.
            after = after.max(self.bounds().first.previous());
            let chunk = match self.read_now(after, READ) {
                Err(ReadError::Expired(_)) => continue,
                chunk => chunk.map_err(Unavailable::new)?,
            };
            for record in &chunk.records {
                let (feed, payload) = (record.feed(), record.payload_bytes());
                for mark in Mark::of_record(0, feed, payload) {
                    marked.insert(&mark, record.position());
                }
            }
            after = chunk.through;
        }
        Ok(marked)
    }

    fn read_now(&self, after: Position, limit: Limit) -> Result<feedwire_engine::Chunk, ReadError> {
        let (scope, limit) = (words::scope(&Scope::all()), words::limit(limit));
        let read = self.with(|log| log.read(&scope, after.get(), limit));
        let read = read.map_err(Unavailable::from)?;
        words::chunk(&read.map_err(words::read_error)?)
    }

    /// What `batch` is, by what stands where its marks were `seen`; gives it back.
    pub(crate) async fn judge(
        self: &Arc<Self>,
        batch: Batch,
        seen: Seen,
    ) -> Result<(Batch, Verdict), Unavailable> {
        let log = Arc::clone(self);
        blocking(move || {
            let verdict = log.look_at(Judge::new(&batch, seen))?;
            Ok((batch, verdict))
        })
        .await
    }

    fn look_at(&self, mut judge: Judge<'_>) -> Result<Verdict, Unavailable> {
        let one = Limit {
            records: 1,
            bytes: 1,
        };
        let mut through = Position::ZERO;
        while let Some(position) = judge.next(through) {
            through = position;
            match self.read_now(position.previous(), one) {
                Err(ReadError::Expired(_)) => {}
                read => {
                    let chunk = read.map_err(Unavailable::new)?;
                    for record in &chunk.records {
                        judge.look(record);
                    }
                    through = through.max(chunk.through);
                }
            }
        }
        Ok(judge.verdict())
    }
}
