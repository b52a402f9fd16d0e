//! Who asks.

use std::fmt;
use std::sync::Arc;

use feedwire_core::{Allowance, Grant, RateLimits, Right, Rights};
use feedwire_event::{ProjectName, Timestamp};
use tokio_util::sync::CancellationToken;

use crate::entry::{Entry, Version};
use crate::{Credential, CredentialGrant, KeyId, ProjectPattern};

/// Somebody whose proof was good: the credential as it was at that moment. Cheap to clone.
#[derive(Clone)]
pub struct Principal {
    entry: Arc<Entry>,
    /// The rights that the token was asked for with; `None` leaves all.
    scope: Option<Rights>,
    expires_at: Option<Timestamp>,
    /// The version of the secret that proved it, or that its token was got by.
    version: u64,
    ended: CancellationToken,
}

/// Somebody wanted to give what they do not administer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("whoever grants something in {projects} needs the right to admin there")]
pub struct NotYours {
    /// What was to be granted.
    pub projects: ProjectPattern,
}

impl Principal {
    pub(crate) fn new(entry: &Arc<Entry>, version: &Version) -> Self {
        Self {
            entry: Arc::clone(entry),
            scope: None,
            expires_at: None,
            version: version.number,
            ended: version.ended.clone(),
        }
    }

    pub(crate) fn by_token(self, scope: Option<Rights>, expires_at: Timestamp) -> Self {
        Self {
            scope,
            expires_at: Some(expires_at),
            ..self
        }
    }

    /// The credential.
    pub fn credential(&self) -> &Credential {
        &self.entry.credential
    }

    /// Its name.
    pub fn key_id(&self) -> KeyId {
        self.credential().key_id
    }

    /// What it is called.
    pub fn display_name(&self) -> &str {
        &self.credential().display_name
    }

    /// How much it may ask for.
    pub fn limits(&self) -> RateLimits {
        self.credential().limits
    }

    /// When the access token expires by which it was proved; `None` if it was by the secret.
    pub fn expires_at(&self) -> Option<Timestamp> {
        self.expires_at
    }

    /// What it may do in `project`: the narrowest grant that fits, and of that what the token was asked for with.
    pub fn grant(&self, project: &ProjectName) -> Option<Grant> {
        let allowance = self.allowed(project)?;
        let grant = Grant::new(project.clone(), Arc::clone(allowance));
        Some(match self.scope {
            None => grant,
            Some(scope) => grant.narrowed(scope),
        })
    }

    /// Whether it may do anything at all in `project`. To others the project is not there.
    pub fn sees(&self, project: &ProjectName) -> bool {
        self.allowed(project).is_some()
    }

    /// Whether it may do everything with the server itself: it has the right to admin in the server's own project.
    pub fn is_server_admin(&self) -> bool {
        let allowance = self.allowed(&ProjectName::system());
        allowance.is_some_and(|allowance| self.narrowed(allowance).has(Right::Admin))
    }

    /// Whether it may make a credential with these grants: it has the right to admin in each project that is granted.
    pub fn may_give(&self, grants: &[CredentialGrant]) -> Result<(), NotYours> {
        let is_narrowed = self.scope.is_some_and(|scope| !scope.has(Right::Admin));
        let is_others = |grant: &&CredentialGrant| {
            is_narrowed || !self.entry.rules.administers(&grant.projects)
        };
        grants.iter().find(is_others).map_or(Ok(()), |grant| {
            Err(NotYours {
                projects: grant.projects.clone(),
            })
        })
    }

    /// Cancelled when what it may do has changed or ended: its credential is revoked, disabled or expired, has other grants, or the
    /// secret that it was proved by, or its token was got by, is no longer valid. Not when only the access token expires.
    pub fn ended(&self) -> &CancellationToken {
        &self.ended
    }

    /// Every right that it has somewhere.
    pub(crate) fn rights(&self) -> Rights {
        let grants = self.credential().grants.iter();
        let rights = grants.flat_map(|grant| self.narrowed(&grant.allowance).iter());
        rights.collect()
    }

    pub(crate) fn version(&self) -> u64 {
        self.version
    }

    /// When at the latest all that it proves ends.
    pub(crate) fn end(&self) -> Timestamp {
        self.entry.end_of(self.version)
    }

    /// The allowance there, if the scope leaves any of its rights.
    fn allowed(&self, project: &ProjectName) -> Option<&Arc<Allowance>> {
        let allowance = self.entry.rules.of(project)?;
        (!self.narrowed(allowance).is_empty()).then_some(allowance)
    }

    fn narrowed(&self, allowance: &Allowance) -> Rights {
        let rights = allowance.rights;
        self.scope.map_or(rights, |scope| rights.and(scope))
    }
}

impl fmt::Debug for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Principal")
            .field("key_id", &self.key_id())
            .field("scope", &self.scope)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}
