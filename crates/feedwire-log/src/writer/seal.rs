//! Ending a full segment with its footer, and writing its index.

use std::io;
use std::sync::Arc;

use crate::format::commit::{Commit, Kind};
use crate::segment::{Live, Sealed, Segment, write_index};
use crate::shared::Shared;
use crate::storage::{File, Storage};

/// A segment that waits for its footer. All of its commits are synced.
#[derive(Debug)]
pub(crate) struct Unsealed {
    pub(crate) live: Arc<Live>,
    /// Where its commits end.
    pub(crate) end: u64,
    /// The CRC-64 of the file up to there.
    pub(crate) checksum: u64,
    /// The first position of the next segment, and the recorded time behind which that begins.
    pub(crate) next_position: u64,
    pub(crate) recorded_at: i64,
}

impl Shared {
    /// Seals what waits for it. What fails stays as it is and can be tried again.
    pub(crate) fn seal_all(&self) -> io::Result<()> {
        let _sealing = self.sealing.lock();
        loop {
            let next = self.unsealed.lock().front().cloned();
            let Some(full) = next else {
                return Ok(());
            };
            let sealed = seal(&*self.storage, &full)?;
            self.put_segment(Segment::Sealed(Arc::new(sealed)));
            self.unsealed.lock().pop_front();
        }
    }
}

pub(crate) fn seal(storage: &dyn Storage, full: &Unsealed) -> io::Result<Sealed> {
    let header = full.live.header;
    let footer = Commit {
        kind: Kind::Footer,
        body_len: 0,
        offset: full.end,
        synced: full.end,
        position: full.next_position,
        records: 0,
        recorded_at: full.recorded_at,
        checksum: full.checksum,
    };
    let file = &full.live.file;
    file.write_at(full.end, &footer.encode(header.nonce))?;
    file.set_len(footer.end())?;
    file.sync_data()?;
    let index = full.live.index.read();
    let index_len = write_index(storage, &index, &header, footer.end())?;
    Ok(Sealed {
        header,
        len: footer.end(),
        index_len,
        records: index.records,
        last_position: index.last_position,
        first_recorded_at: index.first_recorded_at,
        last_recorded_at: index.last_recorded_at,
    })
}

/// The CRC-64 of a file's first `end` bytes, to go on from.
pub(crate) fn crc64(file: &dyn File, end: u64) -> io::Result<crc_fast::Digest> {
    const WINDOW: u64 = 1 << 20;
    let mut digest = crc_fast::Digest::new(crc_fast::CrcAlgorithm::Crc64Nvme);
    let mut bytes = Vec::new();
    let mut offset = 0;
    while offset < end {
        bytes.clear();
        let len = (end - offset).min(WINDOW);
        file.read_at(
            offset,
            usize::try_from(len).map_err(io::Error::other)?,
            &mut bytes,
        )?;
        if bytes.len() as u64 != len {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        digest.update(&bytes);
        offset += len;
    }
    Ok(digest)
}
