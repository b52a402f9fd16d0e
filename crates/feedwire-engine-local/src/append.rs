//! Appending: what is expected of subjects, the versions they get, and waiting for the disk.

use std::sync::Arc;

use feedwire_engine::{AppendError, Appended, Batch, Head, MinFree, Unavailable, Verdict};
use feedwire_event::{FeedName, Position, Subject, Timestamp, Version};
use feedwire_log::append::Failed;
use feedwire_log::{NewRecord, submit};
use tokio::sync::{OwnedSemaphorePermit, oneshot};

use crate::applier::WAITING_FULL;
use crate::blocking::blocking;
use crate::heads::{BatchKeys, Fetched, Lookup, Table};
use crate::log::{Closed, Shared};
use crate::marks::Seen;
use crate::store;
use crate::words;

/// A batch that is ready to be submitted.
struct Staged {
    batch: Batch,
    keys: Arc<BatchKeys>,
    encoded: feedwire_log::Batch,
}

/// A batch that was submitted.
struct Waiting {
    appended: Appended,
    done: oneshot::Receiver<Result<(), Failed>>,
}

/// An append that is not on disk yet.
#[derive(Clone, Copy)]
struct UnderWay {
    position: Position,
    /// How many had failed that it is not among.
    failures: u64,
}

/// What came of trying to submit a batch.
enum Tried {
    Submitted(Waiting),
    /// The store must be asked for some heads first.
    Missing(Staged, Fetched),
    /// Marks of the batch were seen.
    Marked(Staged, Seen),
    /// It hangs on an append under way: a subject is not where it is expected, or a mark was seen, if an append under way succeeds.
    Undecided(Staged, UnderWay),
    /// Another append came to nothing.
    Broken(Staged),
}

/// What came of looking for the head of one subject.
enum Sought {
    Found(Option<Head>),
    /// The store must be asked first.
    Missing(Fetched),
    /// It stands if an append under way succeeds.
    Undecided(UnderWay),
}

impl Staged {
    fn new(batch: Batch, keys: BatchKeys) -> Result<Self, AppendError> {
        let encoded = encode(&batch)?;
        Ok(Self {
            batch,
            keys: Arc::new(keys),
            encoded,
        })
    }
}

fn encode(batch: &Batch) -> Result<feedwire_log::Batch, AppendError> {
    let records = batch.records().iter().map(|record| NewRecord {
        feed: record.feed.as_str().as_bytes(),
        ty: record.ty.as_str().as_bytes(),
        subject: record
            .subject
            .as_ref()
            .map_or(b"", |s| s.as_str().as_bytes()),
        time: record.time.map(Timestamp::as_micros),
        payload: &record.payload,
    });
    Ok(feedwire_log::Batch::new(records).map_err(Unavailable::new)?)
}

impl Shared {
    pub(crate) async fn append(
        self: &Arc<Self>,
        batch: Batch,
        now: Timestamp,
    ) -> Result<Appended, AppendError> {
        let keys = BatchKeys::new(self.project.as_str(), self.heads.seed(), &batch);
        let mut staged = Staged::new(batch, keys)?;
        let mut fetched = Fetched::default();
        // Where marks were seen on what proved to be something else, or is gone.
        let mut refuted = Seen::new();
        if !staged.batch.marks().is_empty() {
            let known = self.know_marks().await;
            known.map_err(|error| self.not_looked_up(error))?;
        }
        loop {
            self.make_way().await?;
            let permits = u32::try_from(staged.encoded.bytes()).unwrap_or(u32::MAX);
            let permit = self.permits(permits).await?;
            match self.submit(staged, &fetched, &refuted, now, permit)? {
                Tried::Submitted(waiting) => return waiting.end().await,
                Tried::Broken(back) => staged = back,
                Tried::Marked(back, seen) => {
                    let judged = self.judge(back.batch, seen.clone()).await;
                    let (batch, verdict) = judged.map_err(|error| self.not_looked_up(error))?;
                    match verdict {
                        Verdict::Repeat(appended) => return Ok(appended),
                        Verdict::Refused(error) => return Err(error),
                        Verdict::New => refuted.extend(seen),
                    }
                    staged = Staged { batch, ..back };
                }
                Tried::Undecided(back, under_way) => {
                    self.settled(under_way).await;
                    staged = back;
                }
                Tried::Missing(back, missing) => {
                    fetched = self.fetch(Arc::clone(&back.keys), missing).await?;
                    staged = back;
                }
            }
        }
    }

