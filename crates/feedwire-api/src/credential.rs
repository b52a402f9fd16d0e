//! Credentials: who may do what.

use serde::{Deserialize, Serialize};

use crate::RateLimits;

/// What `POST …/credentials` takes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewCredential {
    /// What people call it.
    #[serde(default)]
    pub display_name: String,
    /// The issuer of the assertions that are signed with its secret; one is made up where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// What it may do; at least one.
    pub grants: Vec<CredentialGrant>,
    /// When it ends, RFC 3339; `None` is never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<String>,
    /// What it may take of the server.
    #[serde(default)]
    pub limits: RateLimits,
}

/// What may be done in a project, or in several.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CredentialGrant {
    /// The project; `acme.*` is every descendant of `acme`, `*` every project there is.
    pub project: String,
    /// Of `publish`, `read`, `streams`, `connectors` and `admin`, which brings all others.
    pub rights: Vec<String>,
    /// The feeds, such as `orders` or `orders.*`; empty is every one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub feeds: Vec<String>,
    /// Only these subjects.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub subjects: Vec<String>,
    /// Only subjects that have all of these labels now: `key`, or `key=value`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<String>,
}

/// A credential, without its secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credential {
    /// What it is named by; not secret.
    pub key_id: String,
    /// The project that it is managed in.
    pub project: String,
    /// What people call it.
    pub display_name: String,
    /// The issuer of the assertions that are signed with its secret.
    pub email: String,
    /// What it may do.
    pub grants: Vec<CredentialGrant>,
    /// Whether it is taken at all.
    pub enabled: bool,
    /// When it was made, RFC 3339.
    pub created_at: String,
    /// When it ends, RFC 3339; `None` is never.
    pub expires_at: Option<String>,
    /// Until when the secret before the present one is taken, RFC 3339; `None` where there is none.
    pub old_secret_until: Option<String>,
    /// What it may take of the server.
    pub limits: RateLimits,
}

/// What `POST …/credentials` and `…/rotate` answer: the only time that the secret is told.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CredentialWithSecret {
    /// The credential.
    #[serde(flatten)]
    pub credential: Credential,
    /// Its secret.
    pub secret: String,
    /// Key id and secret as a token, for `Authorization: Bearer`.
    pub token: String,
}

impl std::fmt::Debug for CredentialWithSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CredentialWithSecret")
            .field("credential", &self.credential)
            .finish_non_exhaustive()
    }
}

/// What `GET …/credentials` answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credentials {
    /// In order of their key ids.
    pub credentials: Vec<Credential>,
    /// What to ask for as `after` for more; `None` when there are none.
    pub next: Option<String>,
}

/// What `PATCH …/credentials/{key_id}` takes: what is not there stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct CredentialChange {
    /// What people call it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// The issuer of the assertions that are signed with its secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// What it may do, all of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grants: Option<Vec<CredentialGrant>>,
    /// When it ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Expiry>,
    /// Whether it is taken at all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// What it may take of the server, all of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limits: Option<RateLimits>,
}

/// When a credential ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Expiry {
    /// At this time, RFC 3339.
    At(String),
    /// `null`.
    Never,
}

/// What `POST …/credentials/{key_id}/rotate` takes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rotation {
    /// How long the present secret is still taken, such as `1d`; without it, not at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overlap: Option<String>,
}
