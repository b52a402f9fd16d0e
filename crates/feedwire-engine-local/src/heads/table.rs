//! [`Heads`]: looking heads up, raising them, and applying them to the store.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use feedwire_engine::{Erasure, Head, Incarnation};
use feedwire_event::{Position, ProjectName, Version};
use parking_lot::{Mutex, MutexGuard};
use smallvec::SmallVec;

use super::batch_keys::BatchKeys;
use super::cache::{Cache, Moment};
use super::floors::Floors;
use super::pending::{Pending, Submitted};
use crate::store::{Applied, Error, Store};

/// Heads that are written to the store in one batch: others write there too, and wait for it.
const APPLIED_AT_ONCE: usize = 4_096;

/// The heads of a project's subjects.
#[derive(Debug)]
pub(crate) struct Heads {
    pub(super) project: ProjectName,
    pub(super) incarnation: Incarnation,
    pub(super) seed: u64,
    pub(super) store: Arc<Store>,
    table: Mutex<Table>,
    /// Locked before `table` where both are.
    pub(super) pending: Mutex<Pending>,
    /// The last position that is on disk in the log.
    synced: AtomicU64,
    /// How many submitted batches came to nothing.
    failures: AtomicU64,
    /// How many of these the cache has forgotten; while it has not, it is not to be trusted. Changed while `table` is locked.
    forgotten: AtomicU64,
    /// The failures of the log that the cache has forgotten.
    log_failures: AtomicU64,
    /// Heads that are not in the store, of all projects.
    waiting: Arc<AtomicUsize>,
}

/// What is locked while a batch is given its versions.
#[derive(Debug)]
pub(crate) struct Table {
    cache: Cache,
    submitted: VecDeque<Submitted>,
    floors: Floors,
    /// The last position that was given to a batch.
    given: Position,
    /// Everything up to here is in the store.
    applied: Position,
    /// Whether the applier knows that there is something to do.
    called: bool,
}

/// What the store said of some subjects of a batch.
#[derive(Debug, Default)]
pub(crate) struct Fetched(Vec<(usize, Moment, Option<Head>)>);

/// The heads of the subjects of a batch, in the order of its keys.
pub(crate) type FoundHeads = SmallVec<[Option<Head>; 1]>;

/// What is known of the subjects of a batch.
#[derive(Debug)]
pub(crate) enum Lookup {
    /// All their heads.
    Found(FoundHeads),
    /// The store must be asked first, for all that is listed.
    Missing(Fetched),
}

impl Heads {
    pub(super) fn new(
        store: Arc<Store>,
        project: ProjectName,
        incarnation: Incarnation,
        cache: Cache,
        applied: Position,
        waiting: Arc<AtomicUsize>,
    ) -> Self {
        let pending = Pending::after(applied);
        let floors = Floors::new(project.as_str());
        Self {
            project,
            incarnation,
            seed: fastrand::u64(..),
            store,
            table: Mutex::new(Table {
                cache,
                submitted: VecDeque::new(),
                floors,
                given: applied,
                applied,
                called: false,
            }),
            pending: Mutex::new(pending),
            synced: AtomicU64::new(applied.get()),
            failures: AtomicU64::new(0),
            log_failures: AtomicU64::new(0),
            forgotten: AtomicU64::new(0),
            waiting,
        }
    }

