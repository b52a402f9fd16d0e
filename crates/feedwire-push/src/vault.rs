//! How the secrets of connectors are kept: sealed under the server's master key.
//!
//! A server that is open to everybody has no master key, and keeps them as they are, behind a byte 0; what [`Seal`] makes begins with
//! another.

use bytes::Bytes;
use feedwire_auth::Seal;
use feedwire_core::connectors::{Error, SecretText, Secrets};
use feedwire_event::{ConnectorName, ProjectName, Timestamp};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

const PLAIN: u8 = 0;

/// Seals and opens the secrets of connectors.
#[derive(Debug)]
pub(crate) struct Vault(Option<Seal>);

#[derive(Serialize, Deserialize)]
struct Kept {
    signing: Option<Zeroizing<String>>,
    previous: Option<(Zeroizing<String>, i64)>,
    headers: Vec<(String, Zeroizing<String>)>,
}

impl Vault {
    /// One that seals with `seal`, where there is a master key.
    pub(crate) fn new(seal: Option<Seal>) -> Self {
        Self(seal)
    }

    /// `secrets` as they are kept of the connector `name`.
    pub(crate) fn close(
        &self,
        project: &ProjectName,
        name: &ConnectorName,
        secrets: &Secrets,
    ) -> Bytes {
        let text = |secret: &SecretText| Zeroizing::new(secret.reveal().to_owned());
        let kept = Kept {
            signing: secrets.signing.as_ref().map(text),
            previous: secrets
                .previous
                .as_ref()
                .map(|(secret, until)| (text(secret), until.as_micros())),
            headers: secrets
                .headers
                .iter()
                .map(|(name, value)| (name.clone(), text(value)))
                .collect(),
        };
        let plain = serde_json::to_vec(&kept).expect("texts and numbers are JSON");
        let plain = Zeroizing::new(plain);
        match &self.0 {
            Some(seal) => seal.seal(&context(project, name), &plain).into(),
            None => [&[PLAIN], &plain[..]].concat().into(),
        }
    }

    /// What was kept of the connector `name` as `closed`.
    pub(crate) fn open(
        &self,
        project: &ProjectName,
        name: &ConnectorName,
        closed: &[u8],
    ) -> Result<Secrets, Error> {
        let unreadable = |why: &str| {
            let words = format!("the secrets of connector {name} cannot be read: {why}");
            Error::Secret(words)
        };
        let plain = match (closed.split_first(), &self.0) {
            (Some((&PLAIN, plain)), _) => Zeroizing::new(plain.to_vec()),
            (Some(_), Some(seal)) => {
                let opened = seal.open(&context(project, name), closed);
                Zeroizing::new(opened.map_err(|error| unreadable(&error.to_string()))?)
            }
            (Some(_), None) => {
                return Err(unreadable(
                    "they are sealed under a master key, and the server was started without one",
                ));
            }
            (None, _) => return Err(unreadable("there are none")),
        };
        // What serde says may hold a part of them.
        let kept: Option<Kept> = serde_json::from_slice(&plain).ok();
        let kept = kept.ok_or_else(|| unreadable("they are damaged"))?;
        let text = |secret: Zeroizing<String>| SecretText::kept(secret.as_str());
        Ok(Secrets {
            signing: kept.signing.map(text),
            previous: kept
                .previous
                .map(|(secret, until)| (text(secret), Timestamp::from_micros(until))),
            headers: kept
                .headers
                .into_iter()
                .map(|(name, value)| (name, text(value)))
                .collect(),
        })
    }
}

fn context(project: &ProjectName, name: &ConnectorName) -> String {
    format!("connector/{project}/{name}")
}

#[cfg(test)]
mod tests {
    use feedwire_auth::MasterKey;

    use super::*;

    fn names() -> (ProjectName, ConnectorName) {
        let project = ProjectName::new("acme").expect("a name");
        (project, ConnectorName::new("c").expect("a name"))
    }

    fn secrets() -> Secrets {
        Secrets {
            signing: Some(SecretText::new("whsec_one")),
            previous: Some((SecretText::new("whsec_two"), Timestamp::from_micros(7))),
            headers: vec![("authorization".into(), SecretText::new("Bearer three"))],
        }
    }

    fn has(bytes: &[u8], text: &str) -> bool {
        bytes
            .windows(text.len())
            .any(|part| part == text.as_bytes())
    }

    #[test]
    fn what_is_sealed_shows_nothing_and_is_opened_for_its_connector_alone() {
        let (project, name) = names();
        let master = MasterKey::generate();
        let vault = Vault::new(Some(Seal::new(&master)));
        let closed = vault.close(&project, &name, &secrets());
        for secret in ["one", "two", "three", "authorization"] {
            assert!(!has(&closed, secret), "{secret}");
        }
        let opened = vault.open(&project, &name, &closed).expect("opened");
        assert_eq!(opened, secrets());
        let other = ConnectorName::new("d").expect("a name");
        assert!(vault.open(&project, &other, &closed).is_err());
        let without = Vault::new(None).open(&project, &name, &closed);
        let told = without.expect_err("no key").to_string();
        assert!(told.contains("master key"), "{told}");
    }

    #[test]
    fn what_a_server_without_a_master_key_kept_is_read_by_one_with_it() {
        let (project, name) = names();
        let closed = Vault::new(None).close(&project, &name, &secrets());
        let vault = Vault::new(Some(Seal::new(&MasterKey::generate())));
        let opened = vault.open(&project, &name, &closed).expect("opened");
        assert_eq!(opened, secrets());
        let damaged = Vault::new(None).open(&project, &name, &closed[..closed.len() - 3]);
        let told = damaged.expect_err("damaged").to_string();
        assert!(!told.contains("three") && !told.contains("whsec"), "{told}");
    }
}
