//! The last commits as they were written: who follows a log reads them without the disk, and without holding more in memory
//! than what was written.

use std::collections::VecDeque;

use bytes::Bytes;
use parking_lot::RwLock;

use super::collect::Collect;
use crate::format::record::{HEAD, Parsed, parse};

/// All that is kept, of a log.
const BYTES_MAX: usize = 4 << 20;

/// A larger commit is not kept: copying it costs more than reading it again.
const COMMIT_BYTES_MAX: usize = 1 << 20;

#[derive(Debug)]
pub(crate) struct Latest(RwLock<Commits>);

#[derive(Debug)]
struct Commits {
    /// Everything readable above this is kept.
    floor: u64,
    kept: VecDeque<Kept>,
    bytes: usize,
}

#[derive(Debug)]
struct Kept {
    last: u64,
    records: Bytes,
}

impl Latest {
    /// Nothing, of a log that ends at `head`.
    pub(crate) fn behind(head: u64) -> Self {
        let kept = VecDeque::new();
        Self(RwLock::new(Commits {
            floor: head,
            kept,
            bytes: 0,
        }))
    }

    /// Keeps the records of a commit that is on disk and about to be readable.
    pub(crate) fn put(&self, last: u64, records: &[u8]) {
        let is_large = records.len() > COMMIT_BYTES_MAX;
        let records = if is_large {
            Bytes::new()
        } else {
            Bytes::copy_from_slice(records)
        };
        let mut commits = self.0.write();
        commits.bytes += records.len();
        commits.kept.push_back(Kept { last, records });
        while is_large && !commits.kept.is_empty() || commits.bytes > BYTES_MAX {
            commits.let_go_of_first();
        }
    }

    /// Lets go of everything, for some of it was erased.
    pub(crate) fn clear(&self) {
        let mut commits = self.0.write();
        while !commits.kept.is_empty() {
            commits.let_go_of_first();
        }
    }

    /// Collects forward what is wanted of the whole log; `false` if it is not all here.
    pub(super) fn collect(&self, collect: &mut Collect) -> bool {
        let commits = self.0.read();
        if collect.from < commits.floor {
            return false;
        }
        let start = commits
            .kept
            .partition_point(|kept| kept.last <= collect.from);
        commits
            .kept
            .range(start..)
            .all(|kept| take(&kept.records, collect));
        true
    }
}

impl Commits {
    fn let_go_of_first(&mut self) {
        if let Some(Kept { last, records }) = self.kept.pop_front() {
            self.floor = last;
            self.bytes -= records.len();
        }
    }
}

/// Takes the records of a commit in turn; `false` once there is enough.
fn take(records: &Bytes, collect: &mut Collect) -> bool {
    let mut at = 0;
    while at < records.len() {
        let Parsed::Right(head) = parse(&records[at..]) else {
            unreachable!("the records are as they were written");
        };
        if !collect.take(&head, || records.slice(at + HEAD..at + head.len())) {
            return false;
        }
        at += head.len();
    }
    true
}
