//! Running load jobs, one of a project at a time.

use std::sync::Arc;
use std::time::Duration;

use feedwire_engine::{
    AppendError, Batch, Limit, NewRecord, ReadError, Record, Scope, Unavailable,
};
use feedwire_event::payload::{self, DataText};
use feedwire_event::{
    Attribute, Change, ChangeKind, Data, Difference, Event, EventId, Extensions, FeedName, Ids,
    Source, State, Subject, TypeName,
};
use feedwire_tally::Outage;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::Phase;
use super::stored::Job;
use crate::entities::{Entity, EntityKey, Walk};
use crate::filter::Matcher;
use crate::limits::{
    LOAD_BATCH_BYTES, LOAD_BATCH_EVENTS, LOAD_PAUSE_MAX, LOAD_PAUSES, LOAD_RETRY, LOAD_SAVED,
};
use crate::project::{Project, TAIL_READ};
use crate::{Allowance, Clock, Filter};

/// What an event takes on disk beside its tags and its payload, at most.
const FRAME_BYTES: usize = 64;

/// Why a job is not gone on with.
#[derive(Debug, thiserror::Error)]
enum Halt {
    /// The project is being closed.
    #[error("the project is being closed")]
    Closing,
    /// It cannot be gone on with, for this reason.
    #[error("{0}")]
    Broken(String),
    /// It is tried again later.
    #[error(transparent)]
    Append(AppendError),
    /// It is tried again later.
    #[error(transparent)]
    Read(ReadError),
    /// It is tried again later.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
    /// It is tried again later.
    #[error(transparent)]
    Store(#[from] crate::store::Error),
}

impl From<ReadError> for Halt {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Damaged { .. } => Self::Broken(error.to_string()),
            ReadError::Expired(_) | ReadError::Unavailable(_) => Self::Read(error),
        }
    }
}

impl Project {
    /// Runs load jobs as they are started, until `stop`.
    pub(crate) async fn keep_loads(self: &Arc<Self>, clock: &dyn Clock, stop: &CancellationToken) {
        let run = async {
            let mut outage = Outage::default();
            loop {
                let Some(job) = self.loads().next() else {
                    self.loads().started.notified().await;
                    continue;
                };
                // Held while it is run, so that the project is not taken for one that nobody uses.
                let project = Arc::clone(self);
                let id = job.id.clone();
                match project.run(job, clock).await {
                    Ok(()) if outage.ends() => tracing::info!("load jobs are gone on with"),
                    Ok(()) => {}
                    Err(Halt::Closing) => return,
                    Err(Halt::Broken(reason)) => {
                        // Where that cannot be written, it is found out again.
                        drop(project.loads().end(&id, Phase::Failed(reason), clock).await);
                    }
                    Err(error) => {
                        if outage.begins(&error) {
                            tracing::warn!(
                                error = &error as &dyn std::error::Error,
                                "a load job waits"
                            );
                        }
                        tokio::time::sleep(LOAD_RETRY).await;
                    }
                }
                project.loads().note_running(None);
            }
        };
        stop.run_until_cancelled(run).await;
        if let Some(job) = self.loads().next().filter(|job| job.written > 0) {
            // The log says it too.
            drop(self.loads().keep(&job).await);
        }
    }

