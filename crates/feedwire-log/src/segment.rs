//! The segments of a log, and the files of those that were read lately.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use hashbrown::HashMap;
use parking_lot::{Mutex, RwLock};

use crate::fault::Fault;
use crate::format::commit::{self, Commit, Kind};
use crate::format::header::{self, Header};
use crate::index::{Anchor, Index, List, LiveIndex, SealedIndex};
use crate::scan::{Scan, Step};
use crate::storage::{File, Storage, TEMPORARY, write_temporary};
use crate::{Damage, index};

/// Files of sealed segments that are kept open: two each.
const OPENED_MAX: usize = 128;

pub(crate) fn segment_name(first_position: u64) -> String {
    format!("{first_position:020}.seg")
}

pub(crate) fn index_name(first_position: u64) -> String {
    format!("{first_position:020}.idx")
}

#[derive(Debug)]
pub(crate) enum Segment {
    Live(Arc<Live>),
    Sealed(Arc<Sealed>),
}

/// A segment that is written to, or that waits to be sealed.
#[derive(Debug)]
pub(crate) struct Live {
    pub(crate) header: Header,
    pub(crate) file: Arc<dyn File>,
    pub(crate) index: RwLock<LiveIndex>,
}

/// A segment that ends with a footer. Its files are opened when they are read.
#[derive(Clone, Debug)]
pub(crate) struct Sealed {
    pub(crate) header: Header,
    /// The length of its file.
    pub(crate) len: u64,
    /// The length of its index.
    pub(crate) index_len: u64,
    pub(crate) records: u64,
    /// The position of its last record; 0 if it has none.
    pub(crate) last_position: u64,
    pub(crate) first_recorded_at: i64,
    pub(crate) last_recorded_at: i64,
}

/// The files of a sealed segment.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) file: Arc<dyn File>,
    pub(crate) index: SealedIndex,
    index_len: u64,
}

impl Live {
    pub(crate) fn new(header: Header, file: Arc<dyn File>, index: LiveIndex) -> Self {
        Self {
            header,
            file,
            index: RwLock::new(index),
        }
    }
}

impl Segment {
    pub(crate) fn header(&self) -> &Header {
        match self {
            Self::Live(live) => &live.header,
            Self::Sealed(sealed) => &sealed.header,
        }
    }

    pub(crate) fn first_position(&self) -> u64 {
        self.header().first_position
    }

    /// How many records it has, gaps included, and when the first and the last were recorded.
    pub(crate) fn extent(&self) -> (u64, i64, i64) {
        match self {
            Self::Live(live) => {
                let index = live.index.read();
                (
                    index.records,
                    index.first_recorded_at,
                    index.last_recorded_at,
                )
            }
            Self::Sealed(sealed) => (
                sealed.records,
                sealed.first_recorded_at,
                sealed.last_recorded_at,
            ),
        }
    }
}

/// The index of the active segment grows while it is read; each look-up sees it as it is.
impl Index for RwLock<LiveIndex> {
    fn find(&self, kind: index::Kind, key: &[u8]) -> Result<Option<List>, Fault> {
        self.read().find(kind, key)
    }

    fn postings(&self, list: List, from: u32, len: u32, into: &mut Vec<u32>) -> Result<(), Fault> {
        self.read().postings(list, from, len, into)
    }

    fn anchors_before(&self, behind: &dyn Fn(&Anchor) -> bool) -> usize {
        self.read().anchors_before(behind)
    }

    fn anchor(&self, number: usize) -> Option<Anchor> {
        self.read().anchor(number)
    }
}

impl Sealed {
    /// Looks at a sealed segment's footer and index; the index is built anew if it is missing or not right.
    pub(crate) fn open(storage: &dyn Storage, header: Header, len: u64) -> Result<Self, Fault> {
        let opened = Opened::open(storage, &header, len)?;
        Ok(Self::from_opened(&opened, header, len))
    }

    fn from_opened(opened: &Opened, header: Header, len: u64) -> Self {
        let index = &opened.index;
        Self {
            header,
            len,
            index_len: opened.index_len,
            records: index.records,
            last_position: index.last_position,
            first_recorded_at: index.first_recorded_at,
            last_recorded_at: index.last_recorded_at,
        }
    }

    /// Where its commits end and its footer stands.
    pub(crate) const fn end(&self) -> u64 {
        self.len - commit::LEN as u64
    }
}

impl Opened {
    fn open(storage: &dyn Storage, header: &Header, len: u64) -> Result<Self, Fault> {
        let file = match storage.open(&segment_name(header.first_position)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(Fault::Stale),
            other => other?,
        };
        if read_header(&*file)?.as_ref() != Some(header) {
            return Err(Fault::Stale);
        }
        let index = match open_index(storage, header, len) {
            Err(Fault::Index) => rebuild_index(storage, &*file, header, len)?,
            other => other?,
        };
        let (index, index_len) = index;
        Ok(Self {
            file,
            index,
            index_len,
        })
    }
}

