//! By what a master key is known again: a value that is derived from it and kept in the store.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use bytes::Bytes;
use feedwire_engine::{MinFree, Precondition, Primary, PutError, Revision, Unavailable};

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
    #[error("no space left in the store{0}")]
    NoSpace(MinFree),
    /// The engine could not do it.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// Why a store was not given another master key.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ReplaceError {
    /// There was never one.
    #[error("the store has no master key yet, so there is none to be replaced")]
    NotInitialised,
    /// It was replaced by somebody else meanwhile.
    #[error("the master key was replaced meanwhile")]
    Changed,
    /// There is no room.
    #[error("no space left in the store{0}")]
    NoSpace(MinFree),
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
            Err(PutError::NoSpace(min_free)) => Err(InitError::NoSpace(min_free)),
            Err(PutError::Unavailable(unavailable)) => Err(unavailable.into()),
        }
    }

    /// Whether the store was given a master key.
    pub async fn is_initialised(primary: &dyn Primary) -> Result<bool, Unavailable> {
        let entry = primary.get(&space("auth"), KEY).await?;
        Ok(entry.is_some())
    }

    /// Gives a store `new` in the place of whatever master key it has, while no [`Auth`] is open on it: for when that one got into wrong
    /// hands, or was lost. The old one is not asked for: whoever can write to the store could as well do without being asked.
    ///
    /// Credentials and their grants stay. Every secret is another from then on, so that each credential has to be rotated for its new
    /// one to be known; access tokens are no longer valid, and what was sealed can only be opened by the old one.
    pub async fn replace_master_key(
        primary: &dyn Primary,
        new: &MasterKey,
    ) -> Result<(), ReplaceError> {
        let present = primary.get(&space("auth"), KEY).await?;
        let present = present.ok_or(ReplaceError::NotInitialised)?;
        match put(primary, new, Precondition::Revision(present.revision)).await {
            Ok(_) => Ok(()),
            Err(PutError::Changed { .. }) => Err(ReplaceError::Changed),
            Err(PutError::NoSpace(min_free)) => Err(ReplaceError::NoSpace(min_free)),
            Err(PutError::Unavailable(unavailable)) => Err(unavailable.into()),
        }
    }
}

/// Whether the store was made with this master key.
pub(crate) async fn check(primary: &dyn Primary, derivation: &Derivation) -> Result<(), OpenError> {
    let entry = primary.get(&space("auth"), KEY).await?;
    let entry = entry.ok_or(OpenError::NotInitialised)?;
    let Some((&FORMAT, value)) = entry.value.split_first() else {
        return Err(OpenError::Damaged {
            entry: "the check value of the master key".to_owned(),
            detail: "it is of a format that this server does not know".to_owned(),
        });
    };
    let same = verify_slices_are_equal(value, &*derivation.check_value());
    same.map_err(|_other| OpenError::OtherMasterKey)
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
