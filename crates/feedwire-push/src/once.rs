//! What connectors push beside their turn: a sample, what is latest, and what was pushed before.

use std::sync::Arc;

use feedwire_core::connectors::{
    Attempt, Connector, Draft, Error, Occasion, Replay, Settings, Source,
};
use feedwire_core::roster::Part;
use feedwire_core::stream::{Origin, Selection};
use feedwire_core::{Grant, LabelGroup, read, store};
use feedwire_dialects::disruptive::request;
use feedwire_engine::{Place, Record, Stamp};
use feedwire_event::json::Canonical;
use feedwire_event::{
    Attribute as _, ConnectorName, Data, Event, Extensions, FeedName, Position, Subject, TypeName,
    Version, payload,
};
use futures_util::StreamExt as _;
use futures_util::stream;
use serde_json::json;

use crate::backoff;
use crate::desk::Desk;
use crate::limits::{SYNC_PAGE, SYNC_TRIES};
use crate::push::{Inner, Made, Push, is_reading};
use crate::wire::{Outcome, Wire};

/// The type of the event that a connector is tried with.
const SAMPLE: &str = "feedwire.test";

/// What is to be pushed once more.
#[derive(Clone, Debug)]
pub struct Replaying {
    /// What the replay is named by; `None` is by one that is made from that of the connector.
    pub name: Option<ConnectorName>,
    /// From where.
    pub from: Origin,
    /// Up to where: before a time, or up to a position; `None` is up to the end as it is now.
    pub until: Option<Origin>,
    /// Where to; `None` is where the connector pushes to. Another host, port or scheme is not sent the connector's headers.
    pub url: Option<String>,
}

impl Push {
    /// Has a connector push one sample event now, whatever its turn is, once.
    pub async fn test(&self, grant: &Grant, name: &ConnectorName) -> Result<Attempt, Error> {
        let inner = &self.0;
        let overview = inner.core.connector(grant, name).await?;
        let connector = &overview.connector;
        if is_reading(&connector.settings.form) {
            let words = "a connector of readings has no sample: have it push what is latest";
            return Err(Error::Unfit(words));
        }
        let selection = overview.stream.map(|stream| stream.settings.selection);
        let record = inner.sample(grant, connector, selection.as_ref());
        let (wire, desk) = inner.outfit(grant, connector)?;
        let room = inner.tests.try_acquire();
        let _room = room.map_err(|_full| {
            Error::Unfit("as many connectors are tried as may be at once: try again soon")
        })?;
        let id = format!("test_{}", inner.core.new_id().as_str());
        let outcome = wire.send(Occasion::Test, id.into(), &[&record], 1).await;
        let Outcome::Sent(attempt, _) = outcome else {
            unreachable!("a sample of CloudEvents is readable, and sent");
        };
        desk.note(attempt.clone());
        Ok(attempt)
    }

    /// Has a connector of readings push the latest event of each type of each device, beside its turn. What fails is tried a few times, and is
    /// told among the deliveries. Returns once it is begun.
    pub async fn sync(&self, grant: &Grant, name: &ConnectorName) -> Result<(), Error> {
        let inner = &self.0;
        let overview = inner.core.connector(grant, name).await?;
        let connector = &overview.connector;
        let stream = overview
            .stream
            .filter(|_| is_reading(&connector.settings.form));
        let Some(stream) = stream else {
            let words = "only a connector of readings pushes what is latest: replay a time range";
            return Err(Error::Unfit(words));
        };
        let feeds = &stream.settings.selection.feeds;
        if !(feeds.is_empty() || feeds.contains(&request::feed())) {
            let words = "the connector pushes nothing of the feed that devices are in";
            return Err(Error::Unfit(words));
        }
        let (wire, desk) = inner.outfit(grant, connector)?;
        if desk.begin_sync() {
            let syncing = Sync {
                inner: inner.clone(),
                grant: Grant::whole(grant.project().clone()),
                connector: connector.clone(),
                selection: stream.settings.selection,
                wire: Arc::new(wire),
                desk,
            };
            inner.tasks.spawn(syncing.run());
        }
        Ok(())
    }

