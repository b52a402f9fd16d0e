//! By which marks the last events of a log were published, and whether a batch is one of them.
//!
//! Nothing of it is on disk but what stands in the records: the first append that bears a mark reads the end of the log. Every
//! later one is entered under the lock of the heads, in the order of positions, before it is on disk; those that then fail are
//! forgotten together with their heads.

use std::sync::{Arc, OnceLock};

use feedwire_engine::{
    Batch, Chunk, Judge, Limit, Mark, Marked, ReadError, Scope, Unavailable, Verdict,
};
use feedwire_event::Position;
use parking_lot::Mutex;

use crate::blocking::blocking;
use crate::heads::Table;
use crate::log::Shared;
use crate::words;

/// How much of the log is read at a time.
const READ_BYTES: usize = 1 << 20;

/// The marks of the last events of a log.
#[derive(Debug)]
pub(crate) struct Marks {
    /// Of how many events.
    kept: u64,
    /// Empty until a batch bears a mark.
    marked: OnceLock<Mutex<Marked>>,
    /// Held by who reads the marks of the log, to the end.
    reading: Arc<tokio::sync::Mutex<()>>,
}

/// Where marks of a batch were seen.
pub(crate) type Seen = Vec<(Mark, Position)>;

impl Marks {
    /// Those of the last `kept` events at least.
    pub(crate) fn new(kept: u64) -> Self {
        Self {
            kept,
            marked: OnceLock::new(),
            reading: Arc::default(),
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

    /// `batch` was given the positions from `first` on, under the lock of `_table`; the log is on disk up to `synced`.
    pub(crate) fn enter(&self, _table: &Table, batch: &Batch, first: Position, synced: Position) {
        let Some(marked) = self.marked.get().filter(|_| !batch.marks().is_empty()) else {
            return;
        };
        let mut marked = marked.lock();
        for mark in batch.marks() {
            marked.insert(mark, first.plus(u64::from(mark.index)), synced);
        }
    }

    /// What came behind `last` is not in the log. Under the same lock: who has submitted it enters it before it is forgotten.
    pub(crate) fn forget_after(&self, _table: &Table, last: Position) {
        if let Some(marked) = self.marked.get() {
            marked.lock().forget_after(last);
        }
    }
}

#[cfg(test)]
impl Marks {
    pub(crate) async fn nobody_reads(&self) {
        drop(self.reading.lock().await);
    }

    pub(crate) fn are_known(&self) -> bool {
        self.marked.get().is_some()
    }
}

impl Shared {
    /// Makes sure that the marks of the last events are known, as every append that bears one does before it is submitted.
    ///
    /// Once begun it is done to its end, even if the caller goes away: a caller that never waits so long would not get there.
    pub(crate) async fn know_marks(self: &Arc<Self>) -> Result<(), Unavailable> {
        if self.marks.marked.get().is_some() {
            return Ok(());
        }
        let reading = Arc::clone(&self.marks.reading).lock_owned().await;
        let log = Arc::clone(self);
        blocking(move || {
            if log.marks.marked.get().is_none() {
                let marked = log.read_marks()?;
                log.marks.marked.get_or_init(|| Mutex::new(marked));
            }
            drop(reading);
            Ok(())
        })
        .await
    }

    pub(crate) fn read_marks(&self) -> Result<Marked, Unavailable> {
        let last = *self.head.borrow();
        let mut found: Seen = Vec::new();
        let mut before = last.next();
        let mut wanted = self.marks.kept;
        while wanted > 0 && before > self.bounds().first {
            let limit = Limit {
                records: usize::try_from(wanted).unwrap_or(usize::MAX),
                bytes: READ_BYTES,
            };
            let chunk = self.read_back_now(before, limit)?;
            for record in &chunk.records {
                let marks =
                    Mark::of_record(0, record.feed(), record.subject(), record.payload_bytes());
                found.extend(marks.map(|mark| (mark, record.position())));
            }
            wanted = wanted.saturating_sub(chunk.records.len() as u64);
            before = chunk.through;
        }
        let mut marked = Marked::new(self.marks.kept);
        for (mark, position) in found.iter().rev() {
            marked.insert(mark, *position, last);
        }
        Ok(marked)
    }

    fn read_back_now(&self, before: Position, limit: Limit) -> Result<Chunk, Unavailable> {
        let (scope, limit) = (words::scope(&Scope::all()), words::limit(limit));
        let read = self.with(|log| log.read_back(&scope, before.get(), limit))?;
        let read = read.map_err(words::read_error).map_err(Unavailable::new)?;
        words::chunk(&read).map_err(Unavailable::new)
    }

    fn read_now(&self, after: Position, limit: Limit) -> Result<Chunk, ReadError> {
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
