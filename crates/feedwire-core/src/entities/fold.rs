//! The states of a project's entities: a view of the log, and above it in memory what changed since it was last written.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::Arc;

use bytes::Bytes;
use feedwire_engine::{Left, Limit, Log, ReadError, Record, Scope, Unavailable, View, Write};
use feedwire_event::{ChangeKind, FeedName, Position};
use feedwire_tally::{Count, Outage};
use parking_lot::Mutex;
use tokio::sync::{Notify, watch};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::stored::{self, COUNTS};
use super::{Entity, EntityKey};
use crate::limits::{
    COUNT_GRACE, ENTITIES_INTERVAL, ENTITIES_MEMORY_BYTES, ENTITIES_OPEN_BYTES,
    ENTITIES_SAVED_BYTES, ENTITIES_SAVED_EVENTS,
};
use crate::project::TAIL_READ;

/// The states of a project's entities.
#[derive(Debug)]
pub(crate) struct Entities {
    pub(super) view: Arc<dyn View>,
    pub(super) state: Mutex<State>,
    /// How far the log is followed; closed when it is followed no further.
    through: Mutex<Option<watch::Sender<Position>>>,
    /// Held over a write to the view, and while what is written is still in memory.
    pub(super) saving: tokio::sync::Mutex<()>,
    /// What was in memory is written.
    saved: Notify,
    /// There is much in memory.
    due: Notify,
}

#[derive(Debug, Default)]
pub(super) struct State {
    /// What changed since the last write began.
    changed: Changed,
    /// What is being written.
    saving: Arc<Changed>,
    pub(super) counts: BTreeMap<FeedName, u64>,
    /// The feeds whose counts are others than the view has.
    recounted: BTreeSet<FeedName>,
    through: Position,
}

/// Entities that are not as the view has them.
#[derive(Debug, Default)]
struct Changed {
    latest: BTreeMap<Bytes, Latest>,
    bytes: usize,
}

/// What became of an entity.
#[derive(Clone, Debug)]
struct Latest {
    position: Position,
    /// What is kept of it; `None` where it is there no more.
    value: Option<Bytes>,
}

/// Entities in the order of their keys, as they are stored.
pub(super) struct Stretch {
    pub(super) entries: Vec<(Bytes, Bytes)>,
    /// Where to go on behind; `None` where there are no more.
    pub(super) next: Option<Bytes>,
}

impl Entities {
    /// Takes up what stands in `view`, and follows `log` up to `target`.
    pub(crate) async fn open(
        view: Arc<dyn View>,
        log: &dyn Log,
        target: Position,
    ) -> Result<Self, ReadError> {
        let mut state = State {
            through: view.applied().max(log.bounds().first.previous()),
            ..State::default()
        };
        for (key, value) in view.scan(COUNTS, None, usize::MAX).await? {
            let (feed, count) = stored::read_count(&key, &value)?;
            state.counts.insert(feed, count);
        }
        let this = Self {
            view,
            through: Mutex::new(Some(watch::Sender::new(state.through))),
            state: Mutex::new(state),
            saving: tokio::sync::Mutex::default(),
            saved: Notify::new(),
            due: Notify::new(),
        };
        while this.through() < target {
            let chunk = log.read(&Scope::all(), this.through(), TAIL_READ).await?;
            this.add(&chunk.records, chunk.through);
            let unsaved = this.through().get() - this.view.applied().get();
            if this.memory_bytes() >= ENTITIES_SAVED_BYTES || unsaved >= ENTITIES_SAVED_EVENTS {
                // Where there is no room for it, it stays in memory: the log can be read and trimmed all the same.
                let saved = this.save(false).await;
                if this.memory_bytes() >= ENTITIES_OPEN_BYTES {
                    saved?;
                }
            }
        }
        Ok(this)
    }

    /// Up to where the log is followed.
    pub(crate) fn through(&self) -> Position {
        self.state.lock().through
    }

    /// Takes in the next records of the log, whole batches up to `through`.
    pub(crate) fn add(&self, records: &[Record], through: Position) {
        let mut state = self.state.lock();
        for record in records.iter().filter(|record| record.is_entity()) {
            if record.position() > state.through {
                state.add(record);
            }
        }
        state.through = state.through.max(through);
        if state.changed.bytes >= ENTITIES_SAVED_BYTES {
            self.due.notify_one();
        }
        let through = state.through;
        drop(state);
        if let Some(sender) = &*self.through.lock() {
            sender.send_replace(through);
        }
    }

