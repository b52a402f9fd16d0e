//! Which events a reading is about.

use std::collections::HashSet;

use feedwire_engine::{Record, Scope};
use feedwire_event::{FeedName, Labels, Position, Subject, TypeName};

use crate::subjects::Now;
use crate::{
    Allowance, Confinement, Expression, FeedPattern, Forbidden, LabelGroup, Partition, Right,
};

/// An event passes if it has one of the feeds, one of the types and one of the subjects, its subject has a label of every group, and is
/// in the partition; in the feed of which only some types are asked for, if it has one of those; and if the expression is true of it. An empty
/// list asks for nothing.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Filter {
    /// The feeds; empty is every feed of the project, but for load feeds.
    pub feeds: Vec<FeedName>,
    /// The types.
    pub types: Vec<TypeName>,
    /// The subjects.
    pub subjects: Vec<Subject>,
    /// Labels of the subject as they are when the event is read, one of each group.
    pub labels: Vec<LabelGroup>,
    /// The partition; `None` is every one.
    pub partition: Option<Partition>,
    /// The types in one of the feeds; `None` is what `types` says.
    pub types_in: Option<TypesIn>,
    /// Events of entities alone, of this kind; `None` is all events.
    pub entity_feed: Option<EntityFeed>,
    /// What has to be true of it; `None` is nothing.
    pub expression: Option<Expression>,
}

/// What is told of entities.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntityFeed {
    /// How they change.
    Change,
    /// Their states, as they are loaded: of the feeds whose entities they are, the load feeds.
    Load,
}

/// The types that are let through in one feed; what is in other feeds is let through whatever its type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TypesIn {
    /// The feed.
    pub feed: FeedName,
    /// The types; empty is none.
    pub types: Vec<TypeName>,
}

impl TypesIn {
    /// Whether it lets `record` through.
    fn has(&self, record: &Record) -> bool {
        let is_named = |ty: &TypeName| ty.as_str() == record.ty();
        record.feed() != self.feed.as_str() || self.types.iter().any(is_named)
    }
}

impl Filter {
    /// What of it `allowance` lets be read. What it names has to be granted; where it names nothing, what is granted is named.
    fn narrowed(mut self, allowance: &Allowance) -> Result<Self, Forbidden> {
        let patterns = &allowance.feeds;
        if let Some(feed) = self.feeds.iter().find(|feed| !allowance.fits(feed)) {
            return Err(Forbidden::Feed(feed.clone()));
        }
        let names: Option<Vec<FeedName>> = patterns.iter().map(|p| p.name().cloned()).collect();
        if let (true, Some(names)) = (self.feeds.is_empty(), names) {
            self.feeds = names;
        }
        match &allowance.confinement {
            None => {}
            Some(Confinement::Labels(labels)) => {
                self.labels
                    .extend(labels.iter().cloned().map(LabelGroup::from));
            }
            Some(Confinement::Subjects(own)) if self.subjects.is_empty() => {
                self.subjects.clone_from(own);
            }
            Some(Confinement::Subjects(own)) => {
                if let Some(subject) = self.subjects.iter().find(|subject| !own.contains(subject)) {
                    return Err(Forbidden::Subject(Some(subject.clone())));
                }
            }
        }
        Ok(self)
    }

    /// The part that an engine's index can answer.
    pub(crate) fn scope(&self) -> Scope {
        Scope {
            feeds: self.feeds.clone(),
            types: self.types.clone(),
            subjects: self.subjects.clone(),
        }
    }
}

/// A filter within what is granted, ready to be asked about many records.
///
/// The expression is not among what it is asked: that is held against what passes all else, behind every lock.
#[derive(Debug)]
pub(crate) struct Matcher {
    filter: Filter,
    /// The feeds that are granted, where names cannot say it.
    patterns: Vec<FeedPattern>,
    /// The subjects again, for filters that name many.
    subjects: HashSet<Subject>,
    /// Whether it is for somebody who may not read everything.
    is_confined: bool,
    /// Since when whoever asks is there; `None` where that is to look back, and not to be there.
    there_since: Option<Position>,
}

impl Matcher {
    /// What of `filter` may be read by whom `allowance` is for, but for events that are for those who are there.
    pub(crate) fn new(filter: Filter, allowance: &Allowance) -> Result<Self, Forbidden> {
        let is_admin = allowance.rights.has(Right::Admin);
        let mut filter = if is_admin {
            filter
        } else {
            filter.narrowed(allowance)?
        };
        if filter.entity_feed == Some(EntityFeed::Load) {
            filter.feeds = filter.feeds.iter().map(FeedName::load_feed).collect();
        }
        let subjects = filter.subjects.iter().cloned().collect();
        let open = is_admin || !filter.feeds.is_empty();
        let patterns = if open {
            Vec::new()
        } else {
            allowance.feeds.clone()
        };
        Ok(Self {
            filter,
            patterns,
            subjects,
            is_confined: !allowance.is_unconfined(),
            there_since: None,
        })
    }

