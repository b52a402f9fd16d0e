//! An open project: its log, its tail and what is worked out from them.

use std::sync::Arc;

use feedwire_engine::{
    Engine, Limit, Log, OpenError, Primary, ReadError, Record, Scope, Unavailable,
};
use feedwire_event::{Position, ProjectName};
use feedwire_tally::Outage;
use tokio::sync::SetOnce;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use crate::Clock;
use crate::counts::Counts;
use crate::entities::{Entities, EntityKey};
use crate::erasure::with_loads;
use crate::labels::StoredLabels;
use crate::latest::Latest;
use crate::limits::{COUNTS_INTERVAL, TAIL_READ_BYTES, TAIL_RETRY};
use crate::loads::Loads;
use crate::projects::Gate;
use crate::receipts::StoredErasures;
use crate::retention::StoredRetention;
use crate::stats::{Meter, ProjectStats};
use crate::stream::{Ground, Streams};
use crate::subjects::Subjects;
use crate::tail::Tail;
use crate::turns::Turns;

/// How much the tail takes out of the log in one go.
pub(crate) const TAIL_READ: Limit = Limit {
    records: usize::MAX,
    bytes: TAIL_READ_BYTES,
};

/// A project whose log is open.
#[derive(Debug)]
pub(crate) struct Project {
    log: Arc<dyn Log>,
    tail: Arc<Tail>,
    counts: Counts,
    latest: Latest,
    entities: Entities,
    entity_turns: Turns<EntityKey>,
    loads: Loads,
    labels: StoredLabels,
    retention: StoredRetention,
    erasures: StoredErasures,
    subjects: Subjects,
    streams: Streams,
    /// Read over each append.
    appending: tokio::sync::RwLock<()>,
    meter: Meter,
    /// Held while events are counted for somebody: one at a time.
    counting: tokio::sync::Mutex<()>,
    /// What all of it is stored through.
    gate: Arc<Gate>,
    /// Whether retention and erasures were seen to since it was opened.
    trimmed: SetOnce<()>,
    erased: SetOnce<()>,
}

impl Project {
    pub(crate) async fn open(
        engine: &dyn Engine,
        name: &ProjectName,
        clock: Arc<dyn Clock>,
        tail_bytes_max: usize,
    ) -> Result<Self, OpenError> {
        let log = engine.log(name).await?;
        let gate = Arc::new(Gate::new(engine.primary()));
        let primary = || gate.clone() as Arc<dyn Primary>;
        let labels = StoredLabels::open(primary(), name.clone()).await?;
        let retention = StoredRetention::open(primary(), name.clone()).await?;
        let erasures = StoredErasures::open(primary(), name.clone()).await?;
        erasures.begin(log.given()).await?;
        for receipt in erasures.to_carry_out() {
            for erasure in with_loads(&receipt.erasure) {
                log.forget(&erasure).await?;
            }
        }
        let subjects = Subjects {
            labels: labels.table().clone(),
            hidden: erasures.hidden().clone(),
        };
        let counts = engine.view(name, "counts").await?;
        let counts = Counts::open(counts, &*log, erasures.gone())
            .await
            .map_err(|error| unreadable(name, error))?;
        let latest = Latest::open(engine.view(name, "latest").await?).await?;
        let entities = engine.view(name, "entities").await?;
        let entities = Entities::open(entities, &*log, counts.through())
            .await
            .map_err(|error| unreadable(name, error))?;
        let loads = Loads::open(primary(), name.clone()).await?;
        let tail = Arc::new(Tail::new(
            counts.through(),
            tail_bytes_max,
            subjects.clone(),
        ));
        let ground = Ground {
            log: log.clone(),
            tail: tail.clone(),
            subjects: subjects.clone(),
            primary: primary(),
            clock,
        };
        let streams = Streams::open(name, ground).await?;
        Ok(Self {
            log,
            tail,
            counts,
            latest,
            entities,
            entity_turns: Turns::default(),
            loads,
            labels,
            retention,
            erasures,
            subjects,
            streams,
            appending: tokio::sync::RwLock::default(),
            meter: Meter::default(),
            counting: tokio::sync::Mutex::default(),
            gate,
            trimmed: SetOnce::new(),
            erased: SetOnce::new(),
        })
    }

    pub(crate) fn log(&self) -> &Arc<dyn Log> {
        &self.log
    }

    pub(crate) fn tail(&self) -> &Arc<Tail> {
        &self.tail
    }

    pub(crate) fn counts(&self) -> &Counts {
        &self.counts
    }

    pub(crate) fn latest(&self) -> &Latest {
        &self.latest
    }

    pub(crate) fn entities(&self) -> &Entities {
        &self.entities
    }

    /// The turns of those who change entities.
    pub(crate) fn entity_turns(&self) -> &Turns<EntityKey> {
        &self.entity_turns
    }

    pub(crate) fn loads(&self) -> &Loads {
        &self.loads
    }

    pub(crate) fn gate(&self) -> &Gate {
        &self.gate
    }

    /// Whether no erasure and no load job is open.
    pub(crate) fn has_nothing_to_do(&self) -> bool {
        self.erasures.open_count() == 0 && self.loads.open_count() == 0
    }

    /// Retention was seen to, whatever came of it.
    pub(crate) fn note_trimmed(&self) {
        // An error says that it was noted before.
        drop(self.trimmed.set(()));
    }

    /// What was to be erased was seen to, whatever came of it.
    pub(crate) fn note_erased(&self) {
        drop(self.erased.set(()));
    }

