//! The task of a connector: it pushes as long as it is active, and takes up again what has ended by itself.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use feedwire_core::connectors::{Connector, Phase};
use feedwire_core::stream::{self, Member};
use feedwire_core::{Grant, audit};
use feedwire_event::json::Canonical;
use feedwire_event::{Data, Event, Extensions, ProjectName, Subject, TypeName};
use futures_util::FutureExt as _;
use serde_json::json;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::desk::Desk;
use crate::limits::JOIN_WAIT;
use crate::push::Inner;
use crate::session::{End, Session};
use crate::trouble::Trouble;
use crate::wire::Wire;

/// A connector as it is now, as far as it is active; nobody sends any more once it is deleted or the server stops.
pub(crate) type Present = watch::Receiver<Option<Arc<Connector>>>;

/// The task of a connector.
#[derive(Debug)]
pub(crate) struct Post {
    pub(crate) inner: Arc<Inner>,
    pub(crate) project: ProjectName,
    pub(crate) desk: Arc<Desk>,
    pub(crate) present: Present,
}

impl Post {
    /// Pushes until there is nobody who could change that. What is wrong with one request ends no connector.
    pub(crate) async fn keep(mut self) {
        while AssertUnwindSafe(self.push_on())
            .catch_unwind()
            .await
            .is_err()
        {
            tracing::error!(project = %self.project, "the task of a connector has panicked, and begins anew");
            self.desk.change(|health| {
                health.hindrance =
                    Some("it has failed in a way that is a fault of the server".to_owned());
            });
            tokio::time::sleep(JOIN_WAIT.1).await;
        }
    }

    async fn push_on(&mut self) {
        loop {
            let present = self.present.borrow_and_update().clone();
            let is_told = match present {
                None => self.present.changed().await,
                Some(connector) => self.while_present(connector).await,
            };
            self.desk.change(|health| health.hindrance = None);
            if is_told.is_err() {
                return;
            }
        }
    }

    /// Pushes what `connector` is of until it is changed.
    async fn while_present(
        &mut self,
        connector: Arc<Connector>,
    ) -> Result<(), watch::error::RecvError> {
        let halt = CancellationToken::new();
        let mut present = self.present.clone();
        let pushing = self.push(&connector, &halt);
        tokio::pin!(pushing);
        tokio::select! {
            () = &mut pushing => {}
            changed = present.changed() => {
                halt.cancel();
                pushing.await;
                return changed;
            }
        }
        // It has ended by itself: what it is now is said soon, if it was not already.
        present.changed().await
    }

    /// Pushes until `halt`, or until there is nothing more to be done.
    async fn push(&self, connector: &Arc<Connector>, halt: &CancellationToken) {
        let mut wait = JOIN_WAIT.0;
        loop {
            let began = Instant::now();
            let ended = match halt.run_until_cancelled(self.begin(connector)).await {
                None => return,
                Some(Err(why)) => Err(why),
                Some(Ok((mut session, member))) => {
                    let end = session.push(member, halt).await;
                    if began.elapsed() > wait {
                        wait = JOIN_WAIT.0;
                    }
                    Ok(end)
                }
            };
            let hindrance = match ended {
                Ok(End::Halted) => return,
                Ok(End::Closing) => None,
                Ok(End::Done) => return self.end_in_time(connector, &Phase::Done, halt).await,
                Ok(End::Hopeless(why)) => {
                    return self
                        .end_in_time(connector, &Phase::Disabled(why), halt)
                        .await;
                }
                Ok(End::Broken(error)) => Some(error.to_string()),
                Err(why) => Some(why),
            };
            self.hindered(connector, hindrance);
            let slept = halt.run_until_cancelled(tokio::time::sleep(wait)).await;
            if slept.is_none() {
                return;
            }
            wait = (wait * 2).min(JOIN_WAIT.1);
        }
    }

