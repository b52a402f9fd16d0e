//! The log side of an engine: a project's one durable, ordered sequence of events.

use std::fmt::Debug;
use std::time::Duration;

use async_trait::async_trait;
use feedwire_event::{FeedName, Position, Subject, Timestamp, Version};
use tokio::sync::watch;

use crate::{Batch, Chunk, LogStats, MinFree, Record, Scope, Unavailable};

/// A project's log. Acknowledged means on disk, and readable means on disk.
#[async_trait]
pub trait Log: Debug + Send + Sync {
    /// Where the log starts and ends at this moment.
    fn bounds(&self) -> Bounds;

    /// The last readable position, as it moves. It never goes back.
    fn head(&self) -> watch::Receiver<Position>;

    /// The last position that was given to a batch, readable or not: whatever is submitted later comes behind it. At least the
    /// last readable one.
    fn given(&self) -> Position;

    /// Waits until every batch that was given a position up to `through` is readable, or has come to nothing.
    async fn settle(&self, through: Position) -> Result<(), Unavailable>;

    /// What it has done since it was opened, and what it takes. Cheap enough to be asked every second.
    fn stats(&self) -> LogStats;

    /// Appends `batch`, recorded at `now` or, where that is earlier than the last record's, at that record's time.
    ///
    /// A batch whose records are there already, by their marks, is not appended again: a key is looked at first, then every record
    /// has to be known by its id. Marks of the last [`MARKS_KEPT`](feedwire_event::limits::MARKS_KEPT) records at least are known;
    /// what was trimmed or erased is not, nor what the batch is told to forget ([`Batch::forgetting`]). Of a batch with a known key
    /// every record has to be there. Expectations are not looked at for what is there already.
    ///
    /// Returns once the batch is on disk and readable. Every subject of the batch has its version raised by one. Dropping
    /// the future does not take the batch back: it may still be appended. After [`AppendError::Unavailable`] it may be
    /// there or not; after every other error it is not.
    async fn append(&self, batch: Batch, now: Timestamp) -> Result<Appended, AppendError>;

    /// Reads records in `scope` at positions above `after`, ascending.
    ///
    /// Ends at the end of the log or behind the batch with which `limit` is reached, and always makes way: it returns at
    /// least one batch, or a `through` beyond `after`, unless the log ends at `after`. Asked for what is beyond the end
    /// of the log, it returns nothing, with a `through` at that end. The cost is in proportion to what is returned.
    async fn read(&self, scope: &Scope, after: Position, limit: Limit) -> Result<Chunk, ReadError>;

    /// Reads records in `scope` at positions below `before`, descending, down to the first retained one.
    ///
    /// [`Limit`] and cost as with [`Log::read`]; there is no more once `through` is at or below the first retained
    /// position.
    async fn read_back(
        &self,
        scope: &Scope,
        before: Position,
        limit: Limit,
    ) -> Result<Chunk, ReadError>;

    /// The position after which everything recorded at `time` or later stands, and nothing retained that is earlier.
    async fn seek(&self, time: Timestamp) -> Result<Position, Unavailable>;

    /// What `subject` of `feed` has had, also when its events are no longer retained.
    async fn subject(
        &self,
        feed: &FeedName,
        subject: &Subject,
    ) -> Result<Option<Head>, Unavailable>;

    /// What the subjects of `feed` have had, in the order of the bytes of their names: the first `limit` behind `after`.
    ///
    /// Less than `limit` means that there are no more. Only what is readable counts, and who was forgotten has had nothing.
    async fn subjects(
        &self,
        feed: &FeedName,
        after: Option<&Subject>,
        limit: usize,
    ) -> Result<Vec<(Subject, Head)>, Unavailable>;

    /// What was trimmed of each feed, in order of their names; feeds that lost nothing are left out.
    async fn trims(&self) -> Result<Vec<FeedTrim>, Unavailable>;

    /// Lets go of the oldest records that `keep` does not ask for, never of one above `not_past`.
    ///
    /// Records go in whole stretches, as the engine holds them: more may stay than asked for, never less; but where no
    /// record is to stay, none does. Returns the first retained position. What is gone is gone after a crash too.
    async fn trim(
        &self,
        keep: Retention,
        now: Timestamp,
        not_past: Position,
    ) -> Result<Position, Unavailable>;

    /// Has each subject that `erasure` names, and whose last event is not behind its `through`, begin anew: it has had nothing,
    /// and its next batch gives it version 1. Subjects with a later event keep their versions; records stay where they are.
    ///
    /// What comes behind [`Log::given`] is later, whatever `through` says. Holds for every batch that is submitted once this has
    /// returned, and until the log is closed: opened again, the log has to be told again, until [`Log::erase`] of the same has
    /// returned.
    async fn forget(&self, erasure: &Erasure) -> Result<(), Unavailable>;

    /// Removes what `erasure` names from readings and from disk, and has its subjects begin anew for good, as [`Log::forget`] does
    /// until the log is closed. Positions stay as they are, and so do the versions of subjects with a later event.
    ///
    /// Returns how many records were removed. What was given a position up to `through` and is still on its way to disk is waited
    /// for, and removed too. Once returned, all of it is gone after a crash too; a crash in the middle leaves some of it, and the
    /// call can be made again.
    async fn erase(&self, erasure: &Erasure) -> Result<u64, Unavailable>;
}

