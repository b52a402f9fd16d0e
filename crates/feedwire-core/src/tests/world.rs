//! A core over an engine in memory, a clock driven by hand, and short words for events.
#![cfg_attr(
    feature = "shuttle",
    expect(dead_code, reason = "schedules are tried on a project alone")
)]

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use feedwire_engine::memory::Memory;
use feedwire_engine::{Engine, Limit};
use feedwire_event::{
    Attribute, Event, EventId, Extensions, FeedName, ProjectName, Subject, Timestamp, TypeName,
};

use crate::projects::Bounds;
use crate::{
    Clock, Core, Filter, Grant, Ids, LabelFilter, LabelGroup, Published, Reader, Reading,
    Repetition, Seams, Start, Step, Until, publish, read,
};

/// Large enough for everything that a test publishes.
pub(crate) const EVERYTHING: Limit = Limit {
    records: usize::MAX,
    bytes: usize::MAX,
};

/// Time that passes when it is told to.
#[derive(Debug, Default)]
pub(crate) struct Hands(AtomicI64);

impl Hands {
    pub(crate) fn set(&self, seconds: i64) {
        self.0.store(seconds * 1_000_000, Ordering::SeqCst);
    }
}

impl Clock for Hands {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::SeqCst))
    }
}

/// Ids that count.
#[derive(Debug, Default)]
struct Counting(AtomicU64);

impl Ids for Counting {
    fn next(&self) -> EventId {
        let number = self.0.fetch_add(1, Ordering::SeqCst);
        EventId::new(&format!("id-{number}")).expect("an id")
    }
}

pub(crate) struct World {
    pub(crate) core: Arc<Core>,
    pub(crate) clock: Arc<Hands>,
    pub(crate) grant: Grant,
}

impl World {
    #[cfg(not(feature = "shuttle"))]
    pub(crate) async fn new() -> Self {
        Self::over(Arc::new(Memory::new()), crate::limits::TAIL_BYTES_MAX).await
    }

    pub(crate) async fn over(engine: Arc<Memory>, tail_bytes_max: usize) -> Self {
        let bounds = Bounds {
            tail_bytes_max,
            ..Bounds::default()
        };
        Self::within(engine, bounds).await
    }

    /// A world in which no more is held open than `bounds` say.
    pub(crate) async fn within(engine: Arc<dyn Engine>, bounds: Bounds) -> Self {
        let clock = Arc::new(Hands::default());
        let seams = Seams {
            clock: clock.clone(),
            ids: Arc::new(Counting::default()),
        };
        let core = Core::open_within(engine, seams, bounds)
            .await
            .expect("a core");
        let grant = Grant::whole(ProjectName::new("default").expect("a name"));
        Self { core, clock, grant }
    }

    /// The same for somebody who has only what `allowance` says.
    #[cfg(not(feature = "shuttle"))]
    pub(crate) fn granting(&self, allowance: crate::Allowance) -> Self {
        Self {
            core: self.core.clone(),
            clock: self.clock.clone(),
            grant: Grant::new(self.grant.project().clone(), Arc::new(allowance)),
        }
    }

    /// The same for the project `name`.
    #[cfg(not(feature = "shuttle"))]
    pub(crate) fn of(&self, name: &str) -> Self {
        Self {
            core: self.core.clone(),
            clock: self.clock.clone(),
            grant: Grant::whole(ProjectName::new(name).expect("a name")),
        }
    }

    /// Publishes one batch of events written as `feed/type/subject`, with `/live` behind that for one that is for those who are there.
    pub(crate) async fn publish(&self, events: &[&str]) -> Published {
        self.try_publish(events).await.expect("published")
    }

    pub(crate) async fn try_publish(&self, events: &[&str]) -> Result<Published, publish::Error> {
        let events: Vec<_> = events.iter().map(|event| parse(event)).collect();
        self.core
            .publish(&self.grant, &events, Vec::new(), &Repetition::Unknown)
            .await
    }

    pub(crate) async fn follow(&self, start: Start, filter: Filter) -> Result<Reader, read::Error> {
        self.read(Reading {
            filter,
            start,
            until: None,
        })
        .await
    }

    pub(crate) async fn follow_until(&self, start: Start, filter: Filter, until: Until) -> Reader {
        let until = Some(until);
        self.read(Reading {
            filter,
            start,
            until,
        })
        .await
        .expect("a reader")
    }

    async fn read(&self, reading: Reading) -> Result<Reader, read::Error> {
        self.core.follow(&self.grant, reading).await
    }
}

pub(crate) fn parse(event: &str) -> (FeedName, Event) {
    let mut parts = event.split('/');
    let mut part = || parts.next().unwrap_or_default();
    let feed = FeedName::new(part()).expect("a name");
    let ty = TypeName::new(part()).expect("a name");
    let subject = Subject::new(part()).ok();
    let live_only = part() == "live";
    let extensions = Extensions::default();
    (
        feed,
        Event {
            id: None,
            source: None,
            ty,
            subject,
            time: None,
            live_only,
            extensions,
            data: None,
        },
    )
}

/// The positions of what a reader is handed next.
pub(crate) async fn next(reader: &mut Reader, limit: Limit) -> Vec<u64> {
    match reader.next(limit).await.expect("events") {
        Step::Events(delivery) => delivery
            .events
            .iter()
            .map(|event| event.record().position().get())
            .collect(),
        step @ (Step::End | Step::Closing) => panic!("events, not {step:?}"),
    }
}

/// A filter written as `feeds;types;subjects;groups`, each a comma-parted list, with the labels of a group as `room=lobby|vip`, and behind
/// them `|x@room` for events of the type `x` about what has no label `room`.
pub(crate) fn filter(text: &str) -> Filter {
    let mut lists = text
        .split(';')
        .map(|list| list.split(',').filter(|item| !item.is_empty()));
    let mut list = || lists.next().into_iter().flatten();
    Filter {
        feeds: list()
            .map(|name| FeedName::new(name).expect("a name"))
            .collect(),
        types: list()
            .map(|name| TypeName::new(name).expect("a name"))
            .collect(),
        subjects: list()
            .map(|name| Subject::new(name).expect("a subject"))
            .collect(),
        labels: list().map(group).collect(),
        ..Filter::default()
    }
}

fn group(text: &str) -> LabelGroup {
    let (told, labels): (Vec<&str>, Vec<&str>) =
        text.split('|').partition(|part| part.contains('@'));
    let labels = labels.into_iter().map(|label| {
        let (key, value) = match label.split_once('=') {
            Some((key, value)) => (key, Some(value.to_owned())),
            None => (label, None),
        };
        LabelFilter {
            key: key.to_owned(),
            value,
        }
    });
    let group = LabelGroup::new(labels).expect("a label");
    let told = told.into_iter().filter_map(|part| part.split_once('@'));
    let (types, keys): (Vec<&str>, Vec<&str>) = told.unzip();
    let types = types
        .into_iter()
        .map(|ty| TypeName::new(ty).expect("a name"));
    match keys.first() {
        Some(key) => group.or_told_by(types, key),
        None => group,
    }
}
