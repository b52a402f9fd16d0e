//! The segments of a folder: whether they are all there, each behind the one before.

use std::io;
use std::sync::Arc;

use super::{Error, tail};
use crate::Damage;
use crate::format::commit::Commit;
use crate::format::header::{self, Header};
use crate::segment::{
    Live, Sealed, Segment, index_name, index_segment, read_footer, read_header, segment_name,
};
use crate::storage::{File, Storage};
use crate::writer::{Unsealed, crc64, seal};

/// What stands in the folder.
#[derive(Debug)]
pub(crate) struct Chain {
    /// Ascending.
    pub(crate) found: Vec<Found>,
    /// First positions of files that are not, or no more, part of the log.
    unused: Vec<u64>,
}

#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) header: Header,
    pub(crate) file: Arc<dyn File>,
    pub(crate) len: u64,
}

impl Chain {
    /// Reads the header of each segment, less those below `first`, which were trimmed.
    pub(crate) fn find(
        storage: &dyn Storage,
        incarnation: u128,
        first: u64,
    ) -> Result<Self, Error> {
        let (mut found, mut unused) = (Vec::new(), Vec::new());
        for position in segment_positions(storage)? {
            if position < first {
                unused.push(position);
                continue;
            }
            let file = storage.open(&segment_name(position))?;
            let len = file.len()?;
            match read_header(&*file)? {
                Some(header)
                    if header.incarnation == incarnation && header.first_position == position =>
                {
                    found.push(Found { header, file, len });
                }
                Some(_) => return Err(damage(position, 0, "it is of another log")),
                // Commits are written once the header is synced; one that is needed is missed by its neighbours.
                None if tail::is_zero(&*file, header::LEN as u64, len)? => unused.push(position),
                None => return Err(damage(position, 0, "its header is not what was written")),
            }
        }
        Ok(Self { found, unused })
    }

    /// Checks each segment against the next, and finishes the sealing that a crash came in between.
    ///
    /// Returns the sealed ones, and the active one.
    pub(crate) fn verify(
        &mut self,
        storage: &dyn Storage,
        first: u64,
    ) -> Result<(Vec<Arc<Segment>>, Found), Error> {
        let mut sealed = Vec::new();
        let mut found = self.found.drain(..).peekable();
        if found
            .peek()
            .is_none_or(|found| found.header.first_position != first)
        {
            return Err(damage(first, 0, "it is missing"));
        }
        loop {
            let this = found.next().expect("the loop ends with the last segment");
            let footer = read_footer(&*this.file, &this.header, this.len)?;
            let Some(next) = found.peek() else {
                return match footer {
                    Some(footer) => Err(damage(footer.position, 0, "it is missing")),
                    None => Ok((sealed, this)),
                };
            };
            let segment = match footer {
                Some(footer) if footer.position == next.header.first_position => {
                    Sealed::open(storage, this.header, this.len)?
                }
                Some(Commit { position, .. }) => return Err(damage(position, 0, "it is missing")),
                None => finish(storage, &this, &next.header)?,
            };
            sealed.push(Arc::new(Segment::Sealed(Arc::new(segment))));
        }
    }

    /// Whether the file of this name belongs to no segment of the log.
    pub(crate) fn is_leftover(&self, name: &str) -> bool {
        let is_named = |first: &u64| name == segment_name(*first) || name == index_name(*first);
        self.unused.iter().any(is_named)
    }
}

/// Seals a segment whose successor says that all of it was synced.
fn finish(storage: &dyn Storage, this: &Found, next: &Header) -> Result<Sealed, Error> {
    if next.previous_first != this.header.first_position {
        return Err(damage(next.previous_first, 0, "it is missing"));
    }
    let end = next.previous_end;
    if end > this.len {
        let what = "it is shorter than the next segment says";
        return Err(damage(this.header.first_position, this.len, what));
    }
    let index = index_segment(&*this.file, &this.header, end)?;
    let full = Unsealed {
        end,
        checksum: crc64(&*this.file, end)?.finalize(),
        next_position: next.first_position,
        recorded_at: next.recorded_at,
        live: Arc::new(Live::new(this.header, Arc::clone(&this.file), index)),
    };
    Ok(seal(storage, &full)?)
}

/// The first positions of all files that are named as segments, ascending.
pub(crate) fn segment_positions(storage: &dyn Storage) -> io::Result<Vec<u64>> {
    let names = storage.list()?;
    let positions = names.iter().filter_map(|name| {
        let position = name.strip_suffix(".seg")?.parse().ok()?;
        (*name == segment_name(position)).then_some(position)
    });
    let mut positions: Vec<u64> = positions.collect();
    positions.sort_unstable();
    Ok(positions)
}

fn damage(first_position: u64, offset: u64, what: &str) -> Error {
    Error::Damaged(Damage {
        file: segment_name(first_position),
        offset,
        what: what.to_owned(),
    })
}
