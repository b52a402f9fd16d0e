//! Closing what nobody uses.

use std::sync::Weak;

use tokio_util::sync::CancellationToken;

use super::open::Projects;
use crate::limits::{IDLE_INTERVAL, PROJECT_IDLE};

impl Projects {
    /// Closes projects that were not used for long, until `stop`.
    pub(crate) async fn close_idle(projects: Weak<Self>, stop: CancellationToken) {
        let closing = async {
            loop {
                tokio::time::sleep(IDLE_INTERVAL).await;
                let Some(projects) = projects.upgrade() else {
                    return;
                };
                projects.close_unused(PROJECT_IDLE).await;
            }
        };
        stop.run_until_cancelled(closing).await;
    }
}