    /// Waits until retention and erasures were seen to once since it was opened, or it is closing.
    pub(crate) async fn first_upkeep(&self) {
        tokio::join!(self.trimmed.wait(), self.erased.wait());
    }

    /// Read over each append, written while nothing may be appended.
    pub(crate) fn appending(&self) -> &tokio::sync::RwLock<()> {
        &self.appending
    }

    pub(crate) fn counting(&self) -> &tokio::sync::Mutex<()> {
        &self.counting
    }

    pub(crate) fn labels(&self) -> &StoredLabels {
        &self.labels
    }

    pub(crate) fn retention(&self) -> &StoredRetention {
        &self.retention
    }

    pub(crate) fn erasures(&self) -> &StoredErasures {
        &self.erasures
    }

    pub(crate) fn subjects(&self) -> &Subjects {
        &self.subjects
    }

    pub(crate) fn streams(&self) -> &Streams {
        &self.streams
    }

    pub(crate) fn meter(&self) -> &Meter {
        &self.meter
    }

    /// The record at `position`, if it is there and in `scope`.
    pub(crate) async fn record_at(
        &self,
        scope: &Scope,
        position: Position,
    ) -> Result<Option<Record>, ReadError> {
        let one = Limit {
            records: 1,
            bytes: 1,
        };
        let chunk = match self.log.read(scope, position.previous(), one).await {
            Err(ReadError::Expired(_)) => return Ok(None),
            read => read?,
        };
        let mut records = chunk.records.into_iter();
        Ok(records.find(|record| record.position() == position))
    }

    /// What it has done since it was opened.
    pub(crate) fn stats(&self, name: ProjectName) -> ProjectStats {
        let meter = &self.meter;
        ProjectStats {
            name,
            bounds: self.log.bounds(),
            log: self.log.stats(),
            tail: self.tail.stats(),
            readers: meter.readers.get(),
            logged_events: meter.logged_events.get(),
            tailed_events: meter.tailed_events.get(),
            upkeep: meter.upkeep.get(),
            erasures_open: self.erasures.open_count(),
            entities: self.entities.counts().values().sum(),
            unwritten_bytes: self.entities.memory_bytes() as u64,
            loads_open: self.loads.open_count(),
            streams: self.streams.stats(),
        }
    }

    /// Brings what the log makes readable to the tail and the counts until `stop`, then sends the readers away.
    pub(crate) async fn follow_log(&self, stop: CancellationToken) {
        let mut outage = Outage::default();
        while let Some(Err(error)) = stop.run_until_cancelled(self.feed_tail(&mut outage)).await {
            if outage.begins(&error) {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "the tail of a log cannot be read"
                );
            }
            self.meter.upkeep.tail_failures.one();
            tokio::time::sleep(TAIL_RETRY).await;
        }
        self.tail.close();
        self.counts.close();
        self.entities.close();
    }

    /// Does what has to be done now and then, until `stop`.
    pub(crate) async fn keep(self: &Arc<Self>, clock: &dyn Clock, stop: CancellationToken) {
        let (retain, erase) = (self.retain(clock), self.erase_hidden(clock));
        let now_and_then = async { tokio::join!(retain, erase) };
        tokio::join!(
            self.save_counts(stop.clone()),
            self.keep_latest(&stop),
            self.entities
                .keep(&self.meter.upkeep.entities_failures, &stop),
            self.keep_loads(clock, &stop),
            self.streams.keep(&stop),
            stop.run_until_cancelled(now_and_then)
        );
        self.note_trimmed();
        self.note_erased();
    }

    async fn feed_tail(&self, outage: &mut Outage) -> Result<(), ReadError> {
        let mut head = self.log.head();
        loop {
            let mut after = self.tail.head();
            while after < *head.borrow_and_update() {
                let chunk = self.log.read(&Scope::all(), after, TAIL_READ).await?;
                if outage.ends() {
                    tracing::info!("the tail of the log is read again");
                }
                after = chunk.through;
                self.counts.add(&chunk.records, after);
                self.entities.add(&chunk.records, after);
                self.tail.push(chunk.records, after);
            }
            if head.changed().await.is_err() {
                return Ok(());
            }
        }
    }

    /// Writes changed counts to their view now and then until `stop`, and once more at the end.
    async fn save_counts(&self, stop: CancellationToken) {
        let mut interval = tokio::time::interval(COUNTS_INTERVAL);
        interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut outage = Outage::default();
        loop {
            let stopped = stop.run_until_cancelled(interval.tick()).await.is_none();
            match self.counts.save().await {
                Ok(_) if outage.ends() => tracing::info!("counts are written again"),
                Ok(_) => {}
                // The view stays where it was and catches up from the log.
                Err(Unavailable(error)) => {
                    self.meter.upkeep.counts_failures.one();
                    if outage.begins(&*error) {
                        tracing::warn!(
                            error = &*error as &dyn std::error::Error,
                            "counts are not written"
                        );
                    }
                }
            }
            if stopped {
                return;
            }
        }
    }
}

fn unreadable(project: &ProjectName, error: ReadError) -> OpenError {
    match error {
        ReadError::Damaged { position, detail } => {
            let detail = format!("position {position}: {detail}");
            OpenError::Damaged {
                project: project.clone(),
                detail,
            }
        }
        ReadError::Expired(expired) => OpenError::Unavailable(Unavailable::new(expired)),
        ReadError::Unavailable(unavailable) => OpenError::Unavailable(unavailable),
    }
}
