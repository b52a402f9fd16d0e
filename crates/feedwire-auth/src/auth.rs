//! [`Auth`]: all credentials of a server, and what is derived from its master key.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use feedwire_core::Clock;
use feedwire_engine::{Primary, Space, Unavailable};
use feedwire_event::{ProjectName, Timestamp};
use parking_lot::RwLock;
use serde_json::Value;
use tokio_util::task::TaskTracker;

use crate::access::{TokenStats, Verified};
use crate::derive::Derivation;
use crate::entry::Entry;
use crate::limits::{LIST_MAX, STORE_SCAN, TOKEN_LIFETIME, TOKEN_LIFETIME_MAX};
use crate::signing::{Ring, Signing};
use crate::stored::Stored;
use crate::table::Table;
use crate::used::UsedAssertions;
use crate::{Credential, KeyId, MasterKey, Seal, master_check};

/// Who may ask for what. Clones share everything.
///
/// A change that was begun is carried through, to the store and to memory, also when its future is dropped; it needs a tokio runtime.
/// After an error other than `Unavailable` everything is as it was. One server writes to a store at a time.
#[derive(Clone)]
pub struct Auth(Arc<Shared>);

/// How a server names itself, and for how long its tokens are valid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Who issues the access tokens, and who takes them: their `iss` and `aud`. Tokens of before it was changed are refused.
    pub issuer: String,
    /// How long an access token is valid; held between a second and [`TOKEN_LIFETIME_MAX`].
    pub token_lifetime: Duration,
}

/// Why credentials cannot be had.
#[derive(Clone, Debug, thiserror::Error)]
pub enum OpenError {
    /// There was never a master key.
    #[error(
        "the store has no master key yet: run `feedwire init`, which makes one, and a first credential"
    )]
    NotInitialised,
    /// It is another master key.
    #[error(
        "the master key is not the one that this store was made with, so no secret of it would be valid: find that key, in the key file or its copy"
    )]
    OtherMasterKey,
    /// An entry cannot be read.
    #[error("{entry} cannot be read from the store: {detail}")]
    Damaged {
        /// Which.
        entry: String,
        /// Why not.
        detail: String,
    },
    /// The engine could not do it.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

struct Shared {
    primary: Arc<dyn Primary>,
    clock: Arc<dyn Clock>,
    options: Options,
    derivation: Derivation,
    credentials: Space,
    table: RwLock<Table>,
    /// Held over a change of the store and of the table, so that both end with the same credential.
    writing: tokio::sync::Mutex<()>,
    signing: Signing,
    verified: Verified,
    used: UsedAssertions,
    tasks: TaskTracker,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            issuer: "feedwire".to_owned(),
            token_lifetime: TOKEN_LIFETIME,
        }
    }
}

impl Auth {
    /// Takes all credentials into memory, if `master` is the key that the store was made with.
    pub async fn open(
        primary: Arc<dyn Primary>,
        master: &MasterKey,
        clock: Arc<dyn Clock>,
        options: Options,
    ) -> Result<Self, OpenError> {
        let derivation = Derivation::new(master);
        master_check::check(&*primary, &derivation).await?;
        let credentials = space("credentials");
        let table = load(&*primary, &credentials, &derivation).await?;
        let used = UsedAssertions::new(space("assertions"));
        scan(&*primary, used.space(), |_, whose| {
            used.add(whose);
            Ok(())
        })
        .await?;
        Ok(Self(Arc::new(Shared {
            signing: Signing::new(&derivation, clock.now()),
            options: Options {
                token_lifetime: options
                    .token_lifetime
                    .clamp(Duration::from_secs(1), TOKEN_LIFETIME_MAX),
                ..options
            },
            primary,
            clock,
            derivation,
            credentials,
            table: RwLock::new(table),
            writing: tokio::sync::Mutex::default(),
            verified: Verified::new(),
            used,
            tasks: TaskTracker::new(),
        })))
    }

    /// Waits for the changes that are being made. Credentials prove what they did; nothing is to be changed any more.
    pub async fn close(&self) {
        self.0.tasks.close();
        self.0.tasks.wait().await;
    }

    /// The credential `key_id`, if its home is `home`.
    pub fn show(&self, home: &ProjectName, key_id: KeyId) -> Option<Arc<Credential>> {
        let entry = self.entry(key_id)?;
        let credential = &entry.credential;
        (credential.home == *home).then(|| Arc::clone(credential))
    }

