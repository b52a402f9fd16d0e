//! Running load jobs, one of a project at a time.

use std::sync::Arc;
use std::time::Duration;

use feedwire_engine::{AppendError, Batch, Limit, NewRecord, ReadError, Scope, Unavailable};
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
use crate::project::Project;
use crate::{Allowance, Clock, Filter};

/// What an event takes on disk beside its tags and its payload, at most.
const FRAME_BYTES: usize = 64;

/// Why a job is not gone on with.
#[derive(Debug, thiserror::Error)]
enum Halt {
    /// The project is being closed.
    #[error("the project is being closed")]
    Closing,
    /// It is tried again later.
    #[error(transparent)]
    Append(AppendError),
    /// It is tried again later.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// It is tried again later.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
    /// It is tried again later.
    #[error(transparent)]
    Store(#[from] crate::store::Error),
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
                match project.run(job, clock).await {
                    Ok(()) if outage.ends() => tracing::info!("load jobs are gone on with"),
                    Ok(()) => {}
                    Err(Halt::Closing) => return,
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
    }

    /// Goes on with `job` up to its end.
    async fn run(self: &Arc<Self>, mut job: Job, clock: &dyn Clock) -> Result<(), Halt> {
        self.catch_up(&mut job).await?;
        self.loads().note_running(Some((job.id.clone(), job.done)));
        let mut walk = Walk::new(Arc::clone(self), job.matcher(), job.after.clone());
        let (before, mut saved_at) = (job.done, Instant::now());
        while self.loads().goes_on(&job.id) {
            let (begun, written) = (Instant::now(), job.written);
            let head = self.log().bounds().last;
            let limit = Limit {
                records: LOAD_BATCH_EVENTS,
                bytes: LOAD_BATCH_BYTES,
            };
            let found = walk.next(limit).await?;
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
            let own = job.written - written;
            let all = self.log().bounds().last.get() - head.get();
            give_way(all > own, begun.elapsed()).await;
        }
        Ok(())
    }

    /// Has `job` know how far it is: its last event may have come after it was kept.
    async fn catch_up(&self, job: &mut Job) -> Result<(), Halt> {
        let scope = Scope {
            feeds: job.settings.feeds.iter().map(FeedName::load_feed).collect(),
            ..Scope::default()
        };
        if scope.feeds.is_empty() {
            return Ok(());
        }
        let mut before = self.log().bounds().last.next();
        let found = loop {
            let chunk = self
                .log()
                .read_back(&scope, before, Limit::records(1))
                .await?;
            if let Some(record) = chunk.records.into_iter().next() {
                break record;
            }
            before = chunk.through;
            if before <= self.log().bounds().first {
                return Ok(());
            }
        };
        let payload = found.payload().map_err(Unavailable::new)?;
        let (feed, subject) = (FeedName::loaded(found.feed()), found.subject());
        let key = feed.zip(subject).and_then(|(feed, subject)| {
            let (feed, subject) = (FeedName::new(feed).ok()?, Subject::new(subject).ok()?);
            Some(EntityKey { feed, subject })
        });
        if let (Some(written), Some(key)) = (job.number(payload.id), key) {
            let more = written.saturating_sub(job.written);
            job.written += more;
            job.done += more;
            job.bytes += more * (found.bytes() + FRAME_BYTES) as u64;
            job.last = job.last.max(found.position());
            job.after = job.after.take().max(Some(key));
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
            .collect::<Result<_, Unavailable>>()?;
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
            if self.loads().retained_bytes(first) + bytes > most {
                let reason = format!(
                    "what is loaded may take as much as is kept of everything else, which is {most} bytes"
                );
                return Ok(Some(Phase::Failed(reason)));
            }
        }
        let written = records.len() as u64;
        let batch = Batch::new(records, Vec::new()).map_err(Unavailable::new)?;
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
    fn number(&self, id: &str) -> Option<u64> {
        id.strip_prefix(self.id.as_str())?
            .strip_prefix('-')?
            .parse()
            .ok()
    }
}

/// The event `number` of `job`, which tells the state of `entity`.
fn record(job: &Job, entity: &Entity, number: u64) -> Result<NewRecord, Unavailable> {
    let state = entity.record();
    let payload = state.payload().map_err(Unavailable::new)?;
    let unreadable = || Unavailable::new("the state of an entity cannot be read");
    let (DataText::Json(data), Some(change)) = (payload.data, payload.change) else {
        return Err(unreadable());
    };
    let feed = FeedName::new(state.feed()).map_err(Unavailable::new)?;
    let subject = Subject::new(state.subject().unwrap_or_default()).map_err(Unavailable::new)?;
    let ty = TypeName::new(ChangeKind::Load.as_str()).map_err(Unavailable::new)?;
    let source = payload.source.map(Source::new).transpose();
    let data = State::written(data).ok_or_else(unreadable)?;
    let event = Event {
        id: Some(job.event_id(number)),
        source: source.map_err(Unavailable::new)?,
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
