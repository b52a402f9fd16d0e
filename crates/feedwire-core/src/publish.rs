//! Publishing: events in, positions out.

use feedwire_engine::{
    AppendError, Appended, Batch, BatchError, Expectation, Head, MinFree, NewRecord, OpenError,
    Unavailable,
};
use feedwire_event::{
    Event, FeedName, IdempotencyKey, Position, ProjectName, Subject, Timestamp, Version, payload,
};

use crate::{Core, Forbidden, Grant, Ids, Right};

/// What a repetition of a batch is known by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Repetition {
    /// By nothing: whatever comes is new. So it is in the dialects, where one id rightly comes again.
    #[default]
    Unknown,
    /// By the ids that its events bear: it is one when all of them are known by feed, source, id and subject.
    ByIds,
    /// By the key of the request, in the feed of its first event; where that is new, by ids.
    ByKey(IdempotencyKey),
}

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
    /// Whether it was there already, as all of this says: nothing was published.
    pub is_repeat: bool,
}

/// Why a batch was not published.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// It is not granted. Nothing was written.
    #[error(transparent)]
    Forbidden(#[from] Forbidden),
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
    /// Some of the events are there already, by their ids, and some are not. Nothing was written.
    #[error("{} of the events are there already", known.len())]
    PartlyKnown {
        /// Which of the batch, from 0 and ascending, and where each is.
        known: Vec<(u16, Position)>,
    },
    /// The key is that of a request with other events. Nothing was written.
    #[error("the key is that of another request, whose first event is at position {first}")]
    KeyReused {
        /// Where the first event of that request is.
        first: Position,
    },
    /// The disk is full. Nothing was written.
    #[error("no space left for events{0}")]
    NoSpace(MinFree),
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
            AppendError::PartlyKnown { known } => Self::PartlyKnown { known },
            AppendError::KeyReused { first } => Self::KeyReused { first },
            AppendError::NoSpace(min_free) => Self::NoSpace(min_free),
            AppendError::Closed => Self::Closing,
            AppendError::Exhausted => {
                Self::Unavailable(Unavailable::new("the log has no positions left"))
            }
            AppendError::Unavailable(unavailable) => Self::Unavailable(unavailable),
        }
    }
}

impl Core {
    /// Whether events about `subject` may be published to `feed`.
    pub async fn may_publish(
        &self,
        grant: &Grant,
        feed: &FeedName,
        subject: &Subject,
    ) -> Result<(), Error> {
        grant.require(Right::Publish)?;
        let project = self.project(grant.project()).await?;
        let labels = |subject: &str| project.labels().table().get(subject);
        Ok(grant.require_publish(feed, Some(subject), labels)?)
    }

    /// Publishes `events` as one batch: all or none, on disk and readable when this returns. What is known for a `repetition`
    /// is not published again; expectations are not looked at for it.
    ///
    /// Dropping the future does not take the batch back: it may still be published.
    pub async fn publish(
        &self,
        grant: &Grant,
        events: &[(FeedName, Event)],
        expectations: Vec<Expectation>,
        repetition: &Repetition,
    ) -> Result<Published, Error> {
        let published = self.append(grant, events, expectations, repetition).await;
        match &published {
            Ok(published) if published.is_repeat => self.repeats().one(),
            Ok(_) => {}
            Err(error) => self.failures().count(error),
        }
        published
    }

    async fn append(
        &self,
        grant: &Grant,
        events: &[(FeedName, Event)],
        expectations: Vec<Expectation>,
        repetition: &Repetition,
    ) -> Result<Published, Error> {
        grant.require(Right::Publish)?;
        let project = self.project(grant.project()).await?;
        for (feed, event) in events {
            let labels = |subject: &str| project.labels().table().get(subject);
            grant.require_publish(feed, event.subject.as_ref(), labels)?;
        }
        let ids = &*self.seams().ids;
        let records = events.iter().enumerate();
        let records = records
            .map(|(index, (feed, event))| record(feed, event, repetition.marks(index), ids))
            .collect();
        let batch = Batch::new(records, expectations)?;
        let now = self.seams().clock.now();
        let Appended {
            first,
            last,
            recorded_at,
            versions,
            is_repeat,
        } = project.append(batch, now).await?;
        Ok(Published {
            first,
            last,
            recorded_at,
            versions,
            is_repeat,
        })
    }
}

impl Repetition {
    /// The marks of the event `index` of a batch.
    fn marks(&self, index: usize) -> payload::Marks<'_> {
        match self {
            Self::Unknown => payload::Marks::default(),
            Self::ByIds => payload::Marks {
                id: true,
                key: None,
            },
            Self::ByKey(key) => payload::Marks {
                id: true,
                key: Some(key).filter(|_| index == 0),
            },
        }
    }
}

fn record(feed: &FeedName, event: &Event, marks: payload::Marks<'_>, ids: &dyn Ids) -> NewRecord {
    NewRecord {
        feed: feed.clone(),
        ty: event.ty.clone(),
        subject: event.subject.clone(),
        time: event.time,
        payload: payload::encode(event, marks, || ids.next()),
    }
}