    /// Nothing more comes: who waits for it waits no longer.
    pub(crate) fn close(&self) {
        self.through.lock().take();
    }

    /// Waits until everything up to `head` is taken in.
    pub(crate) async fn come_to(&self, head: Position) -> Result<(), Unavailable> {
        if self.through() >= head {
            return Ok(());
        }
        let through = self.through.lock().as_ref().map(watch::Sender::subscribe);
        let Some(mut through) = through else {
            return Err(Unavailable::new("the project is closing"));
        };
        let come = timeout(COUNT_GRACE, through.wait_for(|through| *through >= head)).await;
        let come = come.map_err(Unavailable::new)?;
        come.map(drop).map_err(Unavailable::new)
    }

    /// Waits until there is room in memory for more changes.
    pub(crate) async fn room(&self) -> Result<(), Unavailable> {
        let wait = async {
            loop {
                let saved = self.saved.notified();
                if self.memory_bytes() < ENTITIES_MEMORY_BYTES {
                    return;
                }
                self.due.notify_one();
                saved.await;
            }
        };
        timeout(COUNT_GRACE, wait).await.map_err(Unavailable::new)
    }

    /// Bytes that are in memory and not yet in the view.
    pub(crate) fn memory_bytes(&self) -> usize {
        let state = self.state.lock();
        state.changed.bytes + state.saving.bytes
    }

    /// How many entities each feed has. Of a feed that was erased and put anew before that was carried out it may be a few more.
    pub(crate) fn counts(&self) -> BTreeMap<FeedName, u64> {
        self.state.lock().counts.clone()
    }

    /// The entities of `keys` that are there.
    pub(super) async fn get(&self, keys: &[EntityKey]) -> Result<Vec<Option<Entity>>, Unavailable> {
        let stored: Vec<Bytes> = keys.iter().map(EntityKey::stored).collect();
        let (mut values, mut missing) = (Vec::with_capacity(keys.len()), Vec::new());
        {
            let state = self.state.lock();
            for (at, key) in stored.iter().enumerate() {
                let latest = state.latest(key);
                if latest.is_none() {
                    missing.push(at);
                }
                values.push(latest.and_then(|latest| latest.value.clone()));
            }
        }
        if !missing.is_empty() {
            let keys = missing.iter().map(|at| stored[*at].clone()).collect();
            for (at, value) in missing.into_iter().zip(self.view.get_all(keys).await?) {
                values[at] = value;
            }
        }
        let entity = |(key, value): (&EntityKey, Option<Bytes>)| {
            value.map(|value| stored::entity(key, &value)).transpose()
        };
        keys.iter().zip(values).map(entity).collect()
    }

    /// The next entities behind `after` whose keys start with `prefix`, as many as reach a bound of `limit`.
    pub(super) async fn stretch(
        &self,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: Limit,
    ) -> Result<Stretch, Unavailable> {
        // First what is in memory: what is written meanwhile is found twice, and not missed.
        let (mut latest, is_cut) = self.state.lock().range(prefix, after, limit);
        let page = self.view.page(prefix, after, limit).await?;
        let mut end = None::<Bytes>;
        if let (true, Some((key, _))) = (is_cut, latest.last_key_value()) {
            end = Some(key.clone());
        }
        let mut left = Left::of(limit);
        for (key, value) in &page {
            left.take(key.len() + value.len());
        }
        if let (Some((last, _)), false) = (page.last(), left.take(0)) {
            end = Some(end.map_or_else(|| last.clone(), |end| end.min(last.clone())));
        }
        for (key, value) in page {
            let position = stored::position(&value).ok_or_else(|| stored::unreadable(&key))?;
            let stored = Latest {
                position,
                value: Some(value),
            };
            let kept = latest.entry(key).or_insert_with(|| stored.clone());
            if kept.position < stored.position {
                *kept = stored;
            }
        }
        let mut entries = Vec::new();
        let mut left = Left::of(limit);
        for (key, Latest { value, .. }) in latest {
            if end.as_ref().is_some_and(|end| key > *end) {
                break;
            }
            let Some(value) = value else { continue };
            if !left.take(key.len() + value.len()) {
                end = entries.last().map(|(key, _): &(Bytes, Bytes)| key.clone());
                break;
            }
            entries.push((key, value));
        }
        Ok(Stretch { entries, next: end })
    }

    /// Writes what changed to the view, or at least how far that is where `is_last` or it is far.
    async fn save(&self, is_last: bool) -> Result<(), Unavailable> {
        let _saving = self.saving.lock().await;
        self.write(is_last).await
    }

