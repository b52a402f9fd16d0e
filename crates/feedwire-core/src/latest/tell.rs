//! Telling the latest events of subjects.

use std::slice;

use feedwire_engine::{Record, Scope};
use feedwire_event::{FeedName, Position, Subject};

use crate::filter::Matcher;
use crate::limits::{LATEST_BYTES_MAX, LATEST_SUBJECTS_MAX, LATEST_TYPES_MAX};
use crate::project::Project;
use crate::{Core, Filter, Grant, Right, read};

impl Core {
    /// The latest event of each type about `subject` in `feed`, in order of their positions, as far as they may be read.
    ///
    /// Of many types it is those with the latest events: at most [`LATEST_TYPES_MAX`], and no more than fit into [`LATEST_BYTES_MAX`].
    /// Whoever asks for a feed for the first time waits until all that is retained of it was looked through; after that the feed is kept.
    pub async fn latest(
        &self,
        grant: &Grant,
        feed: &FeedName,
        subject: &Subject,
    ) -> Result<Vec<Record>, read::Error> {
        let mut latest = self
            .latest_of(grant, feed, slice::from_ref(subject))
            .await?;
        Ok(latest.pop().unwrap_or_default())
    }

    /// As [`Core::latest`] for each of `subjects`, in their order.
    ///
    /// It ends with the subject whose events fill [`LATEST_BYTES_MAX`]: it is at least one, and what is missing can be asked for next.
    ///
    /// # Panics
    /// If there are more than [`LATEST_SUBJECTS_MAX`].
    pub async fn latest_of(
        &self,
        grant: &Grant,
        feed: &FeedName,
        subjects: &[Subject],
    ) -> Result<Vec<Vec<Record>>, read::Error> {
        assert!(
            subjects.len() <= LATEST_SUBJECTS_MAX,
            "a list of subjects is asked for in pages"
        );
        grant.require(Right::Read)?;
        let filter = Filter {
            feeds: vec![feed.clone()],
            subjects: subjects.to_vec(),
            ..Filter::default()
        };
        let matcher = Matcher::new(filter, grant.allowance())?;
        let project = self.project(grant.project()).await?;
        let (mut latest, mut bytes) = (Vec::new(), 0);
        for subject in subjects {
            let records = loop {
                let first = project.log().bounds().first;
                if !self.catch_up(&project, feed).await? {
                    break Vec::new();
                }
                let found = project.latest_about(&matcher, feed, subject, first);
                if let Some(records) = found.await? {
                    break records;
                }
            };
            bytes += records.iter().map(Record::bytes).sum::<usize>();
            latest.push(records);
            if bytes >= LATEST_BYTES_MAX {
                break;
            }
        }
        Ok(latest)
    }
}

impl Project {
    /// The latest events about `subject` that pass, of those not before `first`; `None` where one was trimmed meanwhile: a later one of
    /// its type may not have been applied yet.
    async fn latest_about(
        &self,
        matcher: &Matcher,
        feed: &FeedName,
        subject: &Subject,
        first: Position,
    ) -> Result<Option<Vec<Record>>, read::Error> {
        let kept = self.latest();
        let positions = kept
            .positions(feed, subject, first, LATEST_TYPES_MAX)
            .await?;
        let (mut records, mut bytes): (Vec<Record>, usize) = (Vec::new(), 0);
        for (position, ty) in positions {
            let scope = Scope {
                feeds: vec![feed.clone()],
                types: vec![ty],
                subjects: vec![subject.clone()],
            };
            let Some(record) = self.record_at(&scope, position).await? else {
                if position < self.log().bounds().first {
                    return Ok(None);
                }
                continue;
            };
            if !matcher.shows(&record, &self.subjects().now()) {
                continue;
            }
            bytes += record.bytes();
            if bytes > LATEST_BYTES_MAX && !records.is_empty() {
                break;
            }
            records.push(record);
        }
        records.reverse();
        Ok(Some(records))
    }
}