/// Which life of a log this is; another one after a restore from a backup.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Incarnation(pub u128);

/// Where a log starts and ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Which life of the log.
    pub incarnation: Incarnation,
    /// The first position that is retained, or would be if there were one: behind the last trimmed one.
    pub first: Position,
    /// The last readable position; [`Position::ZERO`] when there has been none.
    pub last: Position,
}

/// How a batch was appended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Appended {
    /// The position of its first record; the others follow without a gap.
    pub first: Position,
    /// The position of its last record.
    pub last: Position,
    /// When it was recorded.
    pub recorded_at: Timestamp,
    /// The version of each record's subject with this batch, record by record.
    pub versions: Vec<Version>,
    /// Whether the records were there already, which all of this then tells of: nothing was appended. Where they came in several
    /// batches, `first` and `last` are the outermost, and other records stand between.
    pub is_repeat: bool,
}

/// What a subject of a feed has had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// How many batches.
    pub version: Version,
    /// The position of its last event.
    pub position: Position,
}

/// Why a batch was not appended.
#[derive(Debug, Clone, thiserror::Error)]
pub enum AppendError {
    /// A subject is not where it was expected.
    #[error("subject {subject:?} of feed {feed} is not where it was expected")]
    Conflict {
        /// The feed.
        feed: FeedName,
        /// The subject.
        subject: Subject,
        /// Where it is; `None` when it has had nothing.
        head: Option<Head>,
    },
    /// Some of the records are there already, by their ids or the key, and some are not.
    #[error("{} of the events are there already", known.len())]
    PartlyKnown {
        /// Which of the batch, from 0 and ascending, and where each is.
        known: Vec<(u16, Position)>,
    },
    /// The key is that of another batch.
    #[error("the key is that of another batch, which is at position {first}")]
    KeyReused {
        /// Where that one is.
        first: Position,
    },
    /// There is no room. Nothing was written, and appending goes on when there is room again.
    #[error("no space left for events{0}")]
    NoSpace(MinFree),
    /// Every position is used.
    #[error("the log has no positions left")]
    Exhausted,
    /// The engine was closed, or the project is deleted. Nothing was written.
    #[error("the log is closed")]
    Closed,
    /// See [`Unavailable`].
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// How much one reading returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// The reading ends behind the batch that reaches this many records.
    pub records: usize,
    /// The reading ends behind the batch that reaches this many bytes of tags and payloads.
    pub bytes: usize,
}

impl Limit {
    /// Up to `records`, whatever their size.
    pub const fn records(records: usize) -> Self {
        Self {
            records,
            bytes: usize::MAX,
        }
    }
}

/// What a reader asked for is partly no longer retained.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("events before position {first} are no longer retained")]
pub struct Expired {
    /// The first position that can be asked for.
    pub first: Position,
    /// When the first retained record was recorded, if there is one.
    pub first_at: Option<Timestamp>,
    /// At most this many positions of what was asked for are lost.
    pub lost_at_most: u64,
}

/// Why records were not read.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ReadError {
    /// Records above the asked position were trimmed: of the feeds in scope, or of any where the scope names none.
    #[error(transparent)]
    Expired(#[from] Expired),
    /// A record is damaged on disk.
    #[error("the record at position {position} is damaged: {detail}")]
    Damaged {
        /// The position, or the nearest known before it.
        position: Position,
        /// What is damaged, and what to do.
        detail: String,
    },
    /// See [`Unavailable`].
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// What was trimmed of a feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedTrim {
    /// The feed.
    pub feed: FeedName,
    /// The position of its last trimmed event.
    pub through: Position,
    /// How many events were trimmed.
    pub events: u64,
    /// How many batches had their events in this feed trimmed.
    pub batches: u64,
    /// How many subjects had their first batch trimmed; one that began anew had several.
    pub subjects: u64,
}

/// How long and how much is kept; what is not set keeps everything. A record goes when either lets go of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Retention {
    /// Records younger than this are kept.
    pub age: Option<Duration>,
    /// The newest records up to this many bytes on disk are kept.
    pub bytes: Option<u64>,
}

/// What is to be erased.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Erasure {
    /// Only in this feed; `None` is in every feed.
    pub feed: Option<FeedName>,
    /// Only this subject; `None` is every subject, and events without one.
    pub subject: Option<Subject>,
    /// Events up to this position.
    pub through: Position,
}

impl Erasure {
    /// Whether it is about `subject` of `feed`.
    pub fn names(&self, feed: &FeedName, subject: &Subject) -> bool {
        self.feed.as_ref().is_none_or(|named| named == feed)
            && self.subject.as_ref().is_none_or(|named| named == subject)
    }

    /// Whether `record` is to be erased.
    pub fn has(&self, record: &Record) -> bool {
        let feed = self.feed.as_ref();
        let subject = self.subject.as_ref();
        record.position() <= self.through
            && feed.is_none_or(|feed| feed.as_str() == record.feed())
            && subject.is_none_or(|subject| Some(subject.as_str()) == record.subject())
    }
}
