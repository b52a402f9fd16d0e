//! What the core has done since it was opened: plain numbers, for those who run it.

use feedwire_engine::{Bounds, Disk, LogStats, Unavailable};
use feedwire_event::{Position, ProjectName, StreamName};
use feedwire_tally::{Count, Level};

use crate::stream::Lag;
use crate::{Core, publish};

/// What the core has done, and what it is doing.
#[derive(Clone, Debug)]
pub struct Stats {
    /// The projects that are open, in order of their names.
    pub projects: Vec<ProjectStats>,
    /// What the others have done, which are closed or deleted, together.
    pub others: Done,
    /// Batches that were not published, by why.
    pub failures: PublishFailures<u64>,
    /// Batches that were there already, and were not published again.
    pub repeats: u64,
    /// The engine's disk; `None` where it has none, or where it could not be asked.
    pub disk: Option<Disk>,
}

/// What an open project has done since the core was opened, also when it was closed in between, and how it is now.
#[derive(Clone, Debug)]
pub struct ProjectStats {
    /// The project.
    pub name: ProjectName,
    /// Where its log starts and ends.
    pub bounds: Bounds,
    /// What its log has done.
    pub log: LogStats,
    /// Its tail, and those who read there.
    pub tail: TailStats,
    /// Readers, those at the tail among them.
    pub readers: u64,
    /// Events that readers were handed out of the log.
    pub logged_events: u64,
    /// Events that readers were handed from the tail.
    pub tailed_events: u64,
    /// What is done now and then.
    pub upkeep: Upkeep<u64>,
    /// Erasures that are hidden and not yet carried out.
    pub erasures_open: u64,
    /// Entities that are there.
    pub entities: u64,
    /// Bytes of states that are in memory and not yet written to the store.
    pub unwritten_bytes: u64,
    /// Load jobs that are run or wait to be.
    pub loads_open: u64,
    /// Its streams, in order of their names.
    pub streams: Vec<StreamStats>,
}

/// A stream of an open project: how it is, and what it has done since the project was opened.
#[derive(Clone, Debug)]
pub struct StreamStats {
    /// The stream.
    pub name: StreamName,
    /// How many members it has.
    pub members: u64,
    /// How many it may have.
    pub members_max: u64,
    /// How much of it is not settled.
    pub lag: Lag,
    /// Events that were put aside and are not dealt with.
    pub dead_letters: u64,
    /// Subjects that have failed and go on by themselves.
    pub subjects_aside: u64,
    /// Events that its members were sent.
    pub sent: u64,
    /// Those of them that were sent once more under the same lease.
    pub sent_again: u64,
    /// Events that were acknowledged.
    pub acknowledged: u64,
    /// Events that were put aside.
    pub buried: u64,
    /// Members that took nothing for two heartbeats and were given up.
    pub given_up: u64,
    /// Partitions that went to another member before what was sent of them was settled, as their time to drain was over.
    pub overdue: u64,
    /// Positions that retention took from it, at most.
    pub lost_at_most: u64,
}

/// What was done to projects: what is left to tell of one that is closed.
#[derive(Clone, Debug, Default)]
pub struct Done {
    /// What their logs have counted. How they are is not told: what is open, queued or on disk is not here.
    pub log: LogStats,
    /// How often a reader that waited was woken.
    pub wakes: u64,
    /// Events that readers were handed out of the log.
    pub logged_events: u64,
    /// Events that readers were handed from the tail.
    pub tailed_events: u64,
    /// What was done now and then.
    pub upkeep: Upkeep<u64>,
}

/// The tail of a project's log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TailStats {
    /// The last position it has: behind the log's only for a moment.
    pub head: Position,
    /// Bytes of events that it holds, with what they take beside.
    pub bytes: u64,
    /// Readers that have caught up.
    pub readers: u64,
    /// How often a reader that waited was woken.
    pub wakes: u64,
}

/// Batches that were not published, by why: each as [`publish::Error`] has it.
#[derive(Clone, Copy, Debug, Default)]
pub struct PublishFailures<T> {
    /// It was not granted.
    pub forbidden: T,
    /// There is no such project.
    pub unknown_project: T,
    /// The events make no batch.
    pub batch: T,
    /// A subject was not where it was expected.
    pub conflict: T,
    /// Some of its events were there already, and some were not.
    pub partly_known: T,
    /// Its key was that of another request.
    pub key_reused: T,
    /// The disk was full.
    pub no_space: T,
    /// The server stopped.
    pub closing: T,
    /// The log is damaged.
    pub damaged: T,
    /// The engine could not do it.
    pub unavailable: T,
}

/// What is done for a project now and then.
#[derive(Clone, Copy, Debug, Default)]
pub struct Upkeep<T> {
    /// Times that it was looked for what is not to be kept.
    pub retention_runs: T,
    /// Times that this failed; it is tried again.
    pub retention_failures: T,
    /// Erasures that were carried out.
    pub erasures: T,
    /// Times that one could not be; it is tried again.
    pub erasure_failures: T,
    /// Times that what the log made readable could not be brought to the tail; it is tried again.
    pub tail_failures: T,
    /// Times that the counts of feeds could not be written; it is tried again.
    pub counts_failures: T,
    /// The states of entities could not be written.
    pub entities_failures: T,
}