    /// The same for one who is there since the log had come to `head`: what is behind that reaches it, whomever it is for.
    pub(crate) fn there_since(self, head: Position) -> Self {
        Self {
            there_since: Some(head),
            ..self
        }
    }

    /// What else has to be true of what passes.
    pub(crate) fn expression(&self) -> Option<&Expression> {
        self.filter.expression.as_ref()
    }

    /// Whether it is for somebody who may not read everything, nor be told the names of what that is.
    pub(crate) fn is_confined(&self) -> bool {
        self.is_confined
    }

    /// Whether events of `feed` may be read.
    pub(crate) fn grants(&self, feed: &str) -> bool {
        self.patterns.is_empty() || self.patterns.iter().any(|pattern| pattern.fits(feed))
    }

    pub(crate) fn filter(&self) -> &Filter {
        &self.filter
    }

    /// Whether it leaves out nothing of `filter`, which it was made from.
    pub(crate) fn is_all_of(&self, filter: &Filter) -> bool {
        let own = &self.filter;
        self.patterns.is_empty()
            && own.feeds == filter.feeds
            && own.subjects == filter.subjects
            && own.labels.iter().all(|group| filter.labels.contains(group))
    }

    /// Whether it lets the events of some subjects pass alone.
    pub(crate) fn is_of_some_subjects(&self) -> bool {
        !self.filter.subjects.is_empty() || !self.filter.labels.is_empty()
    }

    /// Whether `record` passes.
    pub(crate) fn passes(&self, record: &Record, now: &Now<'_>) -> bool {
        self.fits(record) && self.shows(record, now)
    }

    /// Whether `record` passes, whose subject has `labels` now: for whoever asks many matchers about one record.
    pub(crate) fn passes_with(
        &self,
        record: &Record,
        labels: Option<&Labels>,
        now: &Now<'_>,
    ) -> bool {
        self.fits(record) && self.admits(record, now) && self.wants(record, || labels)
    }

    /// Whether `record` may be shown, and its subject has the labels: all that an engine's scope leaves open.
    pub(crate) fn shows(&self, record: &Record, now: &Now<'_>) -> bool {
        self.admits(record, now) && self.wants(record, || now.labels_of(record))
    }

    /// Whether `record` is in the engine's scope.
    fn fits(&self, record: &Record) -> bool {
        let Filter { feeds, types, .. } = &self.filter;
        (feeds.is_empty() || feeds.iter().any(|feed| feed.as_str() == record.feed()))
            && (types.is_empty() || types.iter().any(|ty| ty.as_str() == record.ty()))
            && (self.subjects.is_empty()
                || record.subject().is_some_and(|s| self.subjects.contains(s)))
    }

    /// Whether `record` may be shown, reaches whoever asks, is in the partition and has one of the types that its feed is asked for, whatever
    /// labels its subject has.
    fn admits(&self, record: &Record, now: &Now<'_>) -> bool {
        let granted = || self.grants(record.feed());
        let partitioned =
            || (self.filter.partition).is_none_or(|partition| partition.has(record.subject()));
        let typed = || {
            let types_in = self.filter.types_in.as_ref();
            types_in.is_none_or(|types_in| types_in.has(record))
        };
        !now.hides(record)
            && self.is_reached_by(record)
            && self.tells_of(record)
            && granted()
            && partitioned()
            && typed()
    }

    /// Whether `record` is of an entity where only those are asked for, and not of a load feed where nobody asked for it.
    fn tells_of(&self, record: &Record) -> bool {
        let is_loaded = || FeedName::loaded(record.feed()).is_some();
        match self.filter.entity_feed {
            None => !self.filter.feeds.is_empty() || !is_loaded(),
            Some(EntityFeed::Change) => record.is_entity() && !is_loaded(),
            Some(EntityFeed::Load) => is_loaded(),
        }
    }

    /// Whether `record` is for everybody, or came when whoever asks was there.
    fn is_reached_by(&self, record: &Record) -> bool {
        let was_there = || (self.there_since).is_some_and(|since| since < record.position());
        !record.is_live_only() || was_there()
    }

    fn wants<'l>(&self, record: &Record, labels: impl FnOnce() -> Option<&'l Labels>) -> bool {
        let groups = &self.filter.labels;
        if groups.is_empty() {
            return true;
        }
        let labels = labels();
        groups.iter().all(|group| group.passes(record, labels))
    }
}
