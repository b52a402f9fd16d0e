//! A store that can be opened again and that can fail, a clock, and credentials in it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use feedwire_core::{Allowance, Clock, RateLimits, Right};
use feedwire_engine::memory::{Memory, Place};
use feedwire_engine::{
    Changes, Engine, Entry, MinFree, Precondition, Primary, PutError, Revision, Space, Unavailable,
};
use feedwire_event::{ProjectName, Timestamp};
use parking_lot::Mutex;

use crate::{
    AccessToken, Auth, Client, Created, CredentialGrant, Denied, KeyId, MasterKey, NewCredential,
    Options, Principal, Proof, TokenError, TokenRequest,
};

#[derive(Debug)]
pub(super) struct HandClock(AtomicI64);

impl HandClock {
    pub(super) fn advance(&self, span: Duration) {
        let micros = i64::try_from(span.as_micros()).expect("a span of a test");
        self.0.fetch_add(micros, Ordering::SeqCst);
    }
}

impl Clock for HandClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.0.load(Ordering::SeqCst))
    }
}

/// How writing to the store goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Writing {
    Works,
    HasNoSpace,
    Fails,
    /// It is written, and said not to be.
    FailsAfterwards,
}

/// A store that fails when told to.
#[derive(Debug)]
pub(super) struct Store {
    inner: Arc<dyn Primary>,
    writing: Mutex<Writing>,
}

impl Store {
    pub(super) fn writing(&self, writing: Writing) {
        *self.writing.lock() = writing;
    }

    fn before(&self) -> Result<(), PutError> {
        match *self.writing.lock() {
            Writing::Works | Writing::FailsAfterwards => Ok(()),
            Writing::HasNoSpace => Err(PutError::NoSpace(MinFree(Some(64 << 20)))),
            Writing::Fails => Err(Unavailable::new("told to fail").into()),
        }
    }

    fn after<T>(&self, done: T) -> Result<T, PutError> {
        match *self.writing.lock() {
            Writing::FailsAfterwards => Err(Unavailable::new("told to fail").into()),
            Writing::Works | Writing::HasNoSpace | Writing::Fails => Ok(done),
        }
    }
}

#[async_trait]
impl Primary for Store {
    async fn get(&self, space: &Space, key: &[u8]) -> Result<Option<Entry>, Unavailable> {
        self.inner.get(space, key).await
    }

    async fn put(
        &self,
        space: &Space,
        key: &[u8],
        value: Bytes,
        precondition: Precondition,
    ) -> Result<Revision, PutError> {
        self.before()?;
        let revision = self.inner.put(space, key, value, precondition).await?;
        self.after(revision)
    }

    async fn delete(
        &self,
        space: &Space,
        key: &[u8],
        precondition: Precondition,
    ) -> Result<(), PutError> {
        self.before()?;
        self.inner.delete(space, key, precondition).await?;
        self.after(())
    }

    async fn scan(
        &self,
        space: &Space,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<(Bytes, Entry)>, Unavailable> {
        self.inner.scan(space, prefix, after, limit).await
    }

    async fn watch(&self, space: &Space) -> Result<Changes, Unavailable> {
        self.inner.watch(space).await
    }
}

/// A server's credentials.
#[derive(Debug)]
pub(super) struct World {
    pub(super) auth: Auth,
    pub(super) clock: Arc<HandClock>,
    pub(super) store: Arc<Store>,
    pub(super) master: MasterKey,
    place: Place,
    _engine: Memory,
}

impl World {
    pub(super) async fn new() -> Self {
        let start: Timestamp = "2026-11-21T08:00:00Z".parse().expect("it is RFC 3339");
        let clock = Arc::new(HandClock(AtomicI64::new(start.as_micros())));
        let (place, master) = (Place::default(), MasterKey::generate());
        let engine = Memory::open(&place).expect("nobody else is there");
        Auth::init(&*engine.primary(), &master)
            .await
            .expect("it is new");
        Self::on(place, engine, master, clock).await
    }

    async fn on(place: Place, engine: Memory, master: MasterKey, clock: Arc<HandClock>) -> Self {
        let store = Arc::new(Store {
            inner: engine.primary(),
            writing: Mutex::new(Writing::Works),
        });
        let auth = Auth::open(
            Arc::clone(&store) as Arc<dyn Primary>,
            &master,
            Arc::clone(&clock) as Arc<dyn Clock>,
            Options::default(),
        );
        Self {
            auth: auth.await.expect("it opens"),
            clock,
            store,
            master,
            place,
            _engine: engine,
        }
    }

    /// The same after a restart.
    pub(super) async fn restarted(self) -> Self {
        let Self {
            auth,
            clock,
            store,
            master,
            place,
            _engine: engine,
        } = self;
        auth.close().await;
        drop((auth, store, engine));
        let engine = Memory::open(&place).expect("the one before has left");
        Self::on(place, engine, master, clock).await
    }

    /// A credential of `home` with `rights` in `projects`.
    pub(super) async fn credential(&self, home: &str, grants: &[(&str, &[Right])]) -> Created {
        let created = self.auth.create(new(home, grants)).await;
        created.expect("it is valid")
    }

    pub(super) fn bearer(&self, token: &str) -> Result<Principal, Denied> {
        self.auth.prove(Proof::Bearer(token))
    }

    pub(super) fn basic(&self, created: &Created) -> Result<Principal, Denied> {
        self.auth.prove(Proof::Basic {
            key_id: created.credential.key_id.as_str(),
            secret: created.secret.as_str(),
        })
    }

    pub(super) async fn token(&self, created: &Created, scope: Option<&str>) -> AccessToken {
        let token = self.exchange(created, scope).await;
        token.expect("the secret is right")
    }

    pub(super) async fn exchange(
        &self,
        created: &Created,
        scope: Option<&str>,
    ) -> Result<AccessToken, TokenError> {
        let request = TokenRequest {
            grant_type: "client_credentials",
            client: Some(Client {
                key_id: created.credential.key_id.as_str(),
                secret: created.secret.as_str(),
            }),
            scope,
            ..TokenRequest::default()
        };
        self.auth.exchange(request).await
    }
}

pub(super) fn project(name: &str) -> ProjectName {
    name.parse().expect("a name")
}

pub(super) fn grant(projects: &str, rights: &[Right]) -> CredentialGrant {
    let allowance = Allowance {
        rights: rights.iter().copied().collect(),
        feeds: Vec::new(),
        confinement: None,
    };
    CredentialGrant {
        projects: projects.parse().expect("a pattern"),
        allowance: Arc::new(allowance),
    }
}

pub(super) fn new(home: &str, grants: &[(&str, &[Right])]) -> NewCredential {
    let grants = grants.iter().map(|(at, rights)| grant(at, rights));
    NewCredential {
        key_id: KeyId::random(),
        home: project(home),
        display_name: "a test".to_owned(),
        email: None,
        grants: grants.collect(),
        expires_at: None,
        enabled: true,
        limits: RateLimits::default(),
    }
}
