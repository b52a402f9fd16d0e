//! What an in-memory engine is opened on, so that it can be closed and opened again.

use std::collections::BTreeMap;
use std::sync::Arc;

use feedwire_event::ProjectName;
use parking_lot::Mutex;

use super::{primary, records, view};

/// How an in-memory engine is set up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Options {
    /// The most bytes of tags and payloads that each log holds; appends beyond it have no space. `None` is no bound.
    pub log_bytes_max: Option<u64>,
}

/// Memory in which an engine keeps its logs and its store. It outlives the engine, as a disk does; clones share it.
#[derive(Clone, Debug, Default)]
pub struct Place(Arc<Shared>);

/// An engine is open on this place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("another engine is open on this place")]
pub struct Occupied;

#[derive(Debug, Default)]
struct Shared {
    occupied: Mutex<bool>,
    options: Options,
    projects: Mutex<BTreeMap<ProjectName, Arc<Project>>>,
    primary: Arc<Mutex<primary::State>>,
}

/// What is kept for one project.
#[derive(Debug)]
pub(super) struct Project {
    pub(super) log: Arc<Mutex<records::Records>>,
    pub(super) views: Mutex<BTreeMap<&'static str, Arc<Mutex<view::State>>>>,
}

impl Place {
    /// An empty place.
    pub fn new(options: Options) -> Self {
        Self(Arc::new(Shared {
            options,
            ..Shared::default()
        }))
    }

    pub(super) fn occupy(&self) -> Result<(), Occupied> {
        let mut occupied = self.0.occupied.lock();
        if *occupied {
            return Err(Occupied);
        }
        *occupied = true;
        Ok(())
    }

    pub(super) fn leave(&self) {
        *self.0.occupied.lock() = false;
    }

    pub(super) fn names(&self) -> Vec<ProjectName> {
        self.0.projects.lock().keys().cloned().collect()
    }

    pub(super) fn project(&self, name: &ProjectName) -> Option<Arc<Project>> {
        self.0.projects.lock().get(name).cloned()
    }

    /// Makes an empty project; `false` when it is there already.
    pub(super) fn create(&self, name: &ProjectName) -> bool {
        let mut projects = self.0.projects.lock();
        if projects.contains_key(name) {
            return false;
        }
        let log = records::Records::new(self.0.options.log_bytes_max);
        let project = Project {
            log: Arc::new(Mutex::new(log)),
            views: Mutex::default(),
        };
        projects.insert(name.clone(), Arc::new(project));
        true
    }

    /// Removes a project; `false` when there is none of that name.
    pub(super) fn delete(&self, name: &ProjectName) -> bool {
        self.0.projects.lock().remove(name).is_some()
    }

    pub(super) fn primary(&self) -> Arc<Mutex<primary::State>> {
        Arc::clone(&self.0.primary)
    }
}