    /// Makes a connector that pushes once more what the connector `name` is of, up to an end.
    pub async fn replay(
        &self,
        grant: &Grant,
        name: &ConnectorName,
        replaying: Replaying,
    ) -> Result<Made, Error> {
        let core = &self.0.core;
        let overview = core.connector(grant, name).await?;
        let connector = &overview.connector;
        let stream = overview.stream.ok_or(Error::Unfit(
            "the connector's stream is deleted, and so is which events it was of",
        ))?;
        let until = match replaying.until {
            None => stream.head,
            Some(origin) => core.end_at(grant, origin).await?,
        };
        let after = core.end_at(grant, replaying.from).await?;
        if until <= after {
            return Err(Error::Refused {
                name: "until",
                why: "there is nothing between where it begins and where it ends".to_owned(),
            });
        }
        let own = match replaying.name {
            Some(own) => own,
            None => self.free_name(grant, name).await?,
        };
        let settings = Settings {
            name: own,
            display_name: String::new(),
            url: replaying
                .url
                .unwrap_or_else(|| connector.settings.url.clone()),
            ..connector.settings.clone()
        };
        let mut secrets = self.0.open(grant.project(), connector)?;
        if !self
            .0
            .is_of_origin(&connector.settings.url, &settings.url)?
        {
            // They are for the receiver that they were given for.
            secrets.headers.clear();
        }
        let draft = Draft {
            settings,
            secrets,
            source: Source::Own(stream.settings.selection, replaying.from),
            replay: Some(Replay {
                of: name.clone(),
                until,
            }),
            is_active: true,
        };
        self.create(grant, draft).await
    }

    /// A name for a replay of `name` that no connector has.
    async fn free_name(&self, grant: &Grant, name: &ConnectorName) -> Result<ConnectorName, Error> {
        let whole = Grant::whole(grant.project().clone());
        let there = self.0.core.connectors(&whole).await?;
        let is_free = |name: &ConnectorName| {
            let mut names = there
                .iter()
                .map(|overview| &overview.connector.settings.name);
            names.all(|other| other != name)
        };
        let mut numbered = (1..).map_while(|number| {
            let text = format!("{name}.replay-{number}");
            ConnectorName::new(&text).ok()
        });
        let long = || Error::Refused {
            name: "name",
            why: "one that is made from the connector's were too long: name the replay".to_owned(),
        };
        numbered.find(is_free).ok_or_else(long)
    }
}

impl Inner {
    /// What `connector` sends with, and where that is noted.
    fn outfit(
        &self,
        grant: &Grant,
        connector: &Arc<Connector>,
    ) -> Result<(Wire, Arc<Desk>), Error> {
        let project = grant.project();
        let secrets = self.open(project, connector)?;
        let room = self.room(project);
        let wire = Wire::new(self.means(), room, project, connector, &secrets)?;
        Ok((wire, self.desk(project, connector)))
    }

    /// An event that is in no log.
    fn sample(
        &self,
        grant: &Grant,
        connector: &Connector,
        selection: Option<&Selection>,
    ) -> Record {
        let name = &connector.settings.name;
        let words = json!({ "message": format!("connector {name} of project {} is tried", grant.project()) });
        let raw = serde_json::value::to_raw_value(&words).expect("a text has a JSON");
        let data = Canonical::new(&raw).expect("names are ASCII");
        let event = Event {
            id: None,
            source: None,
            ty: TypeName::new(SAMPLE).expect("it is a name"),
            subject: None,
            time: None,
            live_only: false,
            extensions: Extensions::default(),
            data: Some(Data::Json(data)),
        };
        let payload = payload::encode(&event, payload::Marks::default(), || self.core.new_id());
        let feeds = selection.map_or(&[][..], |selection| &selection.feeds);
        let feed = feeds.first().map_or("test", FeedName::as_str);
        let tags = [feed, SAMPLE, ""];
        let bytes = [tags.concat().as_bytes(), &payload].concat();
        let now = self.clock.now();
        let stamp = Stamp {
            position: Position::ZERO,
            recorded_at: now,
            time: now,
            version: Version::NONE,
            place: Place { index: 0, count: 1 },
        };
        Record::new(stamp, tags.map(str::len), bytes.into()).expect("its tags are names")
    }
}

