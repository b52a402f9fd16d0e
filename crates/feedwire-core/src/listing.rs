//! The subjects of a feed, listed.

use feedwire_engine::{Head, Scope};
use feedwire_event::{FeedName, Subject, Timestamp};

use crate::filter::Matcher;
use crate::limits::STORE_SCAN;
use crate::project::Project;
use crate::{Core, Filter, Grant, Right, read};

/// A part of the subjects of a feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing {
    /// In the order of the bytes of their names.
    pub subjects: Vec<ListedSubject>,
    /// Whether there are more.
    pub more: bool,
}

/// A subject of a feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedSubject {
    /// Its name.
    pub name: Subject,
    /// What it has had.
    pub head: Head,
    /// When its last event was recorded; `None` where that is no longer retained.
    pub updated_at: Option<Timestamp>,
}

impl Core {
    /// The subjects of `feed` that have had something and may be read, at most `limit` behind the first `skip`.
    pub async fn subjects(
        &self,
        grant: &Grant,
        feed: &FeedName,
        mut skip: usize,
        limit: usize,
    ) -> Result<Listing, read::Error> {
        grant.require(Right::Read)?;
        let filter = Filter {
            feeds: vec![feed.clone()],
            ..Filter::default()
        };
        Matcher::new(filter, grant.allowance())?;
        let project = self.project(grant.project()).await?;
        let labels = |subject: &str| project.labels().table().get(subject);
        let mut subjects = Vec::new();
        let mut after: Option<Subject> = None;
        loop {
            let log = project.log();
            let found = log.subjects(feed, after.as_ref(), STORE_SCAN).await?;
            let is_all = found.len() < STORE_SCAN;
            after = found.last().map(|(name, _)| name.clone());
            for (name, head) in found {
                if !grant.allowance().shows(&name, labels) {
                    continue;
                }
                if skip > 0 {
                    skip -= 1;
                } else if subjects.len() == limit {
                    return Ok(Listing {
                        subjects,
                        more: true,
                    });
                } else {
                    subjects.push(ListedSubject {
                        updated_at: project.recorded_at(feed, &name, head).await?,
                        name,
                        head,
                    });
                }
            }
            if is_all {
                return Ok(Listing {
                    subjects,
                    more: false,
                });
            }
        }
    }
}

impl Project {
    /// When the last event of a subject was recorded, which `head` tells of.
    async fn recorded_at(
        &self,
        feed: &FeedName,
        subject: &Subject,
        head: Head,
    ) -> Result<Option<Timestamp>, read::Error> {
        let scope = Scope {
            feeds: vec![feed.clone()],
            subjects: vec![subject.clone()],
            ..Scope::default()
        };
        let found = self.record_at(&scope, head.position).await?;
        Ok(found.map(|record| record.stamp().recorded_at))
    }
}