    /// Up to `limit` credentials whose home is `home`, in order of their key ids from the first above `after`. `limit` is held below
    /// [`LIST_MAX`].
    pub fn list(
        &self,
        home: &ProjectName,
        after: Option<KeyId>,
        limit: usize,
    ) -> Vec<Arc<Credential>> {
        let table = self.0.table.read();
        let entries = table.at(home, after).take(limit.min(LIST_MAX));
        entries.map(|entry| Arc::clone(&entry.credential)).collect()
    }

    /// How many credentials there are.
    pub fn count(&self) -> usize {
        self.0.table.read().len()
    }

    /// How often access tokens were looked at.
    pub fn token_stats(&self) -> TokenStats {
        self.0.verified.stats()
    }

    /// The public keys of access tokens as a JSON Web Key Set: of the epoch before, the present and the next.
    pub fn jwks(&self) -> Value {
        self.ring(self.now()).jwks()
    }

    /// Seals other secrets that have to be kept.
    pub fn seal(&self) -> Seal {
        Seal::by(&self.0.derivation)
    }

    /// Who issues the access tokens.
    pub fn issuer(&self) -> &str {
        &self.0.options.issuer
    }

    /// How long an access token is valid.
    pub fn token_lifetime(&self) -> Duration {
        self.0.options.token_lifetime
    }

    /// Carries `change` through to its end even if whoever asked for it goes away: store and table change together.
    pub(crate) async fn whole<T: Send + 'static>(
        &self,
        change: impl Future<Output = T> + Send + 'static,
    ) -> T {
        match self.0.tasks.spawn(change).await {
            Ok(done) => done,
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.0.clock.now()
    }

    pub(crate) fn entry(&self, key_id: KeyId) -> Option<Arc<Entry>> {
        self.0.table.read().get(key_id).cloned()
    }

    pub(crate) fn ring(&self, now: Timestamp) -> Arc<Ring> {
        self.0.signing.ring(&self.0.derivation, now)
    }

    pub(crate) fn derivation(&self) -> &Derivation {
        &self.0.derivation
    }

    pub(crate) fn primary(&self) -> &dyn Primary {
        &*self.0.primary
    }

    /// Where credentials are kept.
    pub(crate) fn space(&self) -> &Space {
        &self.0.credentials
    }

    pub(crate) fn table(&self) -> &RwLock<Table> {
        &self.0.table
    }

    pub(crate) fn writing(&self) -> &tokio::sync::Mutex<()> {
        &self.0.writing
    }

    pub(crate) fn verified(&self) -> &Verified {
        &self.0.verified
    }

    pub(crate) fn used(&self) -> &UsedAssertions {
        &self.0.used
    }
}

impl fmt::Debug for Auth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Auth")
            .field("options", &self.0.options)
            .field("credentials", &self.count())
            .finish_non_exhaustive()
    }
}

/// A part of the store that is the server's own.
pub(crate) fn space(name: &'static str) -> Space {
    Space {
        project: ProjectName::system(),
        name,
    }
}

async fn load(
    primary: &dyn Primary,
    credentials: &Space,
    derivation: &Derivation,
) -> Result<Table, OpenError> {
    let mut table = Table::default();
    scan(primary, credentials, |key, value| {
        let stored = Stored::decode(key, value).map_err(|broken| OpenError::Damaged {
            entry: format!("the credential {}", key.escape_ascii()),
            detail: broken.to_string(),
        })?;
        table.put(Arc::new(Entry::new(stored, derivation, None)));
        Ok(())
    })
    .await?;
    Ok(table)
}

/// Calls `take` with the key and the value of every entry of `space`.
async fn scan(
    primary: &dyn Primary,
    space: &Space,
    mut take: impl FnMut(&[u8], &[u8]) -> Result<(), OpenError> + Send,
) -> Result<(), OpenError> {
    let mut after: Option<Bytes> = None;
    loop {
        let entries = primary
            .scan(space, b"", after.as_deref(), STORE_SCAN)
            .await?;
        let Some((last, _)) = entries.last() else {
            return Ok(());
        };
        after = Some(last.clone());
        for (key, entry) in entries {
            take(&key, &entry.value)?;
        }
    }
}