    /// Why nothing was appended where a repetition could not be looked up.
    fn not_looked_up(&self, error: Unavailable) -> AppendError {
        match self.with(|_| ()) {
            Ok(()) => error.into(),
            Err(Closed) => AppendError::Closed,
        }
    }

    /// Waits for room in the queue, in the order of asking.
    async fn permits(&self, bytes: u32) -> Result<OwnedSemaphorePermit, AppendError> {
        let queue = Arc::clone(&self.queue);
        let permits = queue.acquire_many_owned(bytes.min(self.queue_bytes)).await;
        permits.ok().ok_or(AppendError::Closed)
    }

    /// Waits until each batch that was given a position up to `through` is on disk, or has come to nothing.
    pub(crate) async fn settle_up_to(&self, through: Position) -> Result<(), Unavailable> {
        if through > *self.head.borrow() {
            // All permits: what was submitted before is no longer under way.
            let settled = self.permits(self.queue_bytes).await;
            drop(settled.map_err(Unavailable::new)?);
        }
        Ok(())
    }

    /// Does what must be done before anything more is submitted.
    async fn make_way(&self) -> Result<(), AppendError> {
        if self.heads.is_broken() {
            // All permits: no append is under way, and all that failed have said so.
            let none_under_way = self.permits(self.queue_bytes).await?;
            if self.heads.is_broken() {
                let heads = Arc::clone(&self.heads);
                let failures = self.with(feedwire_log::Log::failures);
                let failures = failures.map_err(|Closed| AppendError::Closed)?;
                let (marks, last) = (Arc::clone(&self.marks), *self.head.borrow());
                blocking(move || {
                    marks.forget_after(&heads.lock(), last);
                    heads.recover(failures);
                    // Held up to here even if the caller has gone away.
                    drop(none_under_way);
                    Ok::<_, Unavailable>(())
                })
                .await?;
            }
        }
        if self.heads.waiting() > WAITING_FULL {
            let heads = Arc::clone(&self.heads);
            blocking(move || heads.apply().map_err(not_stored)).await?;
        }
        Ok(())
    }

    async fn fetch(&self, keys: Arc<BatchKeys>, missing: Fetched) -> Result<Fetched, Unavailable> {
        let heads = Arc::clone(&self.heads);
        blocking(move || Ok(heads.fetch(&keys, missing)?)).await
    }

    /// The append up to `position`, if it is not on disk yet.
    ///
    /// `table` has been locked since it told of the position: an append that fails now, or has failed and is not forgotten
    /// yet, may be that one.
    fn under_way(&self, table: &Table, position: Position) -> Option<UnderWay> {
        let failures = self.heads.forgotten(table);
        (position > *self.head.borrow()).then_some(UnderWay { position, failures })
    }

    /// Waits until the append is readable, or one has come to nothing.
    async fn settled(&self, under_way: UnderWay) {
        let UnderWay { position, failures } = under_way;
        let mut head = self.head.subscribe();
        let settled = head.wait_for(|head| *head >= position || self.heads.failures() != failures);
        // The sender lives as long as the log; were it gone, trying again would say so.
        drop(settled.await);
    }

