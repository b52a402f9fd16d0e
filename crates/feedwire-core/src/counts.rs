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

/// What was erased of a feed: of one that was erased whole all that it had had, of subjects in it what was retained of them.
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
            events: self.events.saturating_add(other.events),
            runs: self.runs.saturating_add(other.runs),
            subjects: self.subjects.saturating_add(other.subjects),
        }
    }

    /// This without `other`. Where that is more there is nothing left: what was counted before and after a view was lost, or an
    /// event was damaged, need not agree.
    #[must_use]
    pub fn less(self, other: Self) -> Self {
        Self {
            events: self.events.saturating_sub(other.events),
            runs: self.runs.saturating_sub(other.runs),
            subjects: self.subjects.saturating_sub(other.subjects),
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

    /// What it has had, without what was erased.
    #[must_use]
    pub fn left(&self) -> Erased {
        self.had().less(self.erased)
    }

    /// All that it has had, erased or not.
    pub(crate) fn had(&self) -> Erased {
        Erased {
            events: self.events,
            runs: self.runs,
            subjects: self.subjects,
        }
    }

    /// Counts what is gone too, in counts of what was trimmed: it is told as erased, and taken off again.
    fn put_back(&mut self, gone: Gone) {
        // What was trimmed behind a whole erasure cannot be told from what was trimmed before it, and taken by it: it counts.
        let trimmed = if self.last <= gone.whole_through {
            Erased::default()
        } else {
            self.had()
        };
        let Erased {
            events,
            runs,
            subjects,
        } = trimmed.and(gone.erased);
        (self.events, self.runs, self.subjects) = (events, runs, subjects);
    }
}

/// What is gone of a feed from disk because it was erased.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Gone {
    /// How much was counted of it.
    pub(crate) erased: Erased,
    /// The position up to which the feed was erased whole, with what was trimmed of it until then.
    pub(crate) whole_through: Position,
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
    /// Takes up the counts where `view` stands and counts on to the end of `log`, of which is `gone` what was erased.
    pub(crate) async fn open(
        view: Arc<dyn View>,
        log: &dyn Log,
        gone: &BTreeMap<FeedName, Gone>,
    ) -> Result<Self, ReadError> {
        let before = log.bounds().first.previous();
        let mut state = State::load(&*view).await?;
        // Nothing is erased before the view has it on disk: one that stands at nothing begins anew.
        if state.through < before || state.through == Position::ZERO {
            if state.through > Position::ZERO {
                view.reset().await?;
            }
            state = State::anew(log.trims().await?, gone, before);
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

    /// The feeds that have had something, as far as was counted.
    pub(crate) fn names(&self) -> Vec<FeedName> {
        self.state.lock().feeds.keys().cloned().collect()
    }

    /// What `feed` has had, and the position up to which that is.
    pub(crate) fn had(&self, feed: &FeedName) -> (Erased, Position) {
        let state = self.state.lock();
        let had = state.feeds.get(feed).map(FeedCount::had);
        (had.unwrap_or_default(), state.through)
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

    fn anew(trims: Vec<FeedTrim>, gone: &BTreeMap<FeedName, Gone>, through: Position) -> Self {
        let count = |trim: FeedTrim| FeedCount {
            events: trim.events,
            batches: trim.batches,
            runs: trim.batches,
            subjects: trim.subjects,
            last: trim.through,
            ..FeedCount::of_none(trim.feed)
        };
        let counts = trims.into_iter().map(count);
        let mut feeds: BTreeMap<_, _> = counts.map(|count| (count.name.clone(), count)).collect();
        for (feed, gone) in gone {
            let none = || FeedCount::of_none(feed.clone());
            let count = feeds.entry(feed.clone()).or_insert_with(none);
            count.put_back(*gone);
        }
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
