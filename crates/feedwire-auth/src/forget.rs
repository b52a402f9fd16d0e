//! What has to go before a project is deleted: whatever would open a later project of the same name.

use std::collections::HashMap;
use std::sync::Arc;

use feedwire_engine::{MinFree, Unavailable};
use feedwire_event::ProjectName;
use tokio::task::JoinSet;

use crate::change::WriteError;
use crate::{Auth, Credential, CredentialGrant, KeyId};

/// How many credentials are changed at once: as many as the store syncs together. Nobody else's are changed meanwhile.
const FORGOTTEN_AT_ONCE: usize = 256;

/// What was done about one credential.
#[derive(Clone, Copy, Debug)]
enum Change {
    Revoked,
    Narrowed,
}

/// What was done about a project's credentials.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Forgotten {
    /// The credentials whose home it was; they are gone.
    pub revoked: Vec<KeyId>,
    /// The credentials of other homes that had grants in it; they have them no longer.
    pub narrowed: Vec<KeyId>,
}

/// Why not everything is forgotten. Some may be: ask again.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ForgetError {
    /// There is no room, which removing takes too.
    #[error("no space left in the store{0}")]
    NoSpace(MinFree),
    /// The engine could not do it.
    #[error(transparent)]
    Unavailable(Unavailable),
}

impl Auth {
    /// Revokes every credential whose home is `project`, and takes out of all others the grants of exactly `project`, and outside of
    /// the server's own home those of its descendants.
    ///
    /// Wider patterns stay: `*` and `acme.*` say nothing of `acme.eu` alone. A credential without a grant left stays too, and may do
    /// nothing. To be called when nobody can make credentials for the project any more, and again where it did not come to an end.
    pub async fn forget_project(&self, project: &ProjectName) -> Result<Forgotten, ForgetError> {
        let (auth, project) = (self.clone(), project.clone());
        self.whole(async move { auth.forget_whole(&project).await })
            .await
    }

    async fn forget_whole(&self, project: &ProjectName) -> Result<Forgotten, ForgetError> {
        let _writing = self.writing().lock().await;
        let concerned: Vec<Arc<Credential>> = {
            let table = self.table().read();
            let credentials = table.all().map(|entry| &entry.credential);
            let concerned = credentials.filter(|credential| concerns(credential, project));
            concerned.cloned().collect()
        };
        let mut forgotten = Forgotten::default();
        for some in concerned.chunks(FORGOTTEN_AT_ONCE) {
            let mut changes = JoinSet::new();
            for credential in some {
                let (auth, credential) = (self.clone(), Arc::clone(credential));
                let project = project.clone();
                changes.spawn(async move {
                    let key_id = credential.key_id;
                    (key_id, auth.forget_one(&credential, &project).await)
                });
            }
            let mut changes: HashMap<KeyId, _> = changes.join_all().await.into_iter().collect();
            for key_id in some.iter().map(|credential| credential.key_id) {
                match changes.remove(&key_id).transpose()?.flatten() {
                    Some(Change::Revoked) => forgotten.revoked.push(key_id),
                    Some(Change::Narrowed) => forgotten.narrowed.push(key_id),
                    None => {}
                }
            }
        }
        Ok(forgotten)
    }

    /// What was done about `credential`; `None` where it is gone already.
    async fn forget_one(
        &self,
        credential: &Credential,
        project: &ProjectName,
    ) -> Result<Option<Change>, ForgetError> {
        let (done, change) = if credential.home == *project {
            let removed = self.remove(project, credential.key_id, None).await;
            // Gone already is as good.
            let removed = match removed {
                Err(WriteError::Unknown(_)) => Ok(()),
                removed => removed,
            };
            (removed, Change::Revoked)
        } else {
            (self.narrow(credential, project).await, Change::Narrowed)
        };
        match done {
            Ok(()) => Ok(Some(change)),
            Err(WriteError::Unknown(_)) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    async fn narrow(
        &self,
        credential: &Credential,
        project: &ProjectName,
    ) -> Result<(), WriteError> {
        let (mut stored, precondition) = self.stored(&credential.home, credential.key_id).await?;
        let home = credential.home.clone();
        let grants = &mut stored.credential.grants;
        grants.retain(|grant| !opens(grant, &home, project));
        self.write(stored, precondition).await.map(drop)
    }
}

fn concerns(credential: &Credential, project: &ProjectName) -> bool {
    let Credential { home, grants, .. } = credential;
    home == project || grants.iter().any(|grant| opens(grant, home, project))
}

/// Whether a grant of a credential of `home` is for `project` and nothing wider.
fn opens(grant: &CredentialGrant, home: &ProjectName, project: &ProjectName) -> bool {
    let projects = &grant.projects;
    projects.name() == Some(project) || (!home.is_system() && projects.is_below(project))
}

impl From<WriteError> for ForgetError {
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::NoSpace(min_free) => Self::NoSpace(min_free),
            WriteError::Unavailable(unavailable) => Self::Unavailable(unavailable),
            // Only this server writes, one change at a time.
            WriteError::Unknown(_) | WriteError::Changed => {
                Self::Unavailable(Unavailable::new("a credential was changed meanwhile"))
            }
        }
    }
}
