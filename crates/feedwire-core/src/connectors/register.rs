//! The connectors of all projects, whether these are open or not: pushing has them opened.

use std::collections::BTreeMap;
use std::sync::Arc;

use feedwire_engine::{Primary, Unavailable};
use feedwire_event::{ConnectorName, ProjectName, StreamName};
use parking_lot::RwLock;
use tokio::sync::watch;

use super::Connector;
use super::stored::space;
use crate::store;
use crate::turns::{Turn, Turns};

type Own = BTreeMap<ConnectorName, Arc<Connector>>;

/// The connectors there are.
#[derive(Debug)]
pub(crate) struct Connectors {
    all: RwLock<BTreeMap<ProjectName, Own>>,
    /// How often one was made, changed or deleted.
    changes: watch::Sender<u64>,
    /// Who changes something of a project's.
    turns: Turns<ProjectName>,
}

impl Connectors {
    /// What is kept of those of `projects`.
    pub(crate) async fn load(
        primary: &dyn Primary,
        projects: Vec<ProjectName>,
    ) -> Result<Self, Unavailable> {
        let mut all = BTreeMap::new();
        for project in projects {
            let mut own = Own::new();
            store::each(primary, &space(&project), |key, value| {
                let text = std::str::from_utf8(&key).ok();
                let name = text.and_then(|text| ConnectorName::new(text).ok());
                let read = name.and_then(|name| Connector::decode(name, value));
                if let Some(connector) = read {
                    own.insert(connector.settings.name.clone(), Arc::new(connector));
                } else {
                    // The others are not held up by it.
                    tracing::error!(
                        %project,
                        name = %String::from_utf8_lossy(&key),
                        "what is stored of a connector cannot be read: it pushes nothing, and can be made anew"
                    );
                }
                Ok(())
            })
            .await?;
            if !own.is_empty() {
                all.insert(project, own);
            }
        }
        Ok(Self {
            all: RwLock::new(all),
            changes: watch::Sender::new(0),
            turns: Turns::default(),
        })
    }

    /// As long as it is held, no connector of `project` is made, changed or deleted.
    pub(crate) async fn turn(&self, project: &ProjectName) -> Turn<ProjectName> {
        self.turns.take(project).await
    }

    /// Those of all projects.
    pub(super) fn everywhere(&self) -> Vec<(ProjectName, Arc<Connector>)> {
        let all = self.all.read();
        let each = all.iter().flat_map(|(project, own)| {
            let own = own.values().cloned();
            own.map(move |connector| (project.clone(), connector))
        });
        each.collect()
    }

    /// Those of `project`, in order of their names.
    pub(super) fn of(&self, project: &ProjectName) -> Vec<Arc<Connector>> {
        let all = self.all.read();
        let own = all.get(project).into_iter();
        own.flat_map(BTreeMap::values).cloned().collect()
    }

    pub(super) fn get(
        &self,
        project: &ProjectName,
        name: &ConnectorName,
    ) -> Option<Arc<Connector>> {
        self.all.read().get(project)?.get(name).cloned()
    }

    /// The connector that pushes `stream`.
    pub(crate) fn pushing(
        &self,
        project: &ProjectName,
        stream: &StreamName,
    ) -> Option<ConnectorName> {
        let all = self.all.read();
        let mut own = all.get(project)?.values();
        let found = own.find(|connector| connector.stream == *stream)?;
        Some(found.settings.name.clone())
    }

    pub(super) fn put(&self, project: &ProjectName, connector: Arc<Connector>) {
        let mut all = self.all.write();
        let own = all.entry(project.clone()).or_default();
        own.insert(connector.settings.name.clone(), connector);
        drop(all);
        self.changed();
    }

    pub(super) fn remove(&self, project: &ProjectName, name: &ConnectorName) {
        let mut all = self.all.write();
        if let Some(own) = all.get_mut(project) {
            own.remove(name);
        }
        drop(all);
        self.changed();
    }

    /// Forgets those of a project that is deleted.
    pub(crate) async fn forget(&self, project: &ProjectName) {
        // What was being made is there, or will not be.
        let _turn = self.turn(project).await;
        let gone = self.all.write().remove(project);
        if gone.is_some() {
            self.changed();
        }
    }

    /// Tells whoever pushes to look again.
    fn changed(&self) {
        self.changes.send_modify(|changes| *changes += 1);
    }

    pub(super) fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }
}
