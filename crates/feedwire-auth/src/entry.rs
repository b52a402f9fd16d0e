//! A credential as it is in memory: what it says, what its secrets look like, and who is to be told when it ends.

use std::sync::Arc;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, digest};
use feedwire_event::Timestamp;
use tokio_util::sync::CancellationToken;

use crate::Credential;
use crate::derive::Derivation;
use crate::rules::Rules;
use crate::stored::Stored;

/// A SHA-256.
pub(crate) type Hash = [u8; 32];

/// No secret hashes to it, as far as anybody can tell. What is unknown is compared with it.
const NOBODY: Hash = [0; 32];

/// A credential at one moment; a change puts another in its place.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) credential: Arc<Credential>,
    pub(crate) rules: Rules,
    current: Version,
    older: Option<Older>,
}

/// One version of the secret.
#[derive(Clone, Debug)]
pub(crate) struct Version {
    pub(crate) number: u64,
    hash: Hash,
    pub(crate) ended: CancellationToken,
}

#[derive(Clone, Debug)]
struct Older {
    version: Version,
    until: Timestamp,
}

pub(crate) fn hash(text: &[u8]) -> Hash {
    let hash = digest(&SHA256, text);
    hash.as_ref().try_into().expect("SHA-256 has 32 bytes")
}

/// Compares `hash` as often as with a credential that there is; it is not that of any.
pub(crate) fn compare_with_nobody(hash: &Hash) {
    for _ in 0..2 {
        std::hint::black_box(is_equal(hash, &NOBODY));
    }
}

fn is_equal(one: &Hash, other: &Hash) -> bool {
    verify_slices_are_equal(one, other).is_ok()
}

impl Entry {
    /// What `stored` says. Those who hold on to `before` are not ended where nothing of it ends.
    pub(crate) fn new(stored: Stored, derivation: &Derivation, before: Option<&Self>) -> Self {
        let Stored {
            credential,
            version,
            older_version,
        } = stored;
        let before = before.filter(|before| before.goes_on_as(&credential));
        let key_id = credential.key_id;
        let make = |number: u64| {
            let running = before.and_then(|before| before.version(number));
            let running = running.filter(|version| !version.ended.is_cancelled());
            running.cloned().unwrap_or_else(|| Version {
                number,
                hash: hash(derivation.secret(key_id, number).as_str().as_bytes()),
                ended: CancellationToken::new(),
            })
        };
        let older = older_version.zip(credential.older_secret_until);
        Self {
            current: make(version),
            older: older.map(|(number, until)| Older {
                version: make(number),
                until,
            }),
            rules: Rules::new(&credential.grants),
            credential: Arc::new(credential),
        }
    }

    /// Whether what this proved may go on when it has become `credential`.
    fn goes_on_as(&self, credential: &Credential) -> bool {
        credential.enabled && self.credential.grants == credential.grants
    }

    /// Ends all that was proved by this and is not by `after`, which took its place.
    pub(crate) fn give_way(&self, after: Option<&Self>) {
        let after = after.filter(|after| self.goes_on_as(&after.credential));
        for version in self.versions() {
            let is_kept = after.is_some_and(|after| after.version(version.number).is_some());
            if !is_kept {
                version.ended.cancel();
            }
        }
    }

    /// Ends what has come to its end at `now`.
    pub(crate) fn end_due(&self, now: Timestamp) {
        if !self.credential.is_live(now) {
            self.give_way(None);
        }
        if let Some(older) = self.older.as_ref().filter(|older| older.until <= now) {
            older.version.ended.cancel();
        }
    }

    /// When something of it ends by itself.
    pub(crate) fn ends(&self) -> impl Iterator<Item = Timestamp> {
        let older = self.older.as_ref().map(|older| older.until);
        self.credential.expires_at.into_iter().chain(older)
    }

    fn versions(&self) -> impl Iterator<Item = &Version> {
        let older = self.older.as_ref().map(|older| &older.version);
        std::iter::once(&self.current).chain(older)
    }

    fn version(&self, number: u64) -> Option<&Version> {
        self.versions().find(|version| version.number == number)
    }

    /// The version with this number, if it is valid at `now`.
    pub(crate) fn valid(&self, number: u64, now: Timestamp) -> Option<&Version> {
        let older = self.older.as_ref().filter(|older| now < older.until);
        let older = older.map(|older| &older.version);
        let mut versions = std::iter::once(&self.current).chain(older);
        let version = versions.find(|version| version.number == number);
        version.filter(|_| self.credential.is_live(now))
    }

    /// The version that is valid at `now` and whose secret has this hash.
    pub(crate) fn proved(&self, hash: &Hash, now: Timestamp) -> Option<&Version> {
        let older = self.older.as_ref().map(|older| &older.version);
        let is_current = is_equal(hash, &self.current.hash);
        let is_older = is_equal(hash, older.map_or(&NOBODY, |older| &older.hash));
        let version = if is_current {
            Some(&self.current)
        } else {
            older.filter(|_| is_older)
        };
        version.and_then(|version| self.valid(version.number, now))
    }

    /// The numbers of the versions: the present one, and the one before if it is kept.
    pub(crate) fn numbers(&self) -> (u64, Option<u64>) {
        let older = self.older.as_ref().map(|older| older.version.number);
        (self.current.number, older)
    }

    /// Until when what this version proves can be valid.
    pub(crate) fn end_of(&self, number: u64) -> Timestamp {
        let older = self.older.as_ref();
        let older = older.filter(|older| older.version.number == number);
        let end = older.map_or(Timestamp::MAX, |older| older.until);
        end.min(self.credential.expires_at.unwrap_or(Timestamp::MAX))
    }
}
