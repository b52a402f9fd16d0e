//! The primary store: changes go through one thread, which syncs many of them at once.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use async_trait::async_trait;
use bytes::Bytes;
use feedwire_engine::{
    Change, Changes, Entry, Limit, Precondition, Primary, PutError, Revision, Space, Unavailable,
    Watchers,
};
use feedwire_event::ProjectName;
use parking_lot::Mutex;
use tokio::sync::{mpsc, oneshot};

use super::database::Room;
use super::{Error, Store, keys};
use crate::blocking::blocking;

/// Changes that wait for the thread; more wait for room here.
const QUEUE_MAX: usize = 1024;
/// Changes that are synced together: enough to share the cost, few enough that none waits long.
const GROUP_MAX: usize = 256;

/// The primary store of the embedded engine.
#[derive(Debug)]
pub(crate) struct LocalPrimary {
    store: Arc<Store>,
    watchers: Arc<Watchers>,
    queue: Mutex<Option<mpsc::Sender<Request>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Debug)]
struct Request {
    space: Space,
    key: Bytes,
    /// `None` removes.
    value: Option<Bytes>,
    precondition: Precondition,
    answer: oneshot::Sender<Outcome>,
}

impl Request {
    fn room(&self) -> Room {
        let is_own = self.space.project.is_system() || self.space.lets_go();
        if self.value.is_none() || is_own {
            Room::Own
        } else {
            Room::Free
        }
    }
}

impl LocalPrimary {
    pub(crate) fn open(store: &Arc<Store>) -> Result<Self, Error> {
        let revision = store.read(|open| open.primary.get(keys::REVISION))?;
        let revision = match revision {
            Some(value) => u64::from_be_bytes(value[..].try_into().map_err(malformed)?),
            None => 0,
        };
        let watchers = Arc::new(Watchers::default());
        let (sender, requests) = mpsc::channel(QUEUE_MAX);
        let writer = Writer {
            store: Arc::clone(store),
            watchers: Arc::clone(&watchers),
            revision,
        };
        let thread = thread::Builder::new().name("feedwire-primary".to_owned());
        let thread = thread.spawn(move || writer.run(requests));
        let thread = thread.map_err(fjall::Error::Io)?;
        Ok(Self {
            store: Arc::clone(store),
            watchers,
            queue: Mutex::new(Some(sender)),
            thread: Mutex::new(Some(thread)),
        })
    }

    /// Waits until what is queued is written; what comes later is refused.
    pub(crate) fn close(&self) {
        drop(self.queue.lock().take());
        if let Some(thread) = self.thread.lock().take() {
            thread
                .join()
                .expect("the thread of the primary store does not panic");
        }
        self.watchers.close();
    }

    async fn change(
        &self,
        space: &Space,
        key: &[u8],
        value: Option<Bytes>,
        precondition: Precondition,
    ) -> Result<Revision, PutError> {
        let queue = self.queue.lock().clone();
        let queue = queue.ok_or_else(|| Unavailable::from(Error::Closed))?;
        let (answer, answered) = oneshot::channel();
        let request = Request {
            space: space.clone(),
            key: Bytes::copy_from_slice(key),
            value,
            precondition,
            answer,
        };
        queue.send(request).await.map_err(closed)?;
        answered.await.map_err(closed)?
    }
}

impl LocalPrimary {
    /// Waits until every change is made that was asked for before, also by those who have gone away since. Blocks.
    pub(crate) fn settle(&self, project: &ProjectName) -> Result<(), Unavailable> {
        let queue = self.queue.lock().clone();
        let queue = queue.ok_or_else(|| Unavailable::from(Error::Closed))?;
        let (answer, answered) = oneshot::channel();
        // Of a space that nobody writes to: it changes nothing, and comes after what is queued.
        let request = Request {
            space: Space {
                project: project.clone(),
                name: "settled",
            },
            key: Bytes::new(),
            value: None,
            precondition: Precondition::Any,
            answer,
        };
        queue.blocking_send(request).map_err(closed)?;
        let settled = answered.blocking_recv().map_err(closed)?;
        settled.map(drop).map_err(Unavailable::new)
    }
}

fn closed<E>(_: E) -> Unavailable {
    Unavailable::from(Error::Closed)
}

fn malformed<E>(_: E) -> Error {
    Error::Malformed
}

fn encode(entry: &Entry) -> Vec<u8> {
    [&entry.revision.0.to_be_bytes()[..], &entry.value].concat()
}

fn decode(value: &[u8]) -> Result<Entry, Error> {
    let (revision, value) = value.split_first_chunk().ok_or(Error::Malformed)?;
    Ok(Entry {
        value: Bytes::copy_from_slice(value),
        revision: Revision(u64::from_be_bytes(*revision)),
    })
}

#[async_trait]
impl Primary for LocalPrimary {
    async fn get(&self, space: &Space, key: &[u8]) -> Result<Option<Entry>, Unavailable> {
        let store = Arc::clone(&self.store);
        let key = [&keys::space(space), key].concat();
        blocking(move || {
            let value = store.read(|open| open.primary.get(key))?;
            Ok(value.map(|value| decode(&value)).transpose()?)
        })
        .await
    }

