//! Opening a log: what an orderly or unclean end left is put right, and damage is refused.
//!
//! Which things are looked at, in which order and why: `docs/internals/log_format.md`.

mod active;
mod chain;
mod create;
mod tail;

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use parking_lot::{Condvar, Mutex, RwLock};

use chain::Chain;
pub(crate) use chain::segment_positions;
pub(crate) use create::create;
pub(crate) use tail::{Tail, inspect, is_zero};

use crate::fault::Fault;
use crate::format::meta;
use crate::format::trims::{self, Trims};
use crate::read::{Latest, Recent};
use crate::segment::{OpenFiles, Segment};
use crate::shared::{Retained, Shared};
use crate::stats::Meter;
use crate::storage::{Storage, TEMPORARY, read_whole};
use crate::writer::{Committer, Intake, Plan, RESERVE};
use crate::{Damage, Options};

/// Why a log was not opened.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Another process has it open, or this one has.
    #[error("the log is open in another process")]
    InUse,
    /// There is none in the folder.
    #[error("there is no log in the folder")]
    Missing,
    /// There is one already, where a new one was to be made.
    #[error("there is a log in the folder already")]
    Exists,
    /// It was written by another version of Feedwire, in a format that this one does not know.
    #[error("the log has format {found}, this version of Feedwire knows {known}")]
    Format {
        /// The format it has.
        found: u32,
        /// The format that is known.
        known: u32,
    },
    /// Bytes that were acknowledged are damaged.
    #[error(transparent)]
    Damaged(#[from] Damage),
    /// The disk or the system failed.
    #[error("the log's files cannot be read or written")]
    Io(#[from] io::Error),
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Damaged { damage, .. } => Self::Damaged(damage),
            Fault::Io(error) => Self::Io(error),
            Fault::Index | Fault::Stale => {
                Self::Io(io::Error::other("the folder is changed by someone else"))
            }
        }
    }
}

/// Opens the log; what is returned is ready to be started.
pub(crate) fn open(
    storage: Arc<dyn Storage>,
    options: Options,
) -> Result<(Arc<Shared>, Committer), Error> {
    let incarnation = read_meta(&*storage)?;
    let trims = read_trims(&*storage, incarnation)?;
    let mut chain = Chain::find(&*storage, incarnation, trims.first)?;
    let (mut segments, active) = chain.verify(&*storage, trims.first)?;
    let active = active::recover(active)?;
    storage.sync_folder()?;
    remove_leftovers(&*storage, &chain)?;

    let head = head(&segments, &active);
    segments.push(Arc::new(Segment::Live(Arc::clone(&active.live))));
    let plan = Plan {
        first_position: active.live.header.first_position,
        file: Arc::clone(&active.live.file),
        allocated: active.live.file.len()?,
        end: active.end,
        min_free: options.min_free_bytes.max(RESERVE),
    };
    let shared = Arc::new(Shared {
        storage,
        options,
        incarnation,
        intake: Mutex::new(Intake::new(active.next_position, active.recorded_at, plan)),
        failures: AtomicU64::new(0),
        work: Condvar::new(),
        room: Condvar::new(),
        head: AtomicU64::new(head),
        listeners: RwLock::default(),
        retained: RwLock::new(Retained {
            segments: Arc::new(segments),
            trims: Arc::new(trims),
        }),
        unsealed: Mutex::new(VecDeque::new()),
        sealing: Mutex::new(()),
        maintenance: Mutex::new(()),
        files: OpenFiles::default(),
        recent: Recent::default(),
        latest: Latest::behind(head),
        meter: Meter::default(),
    });
    let log = Arc::clone(&shared);
    let committer = Committer::new(log, active.live, active.end, active.is_marked)?;
    Ok((shared, committer))
}

/// The position of the last record; what was trimmed counts.
fn head(segments: &[Arc<Segment>], active: &active::Recovered) -> u64 {
    let active_last = active.live.index.read().last_position;
    let sealed_last = segments.iter().rev().map(|segment| match &**segment {
        Segment::Sealed(sealed) => sealed.last_position,
        Segment::Live(live) => live.index.read().last_position,
    });
    let mut lasts = std::iter::once(active_last).chain(sealed_last);
    let before_all = segments
        .first()
        .map_or(active.live.header.first_position, |first| {
            first.first_position()
        });
    lasts.find(|last| *last > 0).unwrap_or(before_all - 1)
}

/// The incarnation of the log.
pub(crate) fn read_meta(storage: &dyn Storage) -> Result<u128, Error> {
    let file = match storage.open(meta::NAME) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            create::refuse_segments(storage)?;
            return Err(Error::Missing);
        }
        other => other?,
    };
    match meta::decode(&read_whole(&*file)?) {
        Ok(incarnation) => Ok(incarnation),
        Err(meta::Wrong::Format(found)) => Err(Error::Format {
            found,
            known: crate::format::VERSION,
        }),
        Err(meta::Wrong::Bytes(what)) => Err(damage(meta::NAME, what)),
    }
}

pub(crate) fn read_trims(storage: &dyn Storage, incarnation: u128) -> Result<Trims, Error> {
    let file = match storage.open(trims::NAME) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Trims::default()),
        other => other?,
    };
    let trims = Trims::decode(&read_whole(&*file)?, incarnation);
    trims.ok_or_else(|| damage(trims::NAME, "it is not what was written for this log"))
}

fn damage(file: &str, what: &str) -> Error {
    Error::Damaged(Damage {
        file: file.to_owned(),
        offset: 0,
        what: what.to_owned(),
    })
}

/// Removes half-written files, segments that were trimmed or never used, and indexes without a segment.
fn remove_leftovers(storage: &dyn Storage, chain: &Chain) -> io::Result<()> {
    let names = storage.list()?;
    let is_leftover = |name: &&String| name.ends_with(TEMPORARY) || chain.is_leftover(name);
    for name in names.iter().filter(is_leftover) {
        storage.remove(name)?;
    }
    Ok(())
}
