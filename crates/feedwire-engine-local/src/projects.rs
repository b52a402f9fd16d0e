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
    /// Closes it for good, although it may be in use: whoever has its log or a view is refused from now on.
    pub(crate) fn end(self) {
        self.log.close();
        for view in self.views.values() {
            view.retire();
        }
    }

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

    /// Has `f` make or remove the project `name`, which nobody opens meanwhile. Blocks.
    pub(crate) fn change<T, E: From<Unavailable>>(
        &self,
        name: &ProjectName,
        f: impl FnOnce(&mut Option<Project>) -> Result<T, E>,
    ) -> Result<T, E> {
        let slot = self.slot(name)?;
        let mut held = slot.project.lock();
        let done = f(&mut held);
        if held.is_none() {
            self.forget(name, &slot);
        }
        done
    }

    /// Closes the project `name` where it is idle; returns whether it is closed.
    pub(crate) fn release(&self, name: &ProjectName) -> bool {
        let Some(slot) = self.slots.lock().by_name.get(name).cloned() else {
            return true;
        };
        let mut held = slot.project.lock();
        let Some(project) = held.take_if(|project| project.is_idle()) else {
            return held.is_none();
        };
        project.log.close();
        self.forget(name, &slot);
        true
    }

    /// Removes a slot that its holder alone knows: a name that is not used takes nothing.
    fn forget(&self, name: &ProjectName, slot: &Arc<Slot>) {
        let mut slots = self.slots.lock();
        // One is the holder's and one is here; another is whose turn comes next.
        if Arc::strong_count(slot) == 2 {
            slots.by_name.remove(name);
        }
    }

    /// Whether the engine is closing.
    pub(crate) fn is_closed(&self) -> bool {
        self.slots.lock().closed
    }

    fn slot(&self, name: &ProjectName) -> Result<Arc<Slot>, Unavailable> {
        let mut slots = self.slots.lock();
        if slots.closed {
            return Err(Unavailable::new(Closed));
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