    pub(crate) fn seed(&self) -> u64 {
        self.seed
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Table> {
        self.table.lock()
    }

    /// The log was opened, and is on disk up to `last`, its end.
    pub(super) fn opened(&self, last: Position) {
        self.table.lock().given = last;
        self.synced(last);
    }

    /// The last position that was given to a batch; whatever is submitted later comes behind it.
    pub(crate) fn given(&self) -> Position {
        self.table.lock().given
    }

    /// Has those that `erasure` names begin anew that have had nothing behind its `through`, for every batch submitted from now on.
    pub(crate) fn begin_anew(&self, erasure: &Erasure) {
        let mut table = self.table.lock();
        let through = erasure.through.min(table.given);
        table.floors.raise(&Erasure {
            through,
            ..erasure.clone()
        });
    }

    /// The log is on disk up to `position`.
    pub(crate) fn synced(&self, position: Position) {
        self.synced.fetch_max(position.get(), Ordering::AcqRel);
    }

    /// A submitted batch came to nothing.
    pub(crate) fn break_off(&self) {
        self.failures.fetch_add(1, Ordering::AcqRel);
    }

    /// How many submitted batches came to nothing.
    pub(crate) fn failures(&self) -> u64 {
        self.failures.load(Ordering::Acquire)
    }

    /// Whether there are batches to be forgotten before another is submitted.
    pub(crate) fn is_broken(&self) -> bool {
        self.failures() != self.forgotten.load(Ordering::Acquire)
    }

    /// How many submitted batches came to nothing of which `table` knows.
    pub(crate) fn forgotten(&self, _table: &Table) -> u64 {
        self.forgotten.load(Ordering::Acquire)
    }

    /// How many heads are not in the store, of all projects.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    /// Asks the store for what `missing` lists.
    pub(crate) fn fetch(&self, keys: &BatchKeys, missing: Fetched) -> Result<Fetched, Error> {
        let fetched = missing.0.into_iter().map(|(index, moment, _)| {
            let head = self.store.head(keys.key(index))?;
            Ok((index, moment, head))
        });
        Ok(Fetched(fetched.collect::<Result<_, Error>>()?))
    }

    /// Takes up what is on disk in the log; says whether there is more to come.
    pub(crate) fn merge(&self) -> bool {
        self.merge_into(&mut self.pending.lock())
    }

    pub(super) fn merge_into(&self, pending: &mut Pending) -> bool {
        let mut ready = Vec::new();
        let more = {
            let mut table = self.table.lock();
            // Read under the lock: what is submitted later is beyond it.
            let synced = self.synced.load(Ordering::Acquire);
            while let Some(batch) = table.submitted.pop_front_if(|b| b.last.get() <= synced) {
                ready.push(batch);
            }
            table.called = !table.submitted.is_empty();
            table.called
        };
        for batch in ready {
            let (heads, before) = (batch.keys.len(), pending.len());
            pending.merge(&batch);
            let merged = pending.len() - before;
            self.waiting.fetch_sub(heads - merged, Ordering::Relaxed);
        }
        more
    }

    /// Writes everything that is on disk in the log to the store; returns the position up to which that is.
    ///
    /// The heads are written before the position that they belong to, and in many batches: after a crash the log is
    /// read again from the position before, which only makes the same heads once more.
    pub(crate) fn apply(&self) -> Result<Position, Error> {
        let mut pending = self.pending.lock();
        self.merge_into(&mut pending);
        self.write_counted(&mut pending)?;
        Ok(pending.through)
    }

    pub(super) fn write(&self, pending: &mut Pending) -> Result<(), Error> {
        if pending.through == self.table.lock().applied {
            return Ok(());
        }
        // Who tries again and again on a full disk has not sorted them for nothing.
        self.store.check_heads_room()?;
        // In the order of their keys they are faster written, and the store's tables overlap less.
        let mut heads: Vec<(&[u8], Head)> = pending.heads().collect();
        heads.sort_unstable_by_key(|(key, _)| *key);
        for some in heads.chunks(APPLIED_AT_ONCE) {
            self.store.write_heads(some)?;
        }
        drop(heads);
        let applied = Applied {
            life: 0,
            position: pending.through,
            incarnation: self.incarnation,
        };
        self.store
            .write_heads_applied(self.project.as_str(), applied)?;
        self.table.lock().applied = pending.through;
        pending.clear();
        Ok(())
    }

    fn write_counted(&self, pending: &mut Pending) -> Result<(), Error> {
        let heads = pending.len();
        self.write(pending)?;
        self.waiting.fetch_sub(heads, Ordering::Relaxed);
        Ok(())
    }

    /// The failures of the log that the versions given out count nothing of.
    pub(crate) fn log_failures(&self) -> u64 {
        self.log_failures.load(Ordering::Acquire)
    }

    /// Forgets the batches that came to nothing. Called while no append is under way, with the failures that the log has
    /// had.
    ///
    /// What succeeded and is not in the store yet is not written for it: nobody could append, or look a subject up, where the store
    /// has no room.
    pub(crate) fn recover(&self, log_failures: u64) {
        let mut pending = self.pending.lock();
        self.merge_into(&mut pending);
        let mut table = self.table.lock();
        let failed: usize = table.submitted.iter().map(|batch| batch.keys.len()).sum();
        self.waiting.fetch_sub(failed, Ordering::Relaxed);
        table.submitted.clear();
        table.cache.forget();
        table.hold(&pending);
        self.log_failures.store(log_failures, Ordering::Release);
        self.forgotten.store(self.failures(), Ordering::Release);
    }

    /// Has nothing written any more. Called when the log is closed: another opening of it is next to write.
    pub(crate) fn retire(&self) {
        let mut pending = self.pending.lock();
        let mut table = self.table.lock();
        let submitted: usize = table.submitted.iter().map(|batch| batch.keys.len()).sum();
        self.waiting
            .fetch_sub(pending.len() + submitted, Ordering::Relaxed);
        table.submitted.clear();
        *pending = Pending::after(table.applied);
        pending.is_retired = true;
    }

    /// Everything up to here is in the store.
    pub(crate) fn applied(&self) -> Position {
        self.table.lock().applied
    }

    /// Keeps in memory what there was no room for in the store.
    pub(super) fn hold(&self, pending: &Pending) {
        self.table.lock().hold(pending);
        self.waiting.fetch_add(pending.len(), Ordering::Relaxed);
    }

    /// Takes up the batch that was given `heads`; says whether the applier is to be called.
    pub(crate) fn raise(
        &self,
        table: &mut Table,
        keys: Arc<BatchKeys>,
        found: &[Option<Head>],
        first: Position,
        last: Position,
    ) -> bool {
        let raised = keys.subjects().iter().zip(found).map(|(subject, before)| {
            let place = subject.last?;
            Some(Head {
                version: before.map_or(Version::NONE, |head| head.version).next(),
                position: first.plus(u64::from(place)),
            })
        });
        let heads: FoundHeads = raised.collect();
        for (subject, head) in keys.subjects().iter().zip(&heads) {
            if let Some(head) = head {
                table.cache.insert(subject.hash, *head, table.applied);
            }
        }
        self.waiting.fetch_add(keys.len(), Ordering::Relaxed);
        table.submitted.push_back(Submitted { keys, heads, last });
        table.given = last;
        !std::mem::replace(&mut table.called, true)
    }
}

impl Table {
    /// Keeps in memory what is not in the store yet.
    fn hold(&mut self, pending: &Pending) {
        for (hash, head) in pending.hashes() {
            self.cache.insert(hash, head, self.applied);
        }
    }

