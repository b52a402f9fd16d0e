//! A core in memory and what pushes its connectors, at a time that passes as tokio's does.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use feedwire_core::connectors::{Draft, Phase, Revised, Secrets, Settings, Shown, Source};
use feedwire_core::stream::{Letter, Origin, Selection};
use feedwire_core::{Clock, Core, Grant, Repetition, Seams};
use feedwire_engine::memory::{Memory, Options, Place};
use feedwire_event::json::Canonical;
use feedwire_event::{
    Attribute as _, ConnectorName, Data, Event, EventId, Extensions, FeedName, ProjectName,
    Subject, Timestamp, TypeName,
};
use feedwire_push::{Guard, Made, Outgoing, Push, Resolve, Roots};
use feedwire_testkit::CountedIds;
use parking_lot::Mutex;
use serde_json::json;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use crate::receiver::{ADDRESS, Receiver};

/// How long what is on its way is waited for at the end.
const GRACE: Duration = Duration::from_secs(10);

/// The only name that there is.
pub(crate) const NAME: &str = "receiver.example";

/// An address of loopback that may be sent to, and where nobody listens.
pub(crate) const NOBODY: &str = "127.0.0.3";

/// An address that may not be sent to.
pub(crate) const INSIDE: &str = "127.0.0.1";

#[derive(Debug)]
struct Passing(Instant);

impl Clock for Passing {
    fn now(&self) -> Timestamp {
        let start: Timestamp = "2026-11-26T12:00:00Z".parse().expect("RFC 3339");
        start.after(self.0.elapsed())
    }
}

/// Where the name leads.
#[derive(Debug)]
pub(crate) struct Names(Mutex<IpAddr>);

impl Names {
    pub(crate) fn lead_to(&self, address: &str) {
        *self.0.lock() = address.parse().expect("an address");
    }
}

#[async_trait]
impl Resolve for Names {
    async fn resolve(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        assert_eq!(name, NAME);
        Ok(vec![*self.0.lock()])
    }
}

/// A core and what pushes.
pub(crate) struct World {
    place: Place,
    pub(crate) clock: Arc<dyn Clock>,
    ids: Arc<CountedIds>,
    pub(crate) names: Arc<Names>,
    pub(crate) grant: Grant,
    pub(crate) core: Arc<Core>,
    pub(crate) push: Push,
    stop: CancellationToken,
    pushing: JoinSet<()>,
}

impl World {
    pub(crate) async fn new() -> Self {
        let clock = Arc::new(Passing(Instant::now()));
        let names = Arc::new(Names(Mutex::new(ADDRESS.parse().expect("an address"))));
        let place = Place::new(Options::default());
        Self::open(place, clock, Arc::default(), names).await
    }

    async fn open(
        place: Place,
        clock: Arc<dyn Clock>,
        ids: Arc<CountedIds>,
        names: Arc<Names>,
    ) -> Self {
        let engine = Arc::new(Memory::open(&place).expect("it was left"));
        let seams = Seams {
            clock: clock.clone(),
            ids: ids.clone(),
        };
        let core = Core::open(engine, seams).await.expect("a core");
        let allowed = [ADDRESS, NOBODY].map(|address| format!("{address}/32").parse());
        let allowed: Result<_, _> = allowed.into_iter().collect();
        let guard = Guard {
            allowed: allowed.expect("networks"),
            http: true,
        };
        let outgoing = Outgoing::new(guard, Roots::system(), names.clone(), clock.clone());
        let push = Push::new(core.clone(), outgoing, clock.clone(), None);
        let stop = CancellationToken::new();
        let mut pushing = JoinSet::new();
        let (pushed, end) = (push.clone(), stop.clone());
        pushing.spawn(async move { pushed.run(end, GRACE).await });
        Self {
            place,
            clock,
            ids,
            names,
            grant: Grant::whole(ProjectName::new("default").expect("a name")),
            core,
            push,
            stop,
            pushing,
        }
    }

    /// Stops, and starts over what is stored.
    pub(crate) async fn reopen(self) -> Self {
        let (place, clock, ids, names) = (
            self.place.clone(),
            self.clock.clone(),
            self.ids.clone(),
            self.names.clone(),
        );
        self.close().await;
        Self::open(place, clock, ids, names).await
    }

    pub(crate) async fn close(mut self) {
        self.stop.cancel();
        let ended = self.pushing.join_next().await.expect("it was started");
        ended.expect("pushing does not panic");
        self.core.close().await;
    }

    /// Makes the connector `c` of the feed `f`, from its start.
    pub(crate) async fn connect(&self, settings: Settings) -> Made {
        let source = Source::Own(selection("f"), Origin::Start);
        self.connect_to(settings, source).await
    }

    pub(crate) async fn connect_to(&self, settings: Settings, source: Source) -> Made {
        let draft = Draft {
            settings,
            secrets: Secrets::default(),
            source,
            replay: None,
            is_active: true,
        };
        let made = self.push.create(&self.grant, draft).await;
        made.expect("a connector")
    }

