//! Making, changing, rotating and revoking credentials.
//!
//! The store changes first, then the table; a change that was begun is carried through even if whoever asked for it goes away. When
//! the engine cannot say whether it has written, the table takes what the store says, as soon as it says something.

use std::sync::Arc;
use std::time::Duration;

use feedwire_core::store::Check;
use feedwire_engine::{MinFree, Precondition, PutError, Unavailable};
use feedwire_event::{ProjectName, Timestamp};

use crate::entry::Entry;
use crate::limits::{CREDENTIALS_MAX, OVERLAP_MAX, PROJECT_CREDENTIALS_MAX};
use crate::stored::Stored;
use crate::{Auth, Credential, CredentialChange, Expiry, Invalid, KeyId, NewCredential, Secret};

/// A credential with a new secret, which is told this once.
#[derive(Clone, Debug)]
pub struct Created {
    /// The credential.
    pub credential: Arc<Credential>,
    /// Its secret.
    pub secret: Secret,
}

/// Why a credential was not made.
#[derive(Clone, Debug, thiserror::Error)]
pub enum CreateError {
    /// It cannot be as it was asked for.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// There is one of this key id.
    #[error("there is a credential {0} already")]
    Taken(KeyId),
    /// The project has as many as it can have.
    #[error("a project has at most {PROJECT_CREDENTIALS_MAX} credentials")]
    ProjectFull,
    /// The server has as many as it can have.
    #[error("a server has at most {CREDENTIALS_MAX} credentials")]
    ServerFull,
    /// There is no room.
    #[error("no space left in the store{0}")]
    NoSpace(MinFree),
    /// The engine could not do it. There may be a credential now whose secret nobody knows.
    #[error(transparent)]
    Unavailable(Unavailable),
}

/// Why a credential was not changed.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ChangeError {
    /// There is none of that home.
    #[error("there is no credential {0} here")]
    Unknown(KeyId),
    /// It cannot be as it was asked for.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// It is not what the change was made for.
    #[error("it was changed meanwhile: read it again, and decide anew")]
    Changed,
    /// There is no room.
    #[error("no space left in the store{0}")]
    NoSpace(MinFree),
    /// The engine could not do it.
    #[error(transparent)]
    Unavailable(Unavailable),
}

/// Why a credential got no new secret.
#[derive(Clone, Debug, thiserror::Error)]
pub enum RotateError {
    /// There is none of that home.
    #[error("there is no credential {0} here")]
    Unknown(KeyId),
    /// The older secret would be valid for too long.
    #[error("an older secret is valid for at most {} days beside the new one", OVERLAP_MAX.as_secs() / 86_400)]
    Overlap,
    /// It was changed meanwhile.
    #[error("it was changed meanwhile: read it again, and decide anew")]
    Changed,
    /// There is no room.
    #[error("no space left in the store{0}")]
    NoSpace(MinFree),
    /// The engine could not do it. The secret may have changed to one that nobody knows: rotate again.
    #[error(transparent)]
    Unavailable(Unavailable),
}

/// Why a credential was not revoked.
#[derive(Clone, Debug, thiserror::Error)]
pub enum RevokeError {
    /// There is none of that home.
    #[error("there is no credential {0} here")]
    Unknown(KeyId),
    /// It was changed meanwhile.
    #[error("it was changed meanwhile: read it again, and decide anew")]
    Changed,
    /// There is no room, which removing takes too.
    #[error("no space left in the store{0}")]
    NoSpace(MinFree),
    /// The engine could not do it. It may be revoked after all: ask again.
    #[error(transparent)]
    Unavailable(Unavailable),
}

/// Why the store and the table stay as they are.
#[derive(Debug)]
pub(crate) enum WriteError {
    Unknown(KeyId),
    Changed,
    NoSpace(MinFree),
    Unavailable(Unavailable),
}

impl Auth {
    /// Makes a credential.
    pub async fn create(&self, new: NewCredential) -> Result<Created, CreateError> {
        let auth = self.clone();
        self.whole(async move { auth.create_whole(new).await })
            .await
    }

    /// Changes what `change` says of a credential of `home`, if what is there passes `check`.
    pub async fn change(
        &self,
        home: &ProjectName,
        key_id: KeyId,
        change: CredentialChange,
        check: Option<Check<Credential>>,
    ) -> Result<Arc<Credential>, ChangeError> {
        let (auth, home) = (self.clone(), home.clone());
        self.whole(async move { auth.change_whole(&home, key_id, change, check).await })
            .await
    }

    /// Gives a credential of `home` a new secret, if what is there passes `check`. The one before stays valid for `overlap`; one that
    /// was older still ends at once, for of a secret that leaked there must be no way to make it stay.
    ///
    /// Whoever is told the secret may do what the credential may: ask [`may_give`](crate::Principal::may_give) about its grants first,
    /// and `check` that they are still those.
    pub async fn rotate(
        &self,
        home: &ProjectName,
        key_id: KeyId,
        overlap: Duration,
        check: Option<Check<Credential>>,
    ) -> Result<Created, RotateError> {
        let (auth, home) = (self.clone(), home.clone());
        self.whole(async move { auth.rotate_whole(&home, key_id, overlap, check).await })
            .await
    }