    /// Goes on with `job` up to its end.
    async fn run(self: &Arc<Self>, mut job: Job, clock: &dyn Clock) -> Result<(), Halt> {
        let caught_up = self.catch_up(&mut job).await;
        self.loads().note(&job);
        self.loads().note_caught_up();
        caught_up?;
        self.loads().note_running(Some((job.id.clone(), job.done)));
        let mut walk = Walk::new(Arc::clone(self), job.matcher(), job.after.clone());
        let (before, mut saved_at) = (job.done, Instant::now());
        loop {
            let batch = self.loads().batch.lock().await;
            if !self.loads().goes_on(&job.id) {
                return Ok(());
            }
            let (begun, written) = (Instant::now(), job.written);
            let head = self.log().bounds().last;
            let limit = Limit {
                records: LOAD_BATCH_EVENTS,
                bytes: LOAD_BATCH_BYTES,
            };
            // Of no feed there is nothing; a filter without feeds would be of all.
            let found = if job.settings.feeds.is_empty() {
                None
            } else {
                walk.next(limit).await?
            };
            let done = before + walk.found();
            let phase = match found {
                None => Some(Phase::Done),
                Some(entities) => self.load(&mut job, &entities, clock).await?,
            };
            job.done = done;
            if phase.is_none() {
                job.after = walk.after().cloned();
            }
            if let Some(phase) = phase {
                job.phase = phase;
                job.ended_at = Some(clock.now());
                self.loads().keep(&job).await?;
                return Ok(());
            }
            if saved_at.elapsed() >= LOAD_SAVED {
                self.loads().keep(&job).await?;
                saved_at = Instant::now();
            } else {
                self.loads().note(&job);
            }
            drop(batch);
            let own = job.written - written;
            let all = self.log().bounds().last.get() - head.get();
            give_way(all > own, begun.elapsed()).await;
        }
    }

    /// Has `job` know how far it is: events of its may have come after it was kept.
    async fn catch_up(&self, job: &mut Job) -> Result<(), Halt> {
        let scope = Scope {
            feeds: job.settings.feeds.iter().map(FeedName::load_feed).collect(),
            ..Scope::default()
        };
        let (mut after, end) = (job.last.max(job.start), self.log().bounds().last);
        while after < end && !scope.feeds.is_empty() {
            let chunk = match self.log().read(&scope, after, TAIL_READ).await {
                Err(ReadError::Expired(expired)) => {
                    after = expired.first.previous();
                    continue;
                }
                chunk => chunk?,
            };
            for record in &chunk.records {
                job.take_up(record)?;
            }
            after = chunk.through;
        }
        Ok(())
    }

    /// Writes `entities` to their load feeds; returns how the job ends, where it does.
    async fn load(
        &self,
        job: &mut Job,
        entities: &[Entity],
        clock: &dyn Clock,
    ) -> Result<Option<Phase>, Halt> {
        // What is hidden from here on is hidden with what is written before it.
        let _appending = self.appending().read().await;
        let hidden = self.erasures().hidden();
        let shown = entities
            .iter()
            .filter(|entity| !hidden.hides(entity.record()));
        let numbered = shown.zip(job.written + 1..);
        let records: Vec<NewRecord> = numbered
            .map(|(entity, number)| record(job, entity, number))
            .collect::<Result<_, Halt>>()?;
        if records.is_empty() {
            return Ok(None);
        }
        let bytes = records.iter().map(|record| record.bytes() + FRAME_BYTES);
        let bytes = bytes.sum::<usize>() as u64;
        if job.bytes + bytes > job.bytes_max {
            let reason = format!(
                "all of it takes more than the {} bytes it may",
                job.bytes_max
            );
            return Ok(Some(Phase::Failed(reason)));
        }
        if let Some(most) = self.retention().present().bytes {
            let first = self.log().bounds().first;
            let retained = self.loads().retained_bytes(first).unwrap_or_default();
            if retained + bytes > most {
                let reason = format!(
                    "what is loaded may take as much as is kept of everything else, which is {most} bytes"
                );
                return Ok(Some(Phase::Failed(reason)));
            }
        }
        let written = records.len() as u64;
        let batch = Batch::new(records, Vec::new());
        let batch = batch.map_err(|error| Halt::Broken(error.to_string()))?;
        let appended = match self.log().append(batch, clock.now()).await {
            Ok(appended) => appended,
            Err(AppendError::Closed) => return Err(Halt::Closing),
            Err(error) => return Err(Halt::Append(error)),
        };
        job.written += written;
        job.bytes += bytes;
        job.last = appended.last;
        Ok(None)
    }
}