    /// Publishes one event for each: its subject, which may be empty, and its number.
    pub(crate) async fn publish(&self, events: &[(&str, u64)]) {
        self.publish_to("f", events, 0).await;
    }

    /// Publishes to `feed`, with so many bytes each.
    pub(crate) async fn publish_to(&self, feed: &str, events: &[(&str, u64)], bytes: usize) {
        let at_once = (4_000_000 / (bytes + 100)).min(1_000);
        for part in events.chunks(at_once) {
            let part = part
                .iter()
                .map(|(subject, number)| event(feed, subject, *number, bytes));
            let part: Vec<_> = part.collect();
            let grant = &self.grant;
            let published = self
                .core
                .publish(grant, &part, Vec::new(), &Repetition::Unknown);
            published.await.expect("published");
        }
    }

    pub(crate) async fn shown(&self) -> Shown {
        let shown = self.push.show(&self.grant, &name()).await;
        shown.expect("a connector")
    }

    /// Waits until the connector is in a phase that `is_so` says.
    pub(crate) async fn phase(&self, is_so: impl Fn(&Phase) -> bool) -> Phase {
        let mut changes = self.core.connector_changes();
        loop {
            let phase = self.shown().await.overview.connector.phase.clone();
            if is_so(&phase) {
                return phase;
            }
            changes.changed().await.expect("the core is there");
        }
    }

    /// Pauses the connector, or has it go on.
    pub(crate) async fn set_active(&self, is_active: bool) {
        let revision = Box::new(move |mut revised: Revised| {
            revised.is_active = is_active;
            Ok(revised)
        });
        let changed = self.push.change(&self.grant, &name(), revision).await;
        changed.expect("it is there");
    }

    /// Changes how the connector pushes.
    pub(crate) async fn set(&self, change: impl FnOnce(&mut Settings) + Send + 'static) {
        let revision = Box::new(move |mut revised: Revised| {
            change(&mut revised.settings);
            Ok(revised)
        });
        let changed = self.push.change(&self.grant, &name(), revision).await;
        changed.expect("it is there");
    }

    /// Has the connector be of these feeds.
    pub(crate) async fn select(&self, feeds: &[&str]) {
        let feeds = feeds
            .iter()
            .map(|feed| FeedName::new(feed).expect("a name"));
        let selection = Selection {
            feeds: feeds.collect(),
            ..Selection::default()
        };
        let revision = Box::new(move |mut revised: Revised| {
            revised.selection = Some(selection);
            Ok(revised)
        });
        let changed = self.push.change(&self.grant, &name(), revision).await;
        changed.expect("it is there");
    }

    /// Its dead letters.
    pub(crate) async fn letters(&self) -> Vec<Letter> {
        let name = name();
        let letters = self.push.letters(&self.grant, &name, None, (100, 100_000));
        letters.await.expect("letters").0
    }

    /// Waits until everything is settled.
    pub(crate) async fn settled(&self) {
        loop {
            let stream = self.shown().await.overview.stream;
            let stream = stream.expect("a stream");
            if stream.lag.events == 0 && stream.counted >= stream.head {
                return;
            }
            sleep(Duration::from_millis(100)).await;
        }
    }
}

pub(crate) fn name() -> ConnectorName {
    ConnectorName::new("c").expect("a name")
}

/// How the connector `c` to `receiver` pushes, if nothing else is said.
pub(crate) fn to(receiver: &Receiver) -> Settings {
    let url = format!("http://{NAME}:{}/push", receiver.port);
    Settings::new(name(), url)
}

pub(crate) fn selection(feed: &str) -> Selection {
    Selection {
        feeds: vec![FeedName::new(feed).expect("a name")],
        ..Selection::default()
    }
}

/// The events `first..end` of each of `subjects`, one of each after the other.
pub(crate) fn rounds<'s>(
    subjects: &[&'s str],
    numbers: std::ops::Range<u64>,
) -> Vec<(&'s str, u64)> {
    let each = |number| subjects.iter().map(move |subject| (*subject, number));
    numbers.flat_map(each).collect()
}

/// So many names of subjects.
pub(crate) fn subjects(prefix: &str, count: usize) -> Vec<String> {
    (0..count).map(|at| format!("{prefix}{at}")).collect()
}

pub(crate) fn borrowed(texts: &[String]) -> Vec<&str> {
    texts.iter().map(String::as_str).collect()
}

fn event(feed: &str, subject: &str, number: u64, bytes: usize) -> (FeedName, Event) {
    let data = json!({ "number": number, "text": "x".repeat(bytes) });
    let raw = serde_json::value::to_raw_value(&data).expect("JSON");
    let data = Canonical::new(&raw).expect("whole characters");
    let event = Event {
        id: Some(EventId::new(&format!("{subject}-{number}")).expect("an id")),
        source: None,
        ty: TypeName::new("t").expect("a name"),
        subject: Subject::new(subject).ok(),
        time: None,
        live_only: false,
        extensions: Extensions::default(),
        data: Some(Data::Json(data)),
    };
    (FeedName::new(feed).expect("a name"), event)
}
