//! The patrol: retention, unfinished erasures and load jobs of projects that nobody uses.
//!
//! A project that is open looks after itself. Of the others, one after another, it is looked up in the store whether there is
//! something to do, and only then the project is opened, for as long as that takes.

use std::sync::{Arc, Weak};

use feedwire_engine::{OpenError, Retention, Unavailable};
use feedwire_event::ProjectName;
use tokio_util::sync::CancellationToken;

use super::open::Projects;
use crate::limits::PATROL_INTERVAL;
use crate::loads::Loads;
use crate::receipts::StoredErasures;
use crate::retention::StoredRetention;

impl Projects {
    /// Looks after every project, at once and then now and then, until `stop`.
    pub(crate) async fn patrol(projects: Weak<Self>, stop: CancellationToken) {
        let rounds = async {
            loop {
                let Some(projects) = projects.upgrade() else {
                    return;
                };
                projects.look_after_all().await;
                drop(projects);
                tokio::time::sleep(PATROL_INTERVAL).await;
            }
        };
        stop.run_until_cancelled(rounds).await;
    }

    async fn look_after_all(self: &Arc<Self>) {
        for name in self.register().names() {
            match self.look_after(&name).await {
                // Deleted meanwhile, or put away.
                Ok(()) | Err(OpenError::Unknown(_)) => {}
                Err(error @ (OpenError::Damaged { .. } | OpenError::Unavailable(_))) => {
                    tracing::warn!(
                        project = name.as_str(),
                        error = &error as &dyn std::error::Error,
                        "what is to be done in a project waits for the next round"
                    );
                }
            }
        }
    }

    async fn look_after(self: &Arc<Self>, name: &ProjectName) -> Result<(), OpenError> {
        if self.used(name).is_some() || !self.has_work(name).await? {
            return Ok(());
        }
        let project = self.get_for_upkeep(name).await?;
        let opened_at = self.used(name).unwrap_or_default();
        project.first_upkeep().await;
        drop(project);
        self.let_go(name, opened_at).await;
        Ok(())
    }

    async fn has_work(&self, name: &ProjectName) -> Result<bool, Unavailable> {
        let retention = StoredRetention::open(self.primary(), name.clone()).await?;
        if retention.present() != Retention::default() {
            return Ok(true);
        }
        let erasures = StoredErasures::open(self.primary(), name.clone()).await?;
        if erasures.open_count() > 0 {
            return Ok(true);
        }
        let loads = Loads::open(self.primary(), name.clone()).await?;
        Ok(loads.open_count() > 0 && !self.register().is_away(name))
    }
}
