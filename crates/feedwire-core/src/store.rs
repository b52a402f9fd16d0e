//! Going through a space of the store, and why something was not kept in it.

use bytes::Bytes;
use feedwire_engine::{OpenError, Primary, PutError, Space, Unavailable};

use crate::limits::STORE_SCAN;
use crate::read;

/// Why a change was not made. Everything is as it was.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// The project could not be opened.
    #[error(transparent)]
    Read(#[from] read::Error),
    /// The disk is full.
    #[error("no space left in the store")]
    NoSpace,
    /// The engine could not do it.
    #[error(transparent)]
    Unavailable(Unavailable),
}

impl From<OpenError> for Error {
    fn from(error: OpenError) -> Self {
        Self::Read(error.into())
    }
}

impl From<PutError> for Error {
    fn from(error: PutError) -> Self {
        match error {
            PutError::NoSpace => Self::NoSpace,
            PutError::Unavailable(unavailable) => Self::Unavailable(unavailable),
            changed @ PutError::Changed { .. } => Self::Unavailable(Unavailable::new(changed)),
        }
    }
}

impl From<Unavailable> for Error {
    fn from(unavailable: Unavailable) -> Self {
        Self::Unavailable(unavailable)
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
