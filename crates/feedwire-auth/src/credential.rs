//! What is known of whoever asks.

use std::sync::Arc;

use feedwire_core::{Allowance, RateLimits};
use feedwire_event::{ProjectName, Timestamp};

use crate::{KeyId, ProjectPattern};

/// What proves somebody, and what they may do. Its secret is not part of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credential {
    /// Its name.
    pub key_id: KeyId,
    /// The project where it was made and is managed.
    pub home: ProjectName,
    /// What it is called.
    pub display_name: String,
    /// The issuer of the assertions that are signed with its secret.
    pub email: String,
    /// What it may do where, a pattern once.
    pub grants: Vec<CredentialGrant>,
    /// When it ends.
    pub expires_at: Option<Timestamp>,
    /// Whether it proves anything.
    pub enabled: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// When its secret was made.
    pub rotated_at: Timestamp,
    /// Until when the secret before is valid too; that may be over.
    pub older_secret_until: Option<Timestamp>,
    /// How much it may ask for.
    pub limits: RateLimits,
}

/// What may be done in some projects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CredentialGrant {
    /// Where.
    pub projects: ProjectPattern,
    /// What.
    pub allowance: Arc<Allowance>,
}

/// A credential that is to be made.
#[derive(Clone, Debug)]
pub struct NewCredential {
    /// Its name: one that nobody else was given, [`KeyId::random`]. It is known before the credential is, so that a record of who made it
    /// can be written first.
    pub key_id: KeyId,
    /// The project where it is managed.
    pub home: ProjectName,
    /// What it is called: up to [`DISPLAY_NAME_BYTES_MAX`](crate::limits::DISPLAY_NAME_BYTES_MAX) bytes without control characters.
    pub display_name: String,
    /// The issuer of signed assertions; `<key id>@<home>.feedwire` if there is none.
    pub email: Option<String>,
    /// What it may do where: at least one.
    pub grants: Vec<CredentialGrant>,
    /// When it ends: later than now.
    pub expires_at: Option<Timestamp>,
    /// Whether it proves anything.
    pub enabled: bool,
    /// How much it may ask for.
    pub limits: RateLimits,
}

/// What is to be changed of a credential; what is `None` stays.
#[derive(Clone, Debug, Default)]
pub struct CredentialChange {
    /// What it is called.
    pub display_name: Option<String>,
    /// The issuer of signed assertions.
    pub email: Option<String>,
    /// What it may do where, all of it. Streams that run end if it is not what it was.
    pub grants: Option<Vec<CredentialGrant>>,
    /// When it ends.
    pub expires_at: Option<Expiry>,
    /// Whether it proves anything. Streams that run end if not.
    pub enabled: Option<bool>,
    /// How much it may ask for.
    pub limits: Option<RateLimits>,
}

/// When a credential ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expiry {
    /// When it is revoked.
    Never,
    /// Then: later than now.
    At(Timestamp),
}

impl From<Option<Timestamp>> for Expiry {
    fn from(end: Option<Timestamp>) -> Self {
        end.map_or(Self::Never, Self::At)
    }
}

impl Credential {
    /// Whether it proves anything at `now`.
    pub fn is_live(&self, now: Timestamp) -> bool {
        self.enabled && self.expires_at.is_none_or(|end| now < end)
    }
}
