//! A segment's bytes and index, whichever way it is held.

use std::sync::Arc;

use crate::Damage;
use crate::fault::Fault;
use crate::format::header::Header;
use crate::index::Index;
use crate::segment::{Live, Opened, Sealed, Segment, segment_name};
use crate::shared::Shared;
use crate::storage::File;

pub(super) enum Source {
    Live(Arc<Live>, Extent),
    Sealed(Arc<Opened>, Extent),
}

/// How much there is to read.
#[derive(Clone, Copy)]
pub(super) struct Extent {
    pub(super) header: Header,
    /// Behind the last commit.
    pub(super) end: u64,
    records: u64,
}

impl Shared {
    pub(super) fn source(&self, segment: &Segment) -> Result<Source, Fault> {
        match segment {
            Segment::Live(live) => {
                let index = live.index.read();
                let extent = Extent {
                    header: live.header,
                    end: index.end,
                    records: index.records,
                };
                drop(index);
                Ok(Source::Live(Arc::clone(live), extent))
            }
            Segment::Sealed(sealed) => {
                let opened = self.files.get(&*self.storage, sealed)?;
                Ok(Source::Sealed(opened, Extent::of(sealed)))
            }
        }
    }
}

impl Source {
    pub(super) fn file(&self) -> &dyn File {
        match self {
            Self::Live(live, _) => &*live.file,
            Self::Sealed(opened, _) => &*opened.file,
        }
    }

    pub(super) fn index(&self) -> &dyn Index {
        match self {
            Self::Live(live, _) => &live.index,
            Self::Sealed(opened, _) => &opened.index,
        }
    }

    pub(super) const fn extent(&self) -> &Extent {
        match self {
            Self::Live(_, extent) | Self::Sealed(_, extent) => extent,
        }
    }
}

impl Extent {
    const fn of(sealed: &Sealed) -> Self {
        Self {
            header: sealed.header,
            end: sealed.end(),
            records: sealed.records,
        }
    }

    /// How many bytes a record takes on average.
    pub(super) fn record_bytes(&self) -> usize {
        let average = self.end.checked_div(self.records).unwrap_or(self.end);
        usize::try_from(average).unwrap_or(usize::MAX)
    }

    /// Something is not what was written, at `offset`, behind the record at `position`.
    pub(super) fn damaged(&self, position: u64, offset: u64, what: &str) -> Fault {
        Fault::Damaged {
            position: position.max(self.header.first_position),
            damage: Damage {
                file: segment_name(self.header.first_position),
                offset,
                what: what.to_owned(),
            },
        }
    }
}
