//! How much each feed has had: events, batches, runs and subjects since it began.
//!
//! A view of the log, under the feed's name: five little-endian u64, or four where an earlier version counted no runs. What was trimmed
//! counts too: a view that has to be rebuilt starts with what the log says it trimmed, and takes each batch of that for one run.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use bytes::{BufMut, Bytes, BytesMut};
use feedwire_engine::{FeedTrim, Log, ReadError, Record, Scope, Unavailable, View, Write};
use feedwire_event::{FeedName, Position, Version};
use parking_lot::Mutex;
use tokio::sync::watch;

use crate::project::TAIL_READ;

/// The feeds of a project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Feeds {
    /// In order of their names.
    pub feeds: Vec<FeedCount>,
    /// The position up to which was counted.
    pub head: Position,
}

/// How much a feed has had since it began.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedCount {
    /// The feed.
    pub name: FeedName,
    /// Events.
    pub events: u64,
    /// Batches with an event in this feed.
    pub batches: u64,
    /// Runs: neighbouring events of one batch in this feed about one subject.
    pub runs: u64,
    /// Subjects. One that is erased and comes again is counted again.
    pub subjects: u64,
    /// The position of its last event.
    pub last: Position,
    /// What of all that was erased.
    pub erased: Erased,
}

/// What was erased of a feed, as far as it was retained then.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Erased {
    /// Events.
    pub events: u64,
    /// Runs.
    pub runs: u64,
    /// Subjects.
    pub subjects: u64,
}

impl Erased {
    /// Both together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            events: self.events + other.events,
            runs: self.runs + other.runs,
            subjects: self.subjects + other.subjects,
        }
    }
}

impl FeedCount {
    pub(crate) fn of_none(name: FeedName) -> Self {
        Self {
            name,
            events: 0,
            batches: 0,
            runs: 0,
            subjects: 0,
            last: Position::ZERO,
            erased: Erased::default(),
        }
    }
}

/// The counts of a project's feeds.
#[derive(Debug)]
pub(crate) struct Counts {
    view: Arc<dyn View>,
    state: Mutex<State>,
    /// How far was counted; closed when nothing more will be.
    through: Mutex<Option<watch::Sender<Position>>>,
}

#[derive(Debug)]
struct State {
    feeds: BTreeMap<FeedName, FeedCount>,
    changed: HashSet<FeedName>,
    through: Position,
}

impl Counts {
    /// Takes up the counts where `view` stands and counts on to the end of `log`.
    pub(crate) async fn open(view: Arc<dyn View>, log: &dyn Log) -> Result<Self, ReadError> {
        let first = log.bounds().first;
        let mut state = State::load(&*view).await?;
        if state.through < first.previous() {
            view.reset().await?;
            state = State::after_trims(log.trims().await?, first.previous());
        }
        loop {
            let chunk = log.read(&Scope::all(), state.through, TAIL_READ).await?;
            state.add(&chunk.records, chunk.through);
            if chunk.through >= chunk.head {
                let through = Mutex::new(Some(watch::Sender::new(state.through)));
                return Ok(Self {
                    view,
                    state: Mutex::new(state),
                    through,
                });
            }
        }
    }

    /// Counts the next records of the log, whole batches up to `through`.
    pub(crate) fn add(&self, records: &[Record], through: Position) {
        self.state.lock().add(records, through);
        if let Some(sender) = &*self.through.lock() {
            sender.send_replace(through);
        }
    }

    /// Nothing more will be counted: who waits for it waits no longer.
    pub(crate) fn close(&self) {
        self.through.lock().take();
    }

    pub(crate) fn through(&self) -> Position {
        self.state.lock().through
    }

    /// The position of the last event of `feed`, as far as was counted; `None` where it has had none.
    pub(crate) fn last(&self, feed: &FeedName) -> Option<Position> {
        self.state.lock().feeds.get(feed).map(|count| count.last)
    }

    /// Whether it is known that none of `feeds` has anything behind `after` in a log that ends at `head`.
    pub(crate) fn are_quiet(&self, feeds: &[FeedName], after: Position, head: Position) -> bool {
        let state = self.state.lock();
        let is_quiet = |feed| (state.feeds.get(feed)).is_none_or(|count| count.last <= after);
        state.through >= head && feeds.iter().all(is_quiet)
    }

    /// Waits until everything up to `head` is counted, or the server stops: what was counted so far is the best answer then.
    pub(crate) async fn come_to(&self, head: Position) {
        if self.state.lock().through >= head {
            return;
        }
        let through = self.through.lock().as_ref().map(watch::Sender::subscribe);
        if let Some(mut through) = through {
            drop(through.wait_for(|through| *through >= head).await);
        }
    }

