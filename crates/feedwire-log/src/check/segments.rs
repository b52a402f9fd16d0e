//! Verifying segments, and their indexes against them.

use std::io;

use super::Report;
use crate::Damage;
use crate::format::commit::{self, Commit, Kind};
use crate::format::header::{self, Header};
use crate::index::{self, LiveIndex};
use crate::open::{Tail, inspect, is_zero, segment_positions};
use crate::scan::{Scan, Step};
use crate::segment::{index_name, read_footer, read_header, segment_name};
use crate::storage::{File, Storage, read_whole};
use crate::writer::crc64;

/// A segment as it was found, with what it says of its neighbours.
struct Found {
    header: Header,
    footer: Option<Commit>,
}

impl Report {
    /// Verifies all segments from position `first` on, if that is known.
    pub(super) fn segments(
        &mut self,
        storage: &dyn Storage,
        incarnation: u128,
        first: Option<u64>,
    ) -> io::Result<()> {
        let positions = segment_positions(storage)?;
        let positions = positions
            .into_iter()
            .filter(|position| Some(*position) >= first);
        let mut opened = Vec::new();
        for position in positions {
            let file = storage.open(&segment_name(position))?;
            let len = file.len()?;
            self.bytes += len;
            match read_header(&*file)? {
                Some(header)
                    if header.incarnation == incarnation && header.first_position == position =>
                {
                    opened.push((header, file, len));
                }
                None if is_zero(&*file, header::LEN as u64, len)? => {
                    self.mended(damage(position, 0, "it was begun and never used"));
                }
                _ => self.lost(damage(position, 0, "its header is not what was written")),
            }
        }
        self.segments = opened.len();
        let mut before: Option<Found> = None;
        for (number, (header, file, len)) in opened.iter().enumerate() {
            let next = opened.get(number + 1).map(|(header, ..)| header);
            let found = self.segment(storage, &**file, header, *len, next)?;
            self.neighbours(before.as_ref(), header, first);
            before = Some(found);
        }
        match before.map(|last| last.footer) {
            Some(Some(footer)) => self.lost(damage(footer.position, 0, "it is missing")),
            Some(None) => {}
            None => self.lost(damage(first.unwrap_or(1), 0, "it is missing")),
        }
        Ok(())
    }

    /// Whether a segment follows the one before.
    fn neighbours(&mut self, before: Option<&Found>, header: &Header, first: Option<u64>) {
        let (expected, is_right) = match before {
            None => {
                let first = first.unwrap_or(header.first_position);
                (first, header.first_position == first)
            }
            Some(Found {
                footer: Some(footer),
                ..
            }) => (footer.position, header.first_position == footer.position),
            Some(Found {
                footer: None,
                header: before,
                ..
            }) => (
                header.previous_first,
                header.previous_first == before.first_position,
            ),
        };
        if !is_right {
            self.lost(damage(expected, 0, "it is missing"));
        }
    }

    fn segment(
        &mut self,
        storage: &dyn Storage,
        file: &dyn File,
        header: &Header,
        len: u64,
        next: Option<&Header>,
    ) -> io::Result<Found> {
        let mut footer = read_footer(file, header, len)?;
        let limit = match (&footer, next) {
            (Some(footer), _) => footer.offset,
            (None, Some(next)) => next.previous_end.min(len),
            (None, None) => len,
        };
        let mut index = LiveIndex::default();
        let mut scan = Scan::new(file, *header, limit);
        let wrong = loop {
            match scan.step()? {
                Step::Commit(commit) if commit.kind == Kind::Footer => {
                    // Its successor is missed then.
                    footer = Some(commit);
                    break None;
                }
                Step::Commit(commit) => index.absorb(&commit, scan.body(&commit)),
                Step::Wrong(what) => break Some(what),
                Step::End => break None,
            }
        };
        let end = scan.offset();
        self.count(&index, header);
        let first = header.first_position;
        let is_active = footer.is_none() && next.is_none();
        match (wrong, footer) {
            (Some(what), _) if !is_active => self.lost(damage(first, end, what)),
            (Some(what), _) => self.tail(file, header, end, len, what)?,
            (None, Some(footer)) => {
                self.footer(file, first, &footer)?;
                self.index(storage, &index, header, footer.offset + commit::LEN as u64)?;
            }
            (None, None) if !is_active => {
                self.mended(damage(first, end, "it was not sealed"));
            }
            (None, None) => {}
        }
        Ok(Found {
            header: *header,
            footer,
        })
    }

    /// What stands behind the last commit of the active segment that is right.
    fn tail(
        &mut self,
        file: &dyn File,
        header: &Header,
        end: u64,
        len: u64,
        what: &str,
    ) -> io::Result<()> {
        match inspect(file, header, end, len)? {
            Tail::Clean => {}
            Tail::Torn { .. } => {
                let what = "a commit was not finished; it was not acknowledged";
                self.mended(damage(header.first_position, end, what));
            }
            Tail::Rotten => self.lost(damage(header.first_position, end, what)),
        }
        Ok(())
    }

    fn footer(&mut self, file: &dyn File, first: u64, footer: &Commit) -> io::Result<()> {
        if crc64(file, footer.offset)?.finalize() != footer.checksum {
            let what = "the checksum of the whole segment does not match";
            self.lost(damage(first, footer.offset, what));
        }
        Ok(())
    }

    /// An index is right if it is what would be made of the segment.
    fn index(
        &mut self,
        storage: &dyn Storage,
        index: &LiveIndex,
        header: &Header,
        len: u64,
    ) -> io::Result<()> {
        let name = index_name(header.first_position);
        let found = match storage.open(&name) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            other => Some(read_whole(&*other?)?),
        };
        self.bytes += found.as_ref().map_or(0, |found| found.len() as u64);
        let wanted = index::encode(index, header, len);
        if let Some(offset) = found
            .as_deref()
            .map_or(Some(0), |found| difference(found, &wanted))
        {
            let what = "it does not match its segment".to_owned();
            self.mended(Damage {
                file: name,
                offset,
                what,
            });
        }
        Ok(())
    }

    fn count(&mut self, index: &LiveIndex, header: &Header) {
        self.records += index.records;
        if let Some(first) = index::Index::anchor(index, 0) {
            let (start, _) = self.positions.unwrap_or((first.position, 0));
            self.positions = Some((start, index.last_position.max(header.first_position)));
        }
    }
}

/// Where two files begin to differ.
fn difference(left: &[u8], right: &[u8]) -> Option<u64> {
    let same = left
        .iter()
        .zip(right)
        .take_while(|(left, right)| left == right)
        .count();
    (left.len() != right.len() || same < left.len()).then_some(same as u64)
}

fn damage(first_position: u64, offset: u64, what: &str) -> Damage {
    Damage {
        file: segment_name(first_position),
        offset,
        what: what.to_owned(),
    }
}
