//! A sealed segment written anew, with gaps in the place of what is erased.

use std::io;
use std::sync::Arc;

use crate::Erasure;
use crate::fault::Fault;
use crate::format::commit::{Commit, Kind};
use crate::format::header::Header;
use crate::format::record::{GAP, HEAD, Head};
use crate::index::LiveIndex;
use crate::scan::{Scan, Step};
use crate::segment::{Live, Sealed, damaged, read_footer, read_header, segment_name, write_index};
use crate::storage::{File, Storage};

/// Commits are gathered up to this many bytes before they are written.
const BUFFER: usize = 1 << 20;

/// The new file, complete and synced under a temporary name.
#[derive(Debug)]
pub(super) struct Rewritten {
    live: Live,
    len: u64,
    erased: u64,
}

/// Writes the new file.
pub(super) fn write(
    storage: &dyn Storage,
    temporary: &str,
    sealed: &Sealed,
    erasure: &Erasure,
) -> Result<Rewritten, Fault> {
    let old = storage.open(&segment_name(sealed.header.first_position))?;
    let footer = read_footer(&*old, &sealed.header, sealed.len)?;
    let is_same = read_header(&*old)? == Some(sealed.header);
    let (true, Some(footer)) = (is_same, footer) else {
        return Err(Fault::Stale);
    };
    let header = Header {
        nonce: storage.nonce(),
        ..sealed.header
    };
    let mut new = Writer::new(storage.create(temporary)?, header);
    let mut scan = Scan::new(&*old, sealed.header, sealed.end());
    loop {
        match scan.step()? {
            Step::Commit(commit) => {
                new.add(commit, scan.body(&commit), erasure);
                new.flush(BUFFER)?;
            }
            Step::Wrong(what) => return Err(damaged(&sealed.header, &scan, what)),
            Step::End => break,
        }
    }
    new.end(footer)
}

impl Rewritten {
    /// Puts the new file in the place of the old one, and makes its index.
    ///
    /// Returns the segment, how many records are gone, and whether that is on disk too: the new file is the one that is
    /// read either way.
    pub(super) fn put(
        self,
        storage: &dyn Storage,
        temporary: &str,
    ) -> io::Result<(Sealed, u64, io::Result<()>)> {
        let header = self.live.header;
        storage.rename(temporary, &segment_name(header.first_position))?;
        let synced = storage.sync_folder();
        let index = self.live.index.into_inner();
        // A missing index is made when the segment is read; the erasure itself is done.
        let index_len = write_index(storage, &index, &header, self.len).unwrap_or_default();
        let sealed = Sealed {
            header,
            len: self.len,
            index_len,
            records: index.records,
            last_position: index.last_position,
            first_recorded_at: index.first_recorded_at,
            last_recorded_at: index.last_recorded_at,
        };
        Ok((sealed, self.erased, synced))
    }
}

/// Commits on their way to the new file.
struct Writer {
    header: Header,
    file: Arc<dyn File>,
    buffer: Vec<u8>,
    /// Where the buffer goes.
    start: u64,
    checksum: crc_fast::Digest,
    index: LiveIndex,
    erased: u64,
}

impl Writer {
    fn new(file: Arc<dyn File>, header: Header) -> Self {
        Self {
            header,
            file,
            buffer: header.encode().to_vec(),
            start: 0,
            checksum: crc_fast::Digest::new(crc_fast::CrcAlgorithm::Crc64Nvme),
            index: LiveIndex::default(),
            erased: 0,
        }
    }

    /// Adds a commit, less what is erased.
    fn add(&mut self, old: Commit, records: &[u8], erasure: &Erasure) {
        let (body, erased) = without(records, erasure);
        self.erased += erased;
        let commit = self.place(old, body.len());
        self.buffer.extend(commit.encode(self.header.nonce));
        self.buffer.extend_from_slice(&body);
        let end = usize::try_from(commit.end() - self.start);
        self.buffer
            .resize(end.expect("it was gathered in memory"), 0);
        self.index.absorb(&commit, &body);
    }

    /// The commit as it stands here: proven, as all of the file is synced before it gets its name.
    fn place(&self, old: Commit, body_len: usize) -> Commit {
        let offset = self.start + self.buffer.len() as u64;
        Commit {
            body_len: u32::try_from(body_len).expect("records do not grow"),
            offset,
            synced: offset,
            ..old
        }
    }

    /// Writes the buffer if it holds `least` bytes.
    fn flush(&mut self, least: usize) -> io::Result<()> {
        if self.buffer.len() >= least {
            self.file.write_at(self.start, &self.buffer)?;
            self.checksum.update(&self.buffer);
            self.start += self.buffer.len() as u64;
            self.buffer.clear();
        }
        Ok(())
    }

    fn end(mut self, footer: Commit) -> Result<Rewritten, Fault> {
        self.flush(0)?;
        let footer = Commit {
            kind: Kind::Footer,
            checksum: self.checksum.finalize(),
            ..self.place(footer, 0)
        };
        self.file
            .write_at(self.start, &footer.encode(self.header.nonce))?;
        self.file.sync_data()?;
        Ok(Rewritten {
            live: Live::new(self.header, self.file, self.index),
            len: footer.end(),
            erased: self.erased,
        })
    }
}

/// Records with gaps in the place of what is erased, and how many that are.
fn without(records: &[u8], erasure: &Erasure) -> (Vec<u8>, u64) {
    let (mut kept, mut erased) = (Vec::with_capacity(records.len()), 0);
    let mut rest = records;
    while let Some(head) = Head::decode(rest) {
        let (record, behind) = rest.split_at(head.len());
        let body = &record[HEAD..];
        if !head.has(GAP) && erasure.has(&head, body) {
            let feed = &body[..head.feed_end()];
            kept.extend(gap(&head).seal(feed));
            kept.extend_from_slice(feed);
            erased += 1;
        } else {
            kept.extend_from_slice(record);
        }
        rest = behind;
    }
    (kept, erased)
}

/// What stays of a record: its place, its times, its version and its feed.
fn gap(head: &Head) -> Head {
    Head {
        payload_len: 0,
        type_len: 0,
        subject_len: 0,
        flags: head.flags | GAP,
        ..*head
    }
}
