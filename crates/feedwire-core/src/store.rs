//! Going through a space of the store, and why something was not kept in it.

use bytes::Bytes;
use feedwire_engine::{MinFree, OpenError, Precondition, Primary, PutError, Space, Unavailable};

use crate::limits::STORE_SCAN;
use crate::{Forbidden, read};

/// Why a change was not made. Everything is as it was.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// It is not granted, or the project could not be opened.
    #[error(transparent)]
    Read(#[from] read::Error),
    /// What is there is not what the change was made for.
    #[error("it was changed meanwhile: read it again, and decide anew")]
    Changed,
    /// The disk is full.
    #[error("no space left in the store{0}")]
    NoSpace(MinFree),
    /// The engine could not do it.
    #[error(transparent)]
    Unavailable(Unavailable),
}

impl From<Forbidden> for Error {
    fn from(forbidden: Forbidden) -> Self {
        Self::Read(forbidden.into())
    }
}

impl From<OpenError> for Error {
    fn from(error: OpenError) -> Self {
        Self::Read(error.into())
    }
}

impl From<PutError> for Error {
    fn from(error: PutError) -> Self {
        match error {
            PutError::Changed { .. } => Self::Changed,
            PutError::NoSpace(min_free) => Self::NoSpace(min_free),
            PutError::Unavailable(unavailable) => Self::Unavailable(unavailable),
        }
    }
}

impl From<Unavailable> for Error {
    fn from(unavailable: Unavailable) -> Self {
        Self::Unavailable(unavailable)
    }
}

/// What has to be true of what is there, for it to be replaced.
pub type Check<T> = Box<dyn FnOnce(&T) -> bool + Send>;

/// What a write of the entry at `key` depends on, if what it stands for passes `check`.
///
/// The store sees to it that the entry is still the one that was looked at.
pub(crate) async fn precondition<T>(
    primary: &dyn Primary,
    (space, key): (&Space, &[u8]),
    check: Option<Check<T>>,
    read: impl FnOnce(Option<Bytes>) -> Result<T, Unavailable> + Send,
) -> Result<Precondition, Error> {
    let Some(check) = check else {
        return Ok(Precondition::Any);
    };
    let entry = primary.get(space, key).await?;
    let (revision, value) = entry.map(|entry| (entry.revision, entry.value)).unzip();
    if check(&read(value)?) {
        Ok(revision.map_or(Precondition::Absent, Precondition::Revision))
    } else {
        Err(Error::Changed)
    }
}

/// Calls `take` with the key and the value of every entry of `space`.
pub(crate) async fn each(
    primary: &dyn Primary,
    space: &Space,
    mut take: impl FnMut(Bytes, Bytes) -> Result<(), Unavailable> + Send,
) -> Result<(), Unavailable> {
    let mut after: Option<Bytes> = None;
    loop {
        let entries = primary
            .scan(space, b"", after.as_deref(), STORE_SCAN)
            .await?;
        let Some((last, _)) = entries.last() else {
            return Ok(());
        };
        after = Some(last.clone());
        for (key, entry) in entries {
            take(key, entry.value)?;
        }
    }
}
