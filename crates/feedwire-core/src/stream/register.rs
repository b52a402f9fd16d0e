//! The streams of an open project.

use std::collections::BTreeMap;
use std::sync::Arc;

use feedwire_engine::{Precondition, Unavailable};
use feedwire_event::{ProjectName, StreamName};
use parking_lot::RwLock;
use tokio::sync::{MutexGuard, Notify};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::Error;
use super::keeper;
use super::live::{Ground, Live};
use super::stored::{Kept, Progress, Spaces, letters_of, unreadable};
use crate::limits::{PARTITIONS_MAX, STORE_SCAN, STREAMS_MAX};
use crate::stats::StreamStats;
use crate::store;

/// The streams of a project.
#[derive(Debug)]
pub(crate) struct Streams {
    spaces: Arc<Spaces>,
    ground: Ground,
    all: RwLock<BTreeMap<StreamName, Arc<Live>>>,
    /// Held while one is made, changed or deleted.
    changing: tokio::sync::Mutex<()>,
    /// There is one that nobody keeps yet.
    unkept: Notify,
}

impl Streams {
    /// The streams of `project` that are kept.
    pub(crate) async fn open(project: &ProjectName, ground: Ground) -> Result<Self, Unavailable> {
        let spaces = Arc::new(Spaces::of(project));
        let mut found = Vec::new();
        store::each(&*ground.primary, &spaces.streams, |key, value| {
            let text = std::str::from_utf8(&key).ok();
            let name = text.and_then(|text| StreamName::new(text).ok());
            let name =
                name.ok_or_else(|| Unavailable::new("the name of a stream cannot be read"))?;
            found.push(Kept::decode(name.clone(), value).ok_or_else(|| unreadable(&name))?);
            Ok(())
        })
        .await?;
        let mut all = BTreeMap::new();
        for kept in found {
            let name = kept.settings.name.clone();
            let key = name.as_str().as_bytes();
            let entry = ground.primary.get(&spaces.checkpoints, key).await?;
            let progress = match entry {
                None => None,
                Some(entry) => {
                    let progress = Progress::decode(entry.value);
                    let partitions = usize::from(kept.settings.partitions);
                    let whole = progress.filter(|read| read.checkpoints.len() == partitions);
                    Some(whole.ok_or_else(|| unreadable(&name))?)
                }
            };
            let live = Live::new(kept, progress, spaces.clone(), ground.clone());
            all.insert(name, Arc::new(live));
        }
        Ok(Self {
            spaces,
            ground,
            all: RwLock::new(all),
            changing: tokio::sync::Mutex::default(),
            unkept: Notify::new(),
        })
    }

    pub(super) fn get(&self, name: &StreamName) -> Result<Arc<Live>, Error> {
        let found = self.all.read().get(name).cloned();
        found.ok_or_else(|| Error::Unknown(name.clone()))
    }

    /// All of them, in order of their names.
    pub(super) fn all(&self) -> Vec<Arc<Live>> {
        self.all.read().values().cloned().collect()
    }

    /// What each has done, and how it is.
    pub(crate) fn stats(&self) -> Vec<StreamStats> {
        self.all().iter().map(|live| live.stats()).collect()
    }