fn open_index(
    storage: &dyn Storage,
    header: &Header,
    len: u64,
) -> Result<(SealedIndex, u64), Fault> {
    let file = match storage.open(&index_name(header.first_position)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(Fault::Index),
        other => other?,
    };
    let index_len = file.len()?;
    Ok((SealedIndex::open(file, header, len)?, index_len))
}

/// Makes the index of a sealed segment from the segment.
fn rebuild_index(
    storage: &dyn Storage,
    file: &dyn File,
    header: &Header,
    len: u64,
) -> Result<(SealedIndex, u64), Fault> {
    let index = index_segment(file, header, len - commit::LEN as u64)?;
    write_index(storage, &index, header, len)?;
    match open_index(storage, header, len) {
        Err(Fault::Index) => Err(Fault::Io(io::Error::other("an index reads back damaged"))),
        other => other,
    }
}

/// Indexes all commits up to `end`, which must be right.
pub(crate) fn index_segment(
    file: &dyn File,
    header: &Header,
    end: u64,
) -> Result<LiveIndex, Fault> {
    let mut index = LiveIndex::default();
    let mut scan = Scan::new(file, *header, end);
    loop {
        match scan.step()? {
            Step::Commit(commit) => index.absorb(&commit, scan.body(&commit)),
            Step::End => return Ok(index),
            Step::Wrong(what) => return Err(damaged(header, &scan, what)),
        }
    }
}

/// What a scan came upon, as damage.
pub(crate) fn damaged(header: &Header, scan: &Scan<'_>, what: &str) -> Fault {
    Fault::Damaged {
        position: scan.next_position(),
        damage: Damage {
            file: segment_name(header.first_position),
            offset: scan.offset(),
            what: what.to_owned(),
        },
    }
}

/// Writes the index of a sealed segment, and returns its length; it can be built again, so the folder is not synced.
pub(crate) fn write_index(
    storage: &dyn Storage,
    index: &LiveIndex,
    header: &Header,
    len: u64,
) -> io::Result<u64> {
    let name = index_name(header.first_position);
    let temporary = format!("{name}{TEMPORARY}");
    let bytes = index::encode(index, header, len);
    write_temporary(storage, &temporary, &bytes)?;
    storage.rename(&temporary, &name)?;
    Ok(bytes.len() as u64)
}

/// `None` if it is not one.
pub(crate) fn read_header(file: &dyn File) -> io::Result<Option<Header>> {
    let mut bytes = Vec::with_capacity(header::LEN);
    file.read_at(0, header::LEN, &mut bytes)?;
    Ok(Header::decode(&bytes))
}

/// The footer at the end of the file, if there is one.
pub(crate) fn read_footer(
    file: &dyn File,
    header: &Header,
    len: u64,
) -> io::Result<Option<Commit>> {
    let Some(offset) = len.checked_sub(commit::LEN as u64) else {
        return Ok(None);
    };
    let mut bytes = Vec::with_capacity(commit::LEN);
    file.read_at(offset, commit::LEN, &mut bytes)?;
    let commit = Commit::decode(&bytes, header.nonce, offset);
    Ok(commit.filter(|commit| commit.kind == Kind::Footer))
}

/// Files that are kept open, the ones that were used last.
#[derive(Debug, Default)]
pub(crate) struct OpenFiles {
    files: Mutex<HashMap<u64, (u64, Arc<Opened>)>>,
    clock: AtomicU64,
    /// Held while files are opened, and while they are replaced: an index is made by one at a time, for the segment that
    /// is there.
    pub(crate) opening: Mutex<()>,
}

impl OpenFiles {
    /// The files of `segment`, opened if need be.
    pub(crate) fn get(
        &self,
        storage: &dyn Storage,
        segment: &Sealed,
    ) -> Result<Arc<Opened>, Fault> {
        let nonce = segment.header.nonce;
        let now = self.clock.fetch_add(1, Ordering::Relaxed);
        if let Some((used, opened)) = self.files.lock().get_mut(&nonce) {
            *used = now;
            return Ok(Arc::clone(opened));
        }
        let opening = self.opening.lock();
        let opened = Arc::new(Opened::open(storage, &segment.header, segment.len)?);
        drop(opening);
        let mut files = self.files.lock();
        if files.len() >= OPENED_MAX {
            let oldest = files.iter().min_by_key(|(_, (used, _))| *used);
            if let Some(nonce) = oldest.map(|(nonce, _)| *nonce) {
                files.remove(&nonce);
            }
        }
        files.insert(nonce, (now, Arc::clone(&opened)));
        Ok(opened)
    }

    /// Lets go of the files of a segment that was replaced or removed, or whose index is to be made anew.
    pub(crate) fn forget(&self, segment: &Header) {
        self.files.lock().remove(&segment.nonce);
    }
}
