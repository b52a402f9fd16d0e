//! By what a master key is known again: a value that is derived from it and kept in the store.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use bytes::Bytes;
use feedwire_engine::{Precondition, Primary, PutError, Revision, Unavailable};

use crate::auth::space;
use crate::derive::Derivation;
use crate::{Auth, MasterKey, OpenError};

/// Where it is kept: one byte 1, and the value.
const KEY: &[u8] = b"check";
const FORMAT: u8 = 1;

/// Why a store was not given a master key.
#[derive(Clone, Debug, thiserror::Error)]
pub enum InitError {
    /// It has one, this or another.
    #[error("the store has a master key already")]
    Initialised,
    /// There is no room.
    #[error("no space left in the store")]
    NoSpace,
    /// The engine could not do it.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// Why a store was not given another master key.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ReplaceError {
    /// The present one is not the one that it was said to be.
    #[error(transparent)]
    Present(#[from] OpenError),
    /// It was replaced by somebody else meanwhile.
    #[error("the master key was replaced meanwhile")]
    Changed,
    /// There is no room.
    #[error("no space left in the store")]
    NoSpace,
    /// The engine could not do it. The store may have either.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

impl Auth {
    /// Writes down by what `master` is known again. A store is given one master key, once.
    pub async fn init(primary: &dyn Primary, master: &MasterKey) -> Result<(), InitError> {
        match put(primary, master, Precondition::Absent).await {
            Ok(_) => Ok(()),
            Err(PutError::Changed { .. }) => Err(InitError::Initialised),
            Err(PutError::NoSpace) => Err(InitError::NoSpace),
            Err(PutError::Unavailable(unavailable)) => Err(unavailable.into()),
        }
    }

    /// Gives a store `new` in the place of `old`, while no [`Auth`] is open on it: for when the master key got into wrong hands.
    ///
    /// Credentials and their grants stay. Every secret is another from then on, so that each credential has to be rotated for its new
    /// one to be known; access tokens are no longer valid, and what was sealed can only be opened by `old`.
    pub async fn replace_master_key(
        primary: &dyn Primary,
        old: &MasterKey,
        new: &MasterKey,
    ) -> Result<(), ReplaceError> {
        let present = check(primary, &Derivation::new(old)).await?;
        match put(primary, new, Precondition::Revision(present)).await {
            Ok(_) => Ok(()),
            Err(PutError::Changed { .. }) => Err(ReplaceError::Changed),
            Err(PutError::NoSpace) => Err(ReplaceError::NoSpace),
            Err(PutError::Unavailable(unavailable)) => Err(unavailable.into()),
        }
    }
}

/// Whether the store was made with this master key; and when that was written down.
pub(crate) async fn check(
    primary: &dyn Primary,
    derivation: &Derivation,
) -> Result<Revision, OpenError> {
    let entry = primary.get(&space("auth"), KEY).await?;
    let entry = entry.ok_or(OpenError::NotInitialised)?;
    let Some((&FORMAT, value)) = entry.value.split_first() else {
        return Err(OpenError::Damaged {
            entry: "the check value of the master key".to_owned(),
            detail: "it is of a format that this server does not know".to_owned(),
        });
    };
    match verify_slices_are_equal(value, &*derivation.check_value()) {
        Ok(()) => Ok(entry.revision),
        Err(_) => Err(OpenError::OtherMasterKey),
    }
}

async fn put(
    primary: &dyn Primary,
    master: &MasterKey,
    precondition: Precondition,
) -> Result<Revision, PutError> {
    let mut value = vec![FORMAT];
    value.extend_from_slice(&*Derivation::new(master).check_value());
    let value = Bytes::from(value);
    primary.put(&space("auth"), KEY, value, precondition).await
}