    fn submit(
        &self,
        staged: Staged,
        fetched: &Fetched,
        refuted: &Seen,
        now: Timestamp,
        permit: OwnedSemaphorePermit,
    ) -> Result<Tried, AppendError> {
        let tried = self.with(|log| {
            let mut table = self.heads.lock();
            if self.heads.is_broken() {
                return Ok(Tried::Broken(staged));
            }
            let seen = self.marks.look_up(&staged.batch, refuted);
            if let Some(last) = seen.iter().map(|(_, position)| *position).max() {
                return Ok(match self.under_way(&table, last) {
                    Some(under_way) => Tried::Undecided(staged, under_way),
                    None => Tried::Marked(staged, seen),
                });
            }
            let found = match table.look_up(&staged.keys, fetched) {
                Lookup::Found(found) => found,
                Lookup::Missing(missing) => return Ok(Tried::Missing(staged, missing)),
            };
            if let Err((conflict, at)) = check(&staged, &found) {
                return match self.under_way(&table, at) {
                    Some(under_way) => Ok(Tried::Undecided(staged, under_way)),
                    None => Err(conflict),
                };
            }
            self.hand_over(log, &mut table, staged, &found, now, permit)
        });
        tried.unwrap_or_else(|Closed| Err(AppendError::Closed))
    }

    fn hand_over(
        &self,
        log: &feedwire_log::Log,
        table: &mut Table,
        staged: Staged,
        found: &[Option<Head>],
        now: Timestamp,
        permit: OwnedSemaphorePermit,
    ) -> Result<Tried, AppendError> {
        let versions = versions(&staged.keys, found);
        let (sender, done) = oneshot::channel();
        let (heads, head) = (Arc::clone(&self.heads), Arc::clone(&self.head));
        let tell = Box::new(move |outcome: Result<(), Failed>| {
            if outcome.is_err() {
                heads.break_off();
                // Wakes those who wait for this very position.
                head.send_modify(|_| ());
            }
            drop(permit);
            // Whoever appended may have gone away; the batch is appended all the same.
            drop(sender.send(outcome));
        });
        let numbers: Vec<u64> = versions.iter().map(|version| version.0).collect();
        let failures = self.heads.log_failures();
        let submitted = log.submit(staged.encoded, &numbers, now.as_micros(), failures, tell);
        let submitted = match submitted {
            Ok(submitted) => submitted,
            Err(submit::Error::Failed) => {
                // The versions may count a batch that failed a moment ago and has yet to say so.
                self.heads.break_off();
                let encoded = encode(&staged.batch)?;
                return Ok(Tried::Broken(Staged { encoded, ..staged }));
            }
            Err(error) => return Err(refused(error)),
        };
        let (first, last) = (
            words::position(submitted.first),
            words::position(submitted.last),
        );
        self.marks
            .enter(table, &staged.batch, first, *self.head.borrow());
        if self.heads.raise(table, staged.keys, found, first, last) {
            self.calls.call(&self.heads);
        }
        Ok(Tried::Submitted(Waiting {
            appended: Appended {
                first,
                last,
                recorded_at: Timestamp::from_micros(submitted.recorded_at),
                versions,
                is_repeat: false,
            },
            done,
        }))
    }

    /// The head of `subject`, if it is readable; waits for those that are about to be.
    pub(crate) async fn head_of(
        &self,
        feed: &FeedName,
        subject: &Subject,
    ) -> Result<Option<Head>, Unavailable> {
        let keys = BatchKeys::of_subject(self.project.as_str(), self.heads.seed(), feed, subject);
        let keys = Arc::new(keys);
        let mut fetched = Fetched::default();
        loop {
            if self.heads.is_broken() {
                self.make_way().await.map_err(Unavailable::new)?;
            }
            match self.look_up_one(&keys, &fetched) {
                Sought::Found(found) => return Ok(found),
                Sought::Missing(missing) => {
                    fetched = self.fetch(Arc::clone(&keys), missing).await?;
                }
                Sought::Undecided(under_way) => self.settled(under_way).await,
            }
        }
    }

    fn look_up_one(&self, keys: &BatchKeys, fetched: &Fetched) -> Sought {
        let table = self.heads.lock();
        let found = match table.look_up(keys, fetched) {
            Lookup::Found(found) => found.into_iter().flatten().next(),
            Lookup::Missing(missing) => return Sought::Missing(missing),
        };
        let under_way = found.and_then(|head| self.under_way(&table, head.position));
        under_way.map_or(Sought::Found(found), Sought::Undecided)
    }
}

