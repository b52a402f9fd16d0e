//! Publishing: events in, positions out.

use feedwire_engine::{
    AppendError, Appended, Batch, BatchError, Expectation, Head, NewRecord, OpenError, Unavailable,
};
use feedwire_event::{
    Event, FeedName, Position, ProjectName, Subject, Timestamp, Version, payload,
};

use crate::{Core, Grant, Ids};

/// A batch that is on disk and readable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    /// The position of its first event; the others follow without a gap.
    pub first: Position,
    /// The position of its last event.
    pub last: Position,
    /// When it was recorded.
    pub recorded_at: Timestamp,
    /// The version of each event's subject with this batch.
    pub versions: Vec<Version>,
}

/// Why a batch was not published.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// The project is not there.
    #[error("there is no project {0}")]
    UnknownProject(ProjectName),
    /// The events do not make a batch.
    #[error(transparent)]
    Batch(#[from] BatchError),
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
    /// The disk is full. Nothing was written.
    #[error("no space left for events")]
    NoSpace,
    /// The server stops. Nothing was written.
    #[error("the server is stopping")]
    Closing,
    /// The project's log is damaged.
    #[error("events are damaged on disk: {0}")]
    Damaged(String),
    /// The engine could not do it; the batch may be there or not.
    #[error(transparent)]
    Unavailable(Unavailable),
}

impl From<OpenError> for Error {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Unknown(project) => Self::UnknownProject(project),
            OpenError::Damaged { detail, .. } => Self::Damaged(detail),
            OpenError::Unavailable(unavailable) => Self::Unavailable(unavailable),
        }
    }
}

impl From<AppendError> for Error {
    fn from(error: AppendError) -> Self {
        match error {
            AppendError::Conflict {
                feed,
                subject,
                head,
            } => Self::Conflict {
                feed,
                subject,
                head,
            },
            AppendError::NoSpace => Self::NoSpace,
            AppendError::Closed => Self::Closing,
            AppendError::Exhausted => {
                Self::Unavailable(Unavailable::new("the log has no positions left"))
            }
            AppendError::Unavailable(unavailable) => Self::Unavailable(unavailable),
        }
    }
}

impl Core {
    /// Publishes `events` as one batch: all or none, on disk and readable when this returns.
    ///
    /// Dropping the future does not take the batch back: it may still be published.
    pub async fn publish(
        &self,
        grant: &Grant,
        events: &[(FeedName, Event)],
        expectations: Vec<Expectation>,
    ) -> Result<Published, Error> {
        let ids = &*self.seams().ids;
        let records = events
            .iter()
            .map(|(feed, event)| record(feed, event, ids))
            .collect();
        let batch = Batch::new(records, expectations)?;
        let project = self.project(grant.project()).await?;
        let now = self.seams().clock.now();
        let Appended {
            first,
            last,
            recorded_at,
            versions,
        } = project.log().append(batch, now).await?;
        Ok(Published {
            first,
            last,
            recorded_at,
            versions,
        })
    }
}

fn record(feed: &FeedName, event: &Event, ids: &dyn Ids) -> NewRecord {
    NewRecord {
        feed: feed.clone(),
        ty: event.ty.clone(),
        subject: event.subject.clone(),
        time: event.time,
        payload: payload::encode(event, || ids.next()),
    }
}
