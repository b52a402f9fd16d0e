//! What is asked of connectors, and the tasks of those that are active.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use feedwire_auth::Seal;
use feedwire_core::connectors::{
    Attempt, Connector, Draft, Error, Form, Numbers, Overview, Phase, Revised, Revision, Rewritten,
    SecretText, Secrets, Shown,
};
use feedwire_core::stream::{Letter, Which};
use feedwire_core::{Clock, Core, Grant};
use feedwire_event::{ConnectorName, Position, ProjectName, Timestamp};
use parking_lot::{Mutex, RwLock};
use tokio::sync::{Semaphore, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::desk::Desk;
use crate::limits::{PROJECT_REQUESTS_MAX, SYNCS_MAX, TESTS_MAX};
use crate::outgoing::{CUSTOM_HEADERS_MAX, Outgoing, SigningSecret};
use crate::post::Post;
use crate::vault::Vault;
use crate::wire;

/// Longest secret of a signature that is not of Standard Webhooks.
const SECRET_BYTES_MAX: usize = 512;

/// Pushes, and is asked to. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Push(pub(crate) Arc<Inner>);

#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) core: Arc<Core>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) outgoing: Outgoing,
    vault: Vault,
    desks: Mutex<Desks>,
    /// How many requests the connectors of a project may have on their way.
    rooms: Mutex<HashMap<ProjectName, Arc<Semaphore>>>,
    /// How many connectors may push what is latest.
    pub(crate) syncs: Semaphore,
    /// How many samples may be on their way.
    pub(crate) tests: Semaphore,
    /// What is done beside the tasks of connectors.
    pub(crate) tasks: TaskTracker,
    pub(crate) stop: CancellationToken,
    /// How long requests that are on their way are waited for when a connector ends or the server stops.
    grace: RwLock<Duration>,
}

/// What is known of a connector beside what is kept of it.
#[derive(Debug)]
struct Known {
    /// Which of those that had its name one after the other.
    created_at: Timestamp,
    desk: Arc<Desk>,
    /// Its task, once it was active.
    task: Option<watch::Sender<Option<Arc<Connector>>>>,
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

/// A connector and what its task is doing, for who counts it.
#[derive(Clone, Debug)]
pub struct Stats {
    /// Whose it is.
    pub project: ProjectName,
    /// The connector.
    pub connector: Arc<Connector>,
    /// How pushing goes.
    pub health: feedwire_core::connectors::Health,
}

/// Dead letters, and whether there are more.
pub type Letters = (Vec<Letter>, bool);

impl Push {
    /// Connectors of `core`, none of which is pushed before [`Push::run`]. Secrets are sealed by `seal`; `None` is where the server has no
    /// master key, and keeps them as they are.
    pub fn new(
        core: Arc<Core>,
        outgoing: Outgoing,
        clock: Arc<dyn Clock>,
        seal: Option<Seal>,
    ) -> Self {
        Self(Arc::new(Inner {
            core,
            clock,
            outgoing,
            vault: Vault::new(seal),
            desks: Mutex::default(),
            rooms: Mutex::default(),
            syncs: Semaphore::new(SYNCS_MAX),
            tests: Semaphore::new(TESTS_MAX),
            tasks: TaskTracker::new(),
            stop: CancellationToken::new(),
            grace: RwLock::new(Duration::ZERO),
        }))
    }

    /// Pushes until `stop` is cancelled. What is on its way when a connector ends or the server stops is waited for for `grace`; what is
    /// not answered by then comes again.
    pub async fn run(&self, stop: CancellationToken, grace: Duration) {
        let inner = &self.0;
        *inner.grace.write() = grace;
        let posts = TaskTracker::new();
        let mut changes = inner.core.connector_changes();
        loop {
            changes.mark_unchanged();
            self.look(&posts);
            tokio::select! {
                () = stop.cancelled() => break,
                told = changes.changed() => if told.is_err() { break },
            }
        }
        inner.stop.cancel();
        for known in inner.desks.lock().values_mut() {
            known.task = None;
        }
        posts.close();
        inner.tasks.close();
        tokio::join!(posts.wait(), inner.tasks.wait());
    }

