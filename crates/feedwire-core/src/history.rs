//! The history of a subject in one feed: its batches, by version.

use std::sync::Arc;

use feedwire_engine::{
    Chunk, Head, Limit, OpenError, ReadError, Record, Scope, Stamp, Unavailable,
};
use feedwire_event::{FeedName, Position, Subject, Version};

use crate::filter::Matcher;
use crate::project::Project;
use crate::{Core, Filter, Forbidden, Grant, Right, read};

/// How much of the log is read in one go.
const CHUNK: Limit = Limit {
    records: 1_000,
    bytes: 1024 * 1024,
};

/// The first batch that is found.
const ONE: Limit = Limit {
    records: 1,
    bytes: 1,
};

/// What is asked of a history: the batches behind a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// Behind this version.
    pub since: Version,
    /// At most so many batches.
    pub batches: u64,
    /// At most so many bytes of events; a part is never cut to it, but refused.
    pub bytes: usize,
}

/// Batches of a subject in one feed.
#[derive(Clone, Debug)]
pub struct History {
    /// What the subject has had when they were read.
    pub head: Head,
    /// The events of the batches, in order. None of their versions is beyond the head's.
    pub records: Vec<Record>,
    /// Whether there are more up to the head.
    pub more: bool,
}

/// Why a history is not read.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// See [`read::Error`].
    #[error(transparent)]
    Read(#[from] read::Error),
    /// What was asked for begins with batches that are no longer retained.
    #[error("the batches up to version {} are no longer retained", .0.0)]
    Expired(Version),
    /// It would be larger than it may be.
    #[error("the first {batches} of these batches are larger than {bytes} bytes")]
    TooLarge {
        /// How many were looked at.
        batches: u64,
        /// How large it may be.
        bytes: usize,
    },
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

impl From<ReadError> for Error {
    fn from(error: ReadError) -> Self {
        Self::Read(error.into())
    }
}

impl From<Unavailable> for Error {
    fn from(unavailable: Unavailable) -> Self {
        Self::Read(unavailable.into())
    }
}

impl Core {
    /// What `subject` has had in `feed`; `None` where that is nothing, or nothing that may be read.
    pub async fn subject(
        &self,
        grant: &Grant,
        feed: &FeedName,
        subject: &Subject,
    ) -> Result<Option<Head>, read::Error> {
        let about = self.about(grant, feed, subject).await?;
        Ok(about.head(grant, feed, subject).await?)
    }

    /// The `part` of what `subject` has had in `feed`; `None` where that is nothing, or nothing that may be read.
    ///
    /// The cost is in proportion to what is returned, wherever in the history that is.
    pub async fn history(
        &self,
        grant: &Grant,
        feed: &FeedName,
        subject: &Subject,
        part: Part,
    ) -> Result<Option<History>, Error> {
        let about = self.about(grant, feed, subject).await?;
        let Some(head) = about.head(grant, feed, subject).await? else {
            return Ok(None);
        };
        let hidden = about.project.erasures().hidden().clone();
        let begins = || hidden.through(feed.as_str(), subject.as_str());
        let behind = about.behind(part.since, begins(), head).await?;
        let records = about.take(part, behind, head).await;
        if begins() >= head.position {
            // Erased meanwhile.
            return Ok(None);
        }
        let Read { records, through } = records?;
        Ok(Some(History {
            head,
            records,
            more: through < head.version,
        }))
    }

    async fn about(
        &self,
        grant: &Grant,
        feed: &FeedName,
        subject: &Subject,
    ) -> Result<About, read::Error> {
        grant.require(Right::Read)?;
        let filter = Filter {
            feeds: vec![feed.clone()],
            subjects: vec![subject.clone()],
            ..Filter::default()
        };
        let matcher = Matcher::new(filter, grant.allowance())?;
        let project = self.project(grant.project()).await?;
        Ok(About {
            scope: matcher.filter().scope(),
            matcher,
            project,
        })
    }
}

/// What was read of a history.
struct Read {
    records: Vec<Record>,
    /// The version up to which: what has nothing to show for it is not lost.
    through: Version,
}

/// What finds the events about one subject of a feed.
struct About {
    project: Arc<Project>,
    matcher: Matcher,
    scope: Scope,
}

impl About {
    async fn head(
        &self,
        grant: &Grant,
        feed: &FeedName,
        subject: &Subject,
    ) -> Result<Option<Head>, Unavailable> {
        let labels = |subject: &str| self.project.labels().table().get(subject);
        if !grant.allowance().shows(subject, labels) {
            return Ok(None);
        }
        self.project.log().subject(feed, subject).await
    }

    /// What is read behind `after`, or behind what was trimmed.
    async fn read(&self, after: Position, limit: Limit) -> Result<Chunk, ReadError> {
        let log = self.project.log();
        match log.read(&self.scope, after, limit).await {
            Err(ReadError::Expired(expired)) => {
                log.read(&self.scope, expired.first.previous(), limit).await
            }
            read => read,
        }
    }

    /// A position that every batch up to version `since` is at or before, and no later one. What is at or before `begins` is of no
    /// version.
    async fn behind(
        &self,
        since: Version,
        begins: Position,
        head: Head,
    ) -> Result<Position, ReadError> {
        if since == Version::NONE {
            return Ok(begins);
        }
        if since >= head.version {
            return Ok(head.position);
        }
        // Versions grow with positions.
        let (mut low, mut high) = (begins, head.position);
        while low < high {
            let middle = low.plus((high.get() - low.get()) / 2);
            let found = self.next(middle, high).await?;
            match found.filter(|stamp| stamp.version <= since) {
                Some(earlier) => low = earlier.position.max(middle.next()),
                None => high = middle,
            }
        }
        Ok(low)
    }

    /// What the last record of the first batch behind `after` and up to `until` was given.
    async fn next(&self, mut after: Position, until: Position) -> Result<Option<Stamp>, ReadError> {
        while after < until {
            let chunk = self.read(after, ONE).await?;
            if let Some(record) = chunk.records.last() {
                return Ok(Some(*record.stamp()));
            }
            after = chunk.through;
        }
        Ok(None)
    }

    /// The events of the batches of `part`, which stand behind `after`.
    async fn take(&self, part: Part, mut after: Position, head: Head) -> Result<Read, Error> {
        let (mut records, mut bytes, mut last) = (Vec::new(), 0, part.since);
        let end = Version(part.since.0.saturating_add(part.batches)).min(head.version);
        while after < head.position && last <= end {
            let chunk = self.read(after, CHUNK).await?;
            after = chunk.through;
            let now = self.project.subjects().now();
            for record in chunk.records {
                let is_shown = self.matcher.shows(&record, &now);
                // What is told to nobody who was not there has its version all the same.
                if !is_shown && !record.is_live_only() {
                    continue;
                }
                let version = record.stamp().version;
                if version > end {
                    let through = last;
                    return Ok(Read { records, through });
                }
                if version > last.next() {
                    return Err(Error::Expired(Version(version.0 - 1)));
                }
                last = version;
                if !is_shown {
                    continue;
                }
                bytes += record.bytes();
                if bytes > part.bytes {
                    let batches = version.0 - part.since.0;
                    let bytes = part.bytes;
                    return Err(Error::TooLarge { batches, bytes });
                }
                records.push(record);
            }
        }
        if last < end {
            return Err(Error::Expired(end));
        }
        let through = last;
        Ok(Read { records, through })
    }
}
