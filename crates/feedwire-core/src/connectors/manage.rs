//! What is done with connectors: made, looked at, changed, deleted; and what the outbound edge is told and notes.

use std::sync::Arc;

use bytes::Bytes;
use feedwire_engine::{Precondition, Primary as _, Space};
use feedwire_event::{ConnectorName, Position, ProjectName, StreamName};
use tokio::sync::watch;

use super::stored::{conditions, space, unreadable};
use super::{Condition, Connector, Draft, Error, Phase, Secrets, Settings, Source};
use crate::limits::{CONNECTOR_IN_FLIGHT, CONNECTOR_PARTITIONS, CONNECTORS_MAX};
use crate::project::Project;
use crate::stream::{self, Mode, Origin, Selection, covers};
use crate::{Core, Grant, Right, store};

/// What a connector is changed in.
#[derive(Clone, Debug)]
pub struct Revised {
    /// How it pushes.
    pub settings: Settings,
    /// Which events its stream is of, where that is its own.
    pub selection: Option<Selection>,
    /// What nobody is told.
    pub secrets: Secrets,
    /// Whether it pushes.
    pub is_active: bool,
    /// Whether it leaves out what came while it waited, where it goes on now and its stream is its own.
    pub skips: bool,
}

/// What is to be instead of how a connector is.
pub type Revision = Box<dyn FnOnce(Revised) -> Result<Revised, Error> + Send>;

/// What a change makes of a connector.
#[derive(Clone, Debug)]
pub struct Rewritten {
    /// How it pushes.
    pub settings: Settings,
    /// Its secrets, as they are kept.
    pub sealed: Bytes,
    /// Which events its stream is of, where that is its own.
    pub selection: Option<Selection>,
    /// Whether it pushes.
    pub is_active: bool,
    /// Whether it leaves out what came while it waited, where it waits and its stream is its own.
    pub skips: bool,
}

/// A connector and the stream that it pushes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overview {
    /// The connector.
    pub connector: Arc<Connector>,
    /// Its stream, unless that is deleted.
    pub stream: Option<stream::Status>,
}

impl Core {
    /// Makes a connector, whose secrets are kept as `sealed`.
    ///
    /// Of a crash in the middle a stream of its name may be left, which says so to whoever makes it again.
    pub async fn create_connector(
        &self,
        grant: &Grant,
        draft: Draft,
        sealed: Bytes,
    ) -> Result<Overview, Error> {
        grant.require(Right::Connectors)?;
        draft.settings.check()?;
        let project = self.opened(grant).await?;
        let now = self.seams().clock.now();
        let known = self.projects_known().clone();
        let grant = grant.clone();
        self.whole(async move {
            let connectors = known.connectors();
            let name = draft.settings.name.clone();
            let _turn = connectors.turn(grant.project()).await;
            let there = connectors.of(grant.project());
            if there.iter().any(|other| other.settings.name == name) {
                return Err(Error::Exists(name));
            }
            if there.len() >= CONNECTORS_MAX {
                return Err(Error::TooMany(CONNECTORS_MAX));
            }
            let (stream, owns_stream) = match draft.source {
                Source::Stream(stream) => {
                    if let Some(by) = connectors.pushing(grant.project(), &stream) {
                        return Err(Error::Taken { stream, by });
                    }
                    let status = project.stream_status(&stream)?;
                    // It takes events from those that read it otherwise.
                    covers(&grant, Right::Streams, &status.settings)?;
                    if status.settings.mode != Mode::Explicit {
                        return Err(Error::NotExplicit(stream));
                    }
                    (stream, false)
                }
                Source::Own(selection, origin) => {
                    let mut settings = own_stream(&name);
                    settings.selection = selection;
                    settings.until = draft.replay.as_ref().map(|replay| replay.until);
                    let stream = settings.name.clone();
                    let made = project.make_own_stream(&grant, settings, origin, now).await;
                    made.map_err(|error| match error {
                        stream::Error::Exists(stream) => Error::StreamExists(stream),
                        error => error.into(),
                    })?;
                    (stream, true)
                }
            };
            let phase = if draft.is_active {
                Phase::Active
            } else {
                Phase::Paused
            };
            let connector = Connector {
                settings: draft.settings,
                stream,
                owns_stream,
                replay: draft.replay,
                phase,
                phase_since: now,
                created_at: now,
                updated_at: now,
                sealed,
            };
            // What a crash left of deleting one of that name is not to be the new one's.
            project.remove(&conditions(grant.project()), &name).await?;
            let connector = project.keep_connector(grant.project(), connector).await?;
            connectors.put(grant.project(), connector.clone());
            Ok(project.overview(connector))
        })
        .await
    }

    /// The connectors whose events whoever asks may have, in order of their names.
    pub async fn connectors(&self, grant: &Grant) -> Result<Vec<Overview>, Error> {
        grant.require(Right::Connectors)?;
        let project = self.opened(grant).await?;
        let all = self.projects_known().connectors().of(grant.project());
        let own = all.into_iter().filter(|connector| {
            let may = project.may_have(grant, connector);
            may.is_ok()
        });
        Ok(own.map(|connector| project.overview(connector)).collect())
    }

