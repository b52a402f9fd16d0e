//! The store side of an engine: keys with values, in two classes.
//!
//! *Primary* is truth of its own: every change is on disk before it is answered. A *view* holds what can be rebuilt from
//! the log and carries the position that it has applied.

use std::fmt::Debug;

use async_trait::async_trait;
use bytes::Bytes;
use feedwire_event::{Position, ProjectName};
use tokio::sync::broadcast;

use crate::{Limit, MinFree, Unavailable};

/// A part of the primary store: keys of one kind, of one project.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Space {
    /// Whose.
    pub project: ProjectName,
    /// Of what kind, such as `labels`: 1 to 32 of `a-z -`.
    pub name: &'static str,
}

impl Space {
    /// The name of those in which it stands how long events are kept.
    pub const RETENTION: &str = "retention";
    /// The name of those in which it stands what is to be erased.
    pub const ERASURES: &str = "erasures";

    /// Whether what is written there lets go of more than it takes: an engine that keeps some of its room in reserve takes it out of that.
    pub fn lets_go(&self) -> bool {
        [Self::RETENTION, Self::ERASURES].contains(&self.name)
    }
}

/// How often the primary store had changed when an entry was written. It grows with every change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Revision(pub u64);

/// A value in the primary store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The value.
    pub value: Bytes,
    /// When it was written.
    pub revision: Revision,
}

/// What must be true of a key for a change to be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precondition {
    /// Nothing.
    Any,
    /// It is not there.
    Absent,
    /// It was not changed since.
    Revision(Revision),
}

impl Precondition {
    /// Whether it holds of a key that is at `current`; `None` is one that is not there.
    pub fn check(self, current: Option<Revision>) -> Result<(), PutError> {
        let holds = match self {
            Self::Any => true,
            Self::Absent => current.is_none(),
            Self::Revision(revision) => current == Some(revision),
        };
        if holds {
            Ok(())
        } else {
            Err(PutError::Changed { current })
        }
    }
}

/// Why a change was not made.
#[derive(Debug, Clone, thiserror::Error)]
pub enum PutError {
    /// The precondition does not hold.
    #[error("the key is at another revision")]
    Changed {
        /// The revision it is at; `None` when it is not there.
        current: Option<Revision>,
    },
    /// There is no room.
    #[error("no space left in the store{0}")]
    NoSpace(MinFree),
    /// See [`Unavailable`].
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// The store that is truth of its own. A change is on disk before it is answered, and seen by every reading that starts later.
#[async_trait]
pub trait Primary: Debug + Send + Sync {
    /// The entry at `key`.
    async fn get(&self, space: &Space, key: &[u8]) -> Result<Option<Entry>, Unavailable>;

    /// Writes `value` at `key` if `precondition` holds.
    async fn put(
        &self,
        space: &Space,
        key: &[u8],
        value: Bytes,
        precondition: Precondition,
    ) -> Result<Revision, PutError>;

    /// Removes `key` if `precondition` holds; one that is not there stays so.
    async fn delete(
        &self,
        space: &Space,
        key: &[u8],
        precondition: Precondition,
    ) -> Result<(), PutError>;

    /// Up to `limit` entries in order of their keys, from the first key that starts with `prefix` and is above `after`.
    async fn scan(
        &self,
        space: &Space,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<(Bytes, Entry)>, Unavailable>;

    /// Every change of `space` that is made from now on.
    async fn watch(&self, space: &Space) -> Result<Changes, Unavailable>;
}

/// A key of the primary store was written or removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The key.
    pub key: Bytes,
    /// What is there now.
    pub entry: Option<Entry>,
}

/// The changes of a space, in the order in which they were made.
#[derive(Debug)]
pub struct Changes(broadcast::Receiver<Change>);

/// Changes went by faster than they were taken: scan the space again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("changes were missed")]
pub struct Missed;

impl Changes {
    /// The changes sent to `receiver`.
    pub fn new(receiver: broadcast::Receiver<Change>) -> Self {
        Self(receiver)
    }

    /// The next change; `None` once the store is closed. Cancel safe.
    pub async fn next(&mut self) -> Option<Result<Change, Missed>> {
        match self.0.recv().await {
            Ok(change) => Some(Ok(change)),
            Err(broadcast::error::RecvError::Lagged(_)) => Some(Err(Missed)),
            Err(broadcast::error::RecvError::Closed) => None,
        }
    }
}

/// A change of a view: the value that `key` has from now on, or that it is gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Write {
    /// The key.
    pub key: Bytes,
    /// Its value.
    pub value: Option<Bytes>,
}

/// A view was to move to where it cannot stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a view at position {from} of a log that is readable up to {head} cannot move to {to}")]
pub struct Misapplied {
    /// Where it is.
    pub from: Position,
    /// Where it was to be.
    pub to: Position,
    /// The last readable position of its log.
    pub head: Position,
}

impl Misapplied {
    /// Whether a view at `from` can move to `to` while its log is readable up to `head`.
    pub fn check(from: Position, to: Position, head: Position) -> Result<(), Self> {
        if from <= to && to <= head {
            Ok(())
        } else {
            Err(Self { from, to, head })
        }
    }
}

/// What is left of a [`Limit`] while entries are taken.
#[derive(Clone, Copy, Debug)]
pub struct Left(Limit);

impl Left {
    /// All of `limit`.
    pub fn of(limit: Limit) -> Self {
        Self(limit)
    }

    /// Whether there may be one more; takes what an entry of `bytes` takes.
    pub fn take(&mut self, bytes: usize) -> bool {
        let Limit {
            records,
            bytes: left,
        } = &mut self.0;
        if *records == 0 || *left == 0 {
            return false;
        }
        *records -= 1;
        *left = left.saturating_sub(bytes);
        true
    }
}

/// What was worked out from a log, up to a position.
///
/// There is one writer. After a crash a view may stand where it stood earlier, never in between and never ahead of its log.
#[async_trait]
pub trait View: Debug + Send + Sync {
    /// The position up to which the log is applied.
    fn applied(&self) -> Position;

    /// The value at `key`.
    async fn get(&self, key: &[u8]) -> Result<Option<Bytes>, Unavailable>;

    /// The values at `keys`, in their order, all of one moment.
    async fn get_all(&self, keys: Vec<Bytes>) -> Result<Vec<Option<Bytes>>, Unavailable>;

    /// Up to `limit` values in order of their keys, from the first key that starts with `prefix` and is above `after`.
    async fn scan(
        &self,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<(Bytes, Bytes)>, Unavailable>;

    /// The same, ending with the entry that reaches a bound of `limit`: its records are entries, its bytes those of keys and values.
    async fn page(
        &self,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: Limit,
    ) -> Result<Vec<(Bytes, Bytes)>, Unavailable>;

    /// Makes `writes` and moves to `through`, all or nothing. `through` must be readable in the log, and not before what
    /// is applied; [`Misapplied`] is the source of the error otherwise.
    async fn apply(&self, through: Position, writes: Vec<Write>) -> Result<(), Unavailable>;

    /// Waits until everything applied is on disk; returns the position that is.
    async fn sync(&self) -> Result<Position, Unavailable>;

    /// Empties the view and moves it back to [`Position::ZERO`].
    async fn reset(&self) -> Result<(), Unavailable>;
}
