//! The tail of a log: its last events in memory, and who waits for the next ones.
//!
//! One task pushes what the log made readable; readers that have caught up take it from here. A reader holds a [`Seat`]:
//! its place in the subscription index. There is no queue per reader, only the position from which on something concerns
//! it: readers that are slow find that the tail has gone past them, and go back to the log.

mod index;
mod ring;

use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use feedwire_engine::{Limit, Record};
use feedwire_event::{Cursor, Position};
use feedwire_tally::Count;
use slab::Slab;

use crate::delivery::{Delivered, Delivery, Tailed};
use crate::filter::Matcher;
use crate::stats::TailStats;
use crate::subjects::{Now, Subjects};
use crate::sync::Mutex;
use index::Index;
use ring::Ring;

/// How many events are looked at under the lock for one reader.
const SCAN_MAX: usize = 4_096;

/// About how many events are looked at for a reader that does not wait, before the index of the log is the faster way.
const GLANCE_MAX: usize = 1_024;

/// The tail of one log.
#[derive(Debug)]
pub(crate) struct Tail {
    state: Mutex<State>,
    subjects: Subjects,
    wakes: Count,
}

#[derive(Debug)]
struct State {
    ring: Ring,
    index: Index,
    waiting: Slab<Waiting>,
    closing: bool,
}

/// A reader that has caught up.
#[derive(Debug)]
struct Waiting {
    matcher: Arc<Matcher>,
    /// From here on there may be something for it; `None` when there is nothing.
    concerned_from: Option<Position>,
    waker: Option<Waker>,
    /// The last event that it was held against: it may stand in the index under several labels of one subject.
    looked_at: Position,
}

/// What a reader takes from the tail.
#[derive(Debug)]
pub(crate) enum Taken {
    /// Events, and how far it has come with them.
    Events {
        events: Vec<Delivered>,
        through: Position,
        more: bool,
        head: Position,
    },
    /// The tail has gone past: everything up to here was taken, or did not concern it; the rest is in the log.
    Behind(Position),
    /// The server stops.
    Closing,
}

impl Tail {
    /// A tail that starts behind `head`.
    pub(crate) fn new(head: Position, bytes_max: usize, subjects: Subjects) -> Self {
        let ring = Ring::new(head, bytes_max);
        let state = State {
            ring,
            index: Index::default(),
            waiting: Slab::new(),
            closing: false,
        };
        Self {
            state: Mutex::new(state),
            subjects,
            wakes: Count::default(),
        }
    }

    /// The last position it has.
    pub(crate) fn head(&self) -> Position {
        self.state.lock().ring.head()
    }

    pub(crate) fn stats(&self) -> TailStats {
        let state = self.state.lock();
        TailStats {
            head: state.ring.head(),
            bytes: state.ring.bytes() as u64,
            readers: state.waiting.len() as u64,
            wakes: self.wakes.get(),
        }
    }

    /// Takes the next records of the log, whole batches up to `through`, and wakes whom they concern.
    pub(crate) fn push(&self, records: Vec<Record>, through: Position) {
        let mut wakers = Vec::new();
        let mut state = self.state.lock();
        let now = self.subjects.now();
        for record in records {
            let tailed = Arc::new(Tailed::new(record));
            if !state.waiting.is_empty() {
                state.concern(tailed.record(), &now, &mut wakers);
            }
            state.ring.push(tailed);
        }
        state.ring.advance(through);
        drop(now);
        drop(state);
        self.wakes.add(wakers.len() as u64);
        wakers.into_iter().for_each(Waker::wake);
    }

    /// Sends every reader away, now and from now on.
    pub(crate) fn close(&self) {
        let mut state = self.state.lock();
        state.closing = true;
        let wakers: Vec<_> = state
            .waiting
            .iter_mut()
            .filter_map(|(_, w)| w.waker.take())
            .collect();
        drop(state);
        wakers.into_iter().for_each(Waker::wake);
    }

    /// Whether it was closed.
    pub(crate) fn is_closing(&self) -> bool {
        self.state.lock().closing
    }

    /// What passes `matcher` behind `cursor`, if the tail has everything from there to `head` and has it at hand.
    ///
    /// A filter that lets little pass is for the index of the log.
    pub(crate) fn present(
        &self,
        cursor: Position,
        head: Position,
        matcher: &Matcher,
        limit: Limit,
    ) -> Option<Delivery> {
        let state = self.state.lock();
        let ring = &state.ring;
        if state.closing || cursor < ring.floor() || ring.head() < head {
            return None;
        }
        let now = self.subjects.now();
        let found = gather(ring, matcher, cursor, limit, GLANCE_MAX, &now);
        let more = found.through < ring.head();
        (found.is_enough || !more).then(|| Delivery {
            events: found.events,
            cursor: Cursor(found.through),
            more,
            head: ring.head(),
        })
    }