    /// The connector `name`.
    pub async fn connector(&self, grant: &Grant, name: &ConnectorName) -> Result<Overview, Error> {
        let (project, connector) = self.connector_of(grant, name).await?;
        Ok(project.overview(connector))
    }

    /// Has `rewrite` replace what is kept of the connector `name`. Its stream keeps what it had reached.
    pub async fn change_connector(
        &self,
        grant: &Grant,
        name: &ConnectorName,
        rewrite: impl FnOnce(&Connector, Option<Selection>) -> Result<Rewritten, Error> + Send + 'static,
    ) -> Result<Overview, Error> {
        let (project, _) = self.connector_of(grant, name).await?;
        let (grant, name) = (grant.clone(), name.clone());
        let now = self.seams().clock.now();
        let known = self.projects_known().clone();
        self.whole(async move {
            let connectors = known.connectors();
            let _turn = connectors.turn(grant.project()).await;
            let there = connectors.get(grant.project(), &name);
            let there = there.ok_or(Error::Unknown(name))?;
            let selection = project.own_selection(&there);
            let Rewritten {
                mut settings,
                sealed,
                selection: wanted,
                is_active,
                skips,
            } = rewrite(&there, selection.clone())?;
            settings.name = there.settings.name.clone();
            settings.check()?;
            let phase = match (&there.phase, is_active) {
                (Phase::Done, true) => return Err(Error::Done),
                (Phase::Disabled(_) | Phase::Paused, true) => Phase::Active,
                (Phase::Active, false) => Phase::Paused,
                (phase, _) => phase.clone(),
            };
            let wanted = wanted.filter(|wanted| Some(wanted) != selection.as_ref());
            if let Some(wanted) = wanted {
                if selection.is_none() {
                    return Err(Error::NotItsOwn(there.stream.clone()));
                }
                project.reselect(&grant, &there.stream, wanted, now).await?;
            }
            let wakes = phase == Phase::Active && phase != there.phase;
            if skips && wakes && there.owns_stream {
                project.skip_own_stream(&there.stream).await?;
            }
            let is_same =
                settings == there.settings && sealed == there.sealed && phase == there.phase;
            if is_same {
                return Ok(project.overview(there));
            }
            let phase_since = if phase == there.phase {
                there.phase_since
            } else {
                now
            };
            let connector = Connector {
                settings,
                sealed,
                phase,
                phase_since,
                updated_at: now,
                ..Connector::clone(&there)
            };
            let connector = project.keep_connector(grant.project(), connector).await?;
            connectors.put(grant.project(), connector.clone());
            Ok(project.overview(connector))
        })
        .await
    }

    /// Deletes the connector `name`, and its stream where that is its own.
    pub async fn delete_connector(&self, grant: &Grant, name: &ConnectorName) -> Result<(), Error> {
        let (project, _) = self.connector_of(grant, name).await?;
        let (grant, name) = (grant.clone(), name.clone());
        let known = self.projects_known().clone();
        self.whole(async move {
            let connectors = known.connectors();
            let _turn = connectors.turn(grant.project()).await;
            let there = connectors.get(grant.project(), &name);
            let there = there.ok_or_else(|| Error::Unknown(name.clone()))?;
            project.remove(&space(grant.project()), &name).await?;
            connectors.remove(grant.project(), &name);
            project.remove(&conditions(grant.project()), &name).await?;
            if there.owns_stream {
                project.delete_own_stream(&there.stream).await?;
            }
            Ok(())
        })
        .await
    }

    /// Up to where what is before `origin` goes.
    pub async fn end_at(&self, grant: &Grant, origin: Origin) -> Result<Position, Error> {
        let project = self.opened(grant).await?;
        let resolved = project.resolve(origin, self.seams().clock.now()).await?;
        Ok(resolved.unwrap_or_default())
    }

    /// Every connector of every project, for the outbound edge. It takes no grant.
    pub fn connectors_to_push(&self) -> Vec<(ProjectName, Arc<Connector>)> {
        self.projects_known().connectors().everywhere()
    }

    /// Says when [`Core::connectors_to_push`] may say something else.
    pub fn connector_changes(&self) -> watch::Receiver<u64> {
        self.projects_known().connectors().changes()
    }

    /// Has the server itself move a connector on from [`Phase::Active`], unless it was changed or made anew since it was `seen`; whether it
    /// did.
    pub async fn end_pushing(
        &self,
        project_name: &ProjectName,
        seen: &Connector,
        phase: Phase,
    ) -> Result<bool, Error> {
        let project = self.opened(&Grant::whole(project_name.clone())).await?;
        let now = self.seams().clock.now();
        let known = self.projects_known().clone();
        let (project_name, seen) = (project_name.clone(), seen.clone());
        self.whole(async move {
            let connectors = known.connectors();
            let _turn = connectors.turn(&project_name).await;
            let there = connectors.get(&project_name, &seen.settings.name);
            let Some(there) = there.filter(|there| **there == seen) else {
                return Ok(false);
            };
            let connector = Connector {
                phase,
                phase_since: now,
                ..Connector::clone(&there)
            };
            let connector = project.keep_connector(&project_name, connector).await?;
            connectors.put(&project_name, connector);
            Ok(true)
        })
        .await
    }