/// Pushing what is latest.
#[derive(Debug)]
struct Sync {
    inner: Arc<Inner>,
    grant: Grant,
    connector: Arc<Connector>,
    selection: Selection,
    wire: Arc<Wire>,
    desk: Arc<Desk>,
}

impl Sync {
    async fn run(self) {
        let pushed = tokio::select! {
            pushed = self.push_all() => pushed,
            () = self.inner.stop.cancelled() => Ok(()),
            () = self.changed() => Ok(()),
        };
        if let Err(error) = pushed {
            tracing::warn!(
                project = %self.grant.project(),
                connector = %self.connector.settings.name,
                error = &error as &dyn std::error::Error,
                "what is latest is not pushed"
            );
        }
        self.desk.end_sync();
    }

    /// Waits until the connector is another than it was, or none.
    async fn changed(&self) {
        let core = &self.inner.core;
        let mut changes = core.connector_changes();
        loop {
            let name = &self.connector.settings.name;
            let there = core.connector(&self.grant, name).await;
            let is_same = there.is_ok_and(|there| there.connector == self.connector);
            if !is_same || changes.changed().await.is_err() {
                return;
            }
        }
    }

    async fn push_all(&self) -> Result<(), Error> {
        let _turn = self.inner.syncs.acquire().await;
        let core = &self.inner.core;
        let labels = self.selection.labels.iter().cloned();
        let mut part = Part {
            subjects: self.selection.subjects.clone(),
            labels: labels.map(LabelGroup::from).collect(),
            limit: SYNC_PAGE,
            ..Part::default()
        };
        loop {
            let page = core.roster(&self.grant, &request::roster(), &part).await;
            let page = page.map_err(failed)?;
            let names: Vec<Subject> = page.subjects.into_iter().map(|(name, _)| name).collect();
            part.after = names.last().cloned();
            let mut left = &names[..];
            while !left.is_empty() {
                let feed = request::feed();
                let latest = core.latest_of(&self.grant, &feed, left).await;
                let latest = latest.map_err(failed)?;
                left = &left[latest.len()..];
                let wanted = latest.into_iter().flatten();
                let wanted = wanted.filter(|record| self.is_wanted(record));
                stream::iter(wanted)
                    .for_each_concurrent(self.connector.settings.concurrency, |record| {
                        self.push(record)
                    })
                    .await;
            }
            if !page.more {
                return Ok(());
            }
        }
    }

    fn is_wanted(&self, record: &Record) -> bool {
        let Selection {
            types, types_in, ..
        } = &self.selection;
        let own = types_in.iter().flat_map(|types_in| &types_in.types);
        let mut named = types.iter().chain(own).peekable();
        named.peek().is_none() || named.any(|ty| ty.as_str() == record.ty())
    }

    async fn push(&self, record: Record) {
        let id = format!("sync_{}", record.position());
        let id: Arc<str> = id.into();
        let records = [&record];
        for number in 1..=SYNC_TRIES {
            let sent = self.wire.send(Occasion::Sync, id.clone(), &records, number);
            let Outcome::Sent(attempt, _) = sent.await else {
                return;
            };
            let is_success = attempt.answered.is_success();
            self.desk.note(attempt);
            if is_success {
                return;
            }
            tokio::time::sleep(backoff::wait(&self.connector.settings.retry, number)).await;
        }
    }
}

fn failed(error: read::Error) -> Error {
    store::Error::from(error).into()
}
