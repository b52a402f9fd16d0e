//! What is asked of connectors.

use std::sync::Arc;
use std::time::Duration;

use feedwire_core::connectors::{Attempt, Draft, Error, Numbers, Revision, SecretText, Shown};
use feedwire_core::stream::{Letter, Origin, Which};
use feedwire_core::{Core, Grant};
use feedwire_event::{ConnectorName, Position, Timestamp};
use tokio_util::sync::CancellationToken;

/// Pushes, and is asked to. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Push(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    _core: Arc<Core>,
}

/// A connector that was made.
#[derive(Clone, Debug)]
pub struct Made {
    /// The connector.
    pub shown: Shown,
    /// The secret that was made for it, where none was given: nobody is told it again.
    pub secret: Option<SecretText>,
}

/// A secret that has taken another's place.
#[derive(Clone, Debug)]
pub struct Rotated {
    /// The new one, where none was given: nobody is told it again.
    pub secret: Option<SecretText>,
    /// Until when requests are signed by the one before, too.
    pub previous_until: Option<Timestamp>,
}

/// What is to be pushed once more.
#[derive(Clone, Debug)]
pub struct Replaying {
    /// What the replay is named by; `None` is by one that is made from that of the connector.
    pub name: Option<ConnectorName>,
    /// From where.
    pub from: Origin,
    /// Before which time, or behind which position no more; `None` is up to the end as it is now.
    pub until: Option<Origin>,
    /// Where to; `None` is where the connector pushes to.
    pub url: Option<String>,
}

/// Dead letters, and whether there are more.
pub type Letters = (Vec<Letter>, bool);

impl Push {
    /// Makes a connector.
    pub async fn create(&self, _grant: &Grant, _draft: Draft) -> Result<Made, Error> {
        todo!()
    }

    /// The connectors whose events whoever asks may have, in order of their names.
    pub async fn list(&self, _grant: &Grant) -> Result<Vec<Shown>, Error> {
        todo!()
    }

    /// The connector `name`.
    pub async fn show(&self, _grant: &Grant, _name: &ConnectorName) -> Result<Shown, Error> {
        todo!()
    }

    /// Has `revision` replace how the connector `name` is. `Revised::is_active` pauses it and has it go on.
    pub async fn change(
        &self,
        _grant: &Grant,
        _name: &ConnectorName,
        _revision: Revision,
    ) -> Result<Shown, Error> {
        todo!()
    }

    /// Deletes the connector `name`.
    pub async fn delete(&self, _grant: &Grant, _name: &ConnectorName) -> Result<(), Error> {
        todo!()
    }

    /// Has `given`, or a new secret, sign what the connector `name` pushes; the one before does too for `overlap`.
    pub async fn rotate(
        &self,
        _grant: &Grant,
        _name: &ConnectorName,
        _given: Option<SecretText>,
        _overlap: Duration,
    ) -> Result<Rotated, Error> {
        todo!()
    }

    /// Has a connector push one sample event now.
    pub async fn test(&self, _grant: &Grant, _name: &ConnectorName) -> Result<Attempt, Error> {
        todo!()
    }

    /// Has a connector of readings push the latest event of each type of each device; returns how many.
    pub async fn sync(&self, _grant: &Grant, _name: &ConnectorName) -> Result<usize, Error> {
        todo!()
    }

    /// The last requests of a connector, the newest first.
    pub async fn deliveries(
        &self,
        _grant: &Grant,
        _name: &ConnectorName,
    ) -> Result<Vec<Attempt>, Error> {
        todo!()
    }

    /// The requests of the last three hours.
    pub async fn numbers(&self, _grant: &Grant, _name: &ConnectorName) -> Result<Numbers, Error> {
        todo!()
    }

    /// Makes a connector that pushes once more what the connector `name` is of, up to an end.
    pub async fn replay(
        &self,
        _grant: &Grant,
        _name: &ConnectorName,
        _replaying: Replaying,
    ) -> Result<Made, Error> {
        todo!()
    }

    /// Dead letters of a connector: those behind `after`, at most `limit`, with events of at most about `bytes`.
    pub async fn letters(
        &self,
        _grant: &Grant,
        _name: &ConnectorName,
        _after: Option<Position>,
        (_limit, _bytes): (usize, usize),
    ) -> Result<Letters, Error> {
        todo!()
    }

    /// Has dead letters of a connector pushed once more; returns how many.
    pub async fn redrive(
        &self,
        _grant: &Grant,
        _name: &ConnectorName,
        _which: Which,
    ) -> Result<usize, Error> {
        todo!()
    }

    /// Forgets dead letters of a connector; returns how many.
    pub async fn drop_letters(
        &self,
        _grant: &Grant,
        _name: &ConnectorName,
        _which: Which,
    ) -> Result<usize, Error> {
        todo!()
    }

    /// Pushes until `stop` is cancelled, and ends what is on its way then.
    pub async fn run(&self, _stop: CancellationToken) {
        todo!()
    }
}
