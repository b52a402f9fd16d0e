//! The projects that are open, at most so many.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use feedwire_engine::{OpenError, Unavailable};
use feedwire_event::ProjectName;
use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::log::LocalLog;
use crate::store::LocalView;

/// The projects of an engine.
#[derive(Debug)]
pub(crate) struct Projects {
    slots: Mutex<Slots>,
    open: Arc<Semaphore>,
    open_max: usize,
    clock: AtomicU64,
}

#[derive(Debug, Default)]
struct Slots {
    by_name: BTreeMap<ProjectName, Arc<Slot>>,
    closed: bool,
}

/// Where a project is when it is open.
#[derive(Debug, Default)]
struct Slot {
    /// Locked while it is opened or closed, so that nobody opens it a second time.
    project: Mutex<Option<Project>>,
    used: AtomicU64,
}

/// A project that is open.
#[derive(Debug)]
pub(crate) struct Project {
    pub(crate) log: Arc<LocalLog>,
    pub(crate) views: BTreeMap<&'static str, Arc<LocalView>>,
    _open: OwnedSemaphorePermit,
}

impl Project {
    /// Whether nobody outside has its log or a view of it.
    fn is_idle(&self) -> bool {
        // Each view has the log too.
        let held = 1 + self.views.len();
        Arc::strong_count(&self.log) == held
            && self
                .views
                .values()
                .all(|view| Arc::strong_count(view) == 1 && view.is_idle())
    }
}

/// Too many projects are open.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("{0} projects are open and in use, and no more can be")]
struct Full(usize);

#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("the engine is closed")]
struct Closed;

impl Projects {
    pub(crate) fn new(open_max: usize) -> Self {
        Self {
            slots: Mutex::default(),
            open: Arc::new(Semaphore::new(open_max)),
            open_max,
            clock: AtomicU64::new(0),
        }
    }

    /// Has `f` use the project `name`, opened by `open` if it is not. Blocks while it is opened.
    pub(crate) fn with<T>(
        &self,
        name: &ProjectName,
        open: impl FnOnce() -> Result<LocalLog, OpenError>,
        f: impl FnOnce(&mut Project) -> Result<T, OpenError>,
    ) -> Result<T, OpenError> {
        let slot = self.slot(name)?;
        slot.used.store(
            self.clock.fetch_add(1, Ordering::Relaxed),
            Ordering::Relaxed,
        );
        let mut held = slot.project.lock();
        if held.is_none() {
            let permit = self.permit()?;
            let log = Arc::new(open()?);
            // It may have been closed while it was opened; `close` looks at every slot after that.
            self.slot(name)?;
            *held = Some(Project {
                log,
                views: BTreeMap::new(),
                _open: permit,
            });
        }
        f(held.as_mut().expect("it was opened if it was not"))
    }

    fn slot(&self, name: &ProjectName) -> Result<Arc<Slot>, OpenError> {
        let mut slots = self.slots.lock();
        if slots.closed {
            return Err(Unavailable::new(Closed).into());
        }
        let slot = slots.by_name.entry(name.clone()).or_default();
        Ok(Arc::clone(slot))
    }

    fn permit(&self) -> Result<OwnedSemaphorePermit, OpenError> {
        loop {
            if let Ok(permit) = Arc::clone(&self.open).try_acquire_owned() {
                return Ok(permit);
            }
            if !self.close_one() {
                return Err(Unavailable::new(Full(self.open_max)).into());
            }
        }
    }

    /// Closes the project that is idle and was not used for longest, if there is one.
    fn close_one(&self) -> bool {
        let mut slots: Vec<Arc<Slot>> = self.slots.lock().by_name.values().cloned().collect();
        slots.sort_by_key(|slot| slot.used.load(Ordering::Relaxed));
        for slot in slots {
            // One that is being opened or closed is not idle.
            let Some(mut held) = slot.project.try_lock() else {
                continue;
            };
            if held.as_ref().is_some_and(Project::is_idle)
                && let Some(project) = held.take()
            {
                project.log.close();
                return true;
            }
        }
        false
    }

    /// Closes every project; none is opened after that.
    pub(crate) fn close(&self) {
        for slot in self.end() {
            // Waits for one that is being opened.
            let project = slot.project.lock().take();
            if let Some(project) = project {
                project.log.close();
            }
        }
    }

    fn end(&self) -> Vec<Arc<Slot>> {
        let mut slots = self.slots.lock();
        slots.closed = true;
        std::mem::take(&mut slots.by_name).into_values().collect()
    }
}
