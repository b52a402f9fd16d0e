//! [`Local`]: the engine over a folder.

use std::io;
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use feedwire_engine::{
    CreateError, DeleteError, Disk, Engine, Log, MinFree, OpenError, Primary, Unavailable, View,
};
use feedwire_event::ProjectName;
use feedwire_log::open;
use parking_lot::Mutex;

use crate::applier::Applier;
use crate::blocking::blocking;
use crate::deleting;
use crate::folder::Folder;
use crate::log::{self, LocalLog};
use crate::projects::{Project, Projects};
use crate::store::{self, LocalPrimary, LocalView, Store};
use crate::{Error, Options};

/// The embedded engine. Dropping it closes it too, and then blocks for as long as that takes.
#[derive(Debug)]
pub struct Local(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    /// Until it is closed.
    folder: Mutex<Option<Arc<Folder>>>,
    options: Options,
    projects: Projects,
    primary: Arc<LocalPrimary>,
    store: Arc<Store>,
    applier: Applier,
}

#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("the engine is closed")]
struct Closed;

impl Local {
    /// Opens the engine in `folder`, which is made if it is missing. Blocks; logs are opened when they are asked for.
    pub fn open(folder: &Path, options: Options) -> Result<Self, Error> {
        let failed = |source: Box<dyn std::error::Error + Send + Sync>| Error::Store {
            folder: folder.to_owned(),
            source,
        };
        let opened = Folder::open(folder)?;
        let store = Store::open(&opened.store(), &options);
        let store = Arc::new(store.map_err(|error| failed(error.into()))?);
        let primary = LocalPrimary::open(&store).map_err(|error| failed(error.into()))?;
        let io = |source| Error::Io {
            folder: folder.to_owned(),
            source,
        };
        opened.sync().map_err(io)?;
        for project in opened.remains().map_err(io)? {
            match deleting::remove_remains(&opened, &store, &project, || false) {
                Ok(()) => {}
                // Nothing of it is served, and it goes before the name is used again: a full disk keeps no server from starting.
                Err(deleting::Error::Store(store::Error::NoSpace(_))) => tracing::warn!(
                    %project,
                    "no space is left to remove what remains of a deleted project"
                ),
                Err(error) => return Err(failed(error.into())),
            }
        }
        warn_of_little_room(&store, &options).map_err(|error| failed(error.into()))?;
        let applier = Applier::start().map_err(io)?;
        Ok(Self(Arc::new(Inner {
            folder: Mutex::new(Some(Arc::new(opened))),
            options,
            projects: Projects::new(options.projects_open_max),
            primary: Arc::new(primary),
            store,
            applier,
        })))
    }
}

/// Who runs a server on a small disk is told before anybody publishes that nothing can be.
fn warn_of_little_room(store: &Store, options: &Options) -> Result<(), store::Error> {
    let free_bytes = store.disk()?.free_bytes;
    if free_bytes < options.min_free_bytes {
        let needed = MinFree(Some(options.min_free_bytes));
        tracing::warn!(free_bytes, "no events are taken{needed}");
    }
    Ok(())
}

impl Inner {
    fn folder(&self) -> Result<Arc<Folder>, Unavailable> {
        let folder = self.folder.lock().clone();
        folder.ok_or_else(|| Unavailable::new(Closed))
    }

    fn create(&self, project: &ProjectName) -> Result<(), CreateError> {
        let folder = self.folder().map_err(CreateError::from)?;
        self.projects.change(project, |_| {
            if folder.project(project).exists() {
                return Err(CreateError::Exists(project.clone()));
            }
            if folder.has_remains(project) {
                self.remove_remains(&folder, project)?;
            }
            let incarnation = fastrand::u128(..);
            let created = folder.create(project, |path| {
                let options = log::options(&self.options, project);
                let log = feedwire_log::Log::create(path, incarnation, options)?;
                let closed = log.close();
                closed.map_err(|failed| io::Error::other(failed).into())
            });
            created.map_err(create_error)
        })
    }

    fn delete(&self, project: &ProjectName) -> Result<(), DeleteError> {
        let folder = self.folder()?;
        if !folder.project(project).exists() {
            return Err(DeleteError::Unknown(project.clone()));
        }
        self.projects.change(project, |open| {
            // Another may have been faster.
            if !folder.project(project).exists() {
                return Err(DeleteError::Unknown(project.clone()));
            }
            if let Some(open) = open.take() {
                open.end();
            }
            folder.set_aside(project).map_err(Unavailable::new)?;
            // What is still queued would be written behind the removal.
            self.primary.settle(project)?;
            Ok(self.remove_remains(&folder, project)?)
        })
    }