    /// The same while `saving` is held.
    pub(super) async fn write(&self, is_last: bool) -> Result<(), Unavailable> {
        let applied = self.view.applied();
        let (through, writes) = {
            let mut state = self.state.lock();
            let is_far = state.through.get() - applied.get() >= ENTITIES_SAVED_EVENTS;
            let is_changed = !state.is_written() || !state.recounted.is_empty();
            if state.through == applied || !(is_changed || is_far || is_last) {
                return Ok(());
            }
            state.begin_saving()
        };
        let written = self.view.apply(through, writes).await;
        {
            let mut state = self.state.lock();
            match written {
                Ok(()) => state.saving = Arc::default(),
                Err(_) => state.take_back(),
            }
        }
        self.saved.notify_waiters();
        written
    }

    /// Has everything taken in so far on disk; returns the position up to which that is.
    pub(crate) async fn persist(&self) -> Result<Position, Unavailable> {
        self.save(false).await?;
        self.sync().await
    }

    /// Has as much of it on disk as there is room for; returns the position up to which that is.
    pub(crate) async fn persist_some(&self) -> Result<Position, Unavailable> {
        // It is told, and tried again, by whoever saves now and then.
        drop(self.save(false).await);
        self.sync().await
    }

    /// Has what is written on disk; returns the position up to which nothing is missing of it.
    async fn sync(&self) -> Result<Position, Unavailable> {
        let through = {
            let state = self.state.lock();
            // Nothing changed behind where the view stands: it need not be written that it did not.
            state.is_written().then_some(state.through)
        };
        let applied = self.view.sync().await?;
        Ok(through.unwrap_or(applied))
    }

    /// Writes what changed now and then until `stop`, and once more at the end; counts how often that fails.
    pub(crate) async fn keep(&self, failures: &Count, stop: &CancellationToken) {
        let mut outage = Outage::default();
        loop {
            let wait = timeout(ENTITIES_INTERVAL, self.due.notified());
            let is_stopped = stop.run_until_cancelled(wait).await.is_none();
            match self.save(is_stopped).await {
                Ok(()) if outage.ends() => {
                    tracing::info!("the states of entities are written again");
                }
                Ok(()) => {}
                // The view stays where it was, and what it lacks in memory.
                Err(Unavailable(error)) => {
                    failures.one();
                    if outage.begins(&*error) {
                        tracing::warn!(
                            error = &*error as &dyn std::error::Error,
                            "the states of entities are not written"
                        );
                    }
                }
            }
            if is_stopped {
                return;
            }
        }
    }
}

impl State {
    fn add(&mut self, record: &Record) {
        let (Ok(payload), Some(subject)) = (record.payload(), record.subject()) else {
            return;
        };
        let Some(change) = payload.change else { return };
        let value = match change.kind {
            ChangeKind::Load => return,
            ChangeKind::Delete => None,
            // What can be decoded can be told again.
            ChangeKind::Create | ChangeKind::Update => stored::value(record).ok(),
        };
        if change.kind != ChangeKind::Update {
            self.count(record.feed(), change.kind == ChangeKind::Create);
        }
        let latest = Latest {
            position: record.position(),
            value,
        };
        self.changed
            .put(&stored::key(record.feed(), subject), latest);
    }

    /// Whether the view has everything.
    fn is_written(&self) -> bool {
        self.changed.latest.is_empty() && self.saving.latest.is_empty()
    }

    fn count(&mut self, feed: &str, is_one_more: bool) {
        let feed = FeedName::new(feed).expect("the log holds names that were checked");
        let count = self.counts.entry(feed.clone()).or_default();
        *count = if is_one_more {
            *count + 1
        } else {
            count.saturating_sub(1)
        };
        self.recounted.insert(feed);
    }

    /// What is in memory under `key`.
    fn latest(&self, key: &Bytes) -> Option<&Latest> {
        let changed = self.changed.latest.get(key);
        changed.or_else(|| self.saving.latest.get(key))
    }