    /// Whether `head`, which is that at `key`, counts for something.
    pub(super) fn counts(&self, key: &[u8], head: Head) -> bool {
        !self.floors.hide(key, head)
    }

    /// The heads of the subjects of `keys`, where need be out of `fetched`.
    pub(crate) fn look_up(&self, keys: &BatchKeys, fetched: &Fetched) -> Lookup {
        let mut found = FoundHeads::with_capacity(keys.len());
        let mut to_ask = Vec::new();
        let mut short = false;
        let mut fetched = fetched.0.iter().peekable();
        let counts = |index, head: &Head| self.counts(keys.key(index), *head);
        for (index, subject) in keys.subjects().iter().enumerate() {
            let known = self.cache.get(subject.hash);
            let asked = fetched.next_if(|(of, _, _)| *of == index);
            if known.is_some() || self.cache.is_complete() {
                found.push(known.filter(|head| counts(index, head)));
                continue;
            }
            let now = self.cache.moment(subject.hash);
            to_ask.push((index, now, None));
            match asked {
                Some((_, moment, head)) if *moment == now => {
                    found.push(head.filter(|head| counts(index, head)));
                }
                _ => short = true,
            }
        }
        if short {
            Lookup::Missing(Fetched(to_ask))
        } else {
            Lookup::Found(found)
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use feedwire_engine::{Batch, NewRecord};
    use feedwire_event::{FeedName, Subject, TypeName};

    use super::*;
    use crate::Options;

    fn at(position: u64) -> Position {
        Position::new(position).expect("a position")
    }

    fn heads(folder: &std::path::Path) -> Heads {
        let store = Store::open(folder, &Options::default()).expect("it opens");
        let project = ProjectName::new("p").expect("a name");
        let cache = Cache::new(1_000, true);
        let waiting = Arc::default();
        Heads::new(
            Arc::new(store),
            project,
            Incarnation(1),
            cache,
            Position::ZERO,
            waiting,
        )
    }

    fn keys(heads: &Heads, subjects: &[&str]) -> Arc<BatchKeys> {
        let record = |name: &&str| NewRecord {
            feed: FeedName::new("f").expect("a name"),
            ty: TypeName::new("t").expect("a name"),
            subject: Some(Subject::new(name).expect("a subject")),
            time: None,
            payload: Bytes::new(),
        };
        let batch = Batch::new(subjects.iter().map(record).collect(), Vec::new());
        let batch = batch.expect("a batch");
        Arc::new(BatchKeys::new("p", heads.seed(), &batch))
    }

    fn find(heads: &Heads, keys: &BatchKeys) -> FoundHeads {
        let mut fetched = Fetched::default();
        loop {
            let looked = heads.lock().look_up(keys, &fetched);
            match looked {
                Lookup::Found(found) => return found,
                Lookup::Missing(missing) => {
                    fetched = heads.fetch(keys, missing).expect("it is read");
                }
            }
        }
    }

    fn submit(heads: &Heads, subjects: &[&str], first: u64) {
        let keys = keys(heads, subjects);
        let found = find(heads, &keys);
        let last = at(first + subjects.len() as u64 - 1);
        let mut table = heads.lock();
        heads.raise(&mut table, keys, &found, at(first), last);
    }

    fn versions(heads: &Heads, subjects: &[&str]) -> Vec<u64> {
        let found = find(heads, &keys(heads, subjects));
        let version = |head: &Option<Head>| head.map_or(0, |head| head.version.0);
        found.iter().map(version).collect()
    }

    #[test]
    fn batches_that_came_to_nothing_leave_versions_as_they_were() {
        let place = tempfile::tempdir().expect("a folder");
        let heads = heads(place.path());
        submit(&heads, &["a", "b"], 1);
        assert_eq!(heads.apply().expect("there is room"), Position::ZERO);
        heads.synced(at(2));
        assert_eq!(heads.apply().expect("there is room"), at(2));
        submit(&heads, &["a"], 3);
        heads.synced(at(3));
        submit(&heads, &["a", "c"], 4);
        submit(&heads, &["b", "a"], 6);
        assert_eq!(versions(&heads, &["a", "b", "c"]), [4, 2, 1]);
        heads.break_off();
        heads.break_off();
        assert!(heads.is_broken());
        heads.recover(2);
        assert!(!heads.is_broken());
        assert_eq!(versions(&heads, &["a", "b", "c"]), [2, 1, 0]);
        assert_eq!(heads.waiting(), 1, "that of `a` is not written yet");
        submit(&heads, &["c", "a"], 8);
        assert_eq!(versions(&heads, &["a", "b", "c"]), [3, 1, 1]);
    }

    /// An erasure of `subject` up to `through`.
    fn erasure(subject: &str, through: u64) -> Erasure {
        Erasure {
            feed: Some(FeedName::new("f").expect("a name")),
            subject: Some(Subject::new(subject).expect("a subject")),
            through: at(through),
        }
    }

    #[test]
    fn what_is_forgotten_stays_so_when_batches_come_to_nothing() {
        let place = tempfile::tempdir().expect("a folder");
        let heads = heads(place.path());
        submit(&heads, &["a", "b"], 1);
        heads.synced(at(2));
        submit(&heads, &["a"], 3);
        assert_eq!(heads.given(), at(3));
        heads.begin_anew(&erasure("a", 3));
        assert_eq!(versions(&heads, &["a", "b"]), [0, 1]);
        submit(&heads, &["a", "b"], 4);
        assert_eq!(versions(&heads, &["a", "b"]), [1, 2]);
        heads.break_off();
        heads.break_off();
        heads.recover(2);
        assert_eq!(versions(&heads, &["a", "b"]), [0, 1]);
        assert_eq!(heads.given(), at(5), "it is not given again");
        submit(&heads, &["a"], 6);
        heads.synced(at(6));
        heads.recover(2);
        assert_eq!(versions(&heads, &["a", "b"]), [1, 1]);
    }

    #[test]
    fn a_head_that_waits_to_be_written_outlives_the_removal_of_the_one_before() {
        let place = tempfile::tempdir().expect("a folder");
        let heads = heads(place.path());
        submit(&heads, &["a", "b"], 1);
        heads.synced(at(2));
        heads.apply().expect("there is room");
        submit(&heads, &["a"], 3);
        heads.synced(at(3));
        heads.merge();
        heads.remove(&erasure("a", 2)).expect("it is removed");
        heads.remove(&erasure("b", 1)).expect("it is removed");
        assert_eq!(versions(&heads, &["a", "b"]), [2, 1]);
        heads.recover(0);
        assert_eq!(versions(&heads, &["a", "b"]), [2, 1]);
        heads.apply().expect("there is room");
        heads.lock().cache.forget();
        assert_eq!(versions(&heads, &["a", "b"]), [2, 1]);
        heads.remove(&erasure("a", 3)).expect("it is removed");
        heads.recover(0);
        assert_eq!(versions(&heads, &["a", "b"]), [0, 1]);
    }

    #[test]
    fn retired_heads_are_never_written_or_removed() {
        let place = tempfile::tempdir().expect("a folder");
        let heads = heads(place.path());
        submit(&heads, &["a", "b"], 1);
        heads.synced(at(2));
        heads.merge();
        submit(&heads, &["a"], 3);
        heads.synced(at(3));
        heads.retire();
        assert_eq!(heads.apply().expect("there is room"), Position::ZERO);
        assert_eq!(heads.waiting(), 0);
        let stored = heads.store.heads_applied("p");
        assert_eq!(stored.expect("it is read"), None);
        let removed = heads.remove(&erasure("a", 3));
        assert!(matches!(removed, Err(Error::Closed)), "{removed:?}");
    }

    #[test]
    fn heads_that_are_held_for_want_of_room_are_found_and_written_later() {
        let place = tempfile::tempdir().expect("a folder");
        let heads = heads(place.path());
        let head = Head {
            version: Version(7),
            position: at(9),
        };
        let of = keys(&heads, &["a"]);
        let mut pending = heads.pending.lock();
        pending.put(of.subjects()[0].hash, of.key(0), head);
        pending.through = at(9);
        heads.hold(&pending);
        drop(pending);
        assert_eq!(versions(&heads, &["a"]), [7]);
        assert_eq!(heads.apply().expect("there is room"), at(9));
        assert_eq!(heads.waiting(), 0);
        heads.lock().cache.forget();
        assert_eq!(versions(&heads, &["a"]), [7]);
    }
}
