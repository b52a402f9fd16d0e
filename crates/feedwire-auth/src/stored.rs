//! A credential as it is at rest: JSON with a number of its format, and no secret in it.
//!
//! The layout stands in `docs/internals/secrets.md`. Times are microseconds since the epoch.

use std::sync::Arc;

use bytes::Bytes;
use feedwire_core::{Allowance, Confinement, FeedPattern, LabelFilter, RateLimits, Right};
use feedwire_event::{ProjectName, Subject, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{Credential, CredentialGrant, KeyId};

const FORMAT: u32 = 1;

/// A credential, with the versions of its secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stored {
    pub(crate) credential: Credential,
    /// The version of the secret. It grows with time, also over a restored backup: no version comes twice.
    pub(crate) version: u64,
    /// The version before, valid until [`Credential::older_secret_until`].
    pub(crate) older_version: Option<u64>,
}

/// Why an entry cannot be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Broken {
    #[error("it is of format {0}, which this server does not know")]
    Format(u32),
    #[error("it is not what a credential is written as")]
    Json(#[from] serde_json::Error),
    #[error("its {0} is none")]
    Field(&'static str),
}

#[derive(Deserialize)]
struct DiskFormat {
    format: u32,
}

#[derive(Serialize, Deserialize)]
struct Disk {
    format: u32,
    home: String,
    display_name: String,
    email: String,
    grants: Vec<DiskGrant>,
    expires_at: Option<i64>,
    enabled: bool,
    created_at: i64,
    version: u64,
    rotated_at: i64,
    older: Option<DiskOlder>,
    limits: DiskLimits,
}

#[derive(Serialize, Deserialize)]
struct DiskOlder {
    version: u64,
    until: i64,
}

#[derive(Serialize, Deserialize)]
struct DiskGrant {
    projects: String,
    rights: Vec<String>,
    feeds: Vec<String>,
    confinement: Option<DiskConfinement>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum DiskConfinement {
    Subjects(Vec<String>),
    Labels(Vec<DiskLabel>),
}

#[derive(Serialize, Deserialize)]
struct DiskLabel {
    key: String,
    value: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct DiskLimits {
    requests_per_second: Option<u64>,
    publish_bytes_per_second: Option<u64>,
    readers: Option<u64>,
}

impl Stored {
    pub(crate) fn encode(&self) -> Bytes {
        let json = serde_json::to_vec(&Disk::from(self));
        json.expect("texts and numbers are JSON").into()
    }

    pub(crate) fn decode(key: &[u8], value: &[u8]) -> Result<Self, Broken> {
        let DiskFormat { format } = serde_json::from_slice(value)?;
        if format != FORMAT {
            return Err(Broken::Format(format));
        }
        let disk: Disk = serde_json::from_slice(value)?;
        let key_id = std::str::from_utf8(key).ok();
        let key_id = key_id.and_then(|key_id| key_id.parse().ok());
        disk.into_stored(key_id.ok_or(Broken::Field("key id"))?)
    }
}

impl From<&Stored> for Disk {
    fn from(stored: &Stored) -> Self {
        let credential = &stored.credential;
        let older = stored.older_version.zip(credential.older_secret_until);
        let RateLimits {
            requests_per_second,
            publish_bytes_per_second,
            readers,
        } = credential.limits;
        Self {
            format: FORMAT,
            home: credential.home.to_string(),
            display_name: credential.display_name.clone(),
            email: credential.email.clone(),
            grants: credential.grants.iter().map(DiskGrant::from).collect(),
            expires_at: credential.expires_at.map(Timestamp::as_micros),
            enabled: credential.enabled,
            created_at: credential.created_at.as_micros(),
            version: stored.version,
            rotated_at: credential.rotated_at.as_micros(),
            older: older.map(|(version, until)| DiskOlder {
                version,
                until: until.as_micros(),
            }),
            limits: DiskLimits {
                requests_per_second,
                publish_bytes_per_second,
                readers,
            },
        }
    }
}

impl Disk {
    fn into_stored(self, key_id: KeyId) -> Result<Stored, Broken> {
        let grants = self.grants.into_iter().map(CredentialGrant::try_from);
        let (older_version, older_until) = self
            .older
            .map(|older| (older.version, Timestamp::from_micros(older.until)))
            .unzip();
        let home = ProjectName::new(&self.home).ok();
        let credential = Credential {
            key_id,
            home: home.ok_or(Broken::Field("home"))?,
            display_name: self.display_name,
            email: self.email,
            grants: grants.collect::<Result<_, _>>()?,
            expires_at: self.expires_at.map(Timestamp::from_micros),
            enabled: self.enabled,
            created_at: Timestamp::from_micros(self.created_at),
            rotated_at: Timestamp::from_micros(self.rotated_at),
            older_secret_until: older_until,
            limits: RateLimits {
                requests_per_second: self.limits.requests_per_second,
                publish_bytes_per_second: self.limits.publish_bytes_per_second,
                readers: self.limits.readers,
            },
        };
        Ok(Stored {
            credential,
            version: self.version,
            older_version,
        })
    }
}

impl From<&CredentialGrant> for DiskGrant {
    fn from(grant: &CredentialGrant) -> Self {
        let Allowance {
            rights,
            feeds,
            confinement,
        } = &*grant.allowance;
        Self {
            projects: grant.projects.to_string(),
            rights: rights.iter().map(|right| right.to_string()).collect(),
            feeds: feeds.iter().map(ToString::to_string).collect(),
            confinement: confinement.as_ref().map(DiskConfinement::from),
        }
    }
}

impl TryFrom<DiskGrant> for CredentialGrant {
    type Error = Broken;

    fn try_from(grant: DiskGrant) -> Result<Self, Broken> {
        let projects = grant.projects.parse().ok();
        let rights = grant.rights.iter().map(|right| right.parse::<Right>().ok());
        let feeds = grant
            .feeds
            .iter()
            .map(|feed| feed.parse::<FeedPattern>().ok());
        let confinement = grant.confinement.map(Confinement::try_from).transpose()?;
        let allowance = Allowance {
            rights: rights
                .collect::<Option<_>>()
                .ok_or(Broken::Field("list of rights"))?,
            feeds: feeds
                .collect::<Option<_>>()
                .ok_or(Broken::Field("list of feeds"))?,
            confinement,
        };
        Ok(Self {
            projects: projects.ok_or(Broken::Field("pattern of projects"))?,
            allowance: Arc::new(allowance),
        })
    }
}

impl From<&Confinement> for DiskConfinement {
    fn from(confinement: &Confinement) -> Self {
        match confinement {
            Confinement::Subjects(subjects) => {
                Self::Subjects(subjects.iter().map(ToString::to_string).collect())
            }
            Confinement::Labels(labels) => {
                let labels = labels.iter().map(|LabelFilter { key, value }| DiskLabel {
                    key: key.clone(),
                    value: value.clone(),
                });
                Self::Labels(labels.collect())
            }
        }
    }
}

impl TryFrom<DiskConfinement> for Confinement {
    type Error = Broken;

    fn try_from(confinement: DiskConfinement) -> Result<Self, Broken> {
        match confinement {
            DiskConfinement::Subjects(subjects) => {
                let subjects = subjects.iter().map(|subject| Subject::new(subject).ok());
                let subjects = subjects.collect::<Option<_>>();
                Ok(Self::Subjects(
                    subjects.ok_or(Broken::Field("list of subjects"))?,
                ))
            }
            DiskConfinement::Labels(labels) => {
                let labels = labels
                    .into_iter()
                    .map(|DiskLabel { key, value }| LabelFilter { key, value });
                Ok(Self::Labels(labels.collect()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &[u8] = b"abcdefghij0123456789";
    const WHOLE: &str = r#"{"format":1,"home":"acme","display_name":"Door","email":"door@acme.example","grants":[{"projects":"acme","rights":["publish","read"],"feeds":["orders","orders.*","*"],"confinement":{"subjects":["N14228"]}},{"projects":"acme.*","rights":["read"],"feeds":[],"confinement":{"labels":[{"key":"room","value":"lobby"},{"key":"floor","value":null}]}},{"projects":"acme.eu","rights":["admin"],"feeds":[],"confinement":null}],"expires_at":1795251600000000,"enabled":true,"created_at":1795248000000000,"version":1795248000000001,"rotated_at":1795248000000001,"older":{"version":1795248000000000,"until":1795249000000000},"limits":{"requests_per_second":10,"publish_bytes_per_second":null,"readers":3}}"#;

    #[test]
    fn a_credential_is_written_as_the_document_has_it() {
        let stored = Stored::decode(KEY, WHOLE.as_bytes()).expect("it is whole");
        assert_eq!(stored.credential.key_id.as_bytes(), KEY);
        assert_eq!(stored.credential.grants.len(), 3);
        assert_eq!(stored.encode(), WHOLE.as_bytes());
    }

    #[test]
    fn what_is_not_a_credential_is_refused() {
        let refused = |key: &[u8], from: &str, to: &str| {
            let text = WHOLE.replacen(from, to, 1);
            let error = Stored::decode(key, text.as_bytes()).expect_err("refused");
            error.to_string()
        };
        for (from, to, wanted) in [
            ("\"format\":1", "\"format\":2", "format 2"),
            ("\"acme\"", "\"ac me\"", "home"),
            ("\"acme.*\"", "\"*.acme\"", "pattern of projects"),
            ("\"publish\"", "\"write\"", "list of rights"),
            ("\"orders\"", "\"or ders\"", "list of feeds"),
            ("\"N14228\"", "\"\"", "list of subjects"),
            ("true", "1", "written as"),
        ] {
            let error = refused(KEY, from, to);
            assert!(error.contains(wanted), "{error}");
        }
        assert!(refused(b"short", "x", "x").contains("key id"));
    }
}
