//! Entities as they are: one, a page of many, and going through all of them.

use std::sync::Arc;

use bytes::Bytes;
use feedwire_engine::{Limit, Unavailable};
use feedwire_event::{FeedName, Position, Subject};

use super::fold::Stretch;
use super::stored::{self, ENTITIES};
use super::{Entity, EntityKey};
use crate::filter::Matcher;
use crate::limits::{
    ENTITIES_LOOKED_BYTES, ENTITIES_LOOKED_MAX, ENTITIES_READ_BYTES, FILTER_VALUES_MAX, STORE_SCAN,
};
use crate::project::Project;
use crate::{Core, Filter, Grant, Right, read};

/// How many entities that are named are looked up at once.
const KEYS_AT_ONCE: usize = 16;

/// Entities, and where to go on behind; `None` where there are no more.
type Found = (Vec<Entity>, Option<EntityKey>);

/// A part of a list of entities.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Entities behind this one; `None` begins with the first.
    pub after: Option<EntityKey>,
    /// It ends with the entity that reaches a bound of this.
    pub limit: Limit,
}

/// Entities in the order of their keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The entities.
    pub entities: Vec<Entity>,
    /// What the next part begins behind; `None` where there are no more.
    pub next: Option<EntityKey>,
    /// The last position of the log when it was read: everything up to there is in it.
    pub head: Position,
}

impl Core {
    /// The entity `subject` of `feed` as it is now; `None` where it is not there, or may not be read.
    pub async fn entity(
        &self,
        grant: &Grant,
        feed: &FeedName,
        subject: &Subject,
    ) -> Result<Option<Entity>, read::Error> {
        grant.require(Right::Read)?;
        let filter = Filter {
            feeds: vec![feed.clone()],
            subjects: vec![subject.clone()],
            ..Filter::default()
        };
        let matcher = Matcher::new(filter, grant.allowance())?;
        let project = self.project(grant.project()).await?;
        let Some(head) = project.log().subject(feed, subject).await? else {
            return Ok(None);
        };
        project.entities().come_to(head.position).await?;
        let key = EntityKey {
            feed: feed.clone(),
            subject: subject.clone(),
        };
        let found = project.entities().get(&[key]).await?.pop().flatten();
        let now = project.subjects().now();
        Ok(found.filter(|entity| matcher.passes(entity.record(), &now)))
    }

    /// The entities that pass `filter` as `load` events, in `part`. Where few of them pass, a page may have fewer than it has room for, or
    /// none, while there are more to go on to.
    pub async fn entities(
        &self,
        grant: &Grant,
        filter: Filter,
        part: Part,
    ) -> Result<Page, read::Error> {
        grant.require(Right::Read)?;
        let matcher = Matcher::new(filter, grant.allowance())?;
        let project = self.project(grant.project()).await?;
        let head = project.log().bounds().last;
        project.entities().come_to(head).await?;
        let mut walk = Walk::new(project, matcher, part.after);
        let (mut entities, mut left) = (Vec::new(), part.limit);
        while left.records > 0 && left.bytes > 0 && !walk.is_tired() {
            let Some(found) = walk.next(left).await? else {
                break;
            };
            for entity in &found {
                left.records = left.records.saturating_sub(1);
                left.bytes = left.bytes.saturating_sub(entity.record().bytes());
            }
            entities.extend(found);
        }
        Ok(Page {
            entities,
            next: walk.goes_on().then(|| walk.told().cloned()).flatten(),
            head,
        })
    }
}

/// Goes through the entities that pass a filter, in the order of their keys, each as it is when it is come to.
#[derive(Debug)]
pub(crate) struct Walk {
    project: Arc<Project>,
    matcher: Matcher,
    places: Places,
    after: Option<EntityKey>,
    /// The last one that passed.
    passed: Option<EntityKey>,
    has_passed: bool,
    found: u64,
    looked: u64,
    looked_bytes: usize,
    is_over: bool,
}

