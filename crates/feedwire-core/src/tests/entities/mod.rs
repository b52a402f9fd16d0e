//! Entities: what is made of what is put, and what is told of it.

mod changing;
mod erasing;
mod lives;
mod loading;
mod snapshots;

use feedwire_engine::{Limit, Record};
use feedwire_event::payload::DataText;
use feedwire_event::{FeedName, Ids, Patch, Position, State, Subject};

use super::world::{EVERYTHING, World, filter};
use crate::entities::{Entity, EntityKey, Error, Expected, Outcome, Part, Wanted, Write};
use crate::{Start, Step, Until};

pub(super) fn key(feed: &str, subject: &str) -> EntityKey {
    EntityKey {
        feed: FeedName::new(feed).expect("a name"),
        subject: Subject::new(subject).expect("a subject"),
    }
}

fn patch(text: &str) -> Patch {
    Patch::new(serde_json::from_str(text).expect("JSON")).expect("a patch")
}

/// What is wanted of `feed/subject`: a state, `~` and a patch of it, or nothing.
pub(super) fn write(of: &str, text: &str) -> Write {
    let (feed, subject) = of.split_once('/').expect("a feed and a subject");
    let EntityKey { feed, subject } = key(feed, subject);
    let wanted = match text.strip_prefix('~') {
        Some(text) => Wanted::Patched {
            state: Some(patch(text)),
            ids: None,
        },
        None if text.is_empty() => Wanted::Deleted,
        None => Wanted::Put {
            state: State::parse(text).expect("a state"),
            ids: None,
        },
    };
    Write {
        feed,
        subject,
        wanted,
        time: None,
        source: None,
        expected: None,
    }
}

pub(super) async fn try_change(world: &World, write: Write) -> Result<Outcome, Error> {
    let outcomes = world.core.change_entities(&world.grant, &[write]).await;
    outcomes.map(|mut outcomes| outcomes.pop().expect("one of one"))
}

/// Has `feed/subject` become what `text` says, as [`write`] has it; returns the change, or `none`, and its position.
pub(super) async fn change(world: &World, of: &str, text: &str) -> (&'static str, u64) {
    let outcome = try_change(world, write(of, text)).await.expect("changed");
    let kind = outcome.change.map_or("none", |kind| kind.as_str());
    (kind, outcome.position.map_or(0, Position::get))
}

/// The state of `feed/subject`, and where its last change is.
pub(super) async fn state(world: &World, of: &str) -> Option<(String, u64)> {
    let (feed, subject) = of.split_once('/').expect("a feed and a subject");
    let EntityKey { feed, subject } = key(feed, subject);
    let entity = world.core.entity(&world.grant, &feed, &subject).await;
    let entity = entity.expect("it is read")?;
    Some((text(entity.record()), entity.position().get()))
}

/// The state in a record; empty where there is none.
pub(super) fn text(record: &Record) -> String {
    match record.payload().expect("a payload").data {
        DataText::Json(state) => state.to_owned(),
        DataText::None | DataText::Base64(_) => String::new(),
    }
}

/// The entities that pass `filter`, as `feed/subject state`, read in pages of `size`.
pub(super) async fn listed(world: &World, of: &str, size: usize) -> Vec<String> {
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let part = Part {
            after,
            limit: Limit::records(size),
        };
        let page = world.core.entities(&world.grant, filter(of), part).await;
        let page = page.expect("a page");
        assert!(page.entities.len() <= size);
        all.extend(page.entities.iter().map(Entity::record).map(told));
        after = page.next;
        if after.is_none() {
            return all;
        }
    }
}

/// A record of an entity as `feed/subject state`.
pub(super) fn told(record: &Record) -> String {
    let subject = record.subject().expect("a subject");
    format!("{}/{subject} {}", record.feed(), text(record))
}

/// Everything in the log that passes `filter`, as `position type feed/subject changed removed`.
pub(super) async fn changes(world: &World, of: &str) -> Vec<String> {
    let mut reader = world
        .follow_until(Start::Beginning, filter(of), Until::Now)
        .await;
    let mut all = Vec::new();
    while let Step::Events(delivery) = reader.next(EVERYTHING).await.expect("events") {
        for event in delivery.events {
            let record = event.record();
            let payload = record.payload().expect("a payload");
            let (changed, removed) = payload.change.map_or(("", ""), |c| (c.changed, c.removed));
            let (feed, subject) = (record.feed(), record.subject().unwrap_or_default());
            let told = format!(
                "{} {} {feed}/{subject} {changed} {removed}",
                record.position(),
                record.ty()
            );
            all.push(told.trim_end().to_owned());
        }
    }
    all
}

pub(super) fn ids(text: &str) -> Ids {
    Ids::parse(text).expect("ids")
}

pub(super) fn at(position: u64) -> Expected {
    Expected::At(vec![Position::new(position).expect("a position")])
}