    async fn put(
        &self,
        space: &Space,
        key: &[u8],
        value: Bytes,
        precondition: Precondition,
    ) -> Result<Revision, PutError> {
        self.change(space, key, Some(value), precondition).await
    }

    async fn delete(
        &self,
        space: &Space,
        key: &[u8],
        precondition: Precondition,
    ) -> Result<(), PutError> {
        self.change(space, key, None, precondition).await?;
        Ok(())
    }

    async fn scan(
        &self,
        space: &Space,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<(Bytes, Entry)>, Unavailable> {
        let store = Arc::clone(&self.store);
        let within = keys::space(space);
        let (prefix, after) = (prefix.to_vec(), after.map(<[u8]>::to_vec));
        blocking(move || {
            let page = store.read(|open| {
                open.scan(
                    &open.primary,
                    &within,
                    &prefix,
                    after.as_deref(),
                    Limit::records(limit),
                )
            })?;
            let entry = |(key, value): (fjall::UserKey, fjall::UserValue)| {
                let key = Bytes::copy_from_slice(&key[within.len()..]);
                Ok((key, decode(&value)?))
            };
            page.into_iter().map(entry).collect()
        })
        .await
    }

    async fn watch(&self, space: &Space) -> Result<Changes, Unavailable> {
        if self.queue.lock().is_none() {
            return Err(Error::Closed.into());
        }
        Ok(self.watchers.watch(space))
    }
}

/// The thread that makes the changes.
struct Writer {
    store: Arc<Store>,
    watchers: Arc<Watchers>,
    revision: u64,
}

/// What becomes of a change.
type Outcome = Result<Revision, PutError>;

/// Changes that are made together.
#[derive(Default)]
struct Group {
    /// What the changes so far leave at the keys of the store.
    made: BTreeMap<Vec<u8>, Option<Entry>>,
    told: Vec<(Space, Change)>,
    answers: Vec<(oneshot::Sender<Outcome>, Outcome)>,
}

impl Writer {
    fn run(mut self, mut requests: mpsc::Receiver<Request>) {
        let mut kept: Option<Request> = None;
        while let Some(first) = kept.take().or_else(|| requests.blocking_recv()) {
            let room = first.room();
            let mut group = Group::default();
            self.take(&mut group, first);
            while group.answers.len() < GROUP_MAX
                && let Ok(next) = requests.try_recv()
            {
                // What may take less room would keep the others from theirs.
                if next.room() != room {
                    kept = Some(next);
                    break;
                }
                self.take(&mut group, next);
            }
            self.finish(group, room);
        }
    }

    fn take(&mut self, group: &mut Group, request: Request) {
        let key = [&keys::space(&request.space), &request.key[..]].concat();
        let outcome = self.decide(group, &request, key);
        group.answers.push((request.answer, outcome));
    }

    fn decide(
        &mut self,
        group: &mut Group,
        request: &Request,
        key: Vec<u8>,
    ) -> Result<Revision, PutError> {
        let current = match group.made.get(&key) {
            Some(made) => made.clone(),
            None => self.current(&key)?,
        };
        let at = current.as_ref().map(|entry| entry.revision);
        request.precondition.check(at)?;
        if request.value.is_none() && at.is_none() {
            return Ok(Revision(self.revision));
        }
        self.revision += 1;
        let revision = Revision(self.revision);
        let value = request.value.clone();
        let entry = value.map(|value| Entry { value, revision });
        let change = Change {
            key: request.key.clone(),
            entry: entry.clone(),
        };
        group.told.push((request.space.clone(), change));
        group.made.insert(key, entry);
        Ok(revision)
    }

    fn current(&self, key: &[u8]) -> Result<Option<Entry>, Unavailable> {
        let value = self.store.read(|open| open.primary.get(key))?;
        Ok(value.map(|value| decode(&value)).transpose()?)
    }

    fn finish(&self, group: Group, room: Room) {
        let written = if group.made.is_empty() {
            Ok(())
        } else {
            self.store.write_synced(room, |open, batch| {
                batch.insert(&open.primary, keys::REVISION, self.revision.to_be_bytes());
                for (key, entry) in group.made {
                    match entry {
                        Some(entry) => batch.insert(&open.primary, key, encode(&entry)),
                        None => batch.remove(&open.primary, key),
                    }
                }
            })
        };
        if written.is_ok() {
            for (space, change) in group.told {
                self.watchers.tell(&space, change);
            }
        }
        for (answer, outcome) in group.answers {
            // What was refused was refused because of changes that may not have been made.
            let outcome = match &written {
                Ok(()) => outcome,
                Err(Error::NoSpace(min_free)) => Err(PutError::NoSpace(*min_free)),
                Err(error) => Err(Unavailable::from(error.clone()).into()),
            };
            // Whoever asked may have gone away; the change is made all the same.
            drop(answer.send(outcome));
        }
    }
}
