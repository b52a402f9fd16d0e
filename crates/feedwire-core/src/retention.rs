//! How long events are kept: everything, unless a project says otherwise.
//!
//! Stored under one key of the primary store as two little-endian u64: seconds of age and bytes, the largest for no bound.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use feedwire_engine::{Primary, Retention, Space, Unavailable};
use feedwire_event::ProjectName;
use feedwire_tally::Outage;
use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::limits::RETENTION_INTERVAL;
use crate::project::Project;
use crate::store::{self, Check};
use crate::{Clock, Core, Grant, Right, read};

const KEY: &[u8] = b"log";
const NO_BOUND: u64 = u64::MAX;

/// The stored retention of a project.
#[derive(Debug)]
pub(crate) struct StoredRetention {
    primary: Arc<dyn Primary>,
    space: Space,
    present: Mutex<Retention>,
    changed: Notify,
    /// Held over a write to the store and to memory, so that both end with the same one.
    writing: tokio::sync::Mutex<()>,
}

impl StoredRetention {
    pub(crate) async fn open(
        primary: Arc<dyn Primary>,
        project: ProjectName,
    ) -> Result<Self, Unavailable> {
        let space = Space {
            project,
            name: Space::RETENTION,
        };
        let entry = primary.get(&space, KEY).await?;
        let present = stored(entry.map(|entry| entry.value))?;
        Ok(Self {
            primary,
            space,
            present: Mutex::new(present),
            changed: Notify::new(),
            writing: tokio::sync::Mutex::default(),
        })
    }

    pub(crate) fn present(&self) -> Retention {
        *self.present.lock()
    }

    async fn set(
        &self,
        retention: Retention,
        check: Option<Check<Retention>>,
    ) -> Result<(), store::Error> {
        let _writing = self.writing.lock().await;
        let place = (&self.space, KEY);
        let precondition = store::precondition(&*self.primary, place, check, stored).await?;
        self.primary
            .put(&self.space, KEY, encode(retention), precondition)
            .await?;
        *self.present.lock() = retention;
        self.changed.notify_one();
        Ok(())
    }
}

impl Core {
    /// How long the project's events are kept.
    pub async fn retention(&self, grant: &Grant) -> Result<Retention, read::Error> {
        grant.require(Right::Read)?;
        let project = self.project(grant.project()).await?;
        Ok(*project.retention().present.lock())
    }

    /// Keeps the project's events for `retention` from now on, if what was said before passes `check`. What is older goes soon after.
    pub async fn set_retention(
        &self,
        grant: &Grant,
        retention: Retention,
        check: Option<Check<Retention>>,
    ) -> Result<(), store::Error> {
        grant.require(Right::Admin)?;
        let project = self.project(grant.project()).await?;
        self.whole(async move { project.retention().set(retention, check).await })
            .await
    }
}

impl Project {
    /// Lets go of what is not to be kept, now and then and when the retention changes.
    pub(crate) async fn retain(&self, clock: &dyn Clock) {
        let mut outage = Outage::default();
        loop {
            let upkeep = &self.meter().upkeep;
            upkeep.retention_runs.one();
            match self.trim(clock).await {
                Ok(()) if outage.ends() => tracing::info!("old events are trimmed again"),
                Ok(()) => {}
                // Tried again with the next interval.
                Err(Unavailable(error)) => {
                    upkeep.retention_failures.one();
                    if outage.begins(&*error) {
                        tracing::warn!(
                            error = &*error as &dyn std::error::Error,
                            "old events are not trimmed"
                        );
                    }
                }
            }
            self.note_trimmed();
            let changed = self.retention().changed.notified();
            // An error is the end of the interval.
            drop(tokio::time::timeout(RETENTION_INTERVAL, changed).await);
        }
    }

    async fn trim(&self, clock: &dyn Clock) -> Result<(), Unavailable> {
        let mut keep = self.retention().present();
        if keep != Retention::default() {
            // Counts and states are never behind what is trimmed, and the tail never behind the counts.
            // Where there is no room to write more of them, trimming what is written is what makes some.
            let counted = self.counts().persist_some().await?;
            let applied = self.entities().persist_some().await?;
            // What is loaded pushes nothing else out; until it is known how much that is, nothing goes.
            let Some(loaded) = self.loads().retained_bytes(self.log().bounds().first) else {
                return Ok(());
            };
            keep.bytes = keep.bytes.map(|bytes| bytes.saturating_add(loaded));
            self.log()
                .trim(keep, clock.now(), counted.min(applied))
                .await?;
        }
        Ok(())
    }
}

fn encode(retention: Retention) -> Bytes {
    let mut value = BytesMut::with_capacity(16);
    value.put_u64_le(retention.age.map_or(NO_BOUND, |age| age.as_secs()));
    value.put_u64_le(retention.bytes.unwrap_or(NO_BOUND));
    value.freeze()
}

/// What an entry says; where there is none, everything is kept.
fn stored(value: Option<Bytes>) -> Result<Retention, Unavailable> {
    let Some(value) = value else {
        return Ok(Retention::default());
    };
    decode(value).ok_or_else(|| Unavailable::new("the stored retention cannot be read"))
}

fn decode(mut value: Bytes) -> Option<Retention> {
    let age = value.try_get_u64_le().ok()?;
    let bytes = value.try_get_u64_le().ok()?;
    let bound = |value: u64| (value != NO_BOUND).then_some(value);
    Some(Retention {
        age: bound(age).map(Duration::from_secs),
        bytes: bound(bytes),
    })
}
