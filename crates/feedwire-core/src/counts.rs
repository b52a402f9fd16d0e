//! How much each feed has had: events, batches and subjects since it began.
//!
//! A view of the log, under the feed's name: four little-endian u64. What was trimmed counts too: a view that has to be
//! rebuilt starts with what the log says it trimmed.

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
    /// Subjects.
    pub subjects: u64,
    /// The position of its last event.
    pub last: Position,
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

    /// The counts, once everything up to `head` is counted.
    pub(crate) async fn feeds(&self, head: Position) -> Feeds {
        let through = self.through.lock().as_ref().map(watch::Sender::subscribe);
        if let Some(mut through) = through {
            // An error means that the server stops; what was counted so far is the best answer then.
            drop(through.wait_for(|through| *through >= head).await);
        }
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
            name: trim.feed,
            events: trim.events,
            batches: trim.batches,
            subjects: trim.subjects,
            last: trim.through,
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
        for record in records {
            let stamp = record.stamp();
            // Told by the place: the first record of a batch may have been erased.
            let first = stamp.position.minus(u64::from(stamp.place.index));
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
            count.subjects += u64::from(is_born);
            count.last = stamp.position;
        }
        self.through = through;
    }

    fn feed(&mut self, name: &str) -> &mut FeedCount {
        if !self.changed.contains(name) {
            let name = FeedName::new(name).expect("the log holds names that were checked");
            let empty = FeedCount {
                name: name.clone(),
                events: 0,
                batches: 0,
                subjects: 0,
                last: Position::ZERO,
            };
            self.feeds.entry(name.clone()).or_insert(empty);
            self.changed.insert(name);
        }
        self.feeds.get_mut(name).expect("a changed feed is counted")
    }
}

fn write(count: &FeedCount) -> Write {
    let mut value = BytesMut::with_capacity(32);
    for number in [
        count.events,
        count.batches,
        count.subjects,
        count.last.get(),
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
    let [events, batches, subjects, last] = *numbers else {
        return None;
    };
    let [events, batches, subjects, last] =
        [events, batches, subjects, last].map(u64::from_le_bytes);
    rest.is_empty().then_some(FeedCount {
        name,
        events,
        batches,
        subjects,
        last: Position::new(last)?,
    })
}