/// What is first found not to be as expected, and the position that it hangs on.
fn check(staged: &Staged, found: &[Option<Head>]) -> Result<(), (AppendError, Position)> {
    let subjects = staged.keys.of_expectations();
    for (expectation, subject) in staged.batch.expectations().iter().zip(subjects) {
        let head = found[*subject as usize];
        expectation
            .check(head)
            .map_err(|conflict| (conflict, head.map_or(Position::ZERO, |head| head.position)))?;
    }
    Ok(())
}

fn versions(keys: &BatchKeys, found: &[Option<Head>]) -> Vec<Version> {
    let version = |subject: &Option<u32>| {
        let Some(subject) = *subject else {
            return Version::NONE;
        };
        let before = found[subject as usize];
        before.map_or(Version::NONE, |head| head.version).next()
    };
    keys.of_records().iter().map(version).collect()
}

fn not_stored(error: store::Error) -> AppendError {
    match error {
        store::Error::NoSpace(min_free) => AppendError::NoSpace(min_free),
        other => Unavailable::from(other).into(),
    }
}

fn refused(error: submit::Error) -> AppendError {
    match error {
        submit::Error::NoSpace { min_free_bytes } => {
            AppendError::NoSpace(MinFree(Some(min_free_bytes)))
        }
        submit::Error::Exhausted => AppendError::Exhausted,
        submit::Error::Closed => AppendError::Closed,
        // The permits keep the queue from being full, and a failure is met where it is told.
        busy @ (submit::Error::Busy | submit::Error::Failed) => Unavailable::new(busy).into(),
        submit::Error::Io(error) => Unavailable::new(error).into(),
    }
}

