//! Making a new log.

use super::{Error, damage};
use crate::format::header::{Header, NO_TIME};
use crate::format::meta;
use crate::open::segment_positions;
use crate::segment::segment_name;
use crate::storage::{Storage, replace};

/// The first segment, then the file that makes the folder a log: a crash in between leaves a folder that is none.
pub(crate) fn create(storage: &dyn Storage, incarnation: u128) -> Result<(), Error> {
    if storage.list()?.iter().any(|name| name == meta::NAME) {
        return Err(Error::Exists);
    }
    refuse_segments(storage)?;
    let header = Header {
        incarnation,
        nonce: storage.nonce(),
        first_position: 1,
        recorded_at: NO_TIME,
        previous_first: 0,
        previous_end: 0,
    };
    let file = storage.create(&segment_name(1))?;
    file.write_at(0, &header.encode())?;
    file.sync_data()?;
    storage.sync_folder()?;
    replace(storage, meta::NAME, &meta::encode(incarnation))?;
    Ok(())
}

/// Segments with anything in them, and no `log.meta`: that is not a folder without a log.
pub(super) fn refuse_segments(storage: &dyn Storage) -> Result<(), Error> {
    for first in segment_positions(storage)? {
        let len = storage.open(&segment_name(first))?.len()?;
        if first > 1 || len > crate::format::header::LEN as u64 {
            return Err(damage(
                meta::NAME,
                "it is missing, though there are segments",
            ));
        }
    }
    Ok(())
}