    /// What is in memory behind `after` under `prefix`, as much as reaches a bound of `limit`, and whether there may be more.
    fn range(
        &self,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: Limit,
    ) -> (BTreeMap<Bytes, Latest>, bool) {
        let start = match after {
            Some(after) => Bound::Excluded(Bytes::copy_from_slice(after)),
            None => Bound::Included(Bytes::copy_from_slice(prefix)),
        };
        let mut found = BTreeMap::new();
        let mut ends = Vec::new();
        for changed in [&self.changed, &*self.saving] {
            let range = changed.latest.range((start.clone(), Bound::Unbounded));
            let mut left = Left::of(limit);
            for (key, latest) in range.take_while(|(key, _)| key.starts_with(prefix)) {
                if !left.take(latest.bytes(key)) {
                    ends.push(key.clone());
                    break;
                }
                found.entry(key.clone()).or_insert_with(|| latest.clone());
            }
        }
        // Behind the first of these ends one of the two has more.
        if let Some(end) = ends.iter().min() {
            drop(found.split_off(end));
        }
        (found, !ends.is_empty())
    }

    fn begin_saving(&mut self) -> (Position, Vec<Write>) {
        // A write that was given up before its end may not have been made.
        self.take_back();
        let saving = Arc::new(std::mem::take(&mut self.changed));
        self.saving = Arc::clone(&saving);
        let states = saving.latest.iter().map(|(key, latest)| Write {
            key: key.clone(),
            value: latest.value.clone(),
        });
        let recounted = std::mem::take(&mut self.recounted);
        let counts = recounted.iter().map(|feed| {
            let count = self.counts.get(feed).copied().unwrap_or_default();
            stored::count(feed, count)
        });
        let writes = states.chain(counts).collect();
        (self.through, writes)
    }

    /// Puts what was being written back in memory, below what changed meanwhile.
    fn take_back(&mut self) {
        let saving = std::mem::take(&mut self.saving);
        if saving.latest.is_empty() {
            return;
        }
        for (key, latest) in &saving.latest {
            if !self.changed.latest.contains_key(key) {
                self.changed.put(key, latest.clone());
            }
        }
        self.recounted.extend(self.counts.keys().cloned());
    }
}

impl Latest {
    fn bytes(&self, key: &Bytes) -> usize {
        size_of::<(Bytes, Self)>() + key.len() + self.value.as_ref().map_or(0, Bytes::len)
    }
}

impl Changed {
    fn put(&mut self, key: &Bytes, latest: Latest) {
        self.bytes += latest.bytes(key);
        if let Some(before) = self.latest.insert(key.clone(), latest) {
            self.bytes -= before.bytes(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use feedwire_engine::memory::Memory;
    use feedwire_engine::{Batch, Engine, NewRecord};
    use feedwire_event::{
        Attribute as _, Change, Data, Difference, Event, EventId, Extensions, ProjectName,
        State as Value, Subject, Timestamp, TypeName, payload,
    };

    use super::*;

    fn created(key: &EntityKey) -> NewRecord {
        let ty = TypeName::new("create").expect("a name");
        let event = Event {
            id: None,
            source: None,
            ty: ty.clone(),
            subject: Some(key.subject.clone()),
            time: None,
            live_only: false,
            extensions: Extensions::default(),
            data: Some(Data::Json(Value::parse("{}").expect("a state").into_json())),
        };
        let change = Change {
            kind: ChangeKind::Create,
            at: None,
            ids: None,
            difference: Difference::default(),
        };
        let give_id = || EventId::new("id").expect("an id");
        NewRecord {
            feed: key.feed.clone(),
            ty,
            subject: event.subject.clone(),
            time: None,
            payload: payload::encode_change(&event, &change, give_id),
        }
    }

    #[tokio::test]
    async fn what_a_write_that_was_given_up_did_not_write_is_written_by_the_next() {
        let engine = Memory::new();
        let project = ProjectName::new("p").expect("a name");
        engine.create(&project).await.expect("made");
        let log = engine.log(&project).await.expect("a log");
        let view = engine.view(&project, "entities").await.expect("a view");
        let entities = Entities::open(view.clone(), &*log, Position::ZERO).await;
        let entities = entities.expect("opened");
        let key = EntityKey {
            feed: FeedName::new("f").expect("a name"),
            subject: Subject::new("s").expect("a subject"),
        };
        let batch = Batch::new(vec![created(&key)], Vec::new()).expect("a batch");
        log.append(batch, Timestamp::MIN).await.expect("appended");
        let chunk = log
            .read(&Scope::all(), Position::ZERO, Limit::records(9))
            .await;
        let chunk = chunk.expect("read");
        entities.add(&chunk.records, chunk.through);
        drop(entities.state.lock().begin_saving());
        assert_eq!(entities.persist().await.expect("written"), chunk.through);
        assert!(view.get(&key.stored()).await.expect("read").is_some());
    }
}