    /// The counts, once everything up to `head` is counted.
    pub(crate) async fn feeds(&self, head: Position) -> Feeds {
        self.come_to(head).await;
        let state = self.state.lock();
        Feeds {
            feeds: state.feeds.values().cloned().collect(),
            head: state.through,
        }
    }

    /// Writes what changed to the view; returns the position up to which that is.
    pub(crate) async fn save(&self) -> Result<Position, Unavailable> {
        let (through, changed, writes) = {
            let mut state = self.state.lock();
            let changed = std::mem::take(&mut state.changed);
            let writes = changed
                .iter()
                .map(|feed| write(&state.feeds[feed]))
                .collect();
            (state.through, changed, writes)
        };
        if through > self.view.applied() {
            let applied = self.view.apply(through, writes).await;
            // What was not written is written the next time, together with what changes until then.
            applied.inspect_err(|_| self.state.lock().changed.extend(changed))?;
        }
        Ok(through)
    }

    /// Has what was counted so far on disk; returns the position up to which that is.
    pub(crate) async fn persist(&self) -> Result<Position, Unavailable> {
        self.save().await?;
        self.view.sync().await
    }

    /// Has as much of it on disk as there is room for; returns the position up to which that is.
    pub(crate) async fn persist_some(&self) -> Result<Position, Unavailable> {
        // It is told, and tried again, by whoever saves now and then.
        drop(self.save().await);
        self.view.sync().await
    }
}

impl State {
    async fn load(view: &dyn View) -> Result<Self, Unavailable> {
        let mut feeds = BTreeMap::new();
        for (key, value) in view.scan(b"", None, usize::MAX).await? {
            let count = decode(&key, &value).ok_or_else(|| {
                Unavailable::new(format!("counts stored under {key:?} cannot be read"))
            })?;
            feeds.insert(count.name.clone(), count);
        }
        Ok(Self {
            feeds,
            changed: HashSet::new(),
            through: view.applied(),
        })
    }

    fn after_trims(trims: Vec<FeedTrim>, through: Position) -> Self {
        let count = |trim: FeedTrim| FeedCount {
            events: trim.events,
            batches: trim.batches,
            runs: trim.batches,
            subjects: trim.subjects,
            last: trim.through,
            ..FeedCount::of_none(trim.feed)
        };
        let counts = trims.into_iter().map(count);
        let feeds: BTreeMap<_, _> = counts.map(|count| (count.name.clone(), count)).collect();
        let changed = feeds.keys().cloned().collect();
        Self {
            feeds,
            changed,
            through,
        }
    }

    fn add(&mut self, records: &[Record], through: Position) {
        let mut batch = Position::ZERO;
        let mut born = HashSet::new();
        let mut before = None;
        for record in records {
            let stamp = record.stamp();
            // Told by the place: the first record of a batch may have been erased.
            let first = record.batch();
            if first != batch {
                batch = first;
                born.clear();
            }
            let is_born = stamp.version == Version(1)
                && record
                    .subject()
                    .is_some_and(|subject| born.insert((record.feed(), subject)));
            let count = self.feed(record.feed());
            count.events += 1;
            count.batches += u64::from(count.last < batch);
            count.runs += u64::from(!before.is_some_and(|before| record.goes_on(before)));
            count.subjects += u64::from(is_born);
            count.last = stamp.position;
            before = Some(record);
        }
        self.through = through;
    }

    fn feed(&mut self, name: &str) -> &mut FeedCount {
        if !self.changed.contains(name) {
            let name = FeedName::new(name).expect("the log holds names that were checked");
            let empty = FeedCount::of_none(name.clone());
            self.feeds.entry(name.clone()).or_insert(empty);
            self.changed.insert(name);
        }
        self.feeds.get_mut(name).expect("a changed feed is counted")
    }
}

fn write(count: &FeedCount) -> Write {
    let mut value = BytesMut::with_capacity(40);
    for number in [
        count.events,
        count.batches,
        count.subjects,
        count.last.get(),
        count.runs,
    ] {
        value.put_u64_le(number);
    }
    let key = Bytes::copy_from_slice(count.name.as_str().as_bytes());
    Write {
        key,
        value: Some(value.freeze()),
    }
}

fn decode(key: &[u8], value: &[u8]) -> Option<FeedCount> {
    let name = FeedName::new(std::str::from_utf8(key).ok()?).ok()?;
    let (numbers, rest) = value.as_chunks::<8>();
    let ([events, batches, subjects, last], runs) = numbers.split_first_chunk()?;
    let runs = match runs {
        [] => batches,
        [runs] => runs,
        _ => return None,
    };
    let [events, batches, runs, subjects, last] =
        [events, batches, runs, subjects, last].map(|number| u64::from_le_bytes(*number));
    rest.is_empty().then_some(FeedCount {
        events,
        batches,
        runs,
        subjects,
        last: Position::new(last)?,
        ..FeedCount::of_none(name)
    })
}
