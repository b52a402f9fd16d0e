//! Projects that are put away: nobody uses them, nor what is below them, until they are taken up again. They keep what they have.

use std::sync::Arc;

use feedwire_engine::{OpenError, Precondition};
use feedwire_event::{ProjectName, Timestamp};

use super::open::Projects;
use super::record::{self, Record};
use crate::store;

impl Projects {
    /// Puts the project `name` away since `away_since`, or takes it up where that is `None`; returns whether that has made a difference.
    ///
    /// Once this has returned nobody uses a project that is put away: its readers are sent away, and nothing more of it is stored.
    pub(crate) async fn put_away(
        self: &Arc<Self>,
        name: &ProjectName,
        away_since: Option<Timestamp>,
    ) -> Result<bool, store::Error> {
        let unknown = || OpenError::Unknown(name.clone());
        {
            let _turn = self.turns().take(name).await;
            let present = self.register().record(name).ok_or_else(unknown)?;
            if present.away_since.is_some() == away_since.is_some() {
                return Ok(false);
            }
            let record = Record {
                away_since,
                ..present
            };
            let (primary, space) = (self.primary(), record::space());
            let key = name.as_str().as_bytes();
            let put = primary.put(&space, key, record.encode(), Precondition::Any);
            put.await?;
            self.register().set(name, record);
        }
        // Each in its turn: whoever was opening one of them has it open by then. One that the patrol has open is another from here on.
        for name in self.register().with_below(name) {
            let _turn = self.turns().take(&name).await;
            self.end(&name).await;
            self.engine().release(&name).await;
        }
        Ok(true)
    }

    /// An error where the project `name` cannot be used: it is not there, or it is put away, or what it is below is.
    pub(crate) fn check_usable(&self, name: &ProjectName) -> Result<(), OpenError> {
        if self.register().record(name).is_none() || self.register().is_away(name) {
            return Err(OpenError::Unknown(name.clone()));
        }
        Ok(())
    }
}