/// Waits a while behind a batch that took `took`, where others publish.
async fn give_way(to_others: bool, took: Duration) {
    if to_others {
        tokio::time::sleep((took * LOAD_PAUSES).min(LOAD_PAUSE_MAX)).await;
    } else {
        tokio::task::yield_now().await;
    }
}

impl Job {
    /// Takes up that `record` was written, if it is of this job.
    fn take_up(&mut self, record: &Record) -> Result<(), Halt> {
        let payload = record.payload().map_err(|error| broken(record, &error))?;
        let Some(number) = self
            .number_of(payload.id)
            .filter(|number| *number > self.written)
        else {
            return Ok(());
        };
        let feed = FeedName::new(FeedName::loaded(record.feed()).unwrap_or_default());
        let subject = Subject::new(record.subject().unwrap_or_default());
        let after = EntityKey {
            feed: feed.map_err(|error| broken(record, &error))?,
            subject: subject.map_err(|error| broken(record, &error))?,
        };
        self.done += number - self.written;
        self.written = number;
        self.bytes += (record.bytes() + FRAME_BYTES) as u64;
        self.last = record.position();
        self.after = Some(after);
        Ok(())
    }

    fn matcher(&self) -> Matcher {
        let filter = Filter {
            feeds: self.settings.feeds.clone(),
            subjects: self.settings.subjects.clone(),
            labels: self
                .settings
                .labels
                .iter()
                .cloned()
                .map(Into::into)
                .collect(),
            expression: self.settings.expression.clone(),
            ..Filter::default()
        };
        Matcher::new(filter, &Allowance::whole()).expect("everything is granted")
    }

    /// The id of its event `number`, counted from 1.
    fn event_id(&self, number: u64) -> EventId {
        EventId::new(&format!("{}-{number}", self.id.as_str())).expect("ids of jobs are short")
    }

    /// The number of its event `id`; `None` where that is of another job.
    fn number_of(&self, id: &str) -> Option<u64> {
        id.strip_prefix(self.id.as_str())?
            .strip_prefix('-')?
            .parse()
            .ok()
    }
}

fn broken(record: &Record, error: &dyn std::error::Error) -> Halt {
    Halt::Broken(format!(
        "the record at position {} cannot be read: {error}",
        record.position()
    ))
}

/// The event `number` of `job`, which tells the state of `entity`.
fn record(job: &Job, entity: &Entity, number: u64) -> Result<NewRecord, Halt> {
    let state = entity.record();
    let payload = state.payload().map_err(|error| broken(state, &error))?;
    let unreadable = || {
        Halt::Broken(format!(
            "the state at position {} cannot be read",
            entity.position()
        ))
    };
    let (DataText::Json(data), Some(change)) = (payload.data, payload.change) else {
        return Err(unreadable());
    };
    let feed = FeedName::new(state.feed()).map_err(|error| broken(state, &error))?;
    let subject = Subject::new(state.subject().unwrap_or_default());
    let subject = subject.map_err(|error| broken(state, &error))?;
    let ty = TypeName::new(ChangeKind::Load.as_str()).expect("it is a name");
    let source = payload.source.map(Source::new).transpose();
    let data = State::written(data).ok_or_else(unreadable)?;
    let event = Event {
        id: Some(job.event_id(number)),
        source: source.map_err(|error| broken(state, &error))?,
        ty: ty.clone(),
        subject: Some(subject.clone()),
        time: Some(state.stamp().time),
        live_only: false,
        extensions: Extensions::default(),
        data: Some(Data::Json(data.into_json())),
    };
    let change = Change {
        kind: ChangeKind::Load,
        at: Some(entity.position()),
        ids: Ids::written(change.ids),
        difference: Difference::default(),
    };
    Ok(NewRecord {
        feed: feed.load_feed(),
        ty,
        subject: Some(subject),
        time: event.time,
        payload: payload::encode_change(&event, &change, || unreachable!("it has an id")),
    })
}
