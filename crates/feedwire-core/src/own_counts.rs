//! The counts of a project's feeds as somebody may know them.
//!
//! The counts of the project are of everybody. Who is confined to some subjects is told what can be read of those, counted anew.

use std::collections::{BTreeMap, HashSet};

use feedwire_engine::{ReadError, Record};
use feedwire_event::{FeedName, Position, Timestamp};

use crate::filter::Matcher;
use crate::limits::FILTER_VALUES_MAX;
use crate::project::{Project, TAIL_READ};
use crate::{Allowance, Core, FeedCount, Feeds, Filter, Grant, Right, read};

/// What was counted of a feed.
#[derive(Debug, Default)]
struct Own {
    events: u64,
    batches: u64,
    runs: u64,
    subjects: HashSet<Box<str>>,
    last: Position,
}

/// A stretch of time; what is not set has no bound.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// Its first moment.
    pub from: Option<Timestamp>,
    /// The first moment behind it.
    pub to: Option<Timestamp>,
}

impl Core {
    /// How many runs there are in `feeds`, or in every feed where none is named, that were recorded in `span`.
    ///
    /// Over all of time they are known. Within a stretch of it, and for whoever is confined to some subjects, they are counted event by
    /// event, for one at a time, and what is no longer retained is not among them.
    pub async fn runs(
        &self,
        grant: &Grant,
        feeds: Vec<FeedName>,
        span: Span,
    ) -> Result<u64, read::Error> {
        grant.require(Right::Read)?;
        let filter = Filter {
            feeds: feeds.clone(),
            ..Filter::default()
        };
        let matcher = Matcher::new(filter, grant.allowance())?;
        let project = self.project(grant.project()).await?;
        if span != Span::default() {
            return project.runs_in(&matcher, span).await;
        }
        let counts = project.feeds(grant.allowance()).await?.feeds.into_iter();
        let wanted = counts.filter(|count| feeds.is_empty() || feeds.contains(&count.name));
        Ok(wanted.map(|count| count.left().runs).sum())
    }
}

impl Project {
    async fn runs_in(&self, matcher: &Matcher, span: Span) -> Result<u64, read::Error> {
        let log = self.log();
        let mut after = match span.from {
            Some(from) => log.seek(from).await?,
            None => log.bounds().first.previous(),
        };
        let end = match span.to {
            Some(to) => log.seek(to).await?,
            None => log.bounds().last,
        };
        let _one_at_a_time = self.counting().lock().await;
        let (scope, mut runs) = (matcher.filter().scope(), 0);
        while after < end {
            let chunk = match log.read(&scope, after, TAIL_READ).await {
                // Trimmed meanwhile.
                Err(ReadError::Expired(expired)) => {
                    after = expired.first.previous();
                    continue;
                }
                chunk => chunk?,
            };
            let mut before: Option<&Record> = None;
            let now = self.subjects().now();
            let within = chunk.records.iter().take_while(|r| r.position() <= end);
            for record in within.filter(|record| matcher.shows(record, &now)) {
                runs += u64::from(!before.is_some_and(|before| record.goes_on(before)));
                before = Some(record);
            }
            after = chunk.through;
        }
        Ok(runs)
    }

    /// The feeds with their counts, as far as `allowance` has them known. Load feeds are not among them.
    pub(crate) async fn feeds(&self, allowance: &Allowance) -> Result<Feeds, read::Error> {
        let head = self.log().bounds().last;
        if !allowance.is_unconfined() && allowance.confinement.is_some() {
            return self.own_feeds(allowance, head).await;
        }
        let mut feeds = self.counts().feeds(head).await;
        feeds
            .feeds
            .retain(|count| FeedName::loaded(count.name.as_str()).is_none());
        for count in &mut feeds.feeds {
            count.erased = self.erasures().taken_of(&count.name);
        }
        if !allowance.is_unconfined() {
            feeds.feeds.retain(|count| allowance.fits(&count.name));
        }
        Ok(feeds)
    }

    async fn own_feeds(&self, allowance: &Allowance, head: Position) -> Result<Feeds, read::Error> {
        let matcher = Matcher::new(Filter::default(), allowance)?;
        let mut scope = matcher.filter().scope();
        let groups = &matcher.filter().labels;
        if !groups.is_empty() {
            let labelled = self.labels().table().having(groups, FILTER_VALUES_MAX + 1);
            if labelled.is_empty() {
                return Ok(Feeds {
                    feeds: Vec::new(),
                    head,
                });
            }
            if labelled.len() <= FILTER_VALUES_MAX {
                // More are found by reading everything.
                scope.subjects = labelled;
            }
        }
        let _one_at_a_time = self.counting().lock().await;
        let mut own: BTreeMap<FeedName, Own> = BTreeMap::new();
        let mut after = self.log().bounds().first.previous();
        while after < head {
            let chunk = match self.log().read(&scope, after, TAIL_READ).await {
                // Trimmed meanwhile.
                Err(ReadError::Expired(expired)) => {
                    after = expired.first.previous();
                    continue;
                }
                chunk => chunk?,
            };
            let mut before = None;
            let now = self.subjects().now();
            let shown = chunk.records.iter();
            for record in shown.filter(|record| matcher.shows(record, &now)) {
                count(&mut own, record, before);
                before = Some(record);
            }
            after = chunk.through;
        }
        let feeds = own.into_iter().map(|(name, own)| own.told(name));
        Ok(Feeds {
            feeds: feeds.collect(),
            head: after.max(head),
        })
    }
}

fn count(own: &mut BTreeMap<FeedName, Own>, record: &Record, before: Option<&Record>) {
    if !own.contains_key(record.feed()) {
        let name = FeedName::new(record.feed()).expect("the log holds names that were checked");
        own.insert(name, Own::default());
    }
    let count = own.get_mut(record.feed()).expect("it was put there");
    count.events += 1;
    count.batches += u64::from(count.last < record.batch());
    count.runs += u64::from(!before.is_some_and(|before| record.goes_on(before)));
    if let Some(subject) = record
        .subject()
        .filter(|subject| !count.subjects.contains(*subject))
    {
        count.subjects.insert(subject.into());
    }
    count.last = record.position();
}

impl Own {
    fn told(self, name: FeedName) -> FeedCount {
        FeedCount {
            events: self.events,
            batches: self.batches,
            runs: self.runs,
            subjects: self.subjects.len() as u64,
            last: self.last,
            ..FeedCount::of_none(name)
        }
    }
}