    /// Gives a reader that has everything up to `cursor` a seat, unless the tail has gone past that.
    pub(crate) fn seat(self: &Arc<Self>, cursor: Position, matcher: &Arc<Matcher>) -> Option<Seat> {
        let mut state = self.state.lock();
        if cursor < state.ring.floor() {
            return None;
        }
        let matcher = matcher.clone();
        let concerned_from = (cursor < state.ring.head()).then(|| cursor.next());
        let key = state.waiting.insert(Waiting {
            matcher: matcher.clone(),
            concerned_from,
            waker: None,
            looked_at: Position::ZERO,
        });
        state.index.insert(key, matcher.filter());
        Some(Seat {
            tail: self.clone(),
            key,
        })
    }
}

impl State {
    /// Notes that `record` is next, for every reader that it concerns.
    fn concern(&mut self, record: &Record, now: &Now<'_>, wakers: &mut Vec<Waker>) {
        let (waiting, position) = (&mut self.waiting, record.position());
        let labels = now.labels_of(record);
        self.index.candidates(record, labels, |key| {
            let reader = &mut waiting[key];
            if reader.concerned_from.is_some() || reader.looked_at == position {
                return;
            }
            reader.looked_at = position;
            if reader.matcher.passes_with(record, labels, now) {
                reader.concerned_from = Some(position);
                wakers.extend(reader.waker.take());
            }
        });
    }

    /// Takes what concerns the reader at `key` behind `cursor`; `None` when there is nothing.
    fn take(
        &mut self,
        key: usize,
        cursor: Position,
        limit: Limit,
        subjects: &Subjects,
    ) -> Option<Taken> {
        let reader = &mut self.waiting[key];
        let after = cursor.max(reader.concerned_from?.previous());
        if after < self.ring.floor() {
            return Some(Taken::Behind(after));
        }
        let head = self.ring.head();
        let now = &subjects.now();
        let gathered = gather(&self.ring, &reader.matcher, after, limit, SCAN_MAX, now);
        let Gathered {
            events, through, ..
        } = gathered;
        let more = through < head;
        reader.concerned_from = more.then(|| through.next());
        (more || !events.is_empty()).then_some(Taken::Events {
            events,
            through,
            more,
            head,
        })
    }
}

/// What was found in a ring.
#[derive(Debug)]
struct Gathered {
    events: Vec<Delivered>,
    /// How far was looked: to the end of the ring, or of a batch.
    through: Position,
    /// Whether that is as much as was wanted.
    is_enough: bool,
}

/// Looks behind `after` for what passes `matcher`, until `limit` is reached or about `scan_max` events were looked at.
fn gather(
    ring: &Ring,
    matcher: &Matcher,
    after: Position,
    limit: Limit,
    scan_max: usize,
    now: &Now<'_>,
) -> Gathered {
    let mut events = Vec::new();
    let mut bytes = 0;
    for (scanned, tailed) in ring.after(after).enumerate() {
        let record = tailed.record();
        if matcher.passes(record, now) {
            bytes += record.bytes();
            events.push(Delivered::Tailed(tailed.clone()));
        }
        let is_enough = events.len() >= limit.records || bytes >= limit.bytes;
        let through = record.position();
        if (is_enough || scanned >= scan_max)
            && record.stamp().place.is_last()
            && through < ring.head()
        {
            return Gathered {
                events,
                through,
                is_enough,
            };
        }
    }
    Gathered {
        events,
        through: after.max(ring.head()),
        is_enough: false,
    }
}

/// A place at the tail; given back when dropped.
#[derive(Debug)]
pub(crate) struct Seat {
    tail: Arc<Tail>,
    key: usize,
}

impl Seat {
    /// Takes what concerns this reader behind `cursor`, or is woken when there is something.
    pub(crate) fn poll_take(
        &self,
        cursor: Position,
        limit: Limit,
        cx: &mut Context<'_>,
    ) -> Poll<Taken> {
        let mut state = self.tail.state.lock();
        if state.closing {
            return Poll::Ready(Taken::Closing);
        }
        if let Some(taken) = state.take(self.key, cursor, limit, &self.tail.subjects) {
            return Poll::Ready(taken);
        }
        let waker = &mut state.waiting[self.key].waker;
        if !waker
            .as_ref()
            .is_some_and(|waker| waker.will_wake(cx.waker()))
        {
            *waker = Some(cx.waker().clone());
        }
        Poll::Pending
    }

    /// How far this reader has come that had taken everything up to `cursor`: further when what followed did not concern it.
    pub(crate) fn cursor(&self, cursor: Position) -> Position {
        let state = self.tail.state.lock();
        match state.waiting[self.key].concerned_from {
            None => cursor.max(state.ring.head()),
            Some(from) => cursor.max(from.previous()),
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut state = self.tail.state.lock();
        let waiting = state.waiting.remove(self.key);
        state.index.remove(self.key, waiting.matcher.filter());
    }
}