    /// As long as it is held, no stream is made, changed or deleted.
    pub(super) async fn unchanged(&self) -> MutexGuard<'_, ()> {
        self.changing.lock().await
    }

    /// Keeps every stream until `stop`.
    pub(crate) async fn keep(&self, stop: &CancellationToken) {
        let keepers = TaskTracker::new();
        let keeping = async {
            loop {
                for live in self.all() {
                    if live.begin_keeping() {
                        keepers.spawn(keeper::keep(live, stop.clone()));
                    }
                }
                self.unkept.notified().await;
            }
        };
        stop.run_until_cancelled(keeping).await;
        keepers.close();
        keepers.wait().await;
    }

    /// Makes a stream that is `kept` from now on, if `fits` finds nothing against that among those that there are.
    pub(super) async fn create(
        &self,
        kept: Kept,
        fits: impl FnOnce(&[Arc<Live>]) -> Result<(), Error>,
    ) -> Result<Arc<Live>, Error> {
        let _changing = self.changing.lock().await;
        let name = kept.settings.name.clone();
        let there = self.all();
        if self.get(&name).is_ok() {
            return Err(Error::Exists(name));
        }
        if there.len() >= STREAMS_MAX {
            return Err(Error::TooMany(STREAMS_MAX));
        }
        let partitions = |kept: &Kept| usize::from(kept.settings.partitions);
        let more = partitions(&kept);
        let taken: usize = there.iter().map(|live| partitions(&live.kept)).sum();
        if taken + more > PARTITIONS_MAX {
            return Err(Error::TooManyPartitions {
                there: taken,
                more,
                max: PARTITIONS_MAX,
            });
        }
        fits(&there)?;
        // What a crash left of deleting one of that name is not to be the new one's.
        self.forget(&name).await?;
        self.put(&kept).await?;
        Ok(self.begin(kept, None))
    }

    /// Has `change` replace what is kept of the stream `name`. Its members are sent away, unless only what people call it has changed; what
    /// it had reached stays.
    pub(super) async fn change(
        &self,
        name: &StreamName,
        change: Change,
    ) -> Result<Arc<Live>, Error> {
        let _changing = self.changing.lock().await;
        let live = self.get(name)?;
        let kept = change(&live)?;
        if kept == live.kept() {
            return Ok(live);
        }
        self.put(&kept).await?;
        if live.rename(&kept) {
            return Ok(live);
        }
        live.stop.cancel();
        live.close();
        // Where it cannot be written, whoever keeps it next writes it.
        drop(live.save().await);
        live.discard().await;
        let progress = live.hand_over();
        Ok(self.begin(kept, Some(progress)))
    }

    /// Deletes the stream `name`, unless `check` has something against it.
    pub(super) async fn delete(
        &self,
        name: &StreamName,
        check: impl FnOnce(&Live) -> Result<(), Error>,
    ) -> Result<Arc<Live>, Error> {
        let _changing = self.changing.lock().await;
        let live = self.get(name)?;
        check(&live)?;
        let key = name.as_str().as_bytes();
        let primary = &self.ground.primary;
        primary
            .delete(&self.spaces.streams, key, Precondition::Any)
            .await?;
        self.all.write().remove(name);
        live.stop.cancel();
        live.close();
        live.discard().await;
        self.forget(name).await?;
        Ok(live)
    }

    async fn put(&self, kept: &Kept) -> Result<(), Error> {
        let key = kept.settings.name.as_str().as_bytes();
        let (primary, space) = (&self.ground.primary, &self.spaces.streams);
        primary
            .put(space, key, kept.encode(), Precondition::Any)
            .await?;
        Ok(())
    }

    fn begin(&self, kept: Kept, progress: Option<Progress>) -> Arc<Live> {
        let name = kept.settings.name.clone();
        let (spaces, ground) = (self.spaces.clone(), self.ground.clone());
        let live = Arc::new(Live::new(kept, progress, spaces, ground));
        self.all.write().insert(name, live.clone());
        self.unkept.notify_one();
        live
    }

    /// Forgets what is kept of `name` beside its settings.
    async fn forget(&self, name: &StreamName) -> Result<(), Error> {
        let primary = &self.ground.primary;
        let key = name.as_str().as_bytes();
        primary
            .delete(&self.spaces.checkpoints, key, Precondition::Any)
            .await?;
        let prefix = letters_of(name);
        loop {
            let letters = primary
                .scan(&self.spaces.letters, &prefix, None, STORE_SCAN)
                .await?;
            if letters.is_empty() {
                return Ok(());
            }
            for (key, _) in letters {
                primary
                    .delete(&self.spaces.letters, &key, Precondition::Any)
                    .await?;
            }
        }
    }
}

/// What is to be kept of a stream instead.
pub(super) type Change = Box<dyn FnOnce(&Live) -> Result<Kept, Error> + Send>;