/// Where to look.
#[derive(Debug)]
enum Places {
    /// Everywhere.
    All,
    /// In these feeds, in their order.
    Feeds(Vec<FeedName>),
    /// In these feeds at these subjects, in their order.
    Subjects(Vec<FeedName>, Vec<Subject>),
}

impl Places {
    fn of(matcher: &Matcher, project: &Project) -> Self {
        let filter = matcher.filter();
        let mut feeds = filter.feeds.clone();
        let mut subjects = filter.subjects.clone();
        if subjects.is_empty() && !filter.labels.is_empty() {
            // Where few have the labels, nobody else need be looked at.
            let labels = project.labels().table();
            let labelled = labels.having(&filter.labels, FILTER_VALUES_MAX + 1);
            if labelled.is_empty() {
                return Self::Feeds(Vec::new());
            }
            if labelled.len() <= FILTER_VALUES_MAX {
                subjects = labelled;
            }
        }
        if feeds.is_empty() && subjects.is_empty() && !matcher.is_confined() {
            return Self::All;
        }
        if feeds.is_empty() {
            let all = project.entities().counts().into_keys();
            feeds = all.filter(|feed| matcher.grants(feed.as_str())).collect();
        }
        feeds.sort_unstable();
        feeds.dedup();
        if subjects.is_empty() {
            return Self::Feeds(feeds);
        }
        subjects.sort_unstable();
        subjects.dedup();
        Self::Subjects(feeds, subjects)
    }
}

impl Walk {
    /// Goes through what passes `matcher`, behind `after`.
    pub(crate) fn new(project: Arc<Project>, matcher: Matcher, after: Option<EntityKey>) -> Self {
        let places = Places::of(&matcher, &project);
        Self {
            project,
            matcher,
            places,
            passed: after.clone(),
            has_passed: false,
            after,
            found: 0,
            looked: 0,
            looked_bytes: 0,
            is_over: false,
        }
    }

    /// The last entity that was looked at.
    pub(crate) fn after(&self) -> Option<&EntityKey> {
        self.after.as_ref()
    }

    /// The entity behind which to go on, as it may be told: whoever may not read everything is not told the names of others.
    pub(crate) fn told(&self) -> Option<&EntityKey> {
        if self.matcher.is_confined() {
            self.passed.as_ref()
        } else {
            self.after.as_ref()
        }
    }

    /// Whether so much was looked at that what was found is told, however little that is, if there is something to go on behind.
    fn is_tired(&self) -> bool {
        let is_much =
            self.looked >= ENTITIES_LOOKED_MAX || self.looked_bytes >= ENTITIES_LOOKED_BYTES;
        is_much && (self.has_passed || !self.matcher.is_confined())
    }

    /// How many there were, whether they passed or not.
    pub(crate) fn found(&self) -> u64 {
        self.found
    }

    /// Whether there may be more.
    pub(crate) fn goes_on(&self) -> bool {
        !self.is_over
    }

    /// What passes of the next ones, which are at most as many as reach a bound of `limit`; `None` where there are no more. Cancel safe.
    pub(crate) async fn next(&mut self, limit: Limit) -> Result<Option<Vec<Entity>>, Unavailable> {
        if self.is_over {
            return Ok(None);
        }
        let limit = Limit {
            records: limit.records.clamp(1, STORE_SCAN),
            bytes: limit.bytes.clamp(1, ENTITIES_READ_BYTES),
        };
        let (found, after) = match &self.places {
            Places::Subjects(feeds, subjects) => self.at_subjects(feeds, subjects, limit).await?,
            Places::All => self.under(ENTITIES, self.after.as_ref(), limit).await?,
            Places::Feeds(feeds) => self.in_feeds(feeds, limit).await?,
        };
        let count = found.len() as u64;
        let bytes: usize = found.iter().map(|entity| entity.record().bytes()).sum();
        let passing = self.passing(found).await;
        if let Some(last) = passing.last() {
            self.passed = Some(last.key()?);
            self.has_passed = true;
        }
        // Behind every wait: what is given up before this is looked at again.
        self.found += count;
        self.looked_bytes += bytes;
        self.looked += match self.places {
            Places::Subjects(..) => KEYS_AT_ONCE as u64,
            Places::All | Places::Feeds(_) => count,
        };
        match after {
            Some(after) => self.after = Some(after),
            None => self.is_over = true,
        }
        Ok(Some(passing))
    }

