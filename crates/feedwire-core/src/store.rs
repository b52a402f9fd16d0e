//! Why something was not kept in the store.

use feedwire_engine::{OpenError, PutError, Unavailable};

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
