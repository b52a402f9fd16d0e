//! Dead letters: events that failed too often, put aside until somebody looks at them.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use feedwire_engine::{Record, Scope};
use feedwire_event::{Position, StreamName, Timestamp};

use super::Error;
use super::live::Live;
use super::stored::{StoredLetter, letter_key, letter_position, letters_of, unreadable};
use crate::limits::STORE_SCAN;
use crate::{Core, Grant};

/// A dead letter.
#[derive(Clone, Debug)]
pub struct Letter {
    /// Where its event is in the log.
    pub position: Position,
    /// The partition that it is in.
    pub partition: u16,
    /// How often it was sent.
    pub deliveries: u32,
    /// When it was put aside.
    pub buried_at: Timestamp,
    /// Whether it is being sent once more.
    pub is_redriven: bool,
    /// Why it failed, where whoever had it said that.
    pub reason: Option<Arc<str>>,
    /// The event; `None` where it was let go of by retention, or erased, or the stream is not of it any more.
    pub event: Option<Record>,
}

/// Which letters are meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Which {
    /// All that are dead.
    All,
    /// Those of the events at these positions.
    These(Vec<Position>),
}

impl Core {
    /// The first dead letters of the stream `name` behind `after`, at most `limit`, with events of at most about `bytes`, and whether
    /// there are more.
    pub async fn dead_letters(
        &self,
        grant: &Grant,
        name: &StreamName,
        after: Option<Position>,
        (limit, bytes): (usize, usize),
    ) -> Result<(Vec<Letter>, bool), Error> {
        let (project, live) = self.stream_of(grant, name).await?;
        let stored = live.stored_letters(after, limit + 1).await?;
        let (mut letters, mut taken) = (Vec::new(), 0);
        let count = stored.len();
        for (position, letter) in stored.into_iter().take(limit) {
            if taken >= bytes {
                break;
            }
            let record = project.record_at(&Scope::all(), position).await?;
            let record = record.filter(|record| live.expects(record));
            let now = project.subjects().now();
            // What the stream is not of any more is not for whoever may have all of it now.
            let event = record.filter(|record| live.matcher.passes(record, &now));
            taken += event.as_ref().map_or(0, Record::bytes);
            letters.push(Letter {
                position,
                partition: letter.partition,
                deliveries: letter.deliveries,
                buried_at: letter.buried_at,
                is_redriven: letter.is_posted,
                reason: letter.reason,
                event,
            });
        }
        let more = letters.len() < count;
        Ok((letters, more))
    }

    /// Has dead letters of the stream `name` sent once more, as if for the first time; returns how many.
    pub async fn redrive(
        &self,
        grant: &Grant,
        name: &StreamName,
        which: Which,
    ) -> Result<usize, Error> {
        let (project, _) = self.stream_of(grant, name).await?;
        let name = name.clone();
        self.whole(async move {
            let _unchanged = project.streams().unchanged().await;
            let live = project.streams().get(&name)?;
            let mut count = 0;
            for (position, _) in live.chosen(which).await? {
                if let Some(letter) = live.post_letter(position).await? {
                    let at = (letter.partition, position, letter.subject);
                    live.with(|group, now| group.post(at, letter.buried_at, now));
                    count += 1;
                }
            }
            Ok(count)
        })
        .await
    }

    /// Forgets dead letters of the stream `name`, also those that are being sent once more; returns how many.
    pub async fn drop_letters(
        &self,
        grant: &Grant,
        name: &StreamName,
        which: Which,
    ) -> Result<usize, Error> {
        let (project, _) = self.stream_of(grant, name).await?;
        let name = name.clone();
        self.whole(async move {
            let _unchanged = project.streams().unchanged().await;
            let live = project.streams().get(&name)?;
            let mut count = 0;
            for (position, letter) in live.chosen(which).await? {
                if live.forget_letter(position).await? {
                    live.with(|group, _| group.drop_letter(letter.partition, position));
                    count += 1;
                }
            }
            Ok(count)
        })
        .await
    }
}

impl Live {
    /// The first `limit` letters behind `after`.
    async fn stored_letters(
        &self,
        after: Option<Position>,
        limit: usize,
    ) -> Result<Vec<(Position, StoredLetter)>, Error> {
        let name = &self.kept.settings.name;
        let prefix = letters_of(name);
        let after = after.map(|position| letter_key(name, position));
        let (primary, place) = (&self.ground.primary, &self.spaces.letters);
        let entries = primary
            .scan(place, &prefix, after.as_deref(), limit)
            .await?;
        let read = entries.into_iter().map(|(key, entry)| {
            let position = letter_position(&key)?;
            Some((position, StoredLetter::decode(entry.value)?))
        });
        let read: Option<Vec<_>> = read.collect();
        Ok(read.ok_or_else(|| unreadable(name))?)
    }

    async fn chosen(&self, which: Which) -> Result<Vec<(Position, StoredLetter)>, Error> {
        let mut chosen = Vec::new();
        match which {
            Which::These(positions) => {
                for position in positions {
                    let key = letter_key(&self.kept.settings.name, position);
                    let (primary, place) = (&self.ground.primary, &self.spaces.letters);
                    if let Some(entry) = primary.get(place, &key).await? {
                        let letter = StoredLetter::decode(entry.value);
                        let letter = letter.ok_or_else(|| unreadable(&self.kept.settings.name))?;
                        chosen.push((position, letter));
                    }
                }
            }
            Which::All => {
                let mut after = None;
                loop {
                    let letters = self.stored_letters(after, STORE_SCAN).await?;
                    let Some((last, _)) = letters.last() else {
                        break;
                    };
                    after = Some(*last);
                    chosen.extend(letters);
                }
            }
        }
        Ok(chosen)
    }

    /// How many there are.
    pub(super) fn letter_count(&self) -> u64 {
        self.letters.load(Ordering::Relaxed)
    }
}
