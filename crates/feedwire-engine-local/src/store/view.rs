//! Views: entries and the position they stand at, in the same batch.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use bytes::Bytes;
use feedwire_engine::{Incarnation, Limit, Misapplied, Unavailable, View, Write};
use feedwire_event::Position;
use parking_lot::Mutex;

use super::{Error, Room, Store, keys};
use crate::blocking::blocking;
use crate::log::LocalLog;

/// How far a view is applied, as it is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Applied {
    /// Which life of the view: another one each time that it is emptied.
    pub(crate) life: u64,
    pub(crate) position: Position,
    pub(crate) incarnation: Incarnation,
}

/// How what is stored stands to its log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It was worked out from the log as it is, up to the position.
    Behind,
    /// It is ahead of the log, or was worked out from another life of it.
    Astray,
}

impl Applied {
    pub(crate) fn encode(self) -> Vec<u8> {
        let mut value = Vec::with_capacity(32);
        value.extend(self.life.to_be_bytes());
        value.extend(self.position.get().to_be_bytes());
        value.extend(self.incarnation.0.to_be_bytes());
        value
    }

    pub(crate) fn decode(value: &[u8]) -> Option<Self> {
        let (life, value) = value.split_first_chunk()?;
        let (position, value) = value.split_first_chunk()?;
        let incarnation = u128::from_be_bytes(value.try_into().ok()?);
        Some(Self {
            life: u64::from_be_bytes(*life),
            position: Position::new(u64::from_be_bytes(*position))?,
            incarnation: Incarnation(incarnation),
        })
    }

    pub(crate) fn standing(&self, incarnation: Incarnation, last: Position) -> Standing {
        if self.incarnation == incarnation && self.position <= last {
            Standing::Behind
        } else {
            Standing::Astray
        }
    }
}

/// A view in the store.
///
/// A log is trimmed and erased from only up to where its views are, so they are written while there is little room too. What they
/// take comes of what is appended, which ends before.
#[derive(Debug)]
pub(crate) struct LocalView(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    store: Arc<Store>,
    log: Arc<LocalLog>,
    name: &'static str,
    /// Held while it is changed, so that what is stored and what is said here are one.
    applied: Mutex<Applied>,
    /// Its project is deleted. Changed while `applied` is locked.
    retired: AtomicBool,
}

impl LocalView {
    /// Opens the view, and empties it if it is not of this log.
    pub(crate) fn open(
        store: &Arc<Store>,
        log: Arc<LocalLog>,
        name: &'static str,
    ) -> Result<Self, Error> {
        let project = log.project().as_str();
        let stored = store.read(|open| open.views.get(keys::applied(project, name)))?;
        let bounds = log.now();
        let none = Applied {
            life: 0,
            position: Position::ZERO,
            incarnation: bounds.incarnation,
        };
        let applied = match &stored {
            Some(stored) => Applied::decode(stored).ok_or(Error::Malformed)?,
            None => none,
        };
        let inner = Inner {
            store: Arc::clone(store),
            log,
            name,
            applied: Mutex::new(applied),
            retired: AtomicBool::new(false),
        };
        if applied.standing(bounds.incarnation, bounds.last) == Standing::Astray {
            inner.reset()?;
        }
        inner.remove_past_lives()?;
        Ok(Self(Arc::new(inner)))
    }

    /// Has nothing written any more, when what is being written is done. Called when the project is deleted.
    pub(crate) fn retire(&self) {
        let _writing = self.0.applied.lock();
        self.0.retired.store(true, Ordering::Release);
    }

    /// Whether nothing is done to it just now.
    pub(crate) fn is_idle(&self) -> bool {
        Arc::strong_count(&self.0) == 1
    }
}

impl Inner {
    fn project(&self) -> &str {
        self.log.project().as_str()
    }

    fn prefix(&self) -> Vec<u8> {
        keys::life(self.project(), self.name, self.applied.lock().life)
    }

    fn apply(&self, through: Position, writes: Vec<Write>) -> Result<(), Unavailable> {
        let head = self.log.now().last;
        let mut applied = self.applied.lock();
        self.check_there()?;
        Misapplied::check(applied.position, through, head).map_err(Unavailable::new)?;
        let next = Applied {
            position: through,
            ..*applied
        };
        let prefix = keys::life(self.project(), self.name, applied.life);
        self.store.write(Room::Own, |open, batch| {
            for Write { key, value } in writes {
                let key = [&prefix, &key[..]].concat();
                match value {
                    Some(value) => batch.insert(&open.views, key, &value[..]),
                    None => batch.remove(&open.views, key),
                }
            }
            let key = keys::applied(self.project(), self.name);
            batch.insert(&open.views, key, next.encode());
        })?;
        *applied = next;
        Ok(())
    }