    /// What passes of `found`.
    async fn passing(&self, found: Vec<Entity>) -> Vec<Entity> {
        let subjects = self.project.subjects();
        let passing: Vec<Entity> = {
            let now = subjects.now();
            let passes = |entity: &Entity| self.matcher.passes(entity.record(), &now);
            found.into_iter().filter(passes).collect()
        };
        match self.matcher.expression() {
            None => passing,
            Some(expression) => {
                let labels = &subjects.labels;
                expression.retain(passing, Entity::record, labels).await
            }
        }
    }

    /// The next ones at `subjects` in `feeds`, and where to go on behind.
    async fn at_subjects(
        &self,
        feeds: &[FeedName],
        subjects: &[Subject],
        limit: Limit,
    ) -> Result<Found, Unavailable> {
        let after = self.after.as_ref();
        let begun = feeds.partition_point(|feed| after.is_some_and(|after| *feed < after.feed));
        let done = match (after, feeds.get(begun)) {
            (Some(after), Some(feed)) if after.feed == *feed => {
                subjects.partition_point(|subject| *subject <= after.subject)
            }
            _ => 0,
        };
        // One more, to see whether there is one.
        let asked = limit.records.min(KEYS_AT_ONCE) + 1;
        let mut asked = keys(&feeds[begun..], subjects, done, asked);
        let is_all = asked.len() <= limit.records.min(KEYS_AT_ONCE);
        if !is_all {
            asked.pop();
        }
        let entities = self.project.entities().get(&asked).await?;
        let after = asked.pop().filter(|_| !is_all);
        Ok((entities.into_iter().flatten().collect(), after))
    }

    /// The next ones in `feeds`, and where to go on behind.
    async fn in_feeds(&self, feeds: &[FeedName], limit: Limit) -> Result<Found, Unavailable> {
        let after = self.after.as_ref();
        let begun = feeds.partition_point(|feed| after.is_some_and(|after| *feed < after.feed));
        for (index, feed) in feeds.iter().enumerate().skip(begun) {
            let prefix = stored::of_feed(feed.as_str());
            let after = after.filter(|after| after.feed == *feed);
            let (entities, next) = self.under(&prefix, after, limit).await?;
            let is_last = index + 1 == feeds.len();
            let next = match next {
                None if !is_last => entities.last().map(Entity::key).transpose()?,
                next => next,
            };
            if next.is_some() || is_last {
                return Ok((entities, next));
            }
        }
        Ok((Vec::new(), None))
    }

    /// The next ones whose keys start with `prefix`, and where to go on behind.
    async fn under(
        &self,
        prefix: &[u8],
        after: Option<&EntityKey>,
        limit: Limit,
    ) -> Result<Found, Unavailable> {
        let after = after.map(EntityKey::stored);
        let entities = self.project.entities();
        let Stretch { entries, next } = entities.stretch(prefix, after.as_deref(), limit).await?;
        let entity =
            |(key, value): (Bytes, Bytes)| stored::entity(&stored::read_key(&key)?, &value);
        let found = entries.into_iter().map(entity).collect::<Result<_, _>>()?;
        Ok((found, next.map(|key| stored::read_key(&key)).transpose()?))
    }
}

/// The first `most` of `subjects` in `feeds` behind `done` of them.
fn keys(feeds: &[FeedName], subjects: &[Subject], done: usize, most: usize) -> Vec<EntityKey> {
    let all = feeds.iter().flat_map(|feed| {
        subjects.iter().map(|subject| EntityKey {
            feed: feed.clone(),
            subject: subject.clone(),
        })
    });
    all.skip(done).take(most).collect()
}
