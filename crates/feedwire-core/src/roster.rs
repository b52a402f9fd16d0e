//! Subjects that are kept account of: those that have had something in a feed, and those that a label says are among them.

use std::sync::Arc;

use feedwire_engine::Unavailable;
use feedwire_event::{FeedName, Labels, Subject};

use crate::filter::Matcher;
use crate::limits::STORE_SCAN;
use crate::project::Project;
use crate::{Core, Filter, Grant, LabelGroup, Right, read};

/// Which subjects are on a roster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Roster {
    /// Those that have had something in this feed,
    pub feed: FeedName,
    /// and those that have a label of this key, whether they have had anything or not,
    pub enters: String,
    /// but none that has a label of this one.
    pub leaves: String,
}

/// A part of a roster that is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Part {
    /// Only these subjects; empty is all.
    pub subjects: Vec<Subject>,
    /// Only those that have a label of each of these groups; what events tell beside them is not looked at.
    pub labels: Vec<LabelGroup>,
    /// Those behind this one.
    pub after: Option<Subject>,
    /// At most so many.
    pub limit: usize,
}

/// Subjects of a roster.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Page {
    /// In the order of the bytes of their names, with their labels.
    pub subjects: Vec<(Subject, Arc<Labels>)>,
    /// Whether there are more.
    pub more: bool,
}

impl Core {
    /// The `part` of `roster` that may be read.
    pub async fn roster(
        &self,
        grant: &Grant,
        roster: &Roster,
        part: &Part,
    ) -> Result<Page, read::Error> {
        grant.require(Right::Read)?;
        let filter = Filter {
            feeds: vec![roster.feed.clone()],
            subjects: part.subjects.clone(),
            ..Filter::default()
        };
        Matcher::new(filter, grant.allowance())?;
        let project = self.project(grant.project()).await?;
        let table = project.labels().table();
        let labels = |subject: &str| table.get(subject);
        let mut page = Page::default();
        let mut after = part.after.clone();
        loop {
            let (names, is_all) = project
                .on_roster(roster, &part.subjects, after.as_ref())
                .await?;
            for name in &names {
                let own = labels(name.as_str()).unwrap_or_default();
                let is_wanted = own.get(&roster.leaves).is_none()
                    && part.labels.iter().all(|group| group.holds(&own))
                    && grant.allowance().shows(name, labels);
                if !is_wanted {
                    continue;
                }
                if page.subjects.len() == part.limit {
                    page.more = true;
                    return Ok(page);
                }
                page.subjects.push((name.clone(), own));
            }
            if is_all {
                return Ok(page);
            }
            after = names.into_iter().next_back();
        }
    }
}

impl Project {
    /// The next names behind `after` of those that entered `roster`, in order, and whether these are all.
    async fn on_roster(
        &self,
        roster: &Roster,
        wanted: &[Subject],
        after: Option<&Subject>,
    ) -> Result<(Vec<Subject>, bool), Unavailable> {
        let (mut names, is_all) = if wanted.is_empty() {
            self.anybody(roster, after).await?
        } else {
            let is_behind = |name: &&Subject| after.is_none_or(|after| *name > after);
            let wanted = wanted.iter().filter(is_behind);
            (self.entered(roster, wanted).await?, true)
        };
        names.sort_unstable();
        names.dedup();
        Ok((names, is_all))
    }

    async fn anybody(
        &self,
        roster: &Roster,
        after: Option<&Subject>,
    ) -> Result<(Vec<Subject>, bool), Unavailable> {
        let found = self.log().subjects(&roster.feed, after, STORE_SCAN).await?;
        let is_end = found.len() < STORE_SCAN;
        let mut names: Vec<Subject> = found.into_iter().map(|(name, _)| name).collect();
        let table = self.labels().table();
        let (labelled, is_all) = table.with(&roster.enters, after, STORE_SCAN);
        // Behind the last of either there may be others between.
        let ends = [
            names.last().filter(|_| !is_end),
            labelled.iter().max().filter(|_| !is_all),
        ];
        let end = ends.into_iter().flatten().min().cloned();
        names.extend(labelled);
        if let Some(end) = end {
            names.retain(|name| *name <= end);
        }
        Ok((names, is_end && is_all))
    }

    /// Those of `wanted` that are there.
    async fn entered(
        &self,
        roster: &Roster,
        wanted: impl Iterator<Item = &Subject>,
    ) -> Result<Vec<Subject>, Unavailable> {
        let (log, table) = (self.log(), self.labels().table());
        let mut names = Vec::new();
        for name in wanted {
            let labels = table.get(name.as_str());
            let is_labelled = labels.is_some_and(|own| own.get(&roster.enters).is_some());
            if is_labelled || log.subject(&roster.feed, name).await?.is_some() {
                names.push(name.clone());
            }
        }
        Ok(names)
    }
}
