//! [`Memory`]: projects by name, each with its log and views.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use feedwire_event::ProjectName;
use parking_lot::Mutex;

use super::log::MemoryLog;
use super::place::{Occupied, Options, Place, Project};
use super::primary::MemoryPrimary;
use super::view::MemoryView;
use crate::{CreateError, DeleteError, Disk, Engine, Log, OpenError, Primary, Unavailable, View};

/// An engine that keeps everything in memory.
#[derive(Debug)]
pub struct Memory {
    place: Place,
    logs: Mutex<Logs>,
    primary: Arc<MemoryPrimary>,
}

#[derive(Debug, Default)]
struct Logs {
    open: BTreeMap<ProjectName, Arc<MemoryLog>>,
    closed: bool,
}

impl Memory {
    /// An engine on an empty place of its own.
    pub fn new() -> Self {
        let place = Place::new(Options::default());
        Self::open(&place).expect("nobody else knows this place")
    }

    /// The engine on `place`, with all that the one before it left there.
    pub fn open(place: &Place) -> Result<Self, Occupied> {
        place.occupy()?;
        Ok(Self {
            place: place.clone(),
            logs: Mutex::default(),
            primary: Arc::new(MemoryPrimary::new(place.primary())),
        })
    }

    fn opened(&self, name: &ProjectName) -> Result<(Arc<Project>, Arc<MemoryLog>), OpenError> {
        // Held to the end: a project that is deleted meanwhile is not opened after that.
        let mut logs = self.logs.lock();
        if logs.closed {
            return Err(Unavailable::new("the engine is closed").into());
        }
        let project = self.place.project(name);
        let project = project.ok_or_else(|| OpenError::Unknown(name.clone()))?;
        let log = logs.open.entry(name.clone());
        let log = log.or_insert_with(|| Arc::new(MemoryLog::new(Arc::clone(&project.log))));
        let log = Arc::clone(log);
        Ok((project, log))
    }

    fn let_go(&self) {
        let mut logs = self.logs.lock();
        if !logs.closed {
            logs.closed = true;
            for log in logs.open.values() {
                log.close();
            }
            self.primary.close();
            self.place.leave();
        }
    }
}

impl Default for Memory {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        self.let_go();
    }
}

#[async_trait]
impl Engine for Memory {
    async fn projects(&self) -> Result<Vec<ProjectName>, Unavailable> {
        Ok(self.place.names())
    }

    async fn create(&self, project: &ProjectName) -> Result<(), CreateError> {
        if self.place.create(project) {
            Ok(())
        } else {
            Err(CreateError::Exists(project.clone()))
        }
    }

    async fn delete(&self, project: &ProjectName) -> Result<(), DeleteError> {
        let mut logs = self.logs.lock();
        if logs.closed {
            return Err(Unavailable::new("the engine is closed").into());
        }
        if !self.place.delete(project) {
            return Err(DeleteError::Unknown(project.clone()));
        }
        if let Some(log) = logs.open.remove(project) {
            log.close_for_good();
        }
        self.primary.forget(project);
        Ok(())
    }

    async fn release(&self, project: &ProjectName) -> bool {
        let mut logs = self.logs.lock();
        match logs.open.get(project) {
            // Views hold what they need themselves.
            Some(log) if Arc::strong_count(log) > 1 => false,
            Some(log) => {
                log.close();
                logs.open.remove(project);
                true
            }
            None => true,
        }
    }

    async fn log(&self, project: &ProjectName) -> Result<Arc<dyn Log>, OpenError> {
        let (_, log) = self.opened(project)?;
        Ok(log)
    }

    fn primary(&self) -> Arc<dyn Primary> {
        Arc::clone(&self.primary) as Arc<dyn Primary>
    }

    async fn view(
        &self,
        project: &ProjectName,
        name: &'static str,
    ) -> Result<Arc<dyn View>, OpenError> {
        let (project, _) = self.opened(project)?;
        let state = Arc::clone(project.views.lock().entry(name).or_default());
        Ok(Arc::new(MemoryView::new(state, Arc::clone(&project.log))))
    }

    async fn disk(&self) -> Result<Option<Disk>, Unavailable> {
        Ok(None)
    }

    async fn close(&self) {
        self.let_go();
    }
}
