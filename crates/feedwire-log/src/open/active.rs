//! Recovering the active segment: what was torn is cut, what was not proven is synced.

use std::io;
use std::sync::Arc;

use super::chain::Found;
use super::{Error, Tail, inspect};
use crate::Damage;
use crate::format::commit::{Commit, Kind};
use crate::format::header;
use crate::format::record;
use crate::index::LiveIndex;
use crate::scan::{Scan, Step};
use crate::segment::{Live, segment_name};
use crate::writer::rewrite;

#[derive(Debug)]
pub(super) struct Recovered {
    pub(super) live: Arc<Live>,
    /// Behind the last commit.
    pub(super) end: u64,
    pub(super) next_position: u64,
    pub(super) recorded_at: i64,
    /// Whether the last commit is a mark.
    pub(super) is_marked: bool,
}

/// What a scan of the segment came to.
struct Scanned {
    index: LiveIndex,
    end: u64,
    /// Up to here the last commit that is right says that it was synced.
    proven: u64,
    next_position: u64,
    recorded_at: i64,
    is_marked: bool,
    tail: Tail,
}

pub(super) fn recover(found: Found) -> Result<Recovered, Error> {
    let mut scanned = scan(&found)?;
    let file = &*found.file;
    // A process before may have failed to sync this, and pages that it wrote may read back and not be on disk.
    file.write_at(0, &found.header.encode())?;
    rewrite(file, scanned.proven, scanned.end)?;
    file.sync_data()?;
    if let Tail::Torn { end } = scanned.tail {
        cut(&found, &mut scanned, end)?;
    } else if !scanned.is_marked && scanned.index.records > 0 {
        // What is kept is proven from here on, also if nothing comes after it.
        mark(&found, &mut scanned)?;
    }
    let Scanned {
        end,
        next_position,
        recorded_at,
        is_marked,
        ..
    } = scanned;
    Ok(Recovered {
        live: Arc::new(Live::new(found.header, found.file, scanned.index)),
        end,
        next_position,
        recorded_at,
        is_marked,
    })
}

fn scan(found: &Found) -> Result<Scanned, Error> {
    let mut scan = Scan::new(&*found.file, found.header, found.len);
    let mut index = LiveIndex::default();
    let (mut proven, mut is_marked) = (header::LEN as u64, false);
    let wrong = loop {
        match scan.step()? {
            Step::Commit(commit) if commit.kind == Kind::Footer => {
                let what = "a footer, whose successor is missing";
                return Err(damage(found, commit.offset, what));
            }
            Step::Commit(commit) => {
                index.absorb(&commit, scan.body(&commit));
                proven = proven.max(commit.synced);
                is_marked = commit.kind == Kind::Mark;
            }
            Step::Wrong(what) => break Some(what),
            Step::End => break None,
        }
    };
    let tail = match wrong {
        Some(what) => tail(found, scan.offset(), what)?,
        None => Tail::Clean,
    };
    Ok(Scanned {
        index,
        end: scan.offset(),
        proven,
        next_position: scan.next_position(),
        recorded_at: scan.recorded_at(),
        is_marked,
        tail,
    })
}

fn tail(found: &Found, offset: u64, what: &str) -> Result<Tail, Error> {
    let tail = inspect(&*found.file, &found.header, offset, found.len)?;
    if tail == Tail::Rotten {
        return Err(damage(found, offset, what));
    }
    Ok(tail)
}

fn damage(found: &Found, offset: u64, what: &str) -> Error {
    Error::Damaged(Damage {
        file: segment_name(found.header.first_position),
        offset,
        what: what.to_owned(),
    })
}

/// Cuts what is torn, up to `torn_end`, behind a mark that keeps its positions from being given again.
fn cut(found: &Found, scanned: &mut Scanned, torn_end: u64) -> io::Result<()> {
    let torn = torn_end - scanned.end;
    scanned.next_position += torn.div_ceil(record::HEAD as u64);
    mark(found, scanned)?;
    let file = &*found.file;
    let len = found.len.max(scanned.end);
    file.set_len(scanned.end)?;
    // If there is no room, the next append will say so.
    drop(file.allocate(scanned.end, len - scanned.end));
    file.sync_data()
}

/// Has a mark at the end, on disk.
fn mark(found: &Found, scanned: &mut Scanned) -> io::Result<()> {
    let mark = Commit::mark(scanned.end, scanned.next_position, scanned.recorded_at);
    found
        .file
        .write_at(scanned.end, &mark.encode(found.header.nonce))?;
    found.file.sync_data()?;
    scanned.end = mark.end();
    scanned.is_marked = true;
    Ok(())
}