    fn check_there(&self) -> Result<(), Error> {
        if self.retired.load(Ordering::Acquire) {
            return Err(Error::Closed);
        }
        Ok(())
    }

    fn reset(&self) -> Result<(), Error> {
        let mut applied = self.applied.lock();
        self.check_there()?;
        let next = Applied {
            life: applied.life + 1,
            position: Position::ZERO,
            incarnation: self.log.now().incarnation,
        };
        let key = keys::applied(self.project(), self.name);
        self.store.write(Room::Own, |open, batch| {
            batch.insert(&open.views, key, next.encode());
        })?;
        *applied = next;
        Ok(())
    }

    /// Removes the entries of lives before this one; a crash may have left them.
    fn remove_past_lives(&self) -> Result<(), Error> {
        let all = keys::lives(self.project(), self.name);
        loop {
            let life = self.applied.lock().life;
            let first = self.store.read(|open| {
                let mut first = open.scan(&open.views, &all, b"", None, Limit::records(1))?;
                Ok(first.pop().map(|(key, _)| key))
            })?;
            let of = first.and_then(|key| key[all.len()..].first_chunk().copied());
            match of.map(u64::from_be_bytes) {
                Some(past) if past < life => {
                    let prefix = keys::life(self.project(), self.name, past);
                    self.store.empty(|open| &open.views, &prefix)?;
                }
                _ => return Ok(()),
            }
        }
    }
}

#[async_trait]
impl View for LocalView {
    fn applied(&self) -> Position {
        self.0.applied.lock().position
    }

    async fn get(&self, key: &[u8]) -> Result<Option<Bytes>, Unavailable> {
        let inner = Arc::clone(&self.0);
        let key = key.to_vec();
        blocking(move || {
            let key = [&inner.prefix(), &key[..]].concat();
            let value = inner.store.read(|open| open.views.get(key))?;
            inner.check_there()?;
            Ok(value.map(|value| Bytes::copy_from_slice(&value)))
        })
        .await
    }

    async fn get_all(&self, keys: Vec<Bytes>) -> Result<Vec<Option<Bytes>>, Unavailable> {
        let inner = Arc::clone(&self.0);
        blocking(move || {
            let within = inner.prefix();
            let keys: Vec<Vec<u8>> = keys
                .iter()
                .map(|key| [&within, &key[..]].concat())
                .collect();
            let values = inner.store.read(|open| open.get_all(&open.views, &keys))?;
            inner.check_there()?;
            let copied = |value: fjall::UserValue| Bytes::copy_from_slice(&value);
            Ok(values.into_iter().map(|value| value.map(copied)).collect())
        })
        .await
    }

    async fn scan(
        &self,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<(Bytes, Bytes)>, Unavailable> {
        self.page(prefix, after, Limit::records(limit)).await
    }

    async fn page(
        &self,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: Limit,
    ) -> Result<Vec<(Bytes, Bytes)>, Unavailable> {
        let inner = Arc::clone(&self.0);
        let (prefix, after) = (prefix.to_vec(), after.map(<[u8]>::to_vec));
        blocking(move || {
            let within = inner.prefix();
            let page = inner
                .store
                .read(|open| open.scan(&open.views, &within, &prefix, after.as_deref(), limit))?;
            inner.check_there()?;
            let copied = |(key, value): (fjall::UserKey, fjall::UserValue)| {
                let key = Bytes::copy_from_slice(&key[within.len()..]);
                (key, Bytes::copy_from_slice(&value))
            };
            Ok(page.into_iter().map(copied).collect())
        })
        .await
    }

    async fn apply(&self, through: Position, writes: Vec<Write>) -> Result<(), Unavailable> {
        let inner = Arc::clone(&self.0);
        blocking(move || inner.apply(through, writes)).await
    }

    async fn sync(&self) -> Result<Position, Unavailable> {
        let inner = Arc::clone(&self.0);
        blocking(move || {
            let applied = inner.applied.lock().position;
            inner.store.sync()?;
            Ok(applied)
        })
        .await
    }

    async fn reset(&self) -> Result<(), Unavailable> {
        let inner = Arc::clone(&self.0);
        blocking(move || {
            inner.reset()?;
            Ok(inner.remove_past_lives()?)
        })
        .await
    }
}