    fn remove_remains(
        &self,
        folder: &Folder,
        project: &ProjectName,
    ) -> Result<(), deleting::Error> {
        let is_closing = || self.projects.is_closed();
        deleting::remove_remains(folder, &self.store, project, is_closing)
    }

    fn with<T>(
        &self,
        name: &ProjectName,
        f: impl FnOnce(&mut Project) -> Result<T, OpenError>,
    ) -> Result<T, OpenError> {
        let folder = self.folder()?;
        let path = folder.project(name);
        if !path.exists() {
            return Err(OpenError::Unknown(name.clone()));
        }
        let calls = self.applier.calls();
        let open = || {
            // It may have been deleted while it was its turn.
            if !path.exists() {
                return Err(OpenError::Unknown(name.clone()));
            }
            LocalLog::open(&path, name, &self.store, calls, &self.options)
        };
        self.projects.with(name, open, f)
    }

    fn view(&self, project: &mut Project, name: &'static str) -> Result<Arc<LocalView>, OpenError> {
        if let Some(view) = project.views.get(name) {
            return Ok(Arc::clone(view));
        }
        let view = LocalView::open(&self.store, Arc::clone(&project.log), name);
        let view = Arc::new(view.map_err(Unavailable::from)?);
        project.views.insert(name, Arc::clone(&view));
        Ok(view)
    }

    /// Ends the threads before what they use, and gives up the lock last.
    fn close(&self) {
        self.projects.close();
        self.applier.stop();
        self.primary.close();
        drop(self.store.sync());
        self.store.close();
        drop(self.folder.lock().take());
    }
}

impl From<deleting::Error> for CreateError {
    fn from(error: deleting::Error) -> Self {
        match error {
            deleting::Error::Store(store::Error::NoSpace(min_free)) => Self::NoSpace(min_free),
            other => Unavailable::new(other).into(),
        }
    }
}

impl From<deleting::Error> for DeleteError {
    fn from(error: deleting::Error) -> Self {
        Unavailable::new(error).into()
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.close();
    }
}

fn create_error(error: open::Error) -> CreateError {
    match error {
        open::Error::Io(error) if error.kind() == io::ErrorKind::StorageFull => {
            CreateError::NoSpace(MinFree::default())
        }
        other => Unavailable::new(other).into(),
    }
}

#[async_trait]
impl Engine for Local {
    async fn projects(&self) -> Result<Vec<ProjectName>, Unavailable> {
        let folder = self.0.folder()?;
        blocking(move || folder.names().map_err(Unavailable::new)).await
    }

    async fn create(&self, project: &ProjectName) -> Result<(), CreateError> {
        let inner = Arc::clone(&self.0);
        let project = project.clone();
        blocking(move || inner.create(&project)).await
    }

    async fn delete(&self, project: &ProjectName) -> Result<(), DeleteError> {
        let inner = Arc::clone(&self.0);
        let project = project.clone();
        blocking(move || inner.delete(&project)).await
    }

    async fn release(&self, project: &ProjectName) -> bool {
        let inner = Arc::clone(&self.0);
        let project = project.clone();
        let released = blocking(move || Ok::<_, Unavailable>(inner.projects.release(&project)));
        released.await.expect("releasing does not panic")
    }

    async fn log(&self, project: &ProjectName) -> Result<Arc<dyn Log>, OpenError> {
        let inner = Arc::clone(&self.0);
        let project = project.clone();
        let log = blocking(move || inner.with(&project, |project| Ok(Arc::clone(&project.log))));
        Ok(log.await?)
    }

    fn primary(&self) -> Arc<dyn Primary> {
        Arc::clone(&self.0.primary) as Arc<dyn Primary>
    }

    async fn view(
        &self,
        project: &ProjectName,
        name: &'static str,
    ) -> Result<Arc<dyn View>, OpenError> {
        let inner = Arc::clone(&self.0);
        let project = project.clone();
        let view = blocking(move || inner.with(&project, |project| inner.view(project, name)));
        Ok(view.await?)
    }

    async fn disk(&self) -> Result<Option<Disk>, Unavailable> {
        let inner = Arc::clone(&self.0);
        blocking(move || Ok(Some(inner.store.disk().map_err(Unavailable::from)?))).await
    }

    async fn close(&self) {
        let inner = Arc::clone(&self.0);
        let closed = blocking(move || {
            inner.close();
            Ok::<_, Unavailable>(())
        });
        closed.await.expect("closing does not panic");
    }
}
