//! The streams of connectors, as connectors have them made, changed and deleted with themselves.

use feedwire_event::{StreamName, Timestamp};

use super::live::Live;
use super::manage::covers;
use super::stored::Kept;
use super::{Error, Origin, Selection, Settings, Status};
use crate::project::Project;
use crate::{Grant, Right};

impl Project {
    /// The stream `name`.
    pub(crate) fn stream_status(&self, name: &StreamName) -> Result<Status, Error> {
        Ok(self.streams().get(name)?.status())
    }

    /// Makes the stream of a connector that whoever has `grant` makes.
    pub(crate) async fn make_own_stream(
        &self,
        grant: &Grant,
        settings: Settings,
        origin: Origin,
        now: Timestamp,
    ) -> Result<(), Error> {
        settings.check()?;
        covers(grant, Right::Connectors, &settings)?;
        let kept = self.kept_from(settings, origin, now).await?;
        self.streams().create(kept, |_| Ok(())).await?;
        Ok(())
    }

    /// Has the stream `name` of a connector be of other events, all of which whoever has `grant` may have.
    pub(crate) async fn reselect(
        &self,
        grant: &Grant,
        name: &StreamName,
        selection: Selection,
        now: Timestamp,
    ) -> Result<(), Error> {
        let grant = grant.clone();
        let change = Box::new(move |live: &Live| {
            let kept = live.kept();
            let settings = Settings {
                selection,
                ..kept.settings.clone()
            };
            settings.check()?;
            covers(&grant, Right::Connectors, &settings)?;
            Ok(Kept {
                settings,
                updated_at: now,
                ..kept
            })
        });
        self.streams().change(name, change).await?;
        Ok(())
    }

    /// Has the stream `name` of a connector go on behind the last event that there is now.
    pub(crate) async fn skip_own_stream(&self, name: &StreamName) -> Result<(), Error> {
        let _unchanged = self.streams().unchanged().await;
        let live = self.streams().get(name)?;
        live.send_to(self.log().bounds().last).await
    }

    /// Deletes the stream `name` of a connector, if it is there.
    pub(crate) async fn delete_own_stream(&self, name: &StreamName) -> Result<(), Error> {
        match self.streams().delete(name, |_| Ok(())).await {
            Ok(_) | Err(Error::Unknown(_)) => Ok(()),
            Err(error) => Err(error),
        }
    }
}