    /// Has the tasks be those of the connectors that there are.
    fn look(&self, posts: &TaskTracker) {
        let all = self.0.core.connectors_to_push();
        let mut desks = self.0.desks.lock();
        let there: HashSet<_> = all
            .iter()
            .map(|(project, connector)| (project, &connector.settings.name))
            .collect();
        desks.retain(|(project, name), _| there.contains(&(project, name)));
        for (project, connector) in all {
            let known = known(&mut desks, &project, &connector);
            let present = (connector.phase == Phase::Active).then_some(connector);
            match &known.task {
                Some(task) => {
                    task.send_if_modified(|before| {
                        let is_same = *before == present;
                        if !is_same {
                            *before = present;
                        }
                        !is_same
                    });
                }
                None if present.is_some() => {
                    let (task, receiver) = watch::channel(present);
                    known.task = Some(task);
                    let post = Post {
                        inner: self.0.clone(),
                        project,
                        desk: known.desk.clone(),
                        present: receiver,
                    };
                    posts.spawn(post.keep());
                }
                None => {}
            }
        }
    }

    /// Makes a connector.
    pub async fn create(&self, grant: &Grant, mut draft: Draft) -> Result<Made, Error> {
        let made = match draft.secrets.signing {
            None if !is_reading(&draft.settings.form) => {
                let secret = SecretText::new(SigningSecret::generate().reveal().as_str());
                draft.secrets.signing = Some(secret.clone());
                Some(secret)
            }
            _ => None,
        };
        let inner = &self.0;
        inner.check(&draft.settings.url, &draft.settings.form, &draft.secrets)?;
        let name = &draft.settings.name;
        let sealed = inner.vault.close(grant.project(), name, &draft.secrets);
        let overview = inner.core.create_connector(grant, draft, sealed).await?;
        Ok(Made {
            shown: inner.shown(grant.project(), overview),
            secret: made,
        })
    }

    /// The connectors whose events whoever asks may have, in order of their names.
    pub async fn list(&self, grant: &Grant) -> Result<Vec<Shown>, Error> {
        let all = self.0.core.connectors(grant).await?.into_iter();
        Ok(all
            .map(|overview| self.0.shown(grant.project(), overview))
            .collect())
    }

    /// The connector `name`.
    pub async fn show(&self, grant: &Grant, name: &ConnectorName) -> Result<Shown, Error> {
        let overview = self.0.core.connector(grant, name).await?;
        Ok(self.0.shown(grant.project(), overview))
    }

    /// Has `revision` replace how the connector `name` is. `Revised::is_active` pauses it and has it go on.
    pub async fn change(
        &self,
        grant: &Grant,
        name: &ConnectorName,
        revision: Revision,
    ) -> Result<Shown, Error> {
        self.change_from(grant, name, revision, Inner::open).await
    }

    async fn change_from(
        &self,
        grant: &Grant,
        name: &ConnectorName,
        revision: Revision,
        open: impl FnOnce(&Inner, &ProjectName, &Connector) -> Result<Secrets, Error> + Send + 'static,
    ) -> Result<Shown, Error> {
        let inner = self.0.clone();
        let project = grant.project().clone();
        let now = self.0.clock.now();
        let rewrite = move |connector: &Connector, selection| {
            let opened = open(&inner, &project, connector);
            let secrets = opened
                .as_ref()
                .map_or_else(|_| Secrets::default(), Secrets::clone);
            let mut revised = revision(Revised {
                settings: connector.settings.clone(),
                selection,
                secrets: secrets.clone(),
                is_active: connector.phase == Phase::Active,
                skips: false,
            })?;
            let settings = &revised.settings;
            if is_reading(&settings.form) != is_reading(&connector.settings.form) {
                let words = "whether a connector pushes readings is settled when it is made";
                return Err(Error::Unfit(words));
            }
            let is_same = revised.secrets == secrets && *settings == connector.settings;
            if !is_same {
                // What nobody can read may wait and go on, and be of other events, as it is.
                opened?;
                inner.check(&settings.url, &settings.form, &revised.secrets)?;
                inner.check_moved(&connector.settings.url, &settings.url, &revised.secrets)?;
                revised.secrets.previous.take_if(|(_, until)| *until <= now);
            }
            let sealed = if revised.secrets == secrets {
                connector.sealed.clone()
            } else {
                let name = &connector.settings.name;
                inner.vault.close(&project, name, &revised.secrets)
            };
            Ok(Rewritten {
                settings: revised.settings,
                sealed,
                selection: revised.selection,
                is_active: revised.is_active,
                skips: revised.skips,
            })
        };
        let overview = self.0.core.change_connector(grant, name, rewrite).await?;
        Ok(self.0.shown(grant.project(), overview))
    }

