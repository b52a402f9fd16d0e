//! What sealed segments hold of scopes that were read lately.
//!
//! A scope that has little in each segment costs a read a record, which is several times what walking them costs. Sealed
//! segments do not change, so what was found in one is kept, as long as it is little.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use hashbrown::{Equivalent, HashMap};
use parking_lot::Mutex;

use crate::format::header::Header;
use crate::{Record, Scope};

/// All that is kept, of a log.
const BYTES_MAX: usize = 4 << 20;

/// What one segment has of one scope is kept up to this.
const RECORDS_MAX: usize = 1024;
const LIST_BYTES_MAX: usize = 256 << 10;

/// Scopes with more tags are not looked up: they are rarely the same twice.
const TAGS_MAX: usize = 8;

#[derive(Debug, Default)]
pub(crate) struct Recent(Mutex<Lists>);

#[derive(Debug, Default)]
struct Lists {
    all: HashMap<Key, List>,
    bytes: usize,
    clock: u64,
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Key(u64, Scope);

#[derive(Debug)]
struct List {
    records: Arc<[Record]>,
    bytes: usize,
    used: u64,
}

/// A key that is looked up.
#[derive(Hash)]
struct Asked<'a>(u64, &'a Scope);

impl Equivalent<Key> for Asked<'_> {
    fn equivalent(&self, key: &Key) -> bool {
        self.0 == key.0 && *self.1 == key.1
    }
}

impl Recent {
    /// Everything that a segment has in scope, ascending, if it is kept.
    pub(super) fn get(&self, segment: &Header, scope: &Scope) -> Option<Arc<[Record]>> {
        if tags(scope) > TAGS_MAX {
            return None;
        }
        let mut lists = self.0.lock();
        lists.clock += 1;
        let now = lists.clock;
        let list = lists.all.get_mut(&Asked(segment.nonce, scope))?;
        list.used = now;
        Some(Arc::clone(&list.records))
    }

    /// Keeps everything that a segment has in scope, unless it is much.
    pub(super) fn put(&self, segment: &Header, scope: &Scope, records: &[Record]) {
        let bytes: usize = records.iter().map(|record| record.bytes.len()).sum();
        let is_much = records.len() > RECORDS_MAX || bytes > LIST_BYTES_MAX;
        if is_much || tags(scope) > TAGS_MAX {
            return;
        }
        let records = compact(records, bytes);
        let bytes = bytes + size_of::<Record>() * records.len() + size_of::<(Key, List)>();
        let mut lists = self.0.lock();
        let used = lists.clock;
        let key = Key(segment.nonce, scope.clone());
        let before = lists.all.insert(
            key,
            List {
                records,
                bytes,
                used,
            },
        );
        lists.bytes += bytes;
        lists.bytes -= before.map_or(0, |list| list.bytes);
        if lists.bytes > BYTES_MAX {
            lists.let_go_of_half();
        }
    }

    /// Lets go of what is kept of a segment that was written anew or removed.
    pub(crate) fn forget(&self, segment: &Header) {
        let mut lists = self.0.lock();
        lists.all.retain(|Key(nonce, _), _| *nonce != segment.nonce);
        lists.count();
    }
}

impl Lists {
    /// Lets go of those that were not used for the longest time.
    fn let_go_of_half(&mut self) {
        let mut used: Vec<u64> = self.all.values().map(|list| list.used).collect();
        let middle = used.len() / 2;
        let (_, &mut middle, _) = used.select_nth_unstable(middle);
        self.all.retain(|_, list| list.used > middle);
        self.count();
    }

    fn count(&mut self) {
        self.bytes = self.all.values().map(|list| list.bytes).sum();
    }
}

fn tags(scope: &Scope) -> usize {
    scope.feeds.len() + scope.types.len() + scope.subjects.len()
}

/// Records with bytes of their own, which hold nothing else that was read with them in memory.
fn compact(records: &[Record], bytes: usize) -> Arc<[Record]> {
    let mut arena = BytesMut::with_capacity(bytes);
    let records = records.iter().map(|record| {
        arena.extend_from_slice(&record.bytes);
        let bytes: Bytes = arena.split().freeze();
        Record {
            bytes,
            ..record.clone()
        }
    });
    records.collect()
}