/// What a project counts for itself.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    pub(crate) readers: Level,
    pub(crate) logged_events: Count,
    pub(crate) tailed_events: Count,
    pub(crate) upkeep: Upkeep<Count>,
}

impl ProjectStats {
    pub(crate) fn done(&self) -> Done {
        Done {
            log: counted(self.log.clone()),
            wakes: self.tail.wakes,
            logged_events: self.logged_events,
            tailed_events: self.tailed_events,
            upkeep: self.upkeep,
        }
    }

    /// As it is, of a project that had done `before` when it was opened.
    pub(crate) fn after(mut self, before: &Done) -> Self {
        let Done {
            log,
            wakes,
            logged_events,
            tailed_events,
            upkeep,
        } = self.done().and(before);
        self.log = LogStats {
            is_failing: self.log.is_failing,
            queued_bytes: self.log.queued_bytes,
            segments: self.log.segments,
            size_bytes: self.log.size_bytes,
            ..log
        };
        self.tail.wakes = wakes;
        self.logged_events = logged_events;
        self.tailed_events = tailed_events;
        self.upkeep = upkeep;
        self
    }
}

impl Done {
    /// This and `other` together.
    #[must_use]
    pub(crate) fn and(self, other: &Self) -> Self {
        let (log, more) = (self.log, &other.log);
        Self {
            log: LogStats {
                commits: log.commits.and(&more.commits),
                batches: log.batches + more.batches,
                appended_bytes: log.appended_bytes + more.appended_bytes,
                syncs: log.syncs.and(&more.syncs),
                failures: log.failures + more.failures,
                trimmed_segments: log.trimmed_segments + more.trimmed_segments,
                erased_events: log.erased_events + more.erased_events,
                ..LogStats::default()
            },
            wakes: self.wakes + other.wakes,
            logged_events: self.logged_events + other.logged_events,
            tailed_events: self.tailed_events + other.tailed_events,
            upkeep: self.upkeep.and(&other.upkeep),
        }
    }
}

/// What `log` has counted, without how it is.
fn counted(log: LogStats) -> LogStats {
    LogStats {
        is_failing: false,
        queued_bytes: 0,
        segments: 0,
        size_bytes: 0,
        ..log
    }
}

impl Upkeep<u64> {
    fn and(self, other: &Self) -> Self {
        Self {
            retention_runs: self.retention_runs + other.retention_runs,
            retention_failures: self.retention_failures + other.retention_failures,
            erasures: self.erasures + other.erasures,
            erasure_failures: self.erasure_failures + other.erasure_failures,
            tail_failures: self.tail_failures + other.tail_failures,
            counts_failures: self.counts_failures + other.counts_failures,
            entities_failures: self.entities_failures + other.entities_failures,
        }
    }
}

impl Upkeep<Count> {
    pub(crate) fn get(&self) -> Upkeep<u64> {
        Upkeep {
            retention_runs: self.retention_runs.get(),
            retention_failures: self.retention_failures.get(),
            erasures: self.erasures.get(),
            erasure_failures: self.erasure_failures.get(),
            tail_failures: self.tail_failures.get(),
            counts_failures: self.counts_failures.get(),
            entities_failures: self.entities_failures.get(),
        }
    }
}

impl PublishFailures<Count> {
    pub(crate) fn count(&self, error: &publish::Error) {
        let count = match error {
            publish::Error::Forbidden(_) => &self.forbidden,
            publish::Error::UnknownProject(_) => &self.unknown_project,
            publish::Error::Batch(_) => &self.batch,
            publish::Error::Conflict { .. } => &self.conflict,
            publish::Error::PartlyKnown { .. } => &self.partly_known,
            publish::Error::KeyReused { .. } => &self.key_reused,
            publish::Error::NoSpace(_) => &self.no_space,
            publish::Error::Closing => &self.closing,
            publish::Error::Damaged(_) => &self.damaged,
            publish::Error::Unavailable(_) => &self.unavailable,
        };
        count.one();
    }

    fn get(&self) -> PublishFailures<u64> {
        PublishFailures {
            forbidden: self.forbidden.get(),
            unknown_project: self.unknown_project.get(),
            batch: self.batch.get(),
            conflict: self.conflict.get(),
            partly_known: self.partly_known.get(),
            key_reused: self.key_reused.get(),
            no_space: self.no_space.get(),
            closing: self.closing.get(),
            damaged: self.damaged.get(),
            unavailable: self.unavailable.get(),
        }
    }
}

impl Core {
    /// What was done since it was opened, of all projects. For whoever runs the server: it takes no grant.
    pub async fn stats(&self) -> Stats {
        let disk = self.engine().disk().await;
        let (projects, others) = self.projects_known().stats();
        Stats {
            projects,
            others,
            failures: self.failures().get(),
            repeats: self.repeats().get(),
            disk: disk.unwrap_or_else(|Unavailable(error)| {
                tracing::warn!(
                    error = &*error as &dyn std::error::Error,
                    "the disk cannot be asked for its room"
                );
                None
            }),
        }
    }
}