    /// Deletes the connector `name`.
    pub async fn delete(&self, grant: &Grant, name: &ConnectorName) -> Result<(), Error> {
        self.0.core.delete_connector(grant, name).await
    }

    /// Has `given`, or a new secret, sign what the connector `name` pushes; the one before does too for `overlap`.
    pub async fn rotate(
        &self,
        grant: &Grant,
        name: &ConnectorName,
        given: Option<SecretText>,
        overlap: Duration,
    ) -> Result<Rotated, Error> {
        let made = match &given {
            Some(_) => None,
            None => Some(SecretText::new(SigningSecret::generate().reveal().as_str())),
        };
        let new = given.or_else(|| made.clone());
        let until = self.0.clock.now().after(overlap);
        let revision = Box::new(move |mut revised: Revised| {
            if is_reading(&revised.settings.form) {
                let words =
                    "readings are signed by one secret, which is changed with the connector";
                return Err(Error::Unfit(words));
            }
            let before = std::mem::replace(&mut revised.secrets.signing, new);
            let kept = before.filter(|_| !overlap.is_zero());
            revised.secrets.previous = kept.map(|secret| (secret, until));
            Ok(revised)
        });
        // Secrets that cannot be read, for the master key is another, are made anew so.
        let open = |inner: &Inner, project: &ProjectName, connector: &Connector| {
            Ok(inner.open(project, connector).unwrap_or_default())
        };
        let shown = self.change_from(grant, name, revision, open).await?;
        Ok(Rotated {
            secret: made,
            previous_until: shown.previous_until,
        })
    }

    /// The last requests of a connector, the newest first.
    pub async fn deliveries(
        &self,
        grant: &Grant,
        name: &ConnectorName,
    ) -> Result<Vec<Attempt>, Error> {
        let overview = self.0.core.connector(grant, name).await?;
        let desk = self.0.desk(grant.project(), &overview.connector);
        Ok(desk.attempts())
    }

    /// The requests of the last three hours.
    pub async fn numbers(&self, grant: &Grant, name: &ConnectorName) -> Result<Numbers, Error> {
        let overview = self.0.core.connector(grant, name).await?;
        let desk = self.0.desk(grant.project(), &overview.connector);
        Ok(desk.numbers(self.0.clock.now()))
    }

    /// Dead letters of a connector: those behind `after`, at most `limit`, with events of at most about `bytes`.
    pub async fn letters(
        &self,
        grant: &Grant,
        name: &ConnectorName,
        after: Option<Position>,
        (limit, bytes): (usize, usize),
    ) -> Result<Letters, Error> {
        let overview = self.0.core.connector(grant, name).await?;
        let whole = Grant::whole(grant.project().clone());
        let stream = &overview.connector.stream;
        let core = &self.0.core;
        Ok(core
            .dead_letters(&whole, stream, after, (limit, bytes))
            .await?)
    }

    /// Has dead letters of a connector pushed once more; returns how many. A replay that is done goes on for them.
    pub async fn redrive(
        &self,
        grant: &Grant,
        name: &ConnectorName,
        which: Which,
    ) -> Result<usize, Error> {
        let overview = self.0.core.connector(grant, name).await?;
        let whole = Grant::whole(grant.project().clone());
        let connector = &overview.connector;
        let count = self
            .0
            .core
            .redrive(&whole, &connector.stream, which)
            .await?;
        if count > 0 && connector.phase == Phase::Done {
            let core = &self.0.core;
            core.end_pushing(grant.project(), connector, Phase::Active)
                .await?;
        }
        Ok(count)
    }

    /// Forgets dead letters of a connector; returns how many.
    pub async fn drop_letters(
        &self,
        grant: &Grant,
        name: &ConnectorName,
        which: Which,
    ) -> Result<usize, Error> {
        let overview = self.0.core.connector(grant, name).await?;
        let whole = Grant::whole(grant.project().clone());
        let stream = &overview.connector.stream;
        Ok(self.0.core.drop_letters(&whole, stream, which).await?)
    }

    /// What each connector does.
    pub fn stats(&self) -> Vec<Stats> {
        let all = self.0.core.connectors_to_push().into_iter();
        let stats = all.map(|(project, connector)| Stats {
            health: self.0.desk(&project, &connector).health(),
            project,
            connector,
        });
        stats.collect()
    }
}

impl Inner {
    /// What requests are made with.
    pub(crate) fn means(&self) -> (&Arc<Core>, &Arc<dyn Clock>, &Outgoing) {
        (&self.core, &self.clock, &self.outgoing)
    }