    /// Removes a credential of `home` for good, if what is there passes `check`.
    pub async fn revoke(
        &self,
        home: &ProjectName,
        key_id: KeyId,
        check: Option<Check<Credential>>,
    ) -> Result<(), RevokeError> {
        let (auth, home) = (self.clone(), home.clone());
        let revoked = self.whole(async move {
            let _writing = auth.writing().lock().await;
            auth.remove(&home, key_id, check).await
        });
        Ok(revoked.await?)
    }

    async fn create_whole(&self, new: NewCredential) -> Result<Created, CreateError> {
        let _writing = self.writing().lock().await;
        let now = self.now();
        let stored = made(new, now)?;
        let (key_id, version) = (stored.credential.key_id, stored.version);
        {
            let table = self.table().read();
            if table.len() >= CREDENTIALS_MAX {
                return Err(CreateError::ServerFull);
            }
            if table.len_at(&stored.credential.home) >= PROJECT_CREDENTIALS_MAX {
                return Err(CreateError::ProjectFull);
            }
        }
        let written = self.write(stored, Precondition::Absent).await;
        let entry = written.map_err(|error| CreateError::from_write(error, key_id))?;
        Ok(Created {
            credential: Arc::clone(&entry.credential),
            secret: self.derivation().secret(key_id, version),
        })
    }

    async fn change_whole(
        &self,
        home: &ProjectName,
        key_id: KeyId,
        change: CredentialChange,
        check: Option<Check<Credential>>,
    ) -> Result<Arc<Credential>, ChangeError> {
        let _writing = self.writing().lock().await;
        let (mut stored, precondition) = self.checked(home, key_id, check).await?;
        apply(change, &mut stored.credential, self.now())?;
        let entry = self.write(stored, precondition).await?;
        Ok(Arc::clone(&entry.credential))
    }

    async fn rotate_whole(
        &self,
        home: &ProjectName,
        key_id: KeyId,
        overlap: Duration,
        check: Option<Check<Credential>>,
    ) -> Result<Created, RotateError> {
        if overlap > OVERLAP_MAX {
            return Err(RotateError::Overlap);
        }
        let _writing = self.writing().lock().await;
        let (mut stored, precondition) = self.checked(home, key_id, check).await?;
        let now = self.now();
        let older = Some(stored.version).filter(|_| !overlap.is_zero());
        stored.version = version_at(now).max(stored.version + 1);
        stored.older_version = older;
        stored.credential.older_secret_until = older.map(|_| now.after(overlap));
        stored.credential.rotated_at = now;
        let version = stored.version;
        let entry = self.write(stored, precondition).await?;
        Ok(Created {
            credential: Arc::clone(&entry.credential),
            secret: self.derivation().secret(key_id, version),
        })
    }

    /// What the store has of a credential of `home`, and what a change of it depends on.
    pub(crate) async fn stored(
        &self,
        home: &ProjectName,
        key_id: KeyId,
    ) -> Result<(Stored, Precondition), WriteError> {
        let entry = self.primary().get(self.space(), key_id.as_bytes()).await;
        let entry = entry.map_err(WriteError::Unavailable)?;
        let Some(entry) = entry else {
            self.forget(key_id);
            return Err(WriteError::Unknown(key_id));
        };
        let mut stored = Stored::decode(key_id.as_bytes(), &entry.value)
            .map_err(|broken| WriteError::Unavailable(Unavailable::new(broken)))?;
        let credential = &mut stored.credential;
        if credential.home != *home {
            return Err(WriteError::Unknown(key_id));
        }
        let now = self.now();
        if credential.older_secret_until.is_some_and(|end| end <= now) {
            credential.older_secret_until = None;
            stored.older_version = None;
        }
        Ok((stored, Precondition::Revision(entry.revision)))
    }

    /// The same, if it passes `check`.
    async fn checked(
        &self,
        home: &ProjectName,
        key_id: KeyId,
        check: Option<Check<Credential>>,
    ) -> Result<(Stored, Precondition), WriteError> {
        let (stored, precondition) = self.stored(home, key_id).await?;
        if check.is_some_and(|check| !check(&stored.credential)) {
            return Err(WriteError::Changed);
        }
        Ok((stored, precondition))
    }

    /// Writes `stored`, first to the store and then to the table.
    pub(crate) async fn write(
        &self,
        stored: Stored,
        precondition: Precondition,
    ) -> Result<Arc<Entry>, WriteError> {
        let key_id = stored.credential.key_id;
        let key = key_id.as_bytes();
        let put = self
            .primary()
            .put(self.space(), key, stored.encode(), precondition);
        if let Err(error) = put.await {
            self.take_from_store(key_id).await;
            return Err(error.into());
        }
        Ok(self.take(stored))
    }

