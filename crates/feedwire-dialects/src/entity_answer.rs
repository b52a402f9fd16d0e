//! What is answered about entities: how one changed, how it is, a part of many, and how far a body of many came.

use feedwire_api::{EntitiesPut, EntityChange};
use feedwire_core::entities::{Entity, EntityKey, Outcome, Page};
use feedwire_event::json::write_string;
use feedwire_event::payload::DataText;
use feedwire_event::{ChangeKind, Labels, Position, Timestamp, Version};

use crate::{Unreadable, digits};

/// What of an entity is neither names nor payload, for buffers that are to be large enough at once.
const ENVELOPE_BYTES: usize = 256;

/// What became of an entity.
pub fn changed(outcome: &Outcome) -> EntityChange {
    let Version(version) = outcome.version;
    EntityChange {
        change: outcome.change.map_or("none", ChangeKind::as_str).to_owned(),
        position: outcome.position.map(Position::get),
        version: Some(version).filter(|_| outcome.position.is_some()),
        recorded_at: outcome.recorded_at.map(Timestamp::to_text),
    }
}

/// An entity as it is, with the `labels` of its subject.
pub fn entity(entity: &Entity, labels: &Labels) -> Result<Vec<u8>, Unreadable> {
    let mut out = Vec::with_capacity(entity.record().bytes() + ENVELOPE_BYTES);
    write(entity, labels, &mut out)?;
    Ok(out)
}

/// A part of a list of entities; with `names_feed`, where to go on names the feed too.
pub fn entities(page: &Page, names_feed: bool) -> Result<Vec<u8>, Unreadable> {
    let bytes = page
        .entities
        .iter()
        .map(|entity| entity.record().bytes() + ENVELOPE_BYTES);
    let mut out = Vec::with_capacity(bytes.sum::<usize>() + ENVELOPE_BYTES);
    out.extend_from_slice(b"{\"entities\":[");
    for (index, entity) in page.entities.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write(entity, &Labels::default(), &mut out)?;
    }
    out.push(b']');
    if let Some(next) = &page.next {
        out.extend_from_slice(b",\"next\":");
        write_string(&place(next, names_feed), &mut out);
    }
    out.extend_from_slice(b",\"head\":");
    digits::write(page.head.get(), &mut out);
    out.push(b'}');
    Ok(out)
}

/// Where a list goes on, as `after` takes it.
fn place(EntityKey { feed, subject }: &EntityKey, names_feed: bool) -> String {
    if names_feed {
        format!("{feed}/{subject}")
    } else {
        subject.to_string()
    }
}

fn write(entity: &Entity, labels: &Labels, out: &mut Vec<u8>) -> Result<(), Unreadable> {
    let record = entity.record();
    let unreadable = || Unreadable::of(record);
    let payload = entity.payload().ok().ok_or_else(unreadable)?;
    let (DataText::Json(state), Some(change)) = (payload.data, payload.change) else {
        return Err(unreadable());
    };
    let stamp = record.stamp();
    // Names are ASCII without quotes.
    out.extend_from_slice(b"{\"feed\":\"");
    out.extend_from_slice(record.feed().as_bytes());
    out.extend_from_slice(b"\",\"subject\":");
    write_string(record.subject().unwrap_or_default(), out);
    out.extend_from_slice(b",\"position\":");
    digits::write(stamp.position.get(), out);
    out.extend_from_slice(b",\"version\":");
    digits::write(stamp.version.0, out);
    out.extend_from_slice(b",\"time\":\"");
    stamp.time.write(out);
    out.extend_from_slice(b"\",\"recorded_at\":\"");
    stamp.recorded_at.write(out);
    out.push(b'"');
    if !change.ids.is_empty() {
        out.extend_from_slice(b",\"ids\":");
        out.extend_from_slice(change.ids.as_bytes());
    }
    for (index, (key, value)) in labels.iter().enumerate() {
        out.extend_from_slice(if index == 0 { b",\"labels\":{" } else { b"," });
        write_string(key, out);
        out.push(b':');
        write_string(value, out);
    }
    if labels.iter().next().is_some() {
        out.push(b'}');
    }
    out.extend_from_slice(b",\"data\":");
    out.extend_from_slice(state.as_bytes());
    out.push(b'}');
    Ok(())
}

/// How far a body of many entities has come.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    created: u64,
    updated: u64,
    unchanged: u64,
    last: Option<Position>,
    recorded_at: Option<Timestamp>,
}

impl Progress {
    /// Counts what became of some more.
    pub fn add(&mut self, outcomes: &[Outcome]) {
        for outcome in outcomes {
            match outcome.change {
                None => {
                    self.unchanged += 1;
                    continue;
                }
                Some(ChangeKind::Create) => self.created += 1,
                Some(ChangeKind::Update | ChangeKind::Delete | ChangeKind::Load) => {
                    self.updated += 1;
                }
            }
            self.last = self.last.max(outcome.position);
            self.recorded_at = self.recorded_at.max(outcome.recorded_at);
        }
    }

    /// How many were put, those that were so already among them.
    pub fn count(&self) -> u64 {
        self.created + self.updated + self.unchanged
    }

    /// The position of the last change.
    pub fn last(&self) -> Option<Position> {
        self.last
    }

    /// Whoever put them is told this.
    pub fn answer(&self) -> EntitiesPut {
        EntitiesPut {
            count: self.count(),
            created: self.created,
            updated: self.updated,
            unchanged: self.unchanged,
            last: self.last.map(Position::get),
            recorded_at: self.recorded_at.map(Timestamp::to_text),
        }
    }
}