    pub(crate) fn grace(&self) -> Duration {
        *self.grace.read()
    }

    /// What the requests of the connectors of `project` share.
    pub(crate) fn room(&self, project: &ProjectName) -> Arc<Semaphore> {
        let mut rooms = self.rooms.lock();
        // Nobody has a request of those on its way.
        rooms.retain(|_, room| Arc::strong_count(room) > 1);
        let room = rooms.entry(project.clone());
        room.or_insert_with(|| Arc::new(Semaphore::new(PROJECT_REQUESTS_MAX)))
            .clone()
    }

    /// The secrets of `connector`.
    pub(crate) fn open(
        &self,
        project: &ProjectName,
        connector: &Connector,
    ) -> Result<Secrets, Error> {
        let name = &connector.settings.name;
        self.vault.open(project, name, &connector.sealed)
    }

    /// Whether what a connector is given can be.
    fn check(&self, url: &str, form: &Form, secrets: &Secrets) -> Result<(), Error> {
        wire::target(&self.outgoing, url)?;
        wire::headers(secrets)?;
        if secrets.headers.len() > CUSTOM_HEADERS_MAX {
            return Err(Error::Refused {
                name: "headers",
                why: format!("there are at most {CUSTOM_HEADERS_MAX}"),
            });
        }
        let Some(secret) = &secrets.signing else {
            return Ok(());
        };
        if is_reading(form) {
            if secret.reveal().len() > SECRET_BYTES_MAX {
                return Err(Error::Refused {
                    name: "secret",
                    why: format!("it has at most {SECRET_BYTES_MAX} bytes"),
                });
            }
            return Ok(());
        }
        wire::signing(secret).map(drop)
    }

    /// Whether `url` may be sent the headers among `secrets`, which were for `before`: where they go elsewhere, whoever sends them there has to
    /// know them.
    fn check_moved(&self, before: &str, url: &str, secrets: &Secrets) -> Result<(), Error> {
        let mut headers = secrets.headers.iter();
        if headers.any(|(_, value)| value.is_kept()) && !self.is_of_origin(before, url)? {
            let why = "what they say is not sent to another host, port or scheme: give those again that are to be sent, and remove the others";
            return Err(Error::Refused {
                name: "headers",
                why: why.to_owned(),
            });
        }
        Ok(())
    }

    /// Whether both are of one scheme, host and port.
    pub(crate) fn is_of_origin(&self, one: &str, other: &str) -> Result<bool, Error> {
        let one = wire::target(&self.outgoing, one);
        let other = wire::target(&self.outgoing, other)?;
        // One that may not be sent to any more has no origin.
        Ok(one.is_ok_and(|one| one.is_of_origin(&other)))
    }

    fn shown(&self, project: &ProjectName, overview: Overview) -> Shown {
        // Whoever shows it is told why it cannot push, not why it cannot be shown.
        let secrets = self.open(project, &overview.connector).ok();
        let is_signed = secrets
            .as_ref()
            .is_none_or(|secrets| secrets.signing.is_some());
        let secrets = secrets.unwrap_or_default();
        let now = self.clock.now();
        let previous_until = secrets.previous.map(|(_, until)| until);
        Shown {
            health: self.desk(project, &overview.connector).health(),
            headers: secrets.headers.into_iter().map(|(name, _)| name).collect(),
            is_signed,
            previous_until: previous_until.filter(|until| *until > now),
            overview,
        }
    }

    /// Where it is noted what `connector` does.
    pub(crate) fn desk(&self, project: &ProjectName, connector: &Connector) -> Arc<Desk> {
        known(&mut self.desks.lock(), project, connector)
            .desk
            .clone()
    }
}

type Desks = BTreeMap<(ProjectName, ConnectorName), Known>;

/// What is known of `connector`: nothing that is of one that had its name before.
fn known<'d>(desks: &'d mut Desks, project: &ProjectName, connector: &Connector) -> &'d mut Known {
    let key = (project.clone(), connector.settings.name.clone());
    let known = desks.entry(key).or_insert_with(|| Known::new(connector));
    if known.created_at != connector.created_at {
        *known = Known::new(connector);
    }
    known
}

impl Known {
    fn new(connector: &Connector) -> Self {
        Self {
            created_at: connector.created_at,
            desk: Arc::default(),
            task: None,
        }
    }
}

pub(crate) fn is_reading(form: &Form) -> bool {
    matches!(form, Form::Reading { .. })
}