    /// Removes a credential of `home`, first from the store and then from the table.
    pub(crate) async fn remove(
        &self,
        home: &ProjectName,
        key_id: KeyId,
        check: Option<Check<Credential>>,
    ) -> Result<(), WriteError> {
        let (_, precondition) = self.checked(home, key_id, check).await?;
        let key = key_id.as_bytes();
        let removed = self.primary().delete(self.space(), key, precondition).await;
        if let Err(error) = removed {
            self.take_from_store(key_id).await;
            return Err(error.into());
        }
        self.forget(key_id);
        Ok(())
    }

    /// After a failure that may have changed the store all the same, makes the table say what the store says.
    async fn take_from_store(&self, key_id: KeyId) {
        let entry = self.primary().get(self.space(), key_id.as_bytes()).await;
        match entry.map(|entry| entry.map(|entry| entry.value)) {
            Ok(None) => self.forget(key_id),
            Ok(Some(value)) => {
                if let Ok(stored) = Stored::decode(key_id.as_bytes(), &value) {
                    self.take(stored);
                }
            }
            // Nothing is known: what was true stays true until somebody tries again.
            Err(Unavailable(_)) => (),
        }
    }

    fn take(&self, stored: Stored) -> Arc<Entry> {
        let before = self.entry(stored.credential.key_id);
        let entry = Arc::new(Entry::new(stored, self.derivation(), before.as_deref()));
        self.table().write().put(Arc::clone(&entry));
        if let Some(before) = before {
            before.give_way(Some(&entry));
        }
        entry
    }

    fn forget(&self, key_id: KeyId) {
        let before = self.entry(key_id);
        self.table().write().remove(key_id);
        if let Some(before) = before {
            before.give_way(None);
        }
    }
}

/// A version of a secret that is made at `now`. Two that are made at different times differ, also if the one was made before the
/// store went back to an older backup.
fn version_at(now: Timestamp) -> u64 {
    u64::try_from(now.as_micros()).unwrap_or(0).max(1)
}

fn made(new: NewCredential, now: Timestamp) -> Result<Stored, Invalid> {
    new.check(now)?;
    let NewCredential {
        key_id,
        home,
        display_name,
        email,
        grants,
        expires_at,
        enabled,
        limits,
    } = new;
    let credential = Credential {
        email: email.unwrap_or_else(|| format!("{key_id}@{home}.feedwire")),
        key_id,
        home,
        display_name,
        grants,
        expires_at,
        enabled,
        created_at: now,
        rotated_at: now,
        older_secret_until: None,
        limits,
    };
    Ok(Stored {
        credential,
        version: version_at(now),
        older_version: None,
    })
}

fn apply(
    change: CredentialChange,
    credential: &mut Credential,
    now: Timestamp,
) -> Result<(), Invalid> {
    change.check(&credential.home, now)?;
    let CredentialChange {
        display_name,
        email,
        grants,
        expires_at,
        enabled,
        limits,
    } = change;
    credential.expires_at = match expires_at {
        None => credential.expires_at,
        Some(Expiry::Never) => None,
        Some(Expiry::At(end)) => Some(end),
    };
    set(&mut credential.display_name, display_name);
    set(&mut credential.email, email);
    set(&mut credential.grants, grants);
    set(&mut credential.enabled, enabled);
    set(&mut credential.limits, limits);
    Ok(())
}

fn set<T>(place: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *place = value;
    }
}

impl From<PutError> for WriteError {
    fn from(error: PutError) -> Self {
        match error {
            PutError::Changed { .. } => Self::Changed,
            PutError::NoSpace(min_free) => Self::NoSpace(min_free),
            PutError::Unavailable(unavailable) => Self::Unavailable(unavailable),
        }
    }
}

impl CreateError {
    fn from_write(error: WriteError, key_id: KeyId) -> Self {
        match error {
            WriteError::Unknown(_) | WriteError::Changed => Self::Taken(key_id),
            WriteError::NoSpace(min_free) => Self::NoSpace(min_free),
            WriteError::Unavailable(unavailable) => Self::Unavailable(unavailable),
        }
    }
}

macro_rules! from_write_error {
    ($($error:ident),*) => {
        $(impl From<WriteError> for $error {
            fn from(error: WriteError) -> Self {
                match error {
                    WriteError::Unknown(key_id) => Self::Unknown(key_id),
                    WriteError::Changed => Self::Changed,
                    WriteError::NoSpace(min_free) => Self::NoSpace(min_free),
                    WriteError::Unavailable(unavailable) => Self::Unavailable(unavailable),
                }
            }
        })*
    };
}

from_write_error!(ChangeError, RotateError, RevokeError);