impl Waiting {
    async fn end(self) -> Result<Appended, AppendError> {
        match self.done.await {
            Ok(Ok(())) => Ok(self.appended),
            Ok(Err(failed)) => Err(Unavailable::new(failed).into()),
            Err(gone) => Err(Unavailable::new(gone).into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    use feedwire_engine::{Erasure, Log};
    use feedwire_event::{Attribute, Event, EventId, Extensions, TypeName, payload};

    use super::*;
    use crate::Options;
    use crate::log::LocalLog;
    use crate::log::tests::open_with;

    fn open(folder: &std::path::Path) -> Arc<Shared> {
        open_keeping(folder, Options::default().marks_kept)
    }

    fn open_keeping(folder: &std::path::Path, marks_kept: u64) -> Arc<Shared> {
        let sizes = Options {
            marks_kept,
            ..Options::default()
        };
        open_with(folder, sizes)
    }

    /// Where `future` is, without waiting for it.
    fn poll<F: Future>(future: std::pin::Pin<&mut F>) -> Poll<F::Output> {
        future.poll(&mut Context::from_waker(Waker::noop()))
    }

    #[tokio::test]
    async fn nobody_waits_for_an_append_that_failed_while_its_head_was_looked_up() {
        let place = tempfile::tempdir().expect("a folder");
        let log = open(place.path());
        let position = Position::new(1).expect("a position");
        let table = log.heads.lock();
        // An append tells of its failure without the table.
        log.heads.break_off();
        let under_way = log.under_way(&table, position);
        drop(table);
        let under_way = under_way.expect("it is not on disk");
        assert!(poll(pin!(log.settled(under_way))).is_ready());
    }

    /// An event of feed `f` that is known by its id.
    fn named(id: &str) -> Batch {
        let event = Event {
            id: Some(EventId::new(id).expect("an id")),
            source: None,
            ty: TypeName::new("t").expect("a name"),
            subject: None,
            time: None,
            live_only: false,
            extensions: Extensions::default(),
            data: None,
        };
        let marks = payload::Marks {
            id: true,
            key: None,
        };
        let record = feedwire_engine::NewRecord {
            feed: FeedName::new("f").expect("a name"),
            ty: event.ty.clone(),
            subject: None,
            time: None,
            payload: payload::encode(&event, marks, || unreachable!("it has an id")),
        };
        Batch::new(vec![record], Vec::new()).expect("a batch")
    }

    #[tokio::test]
    async fn what_came_to_nothing_is_not_known_when_it_comes_again() {
        let place = tempfile::tempdir().expect("a folder");
        let log = open(place.path());
        log.know_marks().await.expect("the log is read");
        let (once, failed) = (named("once"), named("failed"));
        let now = Timestamp::from_micros(0);
        let first = log.append(once.clone(), now).await.expect("appended");
        // As if it had been submitted, and its sync had failed.
        let position = Position::new(7).expect("a position");
        log.marks
            .enter(&log.heads.lock(), &failed, position, first.last);
        log.heads.break_off();
        let second = log.append(failed, now).await.expect("appended");
        assert!(!second.is_repeat && second.first > first.first);
        assert!(log.append(once, now).await.expect("known").is_repeat);
    }

    #[tokio::test]
    async fn marks_are_read_to_the_end_even_if_nobody_waits_for_them() {
        let place = tempfile::tempdir().expect("a folder");
        let log = open(place.path());
        let once = named("once");
        // Mostly it is under way then; a fast disk may have been faster.
        drop(poll(pin!(log.know_marks())));
        let now = Timestamp::from_micros(0);
        log.marks.nobody_reads().await;
        assert!(log.marks.are_known());
        let first = log.append(once.clone(), now).await.expect("appended");
        let again = log.append(once, now).await.expect("known");
        assert_eq!((again.is_repeat, again.first), (true, first.first));
    }

    #[tokio::test]
    async fn marks_of_as_many_events_as_are_kept_are_read() {
        let place = tempfile::tempdir().expect("a folder");
        let log = open_keeping(place.path(), 3);
        let now = Timestamp::from_micros(0);
        let ids = ["a", "b", "c", "d", "e"];
        for id in ids {
            log.append(named(id), now).await.expect("appended");
        }
        let marks = log.read_marks().expect("they are read");
        let known = |id: &&str| marks.look_up(&named(id).marks()[0]).is_some();
        assert!(ids[2..].iter().all(known));
        assert!(!ids[..2].iter().any(known), "no more than that is read");
    }

    #[tokio::test]
    async fn an_erasure_waits_for_what_it_names_to_be_on_disk_and_for_nothing_else() {
        let place = tempfile::tempdir().expect("a folder");
        let log = open(place.path());
        let position = Position::new(1).expect("a position");
        let everything = Erasure {
            feed: None,
            subject: None,
            through: Position::MAX,
        };
        let erasing = LocalLog(Arc::clone(&log));
        let under_way = log.permits(1).await.expect("it is open");
        let waits = || {
            let mut erasing = pin!(erasing.erase(&everything));
            assert!(poll(erasing.as_mut()).is_pending());
            log.queue.available_permits() == 0
        };
        assert!(!waits(), "what is under way has no position yet");
        // As if it had been submitted, and were not on disk.
        let batch = named("i");
        let keys = Arc::new(BatchKeys::new("p", log.heads.seed(), &batch));
        log.heads
            .raise(&mut log.heads.lock(), keys, &[], position, position);
        assert!(waits());
        drop(under_way);
        let erased = erasing.erase(&everything).await;
        assert_eq!(erased.expect("it is erased"), 0);
    }

    #[tokio::test]
    async fn a_recovery_whose_caller_went_away_lets_nobody_append_before_it_has_ended() {
        let place = tempfile::tempdir().expect("a folder");
        let log = open(place.path());
        log.heads.break_off();
        let table = log.heads.lock();
        {
            let recovering = pin!(log.make_way());
            assert!(poll(recovering).is_pending(), "it waits for the table");
        }
        assert_eq!(log.queue.available_permits(), 0);
        drop(table);
        let all = log.permits(log.queue_bytes).await;
        drop(all.expect("it is given back"));
        assert!(!log.heads.is_broken());
    }
}