    /// What was noted of how the connector `name` fails.
    pub async fn connector_condition(
        &self,
        project: &ProjectName,
        name: &ConnectorName,
    ) -> Result<Condition, Error> {
        let opened = self.opened(&Grant::whole(project.clone())).await?;
        let key = name.as_str().as_bytes();
        let entry = opened.gate().get(&conditions(project), key).await;
        match entry.map_err(store::Error::from)? {
            None => Ok(Condition::default()),
            Some(entry) => {
                let read = Condition::decode(entry.value);
                Ok(read.ok_or_else(|| store::Error::from(unreadable(name)))?)
            }
        }
    }

    /// Notes how the connector that is `seen` fails, unless it was deleted.
    pub async fn note_condition(
        &self,
        project: &ProjectName,
        seen: &Connector,
        condition: &Condition,
    ) -> Result<(), Error> {
        let opened = self.opened(&Grant::whole(project.clone())).await?;
        let connectors = self.projects_known().connectors();
        let _turn = connectors.turn(project).await;
        let name = &seen.settings.name;
        let there = connectors.get(project, name);
        if there.is_none_or(|there| there.created_at != seen.created_at) {
            return Ok(());
        }
        let place = conditions(project);
        opened.store(&place, name, condition.encode()).await
    }

    /// The connector `name`, for somebody who may have all that it pushes.
    async fn connector_of(
        &self,
        grant: &Grant,
        name: &ConnectorName,
    ) -> Result<(Arc<Project>, Arc<Connector>), Error> {
        grant.require(Right::Connectors)?;
        let project = self.opened(grant).await?;
        let found = self
            .projects_known()
            .connectors()
            .get(grant.project(), name);
        let connector = found.ok_or_else(|| Error::Unknown(name.clone()))?;
        project.may_have(grant, &connector)?;
        Ok((project, connector))
    }

    async fn opened(&self, grant: &Grant) -> Result<Arc<Project>, Error> {
        let opened = self.project(grant.project()).await;
        Ok(opened.map_err(store::Error::from)?)
    }
}

/// The settings of the stream that a connector `name` has for its own: it is the one member, and says itself when something is given up.
fn own_stream(name: &ConnectorName) -> stream::Settings {
    let name = StreamName::new(name.as_str()).expect("the same names are theirs");
    stream::Settings {
        partitions: CONNECTOR_PARTITIONS,
        members_max: 1,
        heartbeat: *stream::HEARTBEAT.end(),
        checkpoint_lifetime: *stream::CHECKPOINT_LIFETIME.end(),
        ack_timeout: *stream::ACK_TIMEOUT.end(),
        max_in_flight: CONNECTOR_IN_FLIGHT,
        max_deliveries: None,
        ..stream::Settings::new(name)
    }
}

impl Project {
    /// An error where whoever has `grant` may not have everything that `connector` pushes.
    fn may_have(&self, grant: &Grant, connector: &Connector) -> Result<(), Error> {
        match self.stream_status(&connector.stream) {
            Ok(status) => Ok(covers(grant, Right::Connectors, &status.settings)?),
            // Nobody knows any more what that was.
            Err(_) => Ok(grant.require_whole(Right::Connectors)?),
        }
    }

    fn overview(&self, connector: Arc<Connector>) -> Overview {
        Overview {
            stream: self.stream_status(&connector.stream).ok(),
            connector,
        }
    }

    /// Which events the stream of `connector` is of, where that is its own.
    fn own_selection(&self, connector: &Connector) -> Option<Selection> {
        let status = self.stream_status(&connector.stream).ok()?;
        connector.owns_stream.then_some(status.settings.selection)
    }

    async fn keep_connector(
        &self,
        project: &ProjectName,
        connector: Connector,
    ) -> Result<Arc<Connector>, Error> {
        let name = &connector.settings.name;
        self.store(&space(project), name, connector.encode())
            .await?;
        Ok(Arc::new(connector))
    }

    async fn store(&self, place: &Space, name: &ConnectorName, value: Bytes) -> Result<(), Error> {
        let (gate, key) = (self.gate(), name.as_str().as_bytes());
        let put = gate.put(place, key, value, Precondition::Any).await;
        put.map_err(store::Error::from)?;
        Ok(())
    }

    async fn remove(&self, place: &Space, name: &ConnectorName) -> Result<(), Error> {
        let (gate, key) = (self.gate(), name.as_str().as_bytes());
        let deleted = gate.delete(place, key, Precondition::Any).await;
        Ok(deleted.map_err(store::Error::from)?)
    }
}