    /// Has the connector be in `phase`, as soon as that can be written down; nothing is pushed until then.
    async fn end_in_time(
        &self,
        connector: &Arc<Connector>,
        phase: &Phase,
        halt: &CancellationToken,
    ) {
        loop {
            let ended = match phase {
                Phase::Disabled(why) => self.disable(connector, why.clone()).await,
                phase => self.end(connector, phase.clone()).await,
            };
            let Err(why) = ended else {
                return;
            };
            self.hindered(connector, Some(why));
            let slept = halt.run_until_cancelled(tokio::time::sleep(JOIN_WAIT.1));
            if slept.await.is_none() {
                return;
            }
        }
    }

    /// Becomes the member of the stream.
    async fn begin(&self, connector: &Arc<Connector>) -> Result<(Session, Member), String> {
        let Inner { core, .. } = &*self.inner;
        let name = &connector.settings.name;
        let secrets = self.inner.open(&self.project, connector);
        let secrets = secrets.map_err(|error| error.to_string())?;
        let room = self.inner.room(&self.project);
        let means = self.inner.means();
        let wire = Wire::new(means, room, &self.project, connector, &secrets);
        let wire = wire.map_err(|error| error.to_string())?;
        let condition = core.connector_condition(&self.project, name).await;
        let condition = condition.map_err(|error| error.to_string())?;
        let grant = Grant::whole(self.project.clone());
        let joined = core.join(&grant, &connector.stream).await;
        let member = joined.map_err(|error| match error {
            stream::Error::Full { .. } => {
                "its stream has as many members as it may have: others read it".to_owned()
            }
            error => error.to_string(),
        })?;
        self.desk.change(|health| health.hindrance = None);
        let session = Session {
            core: core.clone(),
            clock: self.inner.clock.clone(),
            project: self.project.clone(),
            connector: connector.clone(),
            desk: self.desk.clone(),
            wire: Arc::new(wire),
            trouble: Trouble::new(condition, connector.phase_since),
            grace: self.inner.grace(),
        };
        Ok((session, member))
    }

    /// Something stands against pushing, which is tried again soon.
    fn hindered(&self, connector: &Connector, why: Option<String>) {
        let mut is_news = false;
        self.desk.change(|health| {
            is_news = why.is_some() && health.hindrance != why;
            health.hindrance.clone_from(&why);
        });
        if let Some(why) = why.filter(|_| is_news) {
            tracing::warn!(
                project = %self.project,
                connector = %connector.settings.name,
                why,
                "a connector cannot push"
            );
        }
    }

    /// Has the connector wait until somebody says that it is to go on, which is on record first.
    async fn disable(&self, connector: &Arc<Connector>, why: String) -> Result<(), String> {
        let present = self.present.borrow().clone();
        if !present.is_some_and(|present| present == *connector) {
            // It was changed meanwhile, and goes on as it is now.
            return Ok(());
        }
        let event = disabled(&self.project, connector, &why);
        let recorded: Result<(), audit::Error> = self.inner.core.audit(&event).await;
        recorded.map_err(|error| error.to_string())?;
        tracing::error!(
            project = %self.project,
            connector = %connector.settings.name,
            why,
            "a connector is disabled: it pushes nothing until it is resumed"
        );
        self.end(connector, Phase::Disabled(why)).await
    }

    async fn end(&self, connector: &Connector, phase: Phase) -> Result<(), String> {
        let ended = self.inner.core.end_pushing(&self.project, connector, phase);
        ended.await.map(drop).map_err(|error| error.to_string())
    }
}

/// The record of a connector that the server disables.
fn disabled(project: &ProjectName, connector: &Connector, why: &str) -> Event {
    let data = json!({
        "by": { "server": true },
        "project": project.as_str(),
        "connector": connector.settings.name.as_str(),
        "reason": why,
    });
    let raw = serde_json::value::to_raw_value(&data).expect("values have texts for keys");
    let data = Canonical::new(&raw).expect("what holds strings of ours has whole characters");
    Event {
        id: None,
        source: None,
        ty: TypeName::new("connector.disable").expect("it is a name"),
        subject: Subject::new(&format!("projects/{project}")).ok(),
        time: None,
        live_only: false,
        extensions: Extensions::default(),
        data: Some(Data::Json(data)),
    }
}
