//! Audit: who changed what of the server, as events in its own project.

use feedwire_engine::{AppendError, Batch, BatchError, MinFree, NewRecord, OpenError, Unavailable};
use feedwire_event::{Event, FeedName, ProjectName, payload};

use crate::Core;

/// Why something is not on record. Nothing that depends on its record may be done.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// The event is too large.
    #[error(transparent)]
    Event(#[from] BatchError),
    /// The disk is full.
    #[error("no space left for the audit feed{0}")]
    NoSpace(MinFree),
    /// The server stops.
    #[error("the server is stopping")]
    Closing,
    /// The log of the server's own project is damaged.
    #[error("the audit feed is damaged on disk: {0}")]
    Damaged(String),
    /// The engine could not do it; the event may be there or not.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

impl From<OpenError> for Error {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Unknown(_) => Self::Unavailable(Unavailable::new(error)),
            OpenError::Damaged { detail, .. } => Self::Damaged(detail),
            OpenError::Unavailable(unavailable) => Self::Unavailable(unavailable),
        }
    }
}

impl From<AppendError> for Error {
    fn from(error: AppendError) -> Self {
        match error {
            AppendError::NoSpace(min_free) => Self::NoSpace(min_free),
            AppendError::Closed => Self::Closing,
            AppendError::Unavailable(unavailable) => Self::Unavailable(unavailable),
            AppendError::Conflict { .. }
            | AppendError::PartlyKnown { .. }
            | AppendError::KeyReused { .. }
            | AppendError::Exhausted => Self::Unavailable(Unavailable::new(error)),
        }
    }
}

impl Core {
    /// Puts `event` into the server's own feed `_audit`, where nothing else writes: on disk, and readable, when this returns.
    ///
    /// It is for the server's own use and takes no grant: what is said of a change comes from whoever makes it, before it is made.
    pub async fn audit(&self, event: &Event) -> Result<(), Error> {
        let record = NewRecord {
            feed: FeedName::audit(),
            ty: event.ty.clone(),
            subject: event.subject.clone(),
            time: event.time,
            payload: payload::encode(event, payload::Marks::default(), || self.seams().ids.next()),
        };
        let batch = Batch::new(vec![record], Vec::new())?;
        let system = self.project(&ProjectName::system()).await?;
        system.append(batch, self.seams().clock.now()).await?;
        Ok(())
    }
}
